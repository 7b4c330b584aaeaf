//! `tradewind events`: prints past and new events, from the desk's event stream.

use std::collections::VecDeque;

use clap::Args;
use serde_json::Value;

use super::client::{Client, Reading};
use super::output::Output;
use super::table::{text_at, to_the_second};

/// Arguments of `events`.
#[derive(Clone, Debug, Args)]
pub(super) struct EventsArgs {
    /// Keep printing events as they happen
    #[arg(long)]
    follow: bool,

    /// Only these types, separated by commas
    #[arg(long, value_name = "TYPES")]
    types: Option<String>,

    /// Start after this event; without --follow the default is the start of the log
    #[arg(long, value_name = "ID")]
    after: Option<String>,

    /// Without --follow: how many events at most, the latest ones
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        conflicts_with = "follow"
    )]
    limit: usize,
}

/// Prints new events until it is interrupted, or the latest events of the log.
pub(super) fn follow(args: &EventsArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let types = args.types.as_deref();
    if args.follow {
        let mut message = Message::default();
        return client.stream(types, args.after.as_deref(), |line| {
            if let Some(Part::Event(event)) = message.feed(line) {
                print(&event, output)?;
            }
            Ok(Reading::On)
        });
    }
    let after = args.after.as_deref().unwrap_or("0.0");
    for event in logged(client, types, after, args.limit)? {
        print(&event, output)?;
    }
    Ok(())
}

/// The latest events of the log: the stream is read until no event comes between two pings.
fn logged(
    client: &Client,
    types: Option<&str>,
    after: &str,
    limit: usize,
) -> anyhow::Result<VecDeque<Value>> {
    let mut message = Message::default();
    let mut latest: VecDeque<Value> = VecDeque::new();
    let mut event_since_ping = true;
    client.stream(types, Some(after), |line| {
        match message.feed(line) {
            Some(Part::Event(event)) if is_logged(&event) => {
                event_since_ping = true;
                latest.push_back(event);
                if latest.len() > limit {
                    latest.pop_front();
                }
            }
            Some(Part::Ping) if !event_since_ping => return Ok(Reading::Done),
            Some(Part::Ping) => event_since_ping = false,
            Some(Part::Event(_)) | None => {}
        }
        Ok(Reading::On)
    })?;
    Ok(latest)
}

/// Whether an event is in the log. Prices and gaps have no id and are not.
fn is_logged(event: &Value) -> bool {
    event["id"].is_string() && event["type"] != "price_update"
}

/// One event as text: time, id, type, fields.
fn print(event: &Value, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(output.value(event)?);
    }
    Ok(output.line(&line(event))?)
}

/// One event as a line.
pub(super) fn line(event: &Value) -> String {
    let at = to_the_second(&text_at(event, "/at"));
    let (id, kind) = (text_at(event, "/id"), text_at(event, "/type"));
    let facts = facts(&event["data"]);
    format!("{at}  {id:<10}  {kind:<22}  {facts}")
        .trim_end()
        .to_owned()
}

/// The plain facts of an event, `name=value`; those of an order, a fill or a quote in it come last.
fn facts(data: &Value) -> String {
    let Some(fields) = data.as_object() else {
        return String::new();
    };
    let nested = fields.values().filter_map(Value::as_object).flatten();
    let own = fields.iter().filter(|(_, value)| !value.is_object());
    let plain = own.chain(nested).filter(|(_, value)| is_plain(value));
    let plain = plain.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    plain.collect::<Vec<_>>().join(" ")
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A message of the stream being put together from its lines.
#[derive(Debug, Default)]
struct Message {
    data: String,
}

/// What a line completed.
#[derive(Debug, PartialEq)]
enum Part {
    Event(Value),
    Ping,
}

impl Message {
    fn feed(&mut self, line: &str) -> Option<Part> {
        if line.starts_with(':') {
            return Some(Part::Ping);
        }
        if let Some(data) = line.strip_prefix("data:") {
            self.data.push_str(data.trim_start());
            return None;
        }
        if !line.is_empty() || self.data.is_empty() {
            return None;
        }
        let data = std::mem::take(&mut self.data);
        serde_json::from_str(&data).ok().map(Part::Event)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_put_together_from_lines() {
        let mut message = Message::default();
        let lines = ["id: 7.0", "event: command", "data: {\"id\":\"7.0\"}"];
        assert!(lines.iter().all(|line| message.feed(line).is_none()));
        assert_eq!(message.feed(""), Some(Part::Event(json!({ "id": "7.0" }))));
        assert_eq!(message.feed(""), None);
        assert_eq!(message.feed(": ping"), Some(Part::Ping));
    }

    #[test]
    fn an_event_is_one_line() {
        let event = json!({
            "id": "48006.0", "at": "2026-03-02T10:05:00.006Z", "type": "order_filled",
            "data": { "fill": { "bot": "rsi-btc", "price": "61837.63", "event": null }, "status": "filled" },
        });
        let wanted = "2026-03-02T10:05:00Z  48006.0     order_filled            status=filled bot=rsi-btc price=61837.63";
        assert_eq!(line(&event), wanted);
    }
}
