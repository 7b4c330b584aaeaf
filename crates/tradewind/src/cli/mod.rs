//! The command line: what can be typed, and the commands that talk to a running desk.
//!
//! `run` and `simx` start something; everything else is a client of the desk's own API, or works on files. Each command is
//! one file: its arguments, its handler, its printing. All printing goes through `output.rs`, every ending through
//! `exit.rs`: the codes are a contract.
//!
//! Wiring a desk is not done here: [`main`] is handed the function that runs one.

mod adopt;
mod backtest;
mod backtest_model;
mod backtest_process;
mod bots;
mod certify;
mod client;
mod config;
mod data;
mod doctor;
mod events;
mod exit;
mod faults;
mod init;
mod journal;
mod journal_repair;
mod kill;
mod location;
mod new;
mod orders;
mod output;
mod positions;
mod replay;
mod risk;
mod run;
mod simx;
mod status;
mod table;
mod time;
mod token;
mod train;
mod train_rows;
mod why;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use exit::{NoDesk, TimedOut};
pub use faults::Control;
pub use location::default_data_dir;
pub use run::{MarketSource, RunOptions};

use client::Client;
use location::Location;
use output::Output;

/// A trading desk in one process: bots, one risk gate, one order path, one ledger.
#[derive(Debug, Parser)]
#[command(
    name = "tradewind",
    version,
    after_help = "Exit codes: 0 ok, 1 failed, 2 usage, 3 no desk running, 4 configuration, 5 timed out"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Arguments of every command.
#[derive(Clone, Debug, Args)]
struct Global {
    /// Folder of the desk's files [default: the platform's data home]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TRADEWIND_DATA_DIR",
        hide_env_values = true
    )]
    data_dir: Option<std::path::PathBuf>,

    /// Address of the desk, in place of the one in DIR/desk.json
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,

    /// How long to wait for the desk
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,

    /// Print facts as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the desk
    Run(run::RunArgs),
    /// Prove a live desk at a venue with a small budget: order, stop, SIGKILL, restart, partial fill, cancel, comparison
    Certify(certify::CertifyArgs),
    /// Start the simulated exchange alone
    Simx(simx::SimxArgs),
    /// Show the state of the desk
    Status,
    /// List, start, stop, pause and replace bots
    Bots(bots::BotsArgs),
    /// List and cancel orders
    Orders(orders::OrdersArgs),
    /// List positions with their stops, and close them
    Positions(positions::PositionsArgs),
    /// Give a bot a position out of what the account holds and no bot has
    Adopt(adopt::AdoptArgs),
    /// Print events of the past, or new ones as they happen
    Events(events::EventsArgs),
    /// Explain the state of a bot, or the causes of an event
    Why(why::WhyArgs),
    /// Show open causes and limits, and end causes that only a person may end
    Risk(risk::RiskArgs),
    /// Set the kill switch: no new order is sent, whether a desk runs or not
    Kill(kill::KillArgs),
    /// Clear the kill switch
    Reset(kill::ResetArgs),
    /// Run a strategy over data files
    Backtest(backtest::BacktestArgs),
    /// Make versions of the models of the configuration, with the user's Python
    Train(train::TrainArgs),
    /// Record market data, fetch and import it into the catalogue, list, check and export it
    Data(data::DataArgs),
    /// Look into the files of the journal, check them, and export records
    Journal(journal::JournalArgs),
    /// Run a recorded session again and compare it with the journal
    Replay(replay::ReplayArgs),
    /// Check and show the configuration
    Config(config::ConfigArgs),
    /// Look for problems on this machine
    Doctor(config::ConfigFile),
    /// Print the token of the desk's API
    Token,
    /// Write a strategy to begin with: in Python, as rules, or in Rust
    New(new::NewArgs),
    /// Write a configuration to a file: the default one, or one for a swing or an intraday desk
    Init(init::InitArgs),
}

/// Parses the command line and executes it. `start` runs a desk until it has stopped.
#[must_use]
pub fn main(start: fn(RunOptions) -> anyhow::Result<()>) -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    exit::finish(output, dispatch(cli, output, start))
}

fn dispatch(
    cli: Cli,
    output: Output,
    start: fn(RunOptions) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let location = Location::new(&cli.global)?;
    let timeout = cli.global.timeout;
    let client = || Client::connect(&location, timeout);
    match cli.command {
        Command::Run(args) => start(args.into_options(location.data_dir)?),
        Command::Certify(args) => certify::run(&args, cli.global.data_dir.as_deref(), output),
        Command::Simx(args) => simx::run(&args, cli.global.data_dir.as_deref(), output),
        Command::Status => status::show(&client()?, output),
        Command::Bots(args) => bots::execute(&args, &client()?, output),
        Command::Orders(args) => orders::execute(&args, &client()?, output),
        Command::Positions(args) => positions::execute(&args, &client()?, output),
        Command::Adopt(args) => adopt::execute(&args, &client()?, output),
        Command::Risk(args) => risk::execute(&args, &client()?, output),
        Command::Events(args) => events::follow(&args, &client()?, output),
        Command::Backtest(args) => backtest::run(args, &location.data_dir, output),
        Command::Train(args) => train::run(&args, &location.data_dir, output),
        Command::Data(args) => data::execute(args, &location.data_dir, output),
        Command::Why(args) => why::execute(&args, &location, client, output),
        Command::Kill(args) => kill::kill(&args, &location, timeout, output),
        Command::Reset(args) => kill::reset(&args, &location, timeout, output),
        Command::Journal(args) => journal::execute(&args, &location, output),
        Command::Replay(args) => replay::execute(&args, &location, output),
        Command::Config(args) => config::execute(&args, output),
        Command::Doctor(file) => doctor::examine(&file, &location, timeout, output),
        Command::Token => token::print(&location, output),
        Command::New(args) => new::write(&args, output),
        Command::Init(args) => init::write(&args, output),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::parse_duration(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write a duration such as 250ms, 2s, 15m or 4h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
