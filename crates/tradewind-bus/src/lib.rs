//! Typed publish and subscribe over bounded queues with an overflow policy per subscriber.
//!
//! [`Bus::publish`] adds one shared event to every queue with its type and returns; nothing a subscriber does
//! can hold it up. What happens when a subscriber is slower than the events is its [`Class`]: it reads on from the event
//! log, it loses the newest events and gets their number, or it sees the latest of each key only. The outcome of every event is
//! counted, and adds up.
//!
//! The bus carries no commands and decides nothing. One publisher, the driver; it publishes what is in the journal
//! already. Start with [`Bus`], then `queue/`.

mod bus;
mod filter;
mod handler;
mod log;
mod options;
mod queue;
mod stats;
mod subscription;

pub use bus::Bus;
pub use filter::TypeSet;
pub use handler::{HandlerLoop, HandlerReport, Publisher, run_handler};
pub use log::{EmptyLog, EventLog};
pub use options::{Class, SubscriptionOptions};
pub use stats::{Counts, Loop, Overflow, SubscriberStats};
pub use subscription::{Received, Stopper, Subscription};
