//! What a run comes to: percentiles, beside those of the least possible work.

use std::time::Duration;

#[derive(Clone, Copy)]
pub(crate) struct Figures {
    p50: Duration,
    p99: Duration,
    orders: usize,
}

impl Figures {
    pub(crate) fn of(mut taken: Vec<Duration>) -> Self {
        taken.sort_unstable();
        let at = |share: usize| taken[taken.len() * share / 100];
        Self {
            p50: at(50),
            p99: at(99),
            orders: taken.len(),
        }
    }

    /// Each figure's own median.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> Duration| {
            let mut all: Vec<Duration> = runs.iter().map(figure).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        Self {
            p50: of(|run| run.p50),
            p99: of(|run| run.p99),
            orders: runs.iter().map(|run| run.orders).min().unwrap(),
        }
    }

    pub(crate) fn print(&self, name: &str, floor: &Self) {
        println!(
            "{name:<38} p50 {:>6.0} us ({:.2} x the floor)  p99 {:>6.0} us  count {}",
            self.p50.as_secs_f64() * 1e6,
            self.p50.as_secs_f64() / floor.p50.as_secs_f64(),
            self.p99.as_secs_f64() * 1e6,
            self.orders,
        );
    }
}
