//! Reading what was recorded: lines of text in, what happened out. No files here: whoever has one hands its lines over.
//!
//! Three kinds are read. A *capture* is what a venue's streams sent, one frame a line with the time it was received
//! ([`CaptureSurvey`] reads it once to learn what is in it, [`CapturePlayer`] again to play it). *Candles* are a table
//! ([`CandleTable`]), and [`CandlePlayer`] makes of each a plausible course of quotes and prints that folds into the same
//! candle. *Quotes* and *trades* are tables too ([`QuoteTable`], [`TradeTable`]). A bad line is an error that says what is
//! wrong with it; its owner adds file and line number. [`Product`] is what the symbols in them mean.

mod candle_player;
mod candles;
mod capture;
mod json;
mod local_book;
mod product;
mod reorder;
mod ticks;

pub use candle_player::CandlePlayer;
pub use candles::{CandleRow, CandleTable};
pub use capture::{CapturePlayer, CaptureSurvey, SymbolSurvey};
pub use product::Product;
pub use ticks::{QuoteRow, QuoteTable, TradeRow, TradeTable};

/// What is wrong with a line, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub(crate) String);

impl LineError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
