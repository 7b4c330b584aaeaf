//! The engine: its state and its one verb.

use tradewind_events::{Configuration, EventKind, Input, Outputs, StorageHealth, Timer};
use tradewind_model::{ClientOrderIds, Timestamp};
use tradewind_portfolio::Portfolio;
use tradewind_risk::{Cause, CauseKind, Clearing, Scope, TradingState, TradingStates};

use crate::context::StepContext;
use crate::parts::bot::Bot;
use crate::parts::orders::Orders;
use crate::parts::wakes::Wakes;
use crate::step::commands::CommandLog;
use crate::step::market_data::Market;
use crate::step::takeover::AccountRecord;
use crate::strategy_source::StrategySource;
use crate::view::Counters;

/// All trading state, and the rules by which it changes.
#[derive(Debug)]
pub struct Engine {
    pub(crate) strategies: StrategySource,
    pub(crate) context: StepContext,
    pub(crate) config: Configuration,
    pub(crate) market: Market,
    pub(crate) wakes: Wakes,
    pub(crate) bots: Vec<Bot>,
    /// OrderThrottle and memory of orders placed by hand.
    pub(crate) by_hand: crate::step::submission::OrderThrottle,
    pub(crate) orders: Orders,
    pub(crate) portfolio: Portfolio,
    pub(crate) accounts: Vec<AccountRecord>,
    pub(crate) states: TradingStates,
    pub(crate) ids: ClientOrderIds,
    pub(crate) commands: CommandLog,
    /// Whether the bots were given their turns to start, which happens once.
    pub(crate) bots_scheduled: bool,
    pub(crate) counters: Counters,
}

impl Engine {
    /// An engine that has seen nothing. Its first inputs are [`Input::Configured`] and [`Input::Started`].
    #[must_use]
    pub fn new(strategies: StrategySource) -> Self {
        Self {
            strategies,
            context: StepContext::default(),
            config: empty_configuration(),
            market: Market::default(),
            wakes: Wakes::default(),
            bots: Vec::new(),
            by_hand: crate::step::submission::OrderThrottle::default(),
            orders: Orders::default(),
            portfolio: Portfolio::default(),
            accounts: Vec::new(),
            states: TradingStates::default(),
            ids: ClientOrderIds::new(0, 0),
            commands: CommandLog::default(),
            bots_scheduled: false,
            counters: Counters::default(),
        }
    }

    /// An engine whose inputs are numbered from behind `seq`: one that continues a journal.
    #[must_use]
    pub fn after(strategies: StrategySource, seq: u64) -> Self {
        let mut engine = Self::new(strategies);
        engine.context.seq = seq;
        engine
    }

    /// Handles one input and appends what is to be done to `out`.
    ///
    /// `at` is the driver's time; an earlier one than before counts as the same. Nothing here fails: what is wrong with
    /// an input becomes an event.
    pub fn handle(&mut self, at: Timestamp, input: &Input, out: &mut Outputs) {
        self.context.advance(at);
        match input {
            Input::Quote(quote) => self.on_quote(quote, out),
            Input::Trade(trade) => self.on_trade(trade, out),
            Input::Candle(candle) => self.on_candle(candle, out),
            Input::Depth(depth) => self.market.keep_depth(depth),
            Input::Candles(history) => self.on_history(history, out),
            Input::Health { instrument, health } => self.on_health(*instrument, *health, out),
            Input::InstrumentChanged(instrument) => self.on_instrument(instrument),
            Input::TradesLost { count } => self.on_trades_lost(*count, out),
            Input::Report(report) => self.on_report(report, out),
            Input::Account(state) => self.on_account(state, out),
            Input::Funding(funding) => self.on_funding(funding),
            Input::Evaluation(evaluation) => self.on_evaluation(evaluation, out),
            Input::Command(command) => self.on_command(command, out),
            Input::Timer(timer) => self.on_timer(*timer, out),
            Input::Configured(configuration) => self.configure(configuration),
            Input::Started(started) => self.start(started, out),
            Input::Storage(health) => self.on_storage(*health, out),
            Input::Resync => self.on_resync(out),
            Input::QueueOverflow {
                subscriber,
                dropped,
            } => {
                let (subscriber, dropped) = (subscriber.to_string(), *dropped);
                self.context.emit(
                    out,
                    None,
                    EventKind::QueueOverflow {
                        subscriber,
                        dropped,
                    },
                );
            }
            Input::Stopping => self.on_stopping(out),
        }
    }

    /// Number of the last input handled.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.context.seq
    }

    /// Time of the last input handled.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.context.at
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Outputs) {
        match timer {
            Timer::BotStart(bot) => self.start_bot(bot, out),
            Timer::BotWake(bot) => self.on_bot_timer(bot, out),
            Timer::BotRetry(bot) => self.retry_bot(bot, out),
            Timer::EvaluationDeadline(bot) => self.on_evaluation_deadline(bot, out),
            Timer::OrderTimeout(id) => self.on_order_timeout(id, out),
            Timer::PositionAge(bot, instrument) => self.on_position_age(bot, instrument, out),
            Timer::ExitRetry(bot, instrument) => self.on_exit_retry(bot, instrument, out),
            Timer::Equity => self.on_equity_timer(out),
            Timer::CandleClose => self.on_candle_close(out),
            Timer::Staleness => self.on_staleness(out),
        }
    }

    fn on_storage(&mut self, health: StorageHealth, out: &mut Outputs) {
        match health {
            StorageHealth::Behind => {
                self.open_cause(
                    Scope::Desk,
                    TradingState::Halted,
                    CauseKind::EventLogBehind,
                    Clearing::Itself,
                    out,
                );
            }
            StorageHealth::Writing => {
                self.close_cause(Scope::Desk, &CauseKind::EventLogBehind, out)
            }
        }
    }

    fn on_stopping(&mut self, out: &mut Outputs) {
        self.open_cause(
            Scope::Desk,
            TradingState::Reducing,
            CauseKind::Stopping,
            Clearing::Itself,
            out,
        );
        self.cancel_entries(|_| true, out);
        self.context.emit(out, None, EventKind::DeskStopping);
    }

    /// Opens a cause and announces it, if it is new.
    pub(crate) fn open_cause(
        &mut self,
        scope: Scope,
        state: TradingState,
        reason: CauseKind,
        clearing: Clearing,
        out: &mut Outputs,
    ) {
        let cause = Cause {
            scope,
            state,
            reason,
            since: self.context.at,
            clearing,
        };
        if self.states.open(cause.clone()) {
            let event = EventKind::TradingStateChanged {
                scope,
                state,
                cause: Some(cause),
            };
            self.context.emit(out, None, event);
        }
    }

    /// Ends a cause and announces what the desk's state is now, if it was open.
    pub(crate) fn close_cause(&mut self, scope: Scope, reason: &CauseKind, out: &mut Outputs) {
        if self.states.close(scope, reason) {
            let state = self.states.at(scope);
            self.context.emit(
                out,
                None,
                EventKind::TradingStateChanged {
                    scope,
                    state,
                    cause: None,
                },
            );
        }
    }
}

fn empty_configuration() -> Configuration {
    Configuration {
        assets: tradewind_model::AssetTable::default(),
        report_asset: tradewind_model::AssetId(0),
        venues: Vec::new(),
        accounts: Vec::new(),
        instruments: Vec::new(),
        bots: Vec::new(),
        limits: tradewind_risk::Limits::default(),
        fee: tradewind_model::Ppm::ZERO,
        stagger: std::time::Duration::ZERO,
        stale_after: std::time::Duration::from_secs(10),
        equity_every: std::time::Duration::from_secs(10),
        candles: tradewind_events::CandleSource::Venue,
        announce_quotes: false,
    }
}
