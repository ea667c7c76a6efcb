//! What stands in the parentheses of `#[tool(…)]`.

use super::parts::{Icon, icon};
use super::{flag, json_object, key, once, text, tool_name};
use proc_macro2::{Span, TokenStream};
use serde_json::{Map, Value, json};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Error, LitStr, Result, Type};

/// The key of `_meta` that says whether a tool runs as a task.
const TASK: &str = "io.toolcell/task";

/// The options of `#[tool(…)]`.
#[derive(Default)]
pub struct ToolOptions {
    /// Instead of the method's name.
    pub name: Option<LitStr>,
    /// A name for people.
    pub title: Option<LitStr>,
    /// Behaviour hints; none means not said.
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
    /// The type of the structured result, where the return type does not tell.
    pub output: Option<Type>,
    /// Whether it runs as a task: `optional`, `required` or `forbidden`.
    pub task: Option<LitStr>,
    /// The page that shows its results.
    pub ui: Option<LitStr>,
    pub icons: Vec<Icon>,
    /// A JSON object for `_meta`, as written.
    pub meta: Option<LitStr>,
    /// `any`: the tool answers to all names that no other has.
    pub any: bool,
}

impl ToolOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// An option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let parser = syn::meta::parser(|meta| match key(&meta)?.as_str() {
            "name" => once(&mut options.name, &meta, tool_name),
            "title" => once(&mut options.title, &meta, text),
            "read_only" => once(&mut options.read_only, &meta, flag),
            "destructive" => once(&mut options.destructive, &meta, flag),
            "idempotent" => once(&mut options.idempotent, &meta, flag),
            "open_world" => once(&mut options.open_world, &meta, flag),
            "output" => once(&mut options.output, &meta, |meta| meta.value()?.parse()),
            "meta" => once(&mut options.meta, &meta, json_object),
            "task" => once(&mut options.task, &meta, task),
            "ui" => once(&mut options.ui, &meta, page),
            "icon" => {
                options.icons.push(icon(&meta)?);
                Ok(())
            }
            "any" => {
                options.any = true;
                Ok(())
            }
            "description" => {
                Err(meta.error("the description is the method's doc comment: write `/// …` above `#[tool]`"))
            }
            other => Err(meta.error(format!(
                "`#[tool]` has no option `{other}`; it has `name`, `title`, `read_only`, `destructive`, `idempotent`, \
                 `open_world`, `output`, `task`, `ui`, `icon` and `meta`"
            ))),
        });
        parser.parse2(tokens)?;
        if let (Some(true), Some(true)) = (options.read_only, options.destructive) {
            return Err(Error::new(
                Span::call_site(),
                "a tool cannot be both `read_only` and `destructive`; remove the one that is not true",
            ));
        }
        options.full_meta()?;
        Ok(options)
    }

    /// What goes into `_meta`: what the author wrote, and what the options add to it.
    ///
    /// # Errors
    /// The author wrote what an option writes.
    pub fn full_meta(&self) -> Result<Option<String>> {
        let own = self.meta.as_ref().map(LitStr::value);
        if self.task.is_none() && self.ui.is_none() {
            return Ok(own);
        }
        let mut meta = match own.as_deref().map(serde_json::from_str) {
            Some(Ok(Value::Object(meta))) => meta,
            _ => Map::new(),
        };
        let twice = |option: &LitStr, key: &str| {
            Error::new(option.span(), format!("`meta` has `{key}` already, which this option writes: keep one of them"))
        };
        if let Some(task) = &self.task
            && meta.insert(TASK.to_owned(), task.value().into()).is_some()
        {
            return Err(twice(task, TASK));
        }
        if let Some(ui) = &self.ui {
            // What else is said of the page stays.
            let entry = meta.entry("ui").or_insert_with(|| json!({}));
            let link = entry.as_object_mut().map(|entry| entry.insert("resourceUri".to_owned(), ui.value().into()));
            if link != Some(None) {
                return Err(twice(ui, "ui.resourceUri"));
            }
        }
        Ok(Some(Value::Object(meta).to_string()))
    }
}

fn task(meta: &ParseNestedMeta) -> Result<LitStr> {
    let task = text(meta)?;
    match task.value().as_str() {
        "optional" | "required" | "forbidden" => Ok(task),
        _ => Err(Error::new(
            task.span(),
            "`task` is `optional` (a task where the client can follow one), `required` (only as a task) or `forbidden`",
        )),
    }
}

fn page(meta: &ParseNestedMeta) -> Result<LitStr> {
    let uri = text(meta)?;
    match uri.value().starts_with("ui://") {
        true => Ok(uri),
        false => Err(Error::new(
            uri.span(),
            "a page has a `ui://` URI: the one of a `#[resource(\"ui://…\")]` of this plugin",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn everything_a_tool_can_say() {
        let options = ToolOptions::parse(quote! {
            name = "read_file", title = "Read", read_only, destructive = false, idempotent = true, open_world = false,
            output = Vec<u8>, meta = r#"{"a":1}"#
        })
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "read_file");
        assert_eq!((options.read_only, options.destructive), (Some(true), Some(false)));
        assert_eq!((options.idempotent, options.open_world), (Some(true), Some(false)));
        assert!(options.output.is_some() && options.meta.is_some());
    }

    #[test]
    fn options_are_added_to_what_the_author_wrote() {
        let cases = [
            (quote!(), None),
            (quote!(meta = r#"{ "a": 1 }"#), Some(r#"{ "a": 1 }"#)),
            (quote!(task = "required"), Some(r#"{"io.toolcell/task":"required"}"#)),
            (quote!(task = "optional", meta = r#"{"a":1}"#), Some(r#"{"a":1,"io.toolcell/task":"optional"}"#)),
            (
                quote!(ui = "ui://a/b", meta = r#"{"ui":{"csp":{}}}"#),
                Some(r#"{"ui":{"csp":{},"resourceUri":"ui://a/b"}}"#),
            ),
        ];
        for (tokens, expected) in cases {
            assert_eq!(ToolOptions::parse(tokens).unwrap().full_meta().unwrap().as_deref(), expected);
        }
    }

    #[test]
    fn nothing_said_is_not_the_same_as_false() {
        let options = ToolOptions::parse(quote!()).unwrap();
        assert_eq!((options.read_only, options.destructive), (None, None));
    }

    #[test]
    fn a_mistake_in_a_tool_is_answered_with_what_would_be_right() {
        let cases = [
            (quote!(readonly), "has no option `readonly`; it has `name`"),
            (quote!(description = "x"), "is the method's doc comment"),
            (quote!(name = "read file"), "1 to 128 of the characters"),
            (quote!(name = ""), "1 to 128 of the characters"),
            (quote!(meta = "[]"), "`meta` is a JSON object"),
            (quote!(meta = "{"), "this is not JSON"),
            (quote!(read_only, destructive), "cannot be both"),
            (quote!(read_only, read_only), "given twice"),
            (quote!(task = "always"), "`task` is `optional`"),
            (quote!(ui = "https://a/b"), "a page has a `ui://` URI"),
            (quote!(task = "optional", meta = r#"{"io.toolcell/task":"required"}"#), "keep one of them"),
            (quote!(ui = "ui://a", meta = r#"{"ui":{"resourceUri":"ui://b"}}"#), "keep one of them"),
            (quote!(ui = "ui://a", meta = r#"{"ui":1}"#), "keep one of them"),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = ToolOptions::parse(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
