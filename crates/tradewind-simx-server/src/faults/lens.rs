//! What the market's events look like on their way to the exchange: priced otherwise, or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use tradewind_model::{
    Depth, Instrument, InstrumentId, Level, Ppm, Price, Quote, Side, Timestamp, Trade,
};
use tradewind_simx::{MarketEvent, MarketRecord};

/// How long a fault of prices keeps trades back until the first book at its prices.
const BOOK_FIRST: Duration = Duration::from_secs(1);

/// Prices of one instrument, or of all, times a factor that follows a path.
#[derive(Debug)]
struct PriceScript {
    fault: u64,
    instrument: Option<InstrumentId>,
    start: Timestamp,
    path: Vec<(Duration, Ppm)>,
    /// Instruments with a book at these prices.
    quoted: BTreeSet<InstrumentId>,
}

/// All that bends the market now. An empty lens costs one look.
#[derive(Debug, Default)]
pub(crate) struct Lens {
    prices: Vec<PriceScript>,
    frozen: Vec<(u64, Option<InstrumentId>)>,
}

impl Lens {
    pub(crate) const fn is_clear(&self) -> bool {
        self.prices.is_empty() && self.frozen.is_empty()
    }

    /// Fault `id` multiplies prices by a factor that follows `path` from `start` on.
    pub(crate) fn price(
        &mut self,
        id: u64,
        instrument: Option<InstrumentId>,
        start: Timestamp,
        path: Vec<(Duration, Ppm)>,
    ) {
        self.prices.push(PriceScript {
            fault: id,
            instrument,
            start,
            path,
            quoted: BTreeSet::new(),
        });
    }

    /// Fault `id` holds the market still.
    pub(crate) fn freeze(&mut self, id: u64, instrument: Option<InstrumentId>) {
        self.lift(id);
        self.frozen.push((id, instrument));
    }

    /// Fault `id` is over.
    pub(crate) fn lift(&mut self, id: u64) {
        self.prices.retain(|script| script.fault != id);
        self.frozen.retain(|(known, _)| *known != id);
    }

    /// The event as the exchange is to see it; `None` when it is not to see it. A trade does not jump ahead of its book: a stop that it
    /// triggers would be filled at the prices of before.
    pub(crate) fn bend(
        &mut self,
        at: Timestamp,
        event: MarketEvent<'_>,
        instruments: &[Instrument],
    ) -> Option<MarketRecord> {
        let id = event.instrument();
        let here = |place: &Option<InstrumentId>| place.is_none_or(|place| place == id);
        if self.frozen.iter().any(|(_, place)| here(place)) {
            return None;
        }
        let rules = instruments.get(id.index())?;
        let is_trade = matches!(event, MarketEvent::Trade(_));
        for script in self.prices.iter_mut().filter(|one| here(&one.instrument)) {
            if !is_trade {
                script.quoted.insert(id);
            } else if at.since(script.start) < BOOK_FIRST && !script.quoted.contains(&id) {
                return None;
            }
        }
        let scripts = self.prices.iter().filter(|script| here(&script.instrument));
        let factors: Vec<Ppm> = scripts
            .map(|script| factor(&script.path, at.since(script.start)))
            .collect();
        let bend = |price: Price, side: Side| {
            let scaled = factors.iter().fold(i128::from(price.0), |price, factor| {
                price * i128::from(factor.0) / i128::from(Ppm::ONE.0)
            });
            let price = Price(i64::try_from(scaled).unwrap_or(i64::MAX / 4));
            Price(rules.round_price(price, side).0.max(rules.tick.0))
        };
        Some(match event {
            MarketEvent::Trade(trade) => MarketRecord::Trade(Trade {
                price: bend(trade.price, trade.taker),
                ..trade
            }),
            MarketEvent::Quote(quote) => {
                let bid = bend(quote.bid, Side::Buy);
                let ask = Price(bend(quote.ask, Side::Sell).0.max(bid.0 + rules.tick.0));
                MarketRecord::Quote(Quote { bid, ask, ..quote })
            }
            MarketEvent::Levels(depth) => MarketRecord::Levels(levels(depth, rules, bend)),
        })
    }
}

fn levels(depth: &Depth, rules: &Instrument, bend: impl Fn(Price, Side) -> Price) -> Depth {
    let bent = |levels: &[Level], side| {
        let mut bent: Vec<Level> = Vec::with_capacity(levels.len());
        for level in levels {
            let price = bend(level.price, side);
            match bent.last_mut() {
                // Levels that fall together are one.
                Some(last) if last.price == price => last.quantity += level.quantity,
                _ => bent.push(Level { price, ..*level }),
            }
        }
        bent
    };
    let (bids, mut asks) = (bent(&depth.bids, Side::Buy), bent(&depth.asks, Side::Sell));
    if let Some(bid) = bids.first() {
        asks.retain(|ask| ask.price.0 >= bid.price.0 + rules.tick.0);
    }
    Depth {
        bids,
        asks,
        ..depth.clone()
    }
}

/// The factor after `age`, on a straight line between two points.
fn factor(path: &[(Duration, Ppm)], age: Duration) -> Ppm {
    let after = path.iter().position(|(at, _)| *at > age);
    match after {
        None => path.last().map_or(Ppm::ONE, |(_, factor)| *factor),
        Some(0) => Ppm::ONE,
        Some(next) => {
            let ((from, start), (to, end)) = (path[next - 1], path[next]);
            let nanos = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
            let (gone, whole) = (nanos(age - from), nanos(to - from).max(1));
            let moved = i128::from(end.0 - start.0) * gone / whole;
            Ppm(start.0 + i64::try_from(moved).unwrap_or(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{AssetId, Quantity, TradeId};

    #[test]
    fn a_trade_waits_for_a_book_at_the_prices_of_the_fault() {
        let instruments = [Instrument::spot(
            InstrumentId(0),
            "simx:BTC/USDT".to_owned(),
            AssetId(0),
            AssetId(1),
        )];
        let at = |millis| Timestamp::EPOCH + Duration::from_millis(millis);
        let trade = MarketEvent::Trade(Trade {
            instrument: InstrumentId(0),
            taker: Side::Sell,
            id: TradeId(1),
            price: Price(1_000),
            quantity: Quantity(1),
            event_time: None,
            received_at: at(0),
        });
        let quote = MarketEvent::Quote(Quote {
            instrument: InstrumentId(0),
            bid: Price(1_000),
            ask: Price(1_002),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: at(0),
        });
        let fallen = |quote_at: Option<u64>, trade_at| {
            let mut lens = Lens::default();
            lens.price(1, None, at(0), vec![(Duration::ZERO, Ppm(500_000))]);
            let quoted = quote_at.map(|millis| lens.bend(at(millis), quote, &instruments));
            assert!(quoted.is_none_or(|quoted| quoted.is_some()));
            match lens.bend(at(trade_at), trade, &instruments) {
                Some(MarketRecord::Trade(trade)) => Some(trade.price),
                _ => None,
            }
        };
        assert_eq!(fallen(None, 999), None);
        assert_eq!(fallen(Some(5), 5), Some(Price(500)));
        assert_eq!(fallen(None, 1_000), Some(Price(500)));
    }

    #[test]
    fn a_factor_moves_on_straight_lines() {
        let second = Duration::from_secs;
        let path = [(second(1), Ppm(1_000_000)), (second(3), Ppm(500_000))];
        let check = |millis, wanted| {
            assert_eq!(factor(&path, Duration::from_millis(millis)), Ppm(wanted));
        };
        check(0, 1_000_000);
        check(1_000, 1_000_000);
        check(2_000, 750_000);
        check(3_000, 500_000);
        check(9_000, 500_000);
    }
}
