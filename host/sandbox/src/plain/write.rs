//! From the values a function returns to JSON.

use super::shape::Shape;
use wasmtime::component::Val;

/// What stands for floats that JSON has no number for.
pub(super) const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The JSON text of a value, of at most `limit` bytes.
///
/// # Errors
/// If it would be longer, or if the value is none of that shape.
pub(super) fn json(shape: &Shape, value: &Val, limit: usize) -> Result<String, Unwritable> {
    let mut out = Out { text: String::new(), limit };
    out.value(shape, value)?;
    Ok(out.text)
}

/// Why a value has no JSON.
#[derive(Debug, PartialEq)]
pub(super) enum Unwritable {
    TooLarge,
    /// The engine returned a value of another type than the function has.
    Mismatch,
}

struct Out {
    text: String,
    limit: usize,
}

type Done = Result<(), Unwritable>;

impl Out {
    fn value(&mut self, shape: &Shape, value: &Val) -> Done {
        match (shape, value) {
            (Shape::Bool, Val::Bool(is)) => self.push(if *is { "true" } else { "false" }),
            (Shape::Int(_), Val::S8(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::U8(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::S16(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::U16(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::S32(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::U32(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::S64(whole)) => self.push(&whole.to_string()),
            (Shape::Int(_), Val::U64(whole)) => self.push(&whole.to_string()),
            // As its own type, so that 0.1 stays 0.1.
            (Shape::Float(_), Val::Float32(number)) if number.is_finite() => self.plain(number),
            (Shape::Float(_), Val::Float64(number)) if number.is_finite() => self.plain(number),
            (Shape::Float(_), Val::Float32(number)) => self.not_finite(f64::from(*number)),
            (Shape::Float(_), Val::Float64(number)) => self.not_finite(*number),
            (Shape::Char, Val::Char(one)) => self.plain(one),
            (Shape::Text, Val::String(text)) => self.text(text),
            (Shape::List(of), Val::List(items)) | (Shape::Array(of, _), Val::FixedLengthList(items)) => {
                self.array(items, |out, item| out.value(of, item))
            }
            (Shape::Map(key, of), Val::Map(entries)) if **key == Shape::Text => {
                // A later value of the same key wins, and JSON should have each key once.
                let entries = entries.iter().map(|(key, value)| match key {
                    Val::String(key) => Ok((key.as_str(), value)),
                    _ => Err(Unwritable::Mismatch),
                });
                let entries: indexmap::IndexMap<&str, &Val> = entries.collect::<Result<_, _>>()?;
                self.object(entries, |out, value| out.value(of, value))
            }
            (Shape::Map(key, of), Val::Map(entries)) => self.array(entries, |out, (first, second)| {
                out.push("[")?;
                out.value(key, first)?;
                out.push(",")?;
                out.value(of, second)?;
                out.push("]")
            }),
            (Shape::Record(fields), Val::Record(values)) if fields.len() == values.len() => {
                let pairs = fields.iter().zip(values).map(|(field, (_, value))| (field.name.as_str(), (field, value)));
                self.object(pairs, |out, (field, value)| out.value(&field.shape, value))
            }
            (Shape::Tuple(shapes), Val::Tuple(values)) if shapes.len() == values.len() => {
                self.array(shapes.iter().zip(values), |out, (shape, value)| out.value(shape, value))
            }
            (Shape::Variant(cases), Val::Variant(name, held)) => {
                let case = cases.iter().find(|case| case.name == *name).ok_or(Unwritable::Mismatch)?;
                self.push("{\"tag\":")?;
                self.text(name)?;
                match (&case.shape, held) {
                    (Some(shape), Some(held)) => {
                        self.push(",\"val\":")?;
                        self.value(shape, held)?;
                    }
                    (None, None) => {}
                    _ => return Err(Unwritable::Mismatch),
                }
                self.push("}")
            }
            (Shape::Enum(_), Val::Enum(name)) => self.text(name),
            (Shape::Flags(_), Val::Flags(names)) => self.array(names, |out, name| out.text(name)),
            (Shape::Option(_), Val::Option(None)) => self.push("null"),
            (Shape::Option(of), Val::Option(Some(held))) if of.can_be_null() => {
                self.wrapped("some", Some(of), Some(held))
            }
            (Shape::Option(of), Val::Option(Some(held))) => self.value(of, held),
            (Shape::Result(ok, _), Val::Result(Ok(held))) => self.wrapped("ok", ok.as_deref(), held.as_deref()),
            (Shape::Result(_, err), Val::Result(Err(held))) => self.wrapped("err", err.as_deref(), held.as_deref()),
            _ => Err(Unwritable::Mismatch),
        }
    }

    fn wrapped(&mut self, key: &str, shape: Option<&Shape>, held: Option<&Val>) -> Done {
        self.push("{\"")?;
        self.push(key)?;
        self.push("\":")?;
        match (shape, held) {
            (Some(shape), Some(held)) => self.value(shape, held)?,
            (None, None) => self.push("null")?,
            _ => return Err(Unwritable::Mismatch),
        }
        self.push("}")
    }

    fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T) -> Done) -> Done {
        self.push("[")?;
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.push(",")?;
            }
            write(self, item)?;
        }
        self.push("]")
    }

    fn object<'k, T>(
        &mut self,
        entries: impl IntoIterator<Item = (&'k str, T)>,
        mut write: impl FnMut(&mut Self, T) -> Done,
    ) -> Done {
        self.push("{")?;
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at > 0 {
                self.push(",")?;
            }
            self.text(key)?;
            self.push(":")?;
            write(self, value)?;
        }
        self.push("}")
    }

    fn not_finite(&mut self, number: f64) -> Done {
        let [nan, infinity, minus_infinity] = NOT_FINITE;
        self.text(if number.is_nan() {
            nan
        } else if number > 0.0 {
            infinity
        } else {
            minus_infinity
        })
    }

    fn text(&mut self, text: &str) -> Done {
        // Quotes and escapes only add to it, so what is too long already need not be escaped.
        if self.text.len() + text.len() > self.limit {
            return Err(Unwritable::TooLarge);
        }
        self.plain(text)
    }

    /// A scalar, as serde_json writes it.
    fn plain(&mut self, scalar: impl serde::Serialize) -> Done {
        let text = serde_json::to_string(&scalar).map_err(|_| Unwritable::Mismatch)?;
        self.push(&text)
    }

    fn push(&mut self, text: &str) -> Done {
        if self.text.len() + text.len() > self.limit {
            return Err(Unwritable::TooLarge);
        }
        self.text.push_str(text);
        Ok(())
    }
}
