//! Generated bindings, one module for each version of the contract, and nothing else.
pub mod v0_1;
