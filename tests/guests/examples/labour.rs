//! Computes for a number of turns and then ends: work that takes the same processor time whoever else runs.

use std::hint::black_box;

use toolcell_guests::{Args, tool};

tool!(labour, "Computes for `turns` turns (default 1000) and returns how many they were.");

fn labour(args: &Args) -> u64 {
    let turns = args.number("turns", 1000);
    for turn in 0..turns {
        black_box(turn);
    }
    turns
}
