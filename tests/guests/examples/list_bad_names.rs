//! Lists tools with names that a terminal, a log or a model would stumble over. The last one is good.

use toolcell_guests::{ListResult, Tool, listed, listing, tool};

listing!(list_bad_names);

fn list_bad_names() -> ListResult {
    let long = "x".repeat(129);
    let names = [
        "",
        " ",
        "nul\u{0}name",
        "escape\u{1b}[2J",
        "new\nline",
        "slash/name",
        "dot\u{202e}eman",
        "n\u{430}me", // a Cyrillic letter that looks like an a
        "with space",
        "🦀",
        &long,
    ];
    let mut tools: Vec<Tool> = names.iter().map(|name| tool(*name, "Has a name that is none.")).collect();
    tools.push(Tool {
        title: Some("title\u{0}\u{1b}[31m\u{202e}".to_owned()),
        ..tool("control_in_text", "nul \u{0} escape \u{1b}[2J override \u{202e} tags \u{e0041}")
    });
    tools.push(tool("good", "Is as it should be."));
    Ok(listed(tools))
}
