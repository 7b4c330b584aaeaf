//! Laws that hold for every sequence of inputs.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{DeskView, EventKind, Input, Output};
use tradewind_model::{AccountId, Amount, AssetId, ClientOrderId, InstrumentId, OrderStatus, Side};
use tradewind_risk::PositionEffect;
use tradewind_testkit::{BTC, Storm, USDT, fingerprint_of_storm};

/// The books as they follow from the announcements alone.
#[derive(Default)]
struct Folded {
    totals: BTreeMap<AssetId, Amount>,
    positions: BTreeMap<(AccountId, InstrumentId), i64>,
    orders: BTreeMap<ClientOrderId, OrderStatus>,
}

impl Folded {
    fn take(&mut self, event: &EventKind) {
        match event {
            EventKind::OrderFilled { fill, status, .. } => {
                let value = Amount(
                    i128::from(fill.price.0) * i128::from(fill.quantity.0) * 100_000_000_000,
                );
                let base = Amount(i128::from(fill.quantity.0) * 10_000_000_000_000);
                let sign = if fill.side == Side::Buy { 1 } else { -1 };
                *self.totals.entry(USDT).or_default() += Amount(-sign * value.0);
                *self.totals.entry(BTC).or_default() += Amount(sign * base.0);
                *self.totals.entry(fill.fee.asset).or_default() -= fill.fee.amount;
                let position = self
                    .positions
                    .entry((fill.account, fill.instrument))
                    .or_default();
                *position += fill.side.signed(fill.quantity).0;
                self.moves(fill.client_id, *status);
            }
            EventKind::OrderPlaced { terms, .. } => {
                assert!(
                    self.orders
                        .insert(terms.client_id, OrderStatus::Pending)
                        .is_none(),
                    "an id used twice"
                );
            }
            EventKind::OrderAccepted { terms, .. } => {
                self.moves(terms.client_id, OrderStatus::Accepted)
            }
            EventKind::OrderCancelled { terms, .. } => {
                self.moves(terms.client_id, OrderStatus::Cancelled)
            }
            EventKind::OrderRejected { terms, .. } => {
                self.moves(terms.client_id, OrderStatus::Rejected)
            }
            EventKind::OrderUnknown { terms, .. } => {
                self.moves(terms.client_id, OrderStatus::Unknown)
            }
            _ => {}
        }
    }

    /// States move forward only: what has ended is never open again.
    fn moves(&mut self, id: ClientOrderId, to: OrderStatus) {
        let Some(from) = self.orders.insert(id, to) else {
            return;
        };
        assert!(from.is_open() || from == to, "{id}: {from:?} became {to:?}");
    }
}

/// The storm of this seed through an engine, every output shown to `look`.
fn weather(seed: u64, inputs: u64, mut look: impl FnMut(&Engine, &Input, &[Output])) {
    let (mut storm, mut engine) = (
        Storm::new(seed, inputs),
        Engine::new(StrategySource::built_in()),
    );
    let mut outputs = Vec::new();
    for _ in 0..inputs {
        let (at, input) = storm.next_input();
        engine.handle(at, &input, &mut outputs);
        storm.observe(&outputs);
        look(&engine, &input, &outputs);
        outputs.clear();
    }
}

fn total(view: &DeskView, asset: AssetId) -> Amount {
    view.balances
        .iter()
        .filter(|balance| balance.asset == asset)
        .map(|balance| balance.amount)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn balances_and_positions_are_the_sum_of_fills_fees_and_funding(seed in any::<u64>()) {
        let mut folded = Folded::default();
        *folded.totals.entry(USDT).or_default() += Amount::whole(100_000);
        *folded.totals.entry(BTC).or_default() += Amount::whole(1);
        let mut last = None;
        weather(seed, 4_000, |engine, input, outputs| {
            if let Input::Funding(funding) = input {
                *folded.totals.entry(USDT).or_default() += funding.amount;
            }
            for output in outputs {
                if let Output::Event(event) = output {
                    folded.take(&event.kind);
                }
            }
            last = Some(engine.view());
        });
        let view = last.expect("there were inputs");
        prop_assert_eq!(total(&view, USDT), folded.totals[&USDT]);
        prop_assert_eq!(total(&view, BTC), folded.totals[&BTC]);
    }

    #[test]
    fn no_sequence_of_inputs_lets_an_entry_pass_its_limits(seed in any::<u64>()) {
        let limits = Storm::configuration().limits;
        let mut killed_sends = 0;
        weather(seed, 4_000, |engine, _, outputs| {
            for output in outputs {
                let Output::Submit(intent, checked) = output else { continue };
                assert_eq!(&intent.terms, checked.terms());
                let view = engine.view();
                let state = view.state;
                killed_sends += u32::from(!state.lets_exit());
                if intent.purpose == PositionEffect::Exit {
                    continue;
                }
                let quote = view.feeds[intent.terms.instrument.index()].quote.expect("an entry has a reference");
                let price = intent.terms.kind.limit().unwrap_or(quote.ask);
                let value = Amount(i128::from(price.0) * i128::from(intent.terms.quantity.0) * 100_000_000_000);
                assert!(Some(value) <= limits.order_value_max, "{value} sent");
                assert!(state.lets_enter(), "an entry in {state}");
            }
        });
        prop_assert_eq!(killed_sends, 0);
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_one_tick_more_gives_others() {
    let first = fingerprint_of_storm(7, 20_000, None);
    assert_eq!(first, fingerprint_of_storm(7, 20_000, None));
    assert_ne!(first, fingerprint_of_storm(7, 20_000, Some(10_000)));
    assert_ne!(first, fingerprint_of_storm(8, 20_000, None));
}
