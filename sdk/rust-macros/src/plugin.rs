//! The `impl` block under `#[plugin]`.

use crate::docs;
use crate::options::PluginOptions;
use crate::tool::{self, Tool};
use proc_macro2::TokenStream;
use syn::{Error, ImplItem, Item, ItemImpl, Result};

/// A plugin as its `impl` block describes it.
pub struct Plugin {
    /// The parentheses of `#[plugin(…)]`.
    pub options: PluginOptions,
    /// The doc comment of the block.
    pub description: Option<String>,
    /// The block without the marks.
    pub block: ItemImpl,
    /// Its tools in the order written; at least one, no two of one name.
    pub tools: Vec<Tool>,
}

/// Reads the block and its options.
///
/// # Errors
/// Every mistake at once, each at its place.
pub fn parse(options: TokenStream, block: TokenStream) -> Result<Plugin> {
    let options = PluginOptions::parse(options)?;
    let mut block = inherent_impl(block)?;
    let mut tools: Vec<Tool> = Vec::new();
    let mut mistakes: Option<Error> = None;
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let found = tool::take(method).and_then(|tool| match tool {
            Some(tool) => add(&mut tools, tool),
            None => Ok(()),
        });
        match (found, &mut mistakes) {
            (Ok(()), _) => {}
            (Err(error), None) => mistakes = Some(error),
            (Err(error), Some(earlier)) => earlier.combine(error),
        }
    }
    if let Some(mistakes) = mistakes {
        return Err(mistakes);
    }
    if tools.is_empty() {
        return Err(Error::new_spanned(
            &block.self_ty,
            "this plugin offers nothing: mark at least one method with `#[tool]`",
        ));
    }
    Ok(Plugin { options, description: docs::text(&block.attrs)?, block, tools })
}

fn add(tools: &mut Vec<Tool>, tool: Tool) -> Result<()> {
    if let Some(earlier) = tools.iter().find(|earlier| earlier.name == tool.name) {
        let message = format!(
            "the method `{}` is already the tool `{}`; give this one another name with `#[tool(name = \"…\")]`",
            earlier.method, tool.name
        );
        return Err(Error::new(tool.name_span, message));
    }
    tools.push(tool);
    Ok(())
}

fn inherent_impl(tokens: TokenStream) -> Result<ItemImpl> {
    let block = match syn::parse2(tokens)? {
        Item::Impl(block) => block,
        other => {
            return Err(Error::new_spanned(
                other,
                "`#[plugin]` belongs on the block with the tools: `#[plugin] impl MyPlugin { … }`, where `MyPlugin` is `Default`",
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
                "belongs on the block with the tools",
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
            (quote!(impl Echo { fn f(&self) {} }), "mark at least one method with `#[tool]`"),
            (
                quote!(impl Echo { #[tool] fn f(&self) {} #[tool(name = "f")] fn g(&self) {} }),
                "the method `f` is already the tool `f`",
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
