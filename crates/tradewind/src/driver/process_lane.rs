//! Process lanes: strategies of users' files, each in a process of its own. A thread waits for the process and kills it when it is late.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use tradewind_events::{
    BotConfig, Configuration, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest,
    Input, LaneState,
};
use tradewind_process::{LaneStrategy, Processes};
use tradewind_strategy::{Evaluated, Strategy as _, StrategyError};

use super::evaluation::{Message, call};
use crate::driver::input_queues::InputQueues;

/// Runs one bot's strategy.
pub(super) struct ProcessWorker {
    pub(super) bot: BotConfig,
    pub(super) configuration: Arc<Configuration>,
    pub(super) inputs: Arc<InputQueues>,
    pub(super) processes: Arc<Processes>,
    /// What the strategy handed in last: in an earlier run, or before its process was killed.
    pub(super) state: Vec<u8>,
}

/// Where the strategy is between two faults.
enum Run {
    /// Loaded, and not used since: a rebuild would make the same.
    Fresh(LaneStrategy),
    Used(LaneStrategy),
    /// It failed. Nothing is run until the engine has it rebuilt.
    Failed,
}

impl ProcessWorker {
    pub(super) fn run(mut self, requests: &Receiver<Message>) {
        let mut run = self.build();
        for message in requests {
            run = match (message, run) {
                (Message::Reset, Run::Fresh(strategy)) => Run::Fresh(strategy),
                (Message::Reset, Run::Used(_) | Run::Failed) => self.build(),
                (Message::Evaluate(_), Run::Failed) => Run::Failed,
                (Message::Evaluate(request), Run::Fresh(strategy) | Run::Used(strategy)) => {
                    self.evaluate(&request, strategy)
                }
            };
        }
    }

    /// A strategy whose process is loaded already, so that the first evaluation does not wait for it. What fails here fails again, and
    /// is reported, at that evaluation.
    fn build(&self) -> Run {
        let (instruments, fee) = (&self.configuration.instruments, self.configuration.fee);
        let mut strategy = match LaneStrategy::live(&self.bot, instruments, &self.processes, fee) {
            Ok(strategy) => strategy,
            Err(error) => {
                tracing::error!(bot = self.bot.name, %error, "A strategy cannot be built.");
                return Run::Failed;
            }
        };
        if !self.state.is_empty()
            && let Err(error) = strategy.restore(&self.state)
        {
            tracing::warn!(bot = self.bot.name, %error, "The state of a strategy was not taken over.");
        }
        if let Err(error) = strategy.load() {
            tracing::error!(bot = self.bot.name, %error, "A strategy's process cannot be used.");
        }
        Run::Fresh(strategy)
    }

    fn evaluate(&mut self, request: &EvaluationRequest, mut strategy: LaneStrategy) -> Run {
        let evaluated = call(&mut strategy, request, &self.bot, &self.configuration);
        let is_failed = matches!(
            evaluated,
            Evaluated::Failed(StrategyError::Process(_)) | Evaluated::Panicked(_)
        );
        if let Some(state) = strategy.take_state() {
            self.state.clone_from(&state);
            self.inputs.control(Input::LaneState(Box::new(LaneState {
                bot: self.bot.id,
                request: request.request,
                state,
            })));
        }
        let outcome = outcome(evaluated);
        if request.decide || !matches!(outcome, EvaluationOutcome::Decided(_)) {
            self.inputs.control(Input::Evaluation(Box::new(Evaluation {
                bot: self.bot.id,
                request: request.request,
                outcome,
            })));
        }
        if is_failed {
            Run::Failed
        } else {
            Run::Used(strategy)
        }
    }
}

/// A result in the words of all lanes.
pub(super) fn outcome(evaluated: Evaluated) -> EvaluationOutcome {
    EvaluationOutcome::Failed(match evaluated {
        Evaluated::Decided(decision) => return EvaluationOutcome::Decided(decision),
        Evaluated::Failed(StrategyError::Process(text)) => EvaluationError::Process(text),
        Evaluated::Failed(error) => EvaluationError::Error(error.to_string()),
        Evaluated::NotTraded(name) => EvaluationError::NotTraded(name),
        Evaluated::Panicked(message) => EvaluationError::Panic(message),
    })
}
