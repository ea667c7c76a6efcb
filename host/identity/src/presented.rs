//! What a request shows of its caller.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::limits::{MAX_CREDENTIAL_BYTES, MAX_PROOF_BYTES};
use crate::refusal::Refusal;
use crate::secret::Secret;

/// A request, as far as it says who is calling.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// Its method, in capitals.
    pub method: &'a str,
    /// Its absolute URL as the client sees it, which a DPoP proof names: behind a proxy, the proxy's. Not looked at where there
    /// is no `DPoP` header.
    pub url: &'a str,
    /// Its headers; `Authorization`, `X-Api-Key` and `DPoP` are looked at.
    pub headers: &'a HeaderMap,
    /// The leaf of the client's certificate chain in DER form, if the transport has verified one.
    pub peer_certificate: Option<&'a [u8]>,
    /// The time.
    pub now: SystemTime,
}

/// The one credential in a request's headers.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    None,
    Bearer(&'a str),
    Dpop(&'a str),
    Key(&'a str),
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// # Errors
/// [`Refusal::Malformed`] for two credentials or one that cannot be read, [`Refusal::Missing`] for another scheme.
pub(crate) fn credential(headers: &HeaderMap) -> Result<Credential<'_>, Refusal> {
    let key = one(headers, &API_KEY, MAX_CREDENTIAL_BYTES, "there is more than one X-Api-Key header")?;
    let authorization =
        one(headers, &AUTHORIZATION, MAX_CREDENTIAL_BYTES, "there is more than one Authorization header")?;
    let text = match (key, authorization) {
        (None, None) => return Ok(Credential::None),
        (Some(_), Some(_)) => return Err(Refusal::Malformed("there are an Authorization and an X-Api-Key header")),
        (Some(key), None) => return Ok(Credential::Key(key.trim())),
        (None, Some(authorization)) => authorization.trim(),
    };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    let token = token.trim_start();
    let credential = if scheme.eq_ignore_ascii_case("bearer") {
        Credential::Bearer(token)
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Credential::Dpop(token)
    } else {
        return Err(Refusal::Missing);
    };
    if is_token(token) { Ok(credential) } else { Err(Refusal::Malformed("the Authorization header holds no token")) }
}

/// # Errors
/// [`Refusal::Proof`], if there is not exactly one proof.
pub(crate) fn proof(headers: &HeaderMap) -> Result<&str, Refusal> {
    let proof = one(headers, &DPOP, MAX_PROOF_BYTES, "there is more than one").map_err(|refusal| match refusal {
        Refusal::Malformed(problem) => Refusal::Proof(problem),
        other => other,
    });
    proof?.map(str::trim).ok_or(Refusal::Proof("there is none"))
}

/// The access token of a request, for [`TokenExchange`](crate::TokenExchange): never an API key, and not verified here.
pub fn access_token(headers: &HeaderMap) -> Option<Secret> {
    match credential(headers).ok()? {
        Credential::Bearer(token) | Credential::Dpop(token) if !crate::keys::KeyText::is_meant(token) => {
            Some(Secret::from(token))
        }
        _ => None,
    }
}

fn one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    longest: usize,
    twice: &'static str,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Malformed(twice));
    }
    if value.len() > longest {
        return Err(Refusal::Malformed("a credential is too long"));
    }
    value.to_str().map(Some).map_err(|_| Refusal::Malformed("a credential is not plain text"))
}

/// `token68` (RFC 9110, 11.2).
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(allowed)
}
