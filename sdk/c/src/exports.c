/* The exports of the component: what the host asks, answered from the tables. */
#include "internal.h"
#include "../bindings/guest.h"

#include <stdio.h>
#include <stdlib.h>

/* The bindings ask for an object that holds the component's type; `toolcell build` puts the type into the component instead. */
void __component_type_object_force_link_guest(void);
void __component_type_object_force_link_guest(void) {}

/* What is returned is freed piece by piece when the host has read it, so each piece is the C library's. */
static void *pieces(size_t count, size_t size) {
    if (count == 0) return NULL;
    void *bytes = calloc(count, size);
    if (!bytes) abort();
    return bytes;
}

static void give(guest_string_t *to, tc_str text) {
    to->len = text.len;
    to->ptr = pieces(text.len, 1);
    if (text.len) memcpy(to->ptr, text.ptr, text.len);
}

#define GIVE_BYTES(to, bytes)                          \
    do {                                               \
        guest_string_t copy_;                          \
        give(&copy_, bytes);                           \
        (to)->ptr = copy_.ptr, (to)->len = copy_.len;  \
    } while (0)
/* An option<string> or option<json>; NULL is none. */
#define GIVE_SOME(to, text) ((to)->is_some = (text) != NULL, (text) ? give(&(to)->val, tc_s(text)) : (void)0)
#define NEW_LIST(list, count_) ((list).len = (count_), (list).ptr = pieces((count_), sizeof *(list).ptr))

static tc_str took(guest_string_t text) { return tc_bytes(text.ptr, text.len); }

static void give_icons(toolcell_plugin_types_icon_t **ptr, size_t *len, const tc_icon *icons) {
    size_t count = 0;
    while (icons && icons[count].src) count++;
    *len = count;
    *ptr = pieces(count, sizeof **ptr);
    for (size_t i = 0; i < count; i++) {
        toolcell_plugin_types_icon_t *icon = &(*ptr)[i];
        give(&icon->src, tc_s(icons[i].src));
        GIVE_SOME(&icon->mime_type, icons[i].mime_type);
        size_t sizes = 0;
        while (icons[i].sizes && icons[i].sizes[sizes]) sizes++;
        NEW_LIST(icon->sizes, sizes);
        for (size_t n = 0; n < sizes; n++) give(&icon->sizes.ptr[n], tc_s(icons[i].sizes[n]));
        icon->theme.is_some = icons[i].theme != TC_THEME_ANY;
        icon->theme.val = icons[i].theme == TC_THEME_DARK ? TOOLCELL_PLUGIN_TYPES_ICON_THEME_DARK
                                                          : TOOLCELL_PLUGIN_TYPES_ICON_THEME_LIGHT;
    }
}

static void give_error(toolcell_plugin_types_call_error_t *to, const tc_call *c) {
    /* The kinds of the contract, in its order, after TC_NO_ERROR. */
    to->tag = (uint8_t)(c->error - 1);
    if (c->error != TC_CANCELLED) give(&to->val.other, c->error_text);
}

/* ---- Questions ------------------------------------------------------------------------------------------------------ */

static void take_answer(tc_call *c, const toolcell_plugin_types_input_response_t *response) {
    const toolcell_plugin_types_input_answer_t *from = &response->answer;
    tc_answer answer = { .kind = TC_ACCEPTED };
    switch (from->tag) {
        case TOOLCELL_PLUGIN_TYPES_INPUT_ANSWER_FORM:
            if (from->val.form.tag == TOOLCELL_PLUGIN_TYPES_FORM_ANSWER_DECLINE) answer.kind = TC_DECLINED;
            if (from->val.form.tag == TOOLCELL_PLUGIN_TYPES_FORM_ANSWER_CANCEL) answer.kind = TC_DISMISSED;
            if (answer.kind == TC_ACCEPTED && from->val.form.val.accept.is_some) {
                answer.value = tc_json_read(c, took(from->val.form.val.accept.val));
            }
            break;
        case TOOLCELL_PLUGIN_TYPES_INPUT_ANSWER_SAMPLE: answer.value = tc_json_read(c, took(from->val.sample)); break;
        case TOOLCELL_PLUGIN_TYPES_INPUT_ANSWER_ROOTS: {
            yyjson_mut_doc *doc = tc_doc(c);
            yyjson_mut_val *roots = yyjson_mut_arr(doc);
            for (size_t i = 0; i < from->val.roots.len; i++) {
                const toolcell_plugin_types_root_t *root = &from->val.roots.ptr[i];
                yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, roots);
                yyjson_mut_obj_add_strncpy(doc, one, "uri", (const char *)root->uri.ptr, root->uri.len);
                if (root->name.is_some) {
                    yyjson_mut_obj_add_strncpy(doc, one, "name", (const char *)root->name.val.ptr, root->name.val.len);
                }
            }
            answer.value = tc_json_read(c, tc_json_write(c, roots));
            break;
        }
        default:
            answer.kind = TC_FAILED;
            answer.why = tc_copy(c, took(from->val.failed));
    }
    tc_resume_answer(c, took(response->key), answer);
}

static void take_continuation(tc_call *c, bool is_some, const toolcell_plugin_types_continuation_t *from) {
    if (!is_some) return;
    if (from->state.is_some) tc_resume(c, tc_bytes(from->state.val.ptr, from->state.val.len));
    for (size_t i = 0; i < from->responses.len; i++) take_answer(c, &from->responses.ptr[i]);
}

static void give_questions(toolcell_plugin_types_input_required_t *to, tc_call *c) {
    NEW_LIST(to->requests, c->question_count);
    for (size_t i = 0; i < c->question_count; i++) {
        const tc_question *question = &c->questions[i];
        toolcell_plugin_types_input_request_t *request = &to->requests.ptr[i];
        give(&request->key, tc_s(question->key));
        request->kind.tag = (uint8_t)question->kind; /* in the order of the contract */
        switch (question->kind) {
            case TC_ASK_FORM:
                give(&request->kind.val.form.message, tc_s(question->message));
                give(&request->kind.val.form.schema, question->detail);
                break;
            case TC_ASK_URL:
                give(&request->kind.val.url.message, tc_s(question->message));
                give(&request->kind.val.url.url, question->detail);
                break;
            case TC_ASK_SAMPLE: give(&request->kind.val.sample, question->detail); break;
            case TC_ASK_ROOTS: break;
        }
    }
    to->state.is_some = true;
    GIVE_BYTES(&to->state.val, tc_sealed_state(c));
}

/* ---- Content ---------------------------------------------------------------------------------------------------------- */

static void give_annotations(toolcell_plugin_types_option_annotations_t *to, const tc_block *block) {
    to->is_some = block->for_user || block->for_assistant || block->priority != 0 || block->last_modified;
    if (!to->is_some) return;
    NEW_LIST(to->val.audience, (size_t)block->for_user + block->for_assistant);
    size_t i = 0;
    if (block->for_user) to->val.audience.ptr[i++] = TOOLCELL_PLUGIN_TYPES_ROLE_USER;
    if (block->for_assistant) to->val.audience.ptr[i] = TOOLCELL_PLUGIN_TYPES_ROLE_ASSISTANT;
    to->val.priority.is_some = block->priority != 0;
    to->val.priority.val = block->priority;
    GIVE_SOME(&to->val.last_modified, block->last_modified);
}

static void give_info(toolcell_plugin_types_resource_info_t *to, const tc_resource *from) {
    give(&to->uri, tc_s(from->uri));
    give(&to->name, tc_s(from->name ? from->name : from->uri));
    GIVE_SOME(&to->title, from->title);
    GIVE_SOME(&to->description, from->description);
    GIVE_SOME(&to->mime_type, from->mime_type);
    to->size.is_some = from->size != 0;
    to->size.val = from->size;
    give_icons(&to->icons.ptr, &to->icons.len, from->icons);
    GIVE_SOME(&to->meta, from->meta);
}

static void give_content(toolcell_plugin_types_content_t *to, const tc_block *block) {
    switch (block->kind) {
        case TC_BLOCK_TEXT:
            to->tag = TOOLCELL_PLUGIN_TYPES_CONTENT_TEXT;
            give(&to->val.text.text, block->data);
            give_annotations(&to->val.text.annotations, block);
            GIVE_SOME(&to->val.text.meta, block->meta);
            break;
        case TC_BLOCK_IMAGE:
        case TC_BLOCK_AUDIO:
            to->tag = block->kind == TC_BLOCK_IMAGE ? TOOLCELL_PLUGIN_TYPES_CONTENT_IMAGE : TOOLCELL_PLUGIN_TYPES_CONTENT_AUDIO;
            GIVE_BYTES(&to->val.image.data, block->data);
            give(&to->val.image.mime_type, tc_s(block->mime_type));
            give_annotations(&to->val.image.annotations, block);
            GIVE_SOME(&to->val.image.meta, block->meta);
            break;
        case TC_BLOCK_LINK: {
            to->tag = TOOLCELL_PLUGIN_TYPES_CONTENT_RESOURCE_LINK;
            tc_resource plain = { .uri = block->uri, .name = block->name, .mime_type = block->mime_type, .meta = block->meta };
            give_info(&to->val.resource_link, block->link ? block->link : &plain);
            give_annotations(&to->val.resource_link.annotations, block);
            break;
        }
        case TC_BLOCK_EMBEDDED_TEXT:
        case TC_BLOCK_EMBEDDED_BLOB: {
            to->tag = TOOLCELL_PLUGIN_TYPES_CONTENT_RESOURCE;
            toolcell_plugin_types_embedded_resource_t *embedded = &to->val.resource;
            give(&embedded->contents.uri, tc_s(block->uri));
            GIVE_SOME(&embedded->contents.mime_type, block->mime_type);
            bool is_text = block->kind == TC_BLOCK_EMBEDDED_TEXT;
            embedded->contents.body.tag =
                is_text ? TOOLCELL_PLUGIN_TYPES_RESOURCE_BODY_TEXT : TOOLCELL_PLUGIN_TYPES_RESOURCE_BODY_BLOB;
            GIVE_BYTES(&embedded->contents.body.val.blob, block->data);
            give_annotations(&embedded->annotations, block);
            GIVE_SOME(&embedded->meta, block->meta);
            break;
        }
    }
}

/* ---- Tools ------------------------------------------------------------------------------------------------------------ */

static void give_hint(guest_option_bool_t *to, unsigned hints, unsigned yes, unsigned no) {
    to->is_some = (hints & (yes | no)) != 0;
    to->val = (hints & yes) != 0;
}

static void give_tool(tc_call *c, exports_toolcell_plugin_tools_tool_t *to, const tc_tool *tool) {
    give(&to->name, tc_s(tool->name));
    GIVE_SOME(&to->title, tool->title);
    GIVE_SOME(&to->description, tool->description);
    give(&to->input_schema, tc_tool_input(c, tool));
    tc_str output = tc_tool_output(c, tool);
    GIVE_SOME(&to->output_schema, output.ptr);
    to->annotations.is_some = tool->hints != 0;
    give_hint(&to->annotations.val.read_only, tool->hints, TC_READ_ONLY, TC_NOT_READ_ONLY);
    give_hint(&to->annotations.val.destructive, tool->hints, TC_DESTRUCTIVE, TC_NOT_DESTRUCTIVE);
    give_hint(&to->annotations.val.idempotent, tool->hints, TC_IDEMPOTENT, TC_NOT_IDEMPOTENT);
    give_hint(&to->annotations.val.open_world, tool->hints, TC_OPEN_WORLD, TC_CLOSED_WORLD);
    give_icons(&to->icons.ptr, &to->icons.len, tool->icons);
    tc_str meta = tc_tool_meta(c, tool);
    GIVE_SOME(&to->meta, meta.ptr);
}

bool exports_toolcell_plugin_tools_list_tools(exports_toolcell_plugin_tools_tool_list_t *ret,
                                              exports_toolcell_plugin_tools_call_error_t *err) {
    (void)err;
    tc_call c;
    tc_call_begin(&c, TC_CALL_TOOL, tc_s(""));
    memset(ret, 0, sizeof *ret);
    NEW_LIST(ret->tools, tc_tool_count());
    for (size_t i = 0; i < ret->tools.len; i++) give_tool(&c, &ret->tools.ptr[i], tc_tool_at(i));
    tc_call_end(&c);
    return true;
}

/* Ends a call: its outcome is given away already. */
static bool ended(tc_call *c, bool answered) {
    /* What was printed has to be out before the host takes the answer. */
    fflush(stdout);
    tc_call_end(c);
    return answered;
}

bool exports_toolcell_plugin_tools_call_tool(exports_toolcell_plugin_tools_tool_call_t *call,
                                             exports_toolcell_plugin_tools_tool_outcome_t *ret,
                                             exports_toolcell_plugin_tools_call_error_t *err) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_TOOL, took(call->name));
    take_continuation(&c, call->continuation.is_some, &call->continuation.val);
    tc_run_tool(&c, took(call->arguments));
    exports_toolcell_plugin_tools_tool_call_free(call);
    memset(ret, 0, sizeof *ret);
    if (c.error != TC_NO_ERROR) return give_error(err, &c), ended(&c, false);
    if (c.question_count) {
        ret->tag = EXPORTS_TOOLCELL_PLUGIN_TOOLS_TOOL_OUTCOME_INPUT_REQUIRED;
        return give_questions(&ret->val.input_required, &c), ended(&c, true);
    }
    ret->tag = EXPORTS_TOOLCELL_PLUGIN_TOOLS_TOOL_OUTCOME_COMPLETE;
    toolcell_plugin_types_tool_result_t *result = &ret->val.complete;
    NEW_LIST(result->content, c.block_count);
    for (size_t i = 0; i < c.block_count; i++) give_content(&result->content.ptr[i], &c.blocks[i]);
    GIVE_SOME(&result->structured, c.structured.ptr);
    result->is_error = c.is_error;
    GIVE_SOME(&result->meta, c.meta);
    return ended(&c, true);
}

/* ---- Resources -------------------------------------------------------------------------------------------------------- */

static size_t count_of(bool templates) {
    size_t count = 0;
    for (size_t i = 0; i < tc_resource_count(); i++) count += tc_is_template(tc_resource_at(i)) == templates;
    return count;
}

bool exports_toolcell_plugin_resources_list_resources(exports_toolcell_plugin_resources_resource_list_t *ret,
                                                      exports_toolcell_plugin_resources_call_error_t *err) {
    (void)err;
    memset(ret, 0, sizeof *ret);
    NEW_LIST(ret->resources, count_of(false));
    for (size_t i = 0, n = 0; i < tc_resource_count(); i++) {
        if (!tc_is_template(tc_resource_at(i))) give_info(&ret->resources.ptr[n++], tc_resource_at(i));
    }
    return true;
}

bool exports_toolcell_plugin_resources_list_templates(exports_toolcell_plugin_resources_template_list_t *ret,
                                                      exports_toolcell_plugin_resources_call_error_t *err) {
    (void)err;
    memset(ret, 0, sizeof *ret);
    NEW_LIST(ret->templates, count_of(true));
    for (size_t i = 0, n = 0; i < tc_resource_count(); i++) {
        const tc_resource *from = tc_resource_at(i);
        if (!tc_is_template(from)) continue;
        exports_toolcell_plugin_resources_resource_template_t *to = &ret->templates.ptr[n++];
        give(&to->uri_template, tc_s(from->uri));
        give(&to->name, tc_s(from->name ? from->name : from->uri));
        GIVE_SOME(&to->title, from->title);
        GIVE_SOME(&to->description, from->description);
        GIVE_SOME(&to->mime_type, from->mime_type);
        give_icons(&to->icons.ptr, &to->icons.len, from->icons);
        GIVE_SOME(&to->meta, from->meta);
    }
    return true;
}

bool exports_toolcell_plugin_resources_read_resource(exports_toolcell_plugin_resources_resource_read_t *read,
                                                     exports_toolcell_plugin_resources_read_outcome_t *ret,
                                                     exports_toolcell_plugin_resources_call_error_t *err) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_READ, took(read->uri));
    take_continuation(&c, read->continuation.is_some, &read->continuation.val);
    tc_run_read(&c);
    exports_toolcell_plugin_resources_resource_read_free(read);
    memset(ret, 0, sizeof *ret);
    if (c.error != TC_NO_ERROR) return give_error(err, &c), ended(&c, false);
    if (c.question_count) {
        ret->tag = EXPORTS_TOOLCELL_PLUGIN_RESOURCES_READ_OUTCOME_INPUT_REQUIRED;
        return give_questions(&ret->val.input_required, &c), ended(&c, true);
    }
    exports_toolcell_plugin_resources_read_result_t *result = &ret->val.complete;
    NEW_LIST(result->contents, c.contents_count);
    for (size_t i = 0; i < c.contents_count; i++) {
        toolcell_plugin_types_resource_contents_t *to = &result->contents.ptr[i];
        give(&to->uri, tc_s(c.contents[i].uri));
        GIVE_SOME(&to->mime_type, c.contents[i].mime_type);
        to->body.tag = c.contents[i].is_text ? TOOLCELL_PLUGIN_TYPES_RESOURCE_BODY_TEXT
                                             : TOOLCELL_PLUGIN_TYPES_RESOURCE_BODY_BLOB;
        GIVE_BYTES(&to->body.val.blob, c.contents[i].data);
    }
    result->cache.is_some = c.ttl_ms != 0;
    result->cache.val.ttl_ms = c.ttl_ms;
    result->cache.val.scope = c.shared ? TOOLCELL_PLUGIN_TYPES_CACHE_SCOPE_PUBLIC : TOOLCELL_PLUGIN_TYPES_CACHE_SCOPE_PRIVATE;
    GIVE_SOME(&result->meta, c.meta);
    return ended(&c, true);
}

/* ---- Prompts ---------------------------------------------------------------------------------------------------------- */

bool exports_toolcell_plugin_prompts_list_prompts(exports_toolcell_plugin_prompts_prompt_list_t *ret,
                                                  exports_toolcell_plugin_prompts_call_error_t *err) {
    (void)err;
    memset(ret, 0, sizeof *ret);
    NEW_LIST(ret->prompts, tc_prompt_count());
    for (size_t i = 0; i < ret->prompts.len; i++) {
        const tc_prompt *from = tc_prompt_at(i);
        exports_toolcell_plugin_prompts_prompt_t *to = &ret->prompts.ptr[i];
        give(&to->name, tc_s(from->name));
        GIVE_SOME(&to->title, from->title);
        GIVE_SOME(&to->description, from->description);
        size_t count = 0;
        while (from->args && from->args[count].name) count++;
        NEW_LIST(to->arguments, count);
        for (size_t n = 0; n < count; n++) {
            give(&to->arguments.ptr[n].name, tc_s(from->args[n].name));
            GIVE_SOME(&to->arguments.ptr[n].title, from->args[n].title);
            GIVE_SOME(&to->arguments.ptr[n].description, from->args[n].doc);
            to->arguments.ptr[n].required = from->args[n].required;
        }
        give_icons(&to->icons.ptr, &to->icons.len, from->icons);
        GIVE_SOME(&to->meta, from->meta);
    }
    return true;
}

bool exports_toolcell_plugin_prompts_get_prompt(exports_toolcell_plugin_prompts_prompt_get_t *get,
                                                exports_toolcell_plugin_prompts_prompt_outcome_t *ret,
                                                exports_toolcell_plugin_prompts_call_error_t *err) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_PROMPT, took(get->name));
    for (size_t i = 0; i < get->arguments.len; i++) {
        tc_set_arg(&c, took(get->arguments.ptr[i].f0), took(get->arguments.ptr[i].f1));
    }
    take_continuation(&c, get->continuation.is_some, &get->continuation.val);
    tc_run_prompt(&c);
    exports_toolcell_plugin_prompts_prompt_get_free(get);
    memset(ret, 0, sizeof *ret);
    if (c.error != TC_NO_ERROR) return give_error(err, &c), ended(&c, false);
    if (c.question_count) {
        ret->tag = EXPORTS_TOOLCELL_PLUGIN_PROMPTS_PROMPT_OUTCOME_INPUT_REQUIRED;
        return give_questions(&ret->val.input_required, &c), ended(&c, true);
    }
    exports_toolcell_plugin_prompts_prompt_result_t *result = &ret->val.complete;
    GIVE_SOME(&result->description, c.description);
    NEW_LIST(result->messages, c.block_count);
    for (size_t i = 0; i < c.block_count; i++) {
        result->messages.ptr[i].role = (uint8_t)c.blocks[i].role;
        give_content(&result->messages.ptr[i].content, &c.blocks[i]);
    }
    GIVE_SOME(&result->meta, c.meta);
    return ended(&c, true);
}

/* ---- Completions ------------------------------------------------------------------------------------------------------ */

bool exports_toolcell_plugin_completions_complete(exports_toolcell_plugin_completions_completion_request_t *request,
                                                  exports_toolcell_plugin_completions_completion_t *ret,
                                                  exports_toolcell_plugin_completions_call_error_t *err) {
    tc_call c;
    tc_call_begin(&c, TC_CALL_COMPLETE, took(request->target.val.prompt));
    c.typed = tc_copy(&c, took(request->value));
    for (size_t i = 0; i < request->context.len; i++) {
        tc_set_arg(&c, took(request->context.ptr[i].f0), took(request->context.ptr[i].f1));
    }
    tc_run_complete(&c, request->target.tag == EXPORTS_TOOLCELL_PLUGIN_COMPLETIONS_COMPLETION_TARGET_PROMPT,
                    took(request->argument));
    exports_toolcell_plugin_completions_completion_request_free(request);
    memset(ret, 0, sizeof *ret);
    if (c.error != TC_NO_ERROR) return give_error(err, &c), ended(&c, false);
    NEW_LIST(ret->values, c.value_count);
    for (size_t i = 0; i < c.value_count; i++) give(&ret->values.ptr[i], c.values[i]);
    ret->total.is_some = true;
    ret->total.val = (uint32_t)c.value_total;
    ret->has_more = c.value_total > c.value_count;
    return ended(&c, true);
}
