//! Whether orders that a query does not find are really absent (V02, V04).
//!
//! "No such order" is no evidence on its own: the venue's databases lag, and its ids are unique among open orders only. So
//! the lists of open orders, the trades since the order was sent and the balances are read, too. The order is absent only if no
//! list names it, and if what the account has locked in the order's two assets is exactly what the listed orders lock. As long as
//! they disagree the order stays UNKNOWN, and they are read again after a pause that grows. Two things are no disagreement, and
//! no pause grows by them: orders changed between the lists, which are read again soon; and a list that could not be read,
//! which alone is requested again.
//!
//! Lists are what a venue's request weight goes into. One reading of them decides about all orders that are in doubt by then,
//! and the trades of an instrument are read once for all of its orders.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_model::{Amount, AssetId, ClientOrderId, InstrumentId, Timestamp, TradeId};

use super::waits::{Retries, Retry, Urgency, Waits};
use super::{OrderRecord, VenueRequest, VenueResponse};
use crate::error::VenueError;
use crate::sink::AssetBalance;

/// Before the lists are first read for an order: others that the same kill left in doubt are found within it.
pub(super) const GATHERED_FOR: Duration = Duration::from_secs(1);
/// Between two readings of the lists, whatever orders they are for.
const APART: Duration = Duration::from_secs(5);
/// Before the lists are read again for an order that they disagreed about: doubled each time, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// The orders of one account that a query did not find in time. They are no more than the orders under query.
#[derive(Debug, Default)]
pub(super) struct Absences {
    suspects: BTreeMap<ClientOrderId, Suspect>,
    check: Option<Check>,
    /// Not before the last reading of the lists is so long ago.
    next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Suspect {
    instrument: InstrumentId,
    /// The two assets that an order on the instrument can lock.
    assets: [AssetId; 2],
    /// The last trade that was listed before it was sent.
    from: TradeId,
    due: Timestamp,
    pause: Duration,
    is_confirmed: bool,
}

/// One reading of the lists.
#[derive(Debug)]
struct Check {
    suspects: BTreeMap<ClientOrderId, Suspect>,
    orders: Option<Vec<OrderRecord>>,
    balances: Vec<AssetBalance>,
    /// Whether orders changed between the lists, so that they say nothing about each other.
    has_moved: bool,
    /// Those that no list has named so far, once orders and balances agree.
    unnamed: BTreeSet<ClientOrderId>,
    /// Whose trades are still to be read; the first is being read.
    unread: BTreeMap<InstrumentId, TradeId>,
    /// The latest list, and when it is to be requested again if it failed.
    latest: VenueRequest,
    again_at: Option<Timestamp>,
    retry: Retry,
}

/// What follows from the answer to a list.
#[derive(Debug)]
pub(super) enum Step {
    /// The next list is to be read.
    Next(VenueRequest),
    /// A list could not be read; it is requested again later.
    Later(VenueError),
    /// A list cannot be read. All of them are read again after a pause, which is no longer than before.
    GivenUp(VenueError),
    /// All are read.
    Concluded {
        /// Orders that the lists agree not to exist; a last query is to say so, too.
        confirmed: Vec<ClientOrderId>,
        /// Orders about which they do not agree.
        doubtful: Vec<ClientOrderId>,
    },
}

impl Absences {
    /// A query did not find an order that was sent after the trade `from` was listed: whether the lists have confirmed it since.
    pub(super) fn is_confirmed(
        &mut self,
        id: ClientOrderId,
        (instrument, assets): (InstrumentId, [AssetId; 2]),
        from: TradeId,
        now: Timestamp,
    ) -> bool {
        let suspect = self.suspects.entry(id).or_insert(Suspect {
            instrument,
            assets,
            from,
            due: now + GATHERED_FOR,
            pause: PAUSE_FIRST,
            is_confirmed: false,
        });
        suspect.is_confirmed
    }

    /// The fate of an order is known.
    pub(super) fn forget(&mut self, id: ClientOrderId) {
        self.suspects.remove(&id);
    }

    /// The list that failed, if it is to be read again; or the first list of a reading, if one is due. A reading is for all
    /// orders in doubt whose pause has begun before this one's ended: what is read for one tells about the others.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<VenueRequest> {
        if self.wake_at()? > now {
            return None;
        }
        if let Some(check) = &mut self.check {
            check.again_at = None;
            return Some(check.latest);
        }
        let waiting = self.suspects.iter().filter(|(_, it)| !it.is_confirmed);
        let due = waiting.filter(|(_, it)| it.due <= now + GATHERED_FOR);
        let suspects: BTreeMap<_, _> = due.map(|(id, it)| (*id, *it)).collect();
        self.check = Some(Check {
            suspects,
            orders: None,
            balances: Vec::new(),
            has_moved: false,
            unnamed: BTreeSet::new(),
            unread: BTreeMap::new(),
            latest: VenueRequest::OpenOrders,
            again_at: None,
            retry: Retry::default(),
        });
        Some(VenueRequest::OpenOrders)
    }

    /// When [`next`](Self::next) has a list to read.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        if let Some(check) = &self.check {
            return check.again_at;
        }
        let waiting = self.suspects.values().filter(|it| !it.is_confirmed);
        let due = waiting.map(|it| it.due).min()?;
        Some(self.next_at.map_or(due, |next_at| next_at.max(due)))
    }

    /// Takes the answer to the latest list: orders, balances and the orders again, since the balances belong to the orders only
    /// if those did not change meanwhile; then the trades in the instruments of what may be absent by these.
    pub(super) fn answered(
        &mut self,
        response: VenueResponse,
        (waits, retries): (&Waits, &mut Retries),
        now: Timestamp,
    ) -> Option<Step> {
        let mut check = self.check.take()?;
        match response {
            VenueResponse::OpenOrders(orders) => match check.orders.take() {
                None => {
                    check.orders = Some(orders);
                    Some(self.go_on(check, VenueRequest::Balances))
                }
                Some(first) => {
                    check.has_moved = first != orders;
                    if !check.has_moved {
                        check.note_orders(&orders);
                    }
                    Some(self.read_trades(check, now))
                }
            },
            VenueResponse::Balances(balances) => {
                check.balances = balances;
                Some(self.go_on(check, VenueRequest::OpenOrders))
            }
            VenueResponse::Fills(fills) => {
                check.unread.pop_first();
                for fill in &fills {
                    check.unnamed.remove(&fill.client_id);
                }
                Some(self.read_trades(check, now))
            }
            VenueResponse::Failed(error) => Some(self.failed(check, error, (waits, retries), now)),
            _ => {
                let error = VenueError::unreadable("list", "the answer to something else");
                Some(self.failed(check, error, (waits, retries), now))
            }
        }
    }

    fn read_trades(&mut self, check: Check, now: Timestamp) -> Step {
        match check.unread.first_key_value() {
            Some((&instrument, &from)) => {
                self.go_on(check, VenueRequest::Fills { instrument, from })
            }
            None => self.concluded(&check, now),
        }
    }

    fn go_on(&mut self, check: Check, request: VenueRequest) -> Step {
        self.check = Some(Check {
            latest: request,
            retry: Retry::default(),
            ..check
        });
        Step::Next(request)
    }

    /// The latest list could not be read: that is no disagreement. With a closed budget it waits as long as that says.
    fn failed(
        &mut self,
        mut check: Check,
        error: VenueError,
        (waits, retries): (&Waits, &mut Retries),
        now: Timestamp,
    ) -> Step {
        if let Some(wait) = retries.after((&mut check.retry, Urgency::Account), &error, now) {
            let named = match error {
                VenueError::Limited(named) => waits.of_real(named),
                _ => Duration::ZERO,
            };
            check.again_at = Some(now + wait.max(named));
            self.check = Some(check);
            return Step::Later(error);
        }
        self.next_at = Some(now + APART);
        for id in check.suspects.keys() {
            if let Some(suspect) = self.suspects.get_mut(id) {
                suspect.due = now + suspect.pause;
            }
        }
        Step::GivenUp(error)
    }

    fn concluded(&mut self, check: &Check, now: Timestamp) -> Step {
        self.next_at = Some(now + APART);
        let (mut confirmed, mut doubtful) = (Vec::new(), Vec::new());
        for id in check.suspects.keys() {
            // What became of it was found out meanwhile.
            let Some(suspect) = self.suspects.get_mut(id) else {
                continue;
            };
            suspect.is_confirmed = check.unnamed.contains(id);
            if check.has_moved {
                suspect.due = now + APART;
            } else {
                suspect.due = now + suspect.pause;
                suspect.pause = (suspect.pause * 2).min(PAUSE_MAX);
            }
            if suspect.is_confirmed {
                confirmed.push(*id);
            } else {
                doubtful.push(*id);
            }
        }
        Step::Concluded {
            confirmed,
            doubtful,
        }
    }
}

impl Check {
    /// Keeps the orders that may be absent by the open orders and the balances, and the instruments whose trades tell the rest.
    fn note_orders(&mut self, orders: &[OrderRecord]) {
        for (id, suspect) in &self.suspects {
            if self.is_listed(*id, suspect, orders) {
                continue;
            }
            self.unnamed.insert(*id);
            let earliest = self.unread.entry(suspect.instrument);
            let earliest = earliest.or_insert(suspect.from);
            *earliest = suspect.from.min(*earliest);
        }
    }

    /// Whether an order is open, or something holds what no open order explains.
    fn is_listed(&self, id: ClientOrderId, suspect: &Suspect, orders: &[OrderRecord]) -> bool {
        let locked = |asset: AssetId| {
            let held = self.balances.iter().find(|held| held.asset == asset);
            held.map_or(Amount::ZERO, |held| held.locked)
        };
        let explains = |asset: &AssetId| locked_by(orders, *asset) == Some(locked(*asset));
        orders.iter().any(|order| order.client_id == id) || !suspect.assets.iter().all(explains)
    }
}

/// What open orders lock of an asset: each order its remainder, a list of orders the largest of its orders' once. `None` with
/// an order whose lock is not known.
fn locked_by(orders: &[OrderRecord], asset: AssetId) -> Option<Amount> {
    let mut lists: BTreeMap<u64, Amount> = BTreeMap::new();
    let mut sum = Amount::ZERO;
    for order in orders {
        let (locks, amount) = order.locks?;
        if locks != asset {
            continue;
        }
        match order.list {
            Some(list) => {
                let most = lists.entry(list).or_insert(Amount::ZERO);
                *most = amount.max(*most);
            }
            None => sum = add(sum, amount)?,
        }
    }
    lists.into_values().try_fold(sum, add)
}

fn add(one: Amount, other: Amount) -> Option<Amount> {
    one.0.checked_add(other.0).map(Amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{AccountId, OrderStatus, Quantity, Side, VenueOrderId};

    const BASE: AssetId = AssetId(0);
    const QUOTE: AssetId = AssetId(1);

    fn order(list: Option<u64>, locks: Option<(AssetId, i64)>) -> OrderRecord {
        OrderRecord {
            account: AccountId(0),
            instrument: InstrumentId(0),
            client_id: ClientOrderId(9),
            venue_order_id: VenueOrderId(9),
            side: Side::Buy,
            kind: None,
            quantity: Quantity(1),
            filled: Quantity::ZERO,
            status: OrderStatus::Accepted,
            placed_at: Timestamp::EPOCH,
            locks: locks.map(|(asset, amount)| (asset, Amount::whole(amount))),
            list,
        }
    }

    #[test]
    fn orders_lock_their_sum_a_list_once_and_an_unknown_kind_nobody_knows_what() {
        let check = |orders: &[OrderRecord], wanted: Option<i64>| {
            assert_eq!(
                locked_by(orders, QUOTE),
                wanted.map(Amount::whole),
                "{orders:?}"
            );
        };
        let (single, other) = (order(None, Some((QUOTE, 7))), order(None, Some((BASE, 5))));
        let (first, second) = (
            order(Some(1), Some((QUOTE, 3))),
            order(Some(1), Some((QUOTE, 4))),
        );
        check(&[], Some(0));
        check(&[single.clone(), other.clone(), single.clone()], Some(14));
        check(&[first, single.clone(), second], Some(11));
        check(&[single, order(None, None)], None);
        let most = order(None, Some((QUOTE, i64::MAX)));
        assert!(
            locked_by(&vec![most; 20], QUOTE).is_none(),
            "it would not fit"
        );
    }
}
