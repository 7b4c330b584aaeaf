//! The matching core as a venue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, ExecutionReport, Fill, Instrument, InstrumentId,
    OrderTerms, Quantity, Quote, RejectReason, ReportKind, Side, Timestamp,
};
use tradewind_simx::{
    CancelOrder, Exchange, ExchangeConfig, Execution, NewOrder, Order, OrderEvent, OrderRef,
    OrderReport, Outbox, Refusal, Size,
};
use tradewind_testkit::{ACCOUNT, spot};
use tradewind_venues::execution::{
    ExecutionVenue, OrderQuery, OrderRecord, RequestId, ResponseSink, VenueRequest, VenueResponse,
};
use tradewind_venues::{AssetBalance, VenueError};

/// One account at the matching core. It carries out each request at once, at the time it was last given.
#[derive(Debug)]
pub(crate) struct DirectVenue {
    state: Mutex<State>,
    responses: Box<dyn DebugSink>,
}

/// A sink that can be shown.
pub(crate) trait DebugSink: ResponseSink + std::fmt::Debug {}
impl<T: ResponseSink + std::fmt::Debug> DebugSink for T {}

#[derive(Debug)]
struct State {
    exchange: Exchange,
    now: Timestamp,
    outbox: Outbox,
    /// What the account's stream reports.
    stream: Vec<ExecutionReport>,
}

impl DirectVenue {
    /// A core that lists `instruments`, with one account; answers go to `responses`.
    pub(crate) fn new(
        instruments: Vec<Instrument>,
        balances: &[(AssetId, Amount)],
        responses: impl DebugSink,
    ) -> Self {
        let mut exchange = Exchange::new(ExchangeConfig::default(), instruments);
        let mut outbox = Outbox::default();
        assert_eq!(exchange.open_account(), ACCOUNT);
        for (asset, amount) in balances {
            let at = Timestamp::EPOCH;
            let paid = exchange.deposit(at, ACCOUNT, *asset, *amount, &mut outbox);
            paid.unwrap();
        }
        outbox.clear();
        Self {
            state: Mutex::new(State {
                exchange,
                now: Timestamp::EPOCH,
                outbox,
                stream: Vec::new(),
            }),
            responses: Box::new(responses),
        }
    }

    /// Moves its clock.
    pub(crate) fn at(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// The market's best bid and ask are now these.
    pub(crate) fn quote(&self, quote: &Quote) {
        let state = &mut *self.lock();
        state.exchange.quote(state.now, quote, &mut state.outbox);
        state.publish();
    }

    /// What the account's stream reported since the last call.
    pub(crate) fn take_stream(&self) -> Vec<ExecutionReport> {
        std::mem::take(&mut self.lock().stream)
    }

    /// Everything an account has of an asset.
    pub(crate) fn total(&self, account: AccountId, asset: AssetId) -> Amount {
        let balance = self.lock().exchange.balance(account, asset);
        balance.free + balance.locked
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ExecutionVenue for DirectVenue {
    fn begin(&self, id: RequestId, request: VenueRequest) {
        let response = self.lock().carry_out(&request);
        self.responses.response(id, response);
    }
}

impl State {
    fn carry_out(&mut self, request: &VenueRequest) -> VenueResponse {
        match *request {
            VenueRequest::Submit(order) => VenueResponse::Submitted(match order.replaces() {
                None => self.submit(order.terms()),
                Some(stop) => self.replace(stop, order.terms()),
            }),
            VenueRequest::Cancel {
                instrument,
                client_id,
            } => VenueResponse::Cancelled(vec![self.cancel(instrument, client_id)]),
            VenueRequest::Query {
                instrument,
                client_id,
            } => VenueResponse::Order(self.query(instrument, client_id)),
            VenueRequest::Balances => VenueResponse::Balances(self.balances()),
            VenueRequest::OpenOrders => {
                let open = self.exchange.open_orders(ACCOUNT);
                VenueResponse::OpenOrders(open.filter_map(record).collect())
            }
            VenueRequest::Fills { instrument, from } => {
                VenueResponse::Fills(self.fills(instrument, |fill| fill.trade_id >= from))
            }
            VenueRequest::FillsSince { instrument, since } => {
                VenueResponse::Fills(self.fills(instrument, |fill| fill.event_time >= since))
            }
            VenueRequest::Book { .. } => {
                VenueResponse::Failed(VenueError::Ours("it shows no book".to_owned()))
            }
            VenueRequest::Candles { .. } => {
                VenueResponse::Failed(VenueError::Ours("it keeps no candles".to_owned()))
            }
        }
    }

    /// Cancels a stop and places another order, or neither.
    fn replace(&mut self, stop: ClientOrderId, terms: &OrderTerms) -> Vec<ExecutionReport> {
        let cancelled = self.cancel(terms.instrument, stop);
        let placed = match &cancelled.kind {
            ReportKind::CancelRejected(reason) => {
                let kind = ReportKind::Rejected(reason.clone());
                vec![self.report(terms.instrument, terms.client_id, kind)]
            }
            _ => self.submit(terms),
        };
        std::iter::once(cancelled).chain(placed).collect()
    }

    fn submit(&mut self, terms: &OrderTerms) -> Vec<ExecutionReport> {
        let order = NewOrder::new(
            ACCOUNT,
            terms.instrument,
            terms.client_id.into(),
            terms.side,
            Size::Base(terms.quantity),
            terms.kind,
        );
        match self.exchange.submit(self.now, &order, &mut self.outbox) {
            Ok(_) => self.publish(),
            Err(refusal) => {
                let kind = ReportKind::Rejected(reason(refusal));
                vec![self.report(terms.instrument, terms.client_id, kind)]
            }
        }
    }

    fn cancel(&mut self, instrument: InstrumentId, id: ClientOrderId) -> ExecutionReport {
        let cancel = CancelOrder {
            account: ACCOUNT,
            instrument,
            order: OrderRef::Client(id.into()),
            cancel_id: None,
        };
        match self.exchange.cancel(self.now, &cancel, &mut self.outbox) {
            Ok(order) => {
                self.publish();
                let report = self.report(instrument, id, ReportKind::Cancelled);
                known(report, &order)
            }
            Err(refusal) => {
                self.report(instrument, id, ReportKind::CancelRejected(reason(refusal)))
            }
        }
    }

    fn query(&self, instrument: InstrumentId, id: ClientOrderId) -> OrderQuery {
        use tradewind_model::OrderStatus::{Cancelled, Expired};
        let by_id = OrderRef::Client(id.into());
        let Some(order) = self.exchange.order(ACCOUNT, instrument, by_id) else {
            let venue_time = self.now;
            return OrderQuery::Absent { venue_time };
        };
        let reported = |kind| known(self.report(instrument, id, kind), &order);
        let mut reports = vec![self.report(instrument, id, ReportKind::Accepted)];
        let fills = self.fills(instrument, |fill| fill.client_id == id);
        reports.extend(
            fills
                .into_iter()
                .map(|fill| reported(ReportKind::Filled(fill))),
        );
        match order.status {
            Cancelled => reports.push(reported(ReportKind::Cancelled)),
            Expired => reports.push(reported(ReportKind::Expired)),
            _ => {}
        }
        OrderQuery::Found(reports)
    }

    fn balances(&self) -> Vec<AssetBalance> {
        let all = (0..).map(AssetId).zip(self.exchange.balances(ACCOUNT));
        let balance = |(asset, held): (AssetId, &tradewind_simx::Balance)| AssetBalance {
            asset,
            free: held.free,
            locked: held.locked,
        };
        all.map(balance).collect()
    }

    fn fills(&self, instrument: InstrumentId, wanted: impl Fn(&Fill) -> bool) -> Vec<Fill> {
        let here = self.exchange.executions(ACCOUNT);
        let here = here.filter(|execution| execution.instrument == instrument);
        let fill = |execution: &Execution| {
            let by_id = OrderRef::Venue(execution.order_id);
            let order = self.exchange.order(ACCOUNT, instrument, by_id)?;
            Some(fill(order.client_id.to_desk()?, execution))
        };
        here.filter_map(fill).filter(wanted).collect()
    }

    /// Hands what happened to the account's stream, and gives it back for the answer.
    fn publish(&mut self) -> Vec<ExecutionReport> {
        let reports: Vec<_> = self.outbox.orders.iter().filter_map(reported).collect();
        self.outbox.clear();
        self.stream.extend(reports.iter().cloned());
        reports
    }

    fn report(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
        kind: ReportKind,
    ) -> ExecutionReport {
        ExecutionReport {
            account: ACCOUNT,
            instrument,
            client_id,
            venue_order_id: None,
            kind,
            cumulative: None,
            event_time: Some(self.now),
        }
    }
}

/// A report with what the order shows.
fn known(report: ExecutionReport, order: &Order) -> ExecutionReport {
    ExecutionReport {
        venue_order_id: Some(order.id),
        cumulative: Some(order.filled),
        ..report
    }
}

fn reported(report: &OrderReport) -> Option<ExecutionReport> {
    let order = &report.order;
    let client_id = order.client_id.to_desk()?;
    let (kind, cumulative) = match &report.event {
        OrderEvent::Filled(execution) => {
            let kind = ReportKind::Filled(fill(client_id, execution));
            (kind, order.filled)
        }
        OrderEvent::Cancelled { .. } => (ReportKind::Cancelled, order.filled),
        OrderEvent::Expired(_) => (ReportKind::Expired, order.filled),
        _ => (ReportKind::Accepted, Quantity::ZERO),
    };
    Some(ExecutionReport {
        account: order.account,
        instrument: order.instrument,
        client_id,
        venue_order_id: Some(order.id),
        kind,
        cumulative: Some(cumulative),
        event_time: Some(report.at),
    })
}

const fn fill(client_id: ClientOrderId, execution: &Execution) -> Fill {
    Fill {
        account: execution.account,
        instrument: execution.instrument,
        trade_id: execution.trade_id,
        venue_order_id: execution.order_id,
        client_id,
        side: execution.side,
        price: execution.price,
        quantity: execution.quantity,
        fee: execution.fee,
        liquidity: execution.liquidity,
        event_time: execution.at,
    }
}

fn record(order: &Order) -> Option<OrderRecord> {
    let (instrument, left) = (spot(), order.quantity - order.filled);
    Some(OrderRecord {
        account: order.account,
        instrument: order.instrument,
        client_id: order.client_id.to_desk()?,
        venue_order_id: order.id,
        side: order.side,
        kind: Some(order.kind),
        quantity: order.quantity,
        filled: order.filled,
        status: order.status,
        placed_at: order.created_at,
        locks: match order.side {
            Side::Sell => Some((instrument.base, instrument.quantity_amount(left))),
            Side::Buy => (order.kind.limit())
                .and_then(|price| instrument.notional(price, left))
                .map(|value| (instrument.quote, value)),
        },
        list: None,
    })
}

fn reason(refusal: Refusal) -> RejectReason {
    RejectReason {
        code: refusal.code(),
        text: refusal.to_string(),
    }
}

/// Keeps answers until somebody takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<(RequestId, VenueResponse)>>>);

impl ResponseSink for Answers {
    fn response(&self, id: RequestId, response: VenueResponse) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((id, response));
    }
}

impl Answers {
    pub(crate) fn take(&self) -> Vec<(RequestId, VenueResponse)> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *answers)
    }
}
