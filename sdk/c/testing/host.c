/* A host for unit tests. One plugin, one call at a time. */
#include "../toolcell_test.h"
#include "../src/internal.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    char *name, *text;
    int number;
} entry;

typedef struct {
    entry *rows;
    size_t count;
} entries;

static entries store, web, answers;
static char *heard;
static int conflicts, checks, failures;

static char *copy(tc_str text) {
    char *bytes = malloc(text.len + 1);
    if (!bytes) abort();
    if (text.len) memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = 0;
    return bytes;
}

/* What tests were given, until the end. */
static struct given {
    struct given *next;
    char *text;
} *all_given;

static char *give(tc_str text) {
    struct given *one = malloc(sizeof *one);
    if (!one) abort();
    one->text = copy(text);
    one->next = all_given;
    all_given = one;
    return one->text;
}

static entry *find(entries *in, const char *name) {
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->rows[i].name, name) == 0) return &in->rows[i];
    }
    return NULL;
}

static void put(entries *in, const char *name, tc_str text, int number) {
    entry *row = find(in, name);
    if (!row) {
        in->rows = realloc(in->rows, (in->count + 1) * sizeof *in->rows);
        if (!in->rows) abort();
        row = &in->rows[in->count++];
        *row = (entry){ .name = copy(tc_s(name)) };
    }
    free(row->text);
    row->text = copy(text);
    row->number = number;
}

static void drop(entries *in, const char *name) {
    entry *row = find(in, name);
    if (!row) return;
    free(row->name);
    free(row->text);
    *row = in->rows[--in->count];
}

static void empty(entries *in) {
    while (in->count) drop(in, in->rows[0].name);
    free(in->rows);
    *in = (entries){ 0 };
}

static void hear(tc_str line) {
    size_t len = heard ? strlen(heard) : 0;
    heard = realloc(heard, len + line.len + 2);
    if (!heard) abort();
    if (len) heard[len++] = '\n';
    memcpy(heard + len, line.ptr, line.len);
    heard[len + line.len] = 0;
}

void tct_reset(void) {
    empty(&store);
    empty(&web);
    empty(&answers);
    free(heard);
    heard = NULL;
    conflicts = 0;
}

void tct_accept(const char *key, const char *json) { put(&answers, key, tc_s(json), TC_ACCEPTED); }
void tct_decline(const char *key) { put(&answers, key, tc_s(""), TC_DECLINED); }
void tct_web(const char *url, int status, const char *body) { put(&web, url, tc_s(body), status); }
void tct_conflicts(int count) { conflicts = count; }
size_t tct_stored_count(void) { return store.count; }
const char *tct_heard(void) { return heard ? heard : ""; }

const char *tct_stored(const char *key) {
    entry *row = find(&store, key);
    return row ? row->text : NULL;
}

/* ---- What a call asks for --------------------------------------------------------------------------------------------- */

tc_context tc_context_now(tc_call *c) {
    (void)c;
    tc_str none = tc_s("");
    return (tc_context){ .remaining_ms = UINT64_MAX, .principal = none, .claims = none, .client_name = none,
                         .client_version = none, .traceparent = none, .tracestate = none, .baggage = none, .meta = tc_s("{}") };
}
bool tc_is_cancelled(tc_call *c) { return (void)c, false; }
bool tc_progress_wanted(tc_call *c) { return (void)c, true; }
void tc_progress(tc_call *c, double progress, double total, const char *message) {
    hear(tc_format(c, "progress %g/%g %s", progress, total, message ? message : ""));
}
bool tc_log_enabled(tc_call *c, tc_level level) { return (void)c, (void)level, true; }
void tc_log(tc_call *c, tc_level level, const char *logger, yyjson_mut_val *data) {
    (void)level;
    hear(tc_format(c, "log %s %s", logger ? logger : "", tc_json_write(c, data).ptr));
}
void tc_resource_updated(tc_call *c, const char *uri) { hear(tc_format(c, "updated %s", uri)); }
void tc_resources_changed(tc_call *c) { (void)c, hear(tc_s("resources changed")); }
void tc_prompts_changed(tc_call *c) { (void)c, hear(tc_s("prompts changed")); }
void tc_tools_changed(tc_call *c) { (void)c, hear(tc_s("tools changed")); }

tc_status tc_kv_get(tc_call *c, const char *key, tc_value *value) {
    entry *row = find(&store, key);
    *value = (tc_value){ .absent = !row, .bytes = row ? tc_copy(c, tc_s(row->text)) : tc_s("") };
    return TC_OK;
}
tc_status tc_kv_set(tc_call *c, const char *key, tc_str value) { return (void)c, put(&store, key, value, 0), TC_OK; }
tc_status tc_kv_delete(tc_call *c, const char *key) { return (void)c, drop(&store, key), TC_OK; }

tc_status tc_kv_swap(tc_call *c, const char *key, tc_value *expected, tc_value value) {
    tc_value there;
    tc_kv_get(c, key, &there);
    bool other = there.absent != expected->absent || (!there.absent && !tc_str_eq(there.bytes, expected->bytes));
    if (conflicts > 0) conflicts--, other = true;
    if (other) {
        *expected = there;
        return tc_because(c, TC_CONFLICT, tc_s("another value is there"));
    }
    if (value.absent) drop(&store, key);
    else put(&store, key, value.bytes, 0);
    return TC_OK;
}

static int in_order(const void *a, const void *b) { return strcmp(((const tc_str *)a)->ptr, ((const tc_str *)b)->ptr); }

tc_status tc_kv_keys(tc_call *c, const char *prefix, const tc_str **keys, size_t *count) {
    tc_str *all = tc_alloc(c, (store.count + 1) * sizeof *all);
    *count = 0;
    for (size_t i = 0; i < store.count; i++) {
        if (strncmp(store.rows[i].name, prefix, strlen(prefix)) == 0) all[(*count)++] = tc_copy(c, tc_s(store.rows[i].name));
    }
    qsort(all, *count, sizeof *all, in_order);
    *keys = all;
    return TC_OK;
}

tc_status tc_peer(tc_call *c, const char *tool, const char *arguments, tc_peer_result *result) {
    (void)arguments, (void)result;
    return tc_because(c, TC_REFUSED, tc_format(c, "the tool %s is not granted", tool));
}

tc_status tc_http(tc_call *c, const tc_http_request *request, tc_http_response *response) {
    entry *row = find(&web, request->url);
    memset(response, 0, sizeof *response);
    response->body = tc_s("");
    if (!row) return tc_because(c, TC_REFUSED, tc_format(c, "%s is not granted", request->url));
    if (row->number == 0) return tc_because(c, TC_REFUSED, tc_s(row->text));
    response->status = row->number;
    response->body = tc_copy(c, tc_s(row->text));
    return TC_OK;
}

/* ---- What a test does ------------------------------------------------------------------------------------------------- */

static tct_result result_of(tc_call *c, const char *asked, bool open) {
    tct_result r = { .is_error = c->is_error, .error = c->error, .asked = asked ? asked : "", .open = open };
    tc_str text = tc_s("");
    for (size_t i = 0; i < c->block_count; i++) {
        if (c->blocks[i].kind == TC_BLOCK_TEXT) text = tc_format(c, "%s%s%s", text.ptr, text.len ? "\n" : "", c->blocks[i].data.ptr);
    }
    for (size_t i = 0; i < c->contents_count; i++) text = tc_format(c, "%s%s%s", text.ptr, i ? "\n" : "", c->contents[i].data.ptr);
    for (size_t i = 0; i < c->value_count; i++) text = tc_format(c, "%s%s%s", text.ptr, i ? "\n" : "", c->values[i].ptr);
    r.text = give(c->error ? c->error_text : text);
    r.json = give(c->structured.ptr ? c->structured : tc_s(""));
    tc_call_end(c);
    return r;
}

tct_result tct_call(const char *tool, const char *arguments) {
    char *asked = NULL;
    tc_str sealed = { 0 };
    free(heard);
    heard = NULL;
    for (;;) {
        tc_call c;
        tc_call_begin(&c, TC_CALL_TOOL, tc_s(tool));
        if (sealed.ptr) {
            tc_resume(&c, sealed);
            for (size_t i = 0; i < answers.count; i++) {
                bool known = false;
                for (size_t n = 0; n < c.answer_count; n++) known = known || strcmp(c.answers[n].key, answers.rows[i].name) == 0;
                tc_answer answer = { .value = tc_json_read(&c, tc_s(answers.rows[i].text)) };
                answer.kind = answers.rows[i].number == TC_ACCEPTED ? TC_ACCEPTED : TC_DECLINED;
                if (!known) tc_resume_answer(&c, tc_s(answers.rows[i].name), answer);
            }
        }
        tc_run_tool(&c, tc_s(arguments));
        if (c.question_count == 0 || c.error) return result_of(&c, asked, false);
        bool open = false;
        for (size_t i = 0; i < c.question_count; i++) {
            asked = give(tc_s(c.questions[i].message));
            open = open || !find(&answers, c.questions[i].key);
        }
        if (open) return result_of(&c, asked, true);
        tc_str state = tc_sealed_state(&c);
        sealed = tc_bytes(give(state), state.len);
        tc_call_end(&c);
    }
}

tct_result tct_read(const char *uri) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_READ, tc_s(uri));
    tc_run_read(&c);
    return result_of(&c, NULL, c.question_count != 0);
}

static void set_args(tc_call *c, const char *json) {
    yyjson_obj_iter each = yyjson_obj_iter_with(tc_json_read(c, tc_s(json)));
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&each));) {
        tc_set_arg(c, tc_json_str(key), tc_json_str(yyjson_obj_iter_get_val(key)));
    }
}

tct_result tct_prompt(const char *name, const char *arguments) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_PROMPT, tc_s(name));
    set_args(&c, arguments);
    tc_run_prompt(&c);
    return result_of(&c, NULL, c.question_count != 0);
}

tct_result tct_complete(const char *prompt, const char *argument, const char *typed) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_COMPLETE, tc_s(prompt));
    c.typed = tc_copy(&c, tc_s(typed));
    tc_run_complete(&c, true, tc_s(argument));
    return result_of(&c, NULL, false);
}

static const char *schema(const char *name, tc_str (*of)(tc_call *, const tc_tool *)) {
    for (size_t i = 0; i < tc_tool_count(); i++) {
        if (strcmp(tc_tool_at(i)->name, name) != 0) continue;
        tc_call c;
        tc_call_begin(&c, TC_CALL_TOOL, tc_s(name));
        const char *text = give(of(&c, tc_tool_at(i)));
        tc_call_end(&c);
        return text;
    }
    return "";
}
const char *tct_input_schema(const char *tool) { return schema(tool, tc_tool_input); }
const char *tct_output_schema(const char *tool) { return schema(tool, tc_tool_output); }

static void check(bool passed) {
    checks++;
    failures += !passed;
}

void tct_check_is(const char *found, const char *expected, const char *file, int line) {
    bool passed = found && expected ? strcmp(found, expected) == 0 : found == expected;
    check(passed);
    if (!passed) {
        printf("%s:%d: found    %s\n%s:%d: expected %s\n", file, line, found ? found : "(none)", file, line,
               expected ? expected : "(none)");
    }
}

void tct_check_holds(const char *found, const char *part, const char *file, int line) {
    bool passed = found && strstr(found, part);
    check(passed);
    if (!passed) printf("%s:%d: `%s` is not in: %s\n", file, line, part, found ? found : "(none)");
}

void tct_check_true(bool condition, const char *text, const char *file, int line) {
    check(condition);
    if (!condition) printf("%s:%d: not so: %s\n", file, line, text);
}

int tct_end(void) {
    tct_reset();
    for (struct given *one = all_given, *next; one; one = next) {
        next = one->next;
        free(one->text);
        free(one);
    }
    all_given = NULL;
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
