//! What a process costs, from `/proc`.

use std::fs;
use std::time::Duration;

/// Ticks of processor time in a second; the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// Memory that is resident, in bytes.
#[track_caller]
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes * 1024
}

/// Processor time used so far, by all threads.
#[track_caller]
pub(crate) fn processor(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th fields behind it.
    let behind = stat.rsplit_once(") ").unwrap().1;
    let ticks: u64 = behind
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}
