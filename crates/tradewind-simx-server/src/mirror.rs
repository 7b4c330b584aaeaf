//! Another venue's market as this exchange's own: what that venue quotes and prints moves the book here, so that paper
//! orders trade on live prices.
//!
//! It is no client: whoever embeds the exchange reads the venue and puts what it says into a [`MirrorFeed`]. When nothing
//! comes the market stands still, and it says nothing either: its own silence is how its clients learn of it. Events
//! carry this exchange's time, that of the moment they reached it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AssetTable, Candle, Depth, Instrument, InstrumentId, Interval, Quantity, Quote, Timestamp,
    Trade,
};
use tradewind_simx::{Exchange, Kline, KlineStore, MarketEvent, MarketRecord, Outbox};

/// Trades that may wait for the exchange. One more is dropped, counted, and leaves a hole in its minute.
const TRADES_MAX: usize = 65_536;
/// Minutes that may wait: a day of 45 instruments.
const MINUTES_MAX: usize = 65_536;

/// What a mirrored market begins with.
#[derive(Debug)]
pub struct Mirror {
    /// The venue it is a mirror of. A data folder belongs to one.
    pub venue: String,
    /// What is mirrored. Ids are places in this list; the feed and the candles speak of instruments by them.
    pub instruments: Vec<Instrument>,
    /// The names of their assets.
    pub assets: AssetTable,
    /// Closed candles from before the start, by instrument: oldest first, none reaching into the next, minutes last.
    pub candles: Vec<Vec<Candle>>,
    /// What comes in from now on.
    pub feed: MirrorFeed,
}

/// Where the venue's market is put in, from any thread. Nothing here waits: clones share one inbox, which the exchange
/// empties 50 times a second.
///
/// A quote or a book that was not taken in before the next of its instrument, with no trade in between, makes room for
/// it; trades keep their order and are never merged.
#[derive(Clone, Debug, Default)]
pub struct MirrorFeed(Arc<Mutex<Inbox>>);

/// What became of what was put in: quotes, books and trades. The rest has been taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorCounts {
    /// Put in, the lost ones included.
    pub published: u64,
    /// Quotes and books that made room for newer ones.
    pub conflated: u64,
    /// Trades for which there was no room.
    pub dropped: u64,
    /// What waits now.
    pub waiting: u64,
    /// The most that ever waited.
    pub waiting_max: u64,
}

impl MirrorCounts {
    /// One more came, which superseded so many that waited.
    fn came(&mut self, superseded: usize) {
        let superseded = u64::try_from(superseded).unwrap_or(u64::MAX);
        self.published += 1;
        self.conflated += superseded;
        self.waiting = self.waiting + 1 - superseded;
        self.waiting_max = self.waiting_max.max(self.waiting);
    }
}

#[derive(Debug, Default)]
struct Inbox {
    /// In order of arrival.
    pending: Vec<Pending>,
    /// Where each instrument's book lies that no trade has followed.
    newest: BTreeMap<InstrumentId, usize>,
    trades: usize,
    minutes: Vec<Candle>,
    counts: MirrorCounts,
}

/// Something the exchange has not taken in yet.
#[derive(Debug)]
enum Pending {
    Trade(Trade),
    /// The levels, if they were told, and the touch, if it was told after them.
    Book {
        levels: Option<Depth>,
        touch: Option<Quote>,
    },
}

impl MirrorFeed {
    /// The venue's best bid and ask.
    pub fn quote(&self, quote: Quote) {
        let mut inbox = self.inbox();
        if let Pending::Book { touch, .. } = inbox.book(quote.instrument) {
            let older = touch.replace(quote);
            inbox.counts.came(older.iter().count());
        }
    }

    /// The venue's visible levels.
    pub fn depth(&self, depth: Depth) {
        let mut inbox = self.inbox();
        if let Pending::Book { levels, touch } = inbox.book(depth.instrument) {
            let older = (touch.take(), levels.replace(depth));
            inbox
                .counts
                .came(older.0.iter().count() + older.1.iter().count());
        }
    }

    /// A trade at the venue.
    pub fn trade(&self, trade: Trade) {
        let mut inbox = self.inbox();
        if inbox.trades == TRADES_MAX {
            inbox.counts.published += 1;
            inbox.counts.dropped += 1;
            return;
        }
        inbox.trades += 1;
        inbox.counts.came(0);
        inbox.newest.remove(&trade.instrument);
        inbox.pending.push(Pending::Trade(trade));
    }

    /// A minute that closed at the venue: where it differs from what trades came to here, it is right. Candles of other
    /// lengths are ignored.
    pub fn minute(&self, candle: Candle) {
        let mut inbox = self.inbox();
        if candle.interval == Interval::Minute1 && inbox.minutes.len() < MINUTES_MAX {
            inbox.minutes.push(candle);
        }
    }

    /// What fits beside the newest quote and book of each instrument.
    pub const CAPACITY: usize = TRADES_MAX;

    /// What became of what was put in, so far.
    #[must_use]
    pub fn counts(&self) -> MirrorCounts {
        self.inbox().counts
    }

    /// A panic of somebody who held it leaves at worst a record out.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Where an instrument's next quote or levels go: what waits already, unless a trade came after it.
    fn book(&mut self, instrument: InstrumentId) -> &mut Pending {
        let place = *self
            .newest
            .entry(instrument)
            .or_insert_with(|| self.pending.len());
        if place == self.pending.len() {
            self.pending.push(Pending::Book {
                levels: None,
                touch: None,
            });
        }
        &mut self.pending[place]
    }

    /// Moves everything out; `pending` comes empty.
    fn empty(&mut self, pending: &mut Vec<Pending>, minutes: &mut Vec<Candle>) {
        std::mem::swap(pending, &mut self.pending);
        minutes.append(&mut self.minutes);
        self.newest.clear();
        self.trades = 0;
        self.counts.waiting = 0;
    }
}

impl Pending {
    /// Hands it over as the market's events.
    fn play(self, sink: &mut impl FnMut(MarketRecord)) {
        match self {
            Self::Trade(trade) => sink(MarketRecord::Trade(trade)),
            Self::Book { levels, touch } => {
                levels
                    .map(MarketRecord::Levels)
                    .into_iter()
                    .for_each(&mut *sink);
                touch.map(MarketRecord::Quote).into_iter().for_each(sink);
            }
        }
    }
}

/// The mirror inside the exchange.
#[derive(Debug)]
pub(crate) struct MirrorSource {
    venue: String,
    assets: AssetTable,
    feed: MirrorFeed,
    /// The exchange's instruments by the feed's.
    places: Vec<Instrument>,
    minutes: Vec<Candle>,
    /// Memory for what is taken out.
    pending: Vec<Pending>,
}

/// What of a mirror is kept: which it was. Prices and candles are the venue's to tell again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedMirror<'a> {
    pub(crate) venue: Cow<'a, str>,
    /// Balances are kept by asset id, and this says what the ids mean.
    pub(crate) assets: Cow<'a, AssetTable>,
}

/// Why the kept exchange cannot go on under this mirror.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} counts prices or quantities in other decimals than when this folder was first used; give it a new data folder"
)]
pub(crate) struct OtherDecimals(String);

impl MirrorSource {
    /// The source of an exchange that lists the mirror's instruments and nothing else.
    pub(crate) fn new(mirror: &Mirror) -> Self {
        Self {
            venue: mirror.venue.clone(),
            assets: mirror.assets.clone(),
            feed: mirror.feed.clone(),
            places: mirror.instruments.clone(),
            minutes: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// The source of an exchange that was kept and is not ready yet: see [`resume`](Self::resume).
    pub(crate) fn kept(mirror: &Mirror, saved: SavedMirror<'_>) -> Self {
        Self {
            assets: saved.assets.into_owned(),
            ..Self::new(mirror)
        }
    }

    /// Readies the exchange that was kept: its instruments get the venue's rules of today, new ones are listed, and what
    /// was in the book is not believed any more.
    ///
    /// # Errors
    /// An instrument counts in other decimals now.
    pub(crate) fn resume(
        &mut self,
        exchange: &mut Exchange,
        mirror: &Mirror,
        at: Timestamp,
    ) -> Result<(), OtherDecimals> {
        let mut out = Outbox::default();
        for place in 0..exchange.instruments().len() {
            let gone = empty_book(exchange.instruments()[place].id, at);
            exchange.market(at, MarketEvent::Levels(&gone), &mut out);
        }
        for place in &mut self.places {
            let mut asset = |id| self.assets.intern(mirror.assets.name(id));
            place.base = asset(place.base);
            place.quote = asset(place.quote);
            place.settlement = asset(place.settlement);
            admit(exchange, place)?;
        }
        Ok(())
    }

    /// What is to be kept of it.
    pub(crate) const fn saved(&self) -> SavedMirror<'_> {
        SavedMirror {
            venue: Cow::Borrowed(self.venue.as_str()),
            assets: Cow::Borrowed(&self.assets),
        }
    }

    /// Names of asset ids.
    pub(crate) const fn assets(&self) -> &AssetTable {
        &self.assets
    }

    /// The candles `mirror` begins with, in a store of the exchange's instruments.
    pub(crate) fn kline_store(&self, mirror: &Mirror, instruments: &[Instrument]) -> KlineStore {
        let mut past = vec![Vec::new(); instruments.len()];
        let mut minutes = past.clone();
        for (rules, candles) in self.places.iter().zip(&mirror.candles) {
            for candle in candles {
                let series = match candle.interval {
                    Interval::Minute1 => &mut minutes,
                    _ => &mut past,
                };
                series[rules.id.index()].push(kline(rules, candle));
            }
        }
        let mut store = KlineStore::with_recorded(instruments, past);
        for (rules, minutes) in instruments.iter().zip(&minutes) {
            store.refill(rules.id, minutes);
        }
        store
    }

    /// Hands over what came in, as of `now`.
    pub(crate) fn advance(
        &mut self,
        now: Timestamp,
        sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>),
    ) {
        self.feed
            .inbox()
            .empty(&mut self.pending, &mut self.minutes);
        for pending in self.pending.drain(..) {
            pending.play(&mut |mut record| {
                let instrument = match &mut record {
                    MarketRecord::Quote(quote) => &mut quote.instrument,
                    MarketRecord::Trade(trade) => &mut trade.instrument,
                    MarketRecord::Levels(depth) => &mut depth.instrument,
                };
                if let Some(rules) = self.places.get(instrument.index()) {
                    *instrument = rules.id;
                    sink(now, record.as_event());
                }
            });
        }
    }

    /// Hands over the minutes that closed at the venue.
    pub(crate) fn minutes(&mut self, sink: &mut dyn FnMut(InstrumentId, Kline)) {
        for candle in self.minutes.drain(..) {
            if let Some(rules) = self.places.get(candle.instrument.index()) {
                sink(rules.id, kline(rules, &candle));
            }
        }
    }
}

/// Lists an instrument, or gives the one that is listed its new rules; the id is the exchange's from here on.
fn admit(exchange: &mut Exchange, rules: &mut Instrument) -> Result<(), OtherDecimals> {
    let mut listed = exchange.instruments().iter();
    let known = listed.find(|one| (one.base, one.quote) == (rules.base, rules.quote));
    let Some(known) = known else {
        rules.id = exchange.list(rules.clone());
        return Ok(());
    };
    rules.id = known.id;
    let same = exchange.set_rules(rules);
    same.map_err(|_| OtherDecimals(rules.name.clone()))
}

/// A book without a level: nothing can be had until the venue is heard again.
const fn empty_book(instrument: InstrumentId, received_at: Timestamp) -> Depth {
    Depth {
        instrument,
        bids: Vec::new(),
        asks: Vec::new(),
        received_at,
    }
}

/// A candle as a venue tells it. Its worth is its volume at its close, and how many traded and who took is not known: the
/// adapter's candles do not tell.
fn kline(rules: &Instrument, candle: &Candle) -> Kline {
    let unit = rules.quantity_amount(Quantity(1)).0.max(1);
    let volume = Quantity(i64::try_from(candle.volume.0 / unit).unwrap_or(i64::MAX));
    let worth = rules.notional(candle.close, volume);
    Kline {
        open_time: candle.open_time,
        open: candle.open,
        high: candle.high,
        low: candle.low,
        close: candle.close,
        volume,
        quote_volume: worth.unwrap_or_default(),
        trades: u32::from(!volume.is_zero()),
        taker_volume: Quantity::ZERO,
        taker_quote_volume: tradewind_model::Amount::ZERO,
    }
}

#[cfg(test)]
mod tests;
