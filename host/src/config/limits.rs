//! `[limits]` over the defaults, and a plugin's `limits` over those.

use std::ops::Range;

use super::diagnostic::Faults;
use super::written::{At, LimitsConfig, Size};
use crate::policy::Limits;
use crate::policy::limits::{Limit, LimitError};

/// One key as it is written: the limit's name, the place, the number in the key's unit.
type Entry = Option<(&'static str, Range<usize>, u64)>;

fn count(name: &'static str, value: &Option<At<u64>>) -> Entry {
    value.as_ref().map(|value| (name, value.span(), *value.get()))
}

fn size(name: &'static str, value: &Option<At<Size>>) -> Entry {
    value.as_ref().map(|value| (name, value.span(), value.get().0))
}

impl LimitsConfig {
    /// Sets what is written in `limits`; what is out of bounds becomes a problem.
    pub(super) fn apply(&self, limits: &mut Limits, faults: &mut Faults) {
        for (name, span, written) in self.entries().into_iter().flatten() {
            let Some(limit) = Limits::ALL.iter().find(|limit| limit.name == name) else {
                continue;
            };
            let (key, unit) = limit.key();
            match limits.set(name, written.saturating_mul(unit)) {
                Ok(()) => {}
                Err(error) => report(limit, error, &key, unit, written, span, faults),
            }
        }
    }

    fn entries(&self) -> [Entry; Limits::ALL.len()] {
        let Self {
            memory_mib,
            table_elements,
            core_instances,
            memories,
            tables,
            cpu_ms,
            wall_ms,
            task_wall_ms,
            output_bytes,
            log_bytes,
            log_lines,
            open_handles,
            http_requests_in_flight,
            http_request_body_bytes,
            http_response_body_bytes,
            http_header_bytes,
            http_headers,
            http_timeout_ms,
            concurrency,
            component_bytes,
            compile_ms,
            tools,
            resources,
            prompts,
            description_bytes,
            schema_bytes,
            schema_depth,
            argument_bytes,
            list_wall_ms,
            progress_per_second,
            store_key_bytes,
            store_value_bytes,
            store_keys,
            store_writes,
            meta_bytes,
        } = self;
        [
            count("memory_bytes", memory_mib),
            count("table_elements", table_elements),
            count("core_instances", core_instances),
            count("memories", memories),
            count("tables", tables),
            count("cpu_ms", cpu_ms),
            count("wall_ms", wall_ms),
            count("task_wall_ms", task_wall_ms),
            size("output_bytes", output_bytes),
            size("log_bytes", log_bytes),
            count("log_lines", log_lines),
            count("open_handles", open_handles),
            count("http_requests_in_flight", http_requests_in_flight),
            size("http_request_body_bytes", http_request_body_bytes),
            size("http_response_body_bytes", http_response_body_bytes),
            size("http_header_bytes", http_header_bytes),
            count("http_headers", http_headers),
            count("http_timeout_ms", http_timeout_ms),
            count("concurrency", concurrency),
            size("component_bytes", component_bytes),
            count("compile_ms", compile_ms),
            count("tools", tools),
            count("resources", resources),
            count("prompts", prompts),
            size("description_bytes", description_bytes),
            size("schema_bytes", schema_bytes),
            count("schema_depth", schema_depth),
            size("argument_bytes", argument_bytes),
            count("list_wall_ms", list_wall_ms),
            count("progress_per_second", progress_per_second),
            size("store_key_bytes", store_key_bytes),
            size("store_value_bytes", store_value_bytes),
            count("store_keys", store_keys),
            count("store_writes", store_writes),
            size("meta_bytes", meta_bytes),
        ]
    }
}

fn report(
    limit: &Limit,
    error: LimitError,
    key: &str,
    unit: u64,
    written: u64,
    span: Range<usize>,
    faults: &mut Faults,
) {
    let (max, default) = (limit.max / unit, limit.default / unit);
    let fix = format!("write 1 to {max} or leave the line out for {default}");
    match error {
        LimitError::Zero => faults.push(span, format!("`{key}` is 0 and no limit can be switched off"), fix),
        LimitError::TooLarge(_) => faults.push(span, format!("`{key}` is {written} and at most {max} is allowed"), fix),
        LimitError::Unknown => faults.push(span, format!("there is no limit `{key}`"), "leave the line out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_written_under_its_key() {
        for limit in Limits::ALL {
            let (key, unit) = limit.key();
            let config: LimitsConfig = toml::from_str(&format!("{key} = 3")).unwrap();
            let (mut limits, mut faults) = (Limits::default(), Faults::default());
            config.apply(&mut limits, &mut faults);
            assert!(!faults.are_fatal(), "{key}");
            let mut expected = Limits::default();
            expected.set(limit.name, 3 * unit).unwrap();
            assert_eq!(limits, expected, "{key}");
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_reported_and_not_set() {
        for limit in Limits::ALL {
            let (key, unit) = limit.key();
            for value in [0, limit.max / unit + 1, i64::MAX as u64] {
                let config: LimitsConfig = toml::from_str(&format!("{key} = {value}")).unwrap();
                let (mut limits, mut faults) = (Limits::default(), Faults::default());
                config.apply(&mut limits, &mut faults);
                assert!(faults.are_fatal(), "{key} = {value}");
                assert_eq!(limits, Limits::default(), "{key} = {value}");
            }
        }
    }
}
