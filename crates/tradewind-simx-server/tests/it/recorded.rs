//! Recorded data over the wire: real captures and tables of candles.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tradewind_model::{DeskClock, Ppm};
use tradewind_simx_server::{MarketChoice, Recording, ServerOptions, saved_position};
use tradewind_testkit::test_data;

use crate::client::{TestServer, options};

fn playing(recording: Recording, speed: i64) -> ServerOptions {
    ServerOptions {
        clock: Arc::new(DeskClock::new(
            recording.starts_at(),
            Ppm(speed * 1_000_000),
        )),
        market: MarketChoice::Recorded(Box::new(recording)),
        accounts: vec!["test-key:test-secret:USDT=100000".parse().unwrap()],
        ..options(None)
    }
}

async fn play_to_the_end(server: &TestServer) {
    while !server.handle.status().await.unwrap().market_ended {
        tokio::task::yield_now().await;
    }
}

/// Trades of a capture, folded into minutes by somebody else: open, high, low, close, volume in 10^-8, count.
fn minutes(path: &Path) -> BTreeMap<i64, [i128; 6]> {
    let number = |text: &Value| tradewind_model::parse_fixed(text.as_str().unwrap(), 8).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let mut minutes = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains("@trade")) {
        let frame: Value = serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
        let trade = &frame["data"];
        let (price, quantity) = (number(&trade["p"]), number(&trade["q"]));
        let minute = trade["T"].as_i64().unwrap() / 60_000 * 60_000;
        let fold = minutes
            .entry(minute)
            .or_insert([price, price, price, price, 0, 0]);
        *fold = [
            fold[0],
            fold[1].max(price),
            fold[2].min(price),
            price,
            fold[4] + quantity,
            fold[5] + 1,
        ];
    }
    minutes
}

#[tokio::test]
async fn real_captures_make_the_candles_their_trades_make() {
    let Some(folder) = test_data("data/binance_spot_ws") else {
        return;
    };
    let recording = Recording::open(&folder).unwrap();
    assert_eq!(recording.instruments().len(), 2);
    let server = TestServer::start_with(playing(recording, 2_000));
    play_to_the_end(&server).await;
    for (symbol, file) in [
        ("BTCUSDT", "btcusdt_20240808.gz"),
        ("ETHUSDT", "ethusdt_20240808.gz"),
    ] {
        let (_, klines) = server
            .get(&format!(
                "/api/v3/klines?symbol={symbol}&interval=1m&limit=1000"
            ))
            .await;
        let rows = klines.as_array().unwrap();
        let served: BTreeMap<i64, [i128; 6]> = rows
            .iter()
            .map(|row| (row[0].as_i64().unwrap(), row_of(row)))
            .collect();
        let wanted = minutes(&folder.join(file));
        assert!(wanted.len() >= 6, "six minutes were recorded");
        for (minute, fold) in &wanted {
            assert_eq!(served.get(minute), Some(fold), "{symbol} {minute}");
        }
        let (_, depth) = server
            .get(&format!("/api/v3/depth?symbol={symbol}&limit=20"))
            .await;
        assert_eq!(depth["bids"].as_array().unwrap().len(), 20);
    }
    server.stop().await;
}

fn row_of(row: &Value) -> [i128; 6] {
    let number =
        |place: usize| tradewind_model::parse_fixed(row[place].as_str().unwrap(), 8).unwrap();
    [
        number(1),
        number(2),
        number(3),
        number(4),
        number(5),
        row[8].as_i64().unwrap().into(),
    ]
}

#[tokio::test]
async fn real_candles_become_history_and_are_played() {
    let Some(file) = test_data("data/binance_multi_tf_2018/BTC_USDT-1m.csv") else {
        return;
    };
    let server = TestServer::start_with(playing(Recording::open(&file).unwrap(), 20_000));
    play_to_the_end(&server).await;
    let (_, klines) = server
        .get("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000")
        .await;
    let served: BTreeMap<i64, &Value> = klines
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_i64().unwrap(), row))
        .collect();
    let number = |text: &str| tradewind_model::parse_fixed(text, 8).unwrap();
    for line in std::fs::read_to_string(file).unwrap().lines().skip(1) {
        let wanted: Vec<&str> = line.split(',').collect();
        let row = served[&(wanted[0].parse::<i64>().unwrap() * 1_000)];
        for place in 1..=5 {
            assert_eq!(
                number(row[place].as_str().unwrap()),
                number(wanted[place]),
                "{line}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_recording_goes_on_where_an_earlier_run_stopped() {
    let Some(file) = test_data("data/binance_spot_ws/btcusdt_20240808.gz") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let begin = |origin| {
        let recording = Recording::open(&file).unwrap();
        let mut options = playing(recording, 100);
        options.data_dir = Some(folder.path().to_owned());
        options.clock = Arc::new(DeskClock::new(origin, Ppm(100_000_000)));
        TestServer::start_with(options)
    };
    let server = begin(Recording::open(&file).unwrap().starts_at());
    server.touch("BTCUSDT").await;
    let buy = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001";
    let now = server.handle.status().await.unwrap().now.as_millis();
    let (status, order) = server.post_at("/api/v3/order", buy, now).await;
    assert_eq!(status, 200, "{order}");
    server.stop().await;

    let position = saved_position(folder.path()).unwrap().unwrap();
    let server = begin(position);
    let status = server.handle.status().await.unwrap();
    assert!(
        status.now >= position && status.counters.prints < 9_000,
        "{status:?}"
    );
    play_to_the_end(&server).await;
    let now = server.handle.status().await.unwrap().now.as_millis();
    let (_, trades) = server
        .signed_at("GET", "/api/v3/myTrades", "symbol=BTCUSDT", now)
        .await;
    assert_eq!(trades[0]["orderId"], order["orderId"]);
    server.stop().await;

    let mut other = options(Some(folder.path().to_owned()));
    other.clock = Arc::new(DeskClock::new(position, Ppm::ONE));
    let error = tradewind_simx_server::Server::bind(other).unwrap_err();
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("another market")
    );
}

#[test]
fn a_malformed_file_is_one_error_with_its_place() {
    let Some(file) = test_data("data/malformed/BTCUSDT-1h-2023-11-18.csv") else {
        return;
    };
    let error = Recording::open(&file).unwrap_err().to_string();
    let wanted = format!(
        "{}: line 2, column open_time: \"1.70027E+12\" is no time; known are ",
        file.display()
    );
    assert!(error.starts_with(&wanted), "{error}");
}

#[test]
fn what_cannot_be_played_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, text: &str, wanted: &str| {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = Recording::open(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {wanted}", path.display()));
    };
    check(
        "a.gz",
        "no gzip",
        "its name says that it is packed, and it is not; take .gz or .zip off its name, or fetch it again",
    );
    check(
        "BTCUSDT-1m.csv",
        "",
        "no capture and no table of candles with anything to play",
    );
    check(
        "BTCUSDT-1m.csv",
        "open_time,open,high,low,close\n1727740860,1,1,1,1\n1727740860,1,2,1,1\n",
        "line 3: the candle is not later than the one before it: line 2 has the same time and other values; delete the wrong one",
    );
    check(
        "BTCUSDT-trades.csv",
        "time,price,quantity\n1727740860,1,1\n",
        "it is a table of trades, and candles and captures are played here; `tradewind backtest --data` runs over trades",
    );
    check(
        "capture",
        "1 {\"stream\":1}\n",
        "line 1: the frame has no text \"stream\"",
    );
    check(
        "x.csv",
        "1727740860,1,1,1,1\n",
        "neither its name nor a column tells what it is of; call it BTC_USDT-1m.csv, or say --product BTC/USDT where a command has it",
    );
}

#[tokio::test]
async fn a_connection_that_does_not_read_is_cut_and_others_are_not() {
    let Some(folder) = test_data("data/binance_spot_ws") else {
        return;
    };
    let recording = Recording::open(&folder).unwrap();
    let server = TestServer::start_with(playing(recording, 50));
    let topics = [
        "bookTicker",
        "trade",
        "aggTrade",
        "depth20@100ms",
        "depth@100ms",
    ];
    let streams: Vec<String> = ["btcusdt", "ethusdt"]
        .iter()
        .flat_map(|symbol| topics.map(|topic| format!("{symbol}@{topic}")))
        .collect();
    let asleep = server
        .socket(&format!("/stream?streams={}", streams.join("/")))
        .await;
    let mut awake = server.socket("/ws/btcusdt@trade").await;
    while !server.handle.status().await.unwrap().market_ended {
        crate::client::next(&mut awake).await;
    }
    assert_eq!(server.handle.status().await.unwrap().cut, 1);
    drop(asleep);
    server.stop().await;
}
