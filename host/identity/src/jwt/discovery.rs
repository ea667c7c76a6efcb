//! From an issuer to its key set (RFC 8414, 3; OpenID Connect Discovery 1.0, 4), in the order of the MCP pages.

use serde_json::Value;
use url::Url;

use crate::json;
use crate::outgoing::{Http, HttpError};

/// The documents that may describe `issuer`, the likeliest first.
pub(super) fn documents(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url.set_query(None);
        url
    };
    let mut urls = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("/.well-known/openid-configuration{path}")),
    ];
    if !path.is_empty() {
        urls.push(at(format!("{path}/.well-known/openid-configuration")));
    }
    urls
}

/// Where the keys of `issuer` are. `text` is the issuer as configured: the document must name exactly this.
///
/// # Errors
/// What the last document asked for had wrong with it.
pub(super) async fn jwks_uri(http: &Http, issuer: &Url, text: &str) -> Result<Url, HttpError> {
    let mut last = HttpError::Answer("no document");
    for document in documents(issuer) {
        match from(http, &document, issuer, text).await {
            Ok(url) => return Ok(url),
            // Without a connection the other documents have none either.
            Err(error @ (HttpError::Connect(_) | HttpError::Timeout)) => return Err(error),
            Err(error) => {
                tracing::debug!(%document, %error, "no authorization server metadata here");
                last = error;
            }
        }
    }
    Err(last)
}

async fn from(http: &Http, document: &Url, issuer: &Url, text: &str) -> Result<Url, HttpError> {
    let answer = http.get(document).await?;
    let members = json::object(&answer.body).ok_or(HttpError::Answer("it is not one plain JSON object"))?;
    if members.get("issuer").and_then(Value::as_str) != Some(text) {
        return Err(HttpError::Answer("it is the document of another issuer"));
    }
    let keys = members.get("jwks_uri").and_then(Value::as_str);
    http.discovered(issuer, keys.ok_or(HttpError::Answer("it names no jwks_uri"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_are_asked_in_the_order_of_the_mcp_pages() {
        let of = |issuer| documents(&Url::parse(issuer).unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            of("https://auth.example.com/tenant1"),
            [
                "https://auth.example.com/.well-known/oauth-authorization-server/tenant1",
                "https://auth.example.com/.well-known/openid-configuration/tenant1",
                "https://auth.example.com/tenant1/.well-known/openid-configuration",
            ]
        );
        for issuer in ["https://auth.example.com", "https://auth.example.com/"] {
            assert_eq!(
                of(issuer),
                [
                    "https://auth.example.com/.well-known/oauth-authorization-server",
                    "https://auth.example.com/.well-known/openid-configuration",
                ]
            );
        }
    }
}
