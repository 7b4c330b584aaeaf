//! The input queues before the engine.
//!
//! | queue | holds | when it is full |
//! |---|---|---|
//! | control | reports, commands, evaluations, rare inputs of the desk; first, in order | by kind: see `control.rs` |
//! | numbers | the latest per named series; behind control | never for a known series: the latest wins |
//! | targets | the latest per source, bot and instrument, and the health of sources; behind control | drops further targets of that source; never health |
//! | market | trades, closed candles, feed health; in order | drops the newest; the engine learns how many |
//! | depth, quotes | the latest per instrument | never: the latest wins |
//! | queries | looks at the engine | drops the newest; its giver gets no answer |
//!
//! So an engine that was held up continues with what matters, then with what is in order, then with one book and one
//! quote per instrument, however many came meanwhile.

mod control;
mod latest;
mod market;
mod numbers;
mod stats;
mod targets;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tradewind_driver::Batch;
use tradewind_engine::Engine;
use tradewind_events::{Command, Input};
use tradewind_model::{Candle, Depth, FeedHealth, InstrumentId, Quote, Timestamp, Trade};

use self::control::ControlQueue;
use self::latest::LatestQueue;
use self::market::MarketQueue;
use self::numbers::NumberQueue;
use self::stats::Counters;
use self::targets::TargetQueue;

pub use self::control::{COMMANDS_MAX, DESK_MAX, EVALUATIONS_MAX, QueueFull, REPORTS_MAX};
pub use self::market::{HEALTH_MAX, MARKET_MAX};
pub use self::stats::QueueStats;

/// Queries that may wait.
pub const QUERIES_MAX: usize = 1_024;

/// A look at the engine between two turns; it changes nothing and is not journaled.
pub type EngineQuery = Box<dyn FnOnce(&Engine) + Send>;

/// What the engine's thread has taken out and not yet handled.
#[derive(Default)]
pub struct Taken {
    /// Inputs.
    pub batch: Batch,
    /// Queries, oldest first.
    pub queries: VecDeque<EngineQuery>,
    /// Whether the queues were closed: once all this is handled, nothing comes after it.
    pub closed: bool,
}

impl Taken {
    /// Whether everything in it was handled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.queries.is_empty()
    }
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taken")
            .field("batch", &self.batch)
            .field("queries", &self.queries.len())
            .field("closed", &self.closed)
            .finish()
    }
}

/// A moment in what was put into the queues.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

struct State {
    control: ControlQueue,
    numbers: NumberQueue,
    targets: TargetQueue,
    market: MarketQueue,
    depths: LatestQueue<Box<Depth>>,
    quotes: LatestQueue<Quote>,
    queries: VecDeque<EngineQuery>,
    query_counters: Counters,
    closed: bool,
    /// How often the engine has taken more after it had handled all that it had taken.
    rounds: u64,
}

/// The queues. Shared by all edges and the engine's thread.
pub struct InputQueues {
    state: Mutex<State>,
    filled: Notify,
    /// Why instruments have no data, for people; the engine sees their health alone.
    problems: Mutex<BTreeMap<InstrumentId, String>>,
    /// The disk refuses the journal, or a part of it.
    refused: AtomicBool,
}

impl std::fmt::Debug for InputQueues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputQueues")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl InputQueues {
    /// Empty queues for so many instruments.
    #[must_use]
    pub fn new(instruments: usize) -> Self {
        let state = State {
            control: ControlQueue::default(),
            numbers: NumberQueue::default(),
            targets: TargetQueue::default(),
            market: MarketQueue::default(),
            depths: LatestQueue::new(instruments),
            quotes: LatestQueue::new(instruments),
            queries: VecDeque::new(),
            query_counters: Counters::default(),
            closed: false,
            rounds: 0,
        };
        Self {
            state: Mutex::new(state),
            filled: Notify::new(),
            problems: Mutex::default(),
            refused: AtomicBool::new(false),
        }
    }

    /// Puts in a control input. One without room is counted and logged; market data goes to its own queue.
    pub fn control(&self, input: Input) {
        match input {
            Input::Quote(quote) => self.quote(quote),
            Input::Depth(depth) => self.depth(depth),
            Input::Trade(_)
            | Input::Candle(_)
            | Input::Health { .. }
            | Input::CandlesMissing { .. } => self.market(input),
            Input::Series(point) => {
                self.lock().numbers.put(point);
                self.filled.notify_one();
            }
            Input::Target(_) | Input::TargetUnreadable { .. } | Input::SourceHealth { .. } => {
                self.lock().targets.put(input);
                self.filled.notify_one();
            }
            // One without room has been counted, and what is to be done about it stands in `ControlKind`.
            other => drop(self.push_control(other)),
        }
    }

    /// Puts in a command.
    ///
    /// # Errors
    /// [`QueueFull`]: the command is refused.
    pub fn command(&self, command: Command) -> Result<(), QueueFull> {
        self.push_control(Input::Command(Box::new(command)))
    }

    /// Puts in a trade.
    pub fn trade(&self, trade: Trade) {
        self.market(Input::Trade(trade));
    }

    /// Puts in a closed candle.
    pub fn candle(&self, candle: Candle) {
        self.market(Input::Candle(candle));
    }

    /// Keeps why an instrument has no data, until it is live.
    pub fn feed_failed(&self, instrument: InstrumentId, reason: &str) {
        self.problems().insert(instrument, reason.to_owned());
    }

    /// Why instruments have no data.
    #[must_use]
    pub fn feed_problems(&self) -> BTreeMap<InstrumentId, String> {
        self.problems().clone()
    }

    fn problems(&self) -> MutexGuard<'_, BTreeMap<InstrumentId, String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in a change of an instrument's feed, and when the message that shows it was received.
    pub fn health(
        &self,
        instrument: InstrumentId,
        health: FeedHealth,
        received_at: Option<Timestamp>,
    ) {
        if health == FeedHealth::Live {
            self.problems().remove(&instrument);
        }
        self.market(Input::Health {
            instrument,
            health,
            received_at,
        });
    }

    /// Puts in a book in place of the last one of its instrument.
    pub fn depth(&self, depth: Box<Depth>) {
        let is_news = self.lock().depths.put(depth.instrument, depth);
        if is_news {
            self.filled.notify_one();
        }
    }

    /// Puts in a quote in place of the last one of its instrument.
    pub fn quote(&self, quote: Quote) {
        // Where one was waiting, the engine is awake already, or about to be.
        let is_news = self.lock().quotes.put(quote.instrument, quote);
        if is_news {
            self.filled.notify_one();
        }
    }

    /// Lets `query` see the engine after the control inputs that wait now.
    pub fn query(&self, query: EngineQuery) {
        let mut state = self.lock();
        if state.queries.len() == QUERIES_MAX {
            state.query_counters.dropped();
            return;
        }
        state.queries.push_back(query);
        let depth = state.queries.len();
        state.query_counters.published(depth);
        drop(state);
        self.filled.notify_one();
    }

    /// Closes the queues: the engine takes what is in them and ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Resolves once something may have been put in since the last call, or [`wake`](Self::wake) was called.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Wakes the engine's thread though nothing was put in: something that it waits for has happened elsewhere.
    pub fn wake(&self) {
        self.filled.notify_one();
    }

    /// Takes out what there is. Market data is taken once the last of it is handled.
    pub fn take(&self, taken: &mut Taken) {
        let mut state = self.lock();
        let batch = &mut taken.batch;
        state.rounds += u64::from(batch.is_empty());
        state.control.take(&mut batch.control);
        state.numbers.take(&mut batch.control);
        state.targets.take(&mut batch.control);
        taken.queries.append(&mut state.queries);
        if batch.is_market_empty() {
            batch.market_lost = state.market.take(&mut batch.market);
            state.depths.take(&mut batch.depths);
            state.quotes.take(&mut batch.quotes);
        }
        taken.closed = state.closed;
    }

    /// Marks what was put in by now, for [`is_journaled`](Self::is_journaled); the engine's thread is woken for it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let rounds = self.lock().rounds;
        self.filled.notify_one();
        Mark(rounds)
    }

    /// Whether all that was put in before a mark was handled and is written, and the disk refuses nothing now. What a full queue
    /// dropped counts as handled. The engine's thread is woken where it must look again.
    #[must_use]
    pub fn is_journaled(&self, mark: Mark) -> bool {
        // The round that takes it, and the one after it, before which it was handled.
        let is_handled = self.lock().rounds >= mark.0 + 2;
        if !is_handled {
            self.filled.notify_one();
        }
        is_handled && !self.refused.load(Ordering::Acquire)
    }

    /// Notes whether the disk refuses what the engine has handled.
    pub(crate) fn note_refused(&self, is_refused: bool) {
        self.refused.store(is_refused, Ordering::Release);
    }

    /// What each queue has counted.
    #[must_use]
    pub fn stats(&self) -> Vec<QueueStats> {
        let state = self.lock();
        let mut all: Vec<QueueStats> = state.control.stats().collect();
        let queries = state.queries.len();
        all.extend([
            state.numbers.stats(),
            state.targets.stats(),
            state.market.stats(),
            state.depths.stats("lane.depth"),
            state.quotes.stats("lane.quotes"),
            state
                .query_counters
                .stats("lane.queries", "drop", queries, QUERIES_MAX),
        ]);
        all
    }

    fn push_control(&self, input: Input) -> Result<(), QueueFull> {
        let pushed = self.lock().control.push(input);
        // Even for one that found no room: a lost report is to be resynced.
        self.filled.notify_one();
        pushed
    }

    fn market(&self, input: Input) {
        self.lock().market.push(input);
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under the lock can leave it half changed, so a poisoned one is as good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::StorageHealth;
    use tradewind_model::{Amount, Interval, Price, Quantity, Side, Timestamp, TradeId};

    fn quote(instrument: u32, bid: i64) -> Quote {
        Quote {
            instrument: InstrumentId(instrument),
            bid: Price(bid),
            ask: Price(bid + 1),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    fn trade(id: u64) -> Trade {
        Trade {
            instrument: InstrumentId(0),
            taker: Side::Buy,
            id: TradeId(id),
            price: Price(1),
            quantity: Quantity(1),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    fn candle() -> Candle {
        Candle {
            instrument: InstrumentId(0),
            interval: Interval::Minute1,
            complete: true,
            open_time: Timestamp::EPOCH,
            open: Price(1),
            high: Price(1),
            low: Price(1),
            close: Price(1),
            volume: Amount::ZERO,
        }
    }

    fn depth(instrument: u32, at: i64) -> Box<Depth> {
        Box::new(Depth {
            instrument: InstrumentId(instrument),
            bids: Vec::new(),
            asks: Vec::new(),
            received_at: Timestamp::from_secs(at),
        })
    }

    fn taken(queues: &InputQueues) -> Taken {
        let mut taken = Taken::default();
        queues.take(&mut taken);
        taken
    }

    fn stats(queues: &InputQueues, name: &str) -> QueueStats {
        let all = queues.stats();
        *all.iter().find(|stats| stats.name == name).unwrap()
    }

    /// 100 ms of 50,000 quotes/s over 25 instruments while the engine is held up.
    #[test]
    fn an_engine_that_stood_still_gets_control_first_and_one_quote_per_instrument() {
        let queues = InputQueues::new(25);
        for step in 0..5_000_i64 {
            queues.quote(quote(u32::try_from(step % 25).unwrap(), 1_000 + step));
            if step % 1_000 == 500 {
                queues.control(Input::Storage(StorageHealth::Writing));
            }
        }
        let batch = taken(&queues).batch;
        assert_eq!(batch.control.len(), 5);
        assert_eq!(batch.quotes.len(), 25);
        // The latest of each instrument won.
        assert!(
            batch
                .quotes
                .iter()
                .all(|quote| quote.bid.0 >= 1_000 + 5_000 - 25)
        );
        let quotes = stats(&queues, "lane.quotes");
        assert_eq!((quotes.published, quotes.conflated), (5_000, 4_975));
        assert_eq!((quotes.delivered(), quotes.dropped), (25, 0));
        assert_eq!((quotes.high_water, quotes.capacity), (25, 25));
        assert!(queues.stats().iter().all(|stats| stats.depth == 0));
    }

    #[test]
    fn what_was_marked_is_journaled_once_the_engine_comes_back_for_more() {
        let queues = InputQueues::new(1);
        let mut taken = Taken::default();
        let is_journaled = |mark| queues.is_journaled(mark);
        queues.trade(trade(1));
        let mark = queues.mark();
        assert!(!is_journaled(mark));
        queues.take(&mut taken);
        assert!(!is_journaled(mark), "taken, not handled");
        // A slice of the market is left.
        queues.take(&mut taken);
        assert!(!is_journaled(mark), "a part is handled");
        taken.batch.market.clear();
        queues.take(&mut taken);
        assert!(is_journaled(mark));
        queues.note_refused(true);
        assert!(!is_journaled(mark), "the disk refuses it");
        queues.note_refused(false);
        assert!(is_journaled(mark) && !is_journaled(queues.mark()));
    }

    #[test]
    fn only_the_latest_book_of_an_instrument_is_kept() {
        let queues = InputQueues::new(2);
        for (instrument, at) in [(1, 1), (0, 2), (1, 3), (7, 4)] {
            queues.control(Input::Depth(depth(instrument, at)));
        }
        assert_eq!(taken(&queues).batch.depths, [depth(1, 3), depth(0, 2)]);
        let depths = stats(&queues, "lane.depth");
        assert_eq!((depths.published, depths.conflated), (3, 1));
    }

    #[test]
    fn trades_candles_and_health_keep_their_order() {
        let queues = InputQueues::new(1);
        let health = FeedHealth::Gap;
        queues.trade(trade(1));
        queues.candle(candle());
        queues.health(InstrumentId(0), health, None);
        queues.control(Input::Trade(trade(2)));
        queues.control(Input::Resync);
        let batch = taken(&queues).batch;
        assert_eq!(batch.control, [Input::Resync]);
        let instrument = InstrumentId(0);
        assert_eq!(
            batch.market,
            [
                Input::Trade(trade(1)),
                Input::Candle(candle()),
                Input::Health {
                    instrument,
                    health,
                    received_at: None,
                },
                Input::Trade(trade(2)),
            ]
        );
    }

    #[test]
    fn a_full_market_queue_drops_trades_and_candles_and_still_takes_health() {
        let queues = InputQueues::new(1);
        for id in 0..MARKET_MAX as u64 + 7 {
            queues.trade(trade(id));
        }
        queues.candle(candle());
        for _ in 0..HEALTH_MAX + 1 {
            queues.health(InstrumentId(0), FeedHealth::Stale, None);
        }
        let mut taken = taken(&queues);
        let batch = &mut taken.batch;
        assert_eq!(batch.market.len(), MARKET_MAX + HEALTH_MAX);
        assert_eq!(batch.market_lost, 7 + 1 + 1);
        assert_eq!(batch.market[0], Input::Trade(trade(0)));
        let trades = stats(&queues, "lane.trades");
        assert_eq!((trades.dropped, trades.depth), (9, 0));
        assert_eq!(trades.high_water, MARKET_MAX + HEALTH_MAX);
        assert!(self::taken(&queues).is_empty(), "the loss is reported once");
    }

    #[test]
    fn control_comes_between_slices_and_new_market_data_only_behind_the_old() {
        let queues = InputQueues::new(1);
        queues.trade(trade(1));
        let mut taken = taken(&queues);
        queues.trade(trade(2));
        queues.quote(quote(0, 5));
        queues.control(Input::Resync);
        queues.take(&mut taken);
        assert_eq!(taken.batch.control, [Input::Resync]);
        assert_eq!(taken.batch.market, [Input::Trade(trade(1))]);
        assert!(taken.batch.quotes.is_empty());
        taken.batch.control.clear();
        taken.batch.market.clear();
        queues.take(&mut taken);
        assert_eq!(taken.batch.market, [Input::Trade(trade(2))]);
        assert_eq!(taken.batch.quotes.len(), 1);
    }

    #[test]
    fn a_query_without_room_is_dropped_and_counted() {
        let queues = InputQueues::new(0);
        for _ in 0..QUERIES_MAX + 2 {
            queues.query(Box::new(|_| {}));
        }
        assert_eq!(taken(&queues).queries.len(), QUERIES_MAX);
        assert_eq!(stats(&queues, "lane.queries").dropped, 2);
    }

    #[tokio::test]
    async fn a_waiting_engine_is_woken_by_what_came_before_it_waited_and_by_what_comes() {
        let queues = InputQueues::new(1);
        queues.quote(quote(0, 5));
        queues.filled().await;
        assert_eq!(taken(&queues).batch.quotes.len(), 1);
        let give = async { queues.control(Input::Resync) };
        tokio::join!(biased; queues.filled(), give);
        assert_eq!(taken(&queues).batch.control, [Input::Resync]);
    }
}
