//! Cited definitions, computed over the whole series without any state: slow, and easy to compare with the text.

use tradewind_indicators::Ohlcv;

use crate::series::mean;

type Column = Vec<Option<f64>>;

/// The lines of an indicator in each row.
pub(crate) fn lines(name: &str, parameters: &[f64], candles: &[Ohlcv]) -> Vec<Option<Vec<f64>>> {
    let n = |i: usize| whole(parameters[i]);
    let closes: Vec<f64> = candles.iter().map(|candle| candle.close).collect();
    match name {
        "alma" => single(windows(&closes, n(0), |window| {
            alma(window, parameters[1], parameters[2])
        })),
        "fisher" => fisher(candles, n(0)),
        "crsi" => single(connors(&closes, n(0), n(1), n(2))),
        "ichimoku" => ichimoku(candles, n(0), n(1), n(2), n(3)),
        "chandelier" => chandelier(candles, n(0), parameters[1]),
        "chop" => single(choppiness(candles, n(0))),
        "ulcer" => single(ulcer(&closes, n(0))),
        "rolling_vwap" => single(windows(candles, n(0), |window| {
            let traded: f64 = window.iter().map(|c| typical(c) * c.volume).sum();
            traded / window.iter().map(|c| c.volume).sum::<f64>()
        })),
        "median" => single(windows(&closes, n(0), |window| {
            let mut sorted = window.to_vec();
            sorted.sort_by(f64::total_cmp);
            let half = sorted.len() / 2;
            mean(&sorted[half - 1 + sorted.len() % 2..=half])
        })),
        "pivots" => candles.iter().map(|candle| Some(pivots(candle))).collect(),
        other => panic!("no naive definition of {other}"),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "parameters of the catalogue are small whole numbers"
)]
fn whole(parameter: f64) -> usize {
    parameter as usize
}

#[expect(clippy::cast_precision_loss, reason = "counts of a short series")]
fn float(count: usize) -> f64 {
    count as f64
}

fn single(column: Column) -> Vec<Option<Vec<f64>>> {
    column
        .into_iter()
        .map(|value| value.map(|value| vec![value]))
        .collect()
}

/// Computes each row from its last `n` items.
fn windows<T>(items: &[T], n: usize, compute: impl Fn(&[T]) -> f64) -> Column {
    let row = |row: usize| (row + 1 >= n).then(|| compute(&items[row + 1 - n..=row]));
    (0..items.len()).map(row).collect()
}

fn typical(candle: &Ohlcv) -> f64 {
    (candle.high + candle.low + candle.close) / 3.0
}

fn range(window: &[Ohlcv]) -> (f64, f64) {
    let highest = window.iter().map(|c| c.high).fold(f64::MIN, f64::max);
    let lowest = window.iter().map(|c| c.low).fold(f64::MAX, f64::min);
    (highest, lowest)
}

fn true_range(candles: &[Ohlcv], row: usize) -> f64 {
    let (candle, close) = (candles[row], candles[row - 1].close);
    candle.high.max(close) - candle.low.min(close)
}

fn alma(window: &[f64], offset: f64, sigma: f64) -> f64 {
    let n = float(window.len());
    let (peak, width) = (offset * (n - 1.0), n / sigma);
    let weight =
        |i: usize| libm::exp(-(float(i) - peak) * (float(i) - peak) / (2.0 * width * width));
    let total: f64 = (0..window.len()).map(weight).sum();
    let weighted: f64 = window
        .iter()
        .enumerate()
        .map(|(i, value)| value * weight(i))
        .sum();
    weighted / total
}

fn fisher(candles: &[Ohlcv], n: usize) -> Vec<Option<Vec<f64>>> {
    let middles: Vec<f64> = candles.iter().map(|c| (c.high + c.low) / 2.0).collect();
    let (mut value, mut fish) = (0.0, 0.0);
    let mut rows = vec![None; candles.len()];
    for row in n - 1..candles.len() {
        let window = &middles[row + 1 - n..=row];
        let highest = window.iter().copied().fold(f64::MIN, f64::max);
        let lowest = window.iter().copied().fold(f64::MAX, f64::min);
        let share = if highest > lowest {
            (middles[row] - lowest) / (highest - lowest) - 0.5
        } else {
            0.0
        };
        value = 0.33 * 2.0 * share + 0.67 * value;
        if value > 0.99 {
            value = 0.999;
        }
        if value < -0.99 {
            value = -0.999;
        }
        let trigger = fish;
        fish = 0.5 * libm::log((1.0 + value) / (1.0 - value)) + 0.5 * fish;
        rows[row] = Some(vec![fish, trigger]);
    }
    rows
}

/// Wilder's index from sums that fade: the seed is the mean of the first `n` changes.
fn rsi(values: &[f64], n: usize) -> Column {
    let changes: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut column = vec![None; values.len()];
    for row in n..values.len() {
        let smoothed = |sign: f64| {
            let moves: Vec<f64> = changes[..row].iter().map(|c| (sign * c).max(0.0)).collect();
            let step = |average: f64, next: &f64| (average * (float(n) - 1.0) + next) / float(n);
            moves[n..].iter().fold(mean(&moves[..n]), step)
        };
        let (rise, fall) = (smoothed(1.0), smoothed(-1.0));
        column[row] = Some(if rise + fall > 0.0 {
            100.0 * rise / (rise + fall)
        } else {
            0.0
        });
    }
    column
}

fn connors(closes: &[f64], period: usize, streak: usize, rank: usize) -> Column {
    let mut streaks = vec![0.0_f64];
    for pair in closes.windows(2) {
        let last = streaks[streaks.len() - 1];
        streaks.push(if pair[1] > pair[0] {
            if last > 0.0 { last + 1.0 } else { 1.0 }
        } else if pair[1] < pair[0] {
            if last < 0.0 { last - 1.0 } else { -1.0 }
        } else {
            0.0
        });
    }
    let changes: Vec<f64> = closes
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) / pair[0])
        .collect();
    let ranks = (0..closes.len()).map(|row| {
        let change = row.checked_sub(1)?;
        let before = &changes[change.checked_sub(rank)?..change];
        let below = before
            .iter()
            .filter(|&&other| other < changes[change])
            .count();
        Some(100.0 * float(below) / float(rank))
    });
    let indices = rsi(closes, period).into_iter().zip(rsi(&streaks, streak));
    indices
        .zip(ranks)
        .map(|((a, b), c)| Some((a? + b? + c?) / 3.0))
        .collect()
}

fn ichimoku(
    candles: &[Ohlcv],
    conversion: usize,
    base: usize,
    span: usize,
    displacement: usize,
) -> Vec<Option<Vec<f64>>> {
    let middle = |row: usize, n: usize| {
        let (highest, lowest) = range(&candles[(row + 1).checked_sub(n)?..=row]);
        Some((highest + lowest) / 2.0)
    };
    let row = |row: usize| {
        let then = row.checked_sub(displacement)?;
        let span_a = (middle(then, conversion)? + middle(then, base)?) / 2.0;
        Some(vec![
            middle(row, conversion)?,
            middle(row, base)?,
            span_a,
            middle(then, span)?,
        ])
    };
    (0..candles.len()).map(row).collect()
}

fn chandelier(candles: &[Ohlcv], n: usize, multiplier: f64) -> Vec<Option<Vec<f64>>> {
    let mut rows = vec![None; candles.len()];
    let mut atr = 0.0;
    for row in n..candles.len() {
        let length = float(n);
        atr = if row == n {
            (1..=n).map(|row| true_range(candles, row)).sum::<f64>() / length
        } else {
            atr + (true_range(candles, row) - atr) / length
        };
        let (highest, lowest) = range(&candles[row + 1 - n..=row]);
        rows[row] = Some(vec![highest - multiplier * atr, lowest + multiplier * atr]);
    }
    rows
}

fn choppiness(candles: &[Ohlcv], n: usize) -> Column {
    let row = |row: usize| {
        let start = row.checked_sub(n)? + 1;
        let path: f64 = (start..=row).map(|row| true_range(candles, row)).sum();
        let (highest, lowest) = range(&candles[start..=row]);
        Some(100.0 * libm::log10(path / (highest - lowest)) / libm::log10(float(n)))
    };
    (0..candles.len()).map(row).collect()
}

fn ulcer(closes: &[f64], n: usize) -> Column {
    let drawdown = |row: usize| {
        let highest = closes[row + 1 - n..=row]
            .iter()
            .copied()
            .fold(f64::MIN, f64::max);
        100.0 * (closes[row] - highest) / highest
    };
    let row = |row: usize| {
        let start = (row + 2).checked_sub(2 * n)? + n - 1;
        let squares: f64 = (start..=row).map(|row| drawdown(row) * drawdown(row)).sum();
        Some((squares / float(n)).sqrt())
    };
    (0..closes.len()).map(row).collect()
}

fn pivots(candle: &Ohlcv) -> Vec<f64> {
    let Ohlcv { high, low, .. } = *candle;
    let p = typical(candle);
    let (r1, s1) = (p + (p - low), p - (high - p));
    vec![
        p,
        r1,
        s1,
        p + (high - low),
        p - (high - low),
        r1 + (high - low),
        s1 - (high - low),
    ]
}
