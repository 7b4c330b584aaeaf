//! Orders through [`BinanceVenue`]: submit (once), cancel and query. An unknown outcome is a report as well.

use tradewind_model::{
    ClientOrderId, ExecutionReport, Instrument, InstrumentId, NotSentReason, OrderTerms, Quantity,
    RejectReason, ReportKind, VenueOrderId,
};
use tradewind_risk::ApprovedOrder;

use super::answers::{self, ListAnswer, OrderAnswer, TradeAnswer};
use super::entry::{PLACE, PLACE_PAIR};
use super::pages::{PAGE, TRADES};
use super::replace::IfCancelFails;
use super::requests::{self, Params};
use super::rest::{Call, Security, lock};
use super::venue::{BinanceVenue, known};
use super::verdict::{Verdict, judge_cancel, judge_order};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::execution::OrderQuery;
use crate::order_pool::SendOutcome;
use crate::wire::http::Method;

impl BinanceVenue {
    /// Sends an order once and returns the reports of its outcome. Never fails: an unknown outcome is a report as well.
    ///
    /// The reports on an order that [replaces](ApprovedOrder::replaces) a stop contain the stop's.
    pub async fn submit(&self, order: &ApprovedOrder) -> Vec<ExecutionReport> {
        if let Some(stop) = order.replaces() {
            let outcome = self.replace(stop, order, IfCancelFails::Stop).await;
            return outcome.into_reports();
        }
        let terms = *order.terms();
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, terms.instrument) else {
            return self.not_sent(order, NotSentReason::Unreachable);
        };
        if let Err(reason) = self.authorize(order).await {
            return self.not_sent(order, reason);
        }
        let Ok(signer) = self.rest.signer() else {
            tracing::error!("An account without a key was given an order");
            return self.not_sent(order, NotSentReason::Unreachable);
        };
        let (verb, params) = match order.take_profit() {
            None => (PLACE, requests::order(&terms, symbol, rules)),
            Some(pair) => (PLACE_PAIR, requests::pair(&terms, pair, symbol, rules)),
        };
        match self.entry.send(order, verb, params, &signer).await {
            SendOutcome::NotSent(reason) => self.not_sent(order, reason),
            SendOutcome::Unanswered(why) => {
                tracing::warn!(order = %terms.client_id, why, "Order without an answer");
                self.of_each(order, &ReportKind::Unknown)
            }
            SendOutcome::Answered(answer) => {
                self.rest.note_limits(answer.status, answer.limits);
                self.order_answer(order, rules, answer.status, &answer.body)
            }
        }
    }

    /// Waits for the budget as long as the order is good for; a kill ends the wait.
    pub(super) async fn authorize(&self, order: &ApprovedOrder) -> Result<(), NotSentReason> {
        self.gate.authorize(order)?;
        let priority = if order.is_exit() {
            Priority::Exit
        } else {
            Priority::Entry
        };
        let patience = order
            .expires_at()
            .map_or(self.config.order_timeout, |end| end.since(self.clock.now()));
        tokio::select! {
            biased;
            () = self.gate.cut(order.is_flattening()) => Err(NotSentReason::Killed),
            admitted = self.rest.admitted(priority, 1, patience) => admitted.map_err(|error| {
                tracing::warn!(%error, order = %order.terms().client_id, "Order not sent");
                NotSentReason::Expired
            }),
        }
    }

    fn order_answer(
        &self,
        order: &ApprovedOrder,
        rules: &Instrument,
        status: u16,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        let is_done = (200..300).contains(&status);
        match order.take_profit() {
            None if is_done => self.placed(order.terms(), rules, body),
            Some(_) if is_done => self.pair_placed(order, rules, body),
            _ => self.not_placed(order, judge_order(status, body)),
        }
    }

    /// Both orders of a pair as a successful answer describes them.
    fn pair_placed(
        &self,
        order: &ApprovedOrder,
        rules: &Instrument,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        let read = answers::read("pair of orders", body).and_then(|list: ListAnswer<'_>| {
            let mut reports = Vec::new();
            for id in order.client_ids() {
                let mut of_list = list.order_reports.iter();
                let answer = of_list.find(|answer| answer.our_id() == id);
                let answer = answer.ok_or_else(|| {
                    VenueError::unreadable("pair of orders", "one of the two is missing")
                })?;
                self.note_client_id(answer, rules.id);
                reports.extend(answer.reports(self.config.account, rules, &self.assets)?);
            }
            Ok(reports)
        });
        read.unwrap_or_else(|error| {
            tracing::error!(%error, order = %order.terms().client_id, "Pair's answer cannot be read");
            self.of_each(order, &ReportKind::Unknown)
        })
    }

    /// The order as a successful answer describes it.
    pub(super) fn placed(
        &self,
        terms: &OrderTerms,
        rules: &Instrument,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        let read = answers::read("order", body).and_then(|answer: OrderAnswer<'_>| {
            if answer.our_id() == terms.client_id {
                self.note_client_id(&answer, rules.id);
                answer.reports(terms.account, rules, &self.assets)
            } else {
                Err(VenueError::unreadable("order", "another order's answer"))
            }
        });
        read.unwrap_or_else(|error| {
            tracing::error!(%error, order = %terms.client_id, "Order answer cannot be read");
            vec![self.plain(terms, ReportKind::Unknown)]
        })
    }

    /// Remembers an order of ours by the venue's number.
    fn note_client_id(&self, answer: &OrderAnswer<'_>, instrument: InstrumentId) {
        let order = VenueOrderId(answer.order_id);
        lock(&self.client_ids).note(instrument, order, answer.our_id());
    }

    /// The order after an answer that is no success.
    pub(super) fn not_placed(
        &self,
        order: &ApprovedOrder,
        verdict: Verdict,
    ) -> Vec<ExecutionReport> {
        match verdict {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                self.of_each(order, &ReportKind::Rejected(reason))
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %order.terms().client_id, why, "Order's fate is unknown");
                self.of_each(order, &ReportKind::Unknown)
            }
        }
    }

    /// Cancels an order by our id. Goes through when killed, and before everything else in the budget. Reports the order first,
    /// then the other one of its pair if that has ended with it.
    pub async fn cancel(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
    ) -> Vec<ExecutionReport> {
        let report = |kind| vec![self.report(instrument, client_id, kind)];
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, instrument) else {
            let reason = RejectReason {
                code: 0,
                text: "instrument not in use".to_owned(),
            };
            return report(ReportKind::CancelRejected(reason));
        };
        let call = Call {
            method: Method::Delete,
            path: "/api/v3/order".into(),
            params: requests::by_client_id(symbol, client_id),
            security: Security::Signed,
            priority: Priority::Cancel,
            weight: 1,
        };
        let answer = match self.rest.send(&call).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, order = %client_id, "Cancel without an answer");
                return report(ReportKind::Unknown);
            }
        };
        if (200..300).contains(&answer.status) {
            self.cancelled(client_id, rules, &answer.body)
        } else {
            let verdict = judge_cancel(answer.status, &answer.body);
            vec![self.not_cancelled(client_id, rules, verdict)]
        }
    }

    /// The order as the successful answer to its cancel describes it, and every other order of ours that the answer names.
    pub(super) fn cancelled(
        &self,
        client_id: ClientOrderId,
        rules: &Instrument,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        let read = cancel_answers(body).and_then(|orders| {
            let reported = orders.iter().filter(|order| order.our_id().is_ours());
            let reports = reported.map(|order| order.cancel_report(self.config.account, rules));
            let mut reports: Vec<_> = reports.collect::<Result<_, _>>()?;
            reports.sort_by_key(|report| report.client_id != client_id);
            match reports.first() {
                Some(first) if first.client_id == client_id => Ok(reports),
                _ => Err(VenueError::unreadable("cancel", "another order's answer")),
            }
        });
        read.unwrap_or_else(|error| {
            tracing::error!(%error, order = %client_id, "Cancel answer cannot be read");
            vec![self.report(rules.id, client_id, ReportKind::Unknown)]
        })
    }

    /// The order after an answer to its cancel that is no success.
    pub(super) fn not_cancelled(
        &self,
        client_id: ClientOrderId,
        rules: &Instrument,
        verdict: Verdict,
    ) -> ExecutionReport {
        let kind = match verdict {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                ReportKind::CancelRejected(reason)
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %client_id, why, "Cancel's outcome is unknown");
                ReportKind::Unknown
            }
        };
        self.report(rules.id, client_id, kind)
    }

    /// Queries an order's state, and reads its fills if there are any.
    ///
    /// # Errors
    /// See [`VenueError`]; the order stays as unknown as it was.
    pub async fn query(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
    ) -> Result<OrderQuery, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let params = requests::by_client_id(symbol, client_id);
        let body = match self.query_one("/api/v3/order", params, 4).await {
            Err(VenueError::Refused { code: -2013, .. }) => {
                let venue_time = self.rest.venue_time();
                return Ok(OrderQuery::Absent { venue_time });
            }
            // "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
            Err(VenueError::Refused { code: -2026, .. }) => return Ok(OrderQuery::Archived),
            result => result?,
        };
        let answer: OrderAnswer<'_> = answers::read("order", &body)?;
        if answer.our_id() == client_id {
            self.note_client_id(&answer, rules.id);
        }
        let mut reports = answer.reports(self.config.account, rules, &self.assets)?;
        let executed = answer.executed(rules)?.unwrap_or(Quantity::ZERO);
        if !executed.is_zero() {
            let fills = self
                .fills_of(symbol, rules, (answer.order_id, client_id), executed)
                .await?;
            // Fills come after the acceptance and before the order's end.
            reports.splice(1..1, fills);
        }
        Ok(OrderQuery::Found(reports))
    }

    /// An order's fills, page by page, until they make up what was executed (V05: a short page is not the end).
    async fn fills_of(
        &self,
        symbol: &str,
        rules: &Instrument,
        (order_id, client_id): (u64, ClientOrderId),
        executed: Quantity,
    ) -> Result<Vec<ExecutionReport>, VenueError> {
        let incomplete = || VenueError::Incomplete("the order's trades");
        let (mut reports, mut filled, mut next) = (Vec::new(), Quantity::ZERO, None);
        while filled < executed {
            let mut params = Params::of("symbol", symbol).with_number("orderId", order_id);
            if let Some(next) = next {
                params = params.with_number("fromId", next);
            }
            let params = params.with_number("limit", PAGE);
            let body = self.query_one(TRADES.path, params, 5).await?;
            let page: Vec<TradeAnswer<'_>> = answers::read(TRADES.what, &body)?;
            let last = page
                .last()
                .map(|trade| trade.id)
                .filter(|id| next <= Some(*id));
            next = Some(last.ok_or_else(incomplete)?.saturating_add(1));
            for trade in &page {
                let fill = trade.fill(self.config.account, rules, client_id, &self.assets)?;
                filled = answers::sum(filled, fill.quantity)?;
                reports.push(ExecutionReport {
                    venue_order_id: Some(fill.venue_order_id),
                    event_time: Some(fill.event_time),
                    ..self.report(rules.id, client_id, ReportKind::Filled(fill))
                });
            }
        }
        Ok(reports)
    }

    pub(super) fn not_sent(
        &self,
        order: &ApprovedOrder,
        reason: NotSentReason,
    ) -> Vec<ExecutionReport> {
        self.of_each(order, &ReportKind::NotSent(reason))
    }

    /// The same report on each order that one request sends.
    pub(super) fn of_each(&self, order: &ApprovedOrder, kind: &ReportKind) -> Vec<ExecutionReport> {
        let instrument = order.terms().instrument;
        let report = |id| self.report(instrument, id, kind.clone());
        order.client_ids().map(report).collect()
    }

    pub(super) fn plain(&self, terms: &OrderTerms, kind: ReportKind) -> ExecutionReport {
        self.report(terms.instrument, terms.client_id, kind)
    }

    pub(super) const fn report(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
        kind: ReportKind,
    ) -> ExecutionReport {
        ExecutionReport {
            account: self.config.account,
            instrument,
            client_id,
            venue_order_id: None,
            kind,
            cumulative: None,
            event_time: None,
        }
    }
}

/// The orders in the answer to a cancel: one, or both of a pair, which end together.
fn cancel_answers(body: &[u8]) -> Result<Vec<OrderAnswer<'_>>, VenueError> {
    if let Ok(list) = answers::read::<ListAnswer<'_>>("cancel", body) {
        return Ok(list.order_reports);
    }
    answers::read("cancel", body).map(|order| vec![order])
}
