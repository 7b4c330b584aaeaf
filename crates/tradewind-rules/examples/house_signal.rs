//! The house signal of `docs/rules.md` in a generated market of quotes, books and a signal: prints `time,mid,signal,event` for the picture.
//!
//! It plays the rules alone: an order is filled when the ask comes down to its price within 3 s, an exit at the bid.

#![expect(clippy::print_stdout, reason = "the rows are the output")]

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    Amount, AssetId, CarriedOut, Decimal, Decision, Depth, FeedHealth, Instrument, InstrumentId,
    Level, Numbers, PositionState, Ppm, Price, Quantity, Quote, SeriesNumber, Timestamp,
};
use tradewind_rules::{ClauseText, RuleText, WakeText, build};
use tradewind_strategy::{FeedStatus, View};

fn main() {
    let clause = |when: &str| ClauseText {
        tag: None,
        when: when.to_owned(),
    };
    let text = RuleText {
        wake: WakeText::Quotes,
        lets: BTreeMap::from([(
            "a".to_owned(),
            "series(\"alpha.btc\", max_age = 2s)".to_owned(),
        )]),
        enter: vec![clause(
            "a > 0.6 and book.imbalance(5) > 0.3 and spread < 0.02% and hour in 7..20",
        )],
        exit: vec![clause("a < 0 or position.age > 15m")],
        stop: Some("0.4%".to_owned()),
        price: Some("bid - 1 tick".to_owned()),
        ..RuleText::default()
    };
    let mut strategy = build("rules", &text.to_parameters(), 1).expect("the document's rules");
    let instrument = Instrument {
        price_decimals: 2,
        quantity_decimals: 4,
        ..Instrument::spot(InstrumentId(0), "x:BTC/USDT", AssetId(0), AssetId(1))
    };
    let mut market = Generated::default();
    let mut position = PositionState::default();
    let mut order: Option<(Price, Timestamp)> = None;
    println!("time,mid,signal,event");
    for second in 0..4 * 3_600_i64 {
        let at = Timestamp::from_secs(8 * 3_600 + second);
        let (quote, depth, numbers) = market.step(at, second);
        let mut event = "";
        if let Some((price, until)) = order {
            if quote.ask <= Price(price.0 + 3) {
                position = PositionState {
                    quantity: Quantity(1_000),
                    entry_price: Some(price),
                    opened_at: Some(at),
                };
                (order, event) = (None, "buy");
            } else if at > until {
                order = None;
            }
        }
        let stop = position.entry_price.map(|entry| entry.0 * 996 / 1_000);
        if stop.is_some_and(|stop| quote.bid.0 <= stop) {
            (position, event) = (PositionState::default(), "stop");
        }
        let view = View {
            quote: Some(&quote),
            position,
            budget: Amount::whole(1_000),
            feed: FeedStatus {
                health: FeedHealth::Live,
                since: Timestamp::EPOCH,
            },
            numbers: &numbers,
            carried_out: CarriedOut::All,
            depth: Some(&depth),
            exposure: match order.is_some() || !position.quantity.is_zero() {
                true => Ppm::ONE,
                false => Ppm::ZERO,
            },
            ..View::bare(at, &instrument)
        };
        match strategy.on_quote(&view, &quote) {
            Ok(Decision::Target(target)) if target.exposure == Ppm::ZERO => {
                if !position.quantity.is_zero() {
                    event = "sell";
                }
                (position, order) = (PositionState::default(), None);
            }
            Ok(Decision::Target(target)) => {
                order = target
                    .limit
                    .map(|price| (price, at + Duration::from_secs(3)));
            }
            _ => {}
        }
        if second % 10 == 0 || !event.is_empty() {
            let mid = instrument.price_f64(quote.mid());
            println!("{},{mid:.2},{:.2},{event}", second, market.signal());
        }
    }
}

/// A price that follows a slow signal with noise, in counts, and a book that leans its way.
#[derive(Debug, Default)]
struct Generated {
    state: u64,
    /// In hundredths.
    signal: i64,
    price: i64,
}

impl Generated {
    fn draw(&mut self, below: i64) -> i64 {
        self.state = self
            .state
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        i64::try_from(self.state >> 33).unwrap_or_default() % below
    }

    #[expect(clippy::cast_precision_loss, reason = "it is below 200")]
    fn signal(&self) -> f64 {
        self.signal as f64 / 100.0
    }

    fn step(&mut self, at: Timestamp, second: i64) -> (Quote, Depth, Numbers) {
        if second == 0 {
            self.price = 6_000_000;
        }
        if second % 20 == 0 {
            self.signal = (self.signal + self.draw(61) - 30 - self.signal / 12).clamp(-100, 100);
        }
        self.price += self.signal * 3 / 2 + self.draw(601) - 300;
        let lean = 20 + self.signal.max(-90) * 2 / 3 + self.draw(20);
        let level = |price: i64, quantity: i64| Level {
            price: Price(price),
            quantity: Quantity(quantity.max(1)),
        };
        let (bid, ask) = (self.price, self.price + 2);
        let depth = Depth {
            instrument: InstrumentId(0),
            bids: (0..5).map(|place| level(bid - place, 30 + lean)).collect(),
            asks: (0..5).map(|place| level(ask + place, 40)).collect(),
            received_at: at,
        };
        let quote = Quote {
            instrument: InstrumentId(0),
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: Quantity(30 + lean),
            ask_quantity: Quantity(40),
            event_time: None,
            received_at: at,
        };
        let mut numbers = Numbers::default();
        numbers.keep(SeriesNumber {
            name: "alpha:btc",
            value: Decimal::new(self.signal, 2),
            at,
            received_at: at,
            max_age: None,
        });
        (quote, depth, numbers)
    }
}
