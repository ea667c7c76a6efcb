//! The cell.
pub mod bindings;
