//! Rules that say what a built-in strategy does decide the same on the same candles.

use std::collections::BTreeMap;

use tradewind_model::{
    Amount, Candle, Decision, InstrumentId, Interval, Parameter, Ppm, Timestamp,
};
use tradewind_rules::RuleText;

use super::market::{Market, rules};

/// Candles of BTC/USDT in 2018. None, with a message, where the test data is not there.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "recorded data lies beside the repository"
)]
fn candles(interval: Interval) -> Option<Vec<Candle>> {
    let Some(folder) = std::env::var_os("TRADEWIND_TEST_DATA") else {
        assert!(std::env::var_os("CI").is_none(), "CI has the test data");
        eprintln!("SKIPPED: TRADEWIND_TEST_DATA is not set, so no candles were read");
        return None;
    };
    let name = format!("data/binance_multi_tf_2018/BTC_USDT-{interval}.csv");
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let price = |cell: &str| {
            let instrument = super::market::instrument("x");
            instrument.price_from_f64(cell.parse().unwrap()).unwrap()
        };
        Candle {
            instrument: InstrumentId(0),
            interval,
            complete: true,
            open_time: Timestamp::from_secs(cells[0].parse().unwrap()),
            open: price(cells[1]),
            high: price(cells[2]),
            low: price(cells[3]),
            close: price(cells[4]),
            volume: cells[5].parse::<Amount>().unwrap(),
        }
    };
    Some(
        text.lines()
            .skip(1)
            .filter(|line| !line.is_empty())
            .map(row)
            .collect(),
    )
}

/// The candles at which a strategy changes its position, with the new exposure.
fn turns(market: &mut Market, candles: &[Candle]) -> Vec<(Timestamp, Ppm)> {
    let mut turns = Vec::new();
    for candle in candles {
        let before = market.exposure;
        if let Decision::Target(target) = market.candle(candle)
            && target.exposure != before
        {
            turns.push((candle.close_time(), target.exposure));
        }
    }
    turns
}

fn text(value: &str) -> Parameter {
    match value.parse() {
        Ok(number) => Parameter::Number(number),
        Err(_) => Parameter::Text(value.to_owned()),
    }
}

fn check(name: &str, given: &[(&str, &str)], interval: Interval, own: &RuleText, least: usize) {
    let given: BTreeMap<String, Parameter> = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), text(value)))
        .collect();
    let own = RuleText {
        timeframe: Some(interval),
        ..own.clone()
    };
    let Some(candles) = candles(interval) else {
        return;
    };
    let wanted = turns(&mut Market::of(name, &given), &candles);
    let found = turns(&mut Market::new(&own), &candles);
    assert_eq!(found, wanted, "{name} on {interval}");
    assert!(
        found.len() >= least,
        "{name} on {interval} turned {} times",
        found.len()
    );
}

const INTERVALS: [&str; 8] = ["1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d"];

fn each(of: impl Fn(&str, Interval) -> usize) {
    for name in INTERVALS {
        of(name, name.parse().unwrap());
    }
}

#[test]
fn rsi_reversion_as_rules() {
    let own = rules("rsi(14) < 40", "rsi(14) > 55");
    each(|name, interval| {
        let given = [("interval", name), ("entry", "40")];
        check("rsi_reversion", &given, interval, &own, 1);
        0
    });
}

#[test]
fn bollinger_reversion_as_rules() {
    let own = rules(
        "close < bbands(20, 2).lower",
        "close > bbands(20, 2).middle",
    );
    each(|name, interval| {
        check(
            "bollinger_reversion",
            &[("interval", name)],
            interval,
            &own,
            4,
        );
        0
    });
}

#[test]
fn macd_as_rules() {
    let mut own = rules("cross_above(m.histogram, 0)", "m.histogram < 0");
    own.lets
        .insert("m".to_owned(), "macd(12, 26, 9)".to_owned());
    each(|name, interval| {
        check("macd", &[("interval", name)], interval, &own, 4);
        0
    });
}

#[test]
fn donchian_breakout_as_rules() {
    let own = rules("close > highest(high, 20)[1]", "close < lowest(low, 10)[1]");
    each(|name, interval| {
        check(
            "donchian_breakout",
            &[("interval", name)],
            interval,
            &own,
            2,
        );
        0
    });
}

/// The trend is that of candles of another length, which come first where both close at once.
#[test]
fn rsi_trend_as_rules() {
    let pairs = [
        (Interval::Minute5, Interval::Hour1),
        (Interval::Minute15, Interval::Hour4),
        (Interval::Hour1, Interval::Day1),
    ];
    let mut turned = 0;
    for (short, long) in pairs {
        let (Some(of_short), Some(of_long)) = (candles(short), candles(long)) else {
            return;
        };
        let mut all: Vec<Candle> = of_short.iter().chain(&of_long).copied().collect();
        all.sort_by_key(|candle| (candle.close_time(), std::cmp::Reverse(candle.interval)));
        let given = BTreeMap::from([
            ("interval".to_owned(), text(short.name())),
            ("trend_interval".to_owned(), text(long.name())),
            ("period".to_owned(), text("5")),
            ("trend_period".to_owned(), text("5")),
            ("entry".to_owned(), text("45")),
            ("exit".to_owned(), text("60")),
        ]);
        let mut own = rules("up and rsi(5) < 45", "not up or rsi(5) > 60");
        own.timeframe = Some(short);
        own.lets
            .insert("up".to_owned(), format!("(close > ema(5))@{long}"));
        let wanted = turns(&mut Market::of("rsi_trend", &given), &all);
        let found = turns(&mut Market::new(&own), &all);
        assert_eq!(found, wanted, "{short} and {long}");
        turned += found.len();
    }
    assert!(turned > 4, "{turned}");
}
