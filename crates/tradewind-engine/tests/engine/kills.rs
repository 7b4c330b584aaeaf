//! Kills of a part of the desk, and what a reset wants first.

use std::time::Duration;

use tradewind_events::{Action, CommandResult, Configuration, EventType, Output};
use tradewind_model::{AccountId, Amount, BotId, InstrumentId, ReportKind, VenueId};
use tradewind_risk::{Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, buy, desk, one_bot};

const OTHER: BotId = BotId(1);

fn kill(scope: Scope) -> Action {
    Action::KillScope {
        scope,
        reason: "drill".to_owned(),
    }
}

fn reset(scope: Scope) -> Action {
    Action::ResetScope {
        scope,
        reason: "drill over".to_owned(),
    }
}

/// Two bots on the same instrument.
fn two_bots() -> (Desk, Script) {
    let script = Script::default();
    (desk(vec![bot(0), bot(1)], &script), script)
}

/// The first reading since a kill may have begun before it.
fn read_twice(desk: &mut Desk) {
    let is_read = |output: &Output| matches!(output, Output::Reconcile(ACCOUNT));
    assert!(desk.read_account().iter().any(is_read), "it is read again");
    assert!(!desk.read_account().iter().any(is_read));
}

/// Whether each bot may enter now.
fn enter(desk: &mut Desk, script: &Script) -> [bool; 2] {
    let before = desk.orders().len();
    desk.advance(Duration::from_secs(2));
    script.say(BOT, Answer::target(1_000_000));
    script.say(OTHER, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let orders = desk.engine.view().orders;
    assert!(desk.orders().len() >= before);
    [BOT, OTHER].map(|bot| orders.iter().any(|order| order.bot == Some(bot)))
}

#[test]
fn a_kill_of_a_part_blocks_that_part_alone() {
    for (scope, entered) in [
        (Scope::Bot(BOT), [false, true]),
        (Scope::Instrument(SPOT), [false, false]),
        (Scope::Account(ACCOUNT), [false, false]),
        (Scope::Venue(VenueId(0)), [false, false]),
    ] {
        let (mut desk, script) = two_bots();
        let killed = CommandResult::Killed {
            open_orders: 0,
            durable: true,
        };
        assert_eq!(desk.command(kill(scope)), killed, "{scope:?}");
        assert_eq!(enter(&mut desk, &script), entered, "{scope:?}");
        let view = desk.engine.view();
        assert_eq!(view.state, TradingState::Active, "the desk is not killed");
        assert_eq!(desk.count(EventType::KillSwitch), 0);
        let listed = view.causes.iter();
        let listed: Vec<_> = listed.map(|cause| (cause.scope, cause.state)).collect();
        assert_eq!(listed, [(scope, TradingState::Killed)]);
        read_twice(&mut desk);
        assert_eq!(desk.command(reset(scope)), CommandResult::Accepted(None));
        assert_eq!(enter(&mut desk, &script), [true, true], "{scope:?}");
    }
}

#[test]
fn a_kill_of_a_bot_cancels_its_entries_and_holds_its_exits() {
    let (mut desk, script) = two_bots();
    assert_eq!(enter(&mut desk, &script), [true, true]);
    let orders = desk.orders();
    let killed = CommandResult::Killed {
        open_orders: 1,
        durable: true,
    };
    assert_eq!(desk.command(kill(Scope::Bot(BOT))), killed);
    assert_eq!(desk.cancels(), [orders[0].client_id]);
    let reads = |output: &&Output| matches!(output, Output::Reconcile(ACCOUNT));
    assert!(desk.log.iter().rev().any(|output| reads(&output)));
    desk.fill(&orders[0], 10_001);
    desk.fill(&orders[1], 10_001);
    script.say(BOT, Answer::target(0));
    script.say(OTHER, Answer::target(0));
    desk.advance(Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    let made = desk.engine.view().orders;
    let made: Vec<_> = made.iter().map(|order| order.bot).collect();
    assert_eq!(made, [Some(OTHER)], "exits of the killed bot stay in");
    read_twice(&mut desk);
    desk.command(reset(Scope::Bot(BOT)));
    desk.advance(Duration::from_secs(61));
    let made = desk.engine.view().orders;
    assert!(made.iter().any(|order| order.bot == Some(BOT)), "{made:?}");
}

/// H04: an exit that was decided before the kill of its part, and that may not have left yet.
#[test]
fn a_kill_of_a_part_withdraws_the_exits_that_wait() {
    for (scope, wanted) in [
        (Scope::Bot(BOT), 1),
        (Scope::Instrument(SPOT), 2),
        (Scope::Account(ACCOUNT), 2),
        (Scope::Venue(VenueId(0)), 2),
    ] {
        let (mut desk, script) = two_bots();
        assert_eq!(enter(&mut desk, &script), [true, true]);
        let orders = desk.orders();
        desk.fill(&orders[0], 10_001);
        desk.fill(&orders[1], 10_001);
        script.say(BOT, Answer::target(0));
        script.say(OTHER, Answer::target(0));
        desk.advance(Duration::from_secs(2));
        desk.quote(10_000, 10_001);
        let exits = desk.orders().split_off(2);
        assert_eq!(exits.len(), 2);
        desk.command(kill(scope));
        let withdrawn = desk.log.iter().filter_map(|output| match output {
            Output::Withdraw { client_id, .. } => Some(*client_id),
            _ => None,
        });
        let of_scope = exits.iter().map(|order| order.client_id).take(wanted);
        assert!(withdrawn.eq(of_scope), "{scope:?}");
    }
}

#[test]
fn a_kill_of_a_part_outlives_a_restart() {
    let script = Script::default();
    let two = || Configuration {
        bots: vec![bot(0), bot(1)],
        ..configuration()
    };
    let mut first = desk(two().bots, &script);
    first.command(kill(Scope::Bot(BOT)));
    let mut second = first.restarted(two(), script.strategies());
    second.account(&[(USDT, Amount::whole(100_000))]);
    second.advance(Duration::from_secs(10));
    assert_eq!(enter(&mut second, &script), [false, true]);
    assert_eq!(
        second.command(reset(Scope::Bot(BOT))),
        CommandResult::Accepted(None)
    );
    let mut third = second.restarted(two(), script.strategies());
    third.read_account();
    let causes = third.engine.view().causes;
    assert!(
        causes
            .iter()
            .all(|cause| cause.state != TradingState::Killed),
        "{causes:?}"
    );
}

#[test]
fn what_is_no_part_of_the_desk_and_what_is_not_killed_are_refused() {
    let (mut desk, _) = one_bot();
    let refused = |result, word: &str| match result {
        CommandResult::Refused(why) => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?}"),
    };
    for scope in [
        Scope::Desk,
        Scope::Bot(BotId(9)),
        Scope::Account(AccountId(9)),
        Scope::Instrument(InstrumentId(9)),
        Scope::Venue(VenueId(9)),
    ] {
        refused(desk.command(kill(scope)), "no such part");
        refused(desk.command(reset(scope)), "no such part");
    }
    refused(desk.command(reset(Scope::Bot(BOT))), "is not killed");
    desk.command(kill(Scope::Account(ACCOUNT)));
    refused(desk.command(reset(Scope::Bot(BOT))), "is not killed");
}

/// H06: a reading that began before the kill shows nothing of what the kill left, also over a snapshot.
#[test]
fn the_first_reading_since_a_kill_does_not_count() {
    let (mut desk, _) = one_bot();
    desk.command(kill(Scope::Bot(BOT)));
    desk.read_account();
    let refused = desk.command(reset(Scope::Bot(BOT)));
    assert!(matches!(refused, CommandResult::Refused(_)), "{refused:?}");
    desk.read_account();
    let lifted = desk.command(reset(Scope::Bot(BOT)));
    assert_eq!(lifted, CommandResult::Accepted(None));
}

/// What recovery restores tells a killed account from one that was read since.
#[test]
fn whether_an_account_is_clean_is_part_of_what_recovery_restores() {
    let part = |desk: &Desk| {
        let parts = desk.engine.recovered_parts().into_iter();
        let mut accounts = parts.filter(|part| part.name == "account 0");
        accounts.next().expect("the account is a part").digest
    };
    let (mut desk, _) = one_bot();
    let clean = part(&desk);
    desk.command(kill(Scope::Bot(BOT)));
    let killed = part(&desk);
    desk.read_account();
    let stale = part(&desk);
    desk.read_account();
    assert!(clean != killed && killed != stale);
    assert_eq!(part(&desk), clean);
}

/// A part that is killed is closed with the rest of the desk; one that is killed while the desk closes stays as it is.
#[test]
fn a_kill_that_flattens_closes_what_was_killed_by_itself() {
    for is_before in [true, false] {
        let (mut desk, script) = two_bots();
        assert_eq!(enter(&mut desk, &script), [true, true]);
        for order in desk.orders() {
            desk.fill(&order, 10_001);
        }
        if is_before {
            desk.command(kill(Scope::Bot(BOT)));
            desk.advance(Duration::from_secs(1));
            desk.quote(10_000, 10_001);
        }
        desk.command(Action::Kill {
            reason: "out".to_owned(),
            flatten: true,
            include_external: false,
        });
        let exits: Vec<_> = desk.orders().split_off(2);
        assert_eq!(exits.len(), 2, "both bots leave");
        desk.report(&exits[0], ReportKind::Cancelled, Some(0));
        if !is_before {
            desk.advance(Duration::from_millis(10));
            desk.command(kill(Scope::Bot(BOT)));
        }
        desk.quote(10_000, 10_001);
        desk.advance(Duration::from_secs(3));
        assert_eq!(desk.orders().len() > 4, is_before, "it is tried again");
        if is_before {
            let last = desk.last_order();
            desk.fill(&last, 10_000);
            desk.fill(&exits[1], 10_000);
            assert_eq!(desk.held(SPOT), 0);
        }
    }
}

/// H06: a reset wants the account read and clean since the kill.
#[test]
fn a_reset_wants_a_clean_reading_since_the_kill() {
    for scope in [None, Some(Scope::Bot(BOT)), Some(Scope::Venue(VenueId(0)))] {
        let (mut desk, script) = one_bot();
        buy(&mut desk, &script);
        desk.advance(Duration::from_secs(2));
        script.say(BOT, Answer::target(0));
        desk.quote(10_000, 10_001);
        let exit = desk.last_order();
        let (kill, reset) = match scope {
            Some(scope) => (kill(scope), reset(scope)),
            None => (
                Action::Kill {
                    reason: "drill".to_owned(),
                    flatten: false,
                    include_external: false,
                },
                Action::Reset {
                    reason: "drill over".to_owned(),
                },
            ),
        };
        let refused = |desk: &mut Desk, word: &str| match desk.command(reset.clone()) {
            CommandResult::Refused(why) => assert!(why.contains(word), "{why}"),
            other => panic!("{other:?}"),
        };
        desk.command(kill);
        refused(&mut desk, "account paper: it was not read");
        desk.report(&exit, ReportKind::Unknown, None);
        // The venue does not list it.
        let left = "99899.99".parse().expect("a number");
        desk.account(&[(USDT, left), (BTC, Amount::ONE)]);
        refused(&mut desk, "it was not read");
        desk.account(&[(USDT, left), (BTC, Amount::ONE)]);
        refused(&mut desk, "unknown fate: 1");
        desk.report(&exit, ReportKind::Cancelled, Some(0));
        assert_eq!(desk.command(reset.clone()), CommandResult::Accepted(None));
    }
}
