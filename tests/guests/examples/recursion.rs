//! Calls itself until a stack ends: the one the engine keeps for wasm frames, or the one the compiler keeps in linear
//! memory for what needs an address.

use std::hint::black_box;

use toolcell_guests::{Args, tool};

tool!(recursion, "Never returns. `stack`: `wasm` (default) or `memory`, which of the two stacks to exhaust.");

fn recursion(args: &Args) -> String {
    let turns = match args.text("stack", "wasm") {
        "memory" => in_memory(black_box(1)),
        _ => in_frames(black_box(1)),
    };
    format!("recursion:stack:done:{turns}")
}

/// The rotation keeps the compiler from making a loop of it: the work is still to do when the inner call returns.
#[inline(never)]
fn in_frames(n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    in_frames(n.wrapping_add(1)).rotate_left(7) ^ n
}

#[inline(never)]
fn in_memory(n: u64) -> u64 {
    let room = black_box([n; 64]);
    if room[0] == 0 {
        return 0;
    }
    in_memory(n.wrapping_add(1)).rotate_left(7) ^ room[63]
}
