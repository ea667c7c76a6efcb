//! Gives the text of a page: without its tags if it is HTML, laid out if it is JSON.

use serde_json::Value;

wit_bindgen::generate!({ path: "fetch-rs/wit" });

struct Fetch;

impl Guest for Fetch {
    fn fetch(url: String) -> Result<String, String> {
        let answer = toolcell_foreign::get(&url, &[])?;
        let kind = answer.kind.clone();
        let text = answer.text()?;
        Ok(match kind.split(';').next().unwrap_or_default().trim() {
            "text/html" => without_tags(&text),
            "application/json" => {
                let value: Value =
                    serde_json::from_str(&text).map_err(|why| format!("the answer is no JSON: {why}"))?;
                format!("{value:#}")
            }
            _ => text,
        })
    }
}

fn without_tags(html: &str) -> String {
    let texts = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text).trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

export!(Fetch);
