//! The built host as its users meet it. `cargo xtask e2e` builds what these tests need and runs them.

mod bad_input;
mod batches;
mod cancellation;
mod clients;
mod command_line;
mod crowd;
mod embed;
mod handshake;
mod hostile;
mod hostile_answers;
mod hostile_changes;
mod hostile_lists;
mod hostile_results;
mod hostile_tasks;
mod modern;
mod offers;
mod reload;
mod stdio;
mod subscriptions;
mod tasks;
