//! The desk's books beside the exchange's own: executions, balances, open orders, stops and the log of orders. The exchange
//! is read over its signed interface and from its order log; the desk's word for it is not taken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::amounts::{exact, moved};
use crate::crashes::known_at;
use crate::desk::{Desk, within};
use crate::exchange::{Exchange, Execution, told_by_desk};
use crate::fast_bots::{BASES, BEGUN};

/// Longest until a desk that is ready knows what the exchange knows. Readings wait for the next minute
/// when those of several starts have used up their share of this one.
const EQUAL_WITHIN: Duration = Duration::from_secs(75);
/// Longest until each position was seen with its cover: two seconds for a stop or its place on the list, and some of
/// latency.
const COVERED_WITHIN: Duration = Duration::from_secs(20);

/// Less than this is too small for an order of its own: 5 USDT, a tenth more for the way to the stop, and fees.
const SOLD_MIN: i128 = 6 * 10_i128.pow(18);

/// The exchange's side, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Books {
    executions: BTreeSet<Execution>,
    next: BTreeMap<String, u64>,
}

impl Books {
    /// How many executions the exchange had when it was last read.
    pub(crate) fn executions(&self) -> usize {
        self.executions.len()
    }

    fn read(&mut self, exchange: &Exchange) -> BTreeSet<Execution> {
        for base in BASES {
            let symbol = format!("{base}USDT");
            let from = self.next.entry(symbol.clone()).or_default();
            for execution in exchange.my_trades_from(&symbol, *from) {
                *from = execution[1].parse::<u64>().unwrap() + 1;
                self.executions.insert(execution);
            }
        }
        self.executions.clone()
    }

    /// While the desk trades: it has every execution of the exchange once and no other, and its ledger is what they make.
    #[track_caller]
    pub(crate) fn agree(&mut self, desk: &Desk, exchange: &Exchange) {
        let trades = self.read(exchange);
        let told = within(
            EQUAL_WITHIN,
            "the exchange's executions in the desk's fills",
            || {
                let told = fills_once(&desk.all("fills"));
                trades.is_subset(&told).then_some(told)
            },
        );
        let logged = exchange.logged_executions();
        let invented: Vec<_> = told.difference(&logged).collect();
        assert!(
            invented.is_empty(),
            "the exchange knows nothing of {invented:?}"
        );
        let mut wrong = Vec::new();
        within(
            EQUAL_WITHIN,
            "a ledger that is the sum of its fills",
            || {
                let table = desk.get("balances");
                let seq = table["seq"].as_u64()?;
                let mut fills = desk.all("fills");
                fills.retain(|fill| known_at(fill, seq));
                wrong = ledger_differences(&table, &fills);
                if !wrong.is_empty() {
                    eprintln!("at {seq}, {} fills: {wrong:?}", fills.len());
                }
                wrong.is_empty().then_some(())
            },
        );
    }

    /// Once nothing moves any more: as [`agree`](Self::agree), and balances, positions and open orders are the exchange's.
    #[track_caller]
    pub(crate) fn are_equal(&mut self, desk: &Desk, exchange: &Exchange) {
        self.agree(desk, exchange);
        let fills = desk.all("fills");
        assert_eq!(fills_once(&fills), self.read(exchange));
        let mut wanted = moved(&fills);
        *wanted.entry("USDT".to_owned()).or_default() += exact(&BEGUN.into());
        wanted.retain(|_, amount| *amount != 0);
        assert_eq!(exchange.balances(), wanted);
        let table = within(EQUAL_WITHIN, "a comparison with the account", || {
            let table = desk.get("balances");
            (table["equal"] == true).then_some(table)
        });
        positions_are_held(&desk.items("positions"), &table);
        let ids = |orders: &[Value], key: &str| -> BTreeSet<String> {
            let id = |order: &Value| order[key].as_str().unwrap().to_owned();
            orders.iter().map(id).collect()
        };
        assert_eq!(
            ids(&desk.items("orders"), "client_id"),
            ids(&exchange.open_orders(), "clientOrderId"),
            "open orders"
        );
        let uncovered = uncovered(desk, exchange);
        assert!(
            uncovered.is_empty(),
            "neither a stop nor listed: {uncovered:?}"
        );
    }
}

/// What the fills tell, each once.
#[track_caller]
fn fills_once(fills: &[Value]) -> BTreeSet<Execution> {
    let told: BTreeSet<_> = fills.iter().map(told_by_desk).collect();
    assert_eq!(told.len(), fills.len(), "a fill is told twice");
    told
}

/// Each asset of which the desk holds something else than the fills make.
fn ledger_differences(table: &Value, fills: &[Value]) -> Vec<String> {
    let mut moved = moved(fills);
    *moved.entry("USDT".to_owned()).or_default() += exact(&BEGUN.into());
    let items = table["items"].as_array().unwrap();
    let wrong = |item: &&Value| {
        let made = moved.get(item["asset"].as_str().unwrap());
        exact(&item["desk"]) != made.copied().unwrap_or(0)
    };
    items.iter().filter(wrong).map(Value::to_string).collect()
}

/// Each position is what the ledger says that its owner has, and the exchange has as much.
#[track_caller]
fn positions_are_held(positions: &[Value], table: &Value) {
    for position in positions {
        let instrument = position["instrument"].as_str().unwrap();
        let base = instrument.split([':', '/']).nth(1).unwrap();
        let items = table["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["asset"] == base).unwrap();
        assert_eq!(item["difference"], "0", "{item}");
        let owners = item["owners"].as_array().unwrap();
        let held = owners.iter().find(|one| one["owner"] == position["owner"]);
        let held = held.unwrap_or_else(|| panic!("{position} is not in {item}"));
        // A position counts what was bought; its owner has as much less fees in the asset itself and, of each fill, what is finer
        // than the step. A position that was reduced and grew again has paid several times.
        let (has, quantity) = (exact(&held["amount"]), exact(&position["quantity"]));
        let fees = quantity - has;
        assert!((0..=quantity / 100).contains(&fees), "{position}: {item}");
    }
}

/// Waits until each instrument was seen at one moment with stops at the exchange for all of its positions, or with the rest
/// on the UNPROTECTED list.
#[track_caller]
pub(crate) fn every_position_is_covered(desk: &Desk, exchange: &Exchange) {
    let mut open: BTreeSet<String> = BASES.iter().map(|base| format!("{base}USDT")).collect();
    within(
        COVERED_WITHIN,
        "a stop for each position, or its place on the list",
        || {
            let wrong = uncovered(desk, exchange);
            open.retain(|symbol| wrong.contains_key(symbol));
            open.is_empty().then_some(())
        },
    );
}

/// What is held beyond the stops at the exchange and the UNPROTECTED list, by symbol. A symbol whose positions changed
/// meanwhile is in it, too. Fees and what is worth less than an order may be are left out: no stop can sell them.
fn uncovered(desk: &Desk, exchange: &Exchange) -> BTreeMap<String, String> {
    let held = || by_symbol(&desk.items("positions"), "quantity");
    let (before, stops) = (held(), stops(&exchange.orders_now()));
    let positions = desk.items("positions");
    let (after, cost) = (
        by_symbol(&positions, "quantity"),
        by_symbol(&positions, "cost"),
    );
    let risk = desk.get("risk");
    let listed = by_symbol(risk["unprotected"].as_array().unwrap(), "quantity");
    let of = |amounts: &BTreeMap<String, i128>, symbol: &str| {
        let amount = amounts.get(symbol).copied();
        amount.unwrap_or(0)
    };
    let mut wrong = BTreeMap::new();
    for (symbol, held) in after {
        let covered = of(&stops, &symbol) + of(&listed, &symbol);
        // Sums of the tests have 18 digits after the point; nine are enough for a share.
        let missing = (held - covered).max(0) / 10_i128.pow(9);
        let value = of(&cost, &symbol) / (held / 10_i128.pow(9)).max(1) * missing;
        if of(&before, &symbol) != held || value > SOLD_MIN {
            wrong.insert(symbol, format!("{held} held, {covered} covered or listed"));
        }
    }
    wrong
}

/// Sums of a field of positions or of places on the list, in multiples of 10^-18.
fn by_symbol(items: &[Value], key: &str) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for item in items {
        *sums.entry(crate::exchange::symbol(item)).or_default() += exact(&item[key]);
    }
    sums
}

/// What is left of the sell stops among open orders.
fn stops(orders: &[Value]) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    let is_stop = |order: &&Value| {
        let kind = order["type"].as_str().unwrap_or_default();
        kind.starts_with("STOP_LOSS") && order["side"] == "SELL"
    };
    for order in orders.iter().filter(is_stop) {
        let symbol = order["symbol"].as_str().unwrap().to_owned();
        *sums.entry(symbol).or_default() += exact(&order["quantity"]) - exact(&order["filled"]);
    }
    sums
}

/// By the exchange's log no client id arrived twice, neither taken nor refused. Returns how many there were.
#[track_caller]
pub(crate) fn nothing_was_sent_twice(exchange: &Exchange) -> usize {
    let mut seen = BTreeSet::new();
    for line in exchange.order_log() {
        let event = line["event"].as_str().unwrap();
        if let ("order_accepted" | "order_refused", Some(id)) = (event, line["client"].as_str()) {
            assert!(seen.insert(id.to_owned()), "sent twice: {line}");
        }
    }
    seen.len()
}
