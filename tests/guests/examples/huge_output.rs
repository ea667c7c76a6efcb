//! Answers with more than anyone wants to read.

use toolcell_guests::{
    Args, CallError, CallResult, Content, EmbeddedResource, MediaContent, ResourceBody, ResourceContents, TextContent,
    ToolCall, ToolOutcome, ToolResult, completed, raw, text,
};

raw!(
    huge_output,
    "Answers with about `bytes` bytes (default 32 MiB). `kind`: `text` (default), `blocks`, `image`, `resource`, \
     `structured`, `meta`, `error`."
);

fn huge_output(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let bytes = usize::try_from(args.number("bytes", 32 << 20)).unwrap_or(usize::MAX);
    let empty = || ToolResult { content: Vec::new(), structured: None, is_error: false, meta: None };
    Ok(match args.text("kind", "text") {
        // In the guest's own memory a block of a few bytes costs about so much.
        "blocks" => completed((0..bytes / 200).map(|_| block("8 bytes.")).collect()),
        "image" => completed(vec![Content::Image(MediaContent {
            data: vec![0; bytes],
            mime_type: "image/png".to_owned(),
            annotations: None,
            meta: None,
        })]),
        "resource" => completed(vec![Content::Resource(EmbeddedResource {
            contents: ResourceContents {
                uri: "test://huge".to_owned(),
                mime_type: None,
                body: ResourceBody::Blob(vec![0; bytes]),
                meta: None,
            },
            annotations: None,
            meta: None,
        })]),
        "structured" => ToolOutcome::Complete(ToolResult { structured: Some(json("\"", bytes, "\"")), ..empty() }),
        "meta" => ToolOutcome::Complete(ToolResult { meta: Some(json("{\"x\":\"", bytes, "\"}")), ..empty() }),
        "error" => return Err(CallError::Other("x".repeat(bytes))),
        _ => text("x".repeat(bytes)),
    })
}

fn block(text: &str) -> Content {
    Content::Text(TextContent { text: text.to_owned(), annotations: None, meta: None })
}

/// So many bytes of JSON, without a second copy that the guest's memory would not hold.
fn json(open: &str, bytes: usize, close: &str) -> String {
    let mut json = String::with_capacity(open.len() + bytes + close.len());
    json.push_str(open);
    json.extend(std::iter::repeat_n('x', bytes));
    json.push_str(close);
    json
}
