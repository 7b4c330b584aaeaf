//! Cancel one order and place another by one request: two independent orders, each with its own fate.
//!
//! The venue has four outcomes: both done (200), one of the two (409, `-2021`), neither (400, `-2022`). Each leg is
//! judged from its own part of the answer; what that part does not prove is unknown, and is queried. The whole is an
//! order to the gate: a killed desk sends none, and cancels by [`BinanceVenue::cancel`] instead.

use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    ClientOrderId, ExecutionReport, Instrument, NotSentReason, RejectReason, ReportKind,
};
use tradewind_risk::ApprovedOrder;

use super::answers;
use super::entry::REPLACE;
use super::requests;
use super::venue::{BinanceVenue, known};
use super::verdict::{Verdict, judge_cancel, judge_order};
use crate::order_pool::SendOutcome;

/// What the venue is to do with the new order if there is nothing to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfCancelFails {
    /// Leave it: the old order has just filled, say, and the new one would double the position.
    Stop,
    /// Place it all the same.
    Place,
}

/// What became of both orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The order that was to be cancelled; then the other one of its pair, if the venue says that it has ended, too.
    pub cancelled: Vec<ExecutionReport>,
    /// The order that was to be placed, reported as by [`BinanceVenue::submit`].
    pub placed: Vec<ExecutionReport>,
}

impl Replacement {
    /// The reports on both orders, the cancelled one's first. If nothing was sent, only the new order's.
    pub(super) fn into_reports(self) -> Vec<ExecutionReport> {
        let is_sent = |report: &ExecutionReport| !matches!(report.kind, ReportKind::NotSent(_));
        let cancelled = self.placed.iter().all(is_sent).then_some(self.cancelled);
        let cancelled = cancelled.into_iter().flatten();
        cancelled.chain(self.placed).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    cancel_result: String,
    new_order_result: String,
    #[serde(borrow, default)]
    cancel_response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    new_order_response: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow)]
    data: Outcome<'a>,
}

/// One leg's part of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leg<'a> {
    /// Done; how is in the body.
    Done(&'a [u8]),
    /// Refused, in these words, or not proven.
    Failed(&'a [u8]),
    /// Left alone, since the other one failed.
    NotAttempted,
    /// Neither of these.
    Unclear,
}

impl<'a> Leg<'a> {
    fn of(result: &str, response: Option<&'a RawValue>) -> Self {
        let body = response.map_or("", RawValue::get).as_bytes();
        match result {
            "SUCCESS" => Self::Done(body),
            "FAILURE" => Self::Failed(body),
            "NOT_ATTEMPTED" => Self::NotAttempted,
            _ => Self::Unclear,
        }
    }

    /// `judge` reads a refusal; one within an outcome has no status of its own, and is a refusal's.
    fn verdict(&self, judge: fn(u16, &[u8]) -> Verdict) -> Verdict {
        match self {
            Self::Failed(body) => judge(400, body),
            Self::NotAttempted => Verdict::Refused(RejectReason {
                code: CODE_BOTH_FAILED,
                text: "not attempted".to_owned(),
            }),
            Self::Done(_) | Self::Unclear => Verdict::Unknown("no word of its fate".to_owned()),
        }
    }
}

/// "Order cancel-replace failed."
const CODE_BOTH_FAILED: i32 = -2022;

/// The legs of an answer, cancel first; `None` if it has none.
pub(super) fn legs(status: u16, body: &[u8]) -> Option<(Leg<'_>, Leg<'_>)> {
    let outcome = match status {
        200..=299 => answers::read::<Outcome<'_>>("replacement", body).ok()?,
        400 | 409 => answers::read::<Failure<'_>>("replacement", body).ok()?.data,
        _ => return None,
    };
    Some((
        Leg::of(&outcome.cancel_result, outcome.cancel_response),
        Leg::of(&outcome.new_order_result, outcome.new_order_response),
    ))
}

impl BinanceVenue {
    /// Cancels the order `old` and places `new`, on `new`'s instrument, by one request that is sent once.
    ///
    /// Never fails: what cannot be known is a report as well, for each of the two.
    pub async fn replace(
        &self,
        old: ClientOrderId,
        new: &ApprovedOrder,
        if_cancel_fails: IfCancelFails,
    ) -> Replacement {
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, new.terms().instrument) else {
            return self.replacement_not_sent(old, new, NotSentReason::Unreachable);
        };
        if let Err(reason) = self.authorize(new).await {
            return self.replacement_not_sent(old, new, reason);
        }
        let Ok(signer) = self.rest.signer() else {
            tracing::error!("An account without a key was given an order");
            return self.replacement_not_sent(old, new, NotSentReason::Unreachable);
        };
        let mode = match if_cancel_fails {
            IfCancelFails::Stop => "STOP_ON_FAILURE",
            IfCancelFails::Place => "ALLOW_FAILURE",
        };
        let params = requests::order(new.terms(), symbol, rules)
            .with("cancelReplaceMode", mode)
            .with("cancelOrigClientOrderId", &old.to_string());
        match self.entry.send(new, REPLACE, params, &signer).await {
            SendOutcome::NotSent(reason) => self.replacement_not_sent(old, new, reason),
            SendOutcome::Unanswered(why) => {
                tracing::warn!(order = %new.terms().client_id, why, "Replacement without an answer");
                Replacement {
                    cancelled: vec![self.report(rules.id, old, ReportKind::Unknown)],
                    placed: vec![self.plain(new.terms(), ReportKind::Unknown)],
                }
            }
            SendOutcome::Answered(answer) => {
                self.rest.note_limits(answer.status, answer.limits);
                self.replaced(old, new, rules, answer.status, &answer.body)
            }
        }
    }

    fn replaced(
        &self,
        old: ClientOrderId,
        new: &ApprovedOrder,
        rules: &Instrument,
        status: u16,
        body: &[u8],
    ) -> Replacement {
        let terms = new.terms();
        let Some((cancel, place)) = legs(status, body) else {
            // The answer is to the whole request: refused on entry, or unknown.
            return Replacement {
                cancelled: vec![self.not_cancelled(old, rules, judge_cancel(status, body))],
                placed: self.not_placed(new, judge_order(status, body)),
            };
        };
        Replacement {
            cancelled: match cancel {
                Leg::Done(body) => self.cancelled(old, rules, body),
                _ if is_on(Mutation::ReplacementCancels) && matches!(place, Leg::Done(_)) => {
                    vec![self.report(rules.id, old, ReportKind::Cancelled)]
                }
                failed => vec![self.not_cancelled(old, rules, failed.verdict(judge_cancel))],
            },
            placed: match place {
                Leg::Done(body) => self.placed(terms, rules, body),
                failed => self.not_placed(new, failed.verdict(judge_order)),
            },
        }
    }

    fn replacement_not_sent(
        &self,
        old: ClientOrderId,
        new: &ApprovedOrder,
        reason: NotSentReason,
    ) -> Replacement {
        let not_cancelled = RejectReason {
            code: 0,
            text: "its replacement was not sent".to_owned(),
        };
        let kind = ReportKind::CancelRejected(not_cancelled);
        Replacement {
            cancelled: vec![self.report(new.terms().instrument, old, kind)],
            placed: self.not_sent(new, reason),
        }
    }
}
