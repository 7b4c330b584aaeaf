//! A live desk on an exchange in a process of its own, with the exchange's own log of orders and a relay between them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::Value;

use crate::desk::{tradewind, within};
use crate::exchange::{KEY, SECRET};
use crate::fast_bots::fast_bots;
use crate::relay::relay;

/// Requests that place an order.
const ORDER: &str = "POST /api/v3/order";
/// The request that reads the account.
pub(crate) const ACCOUNT: &str = "GET /api/v3/account";

/// `tradewind simx`, killed when the test is over.
pub(crate) struct LoggedVenue {
    child: Child,
    log: PathBuf,
    /// What it said first: where it listens, and its control port.
    pub(crate) facts: Value,
    /// `host:port`.
    pub(crate) address: String,
}

impl LoggedVenue {
    /// Starts it with this account, such as `key:secret:USDT=10000`.
    #[track_caller]
    pub(crate) fn start(folder: &Path, account: &str, arguments: &[&str]) -> Self {
        let log = folder.join("orders.jsonl");
        let child = tradewind(folder, &["simx", "--json", "--account", account])
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut venue = Self {
            child,
            log,
            facts: Value::Null,
            address: String::new(),
        };
        within(Duration::from_secs(10), "the exchange's first line", || {
            venue.facts = venue.lines().into_iter().next()?;
            Some(())
        });
        venue.address = venue.facts["listen"].as_str().unwrap().to_owned();
        venue
    }

    /// With an account of [`KEY`].
    #[track_caller]
    pub(crate) fn with_usdt(folder: &Path, usdt: &str, arguments: &[&str]) -> Self {
        Self::start(folder, &format!("{KEY}:{SECRET}:USDT={usdt}"), arguments)
    }

    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What happened to orders so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lines().split_off(1)
    }

    /// New orders that it took since `since`, as it logged them.
    pub(crate) fn accepted_since(&self, since: SystemTime) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["event"] == "order_accepted" && instant(&event["at"]) >= since);
        events
    }
}

impl Drop for LoggedVenue {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A moment in JSON.
#[track_caller]
pub(crate) fn instant(at: &Value) -> SystemTime {
    let at: Timestamp = at.as_str().unwrap().parse().unwrap();
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(at.as_nanosecond()).unwrap())
}

/// Fast bots on a live account at `address`. Their budgets are all that the desk may count as its equity.
pub(crate) fn fast_live_bots(folder: &Path, address: &str) -> PathBuf {
    let path = PathBuf::from(fast_bots(folder));
    let text = fs::read_to_string(&path).unwrap();
    let text =
        live_text(&text, address).replace("order_equity_max = 0.05", "order_equity_max = 0.10");
    fs::write(&path, text).unwrap();
    path
}

/// A configuration whose account `paper` is live at `address`.
pub(crate) fn live_text(text: &str, address: &str) -> String {
    let balances = "mode = \"paper\"\nbalances = { USDT = 10_000 }";
    assert!(text.contains(balances));
    text.replace("https://api.binance.com", &format!("http://{address}"))
        .replace("wss://stream.binance.com:9443", &format!("ws://{address}"))
        .replace("wss://ws-api.binance.com:443", &format!("ws://{address}"))
        .replace(balances, "mode = \"live\"")
}

/// `run --live`, with the account's key in the environment.
pub(crate) fn run_live(folder: &Path, config: &Path) -> Command {
    let mut command = tradewind(folder, &["run", "--venue", "binance", "--live"]);
    command
        .arg("--config")
        .arg(config)
        .env("BINANCE_API_KEY", KEY)
        .env("BINANCE_API_SECRET", SECRET);
    command
}

/// Passes everything on to a venue, and notes when requests came.
#[derive(Clone)]
pub(crate) struct Relay {
    /// Where to call instead of the venue.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<(SystemTime, &'static str)>>>,
}

impl Relay {
    /// Listens on a free port.
    pub(crate) fn on(venue: &str) -> Self {
        let requests = Arc::<Mutex<Vec<(SystemTime, &'static str)>>>::default();
        let noted = Arc::clone(&requests);
        let address = relay(venue, move || {
            // A request's line may be cut by the end of a piece.
            let (mut tail, noted) = (Vec::new(), Arc::clone(&noted));
            let requests = move |piece: &[u8]| {
                let now = SystemTime::now();
                tail.extend(piece);
                let text = String::from_utf8_lossy(&tail).into_owned();
                for name in [ORDER, ACCOUNT] {
                    let count = text.matches(name).count();
                    let found = std::iter::repeat_n((now, name), count);
                    noted.lock().unwrap().extend(found);
                }
                let kept = tail.len().saturating_sub(ORDER.len() - 1);
                tail.drain(..kept);
                if text.ends_with(ORDER) || text.ends_with(ACCOUNT) {
                    tail.clear();
                }
            };
            (requests, |_: &[u8]| {})
        });
        Self { address, requests }
    }

    /// How many new orders came since `since`.
    pub(crate) fn orders_since(&self, since: SystemTime) -> usize {
        self.since(ORDER, since)
    }

    /// How many requests of a kind came since `since`.
    pub(crate) fn since(&self, kind: &str, since: SystemTime) -> usize {
        let requests = self.requests.lock().unwrap();
        let later = requests
            .iter()
            .filter(|(at, name)| *at >= since && *name == kind);
        later.count()
    }
}
