//! Carries out one account's orders, cancels, queries and readings: inputs and the time in, requests and reports out.
//!
//! Orders wait for the account's order rate (R16), exits first, then bot by bot: a full minute of signals is spread
//! out, not refused. No cancel overtakes its order. An order whose answer does not come is UNKNOWN; it is queried, never
//! sent again, and the venue's "no such order" counts only more than [`ABSENT_AFTER`] after the sending, once the venue's
//! lists agree (`absence.rs`). Every queue is bounded: see [`QUEUED_MAX`](super::QUEUED_MAX),
//! [`IN_FLIGHT_MAX`](super::IN_FLIGHT_MAX), [`CANCELS_MAX`](super::CANCELS_MAX), [`QUERIES_MAX`](super::QUERIES_MAX),
//! [`CANDLE_READS_MAX`](super::CANDLE_READS_MAX).
//!
//! The caller hands in each answer and calls again at [`Executor::wake_at`]. Start with [`Executor::handle`].

mod answers;

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    AccountId, AssetId, BotId, ClientOrderId, ExecutionReport, InstrumentId, NotSentReason,
    ReportKind, Timestamp, TradeId,
};
use tradewind_risk::ApprovedOrder;

use super::absence::Absences;
use super::account_reading::{AccountReading, Extent};
use super::cancels::Cancels;
use super::candle_reads::{CandleRead, CandleReads};
use super::in_flight::InFlightOrders;
use super::order_queries::OrderQueries;
use super::order_queue::{Next, OrderQueue};
use super::outstanding::{Answered, Outstanding, Purpose};
use super::waits::Retries;
use super::{
    CandleRange, ExecutorFault, ExecutorInput, ExecutorOutput, ExecutorSettings, RequestId,
    VenueRequest, VenueResponse, Waits,
};
use crate::error::VenueError;

/// After its sending, when an order that the venue does not know is taken for absent: the venue's receive window of 5 s, and
/// 10 s for its databases.
pub const ABSENT_AFTER: Duration = Duration::from_secs(15);

/// The executor of one account.
#[derive(Debug)]
pub struct Executor {
    account: AccountId,
    waits: Waits,
    retries: Retries,
    now: Timestamp,
    stopped: bool,
    queue: OrderQueue,
    orders: InFlightOrders,
    cancels: Cancels,
    queries: OrderQueries,
    absences: Absences,
    assets: BTreeMap<InstrumentId, [AssetId; 2]>,
    /// The last trade of each instrument that an earlier run listed.
    former: BTreeMap<InstrumentId, TradeId>,
    reading: AccountReading,
    candles: CandleReads,
    outstanding: Outstanding,
}

type Outputs = Vec<ExecutorOutput>;

impl Executor {
    /// An executor that has begun nothing.
    #[must_use]
    pub fn new(settings: ExecutorSettings) -> Self {
        let ExecutorSettings {
            account,
            rate,
            instruments,
            waits,
            retries,
            seed,
        } = settings;
        Self {
            account,
            waits,
            retries: Retries::new(retries, &waits, seed),
            now: Timestamp::EPOCH,
            stopped: false,
            queue: OrderQueue::new(rate),
            orders: InFlightOrders::default(),
            cancels: Cancels::default(),
            queries: OrderQueries::new(waits.query_gap),
            absences: Absences::default(),
            assets: instruments
                .iter()
                .map(|cursor| (cursor.instrument, [cursor.base, cursor.quote]))
                .collect(),
            former: instruments
                .iter()
                .map(|cursor| (cursor.instrument, cursor.from))
                .collect(),
            reading: AccountReading::new(account, instruments, waits),
            candles: CandleReads::default(),
            outstanding: Outstanding::default(),
        }
    }

    /// Takes one input at `now` and appends what follows to `out`. An earlier time than before counts as the same.
    pub fn handle(&mut self, now: Timestamp, input: ExecutorInput, out: &mut Outputs) {
        self.now = self.now.max(now);
        match input {
            ExecutorInput::Submit(order, bot) => self.submit(order, bot, out),
            ExecutorInput::Cancel {
                instrument,
                client_id,
            } => self.cancel(instrument, client_id, out),
            ExecutorInput::Withdraw(client_id) => self.withdraw(client_id, out),
            ExecutorInput::Query {
                instrument,
                client_id,
            } => self.query(instrument, client_id, out),
            ExecutorInput::ReadAccount => self.reading.request(Extent::All, self.now),
            ExecutorInput::SweepAccount => self.reading.request(Extent::Changed, self.now),
            ExecutorInput::ReadBook(instrument) if self.stopped => {
                out.push(ExecutorOutput::Book {
                    instrument,
                    depth: None,
                });
            }
            ExecutorInput::ReadBook(instrument) => {
                let request = VenueRequest::Book { instrument };
                self.begin(Purpose::Book(instrument), request, out);
            }
            ExecutorInput::ReadCandles {
                instrument,
                interval,
                count,
            } => {
                self.read_candles(
                    CandleRead {
                        instrument,
                        interval,
                        count,
                    },
                    out,
                );
            }
            ExecutorInput::Response(id, response) => self.on_response(id, response, out),
            ExecutorInput::Tick => {}
            ExecutorInput::Stop => self.stop(out),
        }
        if !self.stopped {
            self.give_up_overdue(out);
            self.begin_due(out);
        }
    }

    /// When to call [`handle`](Self::handle) again, if nothing else happens before; in the past means at once.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.stopped {
            return None;
        }
        let queue = (self.queue.len() > 0).then(|| self.now + self.waits.queue_look);
        let others = [
            self.cancels.wake_at(),
            self.queries.wake_at(),
            self.absences.wake_at(),
            self.reading.wake_at(),
            self.candles.wake_at(),
            self.outstanding.wake_at(),
        ];
        others.into_iter().chain([queue]).flatten().min()
    }

    /// Orders that wait, and orders in flight.
    #[must_use]
    pub fn pending(&self) -> (usize, usize) {
        (self.queue.len(), self.orders.len())
    }

    fn submit(&mut self, order: ApprovedOrder, bot: Option<BotId>, out: &mut Outputs) {
        let id = order.terms().client_id;
        if self.orders.knows(id) || self.queue.contains(id) {
            return fault(ExecutorFault::Duplicate(id), out);
        }
        if self.stopped {
            self.not_sent(&order, NotSentReason::Unreachable, out);
        } else if !self.queue.push(order, bot) {
            self.not_sent(&order, NotSentReason::Unreachable, out);
            fault(ExecutorFault::QueueFull(id), out);
        }
    }

    /// An order that still waits is never sent; one in flight is answered first.
    fn cancel(&mut self, instrument: InstrumentId, id: ClientOrderId, out: &mut Outputs) {
        if let Some(order) = self.queue.remove(id) {
            self.not_sent(&order, NotSentReason::Expired, out);
        } else if !self.stopped {
            let patience = if self.orders.is_in_flight(id) {
                self.waits.cancel_patience
            } else {
                Duration::ZERO
            };
            let until = self.now + patience;
            if !self.cancels.hold(instrument, id, until) {
                // The engine queries it, and cancels it again if it is still there.
                out.push(report(self.report(instrument, id, ReportKind::Unknown)));
            }
        }
    }

    /// An order that still waits is never sent. One that was begun may still wait for its connection.
    fn withdraw(&mut self, id: ClientOrderId, out: &mut Outputs) {
        if let Some(order) = self.queue.remove(id) {
            self.not_sent(&order, NotSentReason::Killed, out);
        } else if self.orders.is_in_flight(id) {
            out.push(ExecutorOutput::Withdraw(id));
        }
    }

    /// An order that still waits needs no query: this executor reports its outcome.
    fn query(&mut self, instrument: InstrumentId, id: ClientOrderId, out: &mut Outputs) {
        if !self.queue.contains(id) && !self.queries.request(instrument, id, self.now) {
            fault(ExecutorFault::QueriesFull(id), out);
        }
    }

    fn read_candles(&mut self, read: CandleRead, out: &mut Outputs) {
        if !self.candles.request(read, self.now) {
            no_candles(
                read,
                VenueError::Ours("too many reads wait".to_owned()),
                out,
            );
        }
    }

    fn stop(&mut self, out: &mut Outputs) {
        self.stopped = true;
        let unsent: Vec<ApprovedOrder> = self.queue.drain().collect();
        for order in unsent {
            self.not_sent(&order, NotSentReason::Unreachable, out);
        }
    }

    fn begin(&mut self, purpose: Purpose, request: VenueRequest, out: &mut Outputs) {
        let within = match purpose {
            Purpose::Order(_) | Purpose::Cancel(..) | Purpose::Query(..) | Purpose::Book(_) => {
                self.waits.answer_within
            }
            Purpose::Account | Purpose::Absence | Purpose::Candles(_) => self.waits.reading_within,
        };
        let id = self.outstanding.begin(purpose, self.now + within);
        out.push(ExecutorOutput::Begin(id, request));
    }

    /// Begins all that is due, orders first.
    fn begin_due(&mut self, out: &mut Outputs) {
        self.send_orders(out);
        self.send_cancels(out);
        while let Some(query) = self.queries.next(self.now) {
            let (instrument, client_id) = (query.instrument, query.client_id);
            let request = VenueRequest::Query {
                instrument,
                client_id,
            };
            self.begin(Purpose::Query(instrument, client_id), request, out);
        }
        if let Some(request) = self.absences.next(self.now) {
            self.begin(Purpose::Absence, request, out);
        }
        if let Some(request) = self.reading.next(self.now) {
            self.begin(Purpose::Account, request, out);
        }
        while let Some((number, read)) = self.candles.next(self.now) {
            let (instrument, interval) = (read.instrument, read.interval);
            let range = CandleRange::Latest(read.count);
            let request = VenueRequest::Candles {
                instrument,
                interval,
                range,
            };
            self.begin(Purpose::Candles(number), request, out);
        }
    }

    fn send_orders(&mut self, out: &mut Outputs) {
        while let Some(next) = self.queue.next(self.now, self.orders.room()) {
            match next {
                Next::Send(order) => {
                    let instrument = order.terms().instrument;
                    let listed_to = self.reading.listed_to(instrument);
                    for id in order.client_ids() {
                        self.orders.sent(id, listed_to);
                    }
                    self.reading.ordered(instrument);
                    self.begin(Purpose::Order(order), VenueRequest::Submit(order), out);
                }
                Next::TooOld(order) => self.not_sent(&order, NotSentReason::Expired, out),
                Next::Later => return,
            }
        }
    }

    /// Sends the due cancels. If an order's answer is late, its cancel may overtake it.
    fn send_cancels(&mut self, out: &mut Outputs) {
        while let Some((instrument, client_id)) = self.cancels.next(self.now) {
            if self.orders.is_in_flight(client_id) {
                fault(ExecutorFault::CancelledEarly(client_id), out);
            }
            let request = VenueRequest::Cancel {
                instrument,
                client_id,
            };
            self.begin(Purpose::Cancel(instrument, client_id), request, out);
        }
    }

    /// A request without an answer in time counts as failed. Its order stays in doubt until an answer comes.
    fn give_up_overdue(&mut self, out: &mut Outputs) {
        while let Some(purpose) = self.outstanding.next_overdue(self.now) {
            match purpose {
                Purpose::Order(order) => {
                    order.client_ids().for_each(|id| self.orders.overdue(id));
                }
                Purpose::Cancel(..) => self.cancels.answered(),
                _ => {}
            }
            let error = VenueError::Timeout(self.waits.answer_within);
            self.answer(purpose, VenueResponse::Failed(error), out);
        }
    }

    fn on_response(&mut self, id: RequestId, response: VenueResponse, out: &mut Outputs) {
        if !matches!(response, VenueResponse::Failed(_)) {
            self.retries.answered();
        }
        match self.outstanding.answered(id) {
            Some(Answered::InTime(purpose)) => {
                self.order_answered(purpose);
                if let Purpose::Cancel(..) = purpose {
                    self.cancels.answered();
                }
                self.answer(purpose, response, out);
            }
            // It was reported as unknown; what became of it is still news.
            Some(Answered::Late(purpose)) => {
                self.order_answered(purpose);
                if let VenueResponse::Submitted(_) | VenueResponse::Cancelled(_) = &response {
                    self.answer(purpose, response, out);
                }
            }
            None => fault(ExecutorFault::Unexpected(id), out),
        }
    }

    fn order_answered(&mut self, purpose: Purpose) {
        if let Purpose::Order(order) = purpose {
            for id in order.client_ids() {
                self.orders.answered(id, self.now);
            }
        }
    }

    fn not_sent(&mut self, order: &ApprovedOrder, reason: NotSentReason, out: &mut Outputs) {
        for id in order.client_ids() {
            self.orders.not_sent(id);
            let kind = ReportKind::NotSent(reason);
            out.push(report(self.report(order.terms().instrument, id, kind)));
        }
    }

    const fn report(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
        kind: ReportKind,
    ) -> ExecutionReport {
        ExecutionReport {
            account: self.account,
            instrument,
            client_id,
            venue_order_id: None,
            kind,
            cumulative: None,
            event_time: None,
        }
    }
}

const fn report(report: ExecutionReport) -> ExecutorOutput {
    ExecutorOutput::Report(report)
}

/// Answers a read that is given up: without candles, so that the caller does not wait for ever.
fn no_candles(read: CandleRead, error: VenueError, out: &mut Outputs) {
    let CandleRead {
        instrument,
        interval,
        ..
    } = read;
    let unreadable = ExecutorFault::CandlesUnreadable {
        instrument,
        interval,
        error,
    };
    fault(unreadable, out);
    let candles = Vec::new();
    out.push(ExecutorOutput::Candles {
        instrument,
        interval,
        candles,
    });
}

fn fault(fault: ExecutorFault, out: &mut Outputs) {
    out.push(ExecutorOutput::Fault(fault));
}

#[cfg(test)]
mod tests;
