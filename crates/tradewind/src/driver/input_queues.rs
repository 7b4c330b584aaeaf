//! The input queues before the engine.
//!
//! *Control* (reports, commands, accounts, candles, evaluations) is never dropped and always first. *Trades* are kept
//! in order up to a bound; what overflows is counted and becomes a gap. *Quotes* have one slot per instrument: the
//! latest wins, and what it superseded is counted. So an engine that was held up continues with what matters, then
//! with one quote per instrument, however many came meanwhile.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tradewind_engine::Engine;
use tradewind_events::Input;
use tradewind_model::{InstrumentId, Quote, Trade};

/// Trades kept at most.
pub const TRADES_MAX: usize = 65_536;
/// Control inputs after which the desk gives up rather than lose one: the engine must have stopped long before.
pub const CONTROL_MAX: usize = 1_000_000;

/// A look at the engine between two inputs; it changes nothing and is not journaled.
pub type EngineQuery = Box<dyn FnOnce(&Engine) + Send>;

/// What the queues have counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputQueueCounts {
    /// Control inputs put in.
    pub control: u64,
    /// Trades put in, the lost ones included.
    pub trades: u64,
    /// Trades lost since the lane was full.
    pub trades_lost: u64,
    /// Quotes put in.
    pub quotes: u64,
    /// Quotes overwritten by a later one of their instrument before the engine came to them.
    pub quotes_superseded: u64,
    /// Most control inputs that ever waited.
    pub control_high: usize,
    /// Most trades that ever waited.
    pub trades_high: usize,
}

/// What the engine takes out in one go, in the order in which it is to be handled.
#[derive(Default)]
pub struct Batch {
    /// Control inputs, oldest first.
    pub control: VecDeque<Input>,
    /// Looks at the engine, answered after the control inputs.
    pub looks: Vec<EngineQuery>,
    /// Trades lost since the last batch.
    pub trades_lost: u64,
    /// Trades, oldest first.
    pub trades: VecDeque<Trade>,
    /// At most one quote per instrument, in the order in which each was first put in.
    pub quotes: Vec<Quote>,
    /// Whether the queues were closed; nothing comes after this batch.
    pub closed: bool,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("control", &self.control.len())
            .field("looks", &self.looks.len())
            .field("trades", &self.trades.len())
            .field("quotes", &self.quotes.len())
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.control.is_empty()
            && self.looks.is_empty()
            && self.trades.is_empty()
            && self.quotes.is_empty()
            && self.trades_lost == 0
            && !self.closed
    }
}

#[derive(Default)]
struct State {
    control: VecDeque<Input>,
    looks: Vec<EngineQuery>,
    trades: VecDeque<Trade>,
    trades_lost: u64,
    slots: Vec<Option<Quote>>,
    /// Instruments with a quote in their slot, in the order in which it was first put in.
    waiting: Vec<InstrumentId>,
    counts: InputQueueCounts,
    closed: bool,
}

/// The queues. Shared by all edges and the engine's thread.
#[derive(Default)]
pub struct InputQueues {
    state: Mutex<State>,
    filled: Condvar,
}

impl std::fmt::Debug for InputQueues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputQueues")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl InputQueues {
    /// Empty queues for so many instruments.
    #[must_use]
    pub fn new(instruments: usize) -> Self {
        let state = State {
            slots: vec![None; instruments],
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
        }
    }

    /// Puts in what must not be dropped.
    ///
    /// # Panics
    /// With [`CONTROL_MAX`] inputs waiting: a desk that cannot keep its reports must not go on.
    pub fn control(&self, input: Input) {
        let mut state = self.lock();
        assert!(
            state.control.len() < CONTROL_MAX,
            "the engine has stopped taking its inputs"
        );
        state.control.push_back(input);
        state.counts.control += 1;
        state.counts.control_high = state.counts.control_high.max(state.control.len());
        drop(state);
        self.filled.notify_one();
    }

    /// Puts in a trade, or counts it as lost.
    pub fn trade(&self, trade: Trade) {
        let mut state = self.lock();
        state.counts.trades += 1;
        if state.trades.len() < TRADES_MAX {
            state.trades.push_back(trade);
            state.counts.trades_high = state.counts.trades_high.max(state.trades.len());
        } else {
            state.trades_lost += 1;
            state.counts.trades_lost += 1;
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Puts in a quote in place of the last one of its instrument. One of an unknown instrument is ignored.
    pub fn quote(&self, quote: Quote) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(slot) = state.slots.get_mut(quote.instrument.index()) else {
            return;
        };
        state.counts.quotes += 1;
        if slot.replace(quote).is_some() {
            // The engine is awake already, or about to be.
            state.counts.quotes_superseded += 1;
            return;
        }
        state.waiting.push(quote.instrument);
        drop(guard);
        self.filled.notify_one();
    }

    /// Lets `look` see the engine after the control inputs that wait now.
    pub fn look(&self, look: EngineQuery) {
        self.lock().looks.push(look);
        self.filled.notify_one();
    }

    /// Closes the queues: the engine takes what is in them and ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Takes out all there is, waiting for something until `deadline` at the latest.
    ///
    /// `batch` must be empty; its buffers are used again.
    pub fn take(&self, batch: &mut Batch, deadline: Option<Instant>) {
        let mut state = self.lock();
        while state.is_empty() {
            let Some(left) = remaining(deadline) else {
                break;
            };
            let waited = self.filled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut batch.control, &mut state.control);
        std::mem::swap(&mut batch.looks, &mut state.looks);
        std::mem::swap(&mut batch.trades, &mut state.trades);
        batch.trades_lost = std::mem::take(&mut state.trades_lost);
        batch.closed = state.closed;
        let State { waiting, slots, .. } = &mut *state;
        batch.quotes.extend(
            waiting
                .drain(..)
                .filter_map(|instrument| slots[instrument.index()].take()),
        );
    }

    /// Takes out the control inputs that came since, without waiting; `control` must be empty.
    pub fn take_control(&self, control: &mut VecDeque<Input>) {
        std::mem::swap(control, &mut self.lock().control);
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> InputQueueCounts {
        self.lock().counts
    }

    /// How many control inputs, trades and quotes wait now.
    #[must_use]
    pub fn depths(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.control.len(), state.trades.len(), state.waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under the lock can leave it half changed, so a poisoned one is as good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.control.is_empty()
            && self.looks.is_empty()
            && self.trades.is_empty()
            && self.waiting.is_empty()
            && self.trades_lost == 0
            && !self.closed
    }
}

/// Time left; `None` once it is over. Without a deadline a minute at a time.
fn remaining(deadline: Option<Instant>) -> Option<Duration> {
    let Some(deadline) = deadline else {
        return Some(Duration::from_secs(60));
    };
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::{Input, StorageHealth};
    use tradewind_model::{Price, Quantity, Side, Timestamp, TradeId};

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

    /// 100 ms of 50,000 quotes/s over 25 instruments while the engine stands still.
    #[test]
    fn an_engine_that_stood_still_gets_control_first_and_one_quote_per_instrument() {
        let queues = InputQueues::new(25);
        for step in 0..5_000_i64 {
            queues.quote(quote(u32::try_from(step % 25).unwrap(), 1_000 + step));
            if step % 1_000 == 500 {
                queues.control(Input::Storage(StorageHealth::Writing));
            }
        }
        let mut batch = Batch::default();
        queues.take(&mut batch, Some(Instant::now()));
        assert_eq!(batch.control.len(), 5);
        assert_eq!(batch.quotes.len(), 25);
        // The latest of each instrument won.
        assert!(
            batch
                .quotes
                .iter()
                .all(|quote| quote.bid.0 >= 1_000 + 5_000 - 25)
        );
        let counts = queues.counts();
        assert_eq!((counts.quotes, counts.quotes_superseded), (5_000, 4_975));
        assert_eq!(
            counts.quotes,
            counts.quotes_superseded + batch.quotes.len() as u64
        );
        assert_eq!(queues.depths(), (0, 0, 0));
    }

    #[test]
    fn control_can_be_taken_alone() {
        let queues = InputQueues::new(1);
        queues.quote(quote(0, 5));
        queues.control(Input::Resync);
        let mut control = VecDeque::new();
        queues.take_control(&mut control);
        assert_eq!((control.len(), queues.depths()), (1, (0, 0, 1)));
    }

    #[test]
    fn trades_beyond_the_bound_are_counted_and_announced_once() {
        let queues = InputQueues::new(1);
        for id in 0..TRADES_MAX as u64 + 7 {
            queues.trade(trade(id));
        }
        let mut batch = Batch::default();
        queues.take(&mut batch, Some(Instant::now()));
        assert_eq!((batch.trades.len(), batch.trades_lost), (TRADES_MAX, 7));
        assert_eq!(batch.trades[0].id, TradeId(0));
        let mut next = Batch::default();
        queues.take(&mut next, Some(Instant::now()));
        assert!(next.is_empty());
        assert_eq!(queues.counts().trades_lost, 7);
    }

    #[test]
    fn a_waiting_engine_is_woken_by_what_comes() {
        let queues = std::sync::Arc::new(InputQueues::new(1));
        let other = std::sync::Arc::clone(&queues);
        let engine = std::thread::spawn(move || {
            let mut batch = Batch::default();
            other.take(&mut batch, None);
            batch.quotes.len()
        });
        queues.quote(quote(0, 5));
        assert_eq!(engine.join().unwrap(), 1);
    }
}
