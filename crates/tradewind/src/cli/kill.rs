//! `tradewind kill` and `reset`: the latch, with a desk and without one.
//!
//! A kill must work when little else does. The command goes to a running desk first. If the desk does not answer, the
//! file `KILL` is written. If no desk runs, the latch file is written, so that the next start is killed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};
use tradewind_journal::{DirectoryLock, Durable, LockError};
use tradewind_model::Amount;

use super::client::Client;
use super::exit::{NoDesk, TimedOut};
use super::location::Location;
use super::output::Output;
use super::positions::instrument;
use super::table::{Table, text_at};
use super::time::now;

/// Longest wait for the end of a kill that closes positions: longer than the desk takes at most.
const FLATTENED_WITHIN: Duration = Duration::from_secs(70);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The principal in a latch that is written without a desk.
const BY: &str = "the command line";

/// Arguments of `kill`.
#[derive(Clone, Debug, Args)]
pub(super) struct KillArgs {
    /// The reason; it is shown wherever the desk is shown as killed
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,

    /// Close all positions first
    #[arg(long, conflicts_with_all = ["venue", "account", "instrument", "bot"])]
    flatten: bool,

    /// With --flatten: sell what neither a bot nor the desk bought, too
    #[arg(long, requires = "flatten")]
    include_external: bool,

    #[command(flatten)]
    part: PartArgs,
}

/// A part of the desk; without one, all of it is meant.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
struct PartArgs {
    /// Only what is on this venue
    #[arg(long, value_name = "VENUE")]
    venue: Option<String>,

    /// Only what is on this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// Only what is in this instrument
    #[arg(long, value_name = "INSTRUMENT")]
    instrument: Option<String>,

    /// Only this bot
    #[arg(long, value_name = "BOT")]
    bot: Option<String>,
}

impl PartArgs {
    /// The part as the API has it; `null` for the whole desk.
    fn scope(&self, client: &Client) -> anyhow::Result<Value> {
        Ok(match self.named() {
            Some(("instrument", name)) => {
                json!({ "kind": "instrument", "name": instrument(name, client)? })
            }
            Some((kind, name)) => json!({ "kind": kind, "name": name }),
            None => Value::Null,
        })
    }

    /// Its kind and its name.
    fn named(&self) -> Option<(&'static str, &str)> {
        let parts = [
            ("venue", &self.venue),
            ("account", &self.account),
            ("instrument", &self.instrument),
            ("bot", &self.bot),
        ];
        let mut named = parts.into_iter();
        named.find_map(|(kind, name)| Some((kind, name.as_deref()?)))
    }

    /// Its words: `bot btc-rsi`.
    fn words(&self) -> String {
        self.named()
            .map_or_else(String::new, |(kind, name)| format!("{kind} {name}"))
    }
}

/// Arguments of `reset`.
#[derive(Clone, Debug, Args)]
pub(super) struct ResetArgs {
    /// The reason why trading is safe again
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,

    #[command(flatten)]
    part: PartArgs,
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give a reason: it is shown wherever the desk is shown as killed".to_owned());
    }
    Ok(text.to_owned())
}

/// Kills.
pub(super) fn kill(
    args: &KillArgs,
    location: &Location,
    timeout: Duration,
    output: Output,
) -> anyhow::Result<()> {
    let sent = Client::connect(location, timeout).and_then(|client| {
        let scope = args.part.scope(&client)?;
        let mut body = json!({
            "reason": args.reason,
            "flatten": args.flatten,
            "include_external": args.include_external,
        });
        if !scope.is_null() {
            body["scope"] = scope;
        }
        let answer = client.post("kill", &body)?;
        if args.flatten {
            return flattened(&client, args.include_external, output);
        }
        Ok(answer)
    });
    match sent {
        Ok(answer) if output.is_json() => Ok(output.value(&answer)?),
        Ok(left) if args.flatten => print_killed(&left, output),
        Ok(answer) => Ok(output.line(&killed(&answer, &args.part))?),
        // Only a desk knows its parts.
        Err(error) if args.part.named().is_some() => Err(error),
        Err(error) if location.is_local() && error.is::<NoDesk>() => {
            without_desk(args, location, output)
        }
        Err(error) if location.is_local() && error.is::<TimedOut>() => {
            touch(location)?;
            Err(error
                .context("the file KILL was written; a running desk is killed within a second"))
        }
        Err(error) => Err(error),
    }
}

/// What a kill has done, in words.
fn killed(answer: &Value, part: &PartArgs) -> String {
    let what = match part.named() {
        Some(_) => format!("killed {}: no new order of it is sent", part.words()),
        None => "killed: no new order is sent".to_owned(),
    };
    let latch = if answer["durable"] == Value::Bool(false) {
        "latched, not durable: do not end the process"
    } else {
        "durable"
    };
    let open = answer["open_orders"].as_u64().unwrap_or_default();
    format!("{what} until a reset; {latch}; {open} orders still open")
}

/// Waits until the desk is killed; the positions that are open then.
#[expect(
    clippy::disallowed_methods,
    reason = "the command has nothing else to do, and ends with its process"
)]
fn flattened(client: &Client, sells_external: bool, output: Output) -> anyhow::Result<Value> {
    output.complain(
        "no new order is sent but exits; positions are being closed, for a minute at most",
    );
    let began = Instant::now();
    while client.get("status", &[])?["state"] != "KILLED" {
        if began.elapsed() > FLATTENED_WITHIN {
            bail!(
                "the desk still closes positions; `tradewind kill` ends that, `tradewind positions` shows what is open"
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let left = client.get("positions", &[])?["items"].take();
    let mut killed = json!({ "state": "KILLED", "open_positions": left });
    if sells_external {
        let currency = client.get("status", &[])?["equity"]["asset"].take();
        killed["unsold_external"] = unsold(&client.get("balances", &[])?, &currency);
    }
    Ok(killed)
}

/// What is still EXTERNAL, by account and asset; the report currency is what the rest was to be sold for.
fn unsold(balances: &Value, currency: &Value) -> Value {
    let held = balances["items"].as_array().into_iter().flatten();
    let left = held
        .filter(|held| held["asset"] != *currency)
        .filter_map(|held| {
            let mut owners = held["owners"].as_array()?.iter();
            let is_external = |owner: &&Value| owner["owner"] == "EXTERNAL";
            let external =
                owners.find(|owner| is_external(owner) && is_positive(&owner["amount"]))?;
            Some(json!({
                "account": held["account"],
                "asset": held["asset"],
                "amount": external["amount"],
            }))
        });
    left.collect()
}

/// Whether an amount, which is written as text, is more than nothing.
fn is_positive(amount: &Value) -> bool {
    let amount = amount.as_str().and_then(|text| text.parse::<Amount>().ok());
    amount.is_some_and(|amount| amount > Amount::ZERO)
}

fn print_killed(killed: &Value, output: Output) -> anyhow::Result<()> {
    for unsold in killed["unsold_external"].as_array().into_iter().flatten() {
        let text = |name| text_at(unsold, name);
        output.complain(&format!(
            "not sold: {} {} of {}, which is EXTERNAL; `tradewind events --types alarm` has the reason",
            text("/amount"),
            text("/asset"),
            text("/account")
        ));
    }
    let left = killed["open_positions"].as_array().map_or(0, Vec::len);
    if left == 0 {
        return Ok(output
            .line("killed: every position is closed, and no new order is sent until a reset")?);
    }
    output.line(&format!(
        "killed: no new order is sent until a reset, and {left} positions are still open"
    ))?;
    let items = json!({ "items": killed["open_positions"] });
    Ok(output.table(&Table::of(&items, super::positions::COLUMNS), "")?)
}

fn without_desk(args: &KillArgs, location: &Location, output: Output) -> anyhow::Result<()> {
    if let Durable::No = location.latch().kill(&args.reason, BY, now()) {
        touch(location)?;
    }
    // A desk may just be starting, and have read the latch before it was written: it looks for KILL all the time.
    let starting = is_held(location);
    if starting {
        touch(location)?;
    }
    if args.flatten {
        output.complain("no desk is running that could close positions: they stay as they are");
    }
    if output.is_json() {
        return Ok(
            output.value(&json!({ "killed": true, "desk": starting, "reason": args.reason }))?
        );
    }
    Ok(output.line("killed: no desk is running, and the next one starts killed until a reset")?)
}

/// Writes the file `KILL`.
fn touch(location: &Location) -> anyhow::Result<()> {
    let path = location.data_dir.join("KILL");
    std::fs::write(&path, b"").with_context(|| format!("cannot write {}", path.display()))
}

/// Whether a process holds the lock of the data folder.
fn is_held(location: &Location) -> bool {
    matches!(
        DirectoryLock::acquire(&location.data_dir),
        Err(LockError::Held { .. })
    )
}

/// Clears the latch.
pub(super) fn reset(
    args: &ResetArgs,
    location: &Location,
    timeout: Duration,
    output: Output,
) -> anyhow::Result<()> {
    match Client::connect(location, timeout).and_then(|client| by_desk(args, &client)) {
        Ok(answer) if output.is_json() => Ok(output.value(&answer)?),
        Ok(_) if args.part.named().is_some() => {
            Ok(output.line(&format!("reset: {} may trade again", args.part.words()))?)
        }
        Ok(_) => Ok(output.line("reset: the desk may trade again")?),
        Err(error) if args.part.named().is_some() => Err(error),
        Err(error) if location.is_local() && error.is::<NoDesk>() => {
            by_hand(args, location, output)
        }
        Err(error) => Err(error),
    }
}

fn by_desk(args: &ResetArgs, client: &Client) -> anyhow::Result<Value> {
    let nonce = client.get("reset", &[])?;
    let nonce = text_at(&nonce, "/nonce");
    let scope = args.part.scope(client)?;
    let mut body = json!({ "reason": args.reason, "nonce": nonce });
    if !scope.is_null() {
        body["scope"] = scope;
    }
    client.post("reset", &body)
}

/// Clears the latch file. While a desk runs, only the desk may clear its latch.
fn by_hand(args: &ResetArgs, location: &Location, output: Output) -> anyhow::Result<()> {
    if !location.data_dir.is_dir() {
        bail!(
            "there is no folder {}; name the desk's with --data-dir",
            location.data_dir.display()
        );
    }
    let held = DirectoryLock::acquire(&location.data_dir);
    let _lock = held.context(
        "a running desk holds the folder but does not answer; only that desk can clear its latch",
    )?;
    let latch = location.latch();
    let before = latch.read(now());
    latch
        .reset(&args.reason, BY, now())
        .context("cannot clear the latch")?;
    let (was, why) = (before.killed, before.reason);
    if output.is_json() {
        return Ok(
            output.value(&json!({ "killed": false, "was_killed": was, "reason": args.reason }))?
        );
    }
    Ok(output.line(&if was {
        format!("reset: it was killed because: {why}")
    } else {
        "reset: it was not killed".to_owned()
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kill could not sell of EXTERNAL is listed; the money that it was sold for is not.
    #[test]
    fn what_is_still_external_is_listed_but_for_the_report_currency() {
        let owners = json!([{ "owner": "EXTERNAL", "amount": "3" }]);
        let held = |asset: &str, owners: &Value| json!({ "account": "main", "asset": asset, "owners": owners });
        let balances = json!({ "items": [
            held("USDT", &owners),
            held("DOGE", &owners),
            held("BTC", &json!([{ "owner": "rsi-btc", "amount": "1" }])),
            held("ETH", &json!([{ "owner": "EXTERNAL", "amount": "0" }])),
            held("BNB", &json!([{ "owner": "EXTERNAL", "amount": "-0.001" }])),
        ] });
        let wanted = json!([{ "account": "main", "asset": "DOGE", "amount": "3" }]);
        assert_eq!(unsold(&balances, &json!("USDT")), wanted);
    }
}
