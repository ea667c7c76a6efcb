//! The stack of a guest that crashed, in words for its author.

use super::log::printable;
use wasmtime::WasmBacktrace;

/// A name longer than this is cut, in characters: generic code has very long ones.
const MAX_NAME: usize = 160;

/// The functions the guest was in, the innermost first, by the names its component has for them. Runs of the same function
/// are one line.
pub(super) fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    // wasmtime demangles only where it prints.
    names(&backtrace.to_string())
}

fn names(printed: &str) -> Vec<String> {
    let mut frames: Vec<(String, usize)> = Vec::new();
    for line in printed.lines().skip(1) {
        let line = line.trim();
        let Some((at, frame)) = line.split_once(": ") else { continue };
        let frame = if at.chars().all(|c| c.is_ascii_digit()) { frame } else { line };
        let name = match frame.trim().split_once(" - ") {
            Some((_, name)) => name,
            None => frame.trim(),
        };
        let name = name.split_once('!').map_or(name, |(_module, name)| name);
        let name: String = printable(plain(name).as_bytes()).chars().take(MAX_NAME).collect();
        match frames.last_mut() {
            Some((last, times)) if *last == name => *times += 1,
            _ => frames.push((name, 1)),
        }
    }
    let line = |(name, times): (String, usize)| if times > 1 { format!("{name} (×{times})") } else { name };
    frames.into_iter().map(line).collect()
}

/// A name without what only a linker needs: hashes of functions and of crates.
fn plain(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('[') {
        let (before, from) = rest.split_at(at);
        text += before;
        let hash = from.get(1..17).filter(|hash| is_hex(hash)).is_some() && from.get(17..18) == Some("]");
        let (kept, after) = from.split_at(if hash { 18 } else { 1 });
        if !hash {
            text += kept;
        }
        rest = after;
    }
    text += rest;
    match text.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && is_hex(hash) => name.to_owned(),
        _ => text,
    }
}

fn is_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_names_of_functions() {
        let printed = "error while executing at wasm backtrace:
    0: recursion-31ab982218427bbc.wasm!recursion::in_frames::hbf43bdd8fe36eab5
    1:   0x44ef - recursion-31ab982218427bbc.wasm!recursion::in_frames::hbf43bdd8fe36eab5
    2:   0x44ef - recursion-31ab982218427bbc.wasm!recursion::in_frames::hbf43bdd8fe36eab5
    3:   0x8506 - a.wasm!std[d123b7a1a2ed1472]::panicking::panic_with_hook
    4:   0x1f7a - a.wasm!toolcell:plugin/tools@0.1.0#call-tool
    5:   0x1f7a - <unknown>!<wasm function 12>";
        assert_eq!(
            names(printed),
            [
                "recursion::in_frames (×3)",
                "std::panicking::panic_with_hook",
                "toolcell:plugin/tools@0.1.0#call-tool",
                "<wasm function 12>"
            ]
        );
    }

    #[test]
    fn brackets_that_hold_no_hash_stay() {
        assert_eq!(plain("<[u8] as a::B[0123456789abcdef]>::c"), "<[u8] as a::B>::c");
        assert_eq!(plain("main.(*List).add"), "main.(*List).add");
    }
}
