//! Options that several attributes have: pictures, display hints, how long a copy is good.

use super::{key, once, text};
use syn::meta::ParseNestedMeta;
use syn::{Error, LitFloat, LitInt, LitStr, Result, Token};

/// One `icon`.
pub struct Icon {
    pub src: LitStr,
    pub mime_type: Option<LitStr>,
    pub sizes: Vec<String>,
    pub theme: Option<Theme>,
}

/// The background an icon is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// `audience`, `priority` and `last_modified`.
#[derive(Default)]
pub struct Hints {
    /// Whether it is for the person.
    pub user: bool,
    /// Whether it is for the model.
    pub assistant: bool,
    /// From 0.0 to 1.0.
    pub priority: Option<f64>,
    /// ISO 8601.
    pub last_modified: Option<LitStr>,
}

/// `cache(ttl = "10m", scope = "public")`
pub struct Cache {
    pub ttl_ms: u64,
    /// Whether anyone may keep a copy.
    pub public: bool,
}

/// `icon = "https://…"` or `icon(src = "…", mime_type = "…", sizes = "48x48 any", theme = "dark")`.
///
/// # Errors
/// There is no source, or it is none that clients load.
pub fn icon(meta: &ParseNestedMeta) -> Result<Icon> {
    if meta.input.peek(Token![=]) {
        return Ok(Icon { src: source(text(meta)?)?, mime_type: None, sizes: Vec::new(), theme: None });
    }
    let (mut src, mut mime_type, mut sizes, mut theme) = (None, None, None, None);
    meta.parse_nested_meta(|meta| match key(&meta)?.as_str() {
        "src" => once(&mut src, &meta, text),
        "mime_type" => once(&mut mime_type, &meta, text),
        "sizes" => once(&mut sizes, &meta, text),
        "theme" => once(&mut theme, &meta, |meta| {
            let theme = text(meta)?;
            match theme.value().as_str() {
                "light" => Ok(Theme::Light),
                "dark" => Ok(Theme::Dark),
                _ => Err(Error::new(theme.span(), "`theme` is `light` or `dark`")),
            }
        }),
        other => {
            Err(meta.error(format!("`icon` has no option `{other}`; it has `src`, `mime_type`, `sizes` and `theme`")))
        }
    })?;
    let src: LitStr = src.ok_or_else(|| meta.error("say where the picture is: add `src = \"https://…\"`"))?;
    let sizes =
        sizes.map_or_else(Vec::new, |sizes: LitStr| sizes.value().split_whitespace().map(str::to_owned).collect());
    Ok(Icon { src: source(src)?, mime_type, sizes, theme })
}

fn source(src: LitStr) -> Result<LitStr> {
    match src.value().starts_with("https:") || src.value().starts_with("data:") {
        true => Ok(src),
        false => Err(Error::new(src.span(), "a picture is at an `https:` or in a `data:` URI: clients load no others")),
    }
}

impl Hints {
    /// The names of the options that [`Hints::read`] knows.
    pub const NAMES: [&str; 3] = ["audience", "priority", "last_modified"];

    /// Reads the option `name`, which is one of [`Hints::NAMES`].
    ///
    /// # Errors
    /// It is there twice, or its value cannot be right.
    pub fn read(&mut self, name: &str, meta: &ParseNestedMeta) -> Result<()> {
        match name {
            "audience" => {
                let role = text(meta)?;
                let slot = match role.value().as_str() {
                    "user" => &mut self.user,
                    "assistant" => &mut self.assistant,
                    _ => {
                        return Err(Error::new(
                            role.span(),
                            "`audience` is `user` or `assistant`; say it twice for both",
                        ));
                    }
                };
                match std::mem::replace(slot, true) {
                    true => Err(meta.error("this option is given twice")),
                    false => Ok(()),
                }
            }
            "priority" => once(&mut self.priority, meta, priority),
            _ => once(&mut self.last_modified, meta, text),
        }
    }
}

fn priority(meta: &ParseNestedMeta) -> Result<f64> {
    let input = meta.value()?;
    let (value, span) = match input.peek(LitInt) {
        true => {
            let number: LitInt = input.parse()?;
            (number.base10_parse::<f64>()?, number.span())
        }
        false => {
            let number: LitFloat = input.parse()?;
            (number.base10_parse::<f64>()?, number.span())
        }
    };
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(Error::new(span, "`priority` is from 0.0 (optional) to 1.0 (required)")),
    }
}

/// `cache(ttl = "10m")`: for the same caller, unless `scope = "public"` says that it holds nothing about the caller.
///
/// # Errors
/// There is no time, or it is none.
pub fn cache(meta: &ParseNestedMeta) -> Result<Cache> {
    let (mut ttl, mut public) = (None, None);
    meta.parse_nested_meta(|meta| match key(&meta)?.as_str() {
        "ttl" => once(&mut ttl, &meta, |meta| {
            let ttl = text(meta)?;
            milliseconds(&ttl.value()).ok_or_else(|| {
                Error::new(ttl.span(), "`ttl` is a time such as `500ms`, `30s`, `10m`, `1h` or `7d`")
            })
        }),
        "scope" => once(&mut public, &meta, |meta| {
            let scope = text(meta)?;
            match scope.value().as_str() {
                "public" => Ok(true),
                "private" => Ok(false),
                _ => Err(Error::new(
                    scope.span(),
                    "`scope` is `private` (a copy is for the same caller) or `public` (it holds nothing about the caller)",
                )),
            }
        }),
        other => Err(meta.error(format!("`cache` has no option `{other}`; it has `ttl` and `scope`"))),
    })?;
    let ttl_ms = ttl.ok_or_else(|| meta.error("say how long a copy stays fresh: add `ttl = \"10m\"`"))?;
    Ok(Cache { ttl_ms, public: public.unwrap_or(false) })
}

fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let cases = [
            ("500ms", Some(500)),
            ("0s", Some(0)),
            ("10m", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("7d", Some(604_800_000)),
            ("10", None),
            ("m", None),
            ("1.5h", None),
            ("1 h", None),
            ("99999999999999999999d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
