//! What was checked, how often, and what was found wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Findings of one kind that are told in full; the others are counted.
const TOLD: usize = 5;

/// One law of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Law {
    /// Best bid below best ask, in every quote and after every difference.
    NeverCrossed,
    /// Differences follow on from each other without a gap.
    DepthContinuous,
    /// The book kept by differences is the snapshot.
    DepthEqualsSnapshot,
    /// Trade ids of an instrument follow on from each other.
    TapeContinuous,
    /// Free and locked by reports are what the account says.
    Balances,
    /// Open orders by reports are what the account says.
    OpenOrders,
    /// Fills by reports are the account's trades: none missing, none twice.
    Trades,
    /// Start, plus fills, minus fees, is what is there, for each asset.
    Conservation,
    /// Every fill was printed, and a trade of two clients has two equal and opposite sides.
    TwoSides,
    /// Whatever was accepted was reported.
    Acknowledged,
    /// A refusal names a reason that a correct client can meet.
    Refusals,
    /// Every request was answered in time.
    Answered,
    /// Orders came at the rate that was asked for.
    Rate,
}

impl Law {
    const ALL: [(Self, &'static str); 13] = [
        (Self::NeverCrossed, "books never crossed"),
        (Self::DepthContinuous, "differences without a gap"),
        (Self::DepthEqualsSnapshot, "book by differences = snapshot"),
        (Self::TapeContinuous, "public trades without a gap"),
        (Self::Balances, "balances by reports = account"),
        (Self::OpenOrders, "open orders by reports = account"),
        (Self::Trades, "fills by reports = own trades"),
        (Self::Conservation, "start + fills - fees = free + locked"),
        (Self::TwoSides, "every fill printed, sides opposite"),
        (Self::Acknowledged, "every accepted order reported"),
        (Self::Refusals, "refusals a client can expect"),
        (Self::Answered, "every request answered"),
        (Self::Rate, "orders at the rate asked for"),
    ];
}

/// The tally, shared by all who check.
#[derive(Debug, Default)]
pub(crate) struct Checks(Mutex<BTreeMap<Law, Tally>>);

#[derive(Debug, Default)]
struct Tally {
    looked: u64,
    broken: u64,
    told: Vec<String>,
}

impl Checks {
    /// Counts a look at `law`; `finding` is asked for words if it does not hold.
    pub(crate) fn look(&self, law: Law, holds: bool, finding: impl FnOnce() -> String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = all.entry(law).or_default();
        tally.looked += 1;
        if holds {
            return;
        }
        tally.broken += 1;
        if tally.told.len() < TOLD {
            tally.told.push(finding());
        }
    }

    /// How many looks found something wrong.
    pub(crate) fn broken(&self) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|tally| tally.broken).sum()
    }

    /// The table, and how many laws held and did not. One that was never looked at did not.
    pub(crate) fn table(&self) -> (String, usize, usize) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut text, mut passed, mut failed) = (String::new(), 0, 0);
        for (law, name) in Law::ALL {
            let none = Tally::default();
            let tally = all.get(&law).unwrap_or(&none);
            let holds = tally.looked > 0 && tally.broken == 0;
            if holds {
                passed += 1
            } else {
                failed += 1
            }
            let word = if holds { "ok  " } else { "FAIL" };
            let line = format!("{word}  {name:<38} {:>10} looks", tally.looked);
            push_line(&mut text, &line);
            if tally.broken > 0 {
                push_line(&mut text, &format!("      {} broken", tally.broken));
            }
            for finding in &tally.told {
                push_line(&mut text, &format!("      {finding}"));
            }
        }
        (text, passed, failed)
    }
}

fn push_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes every text");
}
