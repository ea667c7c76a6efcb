//! The published schema of each revision, and which of its definitions a message of the server has to match.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// How many violations one message lists: the first few tell.
const MAX_LISTED: usize = 6;
/// Requests that may be answered by a request for input, since 2026-07-28.
const ROUNDS: [&str; 3] = ["tools/call", "resources/read", "prompts/get"];
/// Where the tasks extension keeps what the server may send: its schema nests the methods too deep to be found.
const TASK_RESULTS: [(&str, &str); 3] =
    [("tasks/get", "GetTaskResult"), ("tasks/update", "UpdateTaskResult"), ("tasks/cancel", "CancelTaskResult")];

/// The revisions with a published schema.
pub const REVISIONS: [&str; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

static READ: LazyLock<Vec<Revision>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../schemas/2024-11-05.json"),
        include_str!("../../schemas/2025-03-26.json"),
        include_str!("../../schemas/2025-06-18.json"),
        include_str!("../../schemas/2025-11-25.json"),
        include_str!("../../schemas/2026-07-28.json"),
    ];
    let tasks = include_str!("../../schemas/tasks.json");
    let pairs = REVISIONS.iter().zip(texts);
    pairs
        .map(|(version, text)| {
            let tasks = (*version == "2026-07-28").then(|| Book::read(tasks));
            Revision::new(version, Book::read(text), tasks)
        })
        .collect()
});

/// One revision's rules for what a server sends.
pub struct Revision {
    /// Its name, a date.
    pub version: &'static str,
    core: Book,
    /// The tasks extension, where there is one.
    tasks: Option<Book>,
    /// Definitions by method.
    requests: BTreeMap<String, String>,
    notifications: BTreeMap<String, String>,
    results: BTreeMap<String, String>,
    /// Methods whose result has no definition of its own.
    plain: BTreeSet<String>,
    /// Definitions by code.
    errors: BTreeMap<i64, String>,
}

/// One schema file.
struct Book {
    schema: Value,
    key: &'static str,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The rules of a revision, if it is one with a schema.
#[must_use]
pub fn revision(version: &str) -> Option<&'static Revision> {
    READ.iter().find(|revision| revision.version == version)
}

impl Revision {
    fn new(version: &'static str, core: Book, tasks: Option<Book>) -> Self {
        let methods = |union: &str| -> BTreeMap<String, String> {
            let members = core.definition(union)["anyOf"].as_array().into_iter().flatten();
            let names = members.filter_map(|member| member["$ref"].as_str()?.rsplit('/').next());
            names.filter_map(|name| Some((core.method(name)?, name.to_owned()))).collect()
        };
        let (requests, notifications) = (methods("ServerRequest"), methods("ServerNotification"));
        let (mut results, mut plain, mut errors) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for (name, definition) in core.definitions() {
            if let (Some(stem), Some(method)) = (name.strip_suffix("Request"), core.method(name))
                && stem != "Client"
            {
                let result = format!("{stem}Result");
                match core.definitions().contains_key(&result) {
                    true => drop(results.insert(method, result)),
                    false => drop(plain.insert(method)),
                }
            }
            let parts = definition["properties"]["error"]["allOf"].as_array().into_iter().flatten();
            errors.extend(
                parts.filter_map(|part| part["properties"]["code"]["const"].as_i64()).map(|code| (code, name.clone())),
            );
        }
        Self { version, core, tasks, requests, notifications, results, plain, errors }
    }

    /// Judges one message of the server's, no batch; `asked` is the method of the request that a response answers.
    ///
    /// # Errors
    ///
    /// A text that names the definition and what of the message breaks it.
    pub fn check(&self, message: &Value, asked: Option<&str>) -> Result<(), String> {
        // What is said of the definition tells more than what is said of the envelope around it.
        if let Some(method) = message["method"].as_str() {
            self.check_call(method, message)?;
        } else if let Some(error) = message.get("error") {
            let typed = error["code"].as_i64().and_then(|code| self.errors.get(&code));
            typed.map_or(Ok(()), |name| self.core.check(name, message))?;
        } else if let Some(method) = asked {
            let verdict = self.check_result(method, &message["result"]);
            verdict.map_err(|why| format!("the result of {method}: {why}"))?;
        } else {
            self.core.check("JSONRPCMessage", message)?;
            return Err("a result that nobody asked for".to_owned());
        }
        self.core.check("JSONRPCMessage", message)
    }

    fn check_call(&self, method: &str, message: &Value) -> Result<(), String> {
        let (known, kind) = match message.get("id") {
            Some(_) => (&self.requests, "request"),
            None => (&self.notifications, "notification"),
        };
        match (known.get(method), &self.tasks) {
            (Some(name), _) => self.core.check(name, message),
            (None, Some(tasks)) if method == "notifications/tasks" && kind == "notification" => {
                tasks.check("TaskStatusNotification", message)?;
                self.check_finished(&message["params"])
            }
            _ => Err(format!("a server sends no {kind} {method} in {}", self.version)),
        }
    }

    fn check_result(&self, method: &str, result: &Value) -> Result<(), String> {
        match (result["resultType"].as_str(), &self.tasks) {
            (Some("input_required"), Some(_)) if ROUNDS.contains(&method) => {
                return self.core.check("InputRequiredResult", result);
            }
            (Some("task"), Some(tasks)) if method == "tools/call" => return tasks.check("CreateTaskResult", result),
            (Some("complete"), Some(_)) | (_, None) => {}
            (kind, Some(_)) => return Err(format!("the resultType is {kind:?}")),
        }
        if let (Some(tasks), Some((_, name))) = (&self.tasks, TASK_RESULTS.iter().find(|(known, _)| *known == method)) {
            tasks.check(name, result)?;
            return self.check_finished(result);
        }
        match self.results.get(method) {
            Some(name) => self.core.check(name, result),
            None if self.plain.contains(method) => self.core.check("EmptyResult", result),
            None => Err(format!("{} has no such method", self.version)),
        }
    }

    /// The result inside a completed task is that of the call. It may leave out `resultType`: the task has one.
    fn check_finished(&self, task: &Value) -> Result<(), String> {
        if task["status"] != "completed" {
            return Ok(());
        }
        let mut result = task["result"].clone();
        if result["resultType"].is_null() {
            result["resultType"] = "complete".into();
        }
        self.core.check("CallToolResult", &result).map_err(|why| format!("the result in the task: {why}"))
    }
}

impl Book {
    fn read(text: &str) -> Self {
        let schema: Value = serde_json::from_str(text).expect("a published schema is JSON");
        let key = if schema["$defs"].is_object() { "$defs" } else { "definitions" };
        Self { schema, key, compiled: Mutex::default() }
    }

    fn definitions(&self) -> &Map<String, Value> {
        self.schema[self.key].as_object().expect("a published schema has definitions")
    }

    fn definition(&self, name: &str) -> &Value {
        &self.schema[self.key][name]
    }

    /// The method of a request or notification.
    fn method(&self, name: &str) -> Option<String> {
        self.definition(name)["properties"]["method"]["const"].as_str().map(str::to_owned)
    }

    fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(name);
        if validator.is_valid(value) {
            return Ok(());
        }
        let errors = validator.iter_errors(value).take(MAX_LISTED);
        let lines: Vec<String> = errors.map(|error| format!("`{}` {error}", error.instance_path())).collect();
        Err(format!("not {name}: {}", lines.join("; ")))
    }

    fn validator(&self, name: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = compiled.get(name) {
            return Arc::clone(validator);
        }
        let root = json!({
            "$schema": self.schema["$schema"],
            "allOf": [{ "$ref": format!("#/{}/{name}", self.key) }],
            self.key: self.schema[self.key],
        });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_format("byte", is_base64)
            .offline()
            .build(&root)
            .unwrap_or_else(|why| panic!("the published {name} is no schema: {why}"));
        let validator = Arc::new(validator);
        compiled.insert(name.to_owned(), Arc::clone(&validator));
        validator
    }
}

/// The format that the schemas call "byte".
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - bare.len() <= 2
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_revision_has_the_rules_it_is_known_for() {
        let rules = |version| revision(version).expect("it is published");
        for version in REVISIONS {
            let it = rules(version);
            assert_eq!(it.results.get("tools/call").map(String::as_str), Some("CallToolResult"), "{version}");
            assert!(it.notifications.contains_key("notifications/progress"), "{version}");
        }
        assert!(rules("2025-11-25").plain.contains("resources/subscribe"));
        assert!(rules("2025-06-18").requests.contains_key("elicitation/create"));
        assert!(!rules("2025-03-26").requests.contains_key("elicitation/create"));
        assert!(rules("2026-07-28").requests.is_empty(), "servers ask no more");
        assert_eq!(rules("2026-07-28").errors.keys().copied().collect::<Vec<_>>(), [-32022, -32021, -32020]);
        assert!(rules("2026-07-28").notifications.contains_key("notifications/subscriptions/acknowledged"));
    }

    #[test]
    fn base64_is_told_from_other_text() {
        for (text, right) in
            [("", true), ("QQ==", true), ("QUI=", true), ("QUJD", true), ("QQ", false), ("Q*==", false)]
        {
            assert_eq!(is_base64(text), right, "{text}");
        }
    }
}
