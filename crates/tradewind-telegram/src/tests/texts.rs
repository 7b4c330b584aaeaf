//! The texts, and X05: text from elsewhere stays text.

use tradewind_events::{BotState, CommandResult, EventKind, Principal};
use tradewind_model::{BotId, Timestamp};

use super::world::{configuration, view};
use crate::{notice, render};

fn check(kind: &EventKind, html: &str) {
    assert_eq!(notice::render(&configuration(), kind).html(), html);
}

#[test]
fn events_are_told_in_a_line_and_foreign_words_are_escaped() {
    check(
        &EventKind::CircuitBreakerFired {
            name: "<b>rest</b>".into(),
            failures: 5,
        },
        "<b>Breaker open: </b><code>&lt;b&gt;rest&lt;/b&gt;</code> after 5 failures",
    );
    check(
        &EventKind::KillSwitch {
            reason: "fat & \u{202e}finger\n/start all".into(),
            principal: Principal::Token("<script>".into()),
        },
        "<b>KILLED</b> by <code>token &lt;script&gt;</code>: <code>fat &amp; \u{fffd}finger /start all</code>",
    );
    check(
        &EventKind::QueueOverflow {
            subscriber: "sse-1".into(),
            dropped: 40,
        },
        "Queue overflow: <code>sse-1</code> lost 40 events",
    );
    check(
        &EventKind::BotError {
            bot: BotId(1),
            error: "a<b".into(),
            faults: 2,
        },
        "Error in btc-cross (2 faults in 5 min): <code>a&lt;b</code>",
    );
    check(
        &EventKind::BotStateChanged {
            bot: BotId(9),
            from: BotState::Running,
            to: BotState::Faulted,
            reason: "\u{1b}[31m".into(),
        },
        "unknown is faulted: <code>\u{fffd}[31m</code>",
    );
    check(
        &EventKind::Command {
            id: 1,
            principal: Principal::Telegram(5),
            action: tradewind_events::Action::StartBot(BotId(0)),
            result: CommandResult::Refused("1 > 0".into()),
        },
        "Command of <code>telegram user 5</code> refused: <code>1 &gt; 0</code>",
    );
}

#[test]
fn the_state_of_the_desk_fits_on_a_phone() {
    let mut view = view();
    view.at = Timestamp::from_secs(1_700_000_000);
    let text = render::status(&configuration(), &view).plain();
    assert_eq!(
        text,
        "Desk: ACTIVE\nBots: none\nPositions: 1, 1 without a stop; open orders: 0\nFeeds: 1 of 1 live\n\
         Fills: 0, denials: 0\nAs of 2023-11-14T22:13:20"
    );
}

#[test]
fn what_a_user_wrote_comes_back_escaped() {
    let html = render::stale("/buy <b>&", std::time::Duration::from_secs(600));
    assert_eq!(
        html.html(),
        "Not done: <code>/buy &lt;b&gt;&amp;</code> was sent 10 min ago. Send it again if you still want it."
    );
}
