//! A key as text: made, and taken apart.

use crate::jose::{decode, encode, sha256};
use crate::secret::Secret;

pub(super) const ID_CHARS: usize = 12;
const SECRET_BYTES: usize = 32;
const PREFIX: &str = "tck_";
/// Base32 in lower case, without `i`, `l`, `o` and `u`, which are misread (Crockford's).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A key as a caller sent it, the secret already hashed.
pub(crate) struct KeyText<'a> {
    pub(crate) id: &'a str,
    pub(crate) hash: [u8; 32],
}

impl<'a> KeyText<'a> {
    /// Whether `text` is meant to be a key, well-formed or not.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_at_checked(ID_CHARS)?;
        let secret = decode(rest.strip_prefix('_')?)?;
        let well_formed = secret.len() == SECRET_BYTES && is_id(id);
        well_formed.then(|| Self { id, hash: sha256(&secret) })
    }
}

pub(super) fn is_id(id: &str) -> bool {
    id.len() == ID_CHARS && id.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// A new key: its text, its id and its secret's hash, base64url.
///
/// # Errors
/// What the system says, if it gives no random bytes.
pub(super) fn new() -> Result<(Secret, String, String), getrandom::Error> {
    let mut id = [0_u8; ID_CHARS];
    let mut secret = [0_u8; SECRET_BYTES];
    getrandom::fill(&mut id)?;
    getrandom::fill(&mut secret)?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
    let id: String = id.iter().map(letter).collect();
    let text = Secret::from(format!("{PREFIX}{id}_{}", encode(&secret)));
    Ok((text, id, encode(&sha256(&secret))))
}
