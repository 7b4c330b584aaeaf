//! Plays a recording: all its files together, in order of time, read as they are needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_data::{DataError, Lines};
use tradewind_model::Timestamp;
use tradewind_simx::recorded::{CandlePlayer, CapturePlayer};
use tradewind_simx::{MarketRecord, Recorded};

use super::{Recording, counted};

/// A recording as a source of market events.
pub(crate) type RecordedSource = Recorded<Playback>;

/// All records of a recording, in order of time.
pub(crate) struct Playback {
    tracks: Vec<Track>,
}

struct Track {
    next: Option<(Timestamp, MarketRecord)>,
    feed: Feed,
}

enum Feed {
    Capture {
        path: PathBuf,
        lines: Option<Lines>,
        player: CapturePlayer,
    },
    Candles(CandlePlayer),
}

impl std::fmt::Debug for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playback")
            .field("tracks", &self.tracks.len())
            .finish()
    }
}

/// `at` moved from the recorder's clock to the venue's.
pub(super) fn shifted(at: Timestamp, ahead_nanos: Option<i64>) -> Timestamp {
    Timestamp::from_nanos(at.as_nanos().saturating_add(ahead_nanos.unwrap_or(0)))
}

impl Recording {
    /// Begins to play, from the first record on.
    pub(crate) fn play(&self) -> RecordedSource {
        let mut tracks: Vec<Track> = self
            .captures
            .iter()
            .map(|capture| {
                let symbols = capture.survey.symbols.keys();
                let instruments =
                    symbols.filter_map(|symbol| Some((symbol.clone(), self.find(symbol)?.clone())));
                let instruments: BTreeMap<_, _> = instruments.collect();
                Track::new(Feed::Capture {
                    path: capture.path.clone(),
                    lines: Lines::open(&capture.path)
                        .inspect_err(|error| lost(&capture.path, error))
                        .ok(),
                    player: CapturePlayer::new(
                        instruments,
                        capture.survey.ahead_nanos.unwrap_or(0),
                    ),
                })
            })
            .collect();
        let mut candles = CandlePlayer::default();
        for series in &self.candles {
            if let Some(instrument) = self.find(&series.product.symbol()) {
                let rows = series
                    .rows
                    .iter()
                    .filter(|row| row.open_time >= self.starts_at)
                    .filter_map(|row| counted(instrument, row))
                    .collect();
                candles.add(instrument.clone(), series.interval, rows);
            }
        }
        tracks.push(Track::new(Feed::Candles(candles)));
        Recorded::new(Playback { tracks }, Duration::ZERO)
    }
}

impl Iterator for Playback {
    type Item = (Timestamp, MarketRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let at = |track: &Track| track.next.as_ref().map(|(at, _)| *at);
        let track = self
            .tracks
            .iter_mut()
            .filter(|track| track.next.is_some())
            .min_by_key(|track| at(track))?;
        let following = track.feed.next();
        std::mem::replace(&mut track.next, following)
    }
}

impl Track {
    fn new(mut feed: Feed) -> Self {
        Self {
            next: feed.next(),
            feed,
        }
    }
}

impl Feed {
    fn next(&mut self) -> Option<(Timestamp, MarketRecord)> {
        let (path, lines, player) = match self {
            Self::Candles(player) => return player.next_record(),
            Self::Capture {
                path,
                lines,
                player,
            } => (path, lines, player),
        };
        loop {
            if let Some(record) = player.next_record() {
                return Some(record);
            }
            // Once the lines are over, what the player still holds comes out until it is empty.
            let reader = lines.as_mut()?;
            match reader.advance() {
                Ok(false) => {
                    player.end();
                    *lines = None;
                }
                Ok(true) => {
                    // It was sound when it was surveyed.
                    if let Err(error) = player.feed(reader.text()) {
                        tracing::warn!(path = %path.display(), %error, "Passed over a recorded line that changed since the start");
                    }
                }
                Err(error) => {
                    lost(path, &error);
                    *lines = None;
                }
            }
        }
    }
}

fn lost(path: &Path, error: &DataError) {
    tracing::error!(path = %path.display(), %error, "Cannot read on in the recorded data; its instruments stand still");
}
