//! Gaps in the numbers of the inputs, and whether something explains them.

/// Inputs whose numbers are missing though nothing explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The first of them.
    pub first: u64,
    /// How many.
    pub inputs: u64,
}

/// Two things explain a gap: its numbers are older than the market data that is left, or the process died before its last
/// market data was written, so that none follows before the next start.
#[derive(Debug)]
pub(super) struct Gaps {
    /// The last number that was read.
    last: u64,
    market_from: u64,
    /// Missing since the last market input of this run.
    open: Option<Missing>,
    unexplained: Option<Missing>,
}

impl Gaps {
    pub(super) const fn new(after: u64, market_from: u64) -> Self {
        Self {
            last: after,
            market_from,
            open: None,
            unexplained: None,
        }
    }

    /// Whether input `seq` does not follow the last one that was read.
    pub(super) const fn is_behind_gap(&self, seq: u64) -> bool {
        seq != self.last + 1
    }

    /// Notes input `seq` of either store.
    pub(super) fn pass(&mut self, seq: u64, is_market: bool) {
        let first = (self.last + 1).max(self.market_from);
        if seq > first {
            add(&mut self.open, first, seq - first);
        } else if seq <= self.last {
            add(&mut self.unexplained, seq, 1);
        }
        self.last = self.last.max(seq);
        if is_market {
            self.close();
        }
    }

    /// Notes the end of a run. One that stopped in order wrote all of its market data.
    pub(super) fn end_run(&mut self, has_stopped: bool) {
        if has_stopped {
            self.close();
        }
        self.open = None;
    }

    pub(super) const fn unexplained(&self) -> Option<Missing> {
        self.unexplained
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            add(&mut self.unexplained, open.first, open.inputs);
        }
    }
}

fn add(to: &mut Option<Missing>, first: u64, inputs: u64) {
    let missing = to.get_or_insert(Missing { first, inputs: 0 });
    missing.inputs += inputs;
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn missing(first: u64, inputs: u64) -> Option<Missing> {
        Some(Missing { first, inputs })
    }

    #[test]
    fn a_gap_before_market_data_of_the_same_run_is_not_explained() {
        let mut gaps = Gaps::new(0, 1);
        gaps.pass(1, false);
        gaps.pass(2, true);
        gaps.pass(5, false);
        assert_eq!(gaps.unexplained(), None);
        gaps.pass(6, true);
        assert_eq!(gaps.unexplained(), missing(3, 2));
    }

    #[test]
    fn age_and_death_explain_a_gap_and_a_stop_does_not() {
        let mut gaps = Gaps::new(0, 10);
        gaps.pass(1, false);
        gaps.pass(10, true);
        assert_eq!(gaps.unexplained(), None);
        gaps.pass(13, false);
        gaps.end_run(false);
        gaps.pass(14, true);
        assert_eq!(gaps.unexplained(), None);
        gaps.pass(16, false);
        gaps.end_run(true);
        assert_eq!(gaps.unexplained(), missing(15, 1));
    }
}
