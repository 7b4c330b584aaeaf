//! Orders that a strategy keeps resting in one instrument: a grid, a ladder, both sides of a market.

use serde::{Deserialize, Serialize};

use crate::decision::Reason;
use crate::number::{Price, Quantity};
use crate::order::Side;

/// A set of resting orders, each known by its tag. The engine is to place, move and cancel orders until the venue has
/// exactly these; it does not do so yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct RestingOrders {
    orders: Vec<RestingOrder>,
    reason: Reason,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestingOrder {
    /// What the strategy calls it. An order of the same tag is moved rather than placed.
    pub tag: u32,
    /// Buy or sell.
    pub side: Side,
    /// The limit.
    pub price: Price,
    /// How much of it is to rest, positive.
    pub quantity: Quantity,
    /// What happens if it could be filled at once.
    pub kind: RestingKind,
}

/// What happens to a resting order that could be filled at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestingKind {
    /// It is filled as far as possible, and its remainder rests.
    GoodTillCancel,
    /// The venue refuses it.
    PostOnly,
}

/// Why orders cannot rest together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestingOrdersError {
    /// More than [`RestingOrders::MAX`].
    #[error("{0} resting orders, at most 20 are possible")]
    TooMany(usize),
    /// Two have the same tag.
    #[error("two resting orders have the tag {0}")]
    Tag(u32),
    /// A price or quantity is not positive.
    #[error("price and quantity of resting order {0} must be positive")]
    NotPositive(u32),
}

impl RestingOrders {
    /// Most orders per bot and instrument.
    pub const MAX: usize = 20;

    /// Orders that can rest together; none cancels all that rest.
    ///
    /// # Errors
    /// More than [`MAX`](Self::MAX), a tag twice, or a price or quantity that is not positive.
    pub fn new(orders: Vec<RestingOrder>, reason: Reason) -> Result<Self, RestingOrdersError> {
        if orders.len() > Self::MAX {
            return Err(RestingOrdersError::TooMany(orders.len()));
        }
        for (index, order) in orders.iter().enumerate() {
            if order.price.0 <= 0 || order.quantity.0 <= 0 {
                return Err(RestingOrdersError::NotPositive(order.tag));
            }
            if orders[..index].iter().any(|other| other.tag == order.tag) {
                return Err(RestingOrdersError::Tag(order.tag));
            }
        }
        Ok(Self { orders, reason })
    }

    /// The orders.
    #[must_use]
    pub fn orders(&self) -> &[RestingOrder] {
        &self.orders
    }

    /// Why, with the numbers that decided.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }
}

/// The same before it was checked.
#[derive(Deserialize)]
struct Unchecked {
    orders: Vec<RestingOrder>,
    reason: Reason,
}

impl TryFrom<Unchecked> for RestingOrders {
    type Error = RestingOrdersError;

    fn try_from(read: Unchecked) -> Result<Self, RestingOrdersError> {
        Self::new(read.orders, read.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(tag: u32, price: i64, quantity: i64) -> RestingOrder {
        RestingOrder {
            tag,
            side: Side::Buy,
            price: Price(price),
            quantity: Quantity(quantity),
            kind: RestingKind::PostOnly,
        }
    }

    #[test]
    fn twenty_orders_of_different_tags_can_rest_together() {
        let new = |orders| RestingOrders::new(orders, Reason::plain("a grid")).map(|_| ());
        let ladder = |count| (0..count).map(|tag| order(tag, 100, 1)).collect::<Vec<_>>();
        assert_eq!(new(ladder(0)), Ok(()));
        assert_eq!(new(ladder(20)), Ok(()));
        assert_eq!(new(ladder(21)), Err(RestingOrdersError::TooMany(21)));
        let twice = vec![order(1, 100, 1), order(1, 101, 1)];
        assert_eq!(new(twice), Err(RestingOrdersError::Tag(1)));
        for bad in [order(7, 0, 1), order(7, 100, -1)] {
            assert_eq!(new(vec![bad]), Err(RestingOrdersError::NotPositive(7)));
        }
    }
}
