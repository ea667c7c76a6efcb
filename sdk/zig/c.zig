//! The C SDK (toolcell.h), as far as Zig uses it.

pub const Call = opaque {};
pub const Json = opaque {};

pub const Str = extern struct { ptr: [*]const u8 = "", len: usize = 0 };

pub fn str(slice: []const u8) Str {
    return .{ .ptr = slice.ptr, .len = slice.len };
}

pub fn text(from: Str) []const u8 {
    return from.ptr[0..from.len];
}

const CText = ?[*:0]const u8;

pub const Field = extern struct {
    name: CText = null,
    doc: CText = null,
    title: CText = null,
    type: c_int = 0,
    required: bool = false,
    min: f64 = 0,
    max: f64 = 0,
    values: ?*const anyopaque = null,
    fallback: CText = null,
    pattern: CText = null,
    format: CText = null,
    fields: ?[*]const Field = null,
    items: ?[*]const Field = null,
    also: CText = null,
};

pub const Tool = extern struct {
    name: CText = null,
    title: CText = null,
    description: CText = null,
    args: ?[*]const Field = null,
    input_schema: CText = null,
    result: ?[*]const Field = null,
    output_schema: CText = null,
    hints: c_uint = 0,
    task: c_int = 0,
    ui: CText = null,
    icons: ?*const anyopaque = null,
    meta: CText = null,
    run: *const fn (*Call) callconv(.c) void,
    data: ?*anyopaque = null,
};

pub const Tools = extern struct { rows: [*]const Tool, count: usize };

pub const Answer = extern struct { kind: c_int, value: ?*Json, why: Str };
pub const accepted = 0;
pub const declined = 1;
pub const failed = 3;

pub const invalid_arguments = 2;

pub const Value = extern struct {
    absent: bool = false,
    bytes: Str = .{},

    pub fn from(value: ?[]const u8) Value {
        return .{ .absent = value == null, .bytes = str(value orelse "") };
    }
};

pub const PeerResult = extern struct { is_error: bool, text: Str, structured: ?*Json };

pub const Context = extern struct {
    has_caller: bool,
    principal: Str,
    claims: Str,
    client_name: Str,
    client_version: Str,
    abilities: c_uint,
    remaining_ms: u64,
    traceparent: Str,
    tracestate: Str,
    baggage: Str,
    meta: Str,
};

pub const Header = extern struct { name: Str, value: Str };
pub const HttpRequest = extern struct {
    method: CText = null,
    url: [*:0]const u8,
    headers: ?[*]const Header = null,
    header_count: usize = 0,
    body: Str = .{},
    /// For everything; 0 leaves it to the host.
    timeout_ms: u64 = 0,
    /// Bytes of the response's body; 0 is 4 MiB.
    most: usize = 0,
};
pub const HttpResponse = extern struct { status: c_int, headers: [*]Header, header_count: usize, body: Str };

pub extern fn tc_alloc(call: *Call, size: usize) *anyopaque;
pub extern fn tc_name(call: *const Call) Str;
pub extern fn tc_args(call: *const Call) ?*Json;
pub extern fn tc_json_text(call: *Call, value: ?*Json) Str;
pub extern fn tc_text(call: *Call, text: Str) void;
pub extern fn tc_structured_json(call: *Call, json: Str) void;
pub extern fn tc_fail(call: *Call, format: [*:0]const u8, ...) void;
pub extern fn tc_error(call: *Call, kind: c_int, format: [*:0]const u8, ...) void;
pub extern fn tc_why(call: *const Call) [*:0]const u8;
pub extern fn tc_ask_form(call: *Call, key: [*:0]const u8, message: [*:0]const u8, fields: [*]const Field) ?*const Answer;
pub extern fn tc_ask_url(call: *Call, key: [*:0]const u8, message: [*:0]const u8, url: [*:0]const u8) ?*const Answer;
pub extern fn tc_ask_sample(call: *Call, key: [*:0]const u8, params: [*:0]const u8) ?*const Answer;
pub extern fn tc_ask_roots(call: *Call, key: [*:0]const u8) ?*const Answer;
pub extern fn tc_progress(call: *Call, progress: f64, total: f64, message: CText) void;
pub extern fn tc_log_json(call: *Call, level: c_int, logger: CText, json: Str) void;
pub extern fn tc_is_cancelled(call: *Call) bool;
pub extern fn tc_context_now(call: *Call) Context;
pub extern fn tc_kv_get(call: *Call, key: [*:0]const u8, value: *Value) c_int;
pub extern fn tc_kv_set(call: *Call, key: [*:0]const u8, value: Str) c_int;
pub extern fn tc_kv_delete(call: *Call, key: [*:0]const u8) c_int;
pub extern fn tc_kv_swap(call: *Call, key: [*:0]const u8, expected: *Value, value: Value) c_int;
pub extern fn tc_kv_keys(call: *Call, prefix: [*:0]const u8, keys: *[*]const Str, count: *usize) c_int;
pub extern fn tc_peer(call: *Call, tool: [*:0]const u8, arguments: [*:0]const u8, result: *PeerResult) c_int;
pub extern fn tc_http(call: *Call, request: *const HttpRequest, response: *HttpResponse) c_int;
pub extern fn tc_length(text: Str) usize;
