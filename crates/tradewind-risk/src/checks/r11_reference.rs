//! R11: the quote that an entry is measured by is live, sound and not too wide. Entries only; it fails closed.

use tradewind_model::{Ppm, Quote};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry without a good reference price.
///
/// # Errors
/// [`DenyReason::NoReference`] or [`DenyReason::Spread`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limit = required(context.limits.spread_max, LimitKey::SpreadMax)?;
    let quote = context.quote.ok_or(DenyReason::NoReference)?;
    let spread = spread(quote).ok_or(DenyReason::Unpriced)?;
    if spread <= limit {
        Ok(())
    } else {
        Err(DenyReason::Spread { spread, limit })
    }
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
    use tradewind_model::{Ppm, Price, Quote};

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
}
