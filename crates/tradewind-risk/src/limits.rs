//! The limits of the desk. None has a default in code: an absent one refuses every entry and names its key.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Ppm};

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

/// The limits. `Option` means "as configured, or missing".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// R04: from decision to wire for an entry decided on a quote.
    pub intent_ttl_quote: Option<Duration>,
    /// R04: the same, decided on a candle or by a timer.
    pub intent_ttl_candle: Option<Duration>,
    /// R08: largest value of an order, in the report currency.
    pub order_value_max: Option<Amount>,
    /// R08: the same as a share of equity.
    pub order_equity_max: Option<Ppm>,
    /// R10: how far past the mid an aggressive limit may reach.
    pub collar: Option<Ppm>,
    /// R10: expected slippage of a market order, from the mid to the price it would take.
    pub market_slippage_max: Option<Ppm>,
    /// R12: share of the free balance that may be used.
    pub balance_use_max: Option<Ppm>,
    /// R13: largest position in one instrument, working orders of its side included, as a share of equity.
    pub position_equity_max: Option<Ppm>,
    /// R15: open entries in one instrument, as a share of the venue's cap.
    pub open_entries_instrument: Option<Ppm>,
    /// R15: open entries on one account, as a share of the venue's cap times its instruments in use.
    pub open_entries_account: Option<Ppm>,
    /// R16: orders of one bot.
    pub bot_order_rate: Option<Rate>,
    /// R16: orders of one account.
    pub account_order_rate: Option<Rate>,
    /// R18: within which an equal order counts as a duplicate.
    pub duplicate_window: Option<Duration>,
}

/// The name of a limit, as in `[limits]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the key of the field of the same name")]
pub enum LimitKey {
    IntentTtlQuote,
    IntentTtlCandle,
    OrderValueMax,
    OrderEquityMax,
    Collar,
    MarketSlippageMax,
    BalanceUseMax,
    PositionEquityMax,
    OpenEntriesInstrument,
    OpenEntriesAccount,
    BotOrderRate,
    AccountOrderRate,
    DuplicateWindow,
}

impl LimitKey {
    /// The key as it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntentTtlQuote => "intent_ttl_quote",
            Self::IntentTtlCandle => "intent_ttl_candle",
            Self::OrderValueMax => "order_value_max",
            Self::OrderEquityMax => "order_equity_max",
            Self::Collar => "collar",
            Self::MarketSlippageMax => "market_slippage_max",
            Self::BalanceUseMax => "balance_use_max",
            Self::PositionEquityMax => "position_equity_max",
            Self::OpenEntriesInstrument => "open_entries_instrument",
            Self::OpenEntriesAccount => "open_entries_account",
            Self::BotOrderRate => "bot_order_rate",
            Self::AccountOrderRate => "account_order_rate",
            Self::DuplicateWindow => "duplicate_window",
        }
    }
}

impl Limits {
    /// The first limit that is missing, if one is.
    #[must_use]
    pub fn missing(&self) -> Option<LimitKey> {
        let given = [
            (LimitKey::IntentTtlQuote, self.intent_ttl_quote.is_some()),
            (LimitKey::IntentTtlCandle, self.intent_ttl_candle.is_some()),
            (LimitKey::OrderValueMax, self.order_value_max.is_some()),
            (LimitKey::OrderEquityMax, self.order_equity_max.is_some()),
            (LimitKey::Collar, self.collar.is_some()),
            (
                LimitKey::MarketSlippageMax,
                self.market_slippage_max.is_some(),
            ),
            (LimitKey::BalanceUseMax, self.balance_use_max.is_some()),
            (
                LimitKey::PositionEquityMax,
                self.position_equity_max.is_some(),
            ),
            (
                LimitKey::OpenEntriesInstrument,
                self.open_entries_instrument.is_some(),
            ),
            (
                LimitKey::OpenEntriesAccount,
                self.open_entries_account.is_some(),
            ),
            (LimitKey::BotOrderRate, self.bot_order_rate.is_some()),
            (
                LimitKey::AccountOrderRate,
                self.account_order_rate.is_some(),
            ),
            (LimitKey::DuplicateWindow, self.duplicate_window.is_some()),
        ];
        given
            .into_iter()
            .find(|(_, there)| !there)
            .map(|(key, _)| key)
    }
}
