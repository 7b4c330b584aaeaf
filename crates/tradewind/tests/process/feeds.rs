//! Venues that are read without an account: OKX, Bybit, Kraken and Coinbase, played by `feed_server.rs`, feed the built desk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, tradewind, within};
use crate::feed_server::FeedServer;
use crate::feed_words::{BYBIT, COINBASE, KRAKEN, OKX, Words};
use crate::unanswered::waits;

const PATIENCE: Duration = Duration::from_secs(20);

/// The test desk, whose first bot reads an instrument of a venue at `address`.
pub(crate) fn configuration(folder: &Path, kind: &str, address: &str) -> String {
    let base = include_str!("../config/base.toml");
    let venue = format!(
        "[venues.{kind}]\nkind = \"{kind}\"\nrest_url = \"http://{address}\"\nws_url = \"ws://{address}\"\n\n[accounts.paper]"
    );
    let reads = format!("instruments = [\"BTC/USDT\"]\nreads = [\"{kind}:BTC/USDT\"]");
    let text = base.replace("[accounts.paper]", &venue);
    let text = text.replacen("instruments = [\"BTC/USDT\"]", &reads, 1);
    let path = folder.join("feeds.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn feed(desk: &Desk, instrument: &str) -> Value {
    let mut feeds = desk.items("feeds").into_iter();
    let found = feeds.find(|feed| feed["instrument"] == instrument);
    found.expect("a feed of the instrument")
}

#[track_caller]
fn until_health(desk: &Desk, instrument: &str, health: &str) -> Value {
    within(PATIENCE, health, || {
        let feed = feed(desk, instrument);
        (feed["health"] == health).then_some(feed)
    })
}

fn quotes(desk: &Desk, instrument: &str) -> u64 {
    feed(desk, instrument)["quotes"].as_u64().unwrap()
}

/// The feed has quotes and trades; it is held while its book is lost, stale while the venue is silent, and comes back from both.
/// The venue that bots trade on goes on meanwhile.
#[track_caller]
fn lives_through_a_lost_book_and_a_silent_venue(words: Words) {
    let (folder, server) = (TempDir::new().unwrap(), FeedServer::start(words));
    let file = configuration(folder.path(), words.kind, &server.address);
    let mut run = tradewind(folder.path(), &["run", "--config", &file]);
    run.env("TRADEWIND__DESK__STALE_AFTER", "3s");
    let desk = Desk::start_from(folder.path(), run);
    let read = format!("{}:BTC/USDT", words.kind);

    let live = until_health(&desk, &read, "LIVE");
    let bid: f64 = live["quote"]["bid"].as_str().unwrap().parse().unwrap();
    assert!((59_990.0..=60_001.0).contains(&bid), "{live}");
    within(PATIENCE, "trades", || {
        let feed = feed(&desk, &read);
        (feed["trades"].as_u64() > Some(3) && feed["quotes"].as_u64() > Some(3)).then_some(())
    });
    let candles = |limit: usize| {
        let query = format!("candles?instrument={read}&interval=1m&limit={limit}");
        desk.get(&query)["items"].as_array().unwrap().clone()
    };
    assert_eq!(candles(3).len(), 3);
    let all = candles(100);
    assert!((19..=20).contains(&all.len()), "{}", all.len());
    let start = |one: &Value| one["open_time"].to_string();
    let starts: Vec<String> = all.iter().map(start).collect();
    assert!(starts.is_sorted_by(|a, b| a < b), "{starts:?}");

    // D01: quotes go on, and the instrument is held all the same.
    server.conduct().withholds_books = true;
    server.conduct().skips_change = true;
    until_health(&desk, &read, "RESYNC");
    let before = quotes(&desk, &read);
    within(PATIENCE, "quotes beside a lost book", || {
        let feed = feed(&desk, &read);
        assert_eq!(feed["health"], "RESYNC", "{feed}");
        (feed["quotes"].as_u64() > Some(before + 20)).then_some(())
    });
    server.conduct().withholds_books = false;
    until_health(&desk, &read, "LIVE");

    server.conduct().is_stalled = true;
    until_health(&desk, &read, "STALE");
    let before = quotes(&desk, "binance:BTC/USDT");
    within(PATIENCE, "quotes of the venue that is traded on", || {
        (quotes(&desk, "binance:BTC/USDT") > before + 3).then_some(())
    });
    within(PATIENCE, "three bots at work", || {
        let bots = desk.items("bots");
        let at_work = bots.iter().filter(|bot| bot["state"] == "running").count();
        (at_work == 3).then_some(())
    });
    server.conduct().is_stalled = false;
    until_health(&desk, &read, "LIVE");

    let requests = server.conduct().requests.join("\n");
    for private in ["order", "account", "X-MBX", "sign"] {
        assert!(!requests.contains(private), "{requests}");
    }
}

#[test]
fn okx_is_read_without_an_account() {
    lives_through_a_lost_book_and_a_silent_venue(OKX);
}

#[test]
fn bybit_is_read_without_an_account() {
    lives_through_a_lost_book_and_a_silent_venue(BYBIT);
}

fn price(quote: &Value) -> f64 {
    quote.as_str().unwrap().parse().unwrap()
}

/// Lets the read venue follow the own price, this share above it, until `seen`.
#[track_caller]
fn follow<T>(
    desk: &Desk,
    server: &FeedServer,
    above: f64,
    what: &str,
    seen: impl Fn() -> Option<T>,
) -> T {
    let mut step = 0.0;
    within(PATIENCE, what, || {
        let own = feed(desk, "binance:BTC/USDT")["quote"].clone();
        if !own.is_null() {
            let middle = f64::midpoint(price(&own["bid"]), price(&own["ask"])) * (1.0 + above);
            // Each price differs from the one before: the same again would be silence.
            step = 0.1 - step;
            let prices = [middle - 0.5, middle + 0.5 + step];
            server.conduct().prices = Some(prices.map(|price| format!("{price:.1}")));
        }
        seen()
    })
}

/// The first bot trades the spread to OKX: it buys when its own price is 1 % below, and sells when the prices have met.
#[test]
fn a_bot_trades_on_what_it_reads() {
    let (folder, server) = (TempDir::new().unwrap(), FeedServer::start(OKX));
    let file = configuration(folder.path(), OKX.kind, &server.address);
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replacen(
        "strategy = \"ma_cross\"",
        "strategy = \"cross_venue_spread\"",
        1,
    );
    let text = text.replacen(
        "params = { fast = 10, slow = 20 }",
        "params = { entry_bps = 60, exit_bps = 20 }",
        1,
    );
    fs::write(&file, text).unwrap();
    let run = tradewind(folder.path(), &["run", "--config", &file]);
    let desk = Desk::start_from(folder.path(), run);
    until_health(&desk, "okx:BTC/USDT", "LIVE");
    let filled = |side: &'static str| {
        let desk = &desk;
        move || {
            let fills = desk.items("fills");
            let of_first = |fill: &&Value| fill["bot"] == "first" && fill["side"] == side;
            fills.iter().find(of_first).cloned()
        }
    };
    let bought = follow(&desk, &server, 0.01, "an entry", filled("buy"));
    assert_eq!(bought["instrument"], "binance:BTC/USDT", "{bought}");
    let sold = follow(&desk, &server, 0.0, "an exit", filled("sell"));
    assert_eq!(sold["instrument"], "binance:BTC/USDT", "{sold}");
    let bots = desk.items("bots");
    let first = bots.iter().find(|bot| bot["name"] == "first").unwrap();
    assert!(first["counts"]["signals"].as_u64() >= Some(2), "{first}");
    assert_eq!(first["counts"]["errors"], 0, "{first}");
}

/// R11: an order by hand is refused while the second source has another price, and passes when it agrees again.
#[test]
fn an_entry_is_refused_while_its_second_source_drifts() {
    let (folder, server) = (TempDir::new().unwrap(), FeedServer::start(OKX));
    let file = configuration(folder.path(), OKX.kind, &server.address);
    let text = fs::read_to_string(&file).unwrap();
    let references =
        "[venues.binance.references]\n\"BTC/USDT\" = \"okx:BTC/USDT\"\n\n[accounts.paper]";
    let text = text.replacen("[accounts.paper]", references, 1);
    fs::write(&file, text).unwrap();
    let run = tradewind(folder.path(), &["run", "--config", &file]);
    let desk = Desk::start_from(folder.path(), run);
    until_health(&desk, "okx:BTC/USDT", "LIVE");
    let body = r#"{"account": "paper", "instrument": "binance:BTC/USDT", "side": "buy", "type": "market", "quantity": "0.001"}"#;
    let order = || desk.ask("POST /api/v1/orders", body).unwrap();
    let refused = follow(&desk, &server, 0.03, "a refusal for the drift", || {
        let answer = order();
        answer
            .body
            .contains("away from its second source, at most 0.01")
            .then_some(answer)
    });
    assert_ne!(refused.status, 200, "{}", refused.body);
    follow(&desk, &server, 0.0, "an order that passes", || {
        let answer = order();
        (answer.status < 300).then_some(())
    });
}

#[test]
fn kraken_is_read_without_an_account() {
    lives_through_a_lost_book_and_a_silent_venue(KRAKEN);
}

#[test]
fn coinbase_is_read_without_an_account() {
    lives_through_a_lost_book_and_a_silent_venue(COINBASE);
}

/// N01: the start waits for the venue and names it; a signal ends it in order.
#[test]
fn a_venue_that_is_read_and_does_not_answer_is_named_and_waited_for() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let file = configuration(folder, "okx", "127.0.0.1:1");
    let mut desk = Desk::spawn(folder, tradewind(folder, &["run", "--config", &file]));
    waits(&mut desk, "requesting the instruments of okx");
    desk.signal("TERM");
    assert!(desk.ended(PATIENCE).success(), "{}", desk.said());
}

/// What `data import RECORDING OPTIONS` added, by series, and its notes.
#[track_caller]
pub(crate) fn imported(
    folder: &Path,
    recording: &str,
    options: [&str; 2],
) -> (BTreeMap<String, u64>, String) {
    let fixed = ["data", "import", recording, "--json"];
    let told = command(folder, &[&fixed[..], &options].concat());
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let items = told["items"].as_array().unwrap();
    let added = |item: &Value| {
        let series = item["series"].as_str().unwrap().to_owned();
        (series, item["added"].as_u64().unwrap())
    };
    let notes: Vec<String> = items.iter().map(|item| item["notes"].to_string()).collect();
    (items.iter().map(added).collect(), notes.concat())
}

/// A desk that runs records its own connections: no second one is opened, and what was recorded is imported.
#[test]
fn a_desk_that_runs_records_what_it_receives() {
    let (folder, server) = (TempDir::new().unwrap(), FeedServer::start(OKX));
    let folder = folder.path();
    let file = configuration(folder, "okx", &server.address);
    let text = fs::read_to_string(&file).unwrap();
    let recording = "[venues.okx]\nrecord = true";
    fs::write(&file, text.replace("[venues.okx]", recording)).unwrap();
    let mut desk = Desk::start_from(folder, tradewind(folder, &["run", "--config", &file]));
    until_health(&desk, "okx:BTC/USDT", "LIVE");
    let received = within(PATIENCE, "quotes", || {
        Some(quotes(&desk, "okx:BTC/USDT")).filter(|count| *count > 40)
    });
    desk.signal("TERM");
    assert!(desk.ended(PATIENCE).success());
    let recorded = folder.join("recordings/okx");
    let (added, _) = imported(folder, recorded.to_str().unwrap(), ["--venue", "okx"]);
    assert!(
        added["okx:BTC/USDT@quotes"] >= received,
        "{received}: {added:?}"
    );
    let sockets = |conduct: &[String]| {
        conduct
            .iter()
            .filter(|head| head.contains("/ws/v5/public"))
            .count()
    };
    assert_eq!(sockets(&server.conduct().requests), 1);
}

/// What a venue without an account says is recorded, imported as series of the catalogue, and a book's missing change is a gap there.
#[test]
fn recordings_of_every_venue_are_imported_with_their_gaps() {
    for words in [OKX, BYBIT, KRAKEN, COINBASE] {
        let (folder, server) = (TempDir::new().unwrap(), FeedServer::start(words));
        let (folder, kind) = (folder.path(), words.kind);
        let file = configuration(folder, kind, &server.address);
        let recording = folder.join("frames").to_str().unwrap().to_owned();
        let fixed = ["data", "record", kind, "--config", &file, "--for", "4s"];
        let arguments = [&fixed[..], &["--output", &recording]].concat();
        let mut recorder = tradewind(folder, &arguments).spawn().unwrap();
        pause(Duration::from_secs(2));
        server.conduct().skips_change = true;
        assert!(recorder.wait().unwrap().success(), "{kind}");

        let (added, notes) = imported(folder, &recording, ["--venue", kind]);
        for (of, least) in [("quotes", 20), ("trades", 20), ("book", 20)] {
            let rows = added.get(&format!("{kind}:BTC/USDT@{of}")).copied();
            assert!(rows > Some(least), "{kind} {of}: {added:?}");
        }
        assert!(
            notes.contains("changes of books are missing"),
            "{kind}: {notes}"
        );
        let (again, _) = imported(folder, &recording, ["--venue", kind]);
        assert!(again.values().all(|added| *added == 0), "{kind}: {again:?}");
        let verified = command(folder, &["data", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
        eprintln!("{kind}: {added:?}");
    }
}
