//! Where two states differ, in words.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{Derived, Durable, read};
use super::{EngineState, Section};

impl EngineState {
    /// The first part that differs from `other`, in words, with what differs in it: this state's, then the other's. `None` if all parts
    /// are the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        first(&self.durable, &other.durable, durable_name)
            .or_else(|| first(&self.derived, &other.derived, derived_name))
    }
}

fn first<T: fmt::Debug + Serialize + DeserializeOwned>(
    one: &Section,
    other: &Section,
    name: impl Fn(&T) -> String,
) -> Option<String> {
    if one == other {
        return None;
    }
    let (Ok(ours), Ok(theirs)) = (one.checked(), other.checked()) else {
        return Some("one of the states is damaged, or another version's".to_owned());
    };
    let (Ok(ours), Ok(theirs)) = (read::<T>(ours), read::<T>(theirs)) else {
        return Some("one of the states cannot be read".to_owned());
    };
    let differ = |(one, other): &(&T, &T)| {
        let bytes = |record: &T| rmp_serde::to_vec_named(record).ok();
        bytes(one) != bytes(other)
    };
    if let Some((one, other)) = ours.iter().zip(&theirs).find(differ) {
        return Some(format!("{}{}", name(one), detail(one, other)));
    }
    let extra = ours.get(theirs.len()).or_else(|| theirs.get(ours.len()));
    Some(extra.map_or_else(|| "its encoding".to_owned(), name))
}

/// The first lines of two records that differ.
fn detail<T: fmt::Debug>(one: &T, other: &T) -> String {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let mut lines = one.lines().zip(other.lines());
    match lines.find(|(one, other)| one != other) {
        Some((one, other)) => format!(": {} is {}", one.trim(), other.trim()),
        None => String::new(),
    }
}

fn durable_name(record: &Durable) -> String {
    match record {
        Durable::Head(_) => "numbers, ids and counters",
        Durable::Configuration(_) => "the configuration",
        Durable::Instruments(_) => "instruments",
        Durable::Bot(bot) => return format!("bot {}", bot.config().name),
        Durable::OpenOrders(_) => "open orders",
        Durable::ClosedOrders(_) => "closed orders",
        Durable::Portfolio(_) => "ledger and positions",
        Durable::Accounts(_) => "accounts",
        Durable::RecentFills(..) => "recent fills",
        Durable::FormerOrders(_) => "former orders",
        Durable::Streams(_) => "account streams",
        Durable::States(_) => "trading states and causes",
        Durable::Risk(_) => "monitors and breakers",
        Durable::Commands(_) => "commands",
        Durable::Timers(_) => "timers",
        Durable::Protection(_) => "stops at the venue",
        Durable::Numbers(_) => "numbers of series",
        Durable::Lane(lane) => return format!("the state of the strategy of bot {}", lane.bot.0),
    }
    .to_owned()
}

fn derived_name(record: &Derived) -> String {
    match record {
        Derived::Market(_) => "the market view".to_owned(),
        Derived::Targets(_) => "sources of targets".to_owned(),
        Derived::Strategy(bot, _) => format!("the strategy of bot {}", bot.0),
    }
}
