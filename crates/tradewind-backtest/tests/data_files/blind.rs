//! Blind entries on real candles: a position whenever flat, closed at a fixed distance. They have no edge, so whatever
//! profit a fill model finds in them is the model's own.

use std::path::Path;

use tradewind_backtest::{FileOptions, Report, run_files_with};
use tradewind_engine::StrategySource;
use tradewind_model::{
    Amount, Candle, Decision, ExitPlan, Interval, Ppm, Quantity, Reason, Sizer, Stop, Target,
};
use tradewind_simx::Fees;
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

use crate::common::test_data;

const FILE: &str = "binance_1h/SOLUSDT_1h_2020_2026.csv.gz";

/// Enters whenever it is flat, from the second candle on, as backtesting.py lets a strategy.
#[derive(Debug, Default)]
struct BlindEntries {
    candles: u32,
}

impl Strategy for BlindEntries {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: Interval::Hour1,
            candles: 0,
        }]
    }

    fn on_candle(&mut self, view: &View<'_>, _: &Candle) -> Result<Decision, StrategyError> {
        self.candles += 1;
        let reason = Reason::plain("blind");
        if self.candles < 2 || view.position.quantity != Quantity::ZERO {
            return Ok(Decision::Hold { reason });
        }
        Ok(Decision::Target(Target {
            exposure: Ppm::ONE,
            limit: None,
            exit: None,
            reason,
        }))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

/// Ten units an entry (one is below the venue's least value at first), 2 % target, 4 % stop, no fees, no spread.
fn run(path: &Path) -> Report {
    let options = FileOptions {
        cash: Amount::whole(1_000_000),
        sizer: Sizer::Fixed(Amount::whole(10)),
        exit: ExitPlan {
            stop: Stop::Distance(Ppm(40_000)),
            take_profit: Some(Ppm(20_000)),
            ..ExitPlan::default()
        },
        fees: Fees {
            maker: Ppm::ZERO,
            taker: Ppm::ZERO,
        },
        half_spread: Ppm::ZERO,
        fills_kept: 20_000,
        ..FileOptions::new("blind", vec![path.to_owned()])
    };
    let strategies = StrategySource::new(|_| Ok(Box::new(BlindEntries::default())));
    run_files_with(&options, &[Interval::Hour1], strategies).expect("the file is sound")
}

/// The closed trades: prices of entry and exit.
fn trades(report: &Report) -> Vec<(f64, f64)> {
    let price = |text: &str| text.parse::<f64>().expect("a price");
    let fills = report.newest_fills.chunks_exact(2);
    let trades = fills.map(|pair| {
        assert_eq!((pair[0].side, pair[1].side), ("buy", "sell"));
        (price(&pair[0].price), price(&pair[1].price))
    });
    trades.collect()
}

/// Percent a trade, on average.
fn mean_return(report: &Report) -> f64 {
    let trades = trades(report);
    let returns = trades.iter().map(|(entry, exit)| exit / entry - 1.0);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = trades.len() as f64;
    100.0 * returns.sum::<f64>() / count
}

/// Wrong, and asserted until it is put right: stops and targets fill at the candle's extreme.
#[test]
fn blind_entries_seem_to_have_an_edge() {
    let Some(path) = test_data(FILE) else { return };
    let report = run(&path);
    assert_eq!(trades(&report).len(), 7_340);
    assert_eq!(format!("{:+.2}", mean_return(&report)), "+0.42");
}
