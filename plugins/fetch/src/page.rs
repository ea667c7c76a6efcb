//! Getting a page, and what may be got.

use crate::charset;
use crate::robots::Robots;
use crate::simplify;
use std::time::{Duration, Instant};
use toolcell_sdk::http::{self, Request};
use toolcell_sdk::prelude::*;
use url::Url;

/// How much of a page is read, in bytes.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How much of a `robots.txt` is read, in bytes: what RFC 9309 asks for.
const ROBOTS_BYTES: usize = 512 * 1024;
/// How many redirects are followed.
const REDIRECTS: u32 = 20;
/// How long one exchange may take at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is kept back of the time the host gives, to say what went wrong.
const RESERVE: Duration = Duration::from_millis(500);

/// A page as text.
pub struct Page {
    /// What it is, if it was not made into Markdown: goes before the text.
    pub notice: String,
    /// The text.
    pub text: String,
    /// Whether there was more.
    pub cut: bool,
}

/// Fetches pages under one name.
pub struct Fetcher<'a> {
    /// The `User-Agent`.
    pub agent: &'a str,
    /// When the host ends the call.
    pub deadline: Option<Instant>,
}

impl Fetcher<'_> {
    /// Asks the site whether a program may fetch `url` by itself.
    ///
    /// # Errors
    /// It may not, or the site cannot be asked.
    pub fn ask_robots(&self, url: &Url) -> Result<(), ToolError> {
        let robots = url.join("/robots.txt")?;
        let response = self.get(&robots).with_context(|| {
            format!("failed to fetch {robots}, which says what programs may fetch")
        })?;
        match response.status() {
            status @ (401 | 403) => tool_bail!(
                "{robots} answered with status {status}, which is taken to mean that programs may not fetch pages of this \
                 site by themselves. Ask the user to open the page."
            ),
            400..500 => return Ok(()),
            _ => {}
        }
        let content_type = response
            .header("content-type")
            .unwrap_or_default()
            .to_owned();
        let (bytes, _) = response.prefix(ROBOTS_BYTES)?;
        let text = charset::decode(&bytes, &content_type);
        match Robots::parse(&text).allows(self.agent, path_with_query(url)) {
            true => Ok(()),
            false => Err(forbidden(url, &robots, self.agent, &text)),
        }
    }

    /// Fetches `url` and makes Markdown of it, unless it is no HTML or `raw` is wanted.
    ///
    /// # Errors
    /// There is no page, or it is not text.
    pub fn page(&self, url: &Url, raw: bool) -> Result<Page, ToolError> {
        let response = self
            .get(url)
            .with_context(|| format!("failed to fetch {url}"))?;
        if response.status() >= 400 {
            tool_bail!(
                "failed to fetch {url}: the server answered with status code {}",
                response.status()
            );
        }
        if let Some(coding) = response
            .header("content-encoding")
            .filter(|coding| *coding != "identity")
        {
            tool_bail!(
                "failed to fetch {url}: the body is encoded as {coding}, although that was not asked for"
            );
        }
        let content_type = response
            .header("content-type")
            .unwrap_or_default()
            .to_owned();
        let address = response.url().to_owned();
        let (bytes, cut) = response
            .prefix(PAGE_BYTES)
            .with_context(|| format!("failed to read {url}"))?;
        read(bytes, &content_type, &address, raw, cut)
    }

    fn get(&self, url: &Url) -> Result<http::Response, http::Error> {
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(PATIENCE, |left| left.saturating_sub(RESERVE).min(PATIENCE));
        Request::new("GET", url.as_str())
            .header("user-agent", self.agent)
            .header(
                "accept",
                "text/html,application/xhtml+xml,text/*;q=0.9,*/*;q=0.8",
            )
            .header("accept-encoding", "identity")
            .timeout(timeout)
            .redirects(REDIRECTS)
            .send()
    }
}

/// The text of a body.
///
/// # Errors
/// It is not text.
fn read(
    bytes: Vec<u8>,
    content_type: &str,
    url: &str,
    raw: bool,
    cut: bool,
) -> Result<Page, ToolError> {
    if charset::is_binary(&bytes, content_type) {
        tool_bail!(
            "{url} is not text (content type {content_type}, {} bytes{}), and this tool shows only text",
            bytes.len(),
            if cut { " and more" } else { "" },
        );
    }
    let text = charset::decode(&bytes, content_type);
    // Room for what comes of it.
    drop(bytes);
    if is_html(&text, content_type) && !raw {
        let (text, shortened) = simplify::markdown(&text, url);
        let cut = cut || shortened;
        return Ok(Page {
            notice: String::new(),
            text,
            cut,
        });
    }
    let notice = format!(
        "Content type {content_type} cannot be simplified to markdown, but here is the raw content:\n"
    );
    Ok(Page { notice, text, cut })
}

/// By its type, by its beginning, or for want of anything else.
fn is_html(text: &str, content_type: &str) -> bool {
    let content_type = content_type.to_ascii_lowercase();
    let beginning: String = text.chars().take(100).collect();
    content_type.is_empty()
        || content_type.contains("text/html")
        || content_type.contains("application/xhtml+xml")
        || beginning.to_ascii_lowercase().contains("<html")
}

/// What `robots.txt` speaks of: all from the first slash on, without the fragment.
fn path_with_query(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

/// For the model: what it may not do, by whose word, and what it can do instead.
fn forbidden(url: &Url, robots: &Url, agent: &str, text: &str) -> ToolError {
    const SHOWN: usize = 4000;
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() {
        "\n(and more)"
    } else {
        ""
    };
    ToolError::new(format!(
        "{robots} does not allow programs to fetch this page by themselves, so it was not fetched.\n\
         <useragent>{agent}</useragent>\n\
         <url>{url}</url>\n\
         <robots>\n{shown}{more}\n</robots>\n\
         Tell the user that the page could not be viewed, and why. The user can open it; an operator who is entitled to \
         ignore robots.txt can set FETCH_IGNORE_ROBOTS_TXT."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: &str = "<html><body><article><h1>A</h1><p>Some text, and some more text.</p></article></body></html>";

    fn reading(body: &str, content_type: &str, raw: bool) -> (String, String) {
        let page = read(
            body.into(),
            content_type,
            "https://example.com/",
            raw,
            false,
        )
        .unwrap();
        (page.notice, page.text)
    }

    #[test]
    fn html_becomes_markdown_and_nothing_else_does() {
        let cases = [
            (HTML, "text/html; charset=utf-8", false, true),
            (HTML, "", false, true),
            (HTML, "text/plain", false, true),
            ("<p>Some text, and some more.</p>", "", false, true),
            (
                "<p>Some text, and some more.</p>",
                "application/xhtml+xml",
                false,
                true,
            ),
            (HTML, "text/html", true, false),
            ("{\"html\":1}", "application/json", false, false),
            ("<p>Some text.</p>", "text/plain", false, false),
        ];
        for (body, content_type, raw, simplified) in cases {
            let (notice, text) = reading(body, content_type, raw);
            assert_eq!(notice.is_empty(), simplified, "{body} {content_type}");
            assert_eq!(text == body, !simplified, "{text}");
            if !simplified {
                let expected = format!("Content type {content_type} cannot be simplified");
                assert!(notice.starts_with(&expected), "{notice}");
            }
        }
    }

    #[test]
    fn a_picture_is_refused_with_its_type() {
        let error = read(
            b"\x89PNG\0".to_vec(),
            "image/png",
            "https://example.com/",
            true,
            false,
        )
        .err()
        .unwrap();
        assert!(error.to_string().contains("image/png, 5 bytes"), "{error}");
    }

    #[test]
    fn robots_speak_of_path_and_query() {
        for (url, expected) in [
            ("https://example.com", "/"),
            ("https://example.com:8080/a/../b?c=d#e", "/b?c=d"),
        ] {
            assert_eq!(path_with_query(&Url::parse(url).unwrap()), expected);
        }
    }

    #[test]
    fn a_refusal_names_everything_the_model_needs() {
        let url = Url::parse("https://example.com/page").unwrap();
        let robots = Url::parse("https://example.com/robots.txt").unwrap();
        let text = forbidden(&url, &robots, "Agent/1", &"x".repeat(5000)).to_string();
        for part in [
            "<url>https://example.com/page</url>",
            "<useragent>Agent/1</useragent>",
            "(and more)",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.len() < 5000);
    }
}
