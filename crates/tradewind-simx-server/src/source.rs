//! Where the market's events come from.

use tradewind_model::{InstrumentId, Timestamp};
use tradewind_simx::{Generated, Kline, MarketEvent, MarketSource};

use crate::mirror::MirrorSource;
use crate::recorded::RecordedSource;

/// The source of one exchange.
#[derive(Debug)]
pub(crate) enum Source {
    /// Drawn from a seed.
    Generated(Box<Generated>),
    /// Read from files; the name tells which.
    Recorded {
        /// Which recording it is.
        name: String,
        /// Its records.
        records: Box<RecordedSource>,
    },
    /// Another venue's.
    Mirror(Box<MirrorSource>),
}

impl Source {
    /// Hands every event due until `until` to `sink`.
    pub(crate) fn advance(
        &mut self,
        until: Timestamp,
        sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>),
    ) {
        match self {
            Self::Generated(market) => market.advance(until, sink),
            Self::Recorded { records, .. } => records.advance(until, sink),
            Self::Mirror(mirror) => mirror.advance(until, sink),
        }
    }

    /// Hands minutes to `sink` that another venue closed: they are right where what was recorded of them differs.
    pub(crate) fn minutes(&mut self, sink: &mut dyn FnMut(InstrumentId, Kline)) {
        match self {
            Self::Generated(_) | Self::Recorded { .. } => {}
            Self::Mirror(mirror) => mirror.minutes(sink),
        }
    }

    /// Which market it is, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Generated(_) => "generated".to_owned(),
            Self::Recorded { name, .. } => format!("recorded: {name}"),
            Self::Mirror(mirror) => format!("mirror: {}", mirror.saved().venue),
        }
    }

    /// Whether there will be no more events.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Generated(_) | Self::Mirror(_) => false,
            Self::Recorded { records, .. } => records.next_at().is_none(),
        }
    }

    /// Whether accounts' own executions count in the candles. Recorded and mirrored candles stay what
    /// they were elsewhere.
    pub(crate) const fn counts_own_prints(&self) -> bool {
        matches!(self, Self::Generated(_))
    }
}
