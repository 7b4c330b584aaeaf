//! A bot at run time: its state, its faults, its requests to a lane, and what it keeps per instrument.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::{BotConfig, BotState, Lane, WakeRule};
use tradewind_model::{Amount, Candle, EventId, InstrumentId, Ppm, Price, Reason, Timestamp, Wake};
use tradewind_risk::{ClosedTrade, ClosedTrades};

use super::bot_instrument::BotInstrument;
use super::instrument_state::InstrumentState;
use super::members::Members;
use super::order_throttle::OrderThrottle;

/// Faults within this time count together.
const FAULT_WINDOW: Duration = Duration::from_secs(300);
/// This many faults within the window stop a bot until a person starts it again.
const FAULTS_MAX: usize = 3;

/// A bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bot {
    config: BotConfig,
    state: BotState,
    state_reason: String,
    since: Timestamp,
    lane: LaneRequests,
    instruments: Vec<InstrumentState>,
    throttle: OrderThrottle,
    /// Times of the last panics and overruns.
    faults: VecDeque<Timestamp>,
    /// Whether it was paused when it failed, and is paused again when it is back.
    resumes_paused: bool,
    /// When its own interval is due next.
    next_timer: Option<Timestamp>,
    activity: Activity,
    /// Whether the configuration does not list it any more.
    removed: bool,
    /// Whether a person stopped it. Only a person starts it again.
    #[serde(default)]
    held: bool,
    /// Whether its budget was set aside for it.
    #[serde(default)]
    funded: bool,
    /// Whether it was at work when the last run ended and is not warm again yet.
    #[serde(default)]
    returns: bool,
    /// What its protections go by.
    #[serde(default)]
    closed: ClosedTrades,
    /// Which of its instruments it may enter.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    members: Members,
    /// Its budget, where that is a share of its account's equity and was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<ShareBudget>,
}

/// A budget that is a share of an account's equity, as it was set last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShareBudget {
    pub(crate) budget: Amount,
    /// What the bot had realised by then.
    pub(crate) realized: Amount,
    pub(crate) at: Timestamp,
}

/// Counts and figures of a bot since the start, for views only. No decision depends on them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) reason: Reason,
    pub(crate) reason_instrument: Option<InstrumentId>,
    pub(crate) last_wake: Option<Timestamp>,
    pub(crate) wakes: u64,
    pub(crate) signals: u64,
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    pub(crate) denials: u64,
    pub(crate) last_denial: Option<String>,
    pub(crate) errors: u64,
    /// Evaluations skipped, and answers dropped, because a lane was late.
    pub(crate) skipped: u64,
    pub(crate) lateness_max_nanos: u64,
}

/// Requests to a strategy in another lane. One that wants a decision is open at a time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LaneRequests {
    pending: Option<PendingRequest>,
    /// Wakes that came since, at most one of each kind for an instrument.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    queue: VecDeque<QueuedWake>,
    /// Whether a skipped wake was announced since the last request that wants a decision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_skip_announced: bool,
    last: u64,
    /// The last request before the strategy was rebuilt. Answers up to it come from the old strategy.
    reset_at: u64,
}

/// A wake that waits until the open request is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QueuedWake {
    pub(crate) place: BotInstrument,
    pub(crate) wake: Wake,
    pub(crate) candle: Option<Candle>,
    pub(crate) cause: Option<EventId>,
    /// The price that it is decided at, where no quote decides it.
    pub(crate) reference: Option<Price>,
    /// When it came.
    pub(crate) since: Timestamp,
    /// Whether only an exit is carried out.
    pub(crate) exits_only: bool,
}

/// A request that wants a decision and has no answer yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PendingRequest {
    #[serde(default)]
    pub(crate) request: u64,
    pub(crate) place: BotInstrument,
    pub(crate) cause: Option<EventId>,
    /// The price that it is decided at, where no quote decides it.
    #[serde(default)]
    pub(crate) reference: Option<Price>,
    /// When the position that the strategy was shown was opened.
    #[serde(default)]
    pub(crate) opened_at: Option<Timestamp>,
    /// The exposure that the strategy was shown.
    #[serde(default)]
    pub(crate) exposure: Ppm,
    /// Whether only an exit is carried out.
    #[serde(default)]
    pub(crate) exits_only: bool,
}

impl Bot {
    /// A bot that is not started.
    pub(super) fn new(config: BotConfig) -> Self {
        let mut bot = Self {
            state: BotState::Stopped,
            state_reason: "not started".to_owned(),
            since: Timestamp::EPOCH,
            lane: LaneRequests::default(),
            instruments: Vec::new(),
            throttle: OrderThrottle::default(),
            faults: VecDeque::new(),
            resumes_paused: false,
            next_timer: None,
            activity: Activity::default(),
            removed: false,
            held: false,
            funded: false,
            returns: false,
            closed: ClosedTrades::default(),
            members: Members::default(),
            share: None,
            config,
        };
        bot.add_instruments();
        bot
    }

    /// Gives every configured instrument a state. An instrument that is no longer configured keeps its state.
    pub(super) fn add_instruments(&mut self) {
        for &instrument in &self.config.instruments {
            match self.slot_of(instrument) {
                Some(slot) => self.instruments[slot].set_traded(self.config.sizer),
                None => {
                    let state = InstrumentState::new(instrument, &self.config);
                    self.instruments.push(state);
                }
            }
        }
        for &instrument in &self.config.reads {
            if self.slot_of(instrument).is_none() {
                let state = InstrumentState::new_read(instrument, &self.config);
                self.instruments.push(state);
            }
        }
    }

    /// Takes over a changed configuration. Instruments keep their state; one that is not traded any more is only closed.
    pub(crate) fn reconfigure(&mut self, config: BotConfig) {
        if config.sizer != self.config.sizer {
            let traded = self.instruments.iter_mut();
            for state in traded.filter(|state| !state.is_only_read()) {
                state.set_sizer(config.sizer);
            }
        }
        self.removed = false;
        self.config = config;
        self.add_instruments();
    }

    /// Notes that the configuration does not list it any more.
    pub(crate) const fn remove(&mut self) {
        self.removed = true;
    }

    pub(crate) const fn is_removed(&self) -> bool {
        self.removed
    }

    /// Whether it is configured like this, whatever the revision.
    pub(crate) fn is_configured_as(&self, config: &BotConfig) -> bool {
        let revision = config.revision;
        let known = BotConfig {
            revision,
            ..self.config.clone()
        };
        !self.removed && known == *config
    }

    /// Changes the state. Returns the state before; `None` if state and reason are the same: that is not announced.
    pub(crate) fn change_state(
        &mut self,
        to: BotState,
        reason: &str,
        at: Timestamp,
    ) -> Option<BotState> {
        let from = std::mem::replace(&mut self.state, to);
        if from == to && self.state_reason == reason {
            return None;
        }
        reason.clone_into(&mut self.state_reason);
        self.since = at;
        Some(from)
    }

    /// Notes a panic or an overrun, and forgets those before the window.
    pub(crate) fn note_fault(&mut self, now: Timestamp) {
        self.faults.retain(|at| now.since(*at) < FAULT_WINDOW);
        self.faults.push_back(now);
    }

    /// Notes that a person starts the bot: its faults are cleared.
    pub(crate) fn note_start(&mut self) {
        self.faults.clear();
        self.closed.clear();
        self.held = false;
        self.returns = false;
    }

    /// Notes that a person stopped the bot.
    pub(crate) const fn note_stop(&mut self) {
        self.resumes_paused = false;
        self.returns = false;
        self.held = true;
    }

    /// Whether a person stopped it and nobody started it since.
    pub(crate) const fn is_held(&self) -> bool {
        self.held
    }

    /// Notes that it was at work when the last run ended.
    pub(crate) const fn note_return(&mut self) {
        self.returns = true;
    }

    /// Notes that it is warm again.
    pub(crate) const fn end_return(&mut self) {
        self.returns = false;
    }

    /// Whether it was at work when the last run ended and is not warm again yet.
    pub(crate) const fn is_returning(&self) -> bool {
        self.returns
    }

    /// Notes a closed trade, for its protections.
    pub(crate) fn note_closed(&mut self, trade: ClosedTrade) {
        let budget = self.budget();
        let protections = &self.config.protections;
        self.closed.note(protections, budget, trade);
    }

    /// Its closed trades that still count, and its pauses.
    pub(crate) const fn closed(&self) -> &ClosedTrades {
        &self.closed
    }

    /// Notes that its budget was set aside for it.
    pub(crate) const fn note_funded(&mut self) {
        self.funded = true;
    }

    /// What it may use, in the quote asset of its instruments.
    pub(crate) fn budget(&self) -> Amount {
        let share = self.share.filter(|_| self.config.budget_share.is_some());
        share.map_or(self.config.budget, |share| share.budget)
    }

    /// Its budget as it was set last, where it is a share.
    pub(crate) fn share(&self) -> Option<ShareBudget> {
        self.share.filter(|_| self.config.budget_share.is_some())
    }

    /// Sets a budget that is a share.
    pub(crate) const fn set_share(&mut self, share: ShareBudget) {
        self.share = Some(share);
    }

    pub(crate) const fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) const fn members_mut(&mut self) -> &mut Members {
        &mut self.members
    }

    /// Whether its budget was set aside for it.
    pub(crate) const fn is_funded(&self) -> bool {
        self.funded
    }

    /// A new start of the desk: what was requested of lanes and counted for views is dropped.
    pub(crate) fn restart(&mut self) {
        self.lane.reset();
        self.activity = Activity::default();
        self.next_timer = None;
        for state in &mut self.instruments {
            drop(state.take_unconfirmed());
        }
    }

    /// What recovery restores of it besides its configuration, its state and its instruments.
    pub(crate) fn recovered(&self) -> impl Serialize + '_ {
        let flags = (self.resumes_paused, self.removed, self.held, self.funded);
        (
            &self.faults,
            flags,
            &self.closed,
            self.members.chosen(),
            self.share,
        )
    }

    /// Faults within the window.
    pub(crate) fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Whether its faults are so many that a person must start it again.
    pub(crate) fn is_given_up(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// Remembers whether it is paused, before a fault changes its state.
    pub(crate) fn note_pause(&mut self) {
        self.resumes_paused |= self.state == BotState::Paused;
    }

    /// Whether it was paused before a fault. A second call returns false.
    pub(crate) const fn take_pause(&mut self) -> bool {
        std::mem::replace(&mut self.resumes_paused, false)
    }

    /// Sets the next wake of its own interval, aligned to the clock, and returns it.
    pub(crate) fn schedule_wake(&mut self, now: Timestamp) -> Option<Timestamp> {
        let every = self.config.wakes.iter().find_map(|wake| match wake {
            WakeRule::Every(every) => Some((*every, Duration::ZERO)),
            WakeRule::EveryAt { every, offset } => Some((*every, *offset)),
            WakeRule::Quotes | WakeRule::Candles(_) => None,
        });
        self.next_timer = every.map(|(every, offset)| next_multiple(now - offset, every) + offset);
        self.next_timer
    }

    /// When its own interval is due next.
    pub(crate) const fn next_timer(&self) -> Option<Timestamp> {
        self.next_timer
    }

    pub(crate) const fn lane_mut(&mut self) -> &mut LaneRequests {
        &mut self.lane
    }

    pub(crate) const fn activity_mut(&mut self) -> &mut Activity {
        &mut self.activity
    }

    pub(crate) const fn throttle_mut(&mut self) -> &mut OrderThrottle {
        &mut self.throttle
    }

    pub(super) fn instrument_mut(&mut self, slot: usize) -> &mut InstrumentState {
        &mut self.instruments[slot]
    }

    pub(crate) const fn config(&self) -> &BotConfig {
        &self.config
    }

    pub(crate) const fn state(&self) -> BotState {
        self.state
    }

    pub(crate) fn state_reason(&self) -> &str {
        &self.state_reason
    }

    pub(crate) const fn since(&self) -> Timestamp {
        self.since
    }

    pub(crate) const fn activity(&self) -> &Activity {
        &self.activity
    }

    pub(crate) const fn throttle(&self) -> &OrderThrottle {
        &self.throttle
    }

    pub(crate) fn instruments(&self) -> &[InstrumentState] {
        &self.instruments
    }

    /// Index of an instrument among the bot's.
    pub(crate) fn slot_of(&self, instrument: InstrumentId) -> Option<usize> {
        let mut own = self.instruments.iter();
        own.position(|state| state.instrument() == instrument)
    }

    /// Whether its strategy is evaluated.
    pub(crate) const fn is_awake(&self) -> bool {
        matches!(self.state, BotState::Running | BotState::Paused)
    }

    /// Whether what its strategy decides is carried out, now or once it has the past candles that have arrived.
    pub(crate) fn goes_to_work(&self) -> bool {
        match self.state {
            BotState::Running => true,
            BotState::Warming => self.is_warm() && !self.resumes_paused,
            BotState::Stopped | BotState::Starting | BotState::Paused | BotState::Faulted => false,
        }
    }

    /// Whether its strategy runs in another lane.
    pub(crate) fn is_remote(&self) -> bool {
        self.config.lane != Lane::Inline
    }

    /// Whether it has all its past candles.
    pub(crate) fn is_warm(&self) -> bool {
        self.instruments.iter().all(InstrumentState::is_warm)
    }

    /// How many positions and entries it has.
    pub(crate) fn engaged(&self) -> usize {
        let engaged = self.instruments.iter().filter(|state| state.is_engaged());
        engaged.count()
    }
}

impl LaneRequests {
    /// Numbers a request. With `wants`, the request stays open until its answer comes.
    pub(crate) fn send(&mut self, wants: Option<PendingRequest>) -> u64 {
        self.last += 1;
        let request = self.last;
        if let Some(wanted) = wants {
            self.is_skip_announced = false;
            self.pending = Some(PendingRequest { request, ..wanted });
        }
        request
    }

    /// Keeps a wake for later. It takes the place of an older one of its kind, which is returned.
    pub(crate) fn queue(&mut self, wake: QueuedWake) -> Option<QueuedWake> {
        let mut queue = self.queue.iter_mut();
        let older = queue.find(|one| one.place == wake.place && one.wake == wake.wake);
        if let Some(older) = older {
            return Some(std::mem::replace(older, wake));
        }
        self.queue.push_back(wake);
        None
    }

    /// The wake that has waited longest.
    pub(crate) fn next_queued(&mut self) -> Option<QueuedWake> {
        self.queue.pop_front()
    }

    /// A wake that waits, of this kind.
    pub(crate) fn take_queued(&mut self, place: BotInstrument, wake: Wake) -> Option<QueuedWake> {
        let mut queue = self.queue.iter();
        let index = queue.position(|one| one.place == place && one.wake == wake)?;
        self.queue.remove(index)
    }

    /// Whether the next skipped wake is announced: the first of each open request.
    pub(crate) const fn announces_skip(&mut self) -> bool {
        !std::mem::replace(&mut self.is_skip_announced, true)
    }

    /// Takes the open request if it is the one of this number.
    pub(crate) fn take(&mut self, request: u64) -> Option<PendingRequest> {
        self.pending.take_if(|pending| pending.request == request)
    }

    /// Gives the open request up, and what waits for it.
    pub(crate) fn take_pending(&mut self) -> Option<PendingRequest> {
        self.queue.clear();
        self.pending.take()
    }

    /// Notes that the strategy is rebuilt: earlier requests are void.
    pub(crate) fn reset(&mut self) {
        self.pending = None;
        self.queue.clear();
        self.reset_at = self.last;
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the request was made to the current strategy, not to one before a rebuild.
    pub(crate) const fn is_current(&self, request: u64) -> bool {
        request > self.reset_at
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

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::BotId;

    #[test]
    fn an_answer_is_taken_once_and_only_to_the_open_request() {
        let place = BotInstrument::new(BotId(0), 0);
        let wanted = PendingRequest {
            request: 0,
            place,
            cause: None,
            reference: None,
            opened_at: None,
            exposure: Ppm::ZERO,
            exits_only: false,
        };
        let mut lane = LaneRequests::default();
        assert_eq!(lane.send(None), 1);
        assert_eq!(lane.send(Some(wanted)), 2);
        assert!(lane.take(1).is_none() && lane.is_waiting());
        assert_eq!(lane.take(2).map(|taken| taken.place), Some(wanted.place));
        assert!(lane.take(2).is_none());
        lane.send(Some(wanted));
        lane.reset();
        assert!(!lane.is_waiting() && !lane.is_current(3) && lane.is_current(4));
    }

    #[test]
    fn a_wake_is_aligned_to_the_clock() {
        let quarter = Duration::from_secs(900);
        let next = |secs| next_multiple(Timestamp::from_secs(secs), quarter);
        assert_eq!(next(899), Timestamp::from_secs(900));
        assert_eq!(next(900), Timestamp::from_secs(1_800));
    }
}
