//! One protective stop over several positions: whose it is, and how its fills are divided.
//!
//! A fill goes to the positions in proportion to what they have left in the stop, cut down to the step. What that leaves
//! goes to the lowest bot id first. The fee is divided likewise. The parts add up to the fill, digit for digit.

use serde::{Deserialize, Serialize};
use tradewind_events::StopShare;
use tradewind_model::{Amount, Fill, Money, Quantity};

use super::bot_instrument::BotInstrument;

/// The positions that a stop covers, by bot, each with what is left of its part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StopShares(Vec<(BotInstrument, Quantity)>);

impl FromIterator<(BotInstrument, Quantity)> for StopShares {
    fn from_iter<T: IntoIterator<Item = (BotInstrument, Quantity)>>(shares: T) -> Self {
        let mut shares: Vec<_> = shares.into_iter().filter(|(_, part)| part.0 > 0).collect();
        shares.sort_by_key(|(place, _)| *place);
        Self(shares)
    }
}

impl StopShares {
    /// What is left of a position's part.
    pub(crate) fn of(&self, place: BotInstrument) -> Quantity {
        let mut shares = self.0.iter();
        let found = shares.find(|(of, _)| *of == place);
        found.map_or(Quantity::ZERO, |(_, part)| *part)
    }

    /// What is left of all parts.
    pub(crate) fn total(&self) -> Quantity {
        sum(self.0.iter().map(|(_, part)| *part))
    }

    /// The same with another part for one position.
    pub(crate) fn with(&self, place: BotInstrument, part: Quantity) -> Self {
        let others = self.0.iter().copied().filter(|(of, _)| *of != place);
        others.chain([(place, part)]).collect()
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = BotInstrument> + '_ {
        self.0.iter().map(|(place, _)| *place)
    }

    /// The only position it covers, if it is one.
    pub(crate) fn only(&self) -> Option<BotInstrument> {
        match self.0[..] {
            [(place, _)] => Some(place),
            _ => None,
        }
    }

    /// As an intent contains them.
    pub(crate) fn listed(&self) -> Vec<StopShare> {
        let share = |&(place, quantity): &(BotInstrument, Quantity)| StopShare {
            bot: place.bot(),
            quantity,
        };
        self.0.iter().map(share).collect()
    }

    /// Divides a fill of the stop. A part of the fill that exceeds all shares goes to the first.
    pub(crate) fn divide(&mut self, fill: &Fill, step: Quantity) -> Vec<(BotInstrument, Fill)> {
        let mut parts = self.parts_of(fill.quantity, step);
        for ((_, left), part) in self.0.iter_mut().zip(&parts) {
            *left = Quantity((left.0 - part.0).max(0));
        }
        let excess = fill.quantity - sum(parts.iter().copied());
        if let Some(first) = parts.first_mut() {
            *first += excess;
        }
        let fees = divide_fee(fill, &parts);
        let divided = self.0.iter().zip(parts).zip(fees);
        let divided = divided.filter(|((_, part), _)| part.0 > 0);
        divided
            .map(|((&(place, _), quantity), amount)| {
                let fee = Money { amount, ..fill.fee };
                (
                    place,
                    Fill {
                        quantity,
                        fee,
                        ..*fill
                    },
                )
            })
            .collect()
    }

    /// Each position's part of `filled`, no larger than what it has left.
    fn parts_of(&self, filled: Quantity, step: Quantity) -> Vec<Quantity> {
        let total = i128::from(self.total().0).max(1);
        let step = step.0.max(1);
        let part = |(_, left): &(BotInstrument, Quantity)| {
            let share = i128::from(filled.0) * i128::from(left.0) / total;
            let share = i64::try_from(share).unwrap_or(left.0).min(left.0);
            Quantity(share - share % step)
        };
        let mut parts: Vec<Quantity> = self.0.iter().map(part).collect();
        let mut rest = filled - sum(parts.iter().copied());
        for (part, (_, left)) in parts.iter_mut().zip(&self.0) {
            let more = rest.min(*left - *part).max(Quantity::ZERO);
            *part += more;
            rest -= more;
        }
        parts
    }
}

fn sum(parts: impl Iterator<Item = Quantity>) -> Quantity {
    parts.fold(Quantity::ZERO, |sum, part| sum + part)
}

/// The fee of each part; what rounding leaves belongs to the first part that is not zero.
fn divide_fee(fill: &Fill, parts: &[Quantity]) -> Vec<Amount> {
    let (fee, whole) = (fill.fee.amount, i128::from(fill.quantity.0).max(1));
    let share = |part: &Quantity| {
        fee.mul_div(i128::from(part.0), whole)
            .unwrap_or(Amount::ZERO)
    };
    let mut fees: Vec<Amount> = parts.iter().map(share).collect();
    let rest = fee - fees.iter().copied().sum::<Amount>();
    if let Some(first) = parts.iter().position(|part| part.0 > 0) {
        fees[first] += rest;
    }
    fees
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_model::{
        AccountId, AssetId, BotId, ClientOrderId, InstrumentId, Liquidity, Price, Side, Timestamp,
        TradeId, VenueOrderId,
    };

    fn shares(parts: &[i64]) -> StopShares {
        let place = |bot| BotInstrument::new(BotId(bot), 0);
        let parts = (0..).zip(parts);
        parts
            .map(|(bot, part)| (place(bot), Quantity(*part)))
            .collect()
    }

    fn fill(quantity: i64, fee: i128) -> Fill {
        Fill {
            account: AccountId(0),
            instrument: InstrumentId(0),
            trade_id: TradeId(1),
            venue_order_id: VenueOrderId(1),
            client_id: ClientOrderId(1),
            side: Side::Sell,
            price: Price(10_000),
            quantity: Quantity(quantity),
            fee: Money {
                asset: AssetId(1),
                amount: Amount(fee),
            },
            liquidity: Liquidity::Taker,
            event_time: Timestamp::EPOCH,
        }
    }

    /// Divides one fill: (bot, quantity, fee) of each part.
    fn divided(of: &mut StopShares, quantity: i64, fee: i128, step: i64) -> Vec<(u32, i64, i128)> {
        let parts = of.divide(&fill(quantity, fee), Quantity(step));
        let part = |(place, fill): &(BotInstrument, Fill)| {
            (place.bot().0, fill.quantity.0, fill.fee.amount.0)
        };
        parts.iter().map(part).collect()
    }

    /// V19.
    #[test]
    fn a_fill_is_divided_in_proportion_and_its_remainder_goes_to_the_lowest_bot() {
        let mut three = shares(&[500, 300, 200]);
        // In proportion 115, 69 and 46; on the step of 10 that is 110, 60 and 40.
        assert_eq!(
            divided(&mut three, 230, 23, 10),
            [(0, 130, 13), (1, 60, 6), (2, 40, 4)]
        );
        assert_eq!(
            divided(&mut three, 770, 0, 10),
            [(0, 370, 0), (1, 240, 0), (2, 160, 0)]
        );
        assert_eq!(three.total(), Quantity::ZERO);
    }

    #[test]
    fn a_remainder_larger_than_the_lowest_bots_part_goes_on_to_the_next() {
        assert_eq!(
            divided(&mut shares(&[1, 1, 1]), 2, 0, 1),
            [(0, 1, 0), (1, 1, 0)]
        );
    }

    #[test]
    fn what_a_venue_fills_beyond_the_stop_is_not_lost() {
        assert_eq!(
            divided(&mut shares(&[10, 10]), 25, 0, 1),
            [(0, 15, 0), (1, 10, 0)]
        );
    }

    proptest! {
        /// I02, I22: the parts of every fill add up to it, and those of all fills to the shares.
        #[test]
        fn the_parts_add_up(
            parts in prop::collection::vec(1_i64..1_000, 1..6),
            cuts in prop::collection::vec(1_i64..500, 0..8),
            fee in -1_000_000_i128..1_000_000_000_000,
            step in 1_i64..4,
        ) {
            let parts: Vec<i64> = parts.iter().map(|part| part * step).collect();
            let (mut stop, whole) = (shares(&parts), parts.iter().sum::<i64>());
            let mut left = whole;
            let mut sums = vec![0; parts.len()];
            let cuts = cuts.iter().map(|cut| cut * step).chain([whole]);
            for cut in cuts {
                let quantity = cut.min(left);
                if quantity == 0 {
                    break;
                }
                left -= quantity;
                let divided = divided(&mut stop, quantity, fee, step);
                prop_assert_eq!(divided.iter().map(|(_, part, _)| part).sum::<i64>(), quantity);
                prop_assert_eq!(divided.iter().map(|(_, _, fee)| fee).sum::<i128>(), fee);
                for (bot, part, _) in divided {
                    prop_assert!(part > 0 && part % step == 0);
                    sums[bot as usize] += part;
                }
            }
            prop_assert_eq!(sums, parts);
            prop_assert_eq!(stop.total(), Quantity::ZERO);
        }
    }
}
