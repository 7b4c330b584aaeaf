//! A signal is sent once: the request is compared with the position and with the last request.

use tradewind_model::Interval::Minute1;
use tradewind_model::{CarriedOut, LastEntry, PositionState, Ppm, Quantity};

use crate::market::{Orders, START, Stage, exposure, text_of};

/// A channel of one candle: every rise is an entry, every fall an exit.
fn stage() -> Stage {
    let given = [("entry_period", "1"), ("exit_period", "1")];
    let mut stage = Stage::new("donchian_breakout", &given);
    stage.close(Minute1, 100);
    stage
}

fn targets(stage: &mut Stage, closes: &[i64]) -> Vec<Option<i64>> {
    let decide = |close: &i64| exposure(&stage.close(Minute1, *close)).map(|Ppm(ppm)| ppm);
    closes.iter().map(decide).collect()
}

const FULL: Option<i64> = Some(1_000_000);
const FLAT: Option<i64> = Some(0);

#[test]
fn an_entry_is_requested_once() {
    assert_eq!(targets(&mut stage(), &[101, 102, 103]), [FULL, None, None]);
}

#[test]
fn an_entry_that_finds_no_counterpart_is_not_requested_again_until_the_rule_changes() {
    let mut stage = stage();
    stage.orders = Orders::Fail;
    assert_eq!(targets(&mut stage, &[101, 102]), [FULL, None]);
    let waits = text_of(&stage.close(Minute1, 103));
    assert_eq!(waits, "hold: entry requested, waiting for a fill");
    // The exit takes back what may still be under way.
    assert_eq!(targets(&mut stage, &[90, 80, 91]), [FLAT, None, FULL]);
}

/// It does not wait for an order that nobody sends.
#[test]
fn a_denied_entry_is_requested_again_at_the_next_close_while_its_rule_holds() {
    let mut stage = stage();
    stage.orders = Orders::Deny;
    assert_eq!(targets(&mut stage, &[101, 102, 103]), [FULL, FULL, FULL]);
    // There is nothing to take back.
    assert_eq!(targets(&mut stage, &[90, 80]), [None, None]);
    assert_eq!(targets(&mut stage, &[91]), [FULL]);
    stage.orders = Orders::Fill;
    assert_eq!(targets(&mut stage, &[92, 93, 90]), [FULL, None, FLAT]);
}

/// The rest of an entry was denied: a stop may be selling what was bought, so no more is requested.
#[test]
fn more_of_a_position_is_not_requested_though_the_last_entry_was_denied() {
    let mut stage = stage();
    assert_eq!(targets(&mut stage, &[101, 102]), [FULL, None]);
    stage.last_entry = LastEntry::Denied;
    assert_eq!(targets(&mut stage, &[103, 104]), [None, None]);
}

#[test]
fn an_exit_is_requested_while_a_position_is_open() {
    let mut stage = stage();
    assert_eq!(targets(&mut stage, &[101]), [FULL]);
    stage.orders = Orders::Fail;
    assert_eq!(targets(&mut stage, &[90, 80]), [FLAT, FLAT]);
    let waits = text_of(&stage.close(Minute1, 80));
    assert_eq!(waits, "hold: exit requested, waiting for a fill");
    stage.orders = Orders::Fill;
    assert_eq!(targets(&mut stage, &[70, 60]), [FLAT, None]);
}

#[test]
fn less_than_the_minimum_order_is_not_requested() {
    let mut stage = stage();
    stage.position.quantity = Quantity(9);
    assert_eq!(targets(&mut stage, &[90, 80]), [None, None]);
    stage.position.quantity = Quantity(10);
    assert_eq!(targets(&mut stage, &[70]), [FLAT]);
}

#[test]
fn a_stopped_position_is_not_bought_back_at_once() {
    let mut stage = stage();
    assert_eq!(targets(&mut stage, &[101, 102]), [FULL, None]);
    stage.stop_out();
    let waits = text_of(&stage.close(Minute1, 103));
    assert!(waits.starts_with("hold: closed by its stop"), "{waits}");
    assert_eq!(targets(&mut stage, &[90, 91]), [None, FULL]);
}

#[test]
fn a_position_found_at_the_start_is_taken_over() {
    let mut stage = stage();
    stage.position = PositionState {
        quantity: Quantity(500),
        entry_price: None,
        opened_at: Some(START),
    };
    let waits = text_of(&stage.close(Minute1, 101));
    assert_eq!(waits, "hold: long for 2 min: close 1.01, exits < 1");
    assert_eq!(targets(&mut stage, &[90]), [FLAT]);
}

#[test]
fn a_request_of_the_history_is_requested_again_live() {
    let mut stage = stage();
    stage.orders = Orders::Fail;
    assert_eq!(exposure(&stage.history(Minute1, [101; 4])), Some(Ppm::ONE));
    assert_eq!(targets(&mut stage, &[102, 103]), [FULL, None]);
}

/// Of closes that were missed while the desk was down only exits are made: an entry is not waited for, an exit is.
#[test]
fn of_missed_closes_exits_are_remembered_and_entries_are_not() {
    let mut stage = stage();
    stage.orders = Orders::Fail;
    stage.carried_out = CarriedOut::Exits;
    assert_eq!(exposure(&stage.close(Minute1, 101)), Some(Ppm::ONE));
    stage.carried_out = CarriedOut::All;
    assert_eq!(targets(&mut stage, &[102, 103]), [FULL, None]);

    stage.position = PositionState {
        quantity: Quantity(500),
        entry_price: None,
        opened_at: Some(START),
    };
    stage.carried_out = CarriedOut::Exits;
    assert_eq!(exposure(&stage.close(Minute1, 90)), Some(Ppm::ZERO));
    stage.stop_out();
    // It was its own exit: the next entry needs no other.
    stage.carried_out = CarriedOut::All;
    assert_eq!(targets(&mut stage, &[110]), [FULL]);
}

#[test]
fn a_candle_seen_before_changes_nothing() {
    let mut first = stage();
    let mut again = stage();
    targets(&mut first, &[101, 102]);
    targets(&mut again, &[101, 102]);
    let state = again.strategy.save();
    let mut fresh = stage();
    fresh.strategy.restore(&state).unwrap();
    // The fresh stage counts its candles from the second one on again.
    let decision = text_of(&fresh.close(Minute1, 500));
    assert_eq!(decision, "hold: candle seen before");
    assert_eq!(fresh.strategy.save(), first.strategy.save());
}
