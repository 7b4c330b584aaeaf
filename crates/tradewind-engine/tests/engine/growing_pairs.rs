//! Pairs of a stop and a take profit while their position grows, because its entry is filled in parts.

use tradewind_events::{Action, EventType, Input, Output};
use tradewind_model::{
    Amount, ExitPlan, Instrument, InstrumentStatus, Money, OrderTerms, Ppm, Price, Quantity,
    ReportKind, Side, Stop,
};
use tradewind_testkit::{Answer, BTC, Desk};

use crate::BOT;
use crate::take_profits::{
    ONE, SECOND, buying, configured, covered, end_both, guarded, last_pair, paired, resting_at,
};

/// A desk whose entry is filled in part, with a pair for that, and the rest of the entry.
fn growing() -> (Desk, OrderTerms, OrderTerms) {
    let (mut desk, _, buy) = buying(paired());
    desk.report(&buy, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&buy, 30_000, 10_000);
    desk.report(&buy, ReportKind::Filled(part), Some(30_000));
    desk.advance(SECOND);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    (desk, buy, stop)
}

fn fill_rest(desk: &mut Desk, buy: &OrderTerms) {
    let rest = desk.fill_of(buy, 70_000, 10_000);
    desk.report(buy, ReportKind::Filled(rest), Some(ONE));
}

/// Another part of the entry is filled; what follows from it a second later.
fn fill_more(desk: &mut Desk, buy: &OrderTerms, part: i64, cumulative: i64) {
    let fill = desk.fill_of(buy, part, 10_000);
    desk.report(buy, ReportKind::Filled(fill), Some(cumulative));
    desk.advance(SECOND);
}

/// Trigger orders that were sent, each with what takes the profit beside it.
fn stops(desk: &Desk) -> Vec<(i64, bool)> {
    let sent = desk.log.iter().filter_map(|output| match output {
        Output::Submit(intent, _) if intent.terms.kind.trigger().is_some() => {
            Some((intent.terms.quantity.0, intent.take_profit.is_some()))
        }
        _ => None,
    });
    sent.collect()
}

/// V20: the pair stays while the entry works, and what is new gets a stop alone. In the end one pair takes their place, whichever of them
/// ends first.
#[test]
fn a_position_that_grows_keeps_its_pair_and_gets_one_for_all_of_it_in_the_end() {
    for pair_first in [true, false] {
        let (mut desk, buy, stop) = growing();
        fill_more(&mut desk, &buy, 30_000, 60_000);
        let second = desk.last_order();
        assert_eq!(stops(&desk), [(30_000, true), (30_000, false)]);
        assert_eq!(desk.cancels(), []);
        desk.report(&second, ReportKind::Accepted, Some(0));
        assert_eq!(covered(&desk), 60_000);
        desk.quote(9_999, 10_000);
        let rest = desk.fill_of(&buy, 40_000, 10_000);
        desk.report(&buy, ReportKind::Filled(rest), Some(ONE));
        // Both at once, so that they take the time of one.
        assert_eq!(desk.cancels(), [stop.client_id, second.client_id]);
        let listed = desk.engine.view().unprotected;
        assert_eq!(listed.len(), 1, "it is listed at once");
        assert_eq!(listed[0].quantity, Quantity(ONE));
        let limit = desk.engine.view().orders.into_iter();
        let mut limit = limit.filter(|order| order.terms.kind.trigger().is_none());
        let limit = limit.next().expect("it rests").terms;
        let mut ended = vec![second, stop, limit];
        if pair_first {
            ended.rotate_left(1);
        }
        for order in &ended {
            assert_eq!(stops(&desk).len(), 2, "nothing goes before all have ended");
            desk.report(order, ReportKind::Cancelled, Some(0));
        }
        assert_eq!(stops(&desk)[2..], [(ONE, true)], "{pair_first}");
        let (stop, limit) = last_pair(&desk);
        end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
        desk.advance(60 * SECOND);
        assert_eq!((covered(&desk), stops(&desk).len()), (ONE, 3));
        assert!(desk.engine.view().unprotected.is_empty());
        assert_eq!(desk.count(EventType::PositionUnprotected), 0);
    }
}

/// The answer on the stop alone is lost, and the entry ends: what its last fill has added does not wait for that answer.
#[test]
fn the_last_fill_is_covered_beside_a_stop_of_unknown_fate() {
    let (mut desk, buy, _) = growing();
    fill_more(&mut desk, &buy, 30_000, 60_000);
    let second = desk.last_order();
    desk.report(&second, ReportKind::Unknown, None);
    let rest = desk.fill_of(&buy, 40_000, 10_000);
    desk.report(&buy, ReportKind::Filled(rest), Some(ONE));
    assert_eq!(stops(&desk)[2..], [(40_000, false)]);
}

/// A new plan's stop is nearer, or trails: what rests at the venue follows although the entry that brought the plan still works.
#[test]
fn the_stop_of_a_pair_follows_a_new_plan_while_the_entry_works() {
    let fixed = guarded(0).exit;
    let nearer = ExitPlan {
        stop: Stop::Distance(Ppm(4_000)),
        ..fixed.clone()
    };
    let trailing = ExitPlan {
        trailing: Some(Ppm(4_000)),
        ..fixed
    };
    for (plan, has_pair) in [(nearer, true), (trailing, false)] {
        let (mut desk, script, stop, limit) = resting_at(500_000);
        desk.advance(2 * SECOND);
        script.say(BOT, Answer::guarded(1_000_000, None, Some(plan)));
        desk.quote(9_999, 10_000);
        let more = desk.last_order();
        desk.report(&more, ReportKind::Accepted, Some(0));
        fill_more(&mut desk, &more, 10_000, 10_000);
        let alone = desk.last_order();
        assert_eq!(alone.kind.trigger(), Some(Price(9_950)));
        desk.report(&alone, ReportKind::Accepted, Some(0));
        let mut ended = vec![&stop, &limit];
        // One that trails has no pair, and what is alone stays alone.
        ended.extend(has_pair.then_some(&alone));
        assert_eq!(desk.cancels().len(), ended.len() - 1);
        end_both(&mut desk, &ended, &ReportKind::Cancelled);
        let rest = stop.quantity.0 + if has_pair { 10_000 } else { 0 };
        assert_eq!(stops(&desk)[2..], [(rest, has_pair)]);
        let open = desk.engine.view().orders.into_iter();
        let triggers = open.filter_map(|order| order.terms.kind.trigger());
        assert!(triggers.into_iter().all(|trigger| trigger == Price(9_950)));
    }
}

/// A stop alone becomes larger by a replacement, so that the venue's cap is no matter.
#[test]
fn beside_a_pair_at_the_cap_the_stop_alone_takes_what_is_added() {
    let capped = Instrument {
        algo_orders_max: 2,
        ..paired()
    };
    let (mut desk, _, buy) = buying(capped);
    desk.report(&buy, ReportKind::Accepted, Some(0));
    fill_more(&mut desk, &buy, 30_000, 30_000);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    fill_more(&mut desk, &buy, 30_000, 60_000);
    let second = desk.last_order();
    desk.report(&second, ReportKind::Accepted, Some(0));
    fill_more(&mut desk, &buy, 20_000, 80_000);
    assert_eq!(stops(&desk)[1..], [(30_000, false), (50_000, false)]);
    assert_eq!(desk.cancels(), []);
}

/// The market is beyond the level, or nobody knows where it is: nothing is better than what rests.
#[test]
fn without_a_quote_the_pair_and_the_stop_beside_it_stay() {
    let (mut desk, buy, _) = growing();
    fill_more(&mut desk, &buy, 30_000, 60_000);
    let second = desk.last_order();
    desk.report(&second, ReportKind::Accepted, Some(0));
    desk.advance(60 * SECOND);
    desk.report(&buy, ReportKind::Cancelled, Some(60_000));
    desk.advance(30 * SECOND);
    assert_eq!((desk.cancels(), covered(&desk)), (vec![], 60_000));
    for _ in 0..6 {
        desk.quote(9_999, 10_000);
        desk.advance(SECOND);
    }
    assert_eq!(desk.cancels().len(), 2);
}

/// A venue's order that would take the profit later than the plan does not take it in the desk's place. After its fee a fill may add
/// nothing that can be sold, and changes the plan all the same.
#[test]
fn an_order_beyond_the_level_does_not_take_the_profit_in_the_desks_place() {
    for (nearer, sells) in [(10_000, true), (30_000, false)] {
        let (mut desk, script, ..) = resting_at(500_000);
        let plan = ExitPlan {
            take_profit: Some(Ppm(nearer)),
            ..guarded(0).exit
        };
        // Two equal orders within a second are one too many.
        desk.advance(2 * SECOND);
        script.say(BOT, Answer::guarded(1_000_000, None, Some(plan)));
        desk.quote(9_999, 10_000);
        let more = desk.last_order();
        assert_eq!(more.side, Side::Buy);
        let mut dust = desk.fill_of(&more, 1, 10_000);
        dust.fee = Money {
            asset: BTC,
            amount: Amount(1),
        };
        desk.report(&more, ReportKind::Filled(dust), Some(1));
        desk.quote(10_100, 10_101);
        assert_eq!(desk.cancels().contains(&more.client_id), sells, "{nearer}");
        desk.quote(10_200, 10_201);
        assert_eq!(desk.cancels().contains(&more.client_id), sells, "{nearer}");
    }
}

/// A cancel passes a kill, and a new stop does not.
#[test]
fn after_a_kill_the_pair_stays_although_the_position_has_grown() {
    let (mut desk, buy, stop) = growing();
    desk.command(Action::Kill {
        reason: "drill".to_owned(),
        flatten: false,
        include_external: false,
    });
    fill_rest(&mut desk, &buy);
    desk.advance(60 * SECOND);
    assert!(!desk.cancels().contains(&stop.client_id));
    assert_eq!((covered(&desk), desk.orders().len()), (30_000, 2));
}

#[test]
fn the_pair_stays_while_the_venue_takes_no_order() {
    let (mut desk, buy, stop) = growing();
    let halted = Instrument {
        status: InstrumentStatus::Halted,
        ..paired()
    };
    desk.input(&Input::Configured(Box::new(configured(halted))));
    fill_rest(&mut desk, &buy);
    desk.advance(10 * SECOND);
    assert!(!desk.cancels().contains(&stop.client_id));
    desk.input(&Input::Configured(Box::new(configured(paired()))));
    desk.read_account();
    assert!(desk.cancels().contains(&stop.client_id));
}
