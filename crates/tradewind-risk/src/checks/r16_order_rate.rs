//! R16: how fast a bot sends. Entries only.
//!
//! The account's own rate is no refusal but a queue before the venue, where exits go first.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry too soon.
///
/// # Errors
/// [`DenyReason::BotRate`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let rate = required(context.limits.bot_order_rate, LimitKey::BotOrderRate)?;
    if candidate.bot.is_none() || context.rate.has_room(context.now, &rate) {
        Ok(())
    } else {
        Err(DenyReason::BotRate)
    }
}

#[cfg(test)]
mod tests {
    use crate::DenyReason;
    use crate::checks::world::{NOW, World, exit_verdict, verdict};

    fn sent(orders: u32) -> impl Fn(&mut World) {
        move |w| {
            for _ in 0..orders {
                w.rate.take(NOW, &w.limits.bot_order_rate.unwrap());
            }
        }
    }

    /// R16
    #[test]
    fn a_bot_out_of_tokens_waits_and_a_person_does_not() {
        assert_eq!(verdict(sent(4)), None);
        assert_eq!(verdict(sent(5)), Some(DenyReason::BotRate));
        let by_hand = verdict(|w| {
            sent(5)(w);
            w.candidate.bot = None;
        });
        assert_eq!(by_hand, None);
        assert_eq!(exit_verdict(sent(9)), None);
    }
}
