//! Exit plans at work: every guarded position is watched on each quote, the same in a backtest as live.

use tradewind_events::{EventKind, Output, Outputs, Timer};
use tradewind_model::{BotId, InstrumentId, OrderKind, Ppm, Price, Quote, Reason, Side};
use tradewind_risk::PositionEffect;

use crate::context::Trigger;
use crate::engine::Engine;
use crate::parts::exit_monitor::{ExitCause, ExitMonitor};
use crate::step::submission::OrderRequest;

impl Engine {
    pub(crate) fn watch_exits(&mut self, quote: &Quote, out: &mut Outputs) {
        // Backwards, since a position that is given up leaves the list.
        for index in (0..self.market.guarded[quote.instrument.index()].len()).rev() {
            if let Some(&(bot, slot)) = self.market.guarded[quote.instrument.index()].get(index) {
                self.watch(bot, slot, quote, out);
            }
        }
    }

    fn watch(&mut self, bot: BotId, slot: usize, quote: &Quote, out: &mut Outputs) {
        let now = self.context.at;
        let place = &mut self.bots[bot.index()].slots[slot];
        let hit = place
            .guard
            .as_mut()
            .and_then(|guard| guard.watch(quote, now));
        let Some((cause, level)) = hit else { return };
        let exiting = place.working.and_then(|id| self.orders.open_order(id));
        match exiting.map(|order| (order.purpose, order.terms.client_id)) {
            Some((PositionEffect::Exit, _)) => {}
            Some((PositionEffect::Entry, working)) => {
                let waits = self.bots[bot.index()].slots[slot].next.as_ref();
                if waits.is_some_and(|(target, _)| target.exposure == Ppm::ZERO) {
                    return;
                }
                let flat = Self::flat(self.words(bot, slot, cause, quote, level));
                let trigger = self.context.cause(out);
                self.bots[bot.index()].slots[slot].next = Some((flat, trigger));
                self.cancel(working, out);
            }
            None => self.leave(bot, slot, cause, quote, level, out),
        }
    }

    /// Closes a position at market because of its exit plan.
    fn leave(
        &mut self,
        bot: BotId,
        slot: usize,
        cause: ExitCause,
        quote: &Quote,
        level: Price,
        out: &mut Outputs,
    ) {
        let reason = self.words(bot, slot, cause, quote, level);
        let trigger = self.context.cause(out);
        let runtime = &mut self.bots[bot.index()];
        let place = &mut runtime.slots[slot];
        place.exposure = Ppm::ZERO;
        place.next = None;
        runtime.stats.reason = reason.clone();
        runtime.stats.reason_slot = Some(slot);
        if let Some(guard) = &mut place.guard {
            guard.tried(self.context.at);
        }
        let (account, instrument, side) = (
            runtime.config.account,
            place.instrument,
            Side::of(place.position.quantity).opposite(),
        );
        let signal = EventKind::SignalGenerated {
            bot,
            instrument,
            exposure: Ppm::ZERO,
            reason,
            quote: self.context.quote(),
        };
        let signal = self.context.emit(out, trigger, signal);
        let quantity = self.closing(bot, slot, Some(signal), out);
        if quantity.is_zero() {
            return;
        }
        let request = OrderRequest {
            bot: Some((bot, slot)),
            account,
            instrument,
            side,
            quantity,
            purpose: PositionEffect::Exit,
            limit: None,
            on_quote: true,
            cause: Some(signal),
        };
        self.submit(&request, OrderKind::Market, out);
    }

    fn words(
        &self,
        bot: BotId,
        slot: usize,
        cause: ExitCause,
        quote: &Quote,
        level: Price,
    ) -> Reason {
        let place = &self.bots[bot.index()].slots[slot];
        let instrument = &self.config.instruments[place.instrument.index()];
        let price = quote.opposite_side(Side::of(place.position.quantity).opposite());
        Reason::Numbers(
            cause.template(),
            [
                instrument.price_f64(price),
                instrument.price_f64(level),
                0.0,
            ],
        )
    }

    /// Sets, moves or lifts the guard of a position after it changed.
    pub(crate) fn guard(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        let place = &mut self.bots[bot.index()].slots[slot];
        let instrument = place.instrument;
        let guarded = &mut self.market.guarded[instrument.index()];
        let listed = guarded.iter().position(|known| *known == (bot, slot));
        let open = place.position.entry_price.zip(place.position.opened_at);
        let Some((entry, opened_at)) = open.filter(|_| !ExitMonitor::is_empty(&place.exit)) else {
            if place.guard.take().is_some() {
                out.push(Output::CancelTimer(Timer::PositionAge(bot, instrument)));
            }
            if let Some(index) = listed {
                guarded.remove(index);
            }
            return;
        };
        let side = Side::of(place.position.quantity);
        let plan = place.exit.clone();
        let guard = match &place.guard {
            Some(guard) if guard.side() == side => guard.moved(plan, entry),
            _ => ExitMonitor::new(plan, side, entry, opened_at),
        };
        if let Some(at) = guard.next_age(self.context.at) {
            out.push(Output::SetTimer(at, Timer::PositionAge(bot, instrument)));
        }
        place.guard = Some(guard);
        if listed.is_none() {
            guarded.push((bot, slot));
        }
    }

    /// What an exit left open is tried again.
    pub(crate) fn on_exit_retry(
        &mut self,
        bot: BotId,
        instrument: InstrumentId,
        out: &mut Outputs,
    ) {
        let Some(runtime) = self.bots.get(bot.index()) else {
            return;
        };
        let slot = runtime
            .slots
            .iter()
            .position(|place| place.instrument == instrument);
        let Some(slot) = slot.filter(|slot| runtime.slots[*slot].working.is_none()) else {
            return;
        };
        if let Some(quote) = self.market.quotes[instrument.index()] {
            self.context.trigger = Trigger::Quote(quote, None);
        }
        self.reconcile_next(bot, slot, out);
    }

    /// The clock has reached an age of an exit plan: looked at even if the market is silent.
    pub(crate) fn on_position_age(
        &mut self,
        bot: BotId,
        instrument: InstrumentId,
        out: &mut Outputs,
    ) {
        let Some(runtime) = self.bots.get(bot.index()) else {
            return;
        };
        let Some(slot) = runtime
            .slots
            .iter()
            .position(|place| place.instrument == instrument)
        else {
            return;
        };
        let Some(quote) = self.market.quotes[instrument.index()] else {
            return;
        };
        self.context.trigger = Trigger::Quote(quote, None);
        self.watch(bot, slot, &quote, out);
        let next = self.bots[bot.index()].slots[slot]
            .guard
            .as_ref()
            .and_then(|guard| guard.next_age(self.context.at));
        if let Some(at) = next {
            out.push(Output::SetTimer(at, Timer::PositionAge(bot, instrument)));
        }
    }
}
