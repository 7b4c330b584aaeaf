//! The crossover's known answers: the series that many engines were measured with, all of which agree.
//!
//! Bid starts at 50,000.00; step i adds `splitmix64(42 + (i + 1) * 0x9E3779B97F4A7C15) % 101 - 50` cents; the ask is one
//! cent higher; averages of 10 and 20 quotes; size 1, bought at the ask and sold at the bid.

use tradewind_model::{Ppm, Quote};

use crate::market::{Orders, Stage, exposure, quote, splitmix64, text_of};

/// Orders placed and cents gained.
#[derive(Debug, PartialEq, Eq)]
struct Result {
    orders: u32,
    cash: i64,
}

fn series(quotes: u64) -> impl Iterator<Item = Quote> {
    let mut bid = 5_000_000;
    (0..quotes).map(move |step| {
        let state = 0x9E37_79B9_7F4A_7C15_u64
            .wrapping_mul(step + 1)
            .wrapping_add(42);
        bid += i64::try_from(splitmix64(state) % 101).unwrap() - 50;
        quote(bid, bid + 1)
    })
}

/// Trades the series; every target that changes what is held is an order.
fn run(quotes: u64, orders: Orders) -> Result {
    let mut stage = Stage::new("ma_cross", &[]);
    stage.orders = orders;
    let mut result = Result { orders: 0, cash: 0 };
    for quote in series(quotes) {
        match exposure(&stage.quote(&quote).unwrap()) {
            None => continue,
            Some(Ppm::ONE) => result.cash -= quote.ask.0,
            Some(_) => result.cash += quote.bid.0,
        }
        result.orders += 1;
    }
    result
}

#[test]
fn the_series_gives_the_orders_that_all_engines_agree_on() {
    assert_eq!(run(20_000, Orders::Fill).orders, 895);
    assert_eq!(run(100_000, Orders::Fill).orders, 4_542);
    let whole = Result {
        orders: 45_700,
        cash: -20_885,
    };
    assert_eq!(run(1_000_000, Orders::Fill), whole);
    // Each signal is a change of direction, so it differs from the last without a fill.
    assert_eq!(run(1_000_000, Orders::Fail), whole);
}

#[test]
fn it_speaks_at_a_crossing_only() {
    let mut stage = Stage::new("ma_cross", &[("fast", "1"), ("slow", "2")]);
    // The fast average is the middle itself; the slow one moves two thirds of the way to it.
    let cases = [
        (10_000, "hold: warming up: 1 of 2 quotes"),
        (
            9_980,
            "hold: fast 99.8 not above slow 99.9, waits for it to cross above",
        ),
        (10_200, "1: fast 102 crossed above slow 101.3"),
        (
            10_300,
            "hold: fast 103 above slow 102.43, waits for it to cross below",
        ),
        (9_900, "0: fast 99 crossed below slow 100.14"),
        (
            9_800,
            "hold: fast 98 not above slow 98.71, waits for it to cross above",
        ),
    ];
    for (middle, wanted) in cases {
        let quote = quote(middle - 1, middle + 1);
        assert_eq!(text_of(&stage.quote(&quote).unwrap()), wanted);
    }
}

#[test]
fn a_first_crossing_below_has_nothing_to_sell() {
    let mut stage = Stage::new("ma_cross", &[("fast", "1"), ("slow", "2")]);
    for bid in [10_000, 10_100] {
        stage.quote(&quote(bid, bid + 1)).unwrap();
    }
    let decision = stage.quote(&quote(9_000, 9_001)).unwrap();
    assert!(
        text_of(&decision).ends_with("nothing to sell"),
        "{decision:?}"
    );
}

#[test]
fn a_crossed_or_empty_quote_leaves_the_averages_alone() {
    let mut stage = Stage::new("ma_cross", &[]);
    series(100).for_each(|quote| drop(stage.quote(&quote).unwrap()));
    let before = stage.strategy.save();
    for (bid, ask) in [
        (100, 100),
        (101, 100),
        (0, 1),
        (-5, 3),
        (i64::MAX, i64::MIN),
    ] {
        let decision = stage.quote(&quote(bid, ask)).unwrap();
        assert_eq!(text_of(&decision), "hold: quote crossed or empty");
    }
    assert_eq!(stage.strategy.save(), before);
}
