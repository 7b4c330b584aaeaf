//! What is said on a connection to its market data. Its messages are numbered over the whole connection: a jump
//! means that books have missed changes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradewind_model::{Instrument, InstrumentId, MarketEvent, Quote, Timestamp};

use super::codec::{self, CANDLES, Data, Said};
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

/// Levels a side that are kept; the venue sends all there are.
const LEVELS_MAX: usize = 1_000;
/// The longest message: the snapshot of a book has all its levels, tens of thousands at 120 bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What suits the venue, which sends a heartbeat each second. It takes 8 messages a second from an address; a request has one for
/// each channel, of which there are four.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            batch_max: 40,
            spacing: Duration::from_secs(1),
            retry_pause: Duration::from_secs(1),
            ..SubscriptionSettings::default()
        },
        ..SourceSettings::default()
    }
}

/// The venue's words, and what a connection has said so far.
#[derive(Debug, Default)]
pub struct Words {
    candles: OpenCandles,
    /// The last message's number.
    last: Option<u64>,
    /// Topics whose end was requested and not granted.
    ending: BTreeSet<Topic>,
}

/// A connection to the market data.
pub type MarketProtocol = PublicSession<Words>;

impl PublicSession<Words> {
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://advanced-trade-ws.coinbase.com`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self::open(address, "/", symbols, Words::default()).with_messages_of(MESSAGE_BYTES_MAX)
    }
}

/// The venue's name of a topic's channel. What it does not have is requested all the same, and refused in its own words.
fn channel(topic: Topic) -> String {
    match topic {
        Topic::Quotes(_) => "ticker".to_owned(),
        Topic::Trades(_) => "market_trades".to_owned(),
        Topic::Depth(_) => "level2".to_owned(),
        Topic::Candles(_, CANDLES) => "candles".to_owned(),
        Topic::Candles(_, interval) => format!("candles_{interval}"),
        Topic::Account(_) => "user".to_owned(),
    }
}

impl Spelling for Words {
    const PING: &'static str = "";
    const PACE: Pace = Pace::of(40);

    fn book(instrument: InstrumentId) -> OrderBook {
        OrderBook::new(instrument, LEVELS_MAX)
    }

    /// Most channels are closed after a minute without updates, unless this one is subscribed.
    fn greeting(&self) -> Option<String> {
        Some(json!({"type": "subscribe", "channel": "heartbeats"}).to_string())
    }

    /// One message for each channel.
    fn request(
        &mut self,
        verb: Verb,
        _request: u64,
        topics: &[Topic],
        symbols: &SymbolTable,
    ) -> Vec<String> {
        let mut channels: Vec<(String, Vec<&str>)> = Vec::new();
        for topic in topics {
            match verb {
                Verb::Subscribe => self.ending.remove(topic),
                Verb::Unsubscribe => self.ending.insert(*topic),
            };
            let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
            let (channel, symbol) = (channel(*topic), symbol.unwrap_or("UNKNOWN"));
            match channels.iter_mut().find(|(known, _)| *known == channel) {
                Some((_, symbols)) => symbols.push(symbol),
                None => channels.push((channel, vec![symbol])),
            }
        }
        let text = |(channel, symbols): (String, Vec<&str>)| {
            json!({"type": verb.word(), "channel": channel, "product_ids": symbols}).to_string()
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
        let frame = match codec::read(text) {
            Ok(frame) => frame,
            Err(why) => return on(Incoming::Ignored(why)),
        };
        if let Some(number) = frame.sequence {
            match self.last.replace(number) {
                Some(last) if number <= last => {
                    self.last = Some(last);
                    return on(Incoming::Ignored(Ignored::Repeated));
                }
                Some(last) if number > last + 1 => {
                    let missing = number - last - 1;
                    on(Incoming::Gap { missing });
                    kept.books.lose_all(received_at, on);
                    // The last state of one that has closed meanwhile may be missing.
                    self.candles = OpenCandles::default();
                }
                _ => {}
            }
        }
        match frame.said {
            Said::Data(data) if data.is_book() => {
                books(&data, frame.sequence, received_at, symbols, kept, on);
            }
            Said::Data(data) => {
                let books = &kept.books;
                let mut on = |incoming| on(books.instead_of_quote(incoming));
                codec::decode(&data, received_at, symbols, &mut self.candles, &mut on);
            }
            Said::Alive => on(Incoming::Pong),
            Said::Subscribed(data) => self.subscribed(&data, symbols, kept, on),
            Said::Refused { message } => {
                on(kept.requests.refused(None, message, &mut kept.books));
            }
            Said::Other => on(Incoming::Ignored(Ignored::NotWanted)),
        }
    }
}

/// A ticker tells the best prices of the last trade only: while there is a book, quotes are its best levels.
fn books(
    data: &Data<'_>,
    sequence: Option<u64>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    kept: &mut Kept,
    on: &mut impl FnMut(Incoming<MarketEvent>),
) {
    for event in data.events() {
        let named = event.and_then(|event| {
            let symbol = event.symbol().ok_or(Ignored::NoSymbol)?;
            let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol)?;
            Ok((event, instrument))
        });
        let (event, instrument): (_, &Instrument) = match named {
            Ok(named) => named,
            Err(why @ Ignored::WrongSymbol) => {
                on(Incoming::Ignored(why));
                continue;
            }
            // What follows it may have been a change of any book.
            Err(why) => {
                on(Incoming::Ignored(why));
                return kept.books.lose_all(received_at, on);
            }
        };
        let read = codec::decode_book(&event, sequence, instrument, &mut kept.books.levels);
        let mut with_quote = |incoming: Incoming<MarketEvent>| {
            let quote = match &incoming {
                Incoming::Event {
                    event: MarketEvent::Depth(depth),
                    ..
                } => depth
                    .bids
                    .first()
                    .zip(depth.asks.first())
                    .map(|(bid, ask)| Quote {
                        instrument: instrument.id,
                        bid: bid.price,
                        ask: ask.price,
                        bid_quantity: bid.quantity,
                        ask_quantity: ask.quantity,
                        event_time: data.time(),
                        received_at,
                    }),
                _ => None,
            };
            on(incoming);
            if let Some(quote) = quote {
                on(Incoming::Event {
                    topic: Topic::Quotes(instrument.id),
                    sequence: None,
                    event: MarketEvent::Quote(quote),
                });
            }
        };
        kept.books
            .take_read(instrument.id, read, received_at, &mut with_quote);
    }
}

impl Words {
    /// The venue answers each request with all that is subscribed.
    fn subscribed(
        &mut self,
        data: &Data<'_>,
        symbols: &SymbolTable,
        kept: &mut Kept,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let mut listed = BTreeSet::new();
        let read = data.subscribed(|channel, symbol| {
            let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol);
            if let Ok(topic) = instrument.and_then(|one| codec::topic(channel, one)) {
                listed.insert(topic);
            }
        });
        if let Err(why) = read {
            return on(Incoming::Ignored(why));
        }
        let ended: Vec<Topic> = self.ending.difference(&listed).copied().collect();
        for topic in &ended {
            self.ending.remove(topic);
        }
        let begun = listed.difference(&self.ending).copied();
        for topic in begun.chain(ended) {
            let acked = kept.requests.acked_topic(Ok(topic));
            if matches!(acked, Incoming::Acked { .. }) {
                on(acked);
            }
        }
    }
}
