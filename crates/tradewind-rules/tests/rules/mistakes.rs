//! Mistakes, each with its column and its cure, and all at once.

use tradewind_rules::{AddText, ClauseText, ParamText, RuleText, Rules};

use proptest::prelude::*;

use super::market::rules;

/// What is said of an entry.
fn check(enter: &str, wanted: &str) {
    let text = RuleText {
        lets: [
            ("r".to_owned(), "rsi(14)".to_owned()),
            ("up".to_owned(), "close > open".to_owned()),
        ]
        .into(),
        params: [(
            "n".to_owned(),
            ParamText {
                value: "14".parse().unwrap(),
                min: None,
                max: None,
            },
        )]
        .into(),
        ..rules(enter, "close < 1")
    };
    let errors = Rules::compile(&text).expect_err(enter);
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines.join("\n"), wanted, "of {enter}");
}

#[test]
fn the_parser_names_the_column_and_the_cure() {
    check(
        "close >",
        "enter[0].when: column 8: it ends where a value is missing; write a value there, or take out what stands before it",
    );
    check(
        "(close > open",
        "enter[0].when: column 14: the end where \")\" is missing; close what column 1 opens with )",
    );
    check(
        "close = 5",
        "enter[0].when: column 7: \"=\" compares nothing; write == to compare",
    );
    check(
        "1 < close < 5",
        "enter[0].when: column 11: comparisons in a row; write a < b and b < c",
    );
    check(
        "close > open open",
        "enter[0].when: column 14: \"open\" follows a complete expression; join the two with and, or, or an operator",
    );
    check(
        "close > 5 && up",
        "enter[0].when: column 11: '&' means nothing here; write and",
    );
    check(
        "!up",
        "enter[0].when: column 1: \"!\" means nothing here; write not",
    );
    check(
        "",
        "enter[0].when: column 1: nothing is written here; write an expression such as close > sma(200)",
    );
    check(
        "close > sma(20)@7m",
        "enter[0].when: column 17: no candles of 7m; write one of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w",
    );
    check(
        "hour in 7",
        "enter[0].when: column 10: a range without \"..\"; write both ends, such as 7..20",
    );
    check(
        "position > 5",
        "enter[0].when: column 1: \"position\" is no value by itself; write position.profit, position.entry, position.bars or position.age",
    );
}

#[test]
fn the_checker_names_the_column_and_the_cure() {
    check(
        "clsoe > open",
        "enter[0].when: column 1: no value \"clsoe\"; did you mean close?",
    );
    check(
        "close > smaa(20)",
        "enter[0].when: column 9: no function \"smaa\"; did you mean sma?",
    );
    check(
        "rsi > 5",
        "enter[0].when: column 1: no value \"rsi\"; call it: rsi(…)",
    );
    check(
        "close(3) > 5",
        "enter[0].when: column 1: no function \"close\"; write close without brackets",
    );
    check(
        "rsi(14, 3, 2) > 5",
        "enter[0].when: column 1: rsi does not take 3 values; write rsi(period) or rsi(x, period)",
    );
    check(
        "atr(close, 14) > 5",
        "enter[0].when: column 1: atr does not take 2 values; write atr(period)",
    );
    check(
        "rsi(0) > 5",
        "enter[0].when: column 5: 0 as the period of rsi; write a whole number from 1 to 100000",
    );
    check(
        "rsi(2.5) > 5",
        "enter[0].when: column 5: 2.5 as the period of rsi; write a whole number from 1 to 100000",
    );
    check(
        "rsi(volume) > 5",
        "enter[0].when: column 5: the period of rsi changes; write a number: rsi(period) or rsi(x, period)",
    );
    check(
        "macd(12, 26, 9) > 0",
        "enter[0].when: column 1: macd has the lines line, signal, histogram; name one: macd(fast, slow, signal) or macd(x, fast, slow, signal).line",
    );
    check(
        "macd(12, 26, 9).signl > 0",
        "enter[0].when: column 1: macd has no line \"signl\"; did you mean signal?",
    );
    check(
        "close > r",
        "enter[0].when: column 1: a price > a number on a scale of its own: the two are of different kinds; hold a price against a price, a share against a share",
    );
    check(
        "r > 70%",
        "enter[0].when: column 1: a number on a scale of its own > a share: the two are of different kinds; write the number without the percent sign: 70",
    );
    check(
        "roc(15) > 2",
        "enter[0].when: column 1: a share > a number: the two are of different kinds; write the number with its unit: 2% or 200%",
    );
    check(
        "close",
        "enter[0].when: column 1: a price where enter needs a condition; compare it with something, such as > 0",
    );
    check(
        "up and close",
        "enter[0].when: column 8: a price where and needs a condition; compare it with something, such as > 0",
    );
    check(
        "up > 1",
        "enter[0].when: column 1: true or false where a number is needed; write a number there, or join conditions with and, or",
    );
    check(
        "bid[1] > ask",
        "enter[0].when: column 1: only values of candles have a past; take the brackets out, or use close in place of a quote",
    );
    check(
        "sma(bid, 20) > 5",
        "enter[0].when: column 5: sma is of candles, and this is of this moment; use a value of candles, such as close",
    );
    check(
        "((close)@1h > 5)@4h",
        "enter[0].when: column 2: \"@\" inside of another \"@\"; take one of them out",
    );
    check(
        "of(\"BTC\", close) > 5",
        "enter[0].when: column 4: \"BTC\" is no instrument; write BASE/QUOTE, with a venue before it if need be: \"okx:BTC/USDT\"",
    );
    check(
        "$m > 5",
        "enter[0].when: column 1: no parameter \"$m\"; write params.m = { value = 14, min = 7, max = 21 }",
    );
    check(
        "close[$n + 0.5] > 5",
        "enter[0].when: column 7: 14.5 does not fit here; write a whole number from 0 to 5000",
    );
    check(
        "hour in 20..7",
        "enter[0].when: column 9: an empty range; put the smaller end first; for hours over midnight write hour >= 22 or hour < 6",
    );
    check(
        "series(\"fear\") > 5",
        "enter[0].when: column 8: \"fear\" has no source; write its source before it: series(\"house.fear\")",
    );
    check(
        "book.imbalance(50) > 0",
        "enter[0].when: column 16: 50 does not fit here; write a whole number from 1 to 20",
    );
    check(
        "cross_above(close) ",
        "enter[0].when: column 1: cross_above takes 2 values, and 1 are given; write cross_above(a, b)",
    );
}

#[test]
fn all_mistakes_come_at_once() {
    let clause = |when: &str| ClauseText {
        tag: None,
        when: when.to_owned(),
    };
    let text = RuleText {
        lets: [
            ("a".to_owned(), "b + 1".to_owned()),
            ("b".to_owned(), "a + 1".to_owned()),
            ("unused".to_owned(), "clos".to_owned()),
        ]
        .into(),
        enter: vec![clause("a > 0"), clause("opne > 5 or hihg > 5")],
        exit: vec![clause("close >")],
        add: vec![AddText {
            clause: clause("close < 5"),
            size: "much".to_owned(),
            max: 1,
        }],
        size: Some("20".to_owned()),
        stop: Some("2".to_owned()),
        ..rules("close > 5", "close < 5")
    };
    let errors = Rules::compile(&text).unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let wanted = [
        "let.b: column 1: \"a\" is made of itself; write out one of the names in the circle",
        "enter[1].when: column 1: no value \"opne\"; did you mean open?",
        "enter[1].when: column 13: no value \"hihg\"; did you mean high?",
        "exit[0].when: column 8: it ends where a value is missing; write a value there, or take out what stands before it",
        "size: \"20\" is no size; write a share of the budget (20%), a risk (risk 1%), or an amount with its asset (100 USDT, 0.5 BTC)",
        "stop: column 1: a number where stop needs a price; write a share of the entry price such as 2%, or a price such as lowest(low, 10)",
        "add[0].size: \"much\" is no size; write a share of the first entry, such as 50%",
        "let.unused: column 1: no value \"clos\"; did you mean close?",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn what_rules_need_besides_is_named() {
    let check = |change: &dyn Fn(&mut RuleText), wanted: &str| {
        let mut text = rules("close > 5", "close < 5");
        change(&mut text);
        let errors = Rules::compile(&text).unwrap_err();
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(lines.join("\n"), wanted);
    };
    check(
        &|text| text.enter.clear(),
        "enter: no rule opens a position; write enter = \"close > sma(200)\" or the like",
    );
    check(
        &|text| text.stop = None,
        "stop: missing; write stop = \"2%\", a price such as \"lowest(low, 10)\", or \"none\"",
    );
    check(
        &|text| text.size = Some("risk 1%".to_owned()),
        "size: a risk needs a stop to measure it by; write stop = \"2%\" or a price, or another size",
    );
    check(
        &|text| text.timeframe = None,
        "enter[0].when: column 1: a value of candles, and the bot has no timeframe; write timeframes = [\"5m\"], or another length\nexit[0].when: column 1: a value of candles, and the bot has no timeframe; write timeframes = [\"5m\"], or another length",
    );
    let out_of_range = |text: &mut RuleText| {
        let number = |text: &str| text.parse().unwrap();
        let n = ParamText {
            value: number("30"),
            min: Some(number("7")),
            max: Some(number("21")),
        };
        text.params.insert("n".to_owned(), n);
    };
    check(
        &out_of_range,
        "params.n: 30 is out of its range; write a value from 7 to 21",
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "[a-z0-9$%@.()\\[\\]<>=+*/, \"'-]{0,60}") {
        drop(Rules::compile(&rules(&text, "close < 1")));
    }

    #[test]
    fn no_order_of_words_makes_the_compiler_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "close", "(", ")", "[", "]", "1", "and", "or", "not", "sma", ",", "@", "4h", "rsi(14)", ">", "-", "of", "\"BTC/USDT\"",
                "series", "rank", "at_entry", "position", ".", "profit", "2%", "in", "..", "bid", "tick", "$n", "macd", "signal", "true",
            ]),
            0..25,
        ),
    ) {
        drop(Rules::compile(&rules(&words.join(" "), "close < 1")));
    }
}

/// Rules with names that are made of one another.
fn chain(count: usize, of: impl Fn(&str) -> String) -> RuleText {
    let mut lets = std::collections::BTreeMap::from([("a0".to_owned(), "close".to_owned())]);
    for index in 1..=count {
        lets.insert(format!("a{index}"), of(&format!("a{}", index - 1)));
    }
    RuleText {
        lets,
        ..rules(&format!("a{count} > close"), "close < 1")
    }
}

#[test]
fn names_made_of_names_cost_no_more_than_they_are() {
    // Each doubles the one before: 2^40 uses of the close.
    assert!(Rules::compile(&chain(40, |name| format!("{name} + {name}"))).is_ok());
    let errors = Rules::compile(&chain(2_000, |name| format!("{name} + 1"))).unwrap_err();
    let first = errors[0].to_string();
    assert!(first.contains("operations within one another"), "{first}");
}

#[test]
fn a_rank_is_decided_some_time_after_the_close() {
    check(
        "rank(roc(30)) < 3",
        "enter[0].when: column 1: rank() as candles or quotes come; decide some time after the close, such as wake = \"every 1d at 00:05\"",
    );
}
