/* yyjson, without what JSON Schema and MCP have no use for. */
#include "internal.h"

#include "../vendor/yyjson/yyjson.c"
