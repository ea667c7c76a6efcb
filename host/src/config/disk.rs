//! Everything of the configuration that touches the disk.

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::diagnostic::Faults;

/// Bytes of a configuration. A thousand plugins with every option take a tenth of it.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The text of the file.
pub(super) fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// A directory that a plugin's table says is there.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) plugin: String,
    pub(super) span: Range<usize>,
    pub(super) path: PathBuf,
}

/// What the disk had to say.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Faults,
    /// Directories that are not there at all.
    pub(super) absent: Vec<PathBuf>,
}

/// Looks at each directory. Components are not looked at: they come and go while the server runs, and the registry says
/// so when one is not there.
pub(super) fn check(claims: Vec<Claim>) -> Findings {
    let mut findings = Findings::default();
    for Claim { plugin, span, path } in claims {
        let shown = path.display();
        let mut fault = Faults::within(&plugin);
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => {
                let fix = "name the directory it is in";
                fault.push(span, format!("granted directory {shown} is not a directory"), fix);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let fix = "create it or correct `host`";
                fault.push(span, format!("granted directory {shown} does not exist"), fix);
                findings.absent.push(path);
            }
            Err(error) => {
                let fix = "let the server's user read it or correct `host`";
                fault.push(span, format!("granted directory {shown} cannot be looked at ({error})"), fix);
            }
        }
        findings.faults.append(fault);
    }
    findings
}
