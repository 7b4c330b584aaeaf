//! Replay: the inputs of a journal through the same driver and engine again, and what came out compared with what was
//! recorded.
//!
//! A journal holds one or more runs; each begins with [`Input::Configured`](tradewind_events::Input::Configured). The engine of a
//! run is recovered from the files before it by the function that its start called. Intents and events are compared
//! with each input, the whole state with each snapshot. Where market data is missing (deleted by age, dropped while the disk was
//! full, or not written yet when the process died) nothing can be compared until the next snapshot or start; such spans are listed.
//!
//! Start with [`verify()`] in `verify.rs`; `player.rs` is the loop, `history.rs` brings the two stores into one order.

mod causes;
mod change;
mod compare;
mod gaps;
mod history;
mod look;
mod player;
mod verify;
mod what_if;

pub use causes::Link;
pub use change::Change;
pub use gaps::Missing;
pub use look::{PastBot, look};
pub use player::{Span, Totals};
pub use verify::{CannotReplay, Difference, Progress, Verdict, verify};
pub use what_if::{Figures, WhatIf, what_if};
