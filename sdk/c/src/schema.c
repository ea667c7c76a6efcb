/* JSON Schema (2020-12) from fields. */
#include "internal.h"

static const char *const TYPES[] = { NULL, "string", "integer", "number", "boolean", "array", "object" };

static yyjson_mut_val *object_of(tc_call *c, const tc_field *fields);

static void add_json(tc_call *c, yyjson_mut_val *schema, const char *key, const char *json) {
    yyjson_val *value = tc_json_read(c, tc_s(json));
    if (value) yyjson_mut_obj_add_val(tc_doc(c), schema, key, yyjson_val_mut_copy(tc_doc(c), value));
}

static void add_bound(tc_call *c, yyjson_mut_val *schema, const char *key, double bound) {
    if (bound == 0) return;
    if (bound == (double)(int64_t)bound) yyjson_mut_obj_add_int(tc_doc(c), schema, key, (int64_t)bound);
    else yyjson_mut_obj_add_real(tc_doc(c), schema, key, bound);
}

static yyjson_mut_val *schema_of(tc_call *c, const tc_field *field) {
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *schema = field->type == TC_OBJECT ? object_of(c, field->fields) : yyjson_mut_obj(doc);
    if (field->type != TC_OBJECT && TYPES[field->type]) yyjson_mut_obj_add_str(doc, schema, "type", TYPES[field->type]);
    if (field->title) yyjson_mut_obj_add_str(doc, schema, "title", field->title);
    if (field->doc) yyjson_mut_obj_add_str(doc, schema, "description", field->doc);
    const char *least = "minimum", *most = "maximum";
    if (field->type == TC_STRING) least = "minLength", most = "maxLength";
    if (field->type == TC_ARRAY) least = "minItems", most = "maxItems";
    add_bound(c, schema, least, field->min);
    add_bound(c, schema, most, field->max);
    if (field->values) {
        yyjson_mut_val *all = yyjson_mut_obj_add_arr(doc, schema, "enum");
        for (const char *const *value = field->values; *value; value++) yyjson_mut_arr_add_str(doc, all, *value);
    }
    if (field->pattern) yyjson_mut_obj_add_str(doc, schema, "pattern", field->pattern);
    if (field->format) yyjson_mut_obj_add_str(doc, schema, "format", field->format);
    if (field->items) yyjson_mut_obj_add_val(doc, schema, "items", schema_of(c, field->items));
    if (field->fallback) add_json(c, schema, "default", field->fallback);
    if (field->also) {
        yyjson_val *more = tc_json_read(c, tc_format(c, "{%s}", field->also));
        yyjson_obj_iter each = yyjson_obj_iter_with(more);
        for (yyjson_val *key; (key = yyjson_obj_iter_next(&each));) {
            yyjson_mut_obj_add(schema, yyjson_val_mut_copy(doc, key), yyjson_val_mut_copy(doc, yyjson_obj_iter_get_val(key)));
        }
    }
    return schema;
}

static yyjson_mut_val *object_of(tc_call *c, const tc_field *fields) {
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, schema, "type", "object");
    if (!fields || !fields->name) {
        yyjson_mut_obj_add_bool(doc, schema, "additionalProperties", false);
        return schema;
    }
    yyjson_mut_val *properties = yyjson_mut_obj_add_obj(doc, schema, "properties");
    yyjson_mut_val *required = yyjson_mut_arr(doc);
    for (const tc_field *field = fields; field->name; field++) {
        yyjson_mut_obj_add_val(doc, properties, field->name, schema_of(c, field));
        if (field->required) yyjson_mut_arr_add_str(doc, required, field->name);
    }
    if (yyjson_mut_arr_size(required)) yyjson_mut_obj_add_val(doc, schema, "required", required);
    return schema;
}

tc_str tc_schema_of(tc_call *c, const tc_field *fields) { return tc_json_write(c, object_of(c, fields)); }

tc_str tc_tool_input(tc_call *c, const tc_tool *tool) {
    return tool->input_schema ? tc_s(tool->input_schema) : tc_schema_of(c, tool->args);
}

tc_str tc_tool_output(tc_call *c, const tc_tool *tool) {
    if (tool->output_schema) return tc_s(tool->output_schema);
    return tool->result ? tc_schema_of(c, tool->result) : (tc_str){ 0 };
}

tc_str tc_tool_meta(tc_call *c, const tc_tool *tool) {
    static const char *const TASK[] = { NULL, "optional", "required", "forbidden" };
    if (!tool->meta && !tool->task && !tool->ui) return (tc_str){ 0 };
    yyjson_mut_doc *doc = tc_doc(c);
    yyjson_mut_val *meta = tool->meta ? yyjson_val_mut_copy(doc, tc_json_read(c, tc_s(tool->meta))) : NULL;
    if (!meta) meta = yyjson_mut_obj(doc);
    if (tool->task) yyjson_mut_obj_add_str(doc, meta, "io.toolcell/task", TASK[tool->task]);
    if (tool->ui) {
        yyjson_mut_val *ui = yyjson_mut_obj_get(meta, "ui");
        if (!ui) ui = yyjson_mut_obj_add_obj(doc, meta, "ui");
        yyjson_mut_obj_add_str(doc, ui, "resourceUri", tool->ui);
    }
    return tc_json_write(c, meta);
}

yyjson_val *tc_fallback(tc_call *c, const char *name) {
    for (const tc_field *field = c->fields; field && field->name; field++) {
        if (strcmp(field->name, name) == 0) return field->fallback ? tc_json_read(c, tc_s(field->fallback)) : NULL;
    }
    return NULL;
}
