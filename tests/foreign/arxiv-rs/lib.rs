//! Asks arXiv for papers, whose answers are Atom feeds.

use toolcell_foreign::{between, get, quoted, variable};

wit_bindgen::generate!({ path: "arxiv-rs/wit" });

struct Arxiv;

fn feed(query: &str) -> Result<String, String> {
    get(&format!("{}/api/query?{query}", variable("ARXIV_API", "https://export.arxiv.org")), &[])?.text()
}

/// One line of Markdown for each entry of a feed.
fn papers(feed: &str) -> Vec<String> {
    let entries = feed.split("<entry>").skip(1);
    let line = |entry| {
        let title = between(entry, "<title>", "</title>")?;
        let summary = between(entry, "<summary>", "</summary>").unwrap_or_default();
        Some(format!("## {title}\n{}\n{summary}", between(entry, "<id>", "</id>")?))
    };
    entries.filter_map(line).collect()
}

impl Guest for Arxiv {
    fn search_papers(query: String, max_results: u32, date_from: String, categories: String) -> Result<String, String> {
        let mut search = query;
        for category in categories.split(',').map(str::trim).filter(|category| !category.is_empty()) {
            search += &format!(" AND cat:{category}");
        }
        if !date_from.is_empty() {
            search += &format!(" AND submittedDate:[{date_from}0000 TO 999912312359]");
        }
        let found = papers(&feed(&format!("search_query={}&max_results={max_results}", quoted(&search)))?);
        if found.is_empty() { Err("no paper was found".to_owned()) } else { Ok(found.join("\n\n")) }
    }

    fn download_paper(id: String) -> Result<Vec<u8>, String> {
        get(&format!("{}/pdf/{}", variable("ARXIV_API", "https://export.arxiv.org"), quoted(&id)), &[])?.bytes()
    }

    fn read_paper(id: String) -> Result<String, String> {
        papers(&feed(&format!("id_list={}", quoted(&id)))?).pop().ok_or_else(|| format!("there is no paper {id}"))
    }
}

export!(Arxiv);
