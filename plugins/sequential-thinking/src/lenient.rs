//! Numbers and booleans that may come as text, because some models send them so and the reference server takes them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt::{self, Formatter};

/// The largest whole number that JavaScript, and so the reference server, tells from its neighbours.
const LARGEST: u64 = (1 << 53) - 1;

/// A whole number from 1 up: `3`, `3.0` or `"3"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count(pub u64);

/// True or false, or `"true"` or `"false"` in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flag(pub bool);

impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"], "minimum": 1, "maximum": LARGEST, "pattern": "^0*[1-9][0-9]{0,15}$" })
    }
}

impl JsonSchema for Flag {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "string"], "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$" })
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl Visitor<'_> for Counts {
            type Value = Count;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 up")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
                match (1..=LARGEST).contains(&value) {
                    true => Ok(Count(value)),
                    false => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
                }
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Count, E> {
                match value.fract() == 0.0 && (1.0..=LARGEST as f64).contains(&value) {
                    true => Ok(Count(value as u64)),
                    false => Err(E::invalid_value(Unexpected::Float(value), &self)),
                }
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Count, E> {
                let number = value.parse().map_err(|_| E::invalid_value(Unexpected::Str(value), &self))?;
                self.visit_u64(number)
            }
        }

        deserializer.deserialize_any(Counts)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flags;

        impl Visitor<'_> for Flags {
            type Value = Flag;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Flag, E> {
                match value {
                    _ if value.eq_ignore_ascii_case("true") => Ok(Flag(true)),
                    _ if value.eq_ignore_ascii_case("false") => Ok(Flag(false)),
                    _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
                }
            }
        }

        deserializer.deserialize_any(Flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_text() {
        for (json, expected) in [("1", 1), ("3.0", 3), ("\"12\"", 12), ("\"007\"", 7), ("9007199254740991", LARGEST)] {
            assert_eq!(serde_json::from_str::<Count>(json).unwrap(), Count(expected), "{json}");
        }
        for json in ["0", "-1", "1.5", "\"0\"", "\"one\"", "\"\"", "true", "null", "9007199254740992", "1e300"] {
            let error = serde_json::from_str::<Count>(json).unwrap_err().to_string();
            assert!(error.contains("a whole number from 1 up"), "{json}: {error}");
        }
    }

    #[test]
    fn booleans_may_be_text() {
        for (json, expected) in [("true", true), ("false", false), ("\"True\"", true), ("\"false\"", false)] {
            assert_eq!(serde_json::from_str::<Flag>(json).unwrap(), Flag(expected), "{json}");
        }
        for json in ["1", "0", "\"yes\"", "\"\"", "null"] {
            let error = serde_json::from_str::<Flag>(json).unwrap_err().to_string();
            assert!(error.contains("true or false"), "{json}: {error}");
        }
    }
}
