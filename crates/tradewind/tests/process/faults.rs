//! Three broken bots among 42 that must not notice: one panics, one divides by zero, one takes half a second.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, pause, within};

/// What the others may be late by.
const LATENESS_MAX_US: u64 = 100_000;
/// About half a second of counting with the tests' optimisation.
const ITERATIONS: u64 = 500_000_000;
const HEALTHY: usize = 42;
/// Each wake of the others is one of these, too, and there are enough of them in two minutes.
const OFTEN: &str = "wake = \"every 20s\"";
/// Faults after which a bot is stopped.
const FAULTS_MAX: u64 = 3;

#[test]
fn broken_bots_do_not_delay_the_others() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("faults.toml");
    fs::write(&config, configuration()).unwrap();
    let desk = Desk::start_with(folder.path(), &["--config", config.to_str().unwrap()]);
    within(Duration::from_secs(200), "two closes", || {
        let wakes = bot(&desk, "healthy-1")["counts"]["wakes"].as_u64();
        (wakes >= Some(2)).then_some(())
    });
    // What the slow one thinks of the second close comes half a second after it.
    pause(Duration::from_secs(3));
    let panicking = bot(&desk, "panics");
    assert_eq!(panicking["state"], "faulted", "{panicking}");
    assert_eq!(panicking["counts"]["errors"], FAULTS_MAX, "{panicking}");

    let bots = desk.get("bots")["items"].clone();
    let bots = bots.as_array().unwrap();
    let healthy = bots.iter().filter(|bot| bot["strategy"] == "rsi_reversion");
    let mut worst = 0;
    let mut count = 0;
    for bot in healthy {
        count += 1;
        assert_eq!(bot["state"], "running", "{bot}");
        assert!(bot["counts"]["wakes"].as_u64() >= Some(2), "{bot}");
        assert_eq!(bot["counts"]["errors"], 0, "{bot}");
        worst = worst.max(bot["lateness_us_max"].as_u64().unwrap());
    }
    eprintln!("the latest of {count} was {worst} us late");
    assert_eq!(count, HEALTHY);
    assert!(
        worst <= LATENESS_MAX_US,
        "not within {LATENESS_MAX_US} us: {worst} us late"
    );

    let dividing = bot(&desk, "divides");
    assert_ne!(dividing["state"], "faulted", "{dividing}");
    assert!(
        dividing["counts"]["errors"].as_u64() >= Some(2),
        "{dividing}"
    );
    let slow = bot(&desk, "slow");
    assert_eq!(slow["state"], "running", "{slow}");
    assert!(slow["counts"]["wakes"].as_u64() >= Some(2), "{slow}");
    assert!(
        slow["reason"].as_str().unwrap().contains("was busy"),
        "{slow}"
    );
}

fn bot(desk: &Desk, name: &str) -> Value {
    desk.get(&format!("bots/{name}"))["bot"].clone()
}

fn configuration() -> String {
    let base = include_str!("../config/base.toml");
    let (settings, _) = base.split_once("[[bots]]").unwrap();
    let mut config = format!("[desk]\nstagger = \"1ms\"\ntest_strategies = true\n\n{settings}");
    let mut add = |name: &str, strategy: &str, more: &str| {
        config += &format!(
            "[[bots]]\nid = \"{name}\"\nstrategy = \"{strategy}\"\naccount = \"paper\"\ninstruments = [\"BTC/USDT\"]\n\
             timeframes = [\"1m\"]\nbudget = 200\nexit = {{ stop = \"2%\" }}\n{more}\n\n"
        );
    };
    add("panics", "fault_panic", OFTEN);
    add("divides", "fault_divide", OFTEN);
    let slow =
        format!("wake = \"candles\"\nlane = \"thread\"\nparams = {{ iterations = {ITERATIONS} }}");
    add("slow", "fault_slow", &slow);
    for number in 1..=HEALTHY {
        add(&format!("healthy-{number}"), "rsi_reversion", "");
    }
    config
}
