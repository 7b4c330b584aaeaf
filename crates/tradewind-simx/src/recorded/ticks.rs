//! Tables of quotes and of trades: comma-separated lines with a first line of names, oldest first.
//!
//! Quotes have a time (`timestamp`, `timestamp_ms`, `time`, `event_time` or `date`), `bid` and `ask` and, if there are such,
//! `bid_size` and `ask_size`. Trades have a time, `price`, `quantity` (or `qty`, `size`, `amount`) and, if there are such,
//! `trade_id` (or `id`) and who took: `buyer_maker` (or `is_buyer_maker`) or `side`. More columns are passed over. Times
//! and numbers are read as in a table of candles.

use tradewind_model::{Side, Timestamp};

use super::LineError;
use super::candles::{number, time};

const TIMES: [&str; 5] = ["timestamp", "timestamp_ms", "time", "event_time", "date"];

/// One quote, prices and sizes as counts of 10^-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    /// When.
    pub at: Timestamp,
    /// Best bid.
    pub bid: i64,
    /// Best ask.
    pub ask: i64,
    /// Wanted at the bid; `None` where the table has no sizes.
    pub bid_size: Option<i64>,
    /// Offered at the ask; `None` where the table has no sizes.
    pub ask_size: Option<i64>,
}

/// One trade, price and quantity as counts of 10^-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// When.
    pub at: Timestamp,
    /// Price.
    pub price: i64,
    /// Quantity.
    pub quantity: i64,
    /// The venue's number of it; 0 where the table has none.
    pub id: u64,
    /// Who took; a buyer where the table does not tell.
    pub taker: Side,
}

/// Where the columns of a table of quotes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteTable {
    time: usize,
    bid: usize,
    ask: usize,
    bid_size: Option<usize>,
    ask_size: Option<usize>,
}

/// Where the columns of a table of trades are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeTable {
    time: usize,
    price: usize,
    quantity: usize,
    id: Option<usize>,
    buyer_maker: Option<usize>,
    side: Option<usize>,
}

impl QuoteTable {
    /// Reads a table's first line; `None` if it is not that of a table of quotes.
    #[must_use]
    pub fn first_line(line: &str) -> Option<Self> {
        let place = |wanted: &[&str]| column(line, wanted);
        Some(Self {
            time: place(&TIMES)?,
            bid: place(&["bid", "bid_price"])?,
            ask: place(&["ask", "ask_price"])?,
            bid_size: place(&["bid_size", "bid_quantity", "bid_qty"]),
            ask_size: place(&["ask_size", "ask_quantity", "ask_qty"]),
        })
    }

    /// Reads one quote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn row(&self, line: &str) -> Result<QuoteRow, LineError> {
        let row = Row::new(line);
        let sized =
            |name, place: Option<usize>| place.map(|place| row.number(name, place)).transpose();
        let quote = QuoteRow {
            at: time(row.cell(self.time)?)?,
            bid: row.number("bid", self.bid)?,
            ask: row.number("ask", self.ask)?,
            bid_size: sized("bid size", self.bid_size)?,
            ask_size: sized("ask size", self.ask_size)?,
        };
        if quote.bid <= 0 || quote.ask <= 0 {
            return Err(LineError::new("a price is not above zero"));
        }
        Ok(quote)
    }
}

impl TradeTable {
    /// Reads a table's first line; `None` if it is not that of a table of trades.
    #[must_use]
    pub fn first_line(line: &str) -> Option<Self> {
        let place = |wanted: &[&str]| column(line, wanted);
        Some(Self {
            time: place(&TIMES)?,
            price: place(&["price"])?,
            quantity: place(&["quantity", "qty", "size", "amount"])?,
            id: place(&["trade_id", "id"]),
            buyer_maker: place(&["buyer_maker", "is_buyer_maker"]),
            side: place(&["side"]),
        })
    }

    /// Reads one trade.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn row(&self, line: &str) -> Result<TradeRow, LineError> {
        let row = Row::new(line);
        let id = match self.id.map(|place| row.cell(place)).transpose()? {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| LineError::new(format!("the trade id {text:?} is no whole number")))?,
        };
        let trade = TradeRow {
            at: time(row.cell(self.time)?)?,
            price: row.number("price", self.price)?,
            quantity: row.number("quantity", self.quantity)?,
            id,
            taker: self.taker(&row)?,
        };
        if trade.price <= 0 || trade.quantity <= 0 {
            return Err(LineError::new("a price or a quantity is not above zero"));
        }
        Ok(trade)
    }

    fn taker(&self, row: &Row<'_>) -> Result<Side, LineError> {
        let (place, is_maker) = match (self.buyer_maker, self.side) {
            (Some(place), _) => (place, true),
            (None, Some(place)) => (place, false),
            (None, None) => return Ok(Side::Buy),
        };
        let text = row.cell(place)?.to_ascii_lowercase();
        match (text.as_str(), is_maker) {
            ("false" | "0", true) | ("buy" | "b", false) => Ok(Side::Buy),
            ("true" | "1", true) | ("sell" | "s", false) => Ok(Side::Sell),
            _ => Err(LineError::new(format!("{text:?} does not tell who took"))),
        }
    }
}

/// A line cut into its cells.
struct Row<'a>(Vec<&'a str>);

impl<'a> Row<'a> {
    fn new(line: &'a str) -> Self {
        Self(line.split(',').map(str::trim).collect())
    }

    fn cell(&self, place: usize) -> Result<&'a str, LineError> {
        let cell = self.0.get(place).copied();
        cell.ok_or_else(|| LineError::new(format!("there is no column {}", place + 1)))
    }

    fn number(&self, name: &str, place: usize) -> Result<i64, LineError> {
        number(name, self.cell(place)?)
    }
}

/// The first column with one of these names.
fn column(line: &str, wanted: &[&str]) -> Option<usize> {
    let mut names = line.split(',').map(|name| name.trim().trim_matches('"'));
    names.position(|name| {
        wanted
            .iter()
            .any(|wanted| wanted.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_quotes_is_read_by_its_names() {
        let table =
            QuoteTable::first_line("timestamp_ms,symbol,ask_size,ask,bid_size,bid").unwrap();
        let row = table
            .row("1610064001076,BTC/USDT,6e-05,39433.62,0.0031,39432.99")
            .unwrap();
        assert_eq!(row.at, Timestamp::from_millis(1_610_064_001_076));
        assert_eq!((row.bid, row.ask), (3_943_299_000_000, 3_943_362_000_000));
        assert_eq!((row.bid_size, row.ask_size), (Some(310_000), Some(6_000)));
        assert!(table.row("1610064001076,BTC/USDT,1,0,1,1").is_err());
        assert!(table.row("1610064001076,BTC/USDT,1").is_err());
        assert_eq!(QuoteTable::first_line("time,open,high,low,close"), None);
    }

    #[test]
    fn a_table_of_trades_tells_who_took() {
        let table =
            TradeTable::first_line("timestamp_ms,trade_id,price,quantity,buyer_maker").unwrap();
        let row = |maker: &str| {
            table.row(&format!(
                "1610064000278,553287559,39432.48,0.000263,{maker}"
            ))
        };
        assert_eq!(row("True").unwrap().taker, Side::Sell);
        assert_eq!(row("False").unwrap().taker, Side::Buy);
        assert_eq!(row("False").unwrap().quantity, 26_300);
        assert_eq!(
            row("maybe").unwrap_err().to_string(),
            "\"maybe\" does not tell who took"
        );
    }
}
