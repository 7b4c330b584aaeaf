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

use super::feeds::Recorded;
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
    /// Where changes go, if a desk reads them.
    pub(crate) queues: Option<Arc<InputQueues>>,
    /// Events of refused orders, and the account whose orders count; a venue that takes none has neither.
    pub(crate) rejections: Option<(Subscription, AccountId)>,
    /// Which instruments in use are halted.
    pub(crate) halts: Halts,
    /// How soon prices count.
    pub(crate) prices: PriceDoubts,
    /// The recording of the venue, if there is one.
    pub(crate) recorded: Option<Recorded>,
}

/// What rules are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// It is time.
    Routine,
    /// An order was refused.
    Refusal,
    /// A price is finer than it should be, or the checksum of a book is wrong.
    Prices,
}

/// From when on prices that are finer than they should be have the rules read again. A tick with more decimals takes effect at the
/// next start, and until then there are such prices all the time: of readings that find nothing, each next one comes later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PriceDoubts {
    from: Option<Instant>,
    pause: Duration,
}

impl PriceDoubts {
    /// Notes a reading, and what it was for. One that no price caused says nothing of prices, unless it found something.
    fn read_again(&mut self, cause: Cause, has_changed: bool, now: Instant) {
        if cause != Cause::Prices && !has_changed {
            return;
        }
        let was_quiet = self.from.is_some_and(|from| now - from >= EVERY);
        self.pause = match has_changed || was_quiet {
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
    /// Those of a venue that is only recorded.
    pub(crate) fn of_recording(venue: Arc<dyn MarketData>, recorded: Recorded) -> Self {
        Self {
            venue,
            queues: None,
            rejections: None,
            halts: Halts::default(),
            prices: PriceDoubts::default(),
            recorded: Some(recorded),
        }
    }

    /// Reads until `stop`.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let cause = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.halts.wait()) => Cause::Routine,
                cause = self.doubted() => cause,
            };
            let has_changed = self.read().await;
            self.prices.read_again(cause, has_changed, Instant::now());
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
    async fn doubted(&mut self) -> Cause {
        let venue = Arc::clone(&self.venue);
        let from = self.prices.from;
        let prices = async {
            if let Some(from) = from {
                tokio::time::sleep_until(from).await;
            }
            venue.rules_doubted().await;
        };
        tokio::select! {
            () = self.refused() => Cause::Refusal,
            () = prices => Cause::Prices,
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
        let decimals = self.venue.venue_decimals();
        match self.venue.changed_instruments().await {
            Ok(changed) => {
                // Numbers in other decimals are read by them at once, though no rule changes.
                let now = self.venue.venue_decimals();
                if let Some(recorded) = self.recorded.as_ref().filter(|_| now != decimals) {
                    recorded.note(&now);
                }
                let has_changed = !changed.is_empty() || now != decimals;
                for instrument in changed {
                    self.halts.note(&instrument);
                    tracing::warn!(instrument = %instrument.name, "The venue changed an instrument's rules.");
                    if let Some(queues) = &self.queues {
                        queues.control(Input::InstrumentChanged(Box::new(instrument)));
                    }
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
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;
    use tradewind_data::{Blocks, RecordingSettings};
    use tradewind_model::{AssetId, Candle, Interval, ManualClock};
    use tradewind_venues::execution::CandleRange;
    use tradewind_venues::{
        Address, MarketSink, Pending, Scheme, Source, SourceSettings, Topic, VenueDecimals,
        VenueError, VenueKind,
    };

    use super::*;
    use crate::app::recorder::{Recorder, RecorderOptions};

    /// A tick that is too fine for the desk has prices doubted with each frame.
    #[test]
    fn readings_for_prices_that_find_nothing_come_ever_more_seldom() {
        let (mut doubts, now) = (PriceDoubts::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..11 {
            doubts.read_again(Cause::Prices, false, now);
            pauses.push((doubts.from.unwrap() - now).as_secs());
        }
        assert_eq!(
            pauses,
            [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_800, 1_800]
        );
        doubts.read_again(Cause::Routine, true, now);
        assert_eq!(doubts.from.unwrap() - now, AGAIN);
    }

    /// A venue that writes fewer decimals from a moment on, and whose data shows that until its rules are read.
    #[derive(Debug)]
    struct Venue {
        doubts: Notify,
        is_changed: AtomicBool,
        decimals: Mutex<VenueDecimals>,
        readings: Mutex<Vec<Instant>>,
    }

    impl MarketData for Venue {
        fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn use_instruments(&self, _: &[Instrument]) -> Result<(), VenueError> {
            Ok(())
        }

        fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
            self.readings.lock().unwrap().push(Instant::now());
            if self.is_changed.load(Ordering::SeqCst) {
                let fewer = VenueDecimals::from([(InstrumentId(0), (1, 8))]);
                *self.decimals.lock().unwrap() = fewer;
            }
            self.listings()
        }

        fn venue_decimals(&self) -> VenueDecimals {
            self.decimals.lock().unwrap().clone()
        }

        fn rules_doubted(&self) -> Pending<'_, ()> {
            Box::pin(self.doubts.notified())
        }

        fn candles(
            &self,
            _: InstrumentId,
            _: Interval,
            _: CandleRange,
        ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn market_sources(
            &self,
            _: &[Topic],
            _: &Arc<dyn MarketSink>,
            _: SourceSettings,
        ) -> Vec<Box<dyn Source>> {
            Vec::new()
        }
    }

    /// Moves the clock second by second, so that each task runs when its time comes.
    async fn pass(seconds: u64) {
        for _ in 0..seconds {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_hours_a_wrong_checksum_still_has_the_rules_read_at_once() {
        let venue = Arc::new(Venue {
            doubts: Notify::new(),
            is_changed: AtomicBool::new(false),
            decimals: Mutex::default(),
            readings: Mutex::default(),
        });
        let rules = Rules {
            venue: Arc::clone(&venue) as _,
            queues: Some(Arc::new(InputQueues::new(1))),
            rejections: None,
            halts: Halts::default(),
            prices: PriceDoubts::default(),
            recorded: None,
        };
        let stop = CancellationToken::new();
        let mut task = tokio::task::JoinSet::new();
        task.spawn(rules.run(stop.clone()));
        pass(10 * 3_600).await;
        let routine = venue.readings.lock().unwrap().len();
        assert!((15..=20).contains(&routine), "{routine}");
        let after = async |doubts: usize| {
            let since = Instant::now();
            for _ in 0..doubts {
                venue.doubts.notify_one();
                pass(1).await;
            }
            let readings = venue.readings.lock().unwrap();
            let after = readings.iter().filter(|at| **at >= since);
            after.map(|at| (*at - since).as_secs()).collect::<Vec<_>>()
        };
        // A wrong checksum that was a mistake of the venue, and an hour later one that means it.
        assert_eq!(after(1).await, [0]);
        pass(3_700).await;
        venue.is_changed.store(true, Ordering::SeqCst);
        assert_eq!(after(1).await, [0]);
        // What it found is a change, so the next one is not put off for longer.
        let next = after(9).await;
        assert!(matches!(next[..], [4 | 5, ..]), "{next:?}");
        stop.cancel();
        task.join_next().await.unwrap().unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_without_a_desk_notes_other_decimals() {
        let folder = tempfile::TempDir::new().unwrap();
        let address = Address::parse("ws://127.0.0.1:1", Scheme::WebSocket).unwrap();
        let settings = RecordingSettings::new("kraken");
        let options = RecorderOptions::of(&address, folder.path().to_owned(), settings);
        let recorder = Recorder::start(options, Arc::<ManualClock>::default()).unwrap();
        let venue = Arc::new(Venue {
            doubts: Notify::new(),
            is_changed: AtomicBool::new(true),
            decimals: Mutex::default(),
            readings: Mutex::default(),
        });
        let instrument = Instrument::spot(InstrumentId(0), "kraken:X/Y", AssetId(0), AssetId(1));
        let named = vec![("X/Y".to_owned(), instrument)];
        let recorded = Recorded::new(recorder.notes(), VenueKind::Kraken, named);
        let stop = CancellationToken::new();
        let rules = Rules::of_recording(Arc::clone(&venue) as _, recorded);
        let mut task = tokio::task::JoinSet::new();
        task.spawn(rules.run(stop.clone()));
        venue.doubts.notify_one();
        pass(2).await;
        stop.cancel();
        task.join_next().await.unwrap().unwrap().unwrap();
        recorder.finish();
        let mut text = String::new();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let mut blocks = Blocks::open(&file.unwrap().path()).unwrap();
            while let Some(block) = blocks.next_block().unwrap() {
                text.push_str(&block);
            }
        }
        let note = r#""name":"kraken:X/Y","price_decimals":1,"quantity_decimals":8,"symbol":"X/Y""#;
        assert!(text.contains(note), "{text}");
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
