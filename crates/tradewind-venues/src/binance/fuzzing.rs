//! Entry points for `examples/fuzz` of the binary: bytes in, whether they were understood out. No part of the interface.

use std::sync::Arc;

use tradewind_model::{AccountId, AssetId, Instrument, InstrumentId, Interval, Timestamp, VenueId};

use super::answers::{self, OrderAnswer, TradeAnswer};
use super::assets::Assets;
use super::codec;
use super::instruments;
use super::replace;
use super::socket_answer::{self, Said};
use super::user_events::AccountReader;
use super::verdict::{Verdict, judge_cancel, judge_order};
use crate::protocol::Incoming;
use crate::symbols::SymbolTable;

/// What the readers know.
#[derive(Debug)]
pub struct Door {
    rules: Instrument,
    reader: AccountReader,
}

impl Door {
    /// The instruments of the venue's own examples; `None` never.
    #[must_use]
    pub fn open() -> Option<Self> {
        let rules = rules();
        let names = ["BTCUSDT", "BNBBTC", "BNBUSDT", "ETHBTC", "LTCBTC"];
        let listed = (0..).zip(names).map(|(id, name)| {
            let id = InstrumentId(id);
            (
                name.to_owned(),
                Instrument {
                    id,
                    ..rules.clone()
                },
            )
        });
        let reader = AccountReader {
            account: AccountId(0),
            symbols: Arc::new(SymbolTable::new(listed).ok()?),
            assets: Arc::default(),
        };
        Some(Self { rules, reader })
    }

    /// A frame of the market streams.
    #[must_use]
    pub fn market(&self, bytes: &[u8]) -> bool {
        let mut understood = false;
        codec::decode(bytes, Timestamp::EPOCH, &self.reader.symbols, &mut |said| {
            understood = !matches!(said, Incoming::Ignored(_));
        });
        understood
    }

    /// A frame of the diff depth stream.
    #[must_use]
    pub fn book_update(&self, bytes: &[u8]) -> bool {
        codec::decode_book_update(bytes, &self.reader.symbols).is_ok()
    }

    /// A text of the account's stream.
    #[must_use]
    pub fn account(&self, bytes: &[u8]) -> bool {
        let mut understood = false;
        self.reader.decode(bytes, &mut |said| {
            understood = !matches!(said, Incoming::Ignored(_));
        });
        understood
    }

    /// A text that answers an order over the WebSocket API, and the order in it.
    #[must_use]
    pub fn socket_answer(&self, bytes: &[u8]) -> bool {
        match socket_answer::read(bytes) {
            Said::Answer(_, answer) => {
                self.order(&answer.body);
                true
            }
            Said::ClosingSoon => true,
            Said::Nothing => false,
        }
    }

    /// The answer to a new order, a cancel or an order query.
    pub fn order(&self, bytes: &[u8]) -> bool {
        let Ok(order) = answers::read::<OrderAnswer<'_>>("order", bytes) else {
            return false;
        };
        let account = self.reader.account;
        let read = [
            order
                .reports(account, &self.rules, &self.reader.assets)
                .is_ok(),
            order.cancel_report(account, &self.rules).is_ok(),
            order.record(account, &self.rules).is_ok(),
        ];
        read.contains(&true)
    }

    /// A list of the account's trades.
    #[must_use]
    pub fn trades(&self, bytes: &[u8]) -> bool {
        let read = answers::read::<Vec<TradeAnswer<'_>>>("trades", bytes);
        read.is_ok_and(|trades| {
            trades.iter().all(|trade| {
                let id = answers::client_id("x");
                let assets = &self.reader.assets;
                trade
                    .fill(self.reader.account, &self.rules, id, assets)
                    .is_ok()
            })
        })
    }

    /// An account's balances.
    #[must_use]
    pub fn balances(&self, bytes: &[u8]) -> bool {
        answers::balances(bytes, &self.reader.assets).is_ok()
    }

    /// Candles.
    #[must_use]
    pub fn candles(&self, bytes: &[u8]) -> bool {
        let now = Timestamp::from_secs(4_000_000_000);
        answers::candles(bytes, &self.rules, Interval::Minute1, now).is_ok()
    }

    /// The exchange's instruments.
    #[must_use]
    pub fn listings(&self, bytes: &[u8]) -> bool {
        let read = instruments::decode_listings(bytes, VenueId(0), "venue", &Assets::default());
        read.is_ok_and(|listings| !listings.is_empty())
    }
}

/// The answer to an order or a cancel that failed. Returns whether it is refused for certain.
#[must_use]
pub fn verdict(bytes: &[u8]) -> bool {
    let (status, body) = match bytes {
        [high, low, body @ ..] => (u16::from_be_bytes([*high, *low]) % 600, body),
        short => (400, short),
    };
    let refused = |verdict| matches!(verdict, Verdict::Refused(_));
    refused(judge_order(status, body)) | refused(judge_cancel(400, body))
}

/// The two legs of a replacement.
#[must_use]
pub fn replacement(bytes: &[u8]) -> bool {
    replace::legs(200, bytes).is_some() | replace::legs(409, bytes).is_some()
}

fn rules() -> Instrument {
    Instrument {
        price_decimals: 8,
        quantity_decimals: 8,
        ..Instrument::spot(InstrumentId(0), "venue:BTC/USDT", AssetId(0), AssetId(1))
    }
}
