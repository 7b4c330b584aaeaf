//! Reads the terms of one order out of a request's parameters, in the order in which the venue complains.
//!
//! A single order names them plainly (`type`, `price`, `stopPrice`); an order of a list puts its place before
//! (`aboveType`, `pendingBelowStopPrice`). A [`Leg`] is such a place, and whatever is wrong is told with the name the
//! client used.

use std::borrow::Cow;

use tradewind_model::{
    Amount, Instrument, NumberError, OrderKind, Price, Quantity, Side, TimeInForce, parse_fixed,
};
use tradewind_simx::{
    Bips, ClientId, Filter, Labels, NewOrder, Purpose, Refusal, SelfTrade, Size, Trigger,
};

use super::Params;
use super::errors::ApiError;
use super::signing::Caller;

/// Decimal places the venue takes in any number.
const PLACES: u8 = 8;

/// Where the terms of an order are among the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg<'a> {
    pub(super) params: &'a Params,
    /// What stands before each name; nothing for a single order.
    pub(super) prefix: &'static str,
    /// The name of its quantity, which two orders of a list may share.
    pub(super) quantity: &'static str,
}

/// What the type of an order asks for.
#[derive(Clone, Copy, Debug)]
struct Terms {
    size: Size,
    kind: OrderKind,
    trigger: Option<Trigger>,
}

impl<'a> Leg<'a> {
    /// The terms of a request that is about one order.
    pub(super) const fn only(params: &'a Params) -> Self {
        Self {
            params,
            prefix: "",
            quantity: "quantity",
        }
    }

    /// The order these terms describe.
    ///
    /// # Errors
    /// The venue's word for the first thing that is wrong.
    pub(super) fn read(
        &self,
        caller: Caller,
        instrument: &Instrument,
        side: Side,
        unnamed: &mut impl FnMut() -> ClientId,
    ) -> Result<NewOrder, ApiError> {
        let terms = self.terms(instrument)?;
        self.refuse_unsupported()?;
        let client_id = match self.text("clientOrderId") {
            Some(text) => client_id(&self.name("clientOrderId"), text)?,
            None => unnamed(),
        };
        let order = NewOrder::new(
            caller.account,
            instrument.id,
            client_id,
            side,
            terms.size,
            terms.kind,
        );
        let order = order
            .with_labels(self.labels()?)
            .with_self_trade(self_trade(self.params)?);
        Ok(match terms.trigger {
            Some(trigger) => order.with_trigger(trigger),
            None => order,
        })
    }

    /// The type's name.
    pub(super) fn kind(&self) -> Result<&'a str, ApiError> {
        self.required("type")
    }

    fn name(&self, plain: &'static str) -> Cow<'static, str> {
        if self.prefix.is_empty() {
            return Cow::Borrowed(match plain {
                "clientOrderId" => "newClientOrderId",
                plain => plain,
            });
        }
        let mut letters = plain.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let name = self.prefix.chars().chain(first).chain(letters);
        Cow::Owned(name.collect())
    }

    fn text(&self, plain: &'static str) -> Option<&'a str> {
        self.params.text(&self.name(plain))
    }

    fn required(&self, plain: &'static str) -> Result<&'a str, ApiError> {
        self.params.required(&self.name(plain))
    }

    fn terms(&self, instrument: &Instrument) -> Result<Terms, ApiError> {
        match self.kind()? {
            "LIMIT" => {
                let terms = self.limit(instrument)?;
                self.refuse(&["quoteOrderQty", "stopPrice", "trailingDelta"])?;
                Ok(terms)
            }
            "LIMIT_MAKER" => {
                let (size, price) = (self.size(instrument)?, self.price(instrument, "price")?);
                self.refuse(&["timeInForce", "quoteOrderQty", "stopPrice", "trailingDelta"])?;
                Ok(Terms {
                    size,
                    kind: OrderKind::PostOnly { price },
                    trigger: None,
                })
            }
            "MARKET" => {
                let size = self.market_size(instrument)?;
                self.refuse(&["timeInForce", "price", "stopPrice", "trailingDelta"])?;
                Ok(Terms {
                    size,
                    kind: OrderKind::Market,
                    trigger: None,
                })
            }
            "STOP_LOSS" => self.triggered_market(instrument, Purpose::StopLoss),
            "TAKE_PROFIT" => self.triggered_market(instrument, Purpose::TakeProfit),
            "STOP_LOSS_LIMIT" => self.triggered_limit(instrument, Purpose::StopLoss),
            "TAKE_PROFIT_LIMIT" => self.triggered_limit(instrument, Purpose::TakeProfit),
            _ => Err(ApiError::ORDER_TYPE),
        }
    }

    fn limit(&self, instrument: &Instrument) -> Result<Terms, ApiError> {
        let time_in_force = time_in_force(self.required("timeInForce")?)?;
        let size = self.size(instrument)?;
        let price = self.price(instrument, "price")?;
        Ok(Terms {
            size,
            kind: OrderKind::Limit {
                price,
                time_in_force,
            },
            trigger: None,
        })
    }

    fn triggered_limit(
        &self,
        instrument: &Instrument,
        purpose: Purpose,
    ) -> Result<Terms, ApiError> {
        let terms = self.limit(instrument)?;
        let trigger = self.trigger(instrument, purpose)?;
        self.refuse(&["quoteOrderQty"])?;
        Ok(Terms {
            trigger: Some(trigger),
            ..terms
        })
    }

    fn triggered_market(
        &self,
        instrument: &Instrument,
        purpose: Purpose,
    ) -> Result<Terms, ApiError> {
        let size = self.size(instrument)?;
        let trigger = self.trigger(instrument, purpose)?;
        self.refuse(&["timeInForce", "price", "quoteOrderQty"])?;
        Ok(Terms {
            size,
            kind: OrderKind::Market,
            trigger: Some(trigger),
        })
    }

    fn trigger(&self, instrument: &Instrument, purpose: Purpose) -> Result<Trigger, ApiError> {
        let stop = self
            .text("stopPrice")
            .map(|_| self.price(instrument, "stopPrice"))
            .transpose()?;
        let delta = self.params.signed(&self.name("trailingDelta"))?;
        let delta = delta
            .map(|delta| u16::try_from(delta).map_err(|_| Refusal::Filter(Filter::TrailingDelta)))
            .transpose()?;
        match (stop, delta) {
            (stop, Some(delta)) => Ok(Trigger::trailing(purpose, Bips(delta), stop)),
            (Some(stop), None) => Ok(Trigger::at(purpose, stop)),
            (None, None) => Err(ApiError::either(
                &self.name("stopPrice"),
                &self.name("trailingDelta"),
            )),
        }
    }

    fn market_size(&self, instrument: &Instrument) -> Result<Size, ApiError> {
        let quote = self.name("quoteOrderQty");
        match (self.params.text(self.quantity), self.params.text(&quote)) {
            (Some(_), Some(_)) => Err(ApiError::unwanted(&quote)),
            (Some(_), None) => self.size(instrument),
            (None, Some(text)) => {
                const UNIT: i128 = 10_000_000_000;
                number(&quote, text)?
                    .checked_mul(UNIT)
                    .map(|amount| Size::Quote(Amount(amount)))
                    .ok_or_else(|| ApiError::overflow(&quote))
            }
            (None, None) => Err(ApiError::either(self.quantity, &quote)),
        }
    }

    fn size(&self, instrument: &Instrument) -> Result<Size, ApiError> {
        quantity(self.params, self.quantity, instrument).map(Size::Base)
    }

    fn price(&self, instrument: &Instrument, plain: &'static str) -> Result<Price, ApiError> {
        let counts = number(&self.name(plain), self.required(plain)?)?;
        in_units(counts, instrument.price_decimals)
            .map(Price)
            .ok_or_else(|| Refusal::Filter(Filter::Price).into())
    }

    fn refuse(&self, unwanted: &[&'static str]) -> Result<(), ApiError> {
        let sent = unwanted.iter().find(|name| self.text(name).is_some());
        sent.map_or(Ok(()), |name| Err(ApiError::unwanted(&self.name(name))))
    }

    fn refuse_unsupported(&self) -> Result<(), ApiError> {
        let iceberg = self.text("icebergQty");
        if iceberg.is_some_and(|quantity| parse_fixed(quantity, PLACES) != Ok(0)) {
            return Err(ApiError::ICEBERG);
        }
        let pegs = ["pegPriceType", "pegOffsetType", "pegOffsetValue"];
        if pegs.iter().any(|name| self.text(name).is_some()) {
            return Err(ApiError::PEGGED);
        }
        Ok(())
    }

    fn labels(&self) -> Result<Labels, ApiError> {
        /// Smaller ones are the venue's own.
        const KIND_MIN: i64 = 1_000_000;
        let kind = self.params.signed(&self.name("strategyType"))?;
        if kind.is_some_and(|kind| kind < KIND_MIN) {
            return Err(ApiError::STRATEGY_TYPE);
        }
        let overflow = || ApiError::overflow(&self.name("strategyType"));
        Ok(Labels {
            strategy: self.params.signed(&self.name("strategyId"))?,
            strategy_kind: kind
                .map(|kind| i32::try_from(kind).map_err(|_| overflow()))
                .transpose()?,
        })
    }
}

/// What happens when the order meets one of its own account.
fn self_trade(params: &Params) -> Result<SelfTrade, ApiError> {
    match params.text("selfTradePreventionMode") {
        None | Some("NONE") => Ok(SelfTrade::Allowed),
        Some("EXPIRE_TAKER") => Ok(SelfTrade::ExpireTaker),
        Some("EXPIRE_MAKER") => Ok(SelfTrade::ExpireMaker),
        Some("EXPIRE_BOTH") => Ok(SelfTrade::ExpireBoth),
        Some(_) => Err(ApiError::invalid("selfTradePreventionMode")),
    }
}

/// A client's own name for an order.
pub(super) fn client_id(name: &str, text: &str) -> Result<ClientId, ApiError> {
    const RANGE: &str = r"^[\.A-Z\:/a-z0-9_-]{1,36}$";
    ClientId::new(text).map_err(|_| ApiError::illegal(name, RANGE))
}

/// The quantity that the parameter `name` holds.
pub(super) fn quantity(
    params: &Params,
    name: &str,
    instrument: &Instrument,
) -> Result<Quantity, ApiError> {
    let counts = number(name, params.required(name)?)?;
    in_units(counts, instrument.quantity_decimals)
        .map(Quantity)
        .ok_or_else(|| Refusal::Filter(Filter::LotSize).into())
}

fn time_in_force(text: &str) -> Result<TimeInForce, ApiError> {
    match text {
        "GTC" => Ok(TimeInForce::GoodTillCancel),
        "IOC" => Ok(TimeInForce::ImmediateOrCancel),
        "FOK" => Ok(TimeInForce::FillOrKill),
        _ => Err(ApiError::TIME_IN_FORCE),
    }
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

    #[test]
    fn an_order_of_a_list_puts_its_place_before_each_name() {
        let params = Params::default();
        let name = |prefix, plain| {
            let leg = Leg {
                params: &params,
                prefix,
                quantity: "quantity",
            };
            leg.name(plain).into_owned()
        };
        assert_eq!(name("", "stopPrice"), "stopPrice");
        assert_eq!(name("", "clientOrderId"), "newClientOrderId");
        assert_eq!(name("pendingAbove", "stopPrice"), "pendingAboveStopPrice");
        assert_eq!(name("working", "clientOrderId"), "workingClientOrderId");
    }
}
