//! The time in any zone, and from one zone to another.
//!
//! [`clock`] computes; this file is what a client sees of it.

mod clock;

use clock::Zone;
use jiff::Timestamp;
use toolcell_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct CurrentTimeArgs {
    #[schemars(description = zone_description("IANA time zone name", "time zone"))]
    timezone: String,
}

#[derive(Deserialize, JsonSchema)]
struct ConvertTimeArgs {
    #[schemars(description = zone_description("IANA name of the zone to convert from", "source zone"))]
    source_timezone: String,
    /// Time to convert, on a 24-hour clock (HH:MM). It is meant for today in the source zone.
    time: String,
    #[schemars(description = zone_description("IANA name of the zone to convert to", "target zone"))]
    target_timezone: String,
}

#[derive(Default)]
struct Time;

/// The time in any zone, and from one zone to another.
#[plugin(request(env = "TZ", why = "the zone to suggest where the user names none; UTC without it"))]
impl Time {
    /// Tells the current time in a time zone.
    #[tool(read_only, destructive = false, idempotent, open_world = false)]
    fn get_current_time(&self, args: CurrentTimeArgs) -> Result<String, ToolError> {
        let zone = Zone::named(&args.timezone)?;
        indented(&zone.at(Timestamp::now()))
    }

    /// Converts a time of today from one time zone to another.
    #[tool(read_only, destructive = false, idempotent, open_world = false)]
    fn convert_time(&self, args: ConvertTimeArgs) -> Result<String, ToolError> {
        let source = Zone::named(&args.source_timezone)?;
        let target = Zone::named(&args.target_timezone)?;
        let time = clock::parse_time(&args.time)?;
        indented(&source.convert(time, &target, Timestamp::now())?)
    }
}

/// As the reference server writes it: indented JSON text, without structured content.
fn indented(value: &impl Serialize) -> Result<String, ToolError> {
    Ok(serde_json::to_string_pretty(value)?)
}

/// Names the zone of the operator, for users who name none.
fn zone_description(what: &str, role: &str) -> String {
    let local = clock::local_zone(std::env::var("TZ").ok().as_deref());
    format!(
        "{what}, for example 'America/New_York' or 'Europe/London'. If the user gives no {role}, use '{local}', which is the \
         local one."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use toolcell_sdk::testing;

    fn json(outcome: &Outcome) -> Value {
        serde_json::from_str(&testing::text(outcome)).unwrap()
    }

    #[test]
    fn tools_and_arguments_are_those_of_the_reference_server() {
        let tools = testing::tools::<Time>().unwrap();
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["get_current_time", "convert_time"]);
        let schema: Value = serde_json::from_str(&tools[1].input_schema).unwrap();
        assert_eq!(schema["required"], json!(["source_timezone", "time", "target_timezone"]));
        let description = schema["properties"]["source_timezone"]["description"].as_str().unwrap();
        assert!(description.ends_with("which is the local one."), "{description}");
    }

    #[test]
    fn now_is_told_in_the_zone_asked_for() {
        let before = Timestamp::now();
        let answer = json(&testing::call::<Time>("get_current_time", json!({ "timezone": "Asia/Tokyo" })).unwrap());
        let told: Timestamp = answer["datetime"].as_str().unwrap().parse().unwrap();
        assert!((told.as_second() - before.as_second()).abs() <= 60, "{answer}");
        assert!(answer["datetime"].as_str().unwrap().ends_with("+09:00"), "{answer}");
        assert_eq!((&answer["timezone"], &answer["is_dst"]), (&json!("Asia/Tokyo"), &json!(false)));
    }

    #[test]
    fn a_conversion_has_both_ends_and_the_difference() {
        let arguments = json!({ "source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Kathmandu" });
        let answer = json(&testing::call::<Time>("convert_time", arguments).unwrap());
        assert!(answer["source"]["datetime"].as_str().unwrap().ends_with("T12:00:00+00:00"), "{answer}");
        assert!(answer["target"]["datetime"].as_str().unwrap().ends_with("T17:45:00+05:45"), "{answer}");
        assert_eq!(answer["time_difference"], "+5.75h");
    }

    #[test]
    fn a_mistake_says_what_would_be_right() {
        let outcome = testing::call::<Time>("get_current_time", json!({ "timezone": "Mars/Olympus" })).unwrap();
        let Outcome::Complete(result) = &outcome else { panic!("{outcome:?}") };
        assert!(result.is_error);
        assert!(testing::text(&outcome).contains("IANA"), "{outcome:?}");
    }
}
