//! Orders through [`BinanceVenue`]: submitted once, cancelled, asked for. What cannot be known is a report as well.

use reqwest::{Method, StatusCode};
use tradewind_model::{
    ClientOrderId, ExecutionReport, Instrument, InstrumentId, NotSentReason, OrderTerms,
    RejectReason, ReportKind, Timestamp,
};
use tradewind_risk::Checked;

use super::account::PAGE;
use super::answers::{self, OrderAnswer, TradeAnswer};
use super::requests::{self, Params};
use super::rest::{Call, KEY_HEADER, Security};
use super::venue::{BinanceVenue, known};
use super::verdict::{Verdict, judge_cancel, judge_order};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::order_line::{OrderRequest, Sent};

/// What a question about an order brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderQuery {
    /// The venue knows it; what happened to it so far, fills included.
    Found(Vec<ExecutionReport>),
    /// The venue says that it does not exist. Soon after sending that is no evidence: its databases lag.
    Absent {
        /// The venue's time when it said so.
        venue_time: Timestamp,
    },
}

impl BinanceVenue {
    /// Sends an order once and says what became of it. Never fails: what cannot be known is a report as well.
    pub async fn submit(&self, order: &Checked) -> Vec<ExecutionReport> {
        let terms = *order.terms();
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, terms.instrument) else {
            return vec![self.not_sent(&terms, NotSentReason::Unreachable)];
        };
        if let Err(reason) = self.admit(order).await {
            return vec![self.not_sent(&terms, reason)];
        }
        let Ok(key) = self.rest.key() else {
            tracing::error!("An account without a key was given an order");
            return vec![self.not_sent(&terms, NotSentReason::Unreachable)];
        };
        let params = requests::order(&terms, symbol, rules);
        let make = || OrderRequest {
            path: "/api/v3/order",
            key_header: (KEY_HEADER, key.key().to_owned()),
            form: params
                .signed(key, self.rest.venue_time(), self.config.receive_window_ms)
                .into_string(),
        };
        match self.orders.send(order, make).await {
            Sent::Kept(reason) => vec![self.not_sent(&terms, reason)],
            Sent::Unanswered(why) => {
                tracing::warn!(order = %terms.client_id, why, "Order without an answer");
                vec![self.plain(&terms, ReportKind::Unknown)]
            }
            Sent::Answered(answer) => {
                let status = StatusCode::from_u16(answer.status)
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.rest.heard(status, &answer.headers);
                self.order_answer(&terms, rules, answer.status, &answer.body)
            }
        }
    }

    /// Waits for the budget as long as the order is good for; a kill ends the wait.
    async fn admit(&self, order: &Checked) -> Result<(), NotSentReason> {
        self.gate.admit(order)?;
        let priority = if order.is_exit() {
            Priority::Exit
        } else {
            Priority::Entry
        };
        let patience = order
            .expires_at()
            .map_or(self.config.request_timeout, |end| {
                end.since(self.clock.now())
            });
        tokio::select! {
            biased;
            () = self.gate.cut() => Err(NotSentReason::Killed),
            admitted = self.rest.admitted(priority, 1, patience) => admitted.map_err(|error| {
                tracing::warn!(%error, order = %order.terms().client_id, "Order not sent");
                NotSentReason::Expired
            }),
        }
    }

    fn order_answer(
        &self,
        terms: &OrderTerms,
        rules: &Instrument,
        status: u16,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        if (200..300).contains(&status) {
            let read = answers::read("order", body).and_then(|answer: OrderAnswer<'_>| {
                if answer.our_id() == terms.client_id {
                    answer.reports(terms.account, rules, &self.assets)
                } else {
                    Err(VenueError::unreadable("order", "another order's answer"))
                }
            });
            return read.unwrap_or_else(|error| {
                tracing::error!(%error, order = %terms.client_id, "Order answer cannot be read");
                vec![self.plain(terms, ReportKind::Unknown)]
            });
        }
        match judge_order(status, body) {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                vec![self.plain(terms, ReportKind::Rejected(reason))]
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %terms.client_id, why, "Order's fate is unknown");
                vec![self.plain(terms, ReportKind::Unknown)]
            }
        }
    }

    /// Cancels an order by our id. Goes through when killed, and before everything else in the budget.
    pub async fn cancel(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
    ) -> ExecutionReport {
        let report = |kind| self.report(instrument, client_id, kind);
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, instrument) else {
            let reason = RejectReason {
                code: 0,
                text: "instrument not in use".to_owned(),
            };
            return report(ReportKind::CancelRejected(reason));
        };
        let call = Call {
            method: Method::DELETE,
            path: "/api/v3/order",
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
            let read = answers::read("cancel", &answer.body)
                .and_then(|order: OrderAnswer<'_>| order.cancel_report(self.config.account, rules));
            return read.unwrap_or_else(|error| {
                tracing::error!(%error, order = %client_id, "Cancel answer cannot be read");
                report(ReportKind::Unknown)
            });
        }
        match judge_cancel(answer.status, &answer.body) {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                report(ReportKind::CancelRejected(reason))
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %client_id, why, "Cancel's outcome is unknown");
                report(ReportKind::Unknown)
            }
        }
    }

    /// Asks what became of an order; its fills are read too when there are some.
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
        let body = match self.query_list("/api/v3/order", params, 4).await {
            Err(VenueError::Refused { code: -2013, .. }) => {
                let venue_time = self.rest.venue_time();
                return Ok(OrderQuery::Absent { venue_time });
            }
            asked => asked?,
        };
        let answer: OrderAnswer<'_> = answers::read("order", &body)?;
        let mut reports = answer.reports(self.config.account, rules, &self.assets)?;
        if answer
            .executed(rules)?
            .is_some_and(|executed| !executed.is_zero())
        {
            let fills = self
                .fills_of(symbol, rules, answer.order_id, client_id)
                .await?;
            // Fills come after the acceptance and before the order's end.
            reports.splice(1..1, fills);
        }
        Ok(OrderQuery::Found(reports))
    }

    async fn fills_of(
        &self,
        symbol: &str,
        rules: &Instrument,
        order_id: u64,
        client_id: ClientOrderId,
    ) -> Result<Vec<ExecutionReport>, VenueError> {
        let params = Params::of("symbol", symbol)
            .with_number("orderId", order_id)
            .with_number("limit", PAGE);
        let body = self.query_list("/api/v3/myTrades", params, 5).await?;
        let trades: Vec<TradeAnswer<'_>> = answers::read("trades", &body)?;
        let report = |trade: &TradeAnswer<'_>| {
            let fill = trade.fill(self.config.account, rules, client_id, &self.assets)?;
            Ok(ExecutionReport {
                venue_order_id: Some(fill.venue_order_id),
                event_time: Some(fill.event_time),
                ..self.report(rules.id, client_id, ReportKind::Filled(fill))
            })
        };
        trades.iter().map(report).collect()
    }

    fn not_sent(&self, terms: &OrderTerms, reason: NotSentReason) -> ExecutionReport {
        self.plain(terms, ReportKind::NotSent(reason))
    }

    fn plain(&self, terms: &OrderTerms, kind: ReportKind) -> ExecutionReport {
        self.report(terms.instrument, terms.client_id, kind)
    }

    const fn report(
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
