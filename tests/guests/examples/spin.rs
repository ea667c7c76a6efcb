//! Computes for ever and calls nobody.

use std::hint::black_box;

use toolcell_guests::{Args, tool};

tool!(spin, "Never returns.");

fn spin(_: &Args) -> String {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
