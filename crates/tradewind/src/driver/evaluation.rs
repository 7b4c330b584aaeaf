//! Thread lanes: strategies that may be slow run here, one thread each, and answer the engine by an input.
//!
//! For trusted code only: a thread cannot be stopped from outside. The engine's deadline detects one that spins for ever
//! and reports it; the bot stays down and the thread is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tradewind_events::{
    BotConfig, Configuration, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest,
    Input, Lane, ReadData,
};
use tradewind_model::{BotId, Instrument, InstrumentId};
use tradewind_process::Processes;
use tradewind_strategy::{
    BuildError, Evaluated, FeedStatus, MarketReader, Reading, Reads, Role, Strategy, View, evaluate,
};

use super::process_lane::{ProcessWorker, outcome};
use crate::driver::input_queues::InputQueues;

/// Requests that wait for one strategy beside its past candles.
const REQUESTS_MAX: usize = 8_192;

/// How many requests may wait for a bot's strategy: its past candles come at once, and after a fault once more.
fn requests_max(bot: &BotConfig) -> usize {
    let timeframes = bot.process.as_deref().map(|one| one.timeframes.as_slice());
    let candles = timeframes
        .unwrap_or_default()
        .iter()
        .map(|(_, candles)| *candles as usize);
    let instruments = bot.instruments.len() + bot.reads.len();
    REQUESTS_MAX + 2 * instruments * candles.sum::<usize>()
}

/// Builds the strategy of a bot that runs in a thread lane.
pub type LaneFactory =
    Arc<dyn Fn(&BotConfig) -> Result<Box<dyn Strategy>, BuildError> + Send + Sync>;

pub(super) enum Message {
    Evaluate(Box<EvaluationRequest>),
    Reset,
}

/// A strategy that runs neither in the engine nor in a thread of the desk, such as one of a simulation. It answers by
/// [`Input::Evaluation`] when it likes, or never.
pub trait LaneElsewhere: Send {
    /// Takes a request; returns at once.
    fn evaluate(&self, request: Box<EvaluationRequest>);

    /// Begins anew, without what it remembers.
    fn reset(&self);
}

/// All lanes of the desk.
#[derive(Default)]
pub struct EvaluationLanes {
    lanes: BTreeMap<BotId, Sender<Message>>,
    elsewhere: BTreeMap<BotId, Box<dyn LaneElsewhere>>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for EvaluationLanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvaluationLanes")
            .field("lanes", &self.lanes.len())
            .finish_non_exhaustive()
    }
}

impl EvaluationLanes {
    /// Starts a thread for each bot whose configuration requests one.
    ///
    /// # Errors
    /// If the system gives no more threads.
    pub fn start(
        configuration: &Arc<Configuration>,
        factory: &LaneFactory,
        inputs: &Arc<InputQueues>,
    ) -> std::io::Result<Self> {
        Self::start_with(configuration, factory, inputs, &BTreeMap::new())
    }

    /// The same, with what strategies of processes handed in before.
    ///
    /// # Errors
    /// If the system gives no more threads.
    pub fn start_with(
        configuration: &Arc<Configuration>,
        factory: &LaneFactory,
        inputs: &Arc<InputQueues>,
        states: &BTreeMap<BotId, Vec<u8>>,
    ) -> std::io::Result<Self> {
        let mut all = Self::default();
        let processes = Arc::<Processes>::default();
        for bot in &configuration.bots {
            let (sender, receiver) = bounded(requests_max(bot));
            let thread = thread::Builder::new().name(format!("lane-{}", bot.name));
            let thread = match bot.lane {
                Lane::Inline => continue,
                Lane::Thread => {
                    let worker = Worker {
                        bot: bot.clone(),
                        configuration: Arc::clone(configuration),
                        factory: Arc::clone(factory),
                        inputs: Arc::clone(inputs),
                        strategy: None,
                    };
                    thread.spawn(move || worker.run(&receiver))?
                }
                Lane::Process => {
                    let worker = ProcessWorker {
                        bot: bot.clone(),
                        configuration: Arc::clone(configuration),
                        inputs: Arc::clone(inputs),
                        processes: Arc::clone(&processes),
                        state: states.get(&bot.id).cloned().unwrap_or_default(),
                    };
                    thread.spawn(move || worker.run(&receiver))?
                }
            };
            all.threads.push(thread);
            all.lanes.insert(bot.id, sender);
        }
        Ok(all)
    }

    /// Has the strategy of a bot run elsewhere.
    #[must_use]
    pub fn with(mut self, bot: BotId, lane: Box<dyn LaneElsewhere>) -> Self {
        self.elsewhere.insert(bot, lane);
        self
    }

    /// Hands a request to its lane. A full lane counts as an overrun of its strategy.
    pub fn evaluate(&self, request: Box<EvaluationRequest>, inputs: &InputQueues) {
        let (bot, number) = (request.bot, request.request);
        if let Some(lane) = self.elsewhere.get(&bot) {
            return lane.evaluate(request);
        }
        let Some(lane) = self.lanes.get(&bot) else {
            return;
        };
        if let Err(TrySendError::Full(_)) = lane.try_send(Message::Evaluate(request)) {
            let outcome = EvaluationOutcome::Failed(EvaluationError::Overrun);
            inputs.control(Input::Evaluation(Box::new(Evaluation {
                bot,
                request: number,
                outcome,
            })));
        }
    }

    /// Has a lane's strategy rebuilt.
    pub fn reset(&self, bot: BotId) {
        if let Some(lane) = self.elsewhere.get(&bot) {
            lane.reset();
        }
        if let Some(lane) = self.lanes.get(&bot) {
            // A lane that is full of requests is overrun and will be reset again when its bot comes back.
            drop(lane.try_send(Message::Reset));
        }
    }

    /// Ends every lane that is idle; one that is busy is left behind, since nothing can stop it.
    pub fn stop(self) {
        drop(self.lanes);
        for thread in self.threads.into_iter().filter(JoinHandle::is_finished) {
            drop(thread.join());
        }
    }
}

struct Worker {
    bot: BotConfig,
    configuration: Arc<Configuration>,
    factory: LaneFactory,
    inputs: Arc<InputQueues>,
    strategy: Option<Box<dyn Strategy>>,
}

impl Worker {
    fn run(mut self, requests: &Receiver<Message>) {
        for message in requests {
            match message {
                Message::Reset => self.strategy = None,
                Message::Evaluate(request) => {
                    let outcome = self.evaluate(&request);
                    let silent =
                        !request.decide && matches!(outcome, EvaluationOutcome::Decided(_));
                    if !silent {
                        let answer = Evaluation {
                            bot: self.bot.id,
                            request: request.request,
                            outcome,
                        };
                        self.inputs.control(Input::Evaluation(Box::new(answer)));
                    }
                }
            }
        }
    }

    fn evaluate(&mut self, request: &EvaluationRequest) -> EvaluationOutcome {
        let mut strategy = match self
            .strategy
            .take()
            .map_or_else(|| (self.factory)(&self.bot), Ok)
        {
            Ok(strategy) => strategy,
            Err(error) => {
                return EvaluationOutcome::Failed(EvaluationError::Error(error.to_string()));
            }
        };
        let evaluated = call(strategy.as_mut(), request, &self.bot, &self.configuration);
        if !matches!(evaluated, Evaluated::Panicked(_)) {
            self.strategy = Some(strategy);
        }
        outcome(evaluated)
    }
}

/// Calls a strategy with what a request holds.
pub(super) fn call(
    strategy: &mut dyn Strategy,
    request: &EvaluationRequest,
    bot: &BotConfig,
    configuration: &Configuration,
) -> Evaluated {
    let instrument = &configuration.instruments[request.instrument.index()];
    let market = ReadMarket {
        instruments: &configuration.instruments,
        data: &request.reads,
    };
    let view = view(request, instrument, bot, &market);
    evaluate(strategy, &view, request.wake, request.candle.as_ref())
}

fn view<'a>(
    request: &'a EvaluationRequest,
    instrument: &'a Instrument,
    bot: &'a BotConfig,
    market: &'a ReadMarket<'a>,
) -> View<'a> {
    let known = bot.instruments.iter().chain(&bot.reads);
    let slot = known
        .enumerate()
        .find(|(_, id)| **id == request.instrument)
        .map(|(slot, _)| slot)
        .unwrap_or_default();
    View {
        at: request.at,
        instrument,
        slot,
        role: match bot.instruments.contains(&request.instrument) {
            true => Role::Traded,
            false => Role::Read,
        },
        quote: request.quote.as_ref(),
        position: request.position,
        budget: request.budget,
        reads: Reads::new(&bot.reads, market),
        feed: FeedStatus {
            health: request.feed.0,
            since: request.feed.1,
        },
        numbers: &request.numbers,
        depth: request.depth.as_ref(),
        exposure: request.exposure,
        // Strategies that outside processes steer run in the engine's thread.
        standing: None,
        carried_out: request.carried_out,
        last_entry: request.last_entry,
        members: request.members.as_deref(),
    }
}

/// What a request has of the instruments that its bot only reads.
#[derive(Debug)]
struct ReadMarket<'a> {
    instruments: &'a [Instrument],
    data: &'a [ReadData],
}

impl MarketReader for ReadMarket<'_> {
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>> {
        let mut data = self.data.iter();
        let data = data.find(|data| data.instrument == instrument)?;
        Some(Reading {
            instrument: self.instruments.get(instrument.index())?,
            health: data.health,
            quote: data.quote.as_ref(),
            depth: data.depth.as_ref(),
            trades: &data.trades,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::StrategyProcess;
    use tradewind_model::Interval;

    #[test]
    fn the_past_candles_of_a_wide_bot_fit_twice() {
        let process = StrategyProcess {
            kind: "python".to_owned(),
            file: String::new(),
            class: String::new(),
            hash: String::new(),
            interpreter: String::new(),
            timeframes: vec![(Interval::Minute1, 5_000), (Interval::Hour1, 5_000)],
            has_signals: false,
            deadline: std::time::Duration::from_secs(2),
            memory_bytes: 1,
            group: None,
        };
        let bot = BotConfig {
            instruments: vec![InstrumentId(0); 30],
            process: Some(Box::new(process)),
            ..tradewind_testkit::bot(0)
        };
        assert!(requests_max(&bot) > 2 * 30 * 10_000);
    }
}
