//! The configuration as it is in force. Secrets are no part of the desk's configuration, so none can come out here.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountMode, ExitPlan, Instrument, LimitPolicy, OnTimeout, OrderPolicy, Sizer, Stop,
    TakeProfitBy,
};
use utoipa::ToSchema;

use super::names::Names;
use super::number::Decimal;
use super::risk::{Limit, limits};

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigAnswer {
    /// The unit of equity and limits.
    pub report_asset: String,
    /// Venues.
    pub venues: Vec<String>,
    /// Accounts.
    pub accounts: Vec<AccountSettings>,
    /// Instruments and the venue's rules for them.
    pub instruments: Vec<InstrumentSettings>,
    /// Names of the bots; `bots/{id}` has the settings of each.
    pub bots: Vec<String>,
    /// Limits; `null` where one is missing.
    pub limits: Vec<Limit>,
    /// Worst fee the venues take, as a share of an order's value.
    pub fee: Decimal,
    /// How long between two bots' starts, in milliseconds.
    pub stagger_ms: u64,
    /// Silence after which a feed counts as stale, in milliseconds.
    pub stale_after_ms: u64,
    /// How often an equity snapshot is taken, in milliseconds.
    pub equity_every_ms: u64,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountSettings {
    /// Its name.
    pub name: String,
    /// Its venue.
    pub venue: String,
    /// `paper` or `live`.
    pub mode: String,
}

/// An instrument and the venue's rules for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstrumentSettings {
    /// Its name.
    pub name: String,
    /// What is bought and sold.
    pub base: String,
    /// The unit of prices.
    pub quote: String,
    /// Prices are multiples of this.
    pub tick: Decimal,
    /// Quantities are multiples of this.
    pub step: Decimal,
    /// Smallest order.
    pub quantity_min: Decimal,
    /// Least value of an order, in the quote asset.
    pub notional_min: Decimal,
    /// Digits after the point in prices.
    pub price_decimals: u8,
    /// Digits after the point in quantities.
    pub quantity_decimals: u8,
    /// Increases with each change of the rules.
    pub revision: u32,
}

impl ConfigAnswer {
    /// The configuration behind `names`.
    #[must_use]
    pub fn new(names: &Names) -> Self {
        let desk = names.configuration();
        let accounts = desk.accounts.iter().map(|account| AccountSettings {
            name: account.name.clone(),
            venue: desk
                .venues
                .get(account.venue.index())
                .cloned()
                .unwrap_or_default(),
            mode: match account.mode {
                AccountMode::Paper => "paper".into(),
                AccountMode::Live => "live".into(),
            },
        });
        let instruments = desk.instruments.iter();
        Self {
            report_asset: names.asset(desk.report_asset),
            venues: desk.venues.clone(),
            accounts: accounts.collect(),
            instruments: instruments
                .map(|instrument| InstrumentSettings::new(instrument, names))
                .collect(),
            bots: desk.bots.iter().map(|bot| bot.name.clone()).collect(),
            limits: limits(&desk.limits),
            fee: desk.fee.into(),
            stagger_ms: super::number::millis(desk.stagger),
            stale_after_ms: super::number::millis(desk.stale_after),
            equity_every_ms: super::number::millis(desk.equity_every),
        }
    }
}

impl InstrumentSettings {
    fn new(instrument: &Instrument, names: &Names) -> Self {
        let quantity = |quantity| Decimal(instrument.quantity_text(quantity));
        Self {
            name: instrument.name.clone(),
            base: names.asset(instrument.base),
            quote: names.asset(instrument.quote),
            tick: Decimal(instrument.price_text(instrument.tick)),
            step: quantity(instrument.step),
            quantity_min: quantity(instrument.quantity_min),
            notional_min: instrument.notional_min.into(),
            price_decimals: instrument.price_decimals,
            quantity_decimals: instrument.quantity_decimals,
            revision: instrument.revision,
        }
    }
}

/// A sizer as text.
pub(super) fn sizer_text(sizer: Sizer) -> String {
    match sizer {
        Sizer::Fixed(quantity) => format!("fixed {quantity}"),
        Sizer::Value(value) => format!("worth {value}"),
        Sizer::Share(share) => format!("{share} of budget"),
        Sizer::RiskToStop(share) => format!("{share} of budget at risk to the stop"),
        Sizer::VolatilityTarget(share) => format!("{share} of budget per candle's true range"),
    }
}

/// An exit plan as text.
pub(super) fn exit_text(exit: &ExitPlan) -> String {
    let mut parts = vec![match exit.stop {
        Stop::None => "no stop".to_owned(),
        Stop::Distance(distance) => format!("stop at {distance} below entry"),
        // A price needs its instrument; the position has the level.
        Stop::At(_) => "stop at a price".to_owned(),
    }];
    parts.extend(exit.take_profit.map(|gain| match exit.take_profit_by {
        TakeProfitBy::Market => format!("take profit at {gain}"),
        TakeProfitBy::Limit => format!("take profit at {gain} by a limit order"),
    }));
    parts.extend(exit.trailing.map(|fall| format!("trailing {fall}")));
    parts.extend(
        exit.time
            .map(|age| format!("closed after {}s", age.as_secs())),
    );
    let by_age = exit.profit_by_age.iter();
    parts.extend(by_age.map(|(age, gain)| format!("{gain} from {}s on", age.as_secs())));
    parts.join(", ")
}

/// An order policy as text.
pub(super) fn policy_text(policy: OrderPolicy) -> String {
    match policy {
        OrderPolicy::Market => "market".into(),
        OrderPolicy::Limit(limit) => limit_text(limit),
    }
}

fn limit_text(limit: LimitPolicy) -> String {
    let kind = if limit.post_only {
        "post-only"
    } else {
        "limit"
    };
    let then = match limit.then {
        OnTimeout::Cancel => "cancel",
        OnTimeout::Cross => "cross",
    };
    let patience = limit.timeout.map_or_else(String::new, |timeout| {
        format!(", after {}s {then}", timeout.as_secs())
    });
    let chases = match limit.chases {
        0 => String::new(),
        count => format!(", chased {count} times"),
    };
    format!(
        "{kind} at {} from the touch{chases}{patience}",
        limit.offset
    )
}
