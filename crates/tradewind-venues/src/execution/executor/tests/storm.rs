//! Random inputs never lose an order and never send one twice.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Submit(bool),
    Again(usize),
    Cancel(usize),
    Query(usize),
    ReadAccount,
    ReadCandles,
    Respond(usize, u8),
    RespondAgain(usize),
    Advance(u16),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<bool>().prop_map(Step::Submit),
        2 => any::<usize>().prop_map(Step::Again),
        4 => any::<usize>().prop_map(Step::Cancel),
        4 => any::<usize>().prop_map(Step::Query),
        1 => Just(Step::ReadAccount),
        1 => Just(Step::ReadCandles),
        12 => (any::<usize>(), any::<u8>()).prop_map(|(which, how)| Step::Respond(which, how)),
        2 => any::<usize>().prop_map(Step::RespondAgain),
        6 => any::<u16>().prop_map(Step::Advance),
    ]
}

/// A world with the venue's side of it: what has no answer yet, and what was reported of each order.
struct Storm {
    world: World,
    submitted: u128,
    unanswered: Vec<(RequestId, VenueRequest)>,
    answered: Vec<RequestId>,
    sent: BTreeSet<u128>,
    /// Reports in answer to each order's submission, or instead of one.
    outcomes: BTreeMap<u128, Vec<ReportKind>>,
}

/// Marks reports that answer a cancel or a query.
const MARK: Option<Quantity> = Some(Quantity(1));

impl Storm {
    fn new() -> Self {
        let rate = Rate {
            count: 2,
            per: Duration::from_secs(1),
            burst: 3,
        };
        let mut world = World::new(Some(rate));
        // No answer is overdue here: that has tests of its own.
        world.executor.waits.answer_within = Duration::from_secs(1_000_000);
        Self {
            world,
            submitted: 0,
            unanswered: Vec::new(),
            answered: Vec::new(),
            sent: BTreeSet::new(),
            outcomes: BTreeMap::new(),
        }
    }

    fn pick(&self, which: usize) -> u128 {
        which as u128 % self.submitted.max(1)
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Submit(is_exit) => {
                let effect = if is_exit { Exit } else { Entry };
                self.world.submit(self.submitted, effect);
                self.submitted += 1;
            }
            Step::Again(which) if self.submitted > 0 => self.world.submit(self.pick(which), Exit),
            Step::Cancel(which) => self.world.cancel(self.pick(which)),
            Step::Query(which) => self.world.query(self.pick(which)),
            Step::ReadAccount => self.world.input(ExecutorInput::ReadAccount),
            Step::ReadCandles => self.world.input(ExecutorInput::ReadCandles {
                instrument: INSTRUMENT,
                interval: Interval::Minute1,
                count: 5,
            }),
            Step::Respond(which, how) if !self.unanswered.is_empty() => {
                let place = which % self.unanswered.len();
                let (id, request) = self.unanswered.swap_remove(place);
                self.answered.push(id);
                let response = response(&request, how);
                self.world.respond(id, response);
            }
            Step::RespondAgain(which) if !self.answered.is_empty() => {
                let id = self.answered[which % self.answered.len()];
                self.world.respond(id, accepted(0));
            }
            Step::Again(_) | Step::Respond(..) | Step::RespondAgain(_) => {}
            Step::Advance(millis) => self.world.advance(Duration::from_millis(millis.into())),
            Step::Stop => self.world.input(ExecutorInput::Stop),
        }
        self.take()?;
        self.check()
    }

    /// Sorts what came out. Nothing may be sent twice.
    fn take(&mut self) -> Result<(), TestCaseError> {
        for (id, request) in self.world.begun.drain(..) {
            if let VenueRequest::Submit(order) = &request {
                let order = order.terms().client_id.0;
                prop_assert!(self.sent.insert(order), "order {} was sent twice", order);
            }
            self.unanswered.push((id, request));
        }
        for report in std::mem::take(&mut self.world.reports) {
            // What the lists and a query agree about: the venue has no such order.
            if matches!(report.kind, ReportKind::Rejected(_)) {
                let id = report.client_id.0;
                prop_assert!(!self.in_flight().contains(&id), "order {} is in flight", id);
            } else if report.cumulative != MARK && report.client_id.0 < self.submitted {
                let outcomes = self.outcomes.entry(report.client_id.0);
                outcomes.or_default().push(report.kind);
            }
        }
        Ok(())
    }

    /// Orders whose submission has no answer yet.
    fn in_flight(&self) -> BTreeSet<u128> {
        let order = |(_, request): &(RequestId, VenueRequest)| match request {
            VenueRequest::Submit(order) => Some(order.terms().client_id.0),
            _ => None,
        };
        self.unanswered.iter().filter_map(order).collect()
    }

    /// Every order is queued, or in flight, or has exactly one outcome.
    fn check(&self) -> Result<(), TestCaseError> {
        let in_flight = self.in_flight();
        let mut queued = 0;
        for order in 0..self.submitted {
            let outcomes = self.outcomes.get(&order).map_or(&[][..], Vec::as_slice);
            if !self.sent.contains(&order) && outcomes.is_empty() {
                queued += 1;
                continue;
            }
            let wanted = usize::from(!in_flight.contains(&order));
            prop_assert_eq!(outcomes.len(), wanted, "order {}: {:?}", order, outcomes);
        }
        prop_assert_eq!(self.world.executor.pending(), (queued, in_flight.len()));
        Ok(())
    }
}

/// A sensible answer, or now and then none.
fn response(request: &VenueRequest, how: u8) -> VenueResponse {
    let marked = |id: ClientOrderId, kind| ExecutionReport {
        cumulative: MARK,
        ..report(id.0, kind)
    };
    match request {
        VenueRequest::Cancel { client_id, .. } => {
            VenueResponse::Cancelled(vec![marked(*client_id, ReportKind::Cancelled)])
        }
        _ if how.is_multiple_of(7) => lost(),
        VenueRequest::Submit(order) => {
            let kinds = [
                ReportKind::Accepted,
                ReportKind::Unknown,
                ReportKind::NotSent(NotSentReason::Killed),
                ReportKind::Expired,
            ];
            let kind = kinds[usize::from(how) % kinds.len()].clone();
            VenueResponse::Submitted(vec![report(order.terms().client_id.0, kind)])
        }
        VenueRequest::Query { client_id, .. } if how.is_multiple_of(2) => {
            let known = marked(*client_id, ReportKind::Accepted);
            VenueResponse::Order(OrderQuery::Found(vec![known]))
        }
        VenueRequest::Query { .. } => absent(),
        VenueRequest::Balances => VenueResponse::Balances(Vec::new()),
        VenueRequest::OpenOrders => VenueResponse::OpenOrders(Vec::new()),
        VenueRequest::Fills { .. } | VenueRequest::FillsSince { .. } => {
            VenueResponse::Fills(Vec::new())
        }
        VenueRequest::Candles { .. } => VenueResponse::Candles(Vec::new()),
        VenueRequest::Book { .. } => {
            VenueResponse::Failed(VenueError::Connection("no books".to_owned()))
        }
    }
}

proptest! {
    #[test]
    fn random_inputs_never_lose_an_order(
        steps in prop::collection::vec(step(), 1..200),
        stops in any::<bool>(),
    ) {
        let mut storm = Storm::new();
        for step in &steps {
            storm.step(step)?;
        }
        if stops {
            storm.step(&Step::Stop)?;
        }
        for _ in 0..2 {
            storm.step(&Step::Advance(u16::MAX))?;
        }
        let is_order = |(_, request): &(RequestId, VenueRequest)| {
            matches!(request, VenueRequest::Submit(_))
        };
        while let Some(which) = storm.unanswered.iter().position(is_order) {
            storm.step(&Step::Respond(which, 1))?;
            storm.step(&Step::Advance(u16::MAX))?;
        }
        prop_assert_eq!(storm.world.executor.pending(), (0, 0));
        prop_assert_eq!(storm.outcomes.len() as u128, storm.submitted);
    }
}
