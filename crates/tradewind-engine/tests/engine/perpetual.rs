//! A made-up linear perpetual: traded short, turned, and charged funding.

use std::time::Duration;

use tradewind_events::{EventType, Funding, Input, WakeRule};
use tradewind_model::{Amount, ExitPlan, OwnerId, Ppm, Price, Side, Stop};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, PERPETUAL, Script, USDT, bot};

use crate::{BOT, desk};

fn short() -> (Desk, Script) {
    let script = Script::default();
    let mut trader = bot(0);
    trader.instruments = vec![PERPETUAL];
    trader.wakes = vec![WakeRule::Quotes];
    trader.exit = ExitPlan {
        stop: Stop::Distance(Ppm(20_000)),
        ..ExitPlan::default()
    };
    let mut desk = desk(vec![trader], &script);
    script.say(BOT, Answer::target(-1_000_000));
    desk.quote_of(PERPETUAL, 10_000, 10_001);
    let order = desk.last_order();
    assert_eq!((order.side, order.quantity.0), (Side::Sell, 100_000));
    desk.fill(&order, 10_000);
    desk.advance(Duration::from_secs(2));
    (desk, script)
}

fn cash(desk: &Desk) -> String {
    let view = desk.engine.view();
    let own = view
        .balances
        .iter()
        .find(|balance| (balance.asset, balance.owner) == (USDT, OwnerId::Bot(BOT)));
    own.map(|balance| balance.amount.to_string())
        .expect("a bot has its budget")
}

#[test]
fn it_is_sold_short_held_and_bought_back_in_the_settlement_asset() {
    let (mut desk, script) = short();
    let view = desk.engine.view();
    assert_eq!(
        (view.positions[0].quantity.0, view.positions[0].exit.stop),
        (-100_000, Some(Price(10_200)))
    );
    assert!(
        view.balances.iter().all(|balance| balance.asset != BTC),
        "no base asset changes hands"
    );
    assert_eq!(cash(&desk), "10000", "opening moves no cash");
    script.say(BOT, Answer::target(0));
    desk.quote_of(PERPETUAL, 9_500, 9_501);
    let order = desk.last_order();
    assert_eq!((order.side, order.quantity.0), (Side::Buy, 100_000));
    desk.fill(&order, 9_501);
    assert_eq!(
        (desk.held(PERPETUAL), cash(&desk)),
        (0, "10004.99".to_owned())
    );
}

#[test]
fn funding_is_booked_to_who_holds_it() {
    let (mut desk, _) = short();
    let amount: Amount = "0.25".parse().unwrap();
    desk.input(&Input::Funding(Funding {
        account: ACCOUNT,
        instrument: PERPETUAL,
        amount,
    }));
    assert_eq!(cash(&desk), "10000.25");
    assert_eq!(desk.engine.view().positions[0].realized, amount);
    desk.input(&Input::Funding(Funding {
        account: ACCOUNT,
        instrument: PERPETUAL,
        amount: -amount,
    }));
    assert_eq!(cash(&desk), "10000");
}

#[test]
fn a_short_position_is_stopped_on_the_ask() {
    let (mut desk, _) = short();
    desk.quote_of(PERPETUAL, 10_198, 10_199);
    assert_eq!(desk.orders().len(), 1);
    desk.quote_of(PERPETUAL, 10_199, 10_200);
    assert_eq!(
        (desk.orders().len(), desk.last_order().side),
        (2, Side::Buy)
    );
}

#[test]
fn a_position_is_turned_by_closing_it_first() {
    let (mut desk, script) = short();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote_of(PERPETUAL, 9_900, 9_901);
    let exit = desk.last_order();
    assert_eq!(
        (exit.side, exit.quantity.0),
        (Side::Buy, 100_000),
        "flat first"
    );
    desk.advance(Duration::from_secs(2));
    desk.fill(&exit, 9_901);
    let entry = desk.last_order();
    assert_ne!(entry.client_id, exit.client_id);
    assert_eq!(
        (entry.side, entry.quantity.0),
        (Side::Buy, 100_000),
        "then long"
    );
    desk.fill(&entry, 9_901);
    assert_eq!(desk.held(PERPETUAL), 100_000);
    assert_eq!(
        (
            desk.count(EventType::PositionOpened),
            desk.count(EventType::PositionClosed)
        ),
        (2, 1)
    );
}
