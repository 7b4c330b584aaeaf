//! One small market per strategy, worked out by hand: closes in, decisions out.

use tradewind_model::Interval::{self, Minute1, Minute15};

use crate::market::{Stage, quote, text_of};

/// Warms `stage` up on `history`, then compares what it says of each close with the words beside it.
fn check(stage: &mut Stage, history: &[i64], cases: &[(i64, &str)]) {
    for price in history {
        let decision = text_of(&stage.close(Minute1, *price));
        assert!(
            decision.starts_with("hold: warming up"),
            "{price}: {decision}"
        );
    }
    for (place, (price, wanted)) in cases.iter().enumerate() {
        assert_eq!(
            text_of(&stage.close(Minute1, *price)),
            *wanted,
            "case {place}"
        );
    }
}

#[test]
fn rsi_reversion_buys_low_and_sells_recovered() {
    let mut stage = Stage::new("rsi_reversion", &[("period", "2")]);
    let history = [100, 101].repeat(8);
    check(
        &mut stage,
        &history,
        &[
            (102, "hold: RSI 83.33, needs < 30"),
            (100, "1: RSI 27.78, below 30"),
            (100, "hold: long for 1 min: RSI 27.78, exits > 55"),
            (99, "hold: long for 2 min: RSI 11.9, exits > 55"),
            (103, "0: RSI 84.19, above 55"),
            (104, "hold: RSI 88.79, needs < 30"),
        ],
    );
}

#[test]
fn bollinger_reversion_buys_below_the_band_and_sells_above_the_middle() {
    let given = [("period", "4"), ("deviations", "1")];
    let mut stage = Stage::new("bollinger_reversion", &given);
    check(
        &mut stage,
        &[10_000, 10_000, 10_000],
        &[
            // Of a flat market the bands have no width, and the close lies on all of them.
            (10_000, "hold: close 100, needs < 100"),
            // Middle 99, deviation sqrt(3).
            (9_600, "1: close 96 below band 97.27"),
            // Middle 98.5, deviation 1.658.
            (9_800, "hold: long for 1 min: close 98, exits > 98.5"),
            (10_100, "0: close 101 above middle 98.75"),
        ],
    );
}

#[test]
fn macd_enters_at_a_crossing_and_leaves_below_zero() {
    let given = [("fast", "1"), ("slow", "2"), ("signal", "1")];
    // The signal of period 1 is the line itself: the histogram is always 0, and nothing ever crosses.
    let mut stage = Stage::new("macd", &given);
    let history = [100; 12];
    check(
        &mut stage,
        &history,
        &[
            (
                130,
                "hold: histogram 0 is above 0 already, waits for the next crossing",
            ),
            (
                90,
                "hold: histogram 0 is above 0 already, waits for the next crossing",
            ),
        ],
    );

    let given = [("fast", "1"), ("slow", "2"), ("signal", "2")];
    let mut stage = Stage::new("macd", &given);
    let history = [10_000; 16];
    check(
        &mut stage,
        &history,
        &[
            // Line 3 - 2 = 1.00, signal 0.667.
            (10_300, "1: histogram 0.33333 crossed above 0"),
            // Slow 102.67, line 0.33, signal 0.44.
            (10_300, "0: histogram -0.11111 is below 0"),
            (10_300, "hold: histogram -0.11111, needs to cross above 0"),
        ],
    );
}

#[test]
fn donchian_breakout_buys_above_the_channel_before_and_sells_below_it() {
    let given = [("entry_period", "3"), ("exit_period", "2")];
    let mut stage = Stage::new("donchian_breakout", &given);
    check(
        &mut stage,
        &[200_000, 200_200, 200_100],
        &[
            (200_200, "hold: close 2002, needs > 2002"),
            (200_201, "1: close 2002.01 above 2002"),
            (200_500, "hold: long for 1 min: close 2005, exits < 2002"),
            (
                200_201,
                "hold: long for 2 min: close 2002.01, exits < 2002.01",
            ),
            (200_200, "0: close 2002 below 2002.01"),
            (200_100, "hold: close 2001, needs > 2005"),
        ],
    );
}

#[test]
fn a_margin_makes_a_breakout_clear_the_channel_by_its_usual_range() {
    let given = [
        ("entry_period", "2"),
        ("exit_period", "2"),
        ("atr_period", "1"),
        ("margin", "0.5"),
    ];
    let mut stage = Stage::new("donchian_breakout", &given);
    // Ranges of 4.00 around 100.00: a close must be above 102.00 + 2.00.
    for _ in 0..8 {
        stage
            .candle(Minute1, [10_000, 10_200, 9_800, 10_000])
            .unwrap();
    }
    let decision = stage
        .candle(Minute1, [10_000, 10_400, 10_000, 10_400])
        .unwrap();
    assert_eq!(text_of(&decision), "hold: close 104, needs > 104");
    let decision = stage
        .candle(Minute1, [10_400, 10_700, 10_400, 10_700])
        .unwrap();
    assert_eq!(text_of(&decision), "1: close 107 above 106");
}

/// A stage of `rsi_trend` with both kinds of candle warm; the trend's last closes are `trend`.
fn in_a_trend(trend: [i64; 2]) -> Stage {
    let given = [
        ("interval", "1m"),
        ("trend_interval", "15m"),
        ("period", "2"),
        ("trend_period", "2"),
    ];
    let mut stage = Stage::new("rsi_trend", &given);
    for price in [10_000; 6].into_iter().chain(trend) {
        stage.close(Minute15, price);
    }
    for price in [10_000, 10_100].repeat(8) {
        stage.close(Minute1, price);
    }
    stage
}

#[test]
fn rsi_trend_buys_a_setback_in_a_rising_market_only() {
    let check = |stage: &mut Stage, interval: Interval, cases: &[(i64, &str)]| {
        for (price, wanted) in cases {
            assert_eq!(text_of(&stage.close(interval, *price)), *wanted);
        }
    };
    let mut rising = in_a_trend([10_300, 10_500]);
    check(
        &mut rising,
        Minute1,
        &[
            (10_200, "hold: trend is up; RSI 83.33, needs < 40"),
            (10_000, "1: trend is up; RSI 27.78, below 40"),
            (
                10_000,
                "hold: long for 1 min: trend is up; RSI 27.78, exits > 60",
            ),
        ],
    );
    let falls = "hold: trend is down: close 90 not above average 94.67";
    check(&mut rising, Minute15, &[(9_000, falls)]);
    let leaves = [(10_000, "0: trend is down; RSI 27.78")];
    check(&mut rising, Minute1, &leaves);

    let mut falling = in_a_trend([9_700, 9_500]);
    let waits = [(
        9_000,
        "hold: trend is down, needs up; RSI 5.5557, needs < 40",
    )];
    check(&mut falling, Minute1, &waits);
}

#[test]
fn momentum_timer_holds_more_the_further_the_price_has_risen() {
    let given = [("lookback", "2"), ("full_rise", "1")];
    let mut stage = Stage::new("momentum_timer", &given);
    let cases = [
        (10_000, "hold: warming up: 1 of 2 evaluations"),
        (10_000, "hold: warming up: 2 of 2 evaluations"),
        (10_020, "hold: rose 0.2 %, needs 0.25 %"),
        (10_060, "0.5: rose 0.6 %, full at 1 %"),
        (10_075, "hold: long for 15 min: rose 0.5489 %, exits < 0"),
        (10_200, "1: rose 1.3917 %, full at 1 %"),
        (10_080, "hold: long for 45 min: rose 0.049628 %, exits < 0"),
        (10_100, "0: fell: -0.98039 %"),
    ];
    for (bid, wanted) in cases {
        let quote = quote(bid - 1, bid + 1);
        assert_eq!(text_of(&stage.timer(Some(&quote)).unwrap()), wanted);
    }
    let unusable = "hold: no usable quote";
    assert_eq!(text_of(&stage.timer(None).unwrap()), unusable);
    assert_eq!(text_of(&stage.timer(Some(&quote(5, 5))).unwrap()), unusable);
}
