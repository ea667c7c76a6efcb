//! Dies while it lists.

use toolcell_guests::{ListResult, listing};

listing!(list_panics);

fn list_panics() -> ListResult {
    panic!("this guest panics while listing")
}
