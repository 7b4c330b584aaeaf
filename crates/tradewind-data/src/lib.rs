//! Market data as people have it: files of candles, trades and quotes of any source.
//!
//! [`open`] reads a file to its end and says what it is, or in one line what is wrong with it and what cures that;
//! [`Table::rows`] reads it again, oldest row first, with bounded memory. What it is shows in its content: packed or not, the
//! separator, names on top or none, the unit of times, which end is the newest. Numbers are exact or refused, never
//! rounded in silence; candles that are missing are counted and never made up.
//!
//! Captures of a venue's frames are recognised and handed over as [`Lines`]: what is in them is the venue's business.

mod catalogue;
mod cells;
mod contract;
mod error;
mod house;
mod input;
mod interval;
mod json;
mod layout;
mod lines;
mod names;
mod number;
mod order;
mod parquet;
mod product;
mod raw;
mod recording;
mod row;
mod sample;
mod table;
mod time;
mod zip;

pub mod fuzzing;

pub use catalogue::{
    Adding, Catalogue, CatalogueError, CatalogueRows, Import, Imported, Series, SeriesError,
    SeriesSummary, Span, Subject, Verified,
};
pub use error::DataError;
pub use house::{NumberRow, TargetRow, numbers, targets};
pub use lines::Lines;
pub use names::product;
pub use product::Product;
pub use recording::{
    Blocks, Disk, Examined, FolderDisk, Former, Loss, RecordingSettings, RecordingStatus,
    RecordingWriter, examine, repair,
};
pub use row::{BookRow, CandleRow, Kind, QuoteRow, Row, TradeRow, counts, volume_counts};
pub use table::{Content, Digits, Hints, Holes, Rows, Table, UtcOffset, open};
