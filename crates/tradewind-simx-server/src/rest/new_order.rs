//! Reads a new order out of its parameters, in the order in which the venue complains.

use tradewind_model::{
    AccountId, Instrument, NumberError, OrderKind, Price, Quantity, TimeInForce, parse_fixed,
};
use tradewind_simx::{ClientId, Filter, NewOrder, Refusal, Size};

use super::errors::ApiError;
use super::{Call, Params};
use crate::core::Core;

/// How much the answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyType {
    Ack,
    Result,
    Full,
}

/// Decimal places the venue takes in any number.
const PLACES: u8 = 8;

/// The order a request describes.
pub(super) fn read(
    core: &mut Core,
    call: Call<'_>,
    account: AccountId,
) -> Result<(NewOrder, ReplyType), ApiError> {
    let params = call.params;
    let instrument = call.instrument(core)?;
    let side = params.side()?;
    let (kind, size) = kind_and_size(params, instrument)?;
    let instrument = instrument.id;
    refuse_unsupported(params)?;
    let reply = reply_type(params, kind)?;
    let client_id = match params.text("newClientOrderId") {
        Some(text) => client_id("newClientOrderId", text)?,
        None => core.next_client_id(call.now),
    };
    Ok((
        NewOrder::new(account, instrument, client_id, side, size, kind),
        reply,
    ))
}

/// The filters that need no book and no balance, for an order that is only tested.
pub(super) fn check_filters(core: &Core, order: &NewOrder) -> Result<(), ApiError> {
    let Size::Base(quantity) = order.size else {
        return Ok(());
    };
    let instrument = core
        .exchange
        .instruments()
        .get(order.instrument.index())
        .ok_or(ApiError::SYMBOL)?;
    let reference = core
        .exchange
        .touch(instrument.id)
        .map(|touch| touch.taking(order.side));
    let checked = instrument.check(quantity, order.kind.limit(), reference);
    checked.map_err(|breach| Refusal::Filter(Filter::from(breach)).into())
}

/// A client's own name for an order.
pub(super) fn client_id(name: &str, text: &str) -> Result<ClientId, ApiError> {
    const RANGE: &str = r"^[\.A-Z\:/a-z0-9_-]{1,36}$";
    ClientId::new(text).map_err(|_| ApiError::illegal(name, RANGE))
}

fn kind_and_size(params: &Params, instrument: &Instrument) -> Result<(OrderKind, Size), ApiError> {
    match params.required("type")? {
        "LIMIT" => {
            let time_in_force = time_in_force(params.required("timeInForce")?)?;
            let quantity = quantity(params, instrument)?;
            let price = price(params, instrument)?;
            refuse(params, &["quoteOrderQty", "stopPrice", "trailingDelta"])?;
            Ok((
                OrderKind::Limit {
                    price,
                    time_in_force,
                },
                Size::Base(quantity),
            ))
        }
        "LIMIT_MAKER" => {
            let quantity = quantity(params, instrument)?;
            let price = price(params, instrument)?;
            refuse(
                params,
                &["timeInForce", "quoteOrderQty", "stopPrice", "trailingDelta"],
            )?;
            Ok((OrderKind::PostOnly { price }, Size::Base(quantity)))
        }
        "MARKET" => {
            let size = market_size(params, instrument)?;
            refuse(
                params,
                &["timeInForce", "price", "stopPrice", "trailingDelta"],
            )?;
            Ok((OrderKind::Market, size))
        }
        "STOP_LOSS" => Err(ApiError::new(
            -2010,
            "Stop loss orders are not supported for this symbol.",
        )),
        "STOP_LOSS_LIMIT" => Err(ApiError::new(
            -2010,
            "Stop loss limit orders are not supported for this symbol.",
        )),
        "TAKE_PROFIT" => Err(ApiError::new(
            -2010,
            "Take profit orders are not supported for this symbol.",
        )),
        "TAKE_PROFIT_LIMIT" => Err(ApiError::new(
            -2010,
            "Take profit limit orders are not supported for this symbol.",
        )),
        _ => Err(ApiError::ORDER_TYPE),
    }
}

fn market_size(params: &Params, instrument: &Instrument) -> Result<Size, ApiError> {
    match (params.text("quantity"), params.text("quoteOrderQty")) {
        (Some(_), Some(_)) => Err(ApiError::unwanted("quoteOrderQty")),
        (Some(_), None) => quantity(params, instrument).map(Size::Base),
        (None, Some(text)) => {
            let counts = number("quoteOrderQty", text)?;
            const UNIT: i128 = 10_000_000_000;
            counts
                .checked_mul(UNIT)
                .map(|amount| Size::Quote(tradewind_model::Amount(amount)))
                .ok_or_else(|| ApiError::overflow("quoteOrderQty"))
        }
        (None, None) => Err(ApiError::either("quantity", "quoteOrderQty")),
    }
}

fn refuse(params: &Params, unwanted: &[&str]) -> Result<(), ApiError> {
    let sent = unwanted.iter().find(|name| params.text(name).is_some());
    sent.map_or(Ok(()), |name| Err(ApiError::unwanted(name)))
}

fn refuse_unsupported(params: &Params) -> Result<(), ApiError> {
    if params
        .text("icebergQty")
        .is_some_and(|quantity| parse_fixed(quantity, PLACES) != Ok(0))
    {
        return Err(ApiError::ICEBERG);
    }
    match params.text("selfTradePreventionMode") {
        None | Some("NONE") => Ok(()),
        Some(_) => Err(ApiError::invalid("selfTradePreventionMode")),
    }
}

fn time_in_force(text: &str) -> Result<TimeInForce, ApiError> {
    match text {
        "GTC" => Ok(TimeInForce::GoodTillCancel),
        "IOC" => Ok(TimeInForce::ImmediateOrCancel),
        "FOK" => Ok(TimeInForce::FillOrKill),
        _ => Err(ApiError::TIME_IN_FORCE),
    }
}

/// FULL unless said otherwise for orders that can fill at once, ACK for those that cannot.
fn reply_type(params: &Params, kind: OrderKind) -> Result<ReplyType, ApiError> {
    match params.text("newOrderRespType") {
        Some("ACK") => Ok(ReplyType::Ack),
        Some("RESULT") => Ok(ReplyType::Result),
        Some("FULL") => Ok(ReplyType::Full),
        Some(_) => Err(ApiError::invalid("newOrderRespType")),
        None if matches!(kind, OrderKind::PostOnly { .. }) => Ok(ReplyType::Ack),
        None => Ok(ReplyType::Full),
    }
}

fn price(params: &Params, instrument: &Instrument) -> Result<Price, ApiError> {
    let counts = number("price", params.required("price")?)?;
    in_units(counts, instrument.price_decimals)
        .map(Price)
        .ok_or_else(|| Refusal::Filter(Filter::Price).into())
}

fn quantity(params: &Params, instrument: &Instrument) -> Result<Quantity, ApiError> {
    let counts = number("quantity", params.required("quantity")?)?;
    in_units(counts, instrument.quantity_decimals)
        .map(Quantity)
        .ok_or_else(|| Refusal::Filter(Filter::LotSize).into())
}

/// A number of at most eight decimals, as a count of 10^-8.
fn number(name: &str, text: &str) -> Result<i128, ApiError> {
    const RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
    match parse_fixed(text, PLACES) {
        Ok(counts) if counts < 0 => Err(ApiError::illegal(name, RANGE)),
        Ok(counts) => Ok(counts),
        Err(NumberError::TooPrecise { .. }) => Err(ApiError::precision(name)),
        Err(NumberError::OutOfRange) => Err(ApiError::overflow(name)),
        Err(_) => Err(ApiError::illegal(name, RANGE)),
    }
}

/// A count of 10^-8 as a count of 10^-`decimals`; `None` when it is none, which is a tick or step that does not fit.
fn in_units(counts: i128, decimals: u8) -> Option<i64> {
    let unit = 10_i128.pow(u32::from(PLACES.checked_sub(decimals)?));
    (counts % unit == 0)
        .then(|| i64::try_from(counts / unit).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_past_the_tick_break_a_filter_and_past_the_eighth_the_number() {
        assert_eq!(number("price", "1.00000001"), Ok(100_000_001));
        assert_eq!(
            number("price", "1.000000001"),
            Err(ApiError::precision("price"))
        );
        assert_eq!(number("price", "-1").unwrap_err().code, -1100);
        assert_eq!(number("price", "1e5").unwrap_err().code, -1100);
        assert_eq!(in_units(100_000_000, 2), Some(100));
        assert_eq!(in_units(100_000_001, 2), None);
    }
}
