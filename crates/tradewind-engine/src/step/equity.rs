//! Valuation of accounts by the quotes of now.

use tradewind_events::{EquityPoint, EventKind, Outputs, Timer};
use tradewind_model::{AccountId, OwnerId};
use tradewind_portfolio::value_account;

use crate::parts::Parts;

/// Values an account.
pub(super) fn value(parts: &mut Parts, account: AccountId) {
    let report = parts.config.report_asset;
    let value = value_account(&parts.portfolio, parts.prices(), account, report, None);
    let realized = parts.portfolio.realized_all(account);
    let realized =
        realized.filter(|(owner, asset, _)| *owner != OwnerId::External && *asset == report);
    let point = EquityPoint {
        at: parts.now(),
        equity: value.equity,
        realized: realized.map(|(_, _, amount)| amount).sum(),
        unrealized: value.unrealized,
        unpriced: value.unpriced,
    };
    parts.accounts.get_mut(account).value_at(point);
}

/// An equity snapshot is due: every reconciled account is valued and announced.
pub(crate) fn on_equity_timer(parts: &mut Parts, out: &mut Outputs) {
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        if !parts.accounts.get(account).is_reconciled() {
            continue;
        }
        value(parts, account);
        let point = parts.accounts.get(account).equity();
        let snapshot = EventKind::EquitySnapshot {
            account,
            equity: point.equity,
            realized: point.realized,
            unrealized: point.unrealized,
            unpriced: point.unpriced,
        };
        parts.emit(None, snapshot, out);
    }
    let at = parts.now() + parts.config.equity_every;
    parts.timers.set(at, Timer::Equity, out);
}
