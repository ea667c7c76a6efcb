//! Lists no tools at all.

use toolcell_guests::{ListResult, listed, listing};

listing!(list_none);

fn list_none() -> ListResult {
    Ok(listed(Vec::new()))
}
