//! `kill --flatten`: the desk closes its positions by ordinary exits, and is killed when it is flat or after
//! [`FLATTEN_WITHIN`].

use std::time::Duration;

use tradewind_events::{AlarmKind, Output, Outputs, Timer};
use tradewind_model::{AccountId, Amount, AssetId, InstrumentId, OwnerId, Reason, Target};
use tradewind_risk::{CauseKind, PositionEffect, Scope, TradingState};

use super::alarms::raise;
use super::causes::{close_cause, open_until_cleared};
use super::commands::close_for_kill;
use super::holdings::{external_to_sell, why_unsold};
use super::positions::closable;
use super::target::{flat, reconcile_position};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Longest that positions are closed before the kill.
const FLATTEN_WITHIN: Duration = Duration::from_secs(60);
/// Between two attempts at what is still open.
const EVERY: Duration = Duration::from_secs(1);

/// From now on only exits pass.
pub(crate) fn begin(parts: &mut Parts, sells_external: bool, out: &mut Outputs) {
    sell_external(parts, sells_external);
    let (state, reason) = (TradingState::Flattening, CauseKind::Flattening);
    open_until_cleared(parts, Scope::Desk, state, reason, out);
}

/// Tries again what is still open, or ends.
pub(crate) fn on_timer(parts: &mut Parts, out: &mut Outputs) {
    match goes_on(parts) {
        None => return,
        Some(false) => return end(parts, out),
        Some(true) => {}
    }
    close_all(parts, out);
    let at = parts.now() + EVERY;
    parts.timers.set(at, Timer::Flatten, out);
}

/// Whether there is something left to close and time for it; `None` if nothing is to be closed for a kill.
pub(crate) fn goes_on(parts: &Parts) -> Option<bool> {
    let mut causes = parts.states.causes().iter();
    let begun = causes.find(|cause| cause.reason == CauseKind::Flattening)?;
    let is_over = parts.now() >= begun.since + FLATTEN_WITHIN;
    Some(!is_over && !is_flat(parts))
}

/// Ends in state KILLED: the positions are closed, their time is over, or somebody kills.
pub(crate) fn end(parts: &mut Parts, out: &mut Outputs) {
    let (state, reason) = (TradingState::Killed, CauseKind::Killed);
    open_until_cleared(parts, Scope::Desk, state, reason, out);
    close_cause(parts, Scope::Desk, &CauseKind::Flattening, out);
    parts.timers.cancel(Timer::Flatten, out);
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        if parts.accounts.get(account).sells_external() {
            report_unsold(parts, account, out);
        }
    }
    sell_external(parts, false);
    out.push(Output::EndFlattening);
}

/// Announces what is still EXTERNAL on an account of which all was to be sold. The report currency is what was sold for.
fn report_unsold(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let assets = parts.portfolio.ledger.assets(account);
    let assets: Vec<AssetId> = assets.map(|(asset, _)| asset).collect();
    let of_external = |asset: &AssetId| {
        let ledger = &parts.portfolio.ledger;
        let has = ledger.balance(account, *asset, OwnerId::External);
        let is_left = has > Amount::ZERO && *asset != parts.config.report_asset;
        is_left.then(|| {
            let name = parts.config.assets.name(*asset);
            format!("{has} {name} ({})", why_unsold(parts, account, *asset))
        })
    };
    let left: Vec<String> = assets.iter().filter_map(of_external).collect();
    if left.is_empty() {
        return;
    }
    let name = &parts.config.accounts[account.index()].name;
    let left = left.join(", ");
    let text = format!("the kill left unsold of what is EXTERNAL on {name}: {left}");
    let place = (AlarmKind::LeftUnsold, Some(account), None);
    raise(parts, place, text, out);
}

/// Notes whether what is EXTERNAL is sold, too.
fn sell_external(parts: &mut Parts, sells: bool) {
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        parts.accounts.get_mut(account).sell_external(sells);
    }
}

fn is_flat(parts: &Parts) -> bool {
    open_places(parts).is_empty() && made_by_hand(parts).is_empty()
}

fn close_all(parts: &mut Parts, out: &mut Outputs) {
    for place in to_be_closed(parts) {
        // The next attempt is a second away, whatever was refused before.
        parts.bots.at_mut(place).forget_refused_exits();
        let cause = parts.context.cause(out);
        reconcile_position(parts, place, target(), cause, false, out);
    }
    for (account, instrument) in made_by_hand(parts) {
        if !is_being_closed(parts, account, instrument) {
            close_for_kill(parts, account, instrument, out);
        }
    }
}

/// Where bots have something that can be closed and that no exit closes already.
pub(crate) fn to_be_closed(parts: &Parts) -> Vec<BotInstrument> {
    let is_leaving = |place: &BotInstrument| {
        let working = parts.bots.at(*place).working();
        let working = working.and_then(|id| parts.orders.open_order(id));
        working.is_some_and(|order| order.effect() == PositionEffect::Exit)
    };
    let mut places = open_places(parts);
    places.retain(|place| !is_leaving(place));
    places
}

/// The target of a position that is closed for a kill.
pub(crate) const fn target() -> Target {
    flat(Reason::plain("closed for a kill"))
}

/// Whether an order made by hand is open on the instrument.
fn is_being_closed(parts: &Parts, account: AccountId, instrument: InstrumentId) -> bool {
    let by_hand = parts.orders.open().filter(|order| order.bot().is_none());
    let mut at_work = by_hand.filter(|order| order.effect() != PositionEffect::Protect);
    at_work.any(|order| {
        let terms = order.terms();
        (terms.account, terms.instrument) == (account, instrument)
    })
}

/// Where bots have something that can be closed.
fn open_places(parts: &Parts) -> Vec<BotInstrument> {
    let places = parts.bots.ids().flat_map(|bot| parts.bots.places(bot));
    places
        .filter(|place| !closable(parts, *place).is_zero())
        .collect()
}

/// Positions made by hand that can be closed, and what is EXTERNAL if the kill is to sell it.
fn made_by_hand(parts: &Parts) -> Vec<(AccountId, InstrumentId)> {
    let mut found = Vec::new();
    for account in &parts.config.accounts {
        for instrument in &parts.config.instruments {
            let key = (account.id, OwnerId::Unallocated, instrument.id);
            let own = parts.portfolio.closable(instrument, &key);
            if !own.is_zero() || !external_to_sell(parts, account.id, instrument).is_zero() {
                found.push((account.id, instrument.id));
            }
        }
    }
    found
}
