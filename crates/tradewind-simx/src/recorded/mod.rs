//! Playing what was recorded. No files here: whoever has one hands over its lines or its rows.
//!
//! A *capture* is what a venue's streams sent, one frame a line with the time it was received ([`CaptureSurvey`] reads it
//! once to learn what is in it, [`CapturePlayer`] again to play it). Of *candles*, [`CandlePlayer`] makes each a plausible
//! course of quotes and prints that folds into the same candle. A bad line is an error that says what is wrong with it; its
//! owner adds file and line number. Tables are read by `tradewind-data`.

mod candle_player;
mod capture;
mod json;
mod local_book;
mod reorder;

pub use candle_player::{CandlePlayer, CandleRow};
pub use capture::{CapturePlayer, CaptureSurvey, SymbolSurvey};

/// What is wrong with a line, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub(crate) String);

impl LineError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
