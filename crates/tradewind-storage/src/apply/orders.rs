//! Orders: one row each, moved forward by their events.

use rusqlite::{Transaction, params};
use tradewind_events::{Event, EventKind};
use tradewind_model::{
    BotId, NotSentReason, OrderKind, OrderStatus, OrderTerms, Quantity, TimeInForce,
};

use super::fills;
use crate::error::StorageError;
use crate::names::Names;

/// The change of an order in an event.
struct Change<'a> {
    terms: &'a OrderTerms,
    bot: Option<BotId>,
    purpose: Option<String>,
    status: OrderStatus,
    filled: Option<Quantity>,
    reason: Option<String>,
}

pub(super) fn apply(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    let change = |terms, bot: &Option<BotId>, status| Change {
        terms,
        bot: *bot,
        purpose: None,
        status,
        filled: None,
        reason: None,
    };
    let change = match &event.kind {
        EventKind::OrderPlaced {
            terms,
            bot,
            purpose,
        } => Change {
            purpose: Some(format!("{purpose:?}").to_lowercase()),
            ..change(terms, bot, OrderStatus::Pending)
        },
        EventKind::OrderAccepted { terms, bot } => change(terms, bot, OrderStatus::Accepted),
        EventKind::OrderUnknown { terms, bot } => change(terms, bot, OrderStatus::Unknown),
        EventKind::OrderCancelled {
            terms,
            bot,
            cumulative,
        } => Change {
            filled: Some(*cumulative),
            ..change(terms, bot, OrderStatus::Cancelled)
        },
        EventKind::OrderRejected { terms, bot, reason } => Change {
            reason: Some(format!("{} ({})", reason.text, reason.code)),
            ..change(terms, bot, OrderStatus::Rejected)
        },
        EventKind::OrderExpired {
            terms,
            bot,
            cumulative,
            not_sent,
        } => Change {
            filled: Some(*cumulative),
            reason: not_sent.map(|reason| why_not_sent(reason).to_owned()),
            ..change(terms, bot, ended(*not_sent))
        },
        EventKind::OrderFilled {
            fill,
            bot,
            status,
            cumulative,
        } => {
            fills::fill(transaction, names, fill, *bot, Some(event.id))?;
            let quantity = amount_text(names, fill.instrument, *cumulative);
            return filled(
                transaction,
                event,
                &fill.client_id.to_string(),
                *status,
                &quantity,
            );
        }
        _ => return Ok(()),
    };
    upsert(transaction, names, event, &change)
}

const fn ended(not_sent: Option<NotSentReason>) -> OrderStatus {
    match not_sent {
        Some(_) => OrderStatus::NotSent,
        None => OrderStatus::Expired,
    }
}

const fn why_not_sent(reason: NotSentReason) -> &'static str {
    match reason {
        NotSentReason::Killed => "the kill latch was set",
        NotSentReason::Expired => "it waited longer than it may",
        NotSentReason::Unreachable => "the venue could not be reached",
    }
}

fn upsert(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
    change: &Change<'_>,
) -> Result<(), StorageError> {
    const SQL: &str = "INSERT INTO orders VALUES
        (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ifnull(?10, '0'), ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17)
        ON CONFLICT (client_id) DO UPDATE SET
            filled = ifnull(?10, filled), purpose = ifnull(?11, purpose), status = ?12, is_open = ?13,
            reason = ifnull(?14, reason), updated_at = ?17";
    let terms = change.terms;
    let (kind, time_in_force) = kind(terms.kind);
    let price = terms.kind.limit();
    transaction.prepare_cached(SQL)?.execute(params![
        terms.client_id.to_string(),
        names.account(terms.account),
        names.instrument_name(terms.instrument),
        change.bot.map(|bot| names.bot(bot)),
        terms.side.name(),
        kind,
        time_in_force,
        price.map(|price| fills::price_text(names, terms.instrument, price)),
        amount_text(names, terms.instrument, terms.quantity),
        change
            .filled
            .map(|filled| amount_text(names, terms.instrument, filled)),
        change.purpose,
        change.status.name(),
        change.status.is_open(),
        change.reason,
        event.id.seq.cast_signed(),
        event.id.index,
        event.at.as_nanos(),
    ])?;
    Ok(())
}

/// Updates an order; an order of another program has no row and is ignored.
fn filled(
    transaction: &Transaction<'_>,
    event: &Event,
    client_id: &str,
    status: OrderStatus,
    quantity: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE orders SET status = ?2, is_open = ?3, filled = ?4, updated_at = ?5
        WHERE client_id = ?1";
    transaction.prepare_cached(SQL)?.execute(params![
        client_id,
        status.name(),
        status.is_open(),
        quantity,
        event.at.as_nanos(),
    ])?;
    Ok(())
}

const fn kind(kind: OrderKind) -> (&'static str, Option<&'static str>) {
    match kind {
        OrderKind::Market => ("market", None),
        OrderKind::PostOnly { .. } => ("post_only", None),
        OrderKind::Stop { .. } => ("stop", None),
        OrderKind::StopLimit { .. } => ("stop_limit", None),
        OrderKind::Limit { time_in_force, .. } => {
            let time_in_force = match time_in_force {
                TimeInForce::GoodTillCancel => "gtc",
                TimeInForce::ImmediateOrCancel => "ioc",
                TimeInForce::FillOrKill => "fok",
            };
            ("limit", Some(time_in_force))
        }
    }
}

fn amount_text(names: Names<'_>, id: tradewind_model::InstrumentId, quantity: Quantity) -> String {
    fills::quantity_text(names, id, quantity)
}
