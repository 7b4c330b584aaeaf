//! The limits of the desk. None has a default in code: an absent one refuses every entry and names its key.
//!
//! One table makes the struct, the keys and the list of missing ones. Shares are fractions in (0, 1]; multiples are
//! plain numbers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Ppm};

use crate::deny::Rule;

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many in one period.
    pub count: u32,
    /// The period.
    pub per: Duration,
    /// How many at once.
    pub burst: u32,
}

/// What the desk does once an account lost more of a day than it may (R22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossAction {
    /// The operator is alarmed, positions stay with their exit plans.
    Keep,
    /// The operator is alarmed, and every position of a bot is closed by an ordinary exit.
    Flatten,
}

/// A limit's value, for screens and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitValue {
    /// A duration.
    Duration(Duration),
    /// Money in the report currency.
    Amount(Amount),
    /// A share, or a multiple.
    Ppm(Ppm),
    /// A count.
    Count(u32),
    /// A rate.
    Rate(Rate),
    /// What is done on a loss.
    LossAction(LossAction),
}

impl From<Duration> for LimitValue {
    fn from(value: Duration) -> Self {
        Self::Duration(value)
    }
}

impl From<Amount> for LimitValue {
    fn from(value: Amount) -> Self {
        Self::Amount(value)
    }
}

impl From<Ppm> for LimitValue {
    fn from(value: Ppm) -> Self {
        Self::Ppm(value)
    }
}

impl From<u32> for LimitValue {
    fn from(value: u32) -> Self {
        Self::Count(value)
    }
}

impl From<Rate> for LimitValue {
    fn from(value: Rate) -> Self {
        Self::Rate(value)
    }
}

impl From<LossAction> for LimitValue {
    fn from(value: LossAction) -> Self {
        Self::LossAction(value)
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])* $key:ident $field:ident: $kind:ty, $rule:ident, wide $wide:expr;)*) => {
        /// The limits. `Option` means "as configured, or missing".
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Limits {
            $($(#[$doc])* pub $field: Option<$kind>,)*
        }

        /// The name of a limit, as in `[limits]` of the configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum LimitKey {
            $($(#[$doc])* $key,)*
        }

        impl LimitKey {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$key,)*];

            /// The key as it is written in the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$key => stringify!($field),)* }
            }

            /// The check that needs it.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self { $(Self::$key => Rule::$rule,)* }
            }
        }

        impl Limits {
            /// Every limit set, and so wide that none binds. Backtests and tests begin with it and narrow what they are
            /// about; the limits of a desk come from its configuration alone.
            #[must_use]
            pub const fn wide() -> Self {
                Self { $($field: Some($wide),)* }
            }

            /// Every key with its value, `None` where it is missing.
            pub fn values(&self) -> impl Iterator<Item = (LimitKey, Option<LimitValue>)> + '_ {
                [$((LimitKey::$key, self.$field.map(LimitValue::from)),)*].into_iter()
            }

            /// The first limit that is missing, if one is.
            #[must_use]
            pub const fn missing(&self) -> Option<LimitKey> {
                $(if self.$field.is_none() {
                    return Some(LimitKey::$key);
                })*
                None
            }
        }
    };
}

/// Longer than any run.
const EVER: Duration = Duration::from_secs(1_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const MANY: u32 = 1_000_000_000;
const MUCH: Ppm = Ppm(1_000_000_000_000);
const RICH: Amount = Amount::whole(1_000_000_000_000);
const FAST: Rate = Rate {
    count: 1_000_000,
    per: Duration::from_secs(1),
    burst: 1_000_000,
};

limits! {
    /// R02: how long the first clean reading of an account may take before the operator is alarmed.
    ReconcileWithin reconcile_within: Duration, R02, wide EVER;
    /// R03: UNKNOWN orders of one bot in one instrument with which it may still enter there.
    UnknownBotMax unknown_bot_max: u32, R03, wide MANY;
    /// R03: UNKNOWN orders of one account; with more the account is REDUCING.
    UnknownAccountMax unknown_account_max: u32, R03, wide MANY;
    /// R04: from decision to wire for an entry decided on a quote.
    IntentTtlQuote intent_ttl_quote: Duration, R04, wide HOUR;
    /// R04: the same, decided on a candle or by a timer.
    IntentTtlCandle intent_ttl_candle: Duration, R04, wide HOUR;
    /// R08: largest value of an order, in the report currency.
    OrderValueMax order_value_max: Amount, R08, wide RICH;
    /// R08: the same as a share of equity.
    OrderEquityMax order_equity_max: Ppm, R08, wide Ppm::ONE;
    /// R09: largest entry, as a share of the quantity that is visible within the collar.
    DepthShareMax depth_share_max: Ppm, R09, wide Ppm(i64::MAX);
    /// R10: how far past the mid an aggressive limit may reach.
    Collar collar: Ppm, R10, wide Ppm::ONE;
    /// R10: expected slippage of a market order, from the mid to the price it would take.
    MarketSlippageMax market_slippage_max: Ppm, R10, wide Ppm::ONE;
    /// R11: widest spread of a quote that entries are measured by, as a share of the mid.
    SpreadMax spread_max: Ppm, R11, wide MUCH;
    /// R11: jump from one quote to the next, as a share of the mid, that a second quote must confirm before it counts.
    QuoteJumpMax quote_jump_max: Ppm, R11, wide MUCH;
    /// R12: share of the free balance that may be used.
    BalanceUseMax balance_use_max: Ppm, R12, wide Ppm::ONE;
    /// R13: largest position in one instrument, working orders of its side included, as a share of equity.
    PositionEquityMax position_equity_max: Ppm, R13, wide Ppm::ONE;
    /// R14: gross exposure of an account, as a share of its equity.
    AccountExposureMax account_exposure_max: Ppm, R14, wide MUCH;
    /// R14: gross exposure of a bot, as a share of the equity of its account.
    BotExposureMax bot_exposure_max: Ppm, R14, wide MUCH;
    /// R15: open entries in one instrument, as a share of the venue's cap.
    OpenEntriesInstrument open_entries_instrument: Ppm, R15, wide Ppm::ONE;
    /// R15: open entries on one account, as a share of the venue's cap times its instruments in use.
    OpenEntriesAccount open_entries_account: Ppm, R15, wide Ppm::ONE;
    /// R16: orders of one bot.
    BotOrderRate bot_order_rate: Rate, R16, wide FAST;
    /// R16: orders of one account.
    AccountOrderRate account_order_rate: Rate, R16, wide FAST;
    /// R17: orders and cancels of a bot per fill at which the operator is alarmed.
    MessagesPerFillAlarm messages_per_fill_alarm: u32, R17, wide MANY;
    /// R17: orders and cancels of a bot per fill above which its entries are off.
    MessagesPerFillMax messages_per_fill_max: u32, R17, wide MANY;
    /// R17: over which time messages and fills are counted.
    MessagesWindow messages_window: Duration, R17, wide HOUR;
    /// R17: messages within the window from which on they are compared with fills.
    MessagesMin messages_min: u32, R17, wide MANY;
    /// R18: within which an equal order counts as a duplicate.
    DuplicateWindow duplicate_window: Duration, R18, wide Duration::ZERO;
    /// R19: entries of one bot on one side within the window.
    SameSideEntriesMax same_side_entries_max: u32, R19, wide MANY;
    /// R19: the window.
    SameSideEntriesWindow same_side_entries_window: Duration, R19, wide Duration::ZERO;
    /// R22: loss of an account in a UTC day, as a share of its equity, from which on it only reduces.
    DailyLossReduce daily_loss_reduce: Ppm, R22, wide MUCH;
    /// R22: the same, from which on the operator is alarmed and `on_loss` is done.
    DailyLossAlarm daily_loss_alarm: Ppm, R22, wide MUCH;
    /// R22: what is done then.
    OnLoss on_loss: LossAction, R22, wide LossAction::Keep;
    /// R22: loss of a bot in a UTC day, as a multiple of its planned loss per trade, from which on its entries are off.
    BotDailyLoss bot_daily_loss: Ppm, R22, wide MUCH;
    /// R22, R23: time between two valuations for the limits of losses; each fill that reduces a position is one too.
    LossCheckEvery loss_check_every: Duration, R22, wide HOUR;
    /// R23: fall of an account from its peak, as a share of the peak, from which on it only reduces.
    DrawdownMax drawdown_max: Ppm, R23, wide MUCH;
    /// R24: uncertainty of the offset between the venue's clock and the desk's.
    ClockUncertaintyMax clock_uncertainty_max: Duration, R24, wide EVER;
    /// R25: turnover of an account in a UTC day, as a multiple of its equity, at which the operator is alarmed.
    TurnoverMax turnover_max: Ppm, R25, wide MUCH;
    /// Circuit breakers: failures within the window that open one.
    BreakerFailures breaker_failures: u32, R01, wide MANY;
    /// Circuit breakers: the window.
    BreakerWindow breaker_window: Duration, R01, wide Duration::ZERO;
    /// Circuit breakers: how long one stays open before a single entry probes.
    BreakerOpen breaker_open: Duration, R01, wide Duration::ZERO;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_limits_miss_none_and_empty_ones_name_the_first() {
        assert_eq!(Limits::wide().missing(), None);
        assert_eq!(Limits::default().missing(), Some(LimitKey::ReconcileWithin));
        assert_eq!(Limits::default().values().count(), LimitKey::ALL.len());
        assert_eq!(LimitKey::OnLoss.name(), "on_loss");
    }

    #[test]
    fn every_limit_is_required_by_name() {
        for (index, key) in LimitKey::ALL.iter().enumerate() {
            let values: Vec<_> = Limits::wide().values().collect();
            assert_eq!(values[index].0, *key);
            assert!(values[index].1.is_some(), "{}", key.name());
        }
    }
}
