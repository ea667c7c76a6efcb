//! Reading pictures, sounds and anything else that is not text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use toolcell_sdk::ToolError;

use crate::error::FsError;
use crate::limits;
use crate::mounts::Mounts;
use crate::read;

/// A file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Media {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its media type, judged by its name.
    pub mime_type: &'static str,
    /// Its `file:` URI.
    pub uri: String,
}

// The structured twin of a `read_media_file` result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MediaOutput {
    /// The one content block of the result.
    pub content: Vec<MediaBlock>,
}

// A content block, as MCP writes it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum MediaBlock {
    /// A picture.
    #[serde(rename_all = "camelCase")]
    Image {
        /// The bytes in base64.
        data: String,
        /// Media type.
        mime_type: String,
    },
    /// A sound.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// The bytes in base64.
        data: String,
        /// Media type.
        mime_type: String,
    },
    /// Any other file.
    Resource {
        /// The file.
        resource: MediaResource,
    },
}

// A file inside of a content block.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MediaResource {
    /// `file:` URI.
    uri: String,
    /// Media type.
    mime_type: String,
    /// The bytes in base64.
    blob: String,
}

/// Reads a file as it is.
///
/// # Errors
///
/// `TooLarge` above the limit for media; else why the file cannot be read.
pub fn read_media(mounts: &Mounts, path: &str) -> Result<Media, FsError> {
    let at = mounts.locate(path)?;
    let (file, size) = read::open(&at)?;
    if size > limits::MEDIA_BYTES {
        return Err(FsError::TooLarge {
            what: at.path,
            size,
            limit: limits::MEDIA_BYTES,
            hint: "a file of that size cannot be passed to a model; use a smaller version of it",
        });
    }
    let bytes = read::whole(file, &at, size, usize::try_from(limits::MEDIA_BYTES).unwrap_or(usize::MAX))?;
    Ok(Media { bytes, mime_type: mime_type(&at.path), uri: file_uri(&at.path) })
}

impl MediaOutput {
    /// As JSON. `size` is that of the file: text that grows while it is written takes twice its room, and with a large
    /// file there is no such room.
    ///
    /// # Errors
    ///
    /// None that a file can cause.
    pub fn to_json(&self, size: usize) -> Result<String, ToolError> {
        let mut json = Vec::with_capacity(size / 3 * 4 + 64 * 1024);
        serde_json::to_writer(&mut json, self)?;
        Ok(String::from_utf8(json)?)
    }
}

impl Media {
    /// The content block for it, in the form of structured content.
    pub fn block(&self) -> MediaBlock {
        let data = STANDARD.encode(&self.bytes);
        let mime_type = self.mime_type.to_owned();
        match self.mime_type.split_once('/') {
            Some(("image", _)) => MediaBlock::Image { data, mime_type },
            Some(("audio", _)) => MediaBlock::Audio { data, mime_type },
            _ => MediaBlock::Resource { resource: MediaResource { uri: self.uri.clone(), mime_type, blob: data } },
        }
    }
}

/// The media type for a file name, `application/octet-stream` for one we do not know.
fn mime_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        _ => return "application/octet-stream",
    };
    match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "bmp" => "image/bmp",
        "svg" => "image/svg+xml",
        "avif" => "image/avif",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}

/// `file:` URI of an absolute path (RFC 8089); everything but RFC 3986's unreserved characters and `/` is escaped.
fn file_uri(path: &str) -> String {
    let mut uri = String::from("file://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn the_kind_of_block_follows_the_name() {
        let bench = Bench::new();
        for (name, kind, mime) in [
            ("a.png", "image", "image/png"),
            ("a.JPEG", "image", "image/jpeg"),
            ("a.ogg", "audio", "audio/ogg"),
            ("a.bin", "resource", "application/octet-stream"),
            ("png", "resource", "application/octet-stream"),
            (".png", "resource", "application/octet-stream"),
        ] {
            bench.file(name, "hi!");
            let block = serde_json::to_value(read_media(&bench.mounts, name).unwrap().block()).unwrap();
            let expected = match kind {
                "resource" => {
                    let uri = format!("file://{}", bench.path(name));
                    serde_json::json!({"type": kind, "resource": {"uri": uri, "mimeType": mime, "blob": "aGkh"}})
                }
                _ => serde_json::json!({"type": kind, "data": "aGkh", "mimeType": mime}),
            };
            assert_eq!(block, expected, "{name}");
        }
    }

    #[test]
    fn uris_are_escaped() {
        assert_eq!(file_uri("/docs/a b#ü%.bin"), "file:///docs/a%20b%23%C3%BC%25.bin");
    }

    #[test]
    fn a_huge_file_is_refused_before_it_is_read() {
        let bench = Bench::new();
        std::fs::File::create(bench.host("huge.png")).unwrap().set_len(limits::MEDIA_BYTES + 1).unwrap();
        let text = read_media(&bench.mounts, "huge.png").unwrap_err().to_string();
        assert!(text.contains("is too large") && text.contains("smaller version"), "{text}");
    }
}
