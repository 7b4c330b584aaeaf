//! `tradewind orders`: lists open and closed orders and cancels one.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::bots::accepted;
use super::client::{Client, path_segment};
use super::output::Output;
use super::table::{Column, Style, Table};

/// Arguments of `orders`.
#[derive(Clone, Debug, Args)]
pub(super) struct OrdersArgs {
    #[command(subcommand)]
    action: Option<OrdersAction>,
}

#[derive(Clone, Debug, Subcommand)]
enum OrdersAction {
    /// Open orders, or with --closed the latest closed orders
    List(ListArgs),
    /// Cancel an order
    Cancel {
        /// The order's client id: 32 hexadecimal digits
        order: String,
    },
}

#[derive(Clone, Debug, Default, Args)]
struct ListArgs {
    /// Closed orders, newest first
    #[arg(long)]
    closed: bool,
    /// Only orders of this bot
    #[arg(long, value_name = "BOT")]
    bot: Option<String>,
    /// Only orders in this instrument
    #[arg(long, value_name = "INSTRUMENT")]
    instrument: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

const COLUMNS: &[Column] = &[
    ("ORDER", "/client_id", Style::Text),
    ("BOT", "/bot", Style::Text),
    ("INSTRUMENT", "/instrument", Style::Text),
    ("SIDE", "/side", Style::Text),
    ("TYPE", "/type", Style::Text),
    ("QUANTITY", "/quantity", Style::Number),
    ("FILLED", "/filled", Style::Number),
    ("PRICE", "/price", Style::Number),
    ("STATUS", "/status", Style::Text),
    ("PLACED", "/placed_at", Style::Time),
    ("REASON", "/reason", Style::Text),
];

/// Executes the command.
pub(super) fn execute(args: &OrdersArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    match &args.action {
        None => list(
            &ListArgs {
                limit: 100,
                ..ListArgs::default()
            },
            client,
            output,
        ),
        Some(OrdersAction::List(list_args)) => list(list_args, client, output),
        Some(OrdersAction::Cancel { order }) => cancel(order, client, output),
    }
}

fn list(args: &ListArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let limit = args.limit.to_string();
    let mut query = Vec::new();
    if args.closed {
        query.extend([("status", "closed"), ("limit", limit.as_str())]);
    }
    if let Some(bot) = &args.bot {
        query.push(("bot", bot));
    }
    let instrument = match &args.instrument {
        Some(name) => Some(super::positions::instrument(name, client)?),
        None => None,
    };
    if let Some(instrument) = &instrument {
        query.push(("instrument", instrument));
    }
    let orders = client.get("orders", &query)?;
    if output.is_json() {
        return Ok(output.value(&orders)?);
    }
    let empty = if args.closed {
        "no closed orders"
    } else {
        "no open orders"
    };
    Ok(output.table(&Table::of(&orders, COLUMNS), empty)?)
}

fn cancel(order: &str, client: &Client, output: Output) -> anyhow::Result<()> {
    if order.parse::<tradewind_model::ClientOrderId>().is_err() {
        bail!(
            "{order:?} is no client order id, which has 32 hexadecimal digits; `tradewind orders` lists them"
        );
    }
    let answer = client.delete(&format!("orders/{}", path_segment(order)))?;
    accepted(&answer, &format!("cancelling {order}"), output)
}
