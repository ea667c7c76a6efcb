//! The engine all cells share: compiler settings, the pool of memories and stacks, the linker, the clock.

use super::deadline::Ticker;
use super::drafts::{self, Cursor};
use super::error::LoadError;
use super::places::{self, Places};
use super::state::CellState;
use super::tls::Tls;
use super::{imports, inspect, opened};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Most memory one guest can be granted, in bytes: the address space each slot of the pool reserves, so that the
/// compiler can leave out bounds checks.
pub const MAX_MEMORY_BYTES: u64 = 4 << 30;
/// What a slot keeps between two calls instead of giving it back to the operating system, in bytes. A fresh Rust guest
/// touches less; with it, the next call finds its pages in place.
const KEEP_RESIDENT_BYTES: usize = 4 << 20;
/// The same for a table, in bytes: 8,192 elements, more than any toolchain's start-up table.
const KEEP_TABLE_BYTES: usize = 64 << 10;
/// The stack of a guest, in bytes: what wasmtime recommends for deep but honest recursion.
const WASM_STACK_BYTES: usize = 512 << 10;
/// The native stack a guest and the host functions it calls share, in bytes.
const ASYNC_STACK_BYTES: usize = 1 << 20;
/// Core instances one component may have. Python's has 38.
const CORE_INSTANCES: u32 = 128;
/// Memories one component may have. None seen has more than 2.
const MEMORIES: u32 = 8;
/// Instances that may be kept for their next call, over all plugins. Each keeps memory, so they are few.
const WARM_INSTANCES: u32 = 64;
/// Tables one component may have, and elements in each. The largest seen has 7,688 elements.
const TABLES: u32 = 64;
const TABLE_ELEMENTS: usize = 200_000;

/// Keeps errors inside the engine from recording where in the host they arose, whatever `RUST_BACKTRACE` says. One such error
/// is made and thrown away in every call, and recording it costs as much as the call. For the whole process, so only a
/// program's own `main` should decide it.
pub fn disable_backtraces() {
    wasmtime::error::disable_backtrace();
}

/// How large the engine is.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineConfig {
    /// Calls of clients that run at once over all plugins; more wait for a place. For calls that tools make of other tools
    /// there is an eighth of that again at each depth. Default is 256.
    pub concurrent_calls: u32,
    /// Where compiled components are kept between runs. What is in there is run as native code: it must be writable for
    /// the host's user alone. Default is none: every start compiles.
    pub cache_dir: Option<PathBuf>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { concurrent_calls: 256, cache_dir: None }
    }
}

/// Compiles components and runs their calls. One for a host; it owns one thread, which sleeps while no call runs.
pub struct Engine {
    pub(super) wasm: wasmtime::Engine,
    linker: Linker<CellState>,
    pub(super) ticker: Ticker,
    pub(super) places: Places,
    pub(super) warm_rooms: Arc<Semaphore>,
    concurrent_calls: usize,
    pub(super) tls: Arc<Tls>,
}

impl Engine {
    /// # Errors
    /// If the machine lacks the address space or the operating system refuses a thread.
    pub fn new(config: &EngineConfig) -> Result<Arc<Self>, LoadError> {
        let wasm = wasmtime::Engine::new(&wasm_config(config)?).map_err(internal)?;
        let linker = linker(&wasm).map_err(internal)?;
        let ticker = Ticker::start(wasm.clone()).map_err(|error| LoadError::Internal(error.to_string()))?;
        let concurrent_calls = usize::try_from(config.concurrent_calls).unwrap_or(usize::MAX);
        let places = Places::of_engine(config.concurrent_calls);
        let warm_rooms = Arc::new(Semaphore::new(WARM_INSTANCES as usize));
        Ok(Arc::new(Self { wasm, linker, ticker, places, warm_rooms, concurrent_calls, tls: Arc::default() }))
    }

    /// How many calls run at once.
    pub fn concurrent_calls(&self) -> usize {
        self.concurrent_calls
    }

    /// Reads, compiles and links a component.
    ///
    /// The compiler cannot be stopped: past its time it ends on its own thread and its work is thrown away.
    ///
    /// # Errors
    /// Any [`LoadError`] but [`LoadError::Metadata`].
    pub(super) async fn prepare(self: &Arc<Self>, bytes: Vec<u8>, patience: Duration) -> Result<Linked, LoadError> {
        let inspection = inspect::inspect(&bytes)?;
        let engine = Arc::clone(self);
        let compile = tokio::task::spawn_blocking(move || Component::new(&engine.wasm, &bytes));
        let component = tokio::time::timeout(patience, compile)
            .await
            .map_err(|_| LoadError::CompileTimeout(patience))?
            .map_err(|error| LoadError::Internal(error.to_string()))?
            .map_err(|error| LoadError::Malformed(format!("{error:#}")))?;
        let pre = self.link(&component, &inspection).map_err(|error| LoadError::UnknownImport(format!("{error:#}")))?;
        Ok(Linked { pre, inspection })
    }

    /// Links a component to everything there is, and to drafts under the versions it names.
    fn link(
        &self,
        component: &Component,
        inspection: &inspect::Inspection,
    ) -> wasmtime::Result<InstancePre<CellState>> {
        let named: Vec<&String> = inspection.imports.iter().filter(|import| drafts::serves(import)).collect();
        if named.is_empty() {
            return self.linker.instantiate_pre(component);
        }
        let with = |cursor| {
            let mut linker = self.linker.clone();
            named.iter().try_for_each(|import| drafts::add(&mut linker, import, cursor))?;
            linker.instantiate_pre(component)
        };
        // What is wrong with the newer one is what an author can mend.
        with(Cursor::Key).or_else(|newer| with(Cursor::Count).map_err(|_| newer))
    }
}

/// A component, compiled and linked to everything this host provides.
pub(super) struct Linked {
    pub(super) pre: InstancePre<CellState>,
    pub(super) inspection: inspect::Inspection,
}

fn internal(error: wasmtime::Error) -> LoadError {
    LoadError::Internal(format!("{error:#}"))
}

fn wasm_config(config: &EngineConfig) -> Result<Config, LoadError> {
    let mut wasm = Config::new();
    wasm.epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .memory_reservation(MAX_MEMORY_BYTES)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(
            places::in_all(config.concurrent_calls).saturating_add(WARM_INSTANCES),
        )));
    if let Some(dir) = &config.cache_dir {
        let mut cache = CacheConfig::new();
        cache.with_directory(dir);
        let cache = Cache::new(cache).map_err(internal)?;
        wasm.cache(Some(cache));
    }
    Ok(wasm)
}

/// Room for all concurrent calls and kept instances at the size an ordinary component has, and for single ones at the
/// largest size allowed.
fn pool(calls: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES / 2))
        .total_memories(calls.saturating_mul(2))
        .total_tables(calls.saturating_mul(8))
        .total_gc_heaps(calls)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(MAX_MEMORY_BYTES).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_unused_warm_slots(calls);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        // The kernel tells which pages were touched, so only those are written back. Without that, keeping pages would
        // mean rewriting all of them, which costs more than giving them back.
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(KEEP_TABLE_BYTES);
    }
    pool
}

/// Everything is linked for everyone: authority is in the state of the call, not in what is linked. Guests import many
/// interfaces they never call, and refusing imports would refuse them all.
fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<CellState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    opened::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    imports::add_to_linker(&mut linker)?;
    Ok(linker)
}
