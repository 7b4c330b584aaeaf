//! `tradewind certify`: a live desk with a small budget proves itself at a venue, step by step.
//!
//! It runs a desk of its own as another process (`run --live`): a smallest order, its stop at the venue, SIGKILL of the desk, a
//! restart, the exit, an order that is filled in part and cancelled, and a comparison. What the desk says is held against
//! what the venue says, which is read here over connections of its own. Each step is a line of the transcript.

mod desk;
mod plan;
mod steps;
mod transcript;
mod venue;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tradewind_model::Amount;

use self::plan::Plan;
use self::steps::Certification;
use self::transcript::Transcript;
use self::venue::VenueReader;
use super::config::ConfigFile;
use super::exit::ProblemsFound;
use super::location::default_data_dir;
use super::output::Output;
use crate::app::reading::bans;
use crate::cli::time::now;
use crate::config::Listing;

/// Arguments of `certify`.
#[derive(Clone, Debug, Args)]
pub(super) struct CertifyArgs {
    #[command(flatten)]
    file: ConfigFile,

    /// The venue
    #[arg(long, value_name = "VENUE", default_value = "binance")]
    venue: String,

    /// What it may use, in the quote asset of the instrument; it loses fees and spreads
    #[arg(long, value_name = "AMOUNT")]
    budget: Amount,

    /// A live account of the venue [default: its only one]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// What it trades
    #[arg(long, value_name = "PRODUCT", default_value = "BTC/USDT")]
    instrument: String,

    /// Confirm the account and the budget, such as "main 20", for a venue that is not on this machine
    #[arg(long, value_name = "ACCOUNT BUDGET")]
    confirm: Vec<String>,

    /// How long a resting order may wait for a part of it to be filled
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = super::duration)]
    patience: Duration,

    /// Where the transcript goes [default: certify.jsonl in the data folder]
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
}

/// Runs every step, closes what is left, and prints the result; exit code 1 if a step failed or could not be seen.
pub(super) fn run(
    args: &CertifyArgs,
    data_dir: Option<&Path>,
    output: Output,
) -> anyhow::Result<()> {
    let config = args.file.load(Listing::Unknown)?;
    let plan = Plan::new(&config, args)?;
    let folder = match data_dir {
        Some(folder) => folder.to_owned(),
        None => default_data_dir()?.join(format!("certify-{}", plan.venue.name)),
    };
    let venue = VenueReader::connect(&plan, &bans(&folder, now)?)?;
    let sizes = plan.sizes(venue.instrument(), venue.price()?)?;
    plan.write(&folder, &sizes)?;
    let path = args
        .transcript
        .clone()
        .unwrap_or_else(|| folder.join("certify.jsonl"));
    let mut transcript = Transcript::create(&path, &plan.secrets(), output)?;
    transcript.write(
        "certify",
        "begins",
        &json!({
            "version": env!("CARGO_PKG_VERSION"), "venue": plan.venue.name, "address": plan.venue.rest_url,
            "instrument": plan.product, "budget": plan.budget.to_string(), "smallest_order": sizes.order.to_string(),
        }),
    )?;
    let passed = Certification::new(&plan, folder, venue, transcript).run()?;
    output.complain(&format!("transcript: {}", path.display()));
    if passed {
        Ok(())
    } else {
        Err(ProblemsFound.into())
    }
}
