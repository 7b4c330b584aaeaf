//! Blind entries on real candles: a position whenever flat, closed at a fixed distance. They have no edge, so whatever
//! profit a fill model finds in them is the model's own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tradewind_backtest::{FileOptions, FillReport, Report, run_files_with};
use tradewind_engine::StrategySource;
use tradewind_model::{Amount, ExitPlan, Interval, Ppm, Sizer, Stop};
use tradewind_simx::Fees;

use crate::common::test_data;
use crate::strategies::BlindEntries;

const FILE: &str = "binance_1h/SOLUSDT_1h_2020_2026.csv.gz";
const FIXTURE: &str = include_str!("../data/SOLUSDT-1h.blind-entries.csv");

/// 2 % target, 4 % stop.
fn bracket() -> ExitPlan {
    ExitPlan {
        stop: Stop::Distance(Ppm(40_000)),
        take_profit: Some(Ppm(20_000)),
        ..ExitPlan::default()
    }
}

/// Ten units an entry (one is below the venue's least value at first), no fees, no spread.
fn run(path: &Path, exit: ExitPlan) -> Report {
    let options = FileOptions {
        cash: Amount::whole(1_000_000),
        sizer: Sizer::Fixed(Amount::whole(10)),
        exit,
        fees: Fees {
            maker: Ppm::ZERO,
            taker: Ppm::ZERO,
        },
        half_spread: Ppm::ZERO,
        fills_kept: 50_000,
        ..FileOptions::new("blind", vec![path.to_owned()])
    };
    let strategies = StrategySource::new(|_| Ok(Box::new(BlindEntries::on(Interval::Hour1))));
    run_files_with(&options, &[Interval::Hour1], strategies).expect("the file is sound")
}

/// A closed trade: when and at which price it was entered and left, times as the starts of their candles.
#[derive(Clone, Debug, PartialEq)]
struct Trade {
    entered_at: i64,
    entry: i64,
    left_at: i64,
    exit: i64,
}

/// The closed trades; prices are counts of 0.0001.
fn trades(report: &Report) -> Vec<Trade> {
    let price = |fill: &FillReport| {
        let price = fill.price.parse::<Amount>().expect("a price");
        i64::try_from(price.0 / 100_000_000_000_000).expect("it was a count")
    };
    let hour = |fill: &FillReport| fill.at.as_nanos() / 1_000_000_000 / 3_600 * 3_600;
    let fills = report.newest_fills.chunks_exact(2);
    let trades = fills.map(|pair| {
        assert_eq!((pair[0].side, pair[1].side), ("buy", "sell"));
        Trade {
            entered_at: hour(&pair[0]),
            entry: price(&pair[0]),
            left_at: hour(&pair[1]),
            exit: price(&pair[1]),
        }
    });
    trades.collect()
}

/// Percent a trade, on average.
#[expect(clippy::cast_precision_loss, reason = "shown to two digits")]
fn mean_return(trades: &[Trade]) -> f64 {
    let returns = trades
        .iter()
        .map(|trade| trade.exit as f64 / trade.entry as f64 - 1.0);
    100.0 * returns.sum::<f64>() / trades.len() as f64
}

/// The start of each candle of the file, in seconds.
fn starts(path: &Path) -> Vec<i64> {
    let file = BufReader::new(File::open(path).expect("the data is there"));
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines().skip(1);
    let times = lines.map(|line| {
        let line = line.expect("the file is text");
        let time = line.split(',').next().and_then(|time| time.parse().ok());
        time.expect("a line begins with its time")
    });
    times.collect()
}

/// The trades that backtesting.py makes; `scripts/backtesting_fixtures.py` writes them and documents their format.
fn backtesting_trades(starts: &[i64]) -> Vec<Trade> {
    let fixture = include_str!("../data/SOLUSDT-1h.blind-entries.csv");
    let rows = fixture
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1);
    let trades = rows.map(|row| {
        let numbers: Vec<i64> = row
            .split(',')
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        let [candle, entry, held, exit] = numbers[..] else {
            panic!("{row} has four columns");
        };
        let start = |candle: i64| starts[usize::try_from(candle).expect("not negative")];
        Trade {
            entered_at: start(candle),
            entry,
            left_at: start(candle + held),
            exit,
        }
    });
    trades.collect()
}

/// A value of the fixture's head.
fn header(key: &str) -> &'static str {
    let mut lines = FIXTURE.lines();
    let value = lines.find_map(|line| line.strip_prefix("# ")?.strip_prefix(key));
    value.expect("the key is in the fixture").trim()
}

#[test]
fn blind_entries_trade_as_in_backtesting_py_and_have_no_edge() {
    let Some(path) = test_data(FILE) else { return };
    let report = run(&path, bracket());
    let (ours, theirs) = (trades(&report), backtesting_trades(&starts(&path)));
    for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "trade {place}");
    }
    assert_eq!((ours.len(), theirs.len()), (7_339, 7_339));
    assert_eq!(format!("{:+.2}", mean_return(&ours)), "-0.09");

    let (candles, gain) = (header("ambiguous"), header("gain"));
    assert_eq!(report.ambiguous_candles.to_string(), candles);
    let bounds = report.profit_best_order - report.profit_worst_order;
    // Counts of 0.0001, ten units each.
    let gain: i128 = gain.parse().expect("a number");
    assert_eq!(bounds, Amount(gain * 10 * 100_000_000_000_000));
    assert_eq!(
        report.profit_worst_order,
        report.realized + report.unrealized
    );
}

#[test]
fn blind_entries_with_a_trailing_stop_have_no_edge() {
    let Some(path) = test_data(FILE) else { return };
    let trailing = ExitPlan {
        trailing: Some(Ppm(10_000)),
        ..ExitPlan::default()
    };
    let trades = trades(&run(&path, trailing));
    assert_eq!(trades.len(), 21_273);
    assert_eq!(format!("{:+.2}", mean_return(&trades)), "-0.00");
}
