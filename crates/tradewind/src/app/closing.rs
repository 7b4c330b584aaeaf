//! `on_exit = "flatten"`: the desk's positions are closed before it stops, by the same exits as ever.

use std::time::Duration;

use tradewind_events::{Action, Command, CommandResult, PositionView, Principal};
use tradewind_model::{Clock, OwnerId};

use crate::app::venue::random_command_id;
use crate::driver::DeskHandle;

/// Longest wait for positions to be closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(60);
/// How often open positions are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Closes every position that a bot or a person holds. Returns once none is open, or after a minute: what is left then is in the
/// summary of the shutdown.
///
/// # Errors
/// The system has no source of randomness.
pub(super) async fn close_positions(desk: &DeskHandle, clock: &dyn Clock) -> anyhow::Result<()> {
    for position in open_positions(desk).await {
        let bot = match position.owner {
            OwnerId::Bot(bot) => Some(bot),
            _ => None,
        };
        let command = Command {
            id: random_command_id()?,
            principal: Principal::Local,
            issued_at: clock.now(),
            expires_at: None,
            action: Action::ClosePosition {
                account: position.account,
                bot,
                instrument: position.instrument,
            },
        };
        if let Some(CommandResult::Refused(why)) = desk.command(command).await {
            tracing::warn!(why, "A position is not closed at once.");
        }
    }
    let closed = async {
        while !open_positions(desk).await.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(CLOSE_WITHIN, closed).await.is_err() {
        tracing::warn!("Some positions could not be closed in time.");
    }
    Ok(())
}

async fn open_positions(desk: &DeskHandle) -> Vec<PositionView> {
    let positions = desk.view().await.map(|view| view.positions);
    let is_ours = |position: &PositionView| {
        matches!(position.owner, OwnerId::Bot(_) | OwnerId::Unallocated)
            && !position.quantity.is_zero()
    };
    positions
        .unwrap_or_default()
        .into_iter()
        .filter(is_ours)
        .collect()
}
