//! Rows as Parquet: the plain part of the format, written and read here.
//!
//! A file has one table of required 64-bit columns, in groups of 65,536 rows (4,096 of books), a page a column, packed with gzip and with a
//! checksum. Times are nanoseconds in UTC and numbers are `DECIMAL(18, scale)`, so any reader of Parquet sees exact values.
//! The `parquet` crate does more and brings some twenty crates with it, `chrono` among them, which this workspace bans;
//! what is needed is small. Files that others wrote are not read: they have kinds of columns that this does not know.

mod read;
mod thrift;
mod write;

use std::borrow::Cow;
use std::time::Duration;

use tradewind_model::{Amount, Decimal, Side, Timestamp};

use crate::house::{NumberRow, TargetRow};
use crate::row::{BookRow, CandleRow, Kind, QuoteRow, Row, TradeRow};

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
    /// Rows of a group, which is held in memory as a whole.
    const fn group(self) -> usize {
        match self.kind {
            Kind::Books => GROUP / 16,
            Kind::Candles | Kind::Trades | Kind::Quotes | Kind::Numbers | Kind::Targets => GROUP,
        }
    }

    /// Names and units, in their order in the file.
    fn columns(self) -> Vec<(Cow<'static, str>, Unit)> {
        let price = Unit::Decimal(self.price);
        let named = |name: &'static str, unit| (Cow::Borrowed(name), unit);
        let sizes = |names: &[&'static str]| -> Vec<(Cow<'static, str>, Unit)> {
            let quantity = self.quantity.map(Unit::Decimal);
            quantity.map_or(Vec::new(), |unit| {
                names.iter().map(|name| named(name, unit)).collect()
            })
        };
        let mut columns = vec![named("time", Unit::Time)];
        match self.kind {
            Kind::Candles => {
                columns.extend(["open", "high", "low", "close"].map(|name| named(name, price)));
                columns.extend(sizes(&["volume"]));
            }
            Kind::Trades => {
                columns.push(named("price", price));
                columns.extend(sizes(&["quantity"]));
                columns.extend([named("id", Unit::Plain), named("taker", Unit::Plain)]);
            }
            Kind::Quotes => {
                columns.extend([named("bid", price), named("ask", price)]);
                columns.extend(sizes(&["bid_size", "ask_size"]));
            }
            Kind::Books => {
                let size = Unit::Decimal(self.quantity.unwrap_or_default());
                for side in ["bid", "ask"] {
                    for level in 1..=BookRow::LEVELS {
                        columns.push((format!("{side}_{level}").into(), price));
                        columns.push((format!("{side}_size_{level}").into(), size));
                    }
                }
            }
            Kind::Numbers => columns.extend([
                named("received_at", Unit::Time),
                named("value", price),
                named("max_age", Unit::Plain),
            ]),
            Kind::Targets => columns.extend([
                named("received_at", Unit::Time),
                named("exposure", price),
                named("expires", Unit::Time),
            ]),
        }
        columns
    }

    /// Puts a row into `out` as numbers of the columns; `None` for what does not fit them exactly.
    fn counts(self, row: &Row, out: &mut Vec<i64>) -> Option<()> {
        let price = |amount| exact(amount, self.price);
        let size = |amount: Option<Amount>| match (amount, self.quantity) {
            (Some(amount), Some(decimals)) => exact(amount, decimals),
            (None, None) => Some(0),
            _ => None,
        };
        let number = |number: Decimal| {
            let count = number.scaled(self.price)?;
            (i128::from(count).abs() <= COUNT_MAX).then_some(count)
        };
        out.clear();
        out.push(match row {
            Row::Number(row) => row.event_time.as_nanos(),
            Row::Target(row) => row.event_time.as_nanos(),
            _ => row.at().as_nanos(),
        });
        match (row, self.kind) {
            (Row::Candle(row), Kind::Candles) => out.extend([
                price(row.open)?,
                price(row.high)?,
                price(row.low)?,
                price(row.close)?,
                size(row.volume)?,
            ]),
            (Row::Trade(row), Kind::Trades) => {
                let taker = match row.taker {
                    Some(Side::Buy) => 1,
                    Some(Side::Sell) => -1,
                    None => 0,
                };
                let id = i64::try_from(row.id).ok()?;
                out.extend([price(row.price)?, size(Some(row.quantity))?, id, taker]);
            }
            (Row::Quote(row), Kind::Quotes) => out.extend([
                price(row.bid)?,
                price(row.ask)?,
                size(row.bid_size)?,
                size(row.ask_size)?,
            ]),
            (Row::Number(row), Kind::Numbers) => {
                let max_age = row.max_age.map_or(0, |age| age.as_nanos());
                let max_age = i64::try_from(max_age).ok()?;
                out.extend([row.received_at.as_nanos(), number(row.value)?, max_age]);
            }
            (Row::Target(row), Kind::Targets) => out.extend([
                row.received_at.as_nanos(),
                number(row.exposure)?,
                row.expires.as_nanos(),
            ]),
            (Row::Book(row), Kind::Books) => {
                for side in [&row.bids, &row.asks] {
                    // A level that is not there has a price of 0.
                    let absent = std::iter::repeat(&(Amount::ZERO, Amount::ZERO));
                    for (at, quantity) in side.iter().chain(absent).take(BookRow::LEVELS) {
                        out.extend([price(*at)?, size(Some(*quantity))?]);
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// The row that these numbers are.
    fn row(self, counts: &[i64]) -> Row {
        let amount = |count: i64, decimals: u8| {
            Amount(
                i128::from(count)
                    * 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(decimals))),
            )
        };
        let of = |column: usize| counts.get(column).copied().unwrap_or(0);
        let at = Timestamp::from_nanos(of(0));
        let price = |column| amount(of(column), self.price);
        let size = |column| self.quantity.map(|decimals| amount(of(column), decimals));
        match self.kind {
            Kind::Candles => Row::Candle(CandleRow {
                open_time: at,
                open: price(1),
                high: price(2),
                low: price(3),
                close: price(4),
                volume: size(5),
            }),
            Kind::Trades => Row::Trade(TradeRow {
                at,
                price: price(1),
                quantity: size(2).unwrap_or_default(),
                id: u64::try_from(of(3)).unwrap_or(0),
                taker: match of(4) {
                    1 => Some(Side::Buy),
                    -1 => Some(Side::Sell),
                    _ => None,
                },
            }),
            Kind::Quotes => Row::Quote(QuoteRow {
                at,
                bid: price(1),
                ask: price(2),
                bid_size: size(3),
                ask_size: size(4),
            }),
            Kind::Numbers => Row::Number(NumberRow {
                event_time: at,
                received_at: Timestamp::from_nanos(of(1)),
                value: Decimal::new(of(2), self.price),
                max_age: u64::try_from(of(3))
                    .ok()
                    .filter(|age| *age > 0)
                    .map(Duration::from_nanos),
            }),
            Kind::Targets => Row::Target(Box::new(TargetRow {
                event_time: at,
                received_at: Timestamp::from_nanos(of(1)),
                instrument: None,
                exposure: Decimal::new(of(2), self.price),
                expires: Timestamp::from_nanos(of(3)),
            })),
            Kind::Books => {
                let side = |first: usize| {
                    let columns = (0..BookRow::LEVELS).map(|level| first + 2 * level);
                    let present = columns.take_while(|column| of(*column) != 0);
                    let level = |column| (price(column), size(column + 1).unwrap_or_default());
                    present.map(level).collect()
                };
                Row::Book(Box::new(BookRow {
                    at,
                    bids: side(1),
                    asks: side(1 + 2 * BookRow::LEVELS),
                }))
            }
        }
    }
}

/// An amount as a count of 10^-`decimals`, if it is one of 18 digits at most.
fn exact(amount: Amount, decimals: u8) -> Option<i64> {
    let unit = 10_i128.checked_pow(u32::from(Amount::DECIMALS.checked_sub(decimals)?))?;
    let count = amount.0 / unit;
    (amount.0 % unit == 0 && count.abs() <= COUNT_MAX).then(|| i64::try_from(count).ok())?
}
