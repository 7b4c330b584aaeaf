//! What is counted while a backtest runs.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{Event, EventKind, SignalSource};
use tradewind_model::{
    AccountId, Amount, AssetId, Fill, InstrumentId, OrderStatus, Reason, Timestamp,
};
use tradewind_risk::{Cause, CauseKind, Rule};

use crate::equity::EquityCurve;

/// How many changes of trading states are kept.
const CHANGES_KEPT: usize = 100;

/// A fill with the reason of the signal behind it, and the reason that the strategy gave last.
#[derive(Clone, Debug)]
pub(crate) struct NotedFill {
    pub(crate) fill: Fill,
    pub(crate) reason: Reason,
    pub(crate) by_strategy: Reason,
}

/// A universe of which members joined or left.
#[derive(Clone, Debug)]
pub(crate) struct UniverseChange {
    pub(crate) at: Timestamp,
    pub(crate) members: usize,
    pub(crate) joined: Vec<InstrumentId>,
    pub(crate) left: Vec<InstrumentId>,
}

/// Counts, fees, the newest fills and the equity curve.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) quotes: u64,
    pub(crate) trades: u64,
    pub(crate) candles: u64,
    pub(crate) signals: u64,
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    pub(crate) partial_fills: u64,
    pub(crate) cancelled: u64,
    pub(crate) rejected: u64,
    pub(crate) expired: u64,
    pub(crate) positions: u64,
    pub(crate) won: u64,
    pub(crate) bot_errors: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) denials: BTreeMap<Rule, u64>,
    pub(crate) last_denial: Option<String>,
    pub(crate) state_changes: Vec<String>,
    pub(crate) fees: BTreeMap<AssetId, Amount>,
    pub(crate) newest_fills: VecDeque<NotedFill>,
    pub(crate) curve: EquityCurve,
    /// Who joined and who left a universe, and how many members it had then.
    pub(crate) universe: Vec<UniverseChange>,
    fills_kept: usize,
    /// By instrument, why the last signal was made, and why the strategy made its last one.
    reasons: BTreeMap<InstrumentId, (Reason, Reason)>,
    equities: BTreeMap<AccountId, Amount>,
}

impl Counters {
    /// Nothing counted; `fills_kept` of the newest fills will be kept.
    pub(crate) fn new(fills_kept: usize) -> Self {
        Self {
            fills_kept,
            ..Self::default()
        }
    }

    /// Takes note of an announcement.
    pub(crate) fn note(&mut self, event: &Event, accounts: usize) {
        match &event.kind {
            EventKind::SignalGenerated {
                instrument,
                reason,
                details,
                ..
            } => {
                self.signals += 1;
                let source = details.as_ref().map(|details| details.source);
                self.note_reason(*instrument, reason, source == Some(SignalSource::ExitPlan));
            }
            EventKind::OrderPlaced { .. } => self.orders += 1,
            EventKind::OrderFilled { fill, status, .. } => {
                self.fills += 1;
                if self.newest_fills.len() == self.fills_kept {
                    self.newest_fills.pop_front();
                }
                if self.fills_kept > 0 {
                    self.note_fill(fill);
                }
                self.partial_fills += u64::from(*status == OrderStatus::PartiallyFilled);
                if !fill.fee.amount.is_zero() {
                    *self.fees.entry(fill.fee.asset).or_default() += fill.fee.amount;
                }
            }
            EventKind::OrderCancelled { .. } => self.cancelled += 1,
            EventKind::OrderRejected { .. } => self.rejected += 1,
            EventKind::OrderExpired { .. } => self.expired += 1,
            EventKind::PositionClosed { realized, .. } => {
                self.positions += 1;
                self.won += u64::from(realized.0 > 0);
            }
            EventKind::RiskDecisionRejected { reason, .. } => {
                *self.denials.entry(reason.rule()).or_default() += 1;
                self.last_denial = Some(format!("{}: {reason}", reason.rule()));
            }
            EventKind::TradingStateChanged {
                cause: Some(cause), ..
            } if cause.reason != CauseKind::NotReconciled
                && self.state_changes.len() < CHANGES_KEPT =>
            {
                let Cause {
                    scope,
                    state,
                    reason,
                    ..
                } = cause;
                let change = format!("{}: {scope:?} {state}: {reason}", event.at);
                self.state_changes.push(change);
            }
            EventKind::BotError { error, .. } => {
                self.bot_errors += 1;
                self.last_error = Some(error.clone());
            }
            EventKind::UniverseChanged {
                members,
                joined,
                left,
                ..
            } if !(joined.is_empty() && left.is_empty()) => self.universe.push(UniverseChange {
                at: event.at,
                members: members.len(),
                joined: joined.clone(),
                left: left.clone(),
            }),
            EventKind::EquitySnapshot {
                account, equity, ..
            } => {
                self.equities.insert(*account, *equity);
                // One point for each round of snapshots: with the account that comes last.
                if account.index() + 1 == accounts {
                    self.curve
                        .add(event.at, self.equities.values().copied().sum());
                }
            }
            _ => {}
        }
    }
    fn note_reason(&mut self, instrument: InstrumentId, reason: &Reason, is_exit_plan: bool) {
        let (last, by_strategy) = self.reasons.entry(instrument).or_insert_with(|| {
            let none = Reason::plain("");
            (none.clone(), none)
        });
        last.clone_from(reason);
        if !is_exit_plan {
            by_strategy.clone_from(reason);
        }
    }

    fn note_fill(&mut self, fill: &Fill) {
        let reasons = self.reasons.get(&fill.instrument).cloned();
        let (reason, by_strategy) =
            reasons.unwrap_or_else(|| (Reason::plain(""), Reason::plain("")));
        self.newest_fills.push_back(NotedFill {
            fill: *fill,
            reason,
            by_strategy,
        });
    }
}
