//! What a source's machine takes in and gives out, and how it is set.

use std::time::Duration;

use crate::connection::{ConnectionSettings, LossReason};
use crate::health::HealthChange;
use crate::protocol::Topic;
use crate::subscriptions::SubscriptionSettings;

/// One attempt at a connection. A new one has a new number, so late news of an old one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// How a source behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// Of its connections.
    pub connection: ConnectionSettings,
    /// Of its subscriptions.
    pub subscriptions: SubscriptionSettings,
    /// An instrument without data for this long is stale.
    pub stale_after: Duration,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            connection: ConnectionSettings::default(),
            subscriptions: SubscriptionSettings::default(),
            stale_after: Duration::from_secs(10),
        }
    }
}

/// What happened to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceIn {
    /// It is wanted from now on.
    Start,
    /// It is not wanted any more.
    Stop,
    /// This is wanted from now on.
    Want(Topic),
    /// This is not wanted any more.
    Unwant(Topic),
    /// A link opened.
    Opened(LinkId),
    /// A link could not be opened or broke.
    Lost(LinkId, LossReason),
    /// A link's subscription request was granted.
    Acked(LinkId, u64),
    /// A link's subscription request was refused.
    Refused(LinkId, u64, String),
    /// A link answered a ping.
    Pong(LinkId),
    /// The venue announced that it will close a link.
    ClosingSoon(LinkId),
    /// Time passed.
    Tick,
}

/// An action for the shell, or a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceOut {
    /// Open a link.
    Open(LinkId),
    /// Drop a link.
    Close(LinkId),
    /// Ping on a link.
    Ping(LinkId),
    /// Request topics on a link.
    Subscribe(LinkId, u64, Vec<Topic>),
    /// Give topics back on a link.
    Unsubscribe(LinkId, u64, Vec<Topic>),
    /// Everything wanted is confirmed on the link in use.
    Ready,
    /// No link is up.
    Down {
        /// Why.
        reason: LossReason,
        /// When the next attempt follows.
        retry_in: Duration,
    },
    /// Ten attempts at a connection failed in a row; it is tried on.
    Unreachable(LossReason),
    /// An attempt at a subscription failed and will be repeated.
    Retrying {
        /// What.
        topic: Topic,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// A subscription has failed many times; it is tried on.
    TopicFailed(Topic, String),
    /// An instrument's data became better or worse.
    Health(HealthChange),
}
