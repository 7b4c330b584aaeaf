//! Rules as a strategy: what is decided at an evaluation.
//!
//! The order is exit, add, stop, enter. Whether a position is open and what was requested is read from the view, so that rules
//! continue after a restart with what they find.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Candle, CarriedOut, Decision, ExitPlan, Interval, LastEntry, Parameter, Ppm, Price, Quote,
    Reason, Side, Stop, Target, Timestamp,
};
use tradewind_strategy::{
    Pairing, ReadUse, Reading, RestoreError, Role, Strategy, StrategyError, View, WarmUp,
};

use crate::compile::{Clause, Rules, StopRule};
use crate::evaluate::{StepContext, is_held};
use crate::program::{Lane, Program, is_true};
use crate::state::State;
use crate::text::WakeText;

/// Grows when the rules' language or their saved state changes.
pub const VERSION: u32 = 1;

/// A denied entry is decided again after so long where each quote evaluates the rules.
const RETRY: Duration = Duration::from_secs(10);

/// How long an entry is decided again that was denied at a time of the clock.
const AGAIN: Duration = Duration::from_secs(3_600);

/// How an evaluation is that no close wakes: candles that are late make what is of them unknown.
const OF_NOW: (bool, bool, bool) = (true, false, true);

const NO_MEMBER: &str = "not a member of its universe: it only leaves";
const BEHIND: &str = "waits for the other candles of this close";

/// Rules at work.
#[derive(Debug)]
pub(crate) struct RuleStrategy {
    rules: Rules,
    parameters: BTreeMap<String, Parameter>,
    /// The lane of the bot's own candles.
    base: Option<usize>,
    template: State,
    state: State,
    /// Slots whose candle was not decided on with everything known, and can be now.
    ready: Vec<usize>,
}

#[derive(Serialize)]
struct Saved<'a> {
    version: u32,
    parameters: &'a BTreeMap<String, Parameter>,
    state: &'a State,
}

#[derive(Deserialize)]
struct Label {
    version: u32,
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Deserialize)]
struct Content {
    state: State,
}

impl RuleStrategy {
    pub(crate) fn new(
        rules: Rules,
        parameters: BTreeMap<String, Parameter>,
        instruments: usize,
    ) -> Self {
        let program = &rules.program;
        let base = program.lanes.iter().position(|lane| {
            (lane.source, Some(lane.interval), lane.is_late) == (0, program.base, false)
        });
        let template = State::new(program, 1, rules.add.len());
        let state = State::new(program, instruments.max(1), rules.add.len());
        Self {
            rules,
            parameters,
            base,
            template,
            state,
            ready: Vec::new(),
        }
    }

    /// Notes the instruments whose last candle waited for the one of this slot.
    fn note_ready(&mut self, fed: usize) {
        if self.rules.text.wake != WakeText::Candles {
            return;
        }
        let slots = self.state.slots.iter().enumerate();
        let is_ready = |(place, slot): &(usize, &crate::state::Slot)| {
            let close = slot.base_close(self.base);
            let waited = close.is_some() && slot.decided != close && slot.waited == close;
            *place != fed && waited && slot.is_complete(&self.rules.program, close)
        };
        self.ready = slots.filter(is_ready).map(|(place, _)| place).collect();
    }

    fn slot(&mut self, slot: usize) -> usize {
        while self.state.slots.len() <= slot {
            let empty = self.template.slots[0].clone();
            self.state.slots.push(empty);
        }
        slot
    }

    fn moment<'a>(&'a self, view: &'a View<'a>, is_timely: bool) -> StepContext<'a> {
        StepContext {
            program: &self.rules.program,
            base: self.base,
            view,
            is_timely,
            is_again: false,
        }
    }

    /// Evaluates the rules on the last candle, once for each that closes; again if something it needs came after it.
    fn on_close(&mut self, view: &View<'_>) -> Decision {
        let slot = self.slot(view.slot);
        let close = self.state.slots[slot].base_close(self.base);
        if self.rules.text.wake != WakeText::Candles {
            return self.between(view, slot);
        }
        if close.is_none() || self.state.slots[slot].decided == close {
            return self.unchanged(view, slot, "waits for the next candle");
        }
        let own = &mut self.state.slots[slot];
        let is_complete = own.is_complete(&self.rules.program, close);
        let is_again = own.waited == close;
        if is_complete {
            own.decided = close;
        } else {
            own.waited = close;
        }
        let decision = self.evaluate(view, (false, is_again, is_complete));
        if matches!(&decision, Decision::Target(target) if target.exposure == Ppm::ZERO) {
            // What comes late does not enter again on the close that it left on.
            self.state.slots[slot].decided = close;
        }
        decision
    }

    /// A candle of a bot that is woken by something else. An entry that was denied at its time is decided again for an hour: at
    /// the same moment another position was closed to make room for it.
    fn between(&mut self, view: &View<'_>, slot: usize) -> Decision {
        let entered = self.state.slots[slot].entered;
        let is_denied = view.last_entry == LastEntry::Denied && !is_held(view);
        let is_recent = entered.is_some_and(|entered| view.at.since(entered) <= AGAIN);
        let is_timer = self.rules.text.wake == WakeText::Timer;
        if is_timer && is_denied && is_recent && view.carried_out == CarriedOut::All {
            let decision = self.evaluate(view, OF_NOW);
            self.state.slots[slot].entered = entered;
            return decision;
        }
        self.unchanged(view, slot, "the candle is noted")
    }

    /// Nothing is decided: a position that waits on a rule still does.
    fn unchanged(&self, view: &View<'_>, slot: usize, reason: &'static str) -> Decision {
        let waits = self.state.slots[slot].waits && is_held(view);
        match self.first_unknown(&self.rules.exit, slot) {
            Some(unknown) if waits => wait(unknown),
            _ => hold(reason),
        }
    }

    /// Entries and adds are decided only once everything of the close is known; an exit that holds, at once.
    fn evaluate(
        &mut self,
        view: &View<'_>,
        (is_timely, is_again, is_complete): (bool, bool, bool),
    ) -> Decision {
        let slot = self.slot(view.slot);
        let moment = StepContext {
            program: &self.rules.program,
            base: self.base,
            view,
            is_timely,
            is_again,
        };
        moment.run(&mut self.state, slot);
        let is_open = is_held(view);
        let is_requested = view.exposure > Ppm::ZERO;
        if is_open || is_requested {
            if let Some(exit) = self.first_true(&self.rules.exit, slot) {
                return target(Ppm::ZERO, self.reason(exit, "exit", slot));
            }
            if is_open {
                return self.with_position(view, slot, is_complete);
            }
            return hold("entry requested, waits for a fill");
        }
        if !is_complete {
            return hold(BEHIND);
        }
        if !view.is_member(view.slot) {
            return hold(NO_MEMBER);
        }
        self.without_position(view, slot)
    }

    /// The first clause that holds.
    fn first_true<'c>(&self, clauses: &'c [Clause], slot: usize) -> Option<&'c Clause> {
        let live = &self.state.slots[slot].live;
        clauses.iter().find(|clause| is_true(live[clause.step]))
    }

    /// The first clause that nobody knows to hold or not.
    fn first_unknown<'c>(&self, clauses: &'c [Clause], slot: usize) -> Option<&'c Clause> {
        let live = &self.state.slots[slot].live;
        clauses.iter().find(|clause| live[clause.step].is_nan())
    }

    fn with_position(&mut self, view: &View<'_>, slot: usize, is_complete: bool) -> Decision {
        let stop = self.stop_price(view, slot);
        self.count_adds(view, slot);
        if is_complete {
            let waits = self.first_unknown(&self.rules.exit, slot).is_some();
            self.state.slots[slot].waits = waits;
            if let Some(decision) = self.add(view, slot, stop) {
                return decision;
            }
        }
        let own = &mut self.state.slots[slot];
        if let Some(price) = stop
            && own.stop.is_none_or(|known| price.0 > known)
        {
            if view.carried_out == CarriedOut::All || view.carried_out == CarriedOut::Exits {
                own.stop = Some(price.0);
            }
            let number = view.instrument.price_f64(price);
            return Decision::MoveStop {
                stop: price,
                reason: Reason::Numbers("stop at {}", [number, 0.0, 0.0]),
            };
        }
        if !is_complete {
            return self.unchanged(view, slot, BEHIND);
        }
        if let Some(unknown) = self.first_unknown(&self.rules.exit, slot) {
            return wait(unknown);
        }
        if let StopRule::Price(step) = self.rules.stop
            && self.state.slots[slot].live[step].is_nan()
        {
            let reason = Reason::plain("waits on: its stop is unknown; the last one stays");
            return Decision::Wait { reason };
        }
        hold("long, no rule to exit holds")
    }

    /// Where the loss is taken now, on a tick; none if it is not by a price, or unknown. Rounded up: to the side that sells first.
    fn stop_price(&self, view: &View<'_>, slot: usize) -> Option<Price> {
        let StopRule::Price(step) = self.rules.stop else {
            return None;
        };
        let price = self.state.slots[slot].live[step];
        let price = view.instrument.price_from_f64(price)?;
        let price = view.instrument.round_price(price, Side::Sell);
        (price.0 > 0).then_some(price)
    }

    /// The price of an order to buy, on a tick below; `None` where the rules name none, an error where it is unknown.
    fn entry_price(&self, view: &View<'_>, slot: usize) -> Result<Option<Price>, ()> {
        let Some(step) = self.rules.price else {
            return Ok(None);
        };
        let price = view
            .instrument
            .price_from_f64(self.state.slots[slot].live[step]);
        let price = price.map(|price| view.instrument.round_price(price, Side::Buy));
        price.filter(|price| price.0 > 0).map(Some).ok_or(())
    }

    /// The plan of a position whose stop is a price.
    fn plan(&self, stop: Option<Price>) -> Option<Box<ExitPlan>> {
        stop.map(|stop| {
            Box::new(ExitPlan {
                stop: Stop::At(stop),
                ..self.rules.exit_plan()
            })
        })
    }

    /// Adds are counted by what the position is of: one that was denied or ended without a fill is taken back, and after a restart
    /// they are found again.
    fn count_adds(&mut self, view: &View<'_>, slot: usize) {
        let own = &mut self.state.slots[slot];
        let adds = self.rules.add.iter().zip(&own.added);
        let counted: i64 = adds
            .map(|(add, count)| add.exposure.0 * i64::from(*count))
            .sum();
        let mut more = view.exposure.0 - self.rules.first.0;
        if counted == more {
            return;
        }
        if let Some(last) = own.last_add.take()
            && own.added[last] > 0
            && counted - self.rules.add[last].exposure.0 == more
        {
            own.added[last] -= 1;
            return;
        }
        own.added.fill(0);
        for (add, count) in self.rules.add.iter().zip(&mut own.added) {
            while more >= add.exposure.0 / 2 && add.exposure.0 > 0 && *count < add.max {
                *count += 1;
                more -= add.exposure.0;
            }
        }
    }

    fn add(&mut self, view: &View<'_>, slot: usize, stop: Option<Price>) -> Option<Decision> {
        if view.exposure <= Ppm::ZERO || !view.is_member(view.slot) {
            return None;
        }
        let own = &self.state.slots[slot];
        let place = self.rules.add.iter().enumerate().position(|(place, add)| {
            own.added[place] < add.max && is_true(own.live[add.clause.step])
        })?;
        let is_quotes = self.rules.text.wake == WakeText::Quotes;
        if is_quotes && view.last_entry == LastEntry::Denied && is_recent(own.entered, view) {
            return None;
        }
        let limit = self.entry_price(view, slot).ok()?;
        let add = &self.rules.add[place];
        let exposure = Ppm(view.exposure.0 + add.exposure.0);
        let known = self.state.slots[slot].stop.map(Price);
        let decision = Decision::Target(Target {
            adds: true,
            exposure,
            limit,
            exit: self.plan(stop.max(known)),
            reason: self.reason(&add.clause, "add", slot),
        });
        if view.carried_out == CarriedOut::All {
            let own = &mut self.state.slots[slot];
            own.added[place] += 1;
            own.last_add = Some(place);
            own.entered = Some(view.at);
        }
        Some(decision)
    }

    fn without_position(&mut self, view: &View<'_>, slot: usize) -> Decision {
        let own = &mut self.state.slots[slot];
        own.stop = None;
        own.waits = false;
        own.last_add = None;
        own.added.fill(0);
        let entered = own.entered;
        let Some(enter) = self.first_true(&self.rules.enter, slot) else {
            return match self.first_unknown(&self.rules.enter, slot) {
                Some(unknown) => Decision::Hold {
                    reason: Reason::Text(Arc::clone(&unknown.waits)),
                },
                None => hold("no rule to enter holds"),
            };
        };
        let is_quotes = self.rules.text.wake == WakeText::Quotes;
        if is_quotes && view.last_entry == LastEntry::Denied && is_recent(entered, view) {
            return hold("the entry was denied, and is decided again after 10 s");
        }
        let stop = self.stop_price(view, slot);
        if stop.is_none() && matches!(self.rules.stop, StopRule::Price(_)) {
            return hold("enters, but its stop is unknown");
        }
        let Ok(limit) = self.entry_price(view, slot) else {
            return hold("enters, but the price of its order is unknown");
        };
        let would_stop = |quote: &Quote| stop.is_some_and(|stop| quote.bid <= stop);
        if view.quote.is_some_and(would_stop) {
            return hold("enters, but its stop is not below the price");
        }
        let reason = self.reason(enter, "enter", slot);
        let exit = self.plan(stop);
        if view.carried_out == CarriedOut::All {
            let own = &mut self.state.slots[slot];
            own.entered = Some(view.at);
            own.stop = stop.map(|stop| stop.0);
        }
        Decision::Target(Target {
            adds: false,
            exposure: self.rules.first,
            limit,
            exit,
            reason,
        })
    }

    /// What holds, with the values that it compares.
    fn reason(&self, clause: &Clause, kind: &str, slot: usize) -> Reason {
        let live = &self.state.slots[slot].live;
        let mut text = clause.reason.to_string();
        let shown = self.rules.shown.iter();
        let mut names: Vec<&str> = Vec::new();
        for part in shown.filter(|part| part.is_of(kind, clause)) {
            for (name, step, unit) in &part.operands {
                if !names.contains(&name.as_str()) {
                    let begin = if names.is_empty() { " (" } else { ", " };
                    names.push(name);
                    write!(text, "{begin}{name} {}", unit.show(live[*step])).ok();
                }
            }
        }
        if !names.is_empty() {
            text.push(')');
        }
        Reason::Text(text.into())
    }
}

impl Strategy for RuleStrategy {
    fn timeframes(&self) -> Vec<WarmUp> {
        warm_ups(&self.rules.program, false)
    }

    fn reads(&self) -> ReadUse {
        if self.rules.program.others.is_empty() {
            return ReadUse::default();
        }
        ReadUse {
            quotes: false,
            candles: warm_ups(&self.rules.program, true),
            pairing: Pairing::All,
        }
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let is_traded = view.role == Role::Traded;
        if is_traded {
            self.slot(view.slot);
        }
        let is_live = view.carried_out != CarriedOut::Nothing;
        self.state.feed(
            &self.rules.program,
            candle,
            (view.slot, is_traded),
            view.instrument,
            is_live,
        );
        if !self.rules.program.others.is_empty() {
            self.note_ready(view.slot);
        }
        if !is_traded {
            return Ok(hold("the candle is noted"));
        }
        if !self.rules.program.at_entry.is_empty() {
            let mut state = std::mem::take(&mut self.state);
            self.moment(view, false)
                .note_entry_values(&mut state, view.slot);
            self.state = state;
        }
        Ok(self.on_close(view))
    }

    fn on_read(
        &mut self,
        view: &View<'_>,
        _: &Reading<'_>,
        _: Option<&Candle>,
    ) -> Result<Decision, StrategyError> {
        Ok(self.on_close(view))
    }

    fn on_quote(&mut self, view: &View<'_>, _: &Quote) -> Result<Decision, StrategyError> {
        Ok(self.evaluate(view, OF_NOW))
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        Ok(match self.rules.text.wake {
            // The candle of another instrument came that it waited for.
            WakeText::Candles => self.on_close(view),
            WakeText::Quotes | WakeText::Timer => self.evaluate(view, OF_NOW),
        })
    }

    fn next_ready(&mut self) -> Option<usize> {
        self.ready.pop()
    }

    fn explain(&self, slot: usize) -> Vec<tradewind_strategy::Explained> {
        let Some(own) = self.state.slots.get(slot) else {
            return Vec::new();
        };
        let shown = self.rules.shown.iter();
        shown.map(|part| part.explain(&own.live)).collect()
    }

    fn save(&self) -> Vec<u8> {
        let saved = Saved {
            version: VERSION,
            parameters: &self.parameters,
            state: &self.state,
        };
        rmp_serde::to_vec_named(&saved)
            .expect("writing to memory cannot fail, and no state holds what the format lacks")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        let unreadable = |error: rmp_serde::decode::Error| RestoreError(error.to_string());
        let label: Label = rmp_serde::from_slice(state).map_err(unreadable)?;
        if label.version != VERSION {
            let problem = format!("it is of version {}, this is {VERSION}", label.version);
            return Err(RestoreError(problem));
        }
        if label.parameters != self.parameters {
            return Err(RestoreError("it was saved with other rules".to_owned()));
        }
        let content: Content = rmp_serde::from_slice(state).map_err(unreadable)?;
        self.state = content.state;
        Ok(())
    }
}

/// Candles that come before the first decision, by length. `of_others` are those of other instruments.
pub(crate) fn warm_ups(program: &Program, of_others: bool) -> Vec<WarmUp> {
    let lanes = &program.lanes;
    let own = |lane: &Lane| lane.needs.iter().map(|need| need.total()).max();
    let mut wanted: Vec<u32> = lanes
        .iter()
        .map(|lane| own(lane).unwrap_or_default())
        .collect();
    // What a lane reads of others must reach back as far as its own past does. Those that are read by one that is read come last.
    for _ in 0..3 {
        for (place, lane) in lanes.iter().enumerate() {
            for &read in &lane.reads {
                let of = lane.interval.duration().as_secs() * u64::from(wanted[place]);
                let more = of.div_ceil(lanes[read].interval.duration().as_secs());
                let before = own(&lanes[read]).unwrap_or_default();
                let more = before.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
                let is_same = lanes[read].interval == lane.interval;
                let more = if is_same { more - before } else { more };
                wanted[read] = wanted[read].max(more);
            }
        }
    }
    let mut needs: BTreeMap<Interval, u32> = BTreeMap::new();
    for (lane, need) in lanes.iter().zip(wanted) {
        if of_others && lane.source == 0 {
            continue;
        }
        let known = needs.entry(lane.interval).or_default();
        *known = (*known).max(need);
    }
    let base = program.base;
    let mut all: Vec<WarmUp> = needs
        .into_iter()
        .map(|(interval, candles)| WarmUp { interval, candles })
        .collect();
    all.sort_by_key(|one| (Some(one.interval) != base, one.interval));
    all
}

/// Whether an entry was decided less than [`RETRY`] ago.
fn is_recent(entered: Option<Timestamp>, view: &View<'_>) -> bool {
    entered.is_some_and(|entered| view.at.since(entered) < RETRY)
}

fn wait(unknown: &Clause) -> Decision {
    Decision::Wait {
        reason: Reason::Text(Arc::clone(&unknown.waits)),
    }
}

/// Leaves things as they are.
const fn hold(reason: &'static str) -> Decision {
    Decision::Hold {
        reason: Reason::plain(reason),
    }
}

const fn target(exposure: Ppm, reason: Reason) -> Decision {
    Decision::Target(Target {
        adds: false,
        exposure,
        limit: None,
        exit: None,
        reason,
    })
}
