//! What an observer may see, copied out between two inputs.

use tradewind_events::{
    AccountView, BalanceView, BlockedExitView, BotView, ClauseView, DeskView, ExitView, FeedView,
    NextWake, NumberView, OrderView, PositionView, TargetView, UnprotectedView,
};
use tradewind_model::{
    AssetId, InstrumentId, InstrumentStatus, OwnerId, Quantity, Quote, RuleBreach,
};
use tradewind_portfolio::{Position, PositionKey, value_account};

use crate::parts::Parts;
use crate::parts::bot::Bot;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::exit_monitor::ExitMonitor;
use crate::parts::order::Order;
use crate::parts::protection::Uncovered;
use crate::step::positions::closable;
use crate::step::protection::protected;
use crate::step::universe;

/// The desk as of the last input.
pub(crate) fn desk_view(parts: &Parts) -> DeskView {
    let positions = parts.portfolio.positions();
    DeskView {
        seq: parts.context.seq(),
        at: parts.now(),
        state: parts.states.desk(),
        causes: parts.states.causes().to_vec(),
        accounts: account_views(parts),
        streams: parts.streams.views().to_vec(),
        bots: parts.bots.iter().map(|bot| bot_view(parts, bot)).collect(),
        orders: parts.orders.open().map(order_view).collect(),
        positions: positions
            .map(|(key, position)| position_view(parts, key, position))
            .collect(),
        balances: balance_views(parts),
        feeds: feed_views(parts),
        counters: parts.counters.totals(),
        last_close: parts.counters.last_close().clone(),
        unprotected: unprotected_views(parts),
        blocked_exits: blocked_exits(parts),
        numbers: number_views(parts),
        targets: target_views(parts),
        sources: parts.targets.views(),
    }
}

fn account_views(parts: &Parts) -> Vec<AccountView> {
    let accounts = parts.config.accounts.iter();
    let views = accounts.map(|account| {
        let record = parts.accounts.get(account.id);
        AccountView {
            account: account.id,
            reconciled: record.is_reconciled(),
            equity: *record.equity(),
            started_with: record.started_with(),
        }
    });
    views.collect()
}

fn bot_view(parts: &Parts, bot: &Bot) -> BotView {
    let (config, activity) = (bot.config(), bot.activity());
    let (owner, account) = (OwnerId::Bot(config.id), config.account);
    let asset = valued_in(parts, bot);
    let value = value_account(
        &parts.portfolio,
        parts.prices(),
        account,
        asset,
        Some(owner),
    );
    BotView {
        bot: config.id,
        state: bot.state(),
        state_reason: bot.state_reason().to_owned(),
        since: bot.since(),
        reason: activity.reason.clone(),
        reason_instrument: activity.reason_instrument,
        last_wake: activity.last_wake,
        next_wake: next_wake(parts, bot),
        wakes: activity.wakes,
        signals: activity.signals,
        orders: activity.orders,
        fills: activity.fills,
        denials: activity.denials,
        last_denial: activity.last_denial.clone(),
        pauses: bot.closed().pauses(parts.now()).collect(),
        errors: activity.errors,
        lateness_max_nanos: activity.lateness_max_nanos,
        equity: value.equity,
        realized: parts.portfolio.realized(account, owner, asset),
        unrealized: value.unrealized,
        clauses: clauses(parts, bot),
        budget: bot.budget(),
        universe: universe::view(bot),
    }
}

/// What a bot's strategy looks for in what it trades, with the values of its last evaluation.
fn clauses(parts: &Parts, bot: &Bot) -> Vec<ClauseView> {
    let config = bot.config();
    let slots = bot.instruments().iter().enumerate();
    let traded = slots.filter(|(_, state)| config.instruments.contains(&state.instrument()));
    let explained = traded.flat_map(|(slot, state)| {
        let parts = parts.strategies.explain(config.id, slot).into_iter();
        parts.map(|part| ClauseView {
            instrument: state.instrument(),
            clause: part.clause,
            text: part.text,
            value: part.value,
            operands: part.operands,
        })
    });
    explained.collect()
}

/// The quote asset of a bot's instruments.
fn valued_in(parts: &Parts, bot: &Bot) -> AssetId {
    let first = bot.config().instruments.first();
    first.map_or(parts.config.report_asset, |first| {
        parts.config.instrument(*first).quote
    })
}

/// The next close of one of its candles, or its own interval, whichever comes first.
fn next_wake(parts: &Parts, bot: &Bot) -> Option<NextWake> {
    if !bot.is_awake() {
        return None;
    }
    let warm_ups = parts.strategies.warm_ups(bot.config().id).iter();
    let closes = warm_ups.map(|warm_up| NextWake {
        at: warm_up.interval.close_time(parts.now()),
        interval: Some(warm_up.interval),
    });
    let timer = bot.next_timer().map(|at| NextWake { at, interval: None });
    closes.chain(timer).min_by_key(|next| next.at)
}

fn position_view(parts: &Parts, key: &PositionKey, position: &Position) -> PositionView {
    let instrument = parts.config.instrument(key.2);
    let mid = parts.market.quote(key.2).map(Quote::mid);
    PositionView {
        account: key.0,
        owner: key.1,
        instrument: key.2,
        quantity: position.quantity,
        cost: position.cost,
        entry_price: position.entry_price(instrument),
        opened_at: position.opened_at,
        unrealized: mid.and_then(|mid| position.unrealized(instrument, mid)),
        realized: position.realized,
        exit: exit_view(parts, key.1, key.2),
        side_mode: position.side_mode,
        margin: position.margin,
        protected: place_of(parts, key.1, key.2)
            .map_or(Quantity::ZERO, |place| protected(parts, place)),
    }
}

fn unprotected_views(parts: &Parts) -> Vec<UnprotectedView> {
    let uncovered = parts.protection.uncovered();
    let listed = uncovered.filter(|(_, uncovered)| uncovered.is_listed());
    let view = |(place, uncovered): (BotInstrument, &Uncovered)| UnprotectedView {
        account: parts.bots.bot(place.bot()).config().account,
        bot: place.bot(),
        instrument: parts.bots.at(place).instrument(),
        quantity: uncovered.quantity,
        since: uncovered.since,
        reason: uncovered.reason.clone(),
    };
    listed.map(view).collect()
}

fn blocked_exits(parts: &Parts) -> Vec<BlockedExitView> {
    let positions = parts.portfolio.positions();
    let places = positions.filter_map(|(key, _)| place_of(parts, key.1, key.2));
    places
        .filter_map(|place| blocked_exit(parts, place))
        .collect()
}

/// Why a position cannot be closed at present, if it cannot.
fn blocked_exit(parts: &Parts, place: BotInstrument) -> Option<BlockedExitView> {
    let (state, bot) = (parts.bots.at(place), parts.bots.bot(place.bot()));
    let refused = state.refusals().listed();
    let (refusals, reason) = match refused {
        Some((count, reason)) => (count, reason.to_owned()),
        None => (0, obstacle(parts, place)?.to_owned()),
    };
    Some(BlockedExitView {
        account: bot.config().account,
        bot: place.bot(),
        instrument: state.instrument(),
        refusals,
        next_try: refused.map(|_| state.refusals().not_before().max(parts.now())),
        reason,
    })
}

/// What stands in the way of an exit that was not tried.
fn obstacle(parts: &Parts, place: BotInstrument) -> Option<&'static str> {
    let (state, bot) = (parts.bots.at(place), parts.bots.bot(place.bot()));
    let instrument = parts.config.instrument(state.instrument());
    if instrument.status != InstrumentStatus::Trading {
        return Some("the venue does not trade the instrument now");
    }
    let quote = parts.market.quote(instrument.id);
    let price = quote.map(|quote| quote.opposite_side(state.closing_side()));
    let checked = instrument.check(closable(parts, place), None, price);
    if let Err(RuleBreach::QuantityMin | RuleBreach::NotionalMin) = checked {
        return Some("it is below the least order of the venue");
    }
    let is_left = bot.is_removed() && state.monitor().is_none();
    is_left.then_some("its bot was removed and no exit plan closes it")
}

/// The place of an owner in an instrument, if it is a bot.
fn place_of(parts: &Parts, owner: OwnerId, instrument: InstrumentId) -> Option<BotInstrument> {
    match owner {
        OwnerId::Bot(bot) => parts.bots.place(bot, instrument),
        _ => None,
    }
}

fn exit_view(parts: &Parts, owner: OwnerId, instrument: InstrumentId) -> ExitView {
    let place = place_of(parts, owner, instrument);
    let monitor = place.and_then(|place| parts.bots.at(place).monitor());
    monitor.map(ExitMonitor::view).unwrap_or_default()
}

fn balance_views(parts: &Parts) -> Vec<BalanceView> {
    let balances = parts.portfolio.ledger.balances();
    balances
        .map(|(account, asset, owner, amount)| BalanceView {
            account,
            asset,
            owner,
            amount,
        })
        .collect()
}

fn feed_views(parts: &Parts) -> Vec<FeedView> {
    let instruments = parts.config.instruments.iter();
    let views = instruments.zip(parts.market.feeds());
    views
        .map(|(instrument, feed)| {
            let (quotes, trades, candles) = feed.counts();
            FeedView {
                instrument: instrument.id,
                health: feed.health(),
                quote: parts.market.quote(instrument.id).copied(),
                quotes,
                trades,
                candles,
            }
        })
        .collect()
}

fn number_views(parts: &Parts) -> Vec<NumberView> {
    let numbers = parts.market.numbers().iter();
    numbers
        .map(|number| NumberView {
            name: number.name.to_owned(),
            value: number.value,
            event_time: number.at,
            received_at: number.received_at,
            max_age: number.max_age,
        })
        .collect()
}

fn target_views(parts: &Parts) -> Vec<TargetView> {
    let mut views = Vec::new();
    for bot in parts.bots.iter().filter(|bot| !bot.is_removed()) {
        let Some(control) = &bot.config().external else {
            continue;
        };
        let states = bot.instruments().iter();
        views.extend(states.map(|state| TargetView {
            bot: bot.config().id,
            instrument: state.instrument(),
            source: control.source.clone(),
            target: state.standing().copied(),
            is_expired: { state.standing() }.is_some_and(|known| known.is_expired(parts.now())),
        }));
    }
    views
}

fn order_view(order: &Order) -> OrderView {
    OrderView {
        terms: *order.terms(),
        venue_order_id: order.venue_order_id(),
        bot: order.bot(),
        purpose: order.effect(),
        status: order.status(),
        filled: order.filled(),
        placed_at: order.placed_at(),
        placed_by: order.placed_by(),
    }
}
