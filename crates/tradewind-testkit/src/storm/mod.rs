//! Inputs of every kind from a seed: a random market, a venue that answers in any order and sometimes twice, commands,
//! late lanes, and sometimes invalid inputs.

mod desk;
mod market;
mod people;
mod venue;

use std::time::Duration;

use tradewind_driver::Timers;
use tradewind_events::{
    Action, CandleHistory, CommandResult, EvaluationRequest, EventKind, Input, Output, Started,
};
use tradewind_model::{Candle, ExecutionReport, OrderTerms, Side, Timestamp};

use crate::fixtures::START;

/// Open orders that are kept for reports, at most.
const ORDERS_KEPT: usize = 32;

/// A source of inputs. It must be shown every output: it answers orders, requests and timers.
#[derive(Debug)]
pub struct Storm {
    dice: u64,
    at: Timestamp,
    made: u64,
    total: u64,
    bid: i64,
    minute: Timestamp,
    candle: Candle,
    orders: Vec<(OrderTerms, i64)>,
    timers: Timers,
    requests: Vec<EvaluationRequest>,
    histories: Vec<Input>,
    last_report: Option<ExecutionReport>,
    trades: u64,
    commands: u128,
    /// Number of the set of bots in force.
    bots_revision: u32,
}

impl Storm {
    /// The storm of `seed`, `total` inputs long. The desk begins to stop in the last hundredth.
    #[must_use]
    pub fn new(seed: u64, total: u64) -> Self {
        Self {
            dice: seed,
            at: START,
            made: 0,
            total,
            bid: 10_000,
            minute: START,
            candle: crate::fixtures::candle(0, 10_000),
            orders: Vec::new(),
            timers: Timers::default(),
            requests: Vec::new(),
            histories: Vec::new(),
            last_report: None,
            trades: 0,
            commands: 0,
            bots_revision: 0,
        }
    }

    /// The next input and its time, which never decreases.
    pub fn next_input(&mut self) -> (Timestamp, Input) {
        self.made += 1;
        let input = match self.made {
            1 => Input::Configured(Box::new(Self::configuration())),
            2 => Input::Started(Started {
                instance: 1,
                epoch: 1,
                killed: false,
                former: Vec::new(),
            }),
            3 => self.account(),
            made if made == self.total - self.total / 100 => Input::Stopping,
            _ => self.any(),
        };
        (self.at, input)
    }

    /// Notes the engine's outputs, to answer them later.
    pub fn observe(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Submit(intent, _) => {
                    self.orders.push((intent.terms, 0));
                    if self.orders.len() > ORDERS_KEPT {
                        self.orders.remove(0);
                    }
                }
                Output::SetTimer(at, timer) => self.timers.set(*at, *timer),
                Output::CancelTimer(timer) => self.timers.cancel(*timer),
                Output::Event(event) => self.note(&event.kind),
                Output::Evaluate(request) => self.requests.push((**request).clone()),
                Output::RequestCandles {
                    instrument,
                    interval,
                    ..
                } => {
                    let history = CandleHistory {
                        instrument: *instrument,
                        interval: *interval,
                        candles: Vec::new(),
                    };
                    self.histories.push(Input::Candles(Box::new(history)));
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, kind: &EventKind) {
        if let EventKind::Command {
            action: Action::ApplyBots(applied),
            result: CommandResult::Accepted(_),
            ..
        } = kind
        {
            self.bots_revision = applied.revision;
        }
    }

    /// Moves one tick of a quote; false if the input is none.
    pub fn nudge(input: &mut Input) -> bool {
        if let Input::Quote(quote) = input {
            quote.ask.0 += 1;
            return true;
        }
        false
    }

    fn any(&mut self) -> Input {
        self.at = self.at + Duration::from_millis(self.below(120));
        if let Some(timer) = self.timers.pop_due(self.at) {
            return Input::Timer(timer);
        }
        if self.at.since(self.minute) >= Duration::from_secs(60) {
            return self.close_minute();
        }
        if let Some(history) = self.histories.pop() {
            return history;
        }
        match self.below(1_000) {
            0..600 => self.quote(),
            600..720 => self.trade(),
            720..860 => self.report(),
            860..900 => self.evaluation(),
            900..930 => self.depth(),
            930..950 => self.command(),
            950..960 => self.funding(),
            960..975 => self.now_and_then(),
            _ => self.nonsense(),
        }
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn place(&mut self, length: usize) -> usize {
        let below = self.below(u64::try_from(length).unwrap_or(1));
        usize::try_from(below).unwrap_or(0)
    }

    /// From `-limit` to `limit`.
    fn signed(&mut self, limit: i64) -> i64 {
        let span = u64::try_from(2 * limit + 1).unwrap_or(1);
        i64::try_from(self.below(span)).unwrap_or(0) - limit
    }

    /// From 0 to `limit`, without it: SplitMix64, reduced by its remainder, which is fair enough for a storm.
    fn below(&mut self, limit: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tradewind_engine::{Engine, StrategySource};

    /// Every kind of input, by the name its `Debug` begins with.
    const KINDS: [&str; 20] = [
        "Configured",
        "Started",
        "Quote",
        "Trade",
        "Candle",
        "Depth",
        "Candles",
        "Health",
        "InstrumentChanged",
        "Report",
        "Account",
        "Funding",
        "Timer",
        "Evaluation",
        "Command",
        "Storage",
        "TradesLost",
        "QueueOverflow",
        "Resync",
        "Stopping",
    ];

    #[test]
    fn a_storm_holds_every_kind_of_input_and_makes_the_desk_trade() {
        let mut storm = Storm::new(1, 30_000);
        let mut engine = Engine::new(StrategySource::built_in());
        let (mut seen, mut outputs) = (BTreeSet::new(), Vec::new());
        for _ in 0..30_000 {
            let (at, input) = storm.next_input();
            let text = format!("{input:?}");
            let name = text.split(|letter: char| !letter.is_alphanumeric()).next();
            seen.insert(name.unwrap_or_default().to_owned());
            engine.handle(at, &input, &mut outputs);
            storm.observe(&outputs);
            outputs.clear();
        }
        for kind in KINDS {
            assert!(seen.contains(kind), "no {kind} in {seen:?}");
        }
        let counters = engine.view().counters;
        assert!(counters.fills > 50, "{counters:?}");
        assert!(
            counters.denials > 5 && counters.bot_errors > 5,
            "{counters:?}"
        );
        assert!(counters.duplicate_reports > 5, "{counters:?}");
    }
}
