//! Effects that wait until an intent is durable.

use std::collections::VecDeque;

use tradewind_events::Input;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{ClientOrderId, ExecutionReport, NotSentReason, Quantity, ReportKind};

use crate::effects::Effect;

/// Orders whose intents are written and not yet durable, and the queries of these orders.
///
/// An order that is cancelled while it is held never leaves: it is reported as not sent, and its cancel has nothing to do.
/// Everything else passes, so that a slow disk does not delay the cancel of an order that was sent. An order that
/// waited too long is not dropped here: its sender compares its time to live with the clock.
#[derive(Debug, Default)]
pub(crate) struct HeldEffects {
    /// Effects in order, each with the number of the input whose intents must be durable first.
    waiting: VecDeque<(u64, Effect)>,
    /// Reports on orders that were cancelled while they were held.
    withdrawn: VecDeque<ExecutionReport>,
}

impl HeldEffects {
    /// Takes an effect of input `seq` if it must wait; gives it back if it may be performed now.
    pub(crate) fn hold(&mut self, seq: u64, durable: u64, effect: Effect) -> Option<Effect> {
        let dropped = match &effect {
            Effect::Cancel { client_id, .. } => Some((*client_id, NotSentReason::Expired)),
            Effect::Withdraw { client_id, .. } => Some((*client_id, NotSentReason::Killed)),
            _ => None,
        };
        if dropped.is_some_and(|(id, reason)| self.withdraw(id, reason)) {
            return None;
        }
        let waits_for = match &effect {
            Effect::Submit(..) if is_on(Mutation::SentBeforeWritten) => None,
            Effect::Submit(..) => (seq > durable).then_some(seq),
            effect => self.held_order_of(effect),
        };
        let Some(seq) = waits_for else {
            return Some(effect);
        };
        self.waiting.push_back((seq, effect));
        None
    }

    /// The next effect whose wait is over.
    pub(crate) fn release(&mut self, durable: u64) -> Option<Effect> {
        let ready = |(seq, _): &mut (u64, Effect)| *seq <= durable;
        self.waiting.pop_front_if(ready).map(|(_, effect)| effect)
    }

    /// The next report on an order that was cancelled while it was held.
    pub(crate) fn next_report(&mut self) -> Option<Input> {
        let report = self.withdrawn.pop_front()?;
        Some(Input::Report(Box::new(report)))
    }

    /// Drops an order that is held, and what asks after it. False if it is not held.
    fn withdraw(&mut self, id: ClientOrderId, reason: NotSentReason) -> bool {
        let is_submit = |(_, effect): &(u64, Effect)| match effect {
            Effect::Submit(_, order) => order.client_ids().any(|sent| sent == id),
            _ => false,
        };
        let Some(index) = self.waiting.iter().position(is_submit) else {
            return false;
        };
        let Some((_, Effect::Submit(intent, order))) = self.waiting.remove(index) else {
            return false;
        };
        for client_id in order.client_ids() {
            self.withdrawn.push_back(ExecutionReport {
                account: intent.terms.account,
                instrument: intent.terms.instrument,
                client_id,
                venue_order_id: None,
                kind: ReportKind::NotSent(reason),
                cumulative: Some(Quantity::ZERO),
                event_time: None,
            });
            self.waiting
                .retain(|(_, held)| held.order() != Some(client_id));
        }
        true
    }

    /// If an effect's order is held, the number of the input that the order waits for.
    fn held_order_of(&self, effect: &Effect) -> Option<u64> {
        if self.waiting.is_empty() {
            return None;
        }
        let order = effect.order()?;
        let mut held = self.waiting.iter();
        held.find(|(_, held)| held.order() == Some(order))
            .map(|(seq, _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_engine::StrategySource;
    use tradewind_events::{Action, Intent, Output};
    use tradewind_model::{ClientOrderId, OrderKind, Quantity, Side};
    use tradewind_risk::ApprovedOrder;
    use tradewind_testkit::{ACCOUNT, Desk, SPOT, configuration};

    /// Two orders that passed the risk gate.
    fn two_orders() -> [(Intent, ApprovedOrder); 2] {
        let mut desk = Desk::started(configuration(), StrategySource::built_in());
        desk.quote(10_000, 10_001);
        for quantity in [100_000, 200_000] {
            desk.command(Action::PlaceOrder {
                account: ACCOUNT,
                instrument: SPOT,
                side: Side::Buy,
                quantity: Quantity(quantity),
                kind: OrderKind::Market,
            });
        }
        let approved = desk.log.iter().filter_map(|output| match output {
            Output::Submit(intent, order) => Some((intent.clone(), *order)),
            _ => None,
        });
        approved.collect::<Vec<_>>().try_into().expect("two orders")
    }

    fn submit((intent, order): &(Intent, ApprovedOrder)) -> Effect {
        Effect::Submit(intent.clone(), *order)
    }

    fn cancel((Intent { terms, .. }, _): &(Intent, ApprovedOrder)) -> Effect {
        Effect::Cancel {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
            venue_order_id: None,
        }
    }

    fn query((Intent { terms, .. }, _): &(Intent, ApprovedOrder)) -> Effect {
        Effect::Query {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
        }
    }

    /// What is released: whether it is an order, and of which.
    fn released(held: &mut HeldEffects, durable: u64) -> Vec<(bool, Option<ClientOrderId>)> {
        let effects = std::iter::from_fn(|| held.release(durable));
        effects
            .map(|effect| (matches!(effect, Effect::Submit(..)), effect.order()))
            .collect()
    }

    #[test]
    fn an_order_waits_for_its_intent_and_its_query_behind_it_and_its_cancel_drops_it() {
        let [one, two] = two_orders();
        let ids = [&one, &two].map(|(intent, _)| Some(intent.terms.client_id));
        let mut held = HeldEffects::default();
        assert!(held.hold(7, 7, submit(&one)).is_some(), "durable");
        assert!(held.hold(8, 7, submit(&two)).is_none());
        assert!(held.hold(9, 7, query(&two)).is_none(), "after its order");
        assert!(
            held.hold(9, 7, cancel(&one)).is_some(),
            "its order has left"
        );
        assert_eq!(released(&mut held, 7), []);
        assert_eq!(released(&mut held, 8), [(true, ids[1]), (false, ids[1])]);
        assert!(held.hold(9, 8, cancel(&two)).is_some());
        // Cancelled while it is held.
        assert!(held.hold(10, 8, submit(&one)).is_none());
        assert!(held.hold(10, 8, query(&one)).is_none());
        assert!(held.hold(11, 8, cancel(&one)).is_none());
        assert_eq!(released(&mut held, 11), []);
        let Some(Input::Report(report)) = held.next_report() else {
            panic!("an order that was dropped is reported");
        };
        let (Intent { terms, .. }, _) = &two;
        let withdraw = || Effect::Withdraw {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
        };
        assert!(held.hold(12, 11, withdraw()).is_some(), "it has left");
        assert!(held.hold(12, 11, submit(&two)).is_none());
        assert!(held.hold(12, 11, withdraw()).is_none());
        assert_eq!(released(&mut held, 12), []);
        let Some(Input::Report(withdrawn)) = held.next_report() else {
            panic!("an order that was withdrawn is reported");
        };
        let dropped = [*report, *withdrawn].map(|report| (Some(report.client_id), report.kind));
        let reasons = [NotSentReason::Expired, NotSentReason::Killed].map(ReportKind::NotSent);
        let [expired, killed] = reasons;
        assert_eq!(dropped, [(ids[0], expired), (ids[1], killed)]);
        assert!(held.next_report().is_none());
    }
}
