//! The body of FEED and EVALUATE: what a strategy sees at one evaluation. Pure.

use tradewind_model::{Candle, CarriedOut, FeedHealth, Instrument, LastEntry, Quote, Wake};
use tradewind_strategy::View;

const HAS_QUOTE: u8 = 1;
const HAS_CANDLE: u8 = 2;
const IS_PROPOSED: u8 = 4;
const WANTS_ROW: u8 = 8;
/// In place of a slot where there is none.
const NO_SLOT: u16 = u16::MAX;

/// What is wanted of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A decision of the callbacks.
    Decision,
    /// The newest row of its table.
    Row,
    /// A decision on a row that the desk has read.
    Confirmation(Proposal),
}

/// What a row of a table proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Proposal {
    /// Nothing.
    None = 0,
    /// To enter.
    Enter = 1,
    /// To leave.
    Exit = 2,
}

/// Packs an evaluation. `known` are the bot's instruments in the order of START: those that it trades, then those that it only reads.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a bot has fewer than 65,535 instruments: START has refused more"
)]
pub(crate) fn encode(
    view: &View<'_>,
    wake: Wake,
    candle: Option<&Candle>,
    ask: Request,
    known: &[Instrument],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut flags = 0;
    flags |= if view.quote.is_some() { HAS_QUOTE } else { 0 };
    flags |= if candle.is_some() { HAS_CANDLE } else { 0 };
    flags |= match ask {
        Request::Decision => 0,
        Request::Row => WANTS_ROW,
        Request::Confirmation(_) => IS_PROPOSED,
    };
    let carried_out = match view.carried_out {
        CarriedOut::All => 0,
        CarriedOut::Exits => 1,
        CarriedOut::Nothing => 2,
    };
    let last_entry = match view.last_entry {
        LastEntry::Standing => 0,
        LastEntry::Denied => 1,
    };
    out.extend_from_slice(&[wake_code(wake), carried_out, last_entry, flags]);
    out.extend_from_slice(&(view.slot as u16).to_le_bytes());
    out.extend_from_slice(&NO_SLOT.to_le_bytes());
    let position = &view.position;
    let entry = position.entry_price.map_or(i64::MIN, |price| price.0);
    let opened = position.opened_at.map_or(i64::MIN, |at| at.as_nanos());
    numbers(
        &mut out,
        &[view.at.as_nanos(), position.quantity.0, entry, opened],
    );
    out.extend_from_slice(&view.budget.0.to_le_bytes());
    if let Some(quote) = view.quote {
        push_quote(&mut out, quote);
    }
    if let Some(candle) = candle {
        push_candle(&mut out, candle);
    }
    if let Request::Confirmation(proposal) = ask {
        out.push(proposal as u8);
    }
    push_reads(&mut out, view, known);
    push_series(&mut out, view);
    numbers(&mut out, &[view.exposure.0]);
    out
}

const fn wake_code(wake: Wake) -> u8 {
    match wake {
        Wake::Quote => 0,
        Wake::Candle(_) => 1,
        Wake::Timer => 2,
        Wake::ReadQuote(_) => 3,
        Wake::ReadCandle(_, _) => 4,
        Wake::Target => 5,
    }
}

fn numbers(out: &mut Vec<u8>, values: &[i64]) {
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn push_quote(out: &mut Vec<u8>, quote: &Quote) {
    let values = [
        quote.bid.0,
        quote.bid_quantity.0,
        quote.ask.0,
        quote.ask_quantity.0,
        quote.received_at.as_nanos(),
    ];
    numbers(out, &values);
}

fn push_candle(out: &mut Vec<u8>, candle: &Candle) {
    let seconds = u32::try_from(candle.interval.duration().as_secs()).unwrap_or(u32::MAX);
    out.extend_from_slice(&seconds.to_le_bytes());
    let prices = [candle.open.0, candle.high.0, candle.low.0, candle.close.0];
    numbers(out, &[candle.open_time.as_nanos()]);
    numbers(out, &prices);
    out.extend_from_slice(&candle.volume.to_f64().to_le_bytes());
    out.push(u8::from(candle.complete));
}

/// The latest quotes of the instruments that the bot only reads.
fn push_reads(out: &mut Vec<u8>, view: &View<'_>, known: &[Instrument]) {
    let place = out.len();
    out.extend_from_slice(&[0, 0]);
    let mut count: u16 = 0;
    for read in view.reads.iter() {
        let slot = known.iter().position(|one| one.id == read.instrument.id);
        let slot = slot.and_then(|slot| u16::try_from(slot).ok());
        let (Some(quote), Some(slot)) = (read.quote, slot) else {
            continue;
        };
        out.extend_from_slice(&slot.to_le_bytes());
        out.push(u8::from(read.health == FeedHealth::Live));
        push_quote(out, quote);
        count += 1;
    }
    if let Some(place) = out.get_mut(place..place + 2) {
        place.copy_from_slice(&count.to_le_bytes());
    }
}

fn push_series(out: &mut Vec<u8>, view: &View<'_>) {
    let fresh = |one: &tradewind_model::SeriesNumber<'_>| !one.is_stale(view.at);
    let all: Vec<_> = view.numbers.iter().filter(fresh).collect();
    let count = u16::try_from(all.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    for number in all.iter().take(usize::from(count)) {
        push_text(out, number.name);
        out.extend_from_slice(&number.value.to_f64().to_le_bytes());
        let age = i64::try_from(number.age(view.at).as_nanos()).unwrap_or(i64::MAX);
        numbers(out, &[age]);
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or_default();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(
        text.as_bytes()
            .get(..usize::from(length))
            .unwrap_or_default(),
    );
}
