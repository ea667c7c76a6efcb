//! Lists 100,000 tools.

use toolcell_guests::{ListResult, listed, listing, tool};

listing!(list_many);

fn list_many() -> ListResult {
    Ok(listed((0..100_000).map(|n| tool(format!("tool_{n}"), "One of many.")).collect()))
}
