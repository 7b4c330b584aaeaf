//! The swing template through recorded days on which its markets fell by 15 % and more: which limits acted, when, and what
//! that cost or saved. Prints the tables of docs/swing-days.md; `scripts/swing-days` runs it. Argument: the data folder.

#![expect(clippy::print_stdout, reason = "the tables are what it is run for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tradewind_backtest::Report;
use tradewind_model::{Amount, ExitPlan, Timestamp};
use tradewind_risk::Limits;

#[path = "../../tests/config/candle_history.rs"]
mod candle_history;
use candle_history::{Desk, History, Table};

/// Seconds.
const DAY: i64 = 86_400;
/// What is played after the day.
const DAYS_AFTER: i64 = 7;

/// A fall: the day, what is played before it, and the table of its market.
struct Fall {
    title: &'static str,
    /// Midnight of the day, in seconds.
    day: i64,
    days_before: i64,
    file: &'static str,
    /// The market that all eight bots trade.
    product: &'static str,
}

const FALLS: [Fall; 4] = [
    Fall {
        title: "BTC, 5 February 2018",
        day: 1_517_788_800,
        days_before: 2,
        file: "binance_multi_tf_2018/BTC_USDT-4h.csv",
        product: "BTC/USDT",
    },
    Fall {
        title: "ETH in BTC, 10 January 2018",
        day: 1_515_542_400,
        days_before: 0,
        file: "candles_2018_5m/ETH_BTC-5m.csv.gz",
        product: "ETH/BTC",
    },
    Fall {
        title: "SOL, 19 May 2021",
        day: 1_621_382_400,
        days_before: 20,
        file: "binance_1h/SOLUSDT_1h_2020_2026.csv.gz",
        product: "SOL/USDT",
    },
    Fall {
        title: "SOL, 9 November 2022",
        day: 1_667_952_000,
        days_before: 20,
        file: "binance_1h/SOLUSDT_1h_2020_2026.csv.gz",
        product: "SOL/USDT",
    },
];

fn main() -> anyhow::Result<()> {
    let data = std::env::args_os().nth(1).map(PathBuf::from);
    let data = data.context("name the folder of recorded market data")?;
    for fall in &FALLS {
        show(fall, &data)?;
    }
    Ok(())
}

/// Plays a fall with the template's limits, without limits, and without limits and stops.
fn show(fall: &Fall, data: &Path) -> anyhow::Result<()> {
    let from = fall.day - fall.days_before * DAY;
    let until = fall.day + DAYS_AFTER * DAY;
    let table = Table::read(&data.join(fall.file), from, until)?;
    let desk = Desk::swing(&[fall.product])?;
    let history = History::new(&desk, &BTreeMap::from([(fall.product, &table)]))?;
    let [limited, free, bare] = [
        desk.clone(),
        without_limits(desk.clone()),
        without_stops(without_limits(desk)),
    ]
    .map(|desk| desk.run(history.clone()));
    let (limited, free, bare) = (limited?, free?, bare?);
    let asset = &limited.report_asset;
    println!("### {}\n", fall.title);
    println!(
        "The market: {} in the day, {} from its open to its lowest price.\n",
        change(&table, fall.day, |[.., close]| close, last),
        change(&table, fall.day, |[_, _, low, _]| low, f64::min)
    );
    println!(
        "| {asset} | before | worst of the day | end of the day | {DAYS_AFTER} days later | drawdown | fills | entries denied |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, report) in [
        ("the template", &limited),
        ("without limits", &free),
        ("without limits and stops", &bare),
    ] {
        println!("| {name} | {} |", row(report, fall.day));
    }
    let saved = limited.equity_end - free.equity_end;
    println!(
        "\nThe limits made {saved} {asset} against the same desk without them, and these acted:\n"
    );
    acted(&limited);
    Ok(())
}

/// Limits that never act.
fn without_limits(mut desk: Desk) -> Desk {
    desk.configuration.limits = Limits::wide();
    desk
}

/// No exit plan: positions end by their strategy's signal.
fn without_stops(mut desk: Desk) -> Desk {
    for bot in &mut desk.configuration.bots {
        bot.exit = ExitPlan::default();
    }
    desk
}

/// From the first open of a day to one price of its candles, in words.
fn change(
    table: &Table,
    day: i64,
    price: fn([f64; 4]) -> f64,
    which: fn(f64, f64) -> f64,
) -> String {
    let rows = table.rows.iter();
    let mut rows = rows
        .filter(|(open, _)| (day..day + DAY).contains(open))
        .peekable();
    let open = rows.peek().map_or(f64::NAN, |(_, [open, ..])| *open);
    let wanted = rows.map(|(_, prices)| price(*prices)).reduce(which);
    format!("{:.1} %", (wanted.unwrap_or(f64::NAN) / open - 1.0) * 100.0)
}

const fn last(_: f64, later: f64) -> f64 {
    later
}

fn row(report: &Report, day: i64) -> String {
    let (from, until) = (Timestamp::from_secs(day), Timestamp::from_secs(day + DAY));
    let samples = || report.equity.iter();
    let last_before = |at| {
        let before = samples().take_while(|sample| sample.at < at).last();
        before.map_or(report.equity_start, |sample| sample.equity)
    };
    let within = samples().filter(|sample| sample.at >= from && sample.at < until);
    let worst = within.map(|sample| sample.equity).min();
    let denials: u64 = report.denials.values().sum();
    let text = |amount: Amount| amount.to_text(4);
    format!(
        "{} | {} | {} | {} | {} | {} | {denials}",
        text(last_before(from)),
        worst.map_or_else(String::new, text),
        text(last_before(until)),
        text(report.equity_end),
        report.drawdown_max,
        report.fills
    )
}

fn acted(report: &Report) {
    for change in &report.state_changes {
        println!("- {change}");
    }
    for (rule, count) in &report.denials {
        println!("- {rule}: {count} entries denied");
    }
    if report.state_changes.is_empty() && report.denials.is_empty() {
        println!("- none");
    }
    println!();
}
