//! What claims say, of a JWT or of an introspection answer. All errors are words for the caller.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::identity::is_name;
use crate::limits::{MAX_GROUPS, MAX_NAME_BYTES, MAX_SCOPES};
use crate::metadata::canonical;
use crate::scopes::is_scope;

/// The latest moment a token may name, in seconds since 1970: the year 9999. Beyond it, arithmetic on times could fail.
const LATEST_S: f64 = 253_402_300_799.0;

pub(crate) struct Claims<'a>(&'a Map<String, Value>);

impl<'a> Claims<'a> {
    pub(crate) fn new(claims: &'a Map<String, Value>) -> Self {
        Self(claims)
    }

    /// When it ends, if it is valid at `now`, give or take `leeway`. `exp` may be missing, and then there is no end.
    pub(crate) fn valid_at(&self, now: SystemTime, leeway: Duration) -> Result<Option<SystemTime>, &'static str> {
        let expires = self.time("exp")?;
        if expires.is_some_and(|expires| expires + leeway <= now) {
            return Err("it has expired");
        }
        if self.time("nbf")?.is_some_and(|begins| begins > now + leeway) {
            return Err("it is not valid yet");
        }
        if self.time("iat")?.is_some_and(|issued| issued > now + leeway) {
            return Err("it was issued in the future");
        }
        Ok(expires)
    }

    /// A NumericDate (RFC 7519, 2), which may have a fraction.
    pub(crate) fn time(&self, name: &str) -> Result<Option<SystemTime>, &'static str> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST_S).contains(seconds));
        let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        seconds.map(|seconds| Some(UNIX_EPOCH + seconds)).ok_or("one of its times is not a time")
    }

    /// The text at `path`, if it can be a principal.
    pub(crate) fn principal(&self, path: &str) -> Result<&'a str, &'static str> {
        match self.at(path) {
            Some(Value::String(text)) if is_name(text) => Ok(text),
            Some(_) => Err("the claim that names the caller is not a short text"),
            None => Err("it does not name the caller"),
        }
    }

    /// The texts of the list at `path`; none, if there is none.
    pub(crate) fn groups(&self, path: Option<&str>) -> Result<BTreeSet<String>, &'static str> {
        let Some(value) = path.and_then(|path| self.at(path)) else { return Ok(BTreeSet::new()) };
        let list = match value {
            Value::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        if list.len() > MAX_GROUPS {
            return Err("it names too many groups");
        }
        let group = |value: &Value| value.as_str().filter(|text| is_name(text)).map(str::to_owned);
        list.iter().map(group).collect::<Option<_>>().ok_or("one of its groups is not a short text")
    }

    /// The texts of `scope`, divided by spaces, and those of `scp`, a list or the same.
    pub(crate) fn scopes(&self) -> Result<BTreeSet<String>, &'static str> {
        let mut found = BTreeSet::new();
        for name in ["scope", "scp"] {
            let texts: Vec<&str> = match self.0.get(name) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::String(text)) => text.split(' ').filter(|scope| !scope.is_empty()).collect(),
                Some(Value::Array(list)) => {
                    list.iter().map(Value::as_str).collect::<Option<_>>().ok_or("one of its scopes is not a text")?
                }
                Some(_) => return Err("its scopes are not a text"),
            };
            // What cannot be a scope is equal to none that is asked for.
            found.extend(texts.into_iter().filter(|scope| is_scope(scope)).map(str::to_owned));
        }
        if found.len() > MAX_SCOPES { Err("it names too many scopes") } else { Ok(found) }
    }

    /// The value at `path`: as a claim's whole name, or else through objects by dots.
    fn at(&self, path: &str) -> Option<&'a Value> {
        if let Some(value) = self.0.get(path) {
            return Some(value);
        }
        let mut steps = path.split('.').take(MAX_NAME_BYTES);
        let mut value = self.0.get(steps.next()?)?;
        for step in steps {
            value = value.as_object()?.get(step)?;
        }
        Some(value)
    }
}

/// Whether the claim `aud`, a text or a list, names one of `audiences`, which are in their canonical form.
pub(crate) fn audience_matches(claims: &Map<String, Value>, audiences: &[String]) -> bool {
    let matches = |value: &Value| value.as_str().is_some_and(|text| audiences.contains(&canonical(text)));
    match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().any(matches),
        Some(value) => matches(value),
        None => false,
    }
}
