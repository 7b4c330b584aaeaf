//! Exit plans: stop, take profit, trailing stop, time. Watched on the price a position can be closed at.

use std::time::Duration;

use tradewind_events::{
    Action, BalanceView, Configuration, EventKind, EventType, Input, Output, StreamBalance,
    StreamChange,
};
use tradewind_model::{
    Amount, Depth, ExitPlan, Instrument, InstrumentId, Level, Money, OrderKind, OrderTerms,
    OwnerId, Ppm, Price, Quantity, RejectReason, ReportKind, Side, Stop, TimeInForce,
};
use tradewind_risk::PositionEffect;
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, bot, configuration, quote};

use crate::{BOT, buy, desk};

/// A desk whose bot has bought one unit at 100.01 under this plan.
fn long(plan: ExitPlan) -> (Desk, Script) {
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit = plan;
    let mut desk = desk(vec![guarded], &script);
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    (desk, script)
}

fn plan(change: impl FnOnce(&mut ExitPlan)) -> ExitPlan {
    let mut plan = ExitPlan::default();
    change(&mut plan);
    plan
}

/// The reason of the last signal, if an exit at market followed it.
fn left(desk: &Desk) -> Option<String> {
    let sold = desk.orders().len() > 1;
    let EventKind::SignalGenerated { reason, .. } = desk.last(EventType::SignalGenerated) else {
        return None;
    };
    let EventKind::OrderPlaced { terms, purpose, .. } = desk.last(EventType::OrderPlaced) else {
        return None;
    };
    let is_exit =
        (terms.side, purpose, terms.kind) == (Side::Sell, PositionEffect::Exit, OrderKind::Market);
    (sold && is_exit).then(|| reason.to_string())
}

#[test]
fn a_stop_sells_when_the_bid_reaches_it_and_not_before() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    assert_eq!(
        desk.engine.view().positions[0].exit.stop,
        Some(Price(9_901))
    );
    desk.quote(9_902, 9_903);
    assert_eq!(left(&desk), None);
    desk.quote(9_901, 9_902);
    assert_eq!(left(&desk).as_deref(), Some("stop: 99.01 reached 99.01"));
}

#[test]
fn a_take_profit_sells_when_the_bid_reaches_it() {
    let (mut desk, _) = long(plan(|plan| plan.take_profit = Some(Ppm(20_000))));
    desk.quote(10_200, 10_202);
    assert_eq!(left(&desk), None, "the ask does not count");
    desk.quote(10_201, 10_202);
    assert_eq!(
        left(&desk).as_deref(),
        Some("take profit: 102.01 reached 102.01")
    );
}

#[test]
fn a_target_of_the_exposure_that_is_held_replaces_the_exit_plan() {
    let (mut desk, script) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    let moved = plan(|plan| plan.stop = Stop::At(Price(9_950)));
    script.say(BOT, Answer::guarded(1_000_000, None, Some(moved)));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1, "nothing is traded for it");
    assert_eq!(
        desk.engine.view().positions[0].exit.stop,
        Some(Price(9_950))
    );
    desk.quote(9_951, 9_952);
    assert_eq!(left(&desk), None);
    desk.quote(9_950, 9_951);
    assert_eq!(left(&desk).as_deref(), Some("stop: 99.5 reached 99.5"));
}

#[test]
fn a_target_without_a_plan_keeps_the_exit_plan() {
    let (mut desk, script) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(
        desk.engine.view().positions[0].exit.stop,
        Some(Price(9_901))
    );
}

#[test]
fn a_trailing_stop_follows_the_best_price() {
    let (mut desk, _) = long(plan(|plan| plan.trailing = Some(Ppm(10_000))));
    desk.quote(11_000, 11_001);
    assert_eq!(
        desk.engine.view().positions[0].exit.trailing,
        Some(Price(10_890))
    );
    desk.quote(10_900, 10_901);
    assert_eq!(left(&desk), None);
    desk.quote(10_890, 10_891);
    assert_eq!(
        left(&desk).as_deref(),
        Some("trailing stop: 108.9 reached 108.9")
    );
}

#[test]
fn a_position_is_closed_at_its_age_even_if_the_market_is_silent() {
    let (mut desk, _) = long(plan(|plan| plan.time = Some(Duration::from_secs(60))));
    desk.quote(10_000, 10_001);
    desk.advance(Duration::from_secs(56));
    assert_eq!(left(&desk), None);
    desk.advance(Duration::from_secs(4));
    assert!(left(&desk).is_some_and(|reason| reason.starts_with("time: closed at")));
}

#[test]
fn with_age_a_smaller_profit_is_enough() {
    let (mut desk, _) = long(plan(|plan| {
        plan.profit_by_age = vec![
            (Duration::ZERO, Ppm(50_000)),
            (Duration::from_secs(60), Ppm(1_000)),
        ];
    }));
    desk.quote(10_100, 10_101);
    assert_eq!(left(&desk), None);
    desk.advance(Duration::from_secs(60));
    assert!(left(&desk).is_some_and(|reason| reason.starts_with("profit by age")));
}

#[test]
fn one_exit_is_at_work_at_a_time_and_a_failed_one_is_tried_again_later() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    desk.quote(9_900, 9_901);
    desk.quote(9_890, 9_891);
    assert_eq!(desk.orders().len(), 2, "the buy and one exit");
    let exit = desk.last_order();
    let reason = RejectReason {
        code: -2010,
        text: "no".to_owned(),
    };
    desk.report(&exit, ReportKind::Rejected(reason), Some(0));
    desk.quote(9_890, 9_891);
    assert_eq!(desk.orders().len(), 2);
    desk.advance(Duration::from_secs(1));
    desk.quote(9_890, 9_891);
    assert_eq!(desk.orders().len(), 3);
    let exit = desk.last_order();
    desk.fill(&exit, 9_890);
    assert_eq!(desk.held(SPOT), 0);
    desk.advance(Duration::from_secs(5));
    desk.quote(9_000, 9_001);
    assert_eq!(desk.orders().len(), 3, "a stop dies with its position");
}

/// Refuses the exit at work as the venue does.
fn refuse(desk: &mut Desk, exit: &OrderTerms) {
    let reason = RejectReason {
        code: -2010,
        text: "insufficient balance".to_owned(),
    };
    desk.report(exit, ReportKind::Rejected(reason), Some(0));
}

/// V13: a refusal is final. The next try comes ever later, and the status has the cause.
#[test]
fn an_exit_that_the_venue_refuses_is_tried_ever_later_and_says_why() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    let (mut tried, mut second) = (Vec::new(), 0);
    desk.log.clear();
    while tried.len() < 6 {
        desk.quote(9_890, 9_891);
        let sent = desk.orders().len();
        if sent > tried.len() {
            tried.push(second);
            let exit = desk.last_order();
            refuse(&mut desk, &exit);
        }
        desk.advance(Duration::from_secs(1));
        second += 1;
    }
    assert_eq!(tried, [0, 1, 3, 7, 15, 31]);
    let blocked = desk.engine.view().blocked_exits;
    let said: Vec<_> = blocked.iter().map(|exit| exit.reason.as_str()).collect();
    assert_eq!(said, ["the venue: insufficient balance (-2010)"]);
    let swept = desk.log.iter();
    let swept = swept.filter(|output| matches!(output, Output::Sweep(ACCOUNT)));
    assert_eq!(swept.count(), 6, "the account is read after each");
}

/// V13: what the account does not have is not offered again.
#[test]
fn an_exit_after_a_refusal_is_no_larger_than_what_the_venue_says_is_there() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    let reported = |desk: &mut Desk, free: &str| {
        let balance = StreamBalance {
            asset: BTC,
            free: free.parse().unwrap(),
            locked: Amount::ZERO,
        };
        let change = Box::new(StreamChange::Balances {
            balances: vec![balance],
            at: desk.now,
        });
        let account = ACCOUNT;
        desk.input(&Input::AccountStream { account, change });
    };
    let held = desk.held(SPOT);
    reported(&mut desk, "0.5");
    desk.quote(9_890, 9_891);
    let exit = desk.last_order();
    assert_eq!(exit.quantity.0, held, "by the books");
    refuse(&mut desk, &exit);
    desk.advance(Duration::from_secs(1));
    desk.quote(9_890, 9_891);
    let exit = desk.last_order();
    assert_eq!(exit.quantity, Quantity(50_000));
    desk.fill(&exit, 9_890);
    assert_eq!(desk.held(SPOT), held - 50_000);
}

/// V11: a fee in what a bot holds, for a trade in something else. The books say that the bot has less of it, and it sells no more.
#[test]
fn a_fee_in_a_third_asset_is_taken_from_those_who_hold_it() {
    let other = InstrumentId(2);
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit = plan(|plan| plan.stop = Stop::Distance(Ppm(10_000)));
    let mut configuration = Configuration {
        bots: vec![guarded],
        ..configuration()
    };
    let eth = configuration.assets.intern("ETH");
    configuration.instruments.push(Instrument {
        id: other,
        name: "simx:ETH/USDT".to_owned(),
        base: eth,
        ..configuration.instruments[0].clone()
    });
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(Duration::from_secs(2));
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    let owned = |desk: &Desk, owner: OwnerId| -> Amount {
        let balances = desk.engine.view().balances.into_iter();
        let of = |balance: &BalanceView| (balance.asset, balance.owner) == (BTC, owner);
        balances.filter(of).map(|balance| balance.amount).sum()
    };
    let bot = OwnerId::Bot(BOT);
    let (held, fee) = (owned(&desk, bot), "0.25".parse::<Amount>().unwrap());

    desk.input(&Input::Quote(quote(other, 10_000, 10_001, desk.now)));
    desk.command(Action::PlaceOrder {
        account: ACCOUNT,
        instrument: other,
        side: Side::Buy,
        quantity: Quantity(100_000),
        kind: OrderKind::Market,
    });
    let order = desk.last_order();
    assert_eq!(order.instrument, other);
    let mut fill = desk.fill_of(&order, order.quantity.0, 10_001);
    fill.fee = Money {
        asset: BTC,
        amount: fee,
    };
    desk.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    assert_eq!(owned(&desk, bot), held - fee);
    assert_eq!(owned(&desk, OwnerId::Fees), Amount::ZERO);
    assert!(desk.engine.view().causes.is_empty(), "it is explained");

    desk.quote(9_890, 9_891);
    let exit = desk.last_order();
    let sold = desk
        .engine
        .configuration()
        .instrument(SPOT)
        .quantity_amount(exit.quantity);
    assert_eq!((exit.instrument, sold), (SPOT, held - fee));
    desk.fill(&exit, 9_890);
    assert_eq!(desk.held(SPOT), 0, "the position is the bot's holding");
}

/// R07: what is more than the venue takes at once is closed in parts, each after the other.
#[test]
fn an_exit_above_the_venues_maximum_goes_in_parts() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    let held = desk.held(SPOT);
    let mut stricter = desk.engine.configuration().clone();
    stricter.instruments[0].quantity_max = Quantity(held * 2 / 5);
    desk.input(&Input::Configured(Box::new(stricter)));
    desk.log.clear();
    desk.quote(9_890, 9_891);
    let mut sold = Vec::new();
    while desk.orders().len() > sold.len() {
        let exit = desk.last_order();
        sold.push(exit.quantity.0);
        desk.fill(&exit, 9_890);
    }
    let part = held * 2 / 5;
    assert_eq!(sold, [part, part, held - 2 * part]);
    assert_eq!(desk.held(SPOT), 0);
    assert_eq!(desk.count(EventType::RiskDecisionRejected), 0);
}

#[test]
fn while_the_desk_is_killed_a_stop_is_not_tried_on_every_quote() {
    let (mut desk, _) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    desk.command(Action::Kill {
        reason: "test".to_owned(),
        flatten: false,
        include_external: false,
    });
    for _ in 0..600 {
        desk.advance(Duration::from_secs(1));
        desk.quote(9_800, 9_801);
    }
    assert_eq!(desk.orders().len(), 1);
    let denied = desk.count(EventType::RiskDecisionRejected);
    assert!((5..20).contains(&denied), "{denied}");
    desk.read_account();
    desk.read_account();
    desk.command(Action::Reset {
        reason: "test".to_owned(),
    });
    desk.advance(Duration::from_secs(60));
    desk.quote(9_800, 9_801);
    assert_eq!(desk.orders().len(), 2, "lifted, it sells");
}

/// The top of the book: what is bid at each of these prices.
fn bids(desk: &mut Desk, levels: &[(i64, i64)]) {
    let level = |&(price, quantity): &(i64, i64)| Level {
        price: Price(price),
        quantity: Quantity(quantity),
    };
    desk.input(&Input::Depth(Box::new(Depth {
        instrument: SPOT,
        bids: levels.iter().map(level).collect(),
        asks: Vec::new(),
        received_at: desk.now,
    })));
}

/// R10, D06: where the book is thin an exit has a price, which is wider with each try, up to a bound.
#[test]
fn an_exit_that_would_slip_too_far_is_bounded_and_widened_step_by_step() {
    let (mut desk, script) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    bids(&mut desk, &[(10_000, 10_000), (9_000, 1_000_000)]);
    script.say(crate::BOT, tradewind_testkit::Answer::target(0));
    desk.quote(10_000, 10_001);
    let mut prices = Vec::new();
    for _ in 0..6 {
        let exit = desk.last_order();
        let OrderKind::Limit {
            price,
            time_in_force: TimeInForce::ImmediateOrCancel,
        } = exit.kind
        else {
            panic!("{exit:?}");
        };
        prices.push(price.0);
        desk.report(&exit, ReportKind::Expired, Some(0));
        desk.advance(Duration::from_secs(2));
    }
    // 0.5, 1, 2 and 4 % below the mid of 100.005, and 5 % from then on.
    assert_eq!(prices, [9_950, 9_900, 9_800, 9_600, 9_500, 9_500]);
    // Once the book shows enough, it goes at market.
    bids(&mut desk, &[(10_000, 1_000_000)]);
    let last = desk.last_order();
    desk.report(&last, ReportKind::Expired, Some(0));
    desk.advance(Duration::from_secs(2));
    assert_eq!(desk.last_order().kind, OrderKind::Market);
}

#[test]
fn a_bounded_exit_that_fills_in_part_leaves_the_rest_to_the_next() {
    let (mut desk, script) = long(plan(|plan| plan.stop = Stop::Distance(Ppm(10_000))));
    bids(&mut desk, &[(10_000, 10_000), (9_000, 1_000_000)]);
    script.say(crate::BOT, tradewind_testkit::Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    desk.report(&exit, ReportKind::Accepted, Some(0));
    let fill = desk.fill_of(&exit, 10_000, 10_000);
    desk.report(&exit, ReportKind::Filled(fill), Some(10_000));
    desk.report(&exit, ReportKind::Expired, Some(10_000));
    desk.advance(Duration::from_secs(2));
    let next = desk.last_order();
    assert_eq!(next.quantity.0, 90_000);
    assert!(
        matches!(
            next.kind,
            OrderKind::Limit {
                price: Price(9_900),
                ..
            }
        ),
        "{next:?}"
    );
}
