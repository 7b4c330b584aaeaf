//! How long a WebSocket connection lives: heartbeats, the pace of incoming messages, the 24 hours.
//!
//! A state machine without a socket and a clock. Its times are monotonic, measured from an origin that all connections of a
//! server share.

use std::time::Duration;

/// Between two pings of ours.
const PING_EVERY: Duration = Duration::from_secs(20);
/// After this long without an answer to a ping the peer is gone.
const PONG_WITHIN: Duration = Duration::from_secs(60);
/// No connection gets older.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// Messages a market stream takes in one second; pings and pongs count.
pub(crate) const MESSAGES_PER_SECOND: u32 = 5;

/// Whether incoming messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// More than [`MESSAGES_PER_SECOND`] end the connection.
    Limited,
    /// Request weight does the limiting.
    Free,
}

/// What to do to a connection now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send a ping with this payload.
    Ping(String),
    /// Close it, with this status and reason.
    Close(u16, &'static str),
}

/// One connection's life.
#[derive(Debug)]
pub(crate) struct Life {
    pacing: Pacing,
    opened: Duration,
    next_ping: Duration,
    /// When the oldest unanswered ping was sent.
    unanswered: Option<Duration>,
    payload: String,
    pings: u64,
    second: Duration,
    messages: u32,
}

impl Life {
    pub(crate) fn new(now: Duration, pacing: Pacing) -> Self {
        Self {
            pacing,
            opened: now,
            next_ping: now + PING_EVERY,
            unanswered: None,
            payload: String::new(),
            pings: 0,
            second: now,
            messages: 0,
        }
    }

    /// Something came in; `Some` when it was one too many.
    pub(crate) fn on_message(&mut self, now: Duration) -> Option<Due> {
        if now.saturating_sub(self.second) >= Duration::from_secs(1) {
            (self.second, self.messages) = (now, 0);
        }
        self.messages += 1;
        let too_many = self.pacing == Pacing::Limited && self.messages > MESSAGES_PER_SECOND;
        too_many.then_some(Due::Close(1008, "Too many requests"))
    }

    /// A pong came. Only one that echoes our ping proves anything.
    pub(crate) fn on_pong(&mut self, payload: &[u8]) {
        if payload == self.payload.as_bytes() {
            self.unanswered = None;
        }
    }

    /// What is due at `now`, one thing at a time.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Due> {
        if now.saturating_sub(self.opened) >= LIFETIME {
            return Some(Due::Close(1001, "24 hours are over"));
        }
        if self
            .unanswered
            .is_some_and(|since| now.saturating_sub(since) >= PONG_WITHIN)
        {
            return Some(Due::Close(1008, "Pong timeout"));
        }
        if now < self.next_ping {
            return None;
        }
        self.next_ping = now + PING_EVERY;
        self.unanswered = self.unanswered.or(Some(now));
        self.pings += 1;
        self.payload = self.pings.to_string();
        Some(Due::Ping(self.payload.clone()))
    }

    /// When [`poll`](Self::poll) has something next.
    pub(crate) fn wakes_at(&self) -> Duration {
        let ends = self.opened + LIFETIME;
        let dead = self.unanswered.map_or(ends, |since| since + PONG_WITHIN);
        self.next_ping.min(dead).min(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn silence_after_a_ping_ends_the_connection_after_a_minute() {
        let start = seconds(5);
        let mut life = Life::new(start, Pacing::Limited);
        assert_eq!(life.poll(start + seconds(19)), None);
        assert_eq!(life.poll(start + seconds(20)), Some(Due::Ping("1".into())));
        assert_eq!(life.poll(start + seconds(40)), Some(Due::Ping("2".into())));
        life.on_pong(b"unsolicited");
        assert_eq!(life.wakes_at(), start + seconds(60));
        assert_eq!(life.poll(start + seconds(60)), Some(Due::Ping("3".into())));
        assert_eq!(
            life.poll(start + seconds(80)),
            Some(Due::Close(1008, "Pong timeout"))
        );
    }

    #[test]
    fn an_echoed_pong_keeps_it_until_the_day_is_over() {
        let start = seconds(5);
        let mut life = Life::new(start, Pacing::Limited);
        let (now, closed) = loop {
            let now = life.wakes_at();
            match life.poll(now) {
                Some(Due::Ping(payload)) => life.on_pong(payload.as_bytes()),
                other => break (now, other),
            }
        };
        assert_eq!(closed, Some(Due::Close(1001, "24 hours are over")));
        assert_eq!(now, start + LIFETIME);
    }

    #[test]
    fn the_sixth_message_in_a_second_is_one_too_many() {
        let start = seconds(5);
        let mut life = Life::new(start, Pacing::Limited);
        assert!((0..5).all(|_| life.on_message(start).is_none()));
        assert!(life.on_message(start).is_some());
        assert!(life.on_message(start + seconds(1)).is_none());
        let mut free = Life::new(start, Pacing::Free);
        assert!((0..100).all(|_| free.on_message(start).is_none()));
    }
}
