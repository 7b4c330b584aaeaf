//! The shell around one account's [`Executor`]: it hands in effects, answers and the time, and carries out what comes out.
//!
//! It decides nothing. The venue's answers come back through a channel, so that they are inputs like all others.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tradewind_events::{CandleHistory, Input};
use tradewind_model::{AccountId, Clock};
use tradewind_storage::Writer;
use tradewind_venues::Venue;
use tradewind_venues::execution::{
    AccountSnapshot, Executor, ExecutorFault, ExecutorInput, ExecutorOutput, RequestId,
    VenueRequest, VenueResponse,
};

use crate::app::order_ownership::OrderOwnership;
use crate::driver::{Effect, InputQueues, LatencyStages, Stage};

/// Effects that wait for one account. When it is full the driver reports an order as not sent.
pub(crate) const EFFECTS_MAX: usize = 10_000;

/// The venue's answers on their way to the executor.
pub(crate) type Responses = mpsc::Receiver<(RequestId, VenueResponse)>;

/// One account's executor and what it works with.
#[derive(Debug)]
pub(crate) struct ExecutorTask {
    /// The account, for the log.
    pub(crate) account: AccountId,
    /// What decides.
    pub(crate) executor: Executor,
    /// Carries out requests.
    pub(crate) venue: Arc<dyn Venue>,
    /// Where answers go.
    pub(crate) queues: Arc<InputQueues>,
    /// Which bot each order was for.
    pub(crate) ownership: Arc<OrderOwnership>,
    /// The desk's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The database, which adds fills that were made while the desk was down.
    pub(crate) writer: Arc<Writer>,
    /// Where times are counted.
    pub(crate) stages: LatencyStages,
    /// When each order that has no answer yet was sent.
    pub(crate) sent: BTreeMap<RequestId, Instant>,
}

impl ExecutorTask {
    /// Runs until `stop`. Orders that wait then are reported as not sent.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(
        mut self,
        mut effects: mpsc::Receiver<Effect>,
        mut responses: Responses,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let wake = self.executor.wake_at();
            let wake = wake.map(|at| self.clock.real_until(at));
            let input = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some((id, response)) = responses.recv() => self.answered(id, response),
                effect = effects.recv() => match effect {
                    Some(effect) => input(effect),
                    None => break,
                },
                () = sleep_or_never(wake) => ExecutorInput::Tick,
            };
            self.handle(input);
        }
        self.handle(ExecutorInput::Stop);
        Ok(())
    }

    fn answered(&mut self, id: RequestId, response: VenueResponse) -> ExecutorInput {
        if let Some(sent) = self.sent.remove(&id) {
            self.stages.record(Stage::Ack, sent.elapsed());
        }
        ExecutorInput::Response(id, response)
    }

    fn handle(&mut self, input: ExecutorInput) {
        let mut out = Vec::new();
        self.executor.handle(self.clock.now(), input, &mut out);
        for output in out {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: ExecutorOutput) {
        match output {
            ExecutorOutput::Begin(id, request) => self.begin(id, request),
            ExecutorOutput::Report(report) => self.queues.control(Input::Report(Box::new(report))),
            ExecutorOutput::Account(snapshot) => self.hand_in(snapshot),
            ExecutorOutput::Candles {
                instrument,
                interval,
                candles,
            } => self.queues.control(Input::Candles(Box::new(CandleHistory {
                instrument,
                interval,
                candles,
            }))),
            ExecutorOutput::Fault(fault) => self.log(&fault),
        }
    }

    fn begin(&mut self, id: RequestId, request: VenueRequest) {
        if let VenueRequest::Submit(order) = &request {
            let age = self.clock.now().since(order.decided_at());
            self.stages.record(Stage::Send, age);
            self.sent.insert(id, Instant::now());
        }
        self.venue.begin(id, request);
    }

    fn hand_in(&self, snapshot: AccountSnapshot) {
        let state = self.ownership.attribute(snapshot);
        if !self.writer.upsert_fills(&state.fills) {
            tracing::warn!("The database is too busy; the next start adds its missing fills.");
        }
        self.queues.control(Input::Account(Box::new(state)));
    }

    fn log(&self, fault: &ExecutorFault) {
        let account = self.account.0;
        if fault.is_serious() {
            tracing::error!(account, %fault, "An executor met a fault that a person must look at.");
        } else {
            tracing::warn!(account, %fault, "An executor met a fault.");
        }
    }
}

fn input(effect: Effect) -> ExecutorInput {
    match effect {
        Effect::Submit(_, order) => ExecutorInput::Submit(order),
        Effect::Cancel {
            instrument,
            client_id,
            ..
        } => ExecutorInput::Cancel {
            instrument,
            client_id,
        },
        Effect::Query {
            instrument,
            client_id,
            ..
        } => ExecutorInput::Query {
            instrument,
            client_id,
        },
        Effect::Reconcile(_) => ExecutorInput::ReadAccount,
        Effect::Candles {
            instrument,
            interval,
            count,
        } => ExecutorInput::ReadCandles {
            instrument,
            interval,
            count,
        },
    }
}

async fn sleep_or_never(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => pending().await,
    }
}
