//! `resources`, `templates`, `read`, `prompts`, `prompt` and `complete`.

use super::{any, cache, icons, list, option, returned};
use crate::complete::Complete;
use crate::method::Input;
use crate::options::{Completed, Hints, Listed};
use crate::plugin::Plugin;
use crate::prompt::Prompt;
use crate::resource::{Resource, Target};
use crate::template::Part;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::LitStr;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// The functions about resources; nothing if there are none.
pub fn resources(plugin: &Plugin) -> TokenStream {
    if !plugin.has_resources() {
        return TokenStream::new();
    }
    let (mut fixed, mut templates, mut uris, mut matches, mut other) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), None);
    for resource in &plugin.resources {
        let read = read(resource);
        match &resource.target {
            Target::Uri(uri) => {
                fixed.push(definition(resource, uri));
                uris.push(quote!(#uri => return #read,));
            }
            Target::Template(text, parts) => {
                templates.push(definition(resource, text));
                let template = template(text, parts);
                matches.push(quote! {
                    if let ::std::option::Option::Some(call) = &::toolcell_sdk::__private::matching(&#template, call) {
                        #read
                    }
                });
            }
            Target::Any(_) => other = Some(read),
        }
    }
    let other = any(other, "unknown_resource");
    let resources = list(
        plugin,
        Listed::Resources,
        &quote!(ResourceInfo),
        &quote!(ResourceList),
        &quote!(resources),
        &quote! {
            ::std::vec![#(#fixed.resource()),*]
        },
    );
    let templates = list(
        plugin,
        Listed::Templates,
        &quote!(ResourceTemplate),
        &quote!(TemplateList),
        &quote!(templates),
        &quote! {
            ::std::vec![#(#templates.template()),*]
        },
    );
    quote! {
        #resources

        #templates

        fn read(
            &self,
            call: &::toolcell_sdk::Call,
        ) -> ::std::result::Result<::toolcell_sdk::types::ReadOutcome, ::toolcell_sdk::types::CallError> {
            match call.uri() {
                #(#uris)*
                _ => {}
            }
            #(#matches)*
            let other = call.uri();
            #other
        }
    }
}

fn definition(resource: &Resource, uri: &LitStr) -> TokenStream {
    let Resource { name, options, .. } = resource;
    let ty = returned(resource.output.as_ref(), &resource.method);
    let mime_type = match resource.mime_type() {
        Some(mime_type) => quote!(::std::option::Option::Some(#mime_type)),
        None => quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoRead>::mime_type()),
    };
    let description = option(resource.description.as_ref());
    let title = option(options.title.as_ref());
    let size = option(options.size.as_ref());
    let meta = option(options.meta.as_ref());
    let icons = icons(&options.icons);
    let hints = hints(&options.hints);
    quote! {
        ::toolcell_sdk::__private::ResourceDefinition {
            uri: #uri,
            name: #name,
            title: #title,
            description: #description,
            mime_type: #mime_type,
            size: #size,
            hints: #hints,
            icons: #icons,
            meta: #meta,
        }
    }
}

fn hints(hints: &Hints) -> TokenStream {
    let user = hints.user.then(|| quote!(::toolcell_sdk::types::Role::User));
    let assistant = hints.assistant.then(|| quote!(::toolcell_sdk::types::Role::Assistant));
    let audience = user.into_iter().chain(assistant);
    let priority = option(hints.priority.as_ref());
    let last_modified = option(hints.last_modified.as_ref());
    quote! {
        ::toolcell_sdk::__private::Hints {
            audience: &[#(#audience),*],
            priority: #priority,
            last_modified: #last_modified,
        }
    }
}

/// The read of one resource: an expression for a URI, and for a template statements that return if its variables are values
/// of their types. If they are not, there is no such resource.
fn read(resource: &Resource) -> TokenStream {
    let method = &resource.method;
    let ty = returned(resource.output.as_ref(), method);
    let convert = quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoRead>::into_read);
    let mime_type = option(resource.mime_type().as_ref());
    // What is said of a page has to be with its contents: there a client looks for it.
    let meta = option(resource.options.meta.as_ref().filter(|_| resource.is_page()));
    let cache = cache(resource.options.cache.as_ref());
    let about = quote! {
        &::toolcell_sdk::About { uri: call.uri(), mime_type: #mime_type, meta: #meta, cache: #cache }
    };
    let mut taken = Taken::default();
    let given: Vec<_> = resource.inputs.iter().map(|input| taken.take(input)).collect();
    match &resource.target {
        Target::Template(..) => {
            let Taken { names, values } = taken;
            quote! {
                let variables: ::std::result::Result<_, ::toolcell_sdk::types::CallError> =
                    (|| ::std::result::Result::Ok((#(#values?,)*)))();
                if let ::std::result::Result::Ok((#(#names,)*)) = variables {
                    return #convert(self.#method(#(#given),*), #about);
                }
            }
        }
        Target::Uri(_) | Target::Any(_) => quote!(#convert(self.#method(#(#given),*), #about)),
    }
}

/// Values that are made of texts before a method is called with them.
#[derive(Default)]
struct Taken {
    names: Vec<Ident>,
    values: Vec<TokenStream>,
}

impl Taken {
    /// What is written in the call.
    fn take(&mut self, input: &Input) -> TokenStream {
        let value = match input {
            Input::Call => return quote!(call),
            Input::Struct(ty) => quote_spanned!(ty.span()=> call.arguments::<#ty>()),
            Input::Argument(argument) => {
                let (ty, name) = (&argument.ty, argument.name.unraw().to_string());
                quote_spanned!(ty.span()=> ::toolcell_sdk::__private::text::<#ty>(call, #name))
            }
        };
        let name = format_ident!("value{}", self.names.len(), span = Span::mixed_site());
        self.values.push(value);
        self.names.push(name.clone());
        quote!(#name)
    }
}

fn template(text: &LitStr, parts: &[Part]) -> TokenStream {
    let parts = parts.iter().map(|part| match part {
        Part::Literal(text) => quote!(::toolcell_sdk::__private::Part::Literal(#text)),
        Part::Variables(operator, names) => {
            let operator = format_ident!("{operator}");
            quote! {
                ::toolcell_sdk::__private::Part::Variables(::toolcell_sdk::__private::Operator::#operator, &[#(#names),*])
            }
        }
    });
    quote!(::toolcell_sdk::__private::UriTemplate { text: #text, parts: &[#(#parts),*] })
}

/// The functions about prompts; nothing if there are none.
pub fn prompts(plugin: &Plugin) -> TokenStream {
    if !plugin.has_prompts() {
        return TokenStream::new();
    }
    let (mut definitions, mut gets, mut other) = (Vec::new(), Vec::new(), None);
    for prompt in &plugin.prompts {
        let get = get(prompt);
        match &prompt.name {
            Some(name) => {
                definitions.push(prompt_definition(prompt, name));
                gets.push(quote!(#name => #get,));
            }
            None => other = Some(get),
        }
    }
    let other = any(other, "unknown_prompt");
    let list = list(
        plugin,
        Listed::Prompts,
        &quote!(Prompt),
        &quote!(PromptList),
        &quote!(prompts),
        &quote! {
            ::std::vec![#(#definitions.describe()?),*]
        },
    );
    quote! {
        #list

        fn prompt(
            &self,
            call: &::toolcell_sdk::Call,
        ) -> ::std::result::Result<::toolcell_sdk::types::PromptOutcome, ::toolcell_sdk::types::CallError> {
            match call.name() {
                #(#gets)*
                other => #other,
            }
        }
    }
}

fn prompt_definition(prompt: &Prompt, name: &str) -> TokenStream {
    let description = option(prompt.description.as_ref());
    let title = option(prompt.options.title.as_ref());
    let meta = option(prompt.options.meta.as_ref());
    let icons = icons(&prompt.options.icons);
    let all = prompt.inputs.iter().find_map(|input| match input {
        Input::Struct(ty) => Some(ty),
        _ => None,
    });
    let arguments = match all {
        Some(ty) => {
            let schema = quote_spanned!(ty.span()=> ::toolcell_sdk::__private::arguments_of::<#ty>);
            quote!(::toolcell_sdk::__private::PromptArguments::Struct(#schema))
        }
        None => {
            let parameters = prompt.inputs.iter().filter_map(|input| match input {
                Input::Argument(argument) => {
                    let name = argument.name.unraw().to_string();
                    let description = option(argument.description.as_ref());
                    let required = argument.is_required();
                    Some(quote!((#name, #description, #required)))
                }
                _ => None,
            });
            quote!(::toolcell_sdk::__private::PromptArguments::Parameters(&[#(#parameters),*]))
        }
    };
    quote! {
        ::toolcell_sdk::__private::PromptDefinition {
            name: #name,
            title: #title,
            description: #description,
            arguments: #arguments,
            icons: #icons,
            meta: #meta,
        }
    }
}

fn get(prompt: &Prompt) -> TokenStream {
    let method = &prompt.method;
    let ty = returned(prompt.output.as_ref(), method);
    let convert = quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoPrompt>::into_prompt);
    let mut taken = Taken::default();
    let given: Vec<_> = prompt.inputs.iter().map(|input| taken.take(input)).collect();
    let Taken { names, values } = taken;
    quote! {{
        #(let #names = #values?;)*
        #convert(self.#method(#(#given),*), call.name())
    }}
}

/// `complete`; nothing if nothing is completed.
pub fn completions(plugin: &Plugin) -> TokenStream {
    if plugin.completions.is_empty() {
        return TokenStream::new();
    }
    let answers = plugin.completions.iter().map(|completion| answer(plugin, completion));
    quote! {
        fn complete(
            &self,
            typed: &::toolcell_sdk::Completing,
        ) -> ::std::result::Result<::toolcell_sdk::types::Completion, ::toolcell_sdk::types::CallError> {
            #(#answers)*
            ::toolcell_sdk::__private::uncompleted(self, typed)
        }
    }
}

fn answer(plugin: &Plugin, completion: &Complete) -> TokenStream {
    let Complete { method, options, lends, output } = completion;
    let argument = &options.argument;
    let asked = match &options.of {
        Completed::Prompt(name) => quote!(typed.is_of_prompt(#name, #argument)),
        Completed::Resource(uri) => {
            let parts = plugin.resources.iter().find_map(|resource| match &resource.target {
                Target::Template(text, parts) if text.value() == uri.value() => Some(parts.as_slice()),
                _ => None,
            });
            let template = template(uri, parts.unwrap_or_default());
            quote!(typed.is_of_template(&#template, #argument))
        }
    };
    let ty = returned(output.as_ref(), method);
    let convert = quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoCompletion>::into_completion);
    let given = lends.then(|| quote!(typed));
    quote! {
        if #asked {
            return #convert(self.#method(#given), typed);
        }
    }
}
