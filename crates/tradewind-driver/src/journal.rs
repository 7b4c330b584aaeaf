//! Where inputs, intents and events are written, as the driver sees it.

use std::convert::Infallible;

use tradewind_events::{Event, Input, Intent};
use tradewind_model::Timestamp;

/// Takes records in order and reports which of them are safe.
///
/// *Written* records survive the process: events may be announced after [`write`](Self::write). *Durable* ones are as
/// safe as the desk demands of an intent before its order leaves. [`sync`](Self::sync) begins to make them durable and
/// may return before they are; [`durable`](Self::durable) returns how far it has come.
pub trait Journal {
    /// Why nothing can be written any more. The desk must stop.
    type Error;

    /// Whether snapshots of the engine are kept, so that a start need not read the whole journal.
    const SNAPSHOTS: bool = false;

    /// Inputs handled between two writes, at most. 1 if writing costs nothing: then everything that follows from an
    /// input is done before the next one is handled.
    const INPUTS_PER_WRITE: usize;

    /// Appends an input before it is handled.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn append_input(&mut self, seq: u64, at: Timestamp, input: &Input) -> Result<(), Self::Error>;

    /// Appends an intent to which input `seq` led.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn append_intent(
        &mut self,
        seq: u64,
        at: Timestamp,
        intent: &Intent,
    ) -> Result<(), Self::Error>;

    /// Appends an event.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn append_event(&mut self, event: &Event) -> Result<(), Self::Error>;

    /// Appends a snapshot of the engine as of input `seq`, which it handled at `at`.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn append_snapshot(
        &mut self,
        seq: u64,
        at: Timestamp,
        bytes: &[u8],
    ) -> Result<(), Self::Error> {
        let (_, _, _) = (seq, at, bytes);
        Ok(())
    }

    /// Writes everything appended on which effects depend.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn write(&mut self) -> Result<(), Self::Error>;

    /// Does what no effect waits for, such as writing market data. It follows each [`write`](Self::write), once the effects
    /// are on their way.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn write_rest(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Begins to make durable what was written.
    ///
    /// # Errors
    /// [`Error`](Self::Error).
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// The last input whose intents are durable.
    fn durable(&self) -> u64;
}

/// Writes nothing, at no cost: for backtests, whose history can be read again.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    type Error = Infallible;

    const INPUTS_PER_WRITE: usize = 1;

    #[inline]
    fn append_input(&mut self, _: u64, _: Timestamp, _: &Input) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn append_intent(&mut self, _: u64, _: Timestamp, _: &Intent) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn append_event(&mut self, _: &Event) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn write(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn durable(&self) -> u64 {
        u64::MAX
    }
}
