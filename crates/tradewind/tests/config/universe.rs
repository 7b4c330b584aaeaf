//! Universes and budgets that are shares.

use std::time::Duration;

use tradewind::config::AbsentInstruments;
use tradewind_events::WakeRule;
use tradewind_model::{Amount, Instrument, InstrumentId, Interval, Ppm, VenueId};
use tradewind_simx::universe;

use crate::{BASE, errors, read};

const LIST: &str = "instruments = [\"BTC/USDT\"]";

fn of(written: &str) -> String {
    BASE.replacen(LIST, &format!("instruments = {written}"), 1)
}

#[test]
fn a_universe_takes_the_candidates_of_the_generated_market_or_those_it_names() {
    let text = of("{ quote = \"USDT\", top = 5, by = \"volume 7d\", min_age = \"90d\" }");
    let config = read(&text).unwrap();
    let bot = &config.bots[0];
    assert_eq!(bot.instruments.len(), 25);
    assert!(bot.instruments.is_sorted());
    assert!(
        bot.strategy
            .wakes
            .contains(&WakeRule::Candles(Interval::Day1))
    );
    let market = universe("binance", VenueId(0));
    let known = AbsentInstruments::Refuse;
    let resolved = config
        .resolve(&market.instruments, market.assets, known)
        .unwrap();
    let rule = resolved.bots[0].universe.unwrap();
    assert_eq!((rule.top, rule.by.to_string().as_str()), (5, "volume 7d"));
    assert_eq!(rule.min_age, Duration::from_secs(90 * 86_400));
    let among =
        "{ quote = \"USDT\", top = 1, by = \"change 30d\", among = [\"ETH/USDT\", \"BTC/USDT\"] }";
    let config = read(&of(among)).unwrap();
    assert_eq!(
        config.bots[0].instruments,
        ["binance:BTC/USDT", "binance:ETH/USDT"]
    );
}

#[test]
fn candidates_of_a_venue_are_its_spot_products_that_trade() {
    let text = of("{ quote = \"EUR\", top = 5, by = \"volume 7d\" }");
    let found = errors(&text);
    assert!(
        found
            .iter()
            .any(|error| error.contains("no instrument in that quote asset")),
        "{found:?}"
    );
    let mut config = read(&of("{ quote = \"USDT\", top = 5, by = \"volume 7d\" }")).unwrap();
    config.bots[0].instruments.clear();
    assert!(config.lacks_candidates());
    let market = universe("binance", VenueId(0));
    let refused = config.resolve(
        &market.instruments,
        market.assets.clone(),
        AbsentInstruments::Refuse,
    );
    assert!(refused.unwrap_err().to_string().contains("among = "));
    let chosen = config.clone().with_candidates(&market.instruments).unwrap();
    assert_eq!(chosen.bots[0].instruments.len(), 25);
    let many: Vec<Instrument> = (0..501)
        .map(|index| {
            let first = market.instruments[0].clone();
            let name = format!("binance:X{index}/USDT");
            Instrument {
                id: InstrumentId(index),
                name,
                ..first
            }
        })
        .collect();
    let refused = config.with_candidates(&many).unwrap_err().to_string();
    assert!(
        refused.contains("501 candidates, and a bot has 500 at most"),
        "{refused}"
    );
}

#[test]
fn what_is_wrong_with_a_universe_is_said_with_its_cure() {
    let check = |written: &str, wanted: &[&str]| {
        let found = errors(&of(written));
        let is_meant = |error: &String| wanted.iter().all(|part| error.contains(part));
        assert!(found.iter().any(is_meant), "{written}: {found:#?}");
    };
    check(
        "{ quote = \"USDT\", top = 5 }",
        &["bots[0].instruments.by", "volume 7d"],
    );
    check(
        "{ quote = \"USDT\", top = 0, by = \"volume 7d\" }",
        &["instruments.top", "0 is too few"],
    );
    check(
        "{ quote = \"USDT\", top = 5, by = \"price 7d\" }",
        &["instruments.by", "no ranking", "volatility 30d"],
    );
    check(
        "{ quote = \"USDT\", top = 5, by = \"volume 7d\", min_age = \"36h\" }",
        &["instruments.min_age", "whole days"],
    );
    check(
        "{ quote = \"usdt\", top = 5, by = \"volume 7d\" }",
        &["instruments.quote", "in capitals"],
    );
    check(
        "{ quote = \"USDT\", tob = 5, by = \"volume 7d\" }",
        &["instruments.tob", "did you mean \"top\"?"],
    );
    check(
        "{ quote = \"USDT\", top = 1, by = \"volume 7d\", among = [\"BTC/EUR\"] }",
        &["among[0]", "BTC/EUR"],
    );
}

#[test]
fn a_budget_may_be_a_share_and_shares_are_one_whole_at_most() {
    let whole = |first: &str, second: &str| {
        let mut parts = BASE.splitn(3, "budget = ");
        let (head, one, two) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let behind = |part: &str| part.split_once('\n').unwrap().1.to_owned();
        format!(
            "{head}budget = {first}\n{}budget = {second}\n{}",
            behind(one),
            behind(two)
        )
    };
    let config = read(&whole("\"12.5%\"", "\"50%\"")).unwrap();
    let bot = &config.bots[0];
    assert_eq!(
        (bot.budget, bot.budget_share),
        (Amount::ZERO, Some(Ppm(125_000)))
    );
    assert_eq!(
        bot.budget_of(Some(Amount::whole(1_000))),
        Amount::whole(125)
    );
    let market = universe("binance", VenueId(0));
    let resolved = config
        .resolve(
            &market.instruments,
            market.assets,
            AbsentInstruments::Refuse,
        )
        .unwrap();
    assert_eq!(resolved.bots[1].budget_share, Some(Ppm(500_000)));
    let found = errors(&whole("\"60.5%\"", "\"50%\""));
    let [error] = found.as_slice() else {
        panic!("{found:#?}")
    };
    let names = format!("{}, {}", config.bots[0].id, config.bots[1].id);
    assert!(
        error.contains(&names) && error.contains("110.5%"),
        "{error}"
    );
    for wrong in ["\"0%\"", "\"101%\"", "\"x%\"", "\"much\""] {
        let found = errors(&whole(wrong, "100"));
        assert!(
            found.len() == 1 && found[0].contains("bots[0].budget"),
            "{found:#?}"
        );
    }
}
