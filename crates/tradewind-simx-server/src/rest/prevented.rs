//! Trades that did not happen because both orders were of one account.
//!
//! The exchange's core tells of the orders that ended; here the two are put together, numbered, and remembered for those
//! who ask. The newest are kept, in memory only: after a restart the list begins anew.

use std::collections::VecDeque;

use serde::Serialize;
use tradewind_model::{InstrumentId, Price, Quantity, Side, Timestamp};
use tradewind_simx::{EndReason, Exchange, Order, OrderEvent, OrderReport, SelfTrade};

use super::errors::ApiError;
use super::page::page;
use super::signing::Caller;
use super::words::self_trade;
use super::{Call, Outcome, Params, body};
use crate::core::Core;
use crate::decimals;

/// Matches remembered of all accounts.
const KEPT: usize = 10_000;

/// Two orders that did not trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PreventedMatch {
    /// Counted from 1 since the start.
    pub(crate) id: u64,
    pub(crate) taker: Order,
    pub(crate) maker: Order,
    /// Where they would have traded.
    pub(crate) price: Price,
    /// What the maker lost by it.
    maker_lost: Option<Quantity>,
    /// What the taker lost by it.
    taker_lost: Option<Quantity>,
    at: Timestamp,
}

impl PreventedMatch {
    /// The order that met the one called so.
    pub(crate) fn counterpart(&self, order: &Order) -> &Order {
        if order.id == self.taker.id {
            &self.maker
        } else {
            &self.taker
        }
    }
}

/// The newest prevented matches.
#[derive(Debug, Default)]
pub(crate) struct PreventedMatches {
    matches: VecDeque<PreventedMatch>,
    count: u64,
}

impl PreventedMatches {
    /// Looks through the reports of one action for orders that met their own account.
    pub(crate) fn note(&mut self, reports: &[OrderReport], exchange: &Exchange) {
        let mut taker = None;
        for report in reports {
            match report.event {
                OrderEvent::Accepted | OrderEvent::Activated => taker = Some(report.order),
                OrderEvent::Expired(EndReason::SelfTrade) => {
                    if let Some(taker) = taker {
                        self.ended(&taker, report, exchange);
                    }
                }
                _ => {}
            }
        }
    }

    fn ended(&mut self, taker: &Order, report: &OrderReport, exchange: &Exchange) {
        let lost = Some(report.order.remaining());
        if report.order.id != taker.id {
            self.remember(*taker, report.order, report.at);
            if let Some(newest) = self.matches.back_mut() {
                newest.maker_lost = lost;
            }
            return;
        }
        let known = self.matches.back().map(|newest| newest.taker.id) == Some(taker.id);
        if !(known && taker.self_trade == SelfTrade::ExpireBoth) {
            let Some(maker) = first_in_line(taker, exchange) else {
                return;
            };
            self.remember(report.order, maker, report.at);
        }
        if let Some(newest) = self.matches.back_mut() {
            newest.taker_lost = lost;
        }
    }

    fn remember(&mut self, taker: Order, maker: Order, at: Timestamp) {
        self.count += 1;
        if self.matches.len() == KEPT {
            self.matches.pop_front();
        }
        self.matches.push_back(PreventedMatch {
            id: self.count,
            taker,
            maker,
            price: maker.kind.limit().unwrap_or(Price(0)),
            maker_lost: None,
            taker_lost: None,
            at,
        });
    }

    /// The match that ended the order, if one did and is remembered.
    pub(crate) fn of(&self, order: &Order) -> Option<&PreventedMatch> {
        if order.end != Some(EndReason::SelfTrade) {
            return None;
        }
        let ended = order.id;
        let is_it = |one: &&PreventedMatch| one.taker.id == ended || one.maker.id == ended;
        self.matches.iter().rev().find(is_it)
    }
}

/// The account's own waiting order that one of the other side meets first.
fn first_in_line(taker: &Order, exchange: &Exchange) -> Option<Order> {
    let waits = exchange.open_orders(taker.account).filter(|order| {
        order.instrument == taker.instrument
            && order.side != taker.side
            && order.working_since.is_some()
    });
    let key = |order: &&Order| {
        let price = order.kind.limit().unwrap_or(Price(0)).0;
        let better_first = match order.side {
            Side::Buy => -price,
            Side::Sell => price,
        };
        (better_first, order.working_since, order.id)
    };
    waits.min_by_key(key).copied()
}

pub(super) fn weight(params: &Params) -> u32 {
    if params.text("preventedMatchId").is_some() {
        2
    } else {
        20
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchBody<'a> {
    symbol: &'a str,
    prevented_match_id: u64,
    taker_order_id: u64,
    maker_symbol: &'a str,
    maker_order_id: u64,
    trade_group_id: u64,
    self_trade_prevention_mode: &'static str,
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    taker_prevented_quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker_prevented_quantity: Option<String>,
    transact_time: i64,
}

/// One match by its id, or those of an order.
pub(super) fn query(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let params = call.params;
    let (only, order) = (
        params.integer("preventedMatchId")?,
        params.integer("orderId")?,
    );
    if only.is_none() && order.is_none() {
        return Err(ApiError::either("preventedMatchId", "orderId"));
    }
    let limit = params.limit(500, 1_000)?;
    let from = params.integer("fromPreventedMatchId")?.unwrap_or(0);
    let instrument = call.instrument(core)?;
    let is =
        |wanted: Option<i64>, id: u64| wanted.is_none_or(|wanted| i64::try_from(id) == Ok(wanted));
    let of_caller = |one: &&PreventedMatch| {
        let here: InstrumentId = one.taker.instrument;
        one.taker.account == caller.account && here == instrument.id
    };
    let found = core
        .prevented
        .matches
        .iter()
        .filter(of_caller)
        .filter(|one| is(only, one.id))
        .filter(|one| is(order, one.taker.id.0) || is(order, one.maker.id.0));
    let found = page(
        found,
        limit,
        Some(|one: &PreventedMatch| i64::try_from(one.id).is_ok_and(|id| id >= from)),
    );
    let symbol = core.symbols.name(instrument.id);
    let quantity = |lost: Option<Quantity>| lost.map(|lost| decimals::quantity(instrument, lost));
    let one = |one: &PreventedMatch| MatchBody {
        symbol,
        prevented_match_id: one.id,
        taker_order_id: one.taker.id.0,
        maker_symbol: symbol,
        maker_order_id: one.maker.id.0,
        trade_group_id: one.id,
        self_trade_prevention_mode: self_trade(one.taker.self_trade),
        price: decimals::price(instrument, one.price),
        taker_prevented_quantity: quantity(one.taker_lost),
        maker_prevented_quantity: quantity(one.maker_lost),
        transact_time: call.unit.stamp(one.at),
    };
    body(&found.iter().map(one).collect::<Vec<_>>())
}
