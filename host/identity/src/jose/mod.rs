//! Signed texts: the compact form (RFC 7515), the algorithms (RFC 7518, RFC 8037) and public keys (RFC 7517).
//!
//! There is no symmetric algorithm and no `none` among [`Algorithm`], so that neither can be allowed by mistake. A key
//! holds what it is for: a token's header can pick an algorithm only among those its key has.

mod algorithm;
mod compact;
mod key;

pub use algorithm::Algorithm;
pub(crate) use compact::Compact;
pub(crate) use key::PublicKey;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Base64url without padding, in its one canonical form.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}
