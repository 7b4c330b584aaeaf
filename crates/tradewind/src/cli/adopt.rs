//! `tradewind adopt`: gives a bot a position out of what the account holds and no bot has.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::bots::accepted;
use super::client::Client;
use super::output::Output;
use super::positions::instrument;

/// Arguments of `adopt`.
#[derive(Clone, Debug, Args)]
pub(super) struct AdoptArgs {
    /// The bot that gets the position
    #[arg(long, value_name = "BOT")]
    bot: String,
    /// Instrument, such as BTC/USDT, binance:BTC/USDT or BTCUSDT
    #[arg(long, value_name = "INSTRUMENT")]
    instrument: String,
    /// How much, in base units
    #[arg(long, value_name = "QUANTITY")]
    quantity: String,
    /// What one unit counts as having cost
    #[arg(long, value_name = "PRICE")]
    cost: String,
    /// Where its loss is taken [default: by the bot's exit plan]
    #[arg(long, value_name = "PRICE")]
    stop: Option<String>,
    /// Whose it is now
    #[arg(long, value_enum, default_value_t = Owner::External)]
    from: Owner,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Owner {
    /// What was there before the desk, or was bought by somebody else
    External,
    /// What the desk holds for no bot
    Unallocated,
}

/// Executes the command.
pub(super) fn execute(args: &AdoptArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let instrument = instrument(&args.instrument, client)?;
    let from = match args.from {
        Owner::External => "external",
        Owner::Unallocated => "unallocated",
    };
    let body = json!({
        "bot": args.bot,
        "instrument": instrument,
        "quantity": args.quantity,
        "cost": args.cost,
        "stop": args.stop,
        "from": from,
    });
    let answer = client.post("positions/adopt", &body)?;
    let done = format!("{} of {instrument} belongs to {}", args.quantity, args.bot);
    accepted(&answer, &done, output)
}
