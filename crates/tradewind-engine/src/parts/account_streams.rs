//! Accounts' streams: how far each can be relied on, and what it reported.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::{AccountStreamView, ClockReading, StreamBalance, StreamState};
use tradewind_model::{AccountId, Amount, AssetId, Timestamp};

use super::unlisted_trades::UnlistedTrades;

/// The streams of the desk's accounts. One that never reported anything is absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AccountStreams {
    streams: Vec<AccountStreamView>,
    #[serde(default, skip_serializing_if = "UnlistedTrades::is_empty")]
    unlisted: UnlistedTrades,
    /// Ids of assets that the desk's table contradicts, with the names that came with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    contradicted: BTreeMap<AssetId, String>,
    /// Accounts that have such assets, and whether a person lets them trade on nevertheless.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    met: Vec<(AccountId, AssetId, bool)>,
}

/// Ids kept of assets that the table contradicts.
const CONTRADICTED_MAX: usize = 64;
/// Of all accounts; what is beyond halts its account again after each acceptance.
const MET_MAX: usize = 256;

impl AccountStreams {
    /// The streams, by account, without trailing absent ones.
    pub(crate) fn views(&self) -> &[AccountStreamView] {
        &self.streams
    }

    /// The stream of an account, if it reported anything.
    pub(crate) fn get(&self, account: AccountId) -> Option<&AccountStreamView> {
        self.streams.get(account.index())
    }

    /// Takes how far the offset of the venue's clock may be wrong.
    pub(crate) fn set_clock(&mut self, account: AccountId, uncertainty: Duration, at: Timestamp) {
        self.stream(account).clock = Some(ClockReading { uncertainty, at });
    }

    /// Moves a stream to `state`. Returns the state before it, if that was another.
    pub(crate) fn change(
        &mut self,
        account: AccountId,
        state: StreamState,
        reason: &str,
        at: Timestamp,
    ) -> Option<StreamState> {
        let stream = self.stream(account);
        let before = stream.state;
        reason.clone_into(&mut stream.reason);
        if before == state {
            return None;
        }
        (stream.state, stream.since) = (state, at);
        Some(before)
    }

    /// Takes over balances that a stream reported; assets not named did not change.
    pub(crate) fn set_balances(&mut self, account: AccountId, changed: &[StreamBalance]) {
        let known = &mut self.stream(account).balances;
        for balance in changed {
            match known.binary_search_by_key(&balance.asset, |known| known.asset) {
                Ok(place) => known[place] = *balance,
                Err(place) => known.insert(place, *balance),
            }
        }
    }

    /// All that an account has of an asset, as its stream reported it last; `None` while the stream may have missed something.
    pub(crate) fn reported(&self, account: AccountId, asset: AssetId) -> Option<Amount> {
        let stream = self.get(account)?;
        if !matches!(stream.state, StreamState::Absent | StreamState::Live) {
            return None;
        }
        let known = &stream.balances;
        let place = known.binary_search_by_key(&asset, |known| known.asset);
        let balance = known.get(place.ok()?)?;
        Some(balance.free + balance.locked)
    }

    /// Trades of others in what the desk does not list.
    pub(crate) const fn unlisted(&mut self) -> &mut UnlistedTrades {
        &mut self.unlisted
    }

    /// Notes that an id was given to an asset that the desk's table has not under it. False if that cannot be kept.
    #[must_use]
    pub(crate) fn contradict(&mut self, asset: AssetId, name: &str) -> bool {
        let has_room = self.contradicted.len() < CONTRADICTED_MAX;
        if has_room && !self.contradicted.contains_key(&asset) {
            self.contradicted.insert(asset, name.to_owned());
        }
        self.contradicted.contains_key(&asset)
    }

    /// The table has taken this asset under its id.
    pub(crate) fn agree(&mut self, asset: AssetId, name: &str) {
        if self.contradicted.get(&asset).is_some_and(|of| of == name) {
            self.contradicted.remove(&asset);
            self.met.retain(|(_, met, _)| *met != asset);
        }
    }

    /// The name that came with an id that the desk's table contradicts.
    pub(crate) fn contradicted(&self, asset: AssetId) -> Option<String> {
        self.contradicted.get(&asset).cloned()
    }

    /// Notes that an account has an asset whose id the table contradicts. False if that is known, or cannot be kept.
    pub(crate) fn note_met(&mut self, account: AccountId, asset: AssetId) -> bool {
        let is_known = |(of, met, _): &(AccountId, AssetId, bool)| (*of, *met) == (account, asset);
        let is_new = self.met.len() < MET_MAX && !self.met.iter().any(is_known);
        if is_new {
            self.met.push((account, asset, false));
        }
        is_new
    }

    /// A person lets an account trade on, without what it has under such ids.
    pub(crate) fn accept_met(&mut self, account: AccountId) {
        for (of, _, is_accepted) in &mut self.met {
            *is_accepted |= *of == account;
        }
    }

    /// Whether a person has accepted that an account has this.
    pub(crate) fn is_accepted(&self, account: AccountId, asset: AssetId) -> bool {
        self.met.contains(&(account, asset, true))
    }

    /// A new start has read the table of assets anew.
    pub(crate) fn trust_assets(&mut self) {
        self.contradicted.clear();
        self.met.clear();
    }

    pub(crate) fn count_transfer(&mut self, account: AccountId) {
        self.stream(account).transfers += 1;
    }

    fn stream(&mut self, account: AccountId) -> &mut AccountStreamView {
        let ids = (0..).map(AccountId).skip(self.streams.len());
        let missing = (account.index() + 1).saturating_sub(self.streams.len());
        let absent = |account| AccountStreamView {
            account,
            ..AccountStreamView::default()
        };
        self.streams.extend(ids.take(missing).map(absent));
        &mut self.streams[account.index()]
    }
}
