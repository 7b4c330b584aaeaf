//! The built-in strategies, one file each, and what they share.
//!
//! A strategy's file reads from the top: its entry in the catalogue, its settings, what it keeps per instrument, its
//! rule. Shared are the filter for candles ([`candle_feed`]), the phase of a position ([`position_phase`]), the
//! notion of a crossing ([`crossing`]), the body of strategies that fail on purpose ([`fault`]) and the envelope of saved
//! state ([`saved`]). Start at [`rsi_reversion`].

mod candle_feed;
mod crossing;
mod fault;
mod position_phase;
mod prices;
mod saved;

pub(crate) mod bollinger_reversion;
pub(crate) mod cross_venue_spread;
pub(crate) mod donchian_breakout;
pub(crate) mod external;
pub(crate) mod fault_divide;
pub(crate) mod fault_panic;
pub(crate) mod fault_slow;
pub(crate) mod ma_cross;
pub(crate) mod macd;
pub(crate) mod momentum_timer;
pub(crate) mod rsi_reversion;
pub(crate) mod rsi_trend;

use tradewind_model::{Decision, Ppm, Reason, Target};

/// Leaves things as they are.
const fn hold(reason: Reason) -> Decision {
    Decision::Hold { reason }
}

/// Asks for a share of the budget, by the bot's own order policy and exit plan.
const fn target(exposure: Ppm, reason: Reason) -> Decision {
    Decision::Target(Target {
        adds: false,
        exposure,
        limit: None,
        exit: None,
        reason,
    })
}
