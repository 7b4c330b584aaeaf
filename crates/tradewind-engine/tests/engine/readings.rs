//! Readings of an account after the first: what is explained, what is adopted, and what a person must look at.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, CommandResult, EventType, Input, OpenOrder, Output, StreamChange,
};
use tradewind_model::{
    Amount, AssetId, ClientOrderId, Fill, OrderKind, OrderTerms, OwnerId, Quantity, ReportKind,
    Side, TradeId, VenueOrderId,
};
use tradewind_risk::{Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT};

use crate::{BOT, one_bot};

/// A desk whose bot bought 1 unit, and that fill.
fn holding() -> (Desk, Script, Fill) {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let fill = desk.fill_of(&order, order.quantity.0, 10_001);
    desk.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    (desk, script, fill)
}

/// A reading: balances, and the fills that it lists.
fn read(desk: &mut Desk, usdt: &str, btc: &str, fills: &[Fill]) {
    let amount = |text: &str| text.parse().expect("a number");
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, amount(usdt)), (BTC, amount(btc))],
        open_orders: Vec::new(),
        fills: fills.iter().map(|fill| (*fill, None)).collect(),
    })));
}

fn held(desk: &Desk, asset: AssetId, owner: OwnerId) -> Amount {
    let view = desk.engine.view();
    let own = view.balances.iter();
    own.filter(|balance| (balance.asset, balance.owner) == (asset, owner))
        .map(|balance| balance.amount)
        .sum()
}

fn causes(desk: &Desk) -> Vec<(Scope, TradingState)> {
    let view = desk.engine.view();
    view.causes
        .iter()
        .map(|cause| (cause.scope, cause.state))
        .collect()
}

/// V17: a deposit nobody announced is EXTERNAL and reported. It is no reason to halt.
#[test]
fn an_increase_is_external_after_three_readings() {
    let (mut desk, _script, fill) = holding();
    for _ in 0..2 {
        read(&mut desk, "100399.99", "1", &[fill]);
        assert_eq!(held(&desk, USDT, OwnerId::External), Amount::ZERO);
    }
    read(&mut desk, "100399.99", "1", &[fill]);
    assert_eq!(held(&desk, USDT, OwnerId::External), Amount::whole(500));
    assert_eq!(desk.count(EventType::TransferReported), 1);
    assert_eq!(causes(&desk), []);
    read(&mut desk, "100399.99", "1", &[fill]);
    assert_eq!(held(&desk, USDT, OwnerId::External), Amount::whole(500));
}

/// V05, I22: what a bot held is gone. The instrument is halted until a person has looked, over a restart, too.
#[test]
fn a_decrease_that_reaches_a_bot_halts_its_instrument_for_a_person() {
    let (mut desk, _script, fill) = holding();
    for _ in 0..3 {
        read(&mut desk, "99899.99", "0.4", &[fill]);
    }
    let bot = OwnerId::Bot(BOT);
    assert_eq!(held(&desk, BTC, bot), "0.4".parse().expect("a number"));
    assert_eq!(desk.held(SPOT), 40_000);
    let halted = [(Scope::Instrument(SPOT), TradingState::Halted)];
    assert_eq!(causes(&desk), halted);
    let configuration = desk.engine.configuration().clone();
    let mut desk = desk.restarted(configuration, Script::default().strategies());
    read(&mut desk, "99899.99", "0.4", &[fill]);
    assert_eq!(causes(&desk), halted);
    let clear = Action::ClearRisk {
        scope: Scope::Instrument(SPOT),
        reason: "sold by hand".to_owned(),
    };
    assert_eq!(desk.command(clear), CommandResult::Accepted(None));
    assert_eq!(causes(&desk), []);
}

/// V17: somebody else sells. EXTERNAL gives first, then the desk's own, then the bots.
#[test]
fn a_hand_sale_takes_external_then_unallocated_then_bots() {
    let (mut desk, _script, fill) = holding();
    let deposit = StreamChange::Transfer {
        asset: BTC,
        amount: Amount::ONE,
        at: desk.now,
    };
    desk.input(&Input::AccountStream {
        account: ACCOUNT,
        change: Box::new(deposit),
    });
    let sale = |desk: &mut Desk, trade: u64, quantity: i64| {
        let sold = Fill {
            client_id: ClientOrderId(9),
            trade_id: TradeId(trade),
            side: Side::Sell,
            quantity: Quantity(quantity),
            ..fill
        };
        let terms = OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id: sold.client_id,
            side: Side::Sell,
            quantity: sold.quantity,
            kind: OrderKind::Market,
        };
        desk.report(&terms, ReportKind::Filled(sold), Some(quantity));
    };
    sale(&mut desk, 101, 100_000);
    assert_eq!(held(&desk, BTC, OwnerId::External), Amount::ZERO);
    assert_eq!((desk.held_by_bots(SPOT), causes(&desk)), (100_000, vec![]));
    sale(&mut desk, 102, 30_000);
    assert_eq!(held(&desk, BTC, OwnerId::External), Amount::ZERO);
    assert_eq!(desk.held_by_bots(SPOT), 70_000);
    assert_eq!(
        causes(&desk),
        [(Scope::Instrument(SPOT), TradingState::Halted)]
    );
}

/// I02: an execution that no channel reported is found in the list, and booked to its order.
#[test]
fn a_fill_that_was_never_reported_is_booked_from_the_list() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    let fill = desk.fill_of(&order, order.quantity.0, 10_001);
    read(&mut desk, "99899.99", "1", &[fill]);
    assert_eq!(desk.held_by_bots(SPOT), 100_000);
    assert_eq!(desk.count(EventType::OrderFilled), 1);
    assert!(desk.engine.view().orders.is_empty());
    desk.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    read(&mut desk, "99899.99", "1", &[fill]);
    assert_eq!(desk.count(EventType::OrderFilled), 1, "once");
    assert_eq!(causes(&desk), []);
}

/// Kind 8: an order with our tag at the venue that the desk does not keep is cancelled.
#[test]
fn a_stray_order_of_ours_is_cancelled_and_somebody_elses_left_alone() {
    let (mut desk, _script, fill) = holding();
    let open = |client_id| OpenOrder {
        terms: OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id,
            side: Side::Buy,
            quantity: Quantity(100_000),
            kind: OrderKind::Market,
        },
        venue_order_id: VenueOrderId(4),
        filled: Quantity::ZERO,
        adopted: None,
        list: None,
    };
    let ours = ClientOrderId(fill.client_id.0 + 1_000);
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, "99899.99".parse().expect("a number")),
            (BTC, Amount::ONE),
        ],
        open_orders: vec![open(ours), open(ClientOrderId(9))],
        fills: vec![(fill, None)],
    })));
    assert_eq!(desk.cancels(), [ours]);
    assert_eq!(desk.engine.view().orders.len(), 1);
}

/// N04: a live stream is swept every 30 s, whatever it reports.
#[test]
fn an_account_is_swept_while_its_stream_is_live() {
    let (mut desk, _script, _fill) = holding();
    let up = Input::AccountStream {
        account: ACCOUNT,
        change: Box::new(StreamChange::Up),
    };
    let outputs = desk.input(&up);
    assert!(outputs.contains(&Output::Reconcile(ACCOUNT)), "at once");
    desk.log.clear();
    desk.advance(Duration::from_secs(95));
    let sweeps = desk
        .log
        .iter()
        .filter(|output| **output == Output::Sweep(ACCOUNT));
    assert_eq!(sweeps.count(), 3);
}
