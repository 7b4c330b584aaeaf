//! What goes into an executor, and what comes out of it.

use tradewind_model::{
    AccountId, BotId, Candle, ClientOrderId, Depth, ExecutionReport, InstrumentId, Interval,
};
use tradewind_risk::{ApprovedOrder, Rate};

use super::{
    AccountSnapshot, ExecutorFault, RequestId, TradeCursor, VenueRequest, VenueResponse, Waits,
};
use crate::retry_budget::RetryLimits;

/// What an executor needs to know.
#[derive(Clone, Debug)]
pub struct ExecutorSettings {
    /// The account.
    pub account: AccountId,
    /// The account's order rate (R16); without one every order goes at once.
    pub rate: Option<Rate>,
    /// The instruments whose fills belong to a reading of the account, each with the assets that its orders can lock.
    pub instruments: Vec<TradeCursor>,
    /// The periods.
    pub waits: Waits,
    /// How many readings may be repeated.
    pub retries: RetryLimits,
    /// Spreads the waits of repetitions: another one for each account of each desk, and for each of their starts.
    pub seed: u64,
}

/// What an executor is given.
#[derive(Debug)]
pub enum ExecutorInput {
    /// Send an order whose intent is durable, for a bot or a person.
    Submit(ApprovedOrder, Option<BotId>),
    /// Cancel an order.
    Cancel {
        /// The order's instrument.
        instrument: InstrumentId,
        /// Our id of the order.
        client_id: ClientOrderId,
    },
    /// Keep an order from leaving if it has not left yet.
    Withdraw(ClientOrderId),
    /// Find out what became of an order.
    Query {
        /// The order's instrument.
        instrument: InstrumentId,
        /// Our id of the order.
        client_id: ClientOrderId,
    },
    /// Read the account.
    ReadAccount,
    /// Read the account, and the fills of instruments whose holdings changed since the last reading.
    SweepAccount,
    /// Read the top of an instrument's book, once.
    ReadBook(InstrumentId),
    /// Read the latest closed candles.
    ReadCandles {
        /// The instrument.
        instrument: InstrumentId,
        /// The length of a candle.
        interval: Interval,
        /// How many.
        count: u32,
    },
    /// The venue answered.
    Response(RequestId, VenueResponse),
    /// Time passed.
    Tick,
    /// Begin nothing more. Answers that still come are taken.
    Stop,
}

/// An output of an executor: a request to begin, or a result.
#[derive(Debug)]
pub enum ExecutorOutput {
    /// Begin this request; its answer is [`ExecutorInput::Response`].
    Begin(RequestId, VenueRequest),
    /// Keep an order from leaving that was begun: its answer tells whether it had left.
    Withdraw(ClientOrderId),
    /// Something happened to an order.
    Report(ExecutionReport),
    /// The account as it was read.
    Account(AccountSnapshot),
    /// Candles that were wanted; none if they cannot be read.
    Candles {
        /// The instrument.
        instrument: InstrumentId,
        /// The length of a candle.
        interval: Interval,
        /// The candles, oldest first.
        candles: Vec<Candle>,
    },
    /// A book that was wanted; `None` if it cannot be read.
    Book {
        /// The instrument.
        instrument: InstrumentId,
        /// Its top.
        depth: Option<Box<Depth>>,
    },
    /// Something is worth a line in the log.
    Fault(ExecutorFault),
}
