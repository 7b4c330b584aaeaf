//! What is said on a connection to its market data, with pings as messages.

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

/// Topics that fit on one connection: the venue takes 21,000 characters of them, and the longest has 35.
pub const TOPICS_MAX: usize = 600;
/// The venue keeps 50 levels a side; more than this is not kept.
const LEVELS_MAX: usize = 200;

/// What suits the venue: a ping every 5 s, where it asks for one every 20 s, and at most 10 topics in a request. A quiet instrument has nothing to say, so the pong
/// is what proves the connection.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            batch_max: 10,
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
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://stream.bybit.com`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self::open(address, "/v5/public/spot", symbols, Words)
    }
}

/// The venue's name for a topic. What it does not have is requested all the same, and refused in its own words.
fn name(topic: Topic, symbols: &SymbolTable) -> String {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let symbol = symbol.unwrap_or("UNKNOWN");
    match topic {
        Topic::Quotes(_) => format!("{}.{symbol}", codec::QUOTES),
        Topic::Trades(_) => format!("{}.{symbol}", codec::TRADES),
        Topic::Depth(_) => format!("{}.{symbol}", codec::BOOKS),
        Topic::Candles(_, interval) => format!("{}.{symbol}", codec::candle_channel(interval)),
        Topic::Account(_) => "wallet".to_owned(),
    }
}

impl Spelling for Words {
    const PING: &'static str = r#"{"op":"ping"}"#;
    const PACE: Pace = Pace::of(10);

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
        let named: Vec<String> = topics.iter().map(|topic| name(*topic, symbols)).collect();
        let text = json!({"req_id": request.to_string(), "op": verb.word(), "args": named});
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
            Ok(Said::Granted { request }) => on(kept.requests.acked(request)),
            Ok(Said::Refused { request, message }) => {
                on(kept.requests.refused(request, message, &mut kept.books));
            }
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }
}
