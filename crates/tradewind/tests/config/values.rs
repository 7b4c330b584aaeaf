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
    let config = read(&format!("desk.durability = \"power\"\n{text}")).unwrap();
    assert_eq!(config.desk.durability, Durability::Power);
    let wanted = AccountSource::Live {
        key_env: "BINANCE_API_KEY".to_owned(),
        secret_env: "MY_SECRET".to_owned(),
    };
    assert_eq!(config.accounts[0].mode, wanted);
}
