//! An independent rebuild of recorded books, in the plainest way: texts into a sorted map, no rule but "0 removes".

use std::collections::BTreeMap;

use serde_json::Value;
use tradewind_model::{Instrument, Level, Price, Quantity, parse_fixed};
use tradewind_venues::book::OrderBook;

/// Digits after the point of the keys.
const PLACES: u8 = 12;

/// One book, as texts by price.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlainBook {
    pub(crate) bids: BTreeMap<i128, (String, String)>,
    pub(crate) asks: BTreeMap<i128, (String, String)>,
}

impl PlainBook {
    /// Takes levels of the form `[[price, size, …], …]`.
    pub(crate) fn change(side: &mut BTreeMap<i128, (String, String)>, levels: &Value) {
        for level in levels.as_array().unwrap() {
            let text = |at: usize| level[at].as_str().unwrap().to_owned();
            let key = parse_fixed(&text(0), PLACES).unwrap();
            if parse_fixed(&text(1), PLACES).unwrap() == 0 {
                side.remove(&key);
            } else {
                side.insert(key, (text(0), text(1)));
            }
        }
    }

    /// Bids and asks, best first, in the instrument's units.
    pub(crate) fn levels(&self, instrument: &Instrument) -> [Vec<Level>; 2] {
        let count = |text: &str, decimals: u8| {
            let unit = 10_i128.pow(u32::from(PLACES - decimals));
            i64::try_from(parse_fixed(text, PLACES).unwrap() / unit).unwrap()
        };
        let level = |(price, size): &(String, String)| Level {
            price: Price(count(price, instrument.price_decimals)),
            quantity: Quantity(count(size, instrument.quantity_decimals)),
        };
        [
            self.bids.values().rev().map(level).collect(),
            self.asks.values().map(level).collect(),
        ]
    }

    /// Compares every level with a book of ours.
    pub(crate) fn assert_same(&self, book: &OrderBook, instrument: &Instrument, place: &str) {
        let [bids, asks] = self.levels(instrument);
        assert!(bids.iter().copied().eq(book.bids()), "bids, {place}");
        assert!(asks.iter().copied().eq(book.asks()), "asks, {place}");
    }
}

/// The lines of a raw capture that the venue sent.
pub(crate) fn frames(text: &str) -> impl Iterator<Item = &str> {
    let frame = |line: &'_ str| -> Option<usize> {
        let (stamp, _) = line.split_once(": ")?;
        stamp.parse::<f64>().is_ok().then_some(stamp.len() + 2)
    };
    text.lines()
        .filter_map(move |line| frame(line).and_then(|at| line.get(at..)))
}
