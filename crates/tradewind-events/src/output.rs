//! What the engine wants done. The driver carries outputs out in order.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, BotId, Candle, CarriedOut, ClientOrderId, Depth, FeedHealth, InstrumentId,
    Interval, LastEntry, Numbers, OrderTerms, PositionState, Ppm, Quantity, Quote, TakeProfit,
    Timestamp, Trade, VenueOrderId, Wake,
};
use tradewind_risk::{ApprovedOrder, PositionEffect};

use crate::command::{CommandId, CommandResult};
use crate::event::Event;
use crate::input::Timer;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Output {
    /// Announce this.
    Event(Event),
    /// Make the intent durable, then send the order.
    Submit(Intent, ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
        /// The venue's, once known.
        venue_order_id: Option<VenueOrderId>,
    },
    /// Keep an order from leaving if it has not left yet. One that has is not affected.
    Withdraw {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
    },
    /// Ask the venue what became of an order.
    Query {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
    },
    /// Read the account from the venue and hand it in as [`Input::Account`](crate::Input::Account).
    Reconcile(AccountId),
    /// Read the account as for [`Reconcile`](Self::Reconcile), but only the fills of instruments whose holdings changed since
    /// the last reading.
    Sweep(AccountId),
    /// Connect the account's stream anew: it withholds something.
    RenewStream(AccountId),
    /// Read past candles and hand them in as [`Input::Candles`](crate::Input::Candles).
    RequestCandles {
        /// Of what.
        instrument: InstrumentId,
        /// Which.
        interval: Interval,
        /// How many closed ones.
        count: u32,
    },
    /// Read the book of a quiet instrument once and hand it in as [`Input::Book`](crate::Input::Book).
    ReadBook {
        /// The account through which it is read.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
    },
    /// Ask a strategy in another lane.
    Evaluate(Box<EvaluationRequest>),
    /// Throw away the strategy of a bot in another lane and build it anew.
    ResetLane(BotId),
    /// Call back then; a timer that is set already moves.
    SetTimer(Timestamp, Timer),
    /// Do not call back.
    CancelTimer(Timer),
    /// Positions were closed for a kill, as far as they could be: the gate is to let nothing more pass.
    EndFlattening,
    /// Answer a command.
    Reply(CommandId, CommandResult),
}

/// Outputs of one input, in a buffer that is used again and again.
pub type Outputs = Vec<Output>;

/// An order somebody decided on, as it is made durable before the order leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The order.
    pub terms: OrderTerms,
    /// For whom; `None` for a person.
    pub bot: Option<BotId>,
    /// Entry, exit or protective stop.
    pub purpose: PositionEffect,
    /// The bot's revision when it decided; 0 for a person.
    pub revision: u32,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The order that the same request cancels first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ClientOrderId>,
    /// For a protective stop: how much of it belongs to each bot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<StopShare>,
    /// The order that takes the profit and is sent with a protective stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<TakeProfit>,
}

/// A bot's part of a protective stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopShare {
    /// The bot whose position it covers.
    pub bot: BotId,
    /// How much of the stop's quantity is its.
    pub quantity: Quantity,
}

/// A call of a strategy that runs in another lane: all it may look at, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationRequest {
    /// Whose strategy.
    pub bot: BotId,
    /// Number of the request; answers to an older one are dropped.
    pub request: u64,
    /// As of when.
    pub at: Timestamp,
    /// On which instrument it is woken.
    pub instrument: InstrumentId,
    /// By what.
    pub wake: Wake,
    /// The candle that closed, for a candle wake.
    pub candle: Option<Candle>,
    /// Whether a decision is wanted, or the strategy is only fed.
    pub decide: bool,
    /// Which decisions will be carried out.
    pub carried_out: CarriedOut,
    /// What became of the last entry it decided in this instrument.
    pub last_entry: LastEntry,
    /// The latest quote.
    pub quote: Option<Quote>,
    /// Its position.
    pub position: PositionState,
    /// Its budget.
    pub budget: Amount,
    /// What the bot reads besides, as of the same moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<ReadData>,
    /// How far the instrument's data can be trusted, and since when.
    #[serde(default)]
    pub feed: (FeedHealth, Timestamp),
    /// The latest numbers of named series.
    #[serde(default, skip_serializing_if = "Numbers::is_empty")]
    pub numbers: Numbers,
    /// The top of its book, if its feed is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<Depth>,
    /// The exposure that orders have worked towards so far.
    #[serde(default)]
    pub exposure: Ppm,
    /// By the bot's instruments, whether it may enter each; `None` for a bot without a universe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<bool>>,
}

/// Market data of an instrument that a bot only reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadData {
    /// The instrument.
    pub instrument: InstrumentId,
    /// How far its data can be trusted.
    pub health: FeedHealth,
    /// Its latest sound quote.
    pub quote: Option<Quote>,
    /// The top of its book, if its feed is live.
    pub depth: Option<Depth>,
    /// Its latest trades, oldest first.
    pub trades: Vec<Trade>,
}
