//! What operators look at: equity, refusals and stops, bots' states and errors, commands.

use rusqlite::{Transaction, params};
use tradewind_events::{CommandResult, Event, EventKind, Principal};

use crate::error::StorageError;
use crate::names::{Names, text};

pub(super) fn apply(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    match &event.kind {
        EventKind::RiskDecisionRejected { .. }
        | EventKind::CircuitBreakerFired { .. }
        | EventKind::TradingStateChanged { .. }
        | EventKind::KillSwitch { .. }
        | EventKind::KillSwitchReset { .. } => risk(transaction, names, event),
        EventKind::BotStateChanged {
            bot, to, reason, ..
        } => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO bot_states VALUES (?, ?, ?, ?)")?
                .execute(params![
                    names.bot(*bot),
                    to.name(),
                    reason,
                    event.at.as_nanos()
                ])?;
            Ok(())
        }
        EventKind::BotError { bot, error, faults } => {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO bot_errors VALUES (?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    event.id.seq.cast_signed(),
                    event.id.index,
                    event.at.as_nanos(),
                    names.bot(*bot),
                    error,
                    faults,
                ])?;
            Ok(())
        }
        EventKind::Command { .. } => command(transaction, event),
        _ => Ok(()),
    }
}

pub(super) fn equity(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    let EventKind::EquitySnapshot {
        account,
        equity,
        realized,
        unrealized,
        unpriced,
    } = &event.kind
    else {
        return Ok(());
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO equity VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            names.account(*account),
            event.at.as_nanos(),
            text(*equity),
            text(*realized),
            text(*unrealized),
            unpriced,
        ])?;
    Ok(())
}

/// A risk event as text.
#[derive(Default)]
struct RiskEventText {
    rule: Option<String>,
    bot: Option<String>,
    instrument: Option<String>,
    text: String,
}

fn risk(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    let row = risk_text(names, &event.kind);
    transaction
        .prepare_cached("INSERT OR IGNORE INTO risk_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            event.id.seq.cast_signed(),
            event.id.index,
            event.at.as_nanos(),
            event.kind.event_type().name(),
            row.rule,
            row.bot,
            row.instrument,
            row.text,
        ])?;
    Ok(())
}

fn risk_text(names: Names<'_>, kind: &EventKind) -> RiskEventText {
    let text_only = |text| RiskEventText {
        text,
        ..RiskEventText::default()
    };
    match kind {
        EventKind::RiskDecisionRejected {
            bot,
            instrument,
            reason,
            ..
        } => RiskEventText {
            rule: Some(reason.rule().to_string()),
            bot: bot.map(|bot| names.bot(bot)),
            instrument: Some(names.instrument_name(*instrument)),
            text: reason.to_string(),
        },
        EventKind::CircuitBreakerFired { name, failures } => {
            text_only(format!("{name} opened after {failures} failures"))
        }
        EventKind::TradingStateChanged { state, cause, .. } => {
            text_only(cause.as_ref().map_or_else(
                || state.to_string(),
                |cause| format!("{state}: {}", cause.reason),
            ))
        }
        EventKind::KillSwitch { reason, principal } => {
            text_only(format!("killed by {}: {reason}", principal_text(principal)))
        }
        EventKind::KillSwitchReset { reason, principal } => {
            text_only(format!("reset by {}: {reason}", principal_text(principal)))
        }
        _ => RiskEventText::default(),
    }
}

fn command(transaction: &Transaction<'_>, event: &Event) -> Result<(), StorageError> {
    let EventKind::Command {
        id,
        principal,
        action,
        result,
    } = &event.kind
    else {
        return Ok(());
    };
    let (accepted, text) = match result {
        CommandResult::Accepted(order) => (true, order.map(|id| id.to_string())),
        CommandResult::Refused(reason) => (false, Some(reason.clone())),
        CommandResult::Killed { open_orders, .. } => {
            (true, Some(format!("{open_orders} orders open")))
        }
    };
    transaction
        .prepare_cached("INSERT OR IGNORE INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            event.id.seq.cast_signed(),
            event.id.index,
            event.at.as_nanos(),
            format!("{id:032x}"),
            principal_text(principal),
            serde_json::to_string(action)?,
            accepted,
            text,
        ])?;
    Ok(())
}

fn principal_text(principal: &Principal) -> String {
    match principal {
        Principal::Token(name) => format!("token {name}"),
        Principal::Telegram(user) => format!("telegram {user}"),
        Principal::Local => "local".to_owned(),
        Principal::Rule => "rule".to_owned(),
    }
}
