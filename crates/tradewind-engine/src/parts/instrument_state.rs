//! What a bot keeps per instrument: its position, its one working order, its exit monitor, and how far it was fed.

use serde::{Deserialize, Serialize};
use tradewind_events::BotConfig;
use tradewind_indicators::{Atr, Bar};
use tradewind_model::{
    Candle, ClientOrderId, EventId, ExitPlan, Instrument, InstrumentId, Interval, LastEntry,
    OrderStatus, PositionState, Ppm, Price, Quantity, Quote, Side, Sizer, StandingTarget, Stop,
    Target, Timestamp,
};
use tradewind_risk::PositionEffect;

use super::exit_monitor::{ExitCause, ExitMonitor};
use super::exit_refusals::ExitRefusals;
use super::order::Order;

/// True range over this many candles sizes a volatility target.
const RANGE_PERIOD: u32 = 14;

/// A bot's state in one instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstrumentState {
    instrument: InstrumentId,
    /// Open time of the last candle its strategy was fed, per interval.
    fed: Vec<(Interval, Timestamp)>,
    /// Intervals of which past candles were requested.
    awaiting: Vec<Interval>,
    /// Copied from the portfolio whenever it changes.
    position: PositionState,
    monitor: Option<ExitMonitor>,
    /// The plan by which the next position is closed.
    exit: ExitPlan,
    /// Its one order at work.
    working: Option<ClientOrderId>,
    /// The target that follows once that order has ended.
    next: Option<(Target, Option<EventId>)>,
    /// The exposure of its last target.
    exposure: Ppm,
    /// Average true range of its shortest candles, if its sizer needs it.
    range: Option<Atr>,
    #[serde(default)]
    refusals: ExitRefusals,
    /// Exits in a row that were bounded by a price and did not fill.
    #[serde(default)]
    narrow_exits: u32,
    /// For its strategy: what became of the last entry.
    #[serde(default)]
    last_entry: LastEntry,
    /// Whether its bot has only ever read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    only_read: bool,
    /// An entry that waits for the book of a quiet instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unconfirmed: Option<Unconfirmed>,
    /// The newest target of the outside process that steers its bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<StandingTarget>,
    /// Whether something is unknown to its strategy that would close the position.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waits: bool,
}

/// An entry that waits for the book of a quiet instrument, as it was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Unconfirmed {
    pub(crate) target: Target,
    pub(crate) cause: Option<EventId>,
    /// The price that it is decided at, where no quote decides it.
    pub(crate) reference: Option<Price>,
    pub(crate) on_quote: bool,
    pub(crate) since: Timestamp,
}

/// Where a candle stands relative to the last one fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CandleOrder {
    /// Directly after it, or the first.
    Next,
    /// Fed already, or older.
    Old,
    /// Some are missing between.
    Gap,
}

/// How a position's exit monitor changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MonitorChange {
    /// There is none, and there was none.
    None,
    /// It was removed.
    Removed,
    /// It was set or moved; the age at which something changes by itself, if any.
    Set(Option<Timestamp>),
}

impl InstrumentState {
    pub(super) fn new(instrument: InstrumentId, config: &BotConfig) -> Self {
        Self {
            instrument,
            fed: Vec::new(),
            awaiting: Vec::new(),
            position: PositionState::default(),
            monitor: None,
            exit: config.exit.clone(),
            working: None,
            next: None,
            exposure: Ppm::ZERO,
            range: range_for(config.sizer),
            refusals: ExitRefusals::default(),
            narrow_exits: 0,
            last_entry: LastEntry::Standing,
            only_read: false,
            unconfirmed: None,
            standing: None,
            waits: false,
        }
    }

    /// The state of an instrument that a bot only reads: how far its strategy was fed.
    pub(super) fn new_read(instrument: InstrumentId, config: &BotConfig) -> Self {
        Self {
            only_read: true,
            range: None,
            ..Self::new(instrument, config)
        }
    }

    /// Its bot, which has only read it, trades it from now on.
    pub(super) fn set_traded(&mut self, sizer: Sizer) {
        if std::mem::take(&mut self.only_read) {
            self.set_sizer(sizer);
        }
    }

    /// Whether its bot has only ever read it.
    pub(super) const fn is_only_read(&self) -> bool {
        self.only_read
    }

    /// Keeps what another sizer needs.
    pub(super) fn set_sizer(&mut self, sizer: Sizer) {
        self.range = range_for(sizer);
    }

    pub(crate) const fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub(crate) const fn position(&self) -> &PositionState {
        &self.position
    }

    /// The side of an order that closes the position.
    pub(crate) const fn closing_side(&self) -> Side {
        Side::of(self.position.quantity).opposite()
    }

    pub(crate) const fn working(&self) -> Option<ClientOrderId> {
        self.working
    }

    pub(crate) const fn exposure(&self) -> Ppm {
        self.exposure
    }

    /// Whether something is unknown to its strategy that would close the position.
    #[inline]
    pub(crate) const fn waits(&self) -> bool {
        self.waits
    }

    pub(crate) const fn set_waits(&mut self, waits: bool) {
        self.waits = waits;
    }

    /// The exposure that is held or worked towards, for its strategy: none once the position was closed by something else.
    pub(crate) const fn engaged_exposure(&self) -> Ppm {
        if self.is_engaged() || self.has_next() {
            self.exposure
        } else {
            Ppm::ZERO
        }
    }

    pub(crate) const fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// Whether the target that waits is to be flat.
    pub(crate) fn waits_to_be_flat(&self) -> bool {
        let next = self.next.as_ref();
        next.is_some_and(|(target, _)| target.exposure == Ppm::ZERO)
    }

    /// Exits in a row that were bounded by a price and did not fill.
    pub(crate) const fn narrow_exits(&self) -> u32 {
        self.narrow_exits
    }

    /// What became of the last entry that its strategy decided.
    pub(crate) const fn last_entry(&self) -> LastEntry {
        self.last_entry
    }

    pub(crate) const fn refusals(&self) -> &ExitRefusals {
        &self.refusals
    }

    pub(crate) const fn monitor(&self) -> Option<&ExitMonitor> {
        self.monitor.as_ref()
    }

    /// Average true range of its candles, where the sizer needs one and it is known.
    pub(crate) fn range(&self) -> Option<f64> {
        self.range.as_ref().and_then(Atr::value)
    }

    /// Whether it has a position or a working order.
    pub(crate) const fn is_engaged(&self) -> bool {
        !self.position.quantity.is_zero() || self.working.is_some()
    }

    /// What recovery restores of it.
    pub(crate) fn recovered(&self) -> impl Serialize + '_ {
        let next = self.next.as_ref().map(|(target, _)| target);
        let orders = (self.working, next, self.exposure, self.narrow_exits);
        (
            &self.position,
            &self.monitor,
            &self.exit,
            orders,
            self.standing,
        )
    }

    /// Whether no request for past candles is open.
    pub(super) const fn is_warm(&self) -> bool {
        self.awaiting.is_empty()
    }
}

fn range_for(sizer: Sizer) -> Option<Atr> {
    match sizer {
        Sizer::VolatilityTarget(_) => Atr::new(RANGE_PERIOD).ok(),
        Sizer::Fixed(_) | Sizer::Value(_) | Sizer::Share(_) | Sizer::RiskToStop(_) => None,
    }
}

/// Candles.
impl InstrumentState {
    /// Forgets what the strategy was fed, before it is rebuilt.
    pub(crate) fn forget_candles(&mut self) {
        self.fed.clear();
        self.awaiting.clear();
        if let Some(range) = &mut self.range {
            range.reset();
        }
    }

    /// Notes that past candles are requested.
    pub(crate) fn await_candles(&mut self, interval: Interval) {
        self.awaiting.push(interval);
    }

    pub(crate) fn is_awaiting(&self, interval: Interval) -> bool {
        self.awaiting.contains(&interval)
    }

    /// Notes that past candles arrived. False if none were requested.
    pub(crate) fn stop_awaiting(&mut self, interval: Interval) -> bool {
        let mut awaited = self.awaiting.iter();
        let position = awaited.position(|of| *of == interval);
        position
            .map(|index| self.awaiting.swap_remove(index))
            .is_some()
    }

    /// Where a candle stands relative to the last one fed.
    pub(crate) fn classify(&self, candle: &Candle) -> CandleOrder {
        let mut fed = self.fed.iter();
        let Some((_, last)) = fed.find(|(interval, _)| *interval == candle.interval) else {
            return CandleOrder::Next;
        };
        if candle.open_time <= *last {
            CandleOrder::Old
        } else if candle.open_time == *last + candle.interval.duration() {
            CandleOrder::Next
        } else {
            CandleOrder::Gap
        }
    }

    /// Notes that the strategy is fed this candle.
    pub(crate) fn note_candle(&mut self, candle: &Candle, instrument: &Instrument) {
        let mut fed = self.fed.iter_mut();
        match fed.find(|(interval, _)| *interval == candle.interval) {
            Some(entry) => entry.1 = candle.open_time,
            None => self.fed.push((candle.interval, candle.open_time)),
        }
        let shortest = self.fed.iter().map(|(interval, _)| *interval).min();
        let Some(range) = &mut self.range else { return };
        if shortest != Some(candle.interval) {
            return;
        }
        let price = |price| instrument.price_f64(price);
        let bar = Bar {
            high: price(candle.high),
            low: price(candle.low),
            close: price(candle.close),
        };
        if range.update(bar).is_err() {
            range.reset();
        }
    }
}

/// Targets and orders.
impl InstrumentState {
    /// Notes the order that works from now on.
    pub(crate) const fn start_order(&mut self, id: ClientOrderId) {
        self.working = Some(id);
    }

    /// Notes that an order ended. Returns whether it was to leave the position; `None` if it is not the working one.
    ///
    /// If an entry ended without a fill, the exposure before it applies again. So the same target can be set again.
    pub(crate) fn end_order(&mut self, order: &Order) -> Option<bool> {
        self.working
            .take_if(|working| *working == order.terms().client_id)?;
        let leaves = order.effect() == PositionEffect::Exit && self.exposure == Ppm::ZERO;
        self.narrow_exits = if order.is_narrow_exit() {
            self.narrow_exits.saturating_add(1)
        } else {
            0
        };
        if order.filled().is_zero() && !order.continues() && !leaves {
            self.exposure = order.exposure_before();
        }
        let never_was = matches!(order.status(), OrderStatus::Rejected | OrderStatus::NotSent);
        let is_denied = order.effect() == PositionEffect::Entry && never_was;
        // Who follows a target of an outside process is to try again: nothing else brings it there.
        let is_short_of_target = self.standing.is_some()
            && self.next.is_none()
            && order.filled().is_zero()
            && !order.continues()
            && !leaves;
        if is_denied || is_short_of_target {
            self.last_entry = LastEntry::Denied;
        }
        Some(leaves)
    }

    /// Sets the target that follows once the working order has ended.
    pub(crate) fn wait_for(&mut self, target: Target, cause: Option<EventId>) {
        self.next = Some((target, cause));
    }

    /// Lets an entry wait for the book of its instrument. It replaces one that waits.
    pub(crate) fn await_book(&mut self, entry: Unconfirmed) {
        self.unconfirmed = Some(entry);
    }

    /// Takes the entry that waits for a book.
    pub(crate) const fn take_unconfirmed(&mut self) -> Option<Unconfirmed> {
        self.unconfirmed.take()
    }

    /// Takes the target that waited.
    pub(crate) fn take_next(&mut self) -> Option<(Target, Option<EventId>)> {
        self.next.take()
    }

    /// Notes what became of its strategy's last entry.
    pub(crate) const fn set_last_entry(&mut self, fate: LastEntry) {
        self.last_entry = fate;
    }

    /// Notes the exposure that is worked towards.
    pub(crate) const fn set_exposure(&mut self, exposure: Ppm) {
        self.exposure = exposure;
    }

    /// The plan by which the position, or the next one, is closed.
    pub(crate) const fn exit(&self) -> &ExitPlan {
        &self.exit
    }

    /// Takes the position's loss at `stop` from now on. False, with nothing changed, if none is held or its own stop is as near.
    pub(crate) fn tighten_stop(&mut self, stop: Price) -> bool {
        let side = Side::of(self.position.quantity);
        let is_nearer = |known: Price| match side {
            Side::Buy => stop > known,
            Side::Sell => stop < known,
        };
        let known = self.monitor.as_ref().and_then(ExitMonitor::fixed_stop);
        let tightens = !self.position.quantity.is_zero() && known.is_none_or(is_nearer);
        if tightens {
            self.exit.stop = Stop::At(stop);
        }
        tightens
    }

    /// The stop of a plan for a position that is held on the side of `exposure`: the nearer one of the plan's and its own.
    ///
    /// A distance would move away with the average entry of a position that an add makes larger: it becomes the price that it is now.
    pub(crate) fn kept_stop(&self, exposure: Ppm, planned: Stop, adds: bool) -> Stop {
        let quantity = self.position.quantity;
        let is_held = !quantity.is_zero() && quantity.0.signum() == exposure.0.signum();
        let known = self.monitor.as_ref().and_then(ExitMonitor::fixed_stop);
        let Some(known) = known.filter(|_| is_held) else {
            return planned;
        };
        let side = Side::of(quantity);
        let entry = self.position.entry_price.unwrap_or(known);
        let Some(price) = ExitMonitor::planned_stop(planned, side, entry) else {
            return Stop::At(known);
        };
        let nearer = match side {
            Side::Buy => price.max(known),
            Side::Sell => price.min(known),
        };
        match planned {
            Stop::Distance(_) if !adds && nearer == price => planned,
            _ => Stop::At(nearer),
        }
    }

    /// Sets the plan by which the next position is closed.
    pub(crate) fn set_exit(&mut self, plan: ExitPlan) {
        self.exit = plan;
    }
}

/// The position and its exits.
impl InstrumentState {
    /// Takes the position as the portfolio has it, and sets, moves or removes its exit monitor.
    pub(crate) fn set_position(
        &mut self,
        position: PositionState,
        now: Timestamp,
    ) -> MonitorChange {
        self.note_closed(position.quantity, now);
        self.position = position;
        let open = position.entry_price.zip(position.opened_at);
        let Some((entry, opened_at)) = open.filter(|_| !ExitMonitor::is_empty(&self.exit)) else {
            return match self.monitor.take() {
                Some(_) => MonitorChange::Removed,
                None => MonitorChange::None,
            };
        };
        let side = Side::of(position.quantity);
        let monitor = self.monitor_of(self.exit.clone(), side, entry, opened_at);
        let next_age = monitor.next_age(now);
        self.monitor = Some(monitor);
        MonitorChange::Set(next_age)
    }

    /// Notes that a position under the target that stands was closed by something else.
    fn note_closed(&mut self, quantity: Quantity, now: Timestamp) {
        let before = self.position.quantity.0.signum();
        if before != 0
            && quantity.is_zero()
            && let Some(standing) = &mut self.standing
            && standing.exposure.0.signum() == before
            && !standing.is_expired(now)
        {
            standing.is_closed = true;
        }
    }

    /// The newest target of an outside process.
    pub(crate) const fn standing(&self) -> Option<&StandingTarget> {
        self.standing.as_ref()
    }

    /// Takes a target of an outside process. False if it is not newer than the one there is.
    ///
    /// One that says the same for longer opens nothing that was closed meanwhile.
    pub(crate) fn follow(&mut self, mut target: StandingTarget, now: Timestamp) -> bool {
        if let Some(known) = &mut self.standing {
            if known.is_repetition_of(&target) {
                // It is still the newest: nothing was missed.
                return std::mem::take(&mut known.is_doubtful);
            }
            if !target.supersedes(known) {
                return false;
            }
            let continues = known.exposure == target.exposure && !known.is_expired(now);
            target.is_closed = known.is_closed && continues;
        }
        self.standing = Some(target);
        true
    }

    /// Forgets the target of an outside process: its bot is steered by another one.
    pub(crate) const fn forget_target(&mut self) {
        self.standing = None;
    }

    /// Notes that a newer target may have gone missing.
    pub(crate) const fn doubt_target(&mut self) {
        if let Some(standing) = &mut self.standing {
            standing.is_doubtful = true;
        }
    }

    fn monitor_of(
        &self,
        plan: ExitPlan,
        side: Side,
        entry: Price,
        opened_at: Timestamp,
    ) -> ExitMonitor {
        match &self.monitor {
            Some(monitor) if monitor.side() == side => monitor.moved(plan, entry),
            _ => ExitMonitor::new(plan, side, entry, opened_at),
        }
    }

    /// Whether a quote would reach a level of `plan` if the bot were long since `opened_at` and had entered at `entry`.
    pub(crate) fn would_close(
        &self,
        (plan, entry, opened_at): (ExitPlan, Price, Timestamp),
        quote: &Quote,
        now: Timestamp,
    ) -> Option<(ExitCause, Price)> {
        let mut monitor = self.monitor_of(plan, Side::Buy, entry, opened_at);
        monitor.watch(quote, now)
    }

    /// Whether a quote reaches a level at which the position is closed.
    #[inline]
    pub(crate) fn watch(&mut self, quote: &Quote, now: Timestamp) -> Option<(ExitCause, Price)> {
        self.monitor.as_mut()?.watch(quote, now)
    }

    /// Notes that an exit was refused, by risk or by the venue.
    pub(crate) fn note_refused_exit(&mut self, reason: String, now: Timestamp) {
        self.refusals.note(reason, now);
    }

    /// Forgets refused exits, so that the next is tried at once.
    pub(crate) fn forget_refused_exits(&mut self) {
        self.refusals = ExitRefusals::default();
        if let Some(monitor) = &mut self.monitor {
            monitor.retry_at_once();
        }
    }

    /// Notes that the exit plan closes the position now: it replaces every other target.
    pub(crate) fn start_exit(&mut self, now: Timestamp) {
        self.exposure = Ppm::ZERO;
        self.next = None;
        if let Some(monitor) = &mut self.monitor {
            monitor.note_try(now);
        }
    }
}
