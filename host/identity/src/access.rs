//! What all access tokens come down to, whoever judged them: a caller, what the token is bound to, and until when.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::identity::Identity;
use crate::jose::{encode, sha256};
use crate::refusal::Refusal;

/// A token that was found good.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    pub(crate) identity: Arc<Identity>,
    pub(crate) binding: Binding,
    /// It must be judged again from then on.
    pub(crate) until: SystemTime,
}

/// What else the caller must have: `cnf` (RFC 7800).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The thumbprint of the key that proves by DPoP (RFC 9449, 6.1).
    pub(crate) key: Option<String>,
    /// The hash of the client certificate (RFC 8705, 3.1).
    pub(crate) certificate: Option<String>,
}

impl Binding {
    /// # Errors
    /// In words for the caller: a way of binding that is not understood must not become none.
    pub(crate) fn read(claims: &Map<String, Value>) -> Result<Self, &'static str> {
        let members = match claims.get("cnf") {
            None => return Ok(Self::default()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err("it is bound in a way that is not supported"),
        };
        let mut binding = Self::default();
        for (name, value) in members {
            let text = value.as_str().filter(|text| !text.is_empty());
            let slot = match name.as_str() {
                "jkt" => &mut binding.key,
                "x5t#S256" => &mut binding.certificate,
                _ => return Err("it is bound in a way that is not supported"),
            };
            *slot = Some(text.ok_or("it is bound in a way that is not supported")?.to_owned());
        }
        if binding == Self::default() { Err("it is bound in a way that is not supported") } else { Ok(binding) }
    }

    /// # Errors
    /// [`Refusal::Token`], if the token is bound to a certificate and the connection does not have it.
    pub(crate) fn check_certificate(&self, peer: Option<&[u8]>) -> Result<(), Refusal> {
        let Some(wanted) = &self.certificate else { return Ok(()) };
        let peer = peer.ok_or(Refusal::Token("it is bound to a client certificate, and there is none"))?;
        let same: bool = encode(&sha256(peer)).as_bytes().ct_eq(wanted.trim_end_matches('=').as_bytes()).into();
        if same { Ok(()) } else { Err(Refusal::Token("it is bound to another client certificate")) }
    }
}
