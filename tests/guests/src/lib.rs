//! What the hostile guests share: the bindings, taken straight from `wit/`, and macros that turn a function
//! into a component. No SDK on purpose: a guest that means harm does not keep to one, and these guests must be able
//! to send what an SDK would never let them send.
//!
//! A guest reports what it managed to do as lines of `action:object:verdict:detail`, see [`Report`], so that a test
//! can assert the refusal itself and not only that "something failed".
//!
//! - [`tool!`] one well-formed tool, named after its file.
//! - [`raw!`] the same tool, answering with any outcome the contract can express.
//! - [`listing!`] a plugin whose list of tools is the attack.
//! - [`tools!`] any tools, and one function that answers their calls.
//! - [`versioned!`] a plugin of good manners in two versions, for the tests of reloading.
//! - [`offering!`] a plugin that offers resources, prompts and completions too, see [`offers`].

mod args;
#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated from wit/v0.1, where every item is documented")]
pub mod bindings {
    //! The contract, generated from `wit/v0.1`.
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        world: "tool-plugin",
        pub_export_macro: true,
        default_bindings_module: "toolcell_guests::bindings",
    });
}
mod build;
pub mod http;
pub mod offers;
mod report;
pub mod time;

pub use args::Args;
pub use build::{completed, listed, text, tool};
pub use report::Report;

/// Exports one tool, named like the function given, that always completes with text: the lines of a [`Report`] or
/// anything else that can be displayed.
#[macro_export]
macro_rules! tool {
    ($run:ident, $description:literal) => {
        /// The plugin.
        pub struct Plugin;
        impl $crate::bindings::exports::toolcell::plugin::tools::Guest for Plugin {
            fn list_tools() -> $crate::ListResult {
                Ok($crate::listed(vec![$crate::tool(stringify!($run), $description)]))
            }
            fn call_tool(call: $crate::ToolCall) -> $crate::CallResult {
                let args = $crate::Args::parse(&call.arguments);
                Ok($crate::text($run(&args).to_string()))
            }
        }
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}

/// Exports one tool, named like the function given, whose function decides the whole outcome.
#[macro_export]
macro_rules! raw {
    ($run:ident, $description:literal $(, output: $output:expr)?) => {
        /// The plugin.
        pub struct Plugin;
        impl $crate::bindings::exports::toolcell::plugin::tools::Guest for Plugin {
            fn list_tools() -> $crate::ListResult {
                #[allow(unused_mut, reason = "only some guests declare an output schema")]
                let mut tool = $crate::tool(stringify!($run), $description);
                $(tool.output_schema = Some($output.to_string());)?
                Ok($crate::listed(vec![tool]))
            }
            fn call_tool(call: $crate::ToolCall) -> $crate::CallResult {
                $run(&call)
            }
        }
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}

/// Exports a plugin whose `list-tools` is the function given. Any call is answered with `called:NAME`.
#[macro_export]
macro_rules! listing {
    ($list:ident) => {
        /// The plugin.
        pub struct Plugin;
        impl $crate::bindings::exports::toolcell::plugin::tools::Guest for Plugin {
            fn list_tools() -> $crate::ListResult {
                $list()
            }
            fn call_tool(call: $crate::ToolCall) -> $crate::CallResult {
                Ok($crate::text(format!("called:{}", call.name)))
            }
        }
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}

/// Exports a plugin with the tools that the first function gives, whose calls the second one answers.
#[macro_export]
macro_rules! tools {
    ($list:ident, $call:ident) => {
        /// The plugin.
        pub struct Plugin;
        impl $crate::bindings::exports::toolcell::plugin::tools::Guest for Plugin {
            fn list_tools() -> $crate::ListResult {
                Ok($crate::listed($list()))
            }
            fn call_tool(call: $crate::ToolCall) -> $crate::CallResult {
                $call(&call)
            }
        }
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}

/// Exports the plugin the reload tests exchange: `version` says which one answers, `slow` works for `ms` milliseconds
/// (default 1000) and then says the same, so that a call can be in flight while the file changes.
#[macro_export]
macro_rules! versioned {
    ($version:literal) => {
        /// The plugin.
        pub struct Plugin;
        impl $crate::bindings::exports::toolcell::plugin::tools::Guest for Plugin {
            fn list_tools() -> $crate::ListResult {
                Ok($crate::listed(vec![
                    $crate::tool("version", "Says which version answers."),
                    $crate::tool("slow", "Says it after `ms` milliseconds."),
                ]))
            }
            fn call_tool(call: $crate::ToolCall) -> $crate::CallResult {
                match call.name.as_str() {
                    "version" => {}
                    "slow" => {
                        $crate::time::wait_ms($crate::Args::parse(&call.arguments).number("ms", 1000));
                    }
                    _ => return Err($crate::CallError::NotFound(call.name)),
                }
                Ok($crate::text($version))
            }
        }
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!(Plugin with_types_in $crate::bindings);
    };
}

/// What `list-tools` answers.
pub type ListResult = Result<bindings::exports::toolcell::plugin::tools::ToolList, CallError>;
/// What `call-tool` answers.
pub type CallResult = Result<bindings::exports::toolcell::plugin::tools::ToolOutcome, CallError>;
pub use bindings::exports::toolcell::plugin::tools::{
    InputRequired, Tool, ToolCall, ToolList, ToolOutcome, ToolResult,
};
pub use bindings::toolcell::plugin::types::{
    CallError, Content, EmbeddedResource, FormRequest, Icon, InputKind, InputRequest, MediaContent, ResourceBody,
    ResourceContents, ResourceInfo, TextContent, UrlRequest,
};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_guest_is_built_and_described() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        for entry in fs::read_dir(root.join("examples")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                manifest.contains(&format!("name = \"{name}\"\ncrate-type = [\"cdylib\"]")),
                "{name}: add it to Cargo.toml as an `[[example]]`"
            );
            assert!(readme.contains(&format!("`{name}`")), "{name}: say in README.md what it tries");
        }
    }
}
