//! Quotes, trades and captures as a market.

use std::collections::{BTreeMap, VecDeque};

use tradewind_data::{Lines, QuoteRow, Row, Rows, TradeRow, counts};
use tradewind_model::{
    Amount, Instrument, MarketEvent, Ppm, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};
use tradewind_simx::MarketRecord;
use tradewind_simx::recorded::CapturePlayer;

use crate::error::BacktestError;
use crate::point::Width;

/// Rows of quotes.
pub(super) struct QuoteFeed {
    pub(super) rows: Rows,
    pub(super) instrument: Instrument,
}

impl QuoteFeed {
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError> {
        let Some(Row::Quote(row)) = self.rows.next().transpose()? else {
            return Ok(None);
        };
        Ok(Some((row.at, MarketEvent::Quote(self.quote(&row)?))))
    }

    fn quote(&self, row: &QuoteRow) -> Result<Quote, BacktestError> {
        let rules = &self.instrument;
        let price = |value| count(rules, row.at, value, rules.price_decimals).map(Price);
        let size = |value: Option<Amount>| match value {
            Some(value) => count(rules, row.at, value, rules.quantity_decimals).map(Quantity),
            None => Ok(rules.step),
        };
        Ok(Quote {
            instrument: rules.id,
            bid: price(row.bid)?,
            ask: price(row.ask)?,
            bid_quantity: size(row.bid_size)?,
            ask_quantity: size(row.ask_size)?,
            event_time: Some(row.at),
            received_at: row.at,
        })
    }
}

/// Rows of trades. Where nobody quotes, each trade is followed by a quote half a spread around its price.
pub(super) struct TradeFeed {
    pub(super) rows: Rows,
    pub(super) instrument: Instrument,
    /// Half of the spread of the quotes to make, if there are no others.
    pub(super) quoted: Option<Ppm>,
    pub(super) ready: VecDeque<(Timestamp, MarketEvent)>,
}

impl TradeFeed {
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError> {
        if let Some(ready) = self.ready.pop_front() {
            return Ok(Some(ready));
        }
        let Some(Row::Trade(row)) = self.rows.next().transpose()? else {
            return Ok(None);
        };
        let trade = self.trade(&row)?;
        if let Some(half) = self.quoted {
            let width = Width::of(&self.instrument, half);
            let quote = width.around(self.instrument.id, trade.price, row.at);
            self.ready.push_back((row.at, MarketEvent::Quote(quote)));
        }
        Ok(Some((row.at, MarketEvent::Trade(trade))))
    }

    fn trade(&self, row: &TradeRow) -> Result<Trade, BacktestError> {
        let rules = &self.instrument;
        let count = |value, decimals| count(rules, row.at, value, decimals);
        Ok(Trade {
            instrument: rules.id,
            taker: row.taker.unwrap_or(Side::Buy),
            id: TradeId(row.id),
            price: Price(count(row.price, rules.price_decimals)?),
            quantity: Quantity(count(row.quantity, rules.quantity_decimals)?),
            event_time: Some(row.at),
            received_at: row.at,
        })
    }
}

/// A number of the data in counts of its instrument, exactly.
pub(super) fn count(
    rules: &Instrument,
    at: Timestamp,
    value: Amount,
    decimals: u8,
) -> Result<i64, BacktestError> {
    counts(value, decimals).ok_or_else(|| {
        BacktestError::Options(format!(
            "{}: {value} at {at} cannot be counted in 64 bits with {decimals} decimals; run fewer files of the product at once, or round them to its tick and step",
            rules.name
        ))
    })
}

/// A venue's streams.
pub(super) struct CaptureFeed {
    lines: Lines,
    player: CapturePlayer,
    ended: bool,
}

impl CaptureFeed {
    pub(super) fn new(lines: Lines, symbol: String, instrument: Instrument, ahead: i64) -> Self {
        Self {
            lines,
            player: CapturePlayer::new(BTreeMap::from([(symbol, instrument)]), ahead),
            ended: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError> {
        loop {
            if let Some((at, record)) = self.player.next_record() {
                let event = match record {
                    MarketRecord::Quote(quote) => MarketEvent::Quote(quote),
                    MarketRecord::Trade(trade) => MarketEvent::Trade(trade),
                    MarketRecord::Levels(depth) => MarketEvent::Depth(Box::new(depth)),
                };
                return Ok(Some((at, event)));
            }
            if self.ended {
                return Ok(None);
            }
            if self.lines.advance()? {
                let fed = self.player.feed(self.lines.text());
                fed.map_err(|error| self.lines.error(&error.to_string()))?;
            } else {
                self.player.end();
                self.ended = true;
            }
        }
    }
}
