//! Take profits that rest at the venue, each as a pair with its position's stop.

use std::time::Duration;

use tradewind_events::{
    AccountState, AdoptedOrder, BotConfig, Configuration, EventKind, EventType, Input, Intent,
    OpenOrder, Output,
};
use tradewind_model::{
    Amount, ClientOrderId, Instrument, NotSentReason, OrderKind, OrderTerms, Ppm, Price, Quantity,
    RejectReason, ReportKind, Side, Stop, StopOrders, TakeProfitBy, VenueOrderId,
};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration, spot};

use crate::BOT;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// One `BTC`.
pub(crate) const ONE: i64 = 100_000;

/// A bot that leaves a hundredth below its entry, and two hundredths above it by an order at the venue.
pub(crate) fn guarded(id: u32) -> BotConfig {
    let mut config = bot(id);
    config.exit.stop = Stop::Distance(Ppm(10_000));
    config.exit.take_profit = Some(Ppm(20_000));
    config.exit.take_profit_by = TakeProfitBy::Limit;
    config
}

/// An instrument in which the venue takes five stops at market, and pairs.
pub(crate) fn paired() -> Instrument {
    Instrument {
        stop_orders: StopOrders::Market,
        algo_orders_max: 5,
        takes_pairs: true,
        ..spot()
    }
}

pub(crate) fn configured(instrument: Instrument) -> Configuration {
    let mut configuration = Configuration {
        bots: vec![guarded(0)],
        venue_stop_distance: Some(Ppm(1_250_000)),
        ..configuration()
    };
    configuration.instruments[0] = instrument;
    configuration
}

pub(crate) fn buying(instrument: Instrument) -> (Desk, Script, OrderTerms) {
    buying_of(instrument, 1_000_000)
}

fn buying_of(instrument: Instrument, exposure: i64) -> (Desk, Script, OrderTerms) {
    let script = Script::default();
    let mut desk = Desk::started(configured(instrument), script.strategies());
    desk.advance(2 * SECOND);
    script.say(BOT, Answer::target(exposure));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    (desk, script, buy)
}

/// The last pair sent: the stop and the order that takes the profit.
pub(crate) fn last_pair(desk: &Desk) -> (OrderTerms, OrderTerms) {
    let mut pairs = desk.log.iter().filter_map(|output| match output {
        Output::Submit(
            Intent {
                terms, take_profit, ..
            },
            approved,
        ) => {
            assert_eq!(*take_profit, approved.take_profit());
            take_profit.map(|order| (*terms, terms.of_take_profit(order)))
        }
        _ => None,
    });
    pairs.next_back().expect("a pair was sent")
}

/// How many pairs were sent.
pub(crate) fn pairs(desk: &Desk) -> usize {
    let sent = desk.log.iter();
    let pairs = sent.filter(
        |output| matches!(output, Output::Submit(_, order) if order.take_profit().is_some()),
    );
    pairs.count()
}

/// A desk with one `BTC` bought at 100.00 whose stop and take profit rest at the venue.
fn resting() -> (Desk, Script, OrderTerms, OrderTerms) {
    resting_at(1_000_000)
}

/// The same after a target of another exposure.
pub(crate) fn resting_at(exposure: i64) -> (Desk, Script, OrderTerms, OrderTerms) {
    let (mut desk, script, buy) = buying_of(paired(), exposure);
    desk.fill(&buy, 10_000);
    let (stop, limit) = last_pair(&desk);
    for order in [&stop, &limit] {
        desk.report(order, ReportKind::Accepted, Some(0));
    }
    (desk, script, stop, limit)
}

pub(crate) fn covered(desk: &Desk) -> i64 {
    let view = desk.engine.view();
    view.positions.iter().map(|of| of.protected.0).sum()
}

/// What a report on one order of a pair means at the venue: the other one ends.
pub(crate) fn end_both(desk: &mut Desk, pair: &[&OrderTerms], kind: &ReportKind) {
    for order in pair {
        desk.report(order, kind.clone(), Some(0));
    }
}

pub(crate) fn refusal() -> ReportKind {
    ReportKind::Rejected(RejectReason {
        code: -2010,
        text: "The relationship of the prices for the orders is not correct.".to_owned(),
    })
}

#[test]
fn a_position_gets_its_stop_and_its_take_profit_as_one_pair() {
    let (desk, _, stop, limit) = resting();
    assert_eq!(
        (stop.kind, stop.quantity),
        (
            OrderKind::Stop {
                trigger: Price(9_875)
            },
            Quantity(ONE)
        )
    );
    assert_eq!(
        (limit.side, limit.kind, limit.quantity),
        (
            Side::Sell,
            OrderKind::PostOnly {
                price: Price(10_200)
            },
            Quantity(ONE)
        )
    );
    assert_ne!(stop.client_id, limit.client_id);
    assert_eq!(desk.orders().len(), 2, "one request for both");
    assert_eq!(covered(&desk), ONE, "the quantity counts once");
    assert_eq!(desk.count(EventType::OrderPlaced), 3);
}

#[test]
fn a_take_profit_that_fills_closes_the_position_and_the_desk_sends_nothing() {
    let (mut desk, _, stop, limit) = resting();
    // The bid is there before the report is: the venue's order takes the profit, not the desk.
    desk.quote(10_200, 10_201);
    assert_eq!(desk.orders().len(), 2);
    desk.report(&stop, ReportKind::Expired, Some(0));
    desk.fill(&limit, 10_200);
    assert_eq!(desk.held(SPOT), 0);
    desk.advance(60 * SECOND);
    desk.quote(10_300, 10_301);
    assert_eq!((desk.orders().len(), desk.cancels()), (2, vec![]));
    assert_eq!(desk.count(EventType::PositionClosed), 1);
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

#[test]
fn a_stop_that_fires_ends_the_take_profit() {
    let (mut desk, _, stop, limit) = resting();
    desk.report(&limit, ReportKind::Expired, Some(0));
    assert_eq!(
        desk.cancels(),
        [],
        "the stop that was triggered is left to trade"
    );
    desk.fill(&stop, 9_870);
    desk.advance(60 * SECOND);
    assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 2));
}

/// V20: the venue ends the stop with the first fill of the take profit.
#[test]
fn what_a_take_profit_leaves_gets_a_new_pair_within_two_seconds() {
    for stop_first in [true, false] {
        let (mut desk, _, stop, limit) = resting();
        let part = desk.fill_of(&limit, 40_000, 10_200);
        if stop_first {
            desk.report(&stop, ReportKind::Expired, Some(0));
            desk.report(&limit, ReportKind::Filled(part), Some(40_000));
        } else {
            desk.report(&limit, ReportKind::Filled(part), Some(40_000));
            desk.report(&stop, ReportKind::Expired, Some(0));
        }
        assert_eq!(desk.cancels(), [limit.client_id], "{stop_first}");
        assert_eq!(desk.held(SPOT), 60_000);
        desk.quote(10_150, 10_151);
        desk.report(&limit, ReportKind::Cancelled, Some(40_000));
        desk.advance(SECOND);
        let (again, higher) = last_pair(&desk);
        assert_ne!(again.client_id, stop.client_id, "{stop_first}");
        assert_eq!(
            (again.quantity, higher.quantity),
            (Quantity(60_000), Quantity(60_000))
        );
        assert_eq!(higher.kind, limit.kind);
        end_both(&mut desk, &[&again, &higher], &ReportKind::Accepted);
        assert_eq!((covered(&desk), desk.held(SPOT)), (60_000, 60_000));
        assert_eq!(
            desk.count(EventType::PositionUnprotected),
            0,
            "{stop_first}"
        );
    }
}

/// R12: an exit sells once both orders that lock its quantity have ended.
#[test]
fn an_exit_cancels_the_pair_and_sells_when_both_orders_have_ended() {
    let (mut desk, script, stop, limit) = resting();
    script.say(BOT, Answer::target(0));
    desk.quote(9_990, 9_991);
    assert_eq!(desk.cancels(), [stop.client_id]);
    desk.report(&limit, ReportKind::Cancelled, Some(0));
    assert_eq!(
        desk.orders().len(),
        2,
        "the stop is not known to have ended"
    );
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.kind), (Side::Sell, OrderKind::Market));
    desk.fill(&exit, 9_990);
    desk.advance(60 * SECOND);
    assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 3));
}

/// V21: the answer to the pair was lost, and the desk's own stop is reached.
#[test]
fn an_exit_waits_ten_seconds_for_an_unknown_pair_and_then_sells() {
    let (mut desk, _, buy) = buying(paired());
    desk.fill(&buy, 10_000);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Unknown);
    assert_eq!(desk.queries(), [stop.client_id, limit.client_id]);
    desk.quote(9_900, 9_901);
    desk.advance(9 * SECOND);
    assert_eq!(desk.orders().len(), 2, "no sale yet");
    desk.advance(SECOND);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
    assert!(desk.cancels().contains(&stop.client_id));
}

#[test]
fn where_the_venue_takes_no_pairs_the_desk_takes_the_profit_at_market() {
    let alone = Instrument {
        takes_pairs: false,
        ..paired()
    };
    let (mut desk, _, buy) = buying(alone);
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    assert!(stop.kind.trigger().is_some());
    desk.report(&stop, ReportKind::Accepted, Some(0));
    desk.quote(10_200, 10_201);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
    assert!(desk.log.iter().all(|output| !matches!(
        output,
        Output::Submit(_, order) if order.take_profit().is_some()
    )));
}

/// A refused pair must not leave the position without a stop.
#[test]
fn a_refused_pair_is_followed_by_the_stop_alone() {
    let (mut desk, _, buy) = buying(paired());
    desk.fill(&buy, 10_000);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &refusal());
    desk.advance(SECOND);
    let alone = desk.last_order();
    assert_eq!((desk.orders().len(), alone.kind), (3, stop.kind));
    desk.report(&alone, ReportKind::Accepted, Some(0));
    assert_eq!(
        (covered(&desk), desk.count(EventType::PositionUnprotected)),
        (ONE, 0)
    );
    // The desk takes the profit itself.
    desk.quote(10_200, 10_201);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

#[test]
fn a_pair_that_was_not_sent_is_sent_again() {
    let (mut desk, _, buy) = buying(paired());
    desk.fill(&buy, 10_000);
    let (stop, limit) = last_pair(&desk);
    let not_sent = ReportKind::NotSent(NotSentReason::Unreachable);
    end_both(&mut desk, &[&stop, &limit], &not_sent);
    desk.advance(SECOND);
    let (again, _) = last_pair(&desk);
    assert_ne!(again.client_id, stop.client_id);
    assert_eq!(desk.orders().len(), 3);
}

/// What the desk finds again after a restart is its own: nothing is placed twice.
#[test]
fn a_restart_keeps_the_pair() {
    let (desk, script, stop, limit) = resting();
    let mut desk = desk.restarted(configured(paired()), script.strategies());
    let ids: Vec<ClientOrderId> = desk.queries();
    assert_eq!(ids, [stop.client_id, limit.client_id]);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    desk.read_account();
    desk.advance(10 * SECOND);
    assert_eq!((desk.orders().len(), desk.cancels()), (0, vec![]));
    assert_eq!(covered(&desk), ONE);
    desk.report(&stop, ReportKind::Expired, Some(0));
    desk.fill(&limit, 10_200);
    assert_eq!(desk.held(SPOT), 0);
    desk.input(&Input::Stopping);
}

#[test]
fn beside_a_stop_that_trails_the_desk_takes_the_profit_itself() {
    let script = Script::default();
    let mut configuration = configured(paired());
    configuration.bots[0].exit.trailing = Some(Ppm(10_000));
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(2 * SECOND);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    let stop = desk.last_order();
    desk.report(&stop, ReportKind::Accepted, Some(0));
    desk.quote(10_100, 10_101);
    desk.advance(5 * SECOND);
    let moved = desk.last_order();
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    desk.report(&moved, ReportKind::Accepted, Some(0));
    assert_eq!(pairs(&desk), 0);
    assert_eq!((desk.orders().len(), desk.cancels()), (3, vec![]));
    desk.quote(10_200, 10_201);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

/// Without a quote nobody knows whether the venue would take the pair.
#[test]
fn a_stop_that_was_placed_alone_becomes_a_pair_with_the_next_quotes() {
    let (mut desk, _, buy) = buying(paired());
    desk.advance(60 * SECOND);
    desk.fill(&buy, 10_000);
    let alone = desk.last_order();
    assert_eq!(
        (pairs(&desk), alone.kind.trigger()),
        (0, Some(Price(9_875)))
    );
    desk.report(&alone, ReportKind::Accepted, Some(0));
    for _ in 0..6 {
        desk.quote(9_999, 10_000);
        desk.advance(SECOND);
    }
    assert!(desk.cancels().contains(&alone.client_id));
    desk.report(&alone, ReportKind::Cancelled, Some(0));
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    for _ in 0..20 {
        desk.quote(9_999, 10_000);
        desk.advance(SECOND);
    }
    assert_eq!((pairs(&desk), covered(&desk)), (1, ONE));
    assert!(!desk.cancels().contains(&stop.client_id));
}

#[test]
fn a_refused_pair_is_forgotten_with_its_position() {
    let (mut desk, script, buy) = buying(paired());
    desk.fill(&buy, 10_000);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &refusal());
    let alone = desk.last_order();
    desk.fill(&alone, 9_870);
    assert_eq!((desk.held(SPOT), pairs(&desk)), (0, 1));
    desk.advance(60 * SECOND);
    script.say(BOT, Answer::target(0));
    desk.quote(9_999, 10_000);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let again = desk.last_order();
    assert_eq!(again.side, Side::Buy);
    desk.fill(&again, 10_000);
    assert_eq!(pairs(&desk), 2);
}

/// The report that its take profit has ended was lost.
#[test]
fn a_take_profit_without_a_position_is_asked_for_at_once() {
    let (mut desk, _, stop, limit) = resting();
    desk.fill(&stop, 9_870);
    assert_eq!(desk.queries(), [limit.client_id]);
    desk.advance(60 * SECOND);
    assert_eq!((desk.queries().len(), desk.cancels().len()), (1, 1));
    desk.report(&limit, ReportKind::Expired, Some(0));
    assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 2));
}

/// One request, one answer that was lost.
#[test]
fn an_unknown_pair_is_one_failure_of_its_account() {
    let not_sent = ReportKind::NotSent(NotSentReason::Unreachable);
    for kind in [ReportKind::Unknown, not_sent] {
        let script = Script::default();
        let mut configuration = configured(paired());
        let limits = &mut configuration.limits;
        limits.breaker_failures = Some(2);
        limits.breaker_window = Some(60 * SECOND);
        limits.breaker_open = Some(60 * SECOND);
        let mut desk = Desk::started(configuration, script.strategies());
        desk.advance(2 * SECOND);
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(9_999, 10_000);
        let buy = desk.last_order();
        desk.fill(&buy, 10_000);
        let (stop, limit) = last_pair(&desk);
        end_both(&mut desk, &[&stop, &limit], &kind);
        assert_eq!(desk.count(EventType::CircuitBreakerFired), 0, "{kind:?}");
    }
}

/// To cancel one order of a pair ends the other, too.
#[test]
fn a_pair_found_at_a_start_stays_and_protects() {
    for stop_first in [true, false] {
        let (old, _, stop, limit) = resting();
        let fills = old
            .events()
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::OrderFilled { fill, bot, .. } => Some((fill, bot)),
                _ => None,
            });
        let found = |terms| OpenOrder {
            terms,
            venue_order_id: VenueOrderId(9),
            filled: Quantity::ZERO,
            adopted: Some(AdoptedOrder {
                bot: Some(BOT),
                placed_at: old.now,
            }),
            list: Some(7),
        };
        let mut open_orders = vec![found(stop), found(limit)];
        if !stop_first {
            open_orders.reverse();
        }
        let script = Script::default();
        let mut desk = Desk::unreconciled(configured(paired()), script.strategies());
        desk.input(&Input::Account(Box::new(AccountState {
            account: ACCOUNT,
            balances: vec![(USDT, Amount::whole(99_900)), (BTC, Amount::ONE)],
            open_orders,
            fills: fills.collect(),
        })));
        desk.advance(2 * SECOND);
        desk.quote(10_200, 10_201);
        desk.advance(10 * SECOND);
        assert_eq!((covered(&desk), desk.cancels()), (ONE, vec![]));
        assert_eq!(desk.orders(), [], "the venue's order takes the profit");
        desk.report(&stop, ReportKind::Expired, Some(0));
        desk.fill(&limit, 10_200);
        desk.advance(10 * SECOND);
        assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 0));
    }
}
