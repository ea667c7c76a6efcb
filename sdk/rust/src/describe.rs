//! Building descriptions at run time, for lists that are not known before: what the attributes do for the rest.

use crate::types::{
    Annotations, CacheHint, CacheScope, Icon, IconTheme, Prompt, PromptArgument, ResourceInfo, ResourceTemplate, Role,
    Tool,
};
use std::time::Duration;

/// The media type of a page that a client shows beside a tool's result (the extension `io.modelcontextprotocol/ui`).
pub const APP_MIME_TYPE: &str = "text/html;profile=mcp-app";

/// Setters that descriptions share.
macro_rules! described {
    ($($ty:ident)+) => {
        $(
            impl $ty {
                /// Sets the name for people.
                #[must_use]
                pub fn title(mut self, title: impl Into<String>) -> Self {
                    self.title = Some(title.into());
                    self
                }

                /// Sets what it is, for the model.
                #[must_use]
                pub fn description(mut self, description: impl Into<String>) -> Self {
                    self.description = Some(description.into());
                    self
                }

                /// Adds a picture.
                #[must_use]
                pub fn icon(mut self, icon: Icon) -> Self {
                    self.icons.push(icon);
                    self
                }

                /// Sets `_meta`, the text of a JSON object.
                #[must_use]
                pub fn meta(mut self, json: impl Into<String>) -> Self {
                    self.meta = Some(json.into());
                    self
                }
            }
        )+
    };
}

described! { Tool Prompt ResourceInfo ResourceTemplate }

impl Tool {
    /// A tool with a name for programs; `input_schema` is the text of the JSON Schema of its arguments, an object.
    #[must_use]
    pub fn new(name: impl Into<String>, input_schema: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema: input_schema.into(),
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }
}

impl ResourceInfo {
    /// A resource of this URI, with a name for programs.
    #[must_use]
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }

    /// Sets the media type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the raw contents in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets the display hints.
    #[must_use]
    pub fn annotated(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }
}

impl ResourceTemplate {
    /// A pattern of URIs, with a name for programs.
    #[must_use]
    pub fn new(uri_template: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri_template: uri_template.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }

    /// Sets the media type, if all that match share one.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the display hints.
    #[must_use]
    pub fn annotated(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }
}

impl Prompt {
    /// A prompt without arguments, with a name for programs.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, description: None, arguments: Vec::new(), icons: Vec::new(), meta: None }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: PromptArgument) -> Self {
        self.arguments.push(argument);
        self
    }
}

impl PromptArgument {
    /// An argument that must be given.
    #[must_use]
    pub fn required(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, description: Some(description.into()), required: true }
    }

    /// An argument that may be left out.
    #[must_use]
    pub fn optional(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { required: false, ..Self::required(name, description) }
    }
}

impl Icon {
    /// A picture at an `https:` or in a `data:` URI.
    #[must_use]
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: Vec::new(), theme: None }
    }
}

impl Annotations {
    /// No hints.
    #[must_use]
    pub fn none() -> Self {
        Self { audience: Vec::new(), priority: None, last_modified: None }
    }

    /// Says whom it is for; once for each.
    #[must_use]
    pub fn audience(mut self, role: Role) -> Self {
        self.audience.push(role);
        self
    }

    /// Says how much it matters, from 0.0 (optional) to 1.0 (required).
    #[must_use]
    pub fn priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Says when it last changed, ISO 8601.
    #[must_use]
    pub fn last_modified(mut self, when: impl Into<String>) -> Self {
        self.last_modified = Some(when.into());
        self
    }
}

impl CacheHint {
    /// Fresh for this long, and anyone may keep a copy: it holds nothing about the caller.
    #[must_use]
    pub fn public(ttl: Duration) -> Self {
        Self { ttl_ms: milliseconds(ttl), scope: CacheScope::Public }
    }

    /// Fresh for this long, and only the same caller may keep a copy.
    #[must_use]
    pub fn private(ttl: Duration) -> Self {
        Self { ttl_ms: milliseconds(ttl), scope: CacheScope::Private }
    }
}

fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

/// A picture as the attributes describe it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct IconDefinition {
    pub src: &'static str,
    pub mime_type: Option<&'static str>,
    pub sizes: &'static [&'static str],
    pub theme: Option<IconTheme>,
}

/// Display hints as the attributes describe them.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Hints {
    pub audience: &'static [Role],
    pub priority: Option<f64>,
    pub last_modified: Option<&'static str>,
}

impl Hints {
    pub(crate) fn describe(&self) -> Option<Annotations> {
        let Self { audience, priority, last_modified } = *self;
        let said = !audience.is_empty() || priority.is_some() || last_modified.is_some();
        said.then(|| Annotations {
            audience: audience.to_vec(),
            priority,
            last_modified: last_modified.map(str::to_owned),
        })
    }
}

pub(crate) fn icons(icons: &[IconDefinition]) -> Vec<Icon> {
    let described = icons.iter().map(|icon| Icon {
        src: icon.src.to_owned(),
        mime_type: icon.mime_type.map(str::to_owned),
        sizes: icon.sizes.iter().map(|&size| size.to_owned()).collect(),
        theme: icon.theme,
    });
    described.collect()
}
