//! Sinks of a mirrored market: from the venue into the embedded exchange, and from the exchange into the input queues
//! while the venue's feed is live.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tradewind_model::{Candle, Clock, Depth, FeedHealth, InstrumentId, Quote, Timestamp, Trade};
use tradewind_simx_server::MirrorFeed;
use tradewind_venues::{HealthChange, MarketSink, Topic};

use crate::app::sinks::MarketToQueues;

/// The venue's market into the exchange.
#[derive(Debug)]
pub(super) struct VenueToExchange {
    pub(super) feed: MirrorFeed,
    pub(super) health: Arc<MirrorHealth>,
}

impl MarketSink for VenueToExchange {
    fn quote(&self, quote: Quote) {
        self.feed.quote(quote);
    }

    fn trade(&self, trade: Trade) {
        self.feed.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.feed.minute(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        self.feed.depth(*depth);
    }

    fn health(&self, change: &HealthChange) {
        self.health.venue(change);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        tracing::error!(
            ?topic,
            reason,
            "A mirrored stream failed many times and is tried on; its market stops."
        );
    }
}

/// The embedded exchange's market into the queues. While the venue's feed is not live, quotes are dropped: the embedded
/// market then changes by the desk's own orders only.
#[derive(Debug)]
pub(crate) struct MirrorSink(pub(super) Arc<MirrorHealth>);

impl MarketSink for MirrorSink {
    fn quote(&self, quote: Quote) {
        if self.0.is_live(quote.instrument) {
            self.0.queues.quote(quote);
        }
    }

    fn trade(&self, trade: Trade) {
        self.0.queues.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        if self.0.is_whole(&candle) {
            self.0.queues.candle(candle);
        }
    }

    fn depth(&self, depth: Box<Depth>) {
        self.0.queues.depth(depth);
    }

    fn health(&self, change: &HealthChange) {
        self.0.here(change);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        self.0.queues.failed(topic, reason);
    }
}

/// A request for the missed minutes of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MissedMinutes {
    pub(super) instrument: InstrumentId,
    pub(super) since: Timestamp,
}

/// The health of the mirrored market, by instrument.
#[derive(Debug)]
pub(super) struct MirrorHealth {
    feeds: Mutex<Vec<Feed>>,
    queues: MarketToQueues,
    clock: Arc<dyn Clock>,
    /// Requests for missed minutes, one per instrument. If it is full, the request is repeated with the next change of health.
    requests: mpsc::Sender<MissedMinutes>,
}

/// The feed of one instrument, from the venue to the engine.
#[derive(Clone, Copy, Debug)]
struct Feed {
    venue: FeedHealth,
    here: FeedHealth,
    /// The health last reported to the engine.
    reported: FeedHealth,
    /// When the venue's feed was lost; `None` once the missed minutes are requested.
    lost_at: Option<Timestamp>,
    /// Candles that close after this are complete; `None` while that is unknown.
    whole_from: Option<Timestamp>,
}

impl Feed {
    /// The worse of the two healths.
    fn health(&self) -> FeedHealth {
        match self.venue {
            FeedHealth::Live => self.here,
            venue => venue,
        }
    }
}

impl MirrorHealth {
    pub(super) fn new(
        instruments: usize,
        queues: MarketToQueues,
        clock: &Arc<dyn Clock>,
        requests: mpsc::Sender<MissedMinutes>,
    ) -> Self {
        let initial = Feed {
            venue: FeedHealth::Stale,
            here: FeedHealth::Stale,
            reported: FeedHealth::Stale,
            lost_at: Some(clock.now()),
            whole_from: None,
        };
        Self {
            feeds: Mutex::new(vec![initial; instruments]),
            queues,
            clock: Arc::clone(clock),
            requests,
        }
    }

    /// The health of the venue's feed changed.
    pub(super) fn venue(&self, change: &HealthChange) {
        let (instrument, health, now) = (change.instrument, change.health, self.clock.now());
        self.change(change, |feed| {
            feed.venue = health;
            if health != FeedHealth::Live {
                feed.lost_at.get_or_insert(now);
                feed.whole_from = None;
            } else if let Some(since) = feed.lost_at {
                let request = MissedMinutes { instrument, since };
                feed.lost_at = self.requests.try_send(request).is_err().then_some(since);
            }
        });
    }

    /// The health of the embedded exchange's feed changed.
    fn here(&self, change: &HealthChange) {
        self.change(change, |feed| feed.here = change.health);
    }

    /// The missed minutes are complete: candles that close after `from` are complete if the venue's feed stayed live.
    pub(super) fn whole(&self, instrument: InstrumentId, from: Timestamp) {
        if let Some(feed) = self.feeds().get_mut(instrument.index())
            && feed.venue == FeedHealth::Live
        {
            feed.whole_from = Some(from);
        }
    }

    /// Changes a feed and reports a change of health to the engine. The lock is held meanwhile, so that changes are reported
    /// in their order. Reporting does not wait.
    fn change(&self, reported: &HealthChange, change: impl FnOnce(&mut Feed)) {
        let mut feeds = self.feeds();
        let Some(feed) = feeds.get_mut(reported.instrument.index()) else {
            return;
        };
        change(feed);
        let health = feed.health();
        // Each gap is reported, because each is another loss of data.
        if health != feed.reported || health == FeedHealth::Gap {
            feed.reported = health;
            // Books have the time of the embedded exchange, with which the venue's cannot be compared.
            self.queues.health(&HealthChange {
                health,
                received_at: None,
                ..reported.clone()
            });
        }
    }

    fn is_live(&self, instrument: InstrumentId) -> bool {
        let feeds = self.feeds();
        let feed = feeds.get(instrument.index());
        feed.is_some_and(|feed| feed.venue == FeedHealth::Live)
    }

    /// Whether a candle is complete. An incomplete one is dropped; the engine requests it from the venue.
    fn is_whole(&self, candle: &Candle) -> bool {
        let feeds = self.feeds();
        let feed = feeds.get(candle.instrument.index());
        feed.and_then(|feed| feed.whole_from)
            .is_some_and(|from| candle.close_time() > from)
    }

    fn feeds(&self) -> MutexGuard<'_, Vec<Feed>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::InputQueues;
    use crate::driver::input_queues::Taken;
    use FeedHealth::{Gap, Live, Resync, Stale};
    use tradewind_driver::Batch;
    use tradewind_events::Input;
    use tradewind_model::{Amount, Interval, ManualClock, Price, Quantity};

    const BTC: InstrumentId = InstrumentId(0);
    /// A stopped clock, 30 s into a minute.
    const NOW: Timestamp = Timestamp::from_secs(600 * 60 + 30);

    struct Rig {
        queues: Arc<InputQueues>,
        health: Arc<MirrorHealth>,
        sink: MirrorSink,
        requests: mpsc::Receiver<MissedMinutes>,
    }

    fn rig() -> Rig {
        let queues = Arc::new(InputQueues::new(1));
        let (missed, requests) = mpsc::channel(1);
        let clock = Arc::new(ManualClock::new(NOW)) as Arc<dyn Clock>;
        let to_queues = MarketToQueues(Arc::clone(&queues));
        let health = Arc::new(MirrorHealth::new(1, to_queues, &clock, missed));
        Rig {
            queues,
            sink: MirrorSink(Arc::clone(&health)),
            health,
            requests,
        }
    }

    impl Rig {
        fn taken(&self) -> Batch {
            let mut taken = Taken::default();
            self.queues.take(&mut taken);
            taken.batch
        }

        /// The healths reported to the engine since the last call.
        fn reported(&self) -> Vec<FeedHealth> {
            let batch = self.taken();
            let health = |input: &Input| match input {
                Input::Health { health, .. } => Some(*health),
                _ => None,
            };
            batch.market.iter().filter_map(health).collect()
        }

        fn candle(&self, interval: Interval, open: i64) -> bool {
            self.health.is_whole(&Candle {
                instrument: BTC,
                interval,
                complete: true,
                open_time: Timestamp::from_secs(open * 60),
                open: Price(1),
                high: Price(1),
                low: Price(1),
                close: Price(1),
                volume: Amount::ZERO,
            })
        }
    }

    #[test]
    fn the_engine_gets_the_worse_of_both_healths() {
        let rig = rig();
        let steps: [(bool, FeedHealth, &[FeedHealth]); 9] = [
            (false, Live, &[]),
            (true, Resync, &[Resync]),
            (true, Live, &[Live]),
            (true, Gap, &[Gap]),
            (true, Gap, &[Gap]),
            (true, Live, &[Live]),
            (true, Stale, &[Stale]),
            (false, Stale, &[]),
            (true, Live, &[]),
        ];
        for (step, (at_venue, health, reported)) in steps.into_iter().enumerate() {
            match at_venue {
                true => rig.health.venue(&HealthChange::new(BTC, health, "")),
                false => rig.sink.health(&HealthChange::new(BTC, health, "")),
            }
            assert_eq!(rig.reported(), reported, "step {step}");
        }
        rig.sink.health(&HealthChange::new(BTC, Live, ""));
        assert_eq!(rig.reported(), [Live], "once quotes come here, too");
    }

    /// The engine compares it with the time of books, which is the embedded exchange's.
    #[test]
    fn the_venues_time_of_a_loss_goes_no_further() {
        let rig = rig();
        rig.sink.health(&HealthChange::new(BTC, Live, ""));
        rig.health.venue(&HealthChange {
            received_at: Some(Timestamp::from_secs(7)),
            ..HealthChange::new(BTC, Gap, "")
        });
        let batch = rig.taken();
        let lost = Input::Health {
            instrument: BTC,
            health: Gap,
            received_at: None,
        };
        assert!(batch.market.contains(&lost), "{batch:?}");
    }

    #[test]
    fn quotes_pass_only_while_the_venue_is_live() {
        let rig = rig();
        let quote = Quote {
            instrument: BTC,
            bid: Price(1),
            ask: Price(2),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: NOW,
        };
        for (health, through) in [(Stale, 0), (Live, 1), (Gap, 0), (Live, 1), (Resync, 0)] {
            rig.health.venue(&HealthChange::new(BTC, health, ""));
            rig.sink.quote(quote);
            let batch = rig.taken();
            assert_eq!(batch.quotes.len(), through, "{health:?}");
        }
    }

    #[test]
    fn missed_minutes_are_requested_once_and_candles_wait_for_them() {
        let mut rig = rig();
        rig.health.venue(&HealthChange::new(BTC, Live, ""));
        let missed = MissedMinutes {
            instrument: BTC,
            since: NOW,
        };
        assert_eq!(rig.requests.try_recv(), Ok(missed));
        assert!(!rig.candle(Interval::Minute1, 599), "not read yet");
        rig.health.whole(BTC, Timestamp::from_secs(601 * 60));
        assert!(!rig.candle(Interval::Minute1, 600), "its start was missed");
        assert!(rig.candle(Interval::Minute1, 601));
        assert!(
            rig.candle(Interval::Hour1, 600),
            "its minutes are all there"
        );
        rig.health.venue(&HealthChange::new(BTC, Live, ""));
        assert!(rig.requests.try_recv().is_err(), "nothing was missed");

        rig.health.venue(&HealthChange::new(BTC, Stale, ""));
        rig.health.whole(BTC, NOW);
        assert!(
            !rig.candle(Interval::Minute1, 700),
            "the feed was lost while minutes were read"
        );
        rig.health.venue(&HealthChange::new(BTC, Live, ""));
        assert!(rig.requests.try_recv().is_ok());
    }
}
