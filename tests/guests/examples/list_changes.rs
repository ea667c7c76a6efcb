//! Lists another tool each time it is asked.

use toolcell_guests::{ListResult, listed, listing, tool};
use wasip2::random::random::get_random_u64;

listing!(list_changes);

fn list_changes() -> ListResult {
    Ok(listed(vec![tool(format!("tool_{:x}", get_random_u64()), "Here today.")]))
}
