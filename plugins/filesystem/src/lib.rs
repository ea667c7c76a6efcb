//! Files for a model: reading, writing, editing, listing and searching in the directories the operator mounted.
//!
//! This file is the list of tools; what they do is in the modules. [`mounts`] finds the [`path`] of a call, [`read`],
//! [`media`], [`write`], [`edit`] (with [`diff`]), [`list`], [`info`] and [`walk`] work on it, [`limits`] says how much
//! of it, and [`error`] has the words for what went wrong. Nothing here is a security boundary: the sandbox is.

mod args;
mod diff;
mod edit;
mod error;
mod info;
mod limits;
mod list;
mod media;
mod mounts;
mod path;
mod read;
#[cfg(test)]
mod testing;
mod walk;
mod write;

use toolcell_sdk::prelude::*;

use args::{
    EditArgs, ListSizesArgs, MoveArgs, PathArgs, ReadManyArgs, ReadTextArgs, SearchArgs, TextOutput, TreeArgs,
    WriteArgs,
};
use media::{MediaBlock, MediaOutput};
use mounts::Mounts;
use read::Part;

struct Filesystem {
    mounts: Mounts,
}

impl Default for Filesystem {
    fn default() -> Self {
        Self { mounts: Mounts::granted() }
    }
}

/// Reads, writes, edits, lists and searches files in the directories the operator mounts.
#[plugin(request(
    dir = "/*",
    access = "read-write",
    why = "these are the files it works on; mount them read-only to have them read only"
))]
impl Filesystem {
    /// Reads a whole file as text. Deprecated: use read_text_file.
    #[tool(title = "Read File (Deprecated)", read_only, open_world = false, output = TextOutput)]
    fn read_file(&self, args: ReadTextArgs) -> Result<ToolResult, ToolError> {
        self.read_text_file(args)
    }

    /// Reads a file as text, whatever its name: all of it, or with `head` or `tail` (not both) only so many lines from
    /// its beginning or end. Use `head` or `tail` for large files. Works in the allowed directories only.
    #[tool(title = "Read Text File", read_only, open_world = false, output = TextOutput)]
    fn read_text_file(&self, args: ReadTextArgs) -> Result<ToolResult, ToolError> {
        answer(read::read_text(&self.mounts, &args.path, Part::new(args.head, args.tail)?)?)
    }

    /// Reads a picture, a sound or any other file as it is. Pictures and sounds come back as such with their media type,
    /// everything else as an embedded resource. Works in the allowed directories only.
    #[tool(title = "Read Media File", read_only, open_world = false, output = MediaOutput)]
    fn read_media_file(&self, args: PathArgs) -> Result<ToolResult, ToolError> {
        let media = media::read_media(&self.mounts, &args.path)?;
        let block = media.block();
        let size = media.bytes.len();
        let mut result = match &block {
            MediaBlock::Image { .. } => ToolResult::empty().with_image(media.bytes, media.mime_type),
            MediaBlock::Audio { .. } => ToolResult::empty().with_audio(media.bytes, media.mime_type),
            MediaBlock::Resource { .. } => {
                ToolResult::empty().with_embedded_blob(media.uri, media.mime_type, media.bytes)
            }
        };
        let output = MediaOutput { content: vec![block] };
        result.structured = Some(output.to_json(size)?);
        Ok(result)
    }

    /// Reads several text files in one call, which is faster than one call each. Every file comes with its path in front;
    /// one that cannot be read has the reason in its place and does not stop the others. Works in the allowed directories
    /// only.
    #[tool(title = "Read Multiple Files", read_only, open_world = false, output = TextOutput)]
    fn read_multiple_files(&self, args: ReadManyArgs) -> Result<ToolResult, ToolError> {
        if args.paths.is_empty() {
            tool_bail!("paths is empty; name at least one file");
        }
        answer(read::read_many(&self.mounts, &args.paths))
    }

    /// Writes a text file. One that exists is replaced without asking, so be sure. Its directory must exist. Works in the
    /// allowed directories only.
    #[tool(title = "Write File", read_only = false, idempotent, destructive, open_world = false, output = TextOutput)]
    fn write_file(&self, args: WriteArgs) -> Result<ToolResult, ToolError> {
        answer(write::write_file(&self.mounts, &args.path, &args.content)?)
    }

    /// Replaces passages of a text file with others and answers with a diff in git's style. If one passage is not found,
    /// nothing is changed. With `dryRun` the diff is all that happens. Works in the allowed directories only.
    #[tool(
        title = "Edit File", read_only = false, idempotent = false, destructive, open_world = false, output = TextOutput
    )]
    fn edit_file(&self, args: EditArgs) -> Result<ToolResult, ToolError> {
        answer(edit::edit_file(&self.mounts, &args.path, &args.edits, args.dry_run)?)
    }

    /// Makes a directory, and the directories it is in where they are missing. One that exists is fine. Works in the
    /// allowed directories only.
    #[tool(
        title = "Create Directory",
        read_only = false,
        idempotent,
        destructive = false,
        open_world = false,
        output = TextOutput
    )]
    fn create_directory(&self, args: PathArgs) -> Result<ToolResult, ToolError> {
        answer(write::create_directory(&self.mounts, &args.path)?)
    }

    /// Lists what is in a directory, one entry a line, with [DIR] or [FILE] in front. Works in the allowed directories
    /// only.
    #[tool(title = "List Directory", read_only, open_world = false, output = TextOutput)]
    fn list_directory(&self, args: PathArgs) -> Result<ToolResult, ToolError> {
        answer(list::list(&self.mounts, &args.path)?)
    }

    /// Lists what is in a directory as list_directory does, with the size of every file and the totals. Works in the
    /// allowed directories only.
    #[tool(title = "List Directory with Sizes", read_only, open_world = false, output = TextOutput)]
    fn list_directory_with_sizes(&self, args: ListSizesArgs) -> Result<ToolResult, ToolError> {
        answer(list::list_with_sizes(&self.mounts, &args.path, args.sort_by)?)
    }

    /// Shows a directory and all below it as JSON, indented by two spaces: each entry has a `name` and a `type` (`file`
    /// or `directory`); directories also have `children`, which may be empty. Works in the allowed directories only.
    #[tool(title = "Directory Tree", read_only, open_world = false, output = TextOutput)]
    fn directory_tree(&self, args: TreeArgs) -> Result<ToolResult, ToolError> {
        answer(walk::tree(&self.mounts, &args.path, &args.exclude_patterns)?)
    }

    /// Moves or renames a file or a directory. Fails if something is at the destination already. Both paths must be in
    /// the allowed directories.
    #[tool(
        title = "Move File", read_only = false, idempotent = false, destructive, open_world = false, output = TextOutput
    )]
    fn move_file(&self, args: MoveArgs) -> Result<ToolResult, ToolError> {
        answer(write::move_file(&self.mounts, &args.source, &args.destination)?)
    }

    /// Finds files and directories by name, in a directory and all below it. Answers with full paths, one a line. Use it
    /// when you do not know where something is. Works in the allowed directories only.
    #[tool(title = "Search Files", read_only, open_world = false, output = TextOutput)]
    fn search_files(&self, args: SearchArgs) -> Result<ToolResult, ToolError> {
        answer(walk::search(&self.mounts, &args.path, &args.pattern, &args.exclude_patterns)?)
    }

    /// Tells what is known of a file or directory without reading it: size, times, type, and whether it may be changed.
    /// Works in the allowed directories only.
    #[tool(title = "Get File Info", read_only, open_world = false, output = TextOutput)]
    fn get_file_info(&self, args: PathArgs) -> Result<ToolResult, ToolError> {
        answer(info::info(&self.mounts, &args.path)?)
    }

    /// Lists the directories this server may use; everything below them is allowed too. Ask this first when you do not
    /// know what paths there are.
    #[tool(title = "List Allowed Directories", read_only, open_world = false, output = TextOutput)]
    fn list_allowed_directories(&self) -> Result<ToolResult, ToolError> {
        answer(self.mounts.list()?)
    }
}

/// A text as content and as structured content.
fn answer(content: String) -> Result<ToolResult, ToolError> {
    if content.len() > limits::ANSWER_BYTES {
        tool_bail!(
            "the answer would be {} bytes long, more than can be delivered; ask for less at once",
            content.len()
        );
    }
    ToolResult::text(content.as_str()).with_structured(&TextOutput { content })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use toolcell_sdk::testing;
    use toolcell_sdk::types::{CallError, Content};

    use super::*;

    /// What a client sees of each tool: name, arguments (`?` marks an optional one), hints.
    const TOOLS: [(&str, &str, &str); 14] = [
        ("read_file", "path tail? head?", "read-only"),
        ("read_text_file", "path tail? head?", "read-only"),
        ("read_media_file", "path", "read-only"),
        ("read_multiple_files", "paths", "read-only"),
        ("write_file", "path content", "destructive idempotent"),
        ("edit_file", "path edits dryRun?", "destructive"),
        ("create_directory", "path", "idempotent"),
        ("list_directory", "path", "read-only"),
        ("list_directory_with_sizes", "path sortBy?", "read-only"),
        ("directory_tree", "path excludePatterns?", "read-only"),
        ("move_file", "source destination", "destructive"),
        ("search_files", "path pattern excludePatterns?", "read-only"),
        ("get_file_info", "path", "read-only"),
        ("list_allowed_directories", "", "read-only"),
    ];

    #[test]
    fn the_tools_are_those_of_the_reference_server() {
        let tools = testing::tools::<Filesystem>().unwrap();
        assert_eq!(tools.len(), TOOLS.len());
        for (tool, (name, arguments, hints)) in tools.iter().zip(TOOLS) {
            let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let listed = properties.keys().map(|key| match required.contains(&json!(key)) {
                true => key.clone(),
                false => format!("{key}?"),
            });
            let hinted = tool.annotations.as_ref().unwrap();
            let said = [
                (hinted.read_only, "read-only"),
                (hinted.destructive, "destructive"),
                (hinted.idempotent, "idempotent"),
                (hinted.open_world, "open-world"),
            ];
            let said: Vec<_> = said.iter().filter(|(hint, _)| *hint == Some(true)).map(|(_, name)| *name).collect();
            assert_eq!(
                (tool.name.as_str(), listed.collect::<Vec<_>>().join(" "), said.join(" ")),
                (name, arguments.to_owned(), hints.to_owned())
            );
            assert!(tool.output_schema.is_some() && tool.title.is_some() && tool.description.is_some(), "{name}");
            assert_eq!(schema["additionalProperties"], json!(false), "{name}");
        }
    }

    #[test]
    fn choices_and_defaults_are_in_the_schemas() {
        let tools = testing::tools::<Filesystem>().unwrap();
        let schema = |name: &str| {
            let tool = tools.iter().find(|tool| tool.name == name).unwrap();
            serde_json::from_str::<Value>(&tool.input_schema).unwrap()["properties"].clone()
        };
        let sort_by = &schema("list_directory_with_sizes")["sortBy"];
        assert_eq!((&sort_by["enum"], &sort_by["default"]), (&json!(["name", "size"]), &json!("name")));
        assert_eq!(schema("edit_file")["dryRun"]["default"], json!(false));
        assert_eq!(schema("search_files")["excludePatterns"]["default"], json!([]));
        assert_eq!(schema("read_multiple_files")["paths"]["minItems"], json!(1));
    }

    // Without a sandbox the working directory is mounted, and for a test that is this crate.

    #[test]
    fn a_text_is_there_twice() {
        let outcome = testing::call::<Filesystem>("read_text_file", json!({"path": "Cargo.toml", "head": 1.0}));
        let Outcome::Complete(result) = outcome.unwrap() else { panic!("asks for input") };
        assert_eq!(result.structured.as_deref(), Some(r#"{"content":"[package]"}"#));
        assert_eq!(testing::text(&Outcome::Complete(result)), "[package]");
    }

    #[test]
    fn a_file_of_no_known_kind_is_an_embedded_resource() {
        let outcome = testing::call::<Filesystem>("read_media_file", json!({"path": "Cargo.toml"}));
        let Outcome::Complete(result) = outcome.unwrap() else { panic!("asks for input") };
        assert!(matches!(&result.content[..], [Content::Resource(_)]));
        let structured: Value = serde_json::from_str(&result.structured.unwrap()).unwrap();
        assert_eq!(structured["content"][0]["resource"]["mimeType"], json!("application/octet-stream"));
    }

    #[test]
    fn what_fails_is_a_tool_error_and_what_cannot_be_meant_is_refused() {
        let outcome = testing::call::<Filesystem>("read_text_file", json!({"path": "/etc/passwd"}));
        assert!(matches!(outcome.unwrap(), Outcome::Complete(ToolResult { is_error: true, .. })));
        for (tool, arguments) in [
            ("edit_file", json!({"path": "x", "edits": [], "dry_run": true})),
            ("read_text_file", json!({"path": "x", "head": 1.5})),
            ("read_text_file", json!({"path": "x", "tail": -1})),
        ] {
            let error = testing::call::<Filesystem>(tool, arguments).unwrap_err();
            assert!(matches!(error, CallError::InvalidArguments(_)), "{tool}: {error:?}");
        }
    }
}
