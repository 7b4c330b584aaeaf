//! The market behind a venue that `feed_server.rs` plays: one book for each instrument, deep and never still, and a log of its steps.
//!
//! Independent of the desk's own matching and books on purpose: levels are sorted maps of whole numbers. It has no clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::feed_words::BASES;

/// Levels of a side, at least and when all are there.
pub(crate) const LEVELS_MIN: usize = 64;
const LEVELS_MAX: u64 = 96;
/// Of the best levels one changes in each step; further ones change anywhere.
const NEAR: usize = 3;
const CHANGES: usize = 5;
/// The middle of the first instrument in tenths, and how far apart the instruments' are.
const MIDDLE: u64 = 600_010;
const APART: u64 = 1_000;
/// Steps that are kept for connections that are late.
const KEPT: usize = 600;

/// Quantities in units of 1e-8 by prices in tenths.
pub(crate) type Side = BTreeMap<u64, u64>;

/// Both sides of a book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) bids: Side,
    pub(crate) asks: Side,
}

impl Book {
    /// Bids, then asks, the best first.
    pub(crate) fn best_first(&self) -> [Vec<(u64, u64)>; 2] {
        let pair = |(price, size): (&u64, &u64)| (*price, *size);
        [
            self.bids.iter().rev().map(pair).collect(),
            self.asks.iter().map(pair).collect(),
        ]
    }

    const fn side(&mut self, is_bid: bool) -> &mut Side {
        if is_bid {
            &mut self.bids
        } else {
            &mut self.asks
        }
    }

    /// The best levels of each side.
    pub(crate) fn top(&self, levels: usize) -> Self {
        let [bids, asks] = self.best_first();
        Self {
            bids: bids.into_iter().take(levels).collect(),
            asks: asks.into_iter().take(levels).collect(),
        }
    }

    /// What makes this book of `before`: levels that are new or other, and those that are gone with a quantity of 0.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let side = |now: &Side, before: &Side| {
            let gone = before.keys().filter(|price| !now.contains_key(price));
            let other = now
                .iter()
                .filter(|(price, size)| before.get(price) != Some(size));
            let other = other.map(|(price, size)| (*price, *size));
            gone.map(|price| (*price, 0)).chain(other).collect()
        };
        Self {
            bids: side(&self.bids, &before.bids),
            asks: side(&self.asks, &before.asks),
        }
    }
}

/// A match: the number of its trade, whether the taker bought, the price and the quantity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) number: u64,
    pub(crate) is_buy: bool,
    pub(crate) price: u64,
    pub(crate) size: u64,
}

/// A moment of one instrument.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) before: Arc<Book>,
    pub(crate) now: Arc<Book>,
    pub(crate) matched: Option<Match>,
    /// Its place among the steps, and the number of its last change with that of the one before: these have holes.
    pub(crate) step: u64,
    pub(crate) number: u64,
    pub(crate) previous: u64,
}

/// A step of all instruments, in the order of [`BASES`].
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) at: u64,
    /// Nobody is sent it.
    pub(crate) is_left_out: bool,
    pub(crate) moments: Vec<Moment>,
}

#[derive(Debug)]
struct Instrument {
    /// The best price that a bid may have.
    middle: u64,
    book: Arc<Book>,
    /// What changed in the last step rests in the next one, so that a step that is left out cannot be made good by the next.
    rests: BTreeSet<u64>,
    number: u64,
    /// The number of its last trade.
    trades: u64,
}

impl Instrument {
    /// The price so far away from the best one that a side may have.
    const fn price(&self, is_bid: bool, away: u64) -> u64 {
        if is_bid {
            self.middle - away
        } else {
            self.middle + 1 + away
        }
    }
}

/// All instruments of a venue.
#[derive(Debug)]
pub(crate) struct Market {
    state: u64,
    at: u64,
    instruments: Vec<Instrument>,
    log: VecDeque<Arc<Step>>,
}

impl Market {
    pub(crate) fn new() -> Self {
        let mut market = Self {
            state: 7,
            at: 1,
            instruments: Vec::new(),
            log: VecDeque::new(),
        };
        for place in 0..BASES.len() as u64 {
            let middle = MIDDLE + APART * place;
            let mut book = Book::default();
            for away in 0..LEVELS_MAX {
                book.bids.insert(middle - away, market.size());
                book.asks.insert(middle + 1 + away, market.size());
            }
            market.instruments.push(Instrument {
                middle,
                book: Arc::new(book),
                rests: BTreeSet::new(),
                number: 100,
                trades: 1_000,
            });
        }
        market.log(false, |_, one| (one.book.as_ref().clone(), None));
        market
    }

    /// The steps after a number, the oldest first.
    pub(crate) fn since(&self, at: u64) -> Vec<Arc<Step>> {
        let later = self.log.iter().filter(|step| step.at > at);
        later.cloned().collect()
    }

    /// The number of the last step.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// The book of an instrument as it is now.
    pub(crate) fn book(&self, base: &str) -> Arc<Book> {
        let place = BASES.iter().position(|one| *one == base).unwrap();
        Arc::clone(&self.instruments[place].book)
    }

    /// Levels change, vanish and come back, and somebody takes. `prices` are the first instrument's best bid and ask, if they are given.
    pub(crate) fn step(&mut self, is_left_out: bool, prices: Option<[u64; 2]>) {
        let mut prices = prices;
        self.log(is_left_out, |market, one| {
            let mut book = one.book.as_ref().clone();
            if let Some([bid, ask]) = prices.take() {
                market.move_to(&mut book, one, bid, ask);
                return (book, None);
            }
            let matched = market.take(&mut book, one);
            for is_bid in [true, false] {
                market.change(&mut book, one, is_bid);
            }
            (book, matched)
        });
    }

    /// Nothing changes, and that is a step, too.
    pub(crate) fn rest(&mut self) {
        self.log(false, |_, one| (one.book.as_ref().clone(), None));
    }

    /// So many of the best levels of each side vanish, but the last `left` stay.
    pub(crate) fn peel(&mut self, levels: usize, left: usize) {
        self.log(false, |_, one| {
            let [bids, asks] = one.book.best_first();
            let left = |side: Vec<(u64, u64)>| {
                let gone = levels.min(side.len().saturating_sub(left));
                side.into_iter().skip(gone).collect()
            };
            let book = Book {
                bids: left(bids),
                asks: left(asks),
            };
            (book, None)
        });
    }

    fn log(
        &mut self,
        is_left_out: bool,
        mut each: impl FnMut(&mut Self, &mut Instrument) -> (Book, Option<Match>),
    ) {
        self.at += 1;
        let mut instruments = std::mem::take(&mut self.instruments);
        let moments = instruments.iter_mut().map(|one| {
            let (now, matched) = each(self, one);
            let before = std::mem::replace(&mut one.book, Arc::new(now));
            let changed = one.book.since(&before);
            let previous = one.number;
            one.rests = changed
                .bids
                .into_keys()
                .chain(changed.asks.into_keys())
                .collect();
            if !one.rests.is_empty() {
                one.number += 1 + self.draw(4);
            }
            Moment {
                before,
                now: Arc::clone(&one.book),
                matched,
                step: self.at,
                number: one.number,
                previous,
            }
        });
        let moments = moments.collect();
        self.instruments = instruments;
        self.log.push_back(Arc::new(Step {
            at: self.at,
            is_left_out,
            moments,
        }));
        if self.log.len() > KEPT {
            self.log.pop_front();
        }
    }

    /// A taker's order meets the best level of the other side, unless that rests.
    fn take(&mut self, book: &mut Book, one: &mut Instrument) -> Option<Match> {
        let is_buy = self.draw(2) == 0;
        let side = book.side(!is_buy);
        let best = if is_buy {
            side.first_entry()
        } else {
            side.last_entry()
        };
        let mut best = best.filter(|level| !one.rests.contains(level.key()))?;
        let (price, there) = (*best.key(), *best.get());
        let size = 1 + self.draw(there);
        if size == there {
            best.remove();
        } else {
            *best.get_mut() -= size;
        }
        one.trades += 1;
        Some(Match {
            number: one.trades,
            is_buy,
            price,
            size,
        })
    }

    /// One of the best levels gets another quantity or vanishes, and so do others, or they come back.
    fn change(&mut self, book: &mut Book, one: &Instrument, is_bid: bool) {
        let near: Vec<u64> = {
            let [bids, asks] = book.best_first();
            let best = if is_bid { bids } else { asks };
            let prices = best.into_iter().map(|(price, _)| price);
            let awake = prices.filter(|price| !one.rests.contains(price));
            awake.take(NEAR).collect()
        };
        let first = near[usize::try_from(self.draw(near.len() as u64)).unwrap()];
        let mut prices = vec![first];
        prices.extend((0..CHANGES).map(|_| one.price(is_bid, self.draw(LEVELS_MAX))));
        for price in prices {
            if one.rests.contains(&price) {
                continue;
            }
            let size = self.size();
            let vanishes = self.draw(3) == 0;
            let side = book.side(is_bid);
            if vanishes && side.len() > LEVELS_MIN {
                side.remove(&price);
            } else {
                side.insert(price, size);
            }
        }
        // After a peel, or where much vanished, levels come back.
        for away in 0..LEVELS_MAX {
            let price = one.price(is_bid, away);
            let side = book.side(is_bid);
            if side.len() >= LEVELS_MIN {
                break;
            }
            if !one.rests.contains(&price) {
                let size = self.size();
                side.entry(price).or_insert(size);
            }
        }
    }

    /// The book is another one, with this best bid and ask.
    fn move_to(&mut self, book: &mut Book, one: &mut Instrument, bid: u64, ask: u64) {
        one.middle = bid;
        for (side, first, sign) in [(&mut book.bids, bid, -1), (&mut book.asks, ask, 1_i64)] {
            side.clear();
            for away in 0..LEVELS_MAX.cast_signed() {
                side.insert(first.strict_add_signed(sign * away), self.size());
            }
        }
    }

    fn size(&mut self) -> u64 {
        // Some are so small that their decimals are written with an exponent.
        if self.draw(40) == 0 {
            return 1 + self.draw(9);
        }
        1 + self.draw(500_000_000)
    }

    /// A number below `below`: a xorshift, always the same.
    fn draw(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below.max(1)
    }
}

#[test]
fn levels_vanish_and_come_back_and_sides_never_meet() {
    let mut market = Market::new();
    let (mut gone, mut back, mut trades) = (BTreeSet::new(), 0, 0);
    for _ in 0..2_000 {
        market.step(false, None);
        let step = market.since(market.at() - 1);
        for moment in &step[0].moments {
            assert!(
                moment.now.bids.len() >= LEVELS_MIN - 1 && moment.now.asks.len() >= LEVELS_MIN - 1
            );
            assert!(
                moment.now.bids.last_key_value().unwrap().0
                    < moment.now.asks.first_key_value().unwrap().0
            );
            trades += usize::from(moment.matched.is_some());
        }
        let moment = &step[0].moments[0];
        for (price, size) in moment.now.since(&moment.before).bids {
            if size == 0 {
                gone.insert(price);
            } else if gone.remove(&price) {
                back += 1;
            }
        }
    }
    assert!(back > 100 && trades > 1_000, "{back} {trades}");
    for _ in 0..9 {
        market.peel(18, 20);
    }
    assert_eq!(
        [
            market.book("BTC").asks.len(),
            market.book("LINK").bids.len()
        ],
        [20, 20]
    );
}
