//! The registry of components: what runs, since when, how it ended, and what its end means.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;
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
    beat: Arc<Beat>,
    /// What the last look found, and how many looks have found the same.
    seen: (u64, u32),
    /// Why it counts as hung.
    hangs: Option<String>,
}

/// Shows whether a component does anything.
#[derive(Debug, Default)]
pub(crate) struct Beat {
    /// How often it was polled, twice: odd while it is.
    polls: AtomicU64,
    /// It counts as hung.
    hung: Notify,
}

impl Beat {
    /// Runs a component and counts its polls.
    pub(crate) async fn of<F: Future>(self: Arc<Self>, run: F) -> F::Output {
        let mut run = pin!(run);
        std::future::poll_fn(|context| {
            self.polls.fetch_add(1, Ordering::Relaxed);
            let polled = run.as_mut().poll(context);
            self.polls.fetch_add(1, Ordering::Relaxed);
            polled
        })
        .await
    }
}

/// So many looks, one a second, may find a component in the same poll: longer, and it keeps a thread from everything else.
const BLOCKED_MAX: u32 = 10;

/// So many looks may find that a component was not polled. Only those that wake by themselves have such a limit, of several times their
/// longest wait.
fn silence_max(name: &str) -> Option<u32> {
    match name {
        // Every second, and twice a second.
        "kill file" | "overflows" => Some(15),
        // Pings every 20 s; a minute between two tries to connect.
        "account stream" => Some(180),
        // Every 30 s, and whenever there is something to do.
        "orders" | "storage" | "venue clock" => Some(120),
        // The venue's clock is read every minute; the longest back-off of a venue that did not answer the start, and its time-outs.
        "venue" => Some(240),
        "order entry" => Some(600),
        _ => None,
    }
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
            beat: Arc::default(),
            seen: (0, 0),
            hangs: None,
        });
        Entry {
            all: self.clone(),
            index: all.len() - 1,
            name,
        }
    }

    /// Looks, once a second, for components that hang. Returns those that began to, with what is wrong, and those that work again.
    pub(crate) fn look(&self) -> Vec<(&'static str, Option<String>)> {
        let mut all = self.lock();
        let mut changes = Vec::new();
        for state in all.iter_mut() {
            state.look(&mut changes);
        }
        let still_hangs = |name: &str| {
            let mut all = all.iter();
            all.any(|state| state.name == name && state.hangs.is_some())
        };
        changes.retain(|(name, change)| change.is_some() || !still_hangs(name));
        changes
    }

    /// A component does not answer: it is started again if its policy is so.
    pub(crate) fn give_up(&self, name: &str) {
        for state in self.lock().iter().filter(|state| state.name == name) {
            state.beat.hung.notify_one();
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

impl State {
    /// Adds what changed since the last look: it hangs, with the reason, or does not any more.
    fn look(&mut self, changes: &mut Vec<(&'static str, Option<String>)>) {
        let polls = self.beat.polls.load(Ordering::Relaxed);
        let (seen, looks) = self.seen;
        if seen != polls || self.ended.is_some() {
            self.seen = (polls, 0);
            if self.hangs.take().is_some() {
                changes.push((self.name, None));
            }
            return;
        }
        self.seen.1 = looks.saturating_add(1);
        let is_in_poll = polls % 2 == 1;
        let limit = if is_in_poll {
            Some(BLOCKED_MAX)
        } else {
            silence_max(self.name)
        };
        if self.hangs.is_some() || limit.is_none_or(|limit| self.seen.1 < limit) {
            return;
        }
        let seconds = self.seen.1;
        let why = match is_in_poll {
            true => format!("it has blocked its thread for {seconds} s"),
            false => format!("it has done nothing for {seconds} s"),
        };
        self.hangs = Some(why.clone());
        self.beat.hung.notify_one();
        changes.push((self.name, Some(why)));
    }
}

impl Entry {
    /// What shows that it does something.
    pub(crate) fn beat(&self) -> Arc<Beat> {
        let all = self.all.lock();
        all.get(self.index)
            .map(|state| Arc::clone(&state.beat))
            .unwrap_or_default()
    }

    /// Resolves when it counts as hung.
    pub(crate) async fn hung(&self) {
        self.beat().hung.notified().await;
    }

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
            // A panic leaves it odd.
            state.beat.polls.store(0, Ordering::Relaxed);
            state.seen = (0, 0);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.all.lock().get_mut(self.index) {
            change(state);
        }
    }
}

fn shown(state: &State) -> Component {
    let message = match (&state.ended, &state.hangs, &state.last_end) {
        (Some((_, how)), ..) => format!("ended: {how}"),
        (None, Some(why), _) => format!("hangs: {why}"),
        (None, None, Some(last)) => format!("runs; it ended before: {last}"),
        (None, None, None) => "runs".to_owned(),
    };
    Component {
        name: state.name.to_owned(),
        healthy: state.ended.is_none() && state.hangs.is_none(),
        message,
        started_at: Some(state.started_at.into()),
        stopped_at: state.ended.as_ref().map(|(at, _)| (*at).into()),
        restarts: state.restarts,
        policy: state.policy.words().to_owned(),
    }
}
