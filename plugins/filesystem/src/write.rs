//! Changing files and directories. A file is always replaced as a whole, so nobody sees half of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};

use crate::error::FsError;
use crate::mounts::Mounts;
use crate::path::Located;

/// Writes a file, new or in place of an old one.
///
/// # Errors
///
/// `ReadOnly`, `NoParent`, `IsDirectory`, or what the system says.
pub fn write_file(mounts: &Mounts, path: &str, content: &str) -> Result<String, FsError> {
    let at = mounts.locate_writable(path)?;
    replace(&at, content.as_bytes())?;
    Ok(format!("Successfully wrote to {path}"))
}

/// Makes a directory and those it is in.
///
/// # Errors
///
/// `ReadOnly`, `Exists` if there is a file of that name, or what the system says.
pub fn create_directory(mounts: &Mounts, path: &str) -> Result<String, FsError> {
    let done = format!("Successfully created directory {path}");
    // One that exists needs no right to write.
    if fs::metadata(&mounts.locate(path)?.path).is_ok_and(|found| found.is_dir()) {
        return Ok(done);
    }
    let at = mounts.locate_writable(path)?;
    fs::create_dir_all(&at.path).map_err(|e| FsError::from_io("create", &at, e))?;
    Ok(done)
}

/// Moves or renames a file or a directory. Nothing is overwritten.
///
/// # Errors
///
/// `ReadOnly`, `NotFound`, `Exists`, `NoParent`, `Refused` for what cannot be moved, or what the system says.
pub fn move_file(mounts: &Mounts, source: &str, destination: &str) -> Result<String, FsError> {
    let from = mounts.locate_writable(source)?;
    let to = mounts.locate_writable(destination)?;
    if from.parent().is_none() {
        let text = format!("{} is an allowed directory itself and cannot be moved; move what is in it", from.path);
        return Err(FsError::Refused(text));
    }
    if to.path.strip_prefix(from.path.as_str()).is_some_and(|rest| rest.starts_with('/')) {
        return Err(FsError::Refused(format!("{} cannot be moved into itself; choose another destination", from.path)));
    }
    fs::symlink_metadata(&from.path).map_err(|e| FsError::from_io("move", &from, e))?;
    match fs::symlink_metadata(&to.path) {
        Ok(_) => return Err(FsError::Exists { path: to.path }),
        Err(e) if e.kind() == ErrorKind::NotFound => need_parent(&to)?,
        Err(e) => return Err(FsError::from_io("move to", &to, e)),
    }
    match fs::rename(&from.path, &to.path) {
        Ok(()) => Ok(format!("Successfully moved {source} to {destination}")),
        Err(e) if e.kind() == ErrorKind::CrossesDevices => Err(FsError::Refused(format!(
            "cannot move {} to {}: they are on different file systems; write a copy there instead",
            from.path, to.path
        ))),
        Err(e) => Err(FsError::from_io("move", &from, e)),
    }
}

/// Puts `bytes` where `at` is: first beside it under another name, then in one step in its place. If a symbolic link is
/// there, what it points to is replaced.
///
/// # Errors
///
/// As `write_file`.
pub fn replace(at: &Located<'_>, bytes: &[u8]) -> Result<(), FsError> {
    let target = at.without_links()?;
    let failed = |e: io::Error| FsError::from_io("write", &target, e);
    match fs::metadata(&target.path) {
        Ok(found) if found.is_dir() => return Err(FsError::IsDirectory { path: target.path }),
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => need_parent(&target)?,
        Err(e) => return Err(failed(e)),
    }
    let parent = target.parent().ok_or_else(|| FsError::IsDirectory { path: target.path.clone() })?;
    let temporary = parent.entry(&format!(".toolcell-{:016x}.tmp", random()));
    let written = File::create_new(&temporary.path)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary.path, &target.path));
    written.map_err(|e| {
        // It may not be there at all, and then there is nothing to clean up.
        fs::remove_file(&temporary.path).ok();
        failed(e)
    })
}

/// A number nobody else has: calls run side by side, each in a cell of its own.
fn random() -> u64 {
    #[cfg(target_os = "wasi")]
    return wasip2::random::random::get_random_u64();
    #[cfg(not(target_os = "wasi"))]
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0)
}

/// Checks that the directory `at` goes into is there.
fn need_parent(at: &Located<'_>) -> Result<(), FsError> {
    let Some(parent) = at.parent() else {
        return Ok(());
    };
    match fs::metadata(&parent.path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(FsError::NotDirectory { path: parent.path }),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(FsError::NoParent { parent: parent.path }),
        Err(e) => Err(FsError::from_io("look into", &parent, e)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::testing::Bench;

    fn write(bench: &Bench, path: &str) -> Result<String, String> {
        write_file(&bench.mounts, path, "new").map_err(|e| e.to_string())
    }

    #[test]
    fn writes_new_and_old_files_and_leaves_nothing_behind() {
        let bench = Bench::new();
        assert_eq!(write(&bench, "a.txt").unwrap(), "Successfully wrote to a.txt");
        bench.file("b.txt", "old and longer");
        write(&bench, &bench.path("b.txt")).unwrap();
        assert_eq!((bench.content("a.txt"), bench.content("b.txt")), ("new".into(), "new".into()));
        assert_eq!(fs::read_dir(bench.host("")).unwrap().count(), 2);
    }

    #[test]
    fn refusals_to_write() {
        let bench = Bench::new();
        bench.file("file", "");
        fs::create_dir(bench.host("dir")).unwrap();
        for (path, reason) in [
            ("dir", "is a directory"),
            (".", "is a directory"),
            ("no/where/a", "parent directory does not exist: "),
            ("file/a", "is not a directory"),
            ("read-only/a", "is mounted read-only"),
            ("/etc/a", "access denied"),
        ] {
            let error = write(&bench, path).unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
        assert_eq!(fs::read_dir(bench.host("")).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_written_through_inside_its_mount_only() {
        let bench = Bench::new();
        bench.file("sub/real", "old");
        symlink("sub/../sub/real", bench.host("link")).unwrap();
        symlink("link", bench.host("link2")).unwrap();
        symlink("sub", bench.host("dirlink")).unwrap();
        write(&bench, "link2").unwrap();
        assert_eq!(bench.content("sub/real"), "new");
        assert!(fs::symlink_metadata(bench.host("link2")).unwrap().is_symlink());
        write(&bench, "dirlink/fresh").unwrap();
        assert_eq!(bench.content("sub/fresh"), "new");

        symlink("../outside", bench.host("up")).unwrap();
        symlink("..", bench.host("updir")).unwrap();
        symlink("/etc/hostname", bench.host("absolute")).unwrap();
        symlink("loop", bench.host("loop")).unwrap();
        for (path, reason) in [
            ("up", "/up is a symbolic link"),
            ("updir/x", "/updir is a symbolic link"),
            ("absolute", "/absolute is a symbolic link"),
            ("loop", "too many symbolic"),
        ] {
            let error = write(&bench, path).unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
    }

    #[test]
    fn directories_are_made_with_their_parents() {
        let bench = Bench::new();
        let make = |path: &str| create_directory(&bench.mounts, path).map_err(|e| e.to_string());
        assert_eq!(make("a/b/c").unwrap(), "Successfully created directory a/b/c");
        make("a/b/c").unwrap();
        assert!(bench.host("a/b/c").is_dir());
        bench.file("file", "");
        fs::create_dir(bench.host("read-only")).unwrap();
        make("read-only").unwrap();
        for (path, reason) in
            [("file", "already exists"), ("file/x", "not a directory"), ("read-only/x", "mounted read-only")]
        {
            let error = make(path).unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
    }

    #[test]
    fn moves() {
        let bench = Bench::new();
        let mv = |from: &str, to: &str| move_file(&bench.mounts, from, to).map_err(|e| e.to_string());
        bench.file("a", "A");
        bench.file("dir/b", "B");
        assert_eq!(mv("a", "dir/a").unwrap(), "Successfully moved a to dir/a");
        mv("dir", "moved").unwrap();
        assert_eq!((bench.content("moved/a"), bench.content("moved/b")), ("A".into(), "B".into()));
        for (from, to, reason) in [
            ("none", "x", "does not exist"),
            ("moved/a", "moved/b", "already exists"),
            ("moved/a", "no/x", "parent directory does not exist"),
            ("moved", "moved/in/itself", "into itself"),
            (".", "x", "cannot be moved"),
            ("moved/a", "read-only/a", "mounted read-only"),
            ("read-only/a", "x", "mounted read-only"),
        ] {
            let error = mv(from, to).unwrap_err();
            assert!(error.contains(reason), "{from} -> {to}: {error}");
        }
        assert_eq!(bench.content("moved/b"), "B");
    }
}
