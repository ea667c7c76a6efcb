#include <toolcell.h>

static void echo(tc_call *c) { tc_text(c, tc_arg_str(c, "message")); }

TOOLCELL_TOOLS({
    .name = "echo",
    .title = "Echo",
    .description = "Says back the message, unchanged.",
    .args = TC_FIELDS({ .name = "message", .type = TC_STRING, .doc = "What to say back.", .required = true }),
    .hints = TC_READ_ONLY | TC_IDEMPOTENT | TC_CLOSED_WORLD,
    .run = echo,
})
