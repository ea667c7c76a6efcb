// A to-do list: what it keeps outlives the call, it asks before it removes, and it reads lists from the web.
#include <toolcell.hpp>

#include <cstdio>
#include <cstdlib>

using toolcell::call;
using toolcell::error;
using toolcell::field;
using toolcell::json;
using toolcell::outcome;
using toolcell::result;
using std::string;
using std::to_string;

namespace {

struct item {
    int64_t id = 0;
    string title;
    bool done = false;

    json to_json() const { return json::object({{"id", id}, {"title", title}, {"done", done}}); }
    static item from(const json &object) { return {object["id"].as_int(), object["title"].as_string(), object["done"].as_bool()}; }
};

string key_of(int64_t id) {
    char key[32];
    snprintf(key, sizeof key, "item/%010lld", static_cast<long long>(id));
    return key;
}

string named(const item &one) { return to_string(one.id) + ": " + one.title; }

error save(call &call, const item &one) { return call.set(key_of(one.id), one.to_json().dump()); }

// Gives the item the next number: calls that run at the same time never share one.
outcome<item> add_item(call &call, string title) {
    outcome<item> made{{0, std::move(title), false}, {}};
    made.failed = call.update("next", [&](const std::optional<string> &next) {
        made->id = next ? strtoll(next->c_str(), nullptr, 10) : 1;
        return to_string(made->id + 1);
    });
    if (made) made.failed = save(call, *made);
    return made;
}

// All items, oldest first.
outcome<std::vector<item>> all_items(call &call) {
    outcome<std::vector<item>> items;
    auto keys = call.keys("item/");
    items.failed = keys.failed;
    for (const string &key : *keys) {
        auto value = call.get(key);
        if (!value) return {{}, value.failed};
        // Another call may have removed it meanwhile.
        if (*value) items->push_back(item::from(json::parse(**value).value_or(json())));
    }
    return items;
}

result add(call &call) {
    auto made = add_item(call, call.str("title"));
    if (!made) return made.failed;
    return result("Added " + named(*made)).structured(made->to_json());
}

result list(call &call) {
    auto items = all_items(call);
    if (!items) return items.failed;
    const string state = call.str("state");
    json listed = json::array();
    string lines;
    size_t done = 0;
    for (const item &one : *items) {
        done += one.done;
        if (state != "all" && one.done != (state == "done")) continue;
        listed.push(one.to_json());
        lines += (lines.empty() ? "" : "\n") + string(one.done ? "[x] " : "[ ] ") + named(one);
    }
    return result(lines.empty() ? "Nothing to do." : lines)
        .structured(json::object({{"items", listed}, {"open", items->size() - done}, {"done", done}}));
}

result complete(call &call) {
    const int64_t id = call.integer("id");
    auto value = call.get(key_of(id));
    if (!value) return value.failed;
    if (!*value) return result::fail("there is no item " + to_string(id) + "; call list to see what there is");
    item one = item::from(json::parse(**value).value_or(json()));
    one.done = true;
    if (error failed = save(call, one)) return failed;
    return result("Done " + named(one)).structured(one.to_json());
}

result removed(size_t count, string text) { return result(std::move(text)).structured(json::object({{"removed", count}})); }

result clear(call &call) {
    auto items = all_items(call);
    if (!items) return items.failed;
    std::vector<item> done;
    for (const item &one : *items) {
        if (one.done) done.push_back(one);
    }
    if (done.empty()) return removed(0, "Nothing to remove.");
    auto answer = call.ask_form("confirm", "Remove " + to_string(done.size()) + " items that are done?",
                                {toolcell::boolean("remove").title("Remove them")});
    if (!answer) return {};
    if (!answer->accepted || !answer->value["remove"].as_bool()) return removed(0, "Nothing was removed.");
    double progress = 0;
    for (const item &one : done) {
        if (error failed = call.remove(key_of(one.id))) return failed;
        call.progress(++progress, static_cast<double>(done.size()), "Removed " + named(one));
    }
    return removed(done.size(), "Removed " + to_string(done.size()) + " items.");
}

// Whether it is an array of texts of 1 to 200 characters.
bool is_list(const json &titles) {
    if (!titles.is_array()) return false;
    for (const auto &[none, title] : titles.members()) {
        const size_t length = tc_length(toolcell::lent(title.as_string()));
        if (!title.is_string() || length < 1 || length > 200) return false;
    }
    return true;
}

result import(call &call) {
    const string url = call.str("url");
    auto page = call.http_get(url);
    if (!page) return page.failed;
    if (page->status != 200) {
        return result::fail(url + " answered " + to_string(page->status) + "; check the URL, or try again later");
    }
    const json titles = json::parse(page->body).value_or(json());
    if (!is_list(titles)) {
        return result::fail(url + " is no JSON array of titles of 1 to 200 characters; give the URL of one, such as [\"Buy milk\"]");
    }
    double progress = 0;
    for (const auto &[none, title] : titles.members()) {
        auto made = add_item(call, title.as_string());
        if (!made) return made.failed;
        call.progress(++progress, static_cast<double>(titles.size()), "Added " + named(*made));
    }
    call.log(TC_INFO, json::object({{"imported", titles.size()}, {"url", url}}), "todo");
    return result("Added " + to_string(titles.size()) + " items.").structured(json::object({{"added", titles.size()}}));
}

}  // namespace

TOOLCELL_PLUGIN(plugin) {
    const std::vector<field> item_fields = {
        toolcell::integer("id", "The item's number."),
        toolcell::string("title", "What is to be done."),
        toolcell::boolean("done", "Whether it is done."),
    };
    plugin.tool("add", "Adds an item to the list.")
        .destructive(false).open_world(false)
        .arg(toolcell::string("title", "What is to be done.").min(1).max(200))
        .result(item_fields).run(add);
    plugin.tool("list", "Lists the items, oldest first.")
        .read_only().open_world(false)
        .arg(toolcell::string("state", "Which items to list.").one_of({"open", "done", "all"}).fallback("open"))
        .result({toolcell::array("items", "The items, oldest first.", item_fields),
                 toolcell::integer("open", "How many are open in all."), toolcell::integer("done", "How many are done in all.")})
        .run(list);
    plugin.tool("complete", "Marks an item as done.")
        .destructive(false).idempotent().open_world(false)
        .arg(toolcell::integer("id", "The item's number, from `list`.").min(1))
        .result(item_fields).run(complete);
    plugin.tool("clear", "Removes all items that are done, after asking the person.")
        .destructive().open_world(false)
        .result({toolcell::integer("removed", "How many were removed.")}).run(clear);
    plugin.tool("import", "Adds the items of a list on the web: a JSON array of titles.")
        .destructive(false).open_world()
        .arg(toolcell::string("url", "Where the list is: an http or https URL."))
        .result({toolcell::integer("added", "How many were added.")}).run(import);
}
