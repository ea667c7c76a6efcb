//! All that a guest can touch. Whatever is not in [`CellState`] does not exist for it.

use super::bindings::v0_1::exports::toolcell::plugin::tools;
use super::ctx::CallCtx;
use super::imports::Voice;
use super::limiter::Limiter;
use super::log::{GuestLog, Pipe, Stream};
use super::net::{Outgoing, Rules};
use super::opened::Opened;
use super::secrets::Held;
use super::types::CallError;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use toolcell_policy::{Access, Limits};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The data of one store: one call of one plugin.
pub(super) struct CellState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(super) table: ResourceTable,
    outgoing: Outgoing,
    pub(super) limiter: Limiter,
    pub(super) voice: Voice,
    /// The instance's tools once they were called: their types are checked once, however often it is kept.
    pub(super) tools: Option<tools::Guest>,
    pub(super) opened: Opened,
}

impl CellState {
    /// A state with the plugin's grant and nothing else: no arguments, no standard input, no environment but the granted
    /// variables, no directory but the granted ones, no sockets, no name look-up.
    ///
    /// # Errors
    /// If a granted directory cannot be opened; the text names it.
    pub(super) fn new(rules: &Arc<Rules>, tool: &str, ctx: CallCtx, deadline: Instant) -> Result<Self, CallError> {
        let Rules { plugin, grant, limits, .. } = &**rules;
        let held = held(rules, &ctx);
        let log = GuestLog::new(Arc::clone(plugin), tool.to_owned(), ctx.request_id.clone(), limits, held.clone());

        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(Pipe::new(&log, Stream::Out)).stderr(Pipe::new(&log, Stream::Err));
        wasi.max_random_size(limits.output_bytes as u64);
        if !ctx.clock_ahead.is_zero() {
            wasi.wall_clock(Ahead(ctx.clock_ahead));
        }
        for (name, value) in &grant.env {
            wasi.env(name, value);
        }
        for secret in &grant.secrets {
            if let Some(name) = &secret.env {
                wasi.env(name, secret.placeholder());
            }
        }
        for dir in &grant.dirs {
            let perms = match dir.access {
                Access::ReadOnly => FsPerms::ReadOnly,
                Access::ReadWrite => FsPerms::ReadWrite,
            };
            wasi.preopened_dir(&dir.host, &dir.guest, perms).map_err(|error| {
                // The host's path is the operator's business; the guest knows only its own name for it.
                tracing::error!(%plugin, dir = %dir.host.display(), "granted directory cannot be opened: {error:#}");
                CallError::Unavailable(format!("the directory granted as {} cannot be opened on the host", dir.guest))
            })?;
        }

        Ok(Self {
            wasi: wasi.build(),
            http: http_ctx(limits),
            table: table(limits),
            outgoing: Outgoing::new(Arc::clone(rules), log.clone(), held.clone(), ctx.ledger.clone()),
            limiter: Limiter::new(limits),
            voice: Voice::new(Arc::clone(rules), log, ctx, deadline, held),
            tools: None,
            opened: Opened::default(),
        })
    }

    /// Begins the next call of the same instance: a new context, log, outgoing door and budget. Directories, variables and
    /// whatever the guest still holds open stay as they are, because it has handles to them.
    pub(super) fn renew(&mut self, rules: &Arc<Rules>, tool: &str, ctx: CallCtx, deadline: Instant) {
        let log = self.voice.log.clone();
        let held = held(rules, &ctx);
        log.renew(tool.to_owned(), ctx.request_id.clone(), &rules.limits, held.clone());
        self.limiter.renew();
        self.outgoing = Outgoing::new(Arc::clone(rules), log.clone(), held.clone(), ctx.ledger.clone());
        self.voice = Voice::new(Arc::clone(rules), log, ctx, deadline, held);
    }
}

fn held(rules: &Rules, ctx: &CallCtx) -> Option<Arc<Held>> {
    Held::of(rules, ctx.caller.as_ref())
}

/// The host's calendar, some time ahead.
struct Ahead(Duration);

impl HostWallClock for Ahead {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_add(self.0)
    }
}

fn table(limits: &Limits) -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.open_handles);
    table
}

fn http_ctx(limits: &Limits) -> WasiHttpCtx {
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(limits.http_header_bytes);
    http
}

impl WasiView for CellState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CellState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table: &mut self.table, ctx: &mut self.http }
    }
}
