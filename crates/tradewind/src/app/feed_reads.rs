//! Past candles of venues that are read without an account, and of house sources, which have none.
//!
//! A bot waits for the past candles of what it reads. So every request is answered: with no candles if the source has none, or if
//! it does not answer after some tries.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tradewind_driver::Effect;
use tradewind_events::{CandleHistory, Input};
use tradewind_model::{Candle, InstrumentId, Interval};
use tradewind_venues::MarketData;
use tradewind_venues::execution::CandleRange;

use crate::driver::InputQueues;

/// Requests that wait for one venue.
const REQUESTS_MAX: usize = 1_024;
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
    requests: Arc<Mutex<mpsc::Receiver<Request>>>,
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
                requests: Arc::new(Mutex::new(requests)),
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
    /// Carries out requests, one after the other, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut requests = self.requests.lock().await;
        loop {
            let request = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                request = requests.recv() => match request {
                    Some(request) => request,
                    None => return Ok(()),
                },
            };
            let candles = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                candles = read(&*self.data, request) => candles,
            };
            answer(&self.queues, request, candles);
        }
    }
}

async fn read(data: &dyn MarketData, request: Request) -> Vec<Candle> {
    let range = CandleRange::Latest(request.count);
    for wait in WAITS.into_iter().map(Some).chain([None]) {
        let read = data.candles(request.instrument, request.interval, range);
        match (read.await, wait) {
            (Ok(candles), _) => return candles,
            (Err(error), Some(wait)) => {
                tracing::debug!(?request, %error, "Past candles are requested again.");
                tokio::time::sleep(wait).await;
            }
            (Err(error), None) => {
                tracing::warn!(?request, %error, "No past candles; bots that read them begin without.");
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
