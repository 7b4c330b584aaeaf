//! Fills, each once however often it is reported, and their ledger entries.

use rusqlite::{Transaction, params};
use tradewind_model::{
    Amount, BotId, EventId, Fill, Instrument, InstrumentId, InstrumentKind, Liquidity, Price,
    Quantity, Side,
};

use crate::error::StorageError;
use crate::names::{Names, text};

/// Adds a fill; false if it is there already. One first found at a reconciliation learns its event later.
pub(crate) fn fill(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    fill: &Fill,
    bot: Option<BotId>,
    event: Option<EventId>,
) -> Result<bool, StorageError> {
    const SQL: &str = "INSERT INTO fills
        (account, instrument, trade_id, venue_order_id, client_id, bot, side, price, quantity, notional,
         fee, fee_asset, liquidity, event_time, event_seq, event_idx)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        ON CONFLICT DO NOTHING";
    let instrument = names.instrument(fill.instrument);
    let notional = instrument.and_then(|known| known.notional(fill.price, fill.quantity));
    let added = transaction.prepare_cached(SQL)?.execute(params![
        names.account(fill.account),
        names.instrument_name(fill.instrument),
        fill.trade_id.0.cast_signed(),
        fill.venue_order_id.0.cast_signed(),
        fill.client_id.to_string(),
        bot.map(|bot| names.bot(bot)),
        fill.side.name(),
        price_text(names, fill.instrument, fill.price),
        quantity_text(names, fill.instrument, fill.quantity),
        notional.map(text),
        text(fill.fee.amount),
        names.asset(fill.fee.asset),
        match fill.liquidity {
            Liquidity::Maker => "maker",
            Liquidity::Taker => "taker",
        },
        fill.event_time.as_nanos(),
        event.map(|id| id.seq.cast_signed()),
        event.map(|id| id.index),
    ])?;
    if added == 0 {
        learn(transaction, names, fill, bot, event)?;
        return Ok(false);
    }
    let id = transaction.last_insert_rowid();
    ledger(
        transaction,
        names,
        fill,
        bot,
        (id, instrument.zip(notional)),
    )?;
    Ok(true)
}

/// Completes a fill that was found before its event.
fn learn(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    fill: &Fill,
    bot: Option<BotId>,
    event: Option<EventId>,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE fills SET bot = ifnull(bot, ?5), event_seq = ?6, event_idx = ?7
        WHERE account = ?1 AND instrument = ?2 AND trade_id = ?3 AND venue_order_id = ?4 AND event_seq IS NULL";
    let Some(event) = event else {
        return Ok(());
    };
    transaction.prepare_cached(SQL)?.execute(params![
        names.account(fill.account),
        names.instrument_name(fill.instrument),
        fill.trade_id.0.cast_signed(),
        fill.venue_order_id.0.cast_signed(),
        bot.map(|bot| names.bot(bot)),
        event.seq.cast_signed(),
        event.index,
    ])?;
    Ok(())
}

/// The ledger entries of a fill: for spot both assets, and always the fee.
fn ledger(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    fill: &Fill,
    bot: Option<BotId>,
    (id, valued): (i64, Option<(&Instrument, Amount)>),
) -> Result<(), StorageError> {
    let entry = |kind: &str, asset, amount: Amount| -> Result<(), StorageError> {
        transaction
            .prepare_cached("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                id,
                kind,
                names.asset(asset),
                names.account(fill.account),
                bot.map_or_else(|| "unallocated".to_owned(), |bot| names.bot(bot)),
                text(amount),
                fill.event_time.as_nanos(),
            ])?;
        Ok(())
    };
    if let Some((instrument, notional)) = valued
        && instrument.kind == InstrumentKind::Spot
    {
        let base = instrument.quantity_amount(fill.quantity);
        let (base, quote) = match fill.side {
            Side::Buy => (base, -notional),
            Side::Sell => (-base, notional),
        };
        entry("trade", instrument.base, base)?;
        entry("trade", instrument.quote, quote)?;
    }
    if fill.fee.amount.is_zero() {
        return Ok(());
    }
    entry("fee", fill.fee.asset, -fill.fee.amount)
}

pub(super) fn price_text(names: Names<'_>, id: InstrumentId, price: Price) -> String {
    names.instrument(id).map_or_else(
        || price.0.to_string(),
        |known| text(known.price_amount(price)),
    )
}

pub(super) fn quantity_text(names: Names<'_>, id: InstrumentId, quantity: Quantity) -> String {
    names.instrument(id).map_or_else(
        || quantity.0.to_string(),
        |known| tradewind_model::format_fixed(i128::from(quantity.0), known.quantity_decimals),
    )
}
