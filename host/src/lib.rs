//! One MCP server that hosts many third-party tools, each locked in its own WebAssembly cell.
pub mod policy;
pub mod registry;
pub mod sandbox;
