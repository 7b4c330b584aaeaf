//! What is said on a connection to its market data, with pings as plain text.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use super::codec::{self, Said};
use crate::address::Address;
use crate::book::OrderBook;
use crate::book::resync::Pace;
use crate::connection::ConnectionSettings;
use crate::machine::SourceSettings;
use crate::protocol::{Ignored, Incoming, Topic};
use crate::public_session::{Kept, PublicSession, Spelling, Verb};
use crate::subscriptions::SubscriptionSettings;
use crate::symbols::SymbolTable;

/// The venue keeps 400 levels a side; more than this is not kept.
const LEVELS_MAX: usize = 1_000;

/// Which of the venue's addresses carries a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Quotes, trades and books.
    Public,
    /// Candles.
    Business,
}

impl Endpoint {
    /// Where a topic is to be subscribed to.
    #[must_use]
    pub const fn of(topic: Topic) -> Self {
        match topic {
            Topic::Candles(..) => Self::Business,
            Topic::Quotes(_) | Topic::Trades(_) | Topic::Depth(_) | Topic::Account(_) => {
                Self::Public
            }
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Public => "/ws/v5/public",
            Self::Business => "/ws/v5/business",
        }
    }
}

/// What suits the venue. It cuts a connection that is silent for 30 s, so pings come more often than that; a quiet instrument has
/// nothing to say, so the pong is what proves the connection. Connections: 3 a second at most; requests: 480 an hour.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            // 100 topics are about 6 kB; a request may have 64.
            batch_max: 100,
            spacing: Duration::from_millis(500),
            retry_pause: Duration::from_secs(2),
            ..SubscriptionSettings::default()
        },
        ..SourceSettings::default()
    }
}

/// The venue's words.
#[derive(Debug)]
pub struct Words;

/// A connection to the market data.
pub type MarketProtocol = PublicSession<Words>;

impl PublicSession<Words> {
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://ws.okx.com:8443`.
    #[must_use]
    pub fn new(address: Address, endpoint: Endpoint, symbols: Arc<SymbolTable>) -> Self {
        Self::open(address, endpoint.path(), symbols, Words)
    }
}

/// The venue's name for a topic. What it does not have is requested all the same, and refused in its own words.
fn argument(topic: Topic, symbols: &SymbolTable) -> serde_json::Value {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let channel = match topic {
        Topic::Quotes(_) => codec::QUOTES.to_owned(),
        Topic::Trades(_) => codec::TRADES.to_owned(),
        Topic::Depth(_) => codec::BOOKS.to_owned(),
        Topic::Candles(_, interval) => codec::candle_channel(interval),
        Topic::Account(_) => "account".to_owned(),
    };
    json!({"channel": channel, "instId": symbol.unwrap_or("UNKNOWN")})
}

impl Spelling for Words {
    const PING: &'static str = "ping";
    // Two messages each, 400 in the first hour: of 480, the others are for subscriptions.
    const PACE: Pace = Pace {
        batch_max: 100,
        burst: 20,
        refill: Duration::from_secs(20),
    };

    fn book(instrument: InstrumentId) -> OrderBook {
        OrderBook::new(instrument, LEVELS_MAX)
    }

    fn request(
        &mut self,
        verb: Verb,
        request: u64,
        topics: &[Topic],
        symbols: &SymbolTable,
    ) -> Vec<String> {
        let named = topics.iter().map(|topic| argument(*topic, symbols));
        let named: Vec<_> = named.collect();
        let text = json!({"id": request.to_string(), "op": verb.word(), "args": named});
        vec![text.to_string()]
    }

    fn read(
        &mut self,
        text: &[u8],
        received_at: Timestamp,
        symbols: &SymbolTable,
        kept: &mut Kept,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        match codec::read(text) {
            Ok(Said::Data(data)) if data.is_book() => {
                let Some(instrument) = symbols.find(data.symbol()) else {
                    return on(Incoming::Ignored(Ignored::WrongSymbol));
                };
                let read = codec::decode_book(&data, instrument, &mut kept.books.levels);
                kept.books.take_read(instrument.id, read, received_at, on);
            }
            Ok(Said::Data(data)) => codec::decode(&data, received_at, symbols, on),
            Ok(Said::Pong) => on(Incoming::Pong),
            Ok(Said::Granted { channel, symbol }) => {
                let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol);
                let topic = instrument.and_then(|instrument| codec::topic(channel, instrument));
                on(kept.requests.acked_topic(topic));
            }
            Ok(Said::Refused {
                request,
                code,
                message,
            }) => {
                let words = [code, b" ", message].concat();
                on(kept.requests.refused(request, &words, &mut kept.books));
            }
            Ok(Said::ClosingSoon) => on(Incoming::ClosingSoon),
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }
}
