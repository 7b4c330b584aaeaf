//! One account's [`Executor`] with its venue: it hands in effects, answers and the time, and carries out what comes out.
//!
//! Effects come from the driver's turn, and an order reaches its venue within it. The venue's answers and the time come from
//! a task on the same thread. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tradewind_events::{AccountState, BookRead, CandleHistory, Input, StreamChange};
use tradewind_model::{AccountId, Clock, ReportKind, Timestamp};
use tradewind_venues::RealTime;
use tradewind_venues::execution::{
    AccountSnapshot, ExecutionVenue, Executor, ExecutorFault, ExecutorInput, ExecutorOutput,
    RequestId, VenueRequest, VenueResponse,
};

use crate::app::account_state::inputs;
use crate::app::echoes::Echoes;
use crate::driver::{Effect, InputQueues, LatencyStages, Stage};

/// Longest that its task is not woken (P04).
const BEAT: Duration = Duration::from_secs(30);

/// The venue's answers on their way to the executor.
pub type Responses = mpsc::Receiver<(RequestId, VenueResponse)>;
/// Makes of an account as it was read what the engine takes over.
pub type TakeOver = Arc<dyn Fn(AccountSnapshot) -> AccountState + Send + Sync>;

/// What an account's executor works with.
pub(crate) struct ExecutorParts {
    /// The account, for the log.
    pub(crate) account: AccountId,
    /// What decides.
    pub(crate) executor: Executor,
    /// Carries out requests.
    pub(crate) venue: Arc<dyn ExecutionVenue>,
    /// Where answers go.
    pub(crate) queues: Arc<InputQueues>,
    /// What is made of a reading of the account.
    pub(crate) take_over: TakeOver,
    /// Orders that the account's stream must report.
    pub(crate) echoes: Arc<Echoes>,
    /// The desk's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// What it waits by.
    pub(crate) time: Arc<dyn RealTime>,
    /// Where times are counted.
    pub(crate) stages: LatencyStages,
}

/// One account's executor.
pub(crate) struct AccountExecutor {
    account: AccountId,
    venue: Arc<dyn ExecutionVenue>,
    queues: Arc<InputQueues>,
    take_over: TakeOver,
    echoes: Arc<Echoes>,
    clock: Arc<dyn Clock>,
    time: Arc<dyn RealTime>,
    stages: LatencyStages,
    /// Never contended: all who use it run on the engine's thread.
    state: Mutex<State>,
    /// The executor is to be called earlier than [`run`](Self::run) expects.
    earlier: Notify,
}

#[derive(Debug)]
struct State {
    executor: Executor,
    /// When each order that has no answer yet was sent.
    sent: BTreeMap<RequestId, Duration>,
    /// How often the stream had been up when the reading under way came to the open orders: what it shows is of that time or later.
    read_after: u64,
    /// When [`AccountExecutor::run`] hands in the time.
    tick_at: Option<Timestamp>,
    /// The buffer of outputs, used again and again.
    out: Vec<ExecutorOutput>,
}

impl std::fmt::Debug for AccountExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountExecutor")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl AccountExecutor {
    pub(crate) fn new(parts: ExecutorParts) -> Self {
        let ExecutorParts {
            account,
            executor,
            venue,
            queues,
            take_over,
            echoes,
            clock,
            time,
            stages,
        } = parts;
        Self {
            account,
            venue,
            queues,
            take_over,
            echoes,
            clock,
            time,
            stages,
            state: Mutex::new(State {
                executor,
                sent: BTreeMap::new(),
                read_after: 0,
                tick_at: None,
                out: Vec::new(),
            }),
            earlier: Notify::new(),
        }
    }

    /// Carries out an effect of the driver. When it returns, an order that need not wait has been handed to its venue.
    pub(crate) fn perform(&self, effect: &Effect) {
        let Some(input) = input(effect) else {
            return self.echoes.doubt(self.account);
        };
        self.handle(input);
        let state = self.state();
        let next = state.executor.wake_at();
        if next.is_some_and(|next| state.tick_at.is_none_or(|tick| next < tick)) {
            self.earlier.notify_one();
        }
    }

    /// Hands in the venue's answers and the time until `stop`. Orders that wait then are reported as not sent.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(
        &self,
        mut responses: Responses,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let wait = self.plan_tick();
            let input = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some((id, response)) = responses.recv() => self.answered(id, response),
                () = self.earlier.notified() => continue,
                () = self.time.sleep(wait) => ExecutorInput::Tick,
            };
            self.handle(input);
        }
        self.handle(ExecutorInput::Stop);
        Ok(())
    }

    /// Real time until the executor is to be called again, and at least shows that it is there.
    fn plan_tick(&self) -> Duration {
        let mut state = self.state();
        state.tick_at = state.executor.wake_at();
        let tick = state.tick_at.map(|at| self.clock.real_until(at));
        tick.unwrap_or(BEAT).min(BEAT)
    }

    fn answered(&self, id: RequestId, response: VenueResponse) -> ExecutorInput {
        if let Some(sent) = self.state().sent.remove(&id) {
            let took = self.time.now().saturating_sub(sent);
            self.stages.record(Stage::Ack, took);
        }
        if let VenueResponse::Submitted(reports) = &response {
            for report in reports.iter().filter(|report| is_taken(&report.kind)) {
                self.echoes
                    .answered(report.account, report.client_id, self.time.now());
            }
        }
        ExecutorInput::Response(id, response)
    }

    /// The lock is free again while outputs are carried out.
    fn handle(&self, input: ExecutorInput) {
        let mut out = {
            let state = &mut *self.state();
            let mut out = std::mem::take(&mut state.out);
            state.executor.handle(self.clock.now(), input, &mut out);
            out
        };
        for output in out.drain(..) {
            self.carry_out(output);
        }
        self.state().out = out;
    }

    fn carry_out(&self, output: ExecutorOutput) {
        match output {
            ExecutorOutput::Begin(id, request) => self.begin(id, request),
            ExecutorOutput::Withdraw(order) => self.venue.withdraw(order),
            ExecutorOutput::Report(report) => self.queues.control(Input::Report(Box::new(report))),
            ExecutorOutput::Account(snapshot) => {
                if self.state().read_after != self.echoes.ups(self.account) {
                    let (account, change) = (self.account, Box::new(StreamChange::ReadBefore));
                    self.queues
                        .control(Input::AccountStream { account, change });
                }
                for input in inputs((self.take_over)(snapshot)) {
                    self.queues.control(input);
                }
            }
            ExecutorOutput::Candles {
                instrument,
                interval,
                candles,
            } => self.queues.control(Input::Candles(Box::new(CandleHistory {
                instrument,
                interval,
                candles,
            }))),
            ExecutorOutput::Book { instrument, depth } => {
                let depth = depth.map(|depth| *depth);
                let book = BookRead { instrument, depth };
                self.queues.control(Input::Book(Box::new(book)));
            }
            ExecutorOutput::Fault(fault) => self.log(&fault),
        }
    }

    fn begin(&self, id: RequestId, request: VenueRequest) {
        if let VenueRequest::Submit(order) = &request {
            let age = self.clock.now().since(order.decided_at());
            self.stages.record(Stage::Send, age);
            self.state().sent.insert(id, self.time.now());
        }
        if matches!(request, VenueRequest::OpenOrders) {
            let ups = self.echoes.ups(self.account);
            self.state().read_after = ups;
        }
        self.venue.begin(id, request);
    }

    fn log(&self, fault: &ExecutorFault) {
        let account = self.account.0;
        if fault.is_serious() {
            tracing::error!(account, %fault, "An executor met a fault that a person must look at.");
        } else {
            tracing::warn!(account, %fault, "An executor met a fault.");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The executor's methods leave it whole or panic, which ends the desk.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer says that the venue has the order, so that its stream must report it.
const fn is_taken(kind: &ReportKind) -> bool {
    matches!(kind, ReportKind::Accepted | ReportKind::Filled(_))
}

/// What an effect is to the executor; `None` for one that is the account stream's.
fn input(effect: &Effect) -> Option<ExecutorInput> {
    Some(match *effect {
        Effect::Submit(ref intent, order) => ExecutorInput::Submit(order, intent.bot),
        Effect::Cancel {
            instrument,
            client_id,
            ..
        } => ExecutorInput::Cancel {
            instrument,
            client_id,
        },
        Effect::Withdraw { client_id, .. } => ExecutorInput::Withdraw(client_id),
        Effect::Query {
            instrument,
            client_id,
            ..
        } => ExecutorInput::Query {
            instrument,
            client_id,
        },
        Effect::Reconcile(_) => ExecutorInput::ReadAccount,
        Effect::Sweep(_) => ExecutorInput::SweepAccount,
        Effect::RenewStream(_) => return None,
        Effect::Book { instrument, .. } => ExecutorInput::ReadBook(instrument),
        Effect::Candles {
            instrument,
            interval,
            count,
        } => ExecutorInput::ReadCandles {
            instrument,
            interval,
            count,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use tradewind_driver::Effect;
    use tradewind_engine::StrategySource;
    use tradewind_events::{Action, Output};
    use tradewind_model::{ManualClock, OrderKind, Quantity, Side};
    use tradewind_testkit::{ACCOUNT, Desk, SPOT, configuration};
    use tradewind_venues::RetryLimits;
    use tradewind_venues::Sleeping;
    use tradewind_venues::execution::{ExecutorSettings, Waits};

    /// A venue that takes requests and never answers.
    #[derive(Debug, Default)]
    struct Silent(Mutex<Vec<VenueRequest>>, Mutex<Option<RequestId>>);

    impl ExecutionVenue for Silent {
        fn begin(&self, id: RequestId, request: VenueRequest) {
            self.0.lock().unwrap().push(request);
            *self.1.lock().unwrap() = Some(id);
        }
    }

    /// Time that does not pass, and the waits that were requested.
    #[derive(Debug, Default)]
    struct Still(Mutex<Vec<Duration>>);

    impl RealTime for Still {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, wait: Duration) -> Sleeping<'_> {
            self.0.lock().unwrap().push(wait);
            Box::pin(std::future::pending())
        }
    }

    /// Time of a clock that counts real time though it stands.
    #[derive(Debug)]
    struct Real(ManualClock);

    impl Clock for Real {
        fn now(&self) -> Timestamp {
            self.0.now()
        }

        fn real_until(&self, at: Timestamp) -> Duration {
            at.since(self.now())
        }

        fn speed(&self) -> tradewind_model::Ppm {
            tradewind_model::Ppm::ONE
        }
    }

    /// An order that passed the risk gate, and when.
    fn order() -> (Effect, Timestamp) {
        let mut desk = Desk::started(configuration(), StrategySource::built_in());
        desk.quote(10_000, 10_001);
        desk.command(Action::PlaceOrder {
            account: ACCOUNT,
            instrument: SPOT,
            side: Side::Buy,
            quantity: Quantity(100_000),
            kind: OrderKind::Market,
        });
        let submitted = desk.log.iter().find_map(|output| match output {
            Output::Submit(intent, order) => Some(Effect::Submit(intent.clone(), *order)),
            _ => None,
        });
        (submitted.unwrap(), desk.now)
    }

    fn executor(
        (venue, time): (&Arc<Silent>, &Arc<Still>),
        now: Timestamp,
        take_over: TakeOver,
    ) -> AccountExecutor {
        AccountExecutor::new(ExecutorParts {
            account: ACCOUNT,
            executor: Executor::new(ExecutorSettings {
                account: ACCOUNT,
                rate: None,
                instruments: Vec::new(),
                waits: Waits::default(),
                retries: RetryLimits::default(),
                seed: 0,
            }),
            venue: Arc::clone(venue) as _,
            queues: Arc::new(InputQueues::new(1)),
            take_over,
            echoes: Arc::default(),
            clock: Arc::new(Real(ManualClock::new(now))),
            time: Arc::clone(time) as _,
            stages: LatencyStages::default(),
        })
    }

    /// N11: a reading that has come to the open orders before the stream is up is marked as one of before.
    #[test]
    fn a_reading_from_before_the_stream_was_up_is_marked() {
        let (venue, time) = (Arc::new(Silent::default()), Arc::default());
        let (_, now) = order();
        let read: TakeOver = Arc::new(|_| AccountState {
            account: ACCOUNT,
            balances: Vec::new(),
            open_orders: Vec::new(),
            fills: Vec::new(),
        });
        let executor = executor((&venue, &time), now, read);
        let said = |is_up: bool, comes_up: [bool; 3]| {
            executor.echoes.set_live(ACCOUNT, is_up);
            executor.perform(&Effect::Reconcile(ACCOUNT));
            let answers = [
                VenueResponse::Balances(Vec::new()),
                VenueResponse::OpenOrders(Vec::new()),
                VenueResponse::Balances(Vec::new()),
            ];
            for (answer, comes_up) in answers.into_iter().zip(comes_up) {
                executor.echoes.set_live(ACCOUNT, comes_up);
                let id = venue.1.lock().unwrap().take().unwrap();
                executor.handle(ExecutorInput::Response(id, answer));
            }
            let mut taken = crate::driver::input_queues::Taken::default();
            executor.queues.take(&mut taken);
            let inputs = taken.batch.control.into_iter();
            let kinds = inputs.map(|input| match input {
                Input::AccountStream { .. } => "before",
                Input::Account(_) => "account",
                _ => "other",
            });
            kinds.collect::<Vec<_>>()
        };
        assert_eq!(said(false, [false; 3]), ["account"]);
        assert_eq!(said(false, [false, true, false]), ["before", "account"]);
        assert_eq!(said(false, [false, false, true]), ["before", "account"]);
        assert_eq!(said(true, [true, false, false]), ["account"], "in time");
    }

    #[test]
    fn an_order_is_at_its_venue_when_perform_returns_and_its_deadline_is_kept() {
        let (venue, time) = (Arc::new(Silent::default()), Arc::new(Still::default()));
        let (order, now) = order();
        let waits = Waits::default();
        let no_account: TakeOver = Arc::new(|_| unreachable!("no account is read"));
        let executor = executor((&venue, &time), now, no_account);
        let (_sender, responses) = mpsc::channel(1);
        let mut run = pin!(executor.run(responses, CancellationToken::new()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert_eq!(std::mem::take(&mut *time.0.lock().unwrap()), [BEAT]);

        executor.perform(&order);
        assert!(matches!(
            venue.0.lock().unwrap()[..],
            [VenueRequest::Submit(_)]
        ));
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert_eq!(*time.0.lock().unwrap(), [waits.answer_within.min(BEAT)]);
    }
}
