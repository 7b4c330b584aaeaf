//! Reads what comes over the WebSocket API: answers by the number of their request, and announcements. Pure.
//!
//! An answer's body is the same as over REST, so later code does not depend on the transport. Source:
//! web-socket-api.md, "Response format" and "Rate limits", July 2026.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::limits::Limits;
use crate::order_pool::Answer;
use crate::wire::json;

/// The content of a text message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The answer to a request.
    Answer(u64, Answer),
    /// The venue is about to close the connection.
    ClosingSoon,
    /// Nothing that concerns an order.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    status: Option<u16>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(default)]
    rate_limits: Value,
    #[serde(default)]
    event: Option<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    e: String,
}

#[derive(Deserialize)]
struct Refusal {
    data: Option<Retry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retry {
    #[serde(default)]
    server_time: Option<u64>,
    #[serde(default)]
    retry_after: Option<u64>,
}

/// Reads one text; what cannot be read answers nothing, and its order runs into its time-out.
pub(super) fn read(text: &[u8]) -> Said {
    if json::is_too_deep(text) {
        return Said::Nothing;
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(text) else {
        return Said::Nothing;
    };
    if let Some(event) = envelope.event {
        return match event.e.as_str() {
            "serverShutdown" => Said::ClosingSoon,
            _ => Said::Nothing,
        };
    }
    let (Some(request), Some(status)) = (envelope.id.as_u64(), envelope.status) else {
        return Said::Nothing;
    };
    let limits = Limits {
        used_weight: used_weight(&envelope.rate_limits),
        retry_after: envelope.error.and_then(retry_after),
    };
    let body = envelope.error.or(envelope.result);
    let body = body.map_or("", RawValue::get).as_bytes().to_vec();
    Said::Answer(
        request,
        Answer {
            status,
            limits,
            body,
        },
    )
}

fn used_weight(limits: &Value) -> Option<u64> {
    let limits = limits.as_array()?;
    let weight = limits
        .iter()
        .find(|limit| limit["rateLimitType"] == "REQUEST_WEIGHT" && limit["interval"] == "MINUTE");
    weight?["count"].as_u64()
}

/// How long the venue blocks our requests: it gives the end and the present time, both of its own clock.
fn retry_after(error: &RawValue) -> Option<Duration> {
    let data = serde_json::from_str::<Refusal>(error.get()).ok()?.data?;
    let wait = data.retry_after?.saturating_sub(data.server_time?);
    Some(Duration::from_millis(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, used: Option<u64>, retry_ms: Option<u64>, body: &'static str) -> Said {
        let limits = Limits {
            used_weight: used,
            retry_after: retry_ms.map(Duration::from_millis),
        };
        Said::Answer(
            7,
            Answer {
                status,
                limits,
                body: body.as_bytes().to_vec(),
            },
        )
    }

    #[test]
    fn answers_are_matched_by_their_number_and_the_rest_is_left_alone() {
        let check = |text: &str, wanted: Said| assert_eq!(read(text.as_bytes()), wanted, "{text}");
        check(
            r#"{"id":7,"status":200,"result":{"a":1},"rateLimits":[
                {"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":9,"count":3},
                {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":42}]}"#,
            answer(200, Some(42), None, r#"{"a":1}"#),
        );
        check(
            r#"{"id":7,"status":429,"error":{"code":-1003,"msg":"m","data":{"serverTime":1000,"retryAfter":3500}}}"#,
            answer(
                429,
                None,
                Some(2_500),
                r#"{"code":-1003,"msg":"m","data":{"serverTime":1000,"retryAfter":3500}}"#,
            ),
        );
        check(
            r#"{"id":7,"status":409,"error":{"code":-2021,"msg":"m","data":{"cancelResult":"SUCCESS"}}}"#,
            answer(
                409,
                None,
                None,
                r#"{"code":-2021,"msg":"m","data":{"cancelResult":"SUCCESS"}}"#,
            ),
        );
        check(r#"{"id":7,"status":200}"#, answer(200, None, None, ""));
        check(
            r#"{"event":{"e":"serverShutdown","E":1}}"#,
            Said::ClosingSoon,
        );
        for nothing in [
            "",
            "[]",
            r#"{"id":null,"status":400,"error":{}}"#,
            r#"{"id":"x","status":200,"result":{}}"#,
            r#"{"subscriptionId":0,"event":{"e":"executionReport"}}"#,
        ] {
            check(nothing, Said::Nothing);
        }
    }
}
