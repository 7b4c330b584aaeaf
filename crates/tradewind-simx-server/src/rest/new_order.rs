//! New orders: placed, tested, or put in the place of one that is cancelled.

use serde::Serialize;
use serde_json::value::RawValue;
use tradewind_model::OrderKind;
use tradewind_simx::{Action, Answer, NewOrder, Refusal};

use super::account::{Discount, OrderRates, Rates, discount, rates};
use super::cancels::{self, CancelNames};
use super::errors::ApiError;
use super::legs::Leg;
use super::signing::Caller;
use super::{Call, Outcome, Params, body};
use crate::core::Core;

/// How much the answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyType {
    Ack,
    Result,
    Full,
}

impl ReplyType {
    /// What the request asks for, if it does.
    pub(super) fn read(params: &Params) -> Result<Option<Self>, ApiError> {
        match params.text("newOrderRespType") {
            None => Ok(None),
            Some("ACK") => Ok(Some(Self::Ack)),
            Some("RESULT") => Ok(Some(Self::Result)),
            Some("FULL") => Ok(Some(Self::Full)),
            Some(_) => Err(ApiError::invalid("newOrderRespType")),
        }
    }

    /// FULL for what can fill at once, ACK for what cannot.
    const fn default_of(order: &NewOrder) -> Self {
        match (order.kind, order.trigger) {
            (OrderKind::Market | OrderKind::Limit { .. }, None) => Self::Full,
            (
                OrderKind::PostOnly { .. } | OrderKind::Stop { .. } | OrderKind::StopLimit { .. },
                _,
            )
            | (_, Some(_)) => Self::Ack,
        }
    }
}

pub(super) fn place(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let (order, reply) = read(core, call, caller)?;
    submit(core, call, order, reply)
}

/// Checks an order as far as its form and the filters go; balances and books are not asked.
pub(super) fn test(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Commissions {
        standard_commission_for_order: OrderRates,
        special_commission_for_order: OrderRates,
        tax_commission_for_order: OrderRates,
        discount: Discount,
    }
    let (order, _) = read(core, call, caller)?;
    core.exchange.check(call.now, &order)?;
    if call.params.flag("computeCommissionRates")? != Some(true) {
        return Ok("{}".to_owned());
    }
    body(&Commissions {
        standard_commission_for_order: rates(core).into(),
        special_commission_for_order: Rates::zero().into(),
        tax_commission_for_order: Rates::zero().into(),
        discount: discount(core, caller.account),
    })
}

pub(super) fn test_weight(params: &Params) -> u32 {
    match params.flag("computeCommissionRates") {
        Ok(Some(true)) => 20,
        _ => 1,
    }
}

/// Cancels an order and places another: what the venue checks before it begins is checked first, then each half is
/// tried and told apart.
pub(super) fn cancel_replace(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let params = call.params;
    let stops = match params.required("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => true,
        "ALLOW_FAILURE" => false,
        _ => return Err(ApiError::invalid("cancelReplaceMode")),
    };
    let cancels_anyway = match params.text("orderRateLimitExceededMode") {
        None | Some("DO_NOTHING") => false,
        Some("CANCEL_ONLY") => true,
        Some(_) => return Err(ApiError::invalid("orderRateLimitExceededMode")),
    };
    cancels::order_ref(params, CancelNames::REPLACE)?;
    let (order, reply) = read(core, call, caller)?;
    if let Err(Refusal::Filter(filter)) = core.exchange.check(call.now, &order) {
        return Err(Refusal::Filter(filter).into());
    }
    let counted = core.meters.admit_orders(call.now, caller.account, 1);
    if let Err(error) = &counted
        && !cancels_anyway
    {
        return Err(error.clone());
    }
    let cancelled = cancels::cancel_named(core, call, caller, CancelNames::REPLACE);
    let placed = if cancelled.is_err() && stops {
        None
    } else {
        Some(counted.and_then(|()| submit(core, call, order, reply)))
    };
    replaced(cancelled, placed)
}

/// The answer about both halves; a new order that was not attempted is `None`.
fn replaced(cancelled: Outcome, placed: Option<Outcome>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Halves {
        cancel_result: &'static str,
        new_order_result: &'static str,
        cancel_response: Option<Box<RawValue>>,
        new_order_response: Option<Box<RawValue>>,
    }
    const fn word(outcome: &Outcome) -> &'static str {
        match outcome {
            Ok(_) => "SUCCESS",
            Err(_) => "FAILURE",
        }
    }
    let succeeded = [Some(cancelled.is_ok()), placed.as_ref().map(Result::is_ok)];
    let response = |outcome: Outcome| {
        let body = outcome.unwrap_or_else(|error| error.body());
        RawValue::from_string(body).ok()
    };
    let halves = body(&Halves {
        cancel_result: word(&cancelled),
        new_order_result: placed.as_ref().map_or("NOT_ATTEMPTED", word),
        cancel_response: response(cancelled),
        new_order_response: placed.and_then(response),
    })?;
    match succeeded {
        [Some(true), Some(true)] => Ok(halves),
        [Some(true), _] | [_, Some(true)] => Err(ApiError::half_replaced(halves)),
        _ => Err(ApiError::not_replaced(halves)),
    }
}

/// The order a request describes, and how much the answer shall tell.
fn read(
    core: &mut Core,
    call: Call<'_>,
    caller: Caller,
) -> Result<(NewOrder, ReplyType), ApiError> {
    let instrument = call.instrument(core)?.clone();
    let side = call.params.side("side")?;
    let leg = Leg::only(call.params);
    let order = leg.read(caller, &instrument, side, &mut || {
        core.next_client_id(call.now)
    })?;
    let reply = ReplyType::read(call.params)?.unwrap_or(ReplyType::default_of(&order));
    Ok((order, reply))
}

fn submit(core: &mut Core, call: Call<'_>, order: NewOrder, reply: ReplyType) -> Outcome {
    let (answer, fills) = core.act(call.now, &Action::Submit(order))?;
    let Answer::Order(order) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let spelling = call.spelling(core, call.instrument(core)?);
    match reply {
        ReplyType::Ack => body(&spelling.ack(&order)),
        ReplyType::Result => body(&spelling.placed(&order, None)),
        ReplyType::Full => body(&spelling.placed(&order, Some(&fills))),
    }
}
