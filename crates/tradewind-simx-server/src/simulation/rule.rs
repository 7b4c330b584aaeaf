//! Faults that strike connections by themselves: on the n-th occasion, or on a share of them.

use tradewind_model::Ppm;
use tradewind_simx::Chance;

use super::link::LinkFault;

/// What a rule waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A client opens a connection.
    Connect,
    /// A client completes a message: an HTTP request or a WebSocket message, pings and pongs included.
    Message,
    /// A client completes a request that places or changes orders.
    Order,
}

/// A fault that strikes connections by itself.
///
/// It strikes before the bytes that complete the occasion travel: after `Silence(ToServer)` the request is lost, after
/// `Silence(ToClient)` it is executed and its reply is lost, after `Cut(ToServer, k)` k bytes of it arrive.
#[derive(Clone, Debug)]
pub struct Rule {
    on: Occasion,
    when: When,
    fault: LinkFault,
    seen: u64,
    hits: u64,
}

#[derive(Clone, Debug)]
enum When {
    Nth(u64),
    Share(Ppm),
}

impl Rule {
    /// Strikes on the `nth` occasion, counted from 1 when the rule is added.
    #[must_use]
    pub const fn nth(on: Occasion, nth: u64, fault: LinkFault) -> Self {
        Self::new(on, When::Nth(nth), fault)
    }

    /// Strikes on this share of the occasions, drawn from the network's seed.
    #[must_use]
    pub const fn share(on: Occasion, share: Ppm, fault: LinkFault) -> Self {
        Self::new(on, When::Share(share), fault)
    }

    const fn new(on: Occasion, when: When, fault: LinkFault) -> Self {
        Self {
            on,
            when,
            fault,
            seen: 0,
            hits: 0,
        }
    }

    /// Counts an occasion; whether it strikes there.
    pub(super) fn strikes(&mut self, on: Occasion, chance: &mut Chance) -> bool {
        if self.on != on {
            return false;
        }
        self.seen += 1;
        let strikes = match self.when {
            When::Nth(nth) => self.seen == nth,
            When::Share(share) => chance.hits(share),
        };
        self.hits += u64::from(strikes);
        strikes
    }

    pub(super) const fn fault(&self) -> LinkFault {
        self.fault
    }

    /// How often it struck: a row of faults that was never reached proves nothing.
    #[must_use]
    pub const fn hits(&self) -> u64 {
        self.hits
    }
}
