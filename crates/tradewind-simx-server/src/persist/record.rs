//! One entry of the log: an input of the exchange and when it came.

use tradewind_model::{Depth, Quote, Timestamp, Trade};
use tradewind_simx::{Action, MarketEvent, MarketRecord};

/// Something that reached the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A client or the operator acted, and was not refused.
    Action { at: Timestamp, action: Action },
    /// The market moved.
    Market { at: Timestamp, record: MarketRecord },
}

const ACTION: u8 = 1;
const QUOTE: u8 = 2;
const TRADE: u8 = 3;
const LEVELS: u8 = 4;

impl Record {
    pub(crate) const fn action(at: Timestamp, action: Action) -> Self {
        Self::Action { at, action }
    }

    pub(crate) fn market(at: Timestamp, event: MarketEvent<'_>) -> Self {
        let record = match event {
            MarketEvent::Quote(quote) => MarketRecord::Quote(quote),
            MarketEvent::Trade(trade) => MarketRecord::Trade(trade),
            MarketEvent::Levels(depth) => MarketRecord::Levels(depth.clone()),
        };
        Self::Market { at, record }
    }

    /// When it came.
    pub(crate) const fn at(&self) -> Timestamp {
        match self {
            Self::Action { at, .. } | Self::Market { at, .. } => *at,
        }
    }

    /// Whether it is a public trade of the market.
    pub(crate) const fn is_market_trade(&self) -> bool {
        matches!(
            self,
            Self::Market {
                record: MarketRecord::Trade(_),
                ..
            }
        )
    }

    /// A byte for the kind, eight for the time, then the fields in order as MessagePack.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, fields) = match self {
            Self::Action { action, .. } => (ACTION, rmp_serde::to_vec(action)),
            Self::Market {
                record: MarketRecord::Quote(quote),
                ..
            } => (QUOTE, rmp_serde::to_vec(quote)),
            Self::Market {
                record: MarketRecord::Trade(trade),
                ..
            } => (TRADE, rmp_serde::to_vec(trade)),
            Self::Market {
                record: MarketRecord::Levels(depth),
                ..
            } => (LEVELS, rmp_serde::to_vec(depth)),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&self.at().as_nanos().to_le_bytes());
        bytes.extend_from_slice(&fields.expect("writing plain data to memory cannot fail"));
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, or says why it cannot.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (kind, rest) = bytes.split_first().ok_or("an empty record")?;
        let (at, fields) = rest.split_first_chunk().ok_or("a record without a time")?;
        let at = Timestamp::from_nanos(i64::from_le_bytes(*at));
        let market = |record| Self::Market { at, record };
        match *kind {
            ACTION => read(fields).map(|action| Self::Action { at, action }),
            QUOTE => read::<Quote>(fields).map(|quote| market(MarketRecord::Quote(quote))),
            TRADE => read::<Trade>(fields).map(|trade| market(MarketRecord::Trade(trade))),
            LEVELS => read::<Depth>(fields).map(|depth| market(MarketRecord::Levels(depth))),
            other => Err(format!("a record of the unknown kind {other}")),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(fields: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(fields).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_model::{
        AccountId, Amount, AssetId, InstrumentId, OrderKind, Price, Quantity, Side,
    };
    use tradewind_simx::{ClientId, NewOrder, Size};

    #[test]
    fn records_are_read_back_as_they_were() {
        let at = Timestamp::from_nanos(-7);
        let quote = Quote {
            instrument: InstrumentId(3),
            bid: Price(1),
            ask: Price(2),
            bid_quantity: Quantity(5),
            ask_quantity: Quantity(6),
            event_time: None,
            received_at: at,
        };
        let order = NewOrder::new(
            AccountId(0),
            InstrumentId(1),
            ClientId::new("a").unwrap(),
            Side::Sell,
            Size::Quote(Amount(i128::MAX)),
            OrderKind::PostOnly { price: Price(9) },
        );
        let depth = Depth {
            instrument: InstrumentId(1),
            bids: vec![],
            asks: vec![],
            received_at: at,
        };
        let amount = Amount(i128::MIN);
        for record in [
            Record::market(at, MarketEvent::Quote(quote)),
            Record::market(at, MarketEvent::Levels(&depth)),
            Record::action(at, Action::Submit(order)),
            Record::action(
                at,
                Action::Deposit {
                    account: AccountId(1),
                    asset: AssetId(2),
                    amount,
                },
            ),
        ] {
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(Record::decode(&bytes));
        }
    }
}
