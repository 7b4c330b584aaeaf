//! The settings of a run, and what it came to.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::panic;
use std::sync::Once;
use std::time::Duration;

use tradewind_simx_server::simulation::Violation;

/// What of a seed's run is wanted.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Only these of its faults, by number; all if none is named.
    pub faults: Option<Vec<usize>>,
    /// Chaos ends so long after the first moment; as long as usual if none is named.
    pub until: Option<Duration>,
    /// Whether the story is written down.
    pub trace: bool,
    /// The plan, if not the newest: 1 for seeds that were kept before the second.
    pub plan: Option<u32>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What was wrong; `None` if nothing was.
    pub failure: Option<Failure>,
    /// What it came to.
    pub reached: Reached,
    /// Of all bytes on the wire, with their times.
    pub trace_hash: u32,
    /// Numbers and names of the faults, in order.
    pub faults: Vec<(usize, String)>,
    /// What happened, line by line, if it was wanted.
    pub story: Vec<String>,
}

impl Outcome {
    /// Whether nothing was wrong.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// The first thing that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The invariant (`I01` to `I23`), or `panic`, or `error` for a task that failed.
    pub what: String,
    /// One line.
    pub story: String,
}

impl Failure {
    /// A failure in the words of an assertion or a violation: one that begins with an invariant's name belongs to it.
    pub(crate) fn of(text: &str, otherwise: &str) -> Self {
        let text = text.trim_start_matches("at rest:\n");
        let (first, rest) = text.split_once(": ").unwrap_or(("", text));
        let is_invariant = first.len() == 3
            && first.starts_with('I')
            && first.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        let (what, story) = match is_invariant {
            true => (first, rest),
            false => (otherwise, text),
        };
        Self {
            what: what.to_owned(),
            story: story.replace('\n', "; "),
        }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::of(&violation.to_string(), "error")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.story)
    }
}

/// How far a run got: one that reached nothing proves nothing.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Time that passed in the world.
    pub simulated: Duration,
    /// Deaths of the desk.
    pub deaths: u64,
    /// Fills that were booked.
    pub fills: usize,
    /// Orders, cancels and amendments that left.
    pub orders: usize,
    /// Orders whose fate was unknown for a while.
    pub unknown: usize,
    /// Take profits that were placed to rest at the venue.
    pub pairs: usize,
    /// How often each row of faults was reached in a state that it is about.
    pub rows: BTreeMap<&'static str, u64>,
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_CAUGHT: RefCell<bool> = const { RefCell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it is a failure with its place.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_CAUGHT.with_borrow(|is_caught| *is_caught) {
                return before(info);
            }
            let place = info.location().map(ToString::to_string);
            PANIC.set(place);
        }));
    });
    IS_CAUGHT.set(true);
    let done = panic::catch_unwind(panic::AssertUnwindSafe(work));
    IS_CAUGHT.set(false);
    done.map_err(|panicked| {
        let place = PANIC.take().unwrap_or_default();
        let mut failure = Failure::of(message(&*panicked), "panic");
        if failure.what == "panic" {
            failure.story = format!("{place}: {}", failure.story);
        }
        failure
    })
}

fn message(panicked: &(dyn Any + Send)) -> &str {
    let text = panicked.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panicked.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
}
