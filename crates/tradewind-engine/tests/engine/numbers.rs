//! Numbers of the venue that cannot be true: wild ticks, absurd amounts, stamps of another clock.

use std::time::Duration;

use tradewind_events::{BookRead, Funding, Input, Output};
use tradewind_model::{
    Amount, Depth, ExitPlan, FeedHealth, Level, Money, OrderKind, Ppm, Price, Quantity, Quote,
    ReportKind, Side, Stop, StopOrders, TakeProfitBy, Timestamp,
};
use tradewind_risk::{CauseKind, Limits};
use tradewind_testkit::{ACCOUNT, BTC, Desk, PERPETUAL, SPOT, Script, USDT, bot};

use crate::{buy, desk};

/// A desk whose bot holds one unit bought at 100.01 under this plan.
fn long(plan: ExitPlan) -> Desk {
    long_with(plan, |_| {})
}

fn long_with(plan: ExitPlan, change: impl FnOnce(&mut Limits)) -> Desk {
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit = plan;
    let mut configuration = tradewind_testkit::configuration();
    configuration.bots = vec![guarded];
    configuration.limits.quote_jump_max = Some(Ppm(50_000));
    change(&mut configuration.limits);
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(Duration::from_secs(2));
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    desk
}

fn stop() -> ExitPlan {
    ExitPlan {
        stop: Stop::Distance(Ppm(20_000)),
        ..ExitPlan::default()
    }
}

/// D06: one tick of a tenth or of ten times the price sells nothing; a second quote that confirms it does.
#[test]
fn a_stop_fires_on_a_jump_only_once_a_second_quote_confirms_it() {
    let mut desk = long(stop());
    for (bid, ask) in [(1_000, 1_001), (1_000, 1_001), (100_000, 100_010)] {
        desk.quote(bid, ask);
        desk.quote(10_000, 10_001);
        assert_eq!(desk.orders().len(), 1, "{bid}");
    }
    desk.quote(1_300, 1_301);
    assert_eq!(desk.orders().len(), 1);
    let feed = desk.engine.view().feeds[0].health;
    assert_eq!(feed, FeedHealth::Gap, "nothing enters meanwhile");
    desk.quote(1_299, 1_300);
    assert_eq!(desk.orders().len(), 2);
}

/// A desk whose bot holds one unit behind a stop that rests at its venue.
fn behind_a_stop(stop_orders: StopOrders) -> Desk {
    let script = Script::default();
    let mut configuration = tradewind_testkit::configuration();
    configuration.bots = vec![bot(0)];
    configuration.bots[0].exit = stop();
    configuration.limits.quote_jump_max = Some(Ppm(50_000));
    configuration.venue_stop_distance = Some(Ppm(1_250_000));
    configuration.instruments[0].stop_orders = stop_orders;
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(Duration::from_secs(2));
    buy(&mut desk, &script);
    let stop = desk.last_order();
    desk.report(&stop, ReportKind::Accepted, Some(0));
    desk
}

/// The venue answers with a book of this bid, and an ask one tick above.
fn read_book(desk: &mut Desk, bid: i64) {
    let received_at = desk.now;
    book(desk, (bid, bid + 1), received_at);
}

fn book(desk: &mut Desk, (bid, ask): (i64, i64), received_at: Timestamp) {
    let level = |price| Level {
        price: Price(price),
        quantity: Quantity(200_000),
    };
    let depth = Depth {
        instrument: SPOT,
        bids: vec![level(bid)],
        asks: vec![level(ask)],
        received_at,
    };
    let depth = Some(depth);
    let instrument = SPOT;
    desk.input(&Input::Book(Box::new(BookRead { instrument, depth })));
}

/// How often the engine has requested a book.
fn books_requested(desk: &Desk) -> usize {
    let is_book = |output: &&Output| matches!(output, Output::ReadBook { .. });
    desk.log.iter().filter(is_book).count()
}

/// One wrong tick in an instrument that is silent afterwards: the book is read, and says that the market did not move. Nothing is sold,
/// however long the silence.
#[test]
fn one_wild_tick_beyond_a_stop_with_a_limit_sells_nothing_however_long_the_silence() {
    let mut desk = behind_a_stop(StopOrders::Limit);
    desk.quote(9_000, 9_001);
    assert_eq!(books_requested(&desk), 1);
    desk.advance(Duration::from_millis(100));
    read_book(&mut desk, 10_000);
    desk.advance(Duration::from_secs(60));
    assert_eq!(desk.orders().len(), 2);
    let covered = desk.engine.view().positions[0].protected;
    assert_eq!(covered, desk.orders()[1].quantity, "its stop guards it");
}

/// A market that jumps beyond a stop's limit and falls silent: the venue's order may wait for ever, so the desk sells as soon as the book
/// confirms it. Where the venue sells at market itself, and where a second quote says that it was wrong, it does not.
#[test]
fn a_jump_beyond_a_stop_with_a_limit_counts_once_the_book_confirms_it() {
    for (stop_orders, contradicted, sells) in [
        (StopOrders::Limit, false, true),
        (StopOrders::Limit, true, false),
        (StopOrders::Market, false, false),
    ] {
        let mut desk = behind_a_stop(stop_orders);
        desk.quote(9_000, 9_001);
        desk.advance(Duration::from_millis(1_900));
        assert_eq!(desk.orders().len(), 2, "the book is awaited");
        if contradicted {
            desk.quote(10_000, 10_001);
        }
        read_book(&mut desk, 8_990);
        assert_eq!(desk.orders().len() > 2, sells, "{stop_orders:?}");
        if sells {
            assert_eq!(desk.last_order().kind, OrderKind::Market);
        }
    }
}

/// A book that cannot be read decides nothing: it is read again every second, and after ten the one quote counts.
#[test]
fn a_book_that_cannot_be_read_is_read_again_and_given_up_after_ten_seconds() {
    let mut desk = behind_a_stop(StopOrders::Limit);
    desk.quote(9_000, 9_001);
    for _ in 0..9 {
        let (instrument, depth) = (SPOT, None);
        desk.input(&Input::Book(Box::new(BookRead { instrument, depth })));
        desk.advance(Duration::from_secs(1));
        assert_eq!(desk.orders().len(), 2);
    }
    assert_eq!(books_requested(&desk), 10);
    desk.advance(Duration::from_millis(1_100));
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

/// A crossed or locked book shows no market: it decides nothing, and is read again. Nor does one that came before the jump.
#[test]
fn a_book_that_cannot_be_and_one_of_before_decide_nothing() {
    let mut desk = behind_a_stop(StopOrders::Limit);
    let before = desk.now;
    desk.advance(Duration::from_millis(100));
    desk.quote(9_000, 9_001);
    let second = Duration::from_secs(1);
    book(&mut desk, (10_001, 10_000), before + second);
    desk.advance(second);
    book(&mut desk, (10_000, 10_000), before + 2 * second);
    desk.advance(second);
    book(&mut desk, (10_000, 10_001), before);
    desk.advance(second);
    assert_eq!((desk.orders().len(), books_requested(&desk)), (2, 4));
    read_book(&mut desk, 8_990);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

/// A reply that is lost is not waited for: the book is requested again after two seconds, so that its answer decides and not the one quote.
#[test]
fn a_book_whose_reply_is_lost_is_requested_again_after_two_seconds() {
    let mut desk = behind_a_stop(StopOrders::Limit);
    desk.quote(9_000, 9_001);
    desk.advance(Duration::from_millis(2_100));
    assert_eq!(books_requested(&desk), 2);
    read_book(&mut desk, 10_000);
    desk.advance(Duration::from_secs(60));
    assert_eq!(desk.orders().len(), 2);
}

/// In an instrument that was silent, too, one tick beyond a stop sells nothing before the book has confirmed it. A crash is sold within two
/// seconds, without a stop at the venue as well, and after ten where no book can be read.
#[test]
fn a_jump_after_a_silence_is_confirmed_by_the_book_before_a_stop_fires() {
    let at_the_venue = || behind_a_stop(StopOrders::Limit);
    let at_the_desk = || long(stop());
    let desks: [(&dyn Fn() -> Desk, usize); 2] = [(&at_the_venue, 2), (&at_the_desk, 1)];
    for (desk, orders) in desks {
        for book in [Some(10_000), Some(8_990), None] {
            let mut desk = desk();
            desk.advance(Duration::from_secs(30));
            desk.quote(9_000, 9_001);
            assert_eq!((desk.orders().len(), books_requested(&desk)), (orders, 1));
            desk.advance(Duration::from_millis(500));
            if let Some(bid) = book {
                read_book(&mut desk, bid);
            }
            let is_sold = |desk: &Desk| desk.orders().len() > orders;
            assert_eq!(is_sold(&desk), book == Some(8_990), "{book:?}");
            desk.advance(Duration::from_secs(10));
            assert_eq!(is_sold(&desk), book != Some(10_000), "{book:?}");
        }
    }
}

/// D06: nor does one quote take a profit that may not be there: a second one or the book confirms it. As long as nothing can be read it
/// is not taken, since nothing is lost by waiting. One that is to rest at the venue, and rests nowhere, is the desk's to take.
#[test]
fn a_profit_beyond_a_jump_is_taken_once_a_quote_or_the_book_confirms_it() {
    let fixed = ExitPlan {
        take_profit: Some(Ppm(80_000)),
        ..ExitPlan::default()
    };
    let by_age = ExitPlan {
        profit_by_age: vec![(Duration::from_secs(1), Ppm(80_000))],
        ..ExitPlan::default()
    };
    let at_the_venue = ExitPlan {
        take_profit_by: TakeProfitBy::Limit,
        ..fixed.clone()
    };
    for (plan, silence) in [
        (&fixed, 30),
        (&by_age, 30),
        (&at_the_venue, 30),
        (&fixed, 1),
    ] {
        for book in [Some(10_000), Some(11_010), None] {
            let mut desk = long(plan.clone());
            desk.advance(Duration::from_secs(silence));
            desk.quote(11_000, 11_001);
            assert_eq!((desk.orders().len(), books_requested(&desk)), (1, 1));
            desk.advance(Duration::from_millis(500));
            if let Some(bid) = book {
                read_book(&mut desk, bid);
            }
            let is_sold = |desk: &Desk| desk.orders().len() > 1;
            assert_eq!(is_sold(&desk), book == Some(11_010), "{book:?}");
            desk.advance(Duration::from_secs(60));
            assert_eq!(is_sold(&desk), book == Some(11_010), "{book:?}");
            if book.is_none() {
                assert!(books_requested(&desk) > 10, "it is read again");
                desk.quote(11_001, 11_002);
                assert!(is_sold(&desk));
            }
        }
    }
}

/// A jump after a silence that reaches no stop is a market that has moved: it counts at once. One in favour moves no trailing stop.
#[test]
fn a_jump_after_a_silence_counts_at_once_where_no_stop_is_at_stake() {
    let trailing = ExitPlan {
        trailing: Some(Ppm(20_000)),
        ..ExitPlan::default()
    };
    for (plan, health) in [(stop(), FeedHealth::Live), (trailing, FeedHealth::Gap)] {
        let mut desk = long(plan);
        desk.advance(Duration::from_secs(30));
        desk.quote(20_000, 20_001);
        assert_eq!(desk.engine.view().feeds[0].health, health);
        desk.quote(10_000, 10_001);
        assert_eq!(desk.orders().len(), 1);
    }
}

/// In a crash the book may be empty on one side, and price after price jumps further. A book counts for the price that it was read for: one
/// from before the last jump says nothing about it.
#[test]
fn further_jumps_and_unsound_quotes_do_not_put_the_sale_off() {
    let mut desk = behind_a_stop(StopOrders::Limit);
    let stop = desk.last_order();
    let covered = |desk: &Desk| desk.engine.view().positions[0].protected;
    assert_eq!(covered(&desk), stop.quantity);
    desk.quote(9_000, 9_001);
    assert_eq!(covered(&desk).0, 0, "what it has passed covers nothing");
    desk.quote(8_000, 7_999);
    desk.quote(8_000, 8_001);
    read_book(&mut desk, 10_000);
    assert_eq!(covered(&desk).0, 0, "that book may be older than the jump");
    desk.advance(Duration::from_millis(1_100));
    assert_eq!((desk.orders().len(), books_requested(&desk)), (2, 2));
    read_book(&mut desk, 7_000);
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

/// D06, R09: in a crash that a second quote confirms, the book of before still says how much is sold at once.
#[test]
fn a_stop_on_a_confirmed_jump_is_sliced_by_the_book_of_before() {
    let mut desk = long_with(stop(), |limits| limits.depth_share_max = Some(Ppm(100_000)));
    let level = |price| Level {
        price: Price(price),
        quantity: Quantity(200_000),
    };
    desk.input(&Input::Depth(Box::new(Depth {
        instrument: SPOT,
        bids: vec![level(10_000), level(9_900)],
        asks: vec![level(10_001)],
        received_at: desk.now,
    })));
    for (bid, orders) in [(9_000, 1), (8_999, 2)] {
        let bid_quantity = Quantity(200_000);
        let quote = tradewind_testkit::quote(SPOT, bid, bid + 1, desk.now);
        desk.input(&Input::Quote(Quote {
            bid_quantity,
            ..quote
        }));
        assert_eq!(desk.orders().len(), orders);
    }
    let order = desk.last_order();
    assert_eq!((order.side, order.quantity), (Side::Sell, Quantity(40_000)));
}

/// D06: a crash in steps that a market can make is no jump.
#[test]
fn a_fast_market_fires_a_stop_at_once() {
    let mut desk = long(stop());
    desk.quote(9_700, 9_701);
    assert_eq!(desk.orders().len(), 2);
}

/// T01: a fill is no older than its order, whatever the venue's clock says, so that its position ends by its true age.
#[test]
fn a_stamp_of_the_past_ends_no_position_by_its_age() {
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit.time = Some(Duration::from_secs(1_800));
    let mut desk = desk(vec![guarded], &script);
    script.say(crate::BOT, tradewind_testkit::Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let mut fill = desk.fill_of(&order, order.quantity.0, 10_001);
    fill.event_time = fill.event_time - Duration::from_secs(3_600);
    desk.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    desk.advance(Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1);
    desk.advance(Duration::from_secs(1_800));
    assert_eq!(desk.orders().len(), 2);
}

/// I07: a fee, a balance or a payment of 10^20 units, which is a number that can be parsed, is a cause that a person must
/// clear. Nothing of it is booked and the desk continues.
#[test]
fn absurd_amounts_are_a_cause() {
    let absurd = "100000000000000000000".parse::<Amount>().unwrap();
    let check = |wanted: &[CauseKind], act: &dyn Fn(&mut Desk)| {
        let mut desk = long(ExitPlan::default());
        act(&mut desk);
        let view = desk.engine.view();
        let reasons = view.causes.iter().map(|cause| cause.reason.clone());
        assert_eq!(reasons.collect::<Vec<_>>(), wanted);
        let largest = view.balances.iter().map(|balance| balance.amount.abs());
        assert!(largest.max().unwrap_or_default() < absurd);
    };
    check(&[CauseKind::FillNotBooked], &|desk| {
        let order = desk.last_order();
        for _ in 0..2 {
            let mut fill = desk.fill_of(&order, 1, 10_001);
            fill.fee = Money {
                asset: USDT,
                amount: absurd,
            };
            desk.report(&order, ReportKind::Filled(fill), None);
        }
    });
    check(&[CauseKind::AbsurdNumbers], &|desk| {
        for _ in 0..2 {
            desk.input(&Input::Funding(Funding {
                account: ACCOUNT,
                instrument: PERPETUAL,
                amount: absurd,
            }));
        }
    });
    check(
        &[CauseKind::AbsurdNumbers, CauseKind::BalanceUnexplained],
        &|desk| {
            // A balance that no fill explains counts once three readings show it.
            for usdt in [absurd, -absurd] {
                for _ in 0..3 {
                    desk.account(&[(USDT, usdt), (BTC, absurd)]);
                    desk.quote_of(SPOT, 10_000, 10_001);
                }
            }
        },
    );
}
