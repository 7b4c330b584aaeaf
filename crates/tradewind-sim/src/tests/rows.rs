//! Rows of faults, each alone: the desk trades under it, it ends, and all is in order.
//!
//! A row counts only if it struck: every fault of its script took effect, and the desk was in the state that it is about.

use std::time::Duration;

use tradewind_events::{DeskView, EventKind, Input, StreamState};
use tradewind_journal::CrashPoint;
use tradewind_model::{OrderStatus, OwnerId};
use tradewind_simx_server::simulation::{VenueBooks, VirtualNetwork};
use tradewind_venues::OrderEntry;

use crate::world::{Choices, KEY, World};

const SECOND: Duration = Duration::from_secs(1);
/// Longest until all is in order after the last fault.
const GOAL: Duration = Duration::from_secs(120);

/// A desk with orders by this interface that has traded for a while.
fn trading(order_entry: OrderEntry) -> World {
    let mut world = World::new(Choices {
        order_entry,
        ..Choices::busy(3)
    });
    world.start_desk();
    world.run(20 * SECOND);
    world
}

/// Heals, trades on, stops trading, compares. Gives the desk as it is then.
pub(crate) fn in_order(world: &mut World) -> DeskView {
    world.heal();
    world.run(20 * SECOND);
    world.input(Input::Stopping);
    world.assert_settles(GOAL);
    world.assert_quiet(20 * SECOND);
    world.view()
}

/// Trades under a script for `seconds`; the desk afterwards, in order. Every fault of the script struck.
fn under(order_entry: OrderEntry, script: &str, seconds: u32) -> (World, DeskView) {
    let mut world = trading(order_entry);
    world.add_faults(script);
    world.run(seconds * SECOND);
    let hits = world.fault_hits();
    assert!(hits.iter().all(|hits| *hits > 0), "{hits:?}");
    let view = in_order(&mut world);
    (world, view)
}

fn had(world: &World, is_meant: impl Fn(&EventKind) -> bool) -> bool {
    world.events().iter().any(is_meant)
}

fn had_unknown(world: &World) -> bool {
    had(world, |kind| matches!(kind, EventKind::OrderUnknown { .. }))
}

/// The scripts' orders go by this interface unless a row is about the other one.
const REST: OrderEntry = OrderEntry::Rest;

/// N04: the order stream answers pings and nothing else, and later one fill is missing. Nothing is lost. An order that the stream does
/// not echo within 2 s of its answer makes it unsure, and it is connected anew.
#[test]
fn a_stream_that_only_answers_pings_loses_no_fill_and_is_connected_anew() {
    let script = r#"
        [[fault]]
        do = "half-open"
        pings = true
        on = "time"
        wire = "ws-api"
        for = "20s"
        [[fault]]
        do = "drop"
        frame = "executionReport/TRADE"
        after = "60s"
        nth = 1
    "#;
    let (world, _) = under(REST, script, 120);
    let changes = world.events().into_iter().filter_map(|kind| match kind {
        EventKind::AccountStreamChanged { state, reason, .. } => Some((state, reason)),
        _ => None,
    });
    let changes: Vec<_> = changes.collect();
    let doubted = changes.iter().position(|(state, reason)| {
        *state == StreamState::Unsure && reason.contains("was not reported within 2 s")
    });
    let after = doubted.map(|place| &changes[place..]);
    let is_live = |(state, _): &(StreamState, String)| *state == StreamState::Live;
    assert!(
        after.is_some_and(|after| after.iter().any(is_live)),
        "{changes:?}"
    );
}

/// N09: reports are late, twice and in another order; replies are lost.
#[test]
fn reports_in_any_order_and_number_are_booked_once() {
    let script = r#"
        [[fault]]
        do = "delay"
        frame = "executionReport"
        by = "uniform(0s,30s)"
        chance = 0.5
        [[fault]]
        do = "lose-reply"
        wire = "rest"
        chance = 0.3
        [[fault]]
        do = "duplicate"
        frame = "executionReport"
        by = "exponential(2s)"
        chance = 0.5
        [[fault]]
        do = "reorder"
        every = 7
    "#;
    let (_, view) = under(REST, script, 120);
    assert!(view.counters.duplicate_reports > 0);
}

/// N10: the order is executed and its reply is lost.
#[test]
fn an_order_whose_reply_is_lost_is_resolved_and_never_sent_again() {
    for order_entry in [OrderEntry::Rest, OrderEntry::WebSocket] {
        let script =
            "[[fault]]\ndo = \"lose-reply\"\ncall = \"order.place\"\nexecuted = true\ntimes = 3\n";
        under(order_entry, script, 60);
    }
}

/// N11: open orders, a partition, and the market moves meanwhile.
#[test]
fn orders_open_in_a_partition_are_in_order_after_it() {
    after_a_partition_of(60);
}

/// N11, T03: the same for two hours, in which every connection is tried again and again.
#[test]
fn orders_open_in_a_partition_of_two_hours_are_in_order_after_it() {
    after_a_partition_of(7_200);
}

fn after_a_partition_of(seconds: u32) {
    let mut world = trading(REST);
    let has_open = |world: &World| {
        let open = |network: &mut VirtualNetwork, _| {
            let books = VenueBooks::of(network.server(), KEY).unwrap();
            books.orders.iter().any(|order| order.is_open)
        };
        world.network.with(open)
    };
    for _ in 0..1_200 {
        if has_open(&world) {
            break;
        }
        world.run(SECOND / 10);
    }
    assert!(has_open(&world), "an order is open");
    world.add_faults("[[fault]]\ndo = \"price\"\npath = [[\"0s\", 1], [\"30s\", 0.95]]\n");
    let heals = |network: &mut VirtualNetwork, now| {
        network.partition(now, now + seconds * SECOND);
    };
    world.network.with(heals);
    world.run((seconds + 70) * SECOND);
    in_order(&mut world);
}

/// V01: 5xx, executed and not, for new orders and cancels.
#[test]
fn an_answer_of_5xx_is_no_refusal() {
    let script = r#"
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 503
        code = -1000
        executed = true
        every = 3
        times = 3
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 504
        code = -1000
        executed = false
        every = 4
        times = 3
        [[fault]]
        do = "answer"
        call = "order.cancel"
        status = 502
        body = "<html>Bad Gateway</html>"
        executed = true
        nth = 1
        [[fault]]
        do = "answer"
        call = "order.cancel"
        status = 503
        code = -1000
        executed = false
        nth = 2
    "#;
    for order_entry in [OrderEntry::Rest, OrderEntry::WebSocket] {
        let (world, _) = under(order_entry, script, 150);
        assert!(had_unknown(&world));
    }
}

/// V02: -1006 and -1007, executed, not executed and executed ten seconds later.
#[test]
fn an_order_without_a_known_outcome_is_resolved_even_if_it_comes_late() {
    let script = r#"
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 500
        code = -1006
        executed = true
        nth = 1
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 500
        code = -1007
        executed = false
        nth = 2
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 500
        code = -1007
        executed = "10s"
        nth = 3
    "#;
    let (world, _) = under(REST, script, 120);
    assert!(had_unknown(&world));
}

/// V04: the venue does not show orders younger than 20 s, and replies and reports are lost meanwhile.
#[test]
fn an_order_that_the_venue_does_not_show_yet_is_not_given_up() {
    let script = r#"
        [[fault]]
        do = "hide-orders"
        lag = "20s"
        for = "60s"
        [[fault]]
        do = "lose-reply"
        call = "order.place"
        executed = true
        times = 2
        [[fault]]
        do = "drop"
        frame = "executionReport"
        for = "60s"
    "#;
    let (world, _) = under(REST, script, 90);
    assert!(had_unknown(&world));
}

/// V05: pages of trades are short while fills are missing.
#[test]
fn fills_behind_a_short_page_are_found() {
    let script = r#"
        [[fault]]
        do = "truncate"
        keep = 1
        call = "myTrades"
        for = "60s"
        [[fault]]
        do = "drop"
        frame = "executionReport/TRADE"
        for = "60s"
    "#;
    under(REST, script, 90);
}

/// V06: reports and answers overtake each other.
#[test]
fn reports_and_answers_may_come_in_any_order() {
    let script = r#"
        [[fault]]
        do = "delay"
        frame = "executionReport/NEW"
        by = "uniform(0s,500ms)"
        [[fault]]
        do = "delay"
        frame = "executionReport/TRADE"
        by = "uniform(0s,500ms)"
        [[fault]]
        do = "delay"
        on = "answer"
        call = "order.place"
        by = "uniform(0s,500ms)"
    "#;
    under(REST, script, 120);
}

/// V07: the second of two equal executions finds the first booked.
#[test]
fn an_execution_that_comes_twice_is_booked_once() {
    let script = "[[fault]]\ndo = \"duplicate\"\nframe = \"executionReport/TRADE\"\nby = \"1s\"\nchance = 0.9\n";
    let (_, view) = under(REST, script, 60);
    assert!(view.counters.duplicate_reports > 0);
}

/// V08: executions are missing.
#[test]
fn an_execution_that_is_not_reported_is_found() {
    let script =
        "[[fault]]\ndo = \"drop\"\nframe = \"executionReport/TRADE\"\nevery = 2\nfor = \"60s\"\n";
    under(REST, script, 90);
}

/// V09: the order fills while its cancel is on its way.
#[test]
fn a_cancel_that_races_a_fill_leaves_the_fill_booked() {
    let script = r#"
        [[fault]]
        do = "delay"
        on = "request"
        call = "order.cancel"
        by = "300ms"
        [[fault]]
        do = "fill"
        on = "request"
        call = "order.cancel"
        account = "key"
        symbol = "ADAUSDT"
    "#;
    under(REST, script, 240);
}

/// V17: trades, a deposit, a withdrawal and a cancel by hand.
#[test]
fn what_a_person_does_on_the_account_is_followed() {
    let script = r#"
        [[fault]]
        do = "trade"
        account = "key"
        symbol = "ADAUSDT"
        side = "BUY"
        type = "MARKET"
        quantity = "50"
        every = "3s"
        times = 3
        [[fault]]
        do = "deposit"
        account = "key"
        asset = "USDT"
        amount = "500"
        after = "2s"
        [[fault]]
        do = "withdraw"
        account = "key"
        asset = "ADA"
        amount = "10"
        after = "15s"
        [[fault]]
        do = "cancel"
        account = "key"
        symbol = "XRPUSDT"
        every = "2s"
        after = "20s"
    "#;
    let (world, view) = under(REST, script, 90);
    let is_external = |owner| owner == OwnerId::External;
    assert!(view.balances.iter().any(|held| is_external(held.owner)));
    assert!(had(&world, |kind| matches!(
        kind,
        EventKind::TransferReported { .. }
    )));
}

/// T01: the venue's clock is wrong by half a second, five seconds and an hour, both ways, and drifts.
#[test]
fn orders_leave_again_after_the_venues_clock_was_wrong() {
    let mut world = trading(REST);
    for skew in ["500ms", "-500ms", "5s", "-5s", "1h", "-1h"] {
        world.add_faults(&format!(
            "[[fault]]\ndo = \"clock\"\nskew = \"{skew}\"\ndrift-ppm = 200\nfor = \"40s\"\n"
        ));
        world.run(45 * SECOND);
        assert!(world.fault_hits()[0] > 0, "{skew}");
        world.heal();
    }
    let fills = world.view().counters.fills;
    world.run(120 * SECOND);
    assert!(world.view().counters.fills > fills, "it trades again");
    in_order(&mut world);
}

/// S01: the process dies before and after the journal is written, at the n-th time.
#[test]
fn a_desk_that_dies_around_a_write_is_in_order_after_its_next_start() {
    let mut world = trading(REST);
    for (point, hits) in [
        (CrashPoint::BeforeFlush, [1, 7, 150]),
        (CrashPoint::AfterFlush, [1, 20, 190]),
    ] {
        for hit in hits {
            world.crash_at(point, hit);
            let until = world.now() + 60 * SECOND;
            assert!(!world.run_alive(until), "{point:?} {hit} is reached");
            assert!(world.start_desk());
            world.assert_settles(GOAL);
        }
    }
    in_order(&mut world);
}

/// P08: the desk dies with an order of unknown fate, which is live, and with one that is partly filled or resting.
#[test]
fn an_order_of_unknown_fate_is_resolved_after_a_restart() {
    let mut world = trading(REST);
    world.add_faults(
        r#"
        [[fault]]
        do = "hide-orders"
        lag = "20s"
        [[fault]]
        do = "drop"
        frame = "executionReport"
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 503
        code = -1000
        executed = true
    "#,
    );
    let is_unknown = |view: &DeskView| {
        let mut orders = view.orders.iter();
        orders.any(|order| order.status == OrderStatus::Unknown)
    };
    let mut found = false;
    for _ in 0..1_200 {
        world.run(SECOND / 20);
        found = is_unknown(&world.view());
        if found {
            break;
        }
    }
    assert!(found, "an order is unknown");
    world.kill_desk();
    world.run(5 * SECOND);
    assert!(world.start_desk());
    in_order(&mut world);
}
