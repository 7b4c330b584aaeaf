//! What a run of the desk leaves to the next one: orders on their way, late reports, decisions of people.

use std::time::Duration;

use tradewind_events::{
    AccountState, Action, BotState, CandleHistory, Command, Configuration, DeskView, Evaluation,
    EvaluationOutcome, EventType, Input, Lane, OnRestart, Output, Principal, StopMode,
    StorageHealth,
};
use tradewind_model::{
    Amount, AssetId, BotId, CarriedOut, ClientOrderIds, Decision, ExitPlan, Fill, Interval,
    LimitPolicy, OnTimeout, OrderKind, OrderPolicy, OrderStatus, OrderTerms, OwnerId, Ppm,
    Quantity, Reason, RejectReason, ReportKind, Side, Target,
};
use tradewind_risk::{CauseKind, TradingState};
use tradewind_strategy::WarmUp;
use tradewind_testkit::{
    ACCOUNT, Answer, BTC, Desk, SPOT, START, Script, USDT, bot, candle, configuration,
};

use crate::{BOT, desk, one_bot, only_candles_led_to_signals};

fn bots() -> Configuration {
    Configuration {
        bots: vec![bot(0)],
        ..configuration()
    }
}

/// The next start of a desk, before its account is read.
fn next_start() -> Desk {
    Desk::unreconciled(bots(), Script::default().strategies())
}

/// An order of the run before, which its bot bought 1 unit with, and that fill.
fn bought() -> (OrderTerms, Fill) {
    let (mut earlier, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    earlier.quote(10_000, 10_001);
    let terms = earlier.last_order();
    let fill = earlier.fill_of(&terms, terms.quantity.0, 10_001);
    (terms, fill)
}

fn reading(usdt: i64, btc: i64, fills: Vec<Fill>) -> Input {
    Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(usdt)), (BTC, Amount::whole(btc))],
        open_orders: Vec::new(),
        fills: fills.into_iter().map(|fill| (fill, Some(BOT))).collect(),
    }))
}

fn owners(desk: &Desk) -> Vec<(OwnerId, i64)> {
    let view = desk.engine.view();
    let positions = view.positions.iter();
    positions
        .map(|position| (position.owner, position.quantity.0))
        .collect()
}

/// Kind 2, I02: the same execution from two channels, its stamps 1 ms apart.
#[test]
fn an_early_fill_is_booked_once_though_its_stamps_differ() {
    let mut desk = next_start();
    let (terms, fill) = bought();
    desk.report(&terms, ReportKind::Filled(fill), Some(fill.quantity.0));
    let listed = Fill {
        event_time: fill.event_time + Duration::from_millis(1),
        ..fill
    };
    desk.input(&reading(99_900, 1, vec![listed]));
    assert_eq!(desk.held(SPOT), 100_000);
    assert_eq!(total(&desk, BTC), Amount::whole(1));
}

/// Kind 2, I22: a fill that is reported between reading and adoption.
#[test]
fn an_early_fill_belongs_to_the_bot_that_ordered_it() {
    let (mut desk, terms) = in_flight();
    let fill = desk.fill_of(&terms, terms.quantity.0, 10_001);
    desk.report(&terms, ReportKind::Filled(fill), Some(fill.quantity.0));
    desk.input(&reading(100_000, 0, Vec::new()));
    assert_eq!(owners(&desk), [(OwnerId::Bot(BOT), 100_000)]);
    assert_eq!(total(&desk, BTC), Amount::whole(1));
    desk.input(&Input::Account(Box::new(after(&fill))));
    assert_eq!(owners(&desk), [(OwnerId::Bot(BOT), 100_000)]);
}

/// Kind 2: a trade list that lags the balances.
#[test]
fn a_holding_that_no_trade_explains_yet_is_waited_for() {
    let (mut desk, terms) = in_flight();
    let fill = desk.fill_of(&terms, terms.quantity.0, 10_001);
    let lagging = AccountState {
        fills: Vec::new(),
        ..after(&fill)
    };
    desk.input(&Input::Account(Box::new(lagging)));
    let view = desk.engine.view();
    assert_eq!(halted(&view), [TradingState::Halted]);
    assert_eq!(owners(&desk), []);
    desk.log.clear();
    desk.advance(Duration::from_secs(1));
    assert!(
        desk.log.contains(&Output::Reconcile(ACCOUNT)),
        "it is read again"
    );
    desk.input(&Input::Account(Box::new(after(&fill))));
    assert_eq!(owners(&desk), [(OwnerId::Bot(BOT), 100_000)]);
    assert!(desk.engine.view().causes.is_empty());
}

/// I16, P08: an order without an outcome is unknown, keeps its reservation and is queried.
#[test]
fn an_order_on_its_way_at_the_crash_is_unknown_and_queried() {
    let (desk, terms) = in_flight();
    let view = desk.engine.view();
    assert_eq!(view.orders.len(), 1);
    assert_eq!(view.orders[0].terms, terms);
    assert_eq!(view.orders[0].status, OrderStatus::Unknown);
    assert_eq!(desk.queries(), [terms.client_id]);
    assert_eq!(desk.count(EventType::OrderUnknown), 1);
}

/// Kind 8, V02: the venue takes an order late that nobody waits for.
#[test]
fn an_order_of_ours_that_is_accepted_late_is_cancelled() {
    let (mut desk, _script) = one_bot();
    let (terms, _) = bought();
    let before = OrderTerms {
        client_id: ClientOrderIds::new(terms.client_id.instance(), 0).next_id(),
        ..terms
    };
    desk.report(&before, ReportKind::Accepted, Some(0));
    assert_eq!(desk.cancels(), [before.client_id]);
}

/// Kind 8, V02: the venue's "no such order" was wrong.
#[test]
fn an_order_believed_absent_that_shows_up_is_cancelled_and_queried() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let absent = RejectReason {
        code: -2013,
        text: "the venue has no such order".to_owned(),
    };
    desk.report(&order, ReportKind::Unknown, None);
    desk.report(&order, ReportKind::Rejected(absent), None);
    desk.log.clear();
    desk.report(&order, ReportKind::Accepted, Some(0));
    assert_eq!(desk.cancels(), [order.client_id]);
    assert_eq!(desk.queries(), [order.client_id]);
}

/// Kind 2: an order that the venue does not list any more.
#[test]
fn an_order_that_a_second_reading_does_not_list_is_queried() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.log.clear();
    desk.input(&reading(100_000, 0, Vec::new()));
    assert_eq!(desk.queries(), [order.client_id]);
}

/// Kind 12: what people decided.
#[test]
fn what_people_decided_outlives_a_restart() {
    let script = Script::default();
    let three = || Configuration {
        bots: vec![bot(0), bot(1), bot(2)],
        ..configuration()
    };
    let mut first = desk(three().bots, &script);
    let stop = Action::StopBot {
        bot: BOT,
        mode: StopMode::Keep,
    };
    first.command(stop);
    first.command(Action::PauseBot(BotId(1)));
    first.command(Action::Kill {
        reason: "enough".to_owned(),
        flatten: false,
        include_external: false,
    });
    let mut second = first.restarted(three(), script.strategies());
    second.account(&[(USDT, Amount::whole(100_000))]);
    second.advance(Duration::from_secs(10));
    let states: Vec<BotState> = second
        .engine
        .view()
        .bots
        .iter()
        .map(|bot| bot.state)
        .collect();
    assert_eq!(
        states,
        [BotState::Stopped, BotState::Paused, BotState::Running]
    );
    assert_eq!(second.engine.view().state, TradingState::Killed);
    let again = Command {
        id: 1,
        principal: Principal::Local,
        issued_at: second.now,
        expires_at: None,
        action: Action::StartBot(BOT),
    };
    second.input(&Input::Command(Box::new(again)));
    assert_eq!(
        second.engine.view().bots[0].state,
        BotState::Stopped,
        "id 1 was carried out"
    );
}

/// Kind 12: exit plans and their peaks.
#[test]
fn a_trailing_stop_keeps_its_peak_over_a_restart() {
    let trailing = ExitPlan {
        trailing: Some(Ppm(10_000)),
        ..ExitPlan::default()
    };
    let mut guarded = bot(0);
    guarded.exit = trailing;
    let one = || Configuration {
        bots: vec![guarded.clone()],
        ..configuration()
    };
    let script = Script::default();
    let mut first = desk(one().bots, &script);
    script.say(BOT, Answer::target(1_000_000));
    first.quote(10_000, 10_001);
    let order = first.last_order();
    let fill = first.fill_of(&order, order.quantity.0, 10_001);
    first.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    first.quote(11_000, 11_001);
    let mut second = first.restarted(one(), script.strategies());
    second.input(&Input::Account(Box::new(after(&fill))));
    second.log.clear();
    second.quote(10_895, 10_896);
    assert_eq!(second.orders(), [], "1 % below the peak is 10,890");
    second.quote(10_890, 10_891);
    assert_eq!(second.orders().len(), 1);
}

/// I01: ids of another start are never used again.
#[test]
fn ids_are_never_used_again() {
    let (mut desk, terms) = in_flight();
    desk.input(&reading(100_000, 0, Vec::new()));
    let place = Action::PlaceOrder {
        account: ACCOUNT,
        instrument: SPOT,
        side: Side::Buy,
        quantity: Quantity(100_000),
        kind: OrderKind::Market,
    };
    desk.quote(10_000, 10_001);
    desk.command(place);
    assert!(desk.last_order().client_id > terms.client_id);
}

/// A desk that crashed after its bot ordered 1 unit, started again. Nothing is known of the order's fate.
fn in_flight() -> (Desk, OrderTerms) {
    let (mut earlier, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    earlier.quote(10_000, 10_001);
    let terms = earlier.last_order();
    let desk = earlier.restarted(bots(), Script::default().strategies());
    (desk, terms)
}

/// The account after 1 unit was bought.
fn after(fill: &Fill) -> AccountState {
    AccountState {
        account: ACCOUNT,
        balances: vec![
            (USDT, "99899.99".parse().expect("a number")),
            (BTC, Amount::whole(1)),
        ],
        open_orders: Vec::new(),
        fills: vec![(*fill, None)],
    }
}

fn total(desk: &Desk, asset: AssetId) -> Amount {
    let view = desk.engine.view();
    let held = view.balances.iter().filter(|held| held.asset == asset);
    held.map(|held| held.amount).sum()
}

fn halted(view: &DeskView) -> Vec<TradingState> {
    view.causes.iter().map(|cause| cause.state).collect()
}

/// A desk whose bot bought 1 unit on quotes, which crashed and was down for `minutes`. Its history holds a candle for each of
/// them, on which the script answers.
fn returns_after(minutes: i64, script: &Script) -> Desk {
    returned(minutes, script, Lane::Inline)
}

/// The same, with the strategy in a lane of the second run.
fn returned(minutes: i64, script: &Script, lane: Lane) -> Desk {
    let mut first = desk(vec![bot(0)], script);
    history(&mut first, 0);
    script.say(BOT, Answer::target(1_000_000));
    first.quote(10_000, 10_001);
    let order = first.last_order();
    let fill = first.fill_of(&order, order.quantity.0, 10_001);
    first.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    let mut configured = bots();
    configured.bots[0].lane = lane;
    let mut second = first.restarted(configured, script.strategies());
    second.now = START + Duration::from_secs(60 * minutes.unsigned_abs() + 5);
    second.input(&Input::Account(Box::new(after(&fill))));
    second.quote(10_000, 10_001);
    second.advance(Duration::ZERO);
    second.log.clear();
    second
}

/// A script for strategies that are fed with minute candles and answer on each.
fn closes() -> Script {
    let warm_up = WarmUp {
        interval: Interval::Minute1,
        candles: 1,
    };
    Script::with_candles(vec![warm_up]).answering_history()
}

fn history(desk: &mut Desk, minutes: i64) {
    let history = CandleHistory {
        instrument: SPOT,
        interval: Interval::Minute1,
        candles: (0..minutes).map(|place| candle(place, 10_000)).collect(),
    };
    desk.input(&Input::Candles(Box::new(history)));
}

fn exits_and_entries(desk: &Desk) -> Vec<Side> {
    desk.orders().iter().map(|order| order.side).collect()
}

/// A close that was missed: an exit is made at once, however old.
#[test]
fn a_missed_exit_is_made_at_once() {
    let script = closes();
    let mut desk = returns_after(10, &script);
    script.say(BOT, Answer::target(0));
    let before = script.carried_out(BOT).len();
    history(&mut desk, 10);
    assert_eq!(exits_and_entries(&desk), [Side::Sell]);
    only_candles_led_to_signals(&desk);
    let carried_out = script.carried_out(BOT).split_off(before);
    let (last, missed) = carried_out.split_last().unwrap();
    assert_eq!(*last, CarriedOut::All, "5 s old");
    assert!(
        missed.iter().all(|it| *it == CarriedOut::Exits),
        "{missed:?}"
    );
}

/// A strategy of another lane is fed the closes that were missed and decides on the newest, which it leaves on however old.
#[test]
fn a_strategy_of_another_lane_leaves_on_the_newest_missed_close() {
    for (exposure, orders) in [(0, vec![Side::Sell]), (500_000, Vec::new())] {
        let script = closes();
        let mut second = returned(10, &script, Lane::Thread);
        second.log.clear();
        history(&mut second, 8);
        let requests = second.log.iter().filter_map(|output| match output {
            Output::Evaluate(request) => Some((**request).clone()),
            _ => None,
        });
        let requests: Vec<_> = requests.collect();
        let (last, fed) = requests.split_last().unwrap();
        assert!(
            fed.len() > 4 && fed.iter().all(|one| !one.decide),
            "{fed:?}"
        );
        assert_eq!((last.decide, last.carried_out), (true, CarriedOut::Exits));
        second.input(&Input::Evaluation(Box::new(Evaluation {
            bot: BOT,
            request: last.request,
            outcome: EvaluationOutcome::Decided(Some(Decision::Target(Target {
                exposure: Ppm(exposure),
                limit: None,
                exit: None,
                reason: Reason::plain("missed"),
                adds: false,
            }))),
        })));
        assert_eq!(exits_and_entries(&second), orders);
    }
}

/// A close that was missed: an entry is made only within its time to live, 15 s here.
#[test]
fn a_missed_entry_is_made_within_its_time_to_live_only() {
    let answer = |minutes_ago: i64| {
        let script = closes();
        let mut desk = returns_after(10, &script);
        // The position is closed by the first missed close; a later one enters again.
        script.say(BOT, Answer::target(0));
        let silent = 10 - minutes_ago - 2;
        for _ in 0..silent {
            script.say(
                BOT,
                Answer::Decide(Decision::Hold {
                    reason: Reason::plain("nothing"),
                }),
            );
        }
        script.say(BOT, Answer::target(1_000_000));
        history(&mut desk, 10);
        let exit = desk.last_order();
        let fill = desk.fill_of(&exit, exit.quantity.0, 10_000);
        desk.report(&exit, ReportKind::Filled(fill), Some(exit.quantity.0));
        exits_and_entries(&desk)
    };
    assert_eq!(answer(0), [Side::Sell, Side::Buy], "5 s old");
    assert_eq!(answer(1), [Side::Sell], "65 s old");
}

/// `on_restart`: resting entries stay for as long as their policy says, or are cancelled.
#[test]
fn resting_entries_are_kept_or_cancelled_by_a_restart() {
    let after_restart = |on_restart| {
        let mut patient = bot(0);
        patient.policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm(100),
            post_only: true,
            timeout: Some(Duration::from_secs(60)),
            chases: 0,
            then: OnTimeout::Cancel,
            own_price: false,
        });
        let one = || Configuration {
            bots: vec![patient.clone()],
            on_restart,
            ..configuration()
        };
        let script = Script::default();
        let mut first = Desk::started(one(), script.strategies());
        first.advance(Duration::from_secs(2));
        script.say(BOT, Answer::target(1_000_000));
        first.quote(10_000, 10_001);
        let order = first.last_order();
        first.report(&order, ReportKind::Accepted, Some(0));
        let mut second = first.restarted(one(), script.strategies());
        let at_once = second.cancels().len();
        second.advance(Duration::from_secs(60));
        (at_once, second.cancels().len())
    };
    assert_eq!(after_restart(OnRestart::Keep), (0, 1), "its time is over");
    assert_eq!(after_restart(OnRestart::Cancel), (1, 1));
}

/// S05: what was wrong with the disk of the run before is over until this run reports it again. What had refused must take writes for a
/// minute.
#[test]
fn a_cause_of_the_disk_ends_with_its_run() {
    let (mut first, script) = one_bot();
    for health in [StorageHealth::Full, StorageHealth::MarketOff] {
        first.input(&Input::Storage(health));
    }
    assert_eq!(first.engine.view().causes.len(), 2);
    let mut second = first.restarted(bots(), script.strategies());
    second.account(&[(USDT, Amount::whole(100_000))]);
    let causes = second.engine.view().causes;
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0].reason, CauseKind::DiskSettling, "for a minute");
    second.advance(Duration::from_secs(61));
    assert_eq!(second.engine.view().causes, []);
}
