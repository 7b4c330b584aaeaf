//! Whether an order that a query does not find is really absent (V02, V04).
//!
//! "No such order" is no evidence on its own: the venue's databases lag, and its ids are unique among open orders only. So
//! the lists of open orders, the trades since the order was sent and the balances are read, too. The order is absent only if no
//! list names it, and if what the account has locked in the order's two assets is exactly what the listed orders lock. As long as
//! they disagree the order stays UNKNOWN, and they are read again after a pause that grows.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{Amount, AssetId, ClientOrderId, Fill, InstrumentId, Timestamp};

use super::{OrderRecord, VenueRequest, VenueResponse};
use crate::sink::AssetBalance;

/// Before the lists are read again for an order that they disagreed about: doubled each time, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// The orders of one account that a query did not find in time. They are no more than the orders under query.
#[derive(Debug, Default)]
pub(super) struct Absences {
    suspects: BTreeMap<ClientOrderId, Suspect>,
    check: Option<Check>,
}

#[derive(Clone, Copy, Debug)]
struct Suspect {
    instrument: InstrumentId,
    /// The two assets that an order on the instrument can lock.
    assets: [AssetId; 2],
    /// When it was sent, at the earliest.
    since: Timestamp,
    due: Timestamp,
    pause: Duration,
    is_confirmed: bool,
}

/// One reading of the lists.
#[derive(Debug)]
struct Check {
    id: ClientOrderId,
    suspect: Suspect,
    orders: Option<Vec<OrderRecord>>,
    balances: Vec<AssetBalance>,
    fills: Option<Vec<Fill>>,
}

/// What follows from the answer to a list.
#[derive(Debug)]
pub(super) enum Step {
    /// The next list is to be read.
    Next(VenueRequest),
    /// The lists agree that the order does not exist; a last query is to say so, too.
    Confirmed,
    /// They do not, or one could not be read.
    Doubtful(ClientOrderId),
}

impl Absences {
    /// A query did not find an order that was sent at `since` or later: whether the lists have confirmed it since.
    pub(super) fn is_confirmed(
        &mut self,
        id: ClientOrderId,
        (instrument, assets): (InstrumentId, [AssetId; 2]),
        since: Timestamp,
        now: Timestamp,
    ) -> bool {
        let suspect = self.suspects.entry(id).or_insert(Suspect {
            instrument,
            assets,
            since,
            due: now,
            pause: PAUSE_FIRST,
            is_confirmed: false,
        });
        suspect.is_confirmed
    }

    /// The fate of an order is known.
    pub(super) fn forget(&mut self, id: ClientOrderId) {
        self.suspects.remove(&id);
    }

    /// The first list of a check, if one is due; one order is checked at a time.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<VenueRequest> {
        let (at, id) = self.due()?;
        if at > now {
            return None;
        }
        self.check = Some(Check {
            id,
            suspect: *self.suspects.get(&id)?,
            orders: None,
            balances: Vec::new(),
            fills: None,
        });
        Some(VenueRequest::OpenOrders)
    }

    /// When [`next`](Self::next) has a list to read.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.due().map(|(at, _)| at)
    }

    fn due(&self) -> Option<(Timestamp, ClientOrderId)> {
        if self.check.is_some() {
            return None;
        }
        let waiting = self.suspects.iter().filter(|(_, it)| !it.is_confirmed);
        waiting.map(|(id, it)| (it.due, *id)).min()
    }

    /// Takes the answer to the latest list: orders, balances, trades and the orders again, since the balances belong to the
    /// orders only if those did not change meanwhile.
    pub(super) fn answered(&mut self, response: VenueResponse, now: Timestamp) -> Option<Step> {
        let mut check = self.check.take()?;
        let request = match response {
            VenueResponse::OpenOrders(orders) => match (&check.orders, &check.fills) {
                (None, _) => {
                    check.orders = Some(orders);
                    VenueRequest::Balances
                }
                (Some(first), Some(fills)) => {
                    let agree = *first == orders && check.agrees(first, fills);
                    return Some(self.concluded(check.id, agree, now));
                }
                (Some(_), None) => return Some(self.concluded(check.id, false, now)),
            },
            VenueResponse::Balances(balances) => {
                check.balances = balances;
                VenueRequest::FillsSince {
                    instrument: check.suspect.instrument,
                    since: check.suspect.since,
                }
            }
            VenueResponse::Fills(fills) => {
                check.fills = Some(fills);
                VenueRequest::OpenOrders
            }
            _ => return Some(self.concluded(check.id, false, now)),
        };
        self.check = Some(check);
        Some(Step::Next(request))
    }

    fn concluded(&mut self, id: ClientOrderId, agree: bool, now: Timestamp) -> Step {
        if let Some(suspect) = self.suspects.get_mut(&id) {
            suspect.is_confirmed = agree;
            suspect.due = now + suspect.pause;
            suspect.pause = (suspect.pause * 2).min(PAUSE_MAX);
        }
        if agree {
            Step::Confirmed
        } else {
            Step::Doubtful(id)
        }
    }
}

impl Check {
    fn agrees(&self, orders: &[OrderRecord], fills: &[Fill]) -> bool {
        let is_named = orders.iter().any(|order| order.client_id == self.id)
            || fills.iter().any(|fill| fill.client_id == self.id);
        let locked = |asset: AssetId| {
            let held = self.balances.iter().find(|held| held.asset == asset);
            held.map_or(Amount::ZERO, |held| held.locked)
        };
        let mut assets = self.suspect.assets.iter();
        !is_named && assets.all(|asset| locked_by(orders, *asset) == Some(locked(*asset)))
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
