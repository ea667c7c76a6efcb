//! The JSON-RPC 2.0 envelope, read from borrowed bytes.
//!
//! Nothing is rebuilt: members keep pointing into the bytes of the message, and what a layer below needs as text
//! (arguments, `_meta`) is handed down as the slice it came in.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::Error;

/// The identifier of a request: a string or an integer, never null.
/// Source: 2026-07-28, basic, "Requests".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id<'a> {
    /// An integer, wide enough for every one a peer may count with.
    Number(i128),
    /// A string.
    Text(Cow<'a, str>),
}

impl Id<'_> {
    /// A copy that does not point into the message.
    pub fn into_owned(self) -> Id<'static> {
        match self {
            Self::Number(number) => Id::Number(number),
            Self::Text(text) => Id::Text(Cow::Owned(text.into_owned())),
        }
    }
}

impl<'a> Id<'a> {
    /// Reads an identifier; none if it is neither a string nor an integer.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        match raw.get().as_bytes().first()? {
            b'"' => serde_json::from_str::<Text<'a>>(raw.get()).ok().map(|text| Self::Text(text.0)),
            b'-' | b'0'..=b'9' => raw.get().parse().ok().map(Self::Number),
            _ => None,
        }
    }
}

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => match i64::try_from(*number) {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => serializer.serialize_i128(*number),
            },
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A string that borrows where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of one JSON object, each still text. Members that are null count as absent, for clients write both.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads one level of an object; none if it is anything else, or names a member twice: two readers of the same
    /// message must not see two different values.
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// The text of a member.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    /// The names and texts of all members.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// A member that is a string.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if it is anything else.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        self.get(name).map(|raw| text(raw).ok_or_else(|| wrong(name, "a string"))).transpose()
    }

    /// A member that must be there and be a string.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if it is missing or anything else.
    pub fn required_text(&self, name: &str) -> Result<Cow<'a, str>, Error> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A member that is an object.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if it is anything else.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Error> {
        self.get(name).map(|raw| Fields::read(raw).ok_or_else(|| wrong(name, "an object"))).transpose()
    }

    /// A member that must be there and be an object.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if it is missing or anything else.
    pub fn required_object(&self, name: &str) -> Result<Fields<'a>, Error> {
        self.object(name)?.ok_or_else(|| missing(name))
    }

    /// A member that is true or false; absent means false.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if it is anything else.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name).map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }
}

/// The string that `raw` holds, if it is one.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

fn wrong(name: &str, kind: &str) -> Error {
    Error::InvalidParams(format!("`{name}` must be {kind}"))
}

fn missing(name: &str) -> Error {
    Error::InvalidParams(format!("`{name}` is missing"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Self::Value = Vec::with_capacity(4);
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                match twice(&members) {
                    Some(name) => Err(serde::de::Error::custom(format_args!("`{name}` is there twice"))),
                    None => Ok(members),
                }
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

/// A name that is there twice, if any. Sorted, for a stranger decides how many there are.
fn twice<'a>(members: &'a [(Cow<'_, str>, &RawValue)]) -> Option<&'a str> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first().copied())
}

/// A request: it must be answered.
#[derive(Debug)]
pub struct Request<'a> {
    /// What the answer will carry.
    pub id: Id<'a>,
    /// What is asked.
    pub method: Cow<'a, str>,
    /// With what; empty if there were none.
    pub params: Fields<'a>,
    /// The members of `params._meta`; empty if there were none.
    pub meta: Fields<'a>,
}

impl<'a> Request<'a> {
    /// Whether it is answered by a stream that goes on until one side ends it.
    pub fn has_no_end(&self) -> bool {
        self.method == "subscriptions/listen"
    }

    /// The text of `params._meta`, which is an object.
    pub fn meta_text(&self) -> &'a str {
        self.params.get("_meta").map_or("{}", RawValue::get)
    }
}

/// A notification: nothing comes back.
#[derive(Debug)]
pub struct Notification<'a> {
    /// What happened.
    pub method: Cow<'a, str>,
    /// With what; empty if there were none.
    pub params: Fields<'a>,
}

/// An answer to a request of ours.
#[derive(Debug)]
pub struct Response<'a> {
    /// The request it answers.
    pub id: Id<'a>,
    /// The text of the result, or of the error.
    pub outcome: Result<&'a RawValue, &'a RawValue>,
}

/// One message.
#[derive(Debug)]
pub enum Message<'a> {
    /// It must be answered.
    Request(Request<'a>),
    /// Nothing comes back.
    Notification(Notification<'a>),
    /// It answers a request of ours.
    Response(Response<'a>),
}

/// What one delivery of a transport holds.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// One message.
    One(Message<'a>),
    /// Several, each still text. Whether they are welcome depends on the revision.
    Batch(Vec<&'a RawValue>),
}

/// A delivery that is no message, and the identifier to answer with where one could be read.
#[derive(Debug)]
pub struct Rejected {
    /// Whose answer this is.
    pub id: Option<Id<'static>>,
    /// What is wrong.
    pub error: Error,
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        Self { id: None, error }
    }
}

/// Reads one delivery.
///
/// # Errors
/// [`Error::Parse`] for what is not JSON in UTF-8, [`Error::InvalidRequest`] for what is not a message, and
/// [`Error::InvalidParams`] for `params` that are not an object.
pub fn read(bytes: &[u8]) -> Result<Incoming<'_>, Rejected> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Parse("the message is not UTF-8".to_owned()))?;
    let start = text.trim_ascii_start();
    if start.starts_with('[') {
        let members: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| Error::Parse(error.to_string()))?;
        if members.is_empty() {
            return Err(Error::InvalidRequest("an empty batch".to_owned()).into());
        }
        return Ok(Incoming::Batch(members));
    }
    read_one(text).map(Incoming::One)
}

/// Reads one message.
///
/// # Errors
/// As for [`read`].
pub fn read_one(text: &str) -> Result<Message<'_>, Rejected> {
    let envelope: Fields<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Error::InvalidRequest(format!("not a JSON-RPC message: {error}")),
        _ => Error::Parse(error.to_string()),
    })?;
    // Null is an identifier that is there and wrong, so this does not go through `Fields::get`.
    let id = envelope.iter().find(|(name, _)| *name == "id").map(|(_, raw)| raw);
    let known = id.and_then(Id::read);
    let reject = |error: Error| Rejected { id: known.clone().map(Id::into_owned), error };
    let invalid = |text: &str| reject(Error::InvalidRequest(text.to_owned()));

    if envelope.get("jsonrpc").map(RawValue::get) != Some("\"2.0\"") {
        return Err(invalid("`jsonrpc` must be \"2.0\""));
    }
    if id.is_some() && known.is_none() {
        return Err(invalid("`id` must be a string or an integer"));
    }
    let Some(method) = envelope.get("method") else {
        return read_response(&envelope, known.clone()).ok_or_else(|| invalid("`method` is missing"));
    };
    let method = self::text(method).ok_or_else(|| invalid("`method` must be a string"))?;
    let params = read_params(&envelope).map_err(reject)?;
    let Some(id) = known.clone() else {
        return Ok(Message::Notification(Notification { method, params }));
    };
    let meta = params.object("_meta").map_err(|_| reject(Error::Malformed("`_meta` must be an object".to_owned())))?;
    Ok(Message::Request(Request { id, method, params, meta: meta.unwrap_or_default() }))
}

fn read_params<'a>(envelope: &Fields<'a>) -> Result<Fields<'a>, Error> {
    let Some(raw) = envelope.get("params") else { return Ok(Fields::default()) };
    match raw.get().as_bytes().first() {
        Some(b'{') => Fields::read(raw).ok_or_else(|| Error::InvalidParams("`params` names a member twice".to_owned())),
        Some(b'[') => Err(Error::InvalidParams("`params` must be an object, not an array".to_owned())),
        _ => Err(Error::InvalidRequest("`params` must be an object".to_owned())),
    }
}

fn read_response<'a>(envelope: &Fields<'a>, id: Option<Id<'a>>) -> Option<Message<'a>> {
    let outcome = match (envelope.get("result"), envelope.get("error")) {
        (Some(result), None) => Ok(result),
        (None, Some(error)) => Err(error),
        _ => return None,
    };
    Some(Message::Response(Response { id: id?, outcome }))
}

#[cfg(test)]
mod tests {
    use super::{Id, Incoming, Message, Rejected, read};

    fn code(text: &str) -> (i32, Option<String>) {
        match read(text.as_bytes()) {
            Err(Rejected { id, error }) => (error.code(), id.map(|id| id.to_string())),
            Ok(message) => panic!("accepted {text}: {message:?}"),
        }
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_code() {
        let some = |id: &str| Some(id.to_owned());
        for (text, expected) in [
            ("", (-32700, None)),
            ("{", (-32700, None)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, (-32700, None)),
            ("nul", (-32700, None)),
            ("[", (-32700, None)),
            ("[]", (-32600, None)),
            ("5", (-32600, None)),
            ("null", (-32600, None)),
            ("\"ping\"", (-32600, None)),
            ("{}", (-32600, None)),
            (r#"{"id":1,"method":"ping"}"#, (-32600, some("1"))),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, (-32600, some("1"))),
            (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, (-32600, some("1"))),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, (-32600, None)),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, (-32600, None)),
            (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, (-32600, None)),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, (-32600, None)),
            (r#"{"jsonrpc":"2.0","id":"a","method":5}"#, (-32600, some("a"))),
            (r#"{"jsonrpc":"2.0","id":"a"}"#, (-32600, some("a"))),
            (r#"{"jsonrpc":"2.0","id":"a","result":{},"error":{}}"#, (-32600, some("a"))),
            (r#"{"jsonrpc":"2.0","result":{}}"#, (-32600, None)),
            (r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}"#, (-32600, some("7"))),
            (r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#, (-32602, some("7"))),
            (r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":1}}"#, (-32602, some("7"))),
            (r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":1,"a":2}}"#, (-32602, some("7"))),
            (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, (-32600, None)),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().error.code(), -32700);
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let depth = 200_000;
        let params = format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
        assert!(matches!(read(text.as_bytes()), Ok(Incoming::One(Message::Request(_)))));
    }

    #[test]
    fn many_members_cost_little_and_one_that_is_there_twice_is_found() {
        let members: Vec<_> = (0..200_000).map(|number| format!(r#""m{number}":1"#)).collect();
        let message = |more: &str| {
            let params = format!("{{{}{more}}}", members.join(","));
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#)
        };
        assert!(read(message("").as_bytes()).is_ok());
        assert_eq!(code(&message(r#","m7":2"#)), (-32602, Some("1".to_owned())));
    }

    #[test]
    fn messages_of_each_kind_are_read() {
        for (text, id) in [
            (r#"{"jsonrpc":"2.0","id":-3,"method":"ping"}"#, Id::Number(-3)),
            (r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"ping"}"#, Id::Number(u64::MAX.into())),
            (r#"{"jsonrpc":"2.0","id":"é","method":"ping","params":null}"#, Id::Text("é".into())),
        ] {
            let Ok(Incoming::One(Message::Request(request))) = read(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(request.id, id);
            assert_eq!(request.method, "ping");
        }
        let text = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert!(matches!(read(text.as_bytes()), Ok(Incoming::One(Message::Notification(_)))));
        let text = r#"{"jsonrpc":"2.0","id":4,"result":{"ok":true}}"#;
        let Ok(Incoming::One(Message::Response(response))) = read(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(response.outcome.unwrap().get(), r#"{"ok":true}"#);
        assert!(matches!(read(br#" [1, {"jsonrpc":"2.0"}]"#), Ok(Incoming::Batch(members)) if members.len() == 2));
    }

    #[test]
    fn an_identifier_is_sent_back_as_it_came() {
        for text in ["1", "-9007199254740993", "18446744073709551615", r#""a\"b""#, r#""""#] {
            let raw: &serde_json::value::RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&Id::read(raw).unwrap()).unwrap(), text);
        }
    }
}
