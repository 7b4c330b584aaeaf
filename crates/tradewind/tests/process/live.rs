//! `run --venue V --live`, where V is a simulated exchange in a process of its own: real orders as far as the desk can know.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::amounts::moved;
use crate::desk::{Desk, are_at_rest, command, tradewind, unused_address, within};
use crate::exchange::{Exchange, KEY, SECRET, symbol, told_by_desk};
use crate::fast_bots::{BEGUN, fast_bots};

const RUN: [&str; 4] = ["run", "--venue", "binance", "--live"];

/// Fast bots on a live account at `address`. Their budgets are all that the desk may count as its equity.
pub(crate) fn configuration(folder: &Path, address: &str) -> String {
    let path = fast_bots(folder);
    let text = fs::read_to_string(&path).unwrap();
    let balances = "mode = \"paper\"\nbalances = { USDT = 10_000 }";
    assert!(text.contains(balances));
    let text = text
        .replace("https://api.binance.com", &format!("http://{address}"))
        .replace("wss://stream.binance.com:9443", &format!("ws://{address}"))
        .replace("wss://ws-api.binance.com:443", &format!("ws://{address}"))
        .replace("order_equity_max = 0.05", "order_equity_max = 0.10")
        .replace(balances, "mode = \"live\"");
    fs::write(&path, text).unwrap();
    path
}

/// `run --live`, with the account's key in the environment.
pub(crate) fn live(folder: &Path, config: &str) -> Command {
    let mut command = tradewind(folder, &RUN);
    command
        .args(["--config", config])
        .env("BINANCE_API_KEY", KEY)
        .env("BINANCE_API_SECRET", SECRET);
    command
}

#[track_caller]
fn refused(output: &Output, wanted: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(wanted), "{said:?} lacks {wanted:?}");
}

/// Sets the kill switch and waits until no order is open.
#[track_caller]
pub(crate) fn come_to_rest(folder: &Path, desk: &Desk) {
    let killed = command(folder, &["kill", "--reason", "to compare"]);
    assert!(killed.status.success(), "{killed:?}");
    // An order of unknown fate may wait for the lists of the next minute.
    within(
        Duration::from_secs(75),
        "the end of every open order",
        || are_at_rest(&desk.items("orders")).then_some(()),
    );
}

/// Compares the desk's fills and the sums of them with the exchange's own trades and balances.
#[track_caller]
pub(crate) fn compare(desk: &Desk, exchange: &Exchange) {
    let fills = desk.all("fills");
    let symbols: BTreeSet<String> = fills.iter().map(symbol).collect();
    let told: BTreeSet<_> = fills.iter().map(told_by_desk).collect();
    assert_eq!(told.len(), fills.len(), "a fill is told twice");
    let trades: BTreeSet<_> = symbols
        .iter()
        .flat_map(|symbol| exchange.my_trades(symbol))
        .collect();
    assert_eq!(told, trades);

    let mut wanted = moved(&fills);
    let begun: i128 = BEGUN.parse().unwrap();
    *wanted.entry("USDT".to_owned()).or_default() += begun * 10_i128.pow(18);
    wanted.retain(|_, amount| *amount != 0);
    assert_eq!(exchange.balances(), wanted);
}

/// I02, I03: the desk trades on a venue in another process, stops, and starts again; fills and balances are the venue's.
#[test]
fn a_live_desk_trades_on_the_venue_and_ends_with_equal_books() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (at_venue, folder) = (at_venue.path(), folder.path());
    let address = unused_address();
    let exchange = Exchange::begun(at_venue, &["--listen", &address]);
    let config = configuration(folder, &exchange.address);
    let mut desk = Desk::start_from(folder, live(folder, &config));
    assert_eq!(desk.get("status")["mode"]["name"], "LIVE");
    assert!(desk.said().contains("durability \"power\""));
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 10).then_some(())
    });
    let live_feeds = desk
        .items("feeds")
        .into_iter()
        .filter(|feed| feed["health"] == "LIVE");
    assert_eq!(live_feeds.count(), 6, "prices are the venue's");
    assert!(!folder.join("simx").exists(), "no exchange is embedded");

    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(15)).success());

    let mut desk = Desk::start_from(folder, live(folder, &config));
    come_to_rest(folder, &desk);
    within(
        Duration::from_secs(30),
        "a comparison with the account",
        || (desk.get("balances")["equal"] == true).then_some(()),
    );
    compare(&desk, &exchange);
    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(15)).success());

    // The folder is this venue's.
    let paper = fast_bots(folder);
    refused(
        &command(folder, &["run", "--config", &paper]),
        "belongs to live accounts on \"binance\"",
    );
}

/// H09: neither without `--live`, nor on a folder of paper accounts, nor without a key, nor with another's.
#[test]
fn a_live_account_trades_with_live_and_its_own_key_only() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let exchange =
        Exchange::with_account(at_venue.path(), "USDT=10000", &["--listen", "127.0.0.1:0"]);
    let config = configuration(folder, &exchange.address);
    let paper = command(folder, &["run", "--venue", "binance", "--config", &config]);
    refused(&paper, "only `run --venue binance --live` may send them");
    let without_key = live(folder, &config)
        .env_remove("BINANCE_API_SECRET")
        .output()
        .unwrap();
    refused(&without_key, "set BINANCE_API_SECRET in the environment");
    let foreign = live(folder, &config)
        .env("BINANCE_API_SECRET", "another")
        .output()
        .unwrap();
    refused(&foreign, "requesting binance for account paper");
    let paper = fast_bots(folder);
    let simulated = live(folder, &paper).output().unwrap();
    refused(&simulated, "account paper is a paper account");
    assert_eq!(exchange.balances()["USDT"], 10_000 * 10_i128.pow(18));
}
