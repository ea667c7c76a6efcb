/* What works the same with the host and in tests. */
#include "internal.h"

#include <ctype.h>

void tc_logf(tc_call *c, tc_level level, const char *logger, const char *format, ...) {
    if (!tc_log_enabled(c, level)) return;
    va_list arguments;
    va_start(arguments, format);
    tc_str text = tc_vformat(c, format, arguments);
    va_end(arguments);
    tc_log(c, level, logger, yyjson_mut_strncpy(tc_doc(c), text.ptr, text.len));
}

void tc_log_json(tc_call *c, tc_level level, const char *logger, tc_str json) {
    yyjson_val *value = tc_json_read(c, json);
    if (value) tc_log(c, level, logger, yyjson_val_mut_copy(tc_doc(c), value));
}

tc_status tc_http_get(tc_call *c, const char *url, tc_http_response *response) {
    return tc_http(c, &(tc_http_request){ .url = url }, response);
}

tc_str tc_http_header(const tc_http_response *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++) {
        tc_str other = response->headers[i].name;
        size_t n = 0;
        while (n < other.len && name[n] && tolower((unsigned char)other.ptr[n]) == tolower((unsigned char)name[n])) n++;
        if (n == other.len && !name[n]) return response->headers[i].value;
    }
    return tc_s("");
}
