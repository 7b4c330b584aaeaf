//! The registry of components: what runs, since when, how it ended, and what its end means.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tradewind_api::wire::Component;
use tradewind_model::Timestamp;

/// What the end of a component means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The desk stops.
    EndsDesk,
    /// It is started again.
    Restarted,
}

impl Policy {
    const fn words(self) -> &'static str {
        match self {
            Self::EndsDesk => "ends the desk",
            Self::Restarted => "started again",
        }
    }
}

/// All components. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components(Arc<Mutex<Vec<State>>>);

/// One component of the registry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    all: Components,
    index: usize,
    name: &'static str,
}

#[derive(Debug)]
struct State {
    name: &'static str,
    policy: Policy,
    started_at: Timestamp,
    /// When it ended last, and how; `None` while it runs.
    ended: Option<(Timestamp, String)>,
    /// How it ended the last time before this one.
    last_end: Option<String>,
    restarts: u64,
}

/// The system's clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::EPOCH + since.unwrap_or_default()
}

impl Components {
    /// Adds one that runs from now on.
    pub(crate) fn add(&self, name: &'static str, policy: Policy) -> Entry {
        let mut all = self.lock();
        all.push(State {
            name,
            policy,
            started_at: wall(),
            ended: None,
            last_end: None,
            restarts: 0,
        });
        Entry {
            all: self.clone(),
            index: all.len() - 1,
            name,
        }
    }

    /// All of them, in the order in which they were started.
    pub(crate) fn shown(&self) -> Vec<Component> {
        self.lock().iter().map(shown).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// It has ended.
    pub(crate) fn ended(&self, how: &str) {
        self.change(|state| state.ended = Some((wall(), how.to_owned())));
    }

    /// It runs again.
    pub(crate) fn restarted(&self) {
        self.change(|state| {
            state.last_end = state.ended.take().map(|(_, how)| how);
            state.started_at = wall();
            state.restarts += 1;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.all.lock().get_mut(self.index) {
            change(state);
        }
    }
}

fn shown(state: &State) -> Component {
    let message = match (&state.ended, &state.last_end) {
        (Some((_, how)), _) => format!("ended: {how}"),
        (None, Some(last)) => format!("runs; it ended before: {last}"),
        (None, None) => "runs".to_owned(),
    };
    Component {
        name: state.name.to_owned(),
        healthy: state.ended.is_none(),
        message,
        started_at: Some(state.started_at.into()),
        stopped_at: state.ended.as_ref().map(|(at, _)| (*at).into()),
        restarts: state.restarts,
        policy: state.policy.words().to_owned(),
    }
}
