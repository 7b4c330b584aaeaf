//! The engine: its state in parts, and the one method that changes it.

use tradewind_events::{Configuration, DeskView, EventKind, Input, LaneState, Outputs, Timer};
use tradewind_model::{AccountId, BotId, InstrumentId, Price, Timestamp, TradeId};

use crate::parts::Parts;
use crate::parts::exit_monitor::ExitMonitor;
use crate::recover::{RecoveredPart, recovered_parts};
use crate::state::{EngineState, RestoreError, Snapshot, restore, save};
use crate::step::alarms::raise;
use crate::step::{
    account_stream, adoption, breakers, budgets, candles, causes, commands, components, configure,
    confirmation, equity, evaluation, exits, flatten, funding, lifecycle, market_data, monitoring,
    order_entry, protection, reports, submission, takeover, targets, universe,
};
use crate::strategy_source::StrategySource;
use crate::view::desk_view;

/// All trading state, and the rules by which it changes.
#[derive(Debug)]
pub struct Engine {
    parts: Parts,
    snapshot: Option<Snapshot>,
}

impl Engine {
    /// An engine that has seen nothing. Its first inputs are [`Input::Configured`] and [`Input::Started`].
    #[must_use]
    pub fn new(strategies: StrategySource) -> Self {
        Self::after(strategies, 0)
    }

    /// An engine whose inputs are numbered from behind `seq`.
    #[must_use]
    pub fn after(strategies: StrategySource, seq: u64) -> Self {
        Self {
            parts: Parts::new(strategies, seq),
            snapshot: None,
        }
    }

    /// Handles one input and appends what is to be done to `out`.
    ///
    /// `at` is the driver's time; an earlier one than before counts as the same. Nothing here fails: what is wrong with
    /// an input becomes an event.
    pub fn handle(&mut self, at: Timestamp, input: &Input, out: &mut Outputs) {
        let parts = &mut self.parts;
        parts.context.advance(at);
        match input {
            Input::Quote(quote) => market_data::on_quote(parts, quote, out),
            Input::Trade(trade) => candles::on_trade(parts, trade, out),
            Input::Candle(candle) => candles::on_candle(parts, candle, out),
            Input::Depth(depth) => parts.market.keep_depth(depth),
            Input::Book(read) => confirmation::on_book(parts, read, out),
            Input::Candles(history) => candles::on_history(parts, history, out),
            Input::Health {
                instrument,
                health,
                received_at,
            } => market_data::on_reported_health(parts, *instrument, *health, *received_at, out),
            Input::InstrumentChanged(changed) => market_data::on_instrument(parts, changed, out),
            Input::CandlesMissing {
                instrument,
                interval,
                from,
                to,
            } => candles::on_candles_missing(parts, (*instrument, *interval), (*from, *to), out),
            Input::TradesLost { count } => candles::on_trades_lost(parts, *count, out),
            Input::Report(report) => reports::on_report(parts, report, out),
            Input::Account(state) => {
                let endings = takeover::on_account(parts, state, out);
                reports::follow_up_all(parts, endings, out);
                protection::cover_account(parts, state.account, out);
                adoption::adopt_by_rule(parts, state, out);
            }
            Input::AccountFills(page) => {
                let endings = takeover::on_fills(parts, page, out);
                reports::follow_up_all(parts, endings, out);
            }
            Input::Funding(funding) => funding::on_funding(parts, funding, out),
            Input::Series(point) => parts.market.keep_series(point),
            // Journaled for the ledger of contracts, which does not compare positions with the venue's yet.
            Input::Positions(_) => {}
            Input::Evaluation(evaluation) => evaluation::on_evaluation(parts, evaluation, out),
            Input::LaneState(state) => evaluation::on_lane_state(parts, state),
            Input::Command(command) => commands::on_command(parts, command, out),
            Input::Timer(timer) => on_timer(parts, *timer, out),
            Input::Configured(configuration) => configure::on_configured(parts, configuration, out),
            Input::Started(started) => lifecycle::on_started(parts, started, out),
            Input::Storage(health) => causes::on_storage(parts, *health, out),
            Input::Resync => reports::on_resync(parts, out),
            Input::QueueOverflow {
                subscriber,
                dropped,
            } => {
                let overflow = EventKind::QueueOverflow {
                    subscriber: subscriber.to_string(),
                    dropped: *dropped,
                };
                parts.emit(None, overflow, out);
            }
            Input::Stopping => causes::on_stopping(parts, out),
            Input::AccountStream { account, change } => {
                account_stream::on_account_stream(parts, *account, change, out);
            }
            Input::SafeMode => causes::on_safe_mode(parts, out),
            Input::Target(target) => targets::on_target(parts, target, out),
            Input::TargetUnreadable { source, reason } => {
                targets::refuse(parts, source, None, reason, out);
            }
            Input::SourceHealth { source, health } => {
                targets::on_source_health(parts, source, *health, out);
            }
            Input::AssetAdded { asset, name } => configure::add_asset(parts, *asset, name, out),
            Input::Component { name, problem } => {
                components::on_component(parts, name, problem.as_deref(), out);
            }
            Input::Alarm { alarm, text } => {
                raise(parts, (*alarm, None, None), text.to_string(), out);
            }
        }
    }

    /// Number of the last input handled.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.parts.context.seq()
    }

    /// Time of the last input handled.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.parts.now()
    }

    /// The price at which the exit plan takes a bot's gain by the age that its position has now; `None` if it takes none by age.
    #[must_use]
    pub fn profit_by_age(&self, bot: BotId, instrument: InstrumentId) -> Option<Price> {
        let place = self.parts.bots.place(bot, instrument)?;
        let monitor = self.parts.bots.at(place).monitor()?;
        monitor.profit_by_age(self.parts.now())
    }

    /// Whether the exit plan of a bot's position takes a gain by its age, at once or later.
    #[must_use]
    pub fn has_profit_by_age(&self, bot: BotId, instrument: InstrumentId) -> bool {
        let place = self.parts.bots.place(bot, instrument);
        let monitor = place.and_then(|place| self.parts.bots.at(place).monitor());
        monitor.is_some_and(ExitMonitor::has_profit_by_age)
    }

    /// The desk as of the last input.
    #[must_use]
    pub fn view(&self) -> DeskView {
        desk_view(&self.parts)
    }

    /// Timers that are set, each with the time at which it is due.
    pub fn timers(&self) -> impl Iterator<Item = (Timer, Timestamp)> + '_ {
        self.parts.timers.set_timers()
    }
}

/// State as data.
impl Engine {
    pub(crate) const fn of(parts: Parts) -> Self {
        Self {
            parts,
            snapshot: None,
        }
    }

    /// What recovery restores of this engine's state, part by part. Two engines that hold the same have the same parts.
    #[must_use]
    pub fn recovered_parts(&self) -> Vec<RecoveredPart> {
        recovered_parts(&self.parts)
    }

    /// Whether an account was read from its venue and agreed with the books since the start.
    #[must_use]
    pub fn is_reconciled(&self, account: AccountId) -> bool {
        let accounts = &self.parts.accounts;
        accounts.contains(account) && accounts.get(account).is_reconciled()
    }

    /// The last trade of an instrument up to which an account's fills are booked; `None` before its first.
    #[must_use]
    pub fn last_booked(&self, account: AccountId, instrument: InstrumentId) -> Option<TradeId> {
        let is_known = self.parts.accounts.contains(account);
        let record = is_known.then(|| self.parts.accounts.get(account))?;
        record.cursors().get(&instrument).copied()
    }

    /// The configuration as of the last input; empty before the first.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.parts.config
    }

    /// All state as of the last input, at once: for a desk at rest. One at work takes a snapshot in slices.
    #[must_use]
    pub fn save(&self) -> EngineState {
        save(&self.parts)
    }

    /// An engine that continues from a saved state: the same inputs give the same outputs as without the interruption.
    ///
    /// The driver sets the [`timers`](Self::timers) and hands every lane its [state](Self::lane_states) before the first
    /// input. `strategies` must build the same strategies as the saved engine's source.
    ///
    /// # Errors
    /// A state of another version, a damaged one, and one that a strategy refuses.
    pub fn restore(strategies: StrategySource, state: &EngineState) -> Result<Self, RestoreError> {
        Ok(Self {
            parts: restore(strategies, state)?,
            snapshot: None,
        })
    }

    /// Begins a snapshot of the state as of the last input. One that is being written is given up.
    pub fn begin_snapshot(&mut self) {
        self.snapshot = Some(Snapshot::begin(&mut self.parts));
    }

    /// Writes the next slice of the snapshot, between two inputs. Returns the state once it is complete.
    ///
    /// A slice takes less than 200 us. Inputs that are handled meanwhile are not part of the state.
    pub fn write_snapshot(&mut self) -> Option<EngineState> {
        let snapshot = self.snapshot.as_mut()?;
        if snapshot.write_slice(&mut self.parts.strategies) {
            return self.snapshot.take().map(Snapshot::finish);
        }
        None
    }

    /// What strategies of other lanes handed in last, with the request it contains.
    pub fn lane_states(&self) -> impl Iterator<Item = LaneState> + '_ {
        self.parts.strategies.lanes()
    }
}

fn on_timer(parts: &mut Parts, timer: Timer, out: &mut Outputs) {
    parts.timers.fired(timer, parts.context.at());
    match timer {
        Timer::BotStart(bot) => lifecycle::start_bot(parts, bot, out),
        Timer::BotWake(bot) => evaluation::on_bot_timer(parts, bot, out),
        Timer::BotRetry(bot) => lifecycle::retry_bot(parts, bot, out),
        Timer::EvaluationDeadline(bot) => evaluation::on_evaluation_deadline(parts, bot, out),
        Timer::OrderTimeout(id) => submission::on_order_timeout(parts, id, out),
        Timer::PositionAge(bot, instrument) => {
            exits::on_position_age(parts, bot, instrument, out);
        }
        Timer::ExitRetry(bot, instrument) => exits::on_exit_retry(parts, bot, instrument, out),
        Timer::Equity => equity::on_equity_timer(parts, out),
        Timer::CandleClose => candles::on_candle_close(parts, out),
        Timer::Staleness => market_data::on_staleness(parts, out),
        Timer::Flatten => flatten::on_timer(parts, out),
        Timer::Protection(account, instrument) => {
            exits::leave_passed(parts, (account, instrument), out);
            protection::cover(parts, (account, instrument), out);
        }
        Timer::LossCheck => monitoring::on_loss_timer(parts, out),
        Timer::Breaker(scope) => breakers::on_breaker_timer(parts, scope, out),
        Timer::AccountReading(account) => takeover::on_reading_timer(parts, account, out),
        Timer::TargetExpiry(bot, instrument) => targets::on_expiry(parts, bot, instrument, out),
        Timer::DiskClean => causes::on_disk_clean(parts, out),
        Timer::Universe(bot) => universe::on_timer(parts, bot, out),
        Timer::Budgets => budgets::on_timer(parts, out),
        Timer::OrdersClean(account) => order_entry::on_clean(parts, account, out),
    }
}
