//! JSON Schema (2020-12) from types, at compile time.
//!
//! `pub const about` in a struct says more of its fields: `.{ .title = .{ .doc = "…", .min = 1, .max = 200 } }`; what it may say:
//! `doc`, `title`, `min`, `max` (of a number, of the length of a text, of the number of items), `pattern`, `format`.
//! A field with a default, or that is optional, may be left out.

const std = @import("std");
const c = @import("c.zig");

/// The schema of a type, as text.
pub fn of(comptime T: type) [:0]const u8 {
    return comptime text: {
        @setEvalBranchQuota(100_000);
        break :text "{" ++ members(T) ++ "}";
    };
}

fn members(comptime T: type) [:0]const u8 {
    if (isText(T)) return "\"type\":\"string\"";
    return switch (@typeInfo(T)) {
        .optional => |info| members(info.child),
        .bool => "\"type\":\"boolean\"",
        .int => |info| if (info.signedness == .unsigned) "\"type\":\"integer\",\"minimum\":0" else "\"type\":\"integer\"",
        .float => "\"type\":\"number\"",
        .@"enum" => "\"type\":\"string\",\"enum\":" ++ names(T),
        .pointer => |info| "\"type\":\"array\",\"items\":" ++ of(info.child),
        .array => |info| "\"type\":\"array\",\"items\":" ++ of(info.child),
        .@"struct" => object(T),
        else => @compileError(@typeName(T) ++ " cannot be written as JSON"),
    };
}

fn isText(comptime T: type) bool {
    return T == []const u8 or T == [:0]const u8;
}

fn names(comptime T: type) [:0]const u8 {
    comptime var list: [:0]const u8 = "";
    inline for (comptime std.enums.values(T), 0..) |value, i| {
        list = list ++ (if (i == 0) "" else ",") ++ quoted(@tagName(value));
    }
    return "[" ++ list ++ "]";
}

fn object(comptime T: type) [:0]const u8 {
    const all = std.meta.fieldNames(T);
    if (all.len == 0) return "\"type\":\"object\",\"additionalProperties\":false";
    comptime var properties: [:0]const u8 = "";
    comptime var required: [:0]const u8 = "";
    inline for (all) |name| {
        properties = properties ++ (if (properties.len == 0) "" else ",") ++ quoted(name) ++ ":{" ++ field(T, name) ++ "}";
        if (isRequired(T, name)) required = required ++ (if (required.len == 0) "" else ",") ++ quoted(name);
    }
    const end = if (required.len == 0) "" else ",\"required\":[" ++ required ++ "]";
    return "\"type\":\"object\",\"properties\":{" ++ properties ++ "}" ++ end;
}

fn isRequired(comptime T: type, comptime name: []const u8) bool {
    return @typeInfo(@FieldType(T, name)) != .optional and defaultOf(T, name) == null;
}

fn defaultOf(comptime T: type, comptime name: []const u8) ?@FieldType(T, name) {
    const info = @typeInfo(T).@"struct";
    inline for (info.field_names, info.field_attrs) |other, attrs| {
        if (comptime std.mem.eql(u8, other, name)) return attrs.defaultValue(@FieldType(T, name));
    }
    return null;
}

/// The members of a field's schema.
fn field(comptime T: type, comptime name: []const u8) [:0]const u8 {
    const Type = @FieldType(T, name);
    comptime var said: [:0]const u8 = members(Type);
    if (@hasDecl(T, "about") and @hasField(@TypeOf(T.about), name)) {
        const about = @field(T.about, name);
        const kind: enum { number, text, list } = if (isText(Type)) .text else switch (@typeInfo(Type)) {
            .pointer, .array => .list,
            else => .number,
        };
        if (@hasField(@TypeOf(about), "title")) said = said ++ ",\"title\":" ++ quoted(about.title);
        if (@hasField(@TypeOf(about), "doc")) said = said ++ ",\"description\":" ++ quoted(about.doc);
        if (@hasField(@TypeOf(about), "pattern")) said = said ++ ",\"pattern\":" ++ quoted(about.pattern);
        if (@hasField(@TypeOf(about), "format")) said = said ++ ",\"format\":" ++ quoted(about.format);
        if (@hasField(@TypeOf(about), "min")) said = said ++ switch (kind) {
            .number => ",\"minimum\":",
            .text => ",\"minLength\":",
            .list => ",\"minItems\":",
        } ++ std.fmt.comptimePrint("{d}", .{about.min});
        if (@hasField(@TypeOf(about), "max")) said = said ++ switch (kind) {
            .number => ",\"maximum\":",
            .text => ",\"maxLength\":",
            .list => ",\"maxItems\":",
        } ++ std.fmt.comptimePrint("{d}", .{about.max});
    }
    if (defaultOf(T, name)) |value| said = said ++ json(Type, value);
    return said;
}

fn json(comptime T: type, comptime value: T) [:0]const u8 {
    const text = if (isText(T)) quoted(value) else switch (@typeInfo(T)) {
        .@"enum" => quoted(@tagName(value)),
        .bool => if (value) "true" else "false",
        .int, .float => std.fmt.comptimePrint("{d}", .{value}),
        else => return "",
    };
    return ",\"default\":" ++ text;
}

fn quoted(comptime text: []const u8) [:0]const u8 {
    comptime var out: [:0]const u8 = "\"";
    inline for (text) |byte| {
        out = out ++ switch (byte) {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\t' => "\\t",
            else => &[_:0]u8{byte},
        };
    }
    return out ++ "\"";
}

/// The fields of a form, as the C SDK takes them.
pub fn fields(comptime T: type) [*]const c.Field {
    const all = comptime rows: {
        @setEvalBranchQuota(100_000);
        const listed = std.meta.fieldNames(T);
        var rows: [listed.len + 1]c.Field = undefined;
        for (listed, 0..) |name, i| {
            const named: [:0]const u8 = name ++ "";
            rows[i] = .{ .name = named, .required = isRequired(T, name), .also = field(T, name) };
        }
        rows[listed.len] = .{};
        break :rows rows;
    };
    return &all;
}

test "a struct becomes a schema" {
    const Args = struct {
        title: []const u8,
        state: enum { open, done } = .open,
        limit: ?u8 = null,
        pub const about = .{ .title = .{ .doc = "What \"it\" is.", .min = 1, .max = 200 } };
    };
    try std.testing.expectEqualStrings(
        "{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"description\":\"What \\\"it\\\" is.\",\"minLength\":1," ++
            "\"maxLength\":200},\"state\":{\"type\":\"string\",\"enum\":[\"open\",\"done\"],\"default\":\"open\"}," ++
            "\"limit\":{\"type\":\"integer\",\"minimum\":0}},\"required\":[\"title\"]}",
        of(Args),
    );
    try std.testing.expectEqualStrings("{\"type\":\"object\",\"additionalProperties\":false}", of(struct {}));
}
