//! The exchange's own account of things: its state is copied, served by `tradewind simx` under a key the test knows, and
//! read over its signed public interface. The desk's word for it is not asked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::Value;
use tempfile::TempDir;

use crate::http;
use crate::simx::Simx;

/// What the desk calls the account `paper` at the exchange.
const KEY: &str = "paper-paper";
const SECRET: &str = "a secret of the test";

/// An execution, as both sides can tell it: symbol, trade id, order id, price, quantity, fee.
pub(crate) type Execution = [String; 6];

/// All executions the exchange has recorded in a desk's folder. The desk must not run.
#[track_caller]
pub(crate) fn executions(folder: &Path, symbols: &BTreeSet<String>) -> BTreeSet<Execution> {
    let copy = TempDir::new().unwrap();
    let state = copy.path().join("simx");
    fs::create_dir(&state).unwrap();
    for file in fs::read_dir(folder.join("simx")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), state.join(file.file_name())).unwrap();
    }
    let exchange = Exchange::start(copy.path());
    symbols
        .iter()
        .flat_map(|symbol| exchange.my_trades(symbol))
        .collect()
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

/// The exchange, with the account's key.
struct Exchange(Simx);

impl Exchange {
    fn start(folder: &Path) -> Self {
        let account = format!("{KEY}:{SECRET}:USDT=1");
        let listen = ["--listen", "127.0.0.1:0", "--limits", "off"];
        let arguments = [&listen[..], &["--account", &account]].concat();
        Self(Simx::start(folder, &arguments))
    }

    fn my_trades(&self, symbol: &str) -> Vec<Execution> {
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
        let time = http::ask(&self.0.address, "GET /api/v3/time", "", "").unwrap();
        let time = time.json()["serverTime"].as_u64().unwrap();
        let query = format!("symbol={symbol}&fromId={from}&limit=1000&timestamp={time}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = HEXLOWER.encode(hmac::sign(&key, query.as_bytes()).as_ref());
        let request = format!("GET /api/v3/myTrades?{query}&signature={signature}");
        let headers = format!("X-MBX-APIKEY: {KEY}\r\n");
        let answer = http::ask(&self.0.address, &request, &headers, "").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json().as_array().unwrap().clone()
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
