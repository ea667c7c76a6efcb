//! Asks a search engine for pages; its key and its place come from the environment.

use serde_json::Value;
use toolcell_foreign::{get, quoted, variable};

wit_bindgen::generate!({ path: "brave-search-rs/wit" });

struct Search;

impl Guest for Search {
    fn search(query: String) -> Result<String, String> {
        let key = std::env::var("BRAVE_SEARCH_API_KEY").map_err(|_| "BRAVE_SEARCH_API_KEY is not set")?;
        let api = variable("BRAVE_SEARCH_API", "https://api.search.brave.com");
        let url = format!("{api}/res/v1/web/search?q={}", quoted(&query));
        let text = get(&url, &[("X-Subscription-Token", &key), ("Accept", "application/json")])?.text()?;
        let answer: Value = serde_json::from_str(&text).map_err(|why| format!("the answer is no JSON: {why}"))?;
        let pages = answer["web"]["results"].as_array().ok_or("the answer has no results")?;
        let line = |page: &Value| Some(format!("{}: {}", page["title"].as_str()?, page["url"].as_str()?));
        Ok(pages.iter().filter_map(line).collect::<Vec<_>>().join("\n"))
    }
}

export!(Search);
