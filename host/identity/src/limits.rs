//! How much a stranger, or a server a stranger points at, may make this crate hold or do.

use std::time::Duration;

/// The longest credential read from a header, in bytes. Longer ones are refused unread.
pub const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;
/// The longest `DPoP` proof, in bytes.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;
/// How deep the JSON of a token or of a server's answer may nest.
pub const MAX_JSON_DEPTH: usize = 12;
/// The longest answer of an authorization server, in bytes.
pub const MAX_ANSWER_BYTES: usize = 512 * 1024;
/// The longest URL taken from configuration or from a discovery document, in bytes.
pub const MAX_URL_BYTES: usize = 2048;
/// The most keys read from one key set; the rest is left out.
pub const MAX_JWKS_KEYS: usize = 64;
/// The longest `kid`, in bytes.
pub const MAX_KID_BYTES: usize = 256;
/// How many keys are tried for a token that names none.
pub const MAX_KEYS_TRIED: usize = 4;
/// The longest principal, group or scope, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// The most groups of one caller. A token with more is refused: a group left out could be one that forbids.
pub const MAX_GROUPS: usize = 512;
/// The most scopes of one caller.
pub const MAX_SCOPES: usize = 256;
/// The longest claims text kept in an identity, in bytes. Longer claims are left out as a whole.
pub const MAX_CLAIMS_BYTES: usize = 8 * 1024;
/// The longest key file, in bytes.
pub const MAX_KEY_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// The most keys in a key file.
pub const MAX_KEYS: usize = 50_000;
/// The longest note on a key, in bytes.
pub const MAX_NOTE_BYTES: usize = 1024;
/// The most memory verified access tokens may take, in bytes.
pub const TOKEN_CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// The most introspected tokens remembered, of either answer.
pub const INTROSPECTION_CACHE: u64 = 50_000;
/// How many introspections may be under way at once; further callers wait no longer than [`INTROSPECTION_WAIT`].
pub const INTROSPECTIONS_AT_ONCE: usize = 32;
/// How long a caller waits for its turn to be introspected.
pub const INTROSPECTION_WAIT: Duration = Duration::from_secs(2);
/// How many proofs are remembered against replay, of all callers together.
pub const MAX_PROOFS: usize = 1_000_000;
/// How many proofs of one key are remembered against replay.
pub const MAX_PROOFS_OF_A_KEY: usize = 200_000;
/// The most exchanged tokens remembered.
pub const EXCHANGE_CACHE: u64 = 10_000;
/// The longest client certificate, in bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// How long connecting to an authorization server may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole exchange with an authorization server may take.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// How often an unknown `kid` may make the key set be fetched again.
pub const UNKNOWN_KID_EVERY: Duration = Duration::from_secs(10);
/// How long after a failed fetch of the key set the next one is tried.
pub const FAILED_FETCH_EVERY: Duration = Duration::from_secs(2);
/// How long a key set is used when its server does not say.
pub const JWKS_TTL: Duration = Duration::from_secs(600);
/// The shortest time a server may say its key set lives.
pub const JWKS_TTL_MIN: Duration = Duration::from_secs(60);
/// The longest time a server may say its key set lives.
pub const JWKS_TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long an outdated key set is still used while its server fails.
pub const JWKS_STALE: Duration = Duration::from_secs(3600);
/// How often the key file is looked at, at most.
pub const KEY_FILE_EVERY: Duration = Duration::from_millis(500);
