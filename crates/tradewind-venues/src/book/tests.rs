//! Steps, losses, bounds; and that no gap, repetition or change of order ever shows a wrong book.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradewind_model::{Price, Quantity};

use super::*;

fn level(price: i64, quantity: i64) -> Level {
    Level {
        price: Price(price),
        quantity: Quantity(quantity),
    }
}

fn levels(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Levels {
    let side = |pairs: &[(i64, i64)]| {
        pairs
            .iter()
            .map(|(price, quantity)| level(*price, *quantity))
            .collect()
    };
    Levels {
        bids: side(bids),
        asks: side(asks),
    }
}

fn book(levels_max: usize) -> OrderBook {
    OrderBook::new(InstrumentId(0), levels_max)
}

const fn after(previous: i64, this: i64) -> Step {
    Step::After { previous, this }
}

const fn next(number: u64) -> Step {
    Step::Next {
        number,
        cross: 1_000 + number,
    }
}

const fn span(first: u64, last: u64) -> Step {
    Step::Span { first, last }
}

fn start() -> Levels {
    levels(&[(10, 1), (9, 2)], &[(12, 3), (11, 4)])
}

#[test]
fn changes_insert_replace_and_remove() {
    let mut book = book(100);
    assert_eq!(book.update(after(5, 6), &start()), Outcome::Waiting);
    assert_eq!(book.snapshot(after(-1, 5), &start()), Outcome::Changed);
    let top = book.top(Timestamp::EPOCH).unwrap();
    assert_eq!(top.bids, [level(10, 1), level(9, 2)]);
    assert_eq!(top.asks, [level(11, 4), level(12, 3)]);
    let change = levels(&[(10, 0), (9, 7), (8, 1), (3, 0)], &[(11, 0)]);
    assert_eq!(book.update(after(5, 6), &change), Outcome::Changed);
    let top = book.top(Timestamp::EPOCH).unwrap();
    assert_eq!(top.bids, [level(9, 7), level(8, 1)]);
    assert_eq!(top.asks, [level(12, 3)]);
    assert_eq!(book.best(), (Some(level(9, 7)), Some(level(12, 3))));
}

#[test]
fn only_a_change_of_what_is_shown_is_one() {
    let mut book = book(100);
    let bids: Vec<(i64, i64)> = (1..=30).map(|price| (price, 1)).collect();
    book.snapshot(next(1), &levels(&bids, &[(40, 1)]));
    assert_eq!(book.top(Timestamp::EPOCH).unwrap().bids.len(), SHOWN);
    assert_eq!(
        book.update(next(2), &levels(&[(10, 5)], &[])),
        Outcome::Same
    );
    assert_eq!(
        book.update(next(3), &levels(&[(11, 5)], &[])),
        Outcome::Changed
    );
    assert_eq!(
        book.update(next(4), &levels(&[(11, 5)], &[])),
        Outcome::Same
    );
    assert_eq!(
        book.update(next(5), &levels(&[(30, 0)], &[])),
        Outcome::Changed
    );
}

#[test]
fn d01_a_gap_empties_the_book_until_the_next_snapshot() {
    for (first, gap, following) in [
        (span(1, 5), span(7, 8), span(9, 9)),
        (after(-1, 5), after(7, 8), after(8, 9)),
        (next(5), next(7), next(8)),
    ] {
        let mut book = book(100);
        book.snapshot(first, &start());
        let one = levels(&[(10, 5)], &[]);
        assert_eq!(book.update(gap, &one), Outcome::Lost(Loss::Gap), "{gap:?}");
        assert_eq!(book.top(Timestamp::EPOCH), None);
        assert_eq!(book.best(), (None, None));
        assert_eq!(book.update(following, &one), Outcome::Waiting);
        assert_eq!(book.snapshot(following, &start()), Outcome::Changed);
        assert_eq!(book.generation(), 2);
    }
}

#[test]
fn d03_repetitions_change_nothing() {
    for (first, second, third) in [
        (span(1, 5), span(6, 8), span(9, 9)),
        (after(-1, 5), after(5, 8), after(8, 9)),
        (next(5), next(6), next(7)),
    ] {
        let mut book = book(100);
        book.snapshot(first, &start());
        book.update(second, &levels(&[(10, 5)], &[]));
        book.update(third, &levels(&[(10, 6)], &[]));
        let before = book.top(Timestamp::EPOCH);
        for again in [second, third, second] {
            let outcome = book.update(again, &levels(&[(10, 5)], &[]));
            assert_eq!(outcome, Outcome::Repeated, "{again:?}");
        }
        assert_eq!(book.top(Timestamp::EPOCH), before);
    }
}

#[test]
fn okx_says_so_when_nothing_changed_and_when_it_counts_anew() {
    let mut book = book(100);
    book.snapshot(after(-1, 500), &start());
    let none = Levels::default();
    assert_eq!(book.update(after(500, 500), &none), Outcome::Same);
    assert_eq!(book.update(after(500, 500), &none), Outcome::Same);
    let reset = levels(&[(10, 9)], &[]);
    assert_eq!(book.update(after(500, 3), &reset), Outcome::Changed);
    assert_eq!(book.update(after(3, 4), &none), Outcome::Same);
    assert_eq!(book.update(after(500, 500), &none), Outcome::Repeated);
    // Had the reset been lost, what follows it must not pass for a repetition.
    let mut other = self::book(100);
    other.snapshot(after(-1, 500), &start());
    assert_eq!(other.update(after(3, 4), &reset), Outcome::Lost(Loss::Gap));
}

#[test]
fn bybit_starts_over_with_a_snapshot_and_a_lost_one_is_noticed() {
    let mut book = book(100);
    book.snapshot(next(900), &start());
    book.update(next(901), &levels(&[(10, 2)], &[]));
    assert_eq!(book.snapshot(next(1), &start()), Outcome::Changed);
    assert_eq!(
        book.update(next(2), &levels(&[(10, 3)], &[])),
        Outcome::Changed
    );
    let mut other = self::book(100);
    other.snapshot(next(900), &start());
    let lost = other.update(next(2), &levels(&[(10, 3)], &[]));
    assert_eq!(lost, Outcome::Lost(Loss::Gap));
}

#[test]
fn d05_a_crossed_or_locked_book_is_not_shown() {
    for crossing in [&[(11, 1)][..], &[(12, 1)]] {
        let mut book = book(100);
        book.snapshot(next(1), &start());
        let outcome = book.update(next(2), &levels(crossing, &[]));
        assert_eq!(outcome, Outcome::Lost(Loss::Crossed));
        assert_eq!(book.top(Timestamp::EPOCH), None);
    }
    let crossed = levels(&[(12, 1)], &[(12, 1)]);
    assert_eq!(
        book(100).snapshot(next(1), &crossed),
        Outcome::Lost(Loss::Crossed)
    );
}

#[test]
fn levels_beyond_the_bound_are_given_up_and_missed_before_they_show() {
    let mut book = book(30);
    let bids: Vec<(i64, i64)> = (1..=40).map(|price| (price, 1)).collect();
    book.snapshot(next(1), &levels(&bids, &[(1_000, 1)]));
    assert_eq!(book.bids().len(), 30);
    assert_eq!(book.best().0, Some(level(40, 1)));
    let more: Vec<(i64, i64)> = (41..=900).map(|price| (price, 1)).collect();
    book.update(next(2), &levels(&more, &[]));
    assert!(book.bids().len() < 30 + 100, "{}", book.bids().len());
    let kept: Vec<i64> = book.bids().map(|level| level.price.0).collect();
    let gone: Vec<(i64, i64)> = kept.iter().map(|price| (*price, 0)).collect();
    let (gone, last) = gone.split_at(kept.len() - SHOWN);
    assert_ne!(
        book.update(next(3), &levels(gone, &[])),
        Outcome::Lost(Loss::Thin)
    );
    let outcome = book.update(next(4), &levels(&last[..1], &[]));
    assert_eq!(outcome, Outcome::Lost(Loss::Thin));
}

#[test]
fn a_snapshot_says_a_price_twice_or_nothing() {
    let mut book = book(100);
    book.snapshot(next(1), &levels(&[(5, 1), (5, 2), (4, 0)], &[]));
    assert_eq!(book.bids().collect::<Vec<_>>(), [level(5, 2)]);
    assert_eq!(book.asks().len(), 0);
    let quote = book.best();
    assert_eq!(quote, (Some(level(5, 2)), None));
}

/// A venue's book, kept in the plainest way, and each of its messages.
struct Venue {
    sides: [BTreeMap<i64, i64>; 2],
    number: u64,
}

impl Venue {
    fn new() -> Self {
        Self {
            sides: [BTreeMap::from([(500, 1)]), BTreeMap::from([(501, 1)])],
            number: 10,
        }
    }

    fn change(&mut self, moves: &[(bool, u8, u8)]) -> Levels {
        let mut change = Levels::default();
        for (is_bid, away, quantity) in moves {
            let quantity = i64::from(quantity % 4);
            let (side, price, into) = if *is_bid {
                (0, 500 - i64::from(*away), &mut change.bids)
            } else {
                (1, 501 + i64::from(*away), &mut change.asks)
            };
            self.sides[side].remove(&price);
            if quantity > 0 {
                self.sides[side].insert(price, quantity);
            }
            into.push(level(price, quantity));
        }
        self.number += 1;
        change
    }

    fn whole(&self) -> Levels {
        let side = |side: &BTreeMap<i64, i64>| {
            side.iter()
                .map(|(price, size)| level(*price, *size))
                .collect()
        };
        Levels {
            bids: side(&self.sides[0]),
            asks: side(&self.sides[1]),
        }
    }
}

/// The steps of one message, by the rules of three venues.
fn steps(number: u64) -> [Step; 3] {
    let signed = i64::try_from(number).unwrap();
    [
        span(number * 3 - 2, number * 3),
        after(signed * 5 - 5, signed * 5),
        next(number),
    ]
}

type Moves = Vec<(bool, u8, u8)>;

proptest! {
    /// Messages are dropped, said again and swapped: the book is the venue's at some moment, or is not shown at all; and a
    /// message that never comes is noticed by the next one that does.
    #[test]
    fn whatever_the_wire_does_a_shown_book_was_the_venues(
        history in proptest::collection::vec(proptest::collection::vec(any::<(bool, u8, u8)>(), 0..6), 1..40),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 0..40),
        rule in 0_usize..3,
    ) {
        let history: Vec<Moves> = history;
        let mut venue = Venue::new();
        let mut sent = vec![(steps(venue.number)[rule], venue.whole(), venue.whole())];
        for moves in &history {
            let change = venue.change(moves);
            sent.push((steps(venue.number)[rule], change, venue.whole()));
        }
        let mut arriving: Vec<usize> = (1..sent.len()).collect();
        for (at, what) in &order {
            if arriving.is_empty() {
                break;
            }
            let at = at.index(arriving.len());
            match what {
                0 => { arriving.remove(at); }
                1 => arriving.insert(at, arriving[at]),
                2 => { let moved = arriving.remove(at); arriving.push(moved); }
                _ => {}
            }
        }
        let mut book = book(1_000);
        let (step, snapshot, _) = &sent[0];
        book.snapshot(*step, snapshot);
        let mut at = 0;
        for number in arriving {
            let (step, change, _) = &sent[number];
            match book.update(*step, change) {
                Outcome::Changed | Outcome::Same => {
                    prop_assert_eq!(number, at + 1, "taken out of order");
                    at = number;
                }
                Outcome::Repeated => prop_assert!(number <= at),
                Outcome::Lost(why) => {
                    prop_assert_eq!(why, Loss::Gap);
                    prop_assert_ne!(number, at + 1);
                    prop_assert_eq!(book.top(Timestamp::EPOCH), None);
                    return Ok(());
                }
                Outcome::Waiting => prop_assert!(false, "there was a snapshot"),
            }
            let whole = &sent[at].2;
            prop_assert_eq!(book.bids().collect::<Vec<_>>(), whole.bids.iter().rev().copied().collect::<Vec<_>>());
            prop_assert_eq!(book.asks().collect::<Vec<_>>(), whole.asks.clone());
            let top = book.top(Timestamp::EPOCH).unwrap();
            prop_assert_eq!(top.bids, book.bids().take(SHOWN).collect::<Vec<_>>());
            prop_assert_eq!(top.asks, book.asks().take(SHOWN).collect::<Vec<_>>());
        }
    }
}
