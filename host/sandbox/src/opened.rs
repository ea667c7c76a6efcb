//! What a guest opens, by its own names, for the receipt of its call.
//!
//! wasmtime's filesystem tells nobody of it, and its files are handles without names. So the two functions that hand out
//! handles stand here before wasmtime's own, in both versions of WASI: they call those, and note under which name the guest
//! knows what it got. Nothing is decided here; a guest gets what it would get without.

use super::ledger::Ledger;
use super::state::CellState;
use std::collections::HashMap;
use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem as p2;
use wasmtime_wasi::p3::bindings::filesystem as p3;

/// The versions that wasmtime links, which serve all compatible ones.
const P2: &str = "0.2.12";
const P3: &str = "0.3.0";
const OPEN_AT: &str = "[method]descriptor.open-at";
const GET_DIRECTORIES: &str = "get-directories";

/// The longest name that is kept, in bytes; what is below a longer one has no name.
const MAX_NAME: usize = 512;
/// The stable name of a refusal by the filesystem: the path leads out of its directory, or the directory is read-only.
const NOT_PERMITTED: &str = "dir-not-permitted";

/// Names of the directories and files a guest has open, by handle. A handle that is used again gets its new name.
#[derive(Default)]
pub(super) struct Opened(HashMap<u32, String>);

impl Opened {
    /// What a handle is called from now on. Without a name it has none, whatever was called by that number before.
    fn has(&mut self, handle: u32, name: Option<String>) {
        match name.filter(|name| name.len() <= MAX_NAME) {
            Some(name) => self.0.insert(handle, name),
            None => self.0.remove(&handle),
        };
    }

    /// What `path` in a directory is called.
    fn name(&self, directory: u32, path: &str) -> Option<String> {
        let directory = self.0.get(&directory)?;
        let path = path.strip_prefix("./").unwrap_or(path);
        match path {
            "" | "." => Some(directory.clone()),
            _ if directory.len().saturating_add(path.len()) >= MAX_NAME => None,
            _ => Some(format!("{}/{path}", directory.trim_end_matches('/'))),
        }
    }
}

impl CellState {
    fn has_opened(&mut self, name: Option<String>, handle: Option<u32>, refused: bool) {
        let ledger: Option<&Ledger> = self.voice.ctx.ledger.as_deref();
        if let Some(ledger) = ledger {
            let shown = name.as_deref().unwrap_or("a path that is too long");
            match (handle, refused) {
                (Some(_), _) => ledger.opened(shown),
                (None, true) => ledger.refused(NOT_PERMITTED, &format!("opening {shown} is not permitted")),
                (None, false) => {}
            }
        }
        if let Some(handle) = handle {
            self.opened.has(handle, name);
        }
    }

    fn has_directories(&mut self, directories: &[(Resource<Descriptor>, String)]) {
        for (handle, name) in directories {
            self.opened.has(handle.rep(), Some(name.clone()));
        }
    }
}

/// Puts the functions in the place of wasmtime's.
pub(super) fn add_to_linker(linker: &mut Linker<CellState>) -> Result<()> {
    linker.allow_shadowing(true);
    let added = add(linker);
    linker.allow_shadowing(false);
    added
}

fn add(linker: &mut Linker<CellState>) -> Result<()> {
    linker.instance(&format!("wasi:filesystem/preopens@{P2}"))?.func_wrap(
        GET_DIRECTORIES,
        |mut store: StoreContextMut<'_, CellState>, (): ()| {
            let directories = p2::preopens::Host::get_directories(&mut store.data_mut().filesystem())?;
            store.data_mut().has_directories(&directories);
            Ok((directories,))
        },
    )?;
    linker.instance(&format!("wasi:filesystem/preopens@{P3}"))?.func_wrap(
        GET_DIRECTORIES,
        |mut store: StoreContextMut<'_, CellState>, (): ()| {
            let directories = p3::preopens::Host::get_directories(&mut store.data_mut().filesystem())?;
            store.data_mut().has_directories(&directories);
            Ok((directories,))
        },
    )?;
    open_at_p2(linker)?;
    open_at_p3(linker)
}

fn open_at_p2(linker: &mut Linker<CellState>) -> Result<()> {
    use p2::types::{DescriptorFlags, ErrorCode, Host, HostDescriptor, OpenFlags, PathFlags};
    type Asked = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);
    linker.instance(&format!("wasi:filesystem/types@{P2}"))?.func_wrap_async(
        OPEN_AT,
        |mut store: StoreContextMut<'_, CellState>, (directory, at, path, how, flags): Asked| {
            Box::new(async move {
                let state = store.data_mut();
                let name = state.opened.name(directory.rep(), &path);
                let mut files = state.filesystem();
                let opened = match HostDescriptor::open_at(&mut files, directory, at, path, how, flags).await {
                    Ok(opened) => Ok(opened),
                    Err(error) => Err(Host::convert_error_code(&mut files, error)?),
                };
                let refused = matches!(opened, Err(ErrorCode::NotPermitted | ErrorCode::ReadOnly));
                state.has_opened(name, opened.as_ref().ok().map(Resource::rep), refused);
                Ok((opened,))
            })
        },
    )
}

fn open_at_p3(linker: &mut Linker<CellState>) -> Result<()> {
    use p3::types::{DescriptorFlags, ErrorCode, Host, HostDescriptorWithStore, OpenFlags, PathFlags};
    type Asked = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);
    linker.instance(&format!("wasi:filesystem/types@{P3}"))?.func_wrap_concurrent(
        OPEN_AT,
        |store: &Accessor<CellState>, (directory, at, path, how, flags): Asked| {
            Box::pin(async move {
                let name = store.with(|mut access| access.data_mut().opened.name(directory.rep(), &path));
                let files = &store.with_getter::<WasiFilesystem>(CellState::filesystem);
                let opened = HostDescriptorWithStore::open_at(files, directory, at, path, how, flags).await;
                let opened = match opened {
                    Ok(opened) => Ok(opened),
                    Err(error) => Err(files.with(|mut access| Host::convert_error_code(&mut access.get(), error))?),
                };
                let refused = matches!(opened, Err(ErrorCode::NotPermitted | ErrorCode::ReadOnly));
                let handle = opened.as_ref().ok().map(Resource::rep);
                store.with(|mut access| access.data_mut().has_opened(name, handle, refused));
                Ok((opened,))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_directory_and_the_path_in_it() {
        let mut opened = Opened::default();
        opened.has(3, Some("/data".to_owned()));
        opened.has(4, Some("/".to_owned()));
        for (directory, path, name) in [
            (3, "a/b.txt", Some("/data/a/b.txt")),
            (3, ".", Some("/data")),
            (3, "./a", Some("/data/a")),
            (4, "a", Some("/a")),
            (9, "a", None),
        ] {
            assert_eq!(opened.name(directory, path).as_deref(), name, "{path}");
        }
        assert_eq!(opened.name(3, &"x".repeat(600)), None);
        opened.has(3, Some("y".repeat(600)));
        assert_eq!(opened.name(3, "a"), None, "what has no name gives none");
    }

    #[test]
    fn a_handle_that_is_used_again_does_not_keep_its_old_name() {
        let mut opened = Opened::default();
        opened.has(3, Some("/data".to_owned()));
        opened.has(5, Some("/data/harmless".to_owned()));
        let name = opened.name(3, &"x".repeat(600));
        assert_eq!(name, None);
        opened.has(5, name);
        assert_eq!((opened.name(5, "."), opened.name(5, "a")), (None, None));
        opened.has(5, opened.name(3, "b"));
        assert_eq!(opened.name(5, ".").as_deref(), Some("/data/b"));
    }

    /// Were one of the names not wasmtime's, its function would stand beside the one that guests call.
    #[test]
    fn each_function_takes_the_place_of_one_of_wasmtimes() {
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::<CellState>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi::p3::add_to_linker(&mut linker).unwrap();
        for (interface, name) in [("types", OPEN_AT), ("preopens", GET_DIRECTORIES)] {
            for version in [P2, P3] {
                let mut instance = linker.instance(&format!("wasi:filesystem/{interface}@{version}")).unwrap();
                assert!(instance.func_wrap(name, |_, (): ()| Ok(())).is_err(), "{interface}@{version} {name}");
            }
        }
        add_to_linker(&mut linker).unwrap();
    }
}
