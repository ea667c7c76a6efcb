//! Values of any type from the texts a client sends: the arguments of a prompt and the variables of a URI.

use serde::de::value::{Error, MapDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// A struct whose fields are the texts of these names.
///
/// # Errors
/// What is missing, or which text is no value of its field.
pub fn fields<T: DeserializeOwned>(texts: &[(String, String)]) -> Result<T, Error> {
    let texts = texts.iter().map(|(name, text)| (name.as_str(), Text { name, text }));
    T::deserialize(MapDeserializer::new(texts))
}

/// The value of one name; for an `Option` none if it is missing.
///
/// # Errors
/// It is missing, or no such value.
pub fn field<T: DeserializeOwned>(texts: &[(String, String)], name: &str) -> Result<T, Error> {
    match texts.iter().find(|(other, _)| other == name) {
        Some((name, text)) => T::deserialize(Text { name, text }),
        None => T::deserialize(Missing { name }),
    }
}

#[derive(Clone, Copy)]
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

impl Text<'_> {
    fn parsed<T: std::str::FromStr>(self, expected: &str) -> Result<T, Error> {
        self.text.trim().parse().map_err(|_| self.wrong(expected))
    }

    fn wrong(self, expected: impl std::fmt::Display) -> Error {
        Error::custom(format_args!("`{}` is `{}`; expected {expected}", self.name, self.text))
    }
}

impl<'de> IntoDeserializer<'de, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $ty:ty, $expected:literal;)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                visitor.$visit(self.parsed::<$ty>($expected)?)
            }
        )+
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 i8, "an integer from -128 to 127";
        deserialize_i16 visit_i16 i16, "an integer";
        deserialize_i32 visit_i32 i32, "an integer";
        deserialize_i64 visit_i64 i64, "an integer";
        deserialize_i128 visit_i128 i128, "an integer";
        deserialize_u8 visit_u8 u8, "an integer from 0 to 255";
        deserialize_u16 visit_u16 u16, "an integer, not negative";
        deserialize_u32 visit_u32 u32, "an integer, not negative";
        deserialize_u64 visit_u64 u64, "an integer, not negative";
        deserialize_u128 visit_u128 u128, "an integer, not negative";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
        deserialize_bool visit_bool bool, "`true` or `false`";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor
            .visit_string(self.text.to_owned())
            .map_err(|error: Error| Error::custom(format_args!("`{}`: {error}", self.name)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: StringDeserializer<Error> = self.text.to_owned().into_deserializer();
        text.deserialize_enum(name, variants, visitor)
            .map_err(|_| self.wrong(format_args!("one of `{}`", variants.join("`, `"))))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// What is not there: good for an `Option` only.
struct Missing<'a> {
    name: &'a str,
}

impl<'de> Deserializer<'de> for Missing<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom(format_args!("`{}` is missing", self.name)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::net::IpAddr;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Fields {
        name: String,
        count: u8,
        ratio: Option<f64>,
        #[serde(default)]
        deep: bool,
        order: Option<Order>,
        host: Option<IpAddr>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn texts_become_values() {
        let given =
            texts(&[("name", "7"), ("count", " 7"), ("ratio", "0.5"), ("order", "down"), ("host", "::1"), ("x", "")]);
        let expected = Fields {
            name: "7".into(),
            count: 7,
            ratio: Some(0.5),
            deep: false,
            order: Some(Order::Down),
            host: Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
        };
        assert_eq!(fields::<Fields>(&given), Ok(expected));
        assert_eq!(field::<u32>(&texts(&[("n", "3")]), "n"), Ok(3));
        assert_eq!(field::<Option<u32>>(&[], "n"), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (vec![("name", "a")], "missing field `count`"),
            (vec![("name", "a"), ("count", "300")], "`count` is `300`; expected an integer from 0 to 255"),
            (vec![("name", "a"), ("count", "1"), ("deep", "yes")], "`deep` is `yes`; expected `true` or `false`"),
            (vec![("name", "a"), ("count", "1"), ("order", "left")], "`order` is `left`; expected one of `up`, `down`"),
            (vec![("name", "a"), ("count", "1"), ("host", "?")], "`host`: invalid IP address syntax"),
        ];
        for (given, expected) in cases {
            assert_eq!(fields::<Fields>(&texts(&given)).unwrap_err().to_string(), expected);
        }
        assert_eq!(field::<String>(&[], "n").unwrap_err().to_string(), "`n` is missing");
    }
}
