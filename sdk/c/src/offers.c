/* The plugin's tables, and who in them answers a call. */
#include "internal.h"

#include <stdlib.h>

/* A plugin defines its own in place of these. */
__attribute__((weak)) const tc_tools tc_plugin_tools = { NULL, 0 };
__attribute__((weak)) const tc_resources tc_plugin_resources = { NULL, 0 };
__attribute__((weak)) const tc_prompts tc_plugin_prompts = { NULL, 0 };
__attribute__((weak)) const tc_completions tc_plugin_completions = { NULL, 0 };
__attribute__((weak)) void tc_plugin_setup(void) {}

typedef struct {
    const void **rows;
    size_t count;
} added;

static added tools, resources, prompts, completions;

static void add(added *list, const void *row) {
    const void **rows = realloc(list->rows, (list->count + 1) * sizeof *rows);
    if (!rows) abort();
    list->rows = rows;
    list->rows[list->count++] = row;
}

void tc_add_tool(const tc_tool *tool) { add(&tools, tool); }
void tc_add_resource(const tc_resource *resource) { add(&resources, resource); }
void tc_add_prompt(const tc_prompt *prompt) { add(&prompts, prompt); }
void tc_add_completion(const tc_completion *completion) { add(&completions, completion); }

static void setup(void) {
    static bool done;
    if (done) return;
    done = true;
    tc_plugin_setup();
}

size_t tc_tool_count(void) { return setup(), tc_plugin_tools.count + tools.count; }
const tc_tool *tc_tool_at(size_t i) {
    return i < tc_plugin_tools.count ? &tc_plugin_tools.rows[i] : tools.rows[i - tc_plugin_tools.count];
}
size_t tc_resource_count(void) { return setup(), tc_plugin_resources.count + resources.count; }
const tc_resource *tc_resource_at(size_t i) {
    return i < tc_plugin_resources.count ? &tc_plugin_resources.rows[i] : resources.rows[i - tc_plugin_resources.count];
}
size_t tc_prompt_count(void) { return setup(), tc_plugin_prompts.count + prompts.count; }
const tc_prompt *tc_prompt_at(size_t i) {
    return i < tc_plugin_prompts.count ? &tc_plugin_prompts.rows[i] : prompts.rows[i - tc_plugin_prompts.count];
}
static const tc_completion *completion_at(size_t i) {
    return i < tc_plugin_completions.count ? &tc_plugin_completions.rows[i]
                                           : completions.rows[i - tc_plugin_completions.count];
}

bool tc_is_template(const tc_resource *resource) { return strchr(resource->uri, '{') != NULL; }

static bool is(tc_str text, const char *other) { return other && tc_str_eq(text, tc_s(other)); }

void tc_run_tool(tc_call *c, tc_str arguments) {
    for (size_t i = 0; i < tc_tool_count(); i++) {
        const tc_tool *tool = tc_tool_at(i);
        if (!is(c->name, tool->name)) continue;
        c->args = tc_json_read(c, arguments);
        if (!yyjson_is_obj(c->args)) {
            tc_error(c, TC_INVALID_ARGUMENTS, "arguments of `%s`: not a JSON object", tool->name);
            return;
        }
        c->fields = tool->args;
        c->data = tool->data;
        tool->run(c);
        if (c->structured.ptr && c->block_count == 0) tc_text(c, c->structured);
        return;
    }
    tc_error(c, TC_NOT_FOUND, "this plugin has no tool `%s`", c->name.ptr);
}

static void read_from(tc_call *c, const tc_resource *resource) {
    c->data = resource->data;
    c->mime_type = resource->mime_type;
    c->ttl_ms = resource->ttl_ms;
    c->shared = resource->shared;
    resource->read(c);
    if (c->contents_count == 0 && c->question_count == 0 && c->error == TC_NO_ERROR) {
        tc_error(c, TC_NOT_FOUND, "there is no resource `%s`", c->name.ptr);
    }
}

void tc_run_read(tc_call *c) {
    /* A resource of just this URI goes before a template. */
    for (int templates = 0; templates < 2; templates++) {
        for (size_t i = 0; i < tc_resource_count(); i++) {
            const tc_resource *resource = tc_resource_at(i);
            if (tc_is_template(resource) != (templates == 1)) continue;
            bool fits = templates ? tc_uri_match(c, resource->uri, c->name) : is(c->name, resource->uri);
            if (fits) {
                read_from(c, resource);
                return;
            }
        }
    }
    tc_error(c, TC_NOT_FOUND, "there is no resource `%s`", c->name.ptr);
}

void tc_run_prompt(tc_call *c) {
    for (size_t i = 0; i < tc_prompt_count(); i++) {
        const tc_prompt *prompt = tc_prompt_at(i);
        if (!is(c->name, prompt->name)) continue;
        for (const tc_prompt_arg *arg = prompt->args; arg && arg->name; arg++) {
            if (arg->required && !tc_has_arg(c, arg->name)) {
                tc_error(c, TC_INVALID_ARGUMENTS, "arguments of `%s`: `%s` is missing", prompt->name, arg->name);
                return;
            }
        }
        c->data = prompt->data;
        prompt->get(c);
        return;
    }
    tc_error(c, TC_NOT_FOUND, "this plugin has no prompt `%s`", c->name.ptr);
}

void tc_run_complete(tc_call *c, bool of_prompt, tc_str argument) {
    for (size_t i = 0; setup(), i < tc_plugin_completions.count + completions.count; i++) {
        const tc_completion *completion = completion_at(i);
        if (!is(argument, completion->argument)) continue;
        bool fits = of_prompt ? is(c->name, completion->prompt)
                              : is(c->name, completion->resource) ||
                                    (completion->resource && tc_uri_match(NULL, completion->resource, c->name));
        if (!fits) continue;
        c->data = completion->data;
        for (const char *const *value = completion->values; value && *value; value++) tc_suggest(c, tc_s(*value));
        if (completion->suggest) completion->suggest(c);
        return;
    }
}
