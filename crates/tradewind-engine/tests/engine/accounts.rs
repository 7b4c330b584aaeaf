//! Accounts: read from the venue before anything is sent, valued on a schedule.

use std::time::Duration;

use tradewind_events::{
    AccountState, AdoptedOrder, Configuration, EventKind, EventType, Input, OpenOrder,
};
use tradewind_model::{
    AccountMode, Amount, ClientOrderId, Fill, Money, OrderKind, OwnerId, Quantity, ReportKind,
    VenueOrderId,
};
use tradewind_risk::{DenyReason, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, buy, one_bot};

fn balance(desk: &Desk, asset: tradewind_model::AssetId, owner: OwnerId) -> String {
    let view = desk.engine.view();
    let found = view
        .balances
        .iter()
        .find(|balance| (balance.asset, balance.owner) == (asset, owner));
    found.map_or_else(|| "0".to_owned(), |balance| balance.amount.to_string())
}

/// The account at the venue after a first run of the desk: 1 unit bought for the bot, and 0.5 bought by somebody else.
fn before(desk: &mut Desk) -> AccountState {
    let (mut earlier, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    earlier.quote(10_000, 10_001);
    let terms = earlier.last_order();
    let own = desk.fill_of(&terms, 100_000, 10_000);
    let foreign = Fill {
        client_id: ClientOrderId(1),
        ..desk.fill_of(&terms, 50_000, 10_000)
    };
    AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, Amount::whole(50_000)),
            (BTC, "3.5".parse().expect("a number")),
        ],
        open_orders: Vec::new(),
        fills: vec![(own, Some(BOT)), (foreign, None)],
    }
}

fn live(mode: AccountMode) -> Desk {
    let mut configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    configuration.accounts[0].mode = mode;
    Desk::unreconciled(configuration, Script::default().strategies())
}

#[test]
fn nothing_is_sent_before_the_account_was_read() {
    let script = Script::default();
    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    desk.quote(10_000, 10_001);
    let place = tradewind_events::Action::PlaceOrder {
        account: ACCOUNT,
        instrument: SPOT,
        side: tradewind_model::Side::Buy,
        quantity: Quantity(100_000),
        kind: OrderKind::Market,
    };
    desk.command(place);
    let EventKind::RiskDecisionRejected { reason, .. } = desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!(reason, DenyReason::TradingState(TradingState::Halted));
}

#[test]
fn a_start_takes_over_positions_budgets_and_what_was_there_before() {
    let mut desk = live(AccountMode::Live);
    let state = before(&mut desk);
    desk.input(&Input::Account(Box::new(state)));
    desk.quote(10_000, 10_001);
    let view = desk.engine.view();
    let owners: Vec<_> = view
        .positions
        .iter()
        .map(|position| (position.owner, position.quantity.0))
        .collect();
    assert_eq!(
        owners,
        [(OwnerId::Bot(BOT), 100_000), (OwnerId::External, 50_000)]
    );
    assert_eq!(balance(&desk, BTC, OwnerId::Bot(BOT)), "1");
    assert_eq!(
        balance(&desk, BTC, OwnerId::External),
        "2.5",
        "one bought elsewhere, two from before"
    );
    assert_eq!(
        balance(&desk, USDT, OwnerId::Bot(BOT)),
        "9900",
        "its budget less what it spent"
    );
    assert_eq!(desk.count(EventType::Reconciled), 1);
}

#[test]
fn a_second_reading_changes_nothing_and_starts_nobody_anew() {
    let mut desk = live(AccountMode::Paper);
    let state = before(&mut desk);
    desk.input(&Input::Account(Box::new(state.clone())));
    desk.advance(Duration::ZERO);
    desk.command(tradewind_events::Action::StopBot {
        bot: BOT,
        mode: tradewind_events::StopMode::Keep,
    });
    let first = desk.engine.view();
    desk.input(&Input::Account(Box::new(state)));
    let second = desk.engine.view();
    assert_eq!(
        (first.balances, first.positions),
        (second.balances, second.positions)
    );
    assert_eq!(first.bots[0].state, second.bots[0].state);
}

#[test]
fn a_fill_that_the_account_listed_is_not_booked_again_when_it_is_reported() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let fill = desk.fill_of(&order, 40_000, 10_001);
    let state = AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, "99959.996".parse().unwrap()),
            (BTC, "0.4".parse().unwrap()),
        ],
        open_orders: Vec::new(),
        fills: vec![(fill, Some(BOT))],
    };
    desk.input(&Input::Account(Box::new(state)));
    assert_eq!(desk.held(SPOT), 40_000);
    desk.report(&order, ReportKind::Filled(fill), Some(40_000));
    assert_eq!(desk.held(SPOT), 40_000);
}

#[test]
fn an_order_of_ours_found_open_is_taken_over_and_cancelled() {
    let mut desk = live(AccountMode::Paper);
    let mut state = before(&mut desk);
    let (own, _) = state.fills[0];
    let terms = tradewind_model::OrderTerms {
        account: ACCOUNT,
        instrument: SPOT,
        client_id: own.client_id,
        side: own.side,
        quantity: Quantity(150_000),
        kind: OrderKind::PostOnly { price: own.price },
    };
    let adopted = Some(AdoptedOrder {
        bot: Some(BOT),
        placed_at: desk.now,
    });
    state.open_orders.push(OpenOrder {
        terms,
        venue_order_id: VenueOrderId(4),
        filled: own.quantity,
        adopted,
        list: None,
    });
    desk.input(&Input::Account(Box::new(state)));
    assert_eq!(desk.cancels(), [own.client_id]);
    desk.report(&terms, ReportKind::Filled(own), Some(own.quantity.0));
    assert_eq!(
        desk.held(SPOT),
        150_000,
        "0.5 elsewhere and 1 of ours, once"
    );
    desk.report(&terms, ReportKind::Cancelled, Some(own.quantity.0));
    assert!(desk.engine.view().orders.is_empty());
}

/// The bot's holding after a start that finds two things: a buy of the smallest size, most of which its fee took, and
/// this open order.
fn held_beside(open: ClientOrderId) -> i64 {
    let mut desk = live(AccountMode::Paper);
    let mut state = before(&mut desk);
    let own = &mut state.fills[0].0;
    own.quantity = Quantity(1);
    own.fee = Money {
        asset: BTC,
        amount: "0.000009".parse().expect("a number"),
    };
    let (own, _) = state.fills[0];
    state.fills.truncate(1);
    state.open_orders.push(OpenOrder {
        terms: tradewind_model::OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id: open,
            side: own.side,
            quantity: Quantity(150_000),
            kind: OrderKind::PostOnly { price: own.price },
        },
        venue_order_id: VenueOrderId(4),
        filled: Quantity::ZERO,
        adopted: Some(AdoptedOrder {
            bot: Some(BOT),
            placed_at: desk.now,
        }),
        list: None,
    });
    desk.input(&Input::Account(Box::new(state)));
    desk.held(SPOT)
}

#[test]
fn a_remainder_is_given_up_when_the_order_found_open_is_a_new_one_and_kept_when_it_is_its_own() {
    let mut desk = live(AccountMode::Paper);
    let own = before(&mut desk).fills[0].0.client_id;
    assert_eq!(held_beside(own), 1, "the first part of an entry");
    assert_eq!(
        held_beside(ClientOrderId(own.0 + 1)),
        0,
        "what the last exit left"
    );
}

#[test]
fn equity_is_announced_every_ten_seconds_and_counts_the_position_at_its_mid() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.quote(10_200, 10_202);
    desk.log.clear();
    desk.advance(Duration::from_secs(30));
    assert_eq!(desk.count(EventType::EquitySnapshot), 3);
    let EventKind::EquitySnapshot {
        equity,
        unrealized,
        unpriced,
        ..
    } = desk.last(EventType::EquitySnapshot)
    else {
        unreachable!()
    };
    assert_eq!(
        (
            equity.to_string().as_str(),
            unrealized.to_string().as_str(),
            unpriced
        ),
        ("100002", "2", 0)
    );
}
