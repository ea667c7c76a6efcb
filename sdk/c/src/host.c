/* What the host does for a call: context, progress, log, changes, key-value, peers. */
#include "internal.h"
#include "../bindings/guest.h"

/* Texts on the way out are only looked at. */
static guest_string_t lend(tc_str text) {
    guest_string_t s = { (uint8_t *)text.ptr, text.len };
    return s;
}

static tc_str take(tc_call *c, guest_string_t *text) {
    tc_str copy = tc_copy(c, tc_bytes(text->ptr, text->len));
    guest_string_free(text);
    return copy;
}

static tc_str take_some(tc_call *c, guest_option_string_t *text) { return text->is_some ? take(c, &text->val) : tc_s(""); }

tc_context tc_context_now(tc_call *c) {
    toolcell_plugin_context_call_context_t now;
    toolcell_plugin_context_current(&now);
    tc_context context = { .has_caller = now.caller.is_some, .abilities = now.abilities, .remaining_ms = now.remaining_ms };
    context.principal = context.claims = context.client_name = context.client_version = tc_s("");
    context.traceparent = context.tracestate = context.baggage = tc_s("");
    if (now.caller.is_some) {
        context.principal = take(c, &now.caller.val.principal);
        context.claims = take(c, &now.caller.val.claims);
    }
    if (now.client.is_some) {
        context.client_name = take(c, &now.client.val.name);
        context.client_version = take(c, &now.client.val.version);
    }
    if (now.trace.is_some) {
        context.traceparent = take(c, &now.trace.val.traceparent);
        context.tracestate = take_some(c, &now.trace.val.tracestate);
        context.baggage = take_some(c, &now.trace.val.baggage);
    }
    context.meta = take(c, &now.meta);
    return context;
}

bool tc_is_cancelled(tc_call *c) { return (void)c, toolcell_plugin_context_is_cancelled(); }
bool tc_progress_wanted(tc_call *c) { return (void)c, toolcell_plugin_progress_is_wanted(); }

void tc_progress(tc_call *c, double progress, double total, const char *message) {
    (void)c;
    guest_string_t text = lend(tc_s(message));
    toolcell_plugin_progress_report(progress, total > 0 ? &total : NULL, message ? &text : NULL);
}

bool tc_log_enabled(tc_call *c, tc_level level) { return (void)c, toolcell_plugin_log_is_enabled((uint8_t)level); }

void tc_log(tc_call *c, tc_level level, const char *logger, yyjson_mut_val *data) {
    guest_string_t name = lend(tc_s(logger)), json = lend(tc_json_write(c, data));
    toolcell_plugin_log_write((uint8_t)level, logger ? &name : NULL, &json);
}

void tc_resource_updated(tc_call *c, const char *uri) {
    (void)c;
    guest_string_t text = lend(tc_s(uri));
    toolcell_plugin_changes_resource_updated(&text);
}
void tc_resources_changed(tc_call *c) { (void)c, toolcell_plugin_changes_resources_changed(); }
void tc_prompts_changed(tc_call *c) { (void)c, toolcell_plugin_changes_prompts_changed(); }
void tc_tools_changed(tc_call *c) { (void)c, toolcell_plugin_changes_tools_changed(); }

/* ---- Key-value -------------------------------------------------------------------------------------------------------- */

static tc_status refused(tc_call *c, toolcell_plugin_key_value_store_error_t *error) {
    switch (error->tag) {
        case TOOLCELL_PLUGIN_KEY_VALUE_STORE_ERROR_DENIED: return tc_because(c, TC_REFUSED, take(c, &error->val.denied));
        case TOOLCELL_PLUGIN_KEY_VALUE_STORE_ERROR_LIMIT: return tc_because(c, TC_LIMIT, take(c, &error->val.limit));
        case TOOLCELL_PLUGIN_KEY_VALUE_STORE_ERROR_CONFLICT:
            return tc_because(c, TC_CONFLICT, tc_s("another value is there"));
        default: return tc_because(c, TC_BROKEN, take(c, &error->val.other));
    }
}

static tc_value take_value(tc_call *c, guest_option_list_u8_t *from) {
    tc_value value = { .absent = !from->is_some, .bytes = tc_s("") };
    if (from->is_some) {
        value.bytes = tc_copy(c, tc_bytes(from->val.ptr, from->val.len));
        guest_list_u8_free(&from->val);
    }
    return value;
}

tc_status tc_kv_get(tc_call *c, const char *key, tc_value *value) {
    guest_string_t name = lend(tc_s(key));
    guest_option_list_u8_t found;
    toolcell_plugin_key_value_store_error_t error;
    if (!toolcell_plugin_key_value_get(&name, &found, &error)) return refused(c, &error);
    *value = take_value(c, &found);
    return TC_OK;
}

tc_status tc_kv_set(tc_call *c, const char *key, tc_str value) {
    guest_string_t name = lend(tc_s(key));
    guest_list_u8_t bytes = { (uint8_t *)value.ptr, value.len };
    toolcell_plugin_key_value_store_error_t error;
    return toolcell_plugin_key_value_set(&name, &bytes, &error) ? TC_OK : refused(c, &error);
}

tc_status tc_kv_delete(tc_call *c, const char *key) {
    guest_string_t name = lend(tc_s(key));
    toolcell_plugin_key_value_store_error_t error;
    return toolcell_plugin_key_value_delete(&name, &error) ? TC_OK : refused(c, &error);
}

tc_status tc_kv_swap(tc_call *c, const char *key, tc_value *expected, tc_value value) {
    guest_string_t name = lend(tc_s(key));
    guest_list_u8_t from = { (uint8_t *)expected->bytes.ptr, expected->bytes.len };
    guest_list_u8_t to = { (uint8_t *)value.bytes.ptr, value.bytes.len };
    toolcell_plugin_key_value_store_error_t error;
    if (toolcell_plugin_key_value_compare_and_set(&name, expected->absent ? NULL : &from, value.absent ? NULL : &to, &error)) {
        return TC_OK;
    }
    if (error.tag == TOOLCELL_PLUGIN_KEY_VALUE_STORE_ERROR_CONFLICT) *expected = take_value(c, &error.val.conflict);
    return refused(c, &error);
}

tc_status tc_kv_keys(tc_call *c, const char *prefix, const tc_str **keys, size_t *count) {
    guest_string_t begin = lend(tc_s(prefix)), cursor = { 0 };
    bool more = false;
    tc_str *all = NULL;
    *count = 0;
    do {
        toolcell_plugin_key_value_key_page_t page;
        toolcell_plugin_key_value_store_error_t error;
        if (!toolcell_plugin_key_value_list_keys(&begin, more ? &cursor : NULL, &page, &error)) return refused(c, &error);
        for (size_t i = 0; i < page.keys.len; i++) {
            all = tc_grow(c, all, count, sizeof *all);
            all[*count - 1] = tc_copy(c, tc_bytes(page.keys.ptr[i].ptr, page.keys.ptr[i].len));
        }
        more = page.next.is_some;
        if (more) cursor = lend(tc_copy(c, tc_bytes(page.next.val.ptr, page.next.val.len)));
        toolcell_plugin_key_value_key_page_free(&page);
    } while (more);
    *keys = all;
    return TC_OK;
}

/* ---- Peers ------------------------------------------------------------------------------------------------------------ */

tc_status tc_peer(tc_call *c, const char *tool, const char *arguments, tc_peer_result *result) {
    static const tc_status STATUS[] = { TC_REFUSED, TC_MISSING, TC_INVALID, TC_LIMIT, TC_BROKEN };
    guest_string_t name = lend(tc_s(tool)), json = lend(tc_s(arguments));
    toolcell_plugin_types_tool_result_t answer;
    toolcell_plugin_peers_peer_error_t error;
    if (!toolcell_plugin_peers_call(&name, &json, &answer, &error)) {
        return tc_because(c, error.tag < 5 ? STATUS[error.tag] : TC_BROKEN, take(c, &error.val.other));
    }
    memset(result, 0, sizeof *result);
    result->is_error = answer.is_error;
    size_t len = 0;
    for (size_t i = 0; i < answer.content.len; i++) {
        if (answer.content.ptr[i].tag == TOOLCELL_PLUGIN_TYPES_CONTENT_TEXT) len += answer.content.ptr[i].val.text.text.len;
    }
    char *text = tc_alloc(c, len + 1);
    result->text = tc_bytes(text, len);
    for (size_t i = 0; i < answer.content.len; i++) {
        if (answer.content.ptr[i].tag != TOOLCELL_PLUGIN_TYPES_CONTENT_TEXT) continue;
        guest_string_t part = answer.content.ptr[i].val.text.text;
        if (part.len) memcpy(text, part.ptr, part.len);
        text += part.len;
    }
    *text = 0;
    if (answer.structured.is_some) {
        result->structured = tc_json_read(c, tc_bytes(answer.structured.val.ptr, answer.structured.val.len));
    }
    toolcell_plugin_types_tool_result_free(&answer);
    return TC_OK;
}
