//! Answers to users. All texts of the Telegram bot are here or, for events, in `notice.rs`.

use std::time::Duration;

use tradewind_events::{BotState, CommandResult, Configuration, DeskView};
use tradewind_model::{AssetId, FeedHealth, Side};

use crate::desk::DeskError;
use crate::machine::Batch;
use crate::markup::Markup;
use crate::names;
use crate::proposal::Proposal;

/// Refusals and causes that are listed; beyond that only their number is sent.
const LISTED_MAX: usize = 8;

pub(crate) fn help() -> Markup {
    let lines = [
        ("/status", "the state of the desk"),
        ("/start BOT or all", "start a bot that is stopped or paused"),
        (
            "/stop BOT or all",
            "stop a bot; its positions keep their stops",
        ),
        (
            "/buy INSTRUMENT AMOUNT",
            "at market, after a confirmation: 0.01, or 250 USDT",
        ),
        (
            "/sell INSTRUMENT AMOUNT",
            "at market; without confirmation if it only reduces a position opened by hand",
        ),
        ("/confirm CODE", "place the order with this code"),
        (
            "/kill REASON",
            "at once: no order is sent until a reset on the machine",
        ),
        (
            "/kill bot, instrument, account or venue NAME REASON",
            "the same for that part of the desk alone",
        ),
    ];
    let mut text = Markup::new().bold("Tradewind");
    for (command, meaning) in lines {
        text = text.line().text(command).text(": ").text(meaning);
    }
    text
}

/// A problem, and how to fix it.
pub(crate) fn problem(words: &str) -> Markup {
    Markup::new().text("Not done: ").foreign(words)
}

/// The desk has no view to give.
pub(crate) fn no_view(error: &DeskError) -> Markup {
    problem(&error.to_string())
}

/// A command older than the limit.
pub(crate) fn stale(command: &str, age: Duration) -> Markup {
    Markup::new()
        .text("Not done: ")
        .foreign(command)
        .text(&format!(
            " was sent {} ago. Send it again if you still want it.",
            span(age)
        ))
}

/// A command that may have been executed before a restart.
pub(crate) fn handled_before(command: &str) -> Markup {
    Markup::new()
        .text("Not repeated: ")
        .foreign(command)
        .text(" was received before the restart and may have been executed. See /status.")
}

/// The acknowledgement, before the command is executed.
pub(crate) fn received(what: &str, commands: usize) -> Markup {
    let text = Markup::new().text("Received: ").text(what);
    if commands > 1 {
        text.text(&format!(" for {commands} bots."))
    } else {
        text.text(".")
    }
}

/// An order as text: `buy 0.01 binance:BTC/USDT on paper`.
pub(crate) fn order(configuration: &Configuration, proposal: &Proposal) -> String {
    let account = configuration.accounts.get(proposal.account.index());
    let quantity = names::instrument(configuration, proposal.instrument)
        .map_or_else(String::new, |known| known.quantity_text(proposal.quantity));
    format!(
        "{} {quantity} {} on {}",
        verb(proposal.side),
        names::instrument_name(configuration, proposal.instrument),
        account.map_or("no account", |account| &account.name),
    )
}

/// An order with its value and the code that confirms it.
pub(crate) fn proposal(
    configuration: &Configuration,
    proposal: &Proposal,
    code: &str,
    within: Duration,
) -> Markup {
    let (price, quote) = names::instrument(configuration, proposal.instrument).map_or_else(
        Default::default,
        |known| {
            (
                known.price_text(proposal.price),
                names::asset(configuration, known.quote),
            )
        },
    );
    Markup::new()
        .text("Confirm: ")
        .text(&order(configuration, proposal))
        .text(", at market, worth ")
        .bold(&format!("{} {quote}", proposal.notional.to_text(2)))
        .text(&format!(" at {price}."))
        .line()
        .text(&format!(
            "Send /confirm {code} within {} to place it.",
            span(within)
        ))
}

/// The results of commands.
pub(crate) fn answers(batch: &Batch, results: &[Result<CommandResult, DeskError>]) -> Markup {
    let mut text = Markup::new();
    let mut refused = 0_usize;
    for ((what, _), result) in batch.commands.iter().zip(results) {
        let reason = match result {
            Ok(CommandResult::Accepted(_) | CommandResult::Killed { .. }) => continue,
            Ok(CommandResult::Refused(reason)) => reason.clone(),
            Err(error) => error.to_string(),
        };
        refused += 1;
        if refused <= LISTED_MAX {
            text = text.line().text(what).text(": ").foreign(&reason);
        }
    }
    if refused > LISTED_MAX {
        text = text
            .line()
            .text(&format!("and {} more", refused - LISTED_MAX));
    }
    let accepted = batch.commands.len() - refused;
    match (accepted, batch.commands.as_slice()) {
        (0, _) => text,
        (1, [(what, _)]) => Markup::new().text("Accepted: ").text(what).text("."),
        _ => text.line().text(&format!(
            "Accepted: {accepted} of {}.",
            batch.commands.len()
        )),
    }
}

/// The state of the desk, on one screen of a phone.
pub(crate) fn status(configuration: &Configuration, view: &DeskView) -> Markup {
    let mut text = Markup::new().text("Desk: ").bold(view.state.name());
    for cause in view.causes.iter().take(LISTED_MAX) {
        text = text
            .line()
            .text(cause.state.name())
            .text(": ")
            .foreign(cause.reason.words());
    }
    if view.causes.len() > LISTED_MAX {
        text = text.line().text(&format!(
            "and {} more causes",
            view.causes.len() - LISTED_MAX
        ));
    }
    text = equity(text, configuration, view);
    text = bots(text, view);
    let positions = view.positions.len();
    let bare = view
        .positions
        .iter()
        .filter(|each| !each.exit.is_protected())
        .count();
    let orders = view.orders.len();
    let live = view
        .feeds
        .iter()
        .filter(|feed| feed.health == FeedHealth::Live)
        .count();
    let counters = &view.counters;
    let time = view.at.to_string();
    text.line()
        .text(&format!(
            "Positions: {positions}, {bare} without a stop; open orders: {orders}"
        ))
        .line()
        .text(&format!("Feeds: {live} of {} live", view.feeds.len()))
        .line()
        .text(&format!(
            "Fills: {}, denials: {}",
            counters.fills, counters.denials
        ))
        .line()
        .text(&format!("As of {}", time.get(..19).unwrap_or(&time)))
}

fn equity(mut text: Markup, configuration: &Configuration, view: &DeskView) -> Markup {
    let report: AssetId = configuration.report_asset;
    let asset = names::asset(configuration, report);
    for account in view.accounts.iter().take(LISTED_MAX) {
        let name = configuration.accounts.get(account.account.index());
        let change = account.equity.equity - account.started_with;
        let sign = if change.0 < 0 { "" } else { "+" };
        text = text
            .line()
            .text(name.map_or("account", |account| &account.name))
            .text(": ")
            .bold(&format!("{} {asset}", account.equity.equity.to_text(2)))
            .text(&format!(" ({sign}{} since the start)", change.to_text(2)));
        if !account.reconciled {
            text = text.text(", not reconciled");
        }
    }
    text
}

fn bots(text: Markup, view: &DeskView) -> Markup {
    let states = [
        BotState::Running,
        BotState::Starting,
        BotState::Warming,
        BotState::Paused,
        BotState::Stopped,
        BotState::Faulted,
    ];
    let counted = states.into_iter().filter_map(|state| {
        let count = view.bots.iter().filter(|bot| bot.state == state).count();
        (count > 0).then(|| format!("{count} {}", state.name()))
    });
    let list = counted.collect::<Vec<_>>().join(", ");
    text.line()
        .text("Bots: ")
        .text(if list.is_empty() { "none" } else { &list })
}

pub(crate) const fn verb(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}
