//! Paper on live prices: `run --venue V`, where V is another process of the same exchange with a market of its own. Its
//! quotes are the desk's quotes, orders fill on the embedded exchange, and V never sees anything signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, tradewind, unused_address, within};
use crate::fast_bots::fast_bots;
use crate::http;
use crate::lines::listen;
use crate::simx::Simx;
use crate::unanswered::waits;
use crate::wiretap::Wiretap;

/// An instrument that nobody trades: its book is the venue's alone.
const WATCHED: (&str, &str) = ("binance:LTC/USDT", "LTCUSDT");
/// Silence after which prices are stale, as configured here.
const STALE_AFTER: Duration = Duration::from_secs(3);
/// Longest until this test has seen what the desk did in time.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(30);
const MINUTE: i64 = 60_000;

/// The venue: a simulated exchange.
struct Venue(Simx);

impl Venue {
    fn start(folder: &Path, listen: &str) -> Self {
        Self(Simx::start(folder, &["--seed", "7", "--listen", listen]))
    }

    /// Its closed minutes of an instrument since `from`: open time in ms, then prices and volume in plain decimals.
    fn minutes(&self, symbol: &str, from: i64) -> Vec<(i64, [String; 5])> {
        let path = format!("GET /api/v3/klines?symbol={symbol}&interval=1m&startTime={from}");
        let klines = http::ask(&self.0.address, &path, "", "").unwrap().json();
        let all = klines.as_array().unwrap().iter().map(|kline| {
            let text = |place: usize| plain(kline[place].as_str().unwrap());
            (kline[0].as_i64().unwrap(), [1, 2, 3, 4, 5].map(text))
        });
        all.collect()
    }

    fn now(&self) -> i64 {
        let time = http::ask(&self.0.address, "GET /api/v3/time", "", "").unwrap();
        time.json()["serverTime"].as_i64().unwrap()
    }
}

/// This machine's time, in ms.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A decimal without trailing zeros.
fn plain(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

/// Fast bots on a venue at `address`, and one that only watches.
fn configuration(folder: &Path, address: &str) -> String {
    let path = fast_bots(folder);
    let text = fs::read_to_string(&path).unwrap();
    let text = text
        .replace("https://api.binance.com", &format!("http://{address}"))
        .replace("wss://stream.binance.com:9443", &format!("ws://{address}"))
        .replace("wss://ws-api.binance.com:443", &format!("ws://{address}"))
        .replace(
            "[desk]",
            &format!("[desk]\nstale_after = \"{}s\"", STALE_AFTER.as_secs()),
        );
    let watcher = "[[bots]]\nid = \"watcher\"\nstrategy = \"rsi_trend\"\naccount = \"paper\"\ninstruments = [\"LTC/USDT\"]\n\
        timeframes = [\"1h\", \"1d\"]\nbudget = 300\nexit = { stop = \"2%\" }\n";
    fs::write(&path, text + watcher).unwrap();
    path
}

/// Health of every feed that is not `wanted`.
fn others(desk: &Desk, wanted: &str) -> Vec<String> {
    let feeds = desk.items("feeds");
    let health = |feed: &Value| format!("{} {}", feed["instrument"], feed["health"]);
    let other = feeds
        .iter()
        .filter(|feed| !feed["health"].to_string().to_uppercase().contains(wanted));
    other.map(health).collect()
}

fn watched(desk: &Desk) -> Value {
    let feeds = desk.items("feeds");
    feeds
        .into_iter()
        .find(|feed| feed["instrument"] == WATCHED.0)
        .unwrap()
}

/// A quote of the desk in the venue's spelling.
fn spelled(quote: &Value) -> [String; 4] {
    let fixed = |key: &str, places: usize| {
        let text = quote[key].as_str().unwrap();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}.{fraction:0<places$}")
    };
    [
        fixed("bid", 8),
        fixed("bid_quantity", 8),
        fixed("ask", 8),
        fixed("ask_quantity", 8),
    ]
}

/// The desk's closed minutes of the watched instrument by open time in ms.
fn minutes(desk: &Desk, from: i64) -> Vec<(i64, [String; 5])> {
    let query = format!("candles?instrument={}&interval=1m&limit=60", WATCHED.0);
    let all = desk.items(&query).into_iter().map(|candle| {
        let open: jiff::Timestamp = candle["open_time"].as_str().unwrap().parse().unwrap();
        let text = |key: &str| plain(candle[key].as_str().unwrap());
        (
            open.as_millisecond(),
            ["open", "high", "low", "close", "volume"].map(text),
        )
    });
    all.filter(|(open, _)| *open >= from).collect()
}

#[test]
fn a_venues_live_prices_drive_a_paper_account() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut venue = Venue::start(at_venue.path(), &unused_address());
    let tap = Wiretap::on(&venue.0.address);
    let config = configuration(folder.path(), &tap.address);
    let arguments = ["--venue", "binance", "--config", &config];
    let begun = venue.now();
    let mut desk = Desk::start_with(folder.path(), &arguments);
    assert_eq!(desk.get("status")["mode"]["name"], "PAPER");

    // The venue's quotes are the desk's, and they move.
    within(Duration::from_secs(20), "live feeds", || {
        others(&desk, "LIVE").is_empty().then_some(())
    });
    let mut seen = Vec::new();
    within(Duration::from_secs(30), "ten different quotes", || {
        let quote = spelled(&watched(&desk)["quote"]);
        let told = tap.told_quote(WATCHED.1, quote.each_ref().map(String::as_str));
        assert!(told, "the venue never told {quote:?}");
        if !seen.contains(&quote) {
            seen.push(quote);
        }
        (seen.len() >= 10).then_some(())
    });

    let queues = desk.items("queues");
    let mirror = queues.iter().find(|queue| queue["name"] == "mirror");
    let mirror = mirror.unwrap();
    assert!(mirror["delivered"].as_u64() > Some(100), "{mirror}");
    assert_eq!(mirror["dropped"], 0, "{mirror}");

    // Orders fill, here and not there.
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 5).then_some(())
    });
    assert_ne!(desk.get("balances")["equal"], false);

    // The venue is gone, from the last seconds of a minute into the next: all feeds are stale, and nobody enters.
    within(
        Duration::from_secs(75),
        "the last seconds of a minute",
        || {
            (55_000..57_000)
                .contains(&(venue.now() % MINUTE))
                .then_some(())
        },
    );
    let turned = venue.now() / MINUTE * MINUTE + MINUTE;
    let health = listen(desk.stream("?types=feed_health_changed").unwrap());
    let address = venue.0.address.clone();
    venue.0.kill();
    let gone = now();
    let mut stale = BTreeMap::new();
    within(LOOKED_AT_WITHIN, "stale feeds", || {
        for arrived in health.try_iter() {
            let data = &arrived.event["data"];
            if data["health"].to_string().to_uppercase().contains("STALE") {
                let at: jiff::Timestamp = arrived.event["at"].as_str()?.parse().unwrap();
                stale.insert(data["instrument"].to_string(), at.as_millisecond() - gone);
            }
        }
        let feeds = desk.items("feeds").len();
        (stale.len() == feeds && others(&desk, "STALE").is_empty()).then_some(())
    });
    // By the desk's own stamps: when this test came to look says nothing about the desk.
    let last = stale.values().max().unwrap();
    eprintln!("stale {last} ms after the venue was gone");
    let promised = i64::try_from(STALE_AFTER.as_millis()).unwrap();
    assert!(*last <= promised, "{stale:?}");
    let entries = |desk: &Desk| -> BTreeSet<String> {
        let orders = desk.all("orders").into_iter();
        let entries = orders.filter(|order| order["purpose"] == "entry");
        entries
            .map(|order| order["client_id"].to_string())
            .collect()
    };
    // What was on its way may still be told of.
    pause(Duration::from_secs(1));
    let (before, still) = (entries(&desk), watched(&desk)["quote"].clone());
    pause(STALE_AFTER);
    assert_eq!(others(&desk, "STALE"), [""; 0], "it stays so");
    assert_eq!(watched(&desk)["quote"], still, "the market stands still");
    // Those that rest may end.
    let since: Vec<_> = entries(&desk).difference(&before).cloned().collect();
    assert_eq!(since, [""; 0], "no entry without prices");

    // The venue is back: live again, and the minutes that were missed are the venue's.
    within(Duration::from_secs(10), "the next minute", || {
        (now() > turned + 1_000).then_some(())
    });
    let venue = Venue::start(at_venue.path(), &address);
    let back = Instant::now();
    within(Duration::from_secs(40), "live feeds again", || {
        others(&desk, "LIVE").is_empty().then_some(())
    });
    eprintln!(
        "live {} ms after the venue was back",
        back.elapsed().as_millis()
    );
    let fills = desk.all("fills").len();
    within(Duration::from_secs(60), "new fills", || {
        (desk.all("fills").len() > fills).then_some(())
    });
    let next = (venue.now() / MINUTE + 1) * MINUTE;
    within(Duration::from_secs(75), "the end of the minute", || {
        (venue.now() > next + 3_000).then_some(())
    });
    let first = (begun / MINUTE - 20) * MINUTE;
    let here = within(LOOKED_AT_WITHIN, "the closed minute", || {
        let here = minutes(&desk, first);
        let is_closed = here.iter().any(|(open, _)| *open + MINUTE == next);
        is_closed.then_some(here)
    });
    let there = venue.minutes(WATCHED.1, first);
    assert!(here.len() >= 20, "{here:?}");
    for (open, minute) in &here {
        let told = there.iter().find(|(other, _)| other == open);
        assert_eq!(
            told.map(|(_, minute)| minute),
            Some(minute),
            "minute {open}"
        );
    }

    let (paths, secret) = tap.requests();
    assert!(!secret, "something signed went to the venue");
    let public = [
        "/api/v3/exchangeInfo",
        "/api/v3/klines",
        "/api/v3/time",
        "/stream",
    ];
    assert_eq!(paths, public.map(|path| format!("GET {path}")));

    // The account outlives the desk, and its folder belongs to this market.
    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(15)).success());
    let other = command(folder.path(), &["run", "--config", &config]);
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(said.contains("the mirror of binance"), "{said}");
    let desk = Desk::start_with(folder.path(), &arguments);
    assert!(desk.all("fills").len() > fills);
    // It needs a moment in which no order is on its way.
    within(
        Duration::from_secs(90),
        "a comparison with the account",
        || desk.get("balances")["equal"].as_bool(),
    );
    assert_eq!(desk.get("balances")["equal"], true);
}

/// N01: the start waits for the venue and names it; a signal ends it in order.
#[test]
fn a_venue_that_is_not_there_is_named_and_waited_for() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = configuration(folder, "127.0.0.1:1");
    let run = ["run", "--venue", "binance", "--config", &config];
    let mut desk = Desk::spawn(folder, tradewind(folder, &run));
    waits(&mut desk, "requesting the market of binance");
    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(15)).success());
    assert!(!folder.join("simx").exists(), "nothing was begun");
}
