//! Candles of a mirrored venue: those from before the start, and the minutes missed while the venue was away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tradewind_model::{Candle, Clock, Instrument, InstrumentId, Interval, Timestamp};
use tradewind_simx_server::MirrorFeed;
use tradewind_venues::execution::CandleRange;
use tradewind_venues::{Venue, VenueError};

use super::sinks::{MirrorHealth, MissedMinutes};
use crate::config::DeskConfig;

/// Candles read for every instrument: each interval reaches back past the last close of the next longer one, so that together
/// they leave no gap.
const ALWAYS: [(Interval, u32); 3] = [
    (Interval::Minute1, 999),
    (Interval::Hour1, 200),
    (Interval::Day1, 100),
];
/// Candles read beyond a strategy's warm-up: the desk requests a few more, too, and a minute may pass meanwhile.
const SPARE: u32 = 10;
/// Concurrent requests.
const AT_ONCE: usize = 8;
/// Time before a failed request for missed minutes is repeated.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Intervals and number of candles, by instrument.
pub(super) type WarmUpLengths = Vec<BTreeMap<Interval, u32>>;

/// The warm-up candles of the bots' strategies, for the instruments of these names.
pub(super) fn wanted(config: &DeskConfig, names: &[String]) -> WarmUpLengths {
    let mut wanted = vec![BTreeMap::from(ALWAYS); names.len()];
    for bot in &config.bots {
        let (strategy, count) = (&bot.strategy, bot.instruments.len());
        // The configuration has built it already; a strategy that cannot be built needs no candles.
        let built = tradewind_rules::build(&strategy.name, &strategy.parameters, count);
        let warm_ups = built.map(|strategy| strategy.timeframes());
        for (name, lengths) in names.iter().zip(&mut wanted) {
            if !bot.instruments.contains(name) {
                continue;
            }
            if let Some(universe) = &bot.universe {
                let most = lengths.entry(Interval::Day1).or_default();
                *most = (*most).max(universe.rule.candles() + SPARE);
            }
            for warm_up in warm_ups.iter().flatten() {
                let most = lengths.entry(warm_up.interval).or_default();
                *most = (*most).max(warm_up.candles + SPARE);
            }
        }
    }
    wanted
}

/// Closed candles of each instrument, joined into one series.
pub(super) async fn before_start(
    venue: &dyn Venue,
    instruments: &[Instrument],
    wanted: &WarmUpLengths,
) -> Result<Vec<Vec<Candle>>, VenueError> {
    let all = instruments
        .iter()
        .zip(wanted)
        .map(|(instrument, lengths)| async move {
            let mut series = Vec::new();
            for (interval, count) in lengths.iter().rev() {
                let range = CandleRange::Latest(*count);
                series = joined(
                    series,
                    venue.candles(instrument.id, *interval, range).await?,
                );
            }
            Ok(series)
        });
    stream::iter(all).buffered(AT_ONCE).try_collect().await
}

/// Appends shorter candles to longer ones, from the end of the longer candle in which they begin.
fn joined(mut longer: Vec<Candle>, shorter: Vec<Candle>) -> Vec<Candle> {
    let Some(first) = shorter.first().map(|candle| candle.open_time) else {
        return longer;
    };
    let around = longer
        .iter()
        .find(|candle| candle.open_time < first && first < candle.close_time());
    let cut = around.map_or(first, Candle::close_time);
    longer.retain(|candle| candle.close_time() <= cut);
    longer.extend(shorter.into_iter().filter(|candle| candle.open_time >= cut));
    longer
}

/// Requests missed minutes until it has them.
pub(super) struct Refills {
    pub(super) venue: Arc<dyn Venue>,
    pub(super) feed: MirrorFeed,
    pub(super) health: Arc<MirrorHealth>,
    pub(super) clock: Arc<dyn Clock>,
    /// Start of the missed time, by instrument.
    pub(super) missed: BTreeMap<InstrumentId, Timestamp>,
}

impl Refills {
    pub(super) async fn run(
        mut self,
        mut requests: mpsc::Receiver<MissedMinutes>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let again = self.wait();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = again => {}
                Some(request) = requests.recv() => self.note(request),
            }
            while let Ok(request) = requests.try_recv() {
                self.note(request);
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.read_all() => {}
            }
        }
    }

    fn note(&mut self, MissedMinutes { instrument, since }: MissedMinutes) {
        let known = self.missed.entry(instrument).or_insert(since);
        *known = since.min(*known);
    }

    /// Ends when failed requests are due again.
    fn wait(&self) -> impl Future<Output = ()> + use<> {
        let idle = self.missed.is_empty();
        async move {
            if idle {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn read_all(&mut self) {
        for (instrument, since) in self.missed.clone() {
            let now = self.clock.now();
            match self.read(instrument, since, now).await {
                Ok(()) => {
                    self.missed.remove(&instrument);
                    self.health
                        .whole(instrument, Interval::Minute1.close_time(now));
                }
                Err(error) => {
                    tracing::warn!(instrument = instrument.0, %since, %error, "MissedMinutes minutes could not be read yet.");
                }
            }
        }
    }

    /// Reads the closed minutes from the one that contains `since`.
    async fn read(
        &self,
        instrument: InstrumentId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), VenueError> {
        let (from, end) = (
            Interval::Minute1.open_time(since),
            Interval::Minute1.open_time(now),
        );
        if from < end {
            let range = CandleRange::Between(from, end);
            let minutes = self
                .venue
                .candles(instrument, Interval::Minute1, range)
                .await?;
            minutes
                .into_iter()
                .for_each(|minute| self.feed.minute(minute));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Amount, Price};

    fn series(interval: Interval, minutes: std::ops::Range<i64>) -> Vec<Candle> {
        let step = i64::try_from(interval.duration().as_secs() / 60).unwrap();
        let opens = minutes.step_by(usize::try_from(step).unwrap());
        opens
            .map(|minute| Candle {
                instrument: InstrumentId(0),
                interval,
                complete: true,
                open_time: Timestamp::from_secs(minute * 60),
                open: Price(1),
                high: Price(1),
                low: Price(1),
                close: Price(1),
                volume: Amount::ZERO,
            })
            .collect()
    }

    #[test]
    fn shorter_candles_follow_longer_ones_without_gap_or_overlap() {
        // Days to 2,880, hours from 1,500, minutes from 2,910 to 2,950.
        let days = series(Interval::Day1, 0..2_880);
        let hours = series(Interval::Hour1, 1_500..2_940);
        let minutes = series(Interval::Minute1, 2_910..2_950);
        let all = joined(joined(joined(Vec::new(), days), hours), minutes);
        let cuts: Vec<(&str, i64)> = all
            .iter()
            .map(|candle| {
                (
                    candle.interval.name(),
                    candle.open_time.as_millis() / 60_000,
                )
            })
            .collect();
        assert_eq!(cuts[..3], [("1d", 0), ("1d", 1_440), ("1h", 2_880)]);
        assert_eq!(cuts[3], ("1m", 2_940));
        assert!(
            all.windows(2)
                .all(|pair| pair[0].close_time() == pair[1].open_time)
        );
    }

    #[test]
    fn an_interval_without_candles_changes_nothing() {
        let hours = series(Interval::Hour1, 0..600);
        assert_eq!(joined(hours.clone(), Vec::new()), hours);
        assert_eq!(joined(Vec::new(), hours.clone()), hours);
    }
}
