// The same in C++17: lambdas for handlers, std::string for texts, values that build and read JSON. No exceptions, no RTTI.
//
//     #include <toolcell.hpp>
//
//     TOOLCELL_PLUGIN(plugin) {
//         plugin.tool("greet", "Says hello to someone.")
//             .arg(toolcell::string("name", "Whom to greet."))
//             .run([](toolcell::call &call) -> toolcell::result { return "Hello, " + call.str("name") + "!"; });
//     }
#ifndef TOOLCELL_HPP
#define TOOLCELL_HPP

#include "toolcell.h"

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace toolcell {

/// A JSON value. Objects keep the order of their members.
class json {
public:
    using member = std::pair<std::string, json>;

    json() = default;
    json(std::nullptr_t) {}
    json(bool value) : kind_(kind::boolean), integer_(value) {}
    json(int value) : kind_(kind::integer), integer_(value) {}
    json(int64_t value) : kind_(kind::integer), integer_(value) {}
    json(size_t value) : kind_(kind::integer), integer_(static_cast<int64_t>(value)) {}
    json(double value) : kind_(kind::real), real_(value) {}
    json(std::string value) : kind_(kind::string), text_(std::move(value)) {}
    json(std::string_view value) : json(std::string(value)) {}
    json(const char *value) : json(std::string(value)) {}

    static json array(std::vector<json> items = {}) {
        json made;
        made.kind_ = kind::array;
        for (json &item : items) made.members_.emplace_back(std::string(), std::move(item));
        return made;
    }
    static json object(std::initializer_list<member> members = {}) {
        json made;
        made.kind_ = kind::object;
        made.members_.assign(members.begin(), members.end());
        return made;
    }
    /// Reads JSON; none if it is none.
    static std::optional<json> parse(std::string_view text) {
        yyjson_doc *doc = yyjson_read(text.data(), text.size(), YYJSON_READ_NOFLAG);
        if (!doc) return std::nullopt;
        json value = from(yyjson_doc_get_root(doc));
        yyjson_doc_free(doc);
        return value;
    }
    static json from(yyjson_val *value) {
        if (yyjson_is_bool(value)) return yyjson_get_bool(value);
        if (yyjson_is_int(value)) return yyjson_get_sint(value);
        if (yyjson_is_real(value)) return yyjson_get_real(value);
        if (yyjson_is_str(value)) return std::string(yyjson_get_str(value), yyjson_get_len(value));
        size_t i, max;
        yyjson_val *key, *item;
        json made;
        if (yyjson_is_arr(value)) {
            made = array();
            yyjson_arr_foreach(value, i, max, item) made.push(from(item));
        } else if (yyjson_is_obj(value)) {
            made = object();
            yyjson_obj_foreach(value, i, max, key, item) made.set(std::string(yyjson_get_str(key), yyjson_get_len(key)), from(item));
        }
        return made;
    }

    bool is_null() const { return kind_ == kind::null; }
    bool is_bool() const { return kind_ == kind::boolean; }
    bool is_number() const { return kind_ == kind::integer || kind_ == kind::real; }
    bool is_string() const { return kind_ == kind::string; }
    bool is_array() const { return kind_ == kind::array; }
    bool is_object() const { return kind_ == kind::object; }

    /// What it holds, or nothing (false, 0, an empty text) if it is something else.
    bool as_bool() const { return kind_ == kind::boolean && integer_ != 0; }
    int64_t as_int() const { return kind_ == kind::real ? static_cast<int64_t>(real_) : is_number() ? integer_ : 0; }
    double as_double() const { return kind_ == kind::real ? real_ : is_number() ? static_cast<double>(integer_) : 0; }
    const std::string &as_string() const { return text_; }

    size_t size() const { return members_.size(); }
    /// An item of an array; null if there is none.
    const json &operator[](size_t i) const { return i < members_.size() ? members_[i].second : nothing(); }
    const json &operator[](int i) const { return (*this)[static_cast<size_t>(i)]; }
    /// A member of an object; null if there is none.
    const json &operator[](std::string_view name) const {
        for (const member &each : members_) {
            if (is_object() && each.first == name) return each.second;
        }
        return nothing();
    }
    const json &operator[](const char *name) const { return (*this)[std::string_view(name)]; }
    /// The members of an object; the items of an array, with empty names.
    const std::vector<member> &members() const { return members_; }

    json &push(json item) {
        if (is_null()) kind_ = kind::array;
        members_.emplace_back(std::string(), std::move(item));
        return *this;
    }
    json &set(std::string name, json value) {
        if (is_null()) kind_ = kind::object;
        for (member &each : members_) {
            if (each.first == name) {
                each.second = std::move(value);
                return *this;
            }
        }
        members_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    yyjson_mut_val *in(yyjson_mut_doc *doc) const {
        switch (kind_) {
            case kind::null: return yyjson_mut_null(doc);
            case kind::boolean: return yyjson_mut_bool(doc, integer_ != 0);
            case kind::integer: return yyjson_mut_sint(doc, integer_);
            case kind::real: return yyjson_mut_real(doc, real_);
            case kind::string: return yyjson_mut_strncpy(doc, text_.data(), text_.size());
            case kind::array: {
                yyjson_mut_val *made = yyjson_mut_arr(doc);
                for (const member &each : members_) yyjson_mut_arr_append(made, each.second.in(doc));
                return made;
            }
            case kind::object: break;
        }
        yyjson_mut_val *made = yyjson_mut_obj(doc);
        for (const member &each : members_) {
            yyjson_mut_obj_add(made, yyjson_mut_strncpy(doc, each.first.data(), each.first.size()), each.second.in(doc));
        }
        return made;
    }
    std::string dump() const {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(nullptr);
        yyjson_mut_doc_set_root(doc, in(doc));
        size_t size = 0;
        char *text = yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, &size);
        std::string made(text ? text : "null", text ? size : 4);
        free(text);
        yyjson_mut_doc_free(doc);
        return made;
    }

private:
    enum class kind { null, boolean, integer, real, string, array, object };
    static const json &nothing() {
        static const json none;
        return none;
    }
    kind kind_ = kind::null;
    int64_t integer_ = 0;
    double real_ = 0;
    std::string text_;
    std::vector<member> members_;
};

inline std::string text_of(tc_str text) { return std::string(text.ptr, text.len); }
inline tc_str lent(std::string_view text) { return tc_bytes(text.data(), text.size()); }

/// One field of the arguments, of a result or of a form. Required, unless it is `optional` or has a `fallback`.
class field {
public:
    field(tc_type type, std::string name, std::string doc) : name_(std::move(name)), required_(true) {
        static const char *const TYPES[] = {nullptr, "string", "integer", "number", "boolean", "array", "object"};
        type_ = type;
        schema_ = json::object();
        if (TYPES[type]) schema_.set("type", TYPES[type]);
        if (!doc.empty()) schema_.set("description", std::move(doc));
    }
    field &title(std::string text) { return with("title", std::move(text)); }
    field &optional() { return required_ = false, *this; }
    field &min(int64_t bound) { return with(bound_name("minimum", "minLength", "minItems"), bound); }
    field &max(int64_t bound) { return with(bound_name("maximum", "maxLength", "maxItems"), bound); }
    field &one_of(std::vector<json> values) { return with("enum", json::array(std::move(values))); }
    field &pattern(std::string expression) { return with("pattern", std::move(expression)); }
    field &format(std::string name) { return with("format", std::move(name)); }
    /// The value if it is left out.
    field &fallback(json value) { return optional().with("default", std::move(value)); }
    /// Any other member of the schema.
    field &with(std::string key, json value) { return schema_.set(std::move(key), std::move(value)), *this; }

    const std::string &name() const { return name_; }
    bool is_required() const { return required_; }
    const json &schema() const { return schema_; }

private:
    std::string bound_name(const char *number, const char *text, const char *list) const {
        return type_ == TC_STRING ? text : type_ == TC_ARRAY ? list : number;
    }
    std::string name_;
    bool required_;
    tc_type type_;
    json schema_;
};

inline field string(std::string name, std::string doc = "") { return {TC_STRING, std::move(name), std::move(doc)}; }
inline field integer(std::string name, std::string doc = "") { return {TC_INTEGER, std::move(name), std::move(doc)}; }
inline field number(std::string name, std::string doc = "") { return {TC_NUMBER, std::move(name), std::move(doc)}; }
inline field boolean(std::string name, std::string doc = "") { return {TC_BOOLEAN, std::move(name), std::move(doc)}; }

/// The schema of an object with these fields.
inline json schema_of(const std::vector<field> &fields) {
    json schema = json::object({{"type", "object"}});
    if (fields.empty()) return schema.set("additionalProperties", false);
    json properties = json::object(), required = json::array();
    for (const field &each : fields) {
        properties.set(each.name(), each.schema());
        if (each.is_required()) required.push(each.name());
    }
    schema.set("properties", properties);
    if (required.size()) schema.set("required", required);
    return schema;
}
inline field object(std::string name, std::string doc, const std::vector<field> &fields) {
    field made(TC_OBJECT, std::move(name), std::move(doc));
    for (const json::member &each : schema_of(fields).members()) made.with(each.first, each.second);
    return made;
}
/// An array of objects, or with one field without a name, of that.
inline field array(std::string name, std::string doc, const std::vector<field> &items) {
    bool plain = items.size() == 1 && items[0].name().empty();
    return field(TC_ARRAY, std::move(name), std::move(doc)).with("items", plain ? items[0].schema() : schema_of(items));
}

/// Why the host did not do something; `why` ends with what would allow it, where the operator could.
struct error {
    tc_status status = TC_OK;
    std::string why;
    explicit operator bool() const { return status != TC_OK; }
};

/// What a tool answers: a text, structured content with a text, or an error for the model.
class result {
public:
    result() = default;
    result(std::string text) { this->text(std::move(text)); }
    result(const char *text) : result(std::string(text)) {}
    /// Structured content; without a text, its JSON is the text too.
    result(json structured) : structured_(std::move(structured)) {}
    result(error failed) : fail_(true) { text(std::move(failed.why)); }
    /// The tool tried and failed: says what is wrong, and what would be right.
    static result fail(std::string text) {
        result made(std::move(text));
        made.fail_ = true;
        return made;
    }
    result &text(std::string text) { return blocks_.push_back([text](tc_call *c) { tc_text(c, lent(text)); }), *this; }
    result &image(std::string data, std::string mime) {
        return blocks_.push_back([data, mime](tc_call *c) { tc_image(c, lent(data), tc_copy(c, lent(mime)).ptr); }), *this;
    }
    result &audio(std::string data, std::string mime) {
        return blocks_.push_back([data, mime](tc_call *c) { tc_audio(c, lent(data), tc_copy(c, lent(mime)).ptr); }), *this;
    }
    result &link(std::string uri, std::string name) {
        return blocks_.push_back([uri, name](tc_call *c) { tc_link(c, uri.c_str(), name.c_str()); }), *this;
    }
    result &structured(json value) { return structured_ = std::move(value), *this; }
    result &meta(json value) { return meta_ = std::move(value), *this; }

    void answer(tc_call *c) const {
        for (const auto &block : blocks_) block(c);
        if (fail_) tc_mark_error(c);
        if (!structured_.is_null()) tc_structured(c, structured_.in(tc_doc(c)));
        if (!meta_.is_null()) tc_meta(c, meta_.dump().c_str());
    }

private:
    std::vector<std::function<void(tc_call *)>> blocks_;
    json structured_, meta_;
    bool fail_ = false;
};

/// The answer to a question.
struct answer {
    bool accepted = false;
    json value;
};

/// An HTTP response.
struct response {
    int status = 0;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Either a value, or why there is none.
template <class T> struct outcome {
    T value{};
    error failed;
    explicit operator bool() const { return !failed; }
    T &operator*() { return value; }
    T *operator->() { return &value; }
};

/// The call being served.
class call {
public:
    explicit call(tc_call *c) : c_(c) {}
    tc_call *raw() { return c_; }
    std::string name() const { return text_of(tc_name(c_)); }

    json arg(const char *name) { return json::from(tc_arg(c_, name)); }
    std::string str(const char *name) { return text_of(tc_arg_str(c_, name)); }
    int64_t integer(const char *name) { return tc_arg_int(c_, name); }
    double number(const char *name) { return tc_arg_num(c_, name); }
    bool boolean(const char *name) { return tc_arg_bool(c_, name); }
    bool has(const char *name) { return tc_has_arg(c_, name); }

    /// Nothing means: it is asked now. Return from the handler at once (with anything); it is called again with the answer.
    std::optional<answer> ask_form(const char *key, const std::string &message, const std::vector<field> &fields) {
        std::deque<std::string> kept;
        std::vector<tc_field> all;
        for (const field &each : fields) {
            std::string members = each.schema().dump();
            kept.push_back(members.substr(1, members.size() - 2));
            tc_field one{};
            one.name = each.name().c_str();
            one.required = each.is_required();
            one.also = kept.back().c_str();
            all.push_back(one);
        }
        all.push_back(tc_field{});
        return answered(tc_ask_form(c_, key, message.c_str(), all.data()));
    }
    std::optional<answer> ask_url(const char *key, const std::string &message, const std::string &url) {
        return answered(tc_ask_url(c_, key, message.c_str(), url.c_str()));
    }
    std::optional<answer> ask_sample(const char *key, const json &params) {
        return answered(tc_ask_sample(c_, key, params.dump().c_str()));
    }
    std::optional<answer> ask_roots(const char *key) { return answered(tc_ask_roots(c_, key)); }
    void keep(std::string_view state) { tc_keep(c_, lent(state)); }
    std::string kept() const { return text_of(tc_kept(c_)); }

    /// A total of 0 is not known.
    void progress(double progress, double total = 0, const std::string &message = "") {
        tc_progress(c_, progress, total, message.empty() ? nullptr : message.c_str());
    }
    void log(tc_level level, const json &data, const char *logger = nullptr) { tc_log(c_, level, logger, data.in(tc_doc(c_))); }
    tc_context context() { return tc_context_now(c_); }
    bool is_cancelled() { return tc_is_cancelled(c_); }
    void resource_updated(const std::string &uri) { tc_resource_updated(c_, uri.c_str()); }
    void resources_changed() { tc_resources_changed(c_); }
    void prompts_changed() { tc_prompts_changed(c_); }
    void tools_changed() { tc_tools_changed(c_); }

    /// The value of a key; the inner option is none if the key is not there.
    outcome<std::optional<std::string>> get(const std::string &key) {
        tc_value value;
        outcome<std::optional<std::string>> out;
        if (failed(out, tc_kv_get(c_, key.c_str(), &value))) return out;
        if (!value.absent) out.value = text_of(value.bytes);
        return out;
    }
    error set(const std::string &key, std::string_view value) { return status(tc_kv_set(c_, key.c_str(), lent(value))); }
    error remove(const std::string &key) { return status(tc_kv_delete(c_, key.c_str())); }
    /// Changes a key by a function of its value, and again if somebody else was faster.
    template <class Change> error update(const std::string &key, Change change) {
        tc_value expected;
        tc_status now = tc_kv_get(c_, key.c_str(), &expected);
        if (now != TC_OK) return status(now);
        do {
            std::optional<std::string> old;
            if (!expected.absent) old = text_of(expected.bytes);
            std::optional<std::string> value = change(old);
            tc_value to{!value, lent(value ? *value : std::string_view())};
            now = tc_kv_swap(c_, key.c_str(), &expected, to);
        } while (now == TC_CONFLICT);
        return status(now);
    }
    outcome<std::vector<std::string>> keys(const std::string &prefix) {
        const tc_str *found;
        size_t count;
        outcome<std::vector<std::string>> out;
        if (failed(out, tc_kv_keys(c_, prefix.c_str(), &found, &count))) return out;
        for (size_t i = 0; i < count; i++) out.value.push_back(text_of(found[i]));
        return out;
    }

    /// Runs another tool of this host: its structured result, or its text.
    outcome<json> peer(const std::string &tool, const json &arguments) {
        tc_peer_result from;
        outcome<json> out;
        if (failed(out, tc_peer(c_, tool.c_str(), arguments.dump().c_str(), &from))) return out;
        if (from.is_error) out.failed = {TC_BROKEN, text_of(from.text)};
        else out.value = from.structured ? json::from(from.structured) : json(text_of(from.text));
        return out;
    }

    outcome<response> http_get(const std::string &url) {
        tc_http_request request{};
        request.url = url.c_str();
        return http(request);
    }
    outcome<response> http(const tc_http_request &request) {
        tc_http_response from;
        outcome<response> out;
        if (failed(out, tc_http(c_, &request, &from))) return out;
        out.value.status = from.status;
        out.value.body = text_of(from.body);
        for (size_t i = 0; i < from.header_count; i++) {
            out.value.headers.emplace_back(text_of(from.headers[i].name), text_of(from.headers[i].value));
        }
        return out;
    }

private:
    static std::optional<answer> answered(const tc_answer *from) {
        if (!from) return std::nullopt;
        return answer{from->kind == tc_answer::TC_ACCEPTED, json::from(from->value)};
    }
    error status(tc_status status) { return {status, status == TC_OK ? "" : tc_why(c_)}; }
    template <class T> bool failed(outcome<T> &out, tc_status now) { return out.failed = status(now), now != TC_OK; }
    tc_call *c_;
};

// A component exports what is offered: these are in it only if something calls them.
#ifdef __wasm__
#define TC_OFFERS_INLINE(what) \
    __attribute__((noinline, export_name("toolcell:offers/" #what))) inline void offers_##what() { __asm__ volatile(""); }
#else
#define TC_OFFERS_INLINE(what) \
    inline void offers_##what() {}
#endif
TC_OFFERS_INLINE(tools)
TC_OFFERS_INLINE(resources)
TC_OFFERS_INLINE(prompts)
TC_OFFERS_INLINE(completions)
#undef TC_OFFERS_INLINE

/// A tool that is being described; `run` says what it does, and comes last.
class tool {
public:
    tool(std::string name, std::string description) : name_(std::move(name)), description_(std::move(description)) {}
    tool &title(std::string text) { return title_ = std::move(text), *this; }
    tool &arg(field one) { return args_.push_back(std::move(one)), *this; }
    /// The structured result, field by field.
    tool &result(std::vector<field> fields) { return output_ = schema_of(fields).dump(), *this; }
    tool &read_only() { return hint(TC_READ_ONLY); }
    tool &destructive(bool is = true) { return hint(is ? TC_DESTRUCTIVE : TC_NOT_DESTRUCTIVE); }
    tool &idempotent() { return hint(TC_IDEMPOTENT); }
    tool &open_world(bool is = true) { return hint(is ? TC_OPEN_WORLD : TC_CLOSED_WORLD); }
    tool &task(tc_task task) { return row_.task = task, *this; }
    tool &ui(std::string uri) { return ui_ = std::move(uri), *this; }
    tool &meta(const json &object) { return meta_ = object.dump(), *this; }
    void run(std::function<toolcell::result(call &)> handler) {
        handler_ = std::move(handler);
        input_ = schema_of(args_).dump();
        fallbacks();
        row_.name = name_.c_str();
        row_.title = title_.empty() ? nullptr : title_.c_str();
        row_.description = description_.c_str();
        row_.input_schema = input_.c_str();
        row_.output_schema = output_.empty() ? nullptr : output_.c_str();
        row_.args = fields_.data();
        row_.ui = ui_.empty() ? nullptr : ui_.c_str();
        row_.meta = meta_.empty() ? nullptr : meta_.c_str();
        row_.data = this;
        row_.run = [](tc_call *c) {
            call now(c);
            static_cast<tool *>(tc_data(c))->handler_(now).answer(c);
        };
        tc_add_tool(&row_);
    }

private:
    tool &hint(unsigned hint) { return row_.hints |= hint, *this; }
    void fallbacks() {
        for (const field &each : args_) {
            tc_field one{};
            one.name = each.name().c_str();
            const json &value = each.schema()["default"];
            kept_.push_back(value.dump());
            if (!value.is_null()) one.fallback = kept_.back().c_str();
            fields_.push_back(one);
        }
        fields_.push_back(tc_field{});
    }
    tc_tool row_{};
    std::string name_, title_, description_, input_, output_, ui_, meta_;
    std::vector<field> args_;
    std::vector<tc_field> fields_;
    std::deque<std::string> kept_;
    std::function<toolcell::result(call &)> handler_;
};

/// What a plugin offers.
class plugin {
public:
    toolcell::tool &tool(std::string name, std::string description) {
        offers_tools();
        return tools_.emplace_back(std::move(name), std::move(description));
    }
    /// A resource, or with variables in its URI a template; none is not found.
    void resource(std::string uri, std::string description, std::string mime_type,
                  std::function<std::optional<std::string>(call &)> read) {
        offers_resources();
        auto &one = resources_.emplace_back();
        one = {std::move(uri), std::move(description), std::move(mime_type), std::move(read), {}};
        one.row.uri = one.uri.c_str();
        one.row.description = one.description.c_str();
        one.row.mime_type = one.mime_type.c_str();
        one.row.data = &one;
        one.row.read = [](tc_call *c) {
            call now(c);
            auto text = static_cast<resource_row *>(tc_data(c))->read(now);
            if (text) tc_contents_text(c, lent(*text));
        };
        tc_add_resource(&one.row);
    }
    /// A prompt of one message of the person's.
    void prompt(std::string name, std::string description, std::vector<field> args, std::function<std::string(call &)> get) {
        offers_prompts();
        auto &one = prompts_.emplace_back();
        one = {std::move(name), std::move(description), std::move(args), {}, std::move(get), {}, {}};
        for (const field &each : one.args) one.docs.push_back(each.schema()["description"].as_string());
        for (size_t i = 0; i < one.args.size(); i++) {
            one.rows.push_back({one.args[i].name().c_str(), nullptr, one.docs[i].c_str(), one.args[i].is_required()});
        }
        one.rows.push_back({});
        one.row.name = one.name.c_str();
        one.row.description = one.description.c_str();
        one.row.args = one.rows.data();
        one.row.data = &one;
        one.row.get = [](tc_call *c) {
            call now(c);
            tc_text(c, lent(static_cast<prompt_row *>(tc_data(c))->get(now)));
        };
        tc_add_prompt(&one.row);
    }
    /// Suggestions for an argument of a prompt: all there are; those that begin with what was typed are suggested.
    void complete(std::string prompt, std::string argument, std::function<std::vector<std::string>(call &)> values) {
        offers_completions();
        auto &one = completions_.emplace_back();
        one = {std::move(prompt), std::move(argument), std::move(values), {}};
        one.row.prompt = one.prompt.c_str();
        one.row.argument = one.argument.c_str();
        one.row.data = &one;
        one.row.suggest = [](tc_call *c) {
            call now(c);
            for (const std::string &value : static_cast<completion_row *>(tc_data(c))->values(now)) tc_suggest(c, lent(value));
        };
        tc_add_completion(&one.row);
    }

private:
    struct resource_row {
        std::string uri, description, mime_type;
        std::function<std::optional<std::string>(call &)> read;
        tc_resource row;
    };
    struct prompt_row {
        std::string name, description;
        std::vector<field> args;
        std::vector<std::string> docs;
        std::function<std::string(call &)> get;
        std::vector<tc_prompt_arg> rows;
        tc_prompt row;
    };
    struct completion_row {
        std::string prompt, argument;
        std::function<std::vector<std::string>(call &)> values;
        tc_completion row;
    };
    // Where they are put they stay.
    std::deque<toolcell::tool> tools_;
    std::deque<resource_row> resources_;
    std::deque<prompt_row> prompts_;
    std::deque<completion_row> completions_;
};

}  // namespace toolcell

/// Says what the plugin offers; once, at file scope.
#define TOOLCELL_PLUGIN(name)                                   \
    static void toolcell_offer_(toolcell::plugin &name);        \
    extern "C" void tc_plugin_setup(void) {                     \
        static toolcell::plugin *all = new toolcell::plugin;    \
        toolcell_offer_(*all);                                  \
    }                                                           \
    static void toolcell_offer_(toolcell::plugin &name)

#endif
