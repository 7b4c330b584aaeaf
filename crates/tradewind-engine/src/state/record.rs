//! The records of a saved state, and the way from parts to records and back.
//!
//! A record is bounded, so that a snapshot can be written a few records at a time: long lists are cut into chunks.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tradewind_events::{Configuration, LaneState};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, BotId, ClientOrderIds, Fill, Instrument, Numbers, Timestamp};
use tradewind_portfolio::Portfolio;
use tradewind_risk::{Monitors, TradingStates};

use super::{EngineState, RestoreError, Section};
use crate::context::StepContext;
use crate::parts::Parts;
use crate::parts::account_streams::AccountStreams;
use crate::parts::accounts::Accounts;
use crate::parts::bot::Bot;
use crate::parts::breakers::Breakers;
use crate::parts::command_log::Answered;
use crate::parts::counters::Counters;
use crate::parts::market::Market;
use crate::parts::order::Order;
use crate::parts::order_throttle::OrderThrottle;
use crate::parts::orders::FormerOrder;
use crate::parts::protection::Protection;
use crate::parts::strategies::SavedStrategy;
use crate::parts::targets::Targets;
use crate::parts::timers::Timers;
use crate::strategy_source::StrategySource;

/// How many entries of a long list one record holds.
const CHUNK: usize = 64;

/// State that cannot be rebuilt from other data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Durable {
    Head(Box<Head>),
    /// Without instruments and bots, which have records of their own.
    Configuration(Box<Configuration>),
    Instruments(Vec<Instrument>),
    Bot(Box<Bot>),
    OpenOrders(Vec<Order>),
    /// Oldest first.
    #[serde(with = "shared")]
    ClosedOrders(Vec<Arc<Order>>),
    Portfolio(Portfolio),
    Accounts(Accounts),
    /// Oldest first.
    RecentFills(AccountId, Vec<Fill>),
    /// Owners of orders that ended within a day, oldest first.
    FormerOrders(Vec<FormerOrder>),
    Streams(AccountStreams),
    States(TradingStates),
    Risk(Box<Risk>),
    /// Oldest first.
    #[serde(with = "shared")]
    Commands(Vec<Arc<Answered>>),
    Timers(Timers),
    Protection(Protection),
    /// The latest numbers of named series, if there are any.
    Numbers(Numbers),
    /// What a strategy of another lane handed in last: what it counts cannot be rebuilt from market data.
    Lane(LaneState),
}

/// Where the engine is in its inputs, and what is too small for a record of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    seq: u64,
    at: Timestamp,
    ids: ClientOrderIds,
    manual: OrderThrottle,
    bots_scheduled: bool,
    #[serde(default)]
    down_since: Option<Timestamp>,
    counters: Counters,
}

/// What monitors count, circuit breakers, and cancels that are not counted yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Risk {
    monitors: Monitors,
    breakers: Breakers,
    cancels: Vec<BotId>,
}

/// What fresh market data can rebuild.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Derived {
    /// A chunk of instruments.
    Market(Market),
    Strategy(BotId, SavedStrategy),
    /// What sources sent of targets, if they did.
    Targets(Targets),
}

/// Lists whose items the engine shares with the record. They are written as if they were not shared.
mod shared {
    use super::{Arc, Deserialize, Serialize};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        items: &[Arc<T>],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(items.iter().map(AsRef::as_ref))
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Arc<T>>, D::Error> {
        let items = Vec::deserialize(from)?;
        Ok(items.into_iter().map(Arc::new).collect())
    }
}

/// Copies the durable parts into records.
pub(super) fn durable_records(parts: &Parts) -> Vec<Durable> {
    // Naming every part makes a new one a compile error here.
    let Parts {
        context,
        config,
        market,
        strategies,
        bots,
        orders,
        manual,
        portfolio,
        accounts,
        streams,
        states,
        monitors,
        breakers,
        ids,
        commands,
        timers,
        targets: _,
        counters,
        protection,
        is_recovering: _,
    } = parts;
    let mut records = vec![
        Durable::Head(Box::new(Head {
            seq: context.seq(),
            at: context.at(),
            ids: ids.clone(),
            manual: manual.clone(),
            bots_scheduled: bots.are_scheduled(),
            down_since: bots.down_since(),
            counters: counters.clone(),
        })),
        Durable::Configuration(Box::new(without_lists(config))),
        Durable::Portfolio(portfolio.clone()),
        Durable::Accounts(accounts.without_recent_fills()),
        Durable::Streams(streams.clone()),
        Durable::States(states.clone()),
        Durable::Risk(Box::new(Risk {
            monitors: monitors.clone(),
            breakers: breakers.clone(),
            cancels: orders.cancels().to_vec(),
        })),
        Durable::Timers(timers.clone()),
        Durable::Protection(protection.clone()),
    ];
    if !market.numbers().is_empty() {
        records.push(Durable::Numbers(market.numbers().clone()));
    }
    let instruments = config.instruments.iter().cloned();
    records.extend(chunks(instruments).map(Durable::Instruments));
    let bots = bots.iter().cloned().map(Box::new);
    records.extend(bots.map(Durable::Bot));
    let open = orders
        .open()
        .filter(|_| !is_on(Mutation::SnapshotWithoutOrders));
    records.extend(chunks(open.cloned()).map(Durable::OpenOrders));
    records.extend(chunks(orders.closed()).map(Durable::ClosedOrders));
    records.extend(chunks(commands.answered()).map(Durable::Commands));
    for account in &config.accounts {
        let recent = chunks(accounts.get(account.id).recent_fills());
        records.extend(recent.map(|fills| Durable::RecentFills(account.id, fills)));
    }
    records.extend(chunks(orders.former()).map(Durable::FormerOrders));
    records.extend(strategies.lanes().map(Durable::Lane));
    records
}

fn without_lists(config: &Configuration) -> Configuration {
    Configuration {
        assets: config.assets.clone(),
        venues: config.venues.clone(),
        accounts: config.accounts.clone(),
        instruments: Vec::new(),
        bots: Vec::new(),
        limits: config.limits.clone(),
        references: config.references.clone(),
        build: config.build.clone(),
        series: config.series.clone(),
        bots_text: config.bots_text.clone(),
        ..*config
    }
}

/// Copies the market view into records.
pub(super) fn market_records(parts: &Parts) -> Vec<Derived> {
    let market = parts.market.chunks(CHUNK);
    let targets = Some(parts.targets.clone()).filter(|targets| !targets.is_empty());
    let market = market.map(Derived::Market);
    market.chain(targets.map(Derived::Targets)).collect()
}

/// Cuts a list into chunks.
fn chunks<T>(mut items: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let chunk: Vec<T> = items.by_ref().take(CHUNK).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Rebuilds parts from a saved state.
pub(crate) fn restore(source: StrategySource, state: &EngineState) -> Result<Parts, RestoreError> {
    let mut parts = read_durable(source, state.durable())?;
    for record in read(state.derived().checked()?)? {
        match record {
            Derived::Market(chunk) => parts.market.append(chunk),
            Derived::Targets(targets) => parts.targets = targets,
            Derived::Strategy(bot, saved) => parts
                .strategies
                .restore(bot, saved)
                .map_err(|source| RestoreError::Strategy { bot, source })?,
        }
    }
    parts.index_wakes();
    Ok(parts)
}

/// Rebuilds parts from the durable half of a saved state. The derived half is empty.
pub(crate) fn restore_durable(
    source: StrategySource,
    durable: &Section,
) -> Result<Parts, RestoreError> {
    let mut parts = read_durable(source, durable)?;
    parts.drop_market();
    Ok(parts)
}

fn read_durable(source: StrategySource, durable: &Section) -> Result<Parts, RestoreError> {
    let mut parts = Parts::new(source, 0);
    let mut lanes = Vec::new();
    for record in read(durable.checked()?)? {
        match record {
            Durable::Lane(lane) => lanes.push(lane),
            other => take_durable(&mut parts, other),
        }
    }
    parts.build_strategies();
    lanes
        .iter()
        .for_each(|lane| parts.strategies.keep_lane(lane));
    Ok(parts)
}

pub(super) fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<Vec<T>, RestoreError> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        records.push(rmp_serde::from_read(&mut bytes)?);
    }
    Ok(records)
}

fn take_durable(parts: &mut Parts, record: Durable) {
    match record {
        Durable::Head(head) => {
            parts.context = StepContext::after(head.seq, head.at);
            parts.ids = head.ids;
            parts.manual = head.manual;
            parts.counters = head.counters;
            parts.bots.restore_schedule(head.bots_scheduled);
            parts.bots.set_down_since(head.down_since);
        }
        Durable::Configuration(config) => parts.config = *config,
        Durable::Instruments(instruments) => parts.config.instruments.extend(instruments),
        Durable::Bot(bot) => {
            parts.config.bots.push(bot.config().clone());
            parts.bots.restore(*bot);
        }
        Durable::OpenOrders(orders) => parts.orders.restore_open(orders),
        Durable::ClosedOrders(orders) => parts.orders.restore_closed(orders),
        Durable::Portfolio(portfolio) => parts.portfolio = portfolio,
        Durable::Accounts(accounts) => parts.accounts = accounts,
        Durable::RecentFills(account, fills) => {
            parts.accounts.get_mut(account).restore_recent(fills);
        }
        Durable::FormerOrders(orders) => parts.orders.restore_former(orders),
        Durable::Streams(streams) => parts.streams = streams,
        Durable::States(states) => parts.states = states,
        Durable::Risk(risk) => {
            parts.monitors = risk.monitors;
            parts.breakers = risk.breakers;
            parts.orders.restore_cancels(risk.cancels);
        }
        Durable::Commands(results) => {
            for answered in results {
                let (id, result) = Arc::unwrap_or_clone(answered);
                parts.commands.note(id, result);
            }
        }
        Durable::Timers(timers) => parts.timers = timers,
        Durable::Protection(protection) => parts.protection = protection,
        Durable::Numbers(numbers) => parts.market.set_numbers(numbers),
        // They are kept once the strategies are built.
        Durable::Lane(_) => {}
    }
}
