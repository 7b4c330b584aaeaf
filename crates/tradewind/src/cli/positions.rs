//! `tradewind positions`: lists positions with their stops and closes one.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::bots::accepted;
use super::client::Client;
use super::output::Output;
use super::table::{Column, Style, Table};

/// Arguments of `positions`.
#[derive(Clone, Debug, Args)]
pub(super) struct PositionsArgs {
    #[command(subcommand)]
    action: Option<PositionsAction>,
}

#[derive(Clone, Debug, Subcommand)]
enum PositionsAction {
    /// Open positions with their stops and targets
    List {
        /// Only positions of this bot
        #[arg(long, value_name = "BOT")]
        bot: Option<String>,
    },
    /// Close a position at market
    Close(CloseArgs),
}

#[derive(Clone, Debug, Args)]
struct CloseArgs {
    /// Instrument, such as BTC/USDT, binance:BTC/USDT or BTCUSDT
    instrument: String,
    /// The bot that holds it; without it, the position that was opened by hand
    #[arg(long, value_name = "BOT")]
    bot: Option<String>,
    /// The account, where there are several
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
}

pub(super) const COLUMNS: &[Column] = &[
    ("OWNER", "/owner", Style::Text),
    ("INSTRUMENT", "/instrument", Style::Text),
    ("QUANTITY", "/quantity", Style::Number),
    ("ENTRY", "/entry_price", Style::Number),
    ("COST", "/cost", Style::Number),
    ("UNREALISED", "/unrealized", Style::Number),
    ("PROTECTED", "/protected", Style::Text),
    ("STOP", "/exit/stop", Style::Number),
    ("TAKE PROFIT", "/exit/take_profit", Style::Number),
    ("TRAILING", "/exit/trailing", Style::Number),
    ("OPENED", "/opened_at", Style::Time),
];

/// Executes the command.
pub(super) fn execute(args: &PositionsArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    match &args.action {
        None => list(None, client, output),
        Some(PositionsAction::List { bot }) => list(bot.as_deref(), client, output),
        Some(PositionsAction::Close(close_args)) => close(close_args, client, output),
    }
}

fn list(bot: Option<&str>, client: &Client, output: Output) -> anyhow::Result<()> {
    let query: Vec<(&str, &str)> = bot.map(|bot| ("bot", bot)).into_iter().collect();
    let positions = client.get("positions", &query)?;
    if output.is_json() {
        return Ok(output.value(&positions)?);
    }
    Ok(output.table(&Table::of(&positions, COLUMNS), "no positions")?)
}

fn close(args: &CloseArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let instrument = instrument(&args.instrument, client)?;
    let mut body = json!({ "instrument": instrument });
    if let Some(bot) = &args.bot {
        body["bot"] = json!(bot);
    }
    if let Some(account) = &args.account {
        body["account"] = json!(account);
    }
    let answer = client.post("positions/close", &body)?;
    accepted(&answer, &format!("closing {instrument}"), output)
}

/// The desk's name of an instrument written in full, without its venue, or as the venue's own symbol.
pub(super) fn instrument(written: &str, client: &Client) -> anyhow::Result<String> {
    if written.contains(':') {
        return Ok(written.to_owned());
    }
    let config = client.get("config", &[])?;
    let names = config["instruments"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|one| one["name"].as_str()).collect();
    let fits = |name: &&&str| {
        let product = name.split_once(':').map_or(**name, |(_, product)| product);
        product == written || product.replace('/', "") == written
    };
    let found: Vec<&&str> = names.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok((**one).to_owned()),
        [] => bail!(
            "the desk has no instrument {written:?}; write it as BTC/USDT or binance:BTC/USDT"
        ),
        [first, ..] => bail!("{written:?} is at several venues; write it in full, such as {first}"),
    }
}
