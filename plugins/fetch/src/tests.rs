//! The tool as a client sees it, and pages as a model reads them.

use super::{Fetch, address, is_set, simplify};
use serde_json::{Value, json};
use toolcell_sdk::testing;
use toolcell_sdk::types::{CallError, PromptOutcome};

#[test]
fn the_tool_has_the_arguments_of_the_reference_server() {
    let tools = testing::tools::<Fetch>().unwrap();
    let [tool] = &tools[..] else { panic!("{tools:?}") };
    assert_eq!(tool.name, "fetch");
    let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
    let said = |name: &str, key: &str| schema["properties"][name][key].clone();
    assert_eq!(schema["required"], json!(["url"]));
    assert_eq!((said("url", "format"), said("url", "minLength")), (json!("uri"), json!(1)));
    assert_eq!(said("max_length", "default"), 5000);
    assert_eq!(said("max_length", "exclusiveMinimum"), 0);
    assert_eq!(said("max_length", "exclusiveMaximum"), 1_000_000);
    assert_eq!((said("start_index", "default"), said("start_index", "minimum")), (json!(0), json!(0)));
    assert_eq!(said("raw", "default"), false);
}

#[test]
fn an_address_is_read_as_a_browser_reads_it() {
    let cases = [
        ("https://example.com", Ok("https://example.com/")),
        (" HTTPS://Example.COM:443/a b/../é?q=1#f ", Ok("https://example.com/%C3%A9?q=1#f")),
        ("http://bücher.example/", Ok("http://xn--bcher-kva.example/")),
        ("example.com/page", Err("write it in full")),
        ("/page", Err("write it in full")),
        ("file:///etc/passwd", Err("only http and https")),
        ("javascript:alert(1)", Err("only http and https")),
    ];
    for (text, expected) in cases {
        match (address(text), expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }
}

#[test]
fn a_switch_is_on_unless_it_says_no() {
    for (value, on) in [
        (None, false),
        (Some(""), false),
        (Some("0"), false),
        (Some("No"), false),
        (Some("1"), true),
        (Some("true"), true),
    ] {
        assert_eq!(is_set(value), on, "{value:?}");
    }
}

#[test]
fn without_a_host_the_failure_is_told() {
    let outcome = testing::call::<Fetch>("fetch", json!({ "url": "https://example.com/" })).unwrap();
    let text = testing::text(&outcome);
    assert!(text.starts_with("failed to fetch https://example.com/robots.txt"), "{text}");
}

#[test]
fn the_prompt_has_the_argument_of_the_reference_server() {
    let prompts = testing::prompts::<Fetch>().unwrap();
    let [prompt] = &prompts[..] else { panic!("{prompts:?}") };
    let [url] = &prompt.arguments[..] else { panic!("{prompt:?}") };
    assert_eq!((&*prompt.name, &*url.name, url.required), ("fetch", "url", true));
    assert_eq!(prompt.description.as_deref(), Some("Fetch a URL and extract its contents as markdown"));
    let wrong = testing::prompt::<Fetch>("fetch", &[("url", "/page")]);
    assert!(matches!(wrong, Err(CallError::InvalidArguments(text)) if text.contains("write it in full")));
    let failed = testing::prompt::<Fetch>("fetch", &[("url", "https://example.com/")]).unwrap();
    assert!(testing::prompt_text(&failed).starts_with("failed to fetch https://example.com/"));
    let PromptOutcome::Complete(failed) = failed else { panic!() };
    assert_eq!(failed.description.as_deref(), Some("Failed to fetch https://example.com/"));
}

fn simplified(body: &str) -> String {
    let page =
        format!("<!doctype html><html><head><title>T</title><style>p{{}}</style></head><body>{body}</body></html>");
    simplify::markdown(&page, "https://example.com/docs/page").0
}

/// Enough text for a page to look like one.
const FILLER: &str = "<p>A paragraph with enough words in it, and enough commas, to be taken for real content, \
    which is what the extraction looks for, before it believes that a page has any.</p>";

#[test]
fn the_article_is_kept_and_the_rest_is_not() {
    let text = simplified(&format!(
        "<nav><a href='/'>Home</a></nav><article><h1>Title</h1>{FILLER}<p>See <a href='../x?y#z'>this</a>.</p>{FILLER}</article>\
         <footer>Imprint</footer><script>var secret = 1;</script>"
    ));
    assert!(text.contains("# Title"), "{text}");
    assert!(text.contains("[this](https://example.com/x?y#z)"), "{text}");
    for gone in ["Home", "Imprint", "secret", "p{}"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn markup_becomes_markdown() {
    let cases = [
        ("<p>a <b>b</b> <i>c</i> <code>d*</code></p>", "a **b** *c* `d*`"),
        ("<ul><li>one<ul><li>two</li></ul></li></ul>", "- one\n    - two"),
        ("<ol start=3><li>three</li></ol>", "3. three"),
        ("<pre><code class='language-rust'>let a = 1;\n  b</code></pre>", "```rust\nlet a = 1;\n  b\n```"),
        ("<blockquote><p>said, by someone, at length</p></blockquote>", "> said, by someone, at length"),
        (
            "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
            "| A | B |",
        ),
        ("<p><img src='/i.png' alt='A picture'></p>", "![A picture](https://example.com/i.png)"),
        ("<p>2 * 3 [x](y)</p>", "2 \\* 3 \\[x\\](y)"),
    ];
    for (markup, expected) in cases {
        let text = simplified(&format!("<article>{FILLER}{markup}{FILLER}</article>"));
        assert!(text.contains(expected), "{markup}: {text}");
    }
}

#[test]
fn a_page_without_an_article_is_shown_whole() {
    let text = simplified("<div>Only this.</div><script>no()</script>");
    assert_eq!(text, "Only this.");
}

#[test]
fn a_page_without_text_says_so() {
    for html in ["", "<html></html>", "<script>app()</script>"] {
        assert_eq!(simplify::markdown(html, "https://example.com/").0, simplify::EMPTY, "{html}");
    }
}
