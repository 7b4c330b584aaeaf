//! File descriptors: the API gets a share of the process's limit, so that its clients never take those of orders and of the journal.

use std::fs;

use anyhow::ensure;

/// What the desk keeps for itself: connections to venues, the journal, the database, the embedded exchange. It uses some fifty.
const RESERVED: usize = 192;
/// The least for the API.
const API_MIN: usize = 32;

/// How many connections the API may hold, at most `wanted`: half of what the process may open beyond the desk's own. The other half is
/// room for clients of the embedded exchange, which has no limit of its own.
///
/// # Errors
/// The limit of the process is too low for a desk.
pub(super) fn for_api(wanted: usize) -> anyhow::Result<usize> {
    // The system says nothing elsewhere than on Linux.
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(limit) = soft_limit(&limits) else {
        return Ok(wanted);
    };
    share(limit, wanted)
}

fn share(limit: usize, wanted: usize) -> anyhow::Result<usize> {
    let least = RESERVED + 2 * API_MIN;
    ensure!(
        limit >= least,
        "this process may open {limit} files and a desk needs {least}; raise the limit with `ulimit -n 4096`, or LimitNOFILE in a systemd unit"
    );
    Ok(wanted.min((limit - RESERVED) / 2))
}

/// The soft limit of open files in `/proc/self/limits` (proc(5)); `None` if there is none.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_gets_half_of_what_the_desk_leaves() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 1048576              files\n";
        assert_eq!(soft_limit(limits), Some(1_024));
        assert_eq!(
            soft_limit("Max open files  unlimited  unlimited  files\n"),
            None
        );
        assert_eq!(share(1_024, 2_048).unwrap(), 416);
        assert_eq!(share(65_536, 2_048).unwrap(), 2_048);
        assert_eq!(share(256, 2_048).unwrap(), 32);
        let error = share(255, 2_048).unwrap_err().to_string();
        assert!(error.contains("ulimit -n"), "{error}");
    }
}
