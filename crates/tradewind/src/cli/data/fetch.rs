//! `tradewind data fetch`: candles or trades of the past from a venue into the catalogue.
//!
//! What the catalogue has is not requested again, so a fetch that was stopped continues where it was. Pages are committed as they
//! come. What the venue does not have is a gap: it is shown, and nothing is put in its place.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use tradewind_data::{
    Adding, CandleRow, Catalogue, CatalogueError, Kind, Row, Series, Span, TradeRow,
};
use tradewind_model::{Candle, Clock, DeskClock, Instrument, Interval, Timestamp, Trade, TradeId};
use tradewind_venues::execution::CandleRange;
use tradewind_venues::{MarketData, TradesFrom, VenueError};

use super::import::amount;
use super::moment;
use crate::app::reading::{Feed, OpenVenue, bans};
use crate::app::venue::connector;
use crate::cli::config::ConfigFile;
use crate::cli::output::Output;
use crate::cli::time::now;
use crate::config::Listing;

/// Candles of one request.
const PAGE: u32 = 1_000;
/// Pages that are committed together.
const COMMIT_EVERY: u32 = 20;
/// How often a line says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// A ban that is longer ends the fetch; the next one continues.
const PATIENCE: Duration = Duration::from_secs(180);
/// Failures in a row before the fetch ends.
const FAILURES_MAX: u32 = 5;
/// Gaps that are shown one by one.
const GAPS_SHOWN: usize = 10;

/// Arguments of `data fetch`.
#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// A venue of the configuration
    #[arg(value_name = "VENUE", default_value = "binance")]
    venue: String,

    #[command(flatten)]
    file: ConfigFile,

    /// What to fetch, such as BTC/USDT,ETH/USDT [default: what the configuration names there]
    #[arg(long, value_name = "PRODUCTS", value_delimiter = ',')]
    instruments: Vec<String>,

    /// Candles of this length
    #[arg(long, value_name = "INTERVAL", default_value = "1m")]
    interval: Interval,

    /// Public trades in place of candles
    #[arg(long, conflicts_with = "interval")]
    trades: bool,

    /// The first moment: a date or a time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Timestamp,

    /// The first moment that is left out [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
}

/// Fetches one instrument after another.
pub(super) fn run(
    args: &FetchArgs,
    catalogue: &Catalogue,
    data_dir: &Path,
    output: Output,
) -> anyhow::Result<()> {
    let config = args.file.load(Listing::Unknown)?;
    let Feed::Venue(id, venue) = Feed::find(&config, &args.venue)? else {
        bail!("{} is a house source, which has no past", args.venue);
    };
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("A TLS provider was installed before.");
    }
    let name = Series::venue(&args.venue)
        .with_context(|| format!("{} cannot be the venue of a series", args.venue))?;
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let bans = bans(data_dir, now)?;
        let open = OpenVenue::open(
            &config,
            (id, venue),
            &args.instruments,
            connector(venue)?,
            &clock,
            &bans,
        );
        let OpenVenue { data, instruments } = open.await?;
        let to = args.to.unwrap_or_else(now);
        anyhow::ensure!(args.from < to, "--from is not before --to");
        for instrument in &instruments {
            let product = instrument.name.split_once(':').map_or("", |(_, name)| name);
            let product = tradewind_data::product(product)
                .with_context(|| format!("{} is no product", instrument.name))?;
            let kind = if args.trades {
                Kind::Trades
            } else {
                Kind::Candles
            };
            let series = Series {
                venue: name.clone(),
                subject: product.into(),
                kind,
                interval: (!args.trades).then_some(args.interval),
            };
            let mut fetch = Fetch {
                data: &*data,
                catalogue,
                instrument,
                series,
                output,
                began: Instant::now(),
                said_at: Instant::now(),
                waiting: Vec::new(),
                pages: 0,
                added: 0,
            };
            match fetch.series.interval {
                Some(interval) => fetch.candles(interval, args.from, to).await?,
                None => fetch.trades(args.from, to).await?,
            }
            fetch.summary(args.from, to)?;
        }
        Ok(())
    })
}

/// One series on its way.
struct Fetch<'a> {
    data: &'a dyn MarketData,
    catalogue: &'a Catalogue,
    instrument: &'a Instrument,
    series: Series,
    output: Output,
    began: Instant,
    said_at: Instant,
    /// Rows that are not committed yet.
    waiting: Vec<Row>,
    pages: u32,
    added: u64,
}

impl Fetch<'_> {
    async fn candles(
        &mut self,
        interval: Interval,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<()> {
        let length = interval.duration();
        let to = interval.open_time(to);
        let absent = self.absent(interval, from, to)?;
        let total: u64 = absent
            .iter()
            .map(|(from, to)| count(*from, *to, length))
            .sum();
        let mut done = 0;
        for (from, to) in absent {
            let mut at = from;
            while at < to {
                let end = to.min(at + length * PAGE);
                let page = || {
                    self.data
                        .candles(self.instrument.id, interval, CandleRange::Between(at, end))
                };
                let page = self.patiently(page).await?;
                let rows = page.iter().map(|candle| self.candle(candle));
                let rows: Vec<Row> = rows.collect();
                self.waiting.extend(rows);
                done += count(at, end, length);
                at = end;
                self.page(done, total)?;
            }
        }
        self.commit()
    }

    /// What the catalogue does not have, as spans from a candle on and before another.
    fn absent(
        &self,
        interval: Interval,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<Vec<(Timestamp, Timestamp)>> {
        let opens = interval.open_time(from);
        let mut next = if opens < from {
            opens + interval.duration()
        } else {
            opens
        };
        let mut absent = Vec::new();
        for at in self.known(from, to)? {
            let at = at?.at();
            if at > next {
                absent.push((next, at));
            }
            next = at + interval.duration();
        }
        if next < to {
            absent.push((next, to));
        }
        Ok(absent)
    }

    async fn trades(&mut self, from: Timestamp, to: Timestamp) -> anyhow::Result<()> {
        // What is not there: before the first trade, in each hole of ids, behind the last one. Each has the id that ends it.
        let mut absent: Vec<(TradesFrom, Timestamp, Option<u64>)> = Vec::new();
        let mut last: Option<TradeRow> = None;
        for row in self.known(from, to)? {
            let Row::Trade(row) = row? else { continue };
            match last {
                None => absent.push((TradesFrom::Time(from), from, Some(row.id))),
                Some(before) if row.id > before.id + 1 => {
                    let next = TradesFrom::Id(TradeId(before.id + 1));
                    absent.push((next, before.at, Some(row.id)));
                }
                Some(_) => {}
            }
            last = Some(row);
        }
        absent.push(match last {
            Some(row) => (TradesFrom::Id(TradeId(row.id + 1)), row.at, None),
            None => (TradesFrom::Time(from), from, None),
        });
        let total = to.since(from).as_secs();
        for (mut next, begin, until) in absent {
            let mut before = begin;
            loop {
                let page = || self.data.past_trades(self.instrument.id, next);
                let page = self.patiently(page).await?;
                let Some(newest) = page.last() else { break };
                next = TradesFrom::Id(TradeId(newest.id.0 + 1));
                let reached = newest.received_at;
                let rows = page.iter().filter(|trade| {
                    let is_absent = until.is_none_or(|until| trade.id.0 < until);
                    is_absent && (from..to).contains(&trade.received_at)
                });
                let rows: Vec<Row> = rows.map(|trade| self.trade(trade)).collect();
                self.waiting.extend(rows);
                self.page(reached.since(from).as_secs().min(total), total)?;
                before = before.max(reached);
                let is_over = until.is_some_and(|until| newest.id.0 + 1 >= until);
                if is_over || before >= to || page.len() < PAGE as usize {
                    break;
                }
            }
            // Rows of the next hole lie behind rows that are there: they are a commit of their own.
            self.commit()?;
        }
        Ok(())
    }

    /// Rows of the series that are there.
    fn known(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<Box<dyn Iterator<Item = Result<Row, tradewind_data::DataError>>>> {
        match self.catalogue.rows(&self.series, Span { from, to }) {
            Ok(rows) => Ok(Box::new(rows)),
            Err(CatalogueError::Unknown { .. }) => Ok(Box::new(std::iter::empty())),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a request until it is answered: waits as long as the venue says, and a little after a failure.
    async fn patiently<T, F>(&self, request: impl Fn() -> F) -> anyhow::Result<T>
    where
        F: Future<Output = Result<T, VenueError>>,
    {
        let mut failures = 0;
        loop {
            let wait = match request().await {
                Ok(answer) => return Ok(answer),
                Err(VenueError::Limited(wait)) if wait <= PATIENCE => wait,
                Err(VenueError::Limited(wait)) => bail!(
                    "the venue takes no requests for {} s; start again then, and the fetch continues where it is",
                    wait.as_secs()
                ),
                Err(VenueError::Refused {
                    status: 418 | 429, ..
                }) => Duration::from_millis(100),
                Err(error) if error.is_transient() && failures < FAILURES_MAX => {
                    failures += 1;
                    Duration::from_secs(1) * failures
                }
                Err(error) => {
                    return Err(error).context("start again, and the fetch continues where it is");
                }
            };
            if wait >= Duration::from_secs(1) {
                let seconds = wait.as_secs() + 1;
                self.output
                    .complain(&format!("{}: waits {seconds} s for the venue", self.series));
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn page(&mut self, done: u64, total: u64) -> anyhow::Result<()> {
        self.pages += 1;
        if self.pages.is_multiple_of(COMMIT_EVERY) {
            self.commit()?;
        }
        if self.said_at.elapsed() < PROGRESS_EVERY {
            return Ok(());
        }
        self.said_at = Instant::now();
        let spent = self.began.elapsed().as_secs();
        let left = (total - done.min(total)) * spent / done.max(1);
        let percent = done * 100 / total.max(1);
        let (series, pages) = (&self.series, self.pages);
        if self.output.is_json() {
            let facts = json!({ "event": "progress", "series": series.to_string(), "percent": percent, "pages": pages, "left_s": left });
            return Ok(self.output.value(&facts)?);
        }
        let line = format!("{series}: {percent} %, {pages} requests, about {left} s left");
        Ok(self.output.line(&line)?)
    }

    fn commit(&mut self) -> anyhow::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut import = self.catalogue.import()?;
        let mut adding = Adding::new(Path::new(&self.series.to_string()), &self.series);
        for row in std::mem::take(&mut self.waiting) {
            import.push(&mut adding, row, 0)?;
        }
        self.added += import.finish(adding)?.added;
        Ok(import.commit()?)
    }

    /// What is there now, and where the venue has gaps.
    fn summary(&self, from: Timestamp, to: Timestamp) -> anyhow::Result<()> {
        let (mut rows, mut gaps, mut missing) = (0_u64, Vec::new(), 0_u64);
        let mut ends: Option<(Timestamp, Timestamp)> = None;
        let mut before: Option<u64> = None;
        for row in self.known(from, to)? {
            let row = row?;
            rows += 1;
            let last = ends.map_or(row.at(), |(_, last)| last);
            ends = Some((ends.map_or(row.at(), |(first, _)| first), row.at()));
            if let Row::Trade(row) = row {
                let absent = before.map_or(0, |before| row.id.saturating_sub(before + 1));
                if absent > 0 {
                    gaps.push((last, row.at, absent));
                }
                before = Some(row.id);
            }
        }
        if let Some(interval) = self.series.interval {
            let spans = self.absent(interval, from, interval.open_time(to))?;
            gaps.extend(spans.into_iter().map(|(from, to)| {
                let absent = count(from, to, interval.duration());
                (from, to, absent)
            }));
        }
        gaps.iter().for_each(|(_, _, absent)| missing += absent);
        let shown = |end: Option<Timestamp>| end.map(|at| at.to_string());
        let first = shown(ends.map(|(first, _)| first));
        let last = shown(ends.map(|(_, last)| last));
        let (series, added, places) = (&self.series, self.added, gaps.len());
        if self.output.is_json() {
            let shown = gaps.iter().map(|(from, to, missing)| {
                json!({ "from": from.to_string(), "to": to.to_string(), "missing": missing })
            });
            let facts = json!({
                "event": "fetched", "series": series.to_string(), "rows": rows, "added": added, "requests": self.pages,
                "first": first, "last": last, "missing": missing, "gaps": shown.collect::<Vec<_>>(),
            });
            return Ok(self.output.value(&facts)?);
        }
        let pages = self.pages;
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        self.output.line(&format!(
            "{series}: {added} rows added by {pages} requests, {rows} are there, from {first} to {last}, {missing} missing in {places} gaps"
        ))?;
        for (from, to, missing) in gaps.iter().take(GAPS_SHOWN) {
            self.output
                .line(&format!("    {missing} missing between {from} and {to}"))?;
        }
        Ok(())
    }

    fn candle(&self, candle: &Candle) -> Row {
        let price = |count: i64| amount(count, self.instrument.price_decimals);
        Row::Candle(CandleRow {
            open_time: candle.open_time,
            open: price(candle.open.0),
            high: price(candle.high.0),
            low: price(candle.low.0),
            close: price(candle.close.0),
            volume: Some(candle.volume),
        })
    }

    fn trade(&self, trade: &Trade) -> Row {
        Row::Trade(TradeRow {
            at: trade.received_at,
            price: amount(trade.price.0, self.instrument.price_decimals),
            quantity: amount(trade.quantity.0, self.instrument.quantity_decimals),
            id: trade.id.0,
            taker: Some(trade.taker),
        })
    }
}

/// How many candles of a length open from one moment on and before another.
fn count(from: Timestamp, to: Timestamp, length: Duration) -> u64 {
    u64::try_from(to.since(from).as_nanos() / length.as_nanos()).unwrap_or(u64::MAX)
}
