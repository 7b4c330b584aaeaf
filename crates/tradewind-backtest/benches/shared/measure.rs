//! What the benchmarks of this crate share: times, medians, memory, and a line for a rate.

use std::time::{Duration, Instant};

/// The passes of one figure; the median counts.
pub(crate) const RUNS: usize = 5;

/// Prints a rate.
pub(crate) fn line(name: &str, elapsed: Duration, quotes: u64) {
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    let quotes = quotes as f64;
    let seconds = elapsed.as_secs_f64();
    println!(
        "{name:<28} {:.2} M quotes/s, {:.1} ns a quote",
        quotes / seconds / 1e6,
        seconds / quotes * 1e9
    );
}

/// The median time of several passes.
pub(crate) fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| timed(&mut work)).collect();
    times.sort();
    times[RUNS / 2]
}

/// The time of one pass.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The most memory this process has held, in KiB; 0 where the system does not report it.
pub(crate) fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
