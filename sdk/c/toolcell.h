/* Tools, resources and prompts for Model Context Protocol clients, in C11 (and C++17: see toolcell.hpp).
 *
 * A plugin is a few functions and a table of them:
 *
 *     #include <toolcell.h>
 *
 *     static void greet(tc_call *c) { tc_textf(c, "Hello, %s!", tc_arg_cstr(c, "name")); }
 *
 *     TOOLCELL_TOOLS(
 *         { .name = "greet", .description = "Says hello to someone.", .run = greet,
 *           .args = TC_FIELDS({ .name = "name", .type = TC_STRING, .doc = "Whom to greet.", .required = true }) })
 *
 * Everything handed out lives until the call ends; nothing has to be freed. Texts have a length, so they may hold NUL. */
#ifndef TOOLCELL_H
#define TOOLCELL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* JSON is read with yyjson_get_… and put together with yyjson_mut_…: https://ibireme.github.io/yyjson/doc/doxygen/html/ */
#define YYJSON_DISABLE_NON_STANDARD 1
#define YYJSON_DISABLE_INCR_READER 1
#include "vendor/yyjson/yyjson.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TC_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define TC_PRINTF(at, first)
#endif

/* Text (UTF-8) or bytes. What the SDK hands out is followed by a NUL, so `ptr` is a C string where no NUL is inside. */
typedef struct tc_str {
    const char *ptr;
    size_t len;
} tc_str;

/* The text of a C string; NULL is the empty text. */
static inline tc_str tc_s(const char *text) {
    tc_str s = { text ? text : "", text ? strlen(text) : 0 };
    return s;
}

/* Bytes of a known length. */
static inline tc_str tc_bytes(const void *data, size_t len) {
    tc_str s = { (const char *)data, len };
    return s;
}

static inline bool tc_str_eq(tc_str a, tc_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ---- What a plugin offers ------------------------------------------------------------------------------------------- */

/* One call of a tool, one read of a resource, one use of a prompt, or one question for suggestions. */
typedef struct tc_call tc_call;

/* What answers one: it puts its answer into the call with the functions below. */
typedef void (*tc_handler)(tc_call *c);

typedef enum tc_type {
    TC_ANY = 0, /* any JSON value */
    TC_STRING,
    TC_INTEGER,
    TC_NUMBER,
    TC_BOOLEAN,
    TC_ARRAY,  /* of `items` */
    TC_OBJECT, /* of `fields` */
} tc_type;

/* One field of an object: of the arguments of a tool, of its result, or of a form. A list of them ends with an empty one. */
typedef struct tc_field {
    const char *name;
    const char *doc;   /* what it is, for the model */
    const char *title; /* name for people */
    tc_type type;
    bool required;
    /* Bounds, 0 for none: of the value (numbers), of the length in characters (strings), of the number of items (arrays).
     * A bound that is 0 itself goes into `also`. */
    double min, max;
    const char *const *values;     /* all values allowed, texts: TC_VALUES("a", "b") */
    const char *fallback;          /* the value if it is left out, as JSON: "\"open\"", "10", "true" */
    const char *pattern;           /* a regular expression (strings) */
    const char *format;            /* such as "uri", "date-time" (strings) */
    const struct tc_field *fields; /* TC_OBJECT: TC_FIELDS(…) */
    const struct tc_field *items;  /* TC_ARRAY: one field without a name: TC_FIELDS({ .type = TC_STRING }) */
    const char *also;              /* more members of the schema, as JSON: "\"minimum\":0,\"examples\":[1]" */
} tc_field;

/* A list of fields, where a pointer to one is wanted. */
#define TC_FIELDS(...) ((const tc_field[]){ __VA_ARGS__, { 0 } })
/* A list of texts, where a pointer to one is wanted. */
#define TC_VALUES(...) ((const char *const[]){ __VA_ARGS__, 0 })

/* Hints about what a tool does to the world; what is not said is not said. */
enum {
    TC_READ_ONLY = 1,            /* changes nothing */
    TC_NOT_READ_ONLY = 1 << 1,
    TC_DESTRUCTIVE = 1 << 2,     /* may destroy something */
    TC_NOT_DESTRUCTIVE = 1 << 3,
    TC_IDEMPOTENT = 1 << 4,      /* a second call with the same arguments changes nothing more */
    TC_NOT_IDEMPOTENT = 1 << 5,
    TC_OPEN_WORLD = 1 << 6,      /* reaches beyond a closed set of things, such as to the web */
    TC_CLOSED_WORLD = 1 << 7,
};

/* Whether the host may run the tool as a durable task. */
typedef enum tc_task { TC_TASK_UNSAID = 0, TC_TASK_OPTIONAL, TC_TASK_REQUIRED, TC_TASK_FORBIDDEN } tc_task;

typedef enum tc_theme { TC_THEME_ANY = 0, TC_THEME_LIGHT, TC_THEME_DARK } tc_theme;

/* A picture; a list of them ends with an empty one. */
typedef struct tc_icon {
    const char *src;                /* an https: or data: URI */
    const char *mime_type;
    const char *const *sizes;       /* TC_VALUES("48x48") */
    tc_theme theme;
} tc_icon;
#define TC_ICONS(...) ((const tc_icon[]){ __VA_ARGS__, { 0 } })

/* A tool as the model sees it. */
typedef struct tc_tool {
    const char *name;
    const char *title;
    const char *description;
    const tc_field *args;       /* TC_FIELDS(…); none for a tool without arguments */
    const char *input_schema;   /* instead of `args`: JSON Schema of an object, as text */
    const tc_field *result;     /* the fields of the structured result, if there is one */
    const char *output_schema;  /* instead of `result`: JSON Schema, as text */
    unsigned hints;             /* TC_READ_ONLY | … */
    tc_task task;
    const char *ui;             /* the ui:// page that shows its results */
    const tc_icon *icons;       /* TC_ICONS(…) */
    const char *meta;           /* a JSON object for _meta */
    tc_handler run;
    void *data;                 /* for `run`: tc_data(c) */
} tc_tool;

/* A resource, or with variables in its URI a template: `{id}` holds no slash, `{+path}` may, `{?lang,page}` may be missing. */
typedef struct tc_resource {
    const char *uri;
    const char *name;           /* default is the URI */
    const char *title;
    const char *description;
    const char *mime_type;
    uint64_t size;              /* in bytes; 0 is not said */
    const tc_icon *icons;
    const char *meta;
    uint64_t ttl_ms;            /* how long what was read stays fresh; 0 leaves it to the host */
    bool shared;                /* it holds nothing about the caller: anyone may keep a copy */
    tc_handler read;
    void *data;
} tc_resource;

/* One argument of a prompt; a list of them ends with an empty one. */
typedef struct tc_prompt_arg {
    const char *name;
    const char *title;
    const char *doc;
    bool required;
} tc_prompt_arg;
#define TC_PROMPT_ARGS(...) ((const tc_prompt_arg[]){ __VA_ARGS__, { 0 } })

/* A message a person can choose. */
typedef struct tc_prompt {
    const char *name;
    const char *title;
    const char *description;
    const tc_prompt_arg *args;  /* TC_PROMPT_ARGS(…) */
    const tc_icon *icons;
    const char *meta;
    tc_handler get;
    void *data;
} tc_prompt;

/* Suggestions for one argument of a prompt, or one variable of a template. */
typedef struct tc_completion {
    const char *prompt;               /* its name, or: */
    const char *resource;             /* the template's URI */
    const char *argument;
    const char *const *values;        /* all there are; those that begin with what was typed are suggested. Or: */
    tc_handler suggest;               /* calls tc_suggest */
    void *data;
} tc_completion;

typedef struct tc_tools { const tc_tool *rows; size_t count; } tc_tools;
typedef struct tc_resources { const tc_resource *rows; size_t count; } tc_resources;
typedef struct tc_prompts { const tc_prompt *rows; size_t count; } tc_prompts;
typedef struct tc_completions { const tc_completion *rows; size_t count; } tc_completions;

/* The tables of this plugin: each at most once, at file scope. A component exports what has a table, and no more: `toolcell
 * build` sees it by the function that TC_OFFERS defines. */
#ifdef __wasm__
#define TC_OFFERS(what)                                                                       \
    void tc_offers_##what(void);                                                              \
    __attribute__((export_name("toolcell:offers/" #what))) void tc_offers_##what(void) {}
#else
#define TC_OFFERS(what)
#endif
#define TC_TABLE(what, row, ...)                                                              \
    TC_OFFERS(what)                                                                           \
    static const row tc_rows_of_##what[] = { __VA_ARGS__ };                                   \
    const tc_##what tc_plugin_##what = { tc_rows_of_##what, sizeof tc_rows_of_##what / sizeof(row) };
#define TOOLCELL_TOOLS(...) TC_TABLE(tools, tc_tool, __VA_ARGS__)
#define TOOLCELL_RESOURCES(...) TC_TABLE(resources, tc_resource, __VA_ARGS__)
#define TOOLCELL_PROMPTS(...) TC_TABLE(prompts, tc_prompt, __VA_ARGS__)
#define TOOLCELL_COMPLETIONS(...) TC_TABLE(completions, tc_completion, __VA_ARGS__)

extern const tc_tools tc_plugin_tools;
extern const tc_resources tc_plugin_resources;
extern const tc_prompts tc_plugin_prompts;
extern const tc_completions tc_plugin_completions;

/* The same at run time, for other languages on top of this one: called once, before anything else. What is added has to stay
 * where it is. */
extern void tc_plugin_setup(void);
void tc_add_tool(const tc_tool *tool);
void tc_add_resource(const tc_resource *resource);
void tc_add_prompt(const tc_prompt *prompt);
void tc_add_completion(const tc_completion *completion);

/* ---- The call: what came ---------------------------------------------------------------------------------------------- */

tc_str tc_name(const tc_call *c);     /* the tool's or the prompt's name; the URI that is read */
void *tc_data(const tc_call *c);      /* `data` of the row that answers */

/* Arguments of a tool or a prompt, and variables of a URI. One that was left out has its `fallback`, or else is empty: the
 * host has checked that what is required is there, and of the right type. */
yyjson_val *tc_args(const tc_call *c);                        /* all of them, an object */
yyjson_val *tc_arg(tc_call *c, const char *name);             /* one, of any type; NULL if left out */
tc_str tc_arg_str(tc_call *c, const char *name);
const char *tc_arg_cstr(tc_call *c, const char *name);        /* up to the first NUL */
int64_t tc_arg_int(tc_call *c, const char *name);
double tc_arg_num(tc_call *c, const char *name);
bool tc_arg_bool(tc_call *c, const char *name);
bool tc_has_arg(const tc_call *c, const char *name);          /* whether it was given */

/* ---- The call: what is answered --------------------------------------------------------------------------------------- */

typedef enum tc_role { TC_USER = 0, TC_ASSISTANT } tc_role;

/* One block of a result or of a prompt, for what the short forms below do not say. */
typedef struct tc_block {
    enum { TC_BLOCK_TEXT, TC_BLOCK_IMAGE, TC_BLOCK_AUDIO, TC_BLOCK_LINK, TC_BLOCK_EMBEDDED_TEXT, TC_BLOCK_EMBEDDED_BLOB } kind;
    tc_str data;                /* the text, or the raw bytes */
    const char *mime_type;      /* all but text */
    const char *uri;            /* link, embedded */
    const tc_resource *link;    /* link: what else is known of it, instead of `uri` */
    const char *name;           /* link */
    bool for_user, for_assistant;
    double priority;            /* 0.0 (not said, or optional) to 1.0 (required) */
    const char *last_modified;  /* ISO 8601 */
    const char *meta;           /* a JSON object */
    tc_role role;               /* in a prompt: who says it */
} tc_block;

/* Adds a block to a result or a prompt. What it points to has to live until the call ends. */
void tc_add(tc_call *c, const tc_block *block);
void tc_text(tc_call *c, tc_str text);
void tc_textf(tc_call *c, const char *format, ...) TC_PRINTF(2, 3);
void tc_image(tc_call *c, tc_str data, const char *mime_type);
void tc_audio(tc_call *c, tc_str data, const char *mime_type);
void tc_link(tc_call *c, const char *uri, const char *name);
void tc_embed_text(tc_call *c, const char *uri, const char *mime_type, tc_str text);
void tc_embed_blob(tc_call *c, const char *uri, const char *mime_type, tc_str data);

/* The call's own JSON document, for values that are put together with yyjson_mut_…. */
yyjson_mut_doc *tc_doc(tc_call *c);
/* The structured result; a text of the same JSON is added if the result has no block of its own. */
void tc_structured(tc_call *c, yyjson_mut_val *value);
void tc_structured_json(tc_call *c, tc_str json); /* the same, as text */
/* _meta of the result: a JSON object, as text. */
void tc_meta(tc_call *c, const char *json);

/* The tool tried and failed: a text for the model that says what is wrong and what would be right. What was put into the
 * result before is dropped. In a resource or a prompt the call itself fails. */
void tc_fail(tc_call *c, const char *format, ...) TC_PRINTF(2, 3);
/* The same for a result that is put together block by block. */
void tc_mark_error(tc_call *c);

/* Why the call itself fails: then the client gets an error, and the model no result. */
typedef enum tc_error_kind {
    TC_NO_ERROR = 0, TC_NOT_FOUND, TC_INVALID_ARGUMENTS, TC_DENIED, TC_UNAVAILABLE, TC_CANCELLED, TC_OTHER,
} tc_error_kind;
void tc_error(tc_call *c, tc_error_kind kind, const char *format, ...) TC_PRINTF(3, 4);

/* What was read: one item, or several if the URI stands for several. */
void tc_contents_text(tc_call *c, tc_str text);
void tc_contents_blob(tc_call *c, tc_str data);
void tc_contents_of(tc_call *c, const char *uri, const char *mime_type, bool is_text, tc_str data);

/* One message of a prompt. tc_text and its like are messages of the person's. */
void tc_message(tc_call *c, tc_role role, tc_str text);
void tc_prompt_description(tc_call *c, const char *text);

/* Suggestions: what was typed, what is settled, and one value, best first. tc_suggest drops what does not begin with what was
 * typed, and all after the hundredth. */
tc_str tc_typed(const tc_call *c);
tc_str tc_settled(const tc_call *c, const char *argument);
void tc_suggest(tc_call *c, tc_str value);

/* ---- Asking the person, or the model, at the client ------------------------------------------------------------------- */

/* NULL means: it is asked now. Return from the handler at once (or ask more first); it is called again, from its beginning,
 * when the answers are there. Under each key one question. */
typedef struct tc_answer {
    enum { TC_ACCEPTED, TC_DECLINED, TC_DISMISSED, TC_FAILED } kind; /* dismissed: closed without choosing */
    yyjson_val *value;  /* the filled-in form, the result of sampling/createMessage, or the roots: [{"uri", "name"}] */
    tc_str why;         /* failed: why the client could not answer */
} tc_answer;

const tc_answer *tc_ask_form(tc_call *c, const char *key, const char *message, const tc_field *fields);
const tc_answer *tc_ask_url(tc_call *c, const char *key, const char *message, const char *url);
const tc_answer *tc_ask_sample(tc_call *c, const char *key, const char *params); /* JSON: params of sampling/createMessage */
const tc_answer *tc_ask_roots(tc_call *c, const char *key);

/* What the handler wants to find again when it is called with the answers. Nobody else can read or change it. */
void tc_keep(tc_call *c, tc_str state);
tc_str tc_kept(const tc_call *c);

/* ---- The host, while the call runs ------------------------------------------------------------------------------------ */

/* How a request to the host ended; tc_why tells more. */
typedef enum tc_status {
    TC_OK = 0,
    TC_REFUSED,   /* the operator did not grant it; tc_why ends with the line that would */
    TC_LIMIT,     /* too large, too deep, too late */
    TC_CONFLICT,  /* tc_kv_swap: another value is there */
    TC_MISSING,   /* there is nothing of that name */
    TC_INVALID,   /* the arguments do not fit */
    TC_BROKEN,    /* anything else */
} tc_status;

/* What the host said about the last request that was not TC_OK. */
const char *tc_why(const tc_call *c);

/* Reports progress; a total of 0 is not known, the message may be NULL. */
void tc_progress(tc_call *c, double progress, double total, const char *message);
bool tc_progress_wanted(tc_call *c);

typedef enum tc_level {
    TC_DEBUG = 0, TC_INFO, TC_NOTICE, TC_WARNING, TC_ERROR, TC_CRITICAL, TC_ALERT, TC_EMERGENCY,
} tc_level;
/* Writes a text to the log. What is printed to stdout and stderr goes there too. */
void tc_logf(tc_call *c, tc_level level, const char *logger, const char *format, ...) TC_PRINTF(4, 5);
/* Writes any JSON value; `logger` names the part that speaks and may be NULL. */
void tc_log(tc_call *c, tc_level level, const char *logger, yyjson_mut_val *data);
void tc_log_json(tc_call *c, tc_level level, const char *logger, tc_str json); /* the same, as text */
bool tc_log_enabled(tc_call *c, tc_level level);

/* What may be asked of this client. */
enum {
    TC_CAN_FORM = 1, TC_CAN_URL = 1 << 1, TC_CAN_SAMPLE = 1 << 2, TC_CAN_SAMPLE_TOOLS = 1 << 3, TC_CAN_ROOTS = 1 << 4,
    TC_CAN_APPS = 1 << 5,
};
/* Who is calling, for how long, and what the client can do. Empty texts are not known. */
typedef struct tc_context {
    bool has_caller;
    tc_str principal;       /* who the host found behind the call */
    tc_str claims;          /* what it knows of them: a JSON object */
    tc_str client_name, client_version;
    unsigned abilities;     /* TC_CAN_FORM | … */
    uint64_t remaining_ms;  /* until the host ends the call, when this was asked */
    tc_str traceparent, tracestate, baggage;
    tc_str meta;            /* the request's _meta: a JSON object */
} tc_context;
tc_context tc_context_now(tc_call *c);
bool tc_is_cancelled(tc_call *c);

/* Tells clients that something they may watch has changed. */
void tc_resource_updated(tc_call *c, const char *uri);
void tc_resources_changed(tc_call *c);
void tc_prompts_changed(tc_call *c);
void tc_tools_changed(tc_call *c);

/* Small values that outlive the call, private to this plugin. A value that is absent is `{ .absent = true }`. */
typedef struct tc_value {
    bool absent;
    tc_str bytes;
} tc_value;
tc_status tc_kv_get(tc_call *c, const char *key, tc_value *value);
tc_status tc_kv_set(tc_call *c, const char *key, tc_str value);
tc_status tc_kv_delete(tc_call *c, const char *key);
/* Sets the key (or removes it, with an absent value) if its value is still `expected`. On TC_CONFLICT `*expected` is what is
 * there now, so that a loop can try again. */
tc_status tc_kv_swap(tc_call *c, const char *key, tc_value *expected, tc_value value);
/* The keys that begin with `prefix`, all pages, in byte order. */
tc_status tc_kv_keys(tc_call *c, const char *prefix, const tc_str **keys, size_t *count);

/* Another tool of this host, as the operator granted it. */
typedef struct tc_peer_result {
    bool is_error;
    tc_str text;              /* its texts, one after the other */
    yyjson_val *structured;   /* NULL if there is none */
} tc_peer_result;
tc_status tc_peer(tc_call *c, const char *tool, const char *arguments, tc_peer_result *result);

/* An HTTP exchange. Redirects are not followed. */
typedef struct tc_header { tc_str name, value; } tc_header;
typedef struct tc_http_request {
    const char *method;          /* default is GET */
    const char *url;             /* http: or https: */
    const tc_header *headers;
    size_t header_count;
    tc_str body;
    uint64_t timeout_ms;         /* for everything; 0 leaves it to the host */
    size_t most;                 /* bytes of the response's body; 0 is 4 MiB. More is TC_LIMIT. */
} tc_http_request;
typedef struct tc_http_response {
    int status;
    tc_header *headers;
    size_t header_count;
    tc_str body;
} tc_http_response;
tc_status tc_http(tc_call *c, const tc_http_request *request, tc_http_response *response);
tc_status tc_http_get(tc_call *c, const char *url, tc_http_response *response);
/* The value of a response's header, whatever its case; empty if it is not there. */
tc_str tc_http_header(const tc_http_response *response, const char *name);

/* ---- Memory and text for the time of the call ------------------------------------------------------------------------- */

void *tc_alloc(tc_call *c, size_t size);
tc_str tc_copy(tc_call *c, tc_str text);
tc_str tc_format(tc_call *c, const char *format, ...) TC_PRINTF(2, 3);
tc_str tc_vformat(tc_call *c, const char *format, va_list arguments);
/* Reads JSON; NULL if it is none, and tc_why says where. */
yyjson_val *tc_json_read(tc_call *c, tc_str text);
tc_str tc_json_write(tc_call *c, yyjson_mut_val *value);
tc_str tc_json_text(tc_call *c, yyjson_val *value);
/* The text of a JSON string; empty for anything else. */
static inline tc_str tc_json_str(yyjson_val *value) {
    tc_str s = { yyjson_is_str(value) ? yyjson_get_str(value) : "", yyjson_is_str(value) ? yyjson_get_len(value) : 0 };
    return s;
}
/* How many characters (code points) a text has. */
size_t tc_length(tc_str text);

#ifdef __cplusplus
}
#endif
#endif
