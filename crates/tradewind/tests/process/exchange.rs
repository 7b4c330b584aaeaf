//! The exchange's own account of things: its state is copied, served by `tradewind simx` under a key the test knows, and
//! read over its signed public interface. The desk's word for it is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::Value;
use tempfile::TempDir;

use crate::amounts::exact;
use crate::desk::CONTROL_TOKEN;
use crate::fast_bots::{BASES, BEGUN};
use crate::http;
use crate::simx::Simx;

/// What the desk calls the account `paper` at the exchange.
pub(crate) const KEY: &str = "paper-paper";
/// Executions of a page.
const PAGE: usize = 1_000;
/// What it signs with.
pub(crate) const SECRET: &str = "a secret of the test";

/// An execution, as both sides can tell it: symbol, trade id, order id, price, quantity, fee.
pub(crate) type Execution = [String; 6];

/// All executions the exchange has recorded in a desk's folder. The desk must not run.
#[track_caller]
pub(crate) fn executions(folder: &Path, symbols: &BTreeSet<String>) -> BTreeSet<Execution> {
    with_copy(folder, |exchange| {
        let trades = symbols.iter().flat_map(|symbol| exchange.my_trades(symbol));
        trades.collect()
    })
}

/// The orders of an instrument that are open at the exchange of a desk's folder. The desk must not run.
#[track_caller]
pub(crate) fn open_orders(folder: &Path, symbol: &str) -> Vec<Value> {
    with_copy(folder, |exchange| {
        let orders = exchange.signed("openOrders", &format!("symbol={symbol}"));
        orders.as_array().unwrap().clone()
    })
}

/// All orders and executions that the exchange has recorded in a desk's folder. The desk must not run.
#[track_caller]
pub(crate) fn truth(
    folder: &Path,
    symbols: &BTreeSet<String>,
) -> (Vec<Value>, BTreeSet<Execution>) {
    with_copy(folder, |exchange| {
        let orders = symbols
            .iter()
            .flat_map(|symbol| exchange.all_orders(symbol));
        let trades = symbols.iter().flat_map(|symbol| exchange.my_trades(symbol));
        (orders.collect(), trades.collect())
    })
}

/// Serves a copy of the exchange.
#[track_caller]
fn with_copy<T>(folder: &Path, read: impl FnOnce(&Exchange) -> T) -> T {
    let copy = TempDir::new().unwrap();
    let state = copy.path().join("simx");
    fs::create_dir(&state).unwrap();
    let marker = folder.join("fast-clock");
    if marker.exists() {
        fs::copy(marker, copy.path().join("fast-clock")).unwrap();
    }
    for file in fs::read_dir(folder.join("simx")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), state.join(file.file_name())).unwrap();
    }
    read(&Exchange::start(copy.path()))
}

/// A fill of the desk's API in the same words.
#[track_caller]
pub(crate) fn told_by_desk(fill: &Value) -> Execution {
    let symbol = symbol(fill);
    let text = |key: &str| fill[key].as_str().unwrap().to_owned();
    let amount = |key: &str| plain(fill[key].as_str().unwrap());
    [
        symbol,
        text("trade_id"),
        text("venue_order_id"),
        amount("price"),
        amount("quantity"),
        amount("fee"),
    ]
}

/// The exchange's spelling of a fill's instrument.
#[track_caller]
pub(crate) fn symbol(fill: &Value) -> String {
    let instrument = fill["instrument"].as_str().unwrap();
    instrument.split_once(':').unwrap().1.replace('/', "")
}

/// A decimal without trailing zeros.
fn plain(text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An exchange on which the account has this key.
pub(crate) struct Exchange {
    simx: Simx,
    /// `host:port` of its interface.
    pub(crate) address: String,
    /// Its control port, if it has one.
    control: Option<String>,
}

impl Exchange {
    fn start(folder: &Path) -> Self {
        Self::with_account(
            folder,
            "USDT=1",
            &["--listen", "127.0.0.1:0", "--limits", "off"],
        )
    }

    /// Starts an exchange with the account and these balances.
    pub(crate) fn with_account(folder: &Path, balances: &str, arguments: &[&str]) -> Self {
        let account = format!("{KEY}:{SECRET}:{balances}");
        let simx = Simx::start(folder, &[arguments, &["--account", &account]].concat());
        let address = simx.address.clone();
        let control = arguments
            .iter()
            .skip_while(|argument| **argument != "--control")
            .nth(1);
        Self {
            simx,
            address,
            control: control.map(|address| (*address).to_owned()),
        }
    }

    /// Sends its process a signal, such as `STOP`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        self.simx.signal(name);
    }

    /// Starts an exchange on which the account has what fast bots begin with.
    pub(crate) fn begun(folder: &Path, arguments: &[&str]) -> Self {
        Self::with_account(folder, &format!("USDT={BEGUN}"), arguments)
    }

    /// Free and locked amounts together of each asset that it has, in multiples of 10^-18.
    #[track_caller]
    pub(crate) fn balances(&self) -> BTreeMap<String, i128> {
        let account = self.signed("account", "omitZeroBalances=true");
        let balances = account["balances"].as_array().unwrap().iter();
        let of_asset = |balance: &Value| {
            let total = exact(&balance["free"]) + exact(&balance["locked"]);
            (balance["asset"].as_str().unwrap().to_owned(), total)
        };
        balances.map(of_asset).collect()
    }

    /// How many executions the account has in the instruments of the fast bots.
    #[track_caller]
    pub(crate) fn trades(&self) -> usize {
        let symbols = BASES.map(|base| format!("{base}USDT"));
        let of_each = symbols.iter().map(|symbol| self.my_trades(symbol).len());
        of_each.sum()
    }

    #[track_caller]
    pub(crate) fn my_trades(&self, symbol: &str) -> Vec<Execution> {
        self.my_trades_from(symbol, 0)
    }

    /// The account's executions in an instrument from a trade id on.
    #[track_caller]
    pub(crate) fn my_trades_from(&self, symbol: &str, mut from: u64) -> Vec<Execution> {
        let mut found = Vec::new();
        loop {
            let page = self.page(symbol, from);
            let Some(last) = page.last() else {
                return found;
            };
            from = last["id"].as_u64().unwrap() + 1;
            found.extend(page.iter().map(execution));
            if page.len() < PAGE {
                return found;
            }
        }
    }

    /// The account's orders in an instrument, open or not.
    #[track_caller]
    fn all_orders(&self, symbol: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let query = format!("symbol={symbol}&orderId={from}&limit={PAGE}");
            let mut page = self.signed("allOrders", &query);
            let page = std::mem::take(page.as_array_mut().unwrap());
            let count = page.len();
            found.extend(page);
            if count < PAGE {
                return found;
            }
            from = found[found.len() - 1]["orderId"].as_u64().unwrap() + 1;
        }
    }

    /// The account's open orders in all instruments.
    #[track_caller]
    pub(crate) fn open_orders(&self) -> Vec<Value> {
        let orders = self.signed("openOrders", "");
        orders.as_array().unwrap().clone()
    }

    /// What happened to orders since it started, by its own log.
    #[track_caller]
    pub(crate) fn order_log(&self) -> Vec<Value> {
        self.simx.log().split_off(1)
    }

    /// A request to its control port. Unlike signed requests, it takes nothing from the desk's request weight.
    #[track_caller]
    pub(crate) fn operate(&self, request: &str, body: &str) -> Value {
        let control = self.control.as_ref().expect("a control port");
        let headers = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
        let answer = http::ask(control, request, &headers, body).unwrap();
        assert_eq!(answer.status, 200, "{request}: {answer:?}");
        answer.json()
    }

    /// Request weight that was used in the exchange's present minute, the test's own requests included.
    #[track_caller]
    pub(crate) fn used_weight(&self) -> usize {
        let answer = http::ask(&self.address, "GET /api/v3/ping", "", "").unwrap();
        let head = answer.head.to_lowercase();
        let mut lines = head.lines();
        let used = lines.find_map(|line| line.strip_prefix("x-mbx-used-weight-1m:"));
        used.expect("the weight").trim().parse().unwrap()
    }

    /// The account's open orders, as the exchange's operator sees them.
    #[track_caller]
    pub(crate) fn orders_now(&self) -> Vec<Value> {
        let state = self.operate("GET /state", "");
        let accounts = state["accounts"].as_array().unwrap();
        let ours = accounts.iter().find(|account| account["key"] == KEY);
        ours.unwrap()["open_orders"].as_array().unwrap().clone()
    }

    /// Every execution in its log.
    #[track_caller]
    pub(crate) fn logged_executions(&self) -> BTreeSet<Execution> {
        let log = self.order_log();
        let fills = log.iter().filter(|line| line["event"] == "order_filled");
        fills.map(logged_execution).collect()
    }

    fn page(&self, symbol: &str, from: u64) -> Vec<Value> {
        let query = format!("symbol={symbol}&fromId={from}&limit={PAGE}");
        let trades = self.signed("myTrades", &query);
        trades.as_array().unwrap().clone()
    }

    /// What a signed request is answered.
    pub(crate) fn signed(&self, path: &str, query: &str) -> Value {
        let time = http::ask(&self.address, "GET /api/v3/time", "", "").unwrap();
        let time = time.json()["serverTime"].as_u64().unwrap();
        let query = match query {
            "" => format!("timestamp={time}"),
            query => format!("{query}&timestamp={time}"),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = HEXLOWER.encode(hmac::sign(&key, query.as_bytes()).as_ref());
        let request = format!("GET /api/v3/{path}?{query}&signature={signature}");
        let headers = format!("X-MBX-APIKEY: {KEY}\r\n");
        let answer = http::ask(&self.address, &request, &headers, "").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

#[track_caller]
fn execution(trade: &Value) -> Execution {
    let amount = |key: &str| plain(trade[key].as_str().unwrap());
    [
        trade["symbol"].as_str().unwrap().to_owned(),
        trade["id"].to_string(),
        trade["orderId"].to_string(),
        amount("price"),
        amount("qty"),
        amount("commission"),
    ]
}

#[track_caller]
fn logged_execution(line: &Value) -> Execution {
    let trade = &line["trade"];
    let amount = |key: &str| plain(trade[key].as_str().unwrap());
    [
        line["symbol"].as_str().unwrap().to_owned(),
        trade["id"].to_string(),
        line["order"].to_string(),
        amount("price"),
        amount("quantity"),
        amount("fee"),
    ]
}
