//! The templates of `tradewind init` on recorded candles, in virtual time.
//!
//! Each candle is played as quotes along its course, and longer candles are put together from it. The candles carry no book,
//! so quotes stay good until the next one, no stop rests at the venue, and R09, which measures orders by the book, is off.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tradewind::config::{AbsentInstruments, DeskConfig, Listing, SWING, Sources};
use tradewind_backtest::{CandleStart, HistoryEvent, Latency, Report, Setup, run};
use tradewind_events::{Configuration, WakeRule};
use tradewind_model::{
    AccountId, Amount, AssetTable, Candle, CandleBuilder, Instrument, InstrumentId, Interval,
    MarketEvent, Ppm, Timestamp,
};
use tradewind_risk::Limits;
use tradewind_simx::ExchangeConfig;

/// Half of a spread of 0.02 %.
const HALF_SPREAD: Ppm = Ppm(100);

/// Rows of a table of candles: open time in seconds, then open, high, low and close.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<(i64, [f64; 4])>,
    interval: Interval,
}

impl Table {
    /// Reads the rows that open in a span of time, in seconds. Plain or `.gz`.
    pub(crate) fn read(path: &Path, from: i64, until: i64) -> anyhow::Result<Self> {
        let reading = || format!("reading {}", path.display());
        let file = File::open(path).with_context(reading)?;
        let mut text = String::new();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut file = flate2::bufread::MultiGzDecoder::new(BufReader::new(file));
            file.read_to_string(&mut text).with_context(reading)?;
        } else {
            BufReader::new(file)
                .read_to_string(&mut text)
                .with_context(reading)?;
        }
        let mut rows: Vec<_> = text.lines().filter_map(row).collect();
        rows.retain(|(open, _)| (from..until).contains(open));
        ensure!(
            rows.len() > 1,
            "{} has no candles in that time",
            path.display()
        );
        let length = rows.windows(2).map(|pair| pair[1].0 - pair[0].0).min();
        let length = u64::try_from(length.unwrap_or_default())?;
        let interval =
            Interval::all().find(|interval| interval.duration() == Duration::from_secs(length));
        Ok(Self {
            rows,
            interval: interval.context("no interval is that long")?,
        })
    }
}

fn row(line: &str) -> Option<(i64, [f64; 4])> {
    let mut fields = line.split(',');
    let open = seconds(fields.next()?.trim())?;
    let mut price = || fields.next()?.trim().parse().ok();
    Some((open, [price()?, price()?, price()?, price()?]))
}

/// A time in seconds, in milliseconds, or as `2022-01-08 00:00:00` in UTC.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        let is_millis = number > 100_000_000_000;
        return Some(if is_millis { number / 1_000 } else { number });
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

/// A desk of a template.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) configuration: Configuration,
    cash: Amount,
}

impl Desk {
    /// The swing template. Its bots on the first instrument trade the first product, the others the last.
    pub(crate) fn swing(products: &[&str]) -> anyhow::Result<Self> {
        let (first, last) = (products[0], products[products.len() - 1]);
        let text = SWING.replace("ETH/USDT", "@").replace("BTC/USDT", first);
        Self::new(&text.replace('@', last), products)
    }

    /// A template that trades these products.
    pub(crate) fn new(text: &str, products: &[&str]) -> anyhow::Result<Self> {
        let in_btc = products[0].ends_with("/BTC");
        // One bitcoin is about what the template's 10,000 USDT were.
        let text = if in_btc {
            text.replace("\"USDT\"", "\"BTC\"")
                .replace("USDT = 10_000", "BTC = 1")
                .replace("budget = 1000", "budget = 0.1")
                .replace("order_value_max = 1200", "order_value_max = 0.12")
        } else {
            text.to_owned()
        };
        let config = DeskConfig::read(&Sources {
            file: "template",
            text: &text,
            environment: &BTreeMap::new(),
            listing: Listing::Unknown,
        })?;
        let mut assets = AssetTable::default();
        let mut listed = Vec::new();
        for (id, product) in (0..).zip(products) {
            let (base, quote) = product.split_once('/').context("no product")?;
            let (base, quote) = (assets.intern(base), assets.intern(quote));
            let name = format!("binance:{product}");
            listed.push(Instrument {
                price_decimals: if in_btc { 6 } else { 2 },
                quantity_decimals: 4,
                notional_min: if in_btc {
                    Amount(Amount::ONE.0 / 10_000)
                } else {
                    Amount::whole(5)
                },
                open_orders_max: 200,
                ..Instrument::spot(InstrumentId(id), name, base, quote)
            });
        }
        let mut configuration = config.resolve(&listed, assets, AbsentInstruments::Refuse)?;
        configuration.stale_after = Duration::from_secs(86_400);
        configuration.own_gaps = false;
        configuration.venue_stop_distance = None;
        configuration.limits.depth_share_max = Limits::wide().depth_share_max;
        Ok(Self {
            configuration,
            cash: if in_btc {
                Amount::ONE
            } else {
                Amount::whole(10_000)
            },
        })
    }

    /// Plays a history to its end.
    pub(crate) fn run(self, history: History) -> anyhow::Result<Report> {
        let quote = self.configuration.report_asset;
        let setup = Setup {
            balances: vec![(AccountId(0), quote, self.cash)],
            configuration: self.configuration,
            exchange: ExchangeConfig::backtest(),
            latency: Latency::default(),
            fills_kept: Setup::FILLS_KEPT,
            past: Vec::new(),
        };
        Ok(run(setup, &mut history.0.into_iter())?)
    }
}

/// Tables as a history: closed candles before those that open at the same time.
#[derive(Clone, Debug)]
pub(crate) struct History(pub(crate) VecDeque<(Timestamp, HistoryEvent)>);

impl History {
    /// Of a table for each product.
    pub(crate) fn new(desk: &Desk, tables: &BTreeMap<&str, &Table>) -> anyhow::Result<Self> {
        let mut events = Vec::new();
        for instrument in &desk.configuration.instruments {
            let (_, product) = instrument.name.split_once(':').context("no product")?;
            let table = tables.get(product).context("no table")?;
            draw(instrument, table, &desk.intervals(), &mut events)?;
        }
        let opens = |event: &HistoryEvent| matches!(event, HistoryEvent::CandleStart(_));
        events.sort_by_key(|(at, event)| (*at, opens(event)));
        Ok(Self(events.into()))
    }
}

impl Desk {
    /// Candles that its bots wake on, longest first.
    fn intervals(&self) -> Vec<Interval> {
        let wakes = self.configuration.bots.iter().flat_map(|bot| &bot.wakes);
        let mut intervals: Vec<Interval> = wakes
            .filter_map(|wake| match wake {
                WakeRule::Candles(interval) => Some(*interval),
                WakeRule::Quotes | WakeRule::Every(_) | WakeRule::EveryAt { .. } => None,
            })
            .collect();
        intervals.sort_unstable();
        intervals.dedup();
        intervals.reverse();
        intervals
    }
}

fn draw(
    instrument: &Instrument,
    table: &Table,
    wanted: &[Interval],
    events: &mut Vec<(Timestamp, HistoryEvent)>,
) -> anyhow::Result<()> {
    let longer = wanted.iter().filter(|wanted| **wanted > table.interval);
    let mut builders: Vec<CandleBuilder> = longer
        .map(|wanted| CandleBuilder::new(instrument.id, *wanted))
        .collect();
    for (open_time, prices) in &table.rows {
        let price = |value: f64| instrument.price_from_f64(value).context("a price");
        let candle = Candle {
            instrument: instrument.id,
            interval: table.interval,
            complete: true,
            open_time: Timestamp::from_secs(*open_time),
            open: price(prices[0])?,
            high: price(prices[1])?,
            low: price(prices[2])?,
            close: price(prices[3])?,
            volume: Amount::ONE,
        };
        let (start, end) = (candle.open_time, candle.close_time());
        let begins = CandleStart {
            candle,
            half_spread: HALF_SPREAD,
        };
        events.push((start, HistoryEvent::CandleStart(begins)));
        for builder in &mut builders {
            builder.close_until(start, |_| ());
            builder.add_candle(&candle);
            builder.close_until(end, |longer| {
                events.push((end, MarketEvent::Candle(longer).into()));
            });
            if builder.current().is_some_and(|next| next.open_time >= end) {
                builder.forget();
            }
        }
        if wanted.contains(&table.interval) {
            events.push((end, MarketEvent::Candle(candle).into()));
        }
    }
    Ok(())
}
