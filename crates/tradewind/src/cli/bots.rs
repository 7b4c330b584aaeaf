//! `tradewind bots`: list, start, stop and pause bots, and put others in their place.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::output::Output;
use super::table::{Column, Style, Table, text_at};

/// Arguments of `bots`.
#[derive(Clone, Debug, Args)]
pub(super) struct BotsArgs {
    #[command(subcommand)]
    action: Option<BotsAction>,
}

#[derive(Clone, Debug, Subcommand)]
enum BotsAction {
    /// The state of each bot and the last result of its strategy
    List,
    /// Start a bot that is stopped or paused
    Start(Named),
    /// Stop a bot; its open entries are cancelled
    Stop(StopArgs),
    /// Pause a bot: no entries; exits continue
    Pause(Named),
    /// Replace the desk's bots by those of a file while it runs: all of what differs, or nothing
    ///
    /// FILE has [[bots]] alone, or is the desk's configuration with other bots. A bot that is not in it is removed: it enters
    /// nothing any more, and its positions are closed by their exit plans. Bots that do not differ are not touched. The next
    /// start of the desk takes these bots, too, unless it is given --bots-from-file.
    Apply(ApplyArgs),
}

#[derive(Clone, Debug, Args)]
struct ApplyArgs {
    /// TOML with every bot that is to run
    file: PathBuf,
    /// Print what differs and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Debug, Args)]
struct Named {
    /// Name of the bot
    bot: String,
}

#[derive(Clone, Debug, Args)]
struct StopArgs {
    #[command(flatten)]
    named: Named,
    /// Close its positions at market; without it they stay open under their exit plan
    #[arg(long)]
    close: bool,
}

const COLUMNS: &[Column] = &[
    ("BOT", "/name", Style::Text),
    ("STATE", "/state", Style::Text),
    ("STRATEGY", "/strategy", Style::Text),
    ("RUNS ON", "/wakes", Style::Text),
    ("SIGNALS", "/counts/signals", Style::Number),
    ("DENIED", "/counts/denials", Style::Number),
    ("FILLS", "/counts/fills", Style::Number),
    ("REALISED", "/realized", Style::Number),
    ("REASON", "/reason", Style::Text),
];

/// Executes the command.
pub(super) fn execute(args: &BotsArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    match &args.action {
        None | Some(BotsAction::List) => list(client, output),
        Some(BotsAction::Start(named)) => command(client, output, &named.bot, "start", &json!({})),
        Some(BotsAction::Pause(named)) => command(client, output, &named.bot, "pause", &json!({})),
        Some(BotsAction::Apply(args)) => apply(args, client, output),
        Some(BotsAction::Stop(stop)) => {
            let mode = if stop.close { "close" } else { "keep" };
            command(
                client,
                output,
                &stop.named.bot,
                "stop",
                &json!({ "mode": mode }),
            )
        }
    }
}

fn list(client: &Client, output: Output) -> anyhow::Result<()> {
    let bots = client.get("bots", &[])?;
    if output.is_json() {
        return Ok(output.value(&bots)?);
    }
    Ok(output.table(&Table::of(&bots, COLUMNS), "no bots")?)
}

fn apply(args: &ApplyArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let file = args.file.display().to_string();
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("reading {file}"))?;
    let body = json!({ "file": file, "text": text, "dry_run": args.dry_run });
    let answer = client
        .put("bots", &body)
        .with_context(|| format!("the bots of {file} are not applied"))?;
    if output.is_json() {
        return Ok(output.value(&answer)?);
    }
    let changes = answer["changes"].as_array().map_or(&[][..], Vec::as_slice);
    for change in changes {
        output.line(change.as_str().unwrap_or_default())?;
    }
    let revision = text_at(&answer, "/revision");
    let summary = match (changes.len(), args.dry_run) {
        (0, _) => format!("No bot differs; revision {revision} stays in force"),
        (_, true) => format!("Nothing was changed; it would be revision {revision}"),
        (count, false) => format!("Revision {revision} is in force, {count} of its bots changed"),
    };
    Ok(output.line(&summary)?)
}

fn command(
    client: &Client,
    output: Output,
    bot: &str,
    verb: &str,
    body: &Value,
) -> anyhow::Result<()> {
    let path = format!("bots/{}/{verb}", super::client::path_segment(bot));
    let answer = client.post(&path, body)?;
    accepted(&answer, &format!("{bot}: {verb}"), output)
}

/// Prints the answer to a command.
pub(super) fn accepted(answer: &Value, what: &str, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(output.value(answer)?);
    }
    let order = match answer["client_id"].as_str() {
        Some(id) => format!(", order {id}"),
        None => String::new(),
    };
    let command = text_at(answer, "/command");
    Ok(output.line(&format!("{what} accepted{order} (command {command})"))?)
}
