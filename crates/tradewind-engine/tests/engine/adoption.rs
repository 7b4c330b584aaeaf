//! Positions that are given to a bot, and the capital of an account.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, AdoptedFrom, Adoption, BotState, CommandResult, Configuration, EventKind,
    Input, OpenOrder, Principal,
};
use tradewind_model::{
    AccountMode, Amount, AssetId, BotId, ClientOrderId, ExitPlan, OrderKind, OrderTerms, OwnerId,
    Ppm, Price, Quantity, ReportKind, Side, Stop, VenueOrderId,
};
use tradewind_risk::{CauseKind, DenyReason, TradingState};
use tradewind_testkit::{
    ACCOUNT, Answer, BTC, Desk, PERPETUAL, SPOT, Script, USDT, bot, configuration,
};

use crate::BOT;

const ONE: i64 = 100_000;

fn adoption() -> Adoption {
    Adoption {
        bot: BOT,
        instrument: SPOT,
        quantity: Quantity(2 * ONE),
        from: AdoptedFrom::External,
        cost: Price(9_000),
        stop: Some(Price(9_500)),
    }
}

/// A live account with 50,000 USDT and 3.5 BTC from before the desk, and one bot with a budget of 10,000.
fn with_capital(capital: Option<i64>, bots: u32) -> (Configuration, Script) {
    let mut configuration = Configuration {
        bots: (0..bots).map(bot).collect(),
        venue_stop_distance: Some(Ppm(1_250_000)),
        ..configuration()
    };
    configuration.accounts[0].mode = AccountMode::Live;
    configuration.accounts[0].capital = capital.map(Amount::whole);
    configuration.instruments[0].stop_orders = tradewind_model::StopOrders::Market;
    (configuration, Script::default())
}

fn read(desk: &mut Desk) {
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, Amount::whole(50_000)),
            (BTC, "3.5".parse().expect("a number")),
        ],
        open_orders: Vec::new(),
        fills: Vec::new(),
    })));
    desk.advance(std::time::Duration::from_secs(4));
}

fn started() -> (Desk, Script) {
    let (configuration, script) = with_capital(None, 1);
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    read(&mut desk);
    desk.quote(10_000, 10_001);
    (desk, script)
}

fn has(desk: &Desk, asset: AssetId, owner: OwnerId) -> String {
    let view = desk.engine.view();
    let mut found = view.balances.iter();
    let found = found.find(|held| (held.asset, held.owner) == (asset, owner));
    found.map_or_else(|| "0".to_owned(), |held| held.amount.to_string())
}

#[test]
fn a_bot_gets_what_nobody_has_with_its_cost_and_its_stop() {
    let (mut desk, script) = started();
    let cash = has(&desk, USDT, OwnerId::Bot(BOT));
    let adopted = desk.command(Action::Adopt(adoption()));
    assert_eq!(adopted, CommandResult::Accepted(None));
    assert_eq!(has(&desk, BTC, OwnerId::External), "1.5");
    assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), "2");
    assert_eq!(has(&desk, USDT, OwnerId::Bot(BOT)), cash, "no money moves");
    let held = desk.engine.view().positions;
    let held: Vec<_> = held
        .iter()
        .map(|one| (one.owner, one.quantity.0, one.cost))
        .collect();
    assert_eq!(held, [(OwnerId::Bot(BOT), 2 * ONE, Amount::whole(180))]);
    let stop = desk.last_order();
    assert_eq!(stop.quantity.0, 2 * ONE, "it is protected at the venue");
    assert!(matches!(stop.kind, OrderKind::Stop { .. }), "{stop:?}");
    // The engine's own stop closes all of it.
    desk.report(&stop, tradewind_model::ReportKind::Accepted, Some(0));
    desk.quote(9_499, 9_500);
    desk.quote(9_499, 9_500);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 2 * ONE));
    // What was given is the bot's after a restart, too.
    let (configuration, _) = with_capital(None, 1);
    let again = desk.restarted(configuration, script.strategies());
    assert_eq!(has(&again, BTC, OwnerId::Bot(BOT)), "2");
    assert_eq!(again.engine.view().positions[0].cost, Amount::whole(180));
    assert_eq!(
        again.engine.view().positions[0].exit.stop,
        Some(Price(9_500))
    );
}

/// With `adopt_external`, what a person bought goes to the only bot that trades it, at the bid and with that bot's stop.
#[test]
fn by_rule_the_only_running_bot_gets_what_is_external() {
    for (rule, bots, given) in [(true, 1, "3.5"), (true, 2, "0"), (false, 1, "0")] {
        let (mut configuration, script) = with_capital(None, bots);
        configuration.accounts[0].adopts_external = rule;
        for bot in &mut configuration.bots {
            bot.exit.stop = Stop::Distance(Ppm(20_000));
        }
        let again = configuration.clone();
        let mut desk = Desk::unreconciled(configuration, script.strategies());
        read(&mut desk);
        desk.advance(Duration::from_secs(10));
        desk.quote(10_000, 10_001);
        desk.read_account();
        assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), given, "{rule} {bots}");
        if given == "0" {
            continue;
        }
        let position = &desk.engine.view().positions[0];
        assert_eq!(position.cost, Amount::whole(350), "at the bid");
        assert_eq!(position.exit.stop, Some(Price(9_800)));
        let stop = desk.last_order();
        assert!(matches!(stop.kind, OrderKind::Stop { .. }), "{stop:?}");
        let by_rule = desk.events().into_iter().any(|event| {
            matches!(
                event.kind,
                EventKind::Command {
                    principal: Principal::Rule,
                    ..
                }
            )
        });
        assert!(by_rule, "it is announced");
        desk.read_account();
        assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), given, "once");
        let again = desk.restarted(again, script.strategies());
        assert_eq!(has(&again, BTC, OwnerId::Bot(BOT)), given);
    }
}

/// What a sale or a pair of somebody else holds could not be sold by the bot: it stays EXTERNAL until that has ended.
#[test]
fn by_rule_what_orders_of_others_hold_is_given_to_nobody() {
    let (mut configuration, script) = with_capital(None, 1);
    configuration.accounts[0].adopts_external = true;
    configuration.bots[0].exit.stop = Stop::Distance(Ppm(20_000));
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    read(&mut desk);
    desk.quote(10_000, 10_001);
    let order = |client_id, quantity, filled, list| OpenOrder {
        terms: OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id: ClientOrderId(client_id),
            side: Side::Sell,
            quantity: Quantity(quantity),
            kind: OrderKind::Market,
        },
        venue_order_id: VenueOrderId(7),
        filled: Quantity(filled),
        adopted: None,
        list,
    };
    let buys = OpenOrder {
        terms: OrderTerms {
            side: Side::Buy,
            ..order(5, ONE, 0, None).terms
        },
        ..order(5, ONE, 0, None)
    };
    let mut state = AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, Amount::whole(50_000)),
            (BTC, "3.5".parse().expect("a number")),
        ],
        open_orders: vec![
            order(1, 2 * ONE, ONE / 2, None),
            order(2, ONE, 0, Some(3)),
            order(3, ONE, 0, Some(3)),
            buys,
        ],
        fills: Vec::new(),
    };
    desk.input(&Input::Account(Box::new(state.clone())));
    assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), "1");
    let stop = desk.last_order();
    desk.report(&stop, ReportKind::Accepted, Some(0));
    state.open_orders = vec![OpenOrder {
        terms: stop,
        ..order(0, ONE, 0, None)
    }];
    desk.input(&Input::Account(Box::new(state)));
    assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), "3.5");
}

/// What could not be left is given to nobody: the bot is killed by itself, or the desk is flattened.
#[test]
fn by_rule_nothing_is_given_to_who_may_not_trade() {
    let kill = |flatten| Action::Kill {
        reason: "out".to_owned(),
        flatten,
        include_external: false,
    };
    let of_bot = Action::KillScope {
        scope: BOT.into(),
        reason: "out".to_owned(),
    };
    for action in [of_bot, kill(false), kill(true)] {
        let (mut configuration, script) = with_capital(None, 1);
        configuration.accounts[0].adopts_external = true;
        let mut desk = Desk::unreconciled(configuration, script.strategies());
        read(&mut desk);
        desk.command(action);
        desk.quote(10_000, 10_001);
        for _ in 0..3 {
            desk.read_account();
        }
        assert_eq!(has(&desk, BTC, OwnerId::Bot(BOT)), "0");
    }
}

/// A kill that flattens leaves what is EXTERNAL, unless that is to be sold, too.
#[test]
fn a_kill_that_flattens_sells_what_is_external_only_on_request() {
    for include_external in [true, false] {
        let (mut desk, _) = started();
        let cash = has(&desk, USDT, OwnerId::External);
        desk.command(Action::Kill {
            reason: "out".to_owned(),
            flatten: true,
            include_external,
        });
        if !include_external {
            assert!(desk.orders().is_empty());
            assert_eq!(desk.engine.view().state, TradingState::Killed);
            continue;
        }
        let sale = desk.last_order();
        assert_eq!((sale.side, sale.quantity.0), (Side::Sell, 7 * ONE / 2));
        let part = desk.fill_of(&sale, ONE, 10_000);
        desk.report(&sale, ReportKind::Filled(part), Some(ONE));
        assert_eq!(has(&desk, BTC, OwnerId::External), "2.5");
        let rest = desk.fill_of(&sale, 5 * ONE / 2, 9_990);
        desk.report(&sale, ReportKind::Filled(rest), Some(7 * ONE / 2));
        desk.advance(Duration::from_secs(2));
        assert_eq!(has(&desk, BTC, OwnerId::External), "0");
        assert_eq!(has(&desk, BTC, OwnerId::Unallocated), "0");
        assert_eq!(has(&desk, USDT, OwnerId::External), cash);
        assert_eq!(has(&desk, USDT, OwnerId::Unallocated), "349.75");
        assert_eq!(desk.orders().len(), 1);
        assert_eq!(desk.engine.view().state, TradingState::Killed);
        // What EXTERNAL has later stays, whatever is sold by hand.
        assert!(desk.engine.view().positions.is_empty());
    }
}

#[test]
fn an_adoption_that_cannot_be_is_refused_in_words() {
    type Case = (fn(&mut Adoption), &'static str);
    let cases: [Case; 9] = [
        (
            |of| of.quantity = Quantity(4 * ONE),
            "EXTERNAL has 3.5 of it, which is less than 4",
        ),
        (
            |of| of.from = AdoptedFrom::Unallocated,
            "UNALLOCATED has 0 of it",
        ),
        (|of| of.quantity = Quantity(0), "above zero"),
        (|of| of.cost = Price(0), "the cost must be above zero"),
        (
            |of| of.stop = Some(Price(10_000)),
            "below the bid, which is 100",
        ),
        (|of| of.stop = Some(Price(0)), "the stop must be above zero"),
        (|of| of.instrument = PERPETUAL, "does not trade"),
        (
            |of| of.instrument = tradewind_model::InstrumentId(9),
            "does not trade",
        ),
        (|of| of.bot = BotId(9), "no bot 9"),
    ];
    for (change, word) in cases {
        let (mut desk, _) = started();
        let mut adoption = adoption();
        change(&mut adoption);
        match desk.command(Action::Adopt(adoption)) {
            CommandResult::Refused(why) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
        assert_eq!(has(&desk, BTC, OwnerId::External), "3.5");
        assert!(desk.orders().is_empty());
    }
}

/// All that is given is somewhere: the sum over owners stays what the venue has.
#[test]
fn an_adoption_changes_no_total() {
    let (mut desk, _) = started();
    desk.command(Action::Adopt(adoption()));
    desk.command(Action::Adopt(Adoption {
        quantity: Quantity(ONE),
        cost: Price(12_000),
        ..adoption()
    }));
    let view = desk.engine.view();
    let total = |asset| -> Amount {
        let of = view.balances.iter().filter(|held| held.asset == asset);
        of.map(|held| held.amount).sum()
    };
    assert_eq!(total(USDT), Amount::whole(50_000));
    assert_eq!(total(BTC).to_string(), "3.5");
    assert_eq!(view.positions[0].cost, Amount::whole(300));
}

/// A desk whose bot sells 5 % below and 10 % above its entry, and that counts losses every second.
fn with_a_plan() -> (Desk, Script) {
    let (mut configuration, script) = with_capital(None, 1);
    configuration.bots[0].exit = ExitPlan {
        stop: Stop::Distance(Ppm(50_000)),
        take_profit: Some(Ppm(100_000)),
        ..ExitPlan::default()
    };
    configuration.venue_stop_distance = None;
    configuration.limits.loss_check_every = Some(Duration::from_secs(1));
    configuration.limits.daily_loss_reduce = Some(Ppm(100));
    configuration.limits.drawdown_max = Some(Ppm(100));
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    read(&mut desk);
    desk.quote(10_000, 10_001);
    (desk, script)
}

/// What the plan would sell with the next quote is refused, and nothing is sold because of a cost.
#[test]
fn what_the_exit_plan_would_close_at_once_is_refused() {
    for (cost, word) in [
        (12_000, "its stop is 114, the bid is 100"),
        (9_000, "its take profit is 99, the bid is 100"),
    ] {
        let (mut desk, _) = with_a_plan();
        let cost = Price(cost);
        let stop = None;
        match desk.command(Action::Adopt(Adoption {
            cost,
            stop,
            ..adoption()
        })) {
            CommandResult::Refused(why) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
        assert_eq!(has(&desk, BTC, OwnerId::External), "3.5");
    }
    let (mut desk, _) = with_a_plan();
    let accepted = desk.command(Action::Adopt(Adoption {
        cost: Price(12_000),
        ..adoption()
    }));
    assert_eq!(accepted, CommandResult::Accepted(None), "with a stop below");
    let exit = desk.engine.view().positions[0].exit;
    assert_eq!(
        (exit.stop, exit.take_profit),
        (Some(Price(9_500)), Some(Price(13_200)))
    );
    let orders = desk.orders().len();
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders, "nothing is sold");
    // Without a price nothing can be measured.
    let (configuration, script) = with_capital(None, 1);
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    read(&mut desk);
    let stop = None;
    match desk.command(Action::Adopt(Adoption { stop, ..adoption() })) {
        CommandResult::Refused(why) => assert!(why.contains("no quote"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// The plan is the bot's own, not what an earlier position left; a position that is there keeps its plan.
#[test]
fn what_is_given_has_the_plan_of_its_bot() {
    let (mut desk, script) = with_a_plan();
    let own = ExitPlan {
        stop: Stop::Distance(Ppm(20_000)),
        ..ExitPlan::default()
    };
    script.say(BOT, Answer::guarded(1_000_000, None, Some(own)));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.fill(&entry, 10_000);
    let levels = |desk: &Desk| {
        let exit = desk.engine.view().positions[0].exit;
        (exit.stop, exit.take_profit)
    };
    assert_eq!(levels(&desk), (Some(Price(9_800)), None));
    let given = |cost| {
        Action::Adopt(Adoption {
            quantity: Quantity(entry.quantity.0),
            cost: Price(cost),
            stop: None,
            ..adoption()
        })
    };
    assert_eq!(desk.command(given(10_000)), CommandResult::Accepted(None));
    assert_eq!(
        levels(&desk),
        (Some(Price(9_800)), None),
        "it keeps its plan"
    );
    script.say(BOT, Answer::target(0));
    desk.advance(Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    while desk.held_by_bots(SPOT) > 0 {
        let exit = desk.last_order();
        assert!(exit.kind == OrderKind::Market || exit.kind.limit().is_some());
        desk.fill(&exit, 10_000);
        desk.advance(Duration::from_secs(2));
    }
    assert_eq!(desk.command(given(10_000)), CommandResult::Accepted(None));
    assert_eq!(levels(&desk), (Some(Price(9_500)), Some(Price(11_000))));
}

/// R22, R23: what a position is worth beyond the cost that a person named is neither won nor lost today.
#[test]
fn what_is_given_is_no_profit_and_no_loss_of_the_day() {
    let (mut desk, _) = with_a_plan();
    desk.advance(Duration::from_secs(3));
    // 40 below its cost, which is more than a ten-thousandth of 50,000.
    let accepted = desk.command(Action::Adopt(Adoption {
        cost: Price(12_000),
        ..adoption()
    }));
    assert_eq!(accepted, CommandResult::Accepted(None));
    let lost = |desk: &mut Desk, bid: i64| {
        for _ in 0..4 {
            desk.quote(bid, bid + 1);
            desk.advance(Duration::from_secs(1));
        }
        let causes = desk.engine.view().causes.into_iter();
        let causes = causes.map(|cause| cause.reason);
        let losses = [CauseKind::DailyLoss, CauseKind::Drawdown];
        causes.filter(|reason| losses.contains(reason)).count()
    };
    assert_eq!(lost(&mut desk, 10_000), 0);
    assert_eq!(lost(&mut desk, 9_600), 2, "8 of 50,200 since it was given");
}

/// The capital counts what the desk holds at its cost, not its cash alone.
#[test]
fn a_capital_counts_what_positions_cost() {
    let (mut configuration, script) = with_capital(None, 1);
    configuration.venue_stop_distance = None;
    let mut desk = Desk::unreconciled(configuration.clone(), script.strategies());
    read(&mut desk);
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.fill(&entry, 10_000);
    let cost = desk.engine.view().positions[0].cost;
    assert!(cost > Amount::ZERO);
    configuration.accounts[0].capital = Some(Amount::whole(15_000));
    let mut next = desk.restarted(configuration, script.strategies());
    next.read_account();
    let cash: Amount = {
        let view = next.engine.view();
        let balances = view.balances.iter();
        let desks = balances.filter(|held| held.asset == USDT && held.owner != OwnerId::External);
        desks.map(|held| held.amount).sum()
    };
    assert_eq!(cash + cost, Amount::whole(15_000));
}

fn equity(desk: &Desk) -> Amount {
    desk.engine.view().accounts[0].equity.equity
}

/// What the desk may use, and the base of every ratio.
#[test]
fn a_capital_is_all_that_the_desk_may_use_of_an_account() {
    let (mut configuration, script) = with_capital(Some(10_000), 2);
    // A unit at 100.01 is more than 0.9 % of 10,000 and less than 0.9 % of what the account holds.
    configuration.limits.order_equity_max = Some(Ppm(9_000));
    let mut desk = Desk::unreconciled(configuration.clone(), script.strategies());
    read(&mut desk);
    assert_eq!(equity(&desk), Amount::whole(10_000));
    assert_eq!(has(&desk, USDT, OwnerId::External), "40000");
    assert_eq!(has(&desk, BTC, OwnerId::External), "3.5");
    let states: Vec<_> = desk
        .engine
        .view()
        .bots
        .iter()
        .map(|bot| bot.state)
        .collect();
    assert_eq!(
        states,
        [BotState::Running, BotState::Stopped],
        "one budget is covered"
    );
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert!(desk.orders().is_empty(), "R08 measures by the capital");
    let denied = desk.last(tradewind_events::EventType::RiskDecisionRejected);
    let tradewind_events::EventKind::RiskDecisionRejected { reason, .. } = denied else {
        panic!("{denied:?}");
    };
    assert!(matches!(reason, DenyReason::OrderValue { limit, .. } if limit == Amount::whole(90)));
    // More or less of it by the next start.
    for (capital, external) in [(20_000, "30000"), (15_000, "35000")] {
        configuration.accounts[0].capital = Some(Amount::whole(capital));
        // A budget that is given is not taken back.
        configuration.bots.truncate(1);
        let mut next = desk.restarted(configuration.clone(), script.strategies());
        read(&mut next);
        assert_eq!(equity(&next), Amount::whole(capital));
        assert_eq!(has(&next, USDT, OwnerId::External), external);
        desk = next;
    }
}
