#include <toolcell.h>

static void greet(tc_call *c) { tc_textf(c, "Hello, %s!", tc_arg_cstr(c, "name")); }

TOOLCELL_TOOLS({
    .name = "greet",
    .title = "Greet",
    .description = "Greets someone by name.",
    .args = TC_FIELDS({ .name = "name", .type = TC_STRING, .doc = "Whom to greet.", .required = true }),
    .hints = TC_READ_ONLY | TC_IDEMPOTENT | TC_CLOSED_WORLD,
    .run = greet,
})
