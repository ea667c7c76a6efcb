//! Thinking in steps that can be numbered, revised and branched.
//!
//! [`lenient`] reads arguments as generously as the reference server, [`history`] knows how many thoughts there were; this
//! file is what a client sees of them.

mod history;
mod lenient;

use history::History;
use lenient::{Count, Flag};
use std::path::Path;
use toolcell_sdk::prelude::*;

/// Where the history is kept, if the operator mounts a directory there.
const STATE: &str = "/state";

/// One thought.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Thought {
    /// What you think in this step
    thought: String,
    /// Whether another step has to follow
    next_thought_needed: Flag,
    /// Number of this thought (1, 2, 3, …)
    thought_number: Count,
    /// How many thoughts you expect to need (5, 10, …)
    total_thoughts: Count,
    /// Whether this thought reconsiders an earlier one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_revision: Option<Flag>,
    /// Number of the thought that is reconsidered
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revises_thought: Option<Count>,
    /// Number of the thought from which this one branches off
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch_from_thought: Option<Count>,
    /// Name of the branch
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch_id: Option<String>,
    /// Whether more thoughts are needed than expected
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs_more_thoughts: Option<Flag>,
}

impl Thought {
    /// The branch it belongs to, if it says both where that begins and what it is called.
    fn branch(&self) -> Option<&str> {
        self.branch_from_thought?;
        self.branch_id.as_deref().filter(|id| !id.is_empty())
    }

    /// Whether it is the first of a new problem.
    fn begins_anew(&self) -> bool {
        self.thought_number.0 == 1 && !self.is_revision.is_some_and(|flag| flag.0) && self.branch().is_none()
    }
}

/// Where the thinking stands.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    thought_number: u64,
    total_thoughts: u64,
    next_thought_needed: bool,
    branches: Vec<String>,
    thought_history_length: u64,
}

impl Progress {
    fn after(thought: &Thought, history: &History) -> Self {
        Self {
            thought_number: thought.thought_number.0,
            total_thoughts: thought.total_thoughts.0.max(thought.thought_number.0),
            next_thought_needed: thought.next_thought_needed.0,
            branches: history.branches.clone(),
            thought_history_length: history.thoughts,
        }
    }
}

#[derive(Default)]
struct SequentialThinking;

/// Lets a model think in steps that it can number, revise and branch.
#[plugin(request(
    dir = "/state",
    access = "read-write",
    why = "optional: keeps the number of thoughts and the names of branches from call to call"
))]
impl SequentialThinking {
    /// Works on a problem in a chain of thoughts that you write down one by one. The chain is not fixed: a later thought may
    /// build on an earlier one, doubt it, replace it or lead away from it, as you understand the problem better.
    ///
    /// Use it for
    /// - problems that have to be taken apart into steps
    /// - plans and designs that may need revision
    /// - analysis that may have to change course
    /// - problems whose whole extent is not clear at first
    /// - solutions of several steps
    /// - work that has to keep its context over many steps
    /// - cases in which what matters has to be told from what does not
    ///
    /// What it allows
    /// - totalThoughts may go up or down on the way
    /// - an earlier thought may be questioned or revised
    /// - thoughts may be added even after what looked like the end
    /// - doubt may be said aloud, and other ways may be tried
    /// - thoughts need not follow each other: branch off or go back
    /// - state a hypothesis, check it against the chain of thoughts, and repeat until it holds
    ///
    /// Arguments
    /// - thought: this step. It may be a step of analysis, a revision, a question about an earlier decision, the insight
    ///   that more analysis is needed, a change of approach, a hypothesis, or the check of one
    /// - nextThoughtNeeded: true while more thinking is needed, even at what looked like the end
    /// - thoughtNumber: the number of this thought; it may exceed the first estimate
    /// - totalThoughts: how many you expect at this point, up or down
    /// - isRevision: true if this thought revises an earlier one
    /// - revisesThought: with isRevision, the number of that thought
    /// - branchFromThought: the number of the thought at which this branch begins
    /// - branchId: the name of this branch
    /// - needsMoreThoughts: true if you have come to the end and see that more is needed
    ///
    /// How to use it
    /// 1. Begin with an estimate of the number of thoughts, and be ready to change it
    /// 2. Question and revise earlier thoughts freely
    /// 3. Add thoughts where they are needed, even at the end
    /// 4. Say where you are not sure
    /// 5. Mark what is a revision and what is a branch
    /// 6. Leave out what does not bear on this step
    /// 7. State a hypothesis when you have one
    /// 8. Check it against the chain of thoughts
    /// 9. Repeat until you are content with the solution
    /// 10. End with one answer, as right as you can make it
    /// 11. Set nextThoughtNeeded to false only when you are done and the answer satisfies
    #[tool(
        title = "Sequential Thinking",
        read_only,
        destructive = false,
        idempotent,
        open_world = false,
        output = Progress
    )]
    fn sequentialthinking(&self, thought: Thought) -> Result<ToolResult, ToolError> {
        log::named("thought").debug(&thought);
        let caller = context::current().caller.map(|caller| caller.principal);
        let history = history::record(Path::new(STATE), caller.as_deref(), &thought);
        ToolResult::pretty_json(&Progress::after(&thought, &history))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use toolcell_sdk::testing;

    fn think(arguments: Value) -> Value {
        let outcome = testing::call::<SequentialThinking>("sequentialthinking", arguments).unwrap();
        let Outcome::Complete(result) = &outcome else { panic!("{outcome:?}") };
        let structured: Value = serde_json::from_str(result.structured.as_deref().unwrap()).unwrap();
        assert_eq!(testing::text(&outcome), serde_json::to_string_pretty(&structured).unwrap());
        structured
    }

    #[test]
    fn a_thought_is_answered_with_where_the_thinking_stands() {
        let answer =
            think(json!({ "thought": "a", "thoughtNumber": 2, "totalThoughts": 3, "nextThoughtNeeded": true }));
        let expected = json!({
            "thoughtNumber": 2, "totalThoughts": 3, "nextThoughtNeeded": true, "branches": [], "thoughtHistoryLength": 2
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn more_thoughts_than_expected_raise_the_total() {
        let answer =
            think(json!({ "thought": "a", "thoughtNumber": 5, "totalThoughts": 3, "nextThoughtNeeded": false }));
        assert_eq!((&answer["totalThoughts"], &answer["nextThoughtNeeded"]), (&json!(5), &json!(false)));
    }

    #[test]
    fn a_branch_needs_a_beginning_and_a_name() {
        let cases = [
            (json!({ "branchFromThought": 1, "branchId": "b" }), json!(["b"])),
            (json!({ "branchFromThought": 1 }), json!([])),
            (json!({ "branchId": "b" }), json!([])),
            (json!({ "branchFromThought": 1, "branchId": "" }), json!([])),
            (json!({ "branchFromThought": null, "branchId": null }), json!([])),
        ];
        for (branch, expected) in cases {
            let mut arguments =
                json!({ "thought": "a", "thoughtNumber": 2, "totalThoughts": 3, "nextThoughtNeeded": true });
            arguments.as_object_mut().unwrap().extend(branch.as_object().unwrap().clone());
            assert_eq!(think(arguments)["branches"], expected, "{branch}");
        }
    }

    #[test]
    fn the_tool_is_described_as_in_the_reference_server() {
        let tools = testing::tools::<SequentialThinking>().unwrap();
        let [tool] = &tools[..] else { panic!("{tools:?}") };
        assert_eq!((&*tool.name, tool.title.as_deref()), ("sequentialthinking", Some("Sequential Thinking")));
        let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
        let names: Vec<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "thought",
            "nextThoughtNeeded",
            "thoughtNumber",
            "totalThoughts",
            "isRevision",
            "revisesThought",
            "branchFromThought",
            "branchId",
            "needsMoreThoughts",
        ];
        assert_eq!(names, expected);
        assert_eq!(schema["required"], json!(["thought", "nextThoughtNeeded", "thoughtNumber", "totalThoughts"]));
        let output: Value = serde_json::from_str(tool.output_schema.as_deref().unwrap()).unwrap();
        assert_eq!(output["properties"]["branches"], json!({ "type": "array", "items": { "type": "string" } }));
    }
}
