//! Rows as Parquet: the plain part of the format, written and read here.
//!
//! A file has one table of required 64-bit columns, in groups of 65,536 rows, a page a column, packed with gzip and with a
//! checksum. Times are nanoseconds in UTC and numbers are `DECIMAL(18, scale)`, so any reader of Parquet sees exact values.
//! The `parquet` crate does more and brings some twenty crates with it, `chrono` among them, which this workspace bans;
//! what is needed is small. Files that others wrote are not read: they have kinds of columns that this does not know.

mod read;
mod thrift;
mod write;

use tradewind_model::{Amount, Side, Timestamp};

use crate::row::{CandleRow, Kind, QuoteRow, Row, TradeRow};

pub(crate) use read::ParquetRows;
pub(crate) use write::ParquetWriter;

const MAGIC: &[u8; 4] = b"PAR1";
const GROUP: usize = 65_536;
/// A count of 18 digits is the largest that `DECIMAL(18)` holds.
const COUNT_MAX: i128 = 999_999_999_999_999_999;

/// Which columns a file has, and the decimals of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) kind: Kind,
    /// Decimals of prices.
    pub(crate) price: u8,
    /// Decimals of quantities; `None` where there are none.
    pub(crate) quantity: Option<u8>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Time,
    Decimal(u8),
    Plain,
}

impl Schema {
    /// Names and units, in their order in the file.
    fn columns(self) -> Vec<(&'static str, Unit)> {
        let price = Unit::Decimal(self.price);
        let sizes = |names: &[&'static str]| -> Vec<(&'static str, Unit)> {
            let quantity = self.quantity.map(Unit::Decimal);
            quantity.map_or(Vec::new(), |unit| {
                names.iter().map(|name| (*name, unit)).collect()
            })
        };
        let mut columns = vec![("time", Unit::Time)];
        match self.kind {
            Kind::Candles => {
                columns.extend(["open", "high", "low", "close"].map(|name| (name, price)));
                columns.extend(sizes(&["volume"]));
            }
            Kind::Trades => {
                columns.push(("price", price));
                columns.extend(sizes(&["quantity"]));
                columns.extend([("id", Unit::Plain), ("taker", Unit::Plain)]);
            }
            Kind::Quotes => {
                columns.extend([("bid", price), ("ask", price)]);
                columns.extend(sizes(&["bid_size", "ask_size"]));
            }
        }
        columns
    }

    /// A row as numbers of the columns; `None` for what does not fit them exactly.
    fn counts(self, row: &Row) -> Option<[i64; 6]> {
        let price = |amount| exact(amount, self.price);
        let size = |amount: Option<Amount>| match (amount, self.quantity) {
            (Some(amount), Some(decimals)) => exact(amount, decimals),
            (None, None) => Some(0),
            _ => None,
        };
        let at = row.at().as_nanos();
        Some(match (row, self.kind) {
            (Row::Candle(row), Kind::Candles) => [
                at,
                price(row.open)?,
                price(row.high)?,
                price(row.low)?,
                price(row.close)?,
                size(row.volume)?,
            ],
            (Row::Trade(row), Kind::Trades) => {
                let taker = match row.taker {
                    Some(Side::Buy) => 1,
                    Some(Side::Sell) => -1,
                    None => 0,
                };
                [
                    at,
                    price(row.price)?,
                    size(Some(row.quantity))?,
                    i64::try_from(row.id).ok()?,
                    taker,
                    0,
                ]
            }
            (Row::Quote(row), Kind::Quotes) => [
                at,
                price(row.bid)?,
                price(row.ask)?,
                size(row.bid_size)?,
                size(row.ask_size)?,
                0,
            ],
            _ => return None,
        })
    }

    /// The row that these numbers are.
    fn row(self, counts: [i64; 6]) -> Row {
        let amount = |count: i64, decimals: u8| {
            Amount(
                i128::from(count)
                    * 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(decimals))),
            )
        };
        let [at, a, b, c, d, e] = counts;
        let at = Timestamp::from_nanos(at);
        let price = |count| amount(count, self.price);
        let size = |count| self.quantity.map(|decimals| amount(count, decimals));
        match self.kind {
            Kind::Candles => Row::Candle(CandleRow {
                open_time: at,
                open: price(a),
                high: price(b),
                low: price(c),
                close: price(d),
                volume: size(e),
            }),
            Kind::Trades => Row::Trade(TradeRow {
                at,
                price: price(a),
                quantity: size(b).unwrap_or_default(),
                id: u64::try_from(c).unwrap_or(0),
                taker: match d {
                    1 => Some(Side::Buy),
                    -1 => Some(Side::Sell),
                    _ => None,
                },
            }),
            Kind::Quotes => Row::Quote(QuoteRow {
                at,
                bid: price(a),
                ask: price(b),
                bid_size: size(c),
                ask_size: size(d),
            }),
        }
    }
}

/// An amount as a count of 10^-`decimals`, if it is one of 18 digits at most.
fn exact(amount: Amount, decimals: u8) -> Option<i64> {
    let unit = 10_i128.checked_pow(u32::from(Amount::DECIMALS.checked_sub(decimals)?))?;
    let count = amount.0 / unit;
    (amount.0 % unit == 0 && count.abs() <= COUNT_MAX).then(|| i64::try_from(count).ok())?
}
