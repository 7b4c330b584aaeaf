//! Orders and candles as every venue reports them, in the desk's words.

use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, ExecutionReport, InstrumentId, OrderKind,
    OrderStatus, Quantity, Side, Timestamp, VenueOrderId,
};

/// The answer to a query for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderQuery {
    /// The venue knows it; what happened to it so far, fills included.
    Found(Vec<ExecutionReport>),
    /// It ended long ago without a fill; the venue keeps no more of it.
    Archived,
    /// The venue reports that it does not exist. Soon after sending that is no evidence: its databases lag.
    Absent {
        /// The venue's time of that report.
        venue_time: Timestamp,
    },
}

/// An order as a list of the venue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Our id; one without our tag belongs to somebody else.
    pub client_id: ClientOrderId,
    /// The venue's id.
    pub venue_order_id: VenueOrderId,
    /// Buy or sell.
    pub side: Side,
    /// How it trades; `None` for a kind the desk does not support, such as a stop order placed by hand.
    pub kind: Option<OrderKind>,
    /// Ordered.
    pub quantity: Quantity,
    /// Filled so far.
    pub filled: Quantity,
    /// Where it is; [`OrderStatus::Unknown`] for a word we do not know.
    pub status: OrderStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What it holds of which asset while it is open; `None` if that is not known.
    pub locks: Option<(AssetId, Amount)>,
    /// The list of orders that it belongs to, such as an OCO: its orders hold the asset once.
    pub list: Option<u64>,
}

/// Which candles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandleRange {
    /// This many, the newest closed ones; more than 999 are counted back from now, so a pause of the venue leaves fewer.
    Latest(u32),
    /// Those that open at or after the first instant and before the second.
    Between(Timestamp, Timestamp),
}
