//! The executor by the clock of the test: the requests that it begins, its reports, and the answers that it rejects.

use super::super::orders_for_tests::{GOOD_FOR, ONE_A_SECOND, START, sealed};
use super::*;
use crate::execution::absence::GATHERED_FOR;
use crate::execution::{
    AccountSnapshot, IN_FLIGHT_MAX, OrderQuery, RESERVED_FOR_EXITS, TradeCursor,
};
use crate::retry_budget::RetryLimits;
use tradewind_model::{AssetId, Candle, Depth, Interval, Quantity, TradeId};
use tradewind_risk::PositionEffect::{self, Entry, Exit};
use tradewind_risk::Rate;

mod absence;
mod outage;
mod reading;
mod storm;

const INSTRUMENT: InstrumentId = InstrumentId(0);

/// An executor, its clock, and what came out of it.
struct World {
    executor: Executor,
    now: Timestamp,
    begun: Vec<(RequestId, VenueRequest)>,
    withdrawn: Vec<u128>,
    reports: Vec<ExecutionReport>,
    accounts: Vec<AccountSnapshot>,
    candles: Vec<Vec<Candle>>,
    books: Vec<Option<Box<Depth>>>,
    faults: Vec<String>,
}

/// An instrument of which no fill was read yet: 0 is asset 0 against asset 1, and 1 is asset 2 against asset 1.
fn cursor(number: u32) -> TradeCursor {
    TradeCursor {
        instrument: InstrumentId(number),
        base: AssetId(2 * number),
        quote: AssetId(1),
        from: TradeId(0),
    }
}

impl World {
    fn new(rate: Option<Rate>) -> Self {
        let settings = ExecutorSettings {
            account: AccountId(0),
            rate,
            instruments: vec![cursor(0), cursor(1)],
            waits: Waits::default(),
            retries: RetryLimits::default(),
            seed: 0,
        };
        Self {
            executor: Executor::new(settings),
            now: START,
            begun: Vec::new(),
            withdrawn: Vec::new(),
            reports: Vec::new(),
            accounts: Vec::new(),
            candles: Vec::new(),
            books: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn input(&mut self, input: ExecutorInput) {
        let mut out = Vec::new();
        self.executor.handle(self.now, input, &mut out);
        for output in out {
            match output {
                ExecutorOutput::Begin(id, request) => self.begun.push((id, request)),
                ExecutorOutput::Withdraw(order) => self.withdrawn.push(order.0),
                ExecutorOutput::Report(report) => self.reports.push(report),
                ExecutorOutput::Account(account) => self.accounts.push(account),
                ExecutorOutput::Candles { candles, .. } => self.candles.push(candles),
                ExecutorOutput::Book { depth, .. } => self.books.push(depth),
                ExecutorOutput::Fault(fault) => self.faults.push(fault.to_string()),
            }
        }
    }

    /// Moves the clock, and wakes the executor whenever it wants to be.
    fn advance(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.executor.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.input(ExecutorInput::Tick);
        }
        self.now = until;
        self.input(ExecutorInput::Tick);
    }

    fn submit(&mut self, id: u128, effect: PositionEffect) {
        self.input(ExecutorInput::Submit(sealed(id, effect), None));
    }

    fn cancel(&mut self, id: u128) {
        let client_id = ClientOrderId(id);
        self.input(ExecutorInput::Cancel {
            instrument: INSTRUMENT,
            client_id,
        });
    }

    fn query(&mut self, id: u128) {
        let client_id = ClientOrderId(id);
        self.input(ExecutorInput::Query {
            instrument: INSTRUMENT,
            client_id,
        });
    }

    fn respond(&mut self, id: RequestId, response: VenueResponse) {
        self.input(ExecutorInput::Response(id, response));
    }

    /// Answers the latest request.
    fn answer(&mut self, response: VenueResponse) {
        let id = self.begun.last().unwrap().0;
        self.respond(id, response);
    }

    /// What was begun since the last call, in words.
    fn begun(&mut self) -> Vec<String> {
        self.begun
            .drain(..)
            .map(|(_, request)| words(&request))
            .collect()
    }

    /// What was reported since the last call, in words.
    fn reported(&mut self) -> Vec<String> {
        self.reports
            .drain(..)
            .map(|report| format!("{} {:?}", report.client_id.0, report.kind))
            .collect()
    }
}

fn words(request: &VenueRequest) -> String {
    match request {
        VenueRequest::Submit(order) => format!("submit {}", order.terms().client_id.0),
        VenueRequest::Cancel { client_id, .. } => format!("cancel {}", client_id.0),
        VenueRequest::Query { client_id, .. } => format!("query {}", client_id.0),
        VenueRequest::Balances => "balances".to_owned(),
        VenueRequest::OpenOrders => "orders".to_owned(),
        VenueRequest::FillsSince { instrument, .. } => format!("fills of {}", instrument.0),
        VenueRequest::Fills { instrument, .. } => format!("fills {}", instrument.0),
        VenueRequest::Candles { range, .. } => format!("candles {range:?}"),
        VenueRequest::Book { instrument } => format!("book of {}", instrument.0),
    }
}

fn report(id: u128, kind: ReportKind) -> ExecutionReport {
    ExecutionReport {
        account: AccountId(0),
        instrument: INSTRUMENT,
        client_id: ClientOrderId(id),
        venue_order_id: None,
        kind,
        cumulative: None,
        event_time: None,
    }
}

fn accepted(id: u128) -> VenueResponse {
    VenueResponse::Submitted(vec![report(id, ReportKind::Accepted)])
}

fn lost() -> VenueResponse {
    VenueResponse::Failed(VenueError::Connection("lost".to_owned()))
}

/// By a venue whose clock is an hour behind this one.
fn absent() -> VenueResponse {
    let venue_time = Timestamp::EPOCH;
    VenueResponse::Order(OrderQuery::Absent { venue_time })
}

#[test]
fn r16_orders_wait_for_the_rate_and_exits_go_first() {
    let mut world = World::new(Some(ONE_A_SECOND));
    world.submit(1, Entry);
    world.submit(2, Entry);
    world.submit(3, Exit);
    assert_eq!(
        (world.begun(), world.executor.pending()),
        (vec!["submit 1".to_owned()], (2, 1))
    );
    world.advance(Duration::from_secs(1));
    assert_eq!(world.begun(), ["submit 3"]);
    world.advance(Duration::from_millis(500));
    assert!(world.begun().is_empty());
    // The entry is too old before its turn comes.
    world.advance(GOOD_FOR);
    assert!(world.begun().is_empty());
    assert_eq!(world.reported(), ["2 NotSent(Expired)"]);
    assert_eq!(world.executor.pending(), (0, 2));
}

#[test]
fn hung_orders_leave_room_for_exits_up_to_the_limit() {
    let mut world = World::new(None);
    (0..IN_FLIGHT_MAX as u128).for_each(|id| world.submit(id, Entry));
    assert_eq!(
        world.executor.pending(),
        (RESERVED_FOR_EXITS, IN_FLIGHT_MAX - RESERVED_FOR_EXITS)
    );
    let exits = (0..=RESERVED_FOR_EXITS as u128).map(|id| 10_000 + id);
    exits.for_each(|id| world.submit(id, Exit));
    assert_eq!(
        world.executor.pending(),
        (RESERVED_FOR_EXITS + 1, IN_FLIGHT_MAX)
    );
    // An answer makes room, for the exit that waits and not for an entry.
    let (first, _) = world.begun[0];
    world.begun.clear();
    world.respond(first, accepted(0));
    assert_eq!(
        world.begun(),
        [format!("submit {}", 10_000 + RESERVED_FOR_EXITS)]
    );
    // When their answers are overdue the others are unknown, and more can be sent; the entries are too old by then.
    world.advance(Waits::default().answer_within);
    assert_eq!(world.executor.pending(), (0, 0));
    let (unknown, expired): (Vec<_>, Vec<_>) = world.reports[1..]
        .iter()
        .partition(|report| report.kind == ReportKind::Unknown);
    assert_eq!(
        (unknown.len(), expired.len()),
        (IN_FLIGHT_MAX, RESERVED_FOR_EXITS)
    );
}

#[test]
fn a_late_answer_still_counts_and_a_second_one_does_not() {
    let mut world = World::new(None);
    world.submit(1, Exit);
    world.advance(Waits::default().answer_within);
    assert_eq!(world.reported(), ["1 Unknown"]);
    let (id, _) = world.begun[0];
    world.respond(id, accepted(1));
    world.respond(id, accepted(1));
    assert_eq!(world.reported(), ["1 Accepted"]);
    assert_eq!(
        world.faults.last().unwrap(),
        "request 1 was answered twice or too late"
    );
}

#[test]
fn an_order_is_never_sent_twice() {
    let mut world = World::new(Some(ONE_A_SECOND));
    for _ in 0..2 {
        world.submit(1, Entry);
        world.submit(2, Entry);
    }
    world.answer(accepted(1));
    world.submit(1, Entry);
    world.advance(Duration::from_secs(60));
    world.submit(2, Entry);
    assert_eq!(world.begun(), ["submit 1", "submit 2"]);
    assert_eq!(world.faults.len(), 4, "{:?}", world.faults);
}

#[test]
fn a_queued_order_is_cancelled_without_a_request() {
    let mut world = World::new(Some(ONE_A_SECOND));
    world.submit(1, Entry);
    world.submit(2, Entry);
    world.cancel(2);
    world.query(2);
    world.advance(Duration::from_secs(5));
    assert_eq!(world.begun()[0], "submit 1");
    assert!(!world.reported().contains(&"2 Unknown".to_owned()));
}

/// H04: a part of the desk was killed while its exits waited.
#[test]
fn a_withdrawn_order_that_waits_is_never_sent() {
    let mut world = World::new(Some(ONE_A_SECOND));
    world.submit(1, Exit);
    world.submit(2, Exit);
    for id in [1, 2, 3] {
        world.input(ExecutorInput::Withdraw(ClientOrderId(id)));
    }
    assert_eq!(world.reported(), ["2 NotSent(Killed)"]);
    assert_eq!(world.withdrawn, [1], "its venue may still keep it");
    world.advance(Duration::from_secs(5));
    assert_eq!(world.begun()[0], "submit 1");
    assert!(world.begun().is_empty());
}

#[test]
fn a_cancel_waits_for_its_order_but_not_for_ever() {
    let mut world = World::new(None);
    world.submit(1, Entry);
    world.submit(2, Entry);
    world.cancel(1);
    world.cancel(1);
    world.cancel(2);
    assert_eq!(world.begun.len(), 2);
    let (first, _) = world.begun[0];
    world.respond(first, accepted(1));
    assert_eq!(world.begun()[2..], ["cancel 1"]);
    assert_eq!(world.reported(), ["1 Accepted"]);
    world.advance(Duration::from_millis(1_999));
    assert!(world.begun().is_empty());
    world.advance(Duration::from_millis(1));
    assert_eq!(world.begun(), ["cancel 2"]);
    assert_eq!(
        world.faults,
        ["order 00000000000000000000000000000002 is cancelled before its answer came"]
    );
    // One that is not in flight is cancelled at once.
    world.cancel(1);
    assert_eq!(world.begun(), ["cancel 1"]);
}

#[test]
fn an_order_without_a_usable_answer_is_unknown() {
    let empty = || VenueResponse::Submitted(Vec::new());
    let other = || VenueResponse::Balances(Vec::new());
    for (id, response) in [lost(), empty(), other()].into_iter().enumerate() {
        let mut world = World::new(None);
        world.submit(id as u128, Entry);
        world.answer(response);
        assert_eq!(world.reported(), [format!("{id} Unknown")]);
    }
    let mut world = World::new(None);
    world.cancel(7);
    world.answer(lost());
    assert_eq!(world.reported(), ["7 Unknown"]);
}

#[test]
fn an_absence_is_believed_only_so_long_after_the_sending() {
    let mut world = World::new(None);
    world.submit(1, Entry);
    world.query(1);
    assert_eq!(world.begun.len(), 2);
    // In flight: whatever the venue says, the order may still arrive.
    world.advance(ABSENT_AFTER + Duration::from_secs(1));
    world.answer(absent());
    assert_eq!(world.reported(), [""; 0]);
    let (submit, _) = world.begun[0];
    world.respond(submit, lost());
    assert_eq!(world.reported(), ["1 Unknown"]);
    // A query that was sent too early says nothing, however late its answer comes.
    world.advance(ABSENT_AFTER);
    world.answer(absent());
    world.advance(GATHERED_FOR);
    assert!(!world.begun().contains(&"orders".to_owned()));
    world.advance(Duration::from_secs(8));
    world.find_absent();
    let rejected = &world.reports[0];
    assert!(matches!(&rejected.kind, ReportKind::Rejected(reason) if reason.code == -2013));
    world.begun();
    world.advance(Duration::from_secs(60));
    assert_eq!(world.begun(), [""; 0]);
}

#[test]
fn an_order_of_an_earlier_run_counts_from_the_first_query() {
    let mut world = World::new(None);
    world.query(1);
    world.answer(absent());
    // At 2, 4 and 8 s.
    for (wait, answer) in [(2, lost()), (2, absent()), (4, absent())] {
        world.advance(Duration::from_secs(wait));
        world.answer(answer);
    }
    world.advance(Duration::from_secs(7));
    assert!(!world.begun().contains(&"orders".to_owned()));
    world.advance(Duration::from_secs(1));
    world.find_absent();
    assert_eq!(world.reports.len(), 1);
}

#[test]
fn a_query_for_an_order_under_query_is_repeated_once_afterwards() {
    let mut world = World::new(None);
    world.query(1);
    world.query(1);
    world.query(1);
    let found = || VenueResponse::Order(OrderQuery::Found(vec![report(1, ReportKind::Accepted)]));
    world.answer(found());
    world.advance(Duration::from_secs(2));
    world.answer(found());
    world.advance(Duration::from_secs(60));
    assert_eq!(world.begun(), ["query 1", "query 1"]);
    assert_eq!(world.reported(), ["1 Accepted", "1 Accepted"]);
}

#[test]
fn an_archived_order_ended_without_a_fill() {
    let mut world = World::new(None);
    world.query(1);
    world.answer(VenueResponse::Order(OrderQuery::Archived));
    assert_eq!(world.reports[0].cumulative, Some(Quantity::ZERO));
    assert_eq!(world.reported(), ["1 Expired"]);
}

#[test]
fn after_a_stop_nothing_begins_and_answers_still_count() {
    let mut world = World::new(Some(ONE_A_SECOND));
    world.submit(1, Entry);
    world.submit(2, Exit);
    world.cancel(1);
    world.input(ExecutorInput::Stop);
    assert_eq!(world.reported(), ["2 NotSent(Unreachable)"]);
    world.submit(3, Exit);
    world.cancel(4);
    world.query(1);
    world.input(ExecutorInput::ReadAccount);
    assert_eq!(world.reported(), ["3 NotSent(Unreachable)"]);
    world.answer(accepted(1));
    assert_eq!(world.reported(), ["1 Accepted"]);
    assert_eq!(
        (world.executor.wake_at(), world.begun()),
        (None, vec!["submit 1".to_owned()])
    );
}
