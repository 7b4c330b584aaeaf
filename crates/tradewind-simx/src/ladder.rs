//! The market model's visible liquidity: levels on both sides, best first.

use serde::{Deserialize, Serialize};
use tradewind_model::{Depth, Level, Price, Quantity, Quote, Side};

use crate::config::FillModel;

/// Most levels held of each side.
const LEVELS_MAX: usize = 64;

/// What the market offers and asks for. Never crossed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ladder {
    bids: Vec<Level>,
    asks: Vec<Level>,
    /// Whether the market ever told more than its touch; if not, a level that is no touch any more is not believed.
    deep: bool,
    /// Whether an empty level is a level. It is for a model that does not look at sizes.
    empty_counts: bool,
}

impl Ladder {
    /// No levels yet.
    pub(crate) fn new(model: FillModel) -> Self {
        Self {
            empty_counts: model == FillModel::QuoteTouch,
            ..Self::default()
        }
    }

    /// Makes the touch this; deeper levels stay if the market tells of such.
    pub(crate) fn set_quote(&mut self, quote: &Quote) {
        let (bid, ask) = (quote.bid, quote.ask);
        if self.deep {
            set_best(
                &mut self.bids,
                Level {
                    price: bid,
                    quantity: quote.bid_quantity,
                },
                |level| level.price > bid,
            );
            set_best(
                &mut self.asks,
                Level {
                    price: ask,
                    quantity: quote.ask_quantity,
                },
                |level| level.price < ask,
            );
            // A touch that jumped over the other side's deeper levels has eaten them.
            self.bids.retain(|level| level.price < ask);
            self.asks.retain(|level| level.price > bid);
        } else {
            set_only(
                &mut self.bids,
                Level {
                    price: bid,
                    quantity: quote.bid_quantity,
                },
            );
            set_only(
                &mut self.asks,
                Level {
                    price: ask,
                    quantity: quote.ask_quantity,
                },
            );
        }
        if !self.empty_counts {
            remove_empty(&mut self.bids);
            remove_empty(&mut self.asks);
        }
    }

    /// Makes the levels these. Says no to levels out of order, crossed or not positive, and then stays as it was.
    #[must_use]
    pub(crate) fn set_levels(&mut self, depth: &Depth) -> bool {
        let positive = |level: &Level| level.price.0 > 0 && level.quantity.0 > 0;
        let sound = depth.bids.iter().chain(&depth.asks).all(positive)
            && depth
                .bids
                .is_sorted_by(|better, worse| better.price > worse.price)
            && depth
                .asks
                .is_sorted_by(|better, worse| better.price < worse.price);
        let crossed = depth
            .bids
            .first()
            .zip(depth.asks.first())
            .is_some_and(|(bid, ask)| bid.price >= ask.price);
        if !sound || crossed {
            return false;
        }
        self.deep = true;
        for (mine, new) in [(&mut self.bids, &depth.bids), (&mut self.asks, &depth.asks)] {
            mine.clear();
            mine.extend(new.iter().take(LEVELS_MAX));
        }
        true
    }

    /// How much waits at `price` beside an order of `side`; `i64::MAX` if the market does not show that far.
    pub(crate) fn waiting_at(&self, side: Side, price: Price) -> i64 {
        let levels = self.side(side.opposite());
        let is_better = |level: &Level| {
            if side == Side::Buy {
                level.price > price
            } else {
                level.price < price
            }
        };
        match levels.iter().find(|level| !is_better(level)) {
            Some(level) if level.price == price => level.quantity.0,
            Some(_) => 0,
            None if levels.is_empty() => 0,
            None => i64::MAX,
        }
    }

    /// Uses up `quantity` at `price` of what an order of side `taker` takes.
    pub(crate) fn take(&mut self, taker: Side, price: Price, quantity: Quantity) {
        let levels = self.side_mut(taker);
        let Some(index) = levels.iter().position(|level| level.price == price) else {
            return;
        };
        levels[index].quantity -= quantity;
        if levels[index].quantity.0 <= 0 {
            levels.remove(index);
        }
    }

    /// The levels an order of side `taker` takes from, best first.
    pub(crate) fn side(&self, taker: Side) -> &[Level] {
        match taker {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        }
    }

    /// The best of [`side`](Self::side).
    pub(crate) fn best(&self, taker: Side) -> Option<Level> {
        self.side(taker).first().copied()
    }

    fn side_mut(&mut self, taker: Side) -> &mut Vec<Level> {
        match taker {
            Side::Buy => &mut self.asks,
            Side::Sell => &mut self.bids,
        }
    }
}

/// A quote may tell of a price at which nothing is left.
fn remove_empty(levels: &mut Vec<Level>) {
    if levels.first().is_some_and(|level| level.quantity.0 <= 0) {
        levels.remove(0);
    }
}

fn set_only(levels: &mut Vec<Level>, best: Level) {
    if let Some(only) = levels.first_mut() {
        *only = best;
    } else {
        levels.push(best);
    }
}

fn set_best(levels: &mut Vec<Level>, best: Level, better: impl Fn(&Level) -> bool) {
    let gone = levels.iter().take_while(|level| better(level)).count();
    levels.drain(..gone);
    match levels.first_mut() {
        Some(first) if first.price == best.price => *first = best,
        _ => {
            levels.truncate(LEVELS_MAX - 1);
            levels.insert(0, best);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{InstrumentId, Timestamp};

    type Rows = &'static [(i64, i64)];

    fn levels(list: &[(i64, i64)]) -> Vec<Level> {
        list.iter()
            .map(|&(price, quantity)| Level {
                price: Price(price),
                quantity: Quantity(quantity),
            })
            .collect()
    }

    fn quote(bid: i64, ask: i64) -> Quote {
        Quote {
            instrument: InstrumentId(0),
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: Quantity(7),
            ask_quantity: Quantity(7),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    fn deep() -> Ladder {
        let (bids, asks) = (levels(&[(99, 1), (98, 2)]), levels(&[(101, 1), (103, 2)]));
        let mut ladder = Ladder::default();
        assert!(ladder.set_levels(&Depth {
            instrument: InstrumentId(0),
            bids,
            asks,
            received_at: Timestamp::EPOCH
        }));
        ladder
    }

    #[test]
    fn a_quote_moves_the_touch_and_leaves_deeper_levels() {
        let cases: [(i64, i64, Rows, Rows); 4] = [
            (99, 101, &[(99, 7), (98, 2)], &[(101, 7), (103, 2)]),
            (
                100,
                102,
                &[(100, 7), (99, 1), (98, 2)],
                &[(102, 7), (103, 2)],
            ),
            (98, 100, &[(98, 7)], &[(100, 7), (101, 1), (103, 2)]),
            (102, 104, &[(102, 7), (99, 1), (98, 2)], &[(104, 7)]),
        ];
        for (bid, ask, bids, asks) in cases {
            let mut ladder = deep();
            ladder.set_quote(&quote(bid, ask));
            assert_eq!(ladder.side(Side::Sell), levels(bids), "{bid}/{ask}");
            assert_eq!(ladder.side(Side::Buy), levels(asks), "{bid}/{ask}");
        }
    }

    #[test]
    fn without_depth_only_the_touch_is_believed() {
        let mut ladder = Ladder::default();
        ladder.set_quote(&quote(99, 101));
        ladder.set_quote(&quote(100, 102));
        assert_eq!(ladder.side(Side::Sell), levels(&[(100, 7)]));
    }

    #[test]
    fn levels_that_make_no_sense_change_nothing() {
        let cases: [(Rows, Rows); 4] = [
            (&[(101, 1)], &[(101, 1)]),
            (&[(98, 1), (99, 1)], &[]),
            (&[(98, 0)], &[]),
            (&[], &[(0, 1)]),
        ];
        for (bids, asks) in cases {
            let mut ladder = deep();
            let (bids, asks) = (levels(bids), levels(asks));
            let depth = Depth {
                instrument: InstrumentId(0),
                bids,
                asks,
                received_at: Timestamp::EPOCH,
            };
            assert!(!ladder.set_levels(&depth));
            assert_eq!(ladder, deep());
        }
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut ladder = deep();
        ladder.take(Side::Buy, Price(101), Quantity(1));
        ladder.take(Side::Buy, Price(103), Quantity(1));
        assert_eq!(ladder.side(Side::Buy), levels(&[(103, 1)]));
    }
}
