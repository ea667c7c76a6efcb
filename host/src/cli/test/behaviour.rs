//! Checks that run the plugin: what it lists, how it fails, what it takes and what it touches.

use super::super::heard::Kind;
use super::super::terminal::{bytes, milliseconds};
use super::generate::Maker;
use super::report::Check;
use super::subject::{Subject, Where};
use crate::registry::CallFailure;
use crate::registry::types::Lists;
use crate::sandbox::size_of;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often the lists are read: often enough that an order that depends on chance shows.
const LISTINGS: usize = 8;
/// How far ahead the calendar is set: another day, month and year.
const AHEAD: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// A list that takes longer is waited for by everybody who connects, in microseconds.
const SLOW_LIST_US: u64 = 1_000_000;
/// A call that takes longer loses its model's patience, in microseconds.
const SLOW_CALL_US: u64 = 10_000_000;
/// A result larger than this crowds out the conversation it is for, in bytes: some 25,000 tokens.
const LARGE_RESULT: usize = 100 * 1024;
/// Calls at the edges of one tool's arguments.
const MOST_EDGES: usize = 48;
/// Limits one tool may meet before it is called no more: each may be half a minute.
const MOST_LIMITS: usize = 2;
/// How many names of a list are shown.
const SHOWN: usize = 5;

/// The same list every time: clients and caches keep it.
pub(super) async fn deterministic(subject: &mut Subject, slowest: &mut u64) -> Check {
    let mut check =
        Check::new("deterministic", "clients keep the lists, and models' caches break when a word in them changes");
    let mut first: Option<Lists> = None;
    for _ in 0..LISTINGS {
        let (lists, took) = subject.lists(Where::Bare, Duration::ZERO).await;
        *slowest = took.max(*slowest);
        match (lists, &first) {
            (Err(error), _) => check.fail(
                format!("it cannot always list what it offers: {error}"),
                "a list must not depend on anything outside",
            ),
            (Ok(lists), None) => first = Some(lists),
            (Ok(lists), Some(first)) if lists != *first => check.fail(
                format!("two instances list differently: {}", difference(first, &lists)),
                "list in a fixed order and without anything random; a hash map has no fixed order",
            ),
            (Ok(_), Some(_)) => {}
        }
    }
    let Some(first) = first else { return check };
    if let (Ok(lists), _) = subject.lists(Where::Bare, AHEAD).await
        && lists != first
    {
        check.fail(format!("the list depends on the date: {}", difference(&first, &lists)), "take the time out of it");
    }
    if let (Ok(lists), _) = subject.lists(Where::Granted, Duration::ZERO).await
        && lists != first
        && first.resources == lists.resources
        && first.templates == lists.templates
    {
        check.warn(
            format!("the list depends on what is granted: {}", difference(&first, &lists)),
            "that is right only if the operator configures it so; say it in the README",
        );
    }
    check.summary = format!("{LISTINGS} fresh instances, another date, other grants");
    check
}

/// The first thing in which two lists differ.
fn difference(one: &Lists, two: &Lists) -> String {
    if one.tools.len() != two.tools.len() {
        return format!("{} tools, then {}", one.tools.len(), two.tools.len());
    }
    let tools = one.tools.iter().zip(&two.tools).find(|(one, two)| one != two);
    match tools {
        Some((one, two)) if one.name != two.name => format!("tool {} stands where {} stood", two.name, one.name),
        Some((one, _)) => format!("tool {} has another definition", one.name),
        None => "resources, templates or prompts".to_owned(),
    }
}

/// Wrong calls are answered in words that say what to change.
pub(super) async fn errors(subject: &mut Subject) -> Check {
    let mut check = Check::new(
        "errors",
        "a model mends its call by the error; one that names no field is tried again the same way",
    );
    let mut tried = 0;
    for tool in 0..subject.tools.len() {
        for (what, arguments, field) in wrong(subject, tool) {
            tried += 1;
            // What a client gets: the host judges the arguments first.
            let call = subject.call(Where::Host, tool, &what, &arguments).await;
            judge_error(&mut check, subject, call, &field, true);
            // What the plugin itself says: another host may leave it to the plugin.
            let call = subject.call(Where::Bare, tool, &what, &arguments).await;
            judge_error(&mut check, subject, call, &field, false);
        }
    }
    let call = subject.call_unknown("no-such-tool").await;
    tried += 1;
    if let Some(call) = subject.calls.get(call) {
        let fix = "answer it with the error `not-found`";
        match &call.outcome {
            _ if call.crash().is_some() => check.fail("it crashes when it is asked for a tool it does not have", fix),
            Err(CallFailure::NotFound(_)) => {}
            Err(_) => {}
            Ok(result) if result.is_error => {}
            Ok(_) => check.warn("it answers a call of a tool it does not have as if it were its own", fix),
        }
    }
    check.summary = format!("{tried} wrong calls");
    check
}

/// Wrong arguments for one tool, and the field that an error must name.
fn wrong(subject: &Subject, tool: usize) -> Vec<(String, Value, String)> {
    let Some(tool) = subject.tools.get(tool) else { return Vec::new() };
    let base = Maker::new(&tool.input).minimal().filter(|made| tool.accepts(made)).unwrap_or_else(|| json!({}));
    let Value::Object(base) = base else { return Vec::new() };
    let mut wrong = Vec::new();
    let required = tool.input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for field in required {
        let mut arguments = base.clone();
        arguments.remove(field);
        wrong.push((format!("without {field}"), arguments, field.to_owned()));
    }
    let properties = tool.input.get("properties").and_then(Value::as_object);
    for (field, _) in properties.into_iter().flatten() {
        // Some of these are of the right type; those are no wrong calls.
        for value in [json!({"unexpected": true}), json!("text"), json!(12)] {
            let mut arguments: Map<String, Value> = base.clone();
            arguments.insert(field.clone(), value.clone());
            if !tool.accepts(&Value::Object(arguments.clone())) {
                wrong.push((format!("{field} = {value}"), arguments, field.clone()));
                break;
            }
        }
    }
    let wrong = wrong.into_iter().map(|(what, arguments, field)| (what, Value::Object(arguments), field));
    wrong.filter(|(_, arguments, _)| !tool.accepts(arguments)).collect()
}

fn judge_error(check: &mut Check, subject: &Subject, call: usize, field: &str, by_host: bool) {
    let Some(call) = subject.calls.get(call) else { return };
    let (tool, what) = (&call.tool, &call.what);
    let text = call.text();
    if call.crash().is_some() || call.limit().is_some() {
        let what = format!("{tool} crashes on wrong arguments ({what})");
        let fix = "check the arguments before using them, and return the error `invalid-arguments`";
        // A host that judges arguments never lets these in.
        if by_host {
            check.fail(what, fix)
        } else {
            check.warn(what, fix)
        }
        return;
    }
    let is_error = call.outcome.as_ref().map_or(true, |result| result.is_error);
    if !is_error {
        if by_host {
            check.fail(format!("{tool} accepts wrong arguments ({what})"), "correct its schema");
        }
        return;
    }
    if text.trim().is_empty() {
        check
            .fail(format!("{tool} fails without a word ({what})"), format!("name {field} and say what would be right"));
    } else if !text.contains(field) {
        let what = format!("the error of {tool} does not name {field} ({what}): {}", beginning(&text));
        let fix = format!("name {field} and say what would be right");
        if by_host {
            check.fail(what, fix);
        } else if !check.notes.iter().any(|note| note.what.starts_with(&format!("the error of {tool} "))) {
            // One of them shows how the plugin speaks; the others would say the same.
            check.warn(what, fix);
        }
    }
}

fn beginning(text: &str) -> String {
    let line: String = text.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(120).is_some() { format!("{line}…") } else { line }
}

/// Whatever is valid is answered, in a result or in words: never by a crash.
pub(super) async fn edges(subject: &mut Subject) -> Check {
    let mut check = Check::new("edges", "one crash on a valid call is a tool that fails on somebody's real data");
    let (begin, mut called, mut left_out) = (subject.calls.len(), 0, Vec::new());
    for tool in 0..subject.tools.len() {
        let Some(of) = subject.tools.get(tool) else { break };
        if !of.called {
            left_out.push(of.name().to_owned());
            continue;
        }
        let maker = Maker::new(&of.input);
        let mut tries: Vec<(Where, String, Value)> = Vec::new();
        if let Some(minimal) = maker.minimal() {
            tries.push((Where::Bare, "with nothing granted".to_owned(), minimal.clone()));
            tries.push((Where::Granted, "the smallest valid arguments".to_owned(), minimal));
        }
        tries.extend(maker.full().map(|full| (Where::Granted, "every argument".to_owned(), full)));
        let edges = maker.edges().into_iter().map(|(what, arguments)| (Where::Granted, what, arguments));
        tries.extend(edges.take(MOST_EDGES));
        tries.retain(|(_, _, arguments)| of.accepts(arguments));
        called += usize::from(!tries.is_empty());
        let mut patience = MOST_LIMITS;
        for (place, what, arguments) in tries {
            let call = subject.call(place, tool, &what, &arguments).await;
            if subject.calls.get(call).is_some_and(|call| call.limit().is_some()) {
                patience -= 1;
            }
            if patience == 0 {
                break;
            }
        }
    }
    let calls = subject.calls.get(begin..).unwrap_or_default();
    for call in calls {
        let (tool, what) = (&call.tool, &call.what);
        if let Some(crash) = call.crash() {
            let stack: Vec<&str> = crash.frames().take(8).collect();
            let stack = if stack.is_empty() { String::new() } else { format!("\n  at {}", stack.join("\n  at ")) };
            let words = beginning(&call.text());
            check.fail(
                format!("{tool} crashes ({what}): {words}{stack}"),
                format!("return an error in words; look closer with `toolcell call {tool} … --trace`"),
            );
        } else if call.outcome.as_ref().map_or(true, |result| result.is_error)
            && call.limit().is_none()
            && call.text().trim().is_empty()
        {
            check.fail(format!("{tool} fails without a word ({what})"), "say what went wrong and what to do");
        }
    }
    match (subject.tools.len(), called) {
        (0, _) => check.skip("it has no tools"),
        (_, 0) => check.skip(format!("no tool may be called here: {}; --all calls them", names(&left_out))),
        _ => {
            let rest = if left_out.is_empty() {
                String::new()
            } else {
                format!("; not called without --all: {}", names(&left_out))
            };
            check.summary = format!("{} valid calls of {called} tools{rest}", calls.len());
        }
    }
    check
}

fn names(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// Structured content is what the output schema promises.
pub(super) fn output(subject: &Subject) -> Check {
    let mut check =
        Check::new("output", "clients build on the output schema; a host turns a result that breaks it into an error");
    let mut judged = 0;
    for call in &subject.calls {
        let Some(tool) = subject.tools.iter().find(|tool| tool.name() == call.tool) else { continue };
        let Ok(result) = &call.outcome else { continue };
        if result.is_error {
            continue;
        }
        let place = format!("{} ({})", call.tool, call.what);
        let value = result.structured.as_deref().map(serde_json::from_str::<Value>);
        match (&tool.output, value) {
            (_, Some(Err(error))) => {
                check.fail(format!("the structured content of {place} is not JSON: {error}"), "return a JSON value")
            }
            (Some(_), None) => check.fail(
                format!("{place} has an output schema but returned no structured content"),
                "return structured content with every result that is no error",
            ),
            (Some(schema), Some(Ok(value))) => {
                judged += 1;
                if let Err(error) = schema.check(&value) {
                    check.fail(
                        format!("the structured content of {place} does not fit: {error}"),
                        "correct the result, or the output schema",
                    );
                }
            }
            (None, Some(Ok(_))) => check.warn(
                format!("{} returns structured content and has no output schema", call.tool),
                "add one: a model that plans with results needs it",
            ),
            (None, None) => {}
        }
        if result.content.is_empty() && result.structured.is_none() {
            check.warn(format!("{place} returns nothing at all"), "say at least that it is done");
        }
    }
    match subject.tools.iter().filter(|tool| tool.output.is_some()).count() {
        0 if check.notes.is_empty() => check.skip("no tool has an output schema"),
        _ => check.summary = format!("{judged} results judged"),
    }
    check
}

/// It stays within what every plugin gets, with room to spare.
pub(super) fn limits(subject: &Subject, slowest_list: u64) -> Check {
    let mut check = Check::new("limits", "past a limit the host ends the call");
    let limits = &subject.limits;
    let at_start = subject.plugin.compiled().footprint().map_or(0, |(memory, _)| memory);
    let cells = || subject.calls.iter().flat_map(|call| &call.heard).filter(|heard| heard.kind == Kind::Left);
    let memory = cells().map(|left| left.number("memory_bytes")).max().unwrap_or(at_start);
    let slowest = cells().map(|left| left.number("guest_us")).max().unwrap_or_default();
    let sizes = subject.calls.iter().filter_map(|call| Some((call, size_of(call.outcome.as_ref().ok()?))));
    let largest = sizes.clone().map(|(_, size)| size).max().unwrap_or_default();
    check.summary = format!(
        "{} of memory at start, {} at most (of {}); list {}, longest call {}, largest result {}",
        bytes(at_start),
        bytes(memory),
        bytes(limits.memory_bytes as u64),
        milliseconds(slowest_list),
        milliseconds(slowest),
        bytes(largest as u64)
    );
    for call in &subject.calls {
        if let Some(limit) = call.limit() {
            let text = limit.message.trim_start_matches("call ended: ");
            check.fail(
                format!("{} ({}) {text}", call.tool, call.what),
                "do less at a time, or say in the README which limit it needs",
            );
        }
    }
    if memory > limits.memory_bytes as u64 / 2 {
        check.warn(
            format!("it takes {}, more than half of what it may have", bytes(memory)),
            "use less, or say in the README that it needs a larger `limits.memory-mib`",
        );
    }
    if slowest_list > SLOW_LIST_US {
        check.warn(
            format!("listing takes {}", milliseconds(slowest_list)),
            "do the work when a tool is called, not when the module is loaded",
        );
    }
    if slowest > SLOW_CALL_US {
        check.warn(format!("a call takes {}", milliseconds(slowest)), "report progress, or let it run as a task");
    }
    if let Some((call, size)) = sizes.max_by_key(|(_, size)| *size).filter(|(_, size)| *size > LARGE_RESULT)
        // What comes back because it was sent is the caller's own choice.
        && !call.what.contains("longest")
    {
        check.warn(
            format!("{} ({}) returns {}", call.tool, call.what, bytes(size as u64)),
            "return less at a time: a page, a range, a summary",
        );
    }
    check
}

/// It wants nothing that its manifest does not ask for.
pub(super) fn access(subject: &Subject) -> Check {
    let mut check = Check::new("access", "an operator trusts the manifest; whatever is not in it looks like an attack");
    let has_manifest = subject.plugin.manifest.requested.is_some();
    let (mut refused, mut handled) = (0, BTreeSet::new());
    for call in &subject.calls {
        for heard in call.heard.iter().filter(|heard| heard.kind == Kind::Refused) {
            refused += 1;
            let rule = heard.text("rule");
            let text = heard.message.trim_start_matches("outgoing request refused: ");
            if rule.ends_with("-not-requested") || !has_manifest {
                let fix = match has_manifest {
                    true => "add it to what the plugin requests, with the reason, or leave it",
                    false => "give the plugin a manifest that asks for it (`toolcell build` embeds it)",
                };
                check.fail(format!("{} tried: {text}", call.tool), fix);
            } else if call.crash().is_some() {
                check.fail(
                    format!("{} crashes when it is refused: {text}", call.tool),
                    "return the refusal as an error in words",
                );
            } else {
                handled.insert(rule.to_owned());
            }
        }
    }
    check.summary = match refused {
        0 => "nothing was refused; files that are not granted do not exist for it".to_owned(),
        n if handled.is_empty() => format!("{n} refusals"),
        n => format!(
            "{n} refusals of what it asks for and is not granted here ({})",
            handled.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    check
}
