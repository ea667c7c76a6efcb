//! What stands in the parentheses of `#[resource(…)]`, `#[prompt(…)]`, `#[complete(…)]` and `#[list(…)]`.

use super::parts::{Cache, Hints, Icon, cache, icon};
use super::{json_object, key, once, text};
use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, LitInt, LitStr, Result, Token};

/// What a method answers to.
pub enum Reach {
    /// The name or URI written, or that of the method.
    Own(Option<LitStr>),
    /// `any`: all that no other method answers to.
    Any(Ident),
}

/// The options of `#[resource("…", …)]`.
#[derive(Default)]
pub struct ResourceOptions {
    /// Instead of the method's name.
    pub name: Option<LitStr>,
    pub title: Option<LitStr>,
    pub mime_type: Option<LitStr>,
    /// Of the raw contents, in bytes.
    pub size: Option<u64>,
    pub hints: Hints,
    pub icons: Vec<Icon>,
    pub cache: Option<Cache>,
    /// A JSON object for `_meta`.
    pub meta: Option<LitStr>,
}

/// The options of `#[prompt(…)]`.
#[derive(Default)]
pub struct PromptOptions {
    /// Instead of the method's name.
    pub name: Option<LitStr>,
    pub title: Option<LitStr>,
    pub icons: Vec<Icon>,
    /// A JSON object for `_meta`.
    pub meta: Option<LitStr>,
}

/// The options of `#[complete(…)]`.
pub struct CompleteOptions {
    pub of: Completed,
    pub argument: LitStr,
}

/// What is completed.
pub enum Completed {
    /// The prompt of this name.
    Prompt(LitStr),
    /// The template of this text.
    Resource(LitStr),
}

/// The options of `#[list(…)]`.
pub struct ListOptions {
    pub of: Listed,
    pub span: Span,
    pub cache: Option<Cache>,
}

/// What a method lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl ResourceOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// There is no URI, or an option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<(Reach, Self)> {
        let (uri, any, rest) = first(tokens)?;
        let mut options = Self::default();
        let parser = syn::meta::parser(|meta| match key(&meta)?.as_str() {
            "name" => once(&mut options.name, &meta, text),
            "title" => once(&mut options.title, &meta, text),
            "mime_type" => once(&mut options.mime_type, &meta, text),
            "size" => once(&mut options.size, &meta, |meta| meta.value()?.parse::<LitInt>()?.base10_parse()),
            "icon" => {
                options.icons.push(icon(&meta)?);
                Ok(())
            }
            "cache" => once(&mut options.cache, &meta, cache),
            "meta" => once(&mut options.meta, &meta, json_object),
            hint if Hints::NAMES.contains(&hint) => options.hints.read(hint, &meta),
            "uri" => Err(meta.error("the URI comes first, without a name: `#[resource(\"note://{id}\")]`")),
            "description" => {
                Err(meta.error("the description is the method's doc comment: write `/// …` above `#[resource]`"))
            }
            other => Err(meta.error(format!(
                "`#[resource]` has no option `{other}`; after the URI it has `name`, `title`, `mime_type`, `size`, \
                 `audience`, `priority`, `last_modified`, `icon`, `cache(…)` and `meta`"
            ))),
        });
        parser.parse2(rest)?;
        match (uri, any) {
            (Some(uri), None) => Ok((Reach::Own(Some(uri)), options)),
            (None, Some(any)) => Ok((Reach::Any(any), options)),
            _ => Err(Error::new(
                Span::call_site(),
                "say which resource this is: `#[resource(\"config://app\")]`, or with variables `#[resource(\"note://{id}\")]`",
            )),
        }
    }
}

impl PromptOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// An option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<(Reach, Self)> {
        let (name, any, rest) = first(tokens)?;
        if let Some(name) = name {
            return Err(Error::new(
                name.span(),
                "a prompt has the name of its method, or another: `#[prompt(name = \"…\")]`",
            ));
        }
        let mut options = Self::default();
        let parser =
            syn::meta::parser(|meta| match key(&meta)?.as_str() {
                "name" => once(&mut options.name, &meta, |meta| {
                    let name = text(meta)?;
                    match name.value().trim().is_empty() {
                        true => Err(Error::new(name.span(), "the name of a prompt is not empty")),
                        false => Ok(name),
                    }
                }),
                "title" => once(&mut options.title, &meta, text),
                "icon" => {
                    options.icons.push(icon(&meta)?);
                    Ok(())
                }
                "meta" => once(&mut options.meta, &meta, json_object),
                "description" => {
                    Err(meta.error("the description is the method's doc comment: write `/// …` above `#[prompt]`"))
                }
                other => Err(meta
                    .error(format!("`#[prompt]` has no option `{other}`; it has `name`, `title`, `icon` and `meta`"))),
            });
        parser.parse2(rest)?;
        Ok((any.map_or_else(|| Reach::Own(options.name.clone()), Reach::Any), options))
    }
}

impl CompleteOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// What is completed is not said, or said twice.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let (mut prompt, mut resource, mut argument) = (None, None, None);
        let parser = syn::meta::parser(|meta| match key(&meta)?.as_str() {
            "prompt" => once(&mut prompt, &meta, text),
            "resource" => once(&mut resource, &meta, text),
            "argument" => once(&mut argument, &meta, text),
            other => Err(meta.error(format!(
                "`#[complete]` has no option `{other}`; it has `prompt` or `resource`, and `argument`"
            ))),
        });
        parser.parse2(tokens)?;
        let of = match (prompt, resource) {
            (Some(prompt), None) => Completed::Prompt(prompt),
            (None, Some(resource)) => Completed::Resource(resource),
            _ => return Err(Error::new(Span::call_site(), USE_OF_COMPLETE)),
        };
        let argument = argument.ok_or_else(|| Error::new(Span::call_site(), USE_OF_COMPLETE))?;
        Ok(Self { of, argument })
    }
}

const USE_OF_COMPLETE: &str = "say what is completed: `#[complete(prompt = \"review\", argument = \"language\")]` or \
                               `#[complete(resource = \"note://{id}\", argument = \"id\")]`";

impl ListOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// What is listed is not said, or said twice.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        const USE: &str = "say what the method lists: `#[list(tools)]`, `#[list(resources)]`, `#[list(templates)]` or `#[list(prompts)]`";
        let (mut of, mut fresh) = (None, None);
        let mut span = Span::call_site();
        let parser = syn::meta::parser(|meta| {
            let name = key(&meta)?;
            if name == "cache" {
                return once(&mut fresh, &meta, cache);
            }
            let listed = match name.as_str() {
                "tools" => Listed::Tools,
                "resources" => Listed::Resources,
                "templates" => Listed::Templates,
                "prompts" => Listed::Prompts,
                _ => return Err(meta.error(USE)),
            };
            span = meta.path.require_ident()?.span();
            match of.replace(listed) {
                None => Ok(()),
                Some(_) => Err(meta.error("a method makes one list: write another method for this one")),
            }
        });
        parser.parse2(tokens)?;
        Ok(Self { of: of.ok_or_else(|| Error::new(Span::call_site(), USE))?, span, cache: fresh })
    }
}

/// What may come before the named options: a text, or the word `any`.
fn first(tokens: TokenStream) -> Result<(Option<LitStr>, Option<Ident>, TokenStream)> {
    let parser = |input: ParseStream| {
        let (mut literal, mut any) = (None, None);
        if input.peek(LitStr) {
            literal = Some(input.parse()?);
        } else if input.fork().parse::<Ident>().is_ok_and(|word| word == "any") {
            any = Some(input.parse()?);
        }
        if (literal.is_some() || any.is_some()) && !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((literal, any, input.parse()?))
    };
    parser.parse2(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn everything_a_resource_can_say() {
        let (reach, options) = ResourceOptions::parse(quote! {
            "config://app", name = "config", title = "Settings", mime_type = "application/json", size = 12,
            audience = "user", audience = "assistant", priority = 1, last_modified = "2026-01-01T00:00:00Z",
            icon = "https://example.com/a.png", icon(src = "data:,", mime_type = "image/png", sizes = "48x48 any", theme = "dark"),
            cache(ttl = "1h", scope = "public"), meta = r#"{"a":1}"#
        })
        .unwrap();
        assert!(matches!(reach, Reach::Own(Some(uri)) if uri.value() == "config://app"));
        assert_eq!((options.size, options.icons.len(), options.icons[1].sizes.len()), (Some(12), 2, 2));
        assert!(options.hints.user && options.hints.assistant && options.hints.priority == Some(1.0));
        assert!(options.cache.is_some_and(|cache| cache.public && cache.ttl_ms == 3_600_000));
    }

    #[test]
    fn the_word_any_stands_for_all_others() {
        assert!(matches!(ResourceOptions::parse(quote!(any)), Ok((Reach::Any(_), _))));
        assert!(matches!(PromptOptions::parse(quote!(any)), Ok((Reach::Any(_), _))));
        assert!(matches!(PromptOptions::parse(quote!()), Ok((Reach::Own(None), _))));
        let list = ListOptions::parse(quote!(templates, cache(ttl = "1s"))).unwrap();
        assert!(list.of == Listed::Templates && list.cache.is_some_and(|cache| !cache.public));
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let resource = |tokens| ResourceOptions::parse(tokens).err();
        let prompt = |tokens| PromptOptions::parse(tokens).err();
        let complete = |tokens| CompleteOptions::parse(tokens).err();
        let list = |tokens| ListOptions::parse(tokens).err();
        let cases = [
            (resource(quote!()), "say which resource this is"),
            (resource(quote!(name = "x")), "say which resource this is"),
            (resource(quote!(uri = "x:1")), "the URI comes first"),
            (resource(quote!("x:1", mime = "a/b")), "has no option `mime`; after the URI it has `name`"),
            (resource(quote!("x:1", description = "x")), "is the method's doc comment"),
            (resource(quote!("x:1", priority = 2.0)), "from 0.0 (optional) to 1.0"),
            (resource(quote!("x:1", audience = "model")), "`audience` is `user` or `assistant`"),
            (resource(quote!("x:1", audience = "user", audience = "user")), "given twice"),
            (resource(quote!("x:1", icon = "http://a/b")), "an `https:` or in a `data:` URI"),
            (resource(quote!("x:1", icon(theme = "dark"))), "say where the picture is"),
            (resource(quote!("x:1", icon(src = "data:,", theme = "red"))), "`theme` is `light` or `dark`"),
            (resource(quote!("x:1", cache(scope = "public"))), "say how long a copy stays fresh"),
            (resource(quote!("x:1", cache(ttl = "soon"))), "a time such as `500ms`"),
            (resource(quote!("x:1", cache(ttl = "1s", scope = "all"))), "`scope` is `private`"),
            (prompt(quote!("x")), "`#[prompt(name = \"…\")]`"),
            (prompt(quote!(name = "")), "is not empty"),
            (prompt(quote!(task = "x")), "has no option `task`; it has `name`"),
            (complete(quote!()), "say what is completed"),
            (complete(quote!(prompt = "a")), "say what is completed"),
            (complete(quote!(prompt = "a", resource = "b", argument = "c")), "say what is completed"),
            (complete(quote!(tool = "a")), "has no option `tool`"),
            (list(quote!()), "say what the method lists"),
            (list(quote!(completions)), "say what the method lists"),
            (list(quote!(tools, prompts)), "a method makes one list"),
        ];
        for (error, expected) in cases {
            let error = error.unwrap_or_else(|| panic!("accepted: {expected}")).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
