//! Candles put together from shorter ones and from trades equal those the venue made, in every field.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tradewind_data::{CandleRow, Content, Hints, Row, counts, open};
use tradewind_model::{
    Amount, Candle, CandleBuilder, Instrument, InstrumentId, Interval, Price, Timestamp,
};
use tradewind_simx::recorded::{CapturePlayer, CaptureSurvey};
use tradewind_simx::{MarketRecord, universe};

use crate::common::test_data;

fn rows(path: &Path) -> Vec<CandleRow> {
    let Content::Table(table) = open(path, &Hints::default()).expect("a sound table") else {
        panic!("{} is no table", path.display());
    };
    let rows = table.rows().expect("it was just read");
    rows.map(|row| match row {
        Ok(Row::Candle(row)) => row,
        other => panic!("{other:?}"),
    })
    .collect()
}

/// Prices are kept as counts of 10^-8, as the table has them.
fn candle(row: &CandleRow, interval: Interval) -> Candle {
    let price = |amount| Price(counts(amount, 8).expect("the tables have few decimals"));
    Candle {
        instrument: InstrumentId(0),
        interval,
        complete: true,
        open_time: row.open_time,
        open: price(row.open),
        high: price(row.high),
        low: price(row.low),
        close: price(row.close),
        volume: row.volume.expect("the tables have volumes"),
    }
}

/// Candles of `interval` for which all of `minutes` are there.
fn rebuilt(minutes: &[Candle], interval: Interval) -> BTreeMap<Timestamp, Candle> {
    let mut per_interval: BTreeMap<Timestamp, u64> = BTreeMap::new();
    let mut builder = CandleBuilder::new(InstrumentId(0), interval);
    let mut built = Vec::new();
    for minute in minutes {
        builder.close_until(minute.open_time, |candle| built.push(candle));
        builder.add_candle(minute);
        *per_interval
            .entry(interval.open_time(minute.open_time))
            .or_default() += 1;
    }
    let whole = interval.duration().as_secs() / 60;
    let covered = built
        .into_iter()
        .filter(|candle| per_interval.get(&candle.open_time) == Some(&whole));
    covered.map(|candle| (candle.open_time, candle)).collect()
}

#[test]
fn minute_candles_rebuild_the_longer_ones_in_every_field() {
    let Some(folder) = test_data("binance_multi_tf_2018") else {
        return;
    };
    for pair in ["BTC_USDT", "ADA_BTC"] {
        let minutes = rows(&folder.join(format!("{pair}-1m.csv")));
        let minutes: Vec<Candle> = minutes
            .iter()
            .map(|row| candle(row, Interval::Minute1))
            .collect();
        for interval in [
            Interval::Minute3,
            Interval::Minute5,
            Interval::Minute15,
            Interval::Minute30,
            Interval::Hour1,
        ] {
            let built = rebuilt(&minutes, interval);
            let venue = rows(&folder.join(format!("{pair}-{interval}.csv")));
            let venue = venue.iter().map(|row| candle(row, interval));
            let mut compared = 0;
            for wanted in venue {
                if let Some(built) = built.get(&wanted.open_time) {
                    assert_eq!(built, &wanted, "{pair} {interval} {}", wanted.open_time);
                    compared += 1;
                }
            }
            assert!(compared >= 5, "{pair} {interval}: only {compared} covered");
        }
    }
}

#[test]
fn recorded_trades_fold_into_the_minutes_that_an_independent_fold_finds() {
    let Some(folder) = test_data("binance_spot_ws") else {
        return;
    };
    for (file, symbol, place) in [
        ("btcusdt_20240808.gz", "BTCUSDT", 0),
        ("ethusdt_20240808.gz", "ETHUSDT", 1),
    ] {
        let trades = trades(&folder.join(file), symbol, place);
        assert!(trades.len() > 1_000, "{file}");
        let (first, last) = (trades[0].0, trades[trades.len() - 1].0);
        let mut builder = CandleBuilder::new(InstrumentId(0), Interval::Minute1);
        let mut built = BTreeMap::new();
        for (at, price, volume) in &trades {
            builder.close_until(*at, |candle| {
                built.insert(candle.open_time, candle);
            });
            builder.add_trade(*at, Price(*price), Amount(*volume));
        }
        let independent = fold(&trades);
        let full = |open: &&i64| {
            let start = Timestamp::from_secs(**open * 60);
            start > first && start + std::time::Duration::from_secs(60) <= last
        };
        let mut compared = 0;
        for open in independent.keys().filter(full) {
            let candle = built[&Timestamp::from_secs(*open * 60)];
            let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.0);
            assert_eq!(
                (prices, candle.volume.0),
                independent[open],
                "{file} {open}"
            );
            compared += 1;
        }
        assert!(compared >= 4, "{file}: {compared} full minutes");
    }
}

/// Open, high, low, close and volume by minute, without a builder: sorted, grouped, counted.
fn fold(trades: &[(Timestamp, i64, i128)]) -> BTreeMap<i64, ([i64; 4], i128)> {
    let mut minutes: BTreeMap<i64, Vec<(i64, i128)>> = BTreeMap::new();
    for (at, price, volume) in trades {
        let minute = at.as_nanos() / 60_000_000_000;
        minutes.entry(minute).or_default().push((*price, *volume));
    }
    let folded = minutes.into_iter().map(|(minute, trades)| {
        let prices: Vec<i64> = trades.iter().map(|(price, _)| *price).collect();
        let high = *prices.iter().max().expect("a minute has a trade");
        let low = *prices.iter().min().expect("a minute has a trade");
        let volume = trades.iter().map(|(_, volume)| volume).sum();
        (
            minute,
            ([prices[0], high, low, prices[prices.len() - 1]], volume),
        )
    });
    folded.collect()
}

fn trades(path: &Path, symbol: &str, place: usize) -> Vec<(Timestamp, i64, i128)> {
    let instrument: Instrument =
        universe("simx", tradewind_model::VenueId(0)).instruments[place].clone();
    let mut survey = CaptureSurvey::default();
    for line in lines(path) {
        survey.read(&line).expect("a sound line");
    }
    let instruments = BTreeMap::from([(symbol.to_owned(), instrument.clone())]);
    let mut player = CapturePlayer::new(instruments, survey.ahead_nanos.unwrap_or(0));
    for line in lines(path) {
        player.feed(&line).expect("a sound line");
    }
    player.end();
    let records = std::iter::from_fn(|| player.next_record());
    let trades = records.filter_map(|(_, record)| match record {
        MarketRecord::Trade(trade) => {
            let volume = instrument.quantity_amount(trade.quantity).0;
            Some((trade.event_time?, trade.price.0, volume))
        }
        MarketRecord::Quote(_) | MarketRecord::Levels(_) => None,
    });
    trades.collect()
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let packed = MultiGzDecoder::new(BufReader::new(file));
    BufReader::new(packed)
        .lines()
        .map(|line| line.expect("the capture is text"))
}
