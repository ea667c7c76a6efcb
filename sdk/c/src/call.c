/* The call: its memory, its JSON, its arguments. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Memory comes from the C library in blocks, and goes back when the call ends. */
struct tc_arena_block {
    tc_arena_block *next;
    size_t used, size;
    /* the bytes follow */
};

enum { TC_BLOCK_SIZE = 16 * 1024, TC_ALIGN = 16 };

static size_t rounded(size_t size) { return (size + TC_ALIGN - 1) & ~(size_t)(TC_ALIGN - 1); }

void *tc_alloc(tc_call *c, size_t size) {
    const size_t head = rounded(sizeof(tc_arena_block));
    size = rounded(size ? size : 1);
    if (!c->arena || c->arena->size - c->arena->used < size) {
        size_t room = size > TC_BLOCK_SIZE ? size : TC_BLOCK_SIZE;
        tc_arena_block *block = malloc(head + room);
        if (!block) {
            fprintf(stderr, "out of memory: %zu more bytes are needed\n", size);
            abort();
        }
        block->used = 0;
        block->size = room;
        /* A block of its own for something large goes behind the one in use, whose rest can still be used. */
        if (c->arena && size > TC_BLOCK_SIZE) {
            block->next = c->arena->next;
            c->arena->next = block;
            block->used = size;
            return (char *)block + head;
        }
        block->next = c->arena;
        c->arena = block;
    }
    void *bytes = (char *)c->arena + head + c->arena->used;
    c->arena->used += size;
    return bytes;
}

static void *json_malloc(void *c, size_t size) { return tc_alloc(c, size); }
static void *json_realloc(void *c, void *old, size_t old_size, size_t size) {
    if (size <= rounded(old_size)) return old;
    void *bytes = tc_alloc(c, size);
    memcpy(bytes, old, old_size);
    return bytes;
}
static void json_free(void *c, void *bytes) {
    (void)c;
    (void)bytes;
}

void tc_call_begin(tc_call *c, tc_call_kind kind, tc_str name) {
    memset(c, 0, sizeof *c);
    c->kind = kind;
    c->alc = (yyjson_alc){ json_malloc, json_realloc, json_free, c };
    c->name = tc_copy(c, name);
    c->why = "";
}

void tc_call_end(tc_call *c) {
    for (tc_arena_block *block = c->arena, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    c->arena = NULL;
}

/* Doubles at powers of two, so that the size need not be kept. */
void *tc_grow(tc_call *c, void *array, size_t *count, size_t size) {
    if ((*count & (*count - 1)) == 0) {
        char *larger = tc_alloc(c, (*count ? *count * 2 : 1) * size);
        if (*count) memcpy(larger, array, *count * size);
        array = larger;
    }
    memset((char *)array + *count * size, 0, size);
    ++*count;
    return array;
}

tc_str tc_copy(tc_call *c, tc_str text) {
    char *bytes = tc_alloc(c, text.len + 1);
    if (text.len) memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = 0;
    return tc_bytes(bytes, text.len);
}

tc_str tc_vformat(tc_call *c, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) return tc_s("");
    char *text = tc_alloc(c, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, arguments);
    return tc_bytes(text, (size_t)len);
}

tc_str tc_format(tc_call *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tc_str text = tc_vformat(c, format, arguments);
    va_end(arguments);
    return text;
}

size_t tc_length(tc_str text) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

tc_status tc_because(tc_call *c, tc_status status, tc_str why) {
    c->why = tc_copy(c, why).ptr;
    return status;
}

const char *tc_why(const tc_call *c) { return c->why; }
tc_str tc_name(const tc_call *c) { return c->name; }
void *tc_data(const tc_call *c) { return c->data; }

yyjson_mut_doc *tc_doc(tc_call *c) {
    if (!c->doc) c->doc = yyjson_mut_doc_new(&c->alc);
    return c->doc;
}

yyjson_val *tc_json_read(tc_call *c, tc_str text) {
    yyjson_read_err error;
    yyjson_doc *doc = yyjson_read_opts((char *)text.ptr, text.len, YYJSON_READ_NOFLAG, &c->alc, &error);
    if (!doc) {
        tc_because(c, TC_INVALID, tc_format(c, "not JSON: %s at byte %zu", error.msg, error.pos));
        return NULL;
    }
    return yyjson_doc_get_root(doc);
}

tc_str tc_json_write(tc_call *c, yyjson_mut_val *value) {
    size_t len = 0;
    char *text = yyjson_mut_val_write_opts(value, YYJSON_WRITE_NOFLAG, &c->alc, &len, NULL);
    if (!text) {
        fprintf(stderr, "a value cannot be written as JSON: is a text in it no UTF-8, or a number infinite?\n");
        return tc_s("null");
    }
    return tc_bytes(text, len);
}

tc_str tc_json_text(tc_call *c, yyjson_val *value) {
    size_t len = 0;
    char *text = value ? yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &c->alc, &len, NULL) : NULL;
    return text ? tc_bytes(text, len) : tc_s("null");
}

yyjson_val *tc_args(const tc_call *c) { return c->args; }

bool tc_has_arg(const tc_call *c, const char *name) { return yyjson_obj_get(c->args, name) != NULL; }

yyjson_val *tc_arg(tc_call *c, const char *name) {
    yyjson_val *value = yyjson_obj_get(c->args, name);
    return value ? value : tc_fallback(c, name);
}

tc_str tc_arg_str(tc_call *c, const char *name) { return tc_json_str(tc_arg(c, name)); }
const char *tc_arg_cstr(tc_call *c, const char *name) { return tc_arg_str(c, name).ptr; }

/* The arguments of a prompt and the variables of a URI are texts. */
int64_t tc_arg_int(tc_call *c, const char *name) {
    yyjson_val *value = tc_arg(c, name);
    if (yyjson_is_str(value)) return strtoll(yyjson_get_str(value), NULL, 10);
    /* 3.0 is an integer to JSON Schema. */
    if (yyjson_is_real(value)) return (int64_t)yyjson_get_real(value);
    return yyjson_get_sint(value);
}

double tc_arg_num(tc_call *c, const char *name) {
    yyjson_val *value = tc_arg(c, name);
    return yyjson_is_str(value) ? strtod(yyjson_get_str(value), NULL) : yyjson_get_num(value);
}

bool tc_arg_bool(tc_call *c, const char *name) {
    yyjson_val *value = tc_arg(c, name);
    return yyjson_is_str(value) ? strcmp(yyjson_get_str(value), "true") == 0 : yyjson_get_bool(value);
}

tc_str tc_typed(const tc_call *c) { return c->typed; }
tc_str tc_settled(const tc_call *c, const char *argument) { return tc_json_str(yyjson_obj_get(c->args, argument)); }

/* `args` is an immutable document: texts are collected in a mutable one, which is read again. Few and short as they are, that
 * costs nothing that counts, and there is one kind of arguments. */
void tc_set_arg(tc_call *c, tc_str name, tc_str value) {
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *all = c->args ? yyjson_val_mut_copy(doc, c->args) : yyjson_mut_obj(doc);
    yyjson_mut_obj_put(all, yyjson_mut_strncpy(doc, name.ptr, name.len), yyjson_mut_strncpy(doc, value.ptr, value.len));
    c->args = tc_json_read(c, tc_json_write(c, all));
}
