//! The direct link: the desk's orders become the matching core's actions, and its reports the desk's.
//!
//! With no latency an action is carried out and its reports are there at once. With latency both travel: what is under
//! way waits here until the clock has reached it.
//!
//! The market inside a candle is unknown. So an order in an instrument whose market is made from candles waits for the
//! next open or for a real quote. There is one exception: an exit is sent at once if the candle's course has halted at
//! its level.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tradewind_events::{AccountState, Configuration, Intent};
use tradewind_model::{
    AccountId, ClientOrderId, Depth, ExecutionReport, InstrumentId, OrderTerms, Quote,
    RejectReason, ReportKind, Side, TakeProfit, Timestamp,
};
use tradewind_risk::PositionEffect;
use tradewind_simx::{
    CancelOrder, Exchange, ExchangeConfig, History, ListShape, MarketEvent, NewList, NewOrder,
    OrderRef, Outbox, Prints, Refusal, SelfTrade, Size,
};

use crate::error::BacktestError;
use crate::point::CandlePoint;
use crate::report::Models;
use crate::setup::{Latency, Setup};
use crate::translate::{answer, reason, translate};

/// A request of the desk to the exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    Submit(Submission),
    Cancel(AccountId, InstrumentId, ClientOrderId),
    Query(AccountId, InstrumentId, ClientOrderId),
}

/// An order, with the stop that is cancelled first, and with the order that takes its profit if it is a stop of a pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submission {
    terms: OrderTerms,
    replaces: Option<ClientOrderId>,
    take_profit: Option<TakeProfit>,
}

/// What is under way.
#[derive(Clone, Debug)]
enum Parcel {
    Request(Request),
    Report(ExecutionReport),
}

/// The exchange and the way to it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) exchange: Exchange,
    outbox: Outbox,
    latency: Latency,
    under_way: BTreeMap<(Timestamp, u64), Parcel>,
    sent: u64,
    /// By instrument, whether its market is made from candles.
    from_candles: Vec<bool>,
    /// The point of a candle's course that is being handled.
    point: Option<CandlePoint>,
    /// Orders that wait for their instrument's next open or quote.
    held: Vec<Submission>,
    /// Reports that have reached the desk.
    pub(crate) arrived: VecDeque<ExecutionReport>,
}

impl Link {
    pub(crate) fn new(setup: &Setup) -> Result<Self, BacktestError> {
        let config = ExchangeConfig {
            prints: Prints::Silent,
            // Only a request with latency can be about an order that is gone.
            history: if setup.latency.is_zero() {
                History::Dropped
            } else {
                History::Kept(1_024)
            },
            ..setup.exchange
        };
        let mut link = Self {
            exchange: Exchange::new(config, setup.configuration.instruments.clone()),
            outbox: Outbox::default(),
            latency: setup.latency,
            under_way: BTreeMap::new(),
            sent: 0,
            from_candles: vec![false; setup.configuration.instruments.len()],
            point: None,
            held: Vec::new(),
            arrived: VecDeque::new(),
        };
        link.open_accounts(setup)?;
        Ok(link)
    }

    fn open_accounts(&mut self, setup: &Setup) -> Result<(), BacktestError> {
        for _ in &setup.configuration.accounts {
            self.exchange.open_account();
        }
        for (account, asset, amount) in &setup.balances {
            self.exchange
                .deposit(
                    Timestamp::EPOCH,
                    *account,
                    *asset,
                    *amount,
                    &mut self.outbox,
                )
                .map_err(|refusal| {
                    BacktestError::Options(format!("a balance cannot be set: {refusal}"))
                })?;
        }
        self.outbox.clear();
        Ok(())
    }

    /// What was chosen about the exchange and the way to it.
    pub(crate) fn models(&self) -> Models {
        Models {
            fill: self.exchange.config().fill_model,
            request: self.latency.request,
            report: self.latency.report,
        }
    }

    /// When something under way arrives next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets the next thing under way arrive.
    pub(crate) fn deliver(&mut self) {
        if let Some(((at, _), parcel)) = self.under_way.pop_first() {
            match parcel {
                Parcel::Request(request) => self.carry_out(at, &request),
                Parcel::Report(report) => self.arrived.push_back(report),
            }
        }
    }

    /// Sends an order, or holds it until it may enter.
    pub(crate) fn submit(&mut self, now: Timestamp, intent: &Intent, terms: &OrderTerms) {
        let submission = Submission {
            terms: *terms,
            replaces: intent.replaces,
            take_profit: intent.take_profit,
        };
        if self.from_candles[terms.instrument.index()] {
            let Some(touch) = self.exit_touch(intent) else {
                return self.held.push(submission);
            };
            self.quote_exchange(now, &touch);
        }
        self.send(now, Request::Submit(submission));
    }

    /// What an exit meets at the point that is being handled, if that point is where its position is closed.
    fn exit_touch(&self, intent: &Intent) -> Option<Quote> {
        let point = self.point.as_ref()?;
        let closes =
            intent.purpose == PositionEffect::Exit && intent.terms.instrument == point.instrument;
        intent
            .bot
            .filter(|_| closes)
            .and_then(|bot| point.exit_touch(bot))
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, now: Timestamp, request: Request) {
        if self.latency.request.is_zero() {
            self.carry_out(now, &request);
        } else {
            self.travel(now, self.latency.request, Parcel::Request(request));
        }
    }

    /// The market's best bid and ask are now these.
    #[inline]
    pub(crate) fn quote(&mut self, now: Timestamp, quote: &Quote) {
        self.quote_exchange(now, quote);
        if !self.held.is_empty() {
            self.release(now, quote.instrument, |_| *quote);
        }
    }

    #[inline]
    fn quote_exchange(&mut self, now: Timestamp, quote: &Quote) {
        self.exchange.quote(now, quote, &mut self.outbox);
        if !self.outbox.orders.is_empty() {
            self.publish(now);
        }
    }

    /// A candle's course is at this point: waiting orders meet it, and at an open the orders that were held enter.
    pub(crate) fn enter_point(&mut self, now: Timestamp, point: CandlePoint) {
        self.from_candles[point.instrument.index()] = true;
        self.quote_exchange(now, &point.market_quote());
        if point.is_open {
            self.release(now, point.instrument, |side| point.market_touch(side));
        }
        self.point = Some(point);
    }

    /// What follows from the point is done.
    pub(crate) fn leave_point(&mut self) {
        self.point = None;
    }

    /// The market did something else.
    pub(crate) fn market(&mut self, now: Timestamp, event: MarketEvent<'_>) {
        self.exchange.market(now, event, &mut self.outbox);
        self.publish(now);
    }

    /// The best level of each side, as the exchange shows it; `None` if a side has none.
    pub(crate) fn book(&self, now: Timestamp, instrument: InstrumentId) -> Option<Depth> {
        let [bid, ask] = self.exchange.best(instrument);
        Some(Depth {
            instrument,
            bids: vec![bid?],
            asks: vec![ask?],
            received_at: now,
        })
    }

    /// The account as the exchange shows it.
    pub(crate) fn account(
        &self,
        account: AccountId,
        configuration: &Configuration,
    ) -> AccountState {
        let balances = configuration.assets.iter().map(|asset| {
            let balance = self.exchange.balance(account, asset.id);
            (asset.id, balance.free + balance.locked)
        });
        AccountState {
            account,
            balances: balances.filter(|(_, amount)| !amount.is_zero()).collect(),
            open_orders: Vec::new(),
            fills: Vec::new(),
        }
    }

    /// Lets the held orders of an instrument enter, each at the touch of its side.
    fn release(&mut self, now: Timestamp, instrument: InstrumentId, touch: impl Fn(Side) -> Quote) {
        let mut held = std::mem::take(&mut self.held);
        let entering = held.extract_if(.., |order| order.terms.instrument == instrument);
        for order in entering {
            self.quote_exchange(now, &touch(order.terms.side));
            self.carry_out(now, &Request::Submit(order));
        }
        self.held = held;
    }

    fn carry_out(&mut self, now: Timestamp, request: &Request) {
        match *request {
            Request::Submit(Submission {
                terms,
                take_profit: Some(order),
                ..
            }) => self.enter_pair(now, &terms, order),
            Request::Submit(Submission {
                terms,
                replaces: None,
                ..
            }) => self.enter(now, &terms),
            Request::Submit(Submission {
                terms,
                replaces: Some(stop),
                ..
            }) => self.replace(now, stop, &terms),
            Request::Cancel(account, instrument, id) => {
                self.cancel(now, account, instrument, id).ok();
            }
            Request::Query(account, instrument, id) => self.query(now, account, instrument, id),
        }
        self.publish(now);
    }

    fn enter(&mut self, now: Timestamp, terms: &OrderTerms) {
        if let Err(refusal) = self
            .exchange
            .submit(now, &new_order(terms), &mut self.outbox)
        {
            self.refuse(now, terms, refusal);
        }
    }

    /// A stop and the order that takes its profit enter as a pair, or neither.
    fn enter_pair(&mut self, now: Timestamp, stop: &OrderTerms, order: TakeProfit) {
        let limit = stop.of_take_profit(order);
        let (above, below) = match stop.side {
            Side::Sell => (limit, *stop),
            Side::Buy => (*stop, limit),
        };
        let list = NewList {
            account: stop.account,
            instrument: stop.instrument,
            // The list needs a name, and orders' ids are not used twice.
            client_id: stop.client_id.into(),
            shape: ListShape::OneCancelsOther {
                above: new_order(&above),
                below: new_order(&below),
            },
        };
        if let Err(refusal) = self.exchange.submit_list(now, &list, &mut self.outbox) {
            self.refuse(now, stop, refusal);
            self.refuse(now, &limit, refusal);
        }
    }

    fn refuse(&mut self, now: Timestamp, terms: &OrderTerms, refusal: Refusal) {
        let kind = ReportKind::Rejected(reason(refusal));
        let id = terms.client_id;
        self.arrive(now, answer(terms.account, terms.instrument, id, kind, now));
    }

    /// Cancels a stop and lets another order enter, or neither.
    fn replace(&mut self, now: Timestamp, stop: ClientOrderId, terms: &OrderTerms) {
        match self.cancel(now, terms.account, terms.instrument, stop) {
            Ok(()) => self.enter(now, terms),
            Err(reason) => self.arrive(
                now,
                answer(
                    terms.account,
                    terms.instrument,
                    terms.client_id,
                    ReportKind::Rejected(reason),
                    now,
                ),
            ),
        }
    }

    fn cancel(
        &mut self,
        now: Timestamp,
        account: AccountId,
        instrument: InstrumentId,
        id: ClientOrderId,
    ) -> Result<(), RejectReason> {
        // An order that is still held was not sent and never will be.
        let is_meant = |order: &Submission| order.terms.client_id == id;
        if let Some(index) = self.held.iter().position(is_meant) {
            let pair = self.held.remove(index).take_profit;
            for id in [Some(id), pair.map(|order| order.client_id)] {
                let cancelled = |id| answer(account, instrument, id, ReportKind::Cancelled, now);
                if let Some(report) = id.map(cancelled) {
                    self.arrive(now, report);
                }
            }
            return Ok(());
        }
        let cancel = CancelOrder {
            account,
            instrument,
            order: OrderRef::Client(id.into()),
            cancel_id: None,
        };
        if let Err(refusal) = self.exchange.cancel(now, &cancel, &mut self.outbox) {
            let kind = ReportKind::CancelRejected(reason(refusal));
            self.arrive(now, answer(account, instrument, id, kind, now));
            return Err(reason(refusal));
        }
        self.publish(now);
        Ok(())
    }

    /// Reports an order's state. Its fills were reported before and are only counted here.
    fn query(
        &mut self,
        now: Timestamp,
        account: AccountId,
        instrument: InstrumentId,
        id: ClientOrderId,
    ) {
        let found = self
            .exchange
            .order(account, instrument, OrderRef::Client(id.into()));
        let Some(order) = found else { return };
        let kind = match order.status {
            tradewind_model::OrderStatus::Cancelled => ReportKind::Cancelled,
            tradewind_model::OrderStatus::Expired => ReportKind::Expired,
            _ => ReportKind::Accepted,
        };
        let report = ExecutionReport {
            venue_order_id: Some(order.id),
            cumulative: Some(order.filled),
            ..answer(account, instrument, id, kind, now)
        };
        self.arrive(now, report);
    }

    /// Sends what is in the outbox to the desk.
    fn publish(&mut self, now: Timestamp) {
        for index in 0..self.outbox.orders.len() {
            if let Some(report) = translate(&self.outbox.orders[index]) {
                self.arrive(now, report);
            }
        }
        self.outbox.clear();
    }

    fn arrive(&mut self, now: Timestamp, report: ExecutionReport) {
        if self.latency.report.is_zero() {
            self.arrived.push_back(report);
        } else {
            self.travel(now, self.latency.report, Parcel::Report(report));
        }
    }

    fn travel(&mut self, now: Timestamp, span: Duration, parcel: Parcel) {
        self.sent += 1;
        self.under_way.insert((now + span, self.sent), parcel);
    }
}

/// An order as the exchange takes it.
fn new_order(terms: &OrderTerms) -> NewOrder {
    NewOrder::new(
        terms.account,
        terms.instrument,
        terms.client_id.into(),
        terms.side,
        Size::Base(terms.quantity),
        terms.kind,
    )
    .with_self_trade(SelfTrade::ExpireMaker)
}
