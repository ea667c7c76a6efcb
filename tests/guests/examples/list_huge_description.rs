//! Lists one tool whose description is 50 MB.

use toolcell_guests::{ListResult, listed, listing, tool};

listing!(list_huge_description);

fn list_huge_description() -> ListResult {
    Ok(listed(vec![tool("huge_description", "x".repeat(50_000_000))]))
}
