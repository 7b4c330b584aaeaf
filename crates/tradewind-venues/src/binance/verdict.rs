//! What an answer to an order means: refused for certain, or not known.
//!
//! Only what the venue documents as "did not reach the matching engine" or "was refused by it" counts as a refusal.
//! Everything else, 5xx and time-outs above all, leaves the order's fate unknown. The order is then queried, never
//! sent again.
//! Source: errors.md of the venue's documentation, July 2026.

use serde::Deserialize;
use tradewind_model::RejectReason;
use tradewind_model::mutation::{Mutation, is_on};

use super::answers;
use crate::error::cut;

/// What a failed request means for the order it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The venue refused it; it changed nothing.
    Refused(RejectReason),
    /// It may have been carried out.
    Unknown(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    code: i32,
    #[serde(default)]
    msg: String,
}

/// The venue's code and words, if the body is an error as documented.
pub(super) fn error_body(body: &[u8]) -> Option<RejectReason> {
    let error: ErrorBody = answers::read("error", body).ok()?;
    Some(RejectReason {
        code: error.code,
        text: cut(&error.msg),
    })
}

/// Judges the answer to a new order that is no success.
#[must_use]
pub fn judge_order(status: u16, body: &[u8]) -> Verdict {
    judge(status, body, is_order_refusal)
}

/// Judges the answer to a cancel that failed. `-2011` means that there was nothing to cancel: a query finds the order's
/// true state.
#[must_use]
pub fn judge_cancel(status: u16, body: &[u8]) -> Verdict {
    judge(status, body, |reason| {
        reason.code == -2011 || is_request_refusal(reason.code)
    })
}

fn judge(status: u16, body: &[u8], refuses: impl Fn(&RejectReason) -> bool) -> Verdict {
    let words = || cut(&String::from_utf8_lossy(body));
    if !(400..500).contains(&status) || status == 409 {
        if is_on(Mutation::ServerErrorRefuses) {
            let (code, text) = (0, words());
            return Verdict::Refused(RejectReason { code, text });
        }
        return Verdict::Unknown(format!("status {status}: {}", words()));
    }
    match error_body(body) {
        Some(reason) if refuses(&reason) => Verdict::Refused(reason),
        Some(reason) => Verdict::Unknown(format!("code {}: {}", reason.code, reason.text)),
        None if is_refused_at_the_door(status) => Verdict::Refused(RejectReason {
            code: 0,
            text: cut(&format!("status {status}: {}", words())),
        }),
        None => Verdict::Unknown(format!("status {status}: {}", words())),
    }
}

/// The firewall, the limiter and the web server answer before an order is looked at.
const fn is_refused_at_the_door(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 405 | 413 | 414 | 418 | 429)
}

fn is_order_refusal(reason: &RejectReason) -> bool {
    match reason.code {
        // We never send an id twice, so a duplicate means that this very order is there already.
        -2010 => reason.text != "Duplicate order sent.",
        code => is_on(Mutation::UnknownCodeRefuses) || is_request_refusal(code),
    }
}

/// Codes for requests that were turned away: malformed, unsigned, too many, against a filter.
const fn is_request_refusal(code: i32) -> bool {
    matches!(
        code,
        -1002
            | -1003
            | -1010
            | -1016..=-1013
            | -1022..=-1020
            | -1035..=-1033
            | -1106..=-1100
            | -1108
            | -1111
            | -1112
            | -1122..=-1114
            | -1125
            | -1127
            | -1128
            | -1130
            | -1134
            | -1135
            | -1139
            | -1145
            | -1151
            | -1152
            | -1194
            | -1210
            | -1211
            | -1220
            | -2014
            | -2015
            | -2016
            | -2039
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(code: i32, text: &str) -> Vec<u8> {
        format!(r#"{{"code":{code},"msg":"{text}"}}"#).into_bytes()
    }

    fn refused(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Refused(_))
    }

    #[test]
    fn v14_definite_refusals_and_the_unknown() {
        let check = |status: u16, code: i32, text: &str, wanted: bool| {
            let verdict = judge_order(status, &body(code, text));
            assert_eq!(
                refused(&verdict),
                wanted,
                "{status} {code} {text}: {verdict:?}"
            );
        };
        check(400, -1013, "Filter failure: LOT_SIZE", true);
        check(429, -1015, "Too many new orders.", true);
        check(429, -1003, "Too much request weight used", true);
        check(400, -1021, "outside of the recvWindow", true);
        check(
            400,
            -2010,
            "Account has insufficient balance for requested action.",
            true,
        );
        check(400, -2010, "Duplicate order sent.", false);
        check(401, -2015, "Invalid API-key", true);
        for code in [-1000, -1001, -1006, -1007, -1008, -2011, -2013, -9999, 0, 7] {
            check(400, code, "whatever", false);
        }
        for status in [500, 502, 503, 504, 409, 200, 302] {
            check(status, -1013, "even with a known code", false);
        }
    }

    #[test]
    fn without_a_body_only_the_door_refuses() {
        let check = |status: u16, wanted: bool| {
            assert_eq!(refused(&judge_order(status, b"<html>")), wanted, "{status}");
        };
        check(403, true);
        check(418, true);
        check(429, true);
        check(400, false);
        check(503, false);
    }

    #[test]
    fn a_cancel_of_nothing_is_refused_and_a_broken_one_unknown() {
        assert!(refused(&judge_cancel(
            400,
            &body(-2011, "Unknown order sent.")
        )));
        assert!(refused(&judge_cancel(400, &body(-1021, "clock"))));
        assert!(!refused(&judge_cancel(400, &body(-1006, "bus"))));
        assert!(!refused(&judge_cancel(503, b"")));
    }

    #[test]
    fn words_are_cut() {
        let long = "x".repeat(5_000);
        match judge_order(400, &body(-1013, &long)) {
            Verdict::Refused(reason) => assert_eq!(reason.text.len(), 200),
            Verdict::Unknown(_) => panic!("a filter failure is a refusal"),
        }
    }
}
