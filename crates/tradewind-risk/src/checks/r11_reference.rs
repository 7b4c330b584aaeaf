//! R11: the quote that an entry is measured by is live, sound, not too wide and, where a second source is configured, near the price
//! there. Entries only; it fails closed.

use tradewind_model::{Instrument, Ppm, Quote};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, SecondSource};
use crate::limits::LimitKey;

/// Denies an entry without a good reference price.
///
/// # Errors
/// [`DenyReason::NoReference`], [`DenyReason::Spread`], [`DenyReason::NoSecondSource`] or [`DenyReason::SecondSource`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limit = required(context.limits.spread_max, LimitKey::SpreadMax)?;
    let quote = context.quote.ok_or(DenyReason::NoReference)?;
    let spread = spread(quote).ok_or(DenyReason::Unpriced)?;
    if spread > limit {
        return Err(DenyReason::Spread { spread, limit });
    }
    match context.second_source {
        None => Ok(()),
        Some(source) => compare(quote, context.instrument, source),
    }
}

fn compare(quote: &Quote, own: &Instrument, source: SecondSource<'_>) -> Result<(), DenyReason> {
    let other = source.quote.ok_or(DenyReason::NoSecondSource)?;
    let deviation = deviation((quote, own), (other, source.instrument));
    let (deviation, limit) = (deviation.ok_or(DenyReason::Unpriced)?, source.within);
    if deviation <= limit {
        Ok(())
    } else {
        Err(DenyReason::SecondSource { deviation, limit })
    }
}

/// How far two mids are apart as a share of the second one, rounded up. Instruments count in decimals of their own.
fn deviation(one: (&Quote, &Instrument), other: (&Quote, &Instrument)) -> Option<Ppm> {
    let scaled = |(quote, _): (&Quote, &Instrument), decimals: u8| {
        i128::from(quote.mid_twice()).checked_mul(10_i128.checked_pow(decimals.into())?)
    };
    let mid = scaled(one, other.1.price_decimals)?;
    let reference = scaled(other, one.1.price_decimals)?;
    let apart = mid.checked_sub(reference)?.checked_abs()?;
    let share = apart.checked_mul(Ppm::ONE.0.into())?;
    let rounded = share.checked_add(reference - 1)?.checked_div(reference)?;
    i64::try_from(rounded).ok().map(Ppm)
}

/// Ask less bid as a share of the mid, rounded up.
fn spread(quote: &Quote) -> Option<Ppm> {
    let twice = 2 * (i128::from(quote.ask.0) - i128::from(quote.bid.0));
    let mid_twice = i128::from(quote.mid_twice());
    let share = twice * i128::from(Ppm::ONE.0);
    let rounded = share.checked_add(mid_twice - 1)?.checked_div(mid_twice)?;
    i64::try_from(rounded).ok().map(Ppm)
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Instrument, Ppm, Price, Quote};

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, verdict};

    fn spread(ask: i64) -> impl Fn(&mut World) {
        move |w| {
            w.limit(9_000);
            w.quote = Some(Quote {
                bid: Price(19_900),
                ask: Price(ask),
                ..w.quote.unwrap()
            });
        }
    }

    /// R11
    #[test]
    fn a_quote_wider_than_the_limit_is_no_reference() {
        assert_eq!(verdict(spread(20_099)), None);
        // 200 of a mid of 20,000 is 1 %.
        assert_eq!(verdict(spread(20_100)), None);
        let (spread_seen, limit) = (Ppm(10_050), Ppm(10_000));
        let denied = verdict(spread(20_101));
        let wanted = DenyReason::Spread {
            spread: spread_seen,
            limit,
        };
        assert_eq!(denied, Some(wanted));
        assert_eq!(verdict(|w| w.quote = None), Some(DenyReason::NoReference));
        assert_eq!(exit_verdict(spread(30_000)), None);
    }

    /// A second source with a decimal more, whose mid is `twice` half thousandths, within 1 %. The own mid is 100.01.
    fn second_source(twice: i64) -> impl Fn(&mut World) {
        move |w| {
            let instrument = Instrument {
                price_decimals: 3,
                ..w.instrument.clone()
            };
            let quote = Quote {
                bid: Price(twice / 2 - 10),
                ask: Price(twice - twice / 2 + 10),
                ..w.quote.unwrap()
            };
            w.second_source = Some((instrument, Some(quote), Ppm(10_000)));
        }
    }

    /// R11
    #[test]
    fn an_entry_needs_a_second_source_within_its_limit_and_an_exit_does_not() {
        let off = |deviation| {
            Some(DenyReason::SecondSource {
                deviation: Ppm(deviation),
                limit: Ppm(10_000),
            })
        };
        // 100.010 is 1 % above 99.0198 and 1 % below 101.0202: twice the mids are 198039.6 and 202040.4.
        let table = [
            (200_020, None),
            (198_040, None),
            (198_039, off(10_004)),
            (202_040, None),
            (202_041, off(10_003)),
            (150_000, off(333_467)),
        ];
        for (twice, wanted) in table {
            assert_eq!(verdict(second_source(twice)), wanted, "{twice}");
            assert_eq!(exit_verdict(second_source(twice)), None, "{twice}");
        }
        let silent = |w: &mut World| {
            second_source(200_020)(w);
            w.second_source.as_mut().unwrap().1 = None;
        };
        assert_eq!(verdict(silent), Some(DenyReason::NoSecondSource));
        assert_eq!(exit_verdict(silent), None);
        assert_eq!(
            off(10_004).unwrap().to_string(),
            "its price is 0.010004 away from its second source, at most 0.01 allowed"
        );
    }
}
