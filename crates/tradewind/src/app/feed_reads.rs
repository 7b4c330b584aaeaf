//! Past candles of venues that are read without an account, and of house sources, which have none.
//!
//! A bot waits for the past candles of what it reads. So every request is answered: with no candles if the source has none, or if
//! it refuses or does not answer after some tries. Some requests run at the same time, so that one that is tried again holds up no other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_driver::Effect;
use tradewind_events::{CandleHistory, Input};
use tradewind_model::{Candle, InstrumentId, Interval};
use tradewind_venues::MarketData;
use tradewind_venues::execution::CandleRange;

use crate::driver::InputQueues;

/// Requests that wait for one venue.
const REQUESTS_MAX: usize = 1_024;
/// Requests that run at the same time at one venue. Its rate budget holds for all of them.
const AT_ONCE: usize = 8;
/// Waits between the tries of a request. After the last it is given up.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// A request for past candles.
#[derive(Clone, Copy, Debug)]
struct Request {
    instrument: InstrumentId,
    interval: Interval,
    count: u32,
}

/// Hands requests to what reads each venue.
#[derive(Clone, Debug)]
pub(crate) struct FeedReads {
    queues: Arc<InputQueues>,
    /// By instrument, where its requests go.
    readers: Vec<Option<mpsc::Sender<Request>>>,
}

/// What reads one venue's past candles.
#[derive(Clone, Debug)]
pub(super) struct FeedReader {
    data: Arc<dyn MarketData>,
    queues: Arc<InputQueues>,
    /// Empty while it runs.
    requests: Arc<Mutex<Option<mpsc::Receiver<Request>>>>,
}

impl FeedReads {
    /// For each venue the places of its instruments; other instruments have no past.
    pub(super) fn new(
        queues: &Arc<InputQueues>,
        instruments: usize,
        feeds: Vec<(Arc<dyn MarketData>, Vec<InstrumentId>)>,
    ) -> (Self, Vec<FeedReader>) {
        let mut readers = vec![None; instruments];
        let mut tasks = Vec::new();
        for (data, here) in feeds {
            let (sender, requests) = mpsc::channel(REQUESTS_MAX);
            for instrument in here {
                readers[instrument.index()] = Some(sender.clone());
            }
            let queues = Arc::clone(queues);
            tasks.push(FeedReader {
                data,
                queues,
                requests: Arc::new(Mutex::new(Some(requests))),
            });
        }
        let queues = Arc::clone(queues);
        (Self { queues, readers }, tasks)
    }

    /// Begins a request, or answers it with nothing.
    pub(super) fn perform(&self, effect: &Effect) {
        let Effect::Candles {
            instrument,
            interval,
            count,
        } = *effect
        else {
            return tracing::error!(?effect, "Venues without an account only give candles.");
        };
        let request = Request {
            instrument,
            interval,
            count,
        };
        let reader = self
            .readers
            .get(instrument.index())
            .and_then(Option::as_ref);
        let is_begun = reader.is_some_and(|reader| reader.try_send(request).is_ok());
        if !is_begun {
            answer(&self.queues, request, Vec::new());
        }
    }
}

impl FeedReader {
    /// Carries out requests until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let taken = self
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut requests) = taken else {
            return Ok(());
        };
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(ended) = running.join_next(), if !running.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "A request for past candles panicked.");
                    }
                }
                request = requests.recv(), if running.len() < AT_ONCE => {
                    let Some(request) = request else {
                        return Ok(());
                    };
                    let (data, queues) = (Arc::clone(&self.data), Arc::clone(&self.queues));
                    running.spawn(async move {
                        let answered = OnPanic { queues: &queues, request };
                        let candles = read(&*data, request).await;
                        answer(&queues, request, candles);
                        drop(answered);
                    });
                }
            }
        }
    }
}

/// Answers a request whose reading panics. One that ends with the desk is not answered.
struct OnPanic<'a> {
    queues: &'a InputQueues,
    request: Request,
}

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            answer(self.queues, self.request, Vec::new());
        }
    }
}

async fn read(data: &dyn MarketData, request: Request) -> Vec<Candle> {
    let range = CandleRange::Latest(request.count);
    for wait in WAITS.into_iter().map(Some).chain([None]) {
        let read = data.candles(request.instrument, request.interval, range);
        match (read.await, wait) {
            (Ok(candles), _) => return candles,
            (Err(error), Some(wait)) if error.is_transient() => {
                tracing::debug!(?request, %error, "Past candles are requested again.");
                tokio::time::sleep(wait).await;
            }
            (Err(error), _) => {
                tracing::warn!(?request, %error, "No past candles; bots that read them begin without.");
                break;
            }
        }
    }
    Vec::new()
}

fn answer(queues: &InputQueues, request: Request, candles: Vec<Candle>) {
    queues.control(Input::Candles(Box::new(CandleHistory {
        instrument: request.instrument,
        interval: request.interval,
        candles,
    })));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::input_queues::Taken;
    use tradewind_model::Instrument;
    use tradewind_venues::{MarketSink, Pending, Source, SourceSettings, Topic, VenueError};

    /// Instrument 0 panics, 1 is refused, 2 cannot be reached, and 3 has no candle.
    #[derive(Debug)]
    struct Venue;

    impl MarketData for Venue {
        fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
            self.listings()
        }

        fn use_instruments(&self, _: &[Instrument]) -> Result<(), VenueError> {
            Ok(())
        }

        fn candles(
            &self,
            instrument: InstrumentId,
            _: Interval,
            _: CandleRange,
        ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
            Box::pin(async move {
                match instrument.0 {
                    0 => panic!("a mistake"),
                    1 => Err(VenueError::Ours("not listed".to_owned())),
                    2 => Err(VenueError::Connection("none".to_owned())),
                    _ => Ok(Vec::new()),
                }
            })
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

    /// A bot waits for each answer: none is lost in a panic, none waits behind tries of another, and what is refused is not tried again.
    #[tokio::test(start_paused = true)]
    async fn every_request_is_answered_and_none_waits_for_another() {
        let queues = Arc::new(InputQueues::new(4));
        let ids = (0..4).map(InstrumentId);
        let feeds = vec![(
            Arc::new(Venue) as Arc<dyn MarketData>,
            ids.clone().collect(),
        )];
        let (reads, readers) = FeedReads::new(&queues, 4, feeds);
        for instrument in ids {
            reads.perform(&Effect::Candles {
                instrument,
                interval: Interval::Minute1,
                count: 10,
            });
        }
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(readers[0].clone().run(stop.clone()));
        let answered = || {
            let mut taken = Taken::default();
            queues.take(&mut taken);
            let inputs = taken.batch.control.into_iter();
            let ids = inputs.filter_map(|input| match input {
                Input::Candles(history) => Some(history.instrument.0),
                _ => None,
            });
            let mut ids: Vec<u32> = ids.collect();
            ids.sort_unstable();
            ids
        };
        tokio::time::sleep(Duration::from_millis(1)).await; // tidy: sleep: time is paused and moved
        assert_eq!(answered(), [0, 1, 3]);
        tokio::time::sleep(WAITS.iter().sum()).await; // tidy: sleep: time is paused and moved
        assert_eq!(answered(), [2]);
        stop.cancel();
        running.join_next().await.unwrap().unwrap().unwrap();
    }
}
