//! The desk under test: its configuration, its venue, and its clients.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;
use tradewind::config::DEFAULT;
use tradewind_model::Timestamp;

use crate::desk::{Desk, pause, tradewind, within};
use crate::http;
use crate::relay::Relay;
use crate::simx::Simx;
use crate::wire::{Security, certificate};

const KEY: &str = "bench";
const SECRET: &str = "a secret of the benchmark";
/// No other bot trades it.
const SYMBOL: &str = "LTCUSDT";
const INSTRUMENT: &str = "LTC/USDT";
/// Between two quotes.
const EVERY: Duration = Duration::from_millis(10);
/// Longest wait for an order.
const PATIENCE: Duration = Duration::from_millis(500);
/// Quotes before the first that is measured: orders must come by then.
const WARM_UP: usize = 200;

/// How a desk runs.
pub(crate) struct Case {
    pub(crate) security: Security,
    folder: Folder,
    wait: &'static str,
}

/// Where the desk keeps its journal.
#[derive(Clone, Copy)]
pub(crate) enum Folder {
    /// On disk.
    Disk,
    /// In memory, where a sync costs next to nothing.
    Memory,
}

impl Case {
    pub(crate) const fn new(security: Security, folder: Folder, wait: &'static str) -> Self {
        Self {
            security,
            folder,
            wait,
        }
    }
}

/// A desk that trades on the exchange behind the relay, with its clients attached.
pub(crate) struct LiveDesk {
    desk: Desk,
    relay: Relay,
    /// Price around which the quotes swing, in hundredths.
    middle: u64,
    quotes: u64,
    _exchange: Simx,
    /// When the engine took each quote on which the measured bot placed an order, by the desk's clock.
    decided: Receiver<Timestamp>,
    _stalled: TcpStream,
    _folders: [TempDir; 2],
}

impl LiveDesk {
    /// Starts all of it, and waits until the measured bot runs.
    pub(crate) fn start(case: &Case) -> Self {
        // The exchange would be another machine, with a disk of its own.
        let folders = [case.folder.open(), Folder::Memory.open()];
        let [folder, at_exchange] = folders.each_ref().map(TempDir::path);
        let account = format!("{KEY}:{SECRET}:USDT=200000");
        let arguments = [
            "--listen",
            "127.0.0.1:0",
            "--limits",
            "off",
            "--account",
            &account,
        ];
        let exchange = Simx::start(at_exchange, &arguments);
        let relay = Relay::start(&exchange.address, SYMBOL, case.security);
        let config = configuration(folder, &relay, case);
        let mut command = tradewind(folder, &["run", "--venue", "binance", "--live"]);
        command
            .arg("--config")
            .arg(config)
            .env("BINANCE_API_KEY", KEY)
            .env("BINANCE_API_SECRET", SECRET);
        let desk = Desk::start_from(folder, command);
        let stalled = desk.stream("").unwrap();
        let decided = listen(desk.stream("").unwrap());
        within(Duration::from_secs(30), "the measured bot at work", || {
            let bots = desk.items("bots");
            let measured = bots.iter().find(|bot| bot["name"] == "measured")?;
            (measured["state"] == "running" && relay.is_subscribed()).then_some(())
        });
        let middle = middle(&exchange.address);
        Self {
            desk,
            relay,
            middle,
            quotes: 0,
            decided,
            _exchange: exchange,
            _stalled: stalled,
            _folders: folders,
        }
    }

    /// Sends quotes and takes the time until each one's order. Quotes without an order are left out.
    pub(crate) fn measure(&mut self, samples: usize) -> Measured {
        let warm: Vec<Duration> = (0..WARM_UP).filter_map(|_| self.next()).collect();
        assert!(
            warm.len() > WARM_UP / 2,
            "{} orders in {WARM_UP} quotes",
            warm.len()
        );
        let mut sent = Vec::with_capacity(samples);
        let mut measure = |_| {
            sent.push(now());
            self.next()
        };
        let orders = (0..samples).filter_map(&mut measure).collect();
        let decided: Vec<Timestamp> = self.decided.try_iter().collect();
        let frame = |pair: &[Timestamp]| {
            let after = decided.partition_point(|at| *at < pair[0]);
            let at = decided.get(after).filter(|at| **at < pair[1])?;
            Some(at.since(pair[0]))
        };
        let frames: Vec<_> = sent.windows(2).filter_map(frame).collect();
        Measured { orders, frames }
    }

    /// The next quote and its order, in time with the last one. The averages of the measured bot cross with each quote.
    fn next(&mut self) -> Option<Duration> {
        let begun = Instant::now();
        self.quotes += 1;
        let swing = self.middle / 1_000;
        let cents = match self.quotes % 2 {
            0 => self.middle - swing,
            _ => self.middle + swing,
        };
        let taken = self.relay.quote(cents, PATIENCE);
        pause(EVERY.saturating_sub(begun.elapsed()));
        taken
    }

    /// What the desk itself measured of its stages, in microseconds.
    pub(crate) fn stages(&self) -> String {
        let queues = self.desk.get("queues");
        let stages = queues["stages"].as_array().unwrap().iter();
        let stage = |stage: &Value| {
            format!(
                "{} p50 {} p99 {}",
                stage["name"], stage["p50_us"], stage["p99_us"]
            )
        };
        stages
            .map(stage)
            .collect::<Vec<_>>()
            .join(", ")
            .replace('"', "")
    }
}

/// What one run took.
pub(crate) struct Measured {
    /// From a quote sent to its order's arrival.
    pub(crate) orders: Vec<Duration>,
    /// From a quote sent to the engine's step, as the event of its order tells it.
    pub(crate) frames: Vec<Duration>,
}

/// Reads the stream of events, and passes on when the measured bot placed an order.
fn listen(stream: TcpStream) -> Receiver<Timestamp> {
    stream.set_read_timeout(None).unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            let is_order = line.contains(r#""type":"order_placed""#) && line.contains(INSTRUMENT);
            if let (true, Some(data)) = (is_order, line.strip_prefix("data: ")) {
                let event: Value = serde_json::from_str(data).unwrap();
                let at = event["at"].as_str().unwrap().parse().unwrap();
                if sender.send(at).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

/// This machine's time, with which the desk's clock began.
fn now() -> Timestamp {
    Timestamp::EPOCH + SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

impl Folder {
    fn open(self) -> TempDir {
        let memory = Path::new("/dev/shm");
        let within = match self {
            Self::Memory if memory.is_dir() => memory,
            Self::Memory | Self::Disk => Path::new(env!("CARGO_TARGET_TMPDIR")),
        };
        tempfile::tempdir_in(within).unwrap()
    }
}

/// The default desk on a live account, with the measured bot, whose instrument no other bot has.
fn configuration(folder: &Path, relay: &Relay, case: &Case) -> PathBuf {
    let port = relay.address.port();
    let secure = case.security.suffix();
    let mut text = DEFAULT.to_owned();
    let mut replace = |from: &str, to: &str| {
        assert!(text.contains(from), "{from:?} is not in the default");
        text = text.replace(from, to);
    };
    replace(
        "https://api.binance.com",
        &format!("http{secure}://localhost:{port}"),
    );
    replace(
        "wss://stream.binance.com:9443",
        &format!("ws{secure}://localhost:{port}"),
    );
    replace(
        "wss://ws-api.binance.com:443",
        &format!("ws{secure}://localhost:{port}"),
    );
    replace(
        "mode = \"paper\"\nbalances = { USDT = 100_000 }",
        "mode = \"live\"",
    );
    replace("stagger = \"1s\"", "stagger = \"1ms\"");
    replace("wait = \"park\"", &format!("wait = {:?}", case.wait));
    replace(
        "bot_order_rate = \"2/s burst 5\"",
        "bot_order_rate = \"1000/s burst 1000\"",
    );
    replace(
        "account_order_rate = \"80/10s burst 45\"",
        "account_order_rate = \"1000/s burst 1000\"",
    );
    replace("duplicate_window = \"1s\"", "duplicate_window = \"1ms\"");
    // The measured bot enters and loses more often than any other may.
    replace(
        "same_side_entries_max = 64",
        "same_side_entries_max = 1_000_000",
    );
    replace("bot_daily_loss = 2 ", "bot_daily_loss = 1000 ");
    replace(
        "[\"LTC/USDT\", \"BCH/USDT\"]",
        "[\"ETC/USDT\", \"BCH/USDT\"]",
    );
    let ca_file = match case.security {
        Security::Plain => String::new(),
        Security::Tls => format!("kind = \"binance\"\nca_file = {:?}", certificate()),
    };
    if !ca_file.is_empty() {
        replace("kind = \"binance\"", &ca_file);
    }
    text += "\n[[bots]]\nid = \"measured\"\nstrategy = \"ma_cross\"\naccount = \"paper\"\ninstruments = [\"LTC/USDT\"]\n\
        budget = 50\nexit = { stop = \"20%\" }\npolicy = \"market\"\nparams = { fast = 1, slow = 2 }\n";
    let path = folder.join("bench.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The exchange's ask of the instrument, in hundredths.
fn middle(exchange: &str) -> u64 {
    let request = format!("GET /api/v3/ticker/bookTicker?symbol={SYMBOL}");
    let ticker = http::ask(exchange, &request, "", "").unwrap().json();
    let price = ticker["askPrice"].as_str().unwrap();
    let (whole, fraction) = price.split_once('.').unwrap();
    let hundredths = fraction.get(..2).unwrap();
    format!("{whole}{hundredths}").parse().unwrap()
}
