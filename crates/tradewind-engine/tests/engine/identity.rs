//! Whose orders are whose: ids that a restored backup does not know, another desk on the account, and SAFE mode.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, BotState, CommandResult, Configuration, Input, OpenOrder, Started,
};
use tradewind_model::{
    Amount, ClientOrderId, ClientOrderIds, OrderKind, OrderTerms, OwnerId, Price, Quantity,
    ReportKind, Side, VenueOrderId,
};
use tradewind_risk::{CauseKind, Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, one_bot};

/// The instance of the testkit's desks.
const OWN: u32 = 7;

fn id(instance: u32, epoch: u32) -> ClientOrderId {
    ClientOrderIds::new(instance, epoch).next_id()
}

fn terms(client_id: ClientOrderId) -> OrderTerms {
    OrderTerms {
        account: ACCOUNT,
        instrument: SPOT,
        client_id,
        side: Side::Buy,
        quantity: Quantity(100_000),
        kind: OrderKind::PostOnly {
            price: Price(9_000),
        },
    }
}

/// A reading of the account in which this order rests.
fn reading(client_id: ClientOrderId) -> Input {
    Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(100_000))],
        open_orders: vec![OpenOrder {
            terms: terms(client_id),
            venue_order_id: VenueOrderId(77),
            filled: Quantity(0),
            adopted: None,
            list: None,
        }],
        fills: Vec::new(),
    }))
}

fn next_start(script: &Script) -> Desk {
    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    Desk::unreconciled(configuration, script.strategies())
}

/// The epoch of the next order.
fn epoch_of_next(desk: &mut Desk, script: &Script) -> u32 {
    desk.advance(Duration::from_secs(2));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    desk.last_order().client_id.epoch()
}

fn causes(desk: &Desk) -> Vec<(Scope, TradingState, CauseKind)> {
    let view = desk.engine.view();
    let causes = view.causes.into_iter();
    causes
        .map(|cause| (cause.scope, cause.state, cause.reason))
        .collect()
}

/// S11: what the first reading shows of this folder was not made by this start, whatever epoch it has.
#[test]
fn orders_that_a_backup_does_not_know_raise_the_epoch() {
    for (seen, wanted) in [(id(OWN, 1), 2), (id(OWN, 5), 6), (id(8, 5), 1)] {
        let script = Script::default();
        let mut desk = next_start(&script);
        desk.input(&reading(seen));
        assert_eq!(epoch_of_next(&mut desk, &script), wanted, "{seen}");
    }
}

/// P05: a new order or a cancel by another desk halts the account. A fill of an old one does not: it is EXTERNAL.
#[test]
fn another_desk_halts_the_account_until_a_person_clears_it() {
    let script = Script::default();
    let mut desk = next_start(&script);
    let mut ids = ClientOrderIds::new(8, 1);
    let old = terms(ids.next_id());
    // Its first reading lists it.
    desk.input(&reading(old.client_id));
    desk.advance(Duration::from_secs(2));
    let before = causes(&desk);
    let fill = desk.fill_of(&old, 100_000, 9_000);
    desk.report(&old, ReportKind::Filled(fill), Some(100_000));
    assert_eq!(causes(&desk), before);
    let view = desk.engine.view();
    let bought = view.balances.iter().find(|balance| balance.asset == BTC);
    assert_eq!(bought.map(|balance| balance.owner), Some(OwnerId::External));

    let scope = Scope::Account(ACCOUNT);
    let halted = (scope, TradingState::Halted, CauseKind::ForeignDesk);
    // Another instance, and this one at a start that is not this.
    for foreign in [ids.next_id(), id(OWN, 9)] {
        for act in [ReportKind::Accepted, ReportKind::Cancelled] {
            desk.report(&terms(foreign), act, None);
            assert!(causes(&desk).contains(&halted), "{foreign}");
            let reason = "it was stopped".to_owned();
            let cleared = desk.command(Action::ClearRisk { scope, reason });
            assert_eq!(cleared, CommandResult::Accepted(None));
            assert_eq!(causes(&desk), before);
        }
    }
    let earlier = terms(id(OWN, 0));
    desk.report(&earlier, ReportKind::Accepted, None);
    assert_eq!(
        causes(&desk),
        before,
        "an order of an earlier start is no other desk's"
    );
    assert_eq!(desk.cancels(), [earlier.client_id]);
}

/// P05: the report of another desk's new order is lost. Its fill, a reading that lists the fill, or one in which it is open, halts the
/// account.
#[test]
fn an_order_of_another_desk_whose_report_was_lost_halts_the_account() {
    let new = terms(id(8, 1));
    let bought = |desk: &mut Desk| {
        let fill = desk.fill_of(&new, 100_000, 9_000);
        let listed = AccountState {
            account: ACCOUNT,
            balances: vec![(USDT, Amount::whole(99_910)), (BTC, Amount::ONE)],
            open_orders: Vec::new(),
            fills: vec![(fill, None)],
        };
        (fill, Input::Account(Box::new(listed)))
    };
    let acts: [&dyn Fn(&mut Desk); 3] = [
        &|desk| {
            let (fill, _) = bought(desk);
            desk.report(&new, ReportKind::Filled(fill), Some(100_000));
        },
        &|desk| {
            let (_, listed) = bought(desk);
            desk.input(&listed);
        },
        &|desk| drop(desk.input(&reading(new.client_id))),
    ];
    let halted = |desk: &Desk| {
        let causes = causes(desk).into_iter();
        let mut reasons = causes.map(|(_, _, reason)| reason);
        reasons.any(|reason| reason == CauseKind::ForeignDesk)
    };
    for act in acts {
        let (mut desk, _script) = one_bot();
        assert!(!halted(&desk));
        act(&mut desk);
        assert!(halted(&desk));
    }
    // What it traded before the first reading after this start is old.
    let script = Script::default();
    let mut desk = next_start(&script);
    let (_, listed) = bought(&mut desk);
    desk.input(&listed);
    assert!(!halted(&desk));
}

/// S11: what the directory that this one was copied from has left open is cancelled, and that is no other desk at work. A new
/// order of it is.
#[test]
fn what_a_former_instance_left_is_cancelled_and_what_it_does_now_halts() {
    let script = Script::default();
    let mut desk = next_start(&script);
    desk.account(&[(USDT, Amount::whole(100_000))]);
    desk.input(&Input::Started(Started {
        instance: OWN,
        epoch: 2,
        killed: false,
        former: vec![8],
    }));
    let (left, foreign) = (id(8, 1), id(9, 1));
    let listed = |client_id| OpenOrder {
        terms: terms(client_id),
        venue_order_id: VenueOrderId(77),
        filled: Quantity(0),
        adopted: None,
        list: None,
    };
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(100_000))],
        open_orders: vec![listed(left), listed(foreign)],
        fills: Vec::new(),
    })));
    assert_eq!(desk.cancels(), [left], "the other desk's is left alone");
    for ended in [left, foreign] {
        desk.report(&terms(ended), ReportKind::Cancelled, Some(0));
    }
    let halted = CauseKind::ForeignDesk;
    let is_halted = |desk: &Desk| causes(desk).iter().any(|(_, _, cause)| *cause == halted);
    assert!(!is_halted(&desk));
    let mut ids = ClientOrderIds::new(8, 1);
    ids.next_id();
    let new = ids.next_id();
    desk.input(&reading(new));
    assert_eq!(desk.cancels(), [left], "it is no order of this desk's");
    desk.report(&terms(new), ReportKind::Accepted, Some(0));
    assert!(is_halted(&desk));
}

/// P06: no bot is started, over further starts, until a person clears it.
#[test]
fn in_safe_mode_no_bot_is_started_until_a_person_clears_it() {
    let script = Script::default();
    let mut desk = next_start(&script);
    desk.input(&Input::SafeMode);
    desk.account(&[(USDT, Amount::whole(100_000))]);
    desk.advance(Duration::from_secs(10));
    let safe = (Scope::Desk, TradingState::Reducing, CauseKind::SafeMode);
    let state = |desk: &Desk| desk.engine.view().bots[0].state;
    assert!(causes(&desk).contains(&safe));
    assert_ne!(state(&desk), BotState::Running);

    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    let mut desk = desk.restarted(configuration, script.strategies());
    desk.account(&[(USDT, Amount::whole(100_000))]);
    desk.advance(Duration::from_secs(10));
    assert!(causes(&desk).contains(&safe));
    assert_ne!(state(&desk), BotState::Running);
    match desk.command(Action::StartBot(BOT)) {
        CommandResult::Refused(why) => assert!(why.contains("risk clear desk"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_ne!(state(&desk), BotState::Starting, "nor by hand");
    let cleared = desk.command(Action::ClearRisk {
        scope: Scope::Desk,
        reason: "found it".to_owned(),
    });
    assert_eq!(cleared, CommandResult::Accepted(None));
    desk.advance(Duration::from_secs(2));
    assert!(!causes(&desk).contains(&safe));
    assert_eq!(state(&desk), BotState::Running);
}
