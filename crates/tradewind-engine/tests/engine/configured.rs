//! A second configuration changes what exists by its difference and wipes nothing.

use std::time::Duration;

use tradewind_events::{
    Action, AppliedBots, BotConfig, BotState, BotView, Command, CommandResult, Configuration,
    EventKind, EventType, Input, Output, Principal,
};
use tradewind_model::{
    Amount, BotId, Decision, ExitPlan, InstrumentId, OrderKind, OwnerId, Ppm, Price, Quantity,
    Reason, Side, Stop,
};
use tradewind_risk::TradingState;
use tradewind_testkit::{ACCOUNT, Answer, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, buy, desk, one_bot};

fn with(bots: Vec<BotConfig>) -> Configuration {
    Configuration {
        bots,
        ..configuration()
    }
}

fn configure(desk: &mut Desk, configuration: Configuration) -> Vec<Output> {
    desk.input(&Input::Configured(Box::new(configuration)))
}

fn view(desk: &Desk, bot: BotId) -> BotView {
    desk.engine.view().bots[bot.index()].clone()
}

fn money(desk: &Desk, owner: OwnerId) -> Amount {
    let view = desk.engine.view();
    let mut balances = view.balances.into_iter();
    let found = balances.find(|balance| (balance.owner, balance.asset) == (owner, USDT));
    found.map_or(Amount::ZERO, |balance| balance.amount)
}

#[test]
fn the_same_configuration_changes_nothing() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let before = desk.engine.view();
    assert!(configure(&mut desk, with(vec![bot(0)])).is_empty());
    let mut after = desk.engine.view();
    assert_eq!(after.seq, before.seq + 1);
    after.seq = before.seq;
    assert_eq!(after, before);
}

#[test]
fn a_changed_bot_starts_anew_and_keeps_its_position() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let changed = BotConfig {
        strategy_version: 2,
        ..bot(0)
    };
    configure(&mut desk, with(vec![changed]));
    let restarted = desk.events().into_iter().find(|event| {
        matches!(&event.kind, EventKind::BotStateChanged { to: BotState::Starting, reason, .. }
            if reason == "its configuration changed")
    });
    assert!(restarted.is_some());
    assert_eq!(view(&desk, BOT).state, BotState::Running);
    assert!(desk.held(SPOT) > 0);
    script.say(BOT, Answer::target(0));
    desk.quote(10_100, 10_101);
    let mut outputs = desk.log.iter().rev();
    let intent = outputs.find_map(|output| match output {
        Output::Submit(intent, _) => Some(intent.clone()),
        _ => None,
    });
    assert_eq!(intent.expect("it leaves").revision, 2, "the revision grew");
}

#[test]
fn a_changed_budget_moves_money_and_restarts_nothing() {
    let (mut desk, _) = one_bot();
    let budget = |budget| BotConfig {
        budget: Amount::whole(budget),
        ..bot(0)
    };
    assert!(configure(&mut desk, with(vec![budget(15_000)])).is_empty());
    assert_eq!(money(&desk, OwnerId::Bot(BOT)), Amount::whole(15_000));
    assert!(configure(&mut desk, with(vec![budget(4_000)])).is_empty());
    assert_eq!(money(&desk, OwnerId::Bot(BOT)), Amount::whole(4_000));
    assert_eq!(money(&desk, OwnerId::Unallocated), Amount::whole(96_000));
    configure(&mut desk, with(vec![budget(1_000_000)]));
    assert_eq!(money(&desk, OwnerId::Bot(BOT)), Amount::whole(4_000));
    assert_eq!(desk.count(EventType::BotError), 1);
    assert_eq!(view(&desk, BOT).state, BotState::Running);
}

#[test]
fn an_added_bot_gets_its_budget_and_its_turn() {
    let (mut desk, script) = one_bot();
    let added = BotId(1);
    configure(&mut desk, with(vec![bot(0), bot(1)]));
    assert_eq!(view(&desk, added).state, BotState::Starting);
    desk.advance(Duration::ZERO);
    assert_eq!(view(&desk, added).state, BotState::Running);
    assert_eq!(money(&desk, OwnerId::Bot(added)), Amount::whole(10_000));
    script.say(added, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(script.evaluations(added), 1, "quotes wake it");
    assert_eq!(desk.orders().len(), 1);
}

#[test]
fn a_removed_bot_stops_for_good_and_its_position_is_still_protected() {
    let script = Script::default();
    let protected = BotConfig {
        exit: ExitPlan {
            stop: Stop::Distance(Ppm(20_000)),
            ..ExitPlan::default()
        },
        ..bot(0)
    };
    let mut desk = desk(vec![protected, bot(1)], &script);
    buy(&mut desk, &script);
    let evaluated = script.evaluations(BOT);
    configure(&mut desk, with(vec![bot(1)]));
    let removed = view(&desk, BOT);
    assert_eq!(removed.state, BotState::Stopped);
    assert_eq!(removed.state_reason, "removed from the configuration");
    let refused = desk.command(Action::StartBot(BOT));
    assert_eq!(refused, CommandResult::Refused("no bot 0".to_owned()));
    let orders = desk.orders().len();
    desk.quote(9_700, 9_701);
    assert_eq!(script.evaluations(BOT), evaluated, "no quote wakes it");
    assert_eq!(desk.orders().len(), orders + 1, "its stop closes it");
    assert_eq!(view(&desk, BotId(1)).state, BotState::Running);
}

#[test]
fn new_filters_of_an_instrument_are_taken_over() {
    let (mut desk, _) = one_bot();
    let mut stricter = with(vec![bot(0)]);
    stricter.instruments[0].notional_min = Amount::whole(100_000);
    assert!(configure(&mut desk, stricter).is_empty());
    desk.quote(10_000, 10_001);
    let place = Action::PlaceOrder {
        account: ACCOUNT,
        instrument: SPOT,
        side: Side::Buy,
        quantity: Quantity(100_000),
        kind: OrderKind::Market,
    };
    assert!(matches!(desk.command(place), CommandResult::Refused(_)));
}

#[test]
fn a_configuration_that_gives_a_known_id_to_another_is_refused() {
    let (mut desk, _) = one_bot();
    let mut swapped = with(vec![bot(0), bot(1)]);
    swapped.instruments.swap(0, 1);
    configure(&mut desk, swapped);
    let after = desk.engine.view();
    assert_eq!((after.state, after.bots.len()), (TradingState::Reducing, 1));
    configure(&mut desk, with(vec![bot(0)]));
    assert_eq!(desk.engine.view().state, TradingState::Active);
    let renamed = BotConfig {
        name: "another".to_owned(),
        ..bot(0)
    };
    configure(&mut desk, with(vec![renamed]));
    assert_eq!(desk.count(EventType::BotError), 1);
}

/// H07: a set of bots that a person applies.
fn applied(revision: u32, bots: Vec<BotConfig>) -> Action {
    Action::ApplyBots(Box::new(AppliedBots {
        revision,
        text: "[[bots]]".to_owned(),
        bots,
        changes: Vec::new(),
    }))
}

fn with_budget(id: u32, budget: i64) -> BotConfig {
    BotConfig {
        budget: Amount::whole(budget),
        ..bot(id)
    }
}

/// H07: bots are added, changed and removed while the desk runs, and one that does not differ is not touched.
#[test]
fn applied_bots_take_effect_at_once_and_others_are_not_touched() {
    let script = Script::default();
    let mut desk = desk(vec![bot(0), bot(1), bot(2)], &script);
    buy(&mut desk, &script);
    let before = view(&desk, BOT);
    let changed = BotConfig {
        strategy_version: 2,
        ..bot(1)
    };
    let from = desk.log.len();
    let result = desk.command(applied(1, vec![bot(0), changed, bot(3)]));
    assert_eq!(result, CommandResult::Accepted(None));
    desk.advance(Duration::ZERO);
    assert_eq!(view(&desk, BOT), before, "nothing of it differs");
    assert_eq!(view(&desk, BotId(1)).state, BotState::Running);
    assert_eq!(view(&desk, BotId(2)).state, BotState::Stopped);
    assert_eq!(view(&desk, BotId(3)).state, BotState::Running);
    let restarted = desk.log[from..].iter().filter_map(|output| match output {
        Output::Event(event) => match &event.kind {
            EventKind::BotStateChanged {
                bot,
                to: BotState::Starting,
                ..
            } => Some(bot.0),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(restarted.collect::<Vec<_>>(), [1, 3]);
    let configuration = desk.engine.configuration();
    assert_eq!(configuration.bots_revision, 1);
    assert_eq!(configuration.bots_text.as_deref(), Some("[[bots]]"));
    // A bot that was removed comes back with its id and its budget.
    let result = desk.command(applied(2, vec![bot(0), bot(2), bot(3)]));
    assert_eq!(result, CommandResult::Accepted(None));
    desk.advance(Duration::ZERO);
    assert_eq!(view(&desk, BotId(2)).state, BotState::Running);
    assert_eq!(money(&desk, OwnerId::Bot(BotId(2))), Amount::whole(10_000));
}

/// H07: what cannot be taken as a whole is refused as a whole.
#[test]
fn bots_that_cannot_all_be_applied_change_nothing() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let before = desk.engine.view();
    let refused = [
        (applied(2, vec![bot(0), bot(1)]), "have revision 0 by now"),
        (
            applied(1, vec![with_budget(0, 20_000), with_budget(1, 1_000_000)]),
            "budget of bot bot-1",
        ),
        // The bot has spent what is to be taken back.
        (applied(1, vec![with_budget(0, 1)]), "budget of bot bot-0"),
        (
            applied(
                1,
                vec![BotConfig {
                    name: "other".to_owned(),
                    ..bot(0)
                }],
            ),
            "the id of another",
        ),
        (applied(1, vec![bot(0), bot(2)]), "the id of another"),
        (applied(1, vec![bot(0), bot(0)]), "the id of another"),
        (
            applied(
                1,
                vec![BotConfig {
                    reads: vec![InstrumentId(99)],
                    ..bot(0)
                }],
            ),
            "the id of another",
        ),
    ];
    let commands = u64::try_from(refused.len()).unwrap();
    for (action, wanted) in refused {
        match desk.command(action) {
            CommandResult::Refused(reason) => assert!(reason.contains(wanted), "{reason}"),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let mut after = desk.engine.view();
    assert_eq!(after.seq, before.seq + commands);
    after.seq = before.seq;
    assert_eq!(after, before);
    assert_eq!(desk.engine.configuration().bots_revision, 0);
}

/// H07: money that one bot gives back may be another's, in whatever order the file names them.
#[test]
fn budgets_move_between_bots_in_one_step() {
    let script = Script::default();
    let mut desk = desk(
        vec![with_budget(0, 60_000), with_budget(1, 30_000)],
        &script,
    );
    let bots = vec![with_budget(0, 80_000), with_budget(1, 15_000)];
    assert_eq!(
        desk.command(applied(1, bots)),
        CommandResult::Accepted(None)
    );
    assert_eq!(money(&desk, OwnerId::Bot(BOT)), Amount::whole(80_000));
    assert_eq!(money(&desk, OwnerId::Bot(BotId(1))), Amount::whole(15_000));
    assert_eq!(desk.count(EventType::BotError), 0);
}

/// H07: a position that is guarded by the plan of its bot is guarded by the one that is applied. A plan of its own stays.
#[test]
fn an_applied_exit_plan_guards_what_is_held() {
    let stop_of = |share| BotConfig {
        exit: ExitPlan {
            stop: Stop::Distance(Ppm(share)),
            ..ExitPlan::default()
        },
        ..bot(0)
    };
    let shown = |desk: &Desk| desk.engine.view().positions[0].exit.stop;
    let script = Script::default();
    let mut desk = desk(vec![stop_of(50_000)], &script);
    buy(&mut desk, &script);
    assert_eq!(shown(&desk), Some(Price(9_501)));
    let result = desk.command(applied(1, vec![stop_of(10_000)]));
    assert_eq!(result, CommandResult::Accepted(None));
    assert_eq!(shown(&desk), Some(Price(9_901)));
    let bots = vec![stop_of(10_000)];
    let next = desk.restarted(with(bots), script.strategies());
    assert_eq!(shown(&next), Some(Price(9_901)));
    let orders = desk.orders().len();
    desk.quote(9_900, 9_901);
    desk.advance(Duration::from_secs(1));
    assert_eq!(desk.orders().len(), orders + 1);
}

#[test]
fn an_applied_exit_plan_leaves_a_positions_own_alone() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    let own = Decision::MoveStop {
        stop: Price(9_950),
        reason: Reason::plain("moved"),
    };
    script.say(BOT, Answer::Decide(own));
    desk.quote(10_000, 10_001);
    let mut wider = bot(0);
    wider.exit.stop = Stop::Distance(Ppm(100_000));
    let result = desk.command(applied(1, vec![wider]));
    assert_eq!(result, CommandResult::Accepted(None));
    let stop = desk.engine.view().positions[0].exit.stop;
    assert_eq!(stop, Some(Price(9_950)));
}

/// A key that was used for other bots is refused: nobody takes what was not applied for applied.
#[test]
fn a_repeated_key_applies_no_other_bots() {
    let (mut desk, _) = one_bot();
    let mut send = |id, revision, budget| {
        let command = Command {
            id,
            principal: Principal::Local,
            issued_at: desk.now,
            expires_at: None,
            action: applied(revision, vec![with_budget(0, budget)]),
        };
        let outputs = desk.input(&Input::Command(Box::new(command)));
        let reply = outputs.into_iter().find_map(|output| match output {
            Output::Reply(_, result) => Some(result),
            _ => None,
        });
        (reply.unwrap(), desk.engine.configuration().bots_revision)
    };
    let accepted = CommandResult::Accepted(None);
    assert_eq!(send(7, 1, 9_000), (accepted.clone(), 1));
    assert_eq!(send(7, 1, 9_000), (accepted.clone(), 1), "the same again");
    let (refused, revision) = send(7, 2, 8_000);
    assert!(
        matches!(&refused, CommandResult::Refused(reason) if reason.contains("Idempotency-Key")),
        "{refused:?}"
    );
    assert_eq!(revision, 1);
    assert_eq!(send(8, 2, 8_000), (accepted, 2));
}
