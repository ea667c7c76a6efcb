//! The SDKs and the contract, carried in the binary and unpacked into projects, so that nothing has to be published or
//! downloaded to build a plugin, and an SDK always fits its host.

use crate::Error;
use std::fs;
use std::path::{Path, PathBuf};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The file that says which SDKs a folder holds.
const STAMP_FILE: &str = ".stamp";

/// Unpacks the SDKs into `folder` unless they are there already, and returns it. Files that did not change keep their times,
/// so that nothing is compiled again for them.
///
/// # Errors
/// If the folder cannot be written.
pub(crate) fn unpack(folder: &Path) -> Result<PathBuf, Error> {
    let stamp = folder.join(STAMP_FILE);
    if fs::read_to_string(&stamp).is_ok_and(|there| there == STAMP) {
        return Ok(folder.to_owned());
    }
    for (path, content) in SDK {
        let file = folder.join(path);
        if fs::read(&file).is_ok_and(|there| there == *content) {
            continue;
        }
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        fs::write(&file, content).map_err(Error::io(&file))?;
    }
    remove_others(folder, folder)?;
    fs::write(&stamp, STAMP).map_err(Error::io(&stamp))?;
    Ok(folder.to_owned())
}

/// Removes files that an earlier version had. What tools made beside them stays: it lies in hidden folders, or in ones that no
/// SDK has.
fn remove_others(folder: &Path, sdk: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let Some(below) = path.strip_prefix(sdk).ok().and_then(Path::to_str) else { continue };
        let is_folder = path.is_dir();
        if is_folder && SDK.iter().any(|(file, _)| Path::new(file).starts_with(below)) {
            remove_others(&path, sdk)?;
        } else if !is_folder && below.contains('/') && !SDK.iter().any(|(file, _)| *file == below) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn changed(file: &Path) -> SystemTime {
        fs::metadata(file).unwrap().modified().unwrap()
    }

    #[test]
    fn unpacking_again_touches_nothing_and_mends_what_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let sdk = unpack(&dir.path().join("sdk")).unwrap();
        let (lib, wit) = (sdk.join("rust/src/lib.rs"), sdk.join("wit/v0.1/worlds.wit"));
        let before = (changed(&lib), changed(&wit));
        unpack(&sdk).unwrap();
        assert_eq!((changed(&lib), changed(&wit)), before);

        // As if another version had been there.
        fs::write(sdk.join(STAMP_FILE), "another").unwrap();
        fs::write(&wit, "no WIT").unwrap();
        fs::write(sdk.join("rust/src/gone.rs"), "").unwrap();
        fs::write(sdk.join("Cargo.lock"), "").unwrap();
        unpack(&sdk).unwrap();
        assert_eq!(changed(&lib), before.0);
        assert!(fs::read_to_string(&wit).unwrap().contains("world plugin"));
        assert!(!sdk.join("rust/src/gone.rs").exists() && sdk.join("Cargo.lock").exists());
    }

    #[test]
    fn nothing_that_only_developers_of_the_sdk_need_is_carried() {
        for (file, _) in SDK {
            let parts: Vec<&str> = file.split('/').collect();
            assert!(!parts.iter().any(|part| ["target", "node_modules", "tests"].contains(part)), "{file}");
        }
    }
}
