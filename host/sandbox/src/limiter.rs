//! Memory, tables and instances: what a guest may grow to.

use super::error::LimitHit;
use toolcell_policy::Limits;
use wasmtime::ResourceLimiter;

/// Refuses growth beyond the limits, and remembers the first refusal: the guest usually aborts right after it, and the
/// abort alone would not tell anyone why.
pub(super) struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    memory_in_use: usize,
    refused: Option<LimitHit>,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: limits.core_instances,
            tables: limits.tables,
            memories: limits.memories,
            memory_in_use: 0,
            refused: None,
        }
    }

    /// Begins the next call of the same instance, which keeps the memory it has.
    pub(super) fn renew(&mut self) {
        self.refused = None;
    }

    /// The memory of the instance, in bytes.
    pub(super) fn memory_in_use(&self) -> usize {
        self.memory_in_use
    }

    /// The first growth that was refused, if any.
    pub(super) fn refused(&self) -> Option<&LimitHit> {
        self.refused.as_ref()
    }
}

impl ResourceLimiter for Limiter {
    /// The limit holds for all memories of the guest together.
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory_in_use.saturating_add(desired.saturating_sub(current));
        if wanted > self.memory_bytes {
            let mib = u64::try_from(self.memory_bytes >> 20).unwrap_or(u64::MAX);
            self.refused.get_or_insert(LimitHit::Memory { mib });
            return Ok(false);
        }
        self.memory_in_use = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused.get_or_insert(LimitHit::Table { elements: self.table_elements });
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together_and_the_first_refusal_is_kept() {
        let limits = Limits { memory_bytes: 3 << 20, table_elements: 10, ..Limits::default() };
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 2 << 20, None).unwrap());
        assert!(limiter.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!limiter.memory_growing(1 << 20, (1 << 20) + 65_536, None).unwrap());
        assert!(!limiter.table_growing(0, 11, None).unwrap());
        assert_eq!(limiter.refused(), Some(&LimitHit::Memory { mib: 3 }));
    }
}
