//! Every text and every run of bytes in an answer of a guest, for whoever must change them all.

use super::types::{
    CallError, Completion, Content, InputKind, InputRequired, PromptList, PromptOutcome, ReadOutcome, ResourceBody,
    ResourceContents, ResourceInfo, ResourceList, TemplateList, ToolList, ToolOutcome, ToolResult,
};

/// Changes a text, or bytes.
pub(super) trait Change {
    fn text(&mut self, text: &mut String);
    fn bytes(&mut self, bytes: &mut Vec<u8>);
}

/// An answer whose texts can be changed.
pub(super) trait Texts {
    fn each(&mut self, change: &mut dyn Change);
}

fn some(text: &mut Option<String>, change: &mut dyn Change) {
    if let Some(text) = text {
        change.text(text);
    }
}

impl Texts for ToolOutcome {
    fn each(&mut self, change: &mut dyn Change) {
        match self {
            Self::Complete(ToolResult { content, structured, is_error: _, meta }) => {
                content.iter_mut().for_each(|block| block.each(change));
                some(structured, change);
                some(meta, change);
            }
            Self::InputRequired(needed) => needed.each(change),
        }
    }
}

impl Texts for ReadOutcome {
    fn each(&mut self, change: &mut dyn Change) {
        match self {
            Self::Complete(read) => {
                read.contents.iter_mut().for_each(|contents| contents.each(change));
                some(&mut read.meta, change);
            }
            Self::InputRequired(needed) => needed.each(change),
        }
    }
}

impl Texts for PromptOutcome {
    fn each(&mut self, change: &mut dyn Change) {
        match self {
            Self::Complete(prompt) => {
                some(&mut prompt.description, change);
                prompt.messages.iter_mut().for_each(|message| message.content.each(change));
                some(&mut prompt.meta, change);
            }
            Self::InputRequired(needed) => needed.each(change),
        }
    }
}

impl Texts for Completion {
    fn each(&mut self, change: &mut dyn Change) {
        self.values.iter_mut().for_each(|value| change.text(value));
    }
}

impl Texts for CallError {
    fn each(&mut self, change: &mut dyn Change) {
        match self {
            Self::NotFound(text)
            | Self::InvalidArguments(text)
            | Self::Denied(text)
            | Self::Unavailable(text)
            | Self::Other(text) => change.text(text),
            Self::Cancelled => {}
        }
    }
}

impl Texts for Content {
    fn each(&mut self, change: &mut dyn Change) {
        match self {
            Self::Text(text) => {
                change.text(&mut text.text);
                some(&mut text.meta, change);
            }
            Self::Image(media) | Self::Audio(media) => {
                change.bytes(&mut media.data);
                change.text(&mut media.mime_type);
                some(&mut media.meta, change);
            }
            Self::ResourceLink(info) => info.each(change),
            Self::Resource(resource) => {
                resource.contents.each(change);
                some(&mut resource.meta, change);
            }
        }
    }
}

impl Texts for ResourceInfo {
    fn each(&mut self, change: &mut dyn Change) {
        change.text(&mut self.uri);
        change.text(&mut self.name);
        some(&mut self.title, change);
        some(&mut self.description, change);
        some(&mut self.mime_type, change);
        some(&mut self.meta, change);
        self.icons.iter_mut().for_each(|icon| change.text(&mut icon.src));
    }
}

impl Texts for ResourceContents {
    fn each(&mut self, change: &mut dyn Change) {
        change.text(&mut self.uri);
        some(&mut self.mime_type, change);
        match &mut self.body {
            ResourceBody::Text(text) => change.text(text),
            ResourceBody::Blob(bytes) => change.bytes(bytes),
        }
        some(&mut self.meta, change);
    }
}

impl Texts for InputRequired {
    fn each(&mut self, change: &mut dyn Change) {
        for request in &mut self.requests {
            change.text(&mut request.key);
            match &mut request.kind {
                InputKind::Form(form) => {
                    change.text(&mut form.message);
                    change.text(&mut form.schema);
                    some(&mut form.meta, change);
                }
                InputKind::Url(page) => {
                    change.text(&mut page.message);
                    change.text(&mut page.url);
                    some(&mut page.meta, change);
                }
                InputKind::Sample(params) => change.text(params),
                InputKind::Roots => {}
            }
        }
        if let Some(state) = &mut self.state {
            change.bytes(state);
        }
    }
}

/// Lists are asked for without secrets, so there is nothing to change in them.
macro_rules! of_lists {
    ($($list:ty),*) => {
        $(impl Texts for $list {
            fn each(&mut self, _: &mut dyn Change) {}
        })*
    };
}

of_lists!(ToolList, ResourceList, TemplateList, PromptList);
