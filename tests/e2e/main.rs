//! The built host as its users meet it. `cargo xtask e2e` builds what these tests need and runs them.

mod bad_input;
mod clients;
mod command_line;
mod embed;
mod handshake;
mod hostile;
mod modern;
mod reload;
mod stdio;
