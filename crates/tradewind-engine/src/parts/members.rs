//! The members of a bot's universe, and the closed days of its candidates that they are chosen by.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Day, InstrumentId, Timestamp, Universe};

const DAY: Duration = Duration::from_secs(86_400);

/// Which of a bot's instruments it may enter. Empty for a bot without a universe.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Members {
    /// By the bot's slots.
    candidates: Vec<Candidate>,
    /// By the bot's slots, whether each is a member.
    by_slot: Vec<bool>,
    /// The members, the first by the ranking first.
    chosen: Vec<InstrumentId>,
    as_of: Option<Timestamp>,
    changed_at: Option<Timestamp>,
}

/// The days of one instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Candidate {
    /// When its first known day began.
    first: Option<Timestamp>,
    /// The newest days, oldest first: one more than the ranking needs, since a choice may be of the day before.
    days: VecDeque<Day>,
}

/// What a choice changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) members: Vec<InstrumentId>,
    pub(crate) joined: Vec<InstrumentId>,
    pub(crate) left: Vec<InstrumentId>,
}

impl Members {
    pub(crate) const fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.chosen.is_empty() && self.as_of.is_none()
    }

    /// Keeps a closed day of a candidate. One that is not newer than the last is known already.
    pub(crate) fn note(&mut self, slot: usize, day: Day, universe: &Universe) {
        if slot >= self.candidates.len() {
            self.candidates.resize_with(slot + 1, Candidate::default);
        }
        let candidate = &mut self.candidates[slot];
        let newest = candidate.days.back();
        if newest.is_some_and(|newest| newest.open_time >= day.open_time) {
            return;
        }
        candidate.first.get_or_insert(day.open_time);
        candidate.days.push_back(day);
        while candidate.days.len() > universe.by.candles() as usize + 1 {
            candidate.days.pop_front();
        }
    }

    /// Chooses members of candidates, each with its slot, by the days up to `midnight`; `None` if that changes nothing.
    pub(crate) fn choose(
        &mut self,
        universe: &Universe,
        candidates: impl Iterator<Item = (usize, InstrumentId)>,
        midnight: Timestamp,
    ) -> Option<Choice> {
        self.as_of = Some(midnight);
        let valued = candidates.filter_map(|(slot, instrument)| {
            let candidate = self.candidates.get_mut(slot)?;
            let value = candidate.value(universe, midnight)?;
            Some((value, instrument))
        });
        let mut valued: Vec<(f64, InstrumentId)> = valued.collect();
        // Sorting keeps the order of equal ones.
        valued.sort_by(|one, other| other.0.total_cmp(&one.0));
        let members: Vec<InstrumentId> = valued
            .into_iter()
            .map(|(_, instrument)| instrument)
            .take(universe.top as usize)
            .collect();
        if members == self.chosen {
            return None;
        }
        let without = |of: &[InstrumentId], known: &[InstrumentId]| {
            let mut of = of.to_vec();
            of.retain(|one| !known.contains(one));
            of
        };
        Some(Choice {
            joined: without(&members, &self.chosen),
            left: without(&self.chosen, &members),
            members,
        })
    }

    /// Takes members over. `slots` are the instruments of all slots of the bot.
    pub(crate) fn set(
        &mut self,
        members: &[InstrumentId],
        slots: impl Iterator<Item = InstrumentId>,
        at: Timestamp,
    ) {
        self.by_slot = slots.map(|one| members.contains(&one)).collect();
        self.chosen = members.to_vec();
        self.changed_at = Some(at);
    }

    /// Whether each slot is a member; a slot behind the end is none.
    pub(crate) fn by_slot(&self) -> &[bool] {
        &self.by_slot
    }

    pub(crate) fn contains(&self, slot: usize) -> bool {
        self.by_slot.get(slot).copied().unwrap_or_default()
    }

    pub(crate) fn chosen(&self) -> &[InstrumentId] {
        &self.chosen
    }

    pub(crate) const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    pub(crate) const fn changed_at(&self) -> Option<Timestamp> {
        self.changed_at
    }
}

impl Candidate {
    /// Its value if it was listed up to `midnight`, is old enough, and every day of the ranking is there.
    fn value(&mut self, universe: &Universe, midnight: Timestamp) -> Option<f64> {
        let count = universe.by.candles();
        let is_old = self.first? <= midnight - universe.min_age;
        let first = midnight - DAY * count;
        let days = self.days.make_contiguous();
        let end = days.partition_point(|day| day.open_time < midnight);
        let days = days.get(end.checked_sub(count as usize)?..end)?;
        let is_whole = days.first()?.open_time == first
            && days.last()?.open_time + DAY == midnight
            && days.len() == count as usize;
        (is_old && is_whole)
            .then(|| universe.by.value(days))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(index: i64, turnover: f64) -> Day {
        Day {
            open_time: Timestamp::from_secs(index * 86_400),
            turnover,
            close: 1.0,
        }
    }

    fn universe(top: u32, age: u64) -> Universe {
        Universe {
            top,
            by: "volume 2d".parse().unwrap(),
            min_age: DAY * u32::try_from(age).unwrap(),
        }
    }

    fn ids(ids: &[u32]) -> Vec<InstrumentId> {
        ids.iter().copied().map(InstrumentId).collect()
    }

    /// Candidates by their first day, their last day and what they turn over a day.
    fn chosen(universe: &Universe, candidates: &[(i64, i64, f64)], midnight: i64) -> Vec<u32> {
        let mut members = Members::default();
        for (slot, (first, last, turnover)) in candidates.iter().enumerate() {
            for index in *first..=*last {
                members.note(slot, day(index, *turnover), universe);
            }
        }
        let all = (0..candidates.len()).zip((0..).map(InstrumentId));
        let at = Timestamp::from_secs(midnight * 86_400);
        let choice = members.choose(universe, all, at);
        choice.map_or_else(Vec::new, |choice| {
            choice.members.iter().map(|one| one.0).collect()
        })
    }

    #[test]
    fn the_largest_are_chosen_of_those_that_are_listed_and_old_enough() {
        let all = [
            (0, 9, 1.0),
            (0, 9, 3.0),
            (0, 8, 9.0),
            (7, 9, 8.0),
            (0, 9, 3.0),
        ];
        // The third ended a day ago; the fourth is three days old.
        assert_eq!(chosen(&universe(9, 0), &all, 10), [3, 1, 4, 0]);
        assert_eq!(chosen(&universe(9, 3), &all, 10), [3, 1, 4, 0]);
        assert_eq!(chosen(&universe(9, 4), &all, 10), [1, 4, 0]);
        assert_eq!(chosen(&universe(2, 4), &all, 10), [1, 4]);
        assert_eq!(chosen(&universe(9, 0), &all, 11), [0_u32; 0]);
        // A choice of the day before, when the last day has come already.
        assert_eq!(chosen(&universe(9, 0), &all, 9), [2, 3, 1, 4, 0]);
    }

    #[test]
    fn a_missing_day_leaves_a_candidate_out() {
        let (universe, mut members) = (universe(1, 0), Members::default());
        for index in [0, 1, 3] {
            members.note(0, day(index, 1.0), &universe);
        }
        let at = Timestamp::from_secs(4 * 86_400);
        let all = [(0, InstrumentId(0))].into_iter();
        assert_eq!(members.choose(&universe, all.clone(), at), None);
        members.note(0, day(4, 1.0), &universe);
        let at = Timestamp::from_secs(5 * 86_400);
        assert!(members.choose(&universe, all, at).is_some());
    }

    #[test]
    fn a_choice_names_who_joined_and_who_left() {
        let (universe, mut members) = (universe(2, 0), Members::default());
        members.set(&ids(&[0, 7]), ids(&[0, 1, 7]).into_iter(), Timestamp::EPOCH);
        assert_eq!(members.by_slot(), [true, false, true]);
        for (slot, turnover) in [(0, 1.0), (1, 2.0), (2, 0.5)] {
            (0..2).for_each(|index| members.note(slot, day(index, turnover), &universe));
        }
        let all = (0..).zip(ids(&[0, 1, 7]));
        let choice = members.choose(&universe, all, Timestamp::from_secs(2 * 86_400));
        let wanted = Choice {
            members: ids(&[1, 0]),
            joined: ids(&[1]),
            left: ids(&[7]),
        };
        assert_eq!(choice, Some(wanted));
    }
}
