//! The host's memory, open files and threads, looked at once a second; and whether they stay what they are.

use std::fs;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::stats::median;

const EVERY: Duration = Duration::from_secs(1);

/// How much more memory the last fifth of a run may have than the second: the larger of a share and this many bytes. The
/// allocator keeps what a burst needed, and the compiler of plugins takes bursts.
const MEMORY_SHARE: f64 = 0.10;
const MEMORY_BYTES: f64 = 24.0 * 1024.0 * 1024.0;
/// Open files: connections open and close all the time.
const FILES: f64 = 24.0;
/// Threads: those for blocking work come and go.
const THREADS: f64 = 12.0;

/// One look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    pub memory: f64,
    pub files: f64,
    pub threads: f64,
}

/// The looks at a process, one after the other.
pub struct Watch(JoinHandle<Vec<Sample>>);

impl Watch {
    /// Looks until then.
    pub fn start(process: u32, until: Instant) -> Self {
        Self(tokio::spawn(async move {
            let mut samples = Vec::new();
            while Instant::now() < until {
                samples.extend(look(process));
                sleep(EVERY).await;
            }
            samples
        }))
    }

    /// All of them; none where there is no `/proc`.
    pub async fn samples(self) -> Vec<Sample> {
        self.0.await.unwrap_or_default()
    }
}

fn look(process: u32) -> Option<Sample> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    from_status(&status, files)
}

/// See proc_pid_status(5).
fn from_status(status: &str, files: usize) -> Option<Sample> {
    let number = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    Some(Sample { memory: number("VmRSS")? * 1024.0, files: files as f64, threads: number("Threads")? })
}

/// How something was in the second fifth of a run and in the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    pub name: &'static str,
    pub early: f64,
    pub late: f64,
    slack: f64,
}

impl Trend {
    /// Whether it stayed, give or take.
    pub fn is_flat(&self) -> bool {
        self.late - self.early <= self.slack
    }
}

/// The trends of a run; none if there were too few looks to tell.
pub fn trends(samples: &[Sample]) -> Vec<Trend> {
    let fifth = samples.len() / 5;
    if fifth == 0 {
        return Vec::new();
    }
    let (Some(second), Some(last)) = (samples.get(fifth..2 * fifth), samples.get(samples.len() - fifth..)) else {
        return Vec::new();
    };
    let middle = |samples: &[Sample], of: fn(&Sample) -> f64| {
        median(&samples.iter().map(of).collect::<Vec<_>>()).unwrap_or_default()
    };
    let trend = |name, of: fn(&Sample) -> f64, slack: fn(f64) -> f64| {
        let early = middle(second, of);
        Trend { name, early, late: middle(last, of), slack: slack(early) }
    };
    vec![
        trend("memory", |sample| sample.memory, |early| (early * MEMORY_SHARE).max(MEMORY_BYTES)),
        trend("files", |sample| sample.files, |_| FILES),
        trend("threads", |sample| sample.threads, |_| THREADS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let status = "Name:\ttoolcell\nVmRSS:\t  2048 kB\nThreads:\t7\n";
        assert_eq!(from_status(status, 3), Some(Sample { memory: 2_097_152.0, files: 3.0, threads: 7.0 }));
        assert_eq!(from_status("Name:\ttoolcell\n", 3), None);
    }

    #[test]
    fn what_grows_is_not_flat_and_what_is_only_warm_is() {
        let mib = 1024.0 * 1024.0;
        let run = |memory: fn(usize) -> f64| -> bool {
            let samples: Vec<_> = (0..100).map(|at| Sample { memory: memory(at), files: 50.0, threads: 9.0 }).collect();
            trends(&samples).iter().all(Trend::is_flat)
        };
        assert!(run(|_| 100.0 * 1024.0 * 1024.0));
        assert!(run(|at| if at < 20 { 1.0 } else { 200.0 * 1024.0 * 1024.0 }), "the first fifth is for warming up");
        assert!(!run(|at| 100.0 * 1024.0 * 1024.0 + at as f64 * 1024.0 * 1024.0));
        let grows = |files: f64, threads: f64| {
            let sample = |at: usize| match at {
                0..50 => Sample { memory: mib, files: 50.0, threads: 9.0 },
                _ => Sample { memory: mib, files, threads },
            };
            let samples: Vec<_> = (0..100).map(sample).collect();
            trends(&samples).iter().filter(|trend| !trend.is_flat()).map(|trend| trend.name).collect::<Vec<_>>()
        };
        assert_eq!(grows(60.0, 12.0), [""; 0]);
        assert_eq!(grows(90.0, 12.0), ["files"]);
        assert_eq!(grows(50.0, 40.0), ["threads"]);
        assert!(trends(&[Sample::default(); 4]).is_empty());
    }
}
