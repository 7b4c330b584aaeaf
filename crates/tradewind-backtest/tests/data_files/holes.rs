//! Months of a catalogue: what a strategy sees where candles are missing, and how much memory a long series takes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tradewind_backtest::{FileOptions, run_files_with};
use tradewind_data::{Adding, CandleRow, Catalogue, Row, Series};
use tradewind_engine::StrategySource;
use tradewind_model::{Amount, Candle, Decision, Interval, Reason, Timestamp};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
const MINUTE: i64 = 60;

/// Writes down which candles it is evaluated on.
#[derive(Debug)]
struct Witness(Interval, Arc<Mutex<Vec<i64>>>);

impl Strategy for Witness {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: self.0,
            candles: 0,
        }]
    }

    fn on_candle(&mut self, _: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        assert!(candle.complete);
        let minute = candle.open_time.as_nanos() / 1_000_000_000 - START;
        self.1.lock().expect("one thread").push(minute / MINUTE);
        Ok(Decision::Hold {
            reason: Reason::plain("seen"),
        })
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

fn series() -> Series {
    "binance:BTC/USDT@1m".parse().expect("a series")
}

/// Candles of these minutes since the start, in a catalogue.
fn catalogue(folder: &Path, minutes: impl Iterator<Item = i64>) -> Catalogue {
    let catalogue = Catalogue::new(folder.to_owned());
    let series = series();
    let mut import = catalogue.import().expect("an empty folder");
    let mut adding = Adding::new(Path::new("made up"), &series);
    for minute in minutes {
        let price = Amount::whole(10_000 + minute % 97);
        let row = CandleRow {
            open_time: Timestamp::from_secs(START + minute * MINUTE),
            open: price,
            high: price + Amount::whole(1),
            low: price - Amount::whole(1),
            close: price,
            volume: Some(Amount::whole(1)),
        };
        import
            .push(&mut adding, Row::Candle(row), 0)
            .expect("rows in order");
    }
    import.finish(adding).expect("rows in order");
    import.commit().expect("a folder that can be written");
    catalogue
}

/// The minutes of the candles that a strategy is evaluated on.
fn seen(folder: &Path, interval: Interval) -> Vec<i64> {
    let minutes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&minutes);
    let strategies =
        StrategySource::new(move |_| Ok(Box::new(Witness(interval, Arc::clone(&kept)))));
    let options = FileOptions {
        catalogue: Some(folder.to_owned()),
        ..FileOptions::new("witness", vec![format!("catalogue:{}", series()).into()])
    };
    run_files_with(&options, &[interval], strategies).expect("a sound series");
    let seen = minutes.lock().expect("one thread");
    seen.clone()
}

#[test]
fn nothing_is_evaluated_inside_a_hole_and_no_longer_candle_is_made_of_a_part() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    // Missing: 13 within one candle of five minutes, 32 to 41 over three of them, 60 to 64 exactly one, and months.
    let missing =
        |minute: &i64| *minute == 13 || (32..=41).contains(minute) || (60..65).contains(minute);
    let later = 60 * 24 * 70;
    let minutes = (0..100)
        .filter(|minute| !missing(minute))
        .chain(later + 3..later + 20);
    catalogue(folder.path(), minutes.clone());

    let present: Vec<i64> = minutes.collect();
    let of_minutes = seen(folder.path(), Interval::Minute1);
    // The first candle behind each hole closes it; the strategy is given it and nothing is decided on it.
    assert!(
        of_minutes.iter().all(|minute| present.contains(minute)),
        "{of_minutes:?}"
    );
    assert!(of_minutes.is_sorted() && of_minutes.len() >= present.len() - 4);

    let whole = |open: &i64| (0..5).all(|minute| present.contains(&(open + minute)));
    let fives = (0..later + 20).step_by(5).filter(whole);
    let of_fives = seen(folder.path(), Interval::Minute5);
    assert_eq!(of_fives, fives.collect::<Vec<i64>>());
}

/// The most memory this process has held, in KiB; 0 where the system does not report it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[test]
fn a_series_of_many_months_is_played_in_the_memory_of_one() {
    // Each test is a process of its own under nextest; in one process with others the peak may be theirs, and the
    // difference is smaller still.
    let (short, long) = (tempfile::tempdir(), tempfile::tempdir());
    let (short, long) = (short.expect("a folder"), long.expect("a folder"));
    let month = 60 * 24 * 31;
    catalogue(short.path(), 0..3 * month);
    catalogue(long.path(), 0..12 * month);
    let played = |folder: &Path| {
        let strategies =
            StrategySource::new(|_| Ok(Box::new(Witness(Interval::Day1, Arc::default()))));
        let options = FileOptions {
            catalogue: Some(folder.to_owned()),
            ..FileOptions::new("witness", vec![format!("catalogue:{}", series()).into()])
        };
        run_files_with(&options, &[Interval::Day1], strategies).expect("a sound series");
        peak_kib()
    };
    let after_short = played(short.path());
    let after_long = played(long.path());
    eprintln!("{after_short} KiB after 3 months, {after_long} KiB after 12 months of minutes");
    // 400,000 rows more would be 40 MiB.
    assert!(
        after_long <= after_short + 4 * 1_024,
        "{after_short} and {after_long} KiB"
    );
}
