//! `tradewind why`: explains the state of a bot, or the causes of an event.

use clap::Args;
use serde_json::Value;
use tradewind_model::EventId;

use super::client::Client;
use super::events;
use super::output::Output;
use super::table::text_at;

/// Arguments of `why`.
#[derive(Clone, Debug, Args)]
pub(super) struct WhyArgs {
    /// Name of a bot, or id of an event such as 48006.0
    #[arg(value_name = "BOT")]
    subject: String,
}

/// Queries the desk and prints the answer.
pub(super) fn explain(args: &WhyArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let is_event = args.subject.parse::<EventId>().is_ok();
    let key = if is_event { "event" } else { "bot" };
    let answer = client.get("why", &[(key, &args.subject)])?;
    if output.is_json() {
        return Ok(output.value(&answer)?);
    }
    lines(&answer)
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
    }
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
