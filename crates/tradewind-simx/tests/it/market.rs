//! What the generated market is like: sound, repeatable, continuous with its past, and good to trade on.

use std::time::Duration;

use crate::scene::{START, Scene, after, listed};
use tradewind_model::{
    Amount, InstrumentId, Interval, Liquidity, OrderKind, Quote, RuleBreach, Side, TimeInForce,
};
use tradewind_simx::{
    ClientId, Generated, Kline, KlineRange, MarketEvent, MarketSource, NewOrder, Size,
};

/// Everything that happens, as bytes, when time is cut into steps of this many milliseconds.
fn bytes(seed: u64, seconds: u64, step_ms: u64) -> Vec<u8> {
    let mut market = Generated::new(seed, START, &listed());
    let mut bytes = Vec::new();
    let mut now = START;
    while now < after(seconds) {
        now = (now + Duration::from_millis(step_ms)).min(after(seconds));
        market.advance(now, &mut |at, event| {
            bytes.extend(format!("{at:?}{event:?}").bytes())
        });
    }
    bytes
}

#[test]
fn an_hour_of_25_instruments_is_never_crossed_and_lively() {
    let mut scene = Scene::new(42);
    let (mut quotes, mut trades) = (0_u32, 0_u32);
    scene.play(after(3_600), |exchange, event| {
        match event {
            MarketEvent::Trade(trade) => {
                trades += 1;
                assert!(trade.quantity.0 > 0);
            }
            MarketEvent::Quote(quote) => {
                quotes += 1;
                assert!(quote.is_sound());
            }
            MarketEvent::Levels(depth) => {
                quotes += 1;
                assert_eq!((depth.bids.len(), depth.asks.len()), (20, 20));
                let last = exchange.touch(depth.instrument).unwrap();
                assert_eq!(
                    (last.bid, last.ask),
                    (depth.bids[0].price, depth.asks[0].price),
                    "levels were taken"
                );
            }
        }
        assert!(
            exchange
                .touch(event.instrument())
                .is_some_and(|touch| Quote::is_sound(&touch))
        );
    });
    assert!(quotes >= 250 * 3_600, "{quotes} quotes");
    assert!(trades >= 50 * 3_600, "{trades} trades");
    for instrument in listed() {
        let rules = instrument.check(
            instrument.step,
            Some(scene.exchange.touch(instrument.id).unwrap().bid),
            None,
        );
        assert!(rules != Err(RuleBreach::PriceRange), "{}", instrument.name);
    }
}

#[test]
fn one_seed_is_one_market_however_time_is_cut() {
    let whole = bytes(7, 90, 90_000);
    assert!(whole == bytes(7, 90, 90_000), "the same seed");
    assert!(whole == bytes(7, 90, 7), "smaller steps");
    assert!(whole == bytes(7, 90, 333), "uneven steps");
    assert!(whole != bytes(8, 90, 90_000), "another seed");
}

#[test]
fn a_market_read_back_goes_on_as_it_would_have() {
    let mut market = Generated::new(7, START, &listed());
    market.advance(after(45), &mut |_, _| {});
    let mut copy: Generated =
        serde_json::from_str(&serde_json::to_string(&market).unwrap()).unwrap();
    let play = |market: &mut Generated| {
        let mut bytes = Vec::new();
        market.advance(after(90), &mut |at, event| {
            bytes.extend(format!("{at:?}{event:?}").bytes())
        });
        bytes
    };
    assert!(play(&mut market) == play(&mut copy));
}

#[test]
fn time_that_was_skipped_has_no_events_and_no_jump() {
    let mut scene = Scene::new(7);
    scene.play(after(60), |_, _| {});
    let before = scene.exchange.touch(InstrumentId(0)).unwrap();
    scene.market.skip_to(after(7_200));
    let mut first = None;
    scene.market.advance(after(7_201), &mut |at, event| {
        if let (MarketEvent::Quote(quote), None, InstrumentId(0)) =
            (event, first, event.instrument())
        {
            first = Some((at, quote));
        }
    });
    let (at, quote) = first.unwrap();
    assert!(at >= after(7_200));
    assert!(
        (quote.bid.0 - before.bid.0).abs() * 100 < before.bid.0,
        "{before:?} {quote:?}"
    );
}

#[test]
fn history_is_30_days_without_a_gap_and_ends_where_the_market_begins() {
    let mut scene = Scene::new(42);
    for instrument in listed() {
        let minutes =
            scene
                .klines
                .klines(instrument.id, Interval::Minute1, KlineRange::newest(10_000));
        let (open, past) = minutes.split_last().unwrap();
        assert_eq!(minutes.len(), 10_000);
        assert_eq!(open.open, past[past.len() - 1].close);
        assert_eq!(open.open_time, Interval::Minute1.open_time(START));
        for pair in minutes.windows(2) {
            assert_eq!(
                pair[1].open_time,
                Interval::Minute1.close_time(pair[0].open_time)
            );
            assert_eq!(pair[1].open, pair[0].close, "{}", instrument.name);
        }
        for minute in past {
            assert!(
                minute.low <= minute.open.min(minute.close)
                    && minute.open.max(minute.close) <= minute.high
            );
            assert!(
                minute.low.0 > 0
                    && minute.volume.0 > 0
                    && minute.taker_volume <= minute.volume
                    && minute.trades > 0
            );
        }
        let days = scene
            .klines
            .klines(instrument.id, Interval::Day1, KlineRange::newest(100));
        assert_eq!(
            days.len(),
            31,
            "30 whole days, as it starts at midnight, and the one that is open"
        );
    }
    scene.play(after(2), |_, _| {});
    for instrument in listed() {
        let newest = scene
            .klines
            .klines(instrument.id, Interval::Minute1, KlineRange::newest(2));
        let (last, now) = (
            newest[0].close.0,
            scene.exchange.touch(instrument.id).unwrap().mid().0,
        );
        assert!(
            (last - now).abs() <= 2.max(last / 500),
            "{}: {last} then {now}",
            instrument.name
        );
    }
}

#[test]
fn longer_candles_are_what_their_minutes_say() {
    let mut scene = Scene::new(3);
    scene.play(after(400), |_, _| {});
    let bitcoin = InstrumentId(0);
    for interval in [
        Interval::Minute5,
        Interval::Minute15,
        Interval::Hour1,
        Interval::Hour4,
    ] {
        for kline in scene
            .klines
            .klines(bitcoin, interval, KlineRange::newest(50))
        {
            let end = interval.close_time(kline.open_time) - Duration::from_secs(60);
            let range = KlineRange {
                from: Some(kline.open_time),
                to: Some(end),
                limit: 1_000,
            };
            let minutes = scene.klines.klines(bitcoin, Interval::Minute1, range);
            assert_eq!(kline.open, minutes[0].open);
            assert_eq!(Some(kline.close), minutes.last().map(|minute| minute.close));
            assert_eq!(
                Some(kline.high),
                minutes.iter().map(|minute| minute.high).max()
            );
            assert_eq!(
                Some(kline.low),
                minutes.iter().map(|minute| minute.low).min()
            );
            assert_eq!(
                kline.volume.0,
                minutes.iter().map(|minute| minute.volume.0).sum::<i64>()
            );
            assert_eq!(
                kline.trades,
                minutes.iter().map(|minute| minute.trades).sum::<u32>()
            );
            assert_eq!(
                kline.quote_volume,
                minutes.iter().map(|minute| minute.quote_volume).sum()
            );
        }
    }
}

#[test]
fn ranges_mean_what_the_venue_means_by_them() {
    let mut scene = Scene::new(3);
    let at = |minutes: u64| Interval::Minute1.open_time(START) - Duration::from_secs(minutes * 60);
    let mut ask = |from: Option<u64>, to: Option<u64>, limit| {
        let range = KlineRange {
            from: from.map(at),
            to: to.map(at),
            limit,
        };
        let found = scene
            .klines
            .klines(InstrumentId(1), Interval::Minute1, range);
        let ago = |kline: &Kline| at(0).since(kline.open_time).as_secs() / 60;
        (found.first().map(ago), found.last().map(ago), found.len())
    };
    assert_eq!(ask(None, None, 3), (Some(2), Some(0), 3), "the newest");
    assert_eq!(
        ask(Some(10), None, 3),
        (Some(10), Some(8), 3),
        "the oldest from there"
    );
    assert_eq!(
        ask(None, Some(10), 3),
        (Some(12), Some(10), 3),
        "the newest up to there"
    );
    assert_eq!(
        ask(Some(10), Some(9), 3),
        (Some(10), Some(9), 2),
        "not past the end"
    );
    assert_eq!(
        ask(Some(9), Some(10), 3),
        (None, None, 0),
        "nothing between"
    );
    assert_eq!(
        ask(Some(1_000_000), None, 2),
        (Some(43_200), Some(43_199), 2),
        "from the first known"
    );
    assert_eq!(ask(None, None, 0), (None, None, 0));
}

#[test]
fn seconds_are_kept_for_a_while_and_fill_their_minute() {
    let mut market = Generated::new(5, START, &listed());
    let mut klines = market.kline_store(&listed());
    let bitcoin = InstrumentId(0);
    market.advance(after(2_000), &mut |at, event| {
        if let MarketEvent::Trade(print) = event {
            klines.record(at, &print);
        }
    });
    klines.pass(after(2_000));
    let mut ask = |interval, from, to, limit| {
        klines.klines(bitcoin, interval, KlineRange { from, to, limit })
    };

    let seconds = ask(Interval::Second1, None, None, 10_000);
    assert_eq!(seconds.len(), 1_000, "the newest, and no more");
    assert_eq!(
        seconds.last().map(|kline| kline.open_time),
        Some(after(2_000))
    );
    assert!(seconds.windows(2).all(|pair| {
        pair[1].open_time == pair[0].open_time + Duration::from_secs(1)
            && (pair[1].trades > 0 || pair[1].open == pair[0].close)
    }));

    let minute = ask(Interval::Minute1, None, Some(after(1_800)), 1)[0];
    let start = Some(minute.open_time);
    let within = ask(Interval::Second1, start, None, 60);
    assert_eq!(within.first().map(|kline| kline.open_time), start);
    let trades: u32 = within.iter().map(|kline| kline.trades).sum();
    assert_eq!(trades, minute.trades);
    assert_eq!(
        within.iter().map(|kline| kline.high).max(),
        Some(minute.high)
    );
    assert_eq!(within.iter().map(|kline| kline.low).min(), Some(minute.low));
    assert_eq!(ask(Interval::Second1, start, start, 60).len(), 1);
}

#[test]
fn a_crowd_trades_on_it_and_the_books_still_balance() {
    let mut scene = Scene::new(11);
    let instruments = listed();
    let accounts: Vec<_> = (0..4).map(|_| scene.exchange.open_account()).collect();
    let assets = instruments
        .iter()
        .map(|instrument| instrument.base)
        .chain([instruments[0].quote]);
    for account in &accounts {
        for asset in assets.clone() {
            scene
                .exchange
                .deposit(
                    START,
                    *account,
                    asset,
                    Amount::whole(10_000_000_000),
                    &mut scene.out,
                )
                .unwrap();
        }
    }
    let (mut several_fills, mut maker_fills, mut name) = (0, 0, 0_u64);
    for second in 0..300 {
        let now = after(second);
        scene.play(now, |_, _| {});
        for (place, instrument) in instruments.iter().enumerate() {
            name += 1;
            let touch = scene
                .exchange
                .touch(instrument.id)
                .unwrap_or_else(|| panic!("{} has no touch", instrument.name));
            assert!(touch.is_sound(), "{touch:?}");
            let side = if name.is_multiple_of(2) {
                Side::Buy
            } else {
                Side::Sell
            };
            let kind = match name % 3 {
                0 => OrderKind::Market,
                1 => OrderKind::PostOnly {
                    price: touch.same_side(side),
                },
                _ => OrderKind::Limit {
                    price: touch.opposite_side(side),
                    time_in_force: TimeInForce::GoodTillCancel,
                },
            };
            let size = Size::Base(instrument.quantity_for(Amount::whole(1_500), touch.mid()));
            let account = accounts[place % accounts.len()];
            let client_id = ClientId::new(&format!("{name}")).unwrap();
            scene.out.clear();
            let order = NewOrder::new(account, instrument.id, client_id, side, size, kind);
            scene.exchange.submit(now, &order, &mut scene.out).unwrap();
            several_fills += usize::from(scene.out.orders.len() > 3);
        }
    }
    for account in &accounts {
        maker_fills += scene
            .exchange
            .executions(*account)
            .filter(|fill| fill.liquidity == Liquidity::Maker)
            .count();
    }
    assert!(
        several_fills > 100 && maker_fills > 100,
        "{several_fills} {maker_fills}"
    );
    for asset in assets {
        assert_eq!(scene.exchange.imbalance(asset), Amount::ZERO);
    }
}
