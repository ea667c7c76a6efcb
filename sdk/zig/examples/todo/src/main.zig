//! A to-do list: what it keeps outlives the call, it asks before it removes, and it reads lists from the web.

const std = @import("std");
const toolcell = @import("toolcell");
const Call = toolcell.Call;

const Item = struct {
    id: i64,
    title: []const u8,
    done: bool,
    pub const about = .{
        .id = .{ .doc = "The item's number." },
        .title = .{ .doc = "What is to be done." },
        .done = .{ .doc = "Whether it is done." },
    };
};

fn keyOf(call: Call, id: i64) ![:0]const u8 {
    return call.print("item/{d:0>10}", .{@as(u64, @intCast(id))});
}

fn save(call: Call, item: Item) !void {
    try call.set(try keyOf(call, item.id), try call.stringify(item));
}

/// Gives the item the next number: calls that run at the same time never share one.
fn addItem(call: Call, title: []const u8) !Item {
    var next = try call.get("next");
    while (true) {
        const id = if (next) |text| try std.fmt.parseInt(i64, text, 10) else 1;
        call.swap("next", &next, try call.print("{d}", .{id + 1})) catch |err| switch (err) {
            error.Conflict => continue,
            else => return err,
        };
        const item: Item = .{ .id = id, .title = title, .done = false };
        try save(call, item);
        return item;
    }
}

/// All items, oldest first.
fn allItems(call: Call) ![]const Item {
    const keys = try call.keys("item/");
    const items = try call.allocator().alloc(Item, keys.len);
    var count: usize = 0;
    for (keys) |key| {
        // Another call may have removed it meanwhile.
        const value = try call.get(key) orelse continue;
        items[count] = try call.parse(Item, value);
        count += 1;
    }
    return items[0..count];
}

const Add = struct {
    title: []const u8,
    pub const about = .{ .title = .{ .doc = "What is to be done.", .min = 1, .max = 200 } };
};

fn add(call: Call, in: Add) !toolcell.Result(Item) {
    const item = try addItem(call, in.title);
    return .{ .value = item, .text = try call.print("Added {d}: {s}", .{ item.id, item.title }) };
}

const List = struct {
    state: enum { open, done, all } = .open,
    pub const about = .{ .state = .{ .doc = "Which items to list." } };
};

const Listed = struct {
    items: []const Item,
    open: i64,
    done: i64,
    pub const about = .{
        .items = .{ .doc = "The items, oldest first." },
        .open = .{ .doc = "How many are open in all." },
        .done = .{ .doc = "How many are done in all." },
    };
};

fn list(call: Call, in: List) !toolcell.Result(Listed) {
    const items = try allItems(call);
    const listed = try call.allocator().alloc(Item, items.len);
    var lines: []const u8 = "";
    var count: usize = 0;
    var done: i64 = 0;
    for (items) |item| {
        if (item.done) done += 1;
        const wanted = switch (in.state) {
            .all => true,
            .done => item.done,
            .open => !item.done,
        };
        if (!wanted) continue;
        listed[count] = item;
        const mark = if (item.done) "[x]" else "[ ]";
        lines = try call.print("{s}{s}{s} {d}: {s}", .{ lines, if (count == 0) "" else "\n", mark, item.id, item.title });
        count += 1;
    }
    const open = @as(i64, @intCast(items.len)) - done;
    return .{
        .value = .{ .items = listed[0..count], .open = open, .done = done },
        .text = if (count == 0) "Nothing to do." else lines,
    };
}

const Complete = struct {
    id: i64,
    pub const about = .{ .id = .{ .doc = "The item's number, from `list`.", .min = 1 } };
};

fn complete(call: Call, in: Complete) !toolcell.Result(Item) {
    const value = try call.get(try keyOf(call, in.id)) orelse
        return call.fail("there is no item {d}; call list to see what there is", .{in.id});
    var item = try call.parse(Item, value);
    item.done = true;
    try save(call, item);
    return .{ .value = item, .text = try call.print("Done {d}: {s}", .{ item.id, item.title }) };
}

const Removed = struct {
    removed: i64,
    pub const about = .{ .removed = .{ .doc = "How many were removed." } };
};

const Confirmation = struct {
    remove: bool,
    pub const about = .{ .remove = .{ .title = "Remove them" } };
};

fn clear(call: Call, _: struct {}) !toolcell.Result(Removed) {
    const items = try allItems(call);
    var count: usize = 0;
    for (items) |item| count += @intFromBool(item.done);
    if (count == 0) return .{ .value = .{ .removed = 0 }, .text = "Nothing to remove." };

    const question = try call.print("Remove {d} items that are done?", .{count});
    const answer = try call.elicit(Confirmation, "confirm", question);
    const confirmed = if (answer.value) |form| form.remove else false;
    if (!confirmed) return .{ .value = .{ .removed = 0 }, .text = "Nothing was removed." };

    var progress: f64 = 0;
    for (items) |item| {
        if (!item.done) continue;
        try call.delete(try keyOf(call, item.id));
        progress += 1;
        try call.progress(progress, @floatFromInt(count), "Removed {d}: {s}", .{ item.id, item.title });
    }
    return .{ .value = .{ .removed = @intCast(count) }, .text = try call.print("Removed {d} items.", .{count}) };
}

const Import = struct {
    url: [:0]const u8,
    pub const about = .{ .url = .{ .doc = "Where the list is: an http or https URL." } };
};

const Added = struct {
    added: i64,
    pub const about = .{ .added = .{ .doc = "How many were added." } };
};

fn import(call: Call, in: Import) !toolcell.Result(Added) {
    const page = try call.httpGet(in.url);
    if (page.status != 200) {
        return call.fail("{s} answered {d}; check the URL, or try again later", .{ in.url, page.status });
    }
    const titles = call.parse([]const []const u8, page.body) catch return noList(call, in.url);
    for (titles) |title| {
        const length = call.length(title);
        if (length < 1 or length > 200) return noList(call, in.url);
    }
    for (titles, 1..) |title, i| {
        const item = try addItem(call, title);
        try call.progress(@floatFromInt(i), @floatFromInt(titles.len), "Added {d}: {s}", .{ item.id, item.title });
    }
    try call.log(.info, "todo", .{ .imported = titles.len, .url = in.url });
    return .{ .value = .{ .added = @intCast(titles.len) }, .text = try call.print("Added {d} items.", .{titles.len}) };
}

fn noList(call: Call, url: []const u8) toolcell.Error {
    return call.fail("{s} is no JSON array of titles of 1 to 200 characters; give the URL of one, such as [\"Buy milk\"]", .{url});
}

comptime {
    toolcell.plugin(.{ .tools = &.{
        toolcell.tool("add", "Adds an item to the list.", add, .{ .destructive = false, .open_world = false }),
        toolcell.tool("list", "Lists the items, oldest first.", list, .{ .read_only = true, .open_world = false }),
        toolcell.tool("complete", "Marks an item as done.", complete, .{
            .destructive = false,
            .idempotent = true,
            .open_world = false,
        }),
        toolcell.tool("clear", "Removes all items that are done, after asking the person.", clear, .{
            .destructive = true,
            .open_world = false,
        }),
        toolcell.tool("import", "Adds the items of a list on the web: a JSON array of titles.", import, .{
            .destructive = false,
            .open_world = true,
        }),
    } });
}

const testing = toolcell.testing;
const expect = std.testing.expectEqualStrings;

test "items are added, listed and completed" {
    testing.reset();
    try expect("Nothing to do.", testing.call("list", "{}").text);
    const added = testing.call("add", "{\"title\":\"Buy milk\"}");
    try expect("Added 1: Buy milk", added.text);
    try expect("{\"id\":1,\"title\":\"Buy milk\",\"done\":false}", added.json);
    try expect(added.json, testing.stored("item/0000000001").?);
    testing.conflicts(2);
    try expect("Added 2: Sleep", testing.call("add", "{\"title\":\"Sleep\"}").text);
    try expect("Done 1: Buy milk", testing.call("complete", "{\"id\":1}").text);
    try expect("[ ] 2: Sleep", testing.call("list", "{}").text);
    try expect("[x] 1: Buy milk\n[ ] 2: Sleep", testing.call("list", "{\"state\":\"all\"}").text);
    const unknown = testing.call("complete", "{\"id\":7}");
    try std.testing.expect(unknown.is_error);
    try expect("there is no item 7; call list to see what there is", unknown.text);
}

test "nothing is removed unless the person says so" {
    testing.reset();
    try expect("Nothing to remove.", testing.call("clear", "{}").text);
    _ = testing.call("add", "{\"title\":\"a\"}");
    _ = testing.call("complete", "{\"id\":1}");
    const open = testing.call("clear", "{}");
    try std.testing.expect(open.open);
    try expect("Remove 1 items that are done?", open.asked);
    testing.decline("confirm");
    try expect("Nothing was removed.", testing.call("clear", "{}").text);
    testing.accept("confirm", "{\"remove\":true}");
    try expect("{\"removed\":1}", testing.call("clear", "{}").json);
    try expect("progress 1/1 Removed 1: a", testing.heard());
}

test "lists are imported" {
    testing.reset();
    testing.web("http://web/list", 200, "[\"a\",\"b\"]");
    testing.web("http://web/gone", 404, "");
    testing.web("http://web/other", 200, "{\"a\":1}");
    testing.web("http://web/refused", 0, "not granted: add the host");
    try expect("Added 2 items.", testing.call("import", "{\"url\":\"http://web/list\"}").text);
    const cases = [_][2][:0]const u8{
        .{ "gone", "answered 404" },
        .{ "other", "is no JSON array of titles" },
        .{ "refused", "not granted: add the host" },
    };
    inline for (cases) |case| {
        const result = testing.call("import", "{\"url\":\"http://web/" ++ case[0] ++ "\"}");
        try std.testing.expect(result.is_error and std.mem.indexOf(u8, result.text, case[1]) != null);
    }
}
