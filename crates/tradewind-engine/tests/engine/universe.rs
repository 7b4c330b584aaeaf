//! Universes and budgets that are shares: what is chosen and set anew each day, and what a crash keeps of it.

use std::time::Duration;

use tradewind_events::{
    BotConfig, CandleHistory, Configuration, EventKind, EventType, Input, Output, Timer,
};
use tradewind_model::{
    Amount, Candle, Instrument, InstrumentId, Interval, Ppm, Price, Quantity, Side, Sizer,
    Timestamp, Universe,
};
use tradewind_testkit::{Answer, BTC, Desk, START, Script, USDT, bot, configuration, spot};

use crate::BOT;

const DAY: Duration = Duration::from_secs(86_400);

/// Three products of which two are members; each was listed ten days before.
fn chooser() -> BotConfig {
    BotConfig {
        instruments: ids(&[0, 1, 2]),
        positions_max: 3,
        universe: Some(Universe {
            top: 2,
            by: "volume 2d".parse().unwrap(),
            min_age: DAY * 5,
        }),
        ..bot(0)
    }
}

fn ids(ids: &[u32]) -> Vec<InstrumentId> {
    ids.iter().copied().map(InstrumentId).collect()
}

fn three_products(bots: Vec<BotConfig>) -> Configuration {
    let listed = |id: u32| Instrument {
        id: InstrumentId(id),
        name: format!("simx:P{id}/USDT"),
        base: BTC,
        ..spot()
    };
    Configuration {
        instruments: (0..3).map(listed).collect(),
        bots,
        ..configuration()
    }
}

/// The daily candle that begins so many days after the start, of which so many units were traded at 100.00.
fn day(instrument: u32, index: i64, volume: i64) -> Candle {
    let price = Price(10_000);
    Candle {
        instrument: InstrumentId(instrument),
        interval: Interval::Day1,
        complete: true,
        open_time: Timestamp::from_secs(START.as_nanos() / 1_000_000_000 + index * 86_400),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Amount::whole(volume),
    }
}

/// A desk whose bot was warmed up with ten days of each product: 0 trades most, then 1, then 2.
fn warm(script: &Script) -> Desk {
    let mut desk = Desk::started(three_products(vec![chooser()]), script.strategies());
    warm_up(&mut desk);
    desk
}

fn warm_up(desk: &mut Desk) {
    let requested: Vec<(InstrumentId, u32)> = desk
        .log
        .iter()
        .filter_map(|output| match output {
            Output::RequestCandles {
                instrument,
                interval: Interval::Day1,
                count,
            } => Some((*instrument, *count)),
            _ => None,
        })
        .collect();
    assert!(
        requested.iter().all(|(_, count)| *count >= 5),
        "{requested:?}"
    );
    assert!(requested.len() >= 3);
    for instrument in 0..3 {
        let candles = (-10..0).map(|index| day(instrument, index, 100 - i64::from(instrument)));
        desk.input(&Input::Candles(Box::new(CandleHistory {
            instrument: InstrumentId(instrument),
            interval: Interval::Day1,
            candles: candles.collect(),
        })));
    }
    for instrument in 0..3 {
        desk.quote_of(InstrumentId(instrument), 9_999, 10_001);
    }
}

fn members(desk: &Desk) -> Vec<u32> {
    let view = desk.engine.view();
    let universe = view.bots[0].universe.clone().unwrap();
    universe.members.iter().map(|one| one.0).collect()
}

/// A day closes in which the products traded so much, and its choice is made.
fn next_day(desk: &mut Desk, index: i64, volumes: [i64; 3]) {
    for (instrument, volume) in (0..).zip(volumes) {
        desk.candle(&day(instrument, index, volume));
    }
    desk.advance(Universe::AFTER);
    for instrument in 0..3 {
        desk.quote_of(InstrumentId(instrument), 9_999, 10_001);
    }
}

#[test]
fn the_members_are_chosen_when_the_past_is_there_and_each_day_after_midnight() {
    let script = Script::default();
    let mut desk = warm(&script);
    assert_eq!(members(&desk), [0, 1]);
    let changed = desk.last(EventType::UniverseChanged);
    let wanted = EventKind::UniverseChanged {
        bot: BOT,
        members: ids(&[0, 1]),
        joined: ids(&[0, 1]),
        left: Vec::new(),
    };
    assert_eq!(changed, wanted);
    assert_eq!(
        desk.timer(Timer::Universe(BOT)),
        Some(START + Universe::AFTER)
    );
    // The timer of the first day finds the same.
    desk.advance(Universe::AFTER);
    assert_eq!(desk.count(EventType::UniverseChanged), 1);
    next_day(&mut desk, 0, [0, 10, 1_000]);
    assert_eq!(members(&desk), [2, 1]);
    let wanted = EventKind::UniverseChanged {
        bot: BOT,
        members: ids(&[2, 1]),
        joined: ids(&[2]),
        left: ids(&[0]),
    };
    assert_eq!(desk.last(EventType::UniverseChanged), wanted);
    assert_eq!(
        script.candles_of(BOT).len(),
        0,
        "the strategy uses no candles"
    );
}

#[test]
fn a_leaver_is_only_left_and_a_joiner_may_be_entered() {
    let script = Script::default();
    let mut desk = warm(&script);
    script.say(BOT, Answer::target(500_000));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    let entry = desk.last_order();
    assert_eq!((entry.instrument, entry.side), (InstrumentId(0), Side::Buy));
    desk.fill(&entry, 10_001);
    script.say(BOT, Answer::target(500_000));
    desk.quote_of(InstrumentId(2), 9_999, 10_001);
    assert_eq!(desk.orders().len(), 1, "2 is no member");
    let bot = &desk.engine.view().bots[0];
    assert!(
        bot.reason.to_string().contains("not a member"),
        "{}",
        bot.reason
    );
    next_day(&mut desk, 0, [0, 10, 1_000]);
    script.say(BOT, Answer::target(900_000));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    assert_eq!(desk.orders().len(), 1, "no more of what left");
    script.say(BOT, Answer::target(250_000));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    let less = desk.last_order();
    assert_eq!((less.side, less.quantity), (Side::Sell, Quantity(25_000)));
    desk.fill(&less, 9_999);
    script.say(BOT, Answer::target(500_000));
    desk.quote_of(InstrumentId(2), 9_999, 10_001);
    let joined = desk.last_order();
    assert_eq!(
        (joined.instrument, joined.side),
        (InstrumentId(2), Side::Buy)
    );
    script.say(BOT, Answer::target(-500_000));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    assert_eq!(desk.orders().len(), 3, "a leaver is not turned either");
    // The same order within a second is refused as a duplicate.
    desk.advance(Duration::from_secs(2));
    script.say(BOT, Answer::target(0));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    let exit = desk.last_order();
    assert_eq!((exit.instrument, exit.side), (InstrumentId(0), Side::Sell));
}

#[test]
fn entries_that_rest_in_a_leaver_are_cancelled() {
    let script = Script::default();
    let mut desk = warm(&script);
    script.say(BOT, Answer::guarded(500_000, Some(9_950), None));
    desk.quote_of(InstrumentId(0), 9_999, 10_001);
    let entry = desk.last_order();
    desk.report(&entry, tradewind_model::ReportKind::Accepted, Some(0));
    next_day(&mut desk, 0, [0, 10, 1_000]);
    assert_eq!(desk.cancels(), [entry.client_id]);
}

#[test]
fn a_product_that_ended_or_is_young_is_not_chosen() {
    let script = Script::default();
    let mut desk = warm(&script);
    desk.candle(&day(1, 0, 5));
    desk.candle(&day(2, 0, 5));
    desk.advance(Universe::AFTER);
    assert_eq!(members(&desk), [1, 2], "0 has no candle of the day");
    for instrument in 1..3 {
        desk.candle(&day(instrument, 1, 5));
    }
    desk.candle(&day(0, 1, 500));
    desk.advance(Universe::AFTER);
    assert!(
        !members(&desk).contains(&0),
        "a day of the ranking is missing"
    );
}

#[test]
fn a_crash_keeps_the_members_and_the_warm_up_chooses_the_same() {
    let script = Script::default();
    let mut desk = warm(&script);
    next_day(&mut desk, 0, [0, 10, 1_000]);
    let known = members(&desk);
    let mut again = desk.restarted(three_products(vec![chooser()]), script.strategies());
    assert_eq!(members(&again), known);
    again.read_account();
    again.advance(Duration::ZERO);
    for (instrument, volume) in (0..).zip([0, 10, 1_000]) {
        let before = (-10..0).map(|index| day(instrument, index, 100 - i64::from(instrument)));
        let candles = before.chain([day(instrument, 0, volume)]);
        again.input(&Input::Candles(Box::new(CandleHistory {
            instrument: InstrumentId(instrument),
            interval: Interval::Day1,
            candles: candles.collect(),
        })));
    }
    assert_eq!(members(&again), known);
    assert_eq!(again.count(EventType::UniverseChanged), 0);
}

#[test]
fn a_snapshot_keeps_the_days() {
    let script = Script::default();
    let mut desk = warm(&script);
    let state = desk.engine.save();
    let mut other = tradewind_engine::Engine::restore(script.strategies(), &state).unwrap();
    next_day(&mut desk, 0, [0, 10, 1_000]);
    let mut out = tradewind_events::Outputs::new();
    for (instrument, volume) in (0..).zip([0, 10, 1_000]) {
        let at = START + DAY;
        other.handle(at, &Input::Candle(day(instrument, 0, volume)), &mut out);
    }
    let at = START + DAY + Universe::AFTER;
    other.handle(at, &Input::Timer(Timer::Universe(BOT)), &mut out);
    let universe = other.view().bots[0].universe.clone().unwrap();
    assert_eq!(
        universe,
        desk.engine.view().bots[0].universe.clone().unwrap()
    );
}

fn shared(id: u32, percent: i64) -> BotConfig {
    BotConfig {
        budget: Amount::ZERO,
        budget_share: Some(Ppm(percent * 10_000)),
        sizer: Sizer::Share(Ppm::ONE),
        ..bot(id)
    }
}

fn budgets(desk: &Desk) -> Vec<Amount> {
    let view = desk.engine.view();
    view.bots.iter().map(|bot| bot.budget).collect()
}

fn of_shares(bots: Vec<BotConfig>) -> Configuration {
    Configuration {
        bots,
        ..three_products(Vec::new())
    }
}

#[test]
fn a_budget_that_is_a_share_follows_the_equity_each_day() {
    let script = Script::default();
    let bots = vec![shared(0, 20), shared(1, 10)];
    let mut desk = Desk::started(of_shares(bots.clone()), script.strategies());
    assert_eq!(budgets(&desk), [20_000, 10_000].map(Amount::whole));
    desk.advance(Duration::from_secs(4));
    // Ten units bought at 100 and sold at 110 bring the first bot 100.
    script.say(BOT, Answer::target(50_000));
    desk.quote(9_999, 10_000);
    let entry = desk.last_order();
    assert_eq!(entry.quantity, Quantity(1_000_000));
    desk.fill(&entry, 10_000);
    script.say(BOT, Answer::target(0));
    desk.quote(11_000, 11_001);
    let exit = desk.last_order();
    desk.fill(&exit, 11_000);
    assert_eq!(budgets(&desk), [20_000, 10_000].map(Amount::whole));
    desk.advance(DAY + Duration::from_secs(60));
    // 100,100 by then: the first has 80 too much, the second gets 10.
    assert_eq!(budgets(&desk), [20_020, 10_010].map(Amount::whole));
    let equities: Vec<Amount> = desk
        .engine
        .view()
        .bots
        .iter()
        .map(|bot| bot.equity)
        .collect();
    assert_eq!(equities, [20_020, 10_010].map(Amount::whole));
    let wanted = EventKind::BudgetChanged {
        bot: tradewind_model::BotId(1),
        budget: Amount::whole(10_010),
        moved: Amount::whole(10),
        equity: Amount::whole(100_100),
    };
    assert_eq!(desk.last(EventType::BudgetChanged), wanted);
    let again = desk.restarted(of_shares(bots), script.strategies());
    assert_eq!(budgets(&again), [20_020, 10_010].map(Amount::whole));
    assert_eq!(again.engine.view().balances, desk.engine.view().balances);
}

#[test]
fn a_day_that_the_desk_missed_is_made_up_for() {
    let script = Script::default();
    let bots = vec![shared(0, 20)];
    let desk = Desk::started(of_shares(bots.clone()), script.strategies());
    let mut later = desk;
    later.now = later.now + DAY * 2;
    let mut again = later.restarted(of_shares(bots), script.strategies());
    let due = again.timer(Timer::Budgets).unwrap();
    assert_eq!(due, again.now + Duration::from_secs(60));
    again.account(&[(USDT, Amount::whole(100_000))]);
    again.advance(Duration::from_secs(60));
    assert_eq!(again.count(EventType::BudgetChanged), 1);
    let due = again.timer(Timer::Budgets).unwrap();
    assert_eq!(due, START + DAY * 3 + Duration::from_secs(60));
}

#[test]
fn an_amount_becomes_a_share_and_back() {
    let script = Script::default();
    let mut desk = Desk::started(of_shares(vec![bot(0)]), script.strategies());
    assert_eq!(budgets(&desk), [Amount::whole(10_000)]);
    desk.input(&Input::Configured(Box::new(of_shares(vec![shared(0, 20)]))));
    assert_eq!(budgets(&desk), [Amount::whole(10_000)]);
    desk.advance(Duration::from_secs(60));
    assert_eq!(budgets(&desk), [Amount::whole(20_000)]);
    desk.input(&Input::Configured(Box::new(of_shares(vec![bot(0)]))));
    assert_eq!(budgets(&desk), [Amount::whole(10_000)]);
    let view = desk.engine.view();
    assert_eq!(view.bots[0].equity, Amount::whole(10_000));
}
