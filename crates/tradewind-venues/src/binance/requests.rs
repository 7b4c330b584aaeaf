//! Writes requests: parameters in the venue's spelling, signed. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    ClientOrderId, Instrument, Interval, OrderKind, OrderTerms, Side, TakeProfit, TimeInForce,
    Timestamp,
};

use super::signing::ApiKey;
use crate::execution::CandleRange;

/// Parameters in the order they were added. Text and numbers are distinct: a query string writes both the same, a
/// message of the WebSocket API does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(&'static str, Value)>);

impl Params {
    pub(crate) fn of(name: &'static str, value: &str) -> Self {
        Self::default().with(name, value)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, Value::from(value)));
        self
    }

    pub(crate) fn with_number(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds time stamp, receive window and signature, for a query or a form.
    pub(super) fn signed(self, key: &ApiKey, at: Timestamp, window_ms: u64) -> Self {
        let signable = self.stamped(at, window_ms);
        let signature = key.sign(&signable.form());
        signable.with("signature", &signature)
    }

    /// Adds key, time stamp, receive window and signature, for a message of the WebSocket API. What is signed there is
    /// sorted by name and not encoded.
    pub(super) fn signed_message(self, key: &ApiKey, at: Timestamp, window_ms: u64) -> Value {
        let mut signable = self.with("apiKey", key.key()).stamped(at, window_ms);
        signable.0.sort_by_key(|(name, _)| *name);
        let signature = key.sign(&signable.joined(|value, out| out.push_str(value)));
        let fields = signable.with("signature", &signature).0.into_iter();
        Value::Object(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// As a query or a form: `a=1&b=2`, percent-encoded.
    pub(super) fn form(&self) -> String {
        self.joined(encode)
    }

    fn stamped(self, at: Timestamp, window_ms: u64) -> Self {
        self.with_number("recvWindow", window_ms)
            .with_number("timestamp", at.as_millis())
    }

    fn joined(&self, spell: impl Fn(&str, &mut String)) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            match value {
                Value::String(value) => spell(value, &mut text),
                number => spell(&number.to_string(), &mut text),
            }
        }
        text
    }
}

/// All but what RFC 3986, section 2.3, leaves unreserved is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn encode(value: &str, out: &mut String) {
    out.extend(utf8_percent_encode(value, RESERVED));
}

/// A new order's parameters, unsigned. Its id is ours, and the requested answer type includes the fills.
pub(super) fn order(terms: &OrderTerms, symbol: &str, instrument: &Instrument) -> Params {
    let side = match terms.side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    };
    let params = Params::of("symbol", symbol).with("side", side);
    let params = match terms.kind {
        OrderKind::Market => params.with("type", "MARKET"),
        OrderKind::Limit {
            price,
            time_in_force,
        } => params
            .with("type", "LIMIT")
            .with("timeInForce", time_in_force_name(time_in_force))
            .with("price", &instrument.price_text(price)),
        OrderKind::PostOnly { price } => params
            .with("type", "LIMIT_MAKER")
            .with("price", &instrument.price_text(price)),
        OrderKind::Stop { trigger } => params
            .with("type", "STOP_LOSS")
            .with("stopPrice", &instrument.price_text(trigger)),
        OrderKind::StopLimit { trigger, price } => params
            .with("type", "STOP_LOSS_LIMIT")
            .with("timeInForce", "GTC")
            .with("price", &instrument.price_text(price))
            .with("stopPrice", &instrument.price_text(trigger)),
    };
    let quantity = match is_on(Mutation::QuantityRoundedUp) {
        true => terms.quantity + instrument.step,
        false => terms.quantity,
    };
    params
        .with("quantity", &instrument.quantity_text(quantity))
        .with("newClientOrderId", &terms.client_id.to_string())
        .with("newOrderRespType", "FULL")
        // Of two orders of the account that would trade with each other, the one that rests goes (R20).
        .with("selfTradePreventionMode", "EXPIRE_MAKER")
}

/// A pair's parameters, unsigned: a stop and the order that takes its profit, the higher one above.
pub(super) fn pair(
    terms: &OrderTerms,
    take_profit: TakeProfit,
    symbol: &str,
    instrument: &Instrument,
) -> Params {
    let side = match terms.side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    };
    let stop = match terms.kind {
        OrderKind::StopLimit { .. } => "STOP_LOSS_LIMIT",
        _ => "STOP_LOSS",
    };
    let limit = ("LIMIT_MAKER", take_profit.client_id);
    let stop = (stop, terms.client_id);
    let (above, below, names) = match terms.side {
        Side::Sell => (limit, stop, PAIR_OF_SALES),
        Side::Buy => (stop, limit, PAIR_OF_PURCHASES),
    };
    let mut params = Params::of("symbol", symbol)
        .with("side", side)
        .with("quantity", &instrument.quantity_text(terms.quantity))
        .with("aboveType", above.0)
        .with("aboveClientOrderId", &above.1.to_string())
        .with("belowType", below.0)
        .with("belowClientOrderId", &below.1.to_string())
        .with(names.limit_price, &instrument.price_text(take_profit.price));
    if let Some(trigger) = terms.kind.trigger() {
        params = params.with(names.trigger, &instrument.price_text(trigger));
    }
    if let OrderKind::StopLimit { price, .. } = terms.kind {
        params = params
            .with(names.stop_price, &instrument.price_text(price))
            .with(names.time_in_force, "GTC");
    }
    params
        .with("newOrderRespType", "FULL")
        .with("selfTradePreventionMode", "EXPIRE_MAKER")
}

/// What the terms of a pair's orders are called, which depends on the order that is above.
struct PairNames {
    limit_price: &'static str,
    trigger: &'static str,
    stop_price: &'static str,
    time_in_force: &'static str,
}

const PAIR_OF_SALES: PairNames = PairNames {
    limit_price: "abovePrice",
    trigger: "belowStopPrice",
    stop_price: "belowPrice",
    time_in_force: "belowTimeInForce",
};

const PAIR_OF_PURCHASES: PairNames = PairNames {
    limit_price: "belowPrice",
    trigger: "aboveStopPrice",
    stop_price: "abovePrice",
    time_in_force: "aboveTimeInForce",
};

const fn time_in_force_name(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::GoodTillCancel => "GTC",
        TimeInForce::ImmediateOrCancel => "IOC",
        TimeInForce::FillOrKill => "FOK",
    }
}

/// Names an order by our id, for a cancel or a query.
pub(super) fn by_client_id(symbol: &str, client_id: ClientOrderId) -> Params {
    Params::of("symbol", symbol).with("origClientOrderId", &client_id.to_string())
}

/// Most candles in one answer.
pub(super) const CANDLES_MAX: u32 = 1_000;

/// One page of candles from `from` on, or the newest ones. The newest may still be open, so one more is requested.
pub(super) fn candles(
    symbol: &str,
    interval: Interval,
    range: CandleRange,
    from: Option<Timestamp>,
) -> Params {
    let params = Params::of("symbol", symbol).with("interval", interval.name());
    match range {
        CandleRange::Latest(count) => {
            params.with_number("limit", count.saturating_add(1).min(CANDLES_MAX))
        }
        CandleRange::Between(start, end) => params
            .with_number("startTime", from.unwrap_or(start).as_millis())
            .with_number("endTime", end.as_millis() - 1)
            .with_number("limit", CANDLES_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::instrument;
    use secrecy::SecretString;
    use tradewind_model::{AccountId, InstrumentId, Price, Quantity};

    fn terms(kind: OrderKind) -> OrderTerms {
        OrderTerms {
            account: AccountId(0),
            instrument: InstrumentId(0),
            client_id: ClientOrderId(0x5457_0000_0001_0000_0007_0000_0000_0001),
            side: Side::Buy,
            quantity: Quantity(150_000),
            kind,
        }
    }

    #[test]
    fn each_kind_of_order_has_its_parameters_and_no_others() {
        let check = |kind: OrderKind, wanted: &str| {
            let got = order(&terms(kind), "BTCUSDT", &instrument(0, 2, 5)).form();
            let tail = "&quantity=1.5&newClientOrderId=54570000000100000007000000000001&newOrderRespType=FULL&selfTradePreventionMode=EXPIRE_MAKER";
            assert_eq!(got, format!("symbol=BTCUSDT&side=BUY&{wanted}{tail}"));
        };
        check(OrderKind::Market, "type=MARKET");
        check(
            OrderKind::Limit {
                price: Price(6_183_763),
                time_in_force: TimeInForce::ImmediateOrCancel,
            },
            "type=LIMIT&timeInForce=IOC&price=61837.63",
        );
        check(
            OrderKind::PostOnly {
                price: Price(6_183_700),
            },
            "type=LIMIT_MAKER&price=61837",
        );
        check(
            OrderKind::Stop {
                trigger: Price(6_000_050),
            },
            "type=STOP_LOSS&stopPrice=60000.5",
        );
        check(
            OrderKind::StopLimit {
                trigger: Price(6_000_050),
                price: Price(5_880_049),
            },
            "type=STOP_LOSS_LIMIT&timeInForce=GTC&price=58800.49&stopPrice=60000.5",
        );
    }

    #[test]
    fn values_are_percent_encoded_before_they_are_signed() {
        let params = Params::of("symbols", r#"["BTCUSDT"]"#).with("symbol", "１");
        assert_eq!(
            params.form(),
            "symbols=%5B%22BTCUSDT%22%5D&symbol=%EF%BC%91"
        );
        let key = ApiKey::new("k", SecretString::from("s"));
        let at = Timestamp::from_millis(1_499_827_319_559);
        let signed = Params::of("a", "1").signed(&key, at, 5_000).form();
        let (payload, signature) = signed.split_once("&signature=").unwrap();
        assert_eq!(payload, "a=1&recvWindow=5000&timestamp=1499827319559");
        assert_eq!(signature, key.sign(payload));
    }
    #[test]
    fn a_message_signs_its_parameters_sorted_and_keeps_numbers_numbers() {
        let key = ApiKey::new("k", SecretString::from("s"));
        let at = Timestamp::from_millis(1_645_423_376_532);
        let message = Params::of("symbol", "１").with_number("limit", 5);
        let message = message.signed_message(&key, at, 100);
        let payload = "apiKey=k&limit=5&recvWindow=100&symbol=１&timestamp=1645423376532";
        assert_eq!(
            message,
            serde_json::json!({
                "apiKey": "k", "limit": 5, "recvWindow": 100, "symbol": "１", "timestamp": 1_645_423_376_532_i64,
                "signature": key.sign(payload),
            })
        );
    }
}
