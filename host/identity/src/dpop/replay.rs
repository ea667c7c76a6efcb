//! The memory of proofs, so that none is taken twice.
//!
//! This is no cache: a cache may forget when it is full, and then a proof could be used again. Here a full memory refuses
//! new proofs until the oldest have expired by themselves, and no key may take more than its share of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::seconds;
use crate::jose::sha256;
use crate::limits::{MAX_PROOFS, MAX_PROOFS_OF_A_KEY};
use crate::refusal::Refusal;

pub(super) struct Replays {
    /// How long a proof can be good.
    window_s: u64,
    memory: Mutex<Memory>,
}

/// Two generations, each a window long: what is older than both cannot be good any more.
#[derive(Default)]
struct Memory {
    /// When the younger generation began, in seconds since 1970.
    began: u64,
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    /// By key, the hashes of its proofs' ids.
    proofs: HashMap<[u8; 16], HashSet<[u8; 16]>>,
    count: usize,
}

impl Replays {
    pub(super) fn new(window: Duration) -> Self {
        Self { window_s: window.as_secs() + 1, memory: Mutex::default() }
    }

    /// # Errors
    /// [`Refusal::Proof`] for a proof that was there before, [`Refusal::Unavailable`] where no more can be remembered.
    pub(super) fn remember(&self, key: &str, jti: &str, now: SystemTime) -> Result<(), Refusal> {
        let now = seconds(now);
        let (key, id) = (short(key), short(jti));
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        // Only forwards: a clock set back must not make proofs forgotten.
        if now >= memory.began + self.window_s {
            let young = std::mem::take(&mut memory.young);
            memory.old = if now >= memory.began + 2 * self.window_s { Generation::default() } else { young };
            memory.began = now;
        }
        let known = |generation: &Generation| generation.proofs.get(&key).is_some_and(|ids| ids.contains(&id));
        if known(&memory.young) || known(&memory.old) {
            return Err(Refusal::Proof("it was used before"));
        }
        let of_key = memory.young.proofs.get(&key).map_or(0, HashSet::len);
        if memory.young.count >= MAX_PROOFS || of_key >= MAX_PROOFS_OF_A_KEY {
            return Err(Refusal::Unavailable("too many proofs in a short time"));
        }
        memory.young.proofs.entry(key).or_default().insert(id);
        memory.young.count += 1;
        Ok(())
    }
}

/// Half a SHA-256: 128 bits, which nobody finds two equal ones of within a minute.
fn short(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(sha256(text.as_bytes())).for_each(|(to, from)| *to = from);
    half
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const USED: Result<(), Refusal> = Err(Refusal::Proof("it was used before"));

    fn at(s: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + s)
    }

    #[test]
    fn a_proof_is_remembered_for_at_least_the_window() {
        for first in [0, 1, 30, 64, 65] {
            let replays = Replays::new(Duration::from_secs(65));
            replays.remember("k", "start", at(0)).unwrap();
            replays.remember("k", "x", at(first)).unwrap();
            for later in 0..=65 {
                assert_eq!(replays.remember("k", "x", at(first + later)), USED, "{first} + {later}");
            }
            assert_eq!(replays.remember("other", "x", at(first)), Ok(()), "ids are those of a key");
            assert_eq!(replays.remember("k", "x", at(first + 1000)), Ok(()));
        }
    }

    #[test]
    fn a_clock_set_back_forgets_nothing() {
        let replays = Replays::new(Duration::from_secs(65));
        replays.remember("k", "x", at(100)).unwrap();
        assert_eq!(replays.remember("k", "x", at(0)), USED);
    }

    #[test]
    fn a_full_memory_refuses_and_forgets_nothing() {
        let replays = Replays::new(Duration::from_secs(65));
        for n in 0..MAX_PROOFS_OF_A_KEY {
            replays.remember("k", &n.to_string(), at(0)).unwrap();
        }
        assert!(matches!(replays.remember("k", "x", at(1)), Err(Refusal::Unavailable(_))));
        assert_eq!(replays.remember("k", "0", at(1)), USED);
        assert_eq!(replays.remember("another", "x", at(1)), Ok(()), "others go on");
        assert_eq!(replays.remember("k", "x", at(70)), Ok(()));
    }
}
