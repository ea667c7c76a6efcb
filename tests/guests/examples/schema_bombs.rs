//! Offers schemas that are small and valid, and cost the host far more than they look when a call is validated.

use toolcell_guests::{ListResult, Tool, listed, listing, tool};

listing!(schema_bombs);

fn schema_bombs() -> ListResult {
    Ok(listed(vec![
        // Call it with {"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}: a reader that goes back and forth needs 2^32 steps.
        // The look-ahead keeps such a reader from handing the pattern to one that never goes back.
        bomb(
            "regex_bomb",
            r#"{"type":"object","properties":{"a":{"type":"string","pattern":"^(?=(a+)+$)(a|a|b)+$"}}}"#,
        ),
        // Call it with {"a": 1}: each definition asks twice for the next.
        bomb("ref_bomb", &doubling(30)),
        // Call it with {"a": [ten thousand different objects]}: every pair has to be compared.
        bomb("unique_bomb", r#"{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}"#),
    ]))
}

fn bomb(name: &str, schema: &str) -> Tool {
    Tool { input_schema: schema.to_owned(), ..tool(name, "Costs more to validate than to run.") }
}

/// `depth` definitions, each an `anyOf` of two references to the next, the last one never true.
fn doubling(depth: usize) -> String {
    let definitions: Vec<_> = (0..depth)
        .map(|n| {
            let next = n + 1;
            format!(r##""d{n}":{{"anyOf":[{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{next}"}}]}}"##)
        })
        .collect();
    format!(
        r##"{{"type":"object","properties":{{"a":{{"$ref":"#/$defs/d0"}}}},"$defs":{{{},"d{depth}":false}}}}"##,
        definitions.join(",")
    )
}
