//! Tools for Model Context Protocol clients, in Zig, on top of the C SDK. A plugin is a few functions and a list of them:
//!
//!     const toolcell = @import("toolcell");
//!
//!     const Greet = struct {
//!         name: []const u8,
//!         pub const about = .{ .name = .{ .doc = "Whom to greet." } };
//!     };
//!
//!     fn greet(call: toolcell.Call, in: Greet) ![]const u8 {
//!         return call.print("Hello, {s}!", .{in.name});
//!     }
//!
//!     comptime {
//!         toolcell.plugin(.{ .tools = &.{
//!             toolcell.tool("greet", "Says hello to someone.", greet, .{}),
//!         } });
//!     }
//!
//! Everything handed out lives until the call ends; nothing has to be freed.

const std = @import("std");
const builtin = @import("builtin");
const c = @import("c.zig");
const schema = @import("schema.zig");

/// A host for unit tests.
pub const testing = if (builtin.is_test) @import("testing.zig") else @compileError("only in tests");

/// What a handler returns when the client is asked first, and when it has failed with a text of its own.
pub const Error = error{ InputRequired, ToolFailed };

/// Why the host did not do something; `Call.why` says more.
pub const HostError = error{ Refused, LimitReached, Conflict, NotFound, InvalidRequest, HostFailed };

fn check(status: c_int) HostError!void {
    return switch (status) {
        0 => {},
        1 => error.Refused,
        2 => error.LimitReached,
        3 => error.Conflict,
        4 => error.NotFound,
        5 => error.InvalidRequest,
        else => error.HostFailed,
    };
}

/// What is said of a tool beside its name and description.
pub const ToolOptions = struct {
    title: ?[:0]const u8 = null,
    read_only: ?bool = null,
    destructive: ?bool = null,
    idempotent: ?bool = null,
    open_world: ?bool = null,
    task: enum(c_int) { unsaid, optional, required, forbidden } = .unsaid,
    /// The ui:// page that shows its results.
    ui: ?[:0]const u8 = null,
    /// A JSON object for _meta.
    meta: ?[:0]const u8 = null,
};

/// A structured result with a text of its own. `T` is the output schema.
pub fn Result(comptime T: type) type {
    return struct {
        pub const Structured = T;
        value: T,
        text: []const u8,
    };
}

fn hint(comptime said: ?bool, comptime yes: c_uint) c_uint {
    return if (said) |is| (if (is) yes else yes << 1) else 0;
}

/// A tool: `run` takes a Call and a struct of arguments, and returns a text, a struct, a `Result` of one, or an error.
pub fn tool(comptime name: [:0]const u8, comptime description: [:0]const u8, comptime run: anytype, comptime options: ToolOptions) c.Tool {
    const In = @typeInfo(@TypeOf(run)).@"fn".param_types[1].?;
    const Out = payloadOf(@typeInfo(@TypeOf(run)).@"fn".return_type.?);
    const handler = struct {
        fn handle(raw: *c.Call) callconv(.c) void {
            const call: Call = .{ .raw = raw };
            const in = call.parse(In, c.text(c.tc_json_text(raw, c.tc_args(raw)))) catch |err| {
                c.tc_error(raw, c.invalid_arguments, "arguments of `%s`: %s", name.ptr, @errorName(err).ptr);
                return;
            };
            const returned = run(call, in);
            const out = if (@typeInfo(@TypeOf(returned)) == .error_union) returned catch |err| {
                call.failed(err);
                return;
            } else returned;
            call.answer(Out, out);
        }
    };
    return .{
        .name = name,
        .title = options.title orelse null,
        .description = description,
        .input_schema = schema.of(In),
        .output_schema = if (StructuredOf(Out)) |T| schema.of(T) else null,
        .hints = hint(options.read_only, 1) | hint(options.destructive, 4) | hint(options.idempotent, 16) |
            hint(options.open_world, 64),
        .task = @intFromEnum(options.task),
        .ui = options.ui orelse null,
        .meta = options.meta orelse null,
        .run = handler.handle,
    };
}

fn payloadOf(comptime T: type) type {
    return switch (@typeInfo(T)) {
        .error_union => |info| info.payload,
        else => T,
    };
}

/// The type of what is structured in a result, if anything.
fn StructuredOf(comptime Out: type) ?type {
    if (Out == void or Out == []const u8) return null;
    return if (@hasDecl(Out, "Structured")) Out.Structured else Out;
}

/// What a plugin offers.
pub const Plugin = struct { tools: []const c.Tool = &.{} };

/// Offers it; once, in a `comptime` block.
pub fn plugin(comptime offered: Plugin) void {
    const tables = struct {
        const tools: c.Tools = .{ .rows = offered.tools.ptr, .count = offered.tools.len };
    };
    @export(&tables.tools, .{ .name = "tc_plugin_tools" });
}

pub const Level = enum(c_int) { debug, info, notice, warning, @"error", critical, alert, emergency };

/// What the person did with a form.
pub fn Answer(comptime T: type) type {
    return struct {
        accepted: bool,
        declined: bool,
        /// What was filled in, if it was accepted.
        value: ?T,
    };
}

pub const Response = struct { status: u16, body: []const u8 };

/// The call being served.
pub const Call = struct {
    raw: *c.Call,

    /// Memory for the time of the call.
    pub fn allocator(call: Call) std.mem.Allocator {
        return .{ .ptr = call.raw, .vtable = &.{ .alloc = alloc, .resize = resize, .remap = remap, .free = free } };
    }

    /// A text, formatted.
    pub fn print(call: Call, comptime format: []const u8, args: anytype) error{OutOfMemory}![:0]const u8 {
        return std.fmt.allocPrintSentinel(call.allocator(), format, args, 0);
    }

    /// Reads JSON.
    pub fn parse(call: Call, comptime T: type, text: []const u8) !T {
        return std.json.parseFromSliceLeaky(T, call.allocator(), text, .{ .ignore_unknown_fields = true, .allocate = .alloc_always });
    }

    /// Writes JSON.
    pub fn stringify(call: Call, value: anytype) error{OutOfMemory}![]const u8 {
        return std.json.Stringify.valueAlloc(call.allocator(), value, .{});
    }

    /// Fails the tool with a text for the model: what is wrong, and what would be right. `return call.fail(…)`.
    pub fn fail(call: Call, comptime format: []const u8, args: anytype) Error {
        const text = call.print(format, args) catch "out of memory";
        c.tc_fail(call.raw, "%s", text.ptr);
        return error.ToolFailed;
    }

    /// What the host said about the last request that failed.
    pub fn why(call: Call) []const u8 {
        return std.mem.span(c.tc_why(call.raw));
    }

    pub fn name(call: Call) []const u8 {
        return c.text(c.tc_name(call.raw));
    }

    /// Asks the person to fill in the fields of `T`. `try` it: the handler is called again, from its beginning, with the answer.
    pub fn elicit(call: Call, comptime T: type, key: [:0]const u8, message: [:0]const u8) !Answer(T) {
        const found = c.tc_ask_form(call.raw, key, message, schema.fields(T)) orelse return error.InputRequired;
        const accepted = found.kind == c.accepted;
        const value = if (accepted and found.value != null)
            try call.parse(T, c.text(c.tc_json_text(call.raw, found.value)))
        else
            null;
        return .{ .accepted = accepted, .declined = found.kind == c.declined, .value = value };
    }

    /// Asks the person to visit an https: page; says whether they accepted.
    pub fn elicitUrl(call: Call, key: [:0]const u8, message: [:0]const u8, url: [:0]const u8) Error!bool {
        const found = c.tc_ask_url(call.raw, key, message, url) orelse return error.InputRequired;
        return found.kind == c.accepted;
    }

    /// Asks the client's model. Both are JSON: params and result of sampling/createMessage.
    pub fn sample(call: Call, key: [:0]const u8, params: anytype) ![]const u8 {
        const json = try call.print("{s}", .{try call.stringify(params)});
        return call.answered(c.tc_ask_sample(call.raw, key, json));
    }

    /// Asks for the client's roots, as JSON: [{"uri", "name"}].
    pub fn roots(call: Call, key: [:0]const u8) ![]const u8 {
        return call.answered(c.tc_ask_roots(call.raw, key));
    }

    fn answered(call: Call, found: ?*const c.Answer) Error![]const u8 {
        const there = found orelse return error.InputRequired;
        if (there.kind == c.failed) return call.fail("the client could not answer: {s}", .{c.text(there.why)});
        return c.text(c.tc_json_text(call.raw, there.value));
    }

    /// A total of 0 is not known.
    pub fn progress(call: Call, done: f64, total: f64, comptime format: []const u8, args: anytype) error{OutOfMemory}!void {
        c.tc_progress(call.raw, done, total, try call.print(format, args));
    }

    /// Writes anything that can be written as JSON to the log.
    pub fn log(call: Call, level: Level, logger: ?[:0]const u8, data: anytype) error{OutOfMemory}!void {
        const ptr: ?[*:0]const u8 = if (logger) |said| said.ptr else null;
        c.tc_log_json(call.raw, @intFromEnum(level), ptr, c.str(try call.stringify(data)));
    }

    pub fn isCancelled(call: Call) bool {
        return c.tc_is_cancelled(call.raw);
    }

    /// Who is calling, for how long, and what the client can do.
    pub fn context(call: Call) c.Context {
        return c.tc_context_now(call.raw);
    }

    /// The value of a key; null if it is not there.
    pub fn get(call: Call, key: [:0]const u8) HostError!?[]const u8 {
        var value: c.Value = .{};
        try check(c.tc_kv_get(call.raw, key, &value));
        return if (value.absent) null else c.text(value.bytes);
    }

    pub fn set(call: Call, key: [:0]const u8, value: []const u8) HostError!void {
        try check(c.tc_kv_set(call.raw, key, c.str(value)));
    }

    pub fn delete(call: Call, key: [:0]const u8) HostError!void {
        try check(c.tc_kv_delete(call.raw, key));
    }

    /// Sets a key (or removes it, with null) if its value is still `expected`. If another is there (`error.Conflict`), that is in
    /// `expected` then.
    pub fn swap(call: Call, key: [:0]const u8, expected: *?[]const u8, value: ?[]const u8) HostError!void {
        var old: c.Value = .from(expected.*);
        const status = c.tc_kv_swap(call.raw, key, &old, .from(value));
        expected.* = if (old.absent) null else c.text(old.bytes);
        try check(status);
    }

    /// The keys that begin with `prefix`, in byte order.
    pub fn keys(call: Call, prefix: [:0]const u8) ![]const [:0]const u8 {
        var found: [*]const c.Str = undefined;
        var count: usize = 0;
        try check(c.tc_kv_keys(call.raw, prefix, &found, &count));
        const all = try call.allocator().alloc([:0]const u8, count);
        for (all, 0..) |*key, i| key.* = found[i].ptr[0..found[i].len :0];
        return all;
    }

    /// Runs another tool of this host; the result is its text.
    pub fn peer(call: Call, other: [:0]const u8, arguments: anytype) ![]const u8 {
        var result: c.PeerResult = undefined;
        const json = try call.print("{s}", .{try call.stringify(arguments)});
        try check(c.tc_peer(call.raw, other, json, &result));
        if (result.is_error) return call.fail("{s}", .{c.text(result.text)});
        return c.text(result.text);
    }

    /// Asks for a page.
    pub fn httpGet(call: Call, url: [:0]const u8) HostError!Response {
        return call.http(.{ .url = url });
    }

    pub fn http(call: Call, request: c.HttpRequest) HostError!Response {
        var response: c.HttpResponse = undefined;
        try check(c.tc_http(call.raw, &request, &response));
        return .{ .status = @intCast(response.status), .body = c.text(response.body) };
    }

    /// How many characters a text has.
    pub fn length(_: Call, text: []const u8) usize {
        return c.tc_length(c.str(text));
    }

    fn failed(call: Call, err: anyerror) void {
        switch (err) {
            // It is in the call already.
            error.InputRequired, error.ToolFailed => {},
            error.Refused, error.LimitReached, error.NotFound, error.InvalidRequest, error.HostFailed => {
                c.tc_fail(call.raw, "%s", c.tc_why(call.raw));
            },
            else => c.tc_fail(call.raw, "%s", @errorName(err).ptr),
        }
    }

    fn answer(call: Call, comptime Out: type, out: Out) void {
        if (Out == void) return;
        if (Out == []const u8) return c.tc_text(call.raw, c.str(out));
        const wrapped = @hasDecl(Out, "Structured");
        const json = call.stringify(if (wrapped) out.value else out) catch return call.failed(error.OutOfMemory);
        if (wrapped) c.tc_text(call.raw, c.str(out.text));
        c.tc_structured_json(call.raw, c.str(json));
    }

    fn alloc(raw: *anyopaque, len: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
        // What the C SDK gives is aligned to 16.
        if (alignment.toByteUnits() > 16) return null;
        return @ptrCast(c.tc_alloc(@ptrCast(raw), len));
    }
    fn resize(_: *anyopaque, memory: []u8, _: std.mem.Alignment, len: usize, _: usize) bool {
        return len <= memory.len;
    }
    fn remap(_: *anyopaque, memory: []u8, _: std.mem.Alignment, len: usize, _: usize) ?[*]u8 {
        return if (len <= memory.len) memory.ptr else null;
    }
    fn free(_: *anyopaque, _: []u8, _: std.mem.Alignment, _: usize) void {}
};
