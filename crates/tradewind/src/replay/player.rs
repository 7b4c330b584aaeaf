//! The loop of a replay: input by input, start by start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tradewind_driver::Driver;
use tradewind_engine::{Engine, EngineState, StrategySource};
use tradewind_events::{Configuration, Input, Lane};
use tradewind_journal::{JournalError, Reader, RecordPlace, SnapshotPlace, StoreKind};
use tradewind_model::{ManualClock, Timestamp};

use crate::app::recover_before;
use crate::replay::compare::{Nowhere, Outcomes};
use crate::replay::gaps::{Gaps, Missing};
use crate::replay::history::{Found, History, Outcome, RecordedOutcome};

/// Spans that are listed one by one; more are only counted.
const SPANS_MAX: usize = 32;

/// Builds strategies as the desk does.
pub(super) type Strategies<'a> = &'a dyn Fn() -> StrategySource;

/// Inputs that could not be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first missing input.
    pub first: u64,
    /// The last input that was passed over.
    pub last: u64,
}

/// What a replay has come through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Inputs that the engine was given.
    pub inputs: u64,
    /// Recorded intents and events that were compared.
    pub outcomes: u64,
    /// Snapshots that the whole state was compared with.
    pub checkpoints: u64,
    /// Starts of the desk.
    pub starts: u64,
    /// Inputs in spans that could not be compared.
    pub passed_over: u64,
    /// The first of those spans.
    pub spans: Vec<Span>,
    /// How many more there are.
    pub spans_more: u64,
    /// Inputs whose numbers are missing though nothing explains it.
    pub missing: Option<Missing>,
    /// The last input that was read.
    pub last_seq: u64,
    /// Its time.
    pub last_at: Timestamp,
}

/// What one step of a replay came to.
#[derive(Debug)]
pub(super) enum Step {
    /// An input was handled, and everything recorded for it was the same.
    Same,
    /// The journal is at its end, or at the moment up to which it is replayed.
    End,
    /// Something else came out.
    Other(Box<Unlike>),
}

/// The first thing that is not as it was recorded.
#[derive(Debug)]
pub(super) struct Unlike {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    /// Where the input lies.
    pub(super) input: (StoreKind, RecordPlace),
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// An intent or event, and where it was recorded.
    Outcome {
        recorded: Option<RecordedOutcome>,
        came_out: Option<Outcome>,
    },
    /// The state at a snapshot.
    State {
        place: SnapshotPlace,
        /// The input at which the state was the recorded one.
        since: u64,
        part: String,
        recorded: u64,
        came_out: u64,
    },
}

type Leg = Driver<Arc<ManualClock>, Outcomes, Nowhere>;

/// A journal being replayed.
pub(super) struct Player<'a> {
    reader: &'a Reader,
    strategies: Strategies<'a>,
    history: History,
    snapshots: BTreeMap<u64, Vec<SnapshotPlace>>,
    /// The next snapshot's input; read with each input.
    next_checkpoint: u64,
    /// The first number of the market data that is left.
    market_from: u64,
    /// The last number of the truth when it was opened: a desk may write on.
    truth_end: u64,
    gaps: Gaps,
    leg: Option<Leg>,
    /// The input at which the state was last known to be the recorded one.
    equal_at: u64,
    /// Where inputs are passed over: from which on, and after which a snapshot allows to continue.
    blind: Option<(u64, Option<u64>)>,
    /// The first input of this run whose outcomes were not written to their end.
    torn_from: Option<u64>,
    /// Whether the journal's first files were taken away.
    is_beginning_gone: bool,
    /// Bots whose strategies run in threads of their own.
    threads: BTreeSet<String>,
    pub(super) totals: Totals,
}

impl<'a> Player<'a> {
    /// Opens a journal at its beginning.
    pub(super) fn open(reader: &'a Reader, strategies: Strategies<'a>) -> anyhow::Result<Self> {
        Self::open_at(reader, strategies, None)
    }

    /// Opens a journal at the last snapshot that is not later than `at`, or at its beginning.
    pub(super) fn open_at(
        reader: &'a Reader,
        strategies: Strategies<'a>,
        at: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let mut snapshots: BTreeMap<u64, Vec<SnapshotPlace>> = BTreeMap::new();
        for place in reader.snapshots()? {
            snapshots.entry(place.seq()).or_default().push(place);
        }
        let places = snapshots.values().rev().flatten();
        let from = at.and_then(|at| places.into_iter().find(|place| place.at() <= at).cloned());
        let after = from.as_ref().map_or(0, SnapshotPlace::seq);
        let market_from = market_from(reader)?;
        let truth_end = reader.truth_end()?;
        let mut player = Self {
            reader,
            strategies,
            history: History::open(reader, after)?,
            snapshots,
            next_checkpoint: 0,
            market_from,
            truth_end,
            gaps: Gaps::new(after, market_from),
            leg: None,
            equal_at: after,
            blind: None,
            torn_from: None,
            is_beginning_gone: false,
            threads: BTreeSet::new(),
            totals: Totals::default(),
        };
        if from.is_some() {
            player.resume(after)?;
        }
        player.find_checkpoint(after);
        Ok(player)
    }

    /// The engine as of the last input; `None` where inputs before the next one are missing.
    pub(super) fn engine(&self) -> Option<&Engine> {
        self.leg.as_ref().map(Driver::engine)
    }

    /// Whether any file of market data is left.
    pub(super) const fn has_market(&self) -> bool {
        self.market_from < u64::MAX
    }

    /// Builds other than this one that wrote files which were read.
    pub(super) fn other_builds(&self) -> Vec<String> {
        let ours = |build: &&String| build.is_empty() || *build == env!("CARGO_PKG_VERSION");
        let builds = self.history.builds();
        builds.filter(|build| !ours(build)).cloned().collect()
    }

    /// Bots whose strategies ran in threads: their answers are taken from the journal.
    pub(super) fn threads(&self) -> Vec<String> {
        self.threads.iter().cloned().collect()
    }

    /// Handles the next input and compares what came out.
    pub(super) fn step(&mut self, until: Option<Timestamp>) -> anyhow::Result<Step> {
        while let Some((seq, at)) = self.history.peek()? {
            // Behind the end of the truth, what is missing is not written or not read yet.
            let is_over = seq > self.truth_end && self.gaps.is_behind_gap(seq);
            if is_over || until.is_some_and(|until| at > until) {
                if self.gaps.is_behind_gap(seq) {
                    self.leg = None;
                }
                break;
            }
            let Some(found) = self.history.next()? else {
                break;
            };
            let is_first = self.totals.last_seq == 0 && self.equal_at == 0;
            self.is_beginning_gone |= is_first && seq > 1;
            self.gaps.pass(seq, found.store == StoreKind::Market);
            (self.totals.last_seq, self.totals.last_at) = (seq, at);
            if let Input::Configured(configuration) = &found.input {
                self.note_threads(configuration);
                self.start(&found, is_first)?;
            } else if self.passes_over(seq)? {
                continue;
            }
            return self.play(found);
        }
        self.end_run(self.totals.last_seq);
        Ok(Step::End)
    }

    /// Begins a run with the engine that its start recovered.
    fn start(&mut self, first: &Found, is_first: bool) -> anyhow::Result<()> {
        self.end_run(first.seq - 1);
        let recovered = if is_first && first.seq > 1 {
            None
        } else {
            match recover_before(self.reader, first.place.file, self.strategies) {
                Ok(recovery) => Some(recovery),
                Err(_) if self.is_beginning_gone && self.totals.inputs == 0 => None,
                Err(error) => return Err(error),
            }
        };
        let Some(recovery) = recovered else {
            // The files before the first that is left were taken away: the next snapshot helps.
            self.leg = None;
            return self.passes_over(first.seq).map(drop);
        };
        let last_at = self.history.last_at_before(first.seq);
        let engine = recovery.finish(first.seq - 1, last_at);
        self.leg = Some(leg(engine));
        self.equal_at = first.seq - 1;
        self.totals.starts += 1;
        self.find_checkpoint(first.seq - 1);
        Ok(())
    }

    fn note_threads(&mut self, configuration: &Configuration) {
        let bots = configuration.bots.iter();
        let bots = bots.filter(|bot| bot.lane != Lane::Inline);
        self.threads.extend(bots.map(|bot| bot.name.clone()));
    }

    /// Whether an input cannot be handled because others before it are missing.
    fn passes_over(&mut self, seq: u64) -> anyhow::Result<bool> {
        if let Some((_, Some(resume_after))) = self.blind
            && seq > resume_after
        {
            self.end_blindness(resume_after);
            self.resume(resume_after)?;
        }
        let expected = self.leg.as_ref().map(|leg| leg.engine().seq() + 1);
        if expected == Some(seq) {
            return Ok(false);
        }
        if self.blind.is_none() {
            let first = expected.unwrap_or(seq);
            let after = (seq - 1).max(self.market_from.saturating_sub(1));
            let resume = self.snapshots.range(after..).next().map(|(seq, _)| *seq);
            self.blind = Some((first, resume));
            self.leg = None;
        }
        Ok(true)
    }

    /// Ends the run whose last input is `last`.
    fn end_run(&mut self, last: u64) {
        self.end_blindness(last);
        // The snapshot of a stop is of the last input.
        self.gaps.end_run(self.snapshots.contains_key(&last));
        self.totals.missing = self.gaps.unexplained();
    }

    fn end_blindness(&mut self, last: u64) {
        let blind = self.blind.take().map(|(first, _)| first);
        let first = blind.into_iter().chain(self.torn_from.take()).min();
        if let Some(first) = first.filter(|first| *first <= last) {
            self.totals.passed_over += last + 1 - first;
            if self.totals.spans.len() < SPANS_MAX {
                self.totals.spans.push(Span { first, last });
            } else {
                self.totals.spans_more += 1;
            }
        }
    }

    /// Continues from the snapshot of input `seq`.
    fn resume(&mut self, seq: u64) -> anyhow::Result<()> {
        let Some(place) = self.snapshots.get(&seq).and_then(|places| places.last()) else {
            return Ok(());
        };
        let state = EngineState::from_bytes(&self.reader.snapshot(place)?.bytes)?;
        let engine = Engine::restore((self.strategies)(), &state)?;
        self.note_threads(engine.configuration());
        self.leg = Some(leg(engine));
        self.equal_at = seq;
        self.find_checkpoint(seq);
        Ok(())
    }

    fn find_checkpoint(&mut self, after: u64) {
        let next = self.snapshots.range(after + 1..).next();
        self.next_checkpoint = next.map_or(u64::MAX, |(seq, _)| *seq);
    }

    fn play(&mut self, found: Found) -> anyhow::Result<Step> {
        let Found {
            seq,
            at,
            store,
            place,
            input,
        } = found;
        let Some(leg) = &mut self.leg else {
            return Ok(Step::Same);
        };
        leg.clock().advance_to(at);
        let Ok(()) = leg.handle(&input);
        self.totals.inputs += 1;
        let unlike = |what| {
            Ok(Step::Other(Box::new(Unlike {
                seq,
                at,
                input: (store, place),
                what,
            })))
        };
        let mut came_out = leg.journal().all().iter();
        loop {
            let recorded = self.history.outcome_of(seq)?;
            let came_out = came_out.next();
            match (recorded, came_out) {
                (None, None) => break,
                (Some(recorded), Some(came_out)) if recorded.outcome == *came_out => {
                    self.totals.outcomes += 1;
                }
                // What the process had not written yet when it died, or when it was read.
                (None, Some(_))
                    if self
                        .history
                        .behind()
                        .is_torn(seq, self.truth_end, &self.snapshots) =>
                {
                    self.torn_from.get_or_insert(seq);
                    break;
                }
                (recorded, came_out) => {
                    return unlike(What::Outcome {
                        recorded,
                        came_out: came_out.cloned(),
                    });
                }
            }
        }
        if seq == self.next_checkpoint {
            if let Some(what) = self.check_state(seq)? {
                return unlike(what);
            }
            self.find_checkpoint(seq);
        }
        Ok(Step::Same)
    }

    /// Compares the whole state with the snapshots of input `seq`.
    fn check_state(&mut self, seq: u64) -> anyhow::Result<Option<What>> {
        let Some(leg) = &self.leg else {
            return Ok(None);
        };
        let state = leg.engine().save();
        for place in self.snapshots.get(&seq).into_iter().flatten() {
            let recorded = EngineState::from_bytes(&self.reader.snapshot(place)?.bytes)?;
            self.totals.checkpoints += 1;
            if let Some(part) = recorded.difference(&state) {
                return Ok(Some(What::State {
                    place: place.clone(),
                    since: self.equal_at,
                    part,
                    recorded: recorded.digest(),
                    came_out: state.digest(),
                }));
            }
        }
        self.equal_at = seq;
        Ok(None)
    }
}

fn leg(engine: Engine) -> Leg {
    let clock = Arc::new(ManualClock::new(engine.now()));
    Driver::new(engine, clock, Outcomes::default(), Nowhere)
}

/// The first input whose market data is left: [`u64::MAX`] if there is none.
fn market_from(reader: &Reader) -> Result<u64, JournalError> {
    let mut records = reader.records(StoreKind::Market)?;
    let first = records.next().transpose()?;
    Ok(first.map_or(u64::MAX, |first| first.seq + 1))
}
