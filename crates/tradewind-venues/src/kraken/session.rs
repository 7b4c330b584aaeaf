//! What is said on a connection to its market data, with a request for each channel.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use super::codec::{self, Said};
use crate::address::Address;
use crate::book::OrderBook;
use crate::book::resync::Pace;
use crate::connection::ConnectionSettings;
use crate::machine::SourceSettings;
use crate::open_candles::OpenCandles;
use crate::protocol::{Ignored, Incoming, Topic};
use crate::public_session::{Kept, PublicSession, Spelling, Verb};
use crate::subscriptions::SubscriptionSettings;
use crate::symbols::SymbolTable;

/// Levels a side that are subscribed. The checksum covers the best 10, so with 10 every level that is shown is checked.
const DEPTH: usize = 10;

/// What suits the venue, which sends a heartbeat each second once something is subscribed.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            batch_max: 50,
            ..SubscriptionSettings::default()
        },
        ..SourceSettings::default()
    }
}

/// The venue's words, and the candles that are open.
#[derive(Debug, Default)]
pub struct Words {
    candles: OpenCandles,
}

/// A connection to the market data.
pub type MarketProtocol = PublicSession<Words>;

impl PublicSession<Words> {
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://ws.kraken.com`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self::open(address, "/v2", symbols, Words::default())
    }
}

/// The venue's words for a topic but for its symbol, and the symbol. Old trades and candles are read over REST, so no snapshot of
/// them is wanted. What the venue does not have is requested all the same, and refused in its own words.
fn params(topic: Topic, symbols: &SymbolTable) -> (Value, &str) {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let params = match topic {
        Topic::Quotes(_) => json!({"channel": "ticker", "event_trigger": "bbo"}),
        Topic::Trades(_) => json!({"channel": "trade", "snapshot": false}),
        Topic::Depth(_) => json!({"channel": "book", "depth": DEPTH}),
        Topic::Candles(_, interval) => {
            let minutes = interval.duration().as_secs() / 60;
            json!({"channel": "ohlc", "interval": minutes, "snapshot": false})
        }
        Topic::Account(_) => json!({"channel": "balances"}),
    };
    (params, symbol.unwrap_or("UNKNOWN"))
}

impl Spelling for Words {
    const PING: &'static str = r#"{"method":"ping"}"#;
    const PACE: Pace = Pace::of(50);

    fn book(instrument: InstrumentId) -> OrderBook {
        OrderBook::of_depth(instrument, DEPTH)
    }

    /// One message for each channel, all with the number of the request.
    fn request(
        &mut self,
        verb: Verb,
        request: u64,
        topics: &[Topic],
        symbols: &SymbolTable,
    ) -> Vec<String> {
        let mut channels: Vec<(Value, Vec<&str>)> = Vec::new();
        for topic in topics {
            let (params, symbol) = params(*topic, symbols);
            match channels.iter_mut().find(|(known, _)| *known == params) {
                Some((_, symbols)) => symbols.push(symbol),
                None => channels.push((params, vec![symbol])),
            }
        }
        let text = |(mut params, symbols): (Value, Vec<&str>)| {
            params["symbol"] = json!(symbols);
            if let Some(params) = params.as_object_mut()
                && verb == Verb::Unsubscribe
            {
                params.remove("snapshot");
            }
            json!({"method": verb.word(), "params": params, "req_id": request}).to_string()
        };
        channels.into_iter().map(text).collect()
    }

    fn given_back(&mut self, topics: &[Topic]) {
        for topic in topics {
            if let Topic::Candles(instrument, interval) = topic {
                self.candles.forget(*instrument, *interval);
            }
        }
    }

    fn read(
        &mut self,
        text: &[u8],
        received_at: Timestamp,
        symbols: &SymbolTable,
        kept: &mut Kept,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let books = &mut kept.books;
        match codec::read(text) {
            Ok(Said::Data(data)) if data.is_book() => {
                match codec::decode_book(&data, symbols, &mut books.levels) {
                    Ok((of, message)) => books.take(of.id, message, received_at, on),
                    Err((Some(of), why)) => books.take_read(of.id, Err(why), received_at, on),
                    Err((None, why)) => on(Incoming::Ignored(why)),
                }
            }
            Ok(Said::Data(data)) => {
                codec::decode(&data, received_at, symbols, &mut self.candles, on);
            }
            Ok(Said::Alive) => on(Incoming::Pong),
            Ok(Said::Granted {
                channel,
                symbol,
                minutes,
            }) => {
                let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol);
                let topic = instrument.and_then(|one| codec::topic(channel, minutes, one));
                on(kept.requests.acked_topic(topic));
            }
            Ok(Said::Refused { request, message }) => {
                on(kept.requests.refused(request, message, books));
            }
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }
}
