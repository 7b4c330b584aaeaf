//! The requests of an executor to a venue, and their results.

use tradewind_model::{
    Candle, ClientOrderId, Depth, ExecutionReport, Fill, InstrumentId, Interval, Timestamp, TradeId,
};
use tradewind_risk::ApprovedOrder;

use super::{CandleRange, OrderQuery, OrderRecord};
use crate::error::VenueError;
use crate::sink::AssetBalance;

/// Names one request of one executor. An executor never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One request, for the account of the venue that is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueRequest {
    /// Send an order, once.
    Submit(ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// The order's instrument.
        instrument: InstrumentId,
        /// Our id of the order.
        client_id: ClientOrderId,
    },
    /// Read the state of an order, its fills included.
    Query {
        /// The order's instrument.
        instrument: InstrumentId,
        /// Our id of the order.
        client_id: ClientOrderId,
    },
    /// Read the balances that are not zero.
    Balances,
    /// Read the open orders.
    OpenOrders,
    /// Read the fills of an instrument, oldest first.
    Fills {
        /// The instrument.
        instrument: InstrumentId,
        /// The first trade wanted.
        from: TradeId,
    },
    /// Read the fills of an instrument since a time of the venue, oldest first.
    FillsSince {
        /// The instrument.
        instrument: InstrumentId,
        /// Not before.
        since: Timestamp,
    },
    /// Read the top of an instrument's book.
    Book {
        /// The instrument.
        instrument: InstrumentId,
    },
    /// Read closed candles, oldest first.
    Candles {
        /// The instrument.
        instrument: InstrumentId,
        /// The length of a candle.
        interval: Interval,
        /// Which of them.
        range: CandleRange,
    },
}

/// The answer to one request.
#[derive(Debug)]
pub enum VenueResponse {
    /// To [`VenueRequest::Submit`]: what became of the order, at least one report. An unknown fate is a report, too.
    Submitted(Vec<ExecutionReport>),
    /// To [`VenueRequest::Cancel`]: what became of the order and, if the venue says so, of the one that ended with it.
    Cancelled(Vec<ExecutionReport>),
    /// To [`VenueRequest::Query`].
    Order(OrderQuery),
    /// To [`VenueRequest::Balances`].
    Balances(Vec<AssetBalance>),
    /// To [`VenueRequest::OpenOrders`].
    OpenOrders(Vec<OrderRecord>),
    /// To [`VenueRequest::Fills`] and [`VenueRequest::FillsSince`].
    Fills(Vec<Fill>),
    /// To [`VenueRequest::Book`].
    Book(Box<Depth>),
    /// To [`VenueRequest::Candles`].
    Candles(Vec<Candle>),
    /// To any request: there is no usable answer. After a submit or a cancel the order's fate is unknown.
    Failed(VenueError),
}
