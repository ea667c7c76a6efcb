//! The `impl` block under `#[plugin]`.

use crate::complete::{self, Complete, List};
use crate::docs;
use crate::method::{self, Input, Mark};
use crate::options::{Completed, Listed, PluginOptions};
use crate::prompt::{self, Prompt};
use crate::resource::{self, Resource, Target};
use crate::template;
use crate::tool::{self, Tool};
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Error, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Result};

/// A plugin as its `impl` block describes it. All in the order written; no two of one name, and something at least.
pub struct Plugin {
    /// The parentheses of `#[plugin(…)]`.
    pub options: PluginOptions,
    /// The doc comment of the block.
    pub description: Option<String>,
    /// The block without the marks.
    pub block: ItemImpl,
    pub tools: Vec<Tool>,
    pub resources: Vec<Resource>,
    pub prompts: Vec<Prompt>,
    pub completions: Vec<Complete>,
    pub lists: Vec<List>,
}

impl Plugin {
    /// The method that makes this list at run time.
    pub fn list(&self, of: Listed) -> Option<&List> {
        self.lists.iter().find(|list| list.options.of == of)
    }

    /// Whether the component exports `tools`.
    pub fn has_tools(&self) -> bool {
        !self.tools.is_empty() || self.list(Listed::Tools).is_some()
    }

    /// Whether the component exports `resources`.
    pub fn has_resources(&self) -> bool {
        !self.resources.is_empty() || self.list(Listed::Resources).is_some() || self.list(Listed::Templates).is_some()
    }

    /// Whether the component exports `prompts`.
    pub fn has_prompts(&self) -> bool {
        !self.prompts.is_empty() || self.list(Listed::Prompts).is_some()
    }
}

/// Reads the block and its options.
///
/// # Errors
/// Every mistake at once, each at its place.
pub fn parse(options: TokenStream, block: TokenStream) -> Result<Plugin> {
    let options = PluginOptions::parse(options)?;
    let mut block = inherent_impl(block)?;
    let mut items = std::mem::take(&mut block.items);
    let mut plugin = Plugin {
        options,
        description: docs::text(&block.attrs)?,
        block,
        tools: Vec::new(),
        resources: Vec::new(),
        prompts: Vec::new(),
        completions: Vec::new(),
        lists: Vec::new(),
    };
    let mut mistakes = Mistakes::default();
    for item in &mut items {
        if let ImplItem::Fn(method) = item {
            mistakes.note(take(&mut plugin, method));
        }
    }
    plugin.block.items = items;
    for completion in &plugin.completions {
        mistakes.note(check_completion(&plugin, completion));
    }
    for tool in &plugin.tools {
        mistakes.note(check_page(&plugin, tool));
    }
    if let Some(mistakes) = mistakes.0 {
        return Err(mistakes);
    }
    if !plugin.has_tools() && !plugin.has_resources() && !plugin.has_prompts() {
        return Err(Error::new_spanned(
            &plugin.block.self_ty,
            "this plugin offers nothing: mark at least one method with `#[tool]`, `#[resource(\"…\")]` or `#[prompt]`",
        ));
    }
    Ok(plugin)
}

/// All mistakes, told at once.
#[derive(Default)]
struct Mistakes(Option<Error>);

impl Mistakes {
    fn note(&mut self, result: Result<()>) {
        match (result, &mut self.0) {
            (Ok(()), _) => {}
            (Err(error), None) => self.0 = Some(error),
            (Err(error), Some(earlier)) => earlier.combine(error),
        }
    }
}

/// Reads one method and takes its mark away.
fn take(plugin: &mut Plugin, method: &mut ImplItemFn) -> Result<()> {
    let Some((mark, options)) = method::take_mark(method)? else {
        return Ok(());
    };
    match mark {
        Mark::Tool => {
            let tool = tool::read(method, options)?;
            let same = |earlier: &&Tool| match tool.options.any {
                true => earlier.options.any,
                false => !earlier.options.any && earlier.name == tool.name,
            };
            if let Some(earlier) = plugin.tools.iter().find(same) {
                let what =
                    if tool.options.any { "for any tool".to_owned() } else { format!("the tool `{}`", tool.name) };
                return Err(taken(
                    &earlier.method,
                    &what,
                    tool.name_span,
                    "give this one another name with `#[tool(name = \"…\")]`",
                ));
            }
            plugin.tools.push(tool);
        }
        Mark::Resource => {
            let resource = resource::read(method, options)?;
            let same = |earlier: &&Resource| match (&earlier.target, &resource.target) {
                (Target::Uri(a), Target::Uri(b)) | (Target::Template(a, _), Target::Template(b, _)) => {
                    a.value() == b.value()
                }
                (Target::Any(_), Target::Any(_)) => true,
                _ => false,
            };
            if let Some(earlier) = plugin.resources.iter().find(same) {
                let (what, span) = match &resource.target {
                    Target::Uri(uri) | Target::Template(uri, _) => {
                        (format!("the resource `{}`", uri.value()), uri.span())
                    }
                    Target::Any(any) => ("for any resource".to_owned(), any.span()),
                };
                return Err(taken(&earlier.method, &what, span, "give this one another URI"));
            }
            plugin.resources.push(resource);
        }
        Mark::Prompt => {
            let prompt = prompt::read(method, options)?;
            if let Some(earlier) = plugin.prompts.iter().find(|earlier| earlier.name == prompt.name) {
                let what =
                    prompt.name.as_ref().map_or("for any prompt".to_owned(), |name| format!("the prompt `{name}`"));
                let advice = "give this one another name with `#[prompt(name = \"…\")]`";
                return Err(taken(&earlier.method, &what, prompt.name_span, advice));
            }
            plugin.prompts.push(prompt);
        }
        Mark::Complete => plugin.completions.push(complete::completion(method, options)?),
        Mark::List => {
            let list = complete::list(method, options)?;
            if let Some(earlier) = plugin.list(list.options.of) {
                return Err(taken(&earlier.method, "this list", list.options.span, "make one of the two methods"));
            }
            plugin.lists.push(list);
        }
    }
    Ok(())
}

fn taken(earlier: &syn::Ident, what: &str, span: Span, advice: &str) -> Error {
    Error::new(span, format!("the method `{earlier}` is already {what}; {advice}"))
}

/// What is completed has to be there. A prompt or a template that is made at run time may be.
fn check_completion(plugin: &Plugin, completion: &Complete) -> Result<()> {
    let argument = &completion.options.argument;
    match &completion.options.of {
        Completed::Prompt(name) => {
            let found = plugin.prompts.iter().find(|prompt| prompt.name.as_ref() == Some(&name.value()));
            match found {
                Some(prompt) => check_argument(prompt, argument),
                None if plugin.list(Listed::Prompts).is_some() => Ok(()),
                None => Err(unknown(name, "prompt", plugin.prompts.iter().filter_map(|prompt| prompt.name.clone()))),
            }
        }
        Completed::Resource(uri) => {
            let templates = plugin.resources.iter().filter_map(|resource| match &resource.target {
                Target::Template(text, parts) => Some((text.value(), parts)),
                _ => None,
            });
            match templates.clone().find(|(text, _)| *text == uri.value()) {
                Some((_, parts)) => {
                    let names: Vec<_> = template::variables(parts).map(str::to_owned).collect();
                    match names.contains(&argument.value()) {
                        true => Ok(()),
                        false => Err(unknown(argument, "variable", names.into_iter())),
                    }
                }
                None => Err(unknown(uri, "template", templates.map(|(text, _)| text))),
            }
        }
    }
}

fn check_argument(prompt: &Prompt, argument: &LitStr) -> Result<()> {
    let mut names = Vec::new();
    for input in &prompt.inputs {
        match input {
            // Only its schema knows the names.
            Input::Struct(_) => return Ok(()),
            Input::Argument(argument) => names.push(argument.name.unraw().to_string()),
            Input::Call => {}
        }
    }
    match names.contains(&argument.value()) {
        true => Ok(()),
        false => Err(unknown(argument, "argument", names.into_iter())),
    }
}

fn unknown(literal: &LitStr, what: &str, known: impl Iterator<Item = String>) -> Error {
    let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let has = if known.is_empty() { "none".to_owned() } else { known };
    Error::new(literal.span(), format!("there is no {what} `{}` to complete; there is {has}", literal.value()))
}

/// The page of a tool has to be there too.
fn check_page(plugin: &Plugin, tool: &Tool) -> Result<()> {
    let Some(uri) = &tool.options.ui else {
        return Ok(());
    };
    let found = plugin.resources.iter().any(|resource| match &resource.target {
        Target::Uri(other) => other.value() == uri.value(),
        // It may be one of theirs.
        Target::Template(..) | Target::Any(_) => true,
    });
    match found {
        true => Ok(()),
        false => Err(Error::new(
            uri.span(),
            format!(
                "this plugin has no such page: write a method under `#[resource(\"{}\")]` that returns the HTML",
                uri.value()
            ),
        )),
    }
}

fn inherent_impl(tokens: TokenStream) -> Result<ItemImpl> {
    let block = match syn::parse2(tokens)? {
        Item::Impl(block) => block,
        other => {
            return Err(Error::new_spanned(
                other,
                "`#[plugin]` belongs on the block with the tools, resources and prompts: `#[plugin] impl MyPlugin { … }`, where `MyPlugin` is `Default`",
            ));
        }
    };
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new_spanned(
            path,
            "`#[plugin]` belongs on the type's own block, `impl MyPlugin { … }`, not on the implementation of a trait",
        ));
    }
    if let Some(parameter) = block.generics.params.first() {
        return Err(Error::new_spanned(parameter, "a plugin cannot be generic: the host makes one with `Default`"));
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn mistake(block: TokenStream) -> String {
        let source = block.to_string();
        let error = parse(TokenStream::new(), block).err().unwrap_or_else(|| panic!("accepted: {source}"));
        error.into_iter().map(|error| error.to_string()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn tools_come_in_the_order_written_and_other_items_stay() {
        let plugin = parse(
            quote!(name = "x"),
            quote! {
                /// Two tools.
                impl Two {
                    const LIMIT: u8 = 1;
                    #[tool] fn b(&self) {}
                    fn helper() {}
                    #[tool] fn a(&self) {}
                }
            },
        )
        .unwrap();
        assert_eq!(plugin.tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(plugin.block.items.len(), 4);
        assert_eq!(plugin.description.as_deref(), Some("Two tools."));
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            (
                quote!(
                    struct Echo;
                ),
                "belongs on the block with the tools, resources and prompts",
            ),
            (quote!(impl Tool for Echo { #[tool] fn f(&self) {} }), "not on the implementation of a trait"),
            (
                quote!(
                    impl<T> Echo<T> {
                        #[tool]
                        fn f(&self) {}
                    }
                ),
                "cannot be generic",
            ),
            (
                quote!(impl Echo { fn f(&self) {} }),
                "mark at least one method with `#[tool]`, `#[resource(\"…\")]` or `#[prompt]`",
            ),
            (
                quote!(impl Echo { #[tool] fn f(&self) {} #[tool(name = "f")] fn g(&self) {} }),
                "the method `f` is already the tool `f`",
            ),
            (
                quote!(impl Echo { #[resource("x:1")] fn f(&self) {} #[resource("x:1")] fn g(&self) {} }),
                "the method `f` is already the resource `x:1`",
            ),
            (
                quote!(impl Echo { #[prompt] fn f(&self) {} #[prompt(name = "f")] fn g(&self) {} }),
                "the method `f` is already the prompt `f`",
            ),
            (
                quote!(impl Echo { #[tool(any)] fn f(&self) {} #[tool(any)] fn g(&self) {} }),
                "the method `f` is already for any tool",
            ),
            (
                quote!(impl Echo { #[list(tools)] fn f(&self) {} #[list(tools)] fn g(&self) {} }),
                "the method `f` is already this list",
            ),
            (
                quote!(impl Echo {
                    #[prompt] fn f(&self, a: String) {}
                    #[complete(prompt = "g", argument = "a")] fn g(&self) {}
                }),
                "there is no prompt `g` to complete; there is `f`",
            ),
            (
                quote!(impl Echo {
                    #[prompt] fn f(&self, a: String) {}
                    #[complete(prompt = "f", argument = "b")] fn g(&self) {}
                }),
                "there is no argument `b` to complete; there is `a`",
            ),
            (
                quote!(impl Echo {
                    #[resource("x:{id}")] fn f(&self, id: String) {}
                    #[complete(resource = "x:{id}", argument = "key")] fn g(&self) {}
                }),
                "there is no variable `key` to complete; there is `id`",
            ),
            (
                quote!(impl Echo {
                    #[resource("x:1")] fn f(&self) {}
                    #[complete(resource = "x:1", argument = "id")] fn g(&self) {}
                }),
                "there is no template `x:1` to complete; there is none",
            ),
            (
                quote!(impl Echo { #[tool(ui = "ui://a/b")] fn f(&self) {} }),
                "write a method under `#[resource(\"ui://a/b\")]`",
            ),
        ];
        for (block, expected) in cases {
            let error = mistake(block);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let error = mistake(quote!(impl Echo { #[tool] async fn f(&self) {} #[tool] fn g() {} }));
        assert!(error.contains("remove `async`") && error.contains("make `&self`"), "{error}");
    }
}
