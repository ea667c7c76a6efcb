//! Plays the host in a plugin's unit tests, on the machine itself: `toolcell test` compiles them with the C SDK's testing host.

const std = @import("std");

/// How a call ended. All of it lives until the program ends.
pub const Result = struct {
    /// The texts of the content, a line each.
    text: []const u8,
    /// The structured result; empty if there is none.
    json: []const u8,
    is_error: bool,
    /// What the person was asked last; empty if nothing.
    asked: []const u8,
    /// A question had no answer: the call waits for it.
    open: bool,
};

const CResult = extern struct {
    text: [*:0]const u8,
    json: [*:0]const u8,
    is_error: bool,
    @"error": c_int,
    asked: [*:0]const u8,
    open: bool,
};

extern fn tct_reset() void;
extern fn tct_call(tool: [*:0]const u8, arguments: [*:0]const u8) CResult;
extern fn tct_accept(key: [*:0]const u8, json: [*:0]const u8) void;
extern fn tct_decline(key: [*:0]const u8) void;
extern fn tct_web(url: [*:0]const u8, status: c_int, body: [*:0]const u8) void;
extern fn tct_conflicts(conflicts: c_int) void;
extern fn tct_heard() [*:0]const u8;
extern fn tct_stored(key: [*:0]const u8) ?[*:0]const u8;

/// Forgets what was stored, answered, reported and logged.
pub fn reset() void {
    tct_reset();
}

/// Calls a tool, with answers to what it asks. `arguments` is JSON.
pub fn call(tool: [:0]const u8, arguments: [:0]const u8) Result {
    const from = tct_call(tool, arguments);
    return .{
        .text = std.mem.span(from.text),
        .json = std.mem.span(from.json),
        .is_error = from.is_error,
        .asked = std.mem.span(from.asked),
        .open = from.open,
    };
}

/// Accepts the question of this key, with a JSON value.
pub fn accept(key: [:0]const u8, json: [:0]const u8) void {
    tct_accept(key, json);
}

/// Says no to it.
pub fn decline(key: [:0]const u8) void {
    tct_decline(key);
}

/// What the web answers to a URL; a status of 0 is a refusal of the host, with `body` as its reason.
pub fn web(url: [:0]const u8, status: c_int, body: [:0]const u8) void {
    tct_web(url, status, body);
}

/// The first `count` swaps meet another value, as if another call had been faster.
pub fn conflicts(count: c_int) void {
    tct_conflicts(count);
}

/// Everything reported or logged, a line each: `progress 1/3 Removed 1: a`, `log todo {"a":1}`.
pub fn heard() []const u8 {
    return std.mem.span(tct_heard());
}

/// What the store holds.
pub fn stored(key: [:0]const u8) ?[]const u8 {
    return std.mem.span(tct_stored(key) orelse return null);
}
