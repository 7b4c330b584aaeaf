//! The options of the Telegram bot. The binary converts `[telegram]` and the environment into it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::SecretString;
use tradewind_bus::TypeSet;
use tradewind_events::EventType;

/// How an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// With a sound.
    On,
    /// Without.
    Silent,
    /// Not at all.
    Off,
}

/// The options of the Telegram bot.
#[derive(Clone, Debug)]
pub struct Options {
    /// Numeric ids of the authorised users, in private chats only.
    pub users: BTreeSet<i64>,
    /// The chat notifications go to; without one there are none.
    pub chat: Option<i64>,
    /// Address of the Bot API, without a path: `https://api.telegram.org`.
    pub api_url: String,
    /// The bot's token. It goes into request lines and nowhere else.
    pub token: SecretString,
    /// Age at which a command that may add risk is refused.
    pub stale_after: Duration,
    /// Which events are sent, and with or without sound. Other types are not sent.
    pub notify: BTreeMap<EventType, Notify>,
    /// Seed of the jitter between attempts.
    pub seed: u64,
}

impl Options {
    /// How an event of this type is sent.
    pub(crate) fn notify_of(&self, event_type: EventType) -> Notify {
        self.notify.get(&event_type).copied().unwrap_or(Notify::Off)
    }

    /// The types to send with this urgency.
    pub(crate) fn types_of(&self, urgency: Urgency) -> TypeSet {
        let types = EventType::ALL.iter().copied();
        types
            .filter(|each| self.notify_of(*each) != Notify::Off && Urgency::of(*each) == urgency)
            .collect()
    }
}

/// Whether a notification may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It waits for the Bot API for as long as it takes.
    Critical,
    /// If there are too many, only their number is sent.
    Ordinary,
}

impl Urgency {
    pub(crate) const fn of(event_type: EventType) -> Self {
        if matches!(
            event_type,
            EventType::KillSwitch
                | EventType::KillSwitchReset
                | EventType::CircuitBreakerFired
                | EventType::Alarm
        ) {
            Self::Critical
        } else {
            Self::Ordinary
        }
    }
}
