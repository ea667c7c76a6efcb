//! Tools that a host can run as tasks (SEP-2663). None of them knows whether it is one.

use crate::questions::{field, filled_in, form, is_refused, one_field};
use crate::{ask_name, work};
use std::time::Duration;
use toolcell_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
pub struct ComputeArgs {
    /// How long to compute, in seconds.
    #[serde(default)]
    #[schemars(range(min = 0, max = 600))]
    pub seconds: f64,
    /// What to call the result.
    #[serde(default)]
    pub label: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct DeleteArgs {
    /// The file that is not really deleted.
    pub filename: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct TableArgs {
    /// How many will come.
    #[schemars(range(min = 1))]
    pub guests: u32,
}

/// Sleeps, and is gone soon after nobody waits any more.
pub fn compute(args: &ComputeArgs) -> Result<String, ToolError> {
    let time = Duration::try_from_secs_f64(args.seconds)?;
    work(time)?;
    Ok(format!("computed {} for {} s", if args.label.is_empty() { "nothing" } else { &args.label }, args.seconds))
}

/// Deletes once the person has confirmed.
pub fn delete(args: &DeleteArgs, call: &Call) -> Outcome {
    let DeleteArgs { filename } = args;
    match filled_in(call, "confirm").and_then(|values| values.get("confirm")?.as_bool()) {
        Some(true) => ToolResult::text(format!("Deleted {filename}")).into(),
        Some(false) => ToolResult::text(format!("Kept {filename}")).into(),
        None if is_refused(call, "confirm") => ToolResult::text(format!("Kept {filename}")).into(),
        None => {
            let schema = one_field("confirm", "boolean");
            form(InputRequired::new(), "confirm", &format!("Delete {filename}?"), &schema).into()
        }
    }
}

/// Asks two things at once.
pub fn several(call: &Call) -> Outcome {
    let confirmed = filled_in(call, "confirm").and_then(|values| values.get("confirm")?.as_bool());
    match (field(call, "name", "name"), confirmed) {
        (Some(name), Some(confirmed)) => ToolResult::text(format!("name={name}, confirmed={confirmed}")).into(),
        _ if is_refused(call, "name") || is_refused(call, "confirm") => ToolResult::text("not all was answered").into(),
        _ => {
            let asked = ask_name(InputRequired::new(), "name", "What is your name?");
            form(asked, "confirm", "Shall it go on?", &one_field("confirm", "boolean")).into()
        }
    }
}

/// Asks for a name before the work begins.
pub fn named_work(call: &Call) -> Result<Outcome, ToolError> {
    match field(call, "user_name", "name") {
        Some(name) => {
            work(Duration::from_millis(300))?;
            Ok(ToolResult::text(format!("Task done for {name}")).into())
        }
        None if is_refused(call, "user_name") => Ok(ToolResult::text("nobody answered").into()),
        None => Ok(ask_name(InputRequired::new(), "user_name", "What is your name?").into()),
    }
}

/// Books a table once the person has said when.
pub fn book(args: &TableArgs, call: &Call) -> Outcome {
    match field(call, "time", "time") {
        Some(time) => ToolResult::text(format!("Booked a table for {} at {time}", args.guests)).into(),
        None if is_refused(call, "time") => ToolResult::text("No table was booked").into(),
        None => {
            let message = format!("When shall the table for {} be booked?", args.guests);
            form(InputRequired::new(), "time", &message, &one_field("time", "string")).into()
        }
    }
}
