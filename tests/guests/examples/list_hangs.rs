//! Never finishes its list.

use toolcell_guests::{ListResult, listing};

listing!(list_hangs);

fn list_hangs() -> ListResult {
    loop {
        std::hint::spin_loop();
    }
}
