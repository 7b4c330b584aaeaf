//! A feed is recorded by the built binary: against the exchange's own words, over a kill, on a full disk, and played again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{command, tradewind, within};
use crate::http;
use crate::simx::Simx;

const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration whose venue is at this address.
#[track_caller]
pub(crate) fn configuration(folder: &Path, address: &str) -> String {
    let base = include_str!("../config/base.toml");
    let text = base
        .replace("https://api.binance.com", &format!("http://{address}"))
        .replace("wss://stream.binance.com:9443", &format!("ws://{address}"))
        .replace("wss://ws-api.binance.com:443", &format!("ws://{address}"));
    let path = folder.join("recording.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// `tradewind data record` in a process of its own; killed when the test is over.
struct Recorder(Child);

impl Recorder {
    #[track_caller]
    fn start(folder: &Path, config: &str, arguments: &[&str]) -> Self {
        let fixed = ["data", "record", "binance", "--config", config, "--json"];
        let child = tradewind(folder, &[&fixed, arguments].concat())
            .stdout(fs::File::create(folder.join("record.out")).unwrap())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Lines in the recording so far, by what `data verify` says.
#[track_caller]
fn verified(folder: &Path, recording: &str) -> Vec<Value> {
    let verify = command(folder, &["data", "verify", recording, "--json"]);
    let told: Value = serde_json::from_slice(&verify.stdout).unwrap();
    told["items"].as_array().unwrap().clone()
}

fn lines(items: &[Value]) -> u64 {
    items.iter().filter_map(|item| item["lines"].as_u64()).sum()
}

/// The exchange's newest public trades: id to price, quantity and whether the buyer was the maker.
#[track_caller]
fn trades_of(address: &str, symbol: &str) -> BTreeMap<u64, (String, String, bool)> {
    let request = format!("GET /api/v3/trades?symbol={symbol}&limit=1000");
    let answer = http::ask(address, &request, "", "").unwrap();
    let trades = answer.json();
    let all = trades.as_array().unwrap().iter();
    all.map(|trade| {
        let text = |key: &str| plain(trade[key].as_str().unwrap());
        let values = (text("price"), text("qty"), trade["isBuyerMaker"] == true);
        (trade["id"].as_u64().unwrap(), values)
    })
    .collect()
}

fn plain(text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A series of the catalogue as lines of CSV without its names.
#[track_caller]
fn exported(folder: &Path, series: &str) -> Vec<Vec<String>> {
    let export = command(folder, &["data", "export", series]);
    assert!(export.status.success(), "{export:?}");
    let text = String::from_utf8(export.stdout).unwrap();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    text.lines().skip(1).map(cells).collect()
}

#[test]
fn a_killed_recorder_leaves_what_the_exchange_sent_and_it_is_imported_and_played() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let simx = Simx::start(
        at_venue.path(),
        &["--listen", "127.0.0.1:0", "--speed", "20"],
    );
    let config = configuration(folder.path(), &simx.address);
    let recording = folder.path().join("recordings/binance");
    let recording = recording.to_str().unwrap();
    let wanted = [
        "--instruments",
        "BTC/USDT,ETH/USDT",
        "--streams",
        "quotes,trades,books,candles",
    ];
    let mut recorder = Recorder::start(folder.path(), &config, &wanted);
    within(PATIENCE, "thousands of frames", || {
        let is_there = fs::read_dir(recording).is_ok_and(|files| files.count() > 0);
        (is_there && lines(&verified(folder.path(), recording)) > 4_000).then_some(())
    });
    recorder.kill();
    let told = trades_of(&simx.address, "BTCUSDT");

    // A kill in the middle of a write leaves a part of a block; here it is made, so that there is one.
    let mut files = fs::read_dir(recording)
        .unwrap()
        .map(|file| file.unwrap().path());
    let is_packed = |file: &std::path::PathBuf| file.extension().is_some_and(|end| end == "gz");
    let file = files.find(is_packed).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let first = bytes.get(..40).unwrap().to_vec();
    bytes.extend(first);
    fs::write(&file, &bytes).unwrap();
    let before = verified(folder.path(), recording);
    assert_eq!(before[0]["torn"], 40, "{before:?}");

    // The next one on the same folder cuts it off and says so.
    let again = ["--instruments", "BTC/USDT", "--for", "2s"];
    let fixed = ["data", "record", "binance", "--config", &config];
    let second = command(folder.path(), &[&fixed[..], &again[..]].concat());
    assert!(second.status.success(), "{second:?}");
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains("40 bytes at the end were no whole block"),
        "{said}"
    );
    let items = verified(folder.path(), recording);
    assert!(
        items.len() == 2
            && items
                .iter()
                .all(|item| item["torn"] == 0 && item["lost"] == 0),
        "{items:?}"
    );

    let name = file.to_str().unwrap();
    let import = command(
        folder.path(),
        &["data", "import", name, "--venue", "binance"],
    );
    assert!(import.status.success(), "{import:?}");
    let import = command(
        folder.path(),
        &["data", "import", name, "--venue", "binance"],
    );
    let told_again = String::from_utf8(import.stdout).unwrap();
    assert!(
        import.status.success()
            && told_again
                .lines()
                .all(|line| line.contains(" 0 rows added")),
        "{told_again}"
    );
    let verify = command(folder.path(), &["data", "verify"]);
    assert!(verify.status.success(), "{verify:?}");

    // Every trade of the exchange between the first and the last that was recorded, and no other.
    let rows = exported(folder.path(), "binance:BTC/USDT@trades");
    let ids: Vec<u64> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
    assert!(
        ids.len() > 50 && ids.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{ids:?}"
    );
    let mut compared = 0;
    for row in &rows {
        let Some((price, quantity, buyer_made)) = told.get(&row[3].parse().unwrap()) else {
            continue;
        };
        let side = if *buyer_made { "sell" } else { "buy" };
        assert_eq!(
            (&*row[1], &*row[2], &*row[4]),
            (&**price, &**quantity, side)
        );
        compared += 1;
    }
    assert!(compared > 50, "{compared} of {}", rows.len());
    let quotes = exported(folder.path(), "binance:ETH/USDT@quotes");
    let books = exported(folder.path(), "binance:BTC/USDT@book");
    assert!(quotes.len() > 50 && books.len() > 10 && books[0].len() == 81);
    let price = |cell: &str| cell.parse::<f64>().unwrap();
    assert!(
        books.iter().all(|row| price(&row[1]) < price(&row[41])),
        "a bid below its ask"
    );
    let list = command(folder.path(), &["data", "list"]);
    eprintln!(
        "{} trades compared of {}, {} quotes, {} books\n{}",
        compared,
        rows.len(),
        quotes.len(),
        books.len(),
        String::from_utf8(list.stdout).unwrap()
    );

    // The same files are a market again.
    let played = TempDir::new().unwrap();
    let again = Simx::start(
        played.path(),
        &["--listen", "127.0.0.1:0", "--data", recording],
    );
    let answer = http::ask(&again.address, "GET /api/v3/exchangeInfo", "", "").unwrap();
    let symbols = answer.json()["symbols"].as_array().unwrap().len();
    assert_eq!(symbols, 2);
}

/// A small disk is full while a recorder writes; there is room again later.
#[test]
fn on_a_full_disk_a_recorder_says_so_and_goes_on_when_there_is_room() {
    let (at_venue, folder, disk) = (
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let Some(small) = crate::disks::Tmpfs::mount(disk.path(), 32 << 20) else {
        return;
    };
    let simx = Simx::start(
        at_venue.path(),
        &["--listen", "127.0.0.1:0", "--speed", "10"],
    );
    let config = configuration(folder.path(), &simx.address);
    let recording = disk.path().join("recording");
    let recording = recording.to_str().unwrap();
    let _recorder = Recorder::start(folder.path(), &config, &["--output", recording]);
    let told = || {
        let text = fs::read_to_string(folder.path().join("record.out")).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let last = whole.lines().last().unwrap_or("{}");
        serde_json::from_str::<Value>(last).unwrap()
    };
    within(PATIENCE, "frames on the disk", || {
        (told()["lines"].as_u64() > Some(0)).then_some(())
    });
    small.fill();
    let full = within(PATIENCE, "a disk that refuses", || {
        let told = told();
        (told["disk"].is_string() && told["lost"].as_u64() > Some(0)).then_some(told)
    });
    small.make_room();
    let healed = within(PATIENCE, "a disk that takes lines", || {
        let told = told();
        let goes_on = told["lines"].as_u64() > full["lines"].as_u64();
        (told["disk"].is_null() && goes_on).then_some(told)
    });
    let lost = healed["lost"].as_u64().unwrap();
    let noted: u64 = verified(folder.path(), recording)
        .iter()
        .filter_map(|item| item["lost"].as_u64())
        .sum();
    assert!(lost > 0 && noted == lost, "{noted} of {lost}");
    eprintln!("{lost} frames lost on the full disk, each counted; {healed}");
}

/// The exchange refuses a request for candles, and says for how long.
const LIMITED: &str = r#"
[[fault]]
do = "answer"
call = "klines"
status = 429
code = -1003
retry-after = "3s"
nth = 25
"#;

/// Candles and trades of the exchange's past, within its limits; stopped in the middle, and gone on with.
#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was_and_keeps_to_the_limits_of_the_venue() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let control = crate::desk::unused_address();
    let arguments = ["--listen", "127.0.0.1:0", "--history", "50000"];
    let faults = at_venue.path().join("faults.toml");
    fs::write(&faults, LIMITED).unwrap();
    let simx = Simx::start(
        at_venue.path(),
        &[
            &arguments[..],
            &["--faults", faults.to_str().unwrap(), "--control", &control],
        ]
        .concat(),
    );
    let config = configuration(folder.path(), &simx.address);
    let time = http::ask(&simx.address, "GET /api/v3/time", "", "").unwrap();
    let now = time.json()["serverTime"].as_i64().unwrap() / 60_000 * 60_000;
    let day = 86_400_000;
    let at = |millis: i64| tradewind_model::Timestamp::from_millis(millis).to_string();
    let (from, to) = (at(now - 25 * day), at(now - day));
    let fixed = ["data", "fetch", "binance", "--config", &config, "--json"];
    let wanted = ["--instruments", "BTC/USDT", "--from", &from, "--to", &to];
    let arguments = [&fixed[..], &wanted[..]].concat();

    let mut first = tradewind(folder.path(), &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let rows = || {
        let list = command(folder.path(), &["data", "list", "--json"]);
        let told: Value = serde_json::from_slice(&list.stdout).unwrap();
        told["items"][0]["rows"].as_u64().unwrap_or(0)
    };
    let all = 24 * 24 * 60;
    within(PATIENCE, "a part of it", || (rows() > 0).then_some(()));
    first.kill().unwrap();
    first.wait().unwrap();
    let part = rows();

    let second = command(folder.path(), &arguments);
    assert!(second.status.success(), "{second:?}");
    let text = String::from_utf8(second.stdout).unwrap();
    let told: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&told["rows"], &told["missing"]),
        (&all.into(), &0.into()),
        "{told}"
    );
    assert_eq!(told["added"].as_u64().unwrap() + part, all);
    let third = command(folder.path(), &arguments);
    let text = String::from_utf8(third.stdout).unwrap();
    let told: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&told["added"], &told["requests"]),
        (&0.into(), &0.into()),
        "{told}"
    );
    eprintln!("{part} candles before the kill, {all} in all");

    // The exchange's own candles are the catalogue's.
    let request = format!(
        "GET /api/v3/klines?symbol=BTCUSDT&interval=1m&startTime={}&limit=1000",
        now - 3 * day
    );
    let candles = http::ask(&simx.address, &request, "", "").unwrap().json();
    let rows = exported(folder.path(), "binance:BTC/USDT@1m");
    let mut compared = 0;
    for candle in candles.as_array().unwrap() {
        let open_time = at(candle[0].as_i64().unwrap());
        let row = rows.iter().find(|row| row[0] == open_time).unwrap();
        for (cell, place) in row[1..].iter().zip(1..) {
            assert_eq!(*cell, plain(candle[place].as_str().unwrap()));
        }
        compared += 1;
    }
    assert_eq!(compared, 1_000);

    let verify = command(folder.path(), &["data", "verify"]);
    assert!(verify.status.success(), "{verify:?}");
}

/// Public trades of the exchange from an id on.
#[track_caller]
fn past_trades(address: &str, from: u64) -> Vec<(u64, i64)> {
    let request = format!("GET /api/v3/historicalTrades?symbol=BTCUSDT&fromId={from}&limit=1000");
    let answer = http::ask(address, &request, "", "").unwrap().json();
    let all = answer.as_array().unwrap().iter();
    all.map(|trade| {
        (
            trade["id"].as_u64().unwrap(),
            trade["time"].as_i64().unwrap(),
        )
    })
    .collect()
}

/// Trades that lie before those that are there are fetched, too, and each once.
#[test]
fn a_fetch_of_trades_fills_what_is_absent_in_front_and_behind() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--speed",
        "20",
        "--limits",
        "off",
    ];
    let simx = Simx::start(at_venue.path(), &arguments);
    let config = configuration(folder.path(), &simx.address);
    let all = within(PATIENCE * 4, "trades", || {
        let mut all = past_trades(&simx.address, 0);
        while let Some((last, _)) = all.last().filter(|_| all.len().is_multiple_of(1_000)) {
            all.extend(past_trades(&simx.address, last + 1));
        }
        (all.len() > 500).then_some(all)
    });
    let at = |place: usize| tradewind_model::Timestamp::from_millis(all[place].1);
    let fetch = |from: usize, to: usize| {
        let (from, to) = (at(from).to_string(), at(to).to_string());
        let fixed = ["data", "fetch", "binance", "--config", &config, "--json"];
        let wanted = [
            "--instruments",
            "BTC/USDT",
            "--trades",
            "--from",
            &from,
            "--to",
            &to,
        ];
        let fetched = command(folder.path(), &[&fixed[..], &wanted[..]].concat());
        assert!(fetched.status.success(), "{fetched:?}");
        let text = String::from_utf8(fetched.stdout).unwrap();
        serde_json::from_str::<Value>(text.lines().last().unwrap()).unwrap()
    };
    fetch(300, 350);
    fetch(400, 420);
    let told = fetch(0, 490);
    assert_eq!(told["missing"], 0, "{told}");
    assert_eq!(fetch(0, 490)["added"], 0);
    let rows = exported(folder.path(), "binance:BTC/USDT@trades");
    let ids: Vec<u64> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
    let wanted = all.iter().filter(|(_, time)| *time < all[490].1);
    assert_eq!(ids, wanted.map(|(id, _)| *id).collect::<Vec<u64>>());
    eprintln!("{} trades fetched in three parts, each once", ids.len());
}

/// A folder that has grown adds what is new, and a snapshot without a symbol belongs to its own file.
#[test]
fn a_recording_that_has_grown_is_imported_again_and_books_stay_with_their_symbols() {
    let folder = TempDir::new().unwrap();
    let recording = folder.path().join("frames");
    fs::create_dir(&recording).unwrap();
    let write = |name: &str, lines: &[String]| {
        let file = fs::File::create(recording.join(name)).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, lines.concat().as_bytes()).unwrap();
        packed.finish().unwrap();
    };
    let file = |symbol: &str, price: u64, begin: i64, ahead: i64| {
        let (small, big) = (
            format!("{symbol}usdt"),
            format!("{}USDT", symbol.to_uppercase()),
        );
        let mut lines = vec![format!(
            "{} {{\"lastUpdateId\":{price},\"bids\":[[\"{price}.5\",\"1\"]],\"asks\":[[\"{price}.9\",\"2\"]]}}\n",
            begin * 1_000_000
        )];
        for number in 1..=20 {
            let (received, update) = (begin + number * 10, price + u64::try_from(number).unwrap());
            let nanos = received * 1_000_000;
            lines.push(format!("{nanos} {{\"stream\":\"{small}@bookTicker\",\"data\":{{\"u\":{update},\"s\":\"{big}\",\"b\":\"{price}.5\",\"B\":\"1.{number:02}1\",\"a\":\"{price}.9\",\"A\":\"2\"}}}}\n"));
            lines.push(format!("{nanos} {{\"stream\":\"{small}@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{},\"s\":\"{big}\",\"U\":{update},\"u\":{update},\"b\":[[\"{price}.5\",\"1.{number:02}1\"]],\"a\":[]}}}}\n", received + ahead));
        }
        lines
    };
    let begin = 1_723_161_254_000;
    let import = || {
        let path = recording.to_str().unwrap();
        let import = command(
            folder.path(),
            &["data", "import", path, "--venue", "binance"],
        );
        assert!(import.status.success(), "{import:?}");
    };
    write("1-btc.gz", &file("btc", 60_000, begin, 0));
    write("1-eth.gz", &file("eth", 2_000, begin, 0));
    import();
    // The second day's clock is 7 ms further ahead.
    write("2-btc.gz", &file("btc", 61_000, begin + 3_600_000, 7));
    import();
    let count = |series: &str| exported(folder.path(), series).len();
    assert_eq!(count("binance:BTC/USDT@quotes"), 40);
    assert_eq!(count("binance:ETH/USDT@quotes"), 20);
    let books = exported(folder.path(), "binance:ETH/USDT@book");
    assert!(
        !books.is_empty() && books.iter().all(|row| row[1] == "2000.5"),
        "{books:?}"
    );
    assert!(count("binance:BTC/USDT@book") >= books.len());
}
