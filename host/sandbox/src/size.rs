//! How large an answer of a guest is, in bytes as it will stand on the wire, give or take the punctuation.

use super::types::{
    CallError, Completion, Content, Icon, InputRequired, PromptList, PromptOutcome, ReadOutcome, ResourceBody,
    ResourceContents, ResourceInfo, ResourceList, TemplateList, Tool, ToolList, ToolOutcome, ToolResult,
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

pub(super) fn resource_list(list: &ResourceList) -> usize {
    list.resources.iter().map(|info| BLOCK + resource_info(info)).sum()
}

pub(super) fn template_list(list: &TemplateList) -> usize {
    let template = |it: &super::types::ResourceTemplate| {
        it.uri_template.len()
            + it.name.len()
            + len(&it.title)
            + len(&it.description)
            + len(&it.mime_type)
            + len(&it.meta)
            + icons(&it.icons)
            + BLOCK
    };
    list.templates.iter().map(template).sum()
}

pub(super) fn prompt_list(list: &PromptList) -> usize {
    let prompt = |it: &super::types::Prompt| {
        let arguments = it.arguments.iter();
        let arguments = arguments.map(|it| BLOCK + it.name.len() + len(&it.title) + len(&it.description));
        let texts = it.name.len() + len(&it.title) + len(&it.description) + len(&it.meta);
        BLOCK + texts + icons(&it.icons) + arguments.sum::<usize>()
    };
    list.prompts.iter().map(prompt).sum()
}

pub(super) fn read_outcome(outcome: &ReadOutcome) -> usize {
    match outcome {
        ReadOutcome::Complete(read) => {
            read.contents.iter().map(|it| BLOCK + resource_contents(it)).sum::<usize>() + len(&read.meta)
        }
        ReadOutcome::InputRequired(input) => input_required(input),
    }
}

pub(super) fn prompt_outcome(outcome: &PromptOutcome) -> usize {
    match outcome {
        PromptOutcome::Complete(prompt) => {
            let messages = prompt.messages.iter().map(|message| BLOCK + content(&message.content));
            messages.sum::<usize>() + len(&prompt.description) + len(&prompt.meta)
        }
        PromptOutcome::InputRequired(input) => input_required(input),
    }
}

pub(super) fn call_error(error: &CallError) -> usize {
    match error {
        CallError::NotFound(text)
        | CallError::InvalidArguments(text)
        | CallError::Denied(text)
        | CallError::Unavailable(text)
        | CallError::Other(text) => text.len(),
        CallError::Cancelled => 0,
    }
}

pub(super) fn completion(completion: &Completion) -> usize {
    completion.values.iter().map(|value| value.len() + 4).sum()
}

fn icons(icons: &[Icon]) -> usize {
    icons.iter().map(|icon| BLOCK + icon.src.len() + icon.sizes.iter().map(String::len).sum::<usize>()).sum()
}

fn tool(tool: &Tool) -> usize {
    let Tool { name, title, description, input_schema, output_schema, annotations: _, icons: pictures, meta } = tool;
    let schemas = input_schema.len() + len(output_schema);
    BLOCK + name.len() + len(title) + len(description) + schemas + len(meta) + icons(pictures)
}

/// How large a result of a tool is.
pub fn tool_result(result: &ToolResult) -> usize {
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
        + icons(&info.icons)
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
