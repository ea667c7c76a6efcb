//! From a page to what a reader came for, as Markdown.

use crate::bounds::bounded;
use dom_query::Document;
use dom_smoothie::{Config, Readability, TextMode};

/// Said where a page has no text to show.
pub const EMPTY: &str = "<error>Page failed to be simplified from HTML</error>";

/// What no reader sees.
const UNSEEN: &str = "head, script, style, noscript, template, svg, iframe, object";

/// How much of a page is looked at, in bytes and in tags. A page of either measure needs up to 48 MiB while it is worked
/// on, and a plugin has 64; the longest articles there are stay below both.
const BYTES: usize = 2 * 1024 * 1024;
const TAGS: usize = 200_000;

/// The main content of a page, links and pictures with their whole addresses; or all its text, where nothing looks like
/// main content. Also whether there was more than is looked at.
pub fn markdown(html: &str, url: &str) -> (String, bool) {
    let (html, cut) = bounded(html, BYTES, TAGS);
    let article = article(&html, url).filter(|text| !text.is_empty());
    let text = article.unwrap_or_else(|| everything(&html));
    match text.is_empty() {
        true => (EMPTY.to_owned(), cut),
        false => (text, cut),
    }
}

fn article(html: &str, url: &str) -> Option<String> {
    let config = Config {
        text_mode: TextMode::Markdown,
        // The language of a code block is written in its class.
        keep_classes: true,
        // Metadata for machines, which nobody asked for.
        disable_json_ld: true,
        ..Config::default()
    };
    let mut page = Readability::new(html, Some(url), Some(config)).ok()?;
    Some(page.parse().ok()?.text_content.trim().to_owned())
}

fn everything(html: &str) -> String {
    let document = Document::from(html);
    document.select(UNSEEN).remove();
    document.md(None).trim().to_owned()
}
