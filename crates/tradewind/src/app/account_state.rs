//! A reading of an account in the engine's words. The engine knows whose orders are whose.

use tradewind_events::{AccountFills, AccountState, Input, OpenOrder};
use tradewind_model::OrderTerms;
use tradewind_venues::AssetBalance;
use tradewind_venues::execution::{AccountSnapshot, OrderRecord};

/// Fills in one input, at most: a record of the journal stays below a megabyte.
const FILLS_MAX: usize = 2_000;

/// What the engine is given of a reading.
#[must_use]
pub fn account_state(snapshot: AccountSnapshot) -> AccountState {
    let total = |held: &AssetBalance| (held.asset, held.free + held.locked);
    AccountState {
        account: snapshot.account,
        balances: snapshot.balances.iter().map(total).collect(),
        open_orders: snapshot.open_orders.iter().filter_map(open_order).collect(),
        fills: snapshot
            .fills
            .into_iter()
            .map(|fill| (fill, None))
            .collect(),
    }
}

/// `None` for a kind of order that the desk does not use, such as a stop order placed by hand.
fn open_order(record: &OrderRecord) -> Option<OpenOrder> {
    Some(OpenOrder {
        terms: OrderTerms {
            account: record.account,
            instrument: record.instrument,
            client_id: record.client_id,
            side: record.side,
            quantity: record.quantity,
            kind: record.kind?,
        },
        venue_order_id: record.venue_order_id,
        filled: record.filled,
        adopted: None,
        list: record.list,
    })
}

/// The inputs of a reading: its older fills in pages, then the account with the latest.
pub(crate) fn inputs(mut state: AccountState) -> Vec<Input> {
    let account = state.account;
    let last = state.fills.len().saturating_sub(1) / FILLS_MAX * FILLS_MAX;
    let latest = state.fills.split_off(last);
    let older = std::mem::replace(&mut state.fills, latest);
    let pages = older.chunks(FILLS_MAX).map(|fills| {
        let fills = fills.to_vec();
        Input::AccountFills(Box::new(AccountFills { account, fills }))
    });
    let mut inputs: Vec<Input> = pages.collect();
    inputs.push(Input::Account(Box::new(state)));
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_engine::StrategySource;
    use tradewind_model::{OrderKind, Quantity, Side};
    use tradewind_testkit::{ACCOUNT, Desk, SPOT, configuration};

    /// How many fills each input of a reading holds.
    fn pages(fills: usize) -> Vec<usize> {
        let mut desk = Desk::started(configuration(), StrategySource::built_in());
        let terms = OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id: tradewind_model::ClientOrderId(1),
            side: Side::Buy,
            quantity: Quantity(1),
            kind: OrderKind::Market,
        };
        let fills = (0..fills).map(|_| (desk.fill_of(&terms, 1, 1), None));
        let state = AccountState {
            account: ACCOUNT,
            balances: Vec::new(),
            open_orders: Vec::new(),
            fills: fills.collect(),
        };
        let counts = inputs(state).into_iter().map(|input| match input {
            Input::AccountFills(page) => page.fills.len(),
            Input::Account(state) => state.fills.len(),
            _ => unreachable!("a reading has no other inputs"),
        });
        counts.collect()
    }

    /// Kind 3: a reading is never too long for a record.
    #[test]
    fn a_long_reading_comes_in_pages_and_the_account_last() {
        assert_eq!(pages(0), [0]);
        assert_eq!(pages(2_000), [2_000]);
        assert_eq!(pages(2_001), [2_000, 1]);
        assert_eq!(pages(4_000), [2_000, 2_000]);
    }
}
