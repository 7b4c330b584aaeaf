//! The group of records that belong to one input, and decisions in it that still lack their outcome.

use std::sync::Arc;

use tradewind_events::Outputs;
use tradewind_model::{ClientOrderId, EventId, Ppm, Reason, Target};
use tradewind_risk::PositionEffect;

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::Order;
use crate::step::exit_way::is_free;
use crate::step::positions::closable;
use crate::step::reports::{AfterEnd, Ending, is_left};
use crate::step::target::{flat, retry_exit, wait_to_exit};

/// What a bot is about to do in one instrument. The outcome is an intent, a denial or nothing.
#[derive(Debug)]
pub(super) enum Pending {
    /// It works towards a target.
    Target(Target, Option<EventId>),
    /// It places the remainder of an order again.
    Remainder(Arc<Order>),
    /// It closes later what an exit left open.
    Leftover,
    /// A person's command to close its position was refused: by the denial that follows, or before anything was decided.
    Refused,
    /// Its exit plan closes the position.
    ExitPlan(Reason),
}

/// The records of one input so far.
#[derive(Debug, Default)]
pub(super) struct Group {
    is_open: bool,
    pending: Vec<(BotInstrument, Pending)>,
    /// Where an exit ended, and something else was to follow.
    ended_exits: Vec<BotInstrument>,
    /// The order announced last, and the event that announced it.
    announced: Option<(ClientOrderId, EventId)>,
}

impl Group {
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) const fn open(&mut self) {
        self.is_open = true;
    }

    /// Notes what a bot is about to do. It replaces what the bot was about to do there.
    pub(super) fn expect(&mut self, place: BotInstrument, pending: Pending) {
        self.pending.retain(|(known, _)| *known != place);
        self.pending.push((place, pending));
    }

    /// Takes what a bot was about to do.
    pub(super) fn take(&mut self, place: BotInstrument) -> Option<Pending> {
        let mut pending = self.pending.iter();
        let index = pending.position(|(known, _)| *known == place)?;
        Some(self.pending.swap_remove(index).1)
    }

    pub(super) const fn announce(&mut self, order: ClientOrderId, by: EventId) {
        self.announced = Some((order, by));
    }

    /// The event that announced an order.
    pub(super) fn announced_by(&self, order: ClientOrderId) -> Option<EventId> {
        let (announced, by) = self.announced?;
        (announced == order).then_some(by)
    }

    /// Notes what follows the end of an order, which is decided now.
    pub(super) fn note_ending(&mut self, parts: &mut Parts, ending: Ending) {
        let Ending { place, order, next } = ending;
        if order.effect() == PositionEffect::Exit && next != AfterEnd::Leftover {
            self.ended_exits.push(place);
        }
        let pending = match next {
            AfterEnd::WaitingTarget => match parts.bots.at_mut(place).take_next() {
                Some((target, cause)) => Pending::Target(target, cause),
                None => return,
            },
            AfterEnd::Remainder => Pending::Remainder(order),
            AfterEnd::Leftover => Pending::Leftover,
        };
        self.expect(place, pending);
    }

    /// Ends the group. An exit without an order or a denial waits. What an exit left open is closed later, unless it was
    /// written off.
    pub(super) fn end(&mut self, parts: &mut Parts, out: &mut Outputs) {
        for (place, pending) in std::mem::take(&mut self.pending) {
            if matches!(pending, Pending::Refused) {
                continue;
            }
            if closable(parts, place).is_zero() {
                parts.protection.end_wait(place);
                continue;
            }
            match pending {
                Pending::Leftover => retry_exit(parts, place, out),
                Pending::Target(target, cause) if closes(parts, place, &target) => {
                    wait_to_exit(parts, place, (target, cause), out);
                }
                Pending::ExitPlan(reason) if is_free(parts, place) => {
                    wait_to_exit(parts, place, (flat(reason), None), out);
                }
                Pending::Target(..)
                | Pending::Remainder(_)
                | Pending::Refused
                | Pending::ExitPlan(_) => {}
            }
        }
        // What was to follow an exit did not: what the exit left is sold later.
        for place in std::mem::take(&mut self.ended_exits) {
            if is_left(parts, place) && !closable(parts, place).is_zero() {
                retry_exit(parts, place, out);
            }
        }
        *self = Self::default();
    }
}

/// Whether a target closes a position that nothing closes yet.
fn closes(parts: &Parts, place: BotInstrument, target: &Target) -> bool {
    let held = parts.bots.at(place).position().quantity.0.signum();
    let is_kept = target.exposure != Ppm::ZERO && target.exposure.0.signum() == held;
    !is_kept && is_free(parts, place)
}
