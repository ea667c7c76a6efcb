/* What the files of the SDK share. Nothing in here is for plugins. */
#ifndef TOOLCELL_INTERNAL_H
#define TOOLCELL_INTERNAL_H

#include "../toolcell.h"

typedef struct tc_arena_block tc_arena_block;

typedef enum { TC_CALL_TOOL, TC_CALL_READ, TC_CALL_PROMPT, TC_CALL_COMPLETE } tc_call_kind;

typedef struct {
    const char *uri, *mime_type;
    bool is_text;
    tc_str data;
} tc_contents;

typedef enum { TC_ASK_FORM, TC_ASK_URL, TC_ASK_SAMPLE, TC_ASK_ROOTS } tc_ask_kind;

/* A question that has no answer yet. */
typedef struct {
    tc_ask_kind kind;
    const char *key, *message;
    tc_str detail; /* form: its schema; url: the page; sample: the params */
} tc_question;

typedef struct {
    const char *key;
    tc_answer answer;
} tc_kept_answer;

struct tc_call {
    tc_arena_block *arena;
    yyjson_alc alc;
    yyjson_mut_doc *doc;

    /* What came. */
    tc_call_kind kind;
    tc_str name;
    yyjson_val *args;
    const tc_field *fields; /* of the tool, for fallbacks */
    const char *uri, *mime_type;
    tc_kept_answer *answers;
    size_t answer_count;
    tc_str state;
    tc_str typed;
    void *data;

    /* What is answered. */
    tc_block *blocks;
    size_t block_count;
    tc_contents *contents;
    size_t contents_count;
    tc_str *values;
    size_t value_count, value_total;
    tc_question *questions;
    size_t question_count;
    tc_str structured; /* none if its ptr is NULL */
    const char *meta, *description;
    bool is_error;
    tc_error_kind error;
    tc_str error_text;
    tc_str state_out;
    uint64_t ttl_ms;
    bool shared;

    const char *why;
};

/* A call without anything in it; everything it hands out is freed with tc_call_end. */
void tc_call_begin(tc_call *c, tc_call_kind kind, tc_str name);
void tc_call_end(tc_call *c);
/* Grows an array of the call by one zeroed element, which is returned. */
void *tc_grow(tc_call *c, void *array, size_t *count, size_t size);
/* Remembers why a request to the host failed, and returns the status. */
tc_status tc_because(tc_call *c, tc_status status, tc_str why);
void tc_set_arg(tc_call *c, tc_str name, tc_str value);

/* Takes what is continued: the state as the SDK sealed it before, then the answers that came with it. */
void tc_resume(tc_call *c, tc_str state);
void tc_resume_answer(tc_call *c, tc_str key, tc_answer answer);
/* The state to go with the questions of this call. */
tc_str tc_sealed_state(tc_call *c);

/* The tables, including what was added at run time. */
size_t tc_tool_count(void);
const tc_tool *tc_tool_at(size_t i);
size_t tc_resource_count(void);
const tc_resource *tc_resource_at(size_t i);
size_t tc_prompt_count(void);
const tc_prompt *tc_prompt_at(size_t i);
bool tc_is_template(const tc_resource *resource);

/* Answers a call from the tables. */
void tc_run_tool(tc_call *c, tc_str arguments);
void tc_run_read(tc_call *c);
void tc_run_prompt(tc_call *c);
void tc_run_complete(tc_call *c, bool of_prompt, tc_str argument);

/* JSON Schema of fields; without any, of no arguments at all. */
tc_str tc_schema_of(tc_call *c, const tc_field *fields);
tc_str tc_tool_input(tc_call *c, const tc_tool *tool);
tc_str tc_tool_output(tc_call *c, const tc_tool *tool); /* ptr is NULL if there is none */
/* _meta of a tool, with `task` and `ui` in it; ptr is NULL if there is none. */
tc_str tc_tool_meta(tc_call *c, const tc_tool *tool);
yyjson_val *tc_fallback(tc_call *c, const char *name);

/* Whether a URI is one of the template's; its variables become arguments of the call (which may be NULL). */
bool tc_uri_match(tc_call *c, const char *pattern, tc_str uri);

#endif
