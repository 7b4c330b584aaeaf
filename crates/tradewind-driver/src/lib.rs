//! The one loop around the engine: live, paper, backtest, replay and simulation.
//!
//! [`Driver::turn`] takes the inputs that wait, hands each to the journal and the engine, makes what follows durable,
//! and only then lets effects and events out. It never blocks on a queue and uses no thread, socket or file:
//! [`Clock`](tradewind_model::Clock), [`Journal`] and [`Effects`] are handed in. The live desk hands in the running
//! clock, the journal on disk and its edges; a backtest a clock that it moves, [`NoJournal`] and the matching core.
//!
//! Start with [`Driver`].

mod batch;
mod driver;
mod effects;
mod held;
mod journal;
mod replies;
mod snapshots;
mod timers;

pub use batch::Batch;
pub use driver::Driver;
pub use effects::{Effect, Effects};
pub use journal::{Journal, NoJournal};
pub use timers::Timers;
