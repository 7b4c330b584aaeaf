//! What an input changes by itself, whatever was decided on it.

use tradewind_events::{Input, Outputs, Timer};
use tradewind_model::{BotId, InstrumentId, Quote};

use super::group::{Group, Pending};
use super::orders::{fold_flatten, fold_resumed};
use crate::context::Trigger;
use crate::parts::Parts;
use crate::step::exit_way::is_free;
use crate::step::exits::{follow_quote, is_suspect, set_age_timer};
use crate::step::{
    account_stream, causes, components, configure, evaluation, exit_way, flatten, funding,
    lifecycle, market_data, order_entry, reports, submission, takeover, targets,
};

/// Folds an input.
pub(super) fn fold(parts: &mut Parts, group: &mut Group, input: &Input, out: &mut Outputs) {
    match input {
        Input::Configured(configuration) => configure::on_configured(parts, configuration, out),
        Input::Started(started) => lifecycle::on_started(parts, started, out),
        Input::Report(report) => {
            if let Some(ending) = reports::fold_report(parts, report, out) {
                group.note_ending(parts, ending);
            }
            let waited = exit_way::waited_for(parts, report.client_id);
            fold_resumed(parts, group, waited);
        }
        Input::Account(state) => {
            for ending in takeover::on_account(parts, state, out) {
                group.note_ending(parts, ending);
            }
            let waiting = exit_way::waiting_in(parts, state.account);
            fold_resumed(parts, group, waiting);
        }
        Input::AccountFills(page) => {
            for ending in takeover::on_fills(parts, page, out) {
                group.note_ending(parts, ending);
            }
        }
        Input::Funding(funding) => funding::on_funding(parts, funding, out),
        Input::InstrumentChanged(changed) => market_data::on_instrument(parts, changed, out),
        Input::Storage(health) => causes::on_storage(parts, *health, out),
        Input::Stopping => causes::on_stopping(parts, out),
        Input::AccountStream { account, change } => {
            account_stream::on_account_stream(parts, *account, change, out);
        }
        Input::SafeMode => causes::on_safe_mode(parts, out),
        Input::Component { name, problem } => {
            components::on_component(parts, name, problem.as_deref(), out);
        }
        Input::Series(point) => parts.market.keep_series(point),
        Input::Target(target) => targets::fold_target(parts, target),
        Input::SourceHealth { source, health } => targets::note_health(parts, source, *health, out),
        Input::LaneState(state) => evaluation::on_lane_state(parts, state),
        Input::AssetAdded { asset, name } => configure::add_asset(parts, *asset, name, out),
        Input::Timer(timer) => fold_timer(parts, group, *timer, out),
        Input::Quote(quote) => fold_quote(parts, quote, out),
        // Their effects on durable state, if any, are decisions, which have records of their own.
        Input::Trade(_)
        | Input::Candle(_)
        | Input::Depth(_)
        | Input::Candles(_)
        | Input::Book(_)
        | Input::Health { .. }
        | Input::Positions(_)
        | Input::Evaluation(_)
        | Input::Command(_)
        | Input::CandlesMissing { .. }
        | Input::TradesLost { .. }
        | Input::Resync
        | Input::TargetUnreadable { .. }
        | Input::QueueOverflow { .. }
        | Input::Alarm { .. } => {}
    }
}

fn fold_timer(parts: &mut Parts, group: &mut Group, timer: Timer, out: &mut Outputs) {
    parts.timers.fired(timer, parts.context.at());
    match timer {
        Timer::OrderTimeout(id) => submission::on_order_timeout(parts, id, out),
        Timer::PositionAge(bot, instrument) => fold_age(parts, bot, instrument, out),
        Timer::ExitRetry(bot, instrument) => fold_retry(parts, group, bot, instrument),
        Timer::TargetExpiry(bot, instrument) => targets::note_expiry(parts, bot, instrument, out),
        Timer::DiskClean => causes::on_disk_clean(parts, out),
        Timer::OrdersClean(account) => order_entry::on_clean(parts, account, out),
        Timer::Flatten if flatten::goes_on(parts) == Some(true) => {
            fold_flatten(parts, group, out);
        }
        Timer::BotStart(_)
        | Timer::BotWake(_)
        | Timer::BotRetry(_)
        | Timer::EvaluationDeadline(_)
        | Timer::Equity
        | Timer::CandleClose
        | Timer::Staleness
        | Timer::Flatten
        | Timer::LossCheck
        | Timer::Breaker(_)
        | Timer::AccountReading(_)
        | Timer::Protection(..)
        | Timer::Universe(_)
        | Timer::Budgets => {}
    }
}

fn fold_age(parts: &mut Parts, bot: BotId, instrument: InstrumentId, out: &mut Outputs) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    if let Some(quote) = parts.market.quote(instrument).copied() {
        follow_quote(parts, &quote, out);
    }
    set_age_timer(parts, place, out);
}

/// An exit is tried again: the target that waited is worked on.
fn fold_retry(parts: &mut Parts, group: &mut Group, bot: BotId, instrument: InstrumentId) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    if !is_free(parts, place) {
        return;
    }
    if let Some((target, cause)) = parts.bots.at_mut(place).take_next() {
        group.expect(place, Pending::Target(target, cause));
    }
}

fn fold_quote(parts: &mut Parts, quote: &Quote, out: &mut Outputs) {
    let now = parts.now();
    let Some((_, before)) = parts.market.note_quote(quote.instrument, now) else {
        return;
    };
    if !quote.is_sound() || is_suspect(parts, quote, before) {
        return;
    }
    parts.market.keep_quote(quote);
    parts.context.set_trigger(Trigger::Quote(*quote, None));
    follow_quote(parts, quote, out);
}
