#include <toolcell.hpp>

TOOLCELL_PLUGIN(plugin) {
    plugin.tool("greet", "Greets someone by name.")
        .title("Greet")
        .read_only()
        .idempotent()
        .open_world(false)
        .arg(toolcell::string("name", "Whom to greet."))
        .run([](toolcell::call &call) -> toolcell::result { return "Hello, " + call.str("name") + "!"; });
}
