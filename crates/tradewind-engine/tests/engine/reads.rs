//! Instruments that a bot reads and does not trade: what it is shown, what wakes it, and that nothing is decided there.

use std::time::Duration;

use tradewind_engine::Engine;
use tradewind_events::{
    Action, BotConfig, BotState, CandleHistory, Configuration, EventKind, EventType, Input, Lane,
    Output, PriceReference, StopMode,
};
use tradewind_model::{
    Depth, FeedHealth, Instrument, InstrumentId, InstrumentStatus, Interval, Level, Ppm, Price,
    Quantity, Quote, Side, Timestamp, Trade, TradeId, VenueId,
};
use tradewind_strategy::{Pairing, ReadUse, WarmUp};
use tradewind_testkit::{
    Answer, BTC, Desk, PERPETUAL, SPOT, Script, USDT, bot, candle, configuration,
};

use crate::BOT;

/// The same product on another venue.
const OTHER: InstrumentId = InstrumentId(2);

fn reader() -> BotConfig {
    BotConfig {
        reads: vec![OTHER],
        ..bot(0)
    }
}

fn two_venues(bots: Vec<BotConfig>) -> Configuration {
    let mut configuration = configuration();
    configuration.venues.push("other".to_owned());
    configuration.instruments.push(Instrument {
        venue: VenueId(1),
        status: InstrumentStatus::PricesOnly,
        ..Instrument::spot(OTHER, "other:BTC/USDT", BTC, USDT)
    });
    Configuration {
        bots,
        ..configuration
    }
}

fn on_quotes() -> ReadUse {
    ReadUse {
        quotes: true,
        ..ReadUse::default()
    }
}

fn on_candles(candles: u32) -> ReadUse {
    ReadUse {
        candles: vec![WarmUp {
            interval: Interval::Minute1,
            candles,
        }],
        ..ReadUse::default()
    }
}

fn desk(script: &Script) -> Desk {
    Desk::started(two_venues(vec![reader()]), script.strategies())
}

fn stamped(desk: &Desk, bid: i64) -> Quote {
    Quote {
        event_time: Some(desk.now - Duration::from_millis(80)),
        received_at: desk.now - Duration::from_millis(5),
        ..tradewind_testkit::quote(OTHER, bid, bid + 1, desk.now)
    }
}

fn depth(received_at: Timestamp) -> Depth {
    let level = |price| Level {
        price: Price(price),
        quantity: Quantity(5),
    };
    Depth {
        instrument: OTHER,
        bids: vec![level(10_000)],
        asks: vec![level(10_001)],
        received_at,
    }
}

fn trade(desk: &Desk, id: u64) -> Trade {
    Trade {
        instrument: OTHER,
        taker: Side::Buy,
        id: TradeId(id),
        price: Price(10_000),
        quantity: Quantity(1),
        event_time: None,
        received_at: desk.now,
    }
}

#[test]
fn a_bot_is_evaluated_on_a_quote_that_it_reads_with_all_that_is_known_there() {
    let script = Script::default().reading(on_quotes());
    let mut desk = desk(&script);
    desk.quote(10_000, 10_001);
    for id in 1..40 {
        desk.input(&Input::Trade(trade(&desk, id)));
    }
    let quote = stamped(&desk, 10_050);
    desk.input(&Input::Quote(quote));
    desk.input(&Input::Depth(Box::new(depth(desk.now))));
    script.say(BOT, Answer::target(1_000_000));
    let again = stamped(&desk, 10_060);
    desk.input(&Input::Quote(again));

    let seen = script.reads();
    assert_eq!(seen.len(), 2);
    let last = &seen[1];
    assert_eq!((last.traded, last.read), (SPOT, OTHER));
    assert_eq!(last.quote, Some(again), "with both stamps");
    assert_eq!(last.health, FeedHealth::Live);
    assert_eq!(last.depth, Some(depth(desk.now)));
    let ids: Vec<u64> = last.trades.iter().map(|trade| trade.id.0).collect();
    assert_eq!(ids, (8..40).collect::<Vec<_>>());

    let order = desk.last_order();
    assert_eq!(order.instrument, SPOT);
    let EventKind::SignalGenerated { quote, .. } = desk.last(EventType::SignalGenerated) else {
        panic!("a signal");
    };
    assert_eq!(quote.map(|quote| quote.instrument), Some(SPOT));
    let causes = desk.causes(EventType::SignalGenerated);
    assert_eq!(causes, [Some(EventType::PriceUpdate)]);
    let EventKind::PriceUpdate(cause) = desk.last(EventType::PriceUpdate) else {
        panic!("a price");
    };
    assert_eq!(cause, again, "the quote of the other venue is the cause");
}

#[test]
fn what_a_strategy_does_not_subscribe_to_wakes_nobody() {
    let script = Script::default();
    let mut desk = desk(&script);
    desk.quote_of(OTHER, 10_050, 10_051);
    assert_eq!(script.evaluations(BOT), 0);
    let script = Script::default().reading(on_quotes());
    let mut desk = self::desk(&script);
    desk.quote_of(PERPETUAL, 10_050, 10_051);
    assert!(
        script.reads().is_empty(),
        "an instrument that it does not name"
    );
}

#[test]
fn pairs_are_of_the_same_assets_unless_the_strategy_says_all() {
    let evaluated = |pairing| {
        let script = Script::default().reading(ReadUse {
            pairing,
            ..on_quotes()
        });
        let mut configuration = two_venues(vec![reader()]);
        configuration.instruments[OTHER.index()].base = USDT;
        let mut desk = Desk::started(configuration, script.strategies());
        desk.quote_of(OTHER, 10_050, 10_051);
        script.reads().len()
    };
    assert_eq!(evaluated(Pairing::SameAssets), 0);
    assert_eq!(evaluated(Pairing::All), 1);
}

#[test]
fn candles_that_are_read_warm_up_feed_and_then_evaluate() {
    let script = Script::default().reading(on_candles(3));
    let mut desk = desk(&script);
    let requested = desk.log.iter().find_map(|output| match output {
        Output::RequestCandles {
            instrument, count, ..
        } => Some((*instrument, *count)),
        _ => None,
    });
    assert_eq!(requested, Some((OTHER, 5)));
    let state = |desk: &Desk| desk.engine.view().bots[0].state;
    assert_eq!(state(&desk), BotState::Warming);
    let of = |minute: u32| {
        let mut candle = candle(minute.into(), 10_000);
        candle.instrument = OTHER;
        candle
    };
    desk.advance(Duration::from_secs(180));
    desk.input(&Input::Candles(Box::new(CandleHistory {
        instrument: OTHER,
        interval: Interval::Minute1,
        candles: (0..3).map(of).collect(),
    })));
    assert_eq!(state(&desk), BotState::Running);
    assert!(script.reads().is_empty(), "the past is only fed");
    desk.quote(10_000, 10_001);
    desk.candle(&of(3));
    assert_eq!(script.candles_of(BOT), (0..4).map(of).collect::<Vec<_>>());
    let seen = script.reads();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].traded, seen[0].candle), (SPOT, Some(of(3))));
}

/// The first answer goes to the candle itself, which is fed before the bot is evaluated on what it trades.
#[test]
fn a_target_for_what_is_only_read_is_a_fault() {
    let script = Script::default().reading(on_candles(0));
    let mut desk = desk(&script);
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    let mut read = candle(0, 10_000);
    read.instrument = OTHER;
    desk.candle(&read);
    let view = desk.engine.view();
    assert_eq!(view.bots[0].state, BotState::Faulted);
    assert_eq!(
        view.bots[0].state_reason,
        "decided on other:BTC/USDT, which it only reads: only instruments of its account's venue can be traded"
    );
    let EventKind::BotError { faults, .. } = desk.last(EventType::BotError) else {
        panic!("an error");
    };
    assert_eq!(faults, 1);
    assert!(script.reads().is_empty() && desk.orders().is_empty());
    // It counts as a fault after a crash, too.
    let after = desk.restarted(two_venues(vec![reader()]), script.strategies());
    assert_eq!(after.engine.recovered_parts(), {
        let mut same = desk.restarted(two_venues(vec![reader()]), script.strategies());
        same.advance(Duration::ZERO);
        same.engine.recovered_parts()
    });
}

#[test]
fn nobody_gives_a_bot_a_position_in_what_it_reads() {
    let script = Script::default().reading(on_quotes());
    let mut desk = desk(&script);
    desk.quote_of(OTHER, 10_050, 10_051);
    let close = desk.command(Action::ClosePosition {
        account: tradewind_testkit::ACCOUNT,
        bot: Some(BOT),
        instrument: OTHER,
    });
    assert!(matches!(close, tradewind_events::CommandResult::Refused(_)));
    desk.command(Action::StopBot {
        bot: BOT,
        mode: StopMode::Close,
    });
    assert!(desk.orders().is_empty());
}

#[test]
fn a_lane_gets_what_its_bot_reads_with_each_request() {
    let script = Script::default().reading(on_quotes());
    let remote = BotConfig {
        lane: Lane::Thread,
        ..reader()
    };
    let mut desk = Desk::started(two_venues(vec![remote]), script.strategies());
    desk.quote(10_000, 10_001);
    desk.advance(Duration::from_secs(11));
    desk.log.clear();
    let quote = stamped(&desk, 10_050);
    desk.input(&Input::Quote(quote));
    let request = desk.log.iter().find_map(|output| match output {
        Output::Evaluate(request) => Some(request.clone()),
        _ => None,
    });
    let request = request.expect("the lane is evaluated");
    assert_eq!((request.instrument, request.reads.len()), (SPOT, 1));
    assert_eq!(request.reads[0].quote, Some(quote));
    assert_eq!(request.reads[0].health, FeedHealth::Live);
}

#[test]
fn an_engine_that_is_saved_and_restored_reads_on() {
    let script = Script::default().reading(on_quotes());
    let mut desk = desk(&script);
    desk.quote(10_000, 10_001);
    desk.input(&Input::Trade(trade(&desk, 1)));
    desk.quote_of(OTHER, 10_050, 10_051);
    let state = desk.engine.save();
    desk.engine = Engine::restore(script.strategies(), &state).unwrap();
    assert_eq!(desk.engine.save(), state);
    desk.quote_of(OTHER, 10_060, 10_061);
    let seen = script.reads();
    assert_eq!((seen.len(), seen[1].trades.len()), (2, 1));
}

/// D04: a book of before a loss is not kept, nor taken up again from a queue of its own.
#[test]
fn a_book_is_forgotten_when_its_feed_is_lost() {
    for lost in [FeedHealth::Gap, FeedHealth::Resync] {
        let script = Script::default().reading(on_quotes());
        let mut desk = desk(&script);
        desk.quote_of(OTHER, 10_050, 10_051);
        desk.input(&Input::Depth(Box::new(depth(desk.now))));
        let before = desk.now;
        let health = |health| Input::Health {
            instrument: OTHER,
            health,
            received_at: None,
        };
        desk.advance(Duration::from_millis(50));
        desk.input(&health(lost));
        desk.input(&Input::Depth(Box::new(depth(before))));
        desk.input(&health(FeedHealth::Live));
        desk.quote_of(OTHER, 10_050, 10_051);
        let seen = script.reads();
        assert_eq!(seen.last().unwrap().depth, None, "{lost:?}");
        desk.input(&Input::Depth(Box::new(depth(desk.now))));
        desk.quote_of(OTHER, 10_050, 10_051);
        let seen = script.reads();
        assert!(seen.last().unwrap().depth.is_some(), "{lost:?}");
    }
}

/// Books and health wait in queues of their own, so a book of after a loss may be handled before it, or soon after.
#[test]
fn a_book_that_was_received_after_a_loss_is_kept_whenever_the_loss_is_handled() {
    for is_book_first in [false, true] {
        let script = Script::default().reading(on_quotes());
        let mut desk = desk(&script);
        desk.quote_of(OTHER, 10_050, 10_051);
        let lost_at = desk.now;
        desk.advance(Duration::from_millis(50));
        let book = Input::Depth(Box::new(depth(desk.now)));
        desk.advance(Duration::from_millis(50));
        if is_book_first {
            desk.input(&book);
        }
        for health in [FeedHealth::Gap, FeedHealth::Live] {
            desk.input(&Input::Health {
                instrument: OTHER,
                health,
                received_at: Some(lost_at),
            });
        }
        if !is_book_first {
            desk.input(&book);
        }
        desk.quote_of(OTHER, 10_050, 10_051);
        let seen = script.reads();
        assert!(seen.last().unwrap().depth.is_some(), "{is_book_first}");
    }
}

/// D04: one read brings a book and the change that shows that another one was lost; both have its time.
#[test]
fn a_book_of_the_read_that_shows_a_loss_is_forgotten() {
    let script = Script::default().reading(on_quotes());
    let mut desk = desk(&script);
    desk.quote_of(OTHER, 10_050, 10_051);
    desk.input(&Input::Depth(Box::new(depth(desk.now))));
    for health in [FeedHealth::Gap, FeedHealth::Live] {
        desk.input(&Input::Health {
            instrument: OTHER,
            health,
            received_at: Some(desk.now),
        });
    }
    desk.quote_of(OTHER, 10_050, 10_051);
    let seen = script.reads();
    assert_eq!(seen.last().unwrap().depth, None);
}

/// R11
#[test]
fn an_entry_waits_for_a_second_source_that_drifts_and_an_exit_does_not() {
    let script = Script::default();
    let mut configuration = two_venues(vec![bot(0)]);
    configuration.references = vec![PriceReference {
        instrument: SPOT,
        source: OTHER,
        within: Ppm(10_000),
    }];
    let mut desk = Desk::started(configuration, script.strategies());
    let denied = |desk: &Desk| match desk.last(EventType::RiskDecisionRejected) {
        EventKind::RiskDecisionRejected { reason, .. } => reason.to_string(),
        other => panic!("{other:?}"),
    };
    let enter = |desk: &mut Desk| {
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        desk.orders().len()
    };
    assert_eq!(enter(&mut desk), 0, "nothing is known of the other venue");
    assert_eq!(denied(&desk), "the second source of its price is not live");
    desk.quote_of(OTHER, 10_110, 10_111);
    assert_eq!(enter(&mut desk), 0);
    assert_eq!(
        denied(&desk),
        "its price is 0.01088 away from its second source, at most 0.01 allowed"
    );
    desk.quote_of(OTHER, 10_100, 10_101);
    assert_eq!(enter(&mut desk), 1);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    desk.quote_of(OTHER, 12_000, 12_001);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    assert_eq!(
        desk.orders().len(),
        2,
        "it leaves whatever the other price is"
    );
}
