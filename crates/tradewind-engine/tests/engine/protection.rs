//! Stops at the venue: what rests there while the desk holds a position, and what an exit does about it.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, AdoptedOrder, BotConfig, Configuration, EventKind, EventType, Input,
    OpenOrder, Output, Outputs,
};
use tradewind_model::{
    Amount, BotId, ClientOrderId, ExitPlan, Instrument, InstrumentStatus, NotSentReason, OrderKind,
    OrderTerms, Ppm, Price, Quantity, RejectReason, ReportKind, Side, Stop, StopOrders,
    VenueOrderId,
};
use tradewind_risk::PositionEffect;
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration, spot};

use crate::BOT;

const SECOND: Duration = Duration::from_secs(1);
/// One `BTC`.
const ONE: i64 = 100_000;

fn stopped(id: u32, stop: i64) -> BotConfig {
    let mut config = bot(id);
    config.exit.stop = Stop::Distance(Ppm(stop));
    config
}

fn desk_at(instrument: Instrument, bots: Vec<BotConfig>, script: &Script) -> Desk {
    let spans = u32::try_from(bots.len()).expect("there are few bots");
    let mut configuration = Configuration {
        bots,
        venue_stop_distance: Some(Ppm(1_250_000)),
        ..configuration()
    };
    configuration.instruments[0] = instrument;
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(2 * SECOND * spans);
    desk
}

/// An instrument in which the venue takes five stops at market.
fn listed() -> Instrument {
    Instrument {
        stop_orders: StopOrders::Market,
        algo_orders_max: 5,
        ..spot()
    }
}

/// A desk whose bot wants one `BTC` and leaves it a hundredth below its entry; its buy is sent.
fn buying() -> (Desk, Script, OrderTerms) {
    let script = Script::default();
    let mut desk = desk_at(listed(), vec![stopped(0, 10_000)], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    (desk, script, buy)
}

/// The same desk with its position at 100.00 and the stop at the venue confirmed.
fn protected() -> (Desk, Script, OrderTerms) {
    let (mut desk, script, buy) = buying();
    desk.fill(&buy, 10_000);
    let stop = stops(&desk)[0];
    desk.report(&stop, ReportKind::Accepted, Some(0));
    (desk, script, stop)
}

/// Every stop sent so far.
fn stops(desk: &Desk) -> Vec<OrderTerms> {
    let orders = desk.orders().into_iter();
    orders
        .filter(|terms| terms.kind.trigger().is_some())
        .collect()
}

/// What the order sent last replaces.
fn replaced(desk: &Desk) -> Option<ClientOrderId> {
    let mut sent = desk.log.iter().rev();
    sent.find_map(|output| match output {
        Output::Submit(intent, order) => {
            assert_eq!(intent.replaces, order.replaces());
            Some(intent.replaces)
        }
        _ => None,
    })?
}

fn covered(desk: &Desk) -> Vec<(u32, i64)> {
    let view = desk.engine.view();
    let positions = view.positions.iter().filter_map(|position| {
        let tradewind_model::OwnerId::Bot(bot) = position.owner else {
            return None;
        };
        Some((bot.0, position.protected.0))
    });
    positions.collect()
}

fn refusal() -> ReportKind {
    ReportKind::Rejected(RejectReason {
        code: -2010,
        text: "Account has insufficient balance for requested action.".to_owned(),
    })
}

/// I23.
#[test]
fn a_filled_entry_has_a_stop_at_the_venue_a_quarter_farther_than_the_desks() {
    let (mut desk, _, buy) = buying();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    assert_eq!(
        (stop.side, stop.quantity, stop.kind),
        (
            Side::Sell,
            Quantity(ONE),
            OrderKind::Stop {
                trigger: Price(9_875)
            }
        )
    );
    let EventKind::OrderPlaced { purpose, bot, .. } = desk.last(EventType::OrderPlaced) else {
        panic!("an order was placed");
    };
    assert_eq!((purpose, bot), (PositionEffect::Protect, Some(BOT)));
    assert_eq!(covered(&desk), [(0, 0)], "not confirmed yet");
    desk.report(&stop, ReportKind::Accepted, Some(0));
    assert_eq!(covered(&desk), [(0, ONE)]);
    desk.advance(60 * SECOND);
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
    assert_eq!(desk.orders().len(), 2);
}

#[test]
fn without_a_stop_in_the_exit_plan_or_with_the_distance_off_nothing_rests() {
    let script = Script::default();
    let mut desk = desk_at(listed(), vec![bot(0)], &script);
    crate::buy(&mut desk, &script);
    assert_eq!(stops(&desk).len(), 0);
    let script = Script::default();
    let mut desk = crate::desk(vec![stopped(0, 10_000)], &script);
    crate::buy(&mut desk, &script);
    assert_eq!(stops(&desk).len(), 0);
    desk.advance(10 * SECOND);
    assert_eq!(desk.engine.view().unprotected, []);
}

#[test]
fn where_only_stops_with_a_limit_are_listed_the_limit_is_two_percent_beyond() {
    let script = Script::default();
    let limited = Instrument {
        stop_orders: StopOrders::Limit,
        ..listed()
    };
    let mut desk = desk_at(limited, vec![stopped(0, 10_000)], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    assert_eq!(
        desk.last_order().kind,
        OrderKind::StopLimit {
            trigger: Price(9_875),
            // 98.75 less 1.975, on a tick.
            price: Price(9_678)
        }
    );
}

/// A stop with a limit that the market has passed waits at its limit. The desk sells at market in its place, and again within two
/// seconds if that is refused.
#[test]
fn a_stop_whose_limit_the_market_has_passed_is_replaced_by_a_sale_at_market() {
    let script = Script::default();
    let limited = Instrument {
        stop_orders: StopOrders::Limit,
        ..listed()
    };
    let mut desk = desk_at(limited, vec![stopped(0, 10_000)], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    assert!(matches!(stop.kind, OrderKind::StopLimit { .. }));
    desk.report(&stop, ReportKind::Accepted, Some(0));
    // Below its trigger at 98.75 and its limit at 96.78; a second quote confirms the jump.
    for _ in 0..2 {
        desk.quote(9_600, 9_601);
    }
    let first = desk.last_order();
    assert_eq!((first.side, first.quantity), (Side::Sell, Quantity(ONE)));
    assert_eq!(replaced(&desk), Some(stop.client_id));
    desk.report(&first, refusal(), Some(0));
    desk.report(&stop, ReportKind::Accepted, Some(0));
    desk.advance(2 * SECOND);
    desk.quote(9_600, 9_601);
    let second = desk.last_order();
    assert_ne!(second.client_id, first.client_id, "it is tried again");
    assert_eq!(replaced(&desk), Some(stop.client_id));
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    desk.fill(&second, 9_600);
    desk.advance(60 * SECOND);
    assert_eq!(desk.held(SPOT), 0);
}

/// V20, I23.
#[test]
fn a_partial_fill_is_protected_within_two_seconds_and_the_rest_with_the_last_fill() {
    let (mut desk, _, buy) = buying();
    desk.report(&buy, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&buy, 30_000, 10_000);
    desk.report(&buy, ReportKind::Filled(part), Some(30_000));
    desk.advance(SECOND);
    let first = desk.last_order();
    assert_eq!(first.quantity, Quantity(30_000));
    desk.report(&first, ReportKind::Accepted, Some(0));
    let rest = desk.fill_of(&buy, 70_000, 10_000);
    desk.report(&buy, ReportKind::Filled(rest), Some(ONE));
    let second = desk.last_order();
    assert_eq!(stops(&desk).len(), 2);
    assert_eq!(second.quantity, Quantity(70_000));
    desk.report(&second, ReportKind::Accepted, Some(0));
    assert_eq!(covered(&desk), [(0, ONE)]);
}

/// R12, R21: the stop locks what the exit sells.
#[test]
fn an_exit_takes_the_place_of_its_stop_by_one_request() {
    let (mut desk, _, stop) = protected();
    desk.quote(9_900, 9_901);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.kind), (Side::Sell, OrderKind::Market));
    assert_eq!(replaced(&desk), Some(stop.client_id));
    assert_eq!(desk.cancels(), []);
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    desk.fill(&exit, 9_900);
    assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 3));
    desk.advance(60 * SECOND);
    assert_eq!(desk.orders().len(), 3, "nothing is left to protect");
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

/// R12: if the sale fails after the cancel, the stop is back.
#[test]
fn after_a_failed_exit_the_stop_is_back_within_two_seconds() {
    let (mut desk, _, stop) = protected();
    desk.quote(9_900, 9_901);
    let exit = desk.last_order();
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    assert_eq!(covered(&desk), [(0, 0)]);
    desk.report(&exit, refusal(), Some(0));
    let again = desk.last_order();
    assert_eq!((again.kind, again.quantity), (stop.kind, stop.quantity));
    assert_eq!(replaced(&desk), None);
    desk.report(&again, ReportKind::Accepted, Some(0));
    assert_eq!(covered(&desk), [(0, ONE)]);
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

/// V10: neither half was done.
#[test]
fn an_exit_whose_stop_could_not_be_cancelled_leaves_the_stop_in_force() {
    let (mut desk, _, stop) = protected();
    desk.quote(9_900, 9_901);
    let exit = desk.last_order();
    let reason = RejectReason {
        code: -2011,
        text: "Unknown order sent.".to_owned(),
    };
    desk.report(&stop, ReportKind::CancelRejected(reason), None);
    desk.report(&exit, refusal(), Some(0));
    assert_eq!(desk.queries(), [stop.client_id]);
    assert_eq!(stops(&desk).len(), 1, "it may still be there");
    desk.report(&stop, ReportKind::Accepted, Some(0));
    assert_eq!(desk.cancels(), []);
    assert_eq!(covered(&desk), [(0, ONE)]);
    // The next exit takes its place again.
    desk.advance(2 * SECOND);
    desk.quote(9_890, 9_891);
    assert_eq!(replaced(&desk), Some(stop.client_id));
}

#[test]
fn an_exit_that_was_not_sent_leaves_its_stop() {
    let (mut desk, _, _) = protected();
    desk.quote(9_900, 9_901);
    let exit = desk.last_order();
    desk.report(&exit, ReportKind::NotSent(NotSentReason::Unreachable), None);
    assert_eq!(covered(&desk), [(0, ONE)]);
    assert_eq!((stops(&desk).len(), desk.queries().len()), (1, 0));
}

/// V21: the stop's reply was lost.
#[test]
fn an_exit_waits_for_the_answer_on_an_unknown_stop_and_sells_after_ten_seconds() {
    for is_live in [true, false] {
        let (mut desk, _, buy) = buying();
        desk.fill(&buy, 10_000);
        let stop = desk.last_order();
        desk.report(&stop, ReportKind::Unknown, None);
        desk.quote(9_900, 9_901);
        assert_eq!(desk.orders().len(), 2, "no sale yet");
        assert_eq!(desk.cancels(), [stop.client_id]);
        desk.advance(9 * SECOND);
        desk.quote(9_900, 9_901);
        assert_eq!(desk.orders().len(), 2);
        desk.advance(SECOND);
        let exit = desk.last_order();
        assert_eq!((exit.kind, replaced(&desk)), (OrderKind::Market, None));
        if is_live {
            // It shows up all the same: it is cancelled on sight.
            desk.report(&stop, ReportKind::Accepted, Some(0));
            assert_eq!(desk.cancels(), [stop.client_id; 2]);
            desk.report(&stop, ReportKind::Cancelled, Some(0));
        } else {
            desk.report(&stop, refusal(), Some(0));
        }
        desk.fill(&exit, 9_900);
        desk.advance(60 * SECOND);
        assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 3), "{is_live}");
    }
}

/// R03, I16: the stop may have sold already.
#[test]
fn nothing_is_entered_beside_a_stop_of_unknown_fate() {
    let script = Script::default();
    let mut desk = desk_at(listed(), vec![stopped(0, 10_000)], &script);
    script.say(BOT, Answer::target(500_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    desk.report(&stop, ReportKind::Unknown, None);
    script.say(BOT, Answer::target(1_000_000));
    desk.advance(SECOND);
    desk.quote(9_999, 10_000);
    assert_eq!(desk.last_order(), stop);
    desk.report(&stop, ReportKind::Accepted, Some(0));
    script.say(BOT, Answer::target(1_000_000));
    desk.advance(SECOND);
    desk.quote(9_999, 10_000);
    let more = desk.last_order();
    assert_eq!((more.side, more.quantity), (Side::Buy, buy.quantity));
}

/// V21.
#[test]
fn an_exit_sells_as_soon_as_the_unknown_stop_is_definite() {
    let (mut desk, _, buy) = buying();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    desk.report(&stop, ReportKind::Unknown, None);
    desk.quote(9_900, 9_901);
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    assert_eq!(desk.last_order().kind, OrderKind::Market);
    assert_eq!(replaced(&desk), None);
}

#[test]
fn an_exit_cancels_all_stops_but_one_and_takes_that_ones_place() {
    let (mut desk, _, buy) = buying();
    desk.report(&buy, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&buy, 30_000, 10_000);
    desk.report(&buy, ReportKind::Filled(part), Some(30_000));
    desk.advance(SECOND);
    let rest = desk.fill_of(&buy, 70_000, 10_000);
    desk.report(&buy, ReportKind::Filled(rest), Some(ONE));
    let [small, large] = stops(&desk)[..] else {
        panic!("two stops");
    };
    for stop in [small, large] {
        desk.report(&stop, ReportKind::Accepted, Some(0));
    }
    desk.quote(9_900, 9_901);
    assert_eq!(desk.cancels(), [small.client_id]);
    assert_eq!(desk.orders().len(), 3, "the exit waits");
    desk.report(&small, ReportKind::Cancelled, Some(0));
    let exit = desk.last_order();
    assert_eq!(
        (exit.kind, exit.quantity),
        (OrderKind::Market, Quantity(ONE))
    );
    assert_eq!(replaced(&desk), Some(large.client_id));
}

#[test]
fn a_fired_stop_closes_the_position() {
    let (mut desk, _, stop) = protected();
    let fill = desk.fill_of(&stop, ONE, 9_870);
    desk.report(&stop, ReportKind::Filled(fill), Some(ONE));
    assert_eq!(desk.held(SPOT), 0);
    assert_eq!(desk.count(EventType::PositionClosed), 1);
    desk.quote(9_000, 9_001);
    desk.advance(60 * SECOND);
    assert_eq!(desk.orders().len(), 2, "no exit follows");
}

/// V15: a lost stop is an alarm, and comes back.
#[test]
fn a_stop_that_the_venue_ends_is_placed_again_with_growing_pauses_and_listed() {
    let (mut desk, _, stop) = protected();
    desk.report(&stop, ReportKind::Expired, Some(0));
    assert_eq!(stops(&desk).len(), 1);
    desk.advance(SECOND);
    let again = desk.last_order();
    assert_eq!(stops(&desk).len(), 2);
    desk.report(&again, refusal(), Some(0));
    desk.advance(SECOND);
    assert_eq!(desk.count(EventType::PositionUnprotected), 1);
    let listed = &desk.engine.view().unprotected;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].quantity, Quantity(ONE));
    assert!(listed[0].reason.contains("-2010"), "{}", listed[0].reason);
    desk.advance(3_600 * SECOND);
    let tries = stops(&desk).len();
    assert_eq!(tries, 3, "the third has no answer yet");
    let last = desk.last_order();
    desk.report(&last, ReportKind::Accepted, Some(0));
    assert_eq!(desk.engine.view().unprotected, []);
    assert_eq!(desk.count(EventType::PositionUnprotected), 1);
}

/// I23: the venue takes each stop and ends it at once. The two seconds do not start anew at each try.
#[test]
fn a_position_whose_stops_keep_failing_is_listed_between_two_tries() {
    let (mut desk, _, stop) = protected();
    let mut last = stop;
    for _ in 0..4 {
        desk.report(&last, ReportKind::Expired, Some(0));
        assert_eq!(desk.engine.view().unprotected.len(), 1);
        desk.advance(SECOND);
        assert_eq!(desk.engine.view().unprotected.len(), 1, "its stop is sent");
        last = desk.last_order();
        desk.report(&last, ReportKind::Accepted, Some(0));
        assert_eq!(desk.engine.view().unprotected, []);
    }
}

/// I23: after a start the account may take long to be read. What has no stop by the desk's own records is listed meanwhile.
#[test]
fn a_position_without_a_stop_is_listed_as_soon_as_the_desk_starts() {
    let configuration = || {
        let mut configuration = Configuration {
            bots: vec![stopped(0, 10_000)],
            venue_stop_distance: Some(Ppm(1_250_000)),
            ..configuration()
        };
        configuration.instruments[0] = listed();
        configuration
    };
    let (mut bare, script, buy) = buying();
    bare.fill(&buy, 10_000);
    assert_eq!(bare.engine.view().unprotected, [], "its stop is on its way");
    let mut next = bare.restarted(configuration(), script.strategies());
    let view = next.engine.view();
    assert_eq!(view.unprotected.len(), 1);
    assert_eq!(view.unprotected[0].quantity, Quantity(ONE));
    assert!(view.unprotected[0].reason.contains("not read yet"));
    next.advance(2 * SECOND);
    assert_eq!(next.count(EventType::PositionUnprotected), 1);
    assert_eq!((next.orders(), next.cancels()), (Vec::new(), Vec::new()));

    let (covered, script, _) = protected();
    let next = covered.restarted(configuration(), script.strategies());
    assert_eq!(next.engine.view().unprotected, []);
}

/// I23: what cannot be covered is listed.
#[test]
fn a_position_that_no_stop_can_cover_is_listed_with_its_reason() {
    let check = |instrument: Instrument, wanted: &str| {
        let script = Script::default();
        let mut desk = desk_at(listed(), vec![stopped(0, 10_000)], &script);
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(9_999, 10_000);
        let buy = desk.last_order();
        // The venue's rules change while the entry works.
        desk.input(&Input::InstrumentChanged(Box::new(instrument)));
        desk.fill(&buy, 10_000);
        desk.advance(2 * SECOND);
        let listed = &desk.engine.view().unprotected;
        assert_eq!(listed.len(), 1, "{wanted}");
        assert!(listed[0].reason.contains(wanted), "{}", listed[0].reason);
        assert_eq!(stops(&desk).len(), 0);
    };
    check(
        Instrument {
            stop_orders: StopOrders::None,
            ..listed()
        },
        "takes no stop order",
    );
    // Worth 100.00 when bought, and 98.75 at its stop.
    check(
        Instrument {
            notional_min: Amount::whole(99),
            ..listed()
        },
        "below the least order",
    );
}

#[test]
fn a_stop_trails_by_replacement_when_its_level_moved_by_a_quarter_of_the_distance() {
    let script = Script::default();
    let mut trailing = bot(0);
    trailing.exit = ExitPlan {
        trailing: Some(Ppm(10_000)),
        ..ExitPlan::default()
    };
    let mut desk = desk_at(listed(), vec![trailing], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    assert_eq!(stop.kind.trigger(), Some(Price(9_875)));
    desk.report(&stop, ReportKind::Accepted, Some(0));
    desk.quote(10_020, 10_021);
    desk.advance(5 * SECOND);
    assert_eq!(stops(&desk).len(), 1, "it moved by less than 25");
    desk.quote(10_100, 10_101);
    desk.advance(5 * SECOND);
    let moved = desk.last_order();
    // 101.00 less 1.25 x 1.01.
    assert_eq!(moved.kind.trigger(), Some(Price(9_973)));
    assert_eq!(replaced(&desk), Some(stop.client_id));
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    desk.report(&moved, ReportKind::Accepted, Some(0));
    assert_eq!(covered(&desk), [(0, ONE)]);
    desk.quote(10_500, 10_501);
    desk.advance(SECOND);
    assert_eq!(
        stops(&desk).len(),
        2,
        "not more often than every five seconds"
    );
    desk.advance(5 * SECOND);
    assert_eq!(stops(&desk).len(), 3);
}

/// Bots that bought one `BTC` each, one after the other, with the last stop not confirmed.
fn crowd(count: u32, max: u32) -> Desk {
    let script = Script::default();
    let bots = (0..count).map(|id| stopped(id, 10_000 + 1_000 * i64::from(id)));
    let instrument = Instrument {
        algo_orders_max: max,
        ..listed()
    };
    let mut desk = desk_at(instrument, bots.collect(), &script);
    for bot in 0..count {
        script.say(BotId(bot), Answer::target(1_000_000));
        desk.quote(9_999, 10_000);
        let buy = desk.last_order();
        desk.fill(&buy, 10_000);
        answer_stops(&mut desk);
    }
    desk
}

/// The venue confirms every stop that it was sent, and what each replaces as cancelled.
fn answer_stops(desk: &mut Desk) {
    loop {
        let view = desk.engine.view();
        let pending = view.orders.iter().find(|order| {
            order.purpose == PositionEffect::Protect
                && order.status == tradewind_model::OrderStatus::Pending
        });
        let Some(terms) = pending.map(|order| order.terms) else {
            return;
        };
        let replaced = desk.log.iter().find_map(|output| match output {
            Output::Submit(intent, _) if intent.terms == terms => Some(intent.replaces),
            _ => None,
        });
        let replaced = replaced.flatten();
        let replaced = view
            .orders
            .iter()
            .find(|order| Some(order.terms.client_id) == replaced);
        if let Some(order) = replaced {
            desk.report(&order.terms, ReportKind::Cancelled, Some(0));
        }
        desk.report(&terms, ReportKind::Accepted, Some(0));
    }
}

/// Quantity and trigger of each stop that rests.
fn resting(desk: &Desk) -> Vec<(i64, i64)> {
    let view = desk.engine.view();
    let stops = view.orders.iter().filter_map(|order| {
        let trigger = order.terms.kind.trigger()?;
        Some((order.terms.quantity.0 / ONE, trigger.0))
    });
    stops.collect()
}

/// V19.
#[test]
fn at_the_venues_cap_the_nearest_stops_are_merged_at_the_farther_trigger() {
    let desk = crowd(4, 2);
    // Triggers of their own would be 98.75, 98.62, 98.50 and 98.37.
    assert_eq!(resting(&desk), [(1, 9_875), (3, 9_837)]);
    assert_eq!(covered(&desk), [(0, ONE), (1, ONE), (2, ONE), (3, ONE)]);
    assert_eq!(desk.engine.view().unprotected, []);
}

/// V19: one bot's exit leaves the rest's stop back within 2 s.
#[test]
fn an_exit_out_of_a_shared_stop_leaves_a_stop_for_the_others() {
    let mut desk = crowd(3, 1);
    assert_eq!(resting(&desk), [(3, 9_850)]);
    let shared = stops(&desk).last().copied().unwrap();
    // The first bot's own stop is at 99.00.
    desk.quote(9_900, 9_901);
    let exit = desk.last_order();
    assert_eq!(
        (exit.quantity, exit.kind),
        (Quantity(ONE), OrderKind::Market)
    );
    assert_eq!(replaced(&desk), Some(shared.client_id));
    desk.report(&shared, ReportKind::Cancelled, Some(0));
    answer_stops(&mut desk);
    assert_eq!(resting(&desk), [(2, 9_850)], "before the exit is filled");
    desk.fill(&exit, 9_900);
    assert_eq!(covered(&desk), [(1, ONE), (2, ONE)]);
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

/// V19: the fill of a shared stop is allocated by the written rule.
#[test]
fn the_fills_of_a_shared_stop_close_each_bots_position() {
    let mut desk = crowd(3, 1);
    let shared = stops(&desk).last().copied().unwrap();
    let first = desk.fill_of(&shared, 100_001, 9_850);
    desk.report(&shared, ReportKind::Filled(first), Some(100_001));
    let left = |desk: &Desk| -> Vec<i64> {
        let view = desk.engine.view();
        view.positions.iter().map(|held| held.quantity.0).collect()
    };
    assert_eq!(left(&desk), [66_665, 66_667, 66_667]);
    let rest = desk.fill_of(&shared, 199_999, 9_850);
    desk.report(&shared, ReportKind::Filled(rest), Some(300_000));
    assert_eq!(left(&desk), [] as [i64; 0]);
    let total: Amount = desk
        .engine
        .view()
        .balances
        .iter()
        .filter(|held| held.asset == BTC)
        .map(|held| held.amount)
        .sum();
    assert_eq!(total, Amount::ZERO);
}

/// Kill cancels entries and leaves protective stops.
#[test]
fn a_kill_leaves_the_stops_and_a_reset_covers_what_was_not() {
    let (mut desk, _, _) = protected();
    let kill = Action::Kill {
        reason: "test".to_owned(),
        flatten: false,
        include_external: false,
    };
    desk.command(kill.clone());
    assert_eq!(desk.cancels(), []);
    assert_eq!(covered(&desk), [(0, ONE)]);
    let (mut desk, _, buy) = buying();
    desk.command(kill);
    desk.fill(&buy, 10_000);
    desk.advance(2 * SECOND);
    assert_eq!(stops(&desk).len(), 0, "KILLED sends nothing");
    let listed = desk.engine.view().unprotected;
    assert!(listed[0].reason.contains("KILLED"), "{}", listed[0].reason);
    desk.read_account();
    desk.read_account();
    desk.command(Action::Reset {
        reason: "test".to_owned(),
    });
    desk.advance(SECOND);
    assert_eq!(stops(&desk).len(), 1);
}

/// A stop found at a restart is owned again.
#[test]
fn a_stop_found_at_a_start_protects_and_an_exit_takes_its_place() {
    let (old, _, stop) = protected();
    let fills: Vec<_> = old
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::OrderFilled { fill, bot, .. } => Some((*fill, *bot)),
            _ => None,
        })
        .collect();
    let script = Script::default();
    let mut configuration = Configuration {
        bots: vec![stopped(0, 10_000)],
        venue_stop_distance: Some(Ppm(1_250_000)),
        ..configuration()
    };
    configuration.instruments[0] = listed();
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(99_900)), (BTC, Amount::ONE)],
        open_orders: vec![OpenOrder {
            terms: stop,
            venue_order_id: VenueOrderId(9),
            filled: Quantity::ZERO,
            adopted: Some(AdoptedOrder {
                bot: Some(BOT),
                placed_at: old.now,
            }),
            list: None,
        }],
        fills,
    })));
    assert_eq!(covered(&desk), [(0, ONE)]);
    assert_eq!((desk.orders().len(), desk.cancels().len()), (0, 0));
    desk.advance(2 * SECOND);
    desk.quote(9_900, 9_901);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
    assert_eq!(replaced(&desk), Some(stop.client_id));
}

/// R21: exits and live stops together are never larger than the position.
#[test]
fn exits_and_stops_never_exceed_the_position() {
    let mut desk = crowd(3, 2);
    let check = |desk: &Desk, outputs: &Outputs| {
        let view = desk.engine.view();
        let held: i64 = view.positions.iter().map(|held| held.quantity.0).sum();
        let selling = view
            .orders
            .iter()
            .filter(|order| order.terms.side == Side::Sell);
        let replaced: Vec<ClientOrderId> = desk
            .log
            .iter()
            .filter_map(|output| match output {
                Output::Submit(intent, _) => intent.replaces,
                _ => None,
            })
            .collect();
        let selling = selling.filter(|order| !replaced.contains(&order.terms.client_id));
        let selling: i64 = selling
            .map(|order| (order.terms.quantity - order.filled).0)
            .sum();
        assert!(selling <= held, "{selling} > {held}: {outputs:?}");
    };
    for bid in [9_905, 9_900, 9_895, 9_890, 9_885, 9_880, 9_870] {
        desk.advance(SECOND);
        let outputs = desk.quote(bid, bid + 1);
        check(&desk, &outputs);
        for order in desk.engine.view().orders {
            let kind = match order.purpose {
                PositionEffect::Exit => {
                    let left = (order.terms.quantity - order.filled).0;
                    ReportKind::Filled(desk.fill_of(&order.terms, left, bid))
                }
                _ => ReportKind::Accepted,
            };
            let outputs = desk.report(&order.terms, kind, None);
            check(&desk, &outputs);
        }
    }
}

/// An instrument that trades again.
fn status(desk: &mut Desk, status: InstrumentStatus) {
    let changed = Instrument { status, ..listed() };
    desk.input(&Input::InstrumentChanged(Box::new(changed)));
}

/// V15.
#[test]
fn a_halted_instrument_takes_no_stop_and_gets_one_when_it_trades_again() {
    let (mut desk, _, buy) = buying();
    status(&mut desk, InstrumentStatus::Halted);
    desk.fill(&buy, 10_000);
    desk.advance(2 * SECOND);
    assert_eq!(stops(&desk).len(), 0);
    assert_eq!(desk.engine.view().unprotected.len(), 1);
    status(&mut desk, InstrumentStatus::Trading);
    desk.advance(SECOND);
    assert_eq!(stops(&desk).len(), 1);
}
