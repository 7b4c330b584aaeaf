//! What is not per order: losses, drawdown, turnover, exposure moved by prices, messages per fill, unknown orders.
//!
//! A monitor is fed with observations and answers with verdicts: causes to be opened or closed. [`Monitors`] is their
//! list, as `gate.rs` has the list of checks. What they count is durable. Start with [`Monitors::observe`].

mod drawdown;
mod exposure;
mod hold;
mod losses;
mod messages;
mod start_gate;
mod turnover;
mod unknown_orders;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, BotId, Timestamp};

use crate::limits::Limits;
use crate::state::{CauseKind, Clearing, Scope, TradingState};

/// One thing that monitors are fed with.
#[derive(Clone, Copy, Debug)]
pub enum Observation {
    /// An order or a cancel was sent for a bot.
    Message(BotId),
    /// An execution, with its value in the report currency.
    Fill {
        /// On which account.
        account: AccountId,
        /// For whom; `None` for a person.
        bot: Option<BotId>,
        /// Its value.
        value: Amount,
    },
    /// An account was valued.
    Account(AccountValue),
    /// A bot was valued.
    Bot(BotValue),
    /// An account is not reconciled since a time.
    NotReconciled(AccountId, Timestamp),
}

/// An account as of now, in the report currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountValue {
    /// Which.
    pub account: AccountId,
    /// What the desk owns there.
    pub equity: Amount,
    /// Realised and unrealised profit of the desk since it began; deposits and withdrawals are none.
    pub profit: Amount,
    /// Gross value of its positions.
    pub exposure: Amount,
    /// UNKNOWN orders.
    pub unknown: u32,
}

/// A bot as of now, in the report currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BotValue {
    /// Which.
    pub bot: BotId,
    /// Equity of its account.
    pub equity: Amount,
    /// Its realised and unrealised profit since it began.
    pub profit: Amount,
    /// What a trade loses that goes to its stop; `None` for a bot without a stop.
    pub planned_loss: Option<Amount>,
    /// Gross value of its positions.
    pub exposure: Amount,
}

/// A cause to be opened or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it covers.
    pub scope: Scope,
    /// Why.
    pub reason: CauseKind,
    /// What it allows. ACTIVE is an alarm: everything passes, and somebody should look.
    pub state: TradingState,
    /// Who ends it.
    pub clearing: Clearing,
    /// Whether it is opened; else it is closed.
    pub is_open: bool,
}

impl Verdict {
    /// A cause that its monitor ends by itself.
    const fn passing(scope: Scope, reason: CauseKind, state: TradingState, is_open: bool) -> Self {
        Self {
            scope,
            reason,
            state,
            clearing: Clearing::Itself,
            is_open,
        }
    }

    /// A cause that is opened until a person ends it.
    const fn until_cleared(scope: Scope, reason: CauseKind) -> Self {
        Self {
            scope,
            reason,
            state: TradingState::Reducing,
            clearing: Clearing::Person,
            is_open: true,
        }
    }
}

/// A rule about more than one order.
trait Monitor {
    /// Takes an observation and adds what follows from it.
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    );

    /// A person cleared what was open over a scope: the rule starts from zero there.
    fn clear(&mut self, scope: Scope);

    /// The profit of a scope changed by `jump` without anything having been won or lost; `None` if it is not known by how
    /// much, so that the next valuation is what the profit is measured from.
    fn move_base(&mut self, scope: Scope, jump: Option<Amount>) {
        let (_, _) = (scope, jump);
    }
}

/// All monitors, with what they count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitors {
    start_gate: start_gate::StartGate,
    unknown_orders: unknown_orders::UnknownOrders,
    exposure: exposure::ExposureMonitor,
    messages: messages::MessageRates,
    losses: losses::DailyLosses,
    drawdown: drawdown::Drawdown,
    turnover: turnover::Turnover,
}

impl Monitors {
    /// Feeds every monitor and adds what follows to `verdicts`.
    pub fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        for monitor in self.list() {
            monitor.observe(now, observed, limits, verdicts);
        }
    }

    /// A person cleared a scope: every monitor starts from zero there.
    pub fn clear(&mut self, scope: Scope) {
        for monitor in self.list() {
            monitor.clear(scope);
        }
    }

    /// The profit of an account or a bot changed by `jump` without anything having been won or lost: it got a position at a
    /// cost that a person named. Without a known jump the next valuation is what its profit is measured from.
    pub fn move_base(&mut self, scope: Scope, jump: Option<Amount>) {
        for monitor in self.list() {
            monitor.move_base(scope, jump);
        }
    }

    fn list(&mut self) -> [&mut dyn Monitor; 7] {
        [
            &mut self.start_gate,
            &mut self.unknown_orders,
            &mut self.exposure,
            &mut self.messages,
            &mut self.losses,
            &mut self.drawdown,
            &mut self.turnover,
        ]
    }
}

/// What the tests of monitors share.
#[cfg(test)]
mod world {
    use super::*;
    use std::time::Duration;
    use tradewind_model::Ppm;

    pub(super) const ACCOUNT: AccountId = AccountId(0);
    pub(super) const BOT: BotId = BotId(3);
    /// Midnight, UTC.
    pub(super) const MIDNIGHT: Timestamp = Timestamp::from_secs(1_704_067_200);

    pub(super) fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_704_067_200 + second)
    }

    /// The limits as the default configuration has them.
    pub(super) fn limits() -> Limits {
        Limits {
            reconcile_within: Some(Duration::from_secs(60)),
            unknown_account_max: Some(3),
            account_exposure_max: Some(Ppm::ONE),
            bot_exposure_max: Some(Ppm(250_000)),
            messages_per_fill_alarm: Some(20),
            messages_per_fill_max: Some(50),
            messages_window: Some(Duration::from_secs(600)),
            messages_min: Some(200),
            daily_loss_reduce: Some(Ppm(30_000)),
            daily_loss_alarm: Some(Ppm(50_000)),
            bot_daily_loss: Some(Ppm(2_000_000)),
            drawdown_max: Some(Ppm(100_000)),
            turnover_max: Some(Ppm(10_000_000)),
            ..Limits::wide()
        }
    }

    /// An account of 10,000 with this profit.
    pub(super) fn account(profit: i64) -> Observation {
        Observation::Account(AccountValue {
            account: ACCOUNT,
            equity: Amount::whole(10_000 + profit),
            profit: Amount::whole(profit),
            exposure: Amount::ZERO,
            unknown: 0,
        })
    }

    /// A bot on it that plans to lose 6 a trade, with this profit.
    pub(super) fn bot(profit: i64) -> Observation {
        Observation::Bot(BotValue {
            bot: BOT,
            equity: Amount::whole(10_000),
            profit: Amount::whole(profit),
            planned_loss: Some(Amount::whole(6)),
            exposure: Amount::ZERO,
        })
    }

    /// Monitors with the verdicts that were given and not looked at.
    #[derive(Default)]
    pub(super) struct Watch {
        pub(super) monitors: Monitors,
        verdicts: Vec<Verdict>,
    }

    impl Watch {
        pub(super) fn see(&mut self, now: Timestamp, observed: Observation) {
            let verdicts = &mut self.verdicts;
            self.monitors.observe(now, &observed, &limits(), verdicts);
        }

        /// The verdicts since the last call: reason, state, and whether it was opened.
        pub(super) fn verdicts(&mut self) -> Vec<(CauseKind, TradingState, bool)> {
            let verdicts = std::mem::take(&mut self.verdicts);
            verdicts
                .into_iter()
                .map(|verdict| (verdict.reason, verdict.state, verdict.is_open))
                .collect()
        }
    }
}
