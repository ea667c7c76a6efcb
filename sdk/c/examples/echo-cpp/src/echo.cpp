#include <toolcell.hpp>

TOOLCELL_PLUGIN(plugin) {
    plugin.tool("echo", "Says back the message, unchanged.")
        .title("Echo")
        .read_only()
        .idempotent()
        .open_world(false)
        .arg(toolcell::string("message", "What to say back."))
        .run([](toolcell::call &call) -> toolcell::result { return call.str("message"); });
}
