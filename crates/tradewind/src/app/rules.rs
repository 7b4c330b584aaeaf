//! Reads the rules of the instruments in use again: every half hour, every minute while the venue halts one of them, and soon
//! after it refused an order by a filter or sent a price that is finer than it should be. A venue may change ticks, steps and minimums while the desk trades (V16), and it
//! halts instruments without saying when that is over (V15).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_bus::{Received, Subscription};
use tradewind_events::{EventKind, Input};
use tradewind_model::{AccountId, Instrument, InstrumentId, InstrumentStatus};
use tradewind_venues::MarketData;

use crate::driver::InputQueues;

/// Between two readings when nothing was refused.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Between two readings while an instrument in use is halted.
const WHILE_HALTED: Duration = Duration::from_secs(60);
/// Between two readings, however many orders are refused.
const AGAIN: Duration = Duration::from_secs(5);
/// The venue's code for an order that fails a filter.
const FILTER_FAILURE: i32 = -1013;

/// Reads the rules of one account's venue, or of one that is read without an account, for as long as the desk runs.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The venue.
    pub(crate) venue: Arc<dyn MarketData>,
    /// Where changes go.
    pub(crate) queues: Arc<InputQueues>,
    /// Events of refused orders, and the account whose orders count; a venue that takes none has neither.
    pub(crate) rejections: Option<(Subscription, AccountId)>,
    /// Which instruments in use are halted.
    pub(crate) halts: Halts,
    /// How soon prices count.
    pub(crate) prices: PriceDoubts,
}

/// From when on prices that are finer than they should be have the rules read again. A tick with more decimals takes effect at the
/// next start, and until then there are such prices all the time: of readings that find nothing, each next one comes later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PriceDoubts {
    from: Option<Instant>,
    pause: Duration,
}

impl PriceDoubts {
    fn read_again(&mut self, has_changed: bool, now: Instant) {
        self.pause = match has_changed {
            true => AGAIN,
            false => self.pause.saturating_mul(2).clamp(AGAIN, EVERY),
        };
        self.from = Some(now + self.pause);
    }
}

/// Instruments that their venue does not trade now, though it lists them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halts(BTreeSet<InstrumentId>);

impl Halts {
    /// As of the instruments' last reading.
    pub(crate) fn of<'a>(instruments: impl IntoIterator<Item = &'a Instrument>) -> Self {
        let mut halts = Self::default();
        for instrument in instruments {
            halts.note(instrument);
        }
        halts
    }

    fn note(&mut self, instrument: &Instrument) {
        if matches!(
            instrument.status,
            InstrumentStatus::Halted | InstrumentStatus::CancelOnly
        ) {
            self.0.insert(instrument.id);
        } else {
            self.0.remove(&instrument.id);
        }
    }

    /// Until the rules are read again.
    fn wait(&self) -> Duration {
        if self.0.is_empty() {
            EVERY
        } else {
            WHILE_HALTED
        }
    }
}

impl Rules {
    /// Reads until `stop`.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.halts.wait()) => {}
                () = self.doubted() => {}
            }
            let has_changed = self.read().await;
            self.prices.read_again(has_changed, Instant::now());
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(AGAIN) => {}
                () = self.ignored() => {}
            }
        }
    }

    /// Ignores refusals of orders that were sent before the rules were read, and prices. Never resolves.
    async fn ignored(&mut self) {
        loop {
            self.doubted().await;
        }
    }

    /// Waits until something shows that the rules may have changed.
    async fn doubted(&mut self) {
        let venue = Arc::clone(&self.venue);
        let from = self.prices.from;
        let prices = async {
            if let Some(from) = from {
                tokio::time::sleep_until(from).await;
            }
            venue.rules_doubted().await;
        };
        tokio::select! {
            () = self.refused() => {}
            () = prices => {}
        }
    }

    /// Waits until the venue refused an order of the account by a filter.
    async fn refused(&mut self) {
        let Some((rejections, account)) = &mut self.rejections else {
            return std::future::pending().await;
        };
        loop {
            match rejections.recv().await {
                Some(Received::Event(event)) => {
                    if let EventKind::OrderRejected { terms, reason, .. } = &event.kind
                        && terms.account == *account
                        && reason.code == FILTER_FAILURE
                    {
                        return;
                    }
                }
                // A lost event may have been a refusal.
                Some(Received::Gap { .. }) => return,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether anything had changed.
    async fn read(&mut self) -> bool {
        match self.venue.changed_instruments().await {
            Ok(changed) => {
                let has_changed = !changed.is_empty();
                for instrument in changed {
                    self.halts.note(&instrument);
                    tracing::warn!(instrument = %instrument.name, "The venue changed an instrument's rules.");
                    self.queues
                        .control(Input::InstrumentChanged(Box::new(instrument)));
                }
                has_changed
            }
            Err(error) => {
                tracing::warn!(%error, "The instruments' rules could not be read again.");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::AssetId;

    use super::*;

    /// A tick that is too fine for the desk has prices doubted with each frame.
    #[test]
    fn readings_for_prices_that_find_nothing_come_ever_more_seldom() {
        let (mut doubts, now) = (PriceDoubts::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..11 {
            doubts.read_again(false, now);
            pauses.push((doubts.from.unwrap() - now).as_secs());
        }
        assert_eq!(
            pauses,
            [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_800, 1_800]
        );
        doubts.read_again(true, now);
        assert_eq!(doubts.from.unwrap() - now, AGAIN);
    }

    /// V15: read every minute while one is halted, every half hour otherwise.
    #[test]
    fn a_halted_instrument_is_read_again_every_minute() {
        let of = |id, status| Instrument {
            status,
            ..Instrument::spot(InstrumentId(id), "binance:X/Y", AssetId(0), AssetId(1))
        };
        let mut halts = Halts::of(&[
            of(0, InstrumentStatus::Trading),
            of(1, InstrumentStatus::Halted),
            of(2, InstrumentStatus::NoData),
        ]);
        assert_eq!(halts.wait(), Duration::from_secs(60));
        halts.note(&of(0, InstrumentStatus::CancelOnly));
        halts.note(&of(1, InstrumentStatus::Trading));
        assert_eq!(halts.wait(), Duration::from_secs(60));
        halts.note(&of(0, InstrumentStatus::Trading));
        assert_eq!(halts.wait(), Duration::from_secs(1_800));
    }
}
