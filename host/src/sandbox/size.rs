//! How large an answer of a guest is, in bytes as it will stand on the wire, give or take the punctuation.

use super::types::{
    Content, InputRequired, ResourceBody, ResourceContents, ResourceInfo, Tool, ToolList, ToolOutcome, ToolResult,
};

/// What a block costs beside its text: braces, field names, an annotation.
const BLOCK: usize = 64;

pub(super) fn tool_outcome(outcome: &ToolOutcome) -> usize {
    match outcome {
        ToolOutcome::Complete(result) => tool_result(result),
        ToolOutcome::InputRequired(input) => input_required(input),
    }
}

pub(super) fn tool_list(list: &ToolList) -> usize {
    list.tools.iter().map(tool).sum()
}

fn tool(tool: &Tool) -> usize {
    let Tool { name, title, description, input_schema, output_schema, annotations: _, icons, meta } = tool;
    let icons: usize =
        icons.iter().map(|icon| BLOCK + icon.src.len() + icon.sizes.iter().map(String::len).sum::<usize>()).sum();
    BLOCK + name.len() + len(title) + len(description) + input_schema.len() + len(output_schema) + len(meta) + icons
}

fn tool_result(result: &ToolResult) -> usize {
    let ToolResult { content: blocks, structured, is_error: _, meta } = result;
    blocks.iter().map(content).sum::<usize>() + len(structured) + len(meta)
}

fn content(content: &Content) -> usize {
    BLOCK
        + match content {
            Content::Text(text) => text.text.len() + len(&text.meta),
            Content::Image(media) | Content::Audio(media) => {
                base64(media.data.len()) + media.mime_type.len() + len(&media.meta)
            }
            Content::ResourceLink(info) => resource_info(info),
            Content::Resource(resource) => resource_contents(&resource.contents) + len(&resource.meta),
        }
}

fn resource_info(info: &ResourceInfo) -> usize {
    info.uri.len()
        + info.name.len()
        + len(&info.title)
        + len(&info.description)
        + len(&info.mime_type)
        + len(&info.meta)
}

fn resource_contents(contents: &ResourceContents) -> usize {
    let body = match &contents.body {
        ResourceBody::Text(text) => text.len(),
        ResourceBody::Blob(bytes) => base64(bytes.len()),
    };
    contents.uri.len() + len(&contents.mime_type) + len(&contents.meta) + body
}

fn input_required(input: &InputRequired) -> usize {
    use super::types::InputKind;
    let requests = input.requests.iter().map(|request| {
        BLOCK
            + request.key.len()
            + match &request.kind {
                InputKind::Form(form) => form.message.len() + form.schema.len() + len(&form.meta),
                InputKind::Url(page) => page.message.len() + page.url.len() + len(&page.meta),
                InputKind::Sample(params) => params.len(),
                InputKind::Roots => 0,
            }
    });
    requests.sum::<usize>() + base64(input.state.as_ref().map_or(0, Vec::len))
}

fn len(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

fn base64(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}
