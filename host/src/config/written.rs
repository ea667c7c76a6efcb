//! `toolcell.toml` as it is written. Doc comments here are what an editor shows.
//!
//! Every key is optional here, also those that are needed: what is missing is said by whoever needs it, together with
//! all else, instead of ending the reading.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

use super::auth::AuthTable;
use super::callers::{AllowTable, ApproveTable, CallerTable, UseTable};
use super::listen::{ServerLimitsTable, TlsTable, UnauthenticatedWord};
use super::records::{AuditTable, QuotasTable, TelemetryTable};
use super::secrets::SecretTable;
use super::store::KeyValueValue;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

impl<T> At<T> {
    pub(super) fn get(&self) -> &T {
        self.0.get_ref()
    }

    /// In bytes of the text.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

/// The place is not part of what is written.
impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// A TOML table. By itself serde would also read an array into a struct, field by field, which nobody means.
#[derive(Debug, Default)]
pub(super) struct Table<T>(pub(super) T);

/// What a message calls the table that belongs there.
pub(super) trait Expected {
    const EXPECTED: &'static str;
}

impl<'de, T: Deserialize<'de> + Expected> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Expected> Visitor<'de> for TableVisitor<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Table)
            }
        }

        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Table<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

impl Expected for ServerTable {
    const EXPECTED: &'static str = "a table, [server]";
}

impl Expected for LimitsConfig {
    const EXPECTED: &'static str = "a table like { wall-ms = 5000 }";
}

impl Expected for PluginTable {
    const EXPECTED: &'static str = "a table, [plugins.NAME] with path = \"….wasm\"";
}

impl Expected for CacheTable {
    const EXPECTED: &'static str = "a table like { list-ttl-ms = 60000 }";
}

impl Expected for DirTable {
    const EXPECTED: &'static str = "a table like { host = \"./docs\", guest = \"/docs\" }";
}

/// Configuration of a Toolcell server. Relative paths start from the directory of this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    /// The server itself.
    pub(super) server: Table<ServerTable>,
    /// Limits for every plugin that does not set its own.
    pub(super) limits: Table<LimitsConfig>,
    /// How callers prove who they are.
    pub(super) auth: Option<Table<AuthTable>>,
    /// How much callers may use. Default is as much as they want.
    pub(super) quotas: Option<Table<QuotasTable>>,
    /// The audit log. Default is none.
    pub(super) audit: Option<Table<AuditTable>>,
    /// What is measured and where it goes.
    pub(super) telemetry: Table<TelemetryTable>,
    /// Which callers may use what.
    pub(super) allow: Vec<Table<AllowTable>>,
    /// Calls that a person must approve.
    pub(super) approve: Vec<Table<ApproveTable>>,
    /// Secrets by name: lower-case letters, digits, `-` and `_`, at most 64.
    pub(super) secrets: IndexMap<At<String>, Table<SecretTable>>,
    /// The plugins by name: lower-case letters, digits, `-` and `_`, at most 64. Where two plugins offer a tool of the
    /// same name, the one that stands first keeps it. Several versions of one plugin are `"NAME@1"` and `"NAME@2"`: the newest
    /// has the plain names, the tools of the others end with `_v1`.
    #[schemars(schema_with = "super::schema::plugins")]
    pub(super) plugins: IndexMap<At<String>, Table<PluginTable>>,
}

/// The server itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ServerTable {
    /// Address and port to serve HTTP on, such as `127.0.0.1:8080`; port 0 takes any free one. Default is to serve on
    /// standard input and output only.
    pub(super) http: Option<At<String>>,
    /// Names under which clients may reach the server over HTTP, as `host` or `host:port`, besides those of loopback.
    /// Other `Host` headers are refused, which stops DNS rebinding. Default is none.
    pub(super) allowed_hosts: Vec<At<String>>,
    /// Web pages that may call the server, as `https://host[:port]`, besides those of loopback. Default is none.
    pub(super) allowed_origins: Vec<At<String>>,
    /// Items on one page of a list of tools, resources or prompts. Default is 100, at most 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) page_size: Option<At<u64>>,
    /// Milliseconds for which clients may keep a list without asking again; 0 makes them ask each time. Default is
    /// 60000, at most a day.
    #[schemars(range(min = 0, max = 86_400_000))]
    pub(super) list_ttl_ms: Option<At<u64>>,
    /// File in which tasks and plugins' values are kept, so that they outlive the server. Default is to keep them in memory,
    /// and to lose them with it.
    pub(super) state: Option<At<String>>,
    /// Tasks one caller may have at once, those that have ended and are kept for a day among them. Default is 10000, at
    /// most 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) max_tasks: Option<At<u64>>,
    /// What every client's model is told about this server. Default is nothing.
    pub(super) instructions: Option<At<String>>,
    /// Certificates for TLS; then HTTP is served over TLS only. Default is HTTP without TLS.
    pub(super) tls: Option<At<Table<TlsTable>>>,
    /// `anyone` serves everyone who reaches the address, although nobody is authenticated. Without it, a server that
    /// authenticates nobody listens on loopback only.
    pub(super) unauthenticated: Option<UnauthenticatedWord>,
    /// Addresses or networks of reverse proxies, such as `10.0.0.0/8`, whose `Forwarded` and `X-Forwarded-…` headers say who
    /// the client is. Default is none.
    pub(super) trusted_proxies: Vec<At<String>>,
    /// Address and port, such as `127.0.0.1:9090`, for `/livez`, `/readyz` and `/metrics`; without authentication. Default is not to
    /// serve them.
    pub(super) admin: Option<At<String>>,
    /// `anyone` lets `admin` be on another address than loopback.
    pub(super) admin_unauthenticated: Option<UnauthenticatedWord>,
    /// Milliseconds for open requests to end when the server is asked to stop. Default is 10000, at most an hour.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub(super) drain_ms: Option<At<u64>>,
    /// How much clients may have of the server.
    pub(super) limits: Table<ServerLimitsTable>,
}

/// One plugin and what it may do. Without grants it can only compute.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["path"]))]
pub(super) struct PluginTable {
    /// The component (a `.wasm` file), or a folder of components.
    pub(super) path: Option<At<String>>,
    /// What the names of its tools and prompts begin with for clients, such as `fs_`. Default is nothing.
    pub(super) prefix: Option<At<String>>,
    /// Whether it is loaded. Default is true.
    pub(super) enabled: Option<bool>,
    /// Directories it sees. Default is none.
    pub(super) dirs: Vec<At<Table<DirTable>>>,
    /// Requests it may send: `[METHOD,… ]scheme://host[:port][/path]`. The host may be `*` or `*.example.com`, the port
    /// `*`, and the path may end with `*`. Default is none.
    pub(super) hosts: Vec<At<String>>,
    /// Addresses or networks that are not public, such as `10.1.0.0/16`, and that granted hosts may stand for. Default is
    /// none.
    pub(super) addresses: Vec<At<String>>,
    /// Environment variables it sees. Default is none.
    pub(super) env: IndexMap<At<String>, At<EnvValue>>,
    /// Whether it has a store of its own for small values that outlive its calls: `true`, or `{ max-bytes = "16 MiB" }` for
    /// another size. They are kept in the server's `state` file, if there is one. Default is false.
    pub(super) key_value: Option<KeyValueValue>,
    /// Other tools it may call on behalf of whoever calls it, by the names clients see; a `*` at the end stands for the rest
    /// of a name. Default is none.
    pub(super) tools: Vec<At<String>>,
    /// Secrets that go with its requests. Default is none.
    pub(super) secrets: Vec<At<Table<UseTable>>>,
    /// What of all this it may do for whom. Default is the same for everyone.
    pub(super) callers: Vec<Table<CallerTable>>,
    /// Which of its calls become tasks, for clients that can follow tasks: `"plugin"` those for which it says so,
    /// `"always"` or `"never"`, or `{ after-ms = N }` those that take longer than that. Default is `"plugin"`.
    pub(super) tasks: Option<TasksValue>,
    /// How long copies of what it lists and returns may live.
    pub(super) cache: Table<CacheTable>,
    /// Whether each call gets an instance of its own (`"fresh"`), or one that has served the same caller before
    /// (`"warm"`): faster, but what one call leaves in memory the next one finds. Default is `"fresh"`.
    pub(super) instances: Option<InstancesWord>,
    /// What happens when its component is replaced by one whose tools no longer take or give what they did: `"allow"` puts it
    /// into service, `"warn"` also says in the log what broke, `"refuse"` leaves the version before in service, `"keep-both"`
    /// serves the old tools that changed beside the new ones, as `NAME_v1_2_0`, until the next such change or restart. Default
    /// is `"warn"`.
    pub(super) on_breaking: Option<OnBreakingWord>,
    /// Its own limits.
    pub(super) limits: Table<LimitsConfig>,
}

/// Where the instance of a call comes from.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum InstancesWord {
    /// Made for the call.
    Fresh,
    /// Kept from an earlier call of the same caller.
    Warm,
}

/// What happens when a new version of a plugin breaks what callers rely on.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnBreakingWord {
    /// It is served.
    Allow,
    /// It is served, and the log says what broke.
    Warn,
    /// The version before stays in service.
    Refuse,
    /// It is served, and beside it the old tools that changed, under other names.
    KeepBoth,
}

/// How long copies may live. What is left out is as the plugin says.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CacheTable {
    /// Milliseconds for which clients may keep its lists.
    #[schemars(range(min = 0, max = 86_400_000))]
    pub(super) list_ttl_ms: Option<At<u64>>,
    /// Milliseconds for which clients may keep what they read of its resources.
    #[schemars(range(min = 0, max = 86_400_000))]
    pub(super) read_ttl_ms: Option<At<u64>>,
    /// Whether copies are for their caller alone, or for all.
    pub(super) scope: Option<ScopeWord>,
    /// Milliseconds for which the host itself answers repeated calls of tools that are marked read-only and idempotent.
    /// Copies are shared between callers where `scope` is `"public"`. Default is not to.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub(super) results_ms: Option<At<u64>>,
}

/// Whom a copy is for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ScopeWord {
    /// For everyone.
    Public,
    /// For the caller that asked.
    Private,
}

/// Which calls become tasks.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum TasksValue {
    /// Said in a word.
    Word(TasksWord),
    /// Those that take long.
    After(AfterTable),
}

/// Which calls become tasks, in a word.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TasksWord {
    /// Those of the tools for which the plugin says so.
    Plugin,
    /// All, but those of tools that forbid it.
    Always,
    /// None.
    Never,
}

/// Those calls that take longer than this, but for tools that forbid it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AfterTable {
    /// Milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub(super) after_ms: At<u64>,
}

/// By hand, because serde's `untagged` would forget where a mistake stands.
impl<'de> Deserialize<'de> for TasksValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TasksVisitor;

        impl<'de> Visitor<'de> for TasksVisitor {
            type Value = TasksValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"plugin\", \"always\", \"never\" or { after-ms = 10000 }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TasksValue, E> {
                let word = match text {
                    "plugin" => TasksWord::Plugin,
                    "always" => TasksWord::Always,
                    "never" => TasksWord::Never,
                    _ => return Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                };
                Ok(TasksValue::Word(word))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TasksValue, A::Error> {
                AfterTable::deserialize(MapAccessDeserializer::new(map)).map(TasksValue::After)
            }
        }

        deserializer.deserialize_any(TasksVisitor)
    }
}

/// A directory of the host that a plugin sees.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["host", "guest"]))]
pub(super) struct DirTable {
    /// The directory on the host. It has to be there. `{principal}` in it stands for a folder of each caller's own, which is
    /// made when that caller first calls.
    pub(super) host: Option<At<String>>,
    /// Where the plugin sees it: an absolute path with `/`.
    pub(super) guest: Option<At<String>>,
    /// What the plugin may do there. Default is `read-only`.
    pub(super) access: Option<AccessWord>,
}

/// What a plugin may do in a directory.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AccessWord {
    /// List and read.
    ReadOnly,
    /// Also create, change, rename and delete.
    ReadWrite,
}

/// The value of a variable.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum EnvValue {
    /// The value itself.
    Text(String),
    /// Taken from the host's own environment.
    FromEnv(FromEnvTable),
}

/// Another variable to take the value from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["from-env"]))]
pub(super) struct FromEnvTable {
    /// Name of the variable in the host's own environment. It has to be set.
    pub(super) from_env: Option<String>,
}

/// By hand, because serde's `untagged` would forget where a mistake stands.
impl<'de> Deserialize<'de> for EnvValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvVisitor;

        impl<'de> Visitor<'de> for EnvVisitor {
            type Value = EnvValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes or { from-env = \"NAME\" }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EnvValue, E> {
                Ok(EnvValue::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EnvValue, A::Error> {
                FromEnvTable::deserialize(MapAccessDeserializer::new(map)).map(EnvValue::FromEnv)
            }
        }

        deserializer.deserialize_any(EnvVisitor)
    }
}

/// A number of bytes, or a text such as `8 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;

        impl Visitor<'_> for SizeVisitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes or a text like \"8 MiB\" (B, KiB, MiB, GiB)")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Size, E> {
                let error = |_| E::invalid_value(de::Unexpected::Signed(number), &self);
                u64::try_from(number).map(Size).map_err(error)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Size, E> {
                Ok(Size(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                parse_size(text).map(Size).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(SizeVisitor)
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.strip_prefix(' ').unwrap_or(unit) {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"], "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB)$" })
    }
}

/// Limits. Each that is left out keeps its default; none can be switched off.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(transform = super::schema::bounds)]
pub(super) struct LimitsConfig {
    /// Linear memory of one call in MiB.
    pub(super) memory_mib: Option<At<u64>>,
    /// Elements of all tables of one call.
    pub(super) table_elements: Option<At<u64>>,
    /// Core instances in one component.
    pub(super) core_instances: Option<At<u64>>,
    /// Linear memories in one component.
    pub(super) memories: Option<At<u64>>,
    /// Tables in one component.
    pub(super) tables: Option<At<u64>>,
    /// Milliseconds one call may compute, time spent waiting not counted.
    pub(super) cpu_ms: Option<At<u64>>,
    /// Milliseconds from the start of one call to its end, waiting included.
    pub(super) wall_ms: Option<At<u64>>,
    /// Milliseconds one call may take that runs as a task, waiting for its client not counted.
    pub(super) task_wall_ms: Option<At<u64>>,
    /// Size of one call's result.
    pub(super) output_bytes: Option<At<Size>>,
    /// Size of what one call may log; the rest is dropped.
    pub(super) log_bytes: Option<At<Size>>,
    /// Messages one call may log; the rest is dropped.
    pub(super) log_lines: Option<At<u64>>,
    /// Files, streams, requests and other handles one call holds at once.
    pub(super) open_handles: Option<At<u64>>,
    /// HTTP requests one call has open at once.
    pub(super) http_requests_in_flight: Option<At<u64>>,
    /// Size of the body of one request that a plugin sends.
    pub(super) http_request_body_bytes: Option<At<Size>>,
    /// Size of the body of one response that a plugin reads.
    pub(super) http_response_body_bytes: Option<At<Size>>,
    /// Size of the header of one request or response.
    pub(super) http_header_bytes: Option<At<Size>>,
    /// Lines in the header of one request or response.
    pub(super) http_headers: Option<At<u64>>,
    /// Milliseconds to connect, to the first byte of a response, and between two bytes, each.
    pub(super) http_timeout_ms: Option<At<u64>>,
    /// Calls of one plugin at once; more wait their turn.
    pub(super) concurrency: Option<At<u64>>,
    /// Size of a component.
    pub(super) component_bytes: Option<At<Size>>,
    /// Milliseconds to compile a component.
    pub(super) compile_ms: Option<At<u64>>,
    /// Tools of one plugin.
    pub(super) tools: Option<At<u64>>,
    /// Resources and templates of one plugin, each.
    pub(super) resources: Option<At<u64>>,
    /// Prompts of one plugin.
    pub(super) prompts: Option<At<u64>>,
    /// Size of a description.
    pub(super) description_bytes: Option<At<Size>>,
    /// Size of one JSON Schema.
    pub(super) schema_bytes: Option<At<Size>>,
    /// Nesting of one JSON Schema, and of arguments.
    pub(super) schema_depth: Option<At<u64>>,
    /// Size of one call's arguments.
    pub(super) argument_bytes: Option<At<Size>>,
    /// Milliseconds to list tools, resources or prompts.
    pub(super) list_wall_ms: Option<At<u64>>,
    /// Progress notifications passed on in a second.
    pub(super) progress_per_second: Option<At<u64>>,
    /// Size of a key in its store.
    pub(super) store_key_bytes: Option<At<Size>>,
    /// Size of a value in its store.
    pub(super) store_value_bytes: Option<At<Size>>,
    /// Keys in its store.
    pub(super) store_keys: Option<At<u64>>,
    /// Changes one call may make to its store.
    pub(super) store_writes: Option<At<u64>>,
    /// Size of one `_meta` object.
    pub(super) meta_bytes: Option<At<Size>>,
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes() {
        let good = [("0B", 0), ("1 B", 1), ("64KiB", 65_536), ("8 MiB", 8_388_608), ("2 GiB", 2_147_483_648)];
        for (text, size) in good {
            assert_eq!(parse_size(text), Some(size), "{text}");
        }
        for bad in ["", "8", "MiB", "8 MB", "8  MiB", "8 mib", "-1 B", "1.5 MiB", "99999999999 GiB", "1 MiB "] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
