//! Nonces of this server (RFC 9449, 9): made from the time and a secret, so that nothing need be remembered.
//!
//! A nonce is good from the step of time it was made in to the end of the next one. Nobody can make one ahead of its time.

use std::time::SystemTime;

use ring::hmac;

use super::seconds;
use crate::error::ConfigError;
use crate::jose::encode;
use crate::secret::Secret;

/// How long a step of time is.
const STEP_S: u64 = 120;

pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub(super) fn new(secret: Option<&Secret>) -> Result<Self, ConfigError> {
        let key = match secret {
            Some(secret) if secret.expose().len() >= 32 => secret.expose().as_bytes().to_vec(),
            Some(_) => return Err(ConfigError::NonceSecret),
            None => {
                let mut random = vec![0; 32];
                getrandom::fill(&mut random).map_err(|error| ConfigError::Random(error.to_string()))?;
                random
            }
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    pub(super) fn current(&self, now: SystemTime) -> String {
        self.of(seconds(now) / STEP_S)
    }

    pub(super) fn is_good(&self, nonce: &str, now: SystemTime) -> bool {
        let step = seconds(now) / STEP_S;
        super::same(nonce, &self.of(step)) | super::same(nonce, &self.of(step.saturating_sub(1)))
    }

    fn of(&self, step: u64) -> String {
        encode(hmac::sign(&self.0, format!("toolcell dpop nonce {step}").as_bytes()).as_ref())
    }
}
