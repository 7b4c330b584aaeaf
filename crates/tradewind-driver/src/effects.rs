//! What leaves the loop, and where it goes.

use tradewind_events::{CommandId, CommandResult, EvaluationRequest, Event, Input, Intent, Output};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, EventId, InstrumentId, Interval, Quote, Timestamp,
    VenueOrderId,
};
use tradewind_risk::ApprovedOrder;

/// Something to be done at a venue.
#[expect(
    clippy::large_enum_variant,
    reason = "an effect is moved once; a box would cost each order an allocation"
)]
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send an order whose intent is durable.
    Submit(Intent, ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// The account.
        account: AccountId,
        /// The instrument.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
        /// The venue's, once known.
        venue_order_id: Option<VenueOrderId>,
    },
    /// Keep an order from leaving if it has not left yet.
    Withdraw {
        /// The account.
        account: AccountId,
        /// The instrument.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
    },
    /// Query the state of an order.
    Query {
        /// The account.
        account: AccountId,
        /// The instrument.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
    },
    /// Read an account.
    Reconcile(AccountId),
    /// Read an account, and the fills of instruments whose holdings changed.
    Sweep(AccountId),
    /// Connect an account's stream anew.
    RenewStream(AccountId),
    /// Read the book of an instrument.
    Book {
        /// The account.
        account: AccountId,
        /// The instrument.
        instrument: InstrumentId,
    },
    /// Read past candles.
    Candles {
        /// The instrument.
        instrument: InstrumentId,
        /// The interval of the candles.
        interval: Interval,
        /// The number of closed candles.
        count: u32,
    },
}

impl Effect {
    /// The effect of an output; `None` for an output that is not for a venue.
    pub(crate) fn of(output: &Output) -> Option<Self> {
        Some(match *output {
            Output::Submit(ref intent, order) => Self::Submit(intent.clone(), order),
            Output::Cancel {
                account,
                instrument,
                client_id,
                venue_order_id,
            } => Self::Cancel {
                account,
                instrument,
                client_id,
                venue_order_id,
            },
            Output::Withdraw {
                account,
                instrument,
                client_id,
            } => Self::Withdraw {
                account,
                instrument,
                client_id,
            },
            Output::Query {
                account,
                instrument,
                client_id,
            } => Self::Query {
                account,
                instrument,
                client_id,
            },
            Output::Reconcile(account) => Self::Reconcile(account),
            Output::Sweep(account) => Self::Sweep(account),
            Output::RenewStream(account) => Self::RenewStream(account),
            Output::ReadBook {
                account,
                instrument,
            } => Self::Book {
                account,
                instrument,
            },
            Output::RequestCandles {
                instrument,
                interval,
                count,
            } => Self::Candles {
                instrument,
                interval,
                count,
            },
            Output::Event(_)
            | Output::EndFlattening
            | Output::Evaluate(_)
            | Output::ResetLane(_)
            | Output::SetTimer(..)
            | Output::CancelTimer(_)
            | Output::Reply(..) => return None,
        })
    }

    /// The order it is about, if it is about one.
    pub(crate) const fn order(&self) -> Option<ClientOrderId> {
        match self {
            Self::Submit(_, order) => Some(order.terms().client_id),
            Self::Cancel { client_id, .. }
            | Self::Withdraw { client_id, .. }
            | Self::Query { client_id, .. } => Some(*client_id),
            Self::Reconcile(_)
            | Self::Sweep(_)
            | Self::RenewStream(_)
            | Self::Book { .. }
            | Self::Candles { .. } => None,
        }
    }
}

/// Carries out the engine's outputs. No method blocks.
///
/// The provided methods belong to one kind of driver only; the others keep their defaults.
pub trait Effects {
    /// Hands an effect to its venue.
    fn perform(&mut self, now: Timestamp, effect: Effect);

    /// Announces an event that is written. Events come in order; [`flush`](Self::flush) ends a series.
    fn publish(&mut self, event: &Event);

    /// Answers a command, after its events were announced.
    fn reply(&mut self, id: CommandId, result: CommandResult);

    /// Hands a request to a strategy of another lane. Its answer comes back as an input.
    fn evaluate(&mut self, request: Box<EvaluationRequest>);

    /// Requests the rebuild of a strategy of another lane.
    fn reset(&mut self, bot: BotId);

    /// A kill has closed what positions it could: no order may leave any more.
    fn end_flattening(&mut self) {}

    /// Everything announced since the last call may go out.
    fn flush(&mut self) {}

    /// Whether quotes that led to no event are announced too.
    fn wants_quotes(&self) -> bool {
        false
    }

    /// Announces such a quote under the id of its input.
    fn publish_quote(&mut self, id: EventId, at: Timestamp, quote: &Quote) {
        let (_, _, _) = (id, at, quote);
    }

    /// Writes the next immediate answer of a performed effect into `answer`, whose box may be used again. False if
    /// there is none. The answer is handled before any other input. A venue behind a queue answers through the queue
    /// instead.
    fn next_answer(&mut self, answer: &mut Input) -> bool {
        let _ = answer;
        false
    }

    /// The next arrival on a simulated network, under a clock that is moved.
    fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// Handles the next arrival that is due by `now`; false if there is none.
    fn deliver(&mut self, now: Timestamp) -> bool {
        let _ = now;
        false
    }

    /// Called right before the engine handles an input, so that latencies can be measured.
    fn handling(&mut self, at: Timestamp, input: &Input) {
        let (_, _) = (at, input);
    }

    /// Called right after it.
    fn handled(&mut self) {}
}
