//! One connection of a [`VirtualNetwork`](super::VirtualNetwork): two lanes that deliver in order, and what is wrong with them.

use std::time::Duration;

use tradewind_model::Timestamp;
use tradewind_simx::{Chance, Sampler};

use super::tap::ClientTap;
use crate::virtual_server::ConnectionNumber;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the exchange.
    ToServer,
    /// From the exchange to the client.
    ToClient,
}

/// What a fault does to one connection from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFault {
    /// So many bytes more arrive, then both sides lose the connection.
    Cut(Direction, u64),
    /// The same with a number of bytes drawn below this bound.
    CutBelow(Direction, u64),
    /// Nothing arrives any more, the end of the connection included, and neither side notices.
    Silence(Direction),
    /// Everything arrives this much later than it would.
    Delay(Direction, Duration),
    /// So many bytes a second arrive, for a reader takes no more. The exchange cuts a connection whose reader is 10 s behind.
    Slow(Direction, u64),
}

/// How far behind a reader may be.
const BEHIND_MAX: Duration = Duration::from_secs(10);

/// A connection as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// The server has not answered yet.
    Opening,
    /// Bytes may be sent.
    Open,
    /// The server refused it.
    Refused,
    /// It has ended. Bytes that arrived before can still be taken.
    Ended,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// The server's number of it, while the server has it.
    pub(super) server: Option<ConnectionNumber>,
    pub(super) tap: ClientTap,
    /// Bytes that have arrived at the client.
    pub(super) inbox: Vec<u8>,
    to_server: Lane,
    to_client: Lane,
    chance: Chance,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Lane {
    latency: Sampler,
    /// Nothing arrives before this.
    arrives: Timestamp,
    delay: Duration,
    /// Bytes that may pass before the connection is cut.
    left: Option<u64>,
    is_silent: bool,
    /// Bytes a second that its reader takes, if that is a limit.
    rate: Option<u64>,
}

impl Link {
    pub(super) const fn new(
        number: ConnectionNumber,
        [to_server, to_client]: [Sampler; 2],
        chance: Chance,
    ) -> Self {
        Self {
            state: LinkState::Opening,
            server: None,
            tap: ClientTap::new(number),
            inbox: Vec::new(),
            to_server: Lane::new(to_server),
            to_client: Lane::new(to_client),
            chance,
        }
    }

    pub(super) const fn lane(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    pub(super) fn strike(&mut self, fault: LinkFault) {
        match fault {
            LinkFault::Cut(direction, bytes) => self.lane(direction).left = Some(bytes),
            LinkFault::CutBelow(direction, bound) => {
                let bytes = self.chance.below(bound);
                self.lane(direction).left = Some(bytes);
            }
            LinkFault::Silence(direction) => self.lane(direction).is_silent = true,
            LinkFault::Delay(direction, by) => self.lane(direction).delay += by,
            LinkFault::Slow(direction, rate) => self.lane(direction).rate = Some(rate.max(1)),
        }
    }

    /// What is sent from now on is not delayed.
    pub(super) const fn end_delay(&mut self) {
        (self.to_server.delay, self.to_client.delay) = (Duration::ZERO, Duration::ZERO);
    }

    /// The server's answer to a connection that its client still wants.
    pub(super) fn pass_to(&mut self, state: LinkState) {
        if self.state == LinkState::Opening {
            self.state = state;
        }
    }

    /// Whether its client neither uses it nor has bytes to take.
    pub(super) fn is_done(&self) -> bool {
        self.state == LinkState::Ended && self.inbox.is_empty() && self.server.is_none()
    }
}

impl Lane {
    const fn new(latency: Sampler) -> Self {
        Self {
            latency,
            arrives: Timestamp::EPOCH,
            delay: Duration::ZERO,
            left: None,
            is_silent: false,
            rate: None,
        }
    }

    /// When so many bytes that leave at `now` have arrived; `None` when they never do.
    pub(super) fn arrival(&mut self, now: Timestamp, bytes: usize) -> Option<Timestamp> {
        if self.is_silent {
            return None;
        }
        let read = self.rate.map_or(Duration::ZERO, |rate| {
            let nanos = (bytes as u64).saturating_mul(1_000_000_000) / rate;
            Duration::from_nanos(nanos)
        });
        self.arrives = self.arrives.max(now + self.latency.draw() + self.delay) + read;
        Some(self.arrives)
    }

    /// Whether its reader is so far behind that the other side gives it up.
    pub(super) fn is_given_up(&self, now: Timestamp) -> bool {
        self.rate.is_some() && self.arrives.since(now) > BEHIND_MAX
    }

    /// Keeps of `bytes` what may pass; whether the connection is cut behind them.
    pub(super) fn limit(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Some(left) = &mut self.left else {
            return false;
        };
        let passes = usize::try_from(*left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        bytes.truncate(passes);
        *left -= u64::try_from(passes).unwrap_or(u64::MAX);
        *left == 0
    }
}
