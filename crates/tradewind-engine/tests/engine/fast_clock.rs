//! A desk whose clock runs faster than real time: its deadlines have a least duration, since sockets do not get faster.

use std::time::Duration;

use tradewind_events::{AccountState, Configuration, EventType, Input, StreamChange};
use tradewind_model::{Amount, Ppm, ReportKind, Stop, StopOrders};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, Script, USDT, bot, configuration, spot};

use crate::BOT;

/// A quarter of a second at 60 times real time.
const LEAST: Duration = Duration::from_secs(15);
/// One `BTC`.
const ONE: i64 = 100_000;

fn desk() -> (Desk, Script) {
    let script = Script::default();
    let mut config = bot(0);
    config.exit.stop = Stop::Distance(Ppm(10_000));
    let mut configuration = Configuration {
        bots: vec![config],
        venue_stop_distance: Some(Ppm(1_250_000)),
        deadline_min: LEAST,
        ..configuration()
    };
    configuration.instruments[0] = tradewind_model::Instrument {
        stop_orders: StopOrders::Market,
        algo_orders_max: 5,
        ..spot()
    };
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(Duration::from_secs(2));
    (desk, script)
}

/// I23: two seconds of such a desk are no time in which a venue can confirm a stop.
#[test]
fn a_position_without_a_stop_is_listed_after_the_least_duration() {
    let (mut desk, script) = desk();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let buy = desk.last_order();
    desk.fill(&buy, 10_000);
    desk.advance(LEAST - Duration::from_millis(1));
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
    desk.advance(Duration::from_millis(1));
    assert_eq!(desk.count(EventType::PositionUnprotected), 1);
}

/// N04: nor may the account stream be doubted sooner.
#[test]
fn a_fill_that_a_reading_listed_may_be_reported_within_the_least_duration() {
    let (mut desk, script) = desk();
    let stream = |desk: &mut Desk, change| {
        let (account, change) = (ACCOUNT, Box::new(change));
        desk.input(&Input::AccountStream { account, change });
    };
    stream(&mut desk, StreamChange::Up);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(9_999, 10_000);
    let entry = desk.last_order();
    let fill = desk.fill_of(&entry, ONE, 10_000);
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(99_900)), (BTC, Amount::ONE)],
        open_orders: Vec::new(),
        fills: vec![(fill, Some(BOT))],
    })));
    desk.advance(LEAST - Duration::from_millis(1));
    desk.report(&entry, ReportKind::Filled(fill), Some(ONE));
    desk.advance(Duration::from_secs(1));
    let unsure = |desk: &Desk| {
        let view = desk.engine.view();
        let mut causes = view.causes.into_iter();
        causes.any(|cause| cause.reason.to_string().contains("may have missed"))
    };
    assert!(!unsure(&desk));
}
