//! Events as text, one line each. The match lists every type of event, so that a new one must be added here.

use tradewind_events::{CommandResult, Configuration, EventKind, Principal};
use tradewind_model::{BotId, Fill, InstrumentId, OrderTerms};

use crate::markup::Markup;
use crate::names;
use crate::render::verb;

/// An event in one line, without its time.
pub(crate) fn render(configuration: &Configuration, kind: &EventKind) -> Markup {
    let text = Markup::new();
    let bot = |id: BotId| names::bot(configuration, id);
    let instrument = |id: InstrumentId| names::instrument_name(configuration, id);
    match kind {
        EventKind::OrderFilled { fill, bot, .. } => filled(configuration, fill, *bot),
        EventKind::CircuitBreakerFired { name, failures } => text
            .bold("Breaker open: ")
            .foreign(name)
            .text(&format!(" after {failures} failures")),
        EventKind::KillSwitch { reason, principal } => text
            .bold("KILLED")
            .text(" by ")
            .foreign(&by(principal))
            .text(": ")
            .foreign(reason),
        EventKind::KillSwitchReset { reason, principal } => text
            .bold("Kill lifted")
            .text(" by ")
            .foreign(&by(principal))
            .text(": ")
            .foreign(reason),
        EventKind::QueueOverflow {
            subscriber,
            dropped,
        } => text
            .text("Queue overflow: ")
            .foreign(subscriber)
            .text(&format!(" lost {dropped} events")),
        EventKind::BotError {
            bot: id,
            error,
            faults,
        } => text
            .text("Error in ")
            .text(bot(*id))
            .text(&format!(" ({faults} faults in 5 min): "))
            .foreign(error),
        EventKind::BotStateChanged {
            bot: id,
            to,
            reason,
            ..
        } => text
            .text(bot(*id))
            .text(&format!(" is {}: ", to.name()))
            .foreign(reason),
        EventKind::TradingStateChanged { state, cause, .. } => {
            let text = text.text("Trading state ").bold(state.name());
            match cause {
                Some(cause) => text.text(": ").foreign(cause.reason.words()),
                None => text,
            }
        }
        EventKind::RiskDecisionRejected {
            bot,
            instrument: id,
            side,
            reason,
            ..
        } => text
            .text("Denied: ")
            .text(names::owner(configuration, *bot))
            .text(&format!(
                " {} {}, {} ({}): ",
                verb(*side),
                instrument(*id),
                reason.rule().name(),
                reason.rule()
            ))
            .foreign(&reason.to_string()),
        EventKind::OrderRejected { terms, bot, reason } => {
            order(configuration, "Rejected by the venue", terms, *bot)
                .text(": ")
                .foreign(&reason.text)
        }
        EventKind::OrderPlaced { terms, bot, .. } => order(configuration, "Placed", terms, *bot),
        EventKind::OrderAccepted { terms, bot } => order(configuration, "Accepted", terms, *bot),
        EventKind::OrderCancelled { terms, bot, .. } => {
            order(configuration, "Cancelled", terms, *bot)
        }
        EventKind::OrderExpired { terms, bot, .. } => order(configuration, "Expired", terms, *bot),
        EventKind::OrderUnknown { terms, bot } => {
            order(configuration, "Status unknown", terms, *bot)
        }
        EventKind::PositionOpened {
            bot,
            instrument: id,
            ..
        } => text
            .text("Position opened: ")
            .text(names::owner(configuration, *bot))
            .text(" in ")
            .text(instrument(*id)),
        EventKind::PositionClosed {
            bot,
            instrument: id,
            realized,
            ..
        } => text
            .text("Position closed: ")
            .text(names::owner(configuration, *bot))
            .text(&format!(
                " in {}, realised {}",
                instrument(*id),
                realized.to_text(2)
            )),
        EventKind::Command {
            principal, result, ..
        } => {
            let text = text.text("Command of ").foreign(&by(principal));
            match result {
                CommandResult::Accepted(_) | CommandResult::Killed { .. } => text.text(" accepted"),
                CommandResult::Refused(reason) => text.text(" refused: ").foreign(reason),
            }
        }
        EventKind::FeedHealthChanged {
            instrument: id,
            health,
        } => text.text(&format!("Feed of {} is {health:?}", instrument(*id))),
        EventKind::Gap {
            instrument: id,
            from,
            to,
            ..
        } => {
            let text = text
                .text("Data missing: ")
                .text(id.map_or("several instruments", instrument));
            match (from, to) {
                (Some(from), Some(to)) => text.text(&format!(", {from} to {to}")),
                _ => text,
            }
        }
        EventKind::SignalGenerated {
            bot: id,
            instrument: on,
            exposure,
            reason,
            ..
        } => text
            .text(&format!(
                "Signal of {} on {}: {exposure}, ",
                bot(*id),
                instrument(*on)
            ))
            .foreign(&reason.to_string()),
        EventKind::EvaluationLate { bot: id, skipped } => text.text(&format!(
            "{} is evaluated late, {skipped} evaluations skipped",
            bot(*id)
        )),
        EventKind::UniverseChanged {
            bot: id,
            members,
            joined,
            left,
        } => text.text(&format!(
            "{} may enter {} instruments: {} joined, {} left",
            bot(*id),
            members.len(),
            joined.len(),
            left.len()
        )),
        EventKind::BudgetChanged {
            bot: id, budget, ..
        } => text.text(&format!(
            "The budget of {} is {}",
            bot(*id),
            budget.to_text(2)
        )),
        EventKind::EquitySnapshot { equity, .. } => {
            let asset = names::asset(configuration, configuration.report_asset);
            text.text(&format!("Equity {} {asset}", equity.to_text(2)))
        }
        EventKind::Reconciled { fills, orders, .. } => text.text(&format!(
            "Account read: {fills} fills and {orders} orders taken over"
        )),
        EventKind::PriceUpdate(quote) => text.text("Quote of ").text(instrument(quote.instrument)),
        EventKind::CandleClosed(candle) => text
            .text("Candle of ")
            .text(instrument(candle.instrument))
            .text(" closed"),
        EventKind::AccountStreamChanged { state, reason, .. } => {
            let text = text.text(&format!("The account stream is {}", state.name()));
            if reason.is_empty() {
                text
            } else {
                text.text(": ").foreign(reason)
            }
        }
        EventKind::BalancesReported { balances, .. } => {
            text.text(&format!("The venue reports {} balances", balances.len()))
        }
        EventKind::TransferReported { asset, amount, .. } => text.text(&format!(
            "Transfer at the venue: {amount} {}",
            names::asset(configuration, *asset)
        )),
        EventKind::DeskStopping => text.text("The desk is stopping"),
        EventKind::TargetReceived {
            source,
            bot: id,
            instrument: on,
            exposure,
            ..
        } => text.text("Target of ").foreign(source).text(&format!(
            " for {} on {}: {exposure}",
            bot(*id),
            instrument(*on)
        )),
        EventKind::TargetRefused {
            source,
            reason,
            refused,
            ..
        } => text
            .text(&format!("{refused} targets refused of "))
            .foreign(source)
            .text(": ")
            .foreign(reason),
        EventKind::PositionUnprotected {
            bot,
            instrument: id,
            reason,
            ..
        } => text
            .text("No stop at the venue covers ")
            .text(names::owner(configuration, Some(*bot)))
            .text(" in ")
            .text(instrument(*id))
            .text(": ")
            .foreign(reason),
        EventKind::Alarm { text: words, .. } => text.bold("Alarm: ").foreign(words),
    }
}

fn filled(configuration: &Configuration, fill: &Fill, bot: Option<BotId>) -> Markup {
    let text = Markup::new()
        .text("Fill: ")
        .text(names::owner(configuration, bot))
        .text(&format!(" {} ", verb(fill.side)));
    let Some(instrument) = names::instrument(configuration, fill.instrument) else {
        return text.text("an instrument that is not known");
    };
    let asset = |id| names::asset(configuration, id);
    let notional = instrument
        .notional(fill.price, fill.quantity)
        .unwrap_or_default();
    text.bold(&format!(
        "{} {}",
        instrument.quantity_text(fill.quantity),
        instrument.name
    ))
    .text(&format!(
        " at {}, {} {}, fee {} {}",
        instrument.price_text(fill.price),
        notional.to_text(2),
        asset(instrument.quote),
        fill.fee.amount,
        asset(fill.fee.asset),
    ))
}

fn order(
    configuration: &Configuration,
    what: &str,
    terms: &OrderTerms,
    bot: Option<BotId>,
) -> Markup {
    let quantity = names::instrument(configuration, terms.instrument)
        .map_or_else(String::new, |known| known.quantity_text(terms.quantity));
    Markup::new().text(&format!(
        "{what}: {} {} {quantity} {}",
        names::owner(configuration, bot),
        verb(terms.side),
        names::instrument_name(configuration, terms.instrument),
    ))
}

fn by(principal: &Principal) -> String {
    match principal {
        Principal::Token(name) => format!("token {name}"),
        Principal::Telegram(user) => format!("telegram user {user}"),
        Principal::Local => "this machine".to_owned(),
        Principal::Rule => "a rule of the configuration".to_owned(),
    }
}
