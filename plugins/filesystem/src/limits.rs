//! What one call may read, walk and return. All of it fits into the host's default limits (64 MiB of memory, 8 MiB of
//! output), so that the model meets a message that says what to do instead of the host's refusal.

/// Bytes of text one call returns. A result carries its text twice (content and structured content), and JSON adds
/// escapes to the second copy: twice 3 MiB leaves room for them under the host's 8 MiB.
pub const TEXT_BYTES: usize = 3 << 20;

/// Bytes of an answer that is not the text of a file: a listing, a tree, a diff with its fence.
pub const ANSWER_BYTES: usize = TEXT_BYTES + (TEXT_BYTES >> 4);

/// Bytes of a media file. Raw bytes, base64 and the JSON around it are in memory at once (about 40 MiB for 10 MiB);
/// from about 3.4 MiB on the host's own `output-bytes` decides.
pub const MEDIA_BYTES: u64 = 10 << 20;

/// Entries that one directory, or the answer to `directory_tree`, may have. More is no help to a model.
pub const ENTRIES: usize = 20_000;

/// Entries that `search_files` looks at before it stops: some seconds of work on a slow disk.
pub const VISITS: usize = 100_000;

/// Paths that `search_files` returns.
pub const MATCHES: usize = 5_000;

/// Directories within directories that a walk follows. Far beyond real trees; it keeps the stack small.
pub const DEPTH: usize = 100;

/// Symbolic links followed for one path, as on Linux.
pub const LINKS: usize = 40;

/// Time given to finding the shortest diff, in milliseconds; after that a longer one is good enough.
pub const DIFF_MS: u64 = 2_000;
