//! The engine's behaviour, one sentence per test. Read the names of the files, then those of the tests.

mod account_stream;
mod accounts;
mod adds;
mod adoption;
mod alarms;
mod breakers;
mod candles;
mod commands;
mod configured;
mod crowded_pairs;
mod disk;
mod exits;
mod fast_clock;
mod former_run;
mod growing_pairs;
mod identity;
mod kills;
mod lanes;
mod laws;
mod lives;
mod market;
mod numbers;
mod orders;
mod perpetual;
mod policies;
mod protection;
mod races;
mod readings;
mod reads;
mod recovery;
mod reports;
mod risk;
mod silence;
mod state;
mod stop_moves;
mod take_profits;
mod targets;
mod universe;
mod waits;

use tradewind_events::{BotConfig, Configuration, EventType};
use tradewind_model::BotId;
use tradewind_testkit::{Answer, Desk, Script, configuration};

/// The first bot of most tests.
const BOT: BotId = BotId(0);

/// A desk with these bots, all of them running.
fn desk(bots: Vec<BotConfig>, script: &Script) -> Desk {
    let spans = u32::try_from(bots.len()).expect("tests have few bots");
    let configuration = Configuration {
        bots,
        ..configuration()
    };
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(std::time::Duration::from_secs(2) * spans);
    desk
}

/// A desk with one bot that follows the script.
fn one_bot() -> (Desk, Script) {
    let script = Script::default();
    let desk = desk(vec![tradewind_testkit::bot(0)], &script);
    (desk, script)
}

/// What people see as a signal's cause is a candle, a past one too.
#[track_caller]
fn only_candles_led_to_signals(desk: &Desk) {
    let causes = desk.causes(EventType::SignalGenerated);
    let of_candles = |cause: &Option<EventType>| *cause == Some(EventType::CandleClosed);
    assert!(causes.iter().all(of_candles), "{causes:?}");
}

/// The bot buys one unit at 100.01 and the venue fills it.
fn buy(desk: &mut Desk, script: &Script) {
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
}
