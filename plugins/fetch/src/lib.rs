//! Fetches a page from the web and gives it to the model as Markdown. Names, arguments and results of the tool and the prompt
//! are those of the reference server `mcp-server-fetch`, so that one can take the place of the other.
//!
//! The path of a page through the modules: [`page`] asks [`robots`] and gets the page, [`charset`] makes text of it,
//! [`simplify`] Markdown within [`bounds`], and [`paging`] gives out one part.

mod bounds;
mod charset;
mod page;
mod paging;
mod robots;
mod simplify;

use page::Fetcher;
use std::env;
use std::time::{Duration, Instant};
use toolcell_sdk::prelude::*;
use url::Url;

/// Who asks, unless the operator says otherwise. It begins with the name that sites know from the reference server and may
/// have written rules for.
const AGENT: &str = "ModelContextProtocol/1.0 (Autonomous; Toolcell fetch; +https://github.com/toolcell/toolcell)";

/// The same for a page that a person asks for, which `robots.txt` does not keep from programs.
const MANUAL_AGENT: &str =
    "ModelContextProtocol/1.0 (User-Specified; Toolcell fetch; +https://github.com/toolcell/toolcell)";

#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FetchArgs {
    /// The page to fetch: an absolute `http` or `https` URL.
    #[schemars(extend("format" = "uri", "minLength" = 1))]
    url: String,
    /// How many characters to return at most.
    #[serde(default = "default_length")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1_000_000))]
    max_length: u32,
    /// The character to start at: what an earlier, truncated result said, or 0.
    #[serde(default)]
    start_index: u32,
    /// Return the page as the server sent it, without making Markdown of it.
    #[serde(default)]
    raw: bool,
}

fn default_length() -> u32 {
    5000
}

#[derive(Default)]
struct Fetch;

/// Fetches pages from the web, and makes Markdown of them.
#[plugin(
    request(host = "https://*:*", why = "the pages a model asks for can be anywhere"),
    request(host = "http://*:*", why = "some pages still are not served over https"),
    request(env = "FETCH_USER_AGENT", why = "another name to give to sites"),
    request(env = "FETCH_IGNORE_ROBOTS_TXT", why = "the operator may fetch pages that robots.txt keeps from programs")
)]
impl Fetch {
    /// Fetches a page from the internet and returns it as Markdown; what is not HTML is returned as it is.
    ///
    /// This is access to the internet as it is now: use it to look up what may have changed, and to read pages the user names.
    /// A long page comes in parts: call again with the `start_index` that the result names.
    #[tool(title = "Fetch", read_only, idempotent, open_world)]
    fn fetch(&self, args: FetchArgs) -> Result<String, ToolError> {
        let FetchArgs { url, max_length, start_index, raw } = args;
        let url = address(&url)?;
        let agent = agent(AGENT);
        let fetcher = Fetcher { agent: &agent, deadline: deadline() };
        if !is_set(env::var("FETCH_IGNORE_ROBOTS_TXT").ok().as_deref()) {
            fetcher.ask_robots(&url)?;
        }
        let page = fetcher.page(&url, raw)?;
        let part = paging::part(&page.text, characters(start_index), characters(max_length), page.cut);
        Ok(format!("{}Contents of {url}:\n{part}", page.notice))
    }

    /// Fetch a URL and extract its contents as markdown
    #[prompt(name = "fetch")]
    fn fetch_prompt(
        &self,
        /// URL to fetch
        url: String,
    ) -> Result<PromptResult, ToolError> {
        let url = address(&url).map_err(ToolError::invalid_arguments)?;
        let agent = agent(MANUAL_AGENT);
        let fetcher = Fetcher { agent: &agent, deadline: deadline() };
        // A person reads the message before it is sent, and sees what went wrong.
        Ok(match fetcher.page(&url, false) {
            Ok(page) => {
                PromptResult::user(format!("{}{}", page.notice, page.text)).description(format!("Contents of {url}"))
            }
            Err(error) => PromptResult::user(error.to_string()).description(format!("Failed to fetch {url}")),
        })
    }
}

/// What the operator calls the program, or `default`.
fn agent(default: &str) -> String {
    env::var("FETCH_USER_AGENT").unwrap_or_else(|_| default.to_owned())
}

/// When the host ends the call.
fn deadline() -> Option<Instant> {
    Instant::now().checked_add(Duration::from_millis(context::current().remaining_ms))
}

/// The URL as a browser would read it.
fn address(text: &str) -> Result<Url, ToolError> {
    let url = Url::parse(text.trim())
        .with_context(|| format!("`{text}` is no URL; write it in full, as in https://example.com/page"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => {
            tool_bail!("`{url}` is a URL of the kind `{other}`; only http and https can be fetched")
        }
    }
}

/// A switch is on unless it is missing, empty, or says no.
fn is_set(value: Option<&str>) -> bool {
    let value = value.unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(value.as_str(), "" | "0" | "false" | "no" | "off")
}

/// More characters than a page can have are as good as all.
fn characters(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
