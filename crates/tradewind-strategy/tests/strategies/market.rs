//! A small market to put a strategy into: one instrument, candles in order, a position that fills at once or never.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    Amount, AssetId, Candle, CarriedOut, Decision, Instrument, InstrumentId, Interval, LastEntry,
    Numbers, Parameter, PositionState, Ppm, Price, Quantity, Quote, Timestamp,
};
use tradewind_strategy::{FeedStatus, Reads, Role, Strategy, StrategyError, View, build};

/// Midnight of 2026-01-01, where every market starts.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Prices in cents, the smallest order 10 counts.
pub(crate) fn instrument() -> Instrument {
    Instrument {
        price_max: Price(i64::MAX),
        quantity_min: Quantity(10),
        notional_min: Amount::whole(5),
        ..Instrument::spot(InstrumentId(0), "simx:BTC/USDT", AssetId(0), AssetId(1))
    }
}

/// Parameters from their texts: numbers where they read as such.
pub(crate) fn parameters(given: &[(&str, &str)]) -> BTreeMap<String, Parameter> {
    let read = |text: &str| match text.parse() {
        Ok(number) => Parameter::Number(number),
        Err(_) => Parameter::Text(text.to_owned()),
    };
    let pairs = given
        .iter()
        .map(|(name, text)| ((*name).to_owned(), read(text)));
    pairs.collect()
}

pub(crate) fn quote(bid: i64, ask: i64) -> Quote {
    Quote {
        instrument: InstrumentId(0),
        bid: Price(bid),
        ask: Price(ask),
        bid_quantity: Quantity(1_000),
        ask_quantity: Quantity(1_000),
        event_time: None,
        received_at: START,
    }
}

/// Candle number `index` of `interval`, all four prices given.
pub(crate) fn candle(interval: Interval, index: u32, prices: [i64; 4]) -> Candle {
    let [open, high, low, close] = prices.map(Price);
    Candle {
        instrument: InstrumentId(0),
        interval,
        complete: true,
        open_time: START + interval.duration() * index,
        open,
        high,
        low,
        close,
        volume: Amount::ONE,
    }
}

/// What happens to the orders that follow from a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orders {
    /// They fill before the next wake.
    Fill,
    /// They stand and find no counterpart.
    Fail,
    /// They are all denied.
    Deny,
}

/// One strategy in one market.
#[derive(Debug)]
pub(crate) struct Stage {
    pub strategy: Box<dyn Strategy>,
    pub position: PositionState,
    pub orders: Orders,
    instrument: Instrument,
    /// Number of the next candle, by interval.
    next: BTreeMap<Interval, u32>,
    at: Timestamp,
    pub carried_out: CarriedOut,
    pub last_entry: LastEntry,
}

impl Stage {
    pub(crate) fn new(name: &str, given: &[(&str, &str)]) -> Self {
        Self {
            strategy: build(name, &parameters(given), 1).unwrap(),
            position: PositionState::default(),
            orders: Orders::Fill,
            instrument: instrument(),
            next: BTreeMap::new(),
            at: START,
            carried_out: CarriedOut::All,
            last_entry: LastEntry::Standing,
        }
    }

    /// The same market as it is now, with another strategy in it.
    pub(crate) fn fork(&self, strategy: Box<dyn Strategy>) -> Self {
        Self {
            strategy,
            position: self.position,
            orders: self.orders,
            instrument: self.instrument.clone(),
            next: self.next.clone(),
            at: self.at,
            carried_out: self.carried_out,
            last_entry: self.last_entry,
        }
    }

    /// Closes a candle that has only one price.
    pub(crate) fn close(&mut self, interval: Interval, price: i64) -> Decision {
        self.candle(interval, [price; 4]).unwrap()
    }

    /// Closes the next candle of `interval`, a tenth of a second before the wake.
    pub(crate) fn candle(
        &mut self,
        interval: Interval,
        prices: [i64; 4],
    ) -> Result<Decision, StrategyError> {
        let index = self.next.entry(interval).or_default();
        let candle = candle(interval, *index, prices);
        *index += 1;
        self.at = candle.close_time() + Duration::from_millis(100);
        self.wake(None, |strategy, view| strategy.on_candle(view, &candle))
    }

    /// Feeds the next candle of `interval` as a part of the past.
    pub(crate) fn history(&mut self, interval: Interval, prices: [i64; 4]) -> Decision {
        let index = self.next.entry(interval).or_default();
        let candle = candle(interval, *index, prices);
        *index += 1;
        self.at = candle.close_time() + interval.duration() / 2;
        let position = self.position;
        self.carried_out = CarriedOut::Nothing;
        let decision = self.wake(None, |strategy, view| strategy.on_candle(view, &candle));
        self.carried_out = CarriedOut::All;
        // What is decided on the past is not carried out.
        self.position = position;
        decision.unwrap()
    }

    pub(crate) fn quote(&mut self, quote: &Quote) -> Result<Decision, StrategyError> {
        self.at = self.at + Duration::from_millis(10);
        self.wake(Some(quote), |strategy, view| strategy.on_quote(view, quote))
    }

    pub(crate) fn timer(&mut self, quote: Option<&Quote>) -> Result<Decision, StrategyError> {
        self.at = self.at + Duration::from_secs(900);
        self.wake(quote, |strategy, view| strategy.on_timer(view))
    }

    /// Sells everything behind the strategy's back, as a stop does.
    pub(crate) fn stop_out(&mut self) {
        self.position = PositionState::default();
    }

    fn wake(
        &mut self,
        quote: Option<&Quote>,
        call: impl FnOnce(&mut dyn Strategy, &View<'_>) -> Result<Decision, StrategyError>,
    ) -> Result<Decision, StrategyError> {
        let view = View {
            members: None,
            at: self.at,
            instrument: &self.instrument,
            slot: 0,
            quote,
            position: self.position,
            budget: Amount::whole(1_000),
            role: Role::Traded,
            reads: Reads::none(),
            feed: FeedStatus::default(),
            numbers: Numbers::none(),
            standing: None,
            carried_out: self.carried_out,
            last_entry: self.last_entry,
            depth: None,
            exposure: Ppm::ZERO,
        };
        let decision = call(&mut *self.strategy, &view);
        let is_entry = matches!(&decision, Ok(Decision::Target(target)) if target.exposure.0 != 0);
        if is_entry {
            self.last_entry = match self.orders {
                Orders::Deny => LastEntry::Denied,
                Orders::Fill | Orders::Fail => LastEntry::Standing,
            };
        }
        if let (Ok(decision), Orders::Fill) = (&decision, self.orders) {
            self.fill(decision);
        }
        decision
    }

    fn fill(&mut self, decision: &Decision) {
        self.position = match exposure(decision) {
            None => return,
            Some(Ppm::ZERO) => PositionState::default(),
            Some(_) => PositionState {
                quantity: Quantity(100),
                entry_price: Some(Price(100)),
                opened_at: Some(self.position.opened_at.unwrap_or(self.at)),
            },
        };
    }
}

/// The requested exposure, if any.
pub(crate) fn exposure(decision: &Decision) -> Option<Ppm> {
    match decision {
        Decision::Target(target) => Some(target.exposure),
        Decision::Orders(_)
        | Decision::Hold { .. }
        | Decision::Wait { .. }
        | Decision::MoveStop { .. } => None,
    }
}

/// A decision on one line: `1: RSI 20, below 30` or `hold: RSI 44, needs < 30`.
pub(crate) fn text_of(decision: &Decision) -> String {
    match decision {
        Decision::Target(target) => format!("{}: {}", target.exposure, target.reason),
        Decision::Orders(orders) => {
            format!("{} orders: {}", orders.orders().len(), orders.reason())
        }
        Decision::Hold { reason } => format!("hold: {reason}"),
        Decision::Wait { reason } => format!("wait: {reason}"),
        Decision::MoveStop { stop, reason } => format!("stop at {stop:?}: {reason}"),
    }
}

/// The mixer of splitmix64, for walks that are the same everywhere.
pub(crate) const fn splitmix64(state: u64) -> u64 {
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Candles of a walk that trends and turns: `[open, high, low, close]` each.
pub(crate) fn walk(seed: u64, length: u32) -> Vec<[i64; 4]> {
    let mut close = 1_000_000_i64;
    let mut drift = 0_i64;
    let draw = |index: u32, salt: u64, range: u64| {
        let mixed = splitmix64(seed ^ (u64::from(index) << 8) ^ salt);
        i64::try_from(mixed % range).unwrap()
    };
    let mut candles = Vec::new();
    for index in 0..length {
        if index % 40 == 0 {
            drift = draw(index, 1, 1_201) - 600;
        }
        let open = close;
        close = (close + drift + draw(index, 2, 4_001) - 2_000).max(10_000);
        let high = open.max(close) + draw(index, 3, 800);
        let low = open.min(close) - draw(index, 4, 800);
        candles.push([open, high, low, close]);
    }
    candles
}
