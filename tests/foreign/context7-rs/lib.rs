//! Asks a service for the documentation of libraries, over the WASI version its world names, which is older than the
//! one the standard library uses.

use serde_json::Value;

use crate::exports::microsoft::context7_rs::context7::{DocsResponse, Guest, LibraryResult, SearchResponse};
use crate::wasi::cli::environment::get_environment;
use crate::wasi::http::outgoing_handler::handle;
use crate::wasi::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

wit_bindgen::generate!({ path: "context7-rs/wit", generate_all });

struct Context7;

fn variable(name: &str) -> Option<String> {
    get_environment().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn get(path: &str) -> Result<String, String> {
    let api = variable("CONTEXT7_API").unwrap_or_else(|| "https://context7.com".to_owned());
    let (scheme, authority) = api.split_once("://").ok_or("CONTEXT7_API is no URL")?;
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
    request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| "CONTEXT7_API is no URL")?;
    let future = handle(request, None).map_err(describe)?;
    future.subscribe().block();
    let response = future.get().ok_or("no answer")?.map_err(|()| "no answer")?.map_err(describe)?;
    let status = response.status();
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no body")?;
    let mut bytes = Vec::new();
    while let Ok(chunk) = stream.blocking_read(64 * 1024) {
        bytes.extend(chunk);
    }
    if status == 200 {
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    } else {
        Err(format!("the answer was {status}"))
    }
}

fn describe(code: ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(text)) => text,
        code => format!("{code:?}"),
    }
}

fn library(found: &Value) -> LibraryResult {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| found[key].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default();
    let versions = found["versions"].as_array().into_iter().flatten();
    LibraryResult {
        id: text("id"),
        name: text("title"),
        description: text("description"),
        code_snippets: number("totalSnippets"),
        trust_score: number("trustScore"),
        versions: versions.filter_map(|version| version.as_str().map(str::to_owned)).collect(),
    }
}

impl Guest for Context7 {
    fn resolve_library_id(library_name: String) -> SearchResponse {
        let answer = get(&format!("/api/v1/search?query={library_name}"));
        match answer.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|why| why.to_string())) {
            Ok(answer) => SearchResponse {
                success: true,
                results: answer["results"].as_array().into_iter().flatten().map(library).collect(),
                error: None,
            },
            Err(why) => SearchResponse { success: false, results: Vec::new(), error: Some(why) },
        }
    }

    fn get_library_docs(id: String, topic: Option<String>, tokens: Option<u32>) -> DocsResponse {
        let topic = topic.map(|topic| format!("&topic={topic}")).unwrap_or_default();
        let tokens = tokens.map(|tokens| format!("&tokens={tokens}")).unwrap_or_default();
        match get(&format!("/api/v1/{}?type=txt{topic}{tokens}", id.trim_start_matches('/'))) {
            Ok(content) => DocsResponse { success: true, content: Some(content), error: None },
            Err(why) => DocsResponse { success: false, content: None, error: Some(why) },
        }
    }
}

export!(Context7);
