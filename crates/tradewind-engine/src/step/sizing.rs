//! From a target to a quantity. Every sizer cuts down to the step and never gives more than the budget pays for.

use tradewind_model::{Amount, ExitPlan, Instrument, Ppm, Price, Quantity, Sizer, Stop};

/// What a sizer may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizing<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) budget: Amount,
    /// The price the position would be entered at.
    pub(crate) price: Price,
    pub(crate) exit: &'a ExitPlan,
    /// Average true range of the bot's candles, where the sizer needs one and it is known.
    pub(crate) range: Option<f64>,
}

/// The unsigned quantity of a full target under `sizer`, scaled by `exposure`; zero when the sizer lacks what it needs.
pub(crate) fn size(sizer: Sizer, exposure: Ppm, sizing: &Sizing<'_>) -> Quantity {
    let exposure = Ppm(exposure.0.saturating_abs());
    let full = match sizer {
        Sizer::Fixed(amount) => {
            let scaled = amount.share(exposure).unwrap_or_default();
            return sizing.instrument.floor_amount(scaled);
        }
        Sizer::Value(value) => {
            // Of a part of the position, so that adds stay within the budget, too.
            Some(value.min(sizing.budget))
        }
        Sizer::Share(share) => sizing.budget.share(share),
        Sizer::RiskToStop(risk) => stop_distance(sizing).and_then(|distance| {
            sizing
                .budget
                .mul_div(i128::from(risk.0), i128::from(distance.0))
                .map(|value| value.min(sizing.budget))
        }),
        Sizer::VolatilityTarget(share) => move_share(sizing).and_then(|expected| {
            sizing
                .budget
                .mul_div(i128::from(share.0), i128::from(expected.0))
                .map(|value| value.min(sizing.budget))
        }),
    };
    let value = full
        .and_then(|value| value.share(exposure))
        .unwrap_or_default();
    sizing.instrument.quantity_for(value, sizing.price)
}

/// Distance to the stop as a share of the entry price.
fn stop_distance(sizing: &Sizing<'_>) -> Option<Ppm> {
    let distance = match sizing.exit.stop {
        Stop::None => return None,
        Stop::Distance(share) => share,
        Stop::At(price) => {
            let gap = (i128::from(sizing.price.0) - i128::from(price.0)).abs();
            Ppm(
                i64::try_from(gap * i128::from(Ppm::ONE.0) / i128::from(sizing.price.0.max(1)))
                    .ok()?,
            )
        }
    };
    (distance.0 > 0).then_some(distance)
}

/// The expected move of one candle as a share of the price.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked just before"
)]
fn move_share(sizing: &Sizing<'_>) -> Option<Ppm> {
    let share = sizing.range? / sizing.instrument.price_f64(sizing.price) * 1e6;
    (1.0..1e9).contains(&share).then_some(Ppm(share as i64))
}
