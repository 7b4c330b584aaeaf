//! `tradewind status`: the desk at a glance.

use serde_json::Value;

use super::client::Client;
use super::output::Output;
use super::table::{short_hash, text_at, to_the_second};

/// Reads the status and prints it.
pub(super) fn show(client: &Client, output: Output) -> anyhow::Result<()> {
    let status = client.get("status", &[])?;
    if output.is_json() {
        return Ok(output.value(&status)?);
    }
    lines(&status)
        .iter()
        .try_for_each(|line| output.line(line))?;
    Ok(())
}

/// The status as lines of text.
fn lines(status: &Value) -> Vec<String> {
    let at = |pointer: &str| text_at(status, pointer);
    let mut lines = vec![
        format!("{}: {}", at("/mode/name"), at("/mode/note")),
        format!(
            "state       {}, {}; up {} s",
            at("/state"),
            readiness(status),
            at("/uptime_seconds")
        ),
        format!(
            "equity      {} {}; change {} (realised {}, unrealised {})",
            at("/equity/equity"),
            at("/equity/asset"),
            at("/equity/change"),
            at("/equity/realized"),
            at("/equity/unrealized")
        ),
        format!("bots        {}", bots(status)),
        format!("last close  {}", last_close(status)),
        format!(
            "counted     {} evaluations, {} signals, {} denials, {} orders, {} fills of which {} partial",
            at("/counters/wakes"),
            at("/counters/signals"),
            at("/counters/denials"),
            at("/counters/orders"),
            at("/counters/fills"),
            at("/counters/partial_fills")
        ),
    ];
    lines.extend(build(status));
    lines.extend(items(status, "causes").map(cause));
    lines.extend(items(status, "components").map(component));
    lines.push(format!(
        "as of       {}, input {}",
        to_the_second(&at("/at")),
        at("/seq")
    ));
    lines
}

/// Which program and settings run, and what differs from the start before.
fn build(status: &Value) -> Vec<String> {
    let hash = |of: &str| status["build"][of].as_str().map(short_hash);
    let (Some(binary), Some(configuration)) = (hash("binary"), hash("configuration")) else {
        return Vec::new();
    };
    let changed = status["build"]["changed"].as_array().into_iter().flatten();
    let changed: Vec<&str> = changed.filter_map(Value::as_str).collect();
    let mut lines = vec![format!(
        "build       program {binary}, configuration {configuration}"
    )];
    if !changed.is_empty() {
        let changed = changed.join(", ");
        lines.push(format!("changed     since the last start: {changed}"));
    }
    lines
}

fn items<'a>(status: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    status[name].as_array().into_iter().flatten()
}

fn readiness(status: &Value) -> &'static str {
    if status["ready"] == Value::Bool(true) {
        "ready"
    } else {
        "not ready"
    }
}

fn bots(status: &Value) -> String {
    let states = [
        "running", "warming", "starting", "paused", "stopped", "faulted",
    ];
    let counted = states.iter().filter_map(|state| {
        let count = status["bots"][state].as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} {state}"))
    });
    let counted: Vec<String> = counted.collect();
    format!("{}: {}", text_at(status, "/bots/total"), counted.join(", "))
}

fn last_close(status: &Value) -> String {
    let close = &status["last_close"];
    if close.is_null() {
        return "none yet".to_owned();
    }
    let denied = items(close, "denied");
    let denied: Vec<String> = denied
        .map(|one| {
            let at = |pointer: &str| text_at(one, pointer);
            format!("{} {} ({})", at("/count"), at("/name"), at("/rule"))
        })
        .collect();
    let denied = if denied.is_empty() {
        "none".to_owned()
    } else {
        denied.join(", ")
    };
    let at = |pointer: &str| text_at(close, pointer);
    format!(
        "{}: {} evaluated, {} no signal, {} signals; denied: {denied}; {} filled, {} partly",
        to_the_second(&at("/at")),
        at("/woke"),
        at("/held"),
        at("/signals"),
        at("/filled"),
        at("/partly_filled")
    )
}

fn cause(cause: &Value) -> String {
    let at = |pointer: &str| text_at(cause, pointer);
    let clearing = if at("/clearing") == "person" {
        "must be cleared by a person"
    } else {
        "clears automatically"
    };
    format!(
        "cause       {} {}: {} since {}, {}; {clearing}",
        at("/scope/kind"),
        at("/scope/name"),
        at("/state"),
        to_the_second(&at("/since")),
        at("/reason")
    )
}

fn component(component: &Value) -> String {
    let health = if component["healthy"] == Value::Bool(true) {
        "ok"
    } else {
        "UNHEALTHY"
    };
    format!(
        "component   {}: {health}, {}",
        text_at(component, "/name"),
        text_at(component, "/message")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_printed_in_a_few_lines() {
        let status = json!({
            "seq": 48213, "at": "2026-03-02T10:05:00.412Z", "uptime_seconds": 99, "ready": true, "state": "ACTIVE",
            "mode": { "name": "SIMULATED", "note": "Simulated market, seed 42." },
            "causes": [{ "scope": { "kind": "instrument", "name": "binance:DOGE/USDT" }, "state": "REDUCING",
                         "reason": "stale market data", "since": "2026-03-02T10:04:50Z", "clearing": "itself" }],
            "equity": { "asset": "USDT", "equity": "100012.3821", "change": "12.3821", "realized": "3.1", "unrealized": "9.2821" },
            "bots": { "total": 45, "running": 44, "warming": 1, "faulted": 0 },
            "last_close": { "at": "2026-03-02T10:05:00Z", "woke": 44, "held": 41, "signals": 3,
                            "denied": [{ "rule": "R13", "name": "position", "count": 1 }], "filled": 1, "partly_filled": 1 },
            "counters": { "wakes": 812, "signals": 22, "denials": 3, "orders": 19, "fills": 24, "partial_fills": 5 },
            "components": [{ "name": "venue binance", "healthy": true, "message": "connected, 25 of 25 streams" }],
        });
        let wanted = "\
SIMULATED: Simulated market, seed 42.
state       ACTIVE, ready; up 99 s
equity      100012.3821 USDT; change 12.3821 (realised 3.1, unrealised 9.2821)
bots        45: 44 running, 1 warming
last close  2026-03-02T10:05:00Z: 44 evaluated, 41 no signal, 3 signals; denied: 1 position (R13); 1 filled, 1 partly
counted     812 evaluations, 22 signals, 3 denials, 19 orders, 24 fills of which 5 partial
cause       instrument binance:DOGE/USDT: REDUCING since 2026-03-02T10:04:50Z, stale market data; clears automatically
component   venue binance: ok, connected, 25 of 25 streams
as of       2026-03-02T10:05:00Z, input 48213";
        assert_eq!(lines(&status).join("\n"), wanted);
    }

    #[test]
    fn missing_fields_are_printed_as_dashes() {
        assert!(lines(&json!({})).len() >= 6);
    }
}
