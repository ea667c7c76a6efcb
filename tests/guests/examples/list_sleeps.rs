//! Waits in a host call instead of listing.

use toolcell_guests::{ListResult, listed, listing, time};

listing!(list_sleeps);

fn list_sleeps() -> ListResult {
    time::wait_ns(u64::MAX);
    Ok(listed(Vec::new()))
}
