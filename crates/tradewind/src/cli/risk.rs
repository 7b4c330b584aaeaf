//! `tradewind risk`: what holds the desk back, its limits, and ending causes that only a person may end.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bots::accepted;
use super::client::Client;
use super::output::Output;
use super::table::{Column, Style, Table};

/// Arguments of `risk`.
#[derive(Clone, Debug, Args)]
pub(super) struct RiskArgs {
    #[command(subcommand)]
    action: Option<RiskAction>,
}

#[derive(Clone, Debug, Subcommand)]
enum RiskAction {
    /// Open causes, and what each allows
    List,
    /// The limits and their values
    Limits,
    /// End a scope's causes that only a person may end, its circuit breaker included; lifts no kill
    Clear(ClearArgs),
}

#[derive(Clone, Debug, Args)]
struct ClearArgs {
    /// desk, venue:NAME, account:NAME, instrument:NAME or bot:NAME
    #[arg(value_parser = scope)]
    scope: Value,
    /// The reason why it may trade again
    #[arg(long, value_name = "REASON")]
    reason: String,
}

fn scope(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if text == "desk" => Ok(json!({ "kind": "desk", "name": null })),
        Some((kind @ ("venue" | "account" | "instrument" | "bot"), name)) if !name.is_empty() => {
            Ok(json!({ "kind": kind, "name": name }))
        }
        _ => Err("write desk, venue:NAME, account:NAME, instrument:NAME or bot:NAME".to_owned()),
    }
}

const CAUSES: &[Column] = &[
    ("SCOPE", "/scope/kind", Style::Text),
    ("NAME", "/scope/name", Style::Text),
    ("STATE", "/state", Style::Text),
    ("CAUSE", "/reason", Style::Text),
    ("ENDED BY", "/clearing", Style::Text),
    ("SINCE", "/since", Style::Time),
];
const LIMITS: &[Column] = &[
    ("LIMIT", "/key", Style::Text),
    ("VALUE", "/value", Style::Text),
];

/// Executes the command.
pub(super) fn execute(args: &RiskArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    match &args.action {
        None | Some(RiskAction::List) => list("causes", CAUSES, "no open cause", client, output),
        Some(RiskAction::Limits) => list("limits", LIMITS, "no limits", client, output),
        Some(RiskAction::Clear(clear)) => {
            let body = json!({ "scope": clear.scope, "reason": clear.reason });
            accepted(&client.post("risk/clear", &body)?, "clear", output)
        }
    }
}

fn list(
    what: &str,
    columns: &'static [Column],
    none: &str,
    client: &Client,
    output: Output,
) -> anyhow::Result<()> {
    let mut risk = client.get("risk", &[])?;
    let items = json!({ "items": risk[what].take(), "next": null });
    if output.is_json() {
        return Ok(output.value(&items)?);
    }
    Ok(output.table(&Table::of(&items, columns), none)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_the_desk_or_something_with_a_name() {
        let named = |kind: &str, name: &str| Ok(json!({ "kind": kind, "name": name }));
        assert_eq!(
            scope("instrument:binance:BTC/USDT"),
            named("instrument", "binance:BTC/USDT")
        );
        assert_eq!(scope("bot:btc-rsi"), named("bot", "btc-rsi"));
        assert!(scope("desk").is_ok());
        assert_eq!(scope("venue:binance"), named("venue", "binance"));
        for wrong in ["", "bot", "bot:", "feed:binance", "desk:x"] {
            assert!(scope(wrong).is_err(), "{wrong}");
        }
    }
}
