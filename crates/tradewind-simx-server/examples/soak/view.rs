//! An account as its own reports tell it: open orders, fills, balances. Nothing here asks the exchange.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tradewind_model::Amount;

use crate::Outcome;

/// What `executionReport` says, as far as it is folded.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "c")]
    client_id: String,
    #[serde(rename = "S")]
    side: String,
    #[serde(rename = "o")]
    kind: String,
    #[serde(rename = "f")]
    time_in_force: String,
    #[serde(rename = "q")]
    quantity: String,
    #[serde(rename = "p")]
    price: String,
    #[serde(rename = "P")]
    stop_price: String,
    #[serde(rename = "g")]
    list: i64,
    #[serde(rename = "x")]
    event: String,
    #[serde(rename = "X")]
    status: String,
    #[serde(rename = "i")]
    order: u64,
    #[serde(rename = "l")]
    last_quantity: String,
    #[serde(rename = "z")]
    filled: String,
    #[serde(rename = "L")]
    last_price: String,
    #[serde(rename = "n")]
    fee: String,
    #[serde(rename = "N")]
    fee_asset: Option<String>,
    #[serde(rename = "T")]
    at: i64,
    #[serde(rename = "t")]
    trade: i64,
    #[serde(rename = "m")]
    is_maker: bool,
    #[serde(rename = "Z")]
    quote_filled: String,
    #[serde(rename = "Y")]
    last_quote: String,
}

#[derive(Debug, Deserialize)]
struct Position {
    #[serde(rename = "B")]
    balances: Vec<PositionBalance>,
}

#[derive(Debug, Deserialize)]
struct PositionBalance {
    a: String,
    f: String,
    l: String,
}

/// A fill, in the words of `myTrades`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fill {
    pub(crate) symbol: String,
    pub(crate) id: i64,
    pub(crate) order_id: u64,
    pub(crate) order_list_id: i64,
    pub(crate) price: String,
    pub(crate) qty: String,
    pub(crate) quote_qty: String,
    pub(crate) commission: String,
    pub(crate) commission_asset: String,
    pub(crate) time: i64,
    pub(crate) is_buyer: bool,
    pub(crate) is_maker: bool,
}

/// An order that is open, with what is needed to cancel or change it.
#[derive(Clone, Debug)]
pub(crate) struct OpenOrder {
    pub(crate) symbol: String,
    pub(crate) id: u64,
    pub(crate) is_listed: bool,
    pub(crate) is_triggered: bool,
    pub(crate) quantity: String,
    pub(crate) filled: String,
    /// The order in the words of `openOrders`.
    told: Value,
}

/// The fold.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) open: BTreeMap<u64, OpenOrder>,
    /// By symbol, trade and order: with itself an account trades twice under one id.
    pub(crate) fills: BTreeMap<String, BTreeMap<(i64, u64), Fill>>,
    /// Free and locked by asset, as texts.
    balances: BTreeMap<String, (String, String)>,
    /// Start, plus fills, minus fees.
    ledger: BTreeMap<String, Amount>,
    start: BTreeMap<String, Amount>,
    /// The newest order that was reported.
    pub(crate) orders: u64,
    pub(crate) newest_order: u64,
    pub(crate) duplicates: u64,
    pub(crate) fill_count: u64,
}

/// The fields of `openOrders` that reports tell, too.
const TOLD: [&str; 12] = [
    "symbol",
    "orderId",
    "orderListId",
    "clientOrderId",
    "price",
    "origQty",
    "executedQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
];

impl View {
    /// Begins with what the account had before anything happened.
    pub(crate) fn begin(&mut self, account: &Value) -> Outcome<()> {
        for (asset, free, locked) in balances_of(account) {
            let total = free.parse::<Amount>()? + locked.parse::<Amount>()?;
            self.ledger.insert(asset.clone(), total);
            self.start.insert(asset.clone(), total);
            self.balances.insert(asset, (free, locked));
        }
        Ok(())
    }

    /// Folds one event of the user data stream.
    pub(crate) fn fold(&mut self, event: &Value) -> Outcome<()> {
        match event["e"].as_str() {
            Some("executionReport") => self.on_report(Report::deserialize(event)?)?,
            Some("outboundAccountPosition") => {
                for held in Position::deserialize(event)?.balances {
                    self.balances.insert(held.a, (held.f, held.l));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_report(&mut self, report: Report) -> Outcome<()> {
        if report.event == "TRADE" {
            self.on_fill(&report)?;
        }
        if report.event == "NEW" && report.order > self.newest_order {
            self.orders += 1;
        }
        self.newest_order = self.newest_order.max(report.order);
        if matches!(
            report.status.as_str(),
            "NEW" | "PARTIALLY_FILLED" | "PENDING_NEW"
        ) {
            self.open.insert(report.order, OpenOrder::new(report));
        } else {
            self.open.remove(&report.order);
        }
        Ok(())
    }

    fn on_fill(&mut self, report: &Report) -> Outcome<()> {
        let fill = Fill::new(report);
        let base = report
            .symbol
            .strip_suffix("USDT")
            .ok_or("an instrument without USDT")?;
        let (quantity, quote): (Amount, Amount) =
            (report.last_quantity.parse()?, report.last_quote.parse()?);
        let fee: Amount = report.fee.parse()?;
        let (base_change, quote_change) = if fill.is_buyer {
            (quantity, -quote)
        } else {
            (-quantity, quote)
        };
        *self.ledger.entry(base.to_owned()).or_default() += base_change;
        *self.ledger.entry("USDT".to_owned()).or_default() += quote_change;
        *self
            .ledger
            .entry(fill.commission_asset.clone())
            .or_default() -= fee;
        self.fill_count += 1;
        let fills = self.fills.entry(report.symbol.clone()).or_default();
        if fills.insert((fill.id, fill.order_id), fill).is_some() {
            self.duplicates += 1;
        }
        Ok(())
    }

    /// The first asset whose balance is not what `account` says.
    pub(crate) fn differs_in_balances(&self, account: &Value) -> Option<String> {
        balances_of(account).find_map(|(asset, free, locked)| {
            let known = self.balances.get(&asset);
            let same = known.is_some_and(|(f, l)| *f == free && *l == locked);
            (!same)
                .then(|| format!("{asset}: {known:?} by reports, {free} and {locked} by account"))
        })
    }

    /// The first asset that is not what start, fills and fees make it.
    pub(crate) fn is_not_conserved(&self, account: &Value) -> Option<String> {
        balances_of(account).find_map(|(asset, free, locked)| {
            let held = free.parse::<Amount>().ok()? + locked.parse::<Amount>().ok()?;
            let expected = self.ledger.get(&asset).copied().unwrap_or_default();
            (held != expected).then(|| format!("{asset}: {expected} expected, {held} held"))
        })
    }

    /// The first open order that is not what `listed` says.
    pub(crate) fn differs_in_orders(&self, listed: &Value) -> Option<String> {
        let listed: BTreeMap<u64, &Value> = listed
            .as_array()?
            .iter()
            .filter_map(|order| Some((order["orderId"].as_u64()?, order)))
            .collect();
        if !listed.keys().eq(self.open.keys()) {
            let (ours, theirs) = (self.open.keys(), listed.keys());
            return Some(format!("open by reports {ours:?}, by account {theirs:?}"));
        }
        self.open.values().find_map(|order| {
            let other = listed.get(&order.id)?;
            let differs = |name: &&&str| other[**name] != order.told[**name];
            let name = TOLD.iter().find(differs)?;
            let (ours, theirs) = (&order.told[*name], &other[*name]);
            Some(format!(
                "order {}: {name} is {ours} by reports, {theirs} by account",
                order.id
            ))
        })
    }

    /// What an asset changed by, for the table.
    pub(crate) fn start(&self) -> &BTreeMap<String, Amount> {
        &self.start
    }
}

impl Fill {
    fn new(report: &Report) -> Self {
        Self {
            symbol: report.symbol.clone(),
            id: report.trade,
            order_id: report.order,
            order_list_id: report.list,
            price: report.last_price.clone(),
            qty: report.last_quantity.clone(),
            quote_qty: report.last_quote.clone(),
            commission: report.fee.clone(),
            commission_asset: report.fee_asset.clone().unwrap_or_default(),
            time: report.at,
            is_buyer: report.side == "BUY",
            is_maker: report.is_maker,
        }
    }
}

impl OpenOrder {
    fn new(report: Report) -> Self {
        let told = json!({
            "symbol": report.symbol, "orderId": report.order, "orderListId": report.list,
            "clientOrderId": report.client_id, "price": report.price, "origQty": report.quantity,
            "executedQty": report.filled, "cummulativeQuoteQty": report.quote_filled,
            "status": report.status, "timeInForce": report.time_in_force, "type": report.kind,
            "side": report.side, "stopPrice": report.stop_price,
        });
        Self {
            symbol: report.symbol,
            id: report.order,
            is_listed: report.list >= 0,
            is_triggered: report.stop_price != "0.00000000",
            quantity: report.quantity,
            filled: report.filled,
            told,
        }
    }
}

/// Asset, free and locked.
pub(crate) fn balances_of(account: &Value) -> impl Iterator<Item = (String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let balances = account["balances"].as_array().cloned().unwrap_or_default();
    balances.into_iter().map(move |held| {
        (
            text(&held["asset"]),
            text(&held["free"]),
            text(&held["locked"]),
        )
    })
}
