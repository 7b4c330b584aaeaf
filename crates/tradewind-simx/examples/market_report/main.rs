//! The generated market in figures and pictures: `market_report DAYS FOLDER FILE`, called by `scripts/market-report`.
//!
//! It plays DAYS of the market of seed 42 (`measure.rs`), draws six pictures into FOLDER (`draw.rs`), and puts a table of
//! figures between two marks into FILE, which is `docs/market.md`. One seed gives the same pictures on every machine.

#![expect(
    clippy::disallowed_methods,
    reason = "a program beside the core, which reads its arguments and writes pictures"
)]

mod draw;
mod measure;

use std::fs;
use std::io;
use std::path::Path;

use draw::{Axis, Plot, square};
use measure::{
    DAY, Figures, Market, autocorrelation, broken, correlation, figures, mean, median, play,
};

const SEED: u64 = 42;
const BLUE: &str = "#1f6feb";
const RED: &str = "#cf222e";
const GREY: &str = "#8c959f";
/// Where the figures begin and end in the page.
const MARKS: (&str, &str) = ("<!-- figures -->\n", "<!-- end of figures -->");

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [days, folder, page] = arguments.as_slice() else {
        return Err(io::Error::other("usage: market_report DAYS FOLDER FILE"));
    };
    let days: usize = days
        .parse()
        .map_err(|_| io::Error::other(format!("no number of days: {days}")))?;
    let market = play(SEED, days * DAY);
    let figures = figures(&market);
    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    for (name, picture) in [
        ("prices", prices(&market)),
        ("returns", returns(&market)),
        ("memory", memory(&market)),
        ("spread", spread(&market)),
        ("hours", hours(&market)),
        ("correlation", correlations(&market)),
    ] {
        fs::write(folder.join(name).with_extension("svg"), picture)?;
    }
    let text = fs::read_to_string(page)?;
    let (before, rest) = text
        .split_once(MARKS.0)
        .ok_or_else(|| io::Error::other(format!("{page} has no line {}", MARKS.0)))?;
    let (_, after) = rest
        .split_once(MARKS.1)
        .ok_or_else(|| io::Error::other(format!("{page} has no line {}", MARKS.1)))?;
    let table = table(&market, &figures, days);
    fs::write(page, [before, MARKS.0, &table, MARKS.1, after].concat())?;
    match broken(&market, &figures) {
        words if words.is_empty() => Ok(()),
        words => Err(io::Error::other(words.join("\n"))),
    }
}

/// The figures of every instrument as a Markdown table.
fn table(market: &Market, figures: &[Figures], days: usize) -> String {
    let mut text = format!(
        "{days} days of seed {SEED}: {:.0} million events, {} crossed books.\n\n\
         | | bp a minute | kurtosis | clustering | momentum | spread | depth | together |\n\
         |---|---|---|---|---|---|---|---|\n",
        market.events as f64 / 1e6,
        market.crossed
    );
    for (place, one) in figures.iter().enumerate() {
        text += &row(market.base(place), one);
    }
    let all = |of: fn(&Figures) -> f64| median(figures.iter().map(of).collect());
    let middle = Figures {
        deviation_bp: all(|one| one.deviation_bp),
        kurtosis: all(|one| one.kurtosis),
        clustering: all(|one| one.clustering),
        momentum: all(|one| one.momentum),
        spread: all(|one| one.spread),
        depth: all(|one| one.depth),
        together: all(|one| one.together),
    };
    let [half, most, all] = [0.5, 0.99, 0.999].map(|share| market.trade_quantile(share));
    text + &row("**median**", &middle)
        + &format!(
            "\nA trade is worth {half:.0} USDT in the median, one in a hundred {most:.0} or more, one in a thousand {all:.0} or more.\n"
        )
}

fn row(name: &str, one: &Figures) -> String {
    format!(
        "| {name} | {:.1} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |\n",
        one.deviation_bp,
        one.kurtosis,
        one.clustering,
        one.momentum,
        one.spread,
        one.depth,
        one.together
    )
}

/// Every instrument's price, and their mean, which is the factor they share.
fn prices(market: &Market) -> String {
    const EVERY: usize = 60;
    let logs: Vec<Vec<f64>> = market
        .minutes
        .iter()
        .map(|minutes| {
            let moved = |close: f64| libm::log(close / minutes[0].close) * 100.0;
            minutes
                .iter()
                .step_by(EVERY)
                .map(|minute| moved(minute.close))
                .collect()
        })
        .collect();
    let most = logs
        .iter()
        .flatten()
        .fold(1.0, |most, moved| f64::max(most, moved.abs()));
    let most = libm::ceil(most / 5.0) * 5.0;
    let days = market.minutes[0].len() as f64 / DAY as f64;
    let mut plot = Plot::new(
        "Prices: each instrument, and the market they share",
        Axis {
            label: "days",
            span: (0.0, days),
            step: 1.0,
        },
        Axis {
            label: "change, per cent (logarithmic)",
            span: (-most, most),
            step: 5.0,
        },
    );
    let day = |place: usize| (place * EVERY) as f64 / DAY as f64;
    for moved in &logs {
        plot.line(
            moved
                .iter()
                .enumerate()
                .map(|(place, moved)| (day(place), *moved)),
            GREY,
            0.7,
        );
    }
    for (place, color) in [(0, BLUE), (24, RED)] {
        let path = logs[place].iter().enumerate();
        plot.line(path.map(|(place, moved)| (day(place), *moved)), color, 1.2);
        let beta = if place == 0 { "beta 0.85" } else { "beta 1.4" };
        let order = if place == 0 { 1 } else { 2 };
        plot.legend(order, color, &format!("{}, {beta}", market.base(place)));
    }
    let shared =
        (0..logs[0].len()).map(|place| (day(place), mean(logs.iter().map(|moved| moved[place]))));
    plot.line(shared, "#24292f", 2.0);
    plot.legend(0, "#24292f", "mean of all 25");
    plot.finish()
}

/// How often one-minute returns of a size occur, beside the normal law, on a logarithmic axis.
fn returns(market: &Market) -> String {
    const BINS: usize = 81;
    const WIDE: f64 = 10.0;
    let width = 2.0 * WIDE / BINS as f64;
    let (mut counts, mut all) = (vec![0.0; BINS], 0.0);
    for place in 0..market.instruments.len() {
        let returns = market.returns(place);
        let deviation = mean(returns.iter().map(|moved| moved * moved)).sqrt();
        for moved in returns {
            let bin = libm::floor((moved / deviation + WIDE) / width);
            if (0.0..BINS as f64).contains(&bin) {
                counts[whole(bin)] += 1.0;
            }
            all += 1.0;
        }
    }
    let mut plot = Plot::new(
        "One-minute returns: heavier tails than the normal law's",
        Axis {
            label: "return, in its own deviations",
            span: (-WIDE, WIDE),
            step: 2.0,
        },
        Axis {
            label: "frequency, powers of ten",
            span: (-6.0, 0.0),
            step: 1.0,
        },
    );
    let middle = |bin: usize| (bin as f64 + 0.5) * width - WIDE;
    let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
    for (bin, count) in seen {
        plot.bar(
            (middle(bin), libm::log10(count / all / width)),
            width * 0.9,
            BLUE,
        );
    }
    let normal = |x: f64| -x * x / 2.0 * std::f64::consts::LOG10_E - 0.399_09;
    let steps = (-53..=53).map(|step| f64::from(step) * 0.1);
    plot.line(steps.map(|x| (x, normal(x))), RED, 2.0);
    plot.legend(0, BLUE, "25 instruments, each by its own");
    plot.legend(1, RED, "normal law");
    plot.finish()
}

/// How long the size of a move and the move itself are remembered.
fn memory(market: &Market) -> String {
    const LAGS: usize = 120;
    let all: Vec<Vec<f64>> = (0..market.instruments.len())
        .map(|place| market.returns(place))
        .collect();
    let sizes: Vec<Vec<f64>> = all
        .iter()
        .map(|returns| returns.iter().map(|moved| moved.abs()).collect())
        .collect();
    let mut plot = Plot::new(
        "Memory: moves cluster, and prices swing for minutes and come back",
        Axis {
            label: "minutes later",
            span: (0.0, LAGS as f64),
            step: 20.0,
        },
        Axis {
            label: "autocorrelation",
            span: (-0.2, 0.3),
            step: 0.1,
        },
    );
    for (series, color, order, text) in [
        (&sizes, BLUE, 0, "absolute returns"),
        (&all, RED, 1, "returns"),
    ] {
        let at = |lag: usize| mean(series.iter().map(|values| autocorrelation(values, lag)));
        plot.line((1..=LAGS).map(|lag| (lag as f64, at(lag))), color, 1.6);
        plot.legend(order, color, text);
    }
    plot.finish()
}

/// Spread against volatility, quarter hour by quarter hour, each in multiples of its instrument's usual one.
fn spread(market: &Market) -> String {
    /// Every so many points is drawn.
    const EVERY: usize = 12;
    let mut plot = Plot::new(
        "Spread against volatility, each in multiples of its usual",
        Axis {
            label: "volatility of 15 minutes",
            span: (0.0, 3.0),
            step: 1.0,
        },
        Axis {
            label: "spread",
            span: (0.5, 2.0),
            step: 0.5,
        },
    );
    let (mut drawn, mut bins) = (Vec::new(), vec![Vec::new(); 12]);
    for place in 0..market.instruments.len() {
        let stretches = market.stretches(place);
        let usual = (
            mean(stretches.iter().map(|(moved, _)| *moved)),
            mean(stretches.iter().map(|(_, spread)| *spread)),
        );
        for (number, (moved, spread)) in stretches.iter().enumerate() {
            let point = (moved / usual.0, spread / usual.1);
            if point.0 >= 3.0 {
                continue;
            }
            bins[whole(point.0 * 4.0)].push(point.1);
            if (number + place) % EVERY == 0 {
                drawn.push(point);
            }
        }
    }
    plot.points(drawn, BLUE);
    let enough = bins.iter().enumerate().filter(|(_, bin)| bin.len() >= 20);
    let means =
        enough.map(|(bin, spreads)| ((bin as f64 + 0.5) / 4.0, mean(spreads.iter().copied())));
    plot.line(means, RED, 2.0);
    plot.legend(0, BLUE, "a quarter of an hour");
    plot.legend(1, RED, "mean");
    plot.finish()
}

/// What is traded in each hour of the day, in multiples of the mean.
fn hours(market: &Market) -> String {
    let hour_of = |minute: usize| minute / 60 % 24;
    let mut sums = [0.0; 24];
    for minutes in &market.minutes {
        let usual = mean(minutes.iter().map(|minute| minute.worth));
        for (minute, one) in minutes.iter().enumerate() {
            sums[hour_of(minute)] += one.worth / usual;
        }
    }
    let usual = mean(sums.iter().copied());
    let mut plot = Plot::new(
        "Volume by hour: busiest when New York opens",
        Axis {
            label: "hour of the day, UTC",
            span: (-0.5, 23.5),
            step: 2.0,
        },
        Axis {
            label: "volume, multiples of the mean",
            span: (0.0, 2.0),
            step: 0.5,
        },
    );
    for (hour, sum) in sums.iter().enumerate() {
        plot.bar((hour as f64, sum / usual), 0.8, BLUE);
    }
    plot.finish()
}

/// Correlation of one-minute returns, pair by pair.
fn correlations(market: &Market) -> String {
    let all: Vec<Vec<f64>> = (0..market.instruments.len())
        .map(|place| market.returns(place))
        .collect();
    let names: Vec<&str> = (0..all.len()).map(|place| market.base(place)).collect();
    square(
        "Correlation of one-minute returns, per cent",
        &names,
        |one, other| correlation(&all[one], &all[other]),
    )
}

/// A place in a list.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places are small, and below zero there is none"
)]
fn whole(value: f64) -> usize {
    value as usize
}
