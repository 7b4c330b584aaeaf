//! Counters since the start. Messages of unknown users get no answer, but they are counted.

/// Counters of the Telegram bot, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands of listed users.
    pub commands: u64,
    /// Updates met before.
    pub duplicates: u64,
    /// Messages of users who are not listed.
    pub strangers: u64,
    /// Messages outside a private chat, or in the name of one: groups, channels, anonymous administrators.
    pub not_private: u64,
    /// Forwarded messages, and those sent by way of another bot.
    pub forwarded: u64,
    /// Edits, callbacks and everything else that is no new text message.
    pub other_kinds: u64,
    /// Updates that could not be read.
    pub malformed: u64,
    /// Commands refused for their age.
    pub stale: u64,
    /// Messages the Bot API took.
    pub sent: u64,
    /// Requests that failed and are tried again.
    pub failures: u64,
    /// Replies given up: too many at once, or a chat that takes none.
    pub replies_dropped: u64,
    /// Notifications that were sent as a number only.
    pub summarised: u64,
}
