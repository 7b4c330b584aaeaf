//! The two stores of a journal as one sequence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tradewind_events::{Event, Input, Intent};
use tradewind_journal::{JournalError, Reader, Record, RecordPlace, Records, StoreKind};
use tradewind_model::Timestamp;

/// An input with where it lies.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) store: StoreKind,
    pub(super) place: RecordPlace,
    pub(super) input: Input,
}

/// What an input led to: something that was recorded, or that came out now.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Intent(Box<Intent>),
    Event(Box<Event>),
}

/// A recorded outcome with where it lies.
#[derive(Debug)]
pub(super) struct RecordedOutcome {
    pub(super) seq: u64,
    pub(super) place: RecordPlace,
    pub(super) outcome: Outcome,
}

/// What lies at the front of a store.
#[derive(Debug)]
enum Front {
    Input(Found),
    Outcome(RecordedOutcome),
}

impl Front {
    const fn seq(&self) -> u64 {
        match self {
            Self::Input(found) => found.seq,
            Self::Outcome(recorded) => recorded.seq,
        }
    }
}

/// A store being read; headers and snapshots are passed over.
#[derive(Debug)]
struct Side {
    records: Records,
    store: StoreKind,
    front: Option<Front>,
    /// The header's times of the files that were begun at the last first number: a start without an input leaves one.
    begun: (u64, Vec<Timestamp>),
    builds: BTreeSet<String>,
    /// The latest time of a record that was taken.
    last_at: Timestamp,
}

impl Side {
    fn open(reader: &Reader, store: StoreKind, after: u64) -> Result<Self, JournalError> {
        let mut side = Self {
            records: reader.records_after(store, after)?,
            store,
            front: None,
            begun: (0, Vec::new()),
            builds: BTreeSet::new(),
            last_at: Timestamp::EPOCH,
        };
        side.advance()?;
        Ok(side)
    }

    const fn seq(&self) -> u64 {
        match &self.front {
            Some(front) => front.seq(),
            None => u64::MAX,
        }
    }

    fn take(&mut self) -> Result<Option<Front>, JournalError> {
        let taken = self.front.take();
        self.advance()?;
        Ok(taken)
    }

    fn advance(&mut self) -> Result<(), JournalError> {
        if self.store == StoreKind::Market {
            // Its headers have the times of the truth's.
            let next = self.records.next_input()?;
            self.front = next.map(|(seq, at, input)| {
                Front::Input(Found {
                    seq,
                    at,
                    store: StoreKind::Market,
                    place: self.records.place(),
                    input,
                })
            });
            return Ok(());
        }
        while let Some(found) = self.records.next() {
            let found = found?;
            let (seq, at, place) = (found.seq, found.at, self.records.place());
            let outcome = match found.record {
                Record::Input(input) => {
                    self.front = Some(Front::Input(Found {
                        seq,
                        at,
                        store: StoreKind::Truth,
                        place,
                        input,
                    }));
                    return Ok(());
                }
                Record::Intent(intent) => Outcome::Intent(Box::new(intent)),
                Record::Event(event) => Outcome::Event(Box::new(event)),
                Record::Segment(header) => {
                    if self.begun.0 != header.first_seq {
                        self.begun = (header.first_seq, Vec::new());
                    }
                    self.begun.1.push(at);
                    self.builds.insert(header.build);
                    continue;
                }
                Record::Snapshot(_) => {
                    self.last_at = self.last_at.max(at);
                    continue;
                }
            };
            self.front = Some(Front::Outcome(RecordedOutcome {
                seq,
                place,
                outcome,
            }));
            return Ok(());
        }
        Ok(())
    }
}

/// What follows in the truth.
#[derive(Clone, Copy, Debug)]
pub(super) enum Behind {
    /// Nothing; whether the last record was not written to its end.
    End { is_torn: bool },
    /// The start with this number.
    Start(u64),
    /// Something of the same run.
    More,
}

impl Behind {
    /// Whether what else input `seq` led to may not have been written: nothing follows it in the truth of its run.
    pub(super) fn is_torn<T>(self, seq: u64, truth_end: u64, snapshots: &BTreeMap<u64, T>) -> bool {
        match self {
            Self::End { is_torn } => is_torn || seq > truth_end,
            Self::Start(next) => snapshots.range(seq..next).next().is_none(),
            Self::More => false,
        }
    }
}

/// Both stores, oldest first.
#[derive(Debug)]
pub(super) struct History {
    truth: Side,
    market: Side,
}

impl History {
    /// Everything that belongs to inputs behind `after`.
    pub(super) fn open(reader: &Reader, after: u64) -> Result<Self, JournalError> {
        Ok(Self {
            truth: Side::open(reader, StoreKind::Truth, after)?,
            market: Side::open(reader, StoreKind::Market, after)?,
        })
    }

    /// Number and time of the next input. Outcomes of inputs before it that were not taken are passed over.
    pub(super) fn peek(&mut self) -> Result<Option<(u64, Timestamp)>, JournalError> {
        loop {
            match &self.next_side().front {
                Some(Front::Input(next)) => return Ok(Some((next.seq, next.at))),
                Some(Front::Outcome(_)) => drop(self.next_side().take()?),
                None => return Ok(None),
            }
        }
    }

    /// The next input, as [`peek`](Self::peek) names it.
    pub(super) fn next(&mut self) -> Result<Option<Found>, JournalError> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        let side = self.next_side();
        let Some(Front::Input(found)) = side.take()? else {
            return Ok(None);
        };
        // The first input of a start does not belong to what that start found.
        if !matches!(found.input, Input::Configured(_)) {
            side.last_at = side.last_at.max(found.at);
        }
        Ok(Some(found))
    }

    const fn next_side(&mut self) -> &mut Side {
        // What a market input led to lies in the truth under the same number.
        if self.market.seq() <= self.truth.seq() {
            &mut self.market
        } else {
            &mut self.truth
        }
    }

    /// What follows in the truth.
    pub(super) fn behind(&self) -> Behind {
        match &self.truth.front {
            None => Behind::End {
                is_torn: !self.truth.records.torn().is_empty(),
            },
            Some(Front::Input(next)) if matches!(next.input, Input::Configured(_)) => {
                Behind::Start(next.seq)
            }
            Some(_) => Behind::More,
        }
    }

    /// The next recorded outcome of input `seq`, which was taken before.
    pub(super) fn outcome_of(&mut self, seq: u64) -> Result<Option<RecordedOutcome>, JournalError> {
        let is_its = matches!(&self.truth.front, Some(Front::Outcome(next)) if next.seq == seq);
        if !is_its {
            return Ok(None);
        }
        Ok(match self.truth.take()? {
            Some(Front::Outcome(recorded)) => Some(recorded),
            _ => None,
        })
    }

    /// The latest time in the journal before the start whose first input is `first`: what that start found.
    pub(super) fn last_at_before(&self, first: u64) -> Timestamp {
        let (seq, begun) = &self.truth.begun;
        // The last of them is of the start itself.
        let earlier = begun.len().saturating_sub(1);
        let headers = if *seq == first {
            &begun[..earlier]
        } else {
            &[]
        };
        let records = [self.truth.last_at, self.market.last_at];
        let times = headers.iter().copied().chain(records);
        times.max().unwrap_or(Timestamp::EPOCH)
    }

    /// The builds that wrote what was read, each once.
    pub(super) fn builds(&self) -> impl Iterator<Item = &String> {
        self.truth.builds.iter()
    }
}

/// The file of a record.
pub(super) fn path_of(reader: &Reader, store: StoreKind, place: RecordPlace) -> Option<PathBuf> {
    reader.path_of(store, place.file).ok().flatten()
}
