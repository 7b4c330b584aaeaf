//! A stop on its way to the venue: of which kind it is, whether the risk gate lets it pass, and what is sent.

use tradewind_events::Outputs;
use tradewind_model::{
    ClientOrderId, Instrument, InstrumentStatus, OrderKind, OrderTerms, Ppm, Price, Quantity, Side,
    StopOrders, TakeProfit,
};
use tradewind_risk::{Candidate, DenyReason, PositionEffect, TradingState};

use super::protection::Key;
use super::risk_context::check_stop;
use super::submission::{OrderRequest, deny, place};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::stop_shares::StopShares;

/// How far a stop's limit lies beyond its trigger, where the venue takes no stop at market.
const LIMIT_BEYOND: Ppm = Ppm(20_000);
/// A stop to be placed.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) shares: StopShares,
    pub(super) trigger: Price,
    pub(super) side: Side,
    /// The stop that is cancelled by the same request.
    pub(super) replaces: Option<ClientOrderId>,
    /// Where the order that is sent with it takes the profit.
    pub(super) take_profit: Option<Price>,
}

/// Puts a stop to the risk gate and, if it passes, places it.
///
/// # Errors
/// Why it is not placed.
pub(super) fn place_stop(
    parts: &mut Parts,
    key: Key,
    stop: Stop,
    out: &mut Outputs,
) -> Result<(), String> {
    let kind = kind(parts, key, &stop)?;
    let terms = terms(key, &stop, kind, parts.ids.next_id());
    let request = OrderRequest {
        place: stop.shares.only(),
        account: key.0,
        instrument: key.1,
        side: stop.side,
        quantity: terms.quantity,
        effect: PositionEffect::Protect,
        limit: None,
        stop: None,
        on_quote: false,
        continues: true,
        cause: parts.context.cause(out),
    };
    let candidate = candidate(terms, &stop);
    match check_stop(parts, &candidate, &stop.shares, stop.replaces.as_slice()) {
        Ok(approved) => {
            let approved = match stop.replaces {
                Some(replaced) => approved.replacing(replaced),
                None => approved,
            };
            let approved = match stop.take_profit {
                Some(price) => {
                    let client_id = parts.ids.next_id();
                    approved.paired_with(TakeProfit { client_id, price })
                }
                None => approved,
            };
            place(parts, &request, approved, stop.shares, out);
            Ok(())
        }
        Err(reason) => {
            deny(parts, &request, reason, out);
            let (words, now) = (format!("{}: {reason}", reason.rule()), parts.now());
            parts.protection.note_failure(key, words.clone(), now);
            Err(words)
        }
    }
}

fn terms(key: Key, stop: &Stop, kind: OrderKind, client_id: ClientOrderId) -> OrderTerms {
    OrderTerms {
        account: key.0,
        instrument: key.1,
        client_id,
        side: stop.side,
        quantity: stop.shares.total(),
        kind,
    }
}

fn candidate(terms: OrderTerms, stop: &Stop) -> Candidate {
    Candidate {
        terms,
        bot: stop.shares.only().map(BotInstrument::bot),
        purpose: PositionEffect::Protect,
        decided_on_quote: false,
        reference: None,
        stop: None,
        continues: true,
    }
}

/// Whether a stop would be placed now, once those of `ended` have ended.
///
/// # Errors
/// Why it would not.
pub(super) fn may_place(
    parts: &Parts,
    key: Key,
    stop: &Stop,
    ended: &[ClientOrderId],
) -> Result<(), String> {
    let kind = kind(parts, key, stop)?;
    // No check looks at the id, which is the next one's only once it is placed.
    let terms = terms(key, stop, kind, ClientOrderId(0));
    let checked = check_stop(parts, &candidate(terms, stop), &stop.shares, ended);
    let reason = |reason: DenyReason| format!("{}: {reason}", reason.rule());
    checked.map(drop).map_err(reason)
}

/// The kind of a stop that the venue takes now.
///
/// # Errors
/// Why none can be placed.
fn kind(parts: &Parts, key: Key, stop: &Stop) -> Result<OrderKind, String> {
    let state = parts.state_for(key.0, key.1, None);
    if !state.lets_exit() || state == TradingState::Flattening {
        return Err(format!("the trading state is {state}"));
    }
    let instrument = parts.config.instrument(key.1);
    if instrument.status != InstrumentStatus::Trading {
        return Err("the venue does not trade the instrument now".to_owned());
    }
    if let Some((until, reason)) = parts.protection.failure(key)
        && parts.now() < until
    {
        return Err(reason.to_owned());
    }
    let trigger = stop.trigger;
    match instrument.stop_orders {
        StopOrders::None => Err("the venue takes no stop order in the instrument".to_owned()),
        StopOrders::Market => Ok(OrderKind::Stop { trigger }),
        StopOrders::Limit => {
            let beyond = i128::from(trigger.0) * i128::from(LIMIT_BEYOND.0);
            let beyond = i64::try_from(beyond / i128::from(Ppm::ONE.0)).unwrap_or_default();
            let limit = match stop.side {
                Side::Sell => Price(trigger.0 - beyond),
                Side::Buy => Price(trigger.0.saturating_add(beyond)),
            };
            let price = instrument.round_price(limit, stop.side.opposite());
            Ok(OrderKind::StopLimit { trigger, price })
        }
    }
}

/// The largest order that may trade at market.
pub(super) fn largest(instrument: &Instrument) -> Quantity {
    let largest = [instrument.quantity_max, instrument.market_quantity_max];
    let largest = largest.into_iter().filter(|limit| limit.0 > 0).min();
    largest.map_or(Quantity(i64::MAX), |limit| instrument.floor_quantity(limit))
}
