//! What the values of a good file become.

use std::time::Duration;

use tradewind::config::{AccountSource, Durability};
use tradewind_events::WakeRule;
use tradewind_model::{Interval, LimitPolicy, OnTimeout, OrderPolicy, Ppm, Sizer, Stop};

use crate::{BASE, changed, read};

#[test]
fn a_bot_becomes_what_it_says() {
    let config = read(BASE).unwrap();
    let bot = &config.bots[1];
    assert_eq!(bot.instruments, ["binance:ETH/USDT", "binance:SOL/USDT"]);
    assert_eq!(bot.budget.to_string(), "500.25");
    assert_eq!(bot.sizer, Sizer::RiskToStop(Ppm(10_000)));
    assert_eq!(bot.exit.stop, Stop::Distance(Ppm(20_000)));
    assert_eq!(bot.exit.take_profit, Some(Ppm(30_000)));
    assert_eq!(bot.exit.time, Some(Duration::from_secs(4 * 3_600)));
    assert_eq!(bot.exit.profit_by_age.len(), 2);
    let limit = LimitPolicy {
        offset: Ppm(-200),
        post_only: false,
        timeout: Some(Duration::from_secs(20)),
        chases: 2,
        then: OnTimeout::Cross,
        own_price: false,
    };
    assert_eq!(bot.policy, OrderPolicy::Limit(limit));
    let candles = [Interval::Minute5, Interval::Hour1].map(WakeRule::Candles);
    assert_eq!(bot.wakes(), candles);
    assert_eq!(config.bots[0].wakes(), [WakeRule::Quotes]);
    let quarter = WakeRule::Every(Duration::from_secs(900));
    assert_eq!(config.bots[2].wakes(), [quarter]);
}

#[test]
fn numbers_never_pass_through_a_float() {
    let exact = |text: &str| {
        let text = changed(
            "order_value_max = 1000",
            &format!("order_value_max = {text}"),
        );
        read(&text)
            .unwrap()
            .limits
            .order_value_max
            .unwrap()
            .to_string()
    };
    assert_eq!(exact("0.1"), "0.1");
    assert_eq!(
        exact("90071992547409.930000000000000001"),
        "90071992547409.930000000000000001"
    );
    assert_eq!(exact("\"0.000000000000000001\""), "0.000000000000000001");
    assert_eq!(exact("1_000_000"), "1000000");
    assert_eq!(exact("+7"), "7");
}

#[test]
fn a_live_account_names_its_variables() {
    let live = "mode = \"live\"\nsecret_env = \"MY_SECRET\"";
    let text = changed("mode = \"paper\"\nbalances = { USDT = 10_000 }", live);
    let config = read(&text).unwrap();
    let wanted = AccountSource::Live {
        key_env: "BINANCE_API_KEY".to_owned(),
        secret_env: "MY_SECRET".to_owned(),
    };
    assert_eq!(config.accounts[0].mode, wanted);
}

#[test]
fn a_live_account_makes_intents_survive_power_loss_whatever_the_file_says() {
    let check = |desk: &str, mode: &str, wanted| {
        let balances = "mode = \"paper\"\nbalances = { USDT = 10_000 }";
        let mode = if mode == "live" {
            "mode = \"live\""
        } else {
            balances
        };
        let config = read(&format!("{desk}\n{}", changed(balances, mode))).unwrap();
        assert_eq!(config.desk.durability, wanted, "{desk:?}, {mode:?}");
        let shown = match wanted {
            Durability::Power => "durability = \"power\"",
            Durability::Process => "durability = \"process\"",
        };
        assert!(config.show().contains(shown), "{desk:?}, {mode:?}");
    };
    let (process, power) = (
        "desk.durability = \"process\"",
        "desk.durability = \"power\"",
    );
    check("", "paper", Durability::Process);
    check(process, "paper", Durability::Process);
    check(power, "paper", Durability::Power);
    check("", "live", Durability::Power);
    check(process, "live", Durability::Power);
    check(power, "live", Durability::Power);
}

#[test]
fn a_venue_is_on_this_machine_if_all_its_addresses_are() {
    let remote = |addresses: [&str; 3]| {
        let text = BASE
            .replace("https://api.binance.com", addresses[0])
            .replace("wss://stream.binance.com:9443", addresses[1])
            .replace("wss://ws-api.binance.com:443/ws-api/v3", addresses[2]);
        let venue = read(&text).unwrap().venues.remove(0);
        venue.remote_address().map(ToOwned::to_owned)
    };
    let local = [
        "http://127.0.0.1:9",
        "wss://localhost:9",
        "ws://[::1]:9/ws-api/v3",
    ];
    assert_eq!(remote(local), None);
    let [rest, streams, api] = local;
    let there = Some("https://api.example.org".to_owned());
    assert_eq!(remote(["https://api.example.org", streams, api]), there);
    let there = Some("wss://localhost.example.org".to_owned());
    assert_eq!(remote([rest, "wss://localhost.example.org", api]), there);
    let there = Some("wss://10.0.0.1/x".to_owned());
    assert_eq!(remote([rest, streams, "wss://10.0.0.1/x"]), there);
}

#[test]
fn protections_are_read_and_what_is_wrong_with_them_is_named() {
    let with = |protections: &str| {
        let bot = "[[bots]]\n";
        let place = BASE.find(bot).unwrap() + bot.len();
        let (before, after) = BASE.split_at(place);
        read(&format!("{before}protections = {protections}\n{after}"))
    };
    let config = with(
        r#"{ cooldown = "30m", low_profit = { lookback = "6h", required = "-2%", pause = "1h" } }"#,
    );
    let found = &config.unwrap().bots[0].protections;
    assert_eq!(found.cooldown, Some(Duration::from_secs(1_800)));
    let low_profit = found.low_profit.unwrap();
    assert_eq!((low_profit.trades, low_profit.required), (1, Ppm(-20_000)));
    assert_eq!(found.stop_guard, None);

    let wrong = with(r#"{ cooldown = "0s", stop_guard = { trades = 0, pauze = "1h" } }"#);
    let text = wrong.unwrap_err().to_string();
    for path in [
        "bots[0].protections.cooldown",
        "bots[0].protections.stop_guard.trades",
        "bots[0].protections.stop_guard.lookback",
        "did you mean \"pause\"",
    ] {
        assert!(text.contains(path), "{path}: {text}");
    }
}
