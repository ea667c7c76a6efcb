//! Refuses to list.

use toolcell_guests::{CallError, ListResult, listing};

listing!(list_fails);

fn list_fails() -> ListResult {
    Err(CallError::Unavailable("no list today".to_owned()))
}
