//! Reading text: a whole file, its first or last lines, several files.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use crate::error::FsError;
use crate::limits;
use crate::mounts::Mounts;
use crate::path::Located;

/// Which lines of a file are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    Whole,
    /// So many from the beginning.
    Head(u64),
    /// So many from the end.
    Tail(u64),
}

impl Part {
    /// From the arguments `head` and `tail`, where 0 means "not given".
    ///
    /// # Errors
    ///
    /// `Refused` if both are given.
    pub fn new(head: u64, tail: u64) -> Result<Self, FsError> {
        match (head, tail) {
            (0, 0) => Ok(Self::Whole),
            (lines, 0) => Ok(Self::Head(lines)),
            (0, lines) => Ok(Self::Tail(lines)),
            _ => Err(FsError::Refused(
                "head and tail cannot be specified at the same time; leave one of them out".to_owned(),
            )),
        }
    }
}

/// Reads a text file, or a part of it. Bytes that are not UTF-8 become U+FFFD.
///
/// # Errors
///
/// `TooLarge` if what is wanted is longer than one result may be; else why the file cannot be read.
pub fn read_text(mounts: &Mounts, path: &str, part: Part) -> Result<String, FsError> {
    let at = mounts.locate(path)?;
    let (file, size) = open(&at)?;
    let bytes = match part {
        Part::Whole => whole(file, &at, size, limits::TEXT_BYTES)?,
        Part::Head(lines) => head(file, lines).map_err(|e| FsError::from_io("read", &at, e))?,
        Part::Tail(lines) => tail(file, size, lines).map_err(|e| FsError::from_io("read", &at, e))?,
    };
    if bytes.len() > limits::TEXT_BYTES {
        return Err(FsError::TooLarge {
            what: format!("that part of {}", at.path),
            size: bytes.len() as u64,
            limit: limits::TEXT_BYTES as u64,
            hint: "ask for fewer lines",
        });
    }
    Ok(text(bytes))
}

/// Reads several files into one text. A file that cannot be read has the reason in its place.
pub fn read_many(mounts: &Mounts, paths: &[String]) -> String {
    let mut left = limits::TEXT_BYTES;
    let mut parts = Vec::with_capacity(paths.len());
    for path in paths {
        let read = mounts.locate(path).and_then(|at| {
            let (file, size) = open(&at)?;
            whole(file, &at, size, left)
        });
        let part = match read {
            Ok(bytes) => format!("{path}:\n{}\n", text(bytes)),
            Err(e) => format!("{path}: Error - {e}"),
        };
        left = left.saturating_sub(part.len());
        parts.push(part);
    }
    parts.join("\n---\n")
}

/// Opens a file for reading and tells its size.
pub fn open(at: &Located<'_>) -> Result<(File, u64), FsError> {
    // Asked first, because opening a directory succeeds and only reading from it fails.
    let known = std::fs::metadata(&at.path).map_err(|e| FsError::from_io("read", at, e))?;
    if known.is_dir() {
        return Err(FsError::IsDirectory { path: at.path.clone() });
    }
    let file = File::open(&at.path).map_err(|e| FsError::from_io("read", at, e))?;
    Ok((file, known.len()))
}

/// All of a file, unless it has more than `limit` bytes.
pub fn whole(file: File, at: &Located<'_>, size: u64, limit: usize) -> Result<Vec<u8>, FsError> {
    let too_large = |size| FsError::TooLarge {
        what: at.path.clone(),
        size,
        limit: limit as u64,
        hint: "read a part of it with the head or tail argument of read_text_file",
    };
    if size > limit as u64 {
        return Err(too_large(size));
    }
    // The size was only a promise: the file may be growing.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    let read = file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|e| FsError::from_io("read", at, e))?;
    if read > limit { Err(too_large(read as u64)) } else { Ok(bytes) }
}

/// UTF-8, or as much of it as there is.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The first lines, without the newline after the last one. Stops one byte after the limit.
fn head(file: File, lines: u64) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::with_capacity(64 << 10, file.take(limits::TEXT_BYTES as u64 + 1));
    let mut bytes = Vec::new();
    for _ in 0..lines {
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
    }
    if bytes.last() == Some(&b'\n') && bytes.len() <= limits::TEXT_BYTES {
        bytes.pop();
    }
    Ok(bytes)
}

/// The last lines, found from the end in windows that grow until they hold enough. Line ends become `\n`.
fn tail(mut file: File, size: u64, lines: u64) -> std::io::Result<Vec<u8>> {
    let mut window = 64 << 10;
    loop {
        let start = size.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(window).read_to_end(&mut bytes)?;
        if bytes.pop_if(|byte| *byte == b'\n').is_some() {
            bytes.pop_if(|byte| *byte == b'\r');
        }
        if let Some(cut) = last_lines(&bytes, lines) {
            return Ok(without_returns(bytes.get(cut..).unwrap_or_default()));
        }
        if start == 0 {
            return Ok(without_returns(&bytes));
        }
        if window > limits::TEXT_BYTES as u64 {
            return Ok(bytes);
        }
        window *= 4;
    }
}

/// Where the last `lines` lines begin, if a newline in front of them shows it.
fn last_lines(bytes: &[u8], lines: u64) -> Option<usize> {
    let newlines = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let wanted = usize::try_from(lines.checked_sub(1)?).ok()?;
    newlines.map(|(index, _)| index + 1).nth(wanted)
}

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    let before_newline = |index: usize| bytes.get(index + 1) == Some(&b'\n');
    bytes.iter().enumerate().filter(|(i, b)| **b != b'\r' || !before_newline(*i)).map(|(_, b)| *b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn read(bench: &Bench, path: &str, head: u64, tail: u64) -> Result<String, String> {
        let part = Part::new(head, tail).map_err(|e| e.to_string())?;
        read_text(&bench.mounts, path, part).map_err(|e| e.to_string())
    }

    #[test]
    fn parts_of_a_file() {
        let bench = Bench::new();
        bench.file("lf", "one\ntwo\nthree\n");
        bench.file("open", "one\ntwo\nthree");
        bench.file("crlf", "one\r\ntwo\r\nthree\r\n");
        bench.file("empty", "");
        bench.file("blank", "\n\n\n");
        for (name, head, tail, expected) in [
            ("lf", 0, 0, "one\ntwo\nthree\n"),
            ("lf", 2, 0, "one\ntwo"),
            ("lf", 9, 0, "one\ntwo\nthree"),
            ("lf", 0, 1, "three"),
            ("lf", 0, 2, "two\nthree"),
            ("lf", 0, 3, "one\ntwo\nthree"),
            ("lf", 0, 4, "one\ntwo\nthree"),
            ("open", 3, 0, "one\ntwo\nthree"),
            ("open", 0, 1, "three"),
            ("open", 0, u64::MAX, "one\ntwo\nthree"),
            ("crlf", 1, 0, "one\r"),
            ("crlf", 0, 2, "two\nthree"),
            ("empty", 3, 0, ""),
            ("empty", 0, 3, ""),
            ("blank", 0, 2, "\n"),
        ] {
            assert_eq!(read(&bench, name, head, tail).as_deref(), Ok(expected), "{name} head={head} tail={tail}");
        }
        assert!(read(&bench, "lf", 1, 1).unwrap_err().contains("head and tail"));
    }

    #[test]
    fn a_large_file_is_read_by_its_ends_only() {
        let bench = Bench::new();
        let mut content = "0123456789abcdef\n".repeat(limits::TEXT_BYTES / 16);
        content.push_str("last");
        bench.file("large", &content);
        let error = read(&bench, "large", 0, 0).unwrap_err();
        assert!(error.contains("too large") && error.contains("head or tail"), "{error}");
        assert_eq!(read(&bench, "large", 2, 0).unwrap(), "0123456789abcdef\n0123456789abcdef");
        assert_eq!(read(&bench, "large", 0, 2).unwrap(), "0123456789abcdef\nlast");
        for (head, tail) in [(u64::MAX, 0), (0, u64::MAX), (0, (limits::TEXT_BYTES / 16) as u64)] {
            let error = read(&bench, "large", head, tail).unwrap_err();
            assert!(error.contains("too large") && error.ends_with("ask for fewer lines"), "{error}");
        }
        assert_eq!(read(&bench, "large", 0, 20_000).unwrap().lines().count(), 20_000);
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        let bench = Bench::new();
        std::fs::write(bench.host("latin"), b"caf\xe9").unwrap();
        assert_eq!(read(&bench, "latin", 0, 0).unwrap(), "caf\u{fffd}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let bench = Bench::new();
        std::fs::create_dir(bench.host("dir")).unwrap();
        assert!(read(&bench, "dir", 0, 0).unwrap_err().contains("is a directory"));
        assert!(read(&bench, "none", 0, 0).unwrap_err().contains("does not exist"));
    }

    #[test]
    fn many_files_in_one_answer() {
        let bench = Bench::new();
        bench.file("a", "A\n");
        bench.file("b", "B");
        let paths = ["a", "none", "b"].map(str::to_owned);
        let expected = format!(
            "a:\nA\n\n\n---\nnone: Error - {} does not exist; look with list_directory or search_files\n---\nb:\nB\n",
            bench.path("none")
        );
        assert_eq!(read_many(&bench.mounts, &paths), expected);
    }

    #[test]
    fn many_files_share_the_limit() {
        let bench = Bench::new();
        bench.file("most", &"x".repeat(limits::TEXT_BYTES - 100));
        bench.file("rest", &"y".repeat(200));
        let both = read_many(&bench.mounts, &["most", "rest"].map(str::to_owned));
        assert!(both.contains("rest: Error - ") && both.ends_with("argument of read_text_file"), "{}", both.len());
    }
}
