const std = @import("std");
const toolcell = @import("toolcell");

const Greet = struct {
    name: []const u8,
    pub const about = .{ .name = .{ .doc = "Whom to greet." } };
};

fn greet(call: toolcell.Call, in: Greet) ![]const u8 {
    return call.print("Hello, {s}!", .{in.name});
}

comptime {
    toolcell.plugin(.{ .tools = &.{
        toolcell.tool("greet", "Greets someone by name.", greet, .{
            .title = "Greet",
            .read_only = true,
            .idempotent = true,
            .open_world = false,
        }),
    } });
}

test "it greets by name" {
    const result = toolcell.testing.call("greet", "{\"name\":\"Ada\"}");
    try std.testing.expectEqualStrings("Hello, Ada!", result.text);
}
