const toolcell = @import("toolcell");

const Echo = struct {
    message: []const u8,
    pub const about = .{ .message = .{ .doc = "What to say back." } };
};

fn echo(_: toolcell.Call, in: Echo) ![]const u8 {
    return in.message;
}

comptime {
    toolcell.plugin(.{ .tools = &.{
        toolcell.tool("echo", "Says back the message, unchanged.", echo, .{
            .title = "Echo",
            .read_only = true,
            .idempotent = true,
            .open_world = false,
        }),
    } });
}

test "the message comes back" {
    const result = toolcell.testing.call("echo", "{\"message\":\"hi \\u00e9\"}");
    try @import("std").testing.expectEqualStrings("hi \u{e9}", result.text);
}
