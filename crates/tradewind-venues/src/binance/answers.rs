//! Reads REST answers about orders, trades, balances and candles. Pure; unknown fields are tolerated, unknown words on the
//! order path become [`ReportKind::Unknown`], never a guess.

use std::borrow::Cow;

use ring::digest;
use serde::Deserialize;
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, ClientOrderId, ExecutionReport, Fill, Instrument, Interval,
    Liquidity, Money, OrderKind, OrderStatus, Price, Quantity, RejectReason, ReportKind, Side,
    TimeInForce, Timestamp, TradeId, VenueOrderId,
};

use super::assets::Assets;
use crate::error::VenueError;
use crate::execution::OrderRecord;
use crate::sink::AssetBalance;
pub(super) use crate::wire::json::parse as read;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderAnswer<'a> {
    #[serde(borrow)]
    pub(super) symbol: Cow<'a, str>,
    pub(super) order_id: u64,
    #[serde(default)]
    order_list_id: Option<i64>,
    #[serde(borrow)]
    client_order_id: Cow<'a, str>,
    #[serde(borrow, default)]
    orig_client_order_id: Option<Cow<'a, str>>,
    #[serde(default)]
    transact_time: Option<i64>,
    #[serde(default)]
    pub(super) time: Option<i64>,
    #[serde(default)]
    update_time: Option<i64>,
    #[serde(borrow, default)]
    price: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stop_price: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    orig_qty: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    executed_qty: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time_in_force: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    side: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    fills: Vec<FillAnswer<'a>>,
}

/// A list of orders: the answer to a pair, and to the cancel of an order of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAnswer<'a> {
    #[serde(borrow)]
    pub(super) order_reports: Vec<OrderAnswer<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FillAnswer<'a> {
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    qty: Cow<'a, str>,
    #[serde(borrow)]
    commission: Cow<'a, str>,
    #[serde(borrow)]
    commission_asset: Cow<'a, str>,
    trade_id: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TradeAnswer<'a> {
    pub(super) id: u64,
    pub(super) order_id: u64,
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    qty: Cow<'a, str>,
    #[serde(borrow)]
    commission: Cow<'a, str>,
    #[serde(borrow)]
    commission_asset: Cow<'a, str>,
    pub(super) time: i64,
    is_buyer: bool,
    is_maker: bool,
}

#[derive(Deserialize)]
struct AccountAnswer<'a> {
    #[serde(borrow)]
    balances: Vec<BalanceAnswer<'a>>,
}

#[derive(Deserialize)]
struct BalanceAnswer<'a> {
    #[serde(borrow)]
    asset: Cow<'a, str>,
    #[serde(borrow)]
    free: Cow<'a, str>,
    #[serde(borrow)]
    locked: Cow<'a, str>,
}

/// A client order id from the venue's text. Somebody else's text becomes a digest without our tag, the same each time.
pub(super) fn client_id(text: &str) -> ClientOrderId {
    text.parse().unwrap_or_else(|_| {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let folded = digest
            .as_ref()
            .iter()
            .take(14)
            .fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
        ClientOrderId(folded)
    })
}

/// The desk's word for the venue's order status; `None` for one we do not know.
pub(super) fn status(text: &str) -> Option<OrderStatus> {
    match text {
        "NEW" | "PENDING_NEW" | "PENDING_CANCEL" => Some(OrderStatus::Accepted),
        "PARTIALLY_FILLED" => Some(OrderStatus::PartiallyFilled),
        "FILLED" => Some(OrderStatus::Filled),
        "CANCELED" => Some(OrderStatus::Cancelled),
        "REJECTED" => Some(OrderStatus::Rejected),
        "EXPIRED" | "EXPIRED_IN_MATCH" => Some(OrderStatus::Expired),
        _ => None,
    }
}

pub(super) fn side(text: &str) -> Option<Side> {
    match text {
        "BUY" => Some(Side::Buy),
        "SELL" => Some(Side::Sell),
        _ => None,
    }
}

impl OrderAnswer<'_> {
    /// The reports in the answer, in the sequence of their events: accepted, each fill, its end.
    pub(super) fn reports(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<Vec<ExecutionReport>, VenueError> {
        let base = self.report(account, instrument);
        let Some(status) = self
            .status
            .as_deref()
            .map_or(Some(OrderStatus::Accepted), status)
        else {
            return Ok(vec![base]);
        };
        let executed = self.executed(instrument)?;
        let with = |kind: ReportKind, cumulative: Option<Quantity>| ExecutionReport {
            kind,
            cumulative,
            ..base.clone()
        };
        if status == OrderStatus::Rejected {
            return Ok(vec![with(ReportKind::Rejected(no_reason()), executed)]);
        }
        let fills = self.fills(account, instrument, assets)?;
        let mut filled = Quantity::ZERO;
        let accepted = if fills.is_empty() { executed } else { None };
        let mut reports = vec![with(ReportKind::Accepted, accepted)];
        for fill in fills {
            filled = sum(filled, fill.quantity)?;
            reports.push(with(ReportKind::Filled(fill), Some(filled)));
        }
        match status {
            OrderStatus::Cancelled => reports.push(with(ReportKind::Cancelled, executed)),
            OrderStatus::Expired => reports.push(with(ReportKind::Expired, executed)),
            _ => {}
        }
        Ok(reports)
    }

    /// The answer to a cancel: the order's end, or what became of it instead.
    pub(super) fn cancel_report(
        &self,
        account: AccountId,
        instrument: &Instrument,
    ) -> Result<ExecutionReport, VenueError> {
        let kind = match self.status.as_deref().and_then(status) {
            Some(OrderStatus::Cancelled) => ReportKind::Cancelled,
            Some(OrderStatus::Expired) => ReportKind::Expired,
            _ => ReportKind::Unknown,
        };
        Ok(ExecutionReport {
            kind,
            cumulative: self.executed(instrument)?,
            ..self.report(account, instrument)
        })
    }

    pub(super) fn record(
        &self,
        account: AccountId,
        instrument: &Instrument,
    ) -> Result<OrderRecord, VenueError> {
        let unreadable = |why: &str| VenueError::unreadable("order", why);
        let side = self
            .side
            .as_deref()
            .and_then(side)
            .ok_or_else(|| unreadable("no side"))?;
        let ordered = quantity(instrument, self.orig_qty.as_deref().unwrap_or("0"))?;
        let filled = self.executed(instrument)?.unwrap_or(Quantity::ZERO);
        Ok(OrderRecord {
            account,
            instrument: instrument.id,
            client_id: self.our_id(),
            venue_order_id: VenueOrderId(self.order_id),
            side,
            kind: self.order_kind(instrument),
            quantity: ordered,
            filled,
            status: self
                .status
                .as_deref()
                .and_then(status)
                .unwrap_or(OrderStatus::Unknown),
            placed_at: Timestamp::from_millis(self.time.unwrap_or(0)),
            locks: self.locks(instrument, side, ordered - filled),
            // The venue writes -1 for none.
            list: self.order_list_id.and_then(|id| u64::try_from(id).ok()),
        })
    }

    /// A sale holds what is left to sell, a purchase what that would cost at its limit.
    fn locks(
        &self,
        instrument: &Instrument,
        side: Side,
        left: Quantity,
    ) -> Option<(AssetId, Amount)> {
        match side {
            Side::Sell => Some((instrument.base, instrument.quantity_amount(left))),
            Side::Buy => {
                let price = instrument.parse_price(self.price.as_deref()?).ok();
                let price = price.filter(|price| price.0 > 0)?;
                Some((instrument.quote, instrument.notional(price, left)?))
            }
        }
    }

    /// The id the order was placed with: a cancel's answer carries an id of its own beside it.
    pub(super) fn our_id(&self) -> ClientOrderId {
        let original = self.orig_client_order_id.as_deref();
        client_id(original.unwrap_or(&self.client_order_id))
    }

    pub(super) fn executed(&self, instrument: &Instrument) -> Result<Option<Quantity>, VenueError> {
        self.executed_qty
            .as_deref()
            .map(|text| quantity(instrument, text))
            .transpose()
    }

    fn order_kind(&self, instrument: &Instrument) -> Option<OrderKind> {
        let price = || instrument.parse_price(self.price.as_deref()?).ok();
        let trigger = || instrument.parse_price(self.stop_price.as_deref()?).ok();
        match self.kind.as_deref()? {
            "MARKET" => Some(OrderKind::Market),
            "STOP_LOSS" => Some(OrderKind::Stop {
                trigger: trigger()?,
            }),
            "STOP_LOSS_LIMIT" if self.time_in_force.as_deref() == Some("GTC") => {
                Some(OrderKind::StopLimit {
                    trigger: trigger()?,
                    price: price()?,
                })
            }
            "LIMIT_MAKER" => Some(OrderKind::PostOnly { price: price()? }),
            "LIMIT" => {
                let time_in_force = match self.time_in_force.as_deref()? {
                    "GTC" => TimeInForce::GoodTillCancel,
                    "IOC" => TimeInForce::ImmediateOrCancel,
                    "FOK" => TimeInForce::FillOrKill,
                    _ => return None,
                };
                Some(OrderKind::Limit {
                    price: price()?,
                    time_in_force,
                })
            }
            _ => None,
        }
    }

    fn report(&self, account: AccountId, instrument: &Instrument) -> ExecutionReport {
        let stamp = self.transact_time.or(self.update_time).or(self.time);
        ExecutionReport {
            account,
            instrument: instrument.id,
            client_id: self.our_id(),
            venue_order_id: Some(VenueOrderId(self.order_id)),
            kind: ReportKind::Unknown,
            cumulative: None,
            event_time: stamp.map(Timestamp::from_millis),
        }
    }

    /// The fills of a FULL answer: what an order finds on arrival, so it took them.
    fn fills(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<Vec<Fill>, VenueError> {
        if self.fills.is_empty() {
            return Ok(Vec::new());
        }
        let side = self
            .side
            .as_deref()
            .and_then(side)
            .ok_or_else(|| VenueError::unreadable("order", "fills without a side"))?;
        let fill = |answer: &FillAnswer<'_>| {
            Ok(Fill {
                account,
                instrument: instrument.id,
                trade_id: TradeId(answer.trade_id),
                venue_order_id: VenueOrderId(self.order_id),
                client_id: self.our_id(),
                side,
                price: price(instrument, &answer.price)?,
                quantity: traded(instrument, &answer.qty)?,
                fee: Money {
                    asset: assets.intern(&answer.commission_asset),
                    amount: amount(&answer.commission)?,
                },
                liquidity: Liquidity::Taker,
                event_time: Timestamp::from_millis(self.transact_time.unwrap_or(0)),
            })
        };
        self.fills.iter().map(fill).collect()
    }
}

impl TradeAnswer<'_> {
    pub(super) fn fill(
        &self,
        account: AccountId,
        instrument: &Instrument,
        client_id: ClientOrderId,
        assets: &Assets,
    ) -> Result<Fill, VenueError> {
        Ok(Fill {
            account,
            instrument: instrument.id,
            trade_id: TradeId(self.id),
            venue_order_id: VenueOrderId(self.order_id),
            client_id,
            side: if self.is_buyer { Side::Buy } else { Side::Sell },
            price: price(instrument, &self.price)?,
            quantity: traded(instrument, &self.qty)?,
            fee: Money {
                asset: assets.intern(&self.commission_asset),
                amount: amount(&self.commission)?,
            },
            liquidity: if self.is_maker {
                Liquidity::Maker
            } else {
                Liquidity::Taker
            },
            event_time: Timestamp::from_millis(self.time),
        })
    }
}

pub(super) fn balances(body: &[u8], assets: &Assets) -> Result<Vec<AssetBalance>, VenueError> {
    let answer: AccountAnswer<'_> = read("account", body)?;
    let balance = |balance: &BalanceAnswer<'_>| {
        Ok(AssetBalance {
            asset: assets.intern(&balance.asset),
            free: amount(&balance.free)?,
            locked: amount(&balance.locked)?,
        })
    };
    answer.balances.iter().map(balance).collect()
}

/// A candle's open time, open, high, low, close, volume and close time; the five fields after them are not used.
type CandleRow<'a> = (
    i64,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    i64,
    serde::de::IgnoredAny,
    serde::de::IgnoredAny,
    serde::de::IgnoredAny,
    serde::de::IgnoredAny,
    serde::de::IgnoredAny,
);

/// Reads candles and leaves out the one that has not closed at `venue_time`.
pub(super) fn candles(
    body: &[u8],
    instrument: &Instrument,
    interval: Interval,
    venue_time: Timestamp,
) -> Result<Vec<Candle>, VenueError> {
    let rows: Vec<CandleRow<'_>> = read("candles", body)?;
    let candle = |row: &CandleRow<'_>| {
        Ok(Candle {
            instrument: instrument.id,
            interval,
            complete: true,
            open_time: Timestamp::from_millis(row.0),
            open: price(instrument, row.1)?,
            high: price(instrument, row.2)?,
            low: price(instrument, row.3)?,
            close: price(instrument, row.4)?,
            volume: amount(row.5)?,
        })
    };
    rows.iter()
        .filter(|row| Timestamp::from_millis(row.6) < venue_time)
        .map(candle)
        .collect()
}

pub(super) fn price(instrument: &Instrument, text: &str) -> Result<Price, VenueError> {
    instrument
        .parse_price(text)
        .map_err(|error| VenueError::unreadable("price", format!("{text:?}: {error}")))
}

pub(super) fn quantity(instrument: &Instrument, text: &str) -> Result<Quantity, VenueError> {
    instrument
        .parse_quantity(text)
        .map_err(|error| VenueError::unreadable("quantity", format!("{text:?}: {error}")))
}

/// A fill's quantity: more than nothing.
pub(super) fn traded(instrument: &Instrument, text: &str) -> Result<Quantity, VenueError> {
    match quantity(instrument, text)? {
        traded if traded > Quantity::ZERO => Ok(traded),
        _ => Err(VenueError::unreadable(
            "fill",
            format!("a quantity of {text:?}"),
        )),
    }
}

/// Two quantities together; a venue's nonsense must not get as far as an overflow.
pub(super) fn sum(one: Quantity, other: Quantity) -> Result<Quantity, VenueError> {
    let sum = one.0.checked_add(other.0).map(Quantity);
    sum.ok_or_else(|| VenueError::unreadable("fills", "more than there can be"))
}

pub(super) fn amount(text: &str) -> Result<Amount, VenueError> {
    text.parse()
        .map_err(|error| VenueError::unreadable("amount", format!("{text:?}: {error}")))
}

fn no_reason() -> RejectReason {
    RejectReason {
        code: 0,
        text: "rejected without a reason".to_owned(),
    }
}
