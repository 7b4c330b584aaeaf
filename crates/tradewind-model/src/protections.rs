//! Pauses of a bot after what its closed trades show: configured per bot, kept by the risk gate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::number::Ppm;

/// When a bot opens no new position for a while. Exits and additions to what it holds are never refused by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protections {
    /// After each closed trade, in its instrument, for so long.
    pub cooldown: Option<Duration>,
    /// After several trades that their stops closed at a loss.
    pub stop_guard: Option<StopGuard>,
    /// After trades that together lost a share of the budget.
    pub drawdown: Option<DrawdownGuard>,
    /// In an instrument whose trades earned too little.
    pub low_profit: Option<LowProfit>,
}

impl Protections {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How long a closed trade is of interest.
    #[must_use]
    pub fn memory(&self) -> Duration {
        let lookbacks = [
            self.stop_guard.map(|guard| guard.lookback),
            self.drawdown.map(|guard| guard.lookback),
            self.low_profit.map(|guard| guard.lookback),
        ];
        lookbacks.into_iter().flatten().max().unwrap_or_default()
    }
}

/// A pause after trades that their stops closed at a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopGuard {
    /// How far back trades count, by their close.
    pub lookback: Duration,
    /// With how many of them it pauses.
    pub trades: u32,
    /// For how long, from the close of the last one.
    pub pause: Duration,
    /// Whether each instrument counts and pauses alone.
    pub per_instrument: bool,
}

/// A pause of the bot after trades whose profits fell from their peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawdownGuard {
    /// How far back trades count, by their close.
    pub lookback: Duration,
    /// With fewer trades it never pauses.
    pub trades: u32,
    /// The fall of their summed profits from its peak at which it pauses, as a share of the bot's budget.
    pub limit: Ppm,
    /// For how long, from the close of the last one.
    pub pause: Duration,
}

/// A pause of one instrument whose trades earned too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowProfit {
    /// How far back trades count, by their close.
    pub lookback: Duration,
    /// With fewer trades it never pauses.
    pub trades: u32,
    /// The sum of their profits below which it pauses, as a share of the bot's budget; may be negative.
    pub required: Ppm,
    /// For how long, from the close of the last one.
    pub pause: Duration,
}

/// Which protection pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protection {
    /// [`Protections::cooldown`].
    Cooldown,
    /// [`Protections::stop_guard`].
    StopGuard,
    /// [`Protections::drawdown`].
    Drawdown,
    /// [`Protections::low_profit`].
    LowProfit,
}

impl Protection {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cooldown => "cooldown",
            Self::StopGuard => "stop_guard",
            Self::Drawdown => "drawdown",
            Self::LowProfit => "low_profit",
        }
    }
}
