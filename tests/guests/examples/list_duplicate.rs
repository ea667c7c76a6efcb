//! Lists one name twice. Which of the two would answer?

use toolcell_guests::{ListResult, listed, listing, tool};

listing!(list_duplicate);

fn list_duplicate() -> ListResult {
    Ok(listed(vec![
        tool("same", "The first of that name."),
        tool("other", "Not concerned."),
        tool("same", "The second of that name."),
    ]))
}
