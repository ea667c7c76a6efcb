//! The second door: a component that exports plain WIT functions and knows nothing of Toolcell.
//!
//! Each exported function becomes a tool. Its name, its doc comments and its types become the tool's name, description and
//! JSON Schemas; a `result`'s error becomes a tool error. What its types hold decides what its JSON looks like:
//!
//! | WIT | JSON |
//! | --- | --- |
//! | `bool`, `string`, `char` | boolean, string, string of one character |
//! | `u8` … `u64`, `s8` … `s64` | integer within the type's bounds |
//! | `f32`, `f64` | number; out of the guest also `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `list<T>`, `tuple<…>` | array |
//! | `map<string, T>`, other maps | object, array of pairs |
//! | `record` | object; fields that are options may be left out |
//! | `option<T>` | the value or `null`; `{"some": …}` or `null` where the value could be `null` itself |
//! | `variant` | `{"tag": case}`, with `"val"` if the case holds something |
//! | `enum`, `flags` | string, array of strings |
//! | `result<T, E>` inside a value | `{"ok": …}` or `{"err": …}` |
//!
//! In reading order: `door` (which functions, under which names, and how one is called), `shape` (a type as far as JSON is
//! concerned), `schema`, `read`, `write` (what is done with a shape), `docs` (where descriptions come from).

pub(super) mod docs;
mod door;
mod read;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod write;

pub(super) use door::Door;
