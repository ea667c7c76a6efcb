//! The file format: one JSON object a line, entities first, then relations. It is that of the reference server.

use serde::{Deserialize, Serialize};

use crate::error::MemoryError;
use crate::graph::{Entity, Graph, Relation};

#[derive(Deserialize)]
struct Kind {
    r#type: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Entity(&'a Entity),
    Relation(&'a Relation),
}

/// Reads a graph. `file` is the name for messages.
///
/// # Errors
///
/// `Damaged` for a line that is not JSON, or that lacks a part of what its type says it is.
pub fn parse(text: &str, file: &str) -> Result<Graph, MemoryError> {
    let mut graph = Graph::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let damaged = |e: serde_json::Error| MemoryError::Damaged {
            file: file.to_owned(),
            line: index + 1,
            reason: e.to_string(),
        };
        let kind: Kind = serde_json::from_str(line).map_err(damaged)?;
        match kind.r#type.as_deref() {
            Some("entity") => graph.entities.push(serde_json::from_str(line).map_err(damaged)?),
            Some("relation") => graph.relations.push(serde_json::from_str(line).map_err(damaged)?),
            _ => graph.other.push(line.to_owned()),
        }
    }
    Ok(graph)
}

/// Writes a graph. `size` is about how long the text will be.
///
/// # Errors
///
/// None that a graph can cause.
pub fn print(graph: &Graph, size: usize) -> Result<Vec<u8>, serde_json::Error> {
    let entities = graph.entities.iter().map(Line::Entity);
    let relations = graph.relations.iter().map(Line::Relation);
    let mut text = Vec::with_capacity(size);
    for line in entities.chain(relations) {
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    for line in &graph.other {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    // Lines are separated, not ended, in the reference server's files.
    text.pop();
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(
        r#"{"type":"entity","name":"Ada \"A\"","entityType":"person","observations":["ü\n"]}"#,
        "\n",
        r#"{"type":"relation","from":"Ada \"A\"","to":"B","relationType":"knows"}"#,
        "\n",
        r#"{"type":"note","text":"of another program"}"#
    );

    #[test]
    fn what_was_read_is_written_the_same() {
        let graph = parse(FILE, "f").unwrap();
        assert_eq!((graph.entities.len(), graph.relations.len(), graph.other.len()), (1, 1, 1));
        assert_eq!(print(&graph, 0).unwrap(), FILE.as_bytes());
        assert_eq!(parse(&FILE.replace('\n', "\r\n\r\n \n"), "f").unwrap(), graph);
    }

    #[test]
    fn nothing_is_an_empty_graph() {
        assert_eq!(parse("", "f").unwrap(), Graph::default());
        assert_eq!(print(&Graph::default(), 0).unwrap(), b"");
    }

    #[test]
    fn a_damaged_line_is_named() {
        for (line, reason) in [
            ("{", "EOF"),
            ("[]", "invalid"),
            (r#"{"type":"entity","name":"x"}"#, "missing field `entityType`"),
            (r#"{"type":"relation","from":1,"to":"b","relationType":"c"}"#, "invalid type"),
        ] {
            let text = parse(&format!("{FILE}\n\n{line}"), "memory.jsonl").unwrap_err().to_string();
            assert!(text.starts_with("line 5 of memory.jsonl is damaged (") && text.contains(reason), "{line}: {text}");
        }
    }
}
