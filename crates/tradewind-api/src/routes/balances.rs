//! The table of balances: exchange, desk, difference.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use tradewind_events::{BalanceView, DeskView};
use tradewind_model::{AccountId, Amount, AssetId};

use crate::desk::{VenueBalance, VenueBalances};
use crate::error::ApiError;
use crate::extract::Caller;
use crate::state::ApiState;
use crate::wire::{Balance, BalanceTable, Names, OwnerAmount, VenueAmount};

/// The balances at the exchange and in the ledger, and the difference.
#[utoipa::path(get, path = "/api/v1/balances", tag = "desk", responses((status = 200, body = BalanceTable)))]
pub(crate) async fn balances(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<BalanceTable>, ApiError> {
    let (view, names) = state.look().await?;
    let read = state.desk.venue_balances();
    let mut items = Vec::new();
    for account in &names.configuration().accounts {
        let said = read.iter().find(|said| said.account == account.id);
        // Both columns are as of the same input: the one at which the exchange was read.
        let desk = said.map_or(&view, |said| &said.view);
        items.extend(lines(account.id, desk, said, &names));
    }
    let all_read = items.iter().all(|line| line.exchange.is_some());
    let equal = items
        .iter()
        .all(|line| line.difference.as_ref().is_none_or(|one| one.0 == "0"));
    // The oldest of the views compared: everything in the table is at least as new.
    let oldest = read
        .iter()
        .map(|said| &said.view)
        .min_by_key(|view| view.seq);
    let oldest = oldest.unwrap_or(&view);
    Ok(Json(BalanceTable {
        seq: oldest.seq,
        at: oldest.at.into(),
        equal: (all_read && !read.is_empty()).then_some(equal),
        items,
        next: None,
    }))
}

/// The lines of one account: every asset that either side has.
fn lines(
    account: AccountId,
    desk: &DeskView,
    said: Option<&VenueBalances>,
    names: &Names,
) -> Vec<Balance> {
    let mut assets: BTreeMap<AssetId, Vec<&BalanceView>> = BTreeMap::new();
    for balance in desk.balances.iter().filter(|one| one.account == account) {
        assets.entry(balance.asset).or_default().push(balance);
    }
    for balance in said.iter().flat_map(|said| &said.balances) {
        if balance.free + balance.locked != Amount(0) {
            let _ = assets.entry(balance.asset).or_default();
        }
    }
    let lines = assets.into_iter();
    lines
        .map(|(asset, owners)| line(account, asset, &owners, desk.seq, said, names))
        .collect()
}

fn line(
    account: AccountId,
    asset: AssetId,
    owners: &[&BalanceView],
    seq: u64,
    said: Option<&VenueBalances>,
    names: &Names,
) -> Balance {
    let desk: Amount = owners.iter().map(|one| one.amount).sum();
    // What the venue does not list it has none of.
    let venue = said.map(|said| {
        let listed = said.balances.iter().find(|balance| balance.asset == asset);
        let nothing = VenueBalance {
            asset,
            free: Amount(0),
            locked: Amount(0),
        };
        (said.read_at, listed.copied().unwrap_or(nothing))
    });
    Balance {
        account: names.account(account),
        asset: names.asset(asset),
        exchange: venue.map(|(read_at, balance)| VenueAmount {
            total: (balance.free + balance.locked).into(),
            free: balance.free.into(),
            locked: balance.locked.into(),
            read_at: read_at.into(),
        }),
        desk: desk.into(),
        difference: venue.map(|(_, balance)| (balance.free + balance.locked - desk).into()),
        owners: owners
            .iter()
            .map(|one| OwnerAmount {
                owner: names.owner(one.owner),
                amount: one.amount.into(),
            })
            .collect(),
        seq,
    }
}
