//! A desk whose bots trade on every flicker, so that at any moment there are orders on their way.

use std::fs;
use std::path::Path;

use tradewind::config::DEFAULT;

/// What they trade, against USDT.
pub(crate) const BASES: [&str; 6] = ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"];
/// What the account begins with, in USDT.
pub(crate) const BEGUN: &str = "10000";

const LIMIT: &str = "{ type = \"limit\", timeout = \"1s\", then = \"cross\" }";

/// Writes the configuration into `folder`: for each instrument one bot with market orders, one with limits.
pub(crate) fn fast_bots(folder: &Path) -> String {
    let base = include_str!("../config/base.toml");
    let (settings, _) = base.split_once("[[bots]]").unwrap();
    let settings = may_lose(&replaced(settings, "\"2/s burst 5\"", "\"10/s burst 20\""));
    written(
        folder,
        format!("[desk]\nsafe_after = 0\nstagger = \"1ms\"\n\n{settings}"),
    )
}

/// The same bots beside the 45 of the default desk.
pub(crate) fn fast_bots_beside_others(folder: &Path) -> String {
    let others = replaced(
        DEFAULT,
        "stagger = \"1s\"",
        "safe_after = 0\nstagger = \"1ms\"",
    );
    let others = replaced(&others, "USDT = 100_000", "USDT = 110_000");
    written(folder, may_lose(&others) + "\n")
}

/// Limits under which bots that do nothing but pay fees go on, over many crashes, too: what they lose, and how long an account
/// only reduces after orders of unknown fate, is not what these tests are about.
fn may_lose(config: &str) -> String {
    let limits = [
        (
            "same_side_entries_max = 64",
            "same_side_entries_max = 100_000",
        ),
        ("unknown_account_max = 3", "unknown_account_max = 100"),
        ("breaker_failures = 5", "breaker_failures = 1000"),
        ("bot_daily_loss = 2", "bot_daily_loss = 100_000"),
        ("daily_loss_reduce = \"3%\"", "daily_loss_reduce = \"100%\""),
        ("daily_loss_alarm = \"5%\"", "daily_loss_alarm = \"100%\""),
        ("drawdown_max = \"10%\"", "drawdown_max = \"100%\""),
    ];
    let config = config.to_owned();
    limits
        .iter()
        .fold(config, |config, (from, to)| replaced(&config, from, to))
}

/// `text` with `to` in the place of `from`, which must be in it.
#[track_caller]
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(
        text.contains(from),
        "there is no {from} in the configuration"
    );
    text.replace(from, to)
}

/// Adds the bots to a configuration and writes it.
fn written(folder: &Path, mut config: String) -> String {
    for base in BASES {
        for (kind, policy) in [("market", "\"market\""), ("limit", LIMIT)] {
            let name = base.to_lowercase();
            config += &format!(
                "[[bots]]\nid = \"{name}-{kind}\"\nstrategy = \"ma_cross\"\naccount = \"paper\"\ninstruments = [\"{base}/USDT\"]\n\
                 budget = 300\nexit = {{ stop = \"2%\" }}\npolicy = {policy}\nparams = {{ fast = 2, slow = 5 }}\n\n"
            );
        }
    }
    let path = folder.join("fast.toml");
    fs::write(&path, config).unwrap();
    path.to_str().unwrap().to_owned()
}
