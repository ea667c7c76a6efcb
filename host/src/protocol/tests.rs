//! How the same tool and the same result look in each revision.

use expect_test::{Expect, expect};

use super::jsonrpc::{Message, read_one};
use super::testing::{complete, described, registry};
use super::{InFlight, Notes, Revision, Rules, Scope, Server, ServerInfo};
use crate::registry::ToolEntry;
use crate::registry::types::{
    Annotations, Content, EmbeddedResource, Icon, IconTheme, MediaContent, ResourceBody, ResourceContents,
    ResourceInfo, Role, TextContent, Tool, ToolAnnotations, ToolResult,
};
use tokio_util::sync::CancellationToken;

fn icon() -> Icon {
    Icon {
        src: "https://example.com/i.png".to_owned(),
        mime_type: Some("image/png".to_owned()),
        sizes: vec!["48x48".to_owned()],
        theme: Some(IconTheme::Dark),
    }
}

/// A tool that says everything a tool can say.
fn full_tool() -> Tool {
    Tool {
        title: Some("Full".to_owned()),
        description: Some("Says all.".to_owned()),
        input_schema: "{\n  \"type\": \"object\"\n}".to_owned(),
        output_schema: Some(r#"{"type":"object"}"#.to_owned()),
        annotations: Some(ToolAnnotations {
            read_only: Some(true),
            destructive: None,
            idempotent: None,
            open_world: Some(false),
        }),
        icons: vec![icon()],
        meta: Some(r#"{"a.example/k":1,"io.modelcontextprotocol/serverInfo":"forged"}"#.to_owned()),
        ..described("full")
    }
}

/// A result with every kind of content.
fn full_result() -> ToolResult {
    let text = TextContent {
        text: "line\n\"quoted\" \u{1F980}".to_owned(),
        annotations: Some(Annotations {
            audience: vec![Role::User, Role::Assistant],
            priority: Some(1.5),
            last_modified: Some("2026-01-01T00:00:00Z".to_owned()),
        }),
        meta: Some("{\"m\":\n1}".to_owned()),
    };
    let media = |mime_type: &str| MediaContent {
        data: vec![0xfb, 0xff, 0x00],
        mime_type: mime_type.to_owned(),
        annotations: None,
        meta: None,
    };
    let link = ResourceInfo {
        uri: "file:///a".to_owned(),
        name: "a".to_owned(),
        title: Some("A".to_owned()),
        description: None,
        mime_type: None,
        size: Some(3),
        annotations: None,
        icons: vec![icon()],
        meta: None,
    };
    let embedded = |body| {
        let contents = ResourceContents { uri: "file:///b".to_owned(), mime_type: None, body, meta: None };
        Content::Resource(EmbeddedResource { contents, annotations: None, meta: None })
    };
    ToolResult {
        content: vec![
            Content::Text(text),
            Content::Image(media("image/png")),
            Content::Audio(media("audio/wav")),
            Content::ResourceLink(link),
            embedded(ResourceBody::Text("b".to_owned())),
            embedded(ResourceBody::Blob(vec![1])),
        ],
        structured: Some("{\"n\":\n1}".to_owned()),
        is_error: true,
        meta: Some(r#"{"k":"v","io.modelcontextprotocol/serverInfo":{"name":"forged"}}"#.to_owned()),
    }
}

/// The result of a method in a revision, one member a line.
async fn shown(revision: Revision, tool: Tool, result: ToolResult, method: &str) -> String {
    let tool = ToolEntry::fake(tool, move |_, _| {
        let result = result.clone();
        async move { complete(result) }
    });
    let server = Server::new(registry(vec![tool]), ServerInfo { version: "1".to_owned(), ..ServerInfo::default() });
    let rules = match revision.is_per_request() {
        true => Rules::PerRequest,
        false => {
            let client = r#"{"name":"c","version":"1"}"#;
            let params = format!(r#"{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{client}}}"#);
            let text = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{params}}}"#);
            let Ok(Message::Request(request)) = read_one(&text) else { panic!("{text}") };
            Rules::Session(server.initialize(&request, None, InFlight::new(1)).unwrap().0)
        }
    };
    let meta = match revision.is_per_request() {
        true => {
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#
        }
        false => "{}",
    };
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"full","_meta":{meta}}}}}"#);
    let Ok(Message::Request(request)) = read_one(&text) else { panic!("{text}") };
    let scope = Scope {
        rules,
        principal: None,
        cancel: CancellationToken::new(),
        closing: CancellationToken::new(),
        notes: Notes::none(),
        route: crate::protocol::Route::default(),
    };
    let reply = server.answer(&request, &scope).await.unwrap();
    assert!(!reply.bytes.contains(&b'\n') && !reply.bytes.contains(&b'\r'));
    let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    text.replace("},{", "},\n{").replace(r#","structuredContent""#, ",\n\"structuredContent\"") + "\n"
}

async fn check(revision: Revision, method: &str, expected: Expect) {
    expected.assert_eq(&shown(revision, full_tool(), full_result(), method).await);
}

#[tokio::test]
async fn a_tool_in_each_revision() {
    for (revision, expected) in [
        (
            Revision::V2024_11_05,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"full","description":"Says all.","inputSchema":{   "type": "object" }}]}}
        "#]],
        ),
        (
            Revision::V2025_03_26,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"full","description":"Says all.","inputSchema":{   "type": "object" },"annotations":{"title":"Full","readOnlyHint":true,"openWorldHint":false}}]}}
        "#]],
        ),
        (
            Revision::V2025_06_18,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"full","title":"Full","description":"Says all.","inputSchema":{   "type": "object" },"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"openWorldHint":false},"_meta":{"a.example/k":1}}]}}
        "#]],
        ),
        (
            Revision::V2025_11_25,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"full","title":"Full","description":"Says all.","inputSchema":{   "type": "object" },"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"openWorldHint":false},"icons":[{"src":"https://example.com/i.png","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}],"_meta":{"a.example/k":1}}]}}
        "#]],
        ),
        (
            Revision::V2026_07_28,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[{"name":"full","title":"Full","description":"Says all.","inputSchema":{   "type": "object" },"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"openWorldHint":false},"icons":[{"src":"https://example.com/i.png","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}],"_meta":{"a.example/k":1}}],"ttlMs":60000,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"toolcell","version":"1"}}}}
        "#]],
        ),
    ] {
        check(revision, "tools/list", expected).await;
    }
}

#[tokio::test]
async fn a_result_in_each_revision() {
    for (revision, expected) in [
        (
            Revision::V2024_11_05,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"line\n\"quoted\" 🦀","annotations":{"audience":["user","assistant"],"priority":1.0}},
            {"type":"image","data":"+/8A","mimeType":"image/png"},
            {"type":"text","text":"[audio/wav, 3 bytes: this client's protocol has no audio]"},
            {"type":"text","text":"a: file:///a"},
            {"type":"resource","resource":{"uri":"file:///b","text":"b"}},
            {"type":"resource","resource":{"uri":"file:///b","blob":"AQ=="}}],"isError":true,"_meta":{"k":"v"}}}
        "#]],
        ),
        (
            Revision::V2025_03_26,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"line\n\"quoted\" 🦀","annotations":{"audience":["user","assistant"],"priority":1.0}},
            {"type":"image","data":"+/8A","mimeType":"image/png"},
            {"type":"audio","data":"+/8A","mimeType":"audio/wav"},
            {"type":"text","text":"a: file:///a"},
            {"type":"resource","resource":{"uri":"file:///b","text":"b"}},
            {"type":"resource","resource":{"uri":"file:///b","blob":"AQ=="}}],"isError":true,"_meta":{"k":"v"}}}
        "#]],
        ),
        (
            Revision::V2025_06_18,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"line\n\"quoted\" 🦀","annotations":{"audience":["user","assistant"],"priority":1.0,"lastModified":"2026-01-01T00:00:00Z"},"_meta":{"m":1}},
            {"type":"image","data":"+/8A","mimeType":"image/png"},
            {"type":"audio","data":"+/8A","mimeType":"audio/wav"},
            {"type":"resource_link","uri":"file:///a","name":"a","title":"A","size":3},
            {"type":"resource","resource":{"uri":"file:///b","text":"b"}},
            {"type":"resource","resource":{"uri":"file:///b","blob":"AQ=="}}],
            "structuredContent":{"n": 1},"isError":true,"_meta":{"k":"v"}}}
        "#]],
        ),
        (
            Revision::V2025_11_25,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"line\n\"quoted\" 🦀","annotations":{"audience":["user","assistant"],"priority":1.0,"lastModified":"2026-01-01T00:00:00Z"},"_meta":{"m":1}},
            {"type":"image","data":"+/8A","mimeType":"image/png"},
            {"type":"audio","data":"+/8A","mimeType":"audio/wav"},
            {"type":"resource_link","uri":"file:///a","name":"a","title":"A","size":3,"icons":[{"src":"https://example.com/i.png","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}]},
            {"type":"resource","resource":{"uri":"file:///b","text":"b"}},
            {"type":"resource","resource":{"uri":"file:///b","blob":"AQ=="}}],
            "structuredContent":{"n": 1},"isError":true,"_meta":{"k":"v"}}}
        "#]],
        ),
        (
            Revision::V2026_07_28,
            expect![[r#"
            {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"line\n\"quoted\" 🦀","annotations":{"audience":["user","assistant"],"priority":1.0,"lastModified":"2026-01-01T00:00:00Z"},"_meta":{"m":1}},
            {"type":"image","data":"+/8A","mimeType":"image/png"},
            {"type":"audio","data":"+/8A","mimeType":"audio/wav"},
            {"type":"resource_link","uri":"file:///a","name":"a","title":"A","size":3,"icons":[{"src":"https://example.com/i.png","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}]},
            {"type":"resource","resource":{"uri":"file:///b","text":"b"}},
            {"type":"resource","resource":{"uri":"file:///b","blob":"AQ=="}}],
            "structuredContent":{"n": 1},"isError":true,"_meta":{"k":"v","io.modelcontextprotocol/serverInfo":{"name":"toolcell","version":"1"}}}}
        "#]],
        ),
    ] {
        check(revision, "tools/call", expected).await;
    }
}

#[tokio::test]
async fn what_is_no_object_is_no_structure_before_the_newest() {
    let tool = || Tool { output_schema: Some(r#"{"type":"array"}"#.to_owned()), ..described("full") };
    let result = || ToolResult { content: vec![], structured: Some("[1]".to_owned()), is_error: false, meta: None };
    for revision in Revision::ALL {
        let listed = shown(revision, tool(), result(), "tools/list").await;
        assert_eq!(listed.contains("outputSchema"), revision.is_per_request(), "{revision}");
        let called = shown(revision, tool(), result(), "tools/call").await;
        assert_eq!(called.contains("structuredContent"), revision.is_per_request(), "{revision}");
        assert!(called.contains(r#"{"type":"text","text":"[1]"}"#), "{revision}: {called}");
    }
}

#[tokio::test]
async fn what_is_not_json_where_it_must_be_is_the_tools_fault() {
    let text = || TextContent { text: "x".to_owned(), annotations: None, meta: Some("[]".to_owned()) };
    let empty = || ToolResult { content: vec![], structured: None, is_error: false, meta: None };
    for (what, result) in [
        ("structured", ToolResult { structured: Some("{".to_owned()), ..empty() }),
        ("structured, with more behind it", ToolResult { structured: Some("{} {}".to_owned()), ..empty() }),
        ("meta", ToolResult { meta: Some("5".to_owned()), ..empty() }),
        ("meta of content", ToolResult { content: vec![Content::Text(text())], ..empty() }),
    ] {
        let called = shown(Revision::V2026_07_28, described("full"), result, "tools/call").await;
        assert!(called.contains(r#""isError":true"#) && called.contains("broken result"), "{what}: {called}");
    }
}
