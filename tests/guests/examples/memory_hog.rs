//! Takes memory until there is no more. Asked politely it reports how far it came; otherwise the failed allocation
//! aborts, as it does in a program that never thought of it.

use std::hint::black_box;

use toolcell_guests::{Args, Report, tool};

const MIB: usize = 1024 * 1024;

tool!(memory_hog, "Takes memory until refused. `how`: `polite` (default) reports, `abort` dies of it.");

fn memory_hog(args: &Args) -> Report {
    let polite = args.text("how", "polite") == "polite";
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if polite && block.try_reserve_exact(MIB).is_err() {
            // Room for the report itself.
            let mib = taken.len();
            drop(taken);
            let mut report = Report::new();
            report.add("grow", "memory", Err::<&str, _>(format!("after {mib} MiB")));
            return report;
        }
        block.resize(MIB, 1);
        taken.push(black_box(block));
    }
}
