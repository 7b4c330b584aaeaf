//! The generated market has the shape of real ones: heavy tails, clustered volatility, a common factor, spreads that
//! widen; and it moves live as it did in its history.

use crate::scene::{START, Scene, after, listed};
use tradewind_model::{InstrumentId, Interval};
use tradewind_simx::{Kline, KlineRange};

fn returns(klines: &[Kline]) -> Vec<f64> {
    let price = |kline: &Kline| kline.close.0 as f64;
    klines
        .windows(2)
        .map(|pair| libm::log(price(&pair[1]) / price(&pair[0])))
        .collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.map(|_| 1.0).sum::<f64>()
}

fn correlation(one: &[f64], two: &[f64]) -> f64 {
    let (mean_one, mean_two) = (mean(one.iter().copied()), mean(two.iter().copied()));
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        one.iter()
            .zip(two)
            .map(|(a, b)| f(a - mean_one, b - mean_two))
            .sum::<f64>()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

fn kurtosis(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied());
    let moment = |power: i32| {
        mean(
            values
                .iter()
                .map(move |value| (0..power).fold(1.0, |product, _| product * (value - middle))),
        )
    };
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
            instrument.name,
            deviation * 1e4,
            kurtosis(&moves)
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
        let live = scene
            .klines
            .klines(instrument.id, Interval::Minute1, KlineRange::newest(240));
        let past =
            scene
                .klines
                .klines(instrument.id, Interval::Minute1, KlineRange::newest(10_000));
        let deviation =
            |klines: &[Kline]| mean(returns(klines).iter().map(|moved| moved * moved)).sqrt();
        let volume = |klines: &[Kline]| mean(klines.iter().map(|kline| kline.volume.0 as f64));
        let ratios = (
            deviation(&live) / deviation(&past),
            volume(&live) / volume(&past),
        );
        eprintln!(
            "{}: deviation x {:.2}, volume x {:.2}",
            instrument.name, ratios.0, ratios.1
        );
        assert!(
            (0.5..2.0).contains(&ratios.0) && (0.3..3.0).contains(&ratios.1),
            "{}",
            instrument.name
        );
    }
}

#[test]
fn the_spread_widens_when_the_market_is_wild() {
    let mut scene = Scene::new(42);
    let solana = InstrumentId(3);
    let (mut spreads, mut count) = (vec![0.0; 241], vec![0.0; 241]);
    scene.play(after(4 * 3_600), |exchange, event| {
        if let (Some(touch), true) = (exchange.touch(solana), event.instrument() == solana) {
            let minute = touch
                .received_at
                .since(Interval::Minute1.open_time(START))
                .as_secs()
                / 60;
            spreads[minute as usize] += (touch.ask.0 - touch.bid.0) as f64;
            count[minute as usize] += 1.0;
        }
    });
    let minutes = scene
        .klines
        .klines(solana, Interval::Minute1, KlineRange::newest(241));
    let ranges: Vec<f64> = minutes
        .iter()
        .map(|minute| (minute.high.0 - minute.low.0) as f64)
        .collect();
    let spreads: Vec<f64> = spreads
        .iter()
        .zip(&count)
        .map(|(sum, count)| sum / count)
        .collect();
    let together = correlation(&ranges, &spreads);
    assert!(together > 0.3, "{together}");
}
