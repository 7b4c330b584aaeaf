//! A whole journal replayed and compared, until its end or the first difference.

use std::path::PathBuf;

use tradewind_engine::StrategySource;
use tradewind_journal::{JournalError, Reader, StoreKind};
use tradewind_model::{EventId, Timestamp};

use crate::replay::causes::{Link, chain, json};
use crate::replay::history::{Outcome, path_of};
use crate::replay::player::{Player, Step, Totals, Unlike, What};

/// Inputs between two reports of progress.
const PROGRESS_EVERY: u64 = 1 << 16;

/// A journal cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[error("{problem}; {cure}")]
pub struct CannotReplay {
    /// Why.
    pub problem: String,
    /// What to do.
    pub cure: String,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was compared.
    pub totals: Totals,
    /// The first difference; `None` if there is none.
    pub difference: Option<Difference>,
    /// The builds that wrote the journal, if another than this one did.
    pub other_builds: Vec<String>,
    /// Bots whose strategies ran in threads of their own. They are not run again: their recorded answers are taken.
    pub threads: Vec<String>,
}

impl Verdict {
    /// Whether all is as it was recorded, and nothing is missing that should be there.
    #[must_use]
    pub const fn is_identical(&self) -> bool {
        self.difference.is_none() && self.totals.missing.is_none()
    }
}

/// The first thing that came out differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of the input.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
    /// What differs: `intent or event`, or `state`.
    pub what: &'static str,
    /// Of a state: the input at which it was the recorded one; the difference arose behind it.
    pub since: Option<u64>,
    /// Number of the record in its store; not of a state.
    pub record: Option<u64>,
    /// Its file.
    pub file: Option<PathBuf>,
    /// Where it lies in that file.
    pub offset: u64,
    /// What was recorded; `None` for nothing.
    pub recorded: Option<String>,
    /// What came out; `None` for nothing.
    pub came_out: Option<String>,
    /// What led to it: events back to an input.
    pub causes: Vec<Link>,
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Inputs so far.
    pub inputs: u64,
    /// The number of the last one.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
}

/// Replays the journal that `reader` reads.
///
/// # Errors
/// [`CannotReplay`] and [`JournalError`]: it cannot be read, or does not hold what a replay needs.
pub fn verify(reader: &Reader, progress: &mut dyn FnMut(Progress)) -> anyhow::Result<Verdict> {
    let strategies = strategies();
    let mut player = Player::open(reader, &strategies).map_err(with_cure)?;
    let mut until_progress = PROGRESS_EVERY;
    let unlike = loop {
        match player.step(None).map_err(with_cure)? {
            Step::Same => {}
            Step::End => break None,
            Step::Other(unlike) => break Some(unlike),
        }
        until_progress -= 1;
        if until_progress == 0 {
            until_progress = PROGRESS_EVERY;
            progress(Progress {
                inputs: player.totals.inputs,
                seq: player.totals.last_seq,
                at: player.totals.last_at,
            });
        }
    };
    let difference = unlike.map(|unlike| name(reader, *unlike)).transpose();
    let has_market = player.has_market();
    let verdict = Verdict {
        other_builds: player.other_builds(),
        threads: player.threads(),
        difference: difference.map_err(|error| with_cure(error.into()))?,
        totals: player.totals,
    };
    ensure_something(&verdict, has_market)?;
    Ok(verdict)
}

/// Strategies as the desk builds them.
pub(super) fn strategies() -> impl Fn() -> StrategySource {
    StrategySource::built_in
}

/// A journal in which nothing could be compared is not called identical.
fn ensure_something(verdict: &Verdict, has_market: bool) -> Result<(), CannotReplay> {
    let totals = &verdict.totals;
    if totals.last_seq == 0 {
        return Err(CannotReplay {
            problem: "the journal holds no input".to_owned(),
            cure: "name the data folder of a desk that has run".to_owned(),
        });
    }
    let is_empty = !has_market || (totals.outcomes == 0 && totals.checkpoints == 0);
    if verdict.difference.is_none() && totals.passed_over > 0 && is_empty {
        return Err(CannotReplay {
            problem: "the journal does not hold the market data that its inputs need".to_owned(),
            cure: "keep journal/market-*.twj beside the truth; they are deleted after 24 hours or 8 GiB"
                .to_owned(),
        });
    }
    Ok(())
}

/// An error of reading, with what a person can do about it.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn with_cure(error: anyhow::Error) -> anyhow::Error {
    let fault = error.chain().find_map(|cause| cause.downcast_ref());
    let cure = fault.map_or("use the build that wrote it", JournalError::cure);
    anyhow::Error::new(CannotReplay {
        problem: format!("the journal cannot be replayed: {error:#}"),
        cure: cure.to_owned(),
    })
}

fn name(reader: &Reader, unlike: Unlike) -> Result<Difference, JournalError> {
    let (store, place) = unlike.input;
    let mut difference = Difference {
        seq: unlike.seq,
        at: unlike.at,
        what: "intent or event",
        since: None,
        record: Some(place.number),
        file: path_of(reader, store, place),
        offset: place.offset,
        recorded: None,
        came_out: None,
        causes: Vec::new(),
    };
    match unlike.what {
        What::Outcome { recorded, came_out } => {
            if let Some(recorded) = &recorded {
                difference.record = Some(recorded.place.number);
                difference.file = path_of(reader, StoreKind::Truth, recorded.place);
                difference.offset = recorded.place.offset;
            }
            let outcomes = [recorded.as_ref().map(|one| &one.outcome), came_out.as_ref()];
            let cause = outcomes.into_iter().flatten().find_map(cause_of);
            difference.causes = chain(reader, unlike.seq, cause)?;
            [difference.recorded, difference.came_out] = outcomes.map(|one| one.map(text));
        }
        What::State {
            place,
            since,
            part,
            recorded,
            came_out,
        } => {
            difference.what = "state";
            (difference.since, difference.record) = (Some(since), None);
            difference.file = Some(place.path().to_owned());
            difference.offset = place.offset();
            difference.recorded = Some(format!("digest {recorded:016x}"));
            difference.came_out = Some(format!("digest {came_out:016x}; first in {part}"));
        }
    }
    Ok(difference)
}

fn cause_of(outcome: &Outcome) -> Option<EventId> {
    match outcome {
        Outcome::Event(event) => event.cause,
        Outcome::Intent(_) => None,
    }
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Intent(intent) => format!("intent {}", json(serde_json::to_string(intent))),
        Outcome::Event(event) => format!("event {}", json(serde_json::to_string(event))),
    }
}
