//! What a source counts, for metrics and the feeds page. Numbers only: nothing decides by them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::Ignored;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A source's counters, shared with the code that displays them.
        #[derive(Debug, Default)]
        pub struct SourceStats {
            $($name: AtomicU64,)*
        }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl SourceStats {
            /// All counters now. They are read one by one, so sums may be off by what arrives meanwhile.
            #[must_use]
            pub fn snapshot(&self) -> StatsSnapshot {
                StatsSnapshot {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                }
            }
        }
    };
}

counters! {
    /// Messages received.
    messages,
    /// Bytes of those messages.
    bytes,
    /// Events handed on.
    events,
    /// Messages that are duplicates or out of date, or whose topic is no longer subscribed.
    repeated,
    /// Data that never came, by its numbers.
    missing,
    /// Messages that could not be read.
    malformed,
    /// Messages that named no symbol.
    no_symbol,
    /// Messages of a symbol that is not ours, or not the stream's.
    wrong_symbol,
    /// Messages with a price that is finer than its instrument's.
    off_grid,
    /// Messages of a kind that is not subscribed.
    not_wanted,
    /// Links opened.
    connects,
    /// Links lost.
    losses,
    /// Subscriptions that failed many times in a row.
    failed_topics,
}

impl SourceStats {
    pub(crate) fn message(&self, bytes: usize) {
        add(&self.messages, 1);
        add(&self.bytes, bytes as u64);
    }

    pub(crate) fn event(&self) {
        add(&self.events, 1);
    }

    pub(crate) fn repeated(&self) {
        add(&self.repeated, 1);
    }

    pub(crate) fn missing(&self, count: u64) {
        add(&self.missing, count);
    }

    pub(crate) fn ignored(&self, why: Ignored) {
        let counter = match why {
            Ignored::Malformed | Ignored::Content => &self.malformed,
            Ignored::NoSymbol => &self.no_symbol,
            Ignored::WrongSymbol => &self.wrong_symbol,
            Ignored::OffGrid => &self.off_grid,
            Ignored::NotWanted => &self.not_wanted,
            Ignored::Repeated => &self.repeated,
        };
        add(counter, 1);
    }

    pub(crate) fn connected(&self) {
        add(&self.connects, 1);
    }

    pub(crate) fn lost(&self) {
        add(&self.losses, 1);
    }

    pub(crate) fn topic_failed(&self) {
        add(&self.failed_topics, 1);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
