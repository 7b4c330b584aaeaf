//! Accounts at run time: whether they are reconciled, their equity, and which fills are booked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_events::{Configuration, EquityPoint};
use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, Fill, InstrumentId, Timestamp, TradeId,
};

/// How many of the last fills are kept per account. Those before them are taken for listed.
const FILLS_KEPT: usize = 4_096;

/// All accounts, by dense id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Accounts {
    records: Vec<AccountRecord>,
}

/// One account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    reconciled: bool,
    /// Since when it is not.
    #[serde(default)]
    unreconciled_since: Timestamp,
    /// Whether it was read since the start and the last kill over it, and agreed with the books.
    #[serde(default)]
    clean: bool,
    /// Whether the next reading may have begun before the last kill.
    #[serde(default)]
    is_stale: bool,
    /// Whether it was taken over from its venue once. Later readings are compared with the books.
    #[serde(default)]
    taken_over: bool,
    /// As of the last valuation.
    equity: EquityPoint,
    started_with: Option<Amount>,
    /// How many instruments its bots trade.
    instruments: u32,
    /// What was given to the desk of the configured capital; `None` before a capital was configured.
    #[serde(default)]
    capital: Option<Amount>,
    /// By instrument, the last trade that a reading listed. It and all before it are booked.
    #[serde(default)]
    cursors: BTreeMap<InstrumentId, TradeId>,
    /// When it was last read and compared, since the start.
    #[serde(default)]
    read_at: Option<Timestamp>,
    /// Own fills that the last reading listed before they were reported.
    #[serde(default)]
    unheard: BTreeSet<FillKey>,
    /// Since when the stream is doubted, because it did not report what a reading listed.
    #[serde(default)]
    stream_doubted: Option<Timestamp>,
    /// Whether the next reading is of a time before the stream was up.
    #[serde(default)]
    read_before: bool,
    /// Since when the stream is down; `None` while it is not.
    #[serde(default)]
    stream_down: Option<Timestamp>,
    /// Balances that no fill explains: the difference, and in how many readings in a row it was the same.
    #[serde(default)]
    doubts: BTreeMap<AssetId, (Amount, u32)>,
    /// Orders of other desks that were open when it was first read since the start.
    #[serde(default)]
    foreign: BTreeSet<ClientOrderId>,
    /// Whether a kill that closes positions sells what is EXTERNAL, too.
    #[serde(default)]
    sells_external: bool,
    /// Saved apart, in chunks.
    #[serde(skip)]
    recent: RecentFills,
}

/// What identifies a fill on its account.
pub(crate) type FillKey = (InstrumentId, TradeId, ClientOrderId);

/// What identifies a fill in its instrument: the sides of a trade with oneself have one trade id.
type TradeKey = (TradeId, ClientOrderId);

/// The last fills that are booked.
#[derive(Clone, Debug, Default)]
struct RecentFills {
    /// By instrument, sorted. Trade ids grow with time, so that nearly every fill goes to the end.
    known: BTreeMap<InstrumentId, VecDeque<TradeKey>>,
    /// Oldest first.
    order: VecDeque<Fill>,
}

const fn trade_key(fill: &Fill) -> TradeKey {
    (fill.trade_id, fill.client_id)
}

const fn key(fill: &Fill) -> FillKey {
    (fill.instrument, fill.trade_id, fill.client_id)
}

impl Accounts {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let mut accounts = Self::default();
        accounts.update(configuration);
        accounts
    }

    /// Adds accounts that are new in `configuration`. Counts again how many instruments each account's bots trade.
    pub(crate) fn update(&mut self, configuration: &Configuration) {
        let added = configuration.accounts.len().max(self.records.len());
        self.records.resize_with(added, AccountRecord::default);
        for (record, account) in self.records.iter_mut().zip(&configuration.accounts) {
            record.instruments = instruments_traded(configuration, account.id);
        }
    }

    pub(crate) fn contains(&self, account: AccountId) -> bool {
        account.index() < self.records.len()
    }

    /// The account of a dense id.
    pub(crate) fn get(&self, account: AccountId) -> &AccountRecord {
        &self.records[account.index()]
    }

    pub(crate) fn get_mut(&mut self, account: AccountId) -> &mut AccountRecord {
        &mut self.records[account.index()]
    }

    /// A copy that holds no recent fills.
    pub(crate) fn without_recent_fills(&self) -> Self {
        let records = self.records.iter().map(|record| AccountRecord {
            recent: RecentFills::default(),
            ..record.clone()
        });
        Self {
            records: records.collect(),
        }
    }

    /// A new start of the desk: what each account starts with is not known yet.
    pub(crate) fn restart(&mut self) {
        for record in &mut self.records {
            record.started_with = None;
            // No reading is on its way.
            record.is_stale = false;
            record.sells_external = false;
        }
    }

    pub(crate) fn are_reconciled(&self) -> bool {
        self.records.iter().all(AccountRecord::is_reconciled)
    }
}

impl AccountRecord {
    pub(crate) const fn is_reconciled(&self) -> bool {
        self.reconciled
    }

    /// What was given to the desk of the configured capital; `None` before a capital was configured.
    pub(crate) const fn capital(&self) -> Option<Amount> {
        self.capital
    }

    /// Whether a kill that closes positions sells what is EXTERNAL, too.
    pub(crate) const fn sells_external(&self) -> bool {
        self.sells_external
    }

    /// Notes that a kill sells what is EXTERNAL, or that it has ended.
    pub(crate) const fn sell_external(&mut self, sells: bool) {
        self.sells_external = sells;
    }

    /// Notes what was given to the desk of the configured capital.
    pub(crate) const fn set_capital(&mut self, given: Amount) {
        self.capital = Some(given);
    }

    /// Since when the account is not reconciled; `None` if it is.
    pub(crate) fn unreconciled_since(&self) -> Option<Timestamp> {
        (!self.reconciled).then_some(self.unreconciled_since)
    }

    /// Notes that the account was read from its venue. The first reading since a kill may have begun before it: it does not
    /// show what the kill left.
    pub(crate) const fn set_reconciled(&mut self) {
        self.reconciled = true;
        self.clean = !self.is_stale;
        self.is_stale = false;
    }

    /// Notes a kill: the account must be read again before a reset.
    pub(crate) const fn note_kill(&mut self) {
        self.clean = false;
        self.is_stale = true;
    }

    /// Whether it was read since the start and the last kill over it, and agreed with the books.
    pub(crate) const fn is_clean(&self) -> bool {
        self.clean
    }

    /// Notes that the account must be read from its venue first.
    pub(crate) const fn await_reconcile(&mut self, now: Timestamp) {
        self.reconciled = false;
        self.clean = false;
        self.read_at = None;
        self.unreconciled_since = now;
    }

    /// What recovery restores of it.
    pub(crate) fn recovered(&self) -> impl Serialize + '_ {
        let recent: Vec<Fill> = self.recent_fills().collect();
        let read = (self.taken_over, &self.cursors, &self.doubts, self.capital);
        let is_read = (self.reconciled, self.clean, self.is_stale);
        (is_read, self.instruments, recent, (read, &self.foreign))
    }

    pub(crate) const fn equity(&self) -> &EquityPoint {
        &self.equity
    }

    /// Takes a valuation. The first complete one is what the account started with.
    pub(crate) fn value_at(&mut self, equity: EquityPoint) {
        if self.started_with.is_none() && equity.unpriced == 0 {
            self.started_with = Some(equity.equity);
        }
        self.equity = equity;
    }

    /// Equity at the first complete valuation, or now before there was one.
    pub(crate) fn started_with(&self) -> Amount {
        self.started_with.unwrap_or(self.equity.equity)
    }

    /// How many instruments its bots trade.
    pub(crate) const fn instruments(&self) -> u32 {
        self.instruments
    }

    /// Notes that a fill is booked. False if it was noted before.
    pub(crate) fn note_fill(&mut self, fill: &Fill) -> bool {
        let (is_new, dropped) = self.recent.note(fill);
        if let Some(dropped) = dropped {
            let last = self.cursors.entry(dropped.instrument).or_default();
            *last = (*last).max(dropped.trade_id);
        }
        is_new
    }

    /// Whether a fill is booked: a reading listed it, or it is one of the last.
    pub(crate) fn is_booked(&self, fill: &Fill) -> bool {
        self.is_listed(fill) || self.recent.contains(fill)
    }

    /// Whether a reading listed a fill, or a later one of its instrument.
    pub(crate) fn is_listed(&self, fill: &Fill) -> bool {
        let last = self.cursors.get(&fill.instrument);
        last.is_some_and(|last| fill.trade_id <= *last)
    }
}

/// Readings of the account.
impl AccountRecord {
    /// Whether it was taken over from its venue once.
    pub(crate) const fn is_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Notes that it was taken over from its venue.
    pub(crate) const fn note_taken_over(&mut self) {
        self.taken_over = true;
    }

    /// Whether another desk had this order open when the account was first read since the start.
    pub(crate) fn had_foreign(&self, id: ClientOrderId) -> bool {
        self.foreign.contains(&id)
    }

    /// Notes the orders of other desks that are open at the first reading since the start.
    pub(crate) fn note_foreign(&mut self, orders: BTreeSet<ClientOrderId>) {
        self.foreign = orders;
    }

    /// By instrument, the last trade that a reading listed.
    pub(crate) const fn cursors(&self) -> &BTreeMap<InstrumentId, TradeId> {
        &self.cursors
    }

    /// Notes that a reading listed these fills, and that they are booked.
    pub(crate) fn note_listed<'a>(&mut self, fills: impl Iterator<Item = &'a Fill>) {
        for fill in fills {
            let last = self.cursors.entry(fill.instrument).or_default();
            *last = (*last).max(fill.trade_id);
        }
        self.recent.forget_listed(&self.cursors);
    }

    /// Takes the unexplained balances of a reading. Returns those that `readings` in a row showed the same; they are
    /// explained now.
    pub(crate) fn confirm(
        &mut self,
        unexplained: &[(AssetId, Amount)],
        readings: u32,
    ) -> Vec<(AssetId, Amount)> {
        let before = std::mem::take(&mut self.doubts);
        let mut confirmed = Vec::new();
        for &(asset, amount) in unexplained {
            let same = before.get(&asset).filter(|(known, _)| *known == amount);
            let count = same.map_or(0, |(_, count)| *count) + 1;
            if count >= readings {
                confirmed.push((asset, amount));
            } else {
                self.doubts.insert(asset, (amount, count));
            }
        }
        confirmed
    }

    /// Notes a reading at `now` and which own fills it listed before they were reported.
    pub(crate) fn note_reading<'a>(
        &mut self,
        unheard: impl Iterator<Item = &'a Fill>,
        now: Timestamp,
    ) {
        self.read_at = Some(now);
        self.unheard = unheard.map(key).collect();
    }

    /// Notes that a fill was reported.
    pub(crate) fn note_heard(&mut self, fill: &Fill) {
        if !self.unheard.is_empty() {
            self.unheard.remove(&key(fill));
        }
    }

    /// When it was last read and compared, since the start.
    pub(crate) const fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// How many own fills the last reading listed that nothing has reported since.
    pub(crate) fn unheard(&self) -> usize {
        self.unheard.len()
    }

    /// Since when the stream is doubted.
    pub(crate) const fn stream_doubted(&self) -> Option<Timestamp> {
        self.stream_doubted
    }

    /// Notes since when the stream is doubted; `None`: it is not.
    pub(crate) const fn doubt_stream(&mut self, since: Option<Timestamp>) {
        self.stream_doubted = since;
    }

    /// Notes that the next reading is of a time before the stream was up.
    pub(crate) const fn note_read_before(&mut self) {
        self.read_before = true;
    }

    /// Whether the reading that is here is of a time before the stream was up.
    pub(crate) const fn take_read_before(&mut self) -> bool {
        std::mem::replace(&mut self.read_before, false)
    }

    /// Notes that the stream went down, if it was not down.
    pub(crate) fn note_stream_down(&mut self, now: Timestamp) {
        self.stream_down.get_or_insert(now);
    }

    /// Notes that the stream is up. Returns since when it was down.
    pub(crate) const fn take_stream_down(&mut self) -> Option<Timestamp> {
        self.stream_down.take()
    }

    /// In how many readings the longest doubt was there; 0 without one.
    pub(crate) fn doubted(&self) -> u32 {
        let counts = self.doubts.values().map(|(_, count)| *count);
        counts.max().unwrap_or_default()
    }
}

impl AccountRecord {
    /// The last fills that are booked, oldest first.
    pub(crate) fn recent_fills(&self) -> impl Iterator<Item = Fill> + '_ {
        self.recent.order.iter().copied()
    }

    /// Adds fills that are booked, oldest first.
    pub(crate) fn restore_recent(&mut self, fills: Vec<Fill>) {
        for fill in fills {
            self.recent.note(&fill);
        }
    }
}

impl RecentFills {
    /// Notes a fill. Returns whether it is new, and the oldest one if there was no room for it any more.
    fn note(&mut self, fill: &Fill) -> (bool, Option<Fill>) {
        if !self.insert(fill) {
            return (false, None);
        }
        self.order.push_back(*fill);
        if self.order.len() <= FILLS_KEPT {
            return (true, None);
        }
        let oldest = self.order.pop_front();
        if let Some(oldest) = &oldest {
            self.remove(oldest);
        }
        (true, oldest)
    }

    fn contains(&self, fill: &Fill) -> bool {
        let known = self.known.get(&fill.instrument);
        known.is_some_and(|known| known.binary_search(&trade_key(fill)).is_ok())
    }

    /// False if it is there already.
    fn insert(&mut self, fill: &Fill) -> bool {
        let (known, key) = (
            self.known.entry(fill.instrument).or_default(),
            trade_key(fill),
        );
        if known.back().is_none_or(|last| *last < key) {
            known.push_back(key);
            return true;
        }
        let place = known.binary_search(&key);
        if let Err(index) = place {
            known.insert(index, key);
        }
        place.is_err()
    }

    fn remove(&mut self, fill: &Fill) {
        let Some(known) = self.known.get_mut(&fill.instrument) else {
            return;
        };
        // The oldest fill of all is nearly always the oldest of its instrument.
        if known.front() == Some(&trade_key(fill)) {
            known.pop_front();
        } else if let Ok(index) = known.binary_search(&trade_key(fill)) {
            known.remove(index);
        }
    }

    fn forget_listed(&mut self, cursors: &BTreeMap<InstrumentId, TradeId>) {
        let is_listed = |fill: &Fill| {
            let last = cursors.get(&fill.instrument);
            last.is_some_and(|last| fill.trade_id <= *last)
        };
        for (instrument, known) in &mut self.known {
            if let Some(last) = cursors.get(instrument) {
                known.drain(..known.partition_point(|(trade, _)| trade <= last));
            }
        }
        self.order.retain(|fill| !is_listed(fill));
    }
}

fn instruments_traded(configuration: &Configuration, account: AccountId) -> u32 {
    let bots = configuration.bots.iter();
    let traded: BTreeSet<InstrumentId> = bots
        .filter(|bot| bot.account == account)
        .flat_map(|bot| bot.instruments.iter().copied())
        .collect();
    u32::try_from(traded.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(equity: i64, unpriced: u32) -> EquityPoint {
        EquityPoint {
            equity: Amount::whole(equity),
            unpriced,
            ..EquityPoint::default()
        }
    }

    #[test]
    fn an_account_started_with_its_first_complete_valuation() {
        let mut record = AccountRecord::default();
        record.value_at(point(5, 1));
        assert_eq!(record.started_with(), Amount::whole(5));
        record.value_at(point(100, 0));
        record.value_at(point(120, 0));
        assert_eq!(record.started_with(), Amount::whole(100));
        assert_eq!(record.equity().equity, Amount::whole(120));
    }

    fn fill(id: u64) -> Fill {
        Fill {
            account: AccountId(0),
            instrument: InstrumentId(0),
            trade_id: TradeId(id),
            venue_order_id: tradewind_model::VenueOrderId(1),
            client_id: ClientOrderId(0),
            side: tradewind_model::Side::Buy,
            price: tradewind_model::Price(1),
            quantity: tradewind_model::Quantity(1),
            fee: tradewind_model::Money {
                asset: AssetId(0),
                amount: Amount::ZERO,
            },
            liquidity: tradewind_model::Liquidity::Taker,
            event_time: tradewind_model::Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_fill_is_new_once_and_is_taken_for_listed_when_4096_others_came() {
        let mut record = AccountRecord::default();
        assert!(record.note_fill(&fill(1)) && !record.note_fill(&fill(1)));
        for id in 2..=4_096 {
            assert!(record.note_fill(&fill(id)));
        }
        assert!(record.cursors().is_empty());
        assert!(record.note_fill(&fill(4_097)));
        assert!(record.is_listed(&fill(1)) && !record.is_listed(&fill(2)));
        assert!(record.is_booked(&fill(2)) && record.recent_fills().count() == 4_096);
    }

    #[test]
    fn what_a_reading_listed_is_booked_and_takes_no_room() {
        let mut record = AccountRecord::default();
        assert!(record.note_fill(&fill(5)) && record.note_fill(&fill(8)));
        assert!(record.is_booked(&fill(5)) && !record.is_booked(&fill(6)));
        record.note_listed([fill(6)].iter());
        assert!(record.is_booked(&fill(6)) && record.is_booked(&fill(8)));
        assert!(!record.is_booked(&fill(7)));
        let kept: Vec<_> = record.recent_fills().map(|fill| fill.trade_id.0).collect();
        assert_eq!(kept, [8]);
    }

    #[test]
    fn a_balance_is_confirmed_by_three_readings_that_agree() {
        let mut record = AccountRecord::default();
        let more = |amount| [(AssetId(0), Amount::whole(amount))];
        assert!(record.confirm(&more(5), 3).is_empty() && record.doubted() == 1);
        assert!(record.confirm(&more(5), 3).is_empty() && record.doubted() == 2);
        assert!(record.confirm(&more(6), 3).is_empty() && record.doubted() == 1);
        assert!(record.confirm(&[], 3).is_empty() && record.doubted() == 0);
        assert!(record.confirm(&more(5), 3).is_empty() && record.confirm(&more(5), 3).is_empty());
        assert_eq!(record.confirm(&more(5), 3), more(5));
        assert_eq!(record.doubted(), 0);
    }
}
