//! Readings of an account from its venue.
//!
//! The first reading is taken over: fills, then balances that they do not explain, then budgets. Every later one, also
//! after a restart, is compared with the books by [`reconcile`]. Missed fills are booked, orders in doubt confirmed or
//! queried. A balance that no fill explains is believed only once three readings agree: a venue's list of trades may lag
//! its balances.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{
    AccountFills, AccountState, BotState, EventKind, OpenOrder, Output, Outputs, StreamState, Timer,
};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, AccountMode, BotId, ClientOrderId, ExecutionReport, Fill, InstrumentId, Money,
    OrderStatus, OwnerId, Ppm, ReportKind, Side,
};
use tradewind_risk::{CauseKind, PositionEffect, Scope};

use super::account_stream::{HEARD_WITHIN, SWEEP_EVERY, announce_unlisted, doubt, end_doubt};
use super::budgets::{allocate, follow_capital, fund_share};
use super::causes::{close_cause, note_absurd, note_contradicted, note_foreign_desk};
use super::equity::value;
use super::holdings::book_unexplained;
use super::lifecycle::{schedule_bots, set_state};
use super::positions::{key_of, refresh_position};
use super::protection::shares_of_found;
use super::reports::{Ending, book_stray, fold_report, is_known, is_new_of_another, owner_of_fill};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::{FoundOrder, NewOrder};
use crate::parts::stop_shares::StopShares;
use crate::reconcile::{Difference, Local, reconcile};

/// Readings that must show the same unexplained balance before it is booked.
const READINGS: u32 = 3;
/// Before the second of these readings; the wait before the third is twice as long.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The last fill of each owner in each instrument.
type LastFills<'a> = BTreeMap<(OwnerId, InstrumentId), &'a Fill>;

/// An account as the venue shows it. Returns the orders that ended by it.
pub(crate) fn on_account(
    parts: &mut Parts,
    state: &AccountState,
    out: &mut Outputs,
) -> Vec<Ending> {
    let account = state.account;
    if !parts.accounts.contains(account) {
        return Vec::new();
    }
    let ids = state.balances.iter().map(|(asset, _)| *asset);
    note_contradicted(parts, account, ids, out);
    let listed = state.fills.iter().map(|(fill, _)| fill.client_id);
    let open = state.open_orders.iter().map(|order| order.terms.client_id);
    raise_epoch(parts, account, listed.chain(open));
    note_foreign(parts, state);
    let is_before = parts.accounts.get_mut(account).take_read_before();
    if !parts.accounts.get(account).is_taken_over() {
        take_over(parts, state, out);
        return Vec::new();
    }
    let (endings, is_settled) = compare(parts, state, out);
    if is_settled {
        fund_bots(parts, account, out);
        note_reconciled(parts, state, out);
        if !is_before {
            close_cause(parts, Scope::Account(account), &CauseKind::NotCompared, out);
        }
    }
    endings
}

/// The older fills of a reading that is too long for one input.
pub(crate) fn on_fills(parts: &mut Parts, page: &AccountFills, out: &mut Outputs) -> Vec<Ending> {
    if !parts.accounts.contains(page.account) {
        return Vec::new();
    }
    let mut endings = Vec::new();
    raise_epoch(
        parts,
        page.account,
        page.fills.iter().map(|(fill, _)| fill.client_id),
    );
    if parts.accounts.get(page.account).is_taken_over() {
        for (fill, bot) in page
            .fills
            .iter()
            .filter(|(fill, _)| fill.account == page.account)
        {
            endings.extend(book_missed(parts, fill, *bot, out));
        }
    } else {
        book_listed(parts, page.account, &page.fills);
    }
    let listed = page.fills.iter().map(|(fill, _)| fill);
    parts.accounts.get_mut(page.account).note_listed(listed);
    endings
}

/// The venue knows ids of this data folder that its journal does not: it was restored from a backup. Later orders get an epoch
/// above those. The caller that hands in the reading has made it durable before: above any later epoch, and above this start's own at
/// the first reading of the account, before which it has placed nothing there.
fn raise_epoch(parts: &mut Parts, account: AccountId, ids: impl Iterator<Item = ClientOrderId>) {
    let is_first = !parts.accounts.get(account).is_reconciled();
    let counts = |id: &ClientOrderId| is_first || id.epoch() > parts.ids.epoch();
    let beyond = ids.filter(|id| parts.ids.is_beyond(*id) && counts(id));
    if let Some(seen) = beyond.map(ClientOrderId::epoch).max() {
        parts.ids.raise_above(seen);
    }
}

/// Orders that another desk had open when the account was first read since the start: what becomes of them is no sign of its
/// being at work.
fn note_foreign(parts: &mut Parts, state: &AccountState) {
    if parts.accounts.get(state.account).is_reconciled() {
        return;
    }
    let open = state.open_orders.iter().map(|order| order.terms.client_id);
    let foreign = open.filter(|id| parts.ids.is_foreign(*id)).collect();
    let record = parts.accounts.get_mut(state.account);
    record.note_foreign(foreign);
}

/// It is time to read an account again: because a balance is unexplained, or because the last reading is a while ago.
pub(crate) fn on_reading_timer(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    if !parts.accounts.contains(account) {
        return;
    }
    doubt(parts, account, out);
    announce_unlisted(parts, account, out);
    let is_doubted = parts.accounts.get(account).doubted() > 0;
    out.push(if is_doubted {
        Output::Reconcile(account)
    } else {
        Output::Sweep(account)
    });
    let streams = parts.streams.views().get(account.index());
    let is_watched = parts.accounts.get(account).stream_doubted().is_some();
    if is_watched || streams.is_some_and(|stream| stream.state == StreamState::Live) {
        let at = parts.now() + SWEEP_EVERY;
        parts.timers.set(at, Timer::AccountReading(account), out);
    }
}

/// Compares a reading with the books, and books what it explains. False if it must be read again first.
fn compare(parts: &mut Parts, state: &AccountState, out: &mut Outputs) -> (Vec<Ending>, bool) {
    let account = state.account;
    let (mut endings, mut unexplained) = (Vec::new(), Vec::new());
    let mut unheard = Vec::new();
    for difference in differences(parts, state) {
        match difference {
            Difference::Fill(..) if is_on(Mutation::MissedFillNotBooked) => {}
            Difference::Fill(fill, bot) => {
                unheard.extend(fill.client_id.is_ours().then_some(fill));
                endings.extend(book_missed(parts, &fill, bot, out));
            }
            Difference::Accepted(order) => {
                let report = accepted(&order);
                endings.extend(fold_report(parts, &report, out));
            }
            Difference::Stray(order) => adopt_stray(parts, &order, &state.open_orders, out),
            Difference::NotListed(id) => {
                out.extend(parts.orders.open_order(id).map(|order| order.query()));
            }
            Difference::Balance(asset, amount) => unexplained.push((asset, amount)),
        }
    }
    let now = parts.now();
    let record = parts.accounts.get_mut(account);
    record.note_listed(state.fills.iter().map(|(fill, _)| fill));
    record.note_reading(unheard.iter(), now);
    follow_unheard(parts, account, out);
    let record = parts.accounts.get_mut(account);
    for (asset, amount) in record.confirm(&unexplained, READINGS) {
        book_unexplained(parts, account, asset, amount, out);
    }
    let doubted = parts.accounts.get(account).doubted();
    if doubted > 0 {
        let at = parts.now() + READ_AGAIN * doubted;
        parts.timers.set(at, Timer::AccountReading(account), out);
    }
    (endings, doubted == 0)
}

/// Fills that a reading listed first must be reported soon, or the stream is doubted.
fn follow_unheard(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    if parts.accounts.get(account).unheard() == 0 {
        return end_doubt(parts, account, out);
    }
    if parts.streams.get(account).is_some() {
        let at = parts.now() + parts.deadline(HEARD_WITHIN);
        let timer = Timer::AccountReading(account);
        parts.timers.set_earlier(at, timer, out);
    }
}

fn differences(parts: &Parts, state: &AccountState) -> Vec<Difference> {
    let record = parts.accounts.get(state.account);
    let is_confirmed =
        |status: OrderStatus| !matches!(status, OrderStatus::Pending | OrderStatus::Unknown);
    let of_account = parts.orders.open();
    let of_account = of_account.filter(|order| order.terms().account == state.account);
    let closed: BTreeMap<_, _> = parts
        .orders
        .closed()
        .map(|order| (order.terms().client_id, order))
        .collect();
    let is_booked = |fill: &Fill| {
        let kept = parts.orders.open_order(fill.client_id);
        let kept = kept.or_else(|| closed.get(&fill.client_id).map(AsRef::as_ref));
        let is_newer =
            |booked: Fill| booked.instrument == fill.instrument && booked.trade_id > fill.trade_id;
        let is_passed = is_on(Mutation::CursorTooFar) && record.recent_fills().any(is_newer);
        is_passed
            || record.is_booked(fill)
            || kept.is_some_and(|order| order.has_execution(fill.trade_id))
    };
    let is_sound =
        |(fill, _): &&(Fill, Option<BotId>)| fill.account == state.account && is_known(parts, fill);
    let venue = AccountState {
        fills: state.fills.iter().filter(is_sound).copied().collect(),
        ..state.clone()
    };
    let local = Local {
        instruments: &parts.config.instruments,
        totals: parts.portfolio.ledger.assets(state.account).collect(),
        open: of_account
            .map(|order| (order.terms().client_id, is_confirmed(order.status())))
            .collect(),
        recent: record.recent_fills().collect(),
        cursors: record.cursors(),
        is_booked: &is_booked,
    };
    let mut differences = reconcile(&local, &venue);
    differences.retain(|difference| match difference {
        Difference::Balance(asset, _) => !parts.is_contradicted(*asset),
        _ => true,
    });
    differences
}

/// Books a fill that was never reported: to its order, if that is kept.
fn book_missed(
    parts: &mut Parts,
    fill: &Fill,
    bot: Option<BotId>,
    out: &mut Outputs,
) -> Option<Ending> {
    if !is_known(parts, fill) {
        return None;
    }
    let report = ExecutionReport {
        account: fill.account,
        instrument: fill.instrument,
        client_id: fill.client_id,
        venue_order_id: Some(fill.venue_order_id),
        kind: ReportKind::Filled(*fill),
        cumulative: None,
        event_time: Some(fill.event_time),
    };
    let order = parts.orders.get_mut(fill.client_id);
    if order.is_some_and(|order| order.is_named_by(&report)) {
        return fold_report(parts, &report, out);
    }
    book_stray(parts, fill, bot, None, out);
    None
}

/// The report that a listed order implies.
fn accepted(order: &OpenOrder) -> ExecutionReport {
    ExecutionReport {
        account: order.terms.account,
        instrument: order.terms.instrument,
        client_id: order.terms.client_id,
        venue_order_id: Some(order.venue_order_id),
        kind: ReportKind::Accepted,
        cumulative: Some(order.filled),
        event_time: None,
    }
}

/// Takes over an order of this data folder that the desk does not keep, and cancels it: no part of the desk expects it. A stop
/// that covers a position stays. What a directory that this one was copied from has left is this desk's at the first reading;
/// later it is that of another desk.
fn adopt_stray(parts: &mut Parts, order: &OpenOrder, listed: &[OpenOrder], out: &mut Outputs) {
    let id = order.terms.client_id;
    let is_first = !parts.accounts.get(order.terms.account).is_reconciled();
    let is_ours = parts.ids.is_own(id) || is_first && parts.ids.is_former(id);
    if order.adopted.is_none() && !is_ours {
        let account = order.terms.account;
        if is_new_of_another(parts, account, id) {
            note_foreign_desk(parts, account, out);
        }
        return;
    }
    adopt(parts, order, (listed, &[]), out);
    let adopted = parts.orders.open_order(id);
    if adopted.is_some_and(|adopted| adopted.shares().total().is_zero()) {
        parts.orders.cancel(id, out);
    }
}

/// The account is read and explained: it may be traded on.
fn note_reconciled(parts: &mut Parts, state: &AccountState, out: &mut Outputs) {
    let account = state.account;
    let reconciled = EventKind::Reconciled {
        account,
        fills: u32::try_from(state.fills.len()).unwrap_or(u32::MAX),
        orders: u32::try_from(state.open_orders.len()).unwrap_or(u32::MAX),
    };
    parts.emit(None, reconciled, out);
    parts.accounts.get_mut(account).set_reconciled();
    if !parts.accounts.get(account).is_clean() {
        out.push(Output::Reconcile(account));
    }
    value(parts, account);
    close_cause(
        parts,
        Scope::Account(account),
        &CauseKind::NotReconciled,
        out,
    );
    if parts.accounts.are_reconciled() {
        schedule_bots(parts, out);
    }
}

/// Gives their budgets to bots that have none yet. Bots that the account does not cover stop.
fn fund_bots(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    follow_capital(parts, account);
    for bot in allocate_budgets(parts, account, out) {
        let reason = "its budget is not covered by the account";
        set_state(parts, bot, BotState::Stopped, reason, out);
    }
}

/// Takes an account over as the venue shows it for the first time. Balances that the fills do not explain were there
/// before or came from elsewhere: they belong to the desk on a paper account, and to EXTERNAL on a live one that does not
/// adopt them and on one with a capital of its own.
fn take_over(parts: &mut Parts, state: &AccountState, out: &mut Outputs) {
    let account = state.account;
    let config = &parts.config.accounts[account.index()];
    let owner = match config.mode {
        _ if config.capital.is_some() => OwnerId::External,
        AccountMode::Live if !config.adopts => OwnerId::External,
        AccountMode::Paper | AccountMode::Live => OwnerId::Unallocated,
    };
    let last = book_listed(parts, account, &state.fills);
    for difference in differences(parts, state) {
        if let Difference::Balance(asset, amount) = difference {
            let money = Money { asset, amount };
            let fits = parts.portfolio.deposit(account, money, owner);
            note_absurd(parts, account, fits, out);
        }
    }
    let now = parts.now();
    let record = parts.accounts.get_mut(account);
    record.note_listed(state.fills.iter().map(|(fill, _)| fill));
    record.note_taken_over();
    record.note_reading(std::iter::empty(), now);
    follow_capital(parts, account);
    let short = allocate_budgets(parts, account, out);
    for order in &state.open_orders {
        if order.adopted.is_some() {
            adopt(parts, order, (&state.open_orders, &state.fills), out);
        }
    }
    refresh_bots(parts, account, &last, out);
    note_reconciled(parts, state, out);
    close_cause(parts, Scope::Account(account), &CauseKind::NotCompared, out);
    for bot in short {
        let reason = "its budget is not covered by the account";
        set_state(parts, bot, BotState::Stopped, reason, out);
    }
}

/// Books the fills that the venue lists and that are not booked, oldest first, to those whose orders they were.
fn book_listed<'a>(
    parts: &mut Parts,
    account: AccountId,
    fills: &'a [(Fill, Option<BotId>)],
) -> LastFills<'a> {
    let mut last = LastFills::new();
    for (fill, bot) in fills {
        let is_ours = fill.account == account && is_known(parts, fill);
        if !is_ours || !note_listed(parts, fill) {
            continue;
        }
        let owner = owner_of_fill(parts, fill, *bot);
        let before = last.insert((owner, fill.instrument), fill);
        let instrument = parts.config.instrument(fill.instrument);
        let key = (account, owner, fill.instrument);
        let is_new_order = before.is_some_and(|before| before.client_id != fill.client_id);
        let starts_anew = is_new_order && fill.side == Side::Buy;
        // A remainder that could not be sold was written off before its bot bought again.
        let portfolio = &mut parts.portfolio;
        if starts_anew && portfolio.is_remainder(instrument, &key, Some(fill.price)) {
            portfolio.give_up(instrument, key);
        }
        portfolio.book(instrument, owner, fill);
    }
    last
}

/// Notes that a fill is booked. False if it was noted before.
fn note_listed(parts: &mut Parts, fill: &Fill) -> bool {
    let record = parts.accounts.get_mut(fill.account);
    let is_new = !record.is_booked(fill) && record.note_fill(fill);
    if let Some(order) = parts.orders.get_mut(fill.client_id) {
        return order.note_execution(fill) && is_new;
    }
    is_new
}

/// Gives each bot its budget, once. Returns the bots that the account's money does not cover.
fn allocate_budgets(parts: &mut Parts, account: AccountId, out: &mut Outputs) -> Vec<BotId> {
    let mut short = Vec::new();
    for bot in parts.bots.ids() {
        let config = parts.bots.bot(bot).config().clone();
        let is_missing = !parts.bots.bot(bot).is_funded() && !parts.bots.bot(bot).is_removed();
        if config.account != account || !is_missing {
            continue;
        }
        let is_share = config.budget_share.is_some();
        if is_share && parts.is_recovering {
            // An event says what it got.
            continue;
        }
        let is_covered = if is_share {
            fund_share(parts, bot, out)
        } else {
            allocate(parts, &config, config.budget)
        };
        if is_covered {
            parts.bots.bot_mut(bot).note_funded();
        } else {
            short.push(bot);
        }
    }
    short
}

/// Takes over an order of ours that is open at the venue and that the desk does not keep. One that takes a profit guards its position
/// as its stop does, which the venue lists with it: to cancel it would end both.
fn adopt(
    parts: &mut Parts,
    found: &OpenOrder,
    (listed, fills): (&[OpenOrder], &[(Fill, Option<BotId>)]),
    out: &mut Outputs,
) {
    let terms = found.terms;
    let is_known = parts.accounts.contains(terms.account)
        && parts.market.contains(terms.instrument)
        && parts.orders.get_mut(terms.client_id).is_none();
    if !is_known {
        return;
    }
    // Its fills are booked already. They must not be booked again when they are reported.
    let booked = fills.iter().map(|(fill, _)| fill);
    let booked = booked.filter(|fill| fill.client_id == terms.client_id);
    let trades = booked.map(|fill| fill.trade_id).collect();
    let bot = found.adopted.and_then(|adopted| adopted.bot);
    let place = bot.and_then(|bot| parts.bots.place(bot, terms.instrument));
    let accepted = EventKind::OrderAccepted { terms, bot };
    let placed_by = parts.emit(None, accepted, out);
    let is_stop = terms.kind.trigger().is_some();
    let other = other_of_pair(found, listed);
    let guards = is_stop || other.is_some();
    let (effect, shares) = if guards {
        let left = terms.quantity - found.filled;
        let kept = other.and_then(|id| parts.orders.open_order(id));
        let shares = kept.map(|kept| kept.shares().clone());
        let shares = shares.unwrap_or_else(|| shares_of_found(parts, &terms, place, left));
        (PositionEffect::Protect, shares)
    } else {
        (PositionEffect::Entry, StopShares::default())
    };
    if let Some(place) = place.filter(|_| !guards) {
        parts.bots.at_mut(place).start_order(terms.client_id);
    }
    parts.orders.insert(NewOrder {
        terms,
        place,
        effect,
        placed_at: found
            .adopted
            .map_or_else(|| parts.now(), |adopted| adopted.placed_at),
        placed_by,
        limit: None,
        exposure_before: Ppm::ZERO,
        found: Some(FoundOrder {
            venue_order_id: found.venue_order_id,
            filled: found.filled,
            trades,
        }),
        replaces: None,
        shares,
        pair: other,
    });
    // The time it was to wait for is lost, so it is cancelled and its bot decides again. A stop protects as before.
    if place.is_some() && !guards {
        parts.orders.cancel(terms.client_id, out);
    }
}

/// The other order of the pair that an order is of: one of the two is a stop.
fn other_of_pair(found: &OpenOrder, listed: &[OpenOrder]) -> Option<ClientOrderId> {
    let is_stop = |order: &OpenOrder| order.terms.kind.trigger().is_some();
    let is_other = |order: &&OpenOrder| {
        found.list.is_some() && order.list == found.list && is_stop(order) != is_stop(found)
    };
    let other = listed.iter().find(is_other);
    other.map(|order| order.terms.client_id)
}

/// Takes the positions of the account's bots from the portfolio.
fn refresh_bots(parts: &mut Parts, account: AccountId, last: &LastFills<'_>, out: &mut Outputs) {
    for bot in parts.bots.ids() {
        if parts.bots.bot(bot).config().account != account {
            continue;
        }
        for place in parts.bots.places(bot) {
            let instrument = parts.bots.at(place).instrument();
            let fill = last.get(&(OwnerId::Bot(bot), instrument)).copied();
            write_off_dust(parts, place, fill);
            refresh_position(parts, place, out);
        }
    }
}

/// Writes off a remainder that a previous run wrote off, unless a working order may belong to the position.
///
/// If a working buy is not the order of the last fill, it starts a new position, and the remainder is from an old one.
fn write_off_dust(parts: &mut Parts, place: BotInstrument, last: Option<&Fill>) {
    let key = key_of(parts, place);
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    let is_over = working.is_none_or(|order| {
        let terms = order.terms();
        terms.side == Side::Buy && last.is_some_and(|fill| fill.client_id != terms.client_id)
    });
    let instrument = parts.config.instrument(key.2);
    let price = last.map(|fill| fill.price);
    if is_over && parts.portfolio.is_remainder(instrument, &key, price) {
        parts.portfolio.give_up(instrument, key);
    }
}
