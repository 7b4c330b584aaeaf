//! Faults on purpose: a script of what goes wrong between the exchange and its wires, when, where and how often.
//!
//! It is no test double: exchange, orders and books stay as honest as ever, and what a fault does to them (a halt, a
//! human's trade, a price) goes through the same doors as a client's order. Everything else happens to messages on
//! their way. [`Between`] is a state machine like the core it wraps: with the same seed, script, inputs and times the same
//! bytes leave.
//!
//! Start with `fault.rs`, which lists what a fault can be; `script.rs` reads a file of them; `armed.rs` decides when one
//! strikes; `between.rs` and its two halves, `requests.rs` and `frames.rs`, do it; `docs/faults.md` has an example of each.

mod armed;
mod between;
pub(crate) mod command;
mod edit;
mod event;
mod fault;
mod frames;
mod lens;
mod reader;
mod requests;
mod script;
#[cfg(test)]
mod tests;

pub(crate) use between::{Between, Mischief, Parts};
pub use command::{Command, CommandError};
pub(crate) use event::WireKind;
pub(crate) use lens::Lens;
pub(crate) use reader::read_body;
pub use script::{FaultErrors, FaultScript};

use std::time::Duration;

use tradewind_simx::{Latencies, Latency};

/// How a server departs from a perfect one.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    /// Seed of every draw below.
    pub seed: u64,
    /// How long messages take.
    pub latencies: Latencies,
    /// What goes wrong.
    pub faults: FaultScript,
}

impl Conduct {
    /// Whether nothing stands between the exchange and its clients.
    pub(crate) fn is_perfect(&self) -> bool {
        self.latencies.is_none() && self.faults.is_empty()
    }
}

/// What is done to a connection itself, beneath its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// Let this many more bytes out, then hang up.
    CutAfter(u64),
    /// Keep the connection and write nothing any more.
    Mute,
    /// Say goodbye with this status.
    Close(u16),
    /// Announce the end of the server, then say goodbye.
    Shutdown,
}

/// Which connections a stroke hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// This one.
    One(crate::streams::ConnectionId),
    /// All WebSockets, or those of one kind.
    All(Option<WireKind>),
}

/// What becomes of the answer to a REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It arrives.
    Sent(crate::rest::RestAnswer),
    /// So many bytes of it arrive, then the connection ends.
    Cut(crate::rest::RestAnswer, u64),
    /// Nothing comes, and the connection stays.
    Silence,
    /// The connection ends without it.
    HungUp,
}

/// How the listener treats newcomers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DoorState {
    /// They are welcome.
    #[default]
    Open,
    /// Nobody listens.
    Closed,
    /// They are let in, and thrown out after a while between these.
    Flapping {
        least: Duration,
        most: Duration,
        seed: u64,
    },
}

impl DoorState {
    /// How long the connection with this number lives, if the listener is to end it.
    pub(crate) fn lifetime(self, accepted: u64) -> Option<Duration> {
        match self {
            Self::Open | Self::Closed => None,
            Self::Flapping { least, most, seed } => {
                let between = Latency::Uniform { least, most };
                Some(between.sampler(seed, accepted).draw())
            }
        }
    }
}
