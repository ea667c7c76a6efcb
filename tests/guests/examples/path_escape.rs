//! Tries to get out of a directory it was given, or to write where it may only read.

use std::fs;
use std::io;
use std::path::Path;

use toolcell_guests::{Args, Report, tool};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

tool!(
    path_escape,
    "Tries to leave `dir` (default /data) and to read `target` (default /etc/passwd, an absolute path of the host). \
     `write`: a path below `dir` to write to."
);

fn path_escape(args: &Args) -> Report {
    let dir = args.text("dir", "/data");
    let target = args.text("target", "/etc/passwd");
    let mut report = Report::new();
    read_outside(&mut report, dir, target);
    let given = get_directories();
    match given.iter().find(|(_, name)| name == dir) {
        Some((descriptor, _)) => {
            links(&mut report, descriptor, dir, target);
            moves(&mut report, dir);
            raw(&mut report, descriptor, target);
        }
        None => report.add("open", dir, Err::<&str, _>("not among the directories given")),
    }
    let inside = args.text("write", "");
    if !inside.is_empty() {
        let path = format!("{dir}/{inside}");
        report.add("write", &path, fs::write(&path, "written").map(|()| "7 bytes"));
    }
    report
}

fn bytes(read: io::Result<Vec<u8>>) -> io::Result<String> {
    read.map(|bytes| format!("{} bytes", bytes.len()))
}

/// The name of the error code: its number says nothing, and the C library has words of its own for it.
fn named<T>(done: Result<T, ErrorCode>) -> Result<T, &'static str> {
    done.map_err(|code| code.name())
}

fn read_outside(report: &mut Report, dir: &str, target: &str) {
    let up = "../".repeat(12);
    let target_below = target.trim_start_matches('/');
    for path in [
        target.to_owned(),
        format!("{dir}/{up}{target_below}"),
        format!("{dir}/.//../{dir}/../{up}{target_below}"),
        format!("{dir}{target}\0"),
        format!("{dir}/..\\..\\..\\{target_below}"),
    ] {
        report.add("read", &path.replace('\0', "\\0"), bytes(fs::read(&path)));
    }
    for path in [format!("{dir}/.."), "/".to_owned(), "/proc/self".to_owned()] {
        let listed = fs::read_dir(&path).map(|entries| format!("{} entries", entries.count()));
        report.add("list", &path, listed);
    }
}

/// Symbolic links out of the directory and through each other, read back where they could be made.
fn links(report: &mut Report, given: &Descriptor, dir: &str, target: &str) {
    let up = format!("{}{}", "../".repeat(12), target.trim_start_matches('/'));
    for (name, to) in [("link-relative", up.as_str()), ("link-absolute", target), ("link-parent", "..")] {
        let at = format!("{dir}/{name}");
        let _ = fs::remove_file(&at);
        let made = given.symlink_at(to, name);
        report.add("symlink", &format!("{at}->{to}"), named(made.map(|()| "made")));
        let through =
            if name == "link-parent" { format!("{at}/{}", target.trim_start_matches('/')) } else { at.clone() };
        report.add("read", &through, bytes(fs::read(&through)));
    }
    // Links that the test put there before, if it did.
    for name in ["outside-file", "outside-dir"] {
        let at = format!("{dir}/{name}");
        if fs::symlink_metadata(&at).is_ok() {
            report.add("read", &at, bytes(fs::read(&at)));
            report.add("write", &at, fs::write(&at, "x").map(|()| "1 byte"));
            let below = format!("{at}/escaped");
            report.add("write", &below, fs::write(&below, "x").map(|()| "1 byte"));
        }
    }
    let hard = format!("{dir}/hard");
    let _ = fs::remove_file(&hard);
    report.add("link", &format!("{hard}->{target}"), fs::hard_link(target, &hard).map(|()| "made"));
    report.add("read", &hard, bytes(fs::read(&hard)));
}

fn moves(report: &mut Report, dir: &str) {
    let own = format!("{dir}/own");
    report.add("write", &own, fs::write(&own, "own").map(|()| "3 bytes"));
    for to in [format!("{dir}/../moved"), "/moved".to_owned(), "/tmp/moved".to_owned()] {
        report.add("rename", &format!("{own}->{to}"), fs::rename(&own, &to).map(|()| "moved"));
    }
    let into = Path::new(dir).join("../made");
    report.add("mkdir", &into.display().to_string(), fs::create_dir(&into).map(|()| "made"));
}

/// The same below the C library, which would clean a path before the host sees it.
fn raw(report: &mut Report, dir: &Descriptor, target: &str) {
    let up = format!("{}{}", "../".repeat(12), target.trim_start_matches('/'));
    for path in [target, up.as_str(), "./../.", "..", "a/../../.", ""] {
        for follow in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
            let opened = dir.open_at(follow, path, OpenFlags::empty(), DescriptorFlags::READ);
            report.add("open-at", path, named(opened.map(|_| "opened")));
        }
    }
    let linked = dir.symlink_at(target, "raw-absolute");
    report.add("symlink-at", target, named(linked.map(|()| "made")));
    let linked = dir.link_at(PathFlags::SYMLINK_FOLLOW, &up, dir, "raw-hard");
    report.add("link-at", &up, named(linked.map(|()| "made")));
    let moved = dir.rename_at("own", dir, "../raw-moved");
    report.add("rename-at", "../raw-moved", named(moved.map(|()| "moved")));
}
