//! The events themselves, for chains of causes.

use rusqlite::{Transaction, params};
use tradewind_events::{Action, Event, EventKind};
use tradewind_model::{BotId, ClientOrderId, InstrumentId, OrderTerms};

use crate::error::StorageError;
use crate::names::Names;

/// The subject of an event, as far as queries need it.
#[derive(Clone, Copy, Debug, Default)]
struct Subject {
    bot: Option<BotId>,
    instrument: Option<InstrumentId>,
    client_id: Option<ClientOrderId>,
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    let subject = subject(&event.kind);
    transaction
        .prepare_cached("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            event.id.seq.cast_signed(),
            event.id.index,
            event.at.as_nanos(),
            event.kind.event_type().name(),
            event.cause.map(|cause| cause.seq.cast_signed()),
            event.cause.map(|cause| cause.index),
            subject.bot.map(|bot| names.bot(bot)),
            subject.instrument.map(|id| names.instrument_name(id)),
            subject.client_id.map(|id| id.to_string()),
            serde_json::to_string(event)?,
        ])?;
    Ok(())
}

fn of_order(terms: &OrderTerms, bot: Option<BotId>) -> Subject {
    Subject {
        bot,
        instrument: Some(terms.instrument),
        client_id: Some(terms.client_id),
    }
}

fn subject(kind: &EventKind) -> Subject {
    match kind {
        EventKind::OrderPlaced { terms, bot, .. }
        | EventKind::OrderAccepted { terms, bot }
        | EventKind::OrderCancelled { terms, bot, .. }
        | EventKind::OrderRejected { terms, bot, .. }
        | EventKind::OrderExpired { terms, bot, .. }
        | EventKind::OrderUnknown { terms, bot } => of_order(terms, *bot),
        EventKind::OrderFilled { fill, bot, .. } => Subject {
            bot: *bot,
            instrument: Some(fill.instrument),
            client_id: Some(fill.client_id),
        },
        EventKind::SignalGenerated {
            bot, instrument, ..
        } => Subject {
            bot: Some(*bot),
            instrument: Some(*instrument),
            ..Subject::default()
        },
        EventKind::PositionOpened {
            bot, instrument, ..
        }
        | EventKind::PositionClosed {
            bot, instrument, ..
        }
        | EventKind::RiskDecisionRejected {
            bot, instrument, ..
        } => Subject {
            bot: *bot,
            instrument: Some(*instrument),
            ..Subject::default()
        },
        EventKind::BotStateChanged { bot, .. }
        | EventKind::BotError { bot, .. }
        | EventKind::UniverseChanged { bot, .. }
        | EventKind::BudgetChanged { bot, .. }
        | EventKind::EvaluationLate { bot, .. } => Subject {
            bot: Some(*bot),
            ..Subject::default()
        },
        EventKind::PositionUnprotected {
            bot, instrument, ..
        } => Subject {
            bot: Some(*bot),
            instrument: Some(*instrument),
            ..Subject::default()
        },
        EventKind::TargetReceived {
            bot, instrument, ..
        } => Subject {
            bot: Some(*bot),
            instrument: Some(*instrument),
            ..Subject::default()
        },
        EventKind::TargetRefused { bot, .. } => Subject {
            bot: *bot,
            ..Subject::default()
        },
        EventKind::Command { action, .. } => of_action(action),
        EventKind::PriceUpdate(quote) => instrument(quote.instrument),
        EventKind::CandleClosed(candle) => instrument(candle.instrument),
        EventKind::FeedHealthChanged { instrument: id, .. } => instrument(*id),
        EventKind::Gap { instrument, .. } | EventKind::Alarm { instrument, .. } => Subject {
            instrument: *instrument,
            ..Subject::default()
        },
        EventKind::CircuitBreakerFired { .. }
        | EventKind::TradingStateChanged { .. }
        | EventKind::KillSwitch { .. }
        | EventKind::KillSwitchReset { .. }
        | EventKind::EquitySnapshot { .. }
        | EventKind::QueueOverflow { .. }
        | EventKind::Reconciled { .. }
        | EventKind::AccountStreamChanged { .. }
        | EventKind::BalancesReported { .. }
        | EventKind::TransferReported { .. }
        | EventKind::DeskStopping => Subject::default(),
    }
}

fn instrument(id: InstrumentId) -> Subject {
    Subject {
        instrument: Some(id),
        ..Subject::default()
    }
}

fn of_action(action: &Action) -> Subject {
    match action {
        Action::StartBot(bot) | Action::StopBot { bot, .. } | Action::PauseBot(bot) => Subject {
            bot: Some(*bot),
            ..Subject::default()
        },
        Action::PlaceOrder { instrument, .. } => self::instrument(*instrument),
        Action::Adopt(adoption) => Subject {
            bot: Some(adoption.bot),
            ..self::instrument(adoption.instrument)
        },
        Action::CancelOrder(id) => Subject {
            client_id: Some(*id),
            ..Subject::default()
        },
        Action::ClosePosition {
            bot, instrument, ..
        } => Subject {
            bot: *bot,
            instrument: Some(*instrument),
            ..Subject::default()
        },
        Action::ApplyBots(_)
        | Action::ClearRisk { .. }
        | Action::Kill { .. }
        | Action::KillScope { .. }
        | Action::Reset { .. }
        | Action::ResetScope { .. } => Subject::default(),
    }
}
