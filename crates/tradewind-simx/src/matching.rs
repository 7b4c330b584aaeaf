//! How an incoming order finds its counterparties: by price, then by time of arrival.
//!
//! Matching is planned first and carried out after (`settlement.rs`): the plan changes nothing, so that whether an order
//! is fill-or-kill, post-only, or too expensive for its account is known before anything happened.
//!
//! At one price, the market model's liquidity and waiting orders stand in one line: each order knows how much of the
//! market's came before it. [`FillModel::QuoteTouch`] knows no such line: the touch has room for everybody.

use tradewind_model::{AccountId, Amount, Level, Price, Quantity, Side};

use crate::action::{SelfTrade, Size};
use crate::book::{Queue, queue};
use crate::config::FillModel;
use crate::listing::{Listing, better};
use crate::waiting::{SlotId, Waiting};

/// What an incoming order is after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) size: Size,
    /// The worst price it takes.
    pub(crate) limit: Option<Price>,
    pub(crate) self_trade: SelfTrade,
    /// Counts of quantity that can be traded apart.
    pub(crate) step: Quantity,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Take from the market model.
    Market(Level),
    /// Take from a waiting order.
    Order(SlotId, Level),
    /// End a waiting order of the same account.
    Expire(SlotId),
}

/// What a plan comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How much is traded.
    pub(crate) filled: Quantity,
    /// What that is worth; `None` if it cannot be told.
    pub(crate) worth: Option<Amount>,
    /// Whether the order ends because it met one of its own account.
    pub(crate) met_itself: bool,
    /// Whether the whole book was not enough.
    pub(crate) exhausted: bool,
}

/// Plans how `incoming` trades; the steps are appended to `steps`.
pub(crate) fn plan(
    incoming: &Incoming,
    model: FillModel,
    listing: &Listing,
    waiting: &Waiting,
    steps: &mut Vec<Step>,
) -> Plan {
    let left = match incoming.size {
        Size::Base(quantity) => Left::Counts(quantity.0),
        Size::Quote(amount) => Left::Worth(amount),
    };
    let plan = Plan {
        worth: Some(Amount::ZERO),
        ..Plan::default()
    };
    let mut planner = Planner {
        incoming,
        listing,
        waiting,
        steps,
        left,
        plan,
    };
    match model {
        FillModel::QuoteTouch => planner.take_touch(),
        FillModel::Book | FillModel::TradeThrough => planner.walk(),
    }
    planner.plan
}

/// What an order still wants.
#[derive(Clone, Copy, Debug)]
enum Left {
    Counts(i64),
    Worth(Amount),
}

struct Planner<'a> {
    incoming: &'a Incoming,
    listing: &'a Listing,
    waiting: &'a Waiting,
    steps: &'a mut Vec<Step>,
    left: Left,
    plan: Plan,
}

/// Whether the order wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Appetite {
    More,
    Sated,
}

impl Planner<'_> {
    /// Waiting orders that are better than the touch, then all of the rest at the touch.
    fn take_touch(&mut self) {
        let side = self.incoming.side;
        let touch = self.listing.ladder.best(side).map(|level| level.price);
        for queue in self.listing.book(side.opposite()).levels() {
            let first = touch.is_none_or(|touch| better(side, queue.price, touch));
            if !first || !self.takes(queue.price) || self.take_queue(queue, 0).0 == Appetite::Sated
            {
                break;
            }
        }
        if let Some(price) = touch.filter(|price| self.takes(*price) && !self.plan.met_itself) {
            self.take(price, i64::MAX, Step::Market);
        }
    }

    /// Level after level, best first.
    fn walk(&mut self) {
        let side = self.incoming.side;
        let mut market = self.listing.ladder.side(side).iter().peekable();
        let mut waiting = self.listing.book(side.opposite()).levels().peekable();
        loop {
            let price = match (market.peek(), waiting.peek()) {
                (Some(level), Some(queue)) if better(side, queue.price, level.price) => queue.price,
                (Some(level), _) => level.price,
                (None, Some(queue)) => queue.price,
                (None, None) => {
                    self.plan.exhausted = true;
                    return;
                }
            };
            let shown = market
                .next_if(|level| level.price == price)
                .map_or(0, |level| level.quantity.0);
            let queue = waiting.next_if(|queue| queue.price == price);
            if !self.takes(price) || self.take_level(price, shown, queue) == Appetite::Sated {
                return;
            }
        }
    }

    /// One price: the market's `shown` quantity and the orders that wait there, in line.
    fn take_level(&mut self, price: Price, shown: i64, queue: Option<&Queue>) -> Appetite {
        let (appetite, passed) =
            queue.map_or((Appetite::More, 0), |queue| self.take_queue(queue, shown));
        if appetite == Appetite::Sated || passed >= shown {
            return appetite;
        }
        self.take(price, shown - passed, Step::Market)
    }

    /// The orders of a queue, each after what the market showed before it; says how much of `shown` was passed.
    fn take_queue(&mut self, level: &Queue, shown: i64) -> (Appetite, i64) {
        let mut passed = 0;
        for id in queue(self.waiting, level.first) {
            let slot = self.waiting.get(id);
            let before = slot.ahead.min(shown) - passed;
            if before > 0 {
                passed += before;
                if self.take(level.price, before, Step::Market) == Appetite::Sated {
                    return (Appetite::Sated, passed);
                }
            }
            if self.meet(id, level.price, slot.order.account, slot.order.remaining())
                == Appetite::Sated
            {
                return (Appetite::Sated, passed);
            }
        }
        (Appetite::More, passed)
    }

    /// One waiting order.
    fn meet(
        &mut self,
        id: SlotId,
        price: Price,
        account: AccountId,
        remaining: Quantity,
    ) -> Appetite {
        let rule = if account == self.incoming.account {
            self.incoming.self_trade
        } else {
            SelfTrade::Allowed
        };
        if matches!(rule, SelfTrade::ExpireMaker | SelfTrade::ExpireBoth) {
            self.steps.push(Step::Expire(id));
        }
        match rule {
            SelfTrade::Allowed => self.take(price, remaining.0, |level| Step::Order(id, level)),
            SelfTrade::ExpireMaker => Appetite::More,
            SelfTrade::ExpireTaker | SelfTrade::ExpireBoth => {
                self.plan.met_itself = true;
                Appetite::Sated
            }
        }
    }

    /// Takes what it wants of `offered`.
    fn take(&mut self, price: Price, offered: i64, step: impl FnOnce(Level) -> Step) -> Appetite {
        let wanted = match self.left {
            Left::Counts(counts) => counts,
            Left::Worth(amount) => {
                let counts = self.listing.counts_for(amount, price);
                counts - counts % self.incoming.step.0
            }
        };
        let quantity = Quantity(wanted.min(offered));
        if quantity.0 <= 0 {
            return Appetite::Sated;
        }
        let worth = self.listing.worth(price, quantity);
        self.steps.push(step(Level { price, quantity }));
        self.plan.filled += quantity;
        self.plan.worth = self
            .plan
            .worth
            .zip(worth)
            .and_then(|(sum, worth)| sum.0.checked_add(worth.0))
            .map(Amount);
        match &mut self.left {
            Left::Counts(counts) => *counts -= quantity.0,
            Left::Worth(amount) => *amount -= worth.unwrap_or(*amount),
        }
        if quantity.0 == wanted {
            Appetite::Sated
        } else {
            Appetite::More
        }
    }

    fn takes(&self, price: Price) -> bool {
        self.incoming
            .limit
            .is_none_or(|limit| !better(self.incoming.side, limit, price))
    }
}
