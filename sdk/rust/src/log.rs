//! Messages for the operator's log, and for the client where it asked for them.
//!
//! A message is any value that can be written as JSON: a text, or a struct or map that log tools can search.
//!
//! ```
//! use toolcell_sdk::log;
//!
//! log::info("the cache is empty");
//! log::warning(format!("{} entries are too old", 3));
//! log::named("index").debug([1, 2]);
//! ```

pub use crate::types::Level;
use serde::Serialize;

/// Whether a message of this level reaches anyone. The functions below ask it themselves.
#[must_use]
pub fn is_enabled(level: Level) -> bool {
    #[cfg(target_family = "wasm")]
    return crate::bindings::tools::toolcell::plugin::log::is_enabled(level);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = level;
        false
    }
}

/// Writes one message. `logger` names the part of the plugin that speaks. A value that cannot be written as JSON is
/// replaced by the reason.
pub fn write(level: Level, logger: Option<&str>, data: impl Serialize) {
    if !is_enabled(level) {
        return;
    }
    let data =
        serde_json::to_string(&data).unwrap_or_else(|error| serde_json::Value::from(error.to_string()).to_string());
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::log::write(level, logger, &data);
    #[cfg(not(target_family = "wasm"))]
    let _ = (logger, data);
}

/// Messages of a part of the plugin that has a name.
#[must_use]
pub fn named(name: &str) -> Logger<'_> {
    Logger { name }
}

/// A part of the plugin that has a name; made by [`named`].
#[derive(Clone, Copy, Debug)]
pub struct Logger<'a> {
    name: &'a str,
}

macro_rules! levels {
    ($($(#[$doc:meta])+ $function:ident = $level:ident;)+) => {
        $(
            $(#[$doc])+
            pub fn $function(data: impl Serialize) {
                write(Level::$level, None, data);
            }
        )+

        impl Logger<'_> {
            $(
                $(#[$doc])+
                pub fn $function(self, data: impl Serialize) {
                    write(Level::$level, Some(self.name), data);
                }
            )+
        }
    };
}

levels! {
    /// Detail for whoever hunts a fault.
    debug = Debug;
    /// Ordinary steps.
    info = Info;
    /// Ordinary, but worth a look.
    notice = Notice;
    /// Something may be wrong.
    warning = Warning;
    /// Something went wrong.
    error = Error;
    /// A part does not work.
    critical = Critical;
    /// Someone must act now.
    alert = Alert;
    /// Nothing works.
    emergency = Emergency;
}
