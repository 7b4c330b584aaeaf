//! `[bots.protections]`: when a bot opens no new position for a while.

use tradewind_model::{DrawdownGuard, LowProfit, Protections, StopGuard};

use super::error::Errors;
use super::section::Section;
use super::structure::join;
use super::values;

/// A bot's protections; none if it names none.
pub(super) fn read(bot: &str, section: Section<'_>, errors: &Errors) -> Option<Protections> {
    let path = join(bot, "protections");
    let section = Section::new(&path, section.node("protections"), errors);
    let cooldown = given(section, "cooldown", |key| {
        section.get(key, values::duration)
    });
    let stop_guard = given(section, "stop_guard", |key| {
        stop_guard(Section::new(&join(&path, key), section.node(key), errors))
    });
    let drawdown = given(section, "drawdown", |key| {
        drawdown(Section::new(&join(&path, key), section.node(key), errors))
    });
    let low_profit = given(section, "low_profit", |key| {
        low_profit(Section::new(&join(&path, key), section.node(key), errors))
    });
    Some(Protections {
        cooldown: cooldown?,
        stop_guard: stop_guard?,
        drawdown: drawdown?,
        low_profit: low_profit?,
    })
}

/// What stands under `key`: `Some(None)` if nothing does, `None` if it is bad.
fn given<T>(
    section: Section<'_>,
    key: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<Option<T>> {
    match section.node(key) {
        None => Some(None),
        Some(_) => read(key).map(Some),
    }
}

fn stop_guard(section: Section<'_>) -> Option<StopGuard> {
    let lookback = section.get("lookback", values::duration);
    let trades = section.get("trades", values::count_from_one);
    let pause = section.get("pause", values::duration);
    let per_instrument = section.get("per_instrument", values::flag);
    Some(StopGuard {
        lookback: lookback?,
        trades: trades?,
        pause: pause?,
        per_instrument: per_instrument?,
    })
}

fn drawdown(section: Section<'_>) -> Option<DrawdownGuard> {
    let lookback = section.get("lookback", values::duration);
    let trades = section.get("trades", values::count_from_one);
    let limit = section.get("limit", values::ratio);
    let pause = section.get("pause", values::duration);
    Some(DrawdownGuard {
        lookback: lookback?,
        trades: trades?,
        limit: limit?,
        pause: pause?,
    })
}

fn low_profit(section: Section<'_>) -> Option<LowProfit> {
    let lookback = section.get("lookback", values::duration);
    let trades = section.get("trades", values::count_from_one);
    let required = section.get("required", values::offset);
    let pause = section.get("pause", values::duration);
    Some(LowProfit {
        lookback: lookback?,
        trades: trades?,
        required: required?,
        pause: pause?,
    })
}
