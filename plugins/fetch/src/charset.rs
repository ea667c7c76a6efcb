//! From bytes to text.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page its encoding may be declared, in bytes (WHATWG HTML, "prescan").
const PRESCAN: usize = 1024;

/// Decodes a body. What counts, in this order: a byte order mark, the `charset` of the header, a `<meta>` of the page itself;
/// then UTF-8, or what most old pages are written in if it is not that. Bytes that make no sense become U+FFFD.
pub fn decode(bytes: &[u8], content_type: &str) -> String {
    let declared = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| in_header(content_type))
        .or_else(|| in_page(bytes));
    let encoding = match declared {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let (text, _, _) = encoding.decode(bytes);
    text.into_owned()
}

/// Whether this is no text at all: a picture, an archive, a program.
pub fn is_binary(bytes: &[u8], content_type: &str) -> bool {
    let wide = Encoding::for_bom(bytes).is_some() || in_header(content_type).is_some();
    !wide && bytes.iter().take(8 * PRESCAN).any(|&byte| byte == 0)
}

/// The `charset` parameter of a media type.
fn in_header(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| Encoding::for_label(value.trim().trim_matches('"').as_bytes()))?
    })
}

/// The first `charset=` inside a `<meta>`.
fn in_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..PRESCAN.min(bytes.len()))?;
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let tags = text.split("<meta").skip(1);
    let found = tags
        .filter_map(|tag| tag.split('>').next()?.split_once("charset"))
        .find_map(|(_, after)| {
            let value = after.trim_start().strip_prefix('=')?;
            let value = value.trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|c: char| c.is_whitespace() || "\"';/".contains(c));
            Encoding::for_label(value.get(..end.unwrap_or(value.len()))?.as_bytes())
        })?;
    // A page that could be read so far is not written in units of two bytes, whatever it says.
    match found == UTF_16LE || found == UTF_16BE {
        true => Some(UTF_8),
        false => Some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_found_where_it_is_declared() {
        let cases: [(&[u8], &str, &str); 11] = [
            ("é".as_bytes(), "text/html; charset=utf-8", "é"),
            (b"\xe9", "text/html; charset=ISO-8859-1", "é"),
            (b"\xe9", "text/html;Charset=\"latin1\"; x=y", "é"),
            (b"\xef\xbb\xbf\xc3\xa9", "text/html; charset=latin1", "é"),
            (b"\xff\xfeh\x00i\x00", "", "hi"),
            (
                b"<meta charset=shift_jis><p>\x93\xfa",
                "text/html",
                "<meta charset=shift_jis><p>日",
            ),
            (
                b"<META http-equiv='Content-Type' content='text/html; charset=koi8-r'>\xc4\xc1",
                "text/html",
                "<META http-equiv='Content-Type' content='text/html; charset=koi8-r'>да",
            ),
            (
                b"<meta charset=\"utf-16le\">ok",
                "text/html",
                "<meta charset=\"utf-16le\">ok",
            ),
            (b"caf\xe9 \x80", "text/plain", "café €"),
            ("naïve".as_bytes(), "", "naïve"),
            (b"a\xffb", "text/plain; charset=utf-8", "a\u{fffd}b"),
        ];
        for (bytes, content_type, expected) in cases {
            assert_eq!(decode(bytes, content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn a_picture_is_no_text() {
        let cases: [(&[u8], &str, bool); 4] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0", "image/png", true),
            (b"\xff\xfeh\x00i\x00", "text/plain", false),
            (b"h\0i\0", "text/plain; charset=utf-16le", false),
            (b"{}", "application/json", false),
        ];
        for (bytes, content_type, binary) in cases {
            assert_eq!(is_binary(bytes, content_type), binary, "{content_type}");
        }
    }
}
