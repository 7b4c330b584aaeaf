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
use crate::http;
use crate::simx::Simx;

/// What the desk calls the account `paper` at the exchange.
pub(crate) const KEY: &str = "paper-paper";
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

/// Serves a copy of the exchange.
#[track_caller]
fn with_copy<T>(folder: &Path, read: impl FnOnce(&Exchange) -> T) -> T {
    let copy = TempDir::new().unwrap();
    let state = copy.path().join("simx");
    fs::create_dir(&state).unwrap();
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
    _simx: Simx,
    /// `host:port` of its interface.
    pub(crate) address: String,
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
        Self {
            _simx: simx,
            address,
        }
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

    pub(crate) fn my_trades(&self, symbol: &str) -> Vec<Execution> {
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let page = self.page(symbol, from);
            let Some(last) = page.last() else {
                return found;
            };
            from = last["id"].as_u64().unwrap() + 1;
            found.extend(page.iter().map(execution));
        }
    }

    fn page(&self, symbol: &str, from: u64) -> Vec<Value> {
        let query = format!("symbol={symbol}&fromId={from}&limit=1000");
        let trades = self.signed("myTrades", &query);
        trades.as_array().unwrap().clone()
    }

    /// What a signed request is answered.
    pub(crate) fn signed(&self, path: &str, query: &str) -> Value {
        let time = http::ask(&self.address, "GET /api/v3/time", "", "").unwrap();
        let time = time.json()["serverTime"].as_u64().unwrap();
        let query = format!("{query}&timestamp={time}");
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
