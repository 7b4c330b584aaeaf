//! What rules keep for each instrument, and how candles pass through the lanes.

use serde::{Deserialize, Serialize};
use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use crate::lane::{LaneState, bar};
use crate::program::{Held, Lane, Op, Program};

/// The state of all rules of a bot.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// By the bot's instruments, then by lane; those of other instruments are empty there.
    pub(crate) slots: Vec<Slot>,
    /// Lanes of other instruments; those of the own ones are empty.
    others: Vec<LaneState>,
    /// Which of the other instruments a slot is, once it was looked up.
    known: Vec<Option<Option<usize>>>,
}

/// What is kept for one instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) lanes: Vec<LaneState>,
    /// Values of the steps of the last evaluation.
    pub(crate) live: Vec<f64>,
    /// Those of the one before.
    pub(crate) previous: Vec<f64>,
    /// Values as they were at the last candle before the position was opened.
    pub(crate) at_entry: Vec<f64>,
    /// The candle whose close was decided on with everything known that it needs.
    pub(crate) decided: Option<Timestamp>,
    /// The candle whose close was decided on before everything was known.
    pub(crate) waited: Option<Timestamp>,
    /// How often each rule to add has bought in this position.
    pub(crate) added: Vec<u32>,
    /// The rule to add that has bought last.
    #[serde(default)]
    pub(crate) last_add: Option<usize>,
    /// Whether a rule to exit was unknown at the last evaluation that decided.
    #[serde(default)]
    pub(crate) waits: bool,
    /// The last stop that was decided in this position, in counts of the price.
    pub(crate) stop: Option<i64>,
    /// When an entry was decided last.
    pub(crate) entered: Option<Timestamp>,
}

impl State {
    pub(crate) fn new(program: &Program, instruments: usize, adds: usize) -> Self {
        let lane = |plan: &Lane, own: bool| match own == (plan.source == 0) {
            true => LaneState::new(plan),
            false => LaneState::default(),
        };
        let slot = Slot {
            lanes: program.lanes.iter().map(|plan| lane(plan, true)).collect(),
            live: vec![f64::NAN; program.live.len()],
            previous: vec![f64::NAN; program.live.len()],
            at_entry: vec![f64::NAN; program.at_entry.len()],
            added: vec![0; adds],
            ..Slot::default()
        };
        Self {
            slots: vec![slot; instruments],
            others: program.lanes.iter().map(|plan| lane(plan, false)).collect(),
            known: Vec::new(),
        }
    }

    fn lane(&self, program: &Program, slot: usize, lane: usize) -> &LaneState {
        match program.lanes[lane].source {
            0 => &self.slots[slot].lanes[lane],
            _ => &self.others[lane],
        }
    }

    fn lane_mut(&mut self, program: &Program, slot: usize, lane: usize) -> &mut LaneState {
        match program.lanes[lane].source {
            0 => &mut self.slots[slot].lanes[lane],
            _ => &mut self.others[lane],
        }
    }

    /// Feeds a candle of an instrument to the lanes that are of it. `traded` is its slot if the bot trades it.
    pub(crate) fn feed(
        &mut self,
        program: &Program,
        candle: &Candle,
        (slot, traded): (usize, bool),
        instrument: &Instrument,
        is_live: bool,
    ) {
        let other = self.other(program, slot, instrument);
        let bar = bar(candle, instrument);
        let close = candle.close_time();
        let mut is_read = false;
        for (place, plan) in program.lanes.iter().enumerate() {
            let is_own = plan.source == 0 && traded;
            let is_other = other.is_some_and(|other| plan.source == other + 1);
            if plan.interval != candle.interval || !is_own && !is_other {
                continue;
            }
            let slot = if is_own { slot } else { 0 };
            if !self.lane(program, slot, place).is_new(close) {
                continue;
            }
            if plan.reads.is_empty() {
                let lane = self.lane_mut(program, slot, place);
                lane.take(plan, (close, bar), &[], is_live);
                is_read |= !plan.exports.is_empty();
            } else if self.lane_mut(program, slot, place).wait(close, bar) {
                is_read = true;
            } else {
                self.take_first(program, slot, place, is_live);
                is_read = true;
            }
        }
        if is_read {
            self.settle(program, (slot, traded), other.is_some(), is_live);
        }
    }

    /// Takes candles that wait for other lanes, as far as those have come.
    fn settle(
        &mut self,
        program: &Program,
        (slot, traded): (usize, bool),
        for_all: bool,
        is_live: bool,
    ) {
        let late = |of_others: bool| {
            let lanes = program.lanes.iter().enumerate();
            let late = lanes.filter(move |(_, plan)| !plan.reads.is_empty());
            late.filter(move |(_, plan)| (plan.source != 0) == of_others)
                .map(|(place, _)| place)
        };
        // Own lanes may read those of others, which read none but their own, and a lane on longer candles is read by the base.
        for place in late(true) {
            self.drain(program, 0, place, is_live);
        }
        let slots = match (for_all, traded) {
            (true, _) => 0..self.slots.len(),
            (false, true) => slot..slot + 1,
            (false, false) => 0..0,
        };
        for slot in slots {
            for is_base in [false, true] {
                for place in late(false) {
                    if (Some(program.lanes[place].interval) == program.base) == is_base {
                        self.drain(program, slot, place, is_live);
                    }
                }
            }
        }
    }

    fn drain(&mut self, program: &Program, slot: usize, place: usize, is_live: bool) {
        let plan = &program.lanes[place];
        while let Some((close, _)) = self.lane(program, slot, place).first_waiting() {
            let is_behind = |read: &&usize| {
                let wanted = program.lanes[**read].interval.open_time(close);
                let has = self.lane(program, slot, **read).close();
                has.is_none_or(|has| has < wanted)
            };
            let mut behind = plan.reads.iter().filter(is_behind).peekable();
            if behind.peek().is_some() {
                // Past candles of the other lane may still come. Once it has some, a missing one is missing.
                let has_some = behind.all(|read| self.lane(program, slot, *read).close().is_some());
                let is_passed = self.lane(program, slot, place).waits_for_more_than_one();
                if !(is_live && is_passed && has_some) {
                    return;
                }
            }
            self.take_first(program, slot, place, is_live);
        }
    }

    /// Takes the oldest candle that waits, with what the other lanes had when it closed.
    fn take_first(&mut self, program: &Program, slot: usize, place: usize, is_live: bool) {
        let plan = &program.lanes[place];
        let Some((close, bar)) = self.lane(program, slot, place).first_waiting() else {
            return;
        };
        let sampled: Vec<f64> = plan
            .ops
            .iter()
            .filter_map(|op| match *op {
                Op::Sample(lane, export) => {
                    let wanted = program.lanes[lane].interval.open_time(close);
                    Some(self.lane(program, slot, lane).exported(export, wanted))
                }
                _ => None,
            })
            .collect();
        let lane = self.lane_mut(program, slot, place);
        lane.take_waiting();
        lane.take(plan, (close, bar), &sampled, is_live);
    }

    /// Which of the other instruments a slot is.
    fn other(&mut self, program: &Program, slot: usize, instrument: &Instrument) -> Option<usize> {
        if program.others.is_empty() {
            return None;
        }
        if slot >= self.known.len() {
            self.known.resize(slot + 1, None);
        }
        *self.known[slot].get_or_insert_with(|| {
            let mut others = program.others.iter();
            others.position(|written| is_called(&instrument.name, written))
        })
    }
}

/// Whether an instrument's full name is what was written, with or without its venue.
fn is_called(name: &str, written: &str) -> bool {
    let product = name.split_once(':').map_or(name, |(_, product)| product);
    name == written || product == written
}

/// Values of the bot's own candles.
impl Slot {
    /// When the bot's last own candle closed.
    #[inline]
    pub(crate) fn base_close(&self, base: Option<usize>) -> Option<Timestamp> {
        self.lanes[base?].close()
    }

    /// A value, unless its lane waits for other candles.
    #[inline]
    pub(crate) fn value(&self, held: &Held, close: Option<Timestamp>) -> f64 {
        let lane = &self.lanes[held.lane];
        if lane.close() == close {
            lane.value(held)
        } else {
            f64::NAN
        }
    }

    /// Whether the own lanes that wait for others have taken the candle that closed then.
    pub(crate) fn is_complete(&self, program: &Program, close: Option<Timestamp>) -> bool {
        let lanes = self.lanes.iter().zip(&program.lanes);
        let base: Option<Interval> = program.base;
        let mut own = lanes.filter(|(_, plan)| plan.source == 0 && Some(plan.interval) == base);
        own.all(|(lane, _)| lane.close() == close)
    }
}
