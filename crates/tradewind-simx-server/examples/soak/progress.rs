//! How far the soak is: counters that all clients share, and what became of each kind of move.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::call::Answer;
use crate::moves::Kind;

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    orders: AtomicU64,
    answers: AtomicU64,
    fills: AtomicU64,
    moves: Mutex<BTreeMap<Kind, Moves>>,
}

#[derive(Debug, Default)]
struct Moves {
    done: u64,
    not_offered: u64,
    /// By code and words.
    refused: BTreeMap<(i64, String), u64>,
}

/// Whether the exchange does not have this at all.
pub(crate) fn is_not_offered(answer: &Answer) -> bool {
    answer.code() == -1020
        || answer.status == 404
        || answer.status == 405
        || answer.message().contains("not supported for this symbol")
}

impl Progress {
    /// An order is sent.
    pub(crate) fn order(&self) {
        self.orders.fetch_add(1, Ordering::Relaxed);
    }

    /// A report or its like came.
    pub(crate) fn event(&self, event: &Value) {
        if event["x"] == "TRADE" {
            self.fills.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A move was answered.
    pub(crate) fn answered(&self, kind: Kind, answer: &Answer) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = moves.entry(kind).or_default();
        if answer.is_ok() {
            moves.done += 1;
        } else if is_not_offered(answer) {
            moves.not_offered += 1;
        } else {
            let reason = (answer.code(), answer.message().to_owned());
            *moves.refused.entry(reason).or_default() += 1;
        }
    }

    /// Orders sent, requests answered, fills reported.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.orders, &self.answers, &self.fills].map(|count| count.load(Ordering::Relaxed))
    }

    /// What became of the moves.
    pub(crate) fn table(&self) -> String {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from("move                   done    refused  not offered\n");
        let mut line = |words: std::fmt::Arguments<'_>| {
            writeln!(text, "{words}").expect("a string takes every text");
        };
        for (kind, moves) in moves.iter() {
            let refused: u64 = moves.refused.values().sum();
            let name = format!("{kind:?}");
            line(format_args!(
                "{name:<18} {:>8} {refused:>10} {:>12}",
                moves.done, moves.not_offered
            ));
            for ((code, words), count) in &moves.refused {
                line(format_args!("{:>38}  {code} {words}", count));
            }
        }
        text
    }
}
