//! What the generated market is like: sound, repeatable, continuous with its past, and shaped like real ones.

use std::time::Duration;

use tradewind_model::{Instrument, InstrumentId, Interval, Quote, Timestamp, VenueId};
use tradewind_simx::{
    Exchange, ExchangeConfig, Generated, Kline, KlineRange, KlineStore, MarketEvent, MarketSource, Outbox, universe,
};

const START: Timestamp = Timestamp::from_secs(1_767_225_630);

fn listed() -> Vec<Instrument> {
    universe("simx", VenueId(0)).instruments
}

fn after(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

/// A market of all instruments on an exchange, with its candles.
struct Scene {
    market: Generated,
    exchange: Exchange,
    klines: KlineStore,
    out: Outbox,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let instruments = listed();
        let market = Generated::new(seed, START, &instruments);
        let klines = market.kline_store(&instruments);
        Self { market, exchange: Exchange::new(ExchangeConfig::default(), instruments), klines, out: Outbox::default() }
    }

    /// Plays until `until` and shows every event and the exchange right after it.
    fn play(&mut self, until: Timestamp, mut each: impl FnMut(&Exchange, MarketEvent<'_>)) {
        let Self { market, exchange, klines, out } = self;
        market.advance(until, &mut |at, event| {
            out.clear();
            exchange.market(at, event, out);
            out.prints.iter().for_each(|print| klines.record(at, print));
            each(exchange, event);
        });
    }
}

/// Everything that happens, as bytes, when time is cut into steps of this many milliseconds.
fn bytes(seed: u64, seconds: u64, step_ms: u64) -> Vec<u8> {
    let mut market = Generated::new(seed, START, &listed());
    let mut bytes = Vec::new();
    let mut now = START;
    while now < after(seconds) {
        now = (now + Duration::from_millis(step_ms)).min(after(seconds));
        market.advance(now, &mut |at, event| bytes.extend(format!("{at:?}{event:?}").bytes()));
    }
    bytes
}

fn returns(klines: &[Kline]) -> Vec<f64> {
    let price = |kline: &Kline| kline.close.0 as f64;
    klines.windows(2).map(|pair| libm::log(price(&pair[1]) / price(&pair[0]))).collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.map(|_| 1.0).sum::<f64>()
}

fn correlation(one: &[f64], two: &[f64]) -> f64 {
    let (mean_one, mean_two) = (mean(one.iter().copied()), mean(two.iter().copied()));
    let sum = |f: &dyn Fn(f64, f64) -> f64| one.iter().zip(two).map(|(a, b)| f(a - mean_one, b - mean_two)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

fn kurtosis(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied());
    let moment = |power: i32| mean(values.iter().map(move |value| (0..power).fold(1.0, |product, _| product * (value - middle))));
    moment(4) / (moment(2) * moment(2))
}

/// Share of minutes in which Wilder's RSI over 14 minutes lies outside 30 to 70.
fn extreme_share(klines: &[Kline]) -> f64 {
    let (mut up, mut down, mut extreme) = (0.0, 0.0, 0.0);
    let moves = returns(klines);
    for moved in &moves {
        up = (up * 13.0 + moved.max(0.0)) / 14.0;
        down = (down * 13.0 - moved.min(0.0)) / 14.0;
        let rsi = 100.0 * up / f64::max(up + down, 1e-12);
        if !(30.0..=70.0).contains(&rsi) {
            extreme += 1.0;
        }
    }
    extreme / mean(std::iter::once(moves.len() as f64))
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
                assert_eq!((last.bid, last.ask), (depth.bids[0].price, depth.asks[0].price), "levels were taken");
            }
        }
        assert!(exchange.touch(event.instrument()).is_some_and(|touch| Quote::is_sound(&touch)));
    });
    assert!(quotes >= 250 * 3_600, "{quotes} quotes");
    assert!(trades >= 50 * 3_600, "{trades} trades");
    for instrument in listed() {
        let rules = instrument.check(instrument.step, Some(scene.exchange.touch(instrument.id).unwrap().bid), None);
        assert!(rules != Err(tradewind_model::RuleBreach::PriceRange), "{}", instrument.name);
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
    let mut copy: Generated = serde_json::from_str(&serde_json::to_string(&market).unwrap()).unwrap();
    let play = |market: &mut Generated| {
        let mut bytes = Vec::new();
        market.advance(after(90), &mut |at, event| bytes.extend(format!("{at:?}{event:?}").bytes()));
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
        if let (MarketEvent::Quote(quote), None, InstrumentId(0)) = (event, first, event.instrument()) {
            first = Some((at, quote));
        }
    });
    let (at, quote) = first.unwrap();
    assert!(at >= after(7_200));
    assert!((quote.bid.0 - before.bid.0).abs() * 100 < before.bid.0, "{before:?} {quote:?}");
}

#[test]
fn history_is_30_days_without_a_gap_and_ends_where_the_market_begins() {
    let mut scene = Scene::new(42);
    for instrument in listed() {
        let minutes = scene.klines.klines(instrument.id, Interval::Minute1, KlineRange::newest(10_000));
        let (open, past) = minutes.split_last().unwrap();
        assert_eq!(minutes.len(), 10_000);
        assert_eq!(open.open, past[past.len() - 1].close);
        assert_eq!(open.open_time, Interval::Minute1.open_time(START));
        for pair in minutes.windows(2) {
            assert_eq!(pair[1].open_time, Interval::Minute1.close_time(pair[0].open_time));
            assert_eq!(pair[1].open, pair[0].close, "{}", instrument.name);
        }
        for minute in past {
            assert!(minute.low <= minute.open.min(minute.close) && minute.open.max(minute.close) <= minute.high);
            assert!(minute.low.0 > 0 && minute.volume.0 > 0 && minute.taker_volume <= minute.volume && minute.trades > 0);
        }
        let days = scene.klines.klines(instrument.id, Interval::Day1, KlineRange::newest(100));
        assert_eq!(days.len(), 31, "30 whole days, as it starts at midnight, and the one that is open");
    }
    scene.play(after(2), |_, _| {});
    for instrument in listed() {
        let newest = scene.klines.klines(instrument.id, Interval::Minute1, KlineRange::newest(2));
        let (last, now) = (newest[0].close.0, scene.exchange.touch(instrument.id).unwrap().mid().0);
        assert!((last - now).abs() <= 2.max(last / 500), "{}: {last} then {now}", instrument.name);
    }
}

#[test]
fn longer_candles_are_what_their_minutes_say() {
    let mut scene = Scene::new(3);
    scene.play(after(400), |_, _| {});
    let bitcoin = InstrumentId(0);
    for interval in [Interval::Minute5, Interval::Minute15, Interval::Hour1, Interval::Hour4] {
        for kline in scene.klines.klines(bitcoin, interval, KlineRange::newest(50)) {
            let end = interval.close_time(kline.open_time) - Duration::from_secs(60);
            let range = KlineRange { from: Some(kline.open_time), to: Some(end), limit: 1_000 };
            let minutes = scene.klines.klines(bitcoin, Interval::Minute1, range);
            assert_eq!(kline.open, minutes[0].open);
            assert_eq!(Some(kline.close), minutes.last().map(|minute| minute.close));
            assert_eq!(Some(kline.high), minutes.iter().map(|minute| minute.high).max());
            assert_eq!(Some(kline.low), minutes.iter().map(|minute| minute.low).min());
            assert_eq!(kline.volume.0, minutes.iter().map(|minute| minute.volume.0).sum::<i64>());
            assert_eq!(kline.trades, minutes.iter().map(|minute| minute.trades).sum::<u32>());
            assert_eq!(kline.quote_volume, minutes.iter().map(|minute| minute.quote_volume).sum());
        }
    }
}

#[test]
fn ranges_mean_what_the_venue_means_by_them() {
    let mut scene = Scene::new(3);
    let at = |minutes: u64| Interval::Minute1.open_time(START) - Duration::from_secs(minutes * 60);
    let mut ask = |from: Option<u64>, to: Option<u64>, limit| {
        let range = KlineRange { from: from.map(at), to: to.map(at), limit };
        let found = scene.klines.klines(InstrumentId(1), Interval::Minute1, range);
        let ago = |kline: &Kline| at(0).since(kline.open_time).as_secs() / 60;
        (found.first().map(ago), found.last().map(ago), found.len())
    };
    assert_eq!(ask(None, None, 3), (Some(2), Some(0), 3), "the newest");
    assert_eq!(ask(Some(10), None, 3), (Some(10), Some(8), 3), "the oldest from there");
    assert_eq!(ask(None, Some(10), 3), (Some(12), Some(10), 3), "the newest up to there");
    assert_eq!(ask(Some(10), Some(9), 3), (Some(10), Some(9), 2), "not past the end");
    assert_eq!(ask(Some(9), Some(10), 3), (None, None, 0), "nothing between");
    assert_eq!(ask(Some(1_000_000), None, 2), (Some(43_200), Some(43_199), 2), "from the first known");
    assert_eq!(ask(None, None, 0), (None, None, 0));
}

#[test]
fn returns_have_the_shape_of_real_ones() {
    let mut klines = Scene::new(42).klines;
    let mut series = Vec::new();
    for instrument in listed().iter().take(8) {
        let minutes = klines.klines(instrument.id, Interval::Minute1, KlineRange::newest(10_000));
        let moves = returns(&minutes);
        let sizes: Vec<f64> = moves.iter().map(|moved| moved.abs()).collect();
        let deviation = mean(moves.iter().map(|moved| moved * moved)).sqrt();
        let clustering = correlation(&sizes[1..], &sizes[..sizes.len() - 1]);
        let extreme = extreme_share(&minutes);
        eprintln!(
            "{}: {:.1} bp a minute, kurtosis {:.1}, clustering {clustering:.2}, RSI extreme {extreme:.2}",
            instrument.name, deviation * 1e4, kurtosis(&moves)
        );
        assert!((5e-4..25e-4).contains(&deviation), "{}", instrument.name);
        assert!(kurtosis(&moves) > 3.5, "{}", instrument.name);
        assert!(clustering > 0.08, "{}", instrument.name);
        assert!((0.1..0.6).contains(&extreme), "{}", instrument.name);
        series.push(moves);
    }
    let together = correlation(&series[0], &series[1]);
    assert!((0.25..0.9).contains(&together), "{together}");
}

#[test]
fn the_live_market_moves_like_its_history() {
    let mut scene = Scene::new(42);
    scene.play(after(4 * 3_600), |_, _| {});
    for instrument in listed().iter().take(4) {
        let live = scene.klines.klines(instrument.id, Interval::Minute1, KlineRange::newest(240));
        let past = scene.klines.klines(instrument.id, Interval::Minute1, KlineRange::newest(10_000));
        let deviation = |klines: &[Kline]| mean(returns(klines).iter().map(|moved| moved * moved)).sqrt();
        let volume = |klines: &[Kline]| mean(klines.iter().map(|kline| kline.volume.0 as f64));
        let ratios = (deviation(&live) / deviation(&past), volume(&live) / volume(&past));
        eprintln!("{}: deviation x {:.2}, volume x {:.2}", instrument.name, ratios.0, ratios.1);
        assert!((0.5..2.0).contains(&ratios.0) && (0.3..3.0).contains(&ratios.1), "{}", instrument.name);
    }
}
