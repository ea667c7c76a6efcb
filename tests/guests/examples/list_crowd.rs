//! Lists as many tools as a host can be told to accept.

use toolcell_guests::{ListResult, listed, listing, tool};

listing!(list_crowd);

fn list_crowd() -> ListResult {
    Ok(listed((0..10_000).map(|n| tool(format!("tool_{n}"), "One of very many.")).collect()))
}
