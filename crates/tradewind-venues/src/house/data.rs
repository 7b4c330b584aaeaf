//! What a house source yields: market data, numbers of named series, and targets of bots.

use std::sync::Arc;
use std::time::Duration;

use tradewind_model::{Decimal, FeedHealth, MarketEvent, Timestamp};

use crate::health::HealthChange;
use crate::protocol::Topic;
use crate::sink::{MarketSink, SourceSink};

/// Something that a house source sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HouseData {
    /// Data of one of its instruments.
    Market(MarketEvent),
    /// A number of one of its series.
    Number(HouseNumber),
    /// A target of a bot, or why it cannot be read.
    Target(Result<HouseTarget, TargetError>),
}

/// A number of a named series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseNumber {
    /// The series' full name: `house:fear`.
    pub series: Arc<str>,
    /// The number.
    pub value: Decimal,
    /// When it was so, by the source. Without it a number of the past would look like a new one.
    pub event_time: Timestamp,
    /// When the socket was read.
    pub received_at: Timestamp,
    /// Age from which on it is of no use.
    pub max_age: Duration,
}

/// What a bot is to hold, by the names that the source uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseTarget {
    /// Name of the bot.
    pub bot: String,
    /// Full name of the instrument.
    pub instrument: String,
    /// Signed share of the bot's budget; 1 is all of it.
    pub exposure: Decimal,
    /// When it was decided.
    pub event_time: Timestamp,
    /// From then on it counts no more.
    pub expires: Timestamp,
    /// Its number, where it has one.
    pub sequence: Option<u64>,
    /// When the socket was read.
    pub received_at: Timestamp,
}

/// Why a target cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It lacks a field.
    #[error("a target without {0}")]
    Missing(&'static str),
    /// A name is longer than 255 bytes or empty.
    #[error("the {0} of a target is not 1 to 255 bytes long")]
    Name(&'static str),
    /// A field is not what it should be.
    #[error("the {field} of a target is {text:?}, which is no {wanted}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// What it says, cut at 40 characters.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// Takes what a house source yields. Targets and the health of their source concern few users, so that they may be left out.
pub trait HouseSink: MarketSink {
    /// A number of a named series.
    fn number(&self, number: HouseNumber);

    /// A target of a bot that `source` sent, or why it cannot be read.
    fn target(&self, source: &str, target: Result<HouseTarget, TargetError>) {
        let (_, _) = (source, target);
    }

    /// A source is connected and subscribed (`Live`), is not (`Stale`), or has lost messages (`Gap`).
    fn source_health(&self, source: &str, health: FeedHealth) {
        let (_, _) = (source, health);
    }
}

/// Hands what a house source yields to a [`HouseSink`].
pub(super) struct ToHouseSink {
    pub(super) sink: Arc<dyn HouseSink>,
    pub(super) source: String,
}

impl std::fmt::Debug for ToHouseSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToHouseSink")
    }
}

impl SourceSink<HouseData> for ToHouseSink {
    fn event(&mut self, event: HouseData) {
        match event {
            HouseData::Market(MarketEvent::Quote(quote)) => self.sink.quote(quote),
            HouseData::Market(MarketEvent::Trade(trade)) => self.sink.trade(trade),
            HouseData::Market(MarketEvent::Candle(candle)) => self.sink.candle(candle),
            HouseData::Market(MarketEvent::Depth(depth)) => self.sink.depth(depth),
            HouseData::Market(MarketEvent::Health {
                instrument,
                health,
                reason,
            }) => self
                .sink
                .health(&HealthChange::new(instrument, health, reason)),
            HouseData::Number(number) => self.sink.number(number),
            HouseData::Target(target) => self.sink.target(&self.source, target),
        }
    }

    fn health(&mut self, change: HealthChange) {
        self.sink.health(&change);
    }

    fn ready(&mut self) {
        self.sink.source_health(&self.source, FeedHealth::Live);
    }

    fn down(&mut self, _reason: &str) {
        self.sink.source_health(&self.source, FeedHealth::Stale);
    }

    fn gap(&mut self) {
        self.sink.source_health(&self.source, FeedHealth::Gap);
    }

    fn failed(&mut self, topic: Topic, reason: &str) {
        self.sink.failed(topic, reason);
    }
}
