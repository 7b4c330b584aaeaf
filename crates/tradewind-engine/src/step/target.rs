//! From a target to an intent: what has to be bought or sold so that the position becomes what was asked for.
//!
//! A bot has one order at work per instrument. While there is one, a new target waits for it to end; an entry that is
//! no longer wanted is cancelled first.

use std::time::Duration;

use tradewind_events::{BotState, EventKind, Output, Outputs, Timer};
use tradewind_model::{Amount, BotId, EventId, OwnerId, Ppm, Quantity, Reason, Side, Target};
use tradewind_risk::{DenyReason, PositionEffect};

use crate::engine::Engine;
use crate::step::sizing::{Sizing, size};
use crate::step::submission::OrderRequest;

/// Before an exit that was denied, refused or left something open is tried again.
const EXIT_RETRY: Duration = Duration::from_secs(5);
/// The same while the trading state lets no exit pass.
const EXIT_RETRY_STOPPED: Duration = Duration::from_secs(60);

impl Engine {
    /// Brings a bot's position in one of its instruments towards `target`.
    pub(crate) fn reconcile_position(
        &mut self,
        bot: BotId,
        slot: usize,
        target: Target,
        cause: Option<EventId>,
        on_quote: bool,
        out: &mut Outputs,
    ) {
        if let Some(working) = self.bots[bot.index()].slots[slot].working {
            self.bots[bot.index()].slots[slot].next = Some((target, cause));
            self.cancel_if_entry(working, out);
            return;
        }
        // What waited is out of date: this is the newer request.
        self.bots[bot.index()].slots[slot].next = None;
        let Some(change) = self.change(bot, slot, &target, cause, out) else {
            return;
        };
        if change.purpose == PositionEffect::Entry
            && self.bots[bot.index()].state != BotState::Running
        {
            return;
        }
        let request = OrderRequest {
            bot: Some((bot, slot)),
            account: self.bots[bot.index()].config.account,
            instrument: self.bots[bot.index()].slots[slot].instrument,
            side: change.side,
            quantity: change.quantity,
            purpose: change.purpose,
            limit: target.limit,
            on_quote,
            cause,
        };
        if !self.submit_by_policy(&request, out) {
            if change.purpose == PositionEffect::Exit {
                self.retry_exit(bot, slot, out);
            }
            return;
        }
        let runtime = &mut self.bots[bot.index()];
        let place = &mut runtime.slots[slot];
        place.exposure = target.exposure;
        if change.purpose == PositionEffect::Entry {
            let plan = target.exit.as_deref().unwrap_or(&runtime.config.exit);
            place.exit = plan.clone();
        } else if change.turns {
            place.next = Some((target, cause));
        }
    }

    /// What has to be done; `None` if nothing, or if it was denied here.
    fn change(
        &mut self,
        bot: BotId,
        slot: usize,
        target: &Target,
        cause: Option<EventId>,
        out: &mut Outputs,
    ) -> Option<Change> {
        let runtime = &self.bots[bot.index()];
        let place = &runtime.slots[slot];
        let held = place.position.quantity;
        let wanted_sign = target.exposure.0.signum();
        if wanted_sign == 0 || (held.0 != 0 && held.0.signum() != wanted_sign) {
            let quantity = self.closing(bot, slot, cause, out);
            return (!quantity.is_zero()).then_some(Change {
                side: Side::of(held).opposite(),
                quantity,
                purpose: PositionEffect::Exit,
                turns: wanted_sign != 0,
            });
        }
        if held.0 != 0 && place.exposure == target.exposure {
            return None;
        }
        let side = if wanted_sign > 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let wanted = self.sized(bot, slot, side, target)?;
        let missing = wanted - held.abs();
        if missing.0 < 0 {
            let instrument = &self.config.instruments[place.instrument.index()];
            let quantity = instrument.floor_quantity(self.closable(bot, slot).min(-missing));
            return (!quantity.is_zero()).then_some(Change {
                side: side.opposite(),
                quantity,
                purpose: PositionEffect::Exit,
                turns: false,
            });
        }
        let full = held.is_zero() && runtime.engaged() >= runtime.config.positions_max as usize;
        if full {
            let limit = runtime.config.positions_max;
            self.deny(
                Some(bot),
                place_of(self, bot, slot),
                side,
                missing,
                DenyReason::PositionsMax(limit),
                cause,
                out,
            );
            return None;
        }
        if missing.is_zero() && !held.is_zero() {
            return None;
        }
        Some(Change {
            side,
            quantity: missing,
            purpose: PositionEffect::Entry,
            turns: false,
        })
    }

    fn sized(&self, bot: BotId, slot: usize, side: Side, target: &Target) -> Option<Quantity> {
        let runtime = &self.bots[bot.index()];
        let place = &runtime.slots[slot];
        let quote = self.market.quotes[place.instrument.index()].as_ref()?;
        let sizing = Sizing {
            instrument: &self.config.instruments[place.instrument.index()],
            budget: self.sizing_equity(bot, slot),
            price: target
                .limit
                .filter(|limit| limit.0 > 0)
                .unwrap_or_else(|| quote.opposite_side(side)),
            exit: target.exit.as_deref().unwrap_or(&runtime.config.exit),
            range: place
                .range
                .as_ref()
                .and_then(tradewind_indicators::Atr::value),
        };
        Some(size(runtime.config.sizer, target.exposure, &sizing))
    }

    /// What a bot can size by: its budget, or what is left of it after losses.
    fn sizing_equity(&self, bot: BotId, slot: usize) -> Amount {
        let runtime = &self.bots[bot.index()];
        let quote = self.config.instruments[runtime.slots[slot].instrument.index()].quote;
        let account = runtime.config.account;
        let owner = OwnerId::Bot(bot);
        let lost = self
            .portfolio
            .realized(account, owner, quote)
            .min(Amount::ZERO);
        (runtime.config.budget + lost).max(Amount::ZERO)
    }

    /// How much of a bot's position one order can close. A remainder the venue would refuse for being too small is given
    /// up (V11); one too large goes in slices, the next when this one has ended.
    pub(crate) fn closing(
        &mut self,
        bot: BotId,
        slot: usize,
        cause: Option<EventId>,
        out: &mut Outputs,
    ) -> Quantity {
        let quantity = self.closable(bot, slot);
        let runtime = &self.bots[bot.index()];
        let place = &runtime.slots[slot];
        let instrument = &self.config.instruments[place.instrument.index()];
        let side = Side::of(place.position.quantity).opposite();
        let price =
            self.market.quotes[place.instrument.index()].map(|quote| quote.opposite_side(side));
        let key = (runtime.config.account, OwnerId::Bot(bot), instrument.id);
        if self.portfolio.is_remainder(instrument, &key, price) {
            self.give_up(bot, slot, cause, out);
            return Quantity::ZERO;
        }
        let largest = [instrument.quantity_max, instrument.market_quantity_max];
        let largest = largest.into_iter().filter(|limit| limit.0 > 0).min();
        largest.map_or(quantity, |limit| {
            quantity.min(instrument.floor_quantity(limit))
        })
    }

    fn give_up(&mut self, bot: BotId, slot: usize, cause: Option<EventId>, out: &mut Outputs) {
        let account = self.bots[bot.index()].config.account;
        let instrument = self.bots[bot.index()].slots[slot].instrument;
        let rules = &self.config.instruments[instrument.index()];
        let key = (account, OwnerId::Bot(bot), instrument);
        if let Some(closed) = self.portfolio.give_up(rules, key) {
            let realized = closed.realized;
            let bot = Some(bot);
            let event = EventKind::PositionClosed {
                account,
                bot,
                instrument,
                realized,
            };
            self.context.emit(out, cause, event);
        }
        self.refresh_position(bot, slot, out);
    }

    /// Tries again, in a moment, to close what an exit left open: it was denied, refused, or went in slices.
    pub(crate) fn retry_exit(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        let place = &mut runtime.slots[slot];
        if place.position.quantity.is_zero() || place.next.is_some() {
            return;
        }
        place.next = Some((Self::flat(Reason::plain("closing what is left")), None));
        let (account, instrument) = (runtime.config.account, place.instrument);
        let may_leave = self
            .states
            .for_order(account, instrument, Some(bot))
            .lets_exit();
        let wait = if may_leave {
            EXIT_RETRY
        } else {
            EXIT_RETRY_STOPPED
        };
        let at = self.context.at + wait;
        out.push(Output::SetTimer(at, Timer::ExitRetry(bot, instrument)));
    }

    /// How much of a bot's position can be closed.
    pub(crate) fn closable(&self, bot: BotId, slot: usize) -> Quantity {
        let runtime = &self.bots[bot.index()];
        let instrument = &self.config.instruments[runtime.slots[slot].instrument.index()];
        let key = (
            runtime.config.account,
            tradewind_model::OwnerId::Bot(bot),
            instrument.id,
        );
        self.portfolio.closable(instrument, &key)
    }

    /// Continues with the target that waited for the last order to end.
    pub(crate) fn reconcile_next(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        if let Some((target, cause)) = self.bots[bot.index()].slots[slot].next.take() {
            let cause = cause.or_else(|| self.context.cause(out));
            self.reconcile_position(bot, slot, target, cause, false, out);
        }
    }

    /// A target of nothing, for whatever closes a bot's position.
    pub(crate) fn flat(reason: tradewind_model::Reason) -> Target {
        Target {
            exposure: Ppm::ZERO,
            limit: None,
            exit: None,
            reason,
        }
    }
}

fn place_of(
    engine: &Engine,
    bot: BotId,
    slot: usize,
) -> (tradewind_model::AccountId, tradewind_model::InstrumentId) {
    let runtime = &engine.bots[bot.index()];
    (runtime.config.account, runtime.slots[slot].instrument)
}

/// What has to be done to reach a target.
struct Change {
    side: Side,
    quantity: Quantity,
    purpose: PositionEffect,
    /// Whether the other side is wanted once this one is flat.
    turns: bool,
}
