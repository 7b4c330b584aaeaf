//! Rules in a bot's table, in a table of their own and in a file, and mistakes in them.

use std::time::Duration;

use tradewind::config::{DeskConfig, RuleFile};
use tradewind_events::WakeRule;
use tradewind_model::{Amount, Interval, OrderPolicy, Ppm, Sizer, Stop};

use super::{BASE, errors, read};

const DOCUMENT: &str = include_str!("../../../../docs/rules.md");

/// The five strategies of the document, as they stand there.
fn strategies() -> Vec<&'static str> {
    let parts = DOCUMENT.split("```toml\n").skip(2);
    parts.filter_map(|part| part.split("```").next()).collect()
}

const SOURCE: &str = "[sources.alpha]\nkind = \"tcp\"\naddress = \"tcp://127.0.0.1:9100\"\ninstruments = [{ name = \"BTC/USDT\" }]\nnumbers = [{ name = \"btc\", max_age = \"10s\" }]\n";

/// A desk with one more bot, whose rules are these.
fn desk(timeframes: &str, rules: &str) -> String {
    let head = "id = \"ruled\"\nstrategy = \"rules\"\naccount = \"paper\"\ninstruments = [\"ETH/USDT\", \"SOL/USDT\"]";
    format!("{BASE}\n{SOURCE}\n[[bots]]\n{head}\ntimeframes = {timeframes}\nbudget = 300\n{rules}")
}

fn bot(rules: &str) -> tradewind::config::BotSettings {
    let config = read(&desk("[\"5m\"]", rules)).unwrap_or_else(|errors| panic!("{errors}"));
    config.bots.last().unwrap().clone()
}

#[test]
fn the_five_strategies_of_the_document_are_read_unchanged() {
    let strategies = strategies();
    assert_eq!(strategies.len(), 5);
    let [dip, breakout, rotation, follower, house] = [0, 1, 2, 3, 4].map(|at| bot(strategies[at]));
    let candles = WakeRule::Candles;
    assert_eq!(
        dip.wakes(),
        [candles(Interval::Minute5), candles(Interval::Hour4)]
    );
    assert_eq!(dip.exit.profit_by_age.len(), 3);
    assert_eq!(dip.exit.profit_by_age[2].1, Ppm::ZERO);
    assert_eq!(dip.sizer, Sizer::Share(Ppm(900_000)));
    assert_eq!(breakout.sizer, Sizer::RiskToStop(Ppm(10_000)));
    assert_eq!(
        breakout.exit.stop,
        Stop::None,
        "it is a price, decided with each target"
    );
    let daily = WakeRule::EveryAt {
        every: Duration::from_secs(86_400),
        offset: Duration::from_secs(300),
    };
    assert!(rotation.wakes().contains(&daily));
    assert!(rotation.wakes().contains(&candles(Interval::Day1)));
    assert_eq!(
        (rotation.sizer, rotation.positions_max),
        (Sizer::Share(Ppm(200_000)), 2)
    );
    assert_eq!(follower.reads, ["binance:BTC/USDT"]);
    assert_eq!(follower.exit.stop, Stop::Distance(Ppm(20_000)));
    assert_eq!(house.wakes()[0], WakeRule::Quotes);
    let OrderPolicy::Limit(policy) = house.policy else {
        panic!("{:?}", house.policy)
    };
    assert!(policy.own_price && policy.post_only);
    assert_eq!(policy.timeout, Some(Duration::from_secs(3)));
    assert_eq!(house.exit.stop, Stop::Distance(Ppm(4_000)));
}

#[test]
fn what_is_shown_is_read_again() {
    let text = desk("[\"5m\"]", strategies()[0]);
    let first = read(&text).unwrap();
    let again = read(&first.show()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.bots, first.bots);
}

#[test]
fn sizes_and_keys_of_other_bots_are_refused_where_they_do_not_fit() {
    let value = bot("enter = \"close > 1\"\nstop = \"2%\"\nsize = \"100 USDT\"");
    assert_eq!(value.sizer, Sizer::Value(Amount::whole(100)));
    let check = |rules: &str, wanted: &[&str]| {
        let found = errors(&desk("[\"5m\"]", rules));
        let found: Vec<&str> = found
            .iter()
            .map(|line| {
                line.split_once("): ")
                    .or_else(|| line.split_once(": "))
                    .map_or(line.as_str(), |(_, what)| what)
            })
            .collect();
        assert_eq!(found, wanted, "{rules}");
    };
    let base = "enter = \"close > 1\"\nstop = \"2%\"\n";
    check(
        &format!("{base}size = \"1 BTC\""),
        &[
            "BTC is not what ETH/USDT is traded for; write an amount of ETH or of USDT, or a share such as 20%",
        ],
    );
    check(
        &format!("{base}sizer = {{ share = \"5%\" }}"),
        &[
            "rules have a size in its place; write size = \"20%\", \"risk 1%\", \"100 USDT\" or \"0.5 BTC\"",
        ],
    );
    check(
        "enter = \"clsoe > 1 or opne > 1\"\nstop = \"2%\"",
        &[
            "column 1: no value \"clsoe\"; did you mean close?",
            "column 14: no value \"opne\"; did you mean open?",
        ],
    );
    check(
        &format!("{base}enterr = 5"),
        &["unknown key; did you mean \"enter\"?"],
    );
    check(
        "enter = \"of(\\\"XRPP/USDT\\\", close) > 1\"\nstop = \"2%\"",
        &["the venue does not list binance:XRPP/USDT; did you mean \"binance:XRP/USDT\"?"],
    );
    check(
        &format!("{base}wake = \"every 1h at 02:00\""),
        &["every 1h has no such time; write a time within the interval, such as every 1h at 00:05"],
    );
    check(
        &format!("{base}roi = [[\"2h\", \"1%\"], [\"0m\", \"2%\"]]"),
        &["the ages do not ascend; put the youngest first"],
    );
    check(
        &format!("{base}order = {{ type = \"market\", price = \"bid\" }}"),
        &["a price without a limit; write type = \"limit\" or \"post_only\""],
    );
}

#[test]
fn what_would_be_unknown_or_mixed_for_ever_is_refused() {
    let check = |rules: &str, wanted: &str| {
        let found = errors(&desk("[\"5m\"]", rules));
        assert_eq!(found.len(), 1, "{rules}: {found:?}");
        assert!(found[0].contains(wanted), "{rules}: {found:?}");
    };
    let stop = "stop = \"2%\"";
    check(
        &format!("enter = \"series(\\\"alpah.btc\\\") > 1\"\n{stop}"),
        "no source \"alpah\" of the series \"alpah:btc\"; did you mean \"alpha\"?",
    );
    check(
        &format!("enter = \"series(\\\"alpha.btd\\\") > 1\"\n{stop}"),
        "has no numbers",
    );
    let both = "of(\\\"BTC/USDT\\\", close) > of(\\\"binance:BTC/USDT\\\", close)";
    check(
        &format!("enter = \"{both}\"\n{stop}"),
        "binance:BTC/USDT has two names in these rules",
    );
    let own = "of(\\\"ETH/USDT\\\", close) > 1";
    check(
        &format!("enter = \"{own}\"\n{stop}\nlane = \"thread\""),
        "it reads binance:ETH/USDT, which it trades as well",
    );
    assert!(read(&desk("[\"5m\"]", &format!("enter = \"{own}\"\n{stop}"))).is_ok());
}

#[test]
fn rules_lie_in_a_file_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let (config, rules) = (
        folder.path().join("desk.toml"),
        folder.path().join("own.toml"),
    );
    std::fs::write(
        &rules,
        "timeframes = [\"1h\"]\nenter = \"close > sma(20)\"\nstop = \"2%\"\n",
    )
    .unwrap();
    let text = desk("[]", "rules = \"own.toml\"").replace("timeframes = []\n", "");
    std::fs::write(&config, &text).unwrap();
    let none = std::collections::BTreeMap::new();
    let listing = tradewind::config::Listing::Generated;
    let read = DeskConfig::load(Some(&config), &none, listing).unwrap();
    let bot = read.bots.last().unwrap();
    assert_eq!(bot.wakes(), [WakeRule::Candles(Interval::Hour1)]);
    std::fs::write(&rules, "enter = \n").unwrap();
    let error = DeskConfig::load(Some(&config), &none, listing)
        .unwrap_err()
        .to_string();
    assert!(error.contains("own.toml: line 1"), "{error}");
}

#[test]
fn a_file_of_rules_is_read_by_itself() {
    let file = RuleFile::read("x.toml", strategies()[1], Some(Interval::Hour1)).unwrap();
    assert_eq!(file.wakes, [WakeRule::Candles(Interval::Hour1)]);
    let error = RuleFile::read("x.toml", "enter = \"close > \"\n", Some(Interval::Hour1));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("column 9: it ends where a value is missing"),
        "{error}"
    );
}
