//! What an account's stream reports of the account and of itself.
//!
//! Reports on orders, from every channel, are [`Input::Report`](crate::Input::Report). Everything else that a stream
//! reports is a [`StreamChange`]. The names of its variants and fields are in the journal: they stay.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, AssetId, ClientOrderId, Side, Timestamp};

/// One change that an account's stream reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamChange {
    /// A stream is being opened. Nothing that it will report is proved yet.
    Connecting,
    /// It is live: subscribed, and the venue has acknowledged it. What happened before must be queried.
    Up,
    /// It is down: nothing is reported until it is up again.
    Down {
        /// Why.
        reason: String,
    },
    /// It is up and may have missed something: nothing that it reports proves completeness until it is up again.
    Unsure {
        /// Why.
        reason: String,
    },
    /// Balances as they are now; assets not named did not change.
    Balances {
        /// The balances.
        balances: Vec<StreamBalance>,
        /// The venue's stamp.
        at: Timestamp,
    },
    /// A deposit, a withdrawal or a transfer.
    Transfer {
        /// The asset.
        asset: AssetId,
        /// How much came in; negative went out.
        amount: Amount,
        /// The venue's stamp.
        at: Timestamp,
    },
    /// The venue's clock was read.
    Clock {
        /// How far the offset between the venue's clock and the desk's may be wrong now.
        uncertainty: Duration,
    },
    /// Somebody traded an instrument that the desk does not list. Numbers are the venue's texts: the desk has no scale for them.
    UnlistedTrade {
        /// The venue's name for the instrument.
        symbol: String,
        /// Bought or sold.
        side: Side,
        /// How much.
        quantity: String,
        /// At what price.
        price: String,
        /// The order's client id; `None` in journals that do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<ClientOrderId>,
        /// The venue's stamp.
        at: Timestamp,
    },
    /// Whether orders of the account can leave for its venue.
    OrderEntry {
        /// What keeps every order here, with the venue's name; `None` if orders can leave.
        blocked: Option<String>,
    },
    /// The process stood still or the machine was suspended: nothing was received meanwhile, and the stream is connected anew.
    StoodStill {
        /// For how long.
        span: Duration,
    },
}

/// How well a venue's clock is known, as of a reading of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// How far the offset could be wrong then.
    pub uncertainty: Duration,
    /// When, by the engine's clock.
    pub at: Timestamp,
}

impl ClockReading {
    /// Two quartz clocks drift apart by up to 200 parts in a million.
    const DRIFT_PPM: u32 = 200;

    /// How far the offset may be wrong at `now`: clocks drift apart since the reading.
    #[must_use]
    pub fn uncertainty(&self, now: Timestamp) -> Duration {
        let drift = (now.since(self.at) / 1_000_000).saturating_mul(Self::DRIFT_PPM);
        self.uncertainty.saturating_add(drift)
    }
}

/// What the venue says an account has of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamBalance {
    /// The asset.
    pub asset: AssetId,
    /// What can be used.
    pub free: Amount,
    /// What open orders hold.
    pub locked: Amount,
}

/// How far an account's stream can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StreamState {
    /// There is none, as in a backtest: reports come by themselves.
    #[default]
    Absent,
    /// It is being opened and not proved live yet.
    Connecting,
    /// It is live.
    Live,
    /// It is down.
    Down,
    /// It may have missed something.
    Unsure,
}

impl StreamState {
    /// Its name on every wire of ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Down => "down",
            Self::Unsure => "unsure",
        }
    }
}

/// An account's stream, and what it reported of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStreamView {
    /// The account.
    pub account: AccountId,
    /// How far it can be relied on.
    pub state: StreamState,
    /// Why, in the words of the venue or the transport; empty when there is nothing to say.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The latest balance of each asset that it reported, by asset.
    pub balances: Vec<StreamBalance>,
    /// How many transfers it reported.
    pub transfers: u64,
    /// How well the venue's clock is known, once it was read.
    #[serde(default)]
    pub clock: Option<ClockReading>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;

    /// An input as it stands in a journal, with its bytes as far as they are letters.
    fn journaled(change: StreamChange) -> (Input, String) {
        let input = Input::AccountStream {
            account: AccountId(1),
            change: Box::new(change),
        };
        let bytes = rmp_serde::to_vec_named(&input).unwrap();
        assert_eq!(rmp_serde::from_slice::<Input>(&bytes).unwrap(), input);
        let names = String::from_utf8_lossy(&bytes);
        let letters = |c: char| !c.is_ascii_alphabetic() && c != '_';
        let names: Vec<_> = names.split(letters).filter(|name| name.len() > 1).collect();
        (input, names.join(" "))
    }

    #[test]
    fn names_in_the_journal_stay() {
        let check = |change: StreamChange, names: &str| {
            let (input, found) = journaled(change);
            let wanted = format!("AccountStream account change {names}");
            assert_eq!(found, wanted, "{input:?}");
            assert!(!input.is_market_data(), "kept with the truth");
        };
        let (asset, at) = (AssetId(2), Timestamp::from_secs(0));
        let amount = Amount::ZERO;
        let reason = String::new();
        check(StreamChange::Connecting, "Connecting");
        check(StreamChange::Up, "Up");
        let down = StreamChange::Down {
            reason: reason.clone(),
        };
        check(down, "Down reason");
        check(StreamChange::Unsure { reason }, "Unsure reason");
        let balances = vec![StreamBalance {
            asset,
            free: amount,
            locked: amount,
        }];
        let reported = StreamChange::Balances { balances, at };
        check(reported, "Balances balances asset free locked at");
        let moved = StreamChange::Transfer { asset, amount, at };
        check(moved, "Transfer asset amount at");
        let uncertainty = Duration::ZERO;
        let clock = StreamChange::Clock { uncertainty };
        check(clock, "Clock uncertainty secs nanos");
        let elsewhere = StreamChange::UnlistedTrade {
            symbol: String::new(),
            side: Side::Buy,
            quantity: String::new(),
            price: String::new(),
            client_id: Some(ClientOrderId(0)),
            at,
        };
        let names = "UnlistedTrade symbol side Buy quantity price client_id at";
        check(elsewhere, names);
        let blocked = Some(String::new());
        check(StreamChange::OrderEntry { blocked }, "OrderEntry blocked");
        let span = Duration::ZERO;
        let still = StreamChange::StoodStill { span };
        check(still, "StoodStill span secs nanos");
    }

    /// T01: the clocks drift apart while the venue is not read.
    #[test]
    fn a_reading_grows_uncertain_with_its_age() {
        let reading = ClockReading {
            uncertainty: Duration::from_millis(20),
            at: Timestamp::from_secs(1_000),
        };
        let at = |seconds: i64| reading.uncertainty(Timestamp::from_secs(1_000 + seconds));
        assert_eq!(at(0), Duration::from_millis(20));
        assert_eq!(at(60), Duration::from_millis(32));
        assert_eq!(at(2_400), Duration::from_millis(500));
        assert_eq!(at(-5), Duration::from_millis(20));
    }
}
