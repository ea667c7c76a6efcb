/* What a handler answers: results, errors, contents, messages, suggestions, questions. */
#include "internal.h"

#include <ctype.h>

void tc_add(tc_call *c, const tc_block *block) {
    c->blocks = tc_grow(c, c->blocks, &c->block_count, sizeof *block);
    c->blocks[c->block_count - 1] = *block;
}

void tc_text(tc_call *c, tc_str text) { tc_add(c, &(tc_block){ .kind = TC_BLOCK_TEXT, .data = tc_copy(c, text) }); }

void tc_textf(tc_call *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_TEXT, .data = tc_vformat(c, format, arguments) });
    va_end(arguments);
}

void tc_image(tc_call *c, tc_str data, const char *mime_type) {
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_IMAGE, .data = tc_copy(c, data), .mime_type = mime_type });
}

void tc_audio(tc_call *c, tc_str data, const char *mime_type) {
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_AUDIO, .data = tc_copy(c, data), .mime_type = mime_type });
}

void tc_link(tc_call *c, const char *uri, const char *name) {
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_LINK, .uri = tc_copy(c, tc_s(uri)).ptr, .name = tc_copy(c, tc_s(name)).ptr });
}

void tc_embed_text(tc_call *c, const char *uri, const char *mime_type, tc_str text) {
    const char *copy = tc_copy(c, tc_s(uri)).ptr;
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_EMBEDDED_TEXT, .data = tc_copy(c, text), .uri = copy, .mime_type = mime_type });
}

void tc_embed_blob(tc_call *c, const char *uri, const char *mime_type, tc_str data) {
    const char *copy = tc_copy(c, tc_s(uri)).ptr;
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_EMBEDDED_BLOB, .data = tc_copy(c, data), .uri = copy, .mime_type = mime_type });
}

void tc_message(tc_call *c, tc_role role, tc_str text) {
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_TEXT, .data = tc_copy(c, text), .role = role });
}

void tc_prompt_description(tc_call *c, const char *text) { c->description = tc_copy(c, tc_s(text)).ptr; }

void tc_structured(tc_call *c, yyjson_mut_val *value) { c->structured = tc_json_write(c, value); }
void tc_structured_json(tc_call *c, tc_str json) { c->structured = tc_copy(c, json); }
void tc_meta(tc_call *c, const char *json) { c->meta = tc_copy(c, tc_s(json)).ptr; }

void tc_fail(tc_call *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tc_str text = tc_vformat(c, format, arguments);
    va_end(arguments);
    if (c->kind != TC_CALL_TOOL) {
        c->error = TC_OTHER;
        c->error_text = text;
        return;
    }
    c->block_count = 0;
    c->structured = (tc_str){ 0 };
    c->is_error = true;
    tc_add(c, &(tc_block){ .kind = TC_BLOCK_TEXT, .data = text });
}

void tc_mark_error(tc_call *c) { c->is_error = true; }

void tc_error(tc_call *c, tc_error_kind kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    c->error = kind;
    c->error_text = tc_vformat(c, format, arguments);
    va_end(arguments);
}

void tc_contents_of(tc_call *c, const char *uri, const char *mime_type, bool is_text, tc_str data) {
    c->contents = tc_grow(c, c->contents, &c->contents_count, sizeof *c->contents);
    c->contents[c->contents_count - 1] = (tc_contents){ tc_copy(c, tc_s(uri)).ptr, mime_type, is_text, tc_copy(c, data) };
}

void tc_contents_text(tc_call *c, tc_str text) { tc_contents_of(c, c->name.ptr, c->mime_type, true, text); }
void tc_contents_blob(tc_call *c, tc_str data) { tc_contents_of(c, c->name.ptr, c->mime_type, false, data); }

void tc_suggest(tc_call *c, tc_str value) {
    if (value.len < c->typed.len) return;
    for (size_t i = 0; i < c->typed.len; i++) {
        if (tolower((unsigned char)value.ptr[i]) != tolower((unsigned char)c->typed.ptr[i])) return;
    }
    if (c->value_total++ >= 100) return;
    c->values = tc_grow(c, c->values, &c->value_count, sizeof *c->values);
    c->values[c->value_count - 1] = tc_copy(c, value);
}

/* The answer of this key; if there is none yet, it is asked. */
static const tc_answer *ask(tc_call *c, tc_ask_kind kind, const char *key, const char *message, tc_str detail) {
    for (size_t i = 0; i < c->answer_count; i++) {
        if (strcmp(c->answers[i].key, key) == 0) return &c->answers[i].answer;
    }
    c->questions = tc_grow(c, c->questions, &c->question_count, sizeof *c->questions);
    c->questions[c->question_count - 1] =
        (tc_question){ kind, tc_copy(c, tc_s(key)).ptr, tc_copy(c, tc_s(message)).ptr, tc_copy(c, detail) };
    return NULL;
}

const tc_answer *tc_ask_form(tc_call *c, const char *key, const char *message, const tc_field *fields) {
    return ask(c, TC_ASK_FORM, key, message, tc_schema_of(c, fields));
}

const tc_answer *tc_ask_url(tc_call *c, const char *key, const char *message, const char *url) {
    return ask(c, TC_ASK_URL, key, message, tc_s(url));
}

const tc_answer *tc_ask_sample(tc_call *c, const char *key, const char *params) {
    return ask(c, TC_ASK_SAMPLE, key, NULL, tc_s(params));
}

const tc_answer *tc_ask_roots(tc_call *c, const char *key) { return ask(c, TC_ASK_ROOTS, key, NULL, tc_s("")); }

void tc_keep(tc_call *c, tc_str state) { c->state_out = c->state = tc_copy(c, state); }
tc_str tc_kept(const tc_call *c) { return c->state; }

/* The client brings only the answers to the last questions, so earlier ones travel in the state: a JSON object, a NUL, which
 * no JSON holds, and what the handler keeps. */
tc_str tc_sealed_state(tc_call *c) {
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *all = yyjson_mut_obj(doc);
    for (size_t i = 0; i < c->answer_count; i++) {
        const tc_answer *answer = &c->answers[i].answer;
        yyjson_mut_val *one = yyjson_mut_obj_add_obj(doc, all, c->answers[i].key);
        yyjson_mut_obj_add_int(doc, one, "kind", answer->kind);
        if (answer->value) yyjson_mut_obj_add_val(doc, one, "value", yyjson_val_mut_copy(doc, answer->value));
        if (answer->why.len) yyjson_mut_obj_add_strncpy(doc, one, "why", answer->why.ptr, answer->why.len);
    }
    tc_str answers = tc_json_write(c, all);
    char *sealed = tc_alloc(c, answers.len + 1 + c->state.len);
    memcpy(sealed, answers.ptr, answers.len);
    sealed[answers.len] = 0;
    if (c->state.len) memcpy(sealed + answers.len + 1, c->state.ptr, c->state.len);
    return tc_bytes(sealed, answers.len + 1 + c->state.len);
}

void tc_resume_answer(tc_call *c, tc_str key, tc_answer answer) {
    c->answers = tc_grow(c, c->answers, &c->answer_count, sizeof *c->answers);
    c->answers[c->answer_count - 1] = (tc_kept_answer){ tc_copy(c, key).ptr, answer };
}

void tc_resume(tc_call *c, tc_str state) {
    const char *end = state.len ? memchr(state.ptr, 0, state.len) : NULL;
    if (!end) return;
    tc_str json = tc_bytes(state.ptr, (size_t)(end - state.ptr));
    c->state = tc_copy(c, tc_bytes(end + 1, state.len - json.len - 1));
    yyjson_obj_iter each = yyjson_obj_iter_with(tc_json_read(c, json));
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&each));) {
        yyjson_val *one = yyjson_obj_iter_get_val(key);
        tc_answer answer = { .value = yyjson_obj_get(one, "value"), .why = tc_json_str(yyjson_obj_get(one, "why")) };
        switch (yyjson_get_int(yyjson_obj_get(one, "kind"))) {
            case TC_ACCEPTED: answer.kind = TC_ACCEPTED; break;
            case TC_DECLINED: answer.kind = TC_DECLINED; break;
            case TC_DISMISSED: answer.kind = TC_DISMISSED; break;
            default: answer.kind = TC_FAILED;
        }
        tc_resume_answer(c, tc_json_str(key), answer);
    }
}
