//! Calls the host for ever, each call a short one: the time goes by in the host as much as in the guest.

use toolcell_guests::bindings::toolcell::plugin::context;
use toolcell_guests::{Args, time, tool};

tool!(spin_host, "Never returns.");

fn spin_host(_: &Args) -> String {
    loop {
        let _ = context::is_cancelled();
        let _ = time::now_ms();
    }
}
