//! The default desk on the generated market for 24 virtual hours at the written limits, one line a seed: what was traded,
//! and every change of a trading state that a limit made. The engine and the matching core are linked directly.
//!
//! `scripts/default-day` runs it on the five seeds of the acceptance. Arguments: hours, then seeds. `TRADEWIND_CONFIG` names another
//! configuration on the same market.

#![expect(clippy::print_stdout, reason = "the lines are what it is run for")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tradewind::config::{AbsentInstruments, DeskConfig, Listing};
use tradewind_backtest::{Latency, Report, Setup, run};
use tradewind_model::{AccountId, Amount, VenueId};
use tradewind_simx::{ExchangeConfig, universe};

#[path = "../../tests/config/market.rs"]
mod market;

fn main() -> anyhow::Result<ExitCode> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let hours = numbers.next().context("hours are missing")??;
    let mut fits = true;
    for seed in numbers {
        let report = day(seed?, Duration::from_secs(hours * 3_600))?;
        fits &= report.state_changes.is_empty();
    }
    Ok(if fits {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn day(seed: u64, span: Duration) -> anyhow::Result<Report> {
    let file = std::env::var_os("TRADEWIND_CONFIG").map(PathBuf::from);
    let config = DeskConfig::load(file.as_deref(), &BTreeMap::new(), Listing::Generated)?;
    let listed = universe("binance", VenueId(0));
    let usdt = listed.assets.find("USDT").context("no USDT")?;
    let absent = AbsentInstruments::Refuse;
    let configuration = config.resolve(&listed.instruments, listed.assets, absent)?;
    let mut market = market::Market::new(seed, span, &listed.instruments, &configuration);
    let setup = Setup {
        balances: vec![(AccountId(0), usdt, Amount::whole(100_000))],
        configuration,
        exchange: ExchangeConfig::default(),
        latency: Latency::default(),
        fills_kept: Setup::FILLS_KEPT,
        past: Vec::new(),
    };
    let report = run(setup, &mut market)?;
    println!(
        "seed {seed}: {} quotes, {} orders, {} fills, {} positions closed, profit {}, denials {:?}, {} state changes",
        report.quotes,
        report.orders,
        report.fills,
        report.positions_closed,
        report.profit_worst_order.to_text(2),
        report.denials,
        report.state_changes.len()
    );
    for change in &report.state_changes {
        println!("  {change}");
    }
    Ok(report)
}
