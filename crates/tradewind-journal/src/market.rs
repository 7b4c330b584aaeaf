//! Market data as fixed records: quotes, trades and candles come by the million and are written without a serialiser.
//!
//! Little-endian, fields in the order of the code below; an absent instant is `i64::MIN`.

use tradewind_model::{
    Amount, Candle, InstrumentId, Interval, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};

const NEVER: i64 = i64::MIN;

pub(crate) fn write_quote(out: &mut Vec<u8>, quote: &Quote) {
    out.extend_from_slice(&quote.instrument.0.to_le_bytes());
    put(out, quote.bid.0);
    put(out, quote.ask.0);
    put(out, quote.bid_quantity.0);
    put(out, quote.ask_quantity.0);
    put(out, quote.event_time.map_or(NEVER, Timestamp::as_nanos));
    put(out, quote.received_at.as_nanos());
}

pub(crate) fn read_quote(bytes: &[u8]) -> Option<Quote> {
    let mut fields = Fields(bytes);
    let quote = Quote {
        instrument: InstrumentId(fields.u32()?),
        bid: Price(fields.i64()?),
        ask: Price(fields.i64()?),
        bid_quantity: Quantity(fields.i64()?),
        ask_quantity: Quantity(fields.i64()?),
        event_time: fields.instant()?,
        received_at: Timestamp::from_nanos(fields.i64()?),
    };
    fields.end(quote)
}

pub(crate) fn write_trade(out: &mut Vec<u8>, trade: &Trade) {
    out.extend_from_slice(&trade.instrument.0.to_le_bytes());
    out.push(match trade.taker {
        Side::Buy => 0,
        Side::Sell => 1,
    });
    out.extend_from_slice(&trade.id.0.to_le_bytes());
    put(out, trade.price.0);
    put(out, trade.quantity.0);
    put(out, trade.event_time.map_or(NEVER, Timestamp::as_nanos));
    put(out, trade.received_at.as_nanos());
}

pub(crate) fn read_trade(bytes: &[u8]) -> Option<Trade> {
    let mut fields = Fields(bytes);
    let trade = Trade {
        instrument: InstrumentId(fields.u32()?),
        taker: match fields.u8()? {
            0 => Side::Buy,
            1 => Side::Sell,
            _ => return None,
        },
        id: TradeId(u64::from_le_bytes(fields.take()?)),
        price: Price(fields.i64()?),
        quantity: Quantity(fields.i64()?),
        event_time: fields.instant()?,
        received_at: Timestamp::from_nanos(fields.i64()?),
    };
    fields.end(trade)
}

pub(crate) fn write_candle(out: &mut Vec<u8>, candle: &Candle) {
    out.extend_from_slice(&candle.instrument.0.to_le_bytes());
    // Seconds rather than a number of ours: a new interval changes nothing that is written.
    #[expect(clippy::cast_possible_truncation, reason = "a week has 604,800")]
    let seconds = candle.interval.duration().as_secs() as u32;
    out.extend_from_slice(&seconds.to_le_bytes());
    out.push(u8::from(candle.complete));
    put(out, candle.open_time.as_nanos());
    for price in [candle.open, candle.high, candle.low, candle.close] {
        put(out, price.0);
    }
    out.extend_from_slice(&candle.volume.0.to_le_bytes());
}

pub(crate) fn read_candle(bytes: &[u8]) -> Option<Candle> {
    let mut fields = Fields(bytes);
    let instrument = InstrumentId(fields.u32()?);
    let seconds = u64::from(fields.u32()?);
    let candle = Candle {
        instrument,
        interval: Interval::all().find(|known| known.duration().as_secs() == seconds)?,
        complete: match fields.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        },
        open_time: Timestamp::from_nanos(fields.i64()?),
        open: Price(fields.i64()?),
        high: Price(fields.i64()?),
        low: Price(fields.i64()?),
        close: Price(fields.i64()?),
        volume: Amount(i128::from_le_bytes(fields.take()?)),
    };
    fields.end(candle)
}

fn put(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn instant(&mut self) -> Option<Option<Timestamp>> {
        let nanos = self.i64()?;
        Some((nanos != NEVER).then_some(Timestamp::from_nanos(nanos)))
    }

    /// The value, if nothing is left over.
    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}
