//! What the engine does about the disk (S05, S09): the strictest trouble of the truth is one cause, market data another.

use std::time::Duration;

use tradewind_events::{Input, StorageHealth};
use tradewind_risk::{Clearing, Scope, TradingState};
use tradewind_testkit::Desk;

use crate::one_bot;

/// The state of the desk, and its causes in words.
fn after(desk: &mut Desk, health: StorageHealth) -> (TradingState, Vec<String>) {
    desk.input(&Input::Storage(health));
    let view = desk.engine.view();
    let causes = view.causes.iter().map(|cause| {
        assert_eq!(
            (cause.scope, cause.clearing),
            (Scope::Desk, Clearing::Itself)
        );
        cause.reason.to_string()
    });
    let causes = causes.collect();
    (view.state, causes)
}

#[test]
fn a_disk_that_fills_reduces_then_halts_and_heals_by_itself() {
    use TradingState::{Active, Halted, Reducing};
    let (mut desk, _script) = one_bot();
    let settling = "the disk takes writes again, for less than a minute";
    let reserve = "the disk is full and the journal's reserve is in use";
    let full = "the disk is full and the journal's reserve is spent";
    let behind = "the event log is behind";
    let read_only = "the journal's file system is read-only";
    let steps: [(StorageHealth, TradingState, &[&str]); 11] = [
        (StorageHealth::Reserve, Reducing, &[reserve]),
        (StorageHealth::Full, Halted, &[full]),
        // A disk that heals is late with its first write.
        (StorageHealth::Behind, Halted, &[behind, settling]),
        (StorageHealth::Writing, Reducing, &[settling]),
        (StorageHealth::Reserve, Reducing, &[reserve]),
        (StorageHealth::Behind, Halted, &[behind, settling]),
        (StorageHealth::Writing, Reducing, &[settling]),
        (StorageHealth::ReadOnly, Halted, &[read_only]),
        (StorageHealth::Writing, Reducing, &[settling]),
        (StorageHealth::Behind, Halted, &[settling, behind]),
        (StorageHealth::Writing, Reducing, &[settling]),
    ];
    for (health, state, causes) in steps {
        let wanted: Vec<String> = causes.iter().map(ToString::to_string).collect();
        assert_eq!(after(&mut desk, health), (state, wanted), "{health:?}");
    }
    // Nothing is entered before it has taken writes for a minute; a relapse begins the minute anew.
    desk.advance(Duration::from_secs(59));
    after(&mut desk, StorageHealth::Reserve);
    desk.advance(Duration::from_secs(59));
    after(&mut desk, StorageHealth::Writing);
    desk.advance(Duration::from_secs(59));
    assert_eq!(desk.engine.view().state, Reducing);
    desk.advance(Duration::from_secs(2));
    assert_eq!(desk.engine.view().state, Active);
}

/// What was only late has refused nothing: nothing waits.
#[test]
fn an_event_log_that_was_behind_needs_no_clean_minute() {
    let (mut desk, _script) = one_bot();
    after(&mut desk, StorageHealth::Behind);
    let active = TradingState::Active;
    assert_eq!(after(&mut desk, StorageHealth::Writing), (active, vec![]));
}

#[test]
fn market_data_that_is_not_stored_is_shown_and_restricts_nothing() {
    let (mut desk, _script) = one_bot();
    let shown = vec!["market data is not stored".to_owned()];
    let active = TradingState::Active;
    assert_eq!(after(&mut desk, StorageHealth::MarketOff), (active, shown));
    assert_eq!(after(&mut desk, StorageHealth::Writing).1.len(), 1);
    assert_eq!(after(&mut desk, StorageHealth::MarketOn), (active, vec![]));
}
