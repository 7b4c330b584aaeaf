//! The lives of the desk and its bots: configured, started in turn, warmed up, running, failed, back again.

use std::time::Duration;

use tradewind_events::{
    BotState, CandleSource, Configuration, EvaluationError, EventKind, Lane, Output, Outputs,
    Started, Timer, WakeRule,
};
use tradewind_model::{BotId, CandleBuilder, ClientOrderIds, Interval, Timestamp};
use tradewind_portfolio::Portfolio;
use tradewind_risk::{CauseKind, Clearing, Scope, TradingState, TradingStates};

use crate::engine::Engine;
use crate::parts::bot::{Bot, Runner};
use crate::parts::orders::Orders;
use crate::parts::wakes::Wakes;
use crate::step::market_data::Market;
use tradewind_strategy::BuildError;

use crate::step::takeover::AccountRecord;

/// Faults within this time count together.
const FAULT_WINDOW: Duration = Duration::from_secs(300);
/// So many faults within the window stop a bot until a person starts it again.
const FAULTS_MAX: usize = 3;
/// Candles beyond what a strategy needs, so that one more close during the request does no harm.
const CANDLES_SPARE: u32 = 2;

impl Engine {
    /// Takes over the configuration. Everything known before is gone; it is the first input of a journal.
    pub(crate) fn configure(&mut self, configuration: &Configuration) {
        self.orders = Orders::default();
        self.portfolio = Portfolio::default();
        self.states = TradingStates::default();
        self.config = configuration.clone();
        self.bots_scheduled = false;
        self.wakes = Wakes::new(configuration.instruments.len());
        self.bots = configuration.bots.iter().cloned().map(Bot::new).collect();
        self.accounts = configuration
            .accounts
            .iter()
            .map(|account| AccountRecord::new(account.id, configuration))
            .collect();
        for index in 0..self.bots.len() {
            // A strategy that cannot be built is told when its bot is to start.
            drop(self.build_strategy(self.bots[index].config.id));
            let bot = &self.bots[index];
            let intervals: Vec<Interval> = bot
                .warm_ups
                .iter()
                .map(|warm_up| warm_up.interval)
                .collect();
            self.wakes.add(&bot.config, &intervals);
        }
        let builders = match configuration.candles {
            CandleSource::Venue => Vec::new(),
            CandleSource::Trades => self
                .wakes
                .candle_keys()
                .map(|(of, interval)| CandleBuilder::new(of, interval))
                .collect(),
        };
        self.market = Market::new(configuration.instruments.len(), builders);
    }

    /// The desk starts: every account is read from its venue before anything may be sent.
    pub(crate) fn start(&mut self, started: &Started, out: &mut Outputs) {
        self.ids = ClientOrderIds::new(started.instance, started.epoch);
        if started.killed {
            self.open_cause(
                Scope::Desk,
                TradingState::Killed,
                CauseKind::Killed,
                Clearing::Person,
                out,
            );
        }
        for account in self.config.accounts.clone() {
            let scope = Scope::Account(account.id);
            self.open_cause(
                scope,
                TradingState::Halted,
                CauseKind::NotReconciled,
                Clearing::Itself,
                out,
            );
            out.push(Output::Reconcile(account.id));
        }
        self.set_staleness_timer(out);
        out.push(Output::SetTimer(
            self.context.at + self.config.equity_every,
            Timer::Equity,
        ));
    }

    /// Gives every bot its turn to start, one after the other; once, however often accounts are read again.
    pub(crate) fn schedule_bots(&mut self, out: &mut Outputs) {
        if std::mem::replace(&mut self.bots_scheduled, true) {
            return;
        }
        let mut at = self.context.at;
        for index in 0..self.bots.len() {
            let bot = self.bots[index].config.id;
            if self.bots[index].state != BotState::Stopped {
                continue;
            }
            if !self.bots[index].config.starts {
                self.set_state(bot, BotState::Stopped, "not set to start", out);
                continue;
            }
            self.set_state(bot, BotState::Starting, "waiting for its turn", out);
            out.push(Output::SetTimer(at, Timer::BotStart(bot)));
            at = at + self.config.stagger;
        }
    }

    pub(crate) fn start_bot(&mut self, bot: BotId, out: &mut Outputs) {
        let Some(runtime) = self.bots.get(bot.index()) else {
            return;
        };
        if !matches!(runtime.state, BotState::Starting) {
            return;
        }
        let instruments = runtime.config.instruments.clone();
        if instruments
            .iter()
            .all(|instrument| !self.config.instruments[instrument.index()].has_data())
        {
            return self.set_state(bot, BotState::Stopped, "no data", out);
        }
        if let Err(error) = self.build_strategy(bot) {
            return self.set_state(bot, BotState::Faulted, &error.to_string(), out);
        }
        if matches!(self.bots[bot.index()].runner, Runner::Remote { .. }) {
            out.push(Output::ResetLane(bot));
        }
        self.set_state(bot, BotState::Warming, "waiting for past candles", out);
        for (slot, instrument) in instruments.iter().enumerate() {
            self.bots[bot.index()].slots[slot].forget_candles();
            if self.config.instruments[instrument.index()].has_data() {
                self.request_warm_up(bot, slot, out);
            }
        }
        self.warmed(bot, out);
    }

    fn request_warm_up(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        let needed = self.bots[bot.index()]
            .warm_ups
            .iter()
            .filter(|warm_up| warm_up.candles > 0);
        let intervals: Vec<Interval> = needed.map(|warm_up| warm_up.interval).collect();
        for interval in intervals {
            self.bots[bot.index()].slots[slot].awaiting.push(interval);
            self.request_candles(bot, slot, interval, out);
        }
    }

    /// Builds a bot's strategy anew, with nothing in it.
    fn build_strategy(&mut self, bot: BotId) -> Result<(), BuildError> {
        let runtime = &mut self.bots[bot.index()];
        let strategy = self.strategies.build(&runtime.config)?;
        runtime.warm_ups = strategy.timeframes();
        runtime.runner = match runtime.config.lane {
            Lane::Inline => Runner::Inline(Some(strategy)),
            // The copy here only told what it wants to be fed with; the one that is asked lives in its lane.
            Lane::Thread => Runner::Remote {
                pending: None,
                last_request: runtime.runner.last_request(),
                reset_at: runtime.runner.last_request(),
            },
        };
        Ok(())
    }

    pub(crate) fn request_candles(
        &self,
        bot: BotId,
        slot: usize,
        interval: Interval,
        out: &mut Outputs,
    ) {
        let runtime = &self.bots[bot.index()];
        let needed = runtime
            .warm_ups
            .iter()
            .find(|warm_up| warm_up.interval == interval);
        let count = needed.map_or(1, |warm_up| warm_up.candles) + CANDLES_SPARE;
        out.push(Output::RequestCandles {
            instrument: runtime.slots[slot].instrument,
            interval,
            count,
        });
    }

    /// A bot that has all its past candles goes to work.
    pub(crate) fn warmed(&mut self, bot: BotId, out: &mut Outputs) {
        let runtime = &self.bots[bot.index()];
        if runtime.state == BotState::Warming && runtime.is_warm() {
            let paused = std::mem::take(&mut self.bots[bot.index()].resumes_paused);
            match paused {
                true => self.set_state(bot, BotState::Paused, "paused before a fault", out),
                false => self.set_state(bot, BotState::Running, "warm", out),
            }
            self.set_bot_timer(bot, out);
        }
    }

    /// Sets the next wake of a bot's own interval, aligned to the clock.
    pub(crate) fn set_bot_timer(&mut self, bot: BotId, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        let every = runtime.config.wakes.iter().find_map(|wake| match wake {
            WakeRule::Every(every) => Some(*every),
            WakeRule::Quotes | WakeRule::Candles(_) => None,
        });
        runtime.next_timer = every.map(|every| next_multiple(self.context.at, every));
        if let Some(at) = runtime.next_timer {
            out.push(Output::SetTimer(at, Timer::BotWake(bot)));
        }
    }

    /// A strategy failed. Its own errors are announced and it goes on; a panic or an overrun is a fault.
    pub(crate) fn fail_bot(&mut self, bot: BotId, error: &EvaluationError, out: &mut Outputs) {
        let now = self.context.at;
        let (text, is_fault) = match error {
            EvaluationError::Error(text) => (text.clone(), false),
            EvaluationError::Panic(text) => (format!("panicked: {text}"), true),
            EvaluationError::Overrun => ("took longer than it may".to_owned(), true),
        };
        let runtime = &mut self.bots[bot.index()];
        runtime.stats.errors += 1;
        self.counters.totals.bot_errors += 1;
        if is_fault {
            runtime.faults.retain(|at| now.since(*at) < FAULT_WINDOW);
            runtime.faults.push_back(now);
        }
        let faults = u32::try_from(runtime.faults.len()).unwrap_or(u32::MAX);
        let cause = self.context.cause(out);
        self.context.emit(
            out,
            cause,
            EventKind::BotError {
                bot,
                error: text.clone(),
                faults,
            },
        );
        // One that a person stopped stays stopped, whatever its last answer was.
        if !is_fault || self.bots[bot.index()].state == BotState::Stopped {
            return;
        }
        self.cancel_entries(|order| order.bot.is_some_and(|(of, _)| of == bot), out);
        let was_paused = self.bots[bot.index()].state == BotState::Paused;
        self.bots[bot.index()].resumes_paused |= was_paused;
        let count = self.bots[bot.index()].faults.len();
        if count >= FAULTS_MAX {
            let reason =
                format!("{text}; {count} faults in five minutes, a person must start it again");
            out.push(Output::CancelTimer(Timer::BotRetry(bot)));
            return self.set_state(bot, BotState::Faulted, &reason, out);
        }
        self.set_state(bot, BotState::Faulted, &text, out);
        let back_off = Duration::from_secs(1 << (count - 1));
        out.push(Output::SetTimer(now + back_off, Timer::BotRetry(bot)));
    }

    /// Forgets what another lane was asked, and every return that was planned.
    pub(crate) fn forget_request(&mut self, bot: BotId, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        runtime.resumes_paused = false;
        if let Runner::Remote { pending, .. } = &mut runtime.runner {
            *pending = None;
        }
        out.push(Output::CancelTimer(Timer::EvaluationDeadline(bot)));
        out.push(Output::CancelTimer(Timer::BotRetry(bot)));
    }

    /// A faulted bot comes back, with a new strategy.
    pub(crate) fn retry_bot(&mut self, bot: BotId, out: &mut Outputs) {
        let Some(runtime) = self.bots.get(bot.index()) else {
            return;
        };
        if runtime.state == BotState::Faulted && runtime.faults.len() < FAULTS_MAX {
            self.set_state(bot, BotState::Starting, "back after a fault", out);
            self.start_bot(bot, out);
        }
    }

    /// Changes a bot's state and announces it; nothing if it is the same for the same reason.
    pub(crate) fn set_state(&mut self, bot: BotId, to: BotState, reason: &str, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        let from = std::mem::replace(&mut runtime.state, to);
        if from == to && runtime.state_reason == reason {
            return;
        }
        reason.clone_into(&mut runtime.state_reason);
        runtime.since = self.context.at;
        let changed = EventKind::BotStateChanged {
            bot,
            from,
            to,
            reason: reason.to_owned(),
        };
        self.context.emit(out, None, changed);
    }
}

/// The first multiple of `every` since the epoch that lies after `now`.
fn next_multiple(now: Timestamp, every: Duration) -> Timestamp {
    let step = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX).max(1);
    let next = (now.as_nanos().div_euclid(step))
        .saturating_add(1)
        .saturating_mul(step);
    Timestamp::from_nanos(next)
}
