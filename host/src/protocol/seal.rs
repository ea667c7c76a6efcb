//! State that travels through a client and comes back unread and unchanged, or not at all.
//!
//! ChaCha20-Poly1305 with a random nonce for each seal; the text is base64url of nonce and ciphertext. Whoever has no
//! key of his own gets one per process, so that state from before a restart is refused like any other forgery.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

/// Says what the sealed bytes are for, so that another use of the same key could never be taken for it.
const PURPOSE: &[u8] = b"toolcell input state 1";

/// A key that seals and opens.
pub(super) struct Seal(Option<LessSafeKey>);

impl Seal {
    /// A key nobody else has. A system without randomness gets none, and then nothing can be sealed.
    pub(super) fn of_this_process() -> Self {
        let mut key = [0; 32];
        match SystemRandom::new().fill(&mut key) {
            Ok(()) => Self::with_key(&key),
            Err(_) => Self(None),
        }
    }

    /// A given key, for several processes that serve the same clients.
    pub(super) fn with_key(key: &[u8; 32]) -> Self {
        Self(UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new))
    }

    /// Seals; none if there is no key or no randomness.
    pub(super) fn close(&self, plain: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(PURPOSE);
        self.0.as_ref()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens; none if it was not sealed with this key, or has been touched since.
    pub(super) fn open(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.as_ref()?.open_in_place(nonce, Aad::from(PURPOSE), &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn only_the_same_key_opens_and_only_what_is_untouched() {
        let seal = Seal::of_this_process();
        let text = seal.close(b"state").unwrap();
        assert_eq!(seal.open(&text).unwrap(), b"state");
        assert_ne!(seal.close(b"state").unwrap(), text, "a nonce was used twice");
        assert_eq!(Seal::of_this_process().open(&text), None);
        for index in 0..text.len() {
            let mut touched = text.clone().into_bytes();
            touched[index] = if touched[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.open(std::str::from_utf8(&touched).unwrap()), None, "byte {index}");
        }
        assert_eq!(seal.open(""), None);
        assert_eq!(seal.open("%%%"), None);
    }
}
