//! What a house source yields: market data, and numbers of named series.

use std::sync::Arc;
use std::time::Duration;

use tradewind_model::{Decimal, MarketEvent, Timestamp};

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

/// Takes what a house source yields.
pub trait HouseSink: MarketSink {
    /// A number of a named series.
    fn number(&self, number: HouseNumber);
}

/// Hands what a house source yields to a [`HouseSink`].
pub(super) struct ToHouseSink(pub(super) Arc<dyn HouseSink>);

impl std::fmt::Debug for ToHouseSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToHouseSink")
    }
}

impl SourceSink<HouseData> for ToHouseSink {
    fn event(&mut self, event: HouseData) {
        match event {
            HouseData::Market(MarketEvent::Quote(quote)) => self.0.quote(quote),
            HouseData::Market(MarketEvent::Trade(trade)) => self.0.trade(trade),
            HouseData::Market(MarketEvent::Candle(candle)) => self.0.candle(candle),
            HouseData::Market(MarketEvent::Depth(depth)) => self.0.depth(depth),
            HouseData::Market(MarketEvent::Health {
                instrument,
                health,
                reason,
            }) => self
                .0
                .health(&HealthChange::new(instrument, health, reason)),
            HouseData::Number(number) => self.0.number(number),
        }
    }

    fn health(&mut self, change: HealthChange) {
        self.0.health(&change);
    }

    fn ready(&mut self) {}

    fn down(&mut self, _reason: &str) {}

    fn failed(&mut self, topic: Topic, reason: &str) {
        self.0.failed(topic, reason);
    }
}
