//! Risk: limits, trading states and their causes, and what risk did.

use serde::{Deserialize, Serialize};
use tradewind_events::{BlockedExitView, CauseView, DeskView, UnprotectedView};
use tradewind_risk::{LimitValue, Limits, LossAction, Scope as InnerScope};
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};
use super::words::{Clearing, ScopeKind, TradingState};

/// What a state or a cause covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// Desk, venue, account, instrument or bot.
    pub kind: ScopeKind,
    /// Which; `null` for the desk.
    pub name: Option<String>,
}

/// Why a scope is not active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cause {
    /// What it covers.
    pub scope: Scope,
    /// What it allows.
    pub state: TradingState,
    /// The reason.
    pub reason: String,
    /// Since when.
    pub since: Instant,
    /// Who may end it.
    pub clearing: Clearing,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limit {
    /// Its key in `[limits]`.
    #[schema(examples("order_value_max"))]
    pub key: String,
    /// Its value as text, with a unit where it has one; `null` is missing, which refuses every entry.
    pub value: Option<String>,
}

/// Limits, states and causes as of one view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskAnswer {
    /// The last input the view contains.
    pub seq: u64,
    /// Time of that input.
    pub at: Instant,
    /// State of the desk as a whole.
    pub state: TradingState,
    /// Open causes; the strictest one that covers an order applies.
    pub causes: Vec<Cause>,
    /// Limits.
    pub limits: Vec<Limit>,
    /// The unit of amounts among the limits.
    pub asset: String,
    /// Positions with a stop that no stop at the venue has covered for two seconds.
    pub unprotected: Vec<Unprotected>,
    /// Exits that are refused again and again.
    pub blocked_exits: Vec<BlockedExit>,
}

/// A position that no stop at the venue covers: while the desk is down nothing limits its loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unprotected {
    /// Account.
    pub account: String,
    /// The bot that holds it.
    pub bot: String,
    /// In what.
    pub instrument: String,
    /// How much of it no stop covers.
    pub quantity: Decimal,
    /// Since when.
    pub since: Instant,
    /// Why.
    pub reason: String,
}

/// A position that cannot be closed at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockedExit {
    /// Account.
    pub account: String,
    /// The bot that holds it.
    pub bot: String,
    /// In what.
    pub instrument: String,
    /// How often its exit was refused in a row.
    pub refusals: u32,
    /// When it is tried again; `null` if it is not tried.
    pub next_try: Option<Instant>,
    /// The last refusal.
    pub reason: String,
}

/// Something risk did: a denial, a breaker, a change of state, a kill or its reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskEvent {
    /// The event: `why?event=` returns the chain of causes.
    pub id: String,
    /// When.
    pub at: Instant,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The bot it concerns.
    pub bot: Option<String>,
    /// The instrument it concerns.
    pub instrument: Option<String>,
    /// The code of the risk check that denied.
    #[schema(examples("R13"))]
    pub rule: Option<String>,
    /// What happened, as text.
    pub message: String,
}

impl RiskAnswer {
    /// Limits, states and causes of a view.
    #[must_use]
    pub fn new(view: &DeskView, names: &Names) -> Self {
        let causes = view.causes.iter();
        let desk = names.configuration();
        Self {
            seq: view.seq,
            at: view.at.into(),
            state: view.state.into(),
            causes: causes.map(|cause| Cause::new(cause, names)).collect(),
            limits: limits(&desk.limits),
            asset: names.asset(desk.report_asset),
            unprotected: view
                .unprotected
                .iter()
                .map(|of| Unprotected::new(of, names))
                .collect(),
            blocked_exits: view
                .blocked_exits
                .iter()
                .map(|of| BlockedExit::new(of, names))
                .collect(),
        }
    }
}

impl Unprotected {
    fn new(view: &UnprotectedView, names: &Names) -> Self {
        Self {
            account: names.account(view.account),
            bot: names.bot(view.bot),
            instrument: names.instrument(view.instrument),
            quantity: names.quantity(view.instrument, view.quantity),
            since: view.since.into(),
            reason: view.reason.clone(),
        }
    }
}

impl BlockedExit {
    fn new(view: &BlockedExitView, names: &Names) -> Self {
        Self {
            account: names.account(view.account),
            bot: names.bot(view.bot),
            instrument: names.instrument(view.instrument),
            refusals: view.refusals,
            next_try: view.next_try.map(Instant::from),
            reason: view.reason.clone(),
        }
    }
}

impl Scope {
    /// A scope with its name.
    #[must_use]
    pub fn new(scope: InnerScope, names: &Names) -> Self {
        let (kind, name) = match scope {
            InnerScope::Desk => (ScopeKind::Desk, None),
            InnerScope::Account(id) => (ScopeKind::Account, Some(names.account(id))),
            InnerScope::Instrument(id) => (ScopeKind::Instrument, Some(names.instrument(id))),
            InnerScope::Bot(id) => (ScopeKind::Bot, Some(names.bot(id))),
            InnerScope::Venue(id) => (ScopeKind::Venue, Some(names.venue(id))),
        };
        Self { kind, name }
    }
}

impl Cause {
    /// A cause of a view.
    #[must_use]
    pub fn new(cause: &CauseView, names: &Names) -> Self {
        Self {
            scope: Scope::new(cause.scope, names),
            state: cause.state.into(),
            reason: cause.reason.to_string(),
            since: cause.since.into(),
            clearing: cause.clearing.into(),
        }
    }
}

/// All limits, those that are missing too.
pub(super) fn limits(limits: &Limits) -> Vec<Limit> {
    let rows = limits.values().map(|(key, value)| Limit {
        key: key.name().to_owned(),
        value: value.map(text),
    });
    rows.collect()
}

fn text(value: LimitValue) -> String {
    match value {
        LimitValue::Duration(span) => format!("{}ms", span.as_millis()),
        LimitValue::Amount(amount) => amount.to_string(),
        LimitValue::Ppm(share) => share.to_string(),
        LimitValue::Count(count) => count.to_string(),
        LimitValue::Rate(rate) => format!(
            "{} per {}ms, burst {}",
            rate.count,
            rate.per.as_millis(),
            rate.burst
        ),
        LimitValue::LossAction(LossAction::Keep) => "keep".to_owned(),
        LimitValue::LossAction(LossAction::Flatten) => "flatten".to_owned(),
    }
}
