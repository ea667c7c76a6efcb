//! From a plugin's source to its component.
//!
//! [`new`] writes a project, [`Project::open`] reads one, [`build`] makes its component, [`test`] runs its unit tests. Every language has one builder; what
//! they share lies around them: finding and getting toolchains, the SDKs, running tools, componentizing, the manifest.
//!
//! Nothing here runs a plugin or speaks MCP, and nothing here is asynchronous: a build blocks until its tools are done.

#![deny(missing_docs)]

mod bindings;
mod component;
mod error;
mod languages;
mod manifest;
mod new;
mod project;
mod run;
mod sdk;
mod tools;

pub use error::Error;
pub use languages::{Built, Language, Options, Report, build, test};
pub use new::{NewProject, new};
pub use project::{DirRequest, EnvRequest, HostRequest, KeyValueRequest, Project, Requests, ToolRequest};
