//! The driver's effects under a virtual clock: orders go straight into the matching core, histories come from what was
//! played, events are counted.

use std::collections::VecDeque;

use tradewind_driver::{Effect, Effects};
use tradewind_events::{
    BookRead, CommandId, CommandResult, Configuration, EvaluationRequest, Event, Input,
};
use tradewind_model::{BotId, Timestamp};

use crate::candle_cache::CandleCache;
use crate::counters::Counters;
use crate::error::BacktestError;
use crate::levels::{Ambiguity, Levels};
use crate::link::{Link, Request};
use crate::setup::Setup;

/// The exchange, the way to it, and what is kept of the run.
#[derive(Debug)]
pub(crate) struct DirectEffects {
    pub(crate) link: Link,
    pub(crate) candles: CandleCache,
    pub(crate) levels: Levels,
    pub(crate) ambiguity: Ambiguity,
    pub(crate) counters: Counters,
    pub(crate) configuration: Configuration,
    /// Accounts and histories that the engine requested.
    answers: VecDeque<Input>,
}

impl DirectEffects {
    pub(crate) fn new(setup: Setup) -> Result<Self, BacktestError> {
        let mut candles = CandleCache::default();
        setup.past.iter().for_each(|candle| candles.keep(candle));
        Ok(Self {
            link: Link::new(&setup)?,
            candles,
            levels: Levels::default(),
            ambiguity: Ambiguity::default(),
            counters: Counters::new(setup.fills_kept),
            configuration: setup.configuration,
            answers: VecDeque::new(),
        })
    }
}

impl Effects for DirectEffects {
    fn perform(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Submit(intent, order) => self.link.submit(now, &intent, order.terms()),
            Effect::Cancel {
                account,
                instrument,
                client_id,
                ..
            } => {
                let request = Request::Cancel(account, instrument, client_id);
                self.link.send(now, request);
            }
            Effect::Query {
                account,
                instrument,
                client_id,
            } => {
                let request = Request::Query(account, instrument, client_id);
                self.link.send(now, request);
            }
            // An order leaves within the turn that decided it, and reports come by themselves.
            Effect::Withdraw { .. } | Effect::RenewStream(_) => {}
            Effect::Book { instrument, .. } => {
                let depth = self.link.book(now, instrument);
                let read = BookRead { instrument, depth };
                self.answers.push_back(Input::Book(Box::new(read)));
            }
            Effect::Reconcile(account) | Effect::Sweep(account) => {
                let state = self.link.account(account, &self.configuration);
                self.answers.push_back(Input::Account(Box::new(state)));
            }
            Effect::Candles {
                instrument,
                interval,
                count,
            } => {
                let history = self.candles.newest(instrument, interval, count);
                self.answers.push_back(Input::Candles(Box::new(history)));
            }
        }
    }

    #[inline]
    fn publish(&mut self, event: &Event) {
        self.counters.note(event, self.configuration.accounts.len());
        self.ambiguity.note(event, &self.configuration.instruments);
        self.levels.note(event);
    }

    #[inline]
    fn next_answer(&mut self, answer: &mut Input) -> bool {
        (!self.link.arrived.is_empty() || !self.answers.is_empty()) && self.take_answer(answer)
    }

    #[inline]
    fn next_due(&self) -> Option<Timestamp> {
        self.link.next_at()
    }

    fn deliver(&mut self, now: Timestamp) -> bool {
        let is_due = self.link.next_at().is_some_and(|due| due <= now);
        if is_due {
            self.link.deliver();
        }
        is_due
    }

    // Every strategy is in the engine's own lane, and nobody gives commands.
    fn evaluate(&mut self, _: Box<EvaluationRequest>) {}

    fn reset(&mut self, _: BotId) {}

    fn reply(&mut self, _: CommandId, _: CommandResult) {}
}

impl DirectEffects {
    /// The next answer: a report before an account or a history. Out of line, since most inputs have none.
    #[inline(never)]
    fn take_answer(&mut self, answer: &mut Input) -> bool {
        if let Some(report) = self.link.arrived.pop_front() {
            match answer {
                Input::Report(place) => **place = report,
                place => *place = Input::Report(Box::new(report)),
            }
            return true;
        }
        let Some(next) = self.answers.pop_front() else {
            return false;
        };
        *answer = next;
        true
    }
}
