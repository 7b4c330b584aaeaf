//! `tradewind why`: explains the state of a bot, or the causes of an event.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use tradewind_api::wire;
use tradewind_events::PositionView;
use tradewind_journal::Reader;
use tradewind_model::{EventId, OwnerId, Timestamp};

use super::client::Client;
use super::events;
use super::location::Location;
use super::output::Output;
use super::replay::reader;
use super::table::text_at;
use crate::replay::look;

/// Arguments of `why`.
#[derive(Clone, Debug, Args)]
pub(super) struct WhyArgs {
    /// Name of a bot, or id of an event such as 48006.0
    #[arg(value_name = "BOT")]
    subject: String,

    /// What the bot saw and had decided at this time, from the journal of --data-dir; no desk need run
    #[arg(long, value_name = "TIME", value_parser = super::data::moment)]
    at: Option<Timestamp>,
}

/// Answers from the running desk or, for a moment of the past, from the journal.
pub(super) fn execute(
    args: &WhyArgs,
    location: &Location,
    client: impl FnOnce() -> anyhow::Result<Client>,
    output: Output,
) -> anyhow::Result<()> {
    match args.at {
        None => explain(args, &client()?, output),
        Some(at) => {
            anyhow::ensure!(
                location.is_local(),
                "--at reads the journal of a folder on this machine; name it with --data-dir in place of --url"
            );
            let answer = past(&args.subject, at, &reader(&location.data_dir)?)?;
            print(&answer, output)
        }
    }
}

/// What `GET /api/v1/why` would have answered then, and what the bot saw.
fn past(bot: &str, at: Timestamp, reader: &Reader) -> anyhow::Result<Value> {
    let moment = look(reader, bot, at)?;
    let names = wire::Names::new(Arc::clone(&moment.configuration));
    let chain: Vec<wire::Event> = moment
        .chain
        .iter()
        .map(|event| wire::Event::new(event, &names))
        .collect();
    let mut answer = json!({ "at": at.to_string(), "chain": chain, "complete": moment.complete });
    let Some(view) = &moment.view else {
        return Ok(answer);
    };
    answer["unlike"] = json!(moment.unlike);
    let settings = &moment.configuration.bots[moment.bot.index()];
    let own = view.bots.iter().find(|own| own.bot == moment.bot);
    answer["seq"] = json!(view.seq);
    answer["bot"] = json!(own.map(|own| wire::Bot::new(own, settings, &names)));
    let uses = |id| settings.instruments.contains(&id) || settings.reads.contains(&id);
    let feeds = view.feeds.iter().filter(|feed| uses(feed.instrument));
    let feeds: Vec<wire::Feed> = feeds
        .map(|feed| wire::Feed::new(feed, &names, None))
        .collect();
    answer["saw"] = json!(feeds);
    let is_own = |held: &&PositionView| held.owner == OwnerId::Bot(moment.bot);
    let positions = view.positions.iter().filter(is_own);
    let positions: Vec<wire::Position> = positions
        .map(|held| wire::Position::new(held, &names))
        .collect();
    answer["positions"] = json!(positions);
    Ok(answer)
}

/// Queries the desk and prints the answer.
fn explain(args: &WhyArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let is_event = args.subject.parse::<EventId>().is_ok();
    let key = if is_event { "event" } else { "bot" };
    print(&client.get("why", &[(key, &args.subject)])?, output)
}

fn print(answer: &Value, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(output.value(answer)?);
    }
    lines(answer)
        .iter()
        .try_for_each(|line| output.line(line))?;
    Ok(())
}

fn lines(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let bot = &answer["bot"];
    if bot.is_object() {
        let at = |pointer: &str| text_at(bot, pointer);
        lines.push(format!(
            "{} is {}: {}",
            at("/name"),
            at("/state"),
            at("/state_reason")
        ));
        lines.push(format!(
            "last result: {} ({})",
            at("/reason"),
            at("/reason_instrument")
        ));
        lines.push(format!("last denial: {}", at("/last_denial")));
        for pause in bot["pauses"].as_array().into_iter().flatten() {
            let at = |pointer: &str| text_at(pause, pointer);
            let place = match pause["instrument"].as_str() {
                Some(instrument) => format!(" in {instrument}"),
                None => String::new(),
            };
            lines.push(format!(
                "{} opens no position{place} before {}",
                at("/protection"),
                at("/until")
            ));
        }
        lines.extend(universe(&bot["universe"]));
        lines.extend(clauses(bot));
    }
    if bot.is_null() && answer["at"].is_string() {
        lines.push(
            "market data of that time is missing: only what was recorded is shown".to_owned(),
        );
    }
    if let Some(seq) = answer["unlike"].as_u64() {
        lines.push(format!(
            "this build decides otherwise than was recorded, first for input {seq}: what it shows is its own"
        ));
    }
    let items = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    lines.extend(items("saw").iter().map(|feed| {
        let at = |pointer: &str| text_at(feed, pointer);
        let (bid, ask) = (at("/quote/bid"), at("/quote/ask"));
        format!(
            "saw {}: bid {bid}, ask {ask}, {}",
            at("/instrument"),
            at("/health")
        )
    }));
    lines.extend(items("positions").iter().map(|held| {
        let at = |pointer: &str| text_at(held, pointer);
        let (quantity, price) = (at("/quantity"), at("/entry_price"));
        format!(
            "held {quantity} of {} at {price}, unrealised {}",
            at("/instrument"),
            at("/unrealized")
        )
    }));
    let chain = answer["chain"].as_array().map_or(&[][..], Vec::as_slice);
    if chain.is_empty() {
        lines.push("no events yet".to_owned());
    }
    let links = chain.iter().enumerate().map(|(index, event)| {
        let because = if index == 0 { "" } else { "because  " };
        format!("{}{because}{}", "  ".repeat(index), events::line(event))
    });
    lines.extend(links);
    if answer["complete"] == Value::Bool(false) {
        lines.push("the log no longer has the first causes".to_owned());
    }
    lines
}

/// What a bot may enter, and since when.
fn universe(universe: &Value) -> Option<String> {
    let members = universe["members"].as_array()?;
    let names: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
    let at = |pointer: &str| text_at(universe, pointer);
    Some(format!(
        "may enter {} ({}, candles up to {}, changed at {})",
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        },
        at("/rule"),
        at("/as_of"),
        at("/changed_at")
    ))
}

/// What a bot's rules look for, a line a part.
fn clauses(bot: &Value) -> Vec<String> {
    let parts = bot["clauses"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |part: &Value| {
        let at = |pointer: &str| text_at(part, pointer);
        let operands = part["operands"].as_array().map_or(&[][..], Vec::as_slice);
        let operand =
            |one: &Value| format!("{} = {}", text_at(one, "/text"), text_at(one, "/value"));
        let shown: Vec<String> = operands.iter().map(operand).collect();
        let shown = match shown.as_slice() {
            [] => String::new(),
            shown => format!("  ({})", shown.join(", ")),
        };
        let (instrument, clause) = (at("/instrument"), at("/clause"));
        format!(
            "{instrument} {clause}: {} is {}{shown}",
            at("/text"),
            at("/value")
        )
    };
    parts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_chain_is_printed_from_the_latest_back() {
        let answer = json!({
            "bot": { "name": "btc-rsi", "state": "running", "state_reason": "warmed up", "reason": "RSI 28, needs < 30" },
            "chain": [{ "id": "7.1", "type": "order_filled", "at": "t", "data": {} }, { "id": "6.0", "type": "candle_closed", "at": "t", "data": {} }],
            "complete": true,
        });
        let wanted = [
            "btc-rsi is running: warmed up",
            "last result: RSI 28, needs < 30 (-)",
            "last denial: -",
            "t  7.1         order_filled",
            "  because  t  6.0         candle_closed",
        ];
        assert_eq!(lines(&answer), wanted);
    }
}
