/* A to-do list: what it keeps outlives the call, it asks before it removes, and it reads lists from the web. */
#include <toolcell.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t id;
    tc_str title;
    bool done;
} item;

typedef struct {
    char text[16];
} item_key;

static item_key key_of(int64_t id) {
    item_key key;
    snprintf(key.text, sizeof key.text, "item/%010lld", (long long)id);
    return key;
}

/* What the host refused, as the tool's error. */
static bool failed(tc_call *c, tc_status status) {
    if (status != TC_OK) tc_fail(c, "%s", tc_why(c));
    return status != TC_OK;
}

static yyjson_mut_val *json_of(tc_call *c, item one) {
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, object, "id", one.id);
    yyjson_mut_obj_add_strn(doc, object, "title", one.title.ptr, one.title.len);
    yyjson_mut_obj_add_bool(doc, object, "done", one.done);
    return object;
}

static tc_status save(tc_call *c, item one) {
    return tc_kv_set(c, key_of(one.id).text, tc_json_write(c, json_of(c, one)));
}

/* The item of a key, as it is stored; false if it is not there. */
static bool parse(tc_call *c, tc_value value, item *one) {
    yyjson_val *object = value.absent ? NULL : tc_json_read(c, value.bytes);
    one->id = yyjson_get_sint(yyjson_obj_get(object, "id"));
    one->title = tc_json_str(yyjson_obj_get(object, "title"));
    one->done = yyjson_get_bool(yyjson_obj_get(object, "done"));
    return object != NULL;
}

/* Gives the item the next number: calls that run at the same time never share one. */
static tc_status add_item(tc_call *c, tc_str title, item *one) {
    tc_value next;
    tc_status status = tc_kv_get(c, "next", &next);
    if (status != TC_OK) return status;
    do {
        one->id = next.absent ? 1 : strtoll(next.bytes.ptr, NULL, 10);
        status = tc_kv_swap(c, "next", &next, (tc_value){ .bytes = tc_format(c, "%lld", (long long)one->id + 1) });
    } while (status == TC_CONFLICT);
    if (status != TC_OK) return status;
    one->title = title;
    one->done = false;
    return save(c, *one);
}

/* All items, oldest first. */
static tc_status all_items(tc_call *c, item **items, size_t *count) {
    const tc_str *keys;
    size_t key_count;
    tc_status status = tc_kv_keys(c, "item/", &keys, &key_count);
    if (status != TC_OK) return status;
    *items = tc_alloc(c, key_count * sizeof **items);
    *count = 0;
    for (size_t i = 0; i < key_count; i++) {
        tc_value value;
        status = tc_kv_get(c, keys[i].ptr, &value);
        if (status != TC_OK) return status;
        /* Another call may have removed it meanwhile. */
        if (parse(c, value, &(*items)[*count])) ++*count;
    }
    return TC_OK;
}

static void add(tc_call *c) {
    item one;
    if (failed(c, add_item(c, tc_arg_str(c, "title"), &one))) return;
    tc_textf(c, "Added %lld: %s", (long long)one.id, one.title.ptr);
    tc_structured(c, json_of(c, one));
}

static void list(tc_call *c) {
    item *items;
    size_t count;
    if (failed(c, all_items(c, &items, &count))) return;
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *result = yyjson_mut_obj(doc), *listed = yyjson_mut_obj_add_arr(doc, result, "items");
    const char *state = tc_arg_cstr(c, "state");
    tc_str lines = tc_s("");
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        done += items[i].done;
        if (strcmp(state, "all") != 0 && items[i].done != (strcmp(state, "done") == 0)) continue;
        yyjson_mut_arr_append(listed, json_of(c, items[i]));
        lines = tc_format(c, "%s%s[%c] %lld: %s", lines.ptr, lines.len ? "\n" : "", items[i].done ? 'x' : ' ',
                          (long long)items[i].id, items[i].title.ptr);
    }
    yyjson_mut_obj_add_uint(doc, result, "open", count - done);
    yyjson_mut_obj_add_uint(doc, result, "done", done);
    tc_text(c, lines.len ? lines : tc_s("Nothing to do."));
    tc_structured(c, result);
}

static void complete(tc_call *c) {
    int64_t id = tc_arg_int(c, "id");
    tc_value value;
    item one;
    if (failed(c, tc_kv_get(c, key_of(id).text, &value))) return;
    if (!parse(c, value, &one)) {
        tc_fail(c, "there is no item %lld; call list to see what there is", (long long)id);
        return;
    }
    one.done = true;
    if (failed(c, save(c, one))) return;
    tc_textf(c, "Done %lld: %s", (long long)one.id, one.title.ptr);
    tc_structured(c, json_of(c, one));
}

/* The result of one number, beside its text. */
static void number(tc_call *c, const char *name, size_t value) {
    yyjson_mut_val *result = yyjson_mut_obj(tc_doc(c));
    yyjson_mut_obj_add_uint(tc_doc(c), result, name, value);
    tc_structured(c, result);
}

static void clear(tc_call *c) {
    item *items;
    size_t count, done = 0;
    if (failed(c, all_items(c, &items, &count))) return;
    for (size_t i = 0; i < count; i++) {
        if (items[i].done) items[done++] = items[i];
    }
    if (done == 0) {
        tc_text(c, tc_s("Nothing to remove."));
        number(c, "removed", 0);
        return;
    }
    tc_str question = tc_format(c, "Remove %zu items that are done?", done);
    const tc_answer *answer = tc_ask_form(c, "confirm", question.ptr,
        TC_FIELDS({ .name = "remove", .title = "Remove them", .type = TC_BOOLEAN, .required = true }));
    if (!answer) return;
    if (answer->kind != TC_ACCEPTED || !yyjson_get_bool(yyjson_obj_get(answer->value, "remove"))) {
        tc_text(c, tc_s("Nothing was removed."));
        number(c, "removed", 0);
        return;
    }
    for (size_t i = 0; i < done; i++) {
        if (failed(c, tc_kv_delete(c, key_of(items[i].id).text))) return;
        tc_str message = tc_format(c, "Removed %lld: %s", (long long)items[i].id, items[i].title.ptr);
        tc_progress(c, (double)(i + 1), (double)done, message.ptr);
    }
    tc_textf(c, "Removed %zu items.", done);
    number(c, "removed", done);
}

/* Whether it is an array of texts of 1 to 200 characters. */
static bool is_list(yyjson_val *titles) {
    if (!yyjson_is_arr(titles)) return false;
    size_t i, max;
    yyjson_val *title;
    yyjson_arr_foreach(titles, i, max, title) {
        size_t length = tc_length(tc_json_str(title));
        if (!yyjson_is_str(title) || length < 1 || length > 200) return false;
    }
    return true;
}

static void import(tc_call *c) {
    const char *url = tc_arg_cstr(c, "url");
    tc_http_response response;
    if (failed(c, tc_http_get(c, url, &response))) return;
    if (response.status != 200) {
        tc_fail(c, "%s answered %d; check the URL, or try again later", url, response.status);
        return;
    }
    yyjson_val *titles = tc_json_read(c, response.body), *title;
    if (!is_list(titles)) {
        tc_fail(c, "%s is no JSON array of titles of 1 to 200 characters; give the URL of one, such as [\"Buy milk\"]", url);
        return;
    }
    size_t i, count;
    yyjson_arr_foreach(titles, i, count, title) {
        item one;
        if (failed(c, add_item(c, tc_json_str(title), &one))) return;
        tc_str message = tc_format(c, "Added %lld: %s", (long long)one.id, one.title.ptr);
        tc_progress(c, (double)(i + 1), (double)count, message.ptr);
    }
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *entry = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_uint(doc, entry, "imported", count);
    yyjson_mut_obj_add_str(doc, entry, "url", url);
    tc_log(c, TC_INFO, "todo", entry);
    tc_textf(c, "Added %zu items.", count);
    number(c, "added", count);
}

#define ITEM                                                                                                        \
    { .name = "id", .type = TC_INTEGER, .doc = "The item's number.", .required = true },                            \
    { .name = "title", .type = TC_STRING, .doc = "What is to be done.", .required = true },                         \
    { .name = "done", .type = TC_BOOLEAN, .doc = "Whether it is done.", .required = true }

TOOLCELL_TOOLS(
    { .name = "add", .description = "Adds an item to the list.", .run = add,
      .hints = TC_NOT_DESTRUCTIVE | TC_CLOSED_WORLD,
      .args = TC_FIELDS({ .name = "title", .type = TC_STRING, .doc = "What is to be done.", .required = true,
                          .min = 1, .max = 200 }),
      .result = TC_FIELDS(ITEM) },
    { .name = "list", .description = "Lists the items, oldest first.", .run = list,
      .hints = TC_READ_ONLY | TC_CLOSED_WORLD,
      .args = TC_FIELDS({ .name = "state", .type = TC_STRING, .doc = "Which items to list.",
                          .values = TC_VALUES("open", "done", "all"), .fallback = "\"open\"" }),
      .result = TC_FIELDS(
          { .name = "items", .type = TC_ARRAY, .doc = "The items, oldest first.", .required = true,
            .items = TC_FIELDS({ .type = TC_OBJECT, .fields = TC_FIELDS(ITEM) }) },
          { .name = "open", .type = TC_INTEGER, .doc = "How many are open in all.", .required = true },
          { .name = "done", .type = TC_INTEGER, .doc = "How many are done in all.", .required = true }) },
    { .name = "complete", .description = "Marks an item as done.", .run = complete,
      .hints = TC_NOT_DESTRUCTIVE | TC_IDEMPOTENT | TC_CLOSED_WORLD,
      .args = TC_FIELDS({ .name = "id", .type = TC_INTEGER, .doc = "The item's number, from `list`.", .required = true,
                          .min = 1 }),
      .result = TC_FIELDS(ITEM) },
    { .name = "clear", .description = "Removes all items that are done, after asking the person.", .run = clear,
      .hints = TC_DESTRUCTIVE | TC_CLOSED_WORLD,
      .result = TC_FIELDS({ .name = "removed", .type = TC_INTEGER, .doc = "How many were removed.", .required = true }) },
    { .name = "import", .description = "Adds the items of a list on the web: a JSON array of titles.", .run = import,
      .hints = TC_NOT_DESTRUCTIVE | TC_OPEN_WORLD,
      .args = TC_FIELDS({ .name = "url", .type = TC_STRING, .doc = "Where the list is: an http or https URL.",
                          .required = true }),
      .result = TC_FIELDS({ .name = "added", .type = TC_INTEGER, .doc = "How many were added.", .required = true }) })
