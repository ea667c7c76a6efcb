//! Refusals as HTTP answers: status, `WWW-Authenticate` (RFC 6750, 3; RFC 9728, 5.1; RFC 9449, 7.1) and a text.
//!
//! Whatever is put between quotes is printable ASCII with quotes and backslashes escaped, so that no value can end its
//! parameter or its header.

use crate::jose::Algorithm;
use crate::refusal::Refusal;
use crate::scopes::is_scope;

/// What a refused caller is told beside the reason.
#[derive(Clone, Debug, Default)]
pub struct Challenges {
    /// The URL of the protected resource metadata, where there is any.
    pub resource_metadata: Option<String>,
    /// The scopes a caller without a token should ask for: what the least useful call needs, not all there are.
    pub scopes: Vec<String>,
    /// The algorithms of DPoP proofs, where DPoP is understood.
    pub proofs: Option<Vec<Algorithm>>,
    /// Whether plain bearer tokens are refused; `Bearer` is then not offered.
    pub proofs_required: bool,
}

/// An HTTP answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 400, 401, 403 or 503.
    pub status: u16,
    /// Names in lower case with their values. A name may come twice: append, don't insert.
    pub headers: Vec<(&'static str, String)>,
    /// What a person reads.
    pub message: String,
}

impl Challenges {
    /// The answer to `refusal`. `required` are the scopes of the operation, if it is known; else [`Challenges::scopes`].
    pub fn answer(&self, refusal: &Refusal, required: Option<&[String]>) -> Answer {
        let (status, error) = match refusal {
            Refusal::Malformed(_) => (400, Some("invalid_request")),
            Refusal::Missing | Refusal::Certificate(_) => (401, None),
            Refusal::Key | Refusal::Token(_) => (401, Some("invalid_token")),
            Refusal::Proof(_) => (401, Some("invalid_dpop_proof")),
            Refusal::Nonce { .. } => (401, Some("use_dpop_nonce")),
            Refusal::Scope { .. } => (403, Some("insufficient_scope")),
            Refusal::Unavailable(_) => (503, None),
        };
        let mut headers = Vec::new();
        if status == 503 {
            headers.push(("retry-after", RETRY_AFTER_S.to_string()));
        } else {
            let scopes = match refusal {
                Refusal::Scope { required } => required,
                _ => required.unwrap_or(&self.scopes),
            };
            self.challenges(&mut headers, refusal, error, scopes);
        }
        if let Refusal::Nonce { nonce } = refusal {
            headers.push(("dpop-nonce", printable(nonce)));
        }
        Answer { status, headers, message: refusal.to_string() }
    }

    fn challenges(
        &self,
        headers: &mut Vec<(&'static str, String)>,
        refusal: &Refusal,
        error: Option<&'static str>,
        scopes: &[String],
    ) {
        let mut common = Vec::new();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).filter(|scope| is_scope(scope)).collect();
        if !scopes.is_empty() {
            common.push(parameter("scope", &scopes.join(" ")));
        }
        if let Some(url) = &self.resource_metadata {
            common.push(parameter("resource_metadata", url));
        }
        let about_proof = matches!(refusal, Refusal::Proof(_) | Refusal::Nonce { .. });
        let mut offer = |scheme: &str, error: Option<&str>, last: Option<String>| {
            let mut parameters = Vec::new();
            if let Some(error) = error {
                parameters.push(parameter("error", error));
                parameters.push(parameter("error_description", &refusal.to_string()));
            }
            parameters.extend(common.iter().cloned());
            parameters.extend(last);
            let separator = if parameters.is_empty() { "" } else { " " };
            headers.push(("www-authenticate", format!("{scheme}{separator}{}", parameters.join(", "))));
        };
        if !self.proofs_required || self.proofs.is_none() {
            offer("Bearer", error.filter(|_| !about_proof), None);
        }
        if let Some(algorithms) = &self.proofs {
            let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            offer("DPoP", error, Some(parameter("algs", &names.join(" "))));
        }
    }
}

const RETRY_AFTER_S: u32 = 5;

fn parameter(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", printable(value).replace('\\', "\\\\").replace('"', "\\\""))
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenges() -> Challenges {
        Challenges {
            resource_metadata: Some("https://mcp.example.com/.well-known/oauth-protected-resource/mcp".to_owned()),
            scopes: vec!["tools:read".to_owned()],
            ..Challenges::default()
        }
    }

    #[test]
    fn without_a_credential_the_challenge_says_where_and_what_but_no_error() {
        let answer = challenges().answer(&Refusal::Missing, None);
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.headers,
            [(
                "www-authenticate",
                "Bearer scope=\"tools:read\", resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"".to_owned()
            )]
        );
    }

    #[test]
    fn a_step_up_names_all_scopes_at_once() {
        let required = vec!["files:read".to_owned(), "files:write".to_owned()];
        let answer = challenges().answer(&Refusal::Scope { required }, None);
        assert_eq!(answer.status, 403);
        let (_, value) = &answer.headers[0];
        assert_eq!(
            value,
            "Bearer error=\"insufficient_scope\", error_description=\"more scopes are needed: files:read files:write\", \
             scope=\"files:read files:write\", resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""
        );
    }

    #[test]
    fn each_refusal_has_its_status() {
        let proofs = Some(vec![Algorithm::ES256, Algorithm::PS256]);
        let both = Challenges { proofs: proofs.clone(), ..Challenges::default() };
        let table = [
            (Refusal::Malformed("x"), 400, vec!["Bearer error=\"invalid_request\", error_description=\"x\""]),
            (Refusal::Key, 401, vec!["Bearer error=\"invalid_token\", error_description=\"the API key is not valid\""]),
            (Refusal::Certificate("x"), 401, vec!["Bearer"]),
            (
                Refusal::Proof("x"),
                401,
                vec![
                    "Bearer",
                    "DPoP error=\"invalid_dpop_proof\", error_description=\"the DPoP proof is refused: x\", algs=\"ES256 PS256\"",
                ],
            ),
        ];
        for (refusal, status, expected) in table {
            let proofs = matches!(refusal, Refusal::Proof(_));
            let answer = if proofs { both.clone() } else { Challenges::default() }.answer(&refusal, None);
            assert_eq!(answer.status, status);
            let values: Vec<&str> = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(values, expected);
        }
        let answer = both.answer(&Refusal::Unavailable("x"), None);
        assert_eq!((answer.status, answer.headers), (503, vec![("retry-after", "5".to_owned())]));
        let only = Challenges { proofs, proofs_required: true, ..Challenges::default() };
        let answer = only.answer(&Refusal::Nonce { nonce: "n1".to_owned() }, None);
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.headers,
            [
                ("www-authenticate", "DPoP error=\"use_dpop_nonce\", error_description=\"the DPoP proof needs the nonce of this server\", algs=\"ES256 PS256\"".to_owned()),
                ("dpop-nonce", "n1".to_owned())
            ]
        );
    }

    #[test]
    fn no_value_ends_its_parameter_or_its_header() {
        let evil = Challenges {
            resource_metadata: Some("https://x/\"\\, evil=\"1\r\nSet-Cookie: a=b\u{e9}".to_owned()),
            scopes: vec!["ok".to_owned(), "a\" error=\"x".to_owned(), "a\r\nb".to_owned()],
            ..Challenges::default()
        };
        let answer = evil.answer(&Refusal::Missing, None);
        let (_, value) = &answer.headers[0];
        assert_eq!(
            value,
            "Bearer scope=\"ok\", resource_metadata=\"https://x/\\\"\\\\, evil=\\\"1??Set-Cookie: a=b?\""
        );
        assert!(http::HeaderValue::from_str(value).is_ok());
        let nonce = evil.answer(&Refusal::Nonce { nonce: "a\r\nb".to_owned() }, None);
        assert!(nonce.headers.contains(&("dpop-nonce", "a??b".to_owned())));
    }
}
