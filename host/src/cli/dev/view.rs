//! What is shown while a plugin is developed: one line for each thing that happens, or one JSON object.

use super::super::heard::{Heard, Kind};
use super::super::say;
use super::super::terminal::{Paint, bytes, milliseconds};
use crate::registry::types::Tool;
use crate::registry::{Digest, Snapshot};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use toolcell_author::{Built, Project, Report};

/// Lines of a tool's output that are shown when a build fails.
const LAST_LINES: usize = 60;

/// Shows what happens.
pub(super) struct View {
    json: bool,
    paint: Paint,
    started: Instant,
    /// What tools said during the build that runs.
    output: RefCell<Vec<String>>,
    /// What was in service when it was last shown.
    shown: RefCell<Shown>,
}

#[derive(Default)]
struct Shown {
    tools: BTreeMap<String, Tool>,
    problems: Vec<String>,
    any: bool,
}

/// How the list of tools differs from the one before.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    added: Vec<String>,
    removed: Vec<String>,
    /// Each with what changed.
    changed: Vec<(String, Vec<&'static str>)>,
}

impl View {
    pub(super) fn new(json: bool) -> Self {
        let (output, shown) = (RefCell::default(), RefCell::default());
        Self { json, paint: Paint::stdout(), started: Instant::now(), output, shown }
    }

    pub(super) fn serving(&self, project: &Project, url: &str, snippets: &str) -> anyhow::Result<()> {
        if self.json {
            return say(&json!({
                "event": "serving", "url": url, "plugin": project.name, "language": project.language.to_string(),
            })
            .to_string());
        }
        let name = self.paint.strong(&project.name);
        say(&format!("{name} ({}) is served at {}", project.language, self.paint.strong(url)))?;
        say(snippets)?;
        say("it is built again when a source changes; Ctrl-C ends it\n")
    }

    pub(super) fn building(&self) -> anyhow::Result<()> {
        self.output.borrow_mut().clear();
        self.line("building", "", json!({"event": "building"}))
    }

    pub(super) fn report(&self, report: &Report) -> anyhow::Result<()> {
        match report {
            Report::Step(step) => self.line("", &self.paint.faint(step), json!({"event": "step", "text": step})),
            Report::Output(line) => {
                self.output.borrow_mut().push(line.clone());
                if self.json { say(&json!({"event": "output", "text": line}).to_string()) } else { Ok(()) }
            }
        }
    }

    pub(super) fn built(&self, dir: &Path, done: Result<Built, String>, in_service: bool) -> anyhow::Result<()> {
        match done {
            Ok(built) => {
                let file = built.component.strip_prefix(dir).unwrap_or(&built.component).display().to_string();
                let text = format!("{file}, {} in {:.1} s", bytes(built.bytes), built.took.as_secs_f64());
                let ms = u64::try_from(built.took.as_millis()).unwrap_or(u64::MAX);
                let digest = std::fs::read(&built.component).map(|bytes| Digest::of(&bytes).to_string()).ok();
                let event = json!({
                    "event": "built", "component": built.component, "bytes": built.bytes, "digest": digest, "ms": ms,
                });
                self.line(&self.paint.good("built"), &text, event)
            }
            Err(error) => {
                let output = self.output.borrow();
                // The error ends with the tool's last lines; what came before them is shown here.
                let before = output.get(output.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
                if !self.json {
                    before
                        .iter()
                        .filter(|line| !error.contains(line.as_str()))
                        .try_for_each(|line| say(&format!("    {line}")))?;
                }
                let stays =
                    if in_service { "the version before stays in service" } else { "nothing is in service yet" };
                let event = json!({"event": "build-failed", "error": error, "in_service": in_service});
                self.line(&self.paint.bad("failed"), &format!("{error}\n{stays}"), event)
            }
        }
    }

    /// Something was loaded. What is missing before the first build is no problem yet.
    pub(super) fn in_service(&self, snapshot: &Snapshot, building: bool) -> anyhow::Result<()> {
        let tools: BTreeMap<String, Tool> =
            snapshot.tools().iter().map(|entry| (entry.name.clone(), entry.tool.clone())).collect();
        let problems: Vec<String> = snapshot.problems().iter().map(ToString::to_string).collect();
        let mut shown = self.shown.borrow_mut();
        if building && snapshot.plugins().is_empty() && !shown.any {
            return Ok(());
        }
        let difference = difference(&shown.tools, &tools);
        let new_problems: Vec<&String> = problems.iter().filter(|problem| !shown.problems.contains(problem)).collect();
        let names: Vec<&str> = snapshot.tools().iter().map(|tool| tool.name.as_str()).collect();
        if self.json {
            let changed: Vec<Value> =
                difference.changed.iter().map(|(name, what)| json!({"name": name, "what": what})).collect();
            say(&json!({
                "event": "in-service", "generation": snapshot.generation(), "tools": names, "added": difference.added,
                "removed": difference.removed, "changed": changed, "problems": problems,
                "digests": snapshot.plugins().iter().map(|plugin| plugin.digest.to_string()).collect::<Vec<_>>(),
            })
            .to_string())?;
        } else {
            self.text("in service", &format!("{} tools: {}", names.len(), names.join(", ")))?;
            let mark = |sign: &str, name: &str| self.text("", &format!("{sign} {name}"));
            if shown.any {
                difference.added.iter().try_for_each(|name| mark(&self.paint.good("+"), name))?;
                difference.removed.iter().try_for_each(|name| mark(&self.paint.bad("-"), name))?;
                difference.changed.iter().try_for_each(|(name, what)| {
                    mark(&self.paint.doubtful("~"), &format!("{name} ({})", what.join(", ")))
                })?;
            }
            new_problems.iter().try_for_each(|problem| self.text(&self.paint.bad("problem"), problem))?;
        }
        *shown = Shown { tools, problems, any: true };
        Ok(())
    }

    /// Something happened in a call.
    pub(super) fn heard(&self, heard: &Heard) -> anyhow::Result<()> {
        let (tool, took) = (heard.text("tool"), heard.number("elapsed_us"));
        match heard.kind {
            Kind::Called => {
                let (arguments, outcome, said) = (heard.text("arguments"), heard.text("outcome"), heard.text("said"));
                let painted = if outcome == "done" { self.paint.good(outcome) } else { self.paint.bad(outcome) };
                let said_ = if said.is_empty() { String::new() } else { format!(": {said}") };
                let text =
                    format!("{} {arguments} → {painted} in {}{said_}", self.paint.strong(tool), milliseconds(took));
                let event = json!({
                    "event": "call", "tool": tool, "arguments": arguments, "outcome": outcome, "said": said, "us": took,
                });
                self.line("call", &text, event)
            }
            Kind::Guest => {
                let level = heard.level.to_string().to_lowercase();
                let from = heard.get("stream").or(heard.get("logger").filter(|logger| !logger.is_empty()));
                let from = from.unwrap_or_default();
                let event = json!({"event": "log", "level": level, "from": from, "text": heard.message});
                let source = if from.is_empty() { level } else { format!("{level} {from}") };
                self.line("log", &format!("{} {}", self.paint.faint(&source), heard.message), event)
            }
            Kind::Refused => {
                let event = json!({"event": "refused", "rule": heard.text("rule"), "text": heard.message});
                self.line(&self.paint.bad("refused"), &heard.message, event)
            }
            Kind::Limit => {
                let text = heard.message.trim_start_matches("call ended: ");
                let event = json!({"event": "limit", "tool": tool, "text": text});
                self.line(&self.paint.bad("limit"), &format!("{tool} {text}"), event)
            }
            Kind::Crash => {
                let text = heard.message.trim_start_matches("call crashed: ");
                let frames: Vec<&str> = heard.frames().collect();
                let event = json!({"event": "crash", "tool": tool, "text": text, "frames": frames});
                let stack: String = frames.iter().map(|frame| format!("\n  at {frame}")).collect();
                self.line(&self.paint.bad("crash"), &format!("{tool}: {text}{stack}"), event)
            }
            Kind::Left | Kind::Sent | Kind::Other => Ok(()),
        }
    }

    pub(super) fn stopped(&self) -> anyhow::Result<()> {
        if self.json { say(&json!({"event": "stopped"}).to_string()) } else { say("stopped") }
    }

    fn line(&self, what: &str, text: &str, event: Value) -> anyhow::Result<()> {
        if self.json { say(&event.to_string()) } else { self.text(what, text) }
    }

    fn text(&self, what: &str, text: &str) -> anyhow::Result<()> {
        let at = self.paint.faint(&format!("{:>8.1}s", self.started.elapsed().as_secs_f64()));
        let plain = what.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
        let pad = " ".repeat(11_usize.saturating_sub(plain.map(|part| part.chars().count()).sum()));
        say(&format!("{at} {what}{pad}{}", text.trim_end().replace('\n', "\n                     ")))
    }
}

fn difference(before: &BTreeMap<String, Tool>, after: &BTreeMap<String, Tool>) -> Difference {
    let mut difference = Difference::default();
    for (name, tool) in after {
        match before.get(name) {
            None => difference.added.push(name.clone()),
            Some(old) if old != tool => difference.changed.push((name.clone(), what_changed(old, tool))),
            Some(_) => {}
        }
    }
    difference.removed = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    difference
}

fn what_changed(old: &Tool, new: &Tool) -> Vec<&'static str> {
    let parts = [
        ("input schema", old.input_schema != new.input_schema),
        ("output schema", old.output_schema != new.output_schema),
        ("description", old.description != new.description),
        ("title", old.title != new.title),
        ("annotations", old.annotations != new.annotations),
        ("icons or meta", old.icons != new.icons || old.meta != new.meta),
    ];
    parts.into_iter().filter_map(|(what, changed)| changed.then_some(what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(list: &[(&str, &str, &str)]) -> BTreeMap<String, Tool> {
        let tool = |(name, description, schema): &(&str, &str, &str)| {
            let tool = Tool {
                name: (*name).to_owned(),
                title: None,
                description: Some((*description).to_owned()),
                input_schema: (*schema).to_owned(),
                output_schema: None,
                annotations: None,
                icons: Vec::new(),
                meta: None,
            };
            ((*name).to_owned(), tool)
        };
        list.iter().map(tool).collect()
    }

    #[test]
    fn a_difference_says_what_changed() {
        let before = tools(&[("gone", "d", "{}"), ("same", "d", "{}"), ("other", "d", "{}")]);
        let after = tools(&[("new", "d", "{}"), ("same", "d", "{}"), ("other", "e", "{\"a\":1}")]);
        let found = difference(&before, &after);
        assert_eq!((found.added, found.removed), (vec!["new".to_owned()], vec!["gone".to_owned()]));
        assert_eq!(found.changed, [("other".to_owned(), vec!["input schema", "description"])]);
        assert_eq!(difference(&before, &before), Difference::default());
    }
}
