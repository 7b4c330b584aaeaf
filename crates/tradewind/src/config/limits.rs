//! `[limits]`: every limit of `tradewind-risk`, none of which has a default.

use tradewind_risk::Limits;

use super::section::Section;
use super::values;

/// Reads all limits; one that is missing or bad has been noted and stays absent.
pub(super) fn read(section: Section<'_>) -> Limits {
    Limits {
        intent_ttl_quote: section.get("intent_ttl_quote", values::duration),
        intent_ttl_candle: section.get("intent_ttl_candle", values::duration),
        order_value_max: section.get("order_value_max", values::amount),
        order_equity_max: section.get("order_equity_max", values::ratio),
        collar: section.get("collar", values::ratio),
        market_slippage_max: section.get("market_slippage_max", values::ratio),
        balance_use_max: section.get("balance_use_max", values::ratio),
        position_equity_max: section.get("position_equity_max", values::ratio),
        open_entries_instrument: section.get("open_entries_instrument", values::ratio),
        open_entries_account: section.get("open_entries_account", values::ratio),
        bot_order_rate: section.get("bot_order_rate", values::rate),
        account_order_rate: section.get("account_order_rate", values::rate),
        duplicate_window: section.get("duplicate_window", values::duration),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::LIMITS;
    use tradewind_risk::LimitKey;

    #[test]
    fn every_limit_that_risk_knows_has_its_key() {
        let names: Vec<_> = LIMITS.iter().map(|key| key.name).collect();
        let known = [
            LimitKey::IntentTtlQuote,
            LimitKey::IntentTtlCandle,
            LimitKey::OrderValueMax,
            LimitKey::OrderEquityMax,
            LimitKey::Collar,
            LimitKey::MarketSlippageMax,
            LimitKey::BalanceUseMax,
            LimitKey::PositionEquityMax,
            LimitKey::OpenEntriesInstrument,
            LimitKey::OpenEntriesAccount,
            LimitKey::BotOrderRate,
            LimitKey::AccountOrderRate,
            LimitKey::DuplicateWindow,
        ];
        assert_eq!(names, known.map(LimitKey::name));
    }
}
