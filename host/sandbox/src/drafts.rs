//! WASI interfaces that are drafts, for components that were written for other hosts: `wasi:config/store` answers with the
//! granted variables, `wasi:logging` writes to the guest's log, `wasi:keyvalue/store` is the plugin's own store.
//!
//! A draft has many versions that differ in nothing a call would notice, so they are linked under whatever version the
//! component names. Where the functions differ all the same, the component is refused like one with any unknown import.

use super::bindings::v0_1::toolcell::plugin::key_value::StoreError;
use super::bindings::v0_1::toolcell::plugin::log::Host as _;
use super::imports::Voice;
use super::state::CellState;
use super::types::Level;
use std::fmt::Write;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

/// What the keys of `wasi:keyvalue` begin with in the plugin's store, so that they do not meet its own.
const PREFIX: &str = "wasi:keyvalue/";

/// How a version of `wasi:keyvalue` says where a page of keys ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Cursor {
    /// By the last key: 0.2.0-draft2.
    Key,
    /// By a number: 0.2.0-draft.
    Count,
}

/// Whether a component that imports this needs the linker of [`add`].
pub(super) fn serves(import: &str) -> bool {
    matches!(interface(import), "wasi:config/store" | "wasi:logging/logging" | "wasi:keyvalue/store")
}

fn interface(import: &str) -> &str {
    import.split_once('@').map_or(import, |(interface, _version)| interface)
}

/// Adds what a component imports under this name.
pub(super) fn add(linker: &mut Linker<CellState>, import: &str, cursor: Cursor) -> Result<()> {
    let mut instance = linker.instance(import)?;
    match interface(import) {
        "wasi:config/store" => add_config(&mut instance),
        "wasi:logging/logging" => add_logging(&mut instance),
        "wasi:keyvalue/store" => add_keyvalue(&mut instance, cursor),
        _ => Ok(()),
    }
}

/// `config-error` or `error`, as the version has it. Nothing here fails, but the type has to be right.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the host only ever succeeds")]
enum ConfigError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

fn add_config(instance: &mut LinkerInstance<'_, CellState>) -> Result<()> {
    instance.func_wrap("get", |store: StoreContextMut<'_, CellState>, (key,): (String,)| {
        let value = store.data().voice.rules.grant.env.get(&key).cloned();
        Ok((Ok::<_, ConfigError>(value),))
    })?;
    instance.func_wrap("get-all", |store: StoreContextMut<'_, CellState>, (): ()| {
        let env = store.data().voice.rules.grant.env.clone();
        Ok((Ok::<Vec<(String, String)>, ConfigError>(env.into_iter().collect()),))
    })
}

#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "only guests make them")]
enum LogLevel {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

fn add_logging(instance: &mut LinkerInstance<'_, CellState>) -> Result<()> {
    let log = |mut store: StoreContextMut<'_, CellState>, (level, context, message): (LogLevel, String, String)| {
        let level = match level {
            LogLevel::Trace | LogLevel::Debug => Level::Debug,
            LogLevel::Info => Level::Info,
            LogLevel::Warn => Level::Warning,
            LogLevel::Error => Level::Error,
            LogLevel::Critical => Level::Critical,
        };
        let logger = Some(context).filter(|context| !context.is_empty());
        store.data_mut().voice.write(level, logger, json_text(&message))
    };
    instance.func_wrap("log", log)
}

/// A text as JSON, which is what messages of the contract are.
fn json_text(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => drop(write!(json, "\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// The one bucket a plugin has.
struct Bucket;

#[derive(ComponentType, Lower)]
#[component(variant)]
enum BucketError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    #[allow(dead_code, reason = "it has no room for the line that would change it, so a refusal is `other`")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<StoreError> for BucketError {
    fn from(error: StoreError) -> Self {
        Self::Other(match error {
            StoreError::Denied(text) | StoreError::Limit(text) | StoreError::Other(text) => text,
            StoreError::Conflict(_) => "the value was changed meanwhile".to_owned(),
        })
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse<C> {
    #[component(name = "keys")]
    keys: Vec<String>,
    #[component(name = "cursor")]
    cursor: Option<C>,
}

/// Adds a method of the bucket that waits for the store.
macro_rules! method {
    ($instance:ident, $name:literal, |$voice:ident, $($argument:ident: $type:ty),+| $run:expr) => {
        $instance.func_wrap_async(
            $name,
            |mut store: StoreContextMut<'_, CellState>, (_, $($argument),+): (Resource<Bucket>, $($type),+)| {
                Box::new(async move {
                    let $voice = &mut store.data_mut().voice;
                    let answer: std::result::Result<_, StoreError> = $run;
                    Ok((answer.map_err(BucketError::from),))
                })
            },
        )?
    };
}

fn add_keyvalue(instance: &mut LinkerInstance<'_, CellState>, cursor: Cursor) -> Result<()> {
    instance.resource("bucket", ResourceType::host::<Bucket>(), |mut store, rep| {
        store.data_mut().table.delete(Resource::<Bucket>::new_own(rep))?;
        Ok(())
    })?;
    instance.func_wrap("open", |mut store: StoreContextMut<'_, CellState>, (name,): (String,)| {
        if !matches!(name.as_str(), "" | "default") {
            return Ok((Err(BucketError::NoSuchStore),));
        }
        // Whether there is one is known before anything is opened.
        if let Err(error) = store.data().voice.store() {
            return Ok((Err(BucketError::from(error)),));
        }
        Ok((Ok(store.data_mut().table.push(Bucket)?),))
    })?;
    method!(instance, "[method]bucket.get", |voice, key: String| voice.stored(&named(&key)).await);
    method!(instance, "[method]bucket.exists", |voice, key: String| {
        voice.stored(&named(&key)).await.map(|value| value.is_some())
    });
    method!(instance, "[method]bucket.set", |voice, key: String, value: Vec<u8>| {
        voice.change(named(&key), Some(value), None).await
    });
    method!(instance, "[method]bucket.delete", |voice, key: String| voice.change(named(&key), None, None).await);
    match cursor {
        Cursor::Key => method!(instance, "[method]bucket.list-keys", |voice, after: Option<String>| {
            page(voice, after.as_deref()).await.map(|(keys, more)| {
                let cursor = keys.last().filter(|_| more).cloned();
                KeyResponse { keys, cursor }
            })
        }),
        Cursor::Count => method!(instance, "[method]bucket.list-keys", |voice, after: Option<u64>| {
            counted_page(voice, after.unwrap_or(0)).await
        }),
    }
    Ok(())
}

fn named(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// Some keys of the bucket after that one, without the prefix.
async fn page(voice: &Voice, after: Option<&str>) -> std::result::Result<(Vec<String>, bool), StoreError> {
    let after = after.map(named);
    let (keys, more) = voice.stored_keys(PREFIX, after.as_deref()).await?;
    let plain = |key: String| key.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(key);
    Ok((keys.into_iter().map(plain).collect(), more))
}

/// The first page that has something after so many keys.
async fn counted_page(voice: &Voice, skip: u64) -> std::result::Result<KeyResponse<u64>, StoreError> {
    let (mut seen, mut after) = (0_u64, None);
    loop {
        let (mut keys, more) = page(voice, after.as_deref()).await?;
        after = keys.last().cloned();
        let end = seen + keys.len() as u64;
        if end > skip || !more {
            let drop = usize::try_from(skip - seen.min(skip)).unwrap_or(usize::MAX).min(keys.len());
            keys.drain(..drop);
            return Ok(KeyResponse { keys, cursor: more.then_some(end) });
        }
        seen = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_version_is_served() {
        for (import, served) in [
            ("wasi:config/store@0.2.0-rc.1", true),
            ("wasi:config/store@0.2.0-draft", true),
            ("wasi:config/store", true),
            ("wasi:logging/logging@9.9.9", true),
            ("wasi:keyvalue/store@0.2.0-draft2", true),
            ("wasi:keyvalue/batch@0.2.0-draft2", false),
            ("wasi:config/runtime@0.2.0-draft", false),
        ] {
            assert_eq!(serves(import), served, "{import}");
        }
    }

    #[test]
    fn a_message_becomes_json() {
        assert_eq!(json_text("a \"b\"\\\n\u{1b}é"), r#""a \"b\"\\\u000a\u001bé""#);
    }
}
