//! What the executor makes of each answer of the venue.

use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    ClientOrderId, ExecutionReport, InstrumentId, Quantity, RejectReason, ReportKind, Timestamp,
    TradeId,
};

use super::{ABSENT_AFTER, Executor, Outputs, fault, no_candles, report};
use crate::error::VenueError;
use crate::execution::absence::Step;
use crate::execution::account_reading::Reading;
use crate::execution::candle_reads::CandleRead;
use crate::execution::outstanding::Purpose;
use crate::execution::{ExecutorFault, ExecutorOutput, OrderQuery, VenueRequest, VenueResponse};

impl Executor {
    /// Takes the answer to a request.
    pub(super) fn answer(&mut self, purpose: Purpose, response: VenueResponse, out: &mut Outputs) {
        match purpose {
            Purpose::Order(order) => {
                let instrument = order.terms().instrument;
                match response {
                    VenueResponse::Submitted(reports) if !reports.is_empty() => {
                        let is_sent_again = |report: &ExecutionReport| match report.kind {
                            ReportKind::Rejected(_) => is_on(Mutation::ResendRefused),
                            ReportKind::Unknown => is_on(Mutation::ResendUnanswered),
                            _ => false,
                        };
                        if reports.iter().any(is_sent_again) {
                            self.begin(Purpose::Order(order), VenueRequest::Submit(order), out);
                        }
                        out.extend(reports.into_iter().map(report));
                    }
                    other => {
                        let (id, error) = (order.terms().client_id, error_of(other));
                        fault(ExecutorFault::Unanswered { id, error }, out);
                        for id in order.client_ids() {
                            out.push(report(self.report(instrument, id, ReportKind::Unknown)));
                        }
                    }
                }
                for id in order.client_ids() {
                    self.cancels.release(id, self.now);
                }
            }
            Purpose::Cancel(instrument, id) => match response {
                VenueResponse::Cancelled(reports) => out.extend(reports.into_iter().map(report)),
                other => self.unknown(instrument, id, other, out),
            },
            Purpose::Query(instrument, id) => self.queried(instrument, id, response, out),
            Purpose::Account => self.account_answered(response, out),
            Purpose::Absence => self.absence_answered(response, out),
            Purpose::Candles(number) => self.candles_answered(number, response, out),
            Purpose::Book(instrument) => {
                let depth = match response {
                    VenueResponse::Book(depth) => Some(depth),
                    other => {
                        fault(
                            ExecutorFault::BookUnreadable(instrument, error_of(other)),
                            out,
                        );
                        None
                    }
                };
                out.push(ExecutorOutput::Book { instrument, depth });
            }
        }
    }

    fn queried(
        &mut self,
        instrument: InstrumentId,
        id: ClientOrderId,
        response: VenueResponse,
        out: &mut Outputs,
    ) {
        let (first, latest) = self.queries.asked_at(id).unwrap_or((self.now, self.now));
        let is_definite = match response {
            VenueResponse::Order(OrderQuery::Found(reports)) => {
                out.extend(reports.into_iter().map(report));
                true
            }
            VenueResponse::Order(OrderQuery::Archived) => {
                fault(ExecutorFault::Archived(id), out);
                out.push(report(self.archived(instrument, id)));
                true
            }
            VenueResponse::Order(OrderQuery::Absent { venue_time }) => {
                // Both by this clock: the venue's may be far from it.
                let sent = self.orders.sent_before(id, first);
                let is_absent = sent.is_some_and(|at| {
                    latest.since(at) > ABSENT_AFTER
                        && (is_on(Mutation::AbsentWithoutLists)
                            || self.is_confirmed(instrument, id))
                }) || is_on(Mutation::AbsentAtOnce);
                if is_absent {
                    out.push(report(self.absent(instrument, id, venue_time)));
                }
                is_absent
            }
            other => {
                fault(
                    ExecutorFault::QueryFailed {
                        id,
                        error: error_of(other),
                    },
                    out,
                );
                false
            }
        };
        if is_definite {
            self.absences.forget(id);
        }
        self.queries.answered(id, is_definite, self.now);
    }

    /// Whether the venue's lists have confirmed that an order does not exist; if not they will be read.
    fn is_confirmed(&mut self, instrument: InstrumentId, id: ClientOrderId) -> bool {
        let Some(assets) = self.assets.get(&instrument) else {
            return false;
        };
        let former = self.former.get(&instrument).copied();
        let from = self.orders.listed_before(id).or(former);
        let place = (instrument, *assets);
        let from = from.unwrap_or(TradeId(0));
        self.absences.is_confirmed(id, place, from, self.now)
    }

    fn absence_answered(&mut self, response: VenueResponse, out: &mut Outputs) {
        match self
            .absences
            .answered(response, (&self.waits, &mut self.retries), self.now)
        {
            Some(Step::Next(request)) if !self.stopped => {
                self.begin(Purpose::Absence, request, out)
            }
            Some(Step::Concluded {
                confirmed,
                doubtful,
            }) => {
                for id in confirmed {
                    self.queries.hasten(id, self.now);
                }
                for id in doubtful {
                    fault(ExecutorFault::AbsenceDoubtful(id), out);
                }
            }
            Some(Step::Later(error)) => fault(ExecutorFault::ReadAgain(error), out),
            Some(Step::GivenUp(error)) => fault(ExecutorFault::ListsUnreadable(error), out),
            Some(Step::Next(_)) | None => {}
        }
    }

    fn account_answered(&mut self, response: VenueResponse, out: &mut Outputs) {
        match self.reading.answered(response, &mut self.retries, self.now) {
            Reading::Next(request) if !self.stopped => self.begin(Purpose::Account, request, out),
            Reading::Next(_) => {}
            Reading::Done(snapshot) => out.push(ExecutorOutput::Account(snapshot)),
            Reading::Later(found) => out.extend(found.map(ExecutorOutput::Fault)),
        }
    }

    fn candles_answered(&mut self, number: u64, response: VenueResponse, out: &mut Outputs) {
        match response {
            VenueResponse::Candles(candles) => {
                if let Some(CandleRead {
                    instrument,
                    interval,
                    ..
                }) = self.candles.done(number)
                {
                    out.push(ExecutorOutput::Candles {
                        instrument,
                        interval,
                        candles,
                    });
                }
            }
            other => {
                let error = error_of(other);
                let retries = &mut self.retries;
                match self.candles.failed(number, &error, retries, self.now) {
                    Some(read) => no_candles(read, error, out),
                    None => fault(ExecutorFault::ReadAgain(error), out),
                }
            }
        }
    }

    /// Reports that the fate of an order is unknown.
    fn unknown(
        &self,
        instrument: InstrumentId,
        id: ClientOrderId,
        response: VenueResponse,
        out: &mut Outputs,
    ) {
        let error = error_of(response);
        fault(ExecutorFault::Unanswered { id, error }, out);
        out.push(report(self.report(instrument, id, ReportKind::Unknown)));
    }

    /// The order ended without a fill so long ago that it makes no difference whether it was cancelled or expired.
    fn archived(&self, instrument: InstrumentId, id: ClientOrderId) -> ExecutionReport {
        ExecutionReport {
            cumulative: Some(Quantity::ZERO),
            ..self.report(instrument, id, ReportKind::Expired)
        }
    }

    /// The venue never had the order.
    fn absent(
        &self,
        instrument: InstrumentId,
        id: ClientOrderId,
        venue_time: Timestamp,
    ) -> ExecutionReport {
        let reason = RejectReason {
            code: -2013,
            text: "the venue has no such order".to_owned(),
        };
        ExecutionReport {
            event_time: Some(venue_time),
            ..self.report(instrument, id, ReportKind::Rejected(reason))
        }
    }
}

/// Why an answer is of no use.
fn error_of(response: VenueResponse) -> VenueError {
    match response {
        VenueResponse::Failed(error) => error,
        _ => VenueError::unreadable("response", "the answer to something else"),
    }
}
