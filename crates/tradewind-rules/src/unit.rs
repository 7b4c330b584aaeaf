//! What a value is measured in, so that a price is not compared with an RSI, nor 2 with 2 %.

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// True or false.
    Truth,
    /// A number that was written without a unit: it takes that of what stands beside it.
    Bare,
    /// A number whose unit nobody knows: one of a named series, or what a mistake left.
    Any,
    /// A quotient of two values of one unit.
    Ratio,
    /// A number on a scale of its own, such as an RSI.
    Index,
    /// A share: 2 % is 0.02.
    Share,
    /// A span of time, in seconds.
    Time,
    /// So many times a price, so many times a volume.
    Of(i8, i8),
}

pub(crate) const PRICE: Unit = Unit::Of(1, 0);
pub(crate) const VOLUME: Unit = Unit::Of(0, 1);
pub(crate) const MONEY: Unit = Unit::Of(1, 1);

impl Unit {
    /// What it is, in words.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Truth => "true or false",
            Self::Bare => "a number",
            Self::Any => "a value",
            Self::Ratio => "a ratio",
            Self::Index => "a number on a scale of its own",
            Self::Share => "a share",
            Self::Time => "a time",
            Self::Of(1, 0) => "a price",
            Self::Of(0, 1) => "a volume",
            Self::Of(1, 1) => "an amount of money",
            Self::Of(_, _) => "a product of prices and volumes",
        }
    }

    /// The unit of a sum or of a comparison; none if the two cannot be held against each other.
    pub(crate) fn beside(self, other: Self) -> Option<Self> {
        use Unit::{Any, Bare, Index, Ratio, Share, Time, Truth};
        match (self, other) {
            (one, other) if one == other => Some(one),
            (Truth, _) | (_, Truth) => None,
            (Any, one) | (one, Any) => Some(one),
            (Time, _) | (_, Time) => None,
            (Bare, Share) | (Share, Bare) => None,
            (Bare, one) | (one, Bare) => Some(one),
            (Ratio, one @ (Index | Share)) | (one @ (Index | Share), Ratio) => Some(one),
            _ => None,
        }
    }

    /// The unit of a product.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        use Unit::{Any, Bare, Index, Of, Ratio, Share, Time, Truth};
        match (self, other) {
            (Truth, _) | (_, Truth) => None,
            (Any, one) | (one, Any) | (Bare, one) | (one, Bare) => Some(one),
            (Time, Ratio) | (Ratio, Time) => Some(Time),
            (Time, _) | (_, Time) => None,
            (Of(price, volume), Of(other_price, other_volume)) => {
                product(price + other_price, volume + other_volume)
            }
            (of @ Of(..), _) | (_, of @ Of(..)) => Some(of),
            (Index, _) | (_, Index) => Some(Index),
            (Ratio, one) | (one, Ratio) => Some(one),
            (Share, Share) => Some(Share),
        }
    }

    /// The unit of a quotient.
    pub(crate) fn over(self, other: Self) -> Option<Self> {
        use Unit::{Any, Bare, Index, Of, Ratio, Share, Time, Truth};
        match (self, other) {
            (Truth, _) | (_, Truth) => None,
            (one, other) if one == other && !matches!(one, Bare | Any) => Some(Ratio),
            (one, Any | Bare | Ratio) => Some(one),
            (Time, _) | (_, Time) => None,
            (Of(price, volume), Of(other_price, other_volume)) => {
                product(price - other_price, volume - other_volume)
            }
            (Any | Bare | Ratio | Index | Share, Of(price, volume)) => product(-price, -volume),
            (of @ Of(..), _) => Some(of),
            (Index, _) | (_, Index) => Some(Index),
            (_, Share) => Some(Ratio),
        }
    }

    /// The unit of the square.
    pub(crate) fn squared(self) -> Self {
        self.times(self).unwrap_or(Self::Any)
    }
}

/// Powers beyond 4 are a mistake more likely than a wish.
const fn product(price: i8, volume: i8) -> Option<Unit> {
    match (price, volume) {
        (0, 0) => Some(Unit::Ratio),
        (-4..=4, -4..=4) => Some(Unit::Of(price, volume)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_joined_as_physics_has_it() {
        assert_eq!(PRICE.over(PRICE), Some(Unit::Ratio));
        assert_eq!(PRICE.times(VOLUME), Some(MONEY));
        assert_eq!(MONEY.over(PRICE), Some(VOLUME));
        assert_eq!(Unit::Share.times(PRICE), Some(PRICE));
        assert_eq!(PRICE.beside(Unit::Bare), Some(PRICE));
        assert_eq!(PRICE.beside(Unit::Index), None);
        assert_eq!(Unit::Share.beside(Unit::Bare), None);
        assert_eq!(Unit::Share.beside(Unit::Ratio), Some(Unit::Share));
        assert_eq!(Unit::Index.beside(Unit::Share), None);
        assert_eq!(Unit::Truth.times(Unit::Bare), None);
    }
}
