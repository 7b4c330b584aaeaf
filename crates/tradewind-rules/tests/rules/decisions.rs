//! What rules decide.

use std::time::Duration;

use tradewind_model::{
    CarriedOut, Decimal, Decision, Depth, InstrumentId, LastEntry, Level, Ppm, Price, Quantity,
    SeriesNumber, Stop, Timestamp,
};
use tradewind_rules::{AddText, ClauseText, RuleText, Rules, WakeText};

use super::market::{Market, is_target, rules};

fn clause(when: &str) -> ClauseText {
    ClauseText {
        tag: None,
        when: when.to_owned(),
    }
}

fn reason(decision: &Decision) -> String {
    match decision {
        Decision::Target(target) => target.reason.to_string(),
        Decision::Hold { reason }
        | Decision::Wait { reason }
        | Decision::MoveStop { reason, .. } => reason.to_string(),
        Decision::Orders(_) => String::new(),
    }
}

#[test]
fn a_rule_enters_and_another_leaves_with_their_numbers() {
    let text = RuleText {
        enter: vec![ClauseText {
            tag: Some("high".to_owned()),
            when: "close > 110".to_owned(),
        }],
        ..rules("", "close < 100")
    };
    let mut market = Market::new(&text);
    assert_eq!(reason(&market.close(105.0)), "no rule to enter holds");
    let entry = market.close(111.0);
    assert!(is_target(&entry, Ppm::ONE));
    assert_eq!(reason(&entry), "high: close > 110 (close 111)");
    assert_eq!(reason(&market.close(112.0)), "long, no rule to exit holds");
    let exit = market.close(99.0);
    assert!(is_target(&exit, Ppm::ZERO));
    assert_eq!(reason(&exit), "close < 100 (close 99)");
}

#[test]
fn exit_beats_enter() {
    let mut market = Market::new(&rules("close > 100", "close > 110"));
    assert!(is_target(&market.close(105.0), Ppm::ONE));
    // Both hold: the position is left, and entered only on the next candle.
    assert!(is_target(&market.close(111.0), Ppm::ZERO));
    assert!(is_target(&market.close(111.0), Ppm::ONE));
}

#[test]
fn what_is_unknown_neither_enters_nor_leaves_and_is_waited_on() {
    // Of a flat market: 0 / 0.
    let unknown = "(close - close[1]) / (open - close) > 0";
    let mut market = Market::new(&rules(unknown, "close < 1"));
    market.close(100.0);
    assert_eq!(
        reason(&market.close(101.0)),
        format!("waits on: {unknown} is unknown")
    );
    let mut market = Market::new(&rules("close > 100", &format!("{unknown} or close < 50")));
    assert!(is_target(&market.close(101.0), Ppm::ONE));
    let decision = market.close(102.0);
    assert!(matches!(decision, Decision::Wait { .. }), "{decision:?}");
    // One part of an "or" is enough.
    assert!(is_target(&market.close(49.0), Ppm::ZERO));
    assert_eq!(market.shown(unknown), "unknown");
}

#[test]
fn a_stop_only_tightens_and_is_on_a_tick() {
    let text = RuleText {
        stop: Some("highest(close, 3) - 7.005".to_owned()),
        ..rules("close > 100", "close < 1")
    };
    let mut market = Market::new(&text);
    for close in [90.0, 91.0] {
        market.close(close);
    }
    assert!(is_target(&market.close(101.0), Ppm::ONE));
    let stop = |market: &Market| market.plan.stop;
    // 93.995 is rounded up.
    assert_eq!(stop(&market), Stop::At(Price(9_400)));
    assert!(matches!(
        market.close(103.0),
        Decision::MoveStop {
            stop: Price(9_600),
            ..
        }
    ));
    for close in [99.0, 98.0, 97.0] {
        assert!(matches!(market.close(close), Decision::Hold { .. }));
    }
    assert_eq!(stop(&market), Stop::At(Price(9_600)));
    assert!(matches!(
        market.close(110.0),
        Decision::MoveStop {
            stop: Price(10_300),
            ..
        }
    ));
}

#[test]
fn at_entry_is_the_value_of_the_last_candle_before_the_position() {
    let text = RuleText {
        stop: Some("position.entry - 2*at_entry(highest(high, 2) - lowest(low, 2))".to_owned()),
        ..rules("close > 100", "close < 1")
    };
    let mut market = Market::new(&text);
    market.close(99.0);
    // The range of the two candles is 98 to 102.
    assert!(is_target(&market.close(101.0), Ppm::ONE));
    assert_eq!(market.plan.stop, Stop::At(Price(9_300)));
    for close in [120.0, 90.0, 150.0] {
        assert!(
            matches!(market.close(close), Decision::Hold { .. }),
            "it stays"
        );
    }
}

#[test]
fn at_entry_is_found_again_in_past_candles() {
    let text = RuleText {
        stop: Some("position.entry - at_entry(close)/10".to_owned()),
        ..rules("close > 100", "close < 1")
    };
    let mut first = Market::new(&text);
    first.close(90.0);
    first.close(110.0);
    let mut second = Market::new(&text);
    second.position = first.position;
    second.exposure = first.exposure;
    second.carried_out = CarriedOut::Nothing;
    for close in [90.0, 110.0, 120.0] {
        second.close(close);
    }
    second.carried_out = CarriedOut::All;
    assert!(matches!(
        second.close(121.0),
        Decision::MoveStop {
            stop: Price(9_900),
            ..
        }
    ));
}

#[test]
fn adds_bring_a_position_up_to_the_whole_and_no_further() {
    let text = RuleText {
        add: vec![AddText {
            clause: clause("position.profit < -4%"),
            size: "50%".to_owned(),
            max: 2,
        }],
        ..rules("close > 100", "close < 1")
    };
    let mut market = Market::new(&text);
    assert!(is_target(&market.close(101.0), Ppm(500_000)));
    assert!(matches!(market.close(99.0), Decision::Hold { .. }));
    assert!(is_target(&market.close(96.0), Ppm(750_000)));
    assert!(is_target(&market.close(90.0), Ppm::ONE));
    assert!(matches!(market.close(80.0), Decision::Hold { .. }));
    // A restart counts by what the position is of.
    let mut next = Market::new(&text);
    (next.position, next.exposure) = (market.position, Ppm(750_000));
    assert!(is_target(&next.close(90.0), Ppm::ONE));
    assert!(matches!(next.close(90.0), Decision::Hold { .. }));
}

#[test]
fn an_add_that_was_denied_or_ended_without_a_fill_does_not_count() {
    let text = RuleText {
        add: vec![
            AddText {
                clause: clause("position.profit < -4%"),
                size: "50%".to_owned(),
                max: 2,
            },
            AddText {
                clause: clause("position.profit < -50%"),
                size: "20%".to_owned(),
                max: 1,
            },
        ],
        ..rules("close > 100", "close < 1")
    };
    let mut market = Market::new(&text);
    market.close(101.0);
    let first = market.exposure;
    let exposure = |decision: &Decision| match decision {
        Decision::Target(target) => target.exposure.0 - first.0,
        _ => 0,
    };
    market.fills = false;
    // It is decided again and again, and always the first add.
    let one = exposure(&market.close(90.0));
    for _ in 0..4 {
        assert_eq!(exposure(&market.close(90.0)), one);
    }
    assert!(one > 0);
    market.fills = true;
    assert_eq!(exposure(&market.close(90.0)), one);
    assert_eq!(exposure(&market.close(90.0)), 2 * one);
    assert_eq!(exposure(&market.close(90.0)), 0, "both are made");
    let all = exposure(&market.close(40.0));
    assert!(all > 2 * one, "the other rule");
    assert_eq!(exposure(&market.close(40.0)), 0);
}

/// The candle of 15 minutes that ends when the third one of 5 minutes does.
fn fifteen(market: &Market, close: f64) -> tradewind_model::Candle {
    let price = |price: f64| market.instrument.price_from_f64(price).unwrap();
    tradewind_model::Candle {
        instrument: InstrumentId(0),
        interval: tradewind_model::Interval::Minute15,
        complete: true,
        open_time: market.at - Duration::from_secs(900),
        open: price(close),
        high: price(close + 1.0),
        low: price(close - 1.0),
        close: price(close),
        volume: tradewind_model::Amount::whole(30),
    }
}

#[test]
fn a_close_is_acted_on_once_all_of_it_is_there_whatever_comes_first() {
    // The rule to leave, the last close of 15 minutes, and the exposure after both candles of that moment.
    for (exit, long, wanted) in [
        ("close < 1 or (close < 2)@15m", 105.0, 750_000),
        // It leaves: nothing is added on the way.
        ("close < 1 or (close > 104)@15m", 105.0, 0),
    ] {
        let text = RuleText {
            add: vec![AddText {
                clause: clause("position.profit < -4%"),
                size: "50%".to_owned(),
                max: 2,
            }],
            ..rules("close > 100", exit)
        };
        let mut market = Market::new(&text);
        market.close(90.0);
        market.close(90.0);
        market.close(90.0);
        market.candle(&fifteen(&market, 90.0));
        assert!(is_target(&market.close(101.0), Ppm(500_000)));
        assert!(matches!(market.close(101.0), Decision::Hold { .. }));
        let early = market.close(90.0);
        assert_eq!(
            reason(&early),
            "waits for the other candles of this close",
            "{exit}"
        );
        market.candle(&fifteen(&market, long));
        assert_eq!(market.exposure, Ppm(wanted), "{exit}");
        market.candle(&fifteen(&market, long));
        assert_eq!(market.exposure, Ppm(wanted), "{exit}: once a close");
    }
    // An entry waits, too; an exit that holds does not.
    let text = RuleText {
        exit: vec![clause("close < 50"), clause("(close < 2)@15m")],
        ..rules("close > 100 or (close > 1000)@15m", "")
    };
    let mut market = Market::new(&text);
    market.close(90.0);
    market.close(90.0);
    assert!(matches!(market.close(101.0), Decision::Hold { .. }));
    assert!(is_target(&market.candle(&fifteen(&market, 90.0)), Ppm::ONE));
    market.close(90.0);
    market.close(90.0);
    assert!(is_target(&market.close(49.0), Ppm::ZERO));
    // A close is left on or entered on, not both.
    let text = RuleText {
        exit: vec![clause("close < 50"), clause("(close < 2)@15m")],
        ..rules("close > 40 and (close > 40)@15m", "")
    };
    let mut market = Market::new(&text);
    for _ in 0..3 {
        market.close(90.0);
    }
    assert!(is_target(&market.candle(&fifteen(&market, 90.0)), Ppm::ONE));
    market.close(90.0);
    market.close(90.0);
    assert!(is_target(&market.close(49.0), Ppm::ZERO));
    let late = market.candle(&fifteen(&market, 90.0));
    assert!(matches!(late, Decision::Hold { .. }), "{late:?}");
}

#[test]
fn a_cross_of_this_moment_is_found_whatever_candle_comes_first() {
    let text = rules("cross_above(mid, 100) and (close > 50)@15m", "close < 1");
    for long_first in [false, true] {
        let mut market = Market::new(&text);
        market.quote = Some(market_quote(9_900));
        market.at = Timestamp::from_secs(900);
        market.candle(&fifteen(&market, 90.0));
        market.close(90.0);
        market.close(90.0);
        market.quote = Some(market_quote(10_100));
        market.at = Timestamp::from_secs(1_800);
        let long = fifteen(&market, 90.0);
        if long_first {
            market.candle(&long);
        }
        market.at = Timestamp::from_secs(1_500);
        let mut found = is_target(&market.close(90.0), Ppm::ONE);
        if !long_first {
            found |= is_target(&market.candle(&long), Ppm::ONE);
        }
        assert!(found, "the long candle first: {long_first}");
    }
}

fn market_quote(bid: i64) -> tradewind_model::Quote {
    tradewind_model::Quote {
        instrument: InstrumentId(0),
        bid: Price(bid),
        ask: Price(bid + 1),
        bid_quantity: Quantity(1_000),
        ask_quantity: Quantity(1_000),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

#[test]
fn a_candle_that_decides_nothing_ends_no_wait() {
    let unknown = "(close - close[1]) / (open - close) > 0";
    let text = RuleText {
        wake: WakeText::Timer,
        ..rules("close > 100", &format!("{unknown} or close < 50"))
    };
    let mut market = Market::new(&text);
    let minute = Duration::from_secs(60);
    market.close(101.0);
    assert!(is_target(&market.timer(minute), Ppm::ONE));
    market.at = Timestamp::from_secs(300);
    market.close(101.0);
    assert!(matches!(market.timer(minute), Decision::Wait { .. }));
    market.at = Timestamp::from_secs(600);
    assert!(matches!(market.close(102.0), Decision::Wait { .. }));
    market.at = Timestamp::from_secs(900);
    assert!(is_target(
        &{
            market.close(49.0);
            market.timer(minute)
        },
        Ppm::ZERO
    ));
    market.at = Timestamp::from_secs(1_200);
    assert!(matches!(market.close(49.0), Decision::Hold { .. }));
}

#[test]
fn a_candle_of_another_length_counts_once_it_has_closed() {
    let text = rules("(close > 104)@15m", "close < 1");
    let mut market = Market::new(&text);
    let mut fifteen = market.instrument.clone();
    fifteen.price_decimals = 2;
    for close in [100.0, 110.0, 105.0] {
        let decision = market.close(close);
        assert!(!is_target(&decision, Ppm::ONE), "{decision:?}");
    }
    // The long candle of the same moment comes after the third short one, and decides then.
    let price = |price: f64| fifteen.price_from_f64(price).unwrap();
    let long = tradewind_model::Candle {
        instrument: InstrumentId(0),
        interval: tradewind_model::Interval::Minute15,
        complete: true,
        open_time: Timestamp::EPOCH,
        open: price(100.0),
        high: price(111.0),
        low: price(99.0),
        close: price(105.0),
        volume: tradewind_model::Amount::whole(30),
    };
    assert!(is_target(&market.candle(&long), Ppm::ONE));
    assert!(matches!(market.candle(&long), Decision::Hold { .. }));
}

#[test]
fn quotes_books_series_and_the_clock_are_of_the_moment() {
    let text = RuleText {
        wake: WakeText::Quotes,
        lets: [(
            "a".to_owned(),
            "series(\"alpha.btc\", max_age = 2s)".to_owned(),
        )]
        .into(),
        price: Some("bid - 1 tick".to_owned()),
        stop: Some("0.4%".to_owned()),
        ..rules(
            "a > 0.6 and book.imbalance(2) > 0.3 and spread < 0.02% and hour in 7..20",
            "a < 0 or position.age > 15m",
        )
    };
    let mut market = Market::new(&text);
    market.at = Timestamp::from_secs(8 * 3_600);
    let second = Duration::from_secs(1);
    assert_eq!(
        reason(&market.quote(100.0, 100.01, second))
            .split(' ')
            .next(),
        Some("waits")
    );
    let number = |value: &str, at| SeriesNumber {
        name: "alpha:btc",
        value: value.parse::<Decimal>().unwrap(),
        at,
        received_at: at,
        max_age: None,
    };
    market.numbers.keep(number("0.7", market.at));
    let level = |price: i64, quantity: i64| Level {
        price: Price(price),
        quantity: Quantity(quantity),
    };
    market.depth = Some(Depth {
        instrument: InstrumentId(0),
        bids: vec![level(10_000, 30), level(9_999, 30), level(9_998, 1_000)],
        asks: vec![level(10_001, 10), level(10_002, 10), level(10_003, 9_000)],
        received_at: market.at,
    });
    assert!(matches!(
        market.quote(100.0, 100.03, second),
        Decision::Hold { .. }
    ));
    let entry = market.quote(100.0, 100.01, second);
    let Decision::Target(target) = &entry else {
        panic!("{entry:?}")
    };
    assert_eq!(target.limit, Some(Price(9_999)));
    // The number is older than 2 s now, the age is not reached: the rule to exit is unknown.
    assert!(matches!(
        market.quote(100.0, 100.01, second * 2),
        Decision::Wait { .. }
    ));
    assert!(is_target(
        &market.quote(100.0, 100.01, second * 900),
        Ppm::ZERO
    ));
}

#[test]
fn a_timer_decides_on_the_last_candle_and_a_denied_entry_once_more() {
    let text = RuleText {
        wake: WakeText::Timer,
        ..rules("close > 100", "close < 90")
    };
    let mut market = Market::new(&text);
    assert!(matches!(market.close(101.0), Decision::Hold { .. }));
    market.fills = false;
    assert!(is_target(&market.timer(Duration::from_secs(60)), Ppm::ONE));
    market.last_entry = LastEntry::Denied;
    market.at = Timestamp::from_secs(300);
    assert!(is_target(&market.close(101.0), Ppm::ONE));
    // Candles that stopped coming say nothing of now.
    let decision = market.timer(Duration::from_secs(3_000));
    assert_eq!(reason(&decision), "waits on: close > 100 is unknown");
}

#[test]
fn an_instrument_that_waited_for_another_is_decided_on_once_that_has_closed() {
    let text = rules("of(\"BTC/USDT\", close) > 100", "close < 1");
    let mut market = Market::of_two(&text);
    assert!(
        matches!(market.close(50.0), Decision::Hold { .. }),
        "BTC has not closed"
    );
    assert_eq!(market.strategy.next_ready(), None);
    assert!(!is_target(
        &market.close_other("x:BTC/USDT", 101.0),
        Ppm::ZERO
    ));
    assert_eq!(market.strategy.next_ready(), Some(0));
    assert_eq!(market.strategy.next_ready(), None);
    assert!(is_target(&market.timer(Duration::ZERO), Ppm::ONE));
}

#[test]
fn saved_rules_continue_as_if_nothing_had_happened() {
    let text = RuleText {
        stop: Some("highest(high, 5) - 3*atr(3)".to_owned()),
        ..rules("cross_above(sma(3), sma(5))", "cross_below(sma(3), sma(5))")
    };
    let mut market = Market::new(&text);
    let closes = |from: u32| {
        (from..from + 40).map(|index| 100.0 + f64::from((index * 7) % 23) - f64::from(index % 5))
    };
    for close in closes(0) {
        market.close(close);
    }
    let mut copy = Market::new(&text);
    copy.strategy.restore(&market.strategy.save()).unwrap();
    (copy.position, copy.exposure, copy.at) = (market.position, market.exposure, market.at);
    for close in closes(40) {
        assert_eq!(market.close(close), copy.close(close));
    }
    let other = Market::new(&rules("close > 1", "close < 1"));
    assert!(copy.strategy.restore(&other.strategy.save()).is_err());
}

#[test]
fn sizes_carry_their_unit() {
    let check = |size: Option<&str>, wanted: &str| {
        let text = RuleText {
            size: size.map(str::to_owned),
            stop: Some("2%".to_owned()),
            ..rules("close > 100", "close < 1")
        };
        let rules = Rules::compile(&text).unwrap();
        let found = match rules.sizer("ETH", "USDT") {
            Ok(sizer) => format!("{sizer:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, wanted);
    };
    check(None, "Share(Ppm(900000))");
    check(Some("20%"), "Share(Ppm(200000))");
    check(Some("risk 1%"), "RiskToStop(Ppm(10000))");
    check(Some("100 USDT"), "Value(Amount(100000000000000000000))");
    check(Some("0.5 ETH"), "Fixed(Amount(500000000000000000))");
    check(
        Some("0.5 BTC"),
        "size: BTC is not what ETH/USDT is traded for; write an amount of ETH or of USDT, or a share such as 20%",
    );
}
