//! How often an address may open WebSockets: 300 times in five minutes.
//!
//! A state machine on the same monotonic times as a connection's life. An upgrade must be admitted here first.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Connections an address may open within [`WINDOW`].
pub(crate) const ATTEMPTS_MAX: u32 = 300;
/// The span they are counted in; it begins with an address's first one.
const WINDOW: Duration = Duration::from_secs(300);
/// Beyond so many addresses those whose span is over are forgotten.
const ADDRESSES_KEPT: usize = 1_024;

/// Attempts of every address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(BTreeMap<IpAddr, Span>);

#[derive(Clone, Copy, Debug)]
struct Span {
    began: Duration,
    count: u32,
}

impl Attempts {
    /// Counts an attempt of `address`.
    ///
    /// # Errors
    /// It is one too many; the time until the next one is welcome.
    pub(crate) fn admit(&mut self, now: Duration, address: IpAddr) -> Result<(), Duration> {
        if self.0.len() > ADDRESSES_KEPT {
            self.0
                .retain(|_, span| now.saturating_sub(span.began) < WINDOW);
        }
        let fresh = Span {
            began: now,
            count: 0,
        };
        let span = self.0.entry(address).or_insert(fresh);
        if now.saturating_sub(span.began) >= WINDOW {
            *span = fresh;
        }
        if span.count >= ATTEMPTS_MAX {
            return Err(WINDOW - now.saturating_sub(span.began));
        }
        span.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_301st_connection_within_five_minutes_is_refused() {
        let (mut attempts, start) = (Attempts::default(), Duration::from_secs(7));
        let [one, other] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        assert!((0..300).all(|_| attempts.admit(start, one).is_ok()));
        let later = start + Duration::from_secs(100);
        assert_eq!(attempts.admit(later, one), Err(Duration::from_secs(200)));
        assert_eq!(attempts.admit(later, other), Ok(()));
        assert_eq!(attempts.admit(start + WINDOW, one), Ok(()));
    }
}
