//! How much of everything: every size has a limit, on by default.
//!
//! Each limit is one documented constant of the same name in capitals: its default, its unit, why that number, and the
//! largest value a configuration may set. [`Limits`] is one plugin's set of them.

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

/// One limit: what it is called and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name in [`Limits`]; it ends with the unit, or counts.
    pub name: &'static str,
    /// What it is if nobody says otherwise.
    pub default: u64,
    /// The largest value that is still a limit. The smallest is 1.
    pub max: u64,
}

impl Limit {
    /// The key in `toolcell.toml`, and how much of this limit's unit one of the key's is. Memory is given in MiB, because
    /// nobody thinks of it in bytes; every other key is the name with `-` for `_`.
    pub fn key(&self) -> (String, u64) {
        match self.name {
            "memory_bytes" => ("memory-mib".to_owned(), MIB as u64),
            name => (name.replace('_', "-"), 1),
        }
    }
}

/// Why a limit was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// There is no limit of that name.
    Unknown,
    /// Zero would forbid everything, or mean "no limit" to somebody.
    Zero,
    /// Larger than the largest value allowed, which is given.
    TooLarge(u64),
}

/// Writes each limit once, and from that the constant, the field, the default and the table.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $const:ident($default:expr, at most $max:expr);)+) => {
        $(
            $(#[doc = $doc])+
            pub const $const: Limit = Limit {
                name: stringify!($field),
                default: $default as u64,
                max: $max as u64,
            };
        )+

        /// The limits of one plugin. The default of each field is the constant it names.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $(
                $(#[doc = $doc])+
                #[doc = ""]
                #[doc = concat!("Default and maximum: [`", stringify!($const), "`].")]
                pub $field: $type,
            )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Limits {
            /// Every limit there is, in the order of the fields.
            pub const ALL: &'static [Limit] = &[$($const),+];

            /// Sets the limit called `name`.
            ///
            /// # Errors
            ///
            /// There is no such limit, or `value` is zero or above the maximum.
            pub fn set(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
                match name {
                    $(stringify!($field) => self.$field = checked(&$const, value)?,)+
                    _ => return Err(LimitError::Unknown),
                }
                Ok(())
            }

            /// The limit called `name`.
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($field) => u64::try_from(self.$field).ok(),)+
                    _ => None,
                }
            }
        }
    };
}

fn checked<T: TryFrom<u64>>(limit: &Limit, value: u64) -> Result<T, LimitError> {
    if value == 0 {
        return Err(LimitError::Zero);
    }
    match T::try_from(value) {
        Ok(checked) if value <= limit.max => Ok(checked),
        _ => Err(LimitError::TooLarge(limit.max)),
    }
}

limits! {
    /// Linear memory of one call in bytes, all memories together. 64 MiB holds an interpreter such as Python with room for
    /// its data, and a hundred calls at once still fit on a small machine. At most 4 GiB, what 32-bit memory can address.
    memory_bytes: usize = MEMORY_BYTES(64 * MIB, at most 4 * GIB);

    /// Elements of all tables of one call. Tables hold function references; the largest interpreters seen
    /// have below 10,000.
    table_elements: usize = TABLE_ELEMENTS(100_000, at most 10_000_000);

    /// Core instances in one component. Rust needs three or four, toolchains for scripts up to 40.
    core_instances: usize = CORE_INSTANCES(64, at most 1_000);

    /// Linear memories in one component. Toolchains make one or two.
    memories: usize = MEMORIES(8, at most 100);

    /// Tables in one component. Toolchains make one for each core module.
    tables: usize = TABLES(64, at most 1_000);

    /// Milliseconds one call may compute, time spent waiting not counted. 10 s is far more than any tool should need
    /// between two waits, and short enough that a loop does not hold a core for long. At most an hour.
    cpu_ms: u64 = CPU_MS(10_000, at most 3_600_000);

    /// Milliseconds from the start of one call to its end, waiting included. Clients give up after 30 to 60 s, so a longer
    /// answer would find nobody. At most a day.
    wall_ms: u64 = WALL_MS(30_000, at most 86_400_000);

    /// Milliseconds one call may take that runs as a task, waiting for its client not counted. An hour is what the longest
    /// builds and exports take; nobody waits with an open connection. At most a day.
    task_wall_ms: u64 = TASK_WALL_MS(3_600_000, at most 86_400_000);

    /// Bytes of one call's result. 8 MiB is more text than any model reads, and leaves room for a picture.
    output_bytes: usize = OUTPUT_BYTES(8 * MIB, at most GIB);

    /// Bytes one call may log, standard output and error included. 256 KiB is thousands of lines; what is more is dropped.
    log_bytes: usize = LOG_BYTES(256 * KIB, at most 64 * MIB);

    /// Messages one call may log. 1,000 lines is more than anyone reads for one call; what is more is dropped.
    log_lines: usize = LOG_LINES(1_000, at most 100_000);

    /// Files, directories, streams, requests and other handles one call holds at once. A walk over a deep tree needs
    /// dozens; the host's own limit on open files is often 1,024, shared by all calls.
    open_handles: usize = OPEN_HANDLES(256, at most 100_000);

    /// Requests one call has open at once. Browsers open 6 to one host; 16 serves a plugin that asks several.
    http_requests_in_flight: usize = HTTP_REQUESTS_IN_FLIGHT(16, at most 1_000);

    /// Bytes of the body of one request a plugin sends. 8 MiB uploads a document.
    http_request_body_bytes: u64 = HTTP_REQUEST_BODY_BYTES(8 * MIB as u64, at most 4 * GIB);

    /// Bytes of the body of one response a plugin reads. 16 MiB holds all but the largest pages, and a quarter of the memory.
    http_response_body_bytes: u64 = HTTP_RESPONSE_BODY_BYTES(16 * MIB as u64, at most 4 * GIB);

    /// Bytes of the header of one request or response. 64 KiB is what the largest servers take.
    http_header_bytes: usize = HTTP_HEADER_BYTES(64 * KIB, at most MIB);

    /// Header lines of one request or response. 128 is more than servers send; many take no more than 100.
    http_headers: usize = HTTP_HEADERS(128, at most 1_000);

    /// Milliseconds to connect, to the first byte of a response, and between two bytes, each. 30 s is what a call has.
    http_timeout_ms: u64 = HTTP_TIMEOUT_MS(30_000, at most 86_400_000);

    /// Calls of one plugin at once; more wait their turn. 64 keeps one busy plugin from taking every slot of the pool.
    concurrency: usize = CONCURRENCY(64, at most 10_000);

    /// Bytes of a component file. 64 MiB holds one with a Python interpreter inside (18 to 40 MiB).
    component_bytes: usize = COMPONENT_BYTES(64 * MIB, at most GIB);

    /// Milliseconds to compile a component. A large one takes some seconds on two cores; 60 s leaves room for a slow machine.
    compile_ms: u64 = COMPILE_MS(60_000, at most 3_600_000);

    /// Tools of one plugin. Models lose their way long before 512.
    tools: usize = TOOLS(512, at most 10_000);

    /// Resources and templates of one plugin, each. 2,000 is a long list to page through; a plugin with more has templates.
    resources: usize = RESOURCES(2_000, at most 100_000);

    /// Prompts of one plugin. People choose them from a menu.
    prompts: usize = PROMPTS(512, at most 10_000);

    /// Bytes of a description. 16 KiB is some 4,000 tokens, which every client pays for each tool.
    description_bytes: usize = DESCRIPTION_BYTES(16 * KIB, at most MIB);

    /// Bytes of one JSON Schema. 128 KiB is ten times the largest seen in the field.
    schema_bytes: usize = SCHEMA_BYTES(128 * KIB, at most 8 * MIB);

    /// Nesting of one JSON Schema, and of arguments. Deeper than 32 is written by nobody, and each level costs stack.
    schema_depth: usize = SCHEMA_DEPTH(32, at most 100);

    /// Bytes of one call's arguments. 4 MiB is a long file to write; they are held in memory twice.
    argument_bytes: usize = ARGUMENT_BYTES(4 * MIB, at most 256 * MIB);

    /// Milliseconds to list tools, resources or prompts. They are compiled in, so 5 s is for interpreters that start slowly.
    list_wall_ms: u64 = LIST_WALL_MS(5_000, at most 600_000);

    /// Progress notifications passed on in a second. Nobody's eye follows more than 20.
    progress_per_second: usize = PROGRESS_PER_SECOND(20, at most 10_000);

    /// Bytes of a key in a plugin's store. 1 KiB holds a path or a URL; longer ones are better hashed.
    store_key_bytes: usize = STORE_KEY_BYTES(KIB, at most 64 * KIB);

    /// Bytes of a value in a plugin's store. 1 MiB is a long document; what is larger is better split or kept as a file.
    store_value_bytes: usize = STORE_VALUE_BYTES(MIB, at most 64 * MIB);

    /// Keys in a plugin's store. 100,000 is many years of notes, and their names alone are some megabytes.
    store_keys: u64 = STORE_KEYS(100_000_u64, at most 10_000_000_u64);

    /// Changes one call may make to its plugin's store. Each is brought to the disk, so 10,000 take seconds.
    store_writes: usize = STORE_WRITES(10_000, at most 10_000_000);

    /// Bytes of one `_meta` object, either way. 64 KiB is more than the specification's own keys ever need.
    meta_bytes: usize = META_BYTES(64 * KIB, at most 8 * MIB);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_table() {
        let limits = Limits::default();
        for limit in Limits::ALL {
            assert_eq!(limits.get(limit.name), Some(limit.default), "{}", limit.name);
            assert!(limit.default <= limit.max, "{}", limit.name);
        }
        assert_eq!(limits.memory_bytes, 67_108_864);
        assert_eq!(limits.get("nonsense"), None);
    }

    #[test]
    fn every_limit_has_its_bounds() {
        for limit in Limits::ALL {
            let mut limits = Limits::default();
            assert_eq!(limits.set(limit.name, 0), Err(LimitError::Zero), "{}", limit.name);
            assert_eq!(limits.set(limit.name, limit.max + 1), Err(LimitError::TooLarge(limit.max)), "{}", limit.name);
            assert_eq!(limits, Limits::default(), "{}", limit.name);
            for value in [1, limit.max] {
                assert_eq!(limits.set(limit.name, value), Ok(()), "{}", limit.name);
                assert_eq!(limits.get(limit.name), Some(value), "{}", limit.name);
            }
        }
        assert_eq!(Limits::default().set("nonsense", 1), Err(LimitError::Unknown));
    }
}
