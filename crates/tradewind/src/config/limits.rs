//! `[limits]`: every limit of `tradewind-risk`, none of which has a default.

use tradewind_risk::Limits;

use super::section::Section;
use super::values;

/// Reads all limits; one that is missing or bad has been noted and stays absent.
pub(super) fn read(section: Section<'_>) -> Limits {
    Limits {
        reconcile_within: section.get("reconcile_within", values::duration),
        unknown_bot_max: section.get("unknown_bot_max", values::count),
        unknown_account_max: section.get("unknown_account_max", values::count),
        intent_ttl_quote: section.get("intent_ttl_quote", values::duration),
        intent_ttl_candle: section.get("intent_ttl_candle", values::duration),
        order_value_max: section.get("order_value_max", values::amount),
        order_equity_max: section.get("order_equity_max", values::ratio),
        depth_share_max: section.get("depth_share_max", values::ratio),
        collar: section.get("collar", values::ratio),
        market_slippage_max: section.get("market_slippage_max", values::ratio),
        spread_max: section.get("spread_max", values::ratio),
        quote_jump_max: section.get("quote_jump_max", values::ratio),
        balance_use_max: section.get("balance_use_max", values::ratio),
        position_equity_max: section.get("position_equity_max", values::ratio),
        account_exposure_max: section.get("account_exposure_max", values::ratio),
        bot_exposure_max: section.get("bot_exposure_max", values::ratio),
        open_entries_instrument: section.get("open_entries_instrument", values::ratio),
        open_entries_account: section.get("open_entries_account", values::ratio),
        bot_order_rate: section.get("bot_order_rate", values::rate),
        account_order_rate: section.get("account_order_rate", values::rate),
        messages_per_fill_alarm: section.get("messages_per_fill_alarm", values::count_from_one),
        messages_per_fill_max: section.get("messages_per_fill_max", values::count_from_one),
        messages_window: section.get("messages_window", values::duration),
        messages_min: section.get("messages_min", values::count_from_one),
        duplicate_window: section.get("duplicate_window", values::duration),
        same_side_entries_max: section.get("same_side_entries_max", values::count_from_one),
        same_side_entries_window: section.get("same_side_entries_window", values::duration),
        daily_loss_reduce: section.get("daily_loss_reduce", values::ratio),
        daily_loss_alarm: section.get("daily_loss_alarm", values::ratio),
        on_loss: section.get("on_loss", values::loss_action),
        bot_daily_loss: section.get("bot_daily_loss", values::multiple),
        loss_check_every: section.get("loss_check_every", values::duration),
        drawdown_max: section.get("drawdown_max", values::ratio),
        clock_uncertainty_max: section.get("clock_uncertainty_max", values::duration),
        turnover_max: section.get("turnover_max", values::multiple),
        breaker_failures: section.get("breaker_failures", values::count_from_one),
        breaker_window: section.get("breaker_window", values::duration),
        breaker_open: section.get("breaker_open", values::duration),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::LIMITS;
    use tradewind_risk::LimitKey;

    #[test]
    fn every_limit_that_risk_knows_has_its_key() {
        let names: Vec<_> = LIMITS.iter().map(|key| key.name).collect();
        let known: Vec<_> = LimitKey::ALL.iter().map(|key| key.name()).collect();
        assert_eq!(names, known);
    }
}
