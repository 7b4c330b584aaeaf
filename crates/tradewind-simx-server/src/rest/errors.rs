//! What the venue says when it says no: HTTP status, code and text, word for word as documented (errors.md, July 2026).
//!
//! Clients map some of these by their text alone, so a changed word is a changed error.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use tradewind_model::Timestamp;

/// A refusal, in the venue's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: i32,
    pub(crate) message: Cow<'static, str>,
    /// When the client may come back, for the two limits that say so.
    pub(crate) retry_at: Option<Timestamp>,
    /// More about it, as JSON.
    pub(crate) data: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl ApiError {
    /// Status 400 and a fixed text.
    pub(crate) const fn new(code: i32, message: &'static str) -> Self {
        Self::of(400, code, message)
    }

    const fn of(status: u16, code: i32, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            retry_at: None,
            data: None,
        }
    }

    fn with(code: i32, message: String) -> Self {
        Self {
            status: 400,
            code,
            message: Cow::Owned(message),
            retry_at: None,
            data: None,
        }
    }

    pub(crate) const UNKNOWN: Self = Self::new(
        -1000,
        "An unknown error occurred while processing the request.",
    );
    pub(crate) const OVERLOADED: Self = Self::of(
        503,
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    );
    pub(crate) const SHUTTING_DOWN: Self =
        Self::of(503, -1016, "This service is no longer available.");
    pub(crate) const OUTSIDE_WINDOW: Self = Self::new(
        -1021,
        "Timestamp for this request is outside of the recvWindow.",
    );
    pub(crate) const AHEAD: Self = Self::new(
        -1021,
        "Timestamp for this request was 1000ms ahead of the server's time.",
    );
    pub(crate) const SIGNATURE: Self = Self::new(-1022, "Signature for this request is not valid.");
    pub(crate) const TOO_MANY_CONNECTIONS: Self = Self::of(
        429,
        -1034,
        "Too many connection attempts from IP; current limit is 300 per '5 MINUTE'.",
    );
    pub(crate) const TOO_MANY_PARAMETERS: Self =
        Self::new(-1101, "Too many parameters sent for this endpoint.");
    pub(crate) const DUPLICATE_PARAMETER: Self =
        Self::new(-1101, "Duplicate values for a parameter detected.");
    pub(crate) const TIME_IN_FORCE: Self = Self::new(-1115, "Invalid timeInForce.");
    pub(crate) const ORDER_TYPE: Self = Self::new(-1116, "Invalid orderType.");
    pub(crate) const SIDE: Self = Self::new(-1117, "Invalid side.");
    pub(crate) const INTERVAL: Self = Self::new(-1120, "Invalid interval.");
    pub(crate) const SYMBOL: Self = Self::new(-1121, "Invalid symbol.");
    pub(crate) const MORE_THAN_A_DAY: Self =
        Self::new(-1127, "More than 24 hours between startTime and endTime.");
    pub(crate) const COMBINATION: Self =
        Self::new(-1128, "Combination of optional parameters invalid.");
    pub(crate) const CANCEL_RESTRICTIONS: Self = Self::new(
        -1145,
        "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
    );
    pub(crate) const RESTRICTED_CANCEL: Self =
        Self::new(-2011, "Order was not canceled due to cancel restrictions.");
    pub(crate) const ICEBERG: Self =
        Self::new(-2010, "Iceberg orders are not supported for this symbol.");
    pub(crate) const PEGGED: Self =
        Self::new(-2010, "Pegged orders are not supported for this symbol.");
    pub(crate) const COMPOSITION: Self = Self::new(-1014, "Unsupported order combination.");
    pub(crate) const STRATEGY_TYPE: Self =
        Self::new(-1134, "`strategyType` was less than 1000000.");
    pub(crate) const OTHER_CLIENT_ID: Self =
        Self::new(-2039, "Client order ID is not correct for this order ID.");
    pub(crate) const OCO_TYPE: Self = Self::new(-1158, "Order type not supported in OCO.");
    pub(crate) const OCO_BUY_LIMIT_ABOVE: Self =
        Self::new(-1165, "A limit order in a buy OCO must be below.");
    pub(crate) const OCO_SELL_LIMIT_BELOW: Self =
        Self::new(-1166, "A limit order in a sell OCO must be above.");
    pub(crate) const OCO_TWO_LIMITS: Self =
        Self::new(-1168, "At least one OCO order must be contingent.");
    pub(crate) const OCO_BUY_STOP_BELOW: Self =
        Self::new(-1196, "A stop loss order in a buy OCO must be above.");
    pub(crate) const OCO_SELL_STOP_ABOVE: Self =
        Self::new(-1197, "A stop loss order in a sell OCO must be below.");
    pub(crate) const OCO_BUY_PROFIT_ABOVE: Self =
        Self::new(-1198, "A take profit order in a buy OCO must be below.");
    pub(crate) const OCO_SELL_PROFIT_BELOW: Self =
        Self::new(-1199, "A take profit order in a sell OCO must be above.");
    pub(crate) const INVALID_JSON: Self = Self::new(-1135, "Invalid JSON Request");
    pub(crate) const UNKNOWN_ORDER: Self = Self::new(-2011, "Unknown order sent.");
    pub(crate) const NO_SUCH_ORDER: Self = Self::new(-2013, "Order does not exist.");
    pub(crate) const KEY_FORMAT: Self = Self::of(401, -2014, "API-key format invalid.");
    pub(crate) const KEY: Self = Self::of(
        401,
        -2015,
        "Invalid API-key, IP, or permissions for action.",
    );
    /// Sessions need an Ed25519 key. Not on the venue's page of errors, but what it was seen to answer.
    pub(crate) const NO_LOGON_KEY: Self = Self::new(-4056, "HMAC_SHA256 API key is not supported.");
    pub(crate) const NOT_SUBSCRIBED: Self =
        Self::new(-2036, "User Data Stream subscription not active.");
    pub(crate) const TIME_UNIT: Self = Self::new(
        -1194,
        "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
    );
    pub(crate) const SUBSCRIBED: Self =
        Self::new(-2035, "User Data Stream subscription already active.");
    pub(crate) const DUPLICATE_SYMBOLS: Self =
        Self::new(-1151, "Symbol is present multiple times in the list.");
    pub(crate) const SYMBOL_STATUS: Self = Self::new(-1122, "Invalid symbolStatus.");
    pub(crate) const OTHER_STATUS: Self = Self::new(
        -1220,
        "The symbol's status does not match the requested symbolStatus.",
    );
    pub(crate) const NO_REFERENCE_PRICE: Self =
        Self::new(-2043, "This symbol doesn't have a reference price.");
    pub(crate) const INVALID_TICKER_TYPE: Self = Self::new(-1139, "Invalid ticker type.");

    /// The path, or its method, does not exist here.
    pub(crate) const NOT_FOUND: Self = Self::of(404, -1020, "This operation is not supported.");

    /// What the venue has switched off for good.
    pub(crate) const GONE: Self = Self::of(410, -1020, "This operation is not supported.");

    /// `name` is missing, empty or cannot be read.
    pub(crate) fn mandatory(name: &str) -> Self {
        Self::with(
            -1102,
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
        )
    }

    /// A call that takes no parameter was sent some.
    pub(crate) fn too_many(sent: usize) -> Self {
        let message = format!("Too many parameters; expected '0' and received '{sent}'.");
        Self::with(-1101, message)
    }

    /// Some parameters are none of the call's.
    pub(crate) fn not_read(read: usize, sent: usize) -> Self {
        let message = format!(
            "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
        );
        Self::with(-1104, message)
    }

    /// One of two parameters is needed and neither came.
    pub(crate) fn either(first: &str, second: &str) -> Self {
        Self::with(
            -1102,
            format!("Param '{first}' or '{second}' must be sent, but both were empty/null!"),
        )
    }

    /// `name` was sent without a value.
    pub(crate) fn empty(name: &str) -> Self {
        Self::with(-1105, format!("Parameter '{name}' was empty."))
    }

    /// `name` does not go with the rest of the request.
    pub(crate) fn unwanted(name: &str) -> Self {
        Self::with(-1106, format!("Parameter '{name}' sent when not required."))
    }

    /// More digits than the asset has.
    pub(crate) fn precision(name: &str) -> Self {
        Self::with(-1111, format!("Parameter '{name}' has too much precision."))
    }

    /// A number too large to hold.
    pub(crate) fn overflow(name: &str) -> Self {
        Self::with(-1108, format!("Parameter '{name}' overflowed."))
    }

    /// Characters a parameter may not hold; `range` is the venue's regular expression.
    pub(crate) fn illegal(name: &str, range: &str) -> Self {
        Self::with(
            -1100,
            format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."),
        )
    }

    /// A value outside the list the venue takes.
    pub(crate) fn invalid(name: &str) -> Self {
        Self::with(
            -1130,
            format!("Data sent for parameter '{name}' is not valid."),
        )
    }

    /// A number above the most the venue takes.
    pub(crate) fn too_large(name: &str, most: i64) -> Self {
        Self::with(
            -1102,
            format!("'{name}' contains unexpected value. Cannot be greater than {most}."),
        )
    }

    /// The address used more than its weight in this minute.
    pub(crate) fn too_much_weight(limit: u32, until: Timestamp) -> Self {
        let text = format!(
            "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. \
             Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Self {
            status: 429,
            retry_at: Some(until),
            ..Self::with(-1003, text)
        }
    }

    /// The address went on after 429.
    pub(crate) fn banned(until: Timestamp) -> Self {
        let text = format!(
            "Way too much request weight used; IP banned until {}. \
             Please use WebSocket Streams for live updates to avoid bans.",
            until.as_millis()
        );
        Self {
            status: 418,
            retry_at: Some(until),
            ..Self::with(-1003, text)
        }
    }

    /// The account opened more orders than allowed in the named span.
    pub(crate) fn too_many_orders(limit: u32, span: &str, until: Timestamp) -> Self {
        let text = format!("Too many new orders; current limit is {limit} orders per {span}.");
        Self {
            status: 429,
            retry_at: Some(until),
            ..Self::with(-1015, text)
        }
    }

    /// Of an order that was to replace another, one half was done; `halves` tells which.
    pub(crate) fn half_replaced(halves: String) -> Self {
        Self {
            status: 409,
            data: Some(halves),
            ..Self::new(-2021, "Order cancel-replace partially failed.")
        }
    }

    /// Neither half was done.
    pub(crate) fn not_replaced(halves: String) -> Self {
        Self {
            data: Some(halves),
            ..Self::new(-2022, "Order cancel-replace failed.")
        }
    }

    /// More about it, to stand inside other JSON.
    pub(crate) fn data(&self) -> Option<&RawValue> {
        serde_json::from_str(self.data.as_deref()?).ok()
    }

    /// The answer's body.
    pub(crate) fn body(&self) -> String {
        serde_json::to_string(&Body {
            code: self.code,
            msg: &self.message,
            data: self.data(),
        })
        .expect("a number, a text and JSON always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_simx::{Filter, Refusal};

    /// Every text here is on the venue's page of errors, letter by letter, under the same code.
    #[test]
    fn every_text_is_documented() {
        let Some(path) = tradewind_testkit::test_data("known_answers/errors.json") else {
            return;
        };
        let page: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let later = Timestamp::from_secs(1);
        for error in [
            ApiError::UNKNOWN,
            ApiError::OVERLOADED,
            ApiError::SHUTTING_DOWN,
            ApiError::OUTSIDE_WINDOW,
            ApiError::AHEAD,
            ApiError::SIGNATURE,
            ApiError::TOO_MANY_CONNECTIONS,
            ApiError::TOO_MANY_PARAMETERS,
            ApiError::DUPLICATE_PARAMETER,
            ApiError::TIME_IN_FORCE,
            ApiError::ORDER_TYPE,
            ApiError::SIDE,
            ApiError::INTERVAL,
            ApiError::SYMBOL,
            ApiError::MORE_THAN_A_DAY,
            ApiError::COMBINATION,
            ApiError::CANCEL_RESTRICTIONS,
            ApiError::RESTRICTED_CANCEL,
            ApiError::ICEBERG,
            ApiError::PEGGED,
            ApiError::COMPOSITION,
            ApiError::STRATEGY_TYPE,
            ApiError::OTHER_CLIENT_ID,
            ApiError::OCO_TYPE,
            ApiError::OCO_BUY_LIMIT_ABOVE,
            ApiError::OCO_SELL_LIMIT_BELOW,
            ApiError::OCO_TWO_LIMITS,
            ApiError::OCO_BUY_STOP_BELOW,
            ApiError::OCO_SELL_STOP_ABOVE,
            ApiError::OCO_BUY_PROFIT_ABOVE,
            ApiError::OCO_SELL_PROFIT_BELOW,
            ApiError::INVALID_JSON,
            ApiError::UNKNOWN_ORDER,
            ApiError::NO_SUCH_ORDER,
            ApiError::KEY_FORMAT,
            ApiError::KEY,
            ApiError::NOT_SUBSCRIBED,
            ApiError::TIME_UNIT,
            ApiError::SUBSCRIBED,
            ApiError::DUPLICATE_SYMBOLS,
            ApiError::SYMBOL_STATUS,
            ApiError::OTHER_STATUS,
            ApiError::NO_REFERENCE_PRICE,
            ApiError::INVALID_TICKER_TYPE,
            ApiError::NOT_FOUND,
            ApiError::GONE,
            ApiError::mandatory("%s"),
            ApiError::either("%s", "%s"),
            ApiError::empty("%s"),
            ApiError::unwanted("%s"),
            ApiError::precision("%s"),
            ApiError::overflow("%s"),
            ApiError::illegal("%s", "%s"),
            ApiError::invalid("%s"),
            ApiError::too_many_orders(5, "%s", later),
            ApiError::too_much_weight(5, later),
            ApiError::banned(later),
            Refusal::MarketClosed.into(),
            Refusal::InsufficientBalance.into(),
            Refusal::DuplicateClientId.into(),
            Refusal::WouldTake.into(),
            Refusal::WouldTrigger.into(),
            Refusal::PriceRelation.into(),
            Refusal::Combination.into(),
            Refusal::AmendIncreases.into(),
            Refusal::AmendNotSupported.into(),
            Refusal::UnknownOrder.into(),
            Refusal::Filter(Filter::Price).into(),
            Refusal::Filter(Filter::LotSize).into(),
            Refusal::Filter(Filter::MarketLotSize).into(),
            Refusal::Filter(Filter::Notional).into(),
            Refusal::Filter(Filter::TrailingDelta).into(),
            Refusal::Filter(Filter::OrderCount).into(),
            Refusal::Filter(Filter::AlgoOrderCount).into(),
            Refusal::Filter(Filter::OrderListCount).into(),
            Refusal::Filter(Filter::AmendCount).into(),
        ] {
            assert!(is_documented(&page, &error), "{error:?}");
        }
    }

    fn is_documented(page: &serde_json::Value, error: &ApiError) -> bool {
        let texts = |list: &serde_json::Value| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|text| {
                text.as_str()
                    .or(text["message"].as_str())
                    .unwrap()
                    .to_owned()
            })
            .collect()
        };
        let codes = page["codes"].as_array().unwrap().iter();
        let of_code = codes.filter(|known| known["code"] == error.code);
        let mut known: Vec<String> = of_code.flat_map(|code| texts(&code["messages"])).collect();
        match error.code {
            -1013 => known.extend(texts(&page["filter_failures"]["messages"])),
            -2010 | -2011 | -2038 => {
                known.extend(texts(&page["matching_engine_messages"]["messages"]));
            }
            _ => {}
        }
        known.iter().any(|known| fits(known, &error.message))
    }

    /// Whether `text` is `pattern` with something for each `%s`.
    fn fits(pattern: &str, text: &str) -> bool {
        let mut rest = text;
        for (index, piece) in pattern.split("%s").enumerate() {
            match rest.find(piece) {
                Some(at) if at == 0 || index > 0 => rest = rest.split_at(at + piece.len()).1,
                _ => return false,
            }
        }
        rest.is_empty() || pattern.ends_with("%s")
    }

    #[test]
    fn the_body_is_code_and_msg() {
        assert_eq!(
            ApiError::SYMBOL.body(),
            r#"{"code":-1121,"msg":"Invalid symbol."}"#
        );
        assert_eq!(
            ApiError::mandatory("price").body(),
            r#"{"code":-1102,"msg":"Mandatory parameter 'price' was not sent, was empty/null, or malformed."}"#
        );
    }
}
