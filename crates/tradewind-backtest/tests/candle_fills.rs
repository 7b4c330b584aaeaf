//! How orders fill on candles: at a level, at a gap's open, at the next open; never inside the candle that decided.

mod strategies;

use std::time::Duration;

use proptest::prelude::*;
use strategies::BlindEntries;
use tradewind_backtest::{
    BacktestError, CandleStart, FillReport, HistoryEvent, Latency, Report, benchmark_setup,
    rest_take_profits, run_with,
};
use tradewind_engine::StrategySource;
use tradewind_events::WakeRule;
use tradewind_model::{
    Amount, Candle, ExitPlan, InstrumentId, Interval, LimitPolicy, MarketEvent, OnTimeout,
    OrderPolicy, Ppm, Price, Stop, TakeProfitBy, Timestamp,
};

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
/// Open, high, low, close, in cents.
type Row = [i64; 4];

/// A run over candles of a minute.
#[derive(Clone, Debug)]
struct Run {
    exit: ExitPlan,
    half_spread: Ppm,
    latency: Duration,
    policy: OrderPolicy,
}

impl Run {
    fn new(exit: ExitPlan) -> Self {
        Self {
            exit,
            half_spread: Ppm::ZERO,
            latency: Duration::ZERO,
            policy: OrderPolicy::Market,
        }
    }

    /// Blind entries, woken by each candle.
    fn blind(&self, rows: &[Row]) -> Report {
        let strategies = StrategySource::new(|_| Ok(Box::new(BlindEntries::on(Interval::Minute1))));
        let wakes = vec![WakeRule::Candles(Interval::Minute1)];
        self.run(rows, wakes, strategies).expect("the run is sound")
    }

    fn run(
        &self,
        rows: &[Row],
        wakes: Vec<WakeRule>,
        strategies: StrategySource,
    ) -> Result<Report, BacktestError> {
        let mut setup = benchmark_setup();
        setup.configuration.bots[0].wakes = wakes;
        setup.configuration.bots[0].exit = self.exit.clone();
        setup.configuration.bots[0].policy = self.policy;
        rest_take_profits(&mut setup.configuration);
        setup.latency = Latency {
            request: self.latency,
            report: self.latency,
        };
        run_with(setup, strategies, &mut self.events(rows).into_iter())
    }

    fn events(&self, rows: &[Row]) -> Vec<(Timestamp, HistoryEvent)> {
        let candles = (0..).zip(rows).map(|(minute, row)| candle(minute, *row));
        let events = candles.flat_map(|candle| {
            let half_spread = self.half_spread;
            let start = CandleStart {
                candle,
                half_spread,
            };
            [
                (candle.open_time, HistoryEvent::CandleStart(start)),
                (candle.close_time(), MarketEvent::Candle(candle).into()),
            ]
        });
        events.collect()
    }
}

fn candle(minute: i64, [open, high, low, close]: Row) -> Candle {
    Candle {
        instrument: InstrumentId(0),
        interval: Interval::Minute1,
        complete: true,
        open_time: Timestamp::from_secs(START + 60 * minute),
        open: Price(open),
        high: Price(high),
        low: Price(low),
        close: Price(close),
        volume: Amount::ONE,
    }
}

/// 2 % target, 4 % stop.
fn bracket() -> ExitPlan {
    ExitPlan {
        stop: Stop::Distance(Ppm(40_000)),
        take_profit: Some(Ppm(20_000)),
        ..ExitPlan::default()
    }
}

/// The minute a fill belongs to, and its price in cents.
fn place(fill: &FillReport) -> (i64, i64) {
    let price = fill.price.parse::<Amount>().expect("a price");
    let minute = (fill.at.as_nanos() / 1_000_000_000 - START) / 60;
    let cents = i64::try_from(price.0 / 10_000_000_000_000_000).expect("a price in cents");
    (minute, cents)
}

fn places(report: &Report) -> Vec<(i64, i64)> {
    report.newest_fills.iter().map(place).collect()
}

/// Two quiet candles at 100.00, on the second of which a blind entry is decided, and then `rows`.
fn after_quiet(rows: &[Row]) -> Vec<Row> {
    let quiet = [10_000, 10_010, 9_990, 10_000];
    [&[quiet, quiet], rows].concat()
}

#[track_caller]
fn check(run: &Run, rows: &[Row], wanted: &[(i64, i64)], ambiguous: u64) {
    let report = run.blind(&after_quiet(rows));
    assert_eq!(places(&report), wanted, "{}", report.to_json());
    assert_eq!(report.ambiguous_candles, ambiguous);
    assert!(report.denials.is_empty(), "{:?}", report.last_denial);
}

#[test]
fn stops_and_targets_fill_at_their_levels_and_at_the_open_after_a_gap() {
    let run = Run::new(bracket());
    let quiet = [10_000, 10_010, 9_990, 10_000];
    // The stop lies at 96.00, the target at 102.00.
    let check = |row: Row, exit: i64| {
        check(&run, &[quiet, row], &[(2, 10_000), (3, exit)], 0);
    };
    check([10_000, 10_010, 9_500, 9_900], 9_600);
    check([10_000, 10_010, 9_500, 9_500], 9_600);
    check([9_500, 9_700, 9_400, 9_650], 9_500);
    check([9_600, 9_700, 9_500, 9_650], 9_600);
    check([10_000, 10_500, 9_990, 10_400], 10_200);
    check([10_000, 10_200, 9_990, 9_990], 10_200);
    check([10_300, 10_500, 10_250, 10_400], 10_300);
}

/// A take profit that rests enters with its stop at the open after its entry, so it sees nothing of the candle of the entry. From then on
/// it fills at its level, as a maker: not even behind a gap is it better.
#[test]
fn a_take_profit_that_rests_fills_at_its_level_from_the_next_candle_on() {
    let plan = ExitPlan {
        take_profit_by: TakeProfitBy::Limit,
        ..bracket()
    };
    let run = Run {
        half_spread: Ppm(100),
        ..Run::new(plan)
    };
    let quiet = [10_000, 10_010, 9_990, 10_000];
    let high = [10_000, 10_500, 9_990, 10_000];
    // Bought at 100.01, so that the target lies at 102.01.
    check(&run, &[quiet, high], &[(2, 10_001), (3, 10_201)], 0);
    check(&run, &[high, quiet, high], &[(2, 10_001), (4, 10_201)], 0);
    check(
        &run,
        &[quiet, quiet, [10_300, 10_500, 10_250, 10_400]],
        &[(2, 10_001), (4, 10_201)],
        0,
    );
    // The stop costs the same as without the pair.
    let rows = after_quiet(&[quiet, quiet, [10_000, 10_010, 9_500, 9_900]]);
    let alone = Run {
        exit: bracket(),
        ..run.clone()
    };
    assert_eq!(places(&run.blind(&rows)), places(&alone.blind(&rows)));
}

#[test]
fn an_exit_may_come_in_the_candle_of_its_entry() {
    let run = Run::new(bracket());
    let rows = [[10_100, 10_110, 9_500, 9_900]];
    check(&run, &rows, &[(2, 10_100), (2, 9_696)], 0);
}

#[test]
fn the_stop_wins_where_a_candle_holds_both_and_the_report_gives_both_profits() {
    let run = Run::new(bracket());
    for close in [9_990, 10_010] {
        let report = run.blind(&after_quiet(&[[10_000, 10_300, 9_500, close]]));
        assert_eq!(places(&report), [(2, 10_000), (2, 9_600)]);
        assert_eq!(report.ambiguous_candles, 1);
        assert_eq!(report.profit_worst_order, Amount::whole(-4));
        assert_eq!(report.profit_best_order, Amount::whole(2));
    }
    // Behind a gap there is no doubt: the open came first.
    let rows = [
        [10_000, 10_010, 9_990, 10_000],
        [10_300, 10_310, 9_500, 9_600],
    ];
    check(&run, &rows, &[(2, 10_000), (3, 10_300)], 0);
}

#[test]
fn slippage_is_paid_at_opens_and_stops_and_not_at_targets() {
    let run = Run {
        half_spread: Ppm(1_000),
        ..Run::new(bracket())
    };
    // Bought at 100.10: the stop lies at 96.10 (96.096, on a cent below it 96.09), the target at 102.11.
    let stopped = [[10_000, 10_010, 9_500, 9_900]];
    check(&run, &stopped, &[(2, 10_010), (2, 9_610 - 9)], 0);
    let gained = [[10_000, 10_500, 9_990, 10_400]];
    check(&run, &gained, &[(2, 10_010), (2, 10_210)], 0);
}

#[test]
fn a_trailing_stop_fills_at_its_level() {
    let run = Run::new(ExitPlan {
        trailing: Some(Ppm(10_000)),
        ..ExitPlan::default()
    });
    // It rises to 109.00, 1 % below is 107.91; the second candle falls through that.
    let rows = [
        [10_000, 10_900, 9_990, 10_900],
        [10_850, 10_860, 10_000, 10_100],
    ];
    check(&run, &rows, &[(2, 10_000), (3, 10_791)], 0);
    // A level that moved inside the candle may have been passed before: what it decides is filled at the next open.
    let rows = [
        [10_000, 10_900, 9_990, 10_100],
        [10_105, 10_110, 10_000, 10_100],
    ];
    check(&run, &rows, &[(2, 10_000), (3, 10_105)], 0);
    // A gap below a level that the last close moved is filled at the open.
    let rows = [
        [10_000, 10_900, 9_990, 10_900],
        [10_700, 10_860, 10_000, 10_100],
    ];
    check(&run, &rows, &[(2, 10_000), (3, 10_700)], 0);
}

#[test]
fn latency_moves_no_exit_away_from_its_level() {
    let run = Run {
        latency: Duration::from_millis(50),
        ..Run::new(bracket())
    };
    let rows = [[10_000, 10_300, 9_500, 9_990]];
    check(&run, &rows, &[(2, 10_000), (2, 9_600)], 1);
}

#[test]
fn an_age_is_filled_at_the_next_open_and_a_profit_by_age_at_its_level() {
    let quiet = [10_000, 10_010, 9_990, 10_000];
    let aged = Run::new(ExitPlan {
        time: Some(Duration::from_secs(90)),
        ..ExitPlan::default()
    });
    let rows = [quiet, quiet, [10_005, 10_020, 9_980, 10_000]];
    check(&aged, &rows, &[(2, 10_000), (4, 10_005)], 0);
    let gained = Run::new(ExitPlan {
        profit_by_age: vec![(Duration::from_secs(30), Ppm(10_000))],
        ..ExitPlan::default()
    });
    let rows = [
        quiet,
        [10_000, 10_400, 9_990, 10_050],
        [10_060, 10_070, 9_990, 10_000],
    ];
    let fills = [(2, 10_000), (3, 10_100), (4, 10_060)];
    check(&gained, &rows, &fills, 0);
}

#[test]
fn a_position_that_a_waiting_order_opened_does_not_gain_in_the_same_candle() {
    let mut run = Run::new(bracket());
    run.policy = OrderPolicy::Limit(LimitPolicy {
        offset: Ppm(10_000),
        post_only: false,
        timeout: None,
        chases: 0,
        then: OnTimeout::Cancel,
        own_price: false,
    });
    // It waits at 99.00 and is filled on the way down. The high may have come before that.
    let rows = [
        [10_000, 10_500, 9_850, 10_400],
        [10_150, 10_160, 10_050, 10_060],
    ];
    check(&run, &rows, &[(2, 9_900), (3, 10_150)], 0);
    // The stop at 95.04 lies on the way.
    let rows = [[10_000, 10_010, 9_400, 9_500]];
    check(&run, &rows, &[(2, 9_900), (2, 9_504)], 0);
}

/// Candles that follow each other, with small gaps between them.
fn walks() -> impl Strategy<Value = Vec<Row>> {
    let step = (-60_i64..60, -500_i64..500, 0_i64..600, 0_i64..600);
    prop::collection::vec(step, 40..120).prop_map(|steps| {
        let mut close = 10_000;
        let rows = steps.into_iter().map(|(gap, change, above, below)| {
            let open = (close + gap).max(2_000);
            close = (open + change).max(2_000);
            let (high, low) = (open.max(close) + above, open.min(close) - below);
            [open, high, low, close]
        });
        rows.collect()
    })
}

/// Falls and rises, so that the fast average crosses above the slow one whatever follows.
fn wave() -> impl Iterator<Item = Row> {
    let opens = (0..40).map(|minute: i64| 9_600 + 20 * (minute - 20).abs());
    opens.map(|open| [open, open + 15, open - 15, open + 5])
}

proptest! {
    #[test]
    fn exits_fill_inside_their_candle_and_never_better_than_a_stop(
        rows in walks(), half_spread in prop_oneof![Just(Ppm::ZERO), Just(Ppm(1_000))],
    ) {
        let run = Run { half_spread, ..Run::new(bracket()) };
        let report = run.blind(&rows);
        prop_assert!(report.denials.is_empty(), "{:?}", report.last_denial);
        prop_assert!(report.profit_best_order >= report.profit_worst_order);
        let half = |price: i64| price * half_spread.0 / 1_000_000;
        let fills = places(&report);
        prop_assert!(!fills.is_empty());
        for pair in fills.chunks(2) {
            let (entered, entry) = pair[0];
            let [open, ..] = rows[usize::try_from(entered).unwrap()];
            prop_assert_eq!(entry, open + half(open), "an entry is filled at an open");
            let Some(&(left, exit)) = pair.get(1) else { continue };
            let [open, high, low, _] = rows[usize::try_from(left).unwrap()];
            let stop = entry - entry * 40_000 / 1_000_000;
            let target = entry + entry * 20_000 / 1_000_000;
            let (stopped, gained) = (open.min(stop), open.max(target));
            if exit == gained {
                prop_assert!((low..=high).contains(&gained));
            } else {
                prop_assert_eq!(exit, stopped - half(stopped), "of {}", entry);
                prop_assert!((low..=high).contains(&stopped) && exit <= stop);
            }
            prop_assert!(left >= entered);
        }
    }

    #[test]
    fn what_a_quote_inside_a_candle_decides_is_filled_at_the_next_open(walk in walks()) {
        let rows: Vec<Row> = wave().chain(walk).collect();
        let run = Run::new(ExitPlan::default());
        let report = run.run(&rows, vec![WakeRule::Quotes], StrategySource::built_in()).unwrap();
        prop_assert!(report.fills > 0);
        for fill in &report.newest_fills {
            let (minute, price) = place(fill);
            prop_assert_eq!(fill.at, Timestamp::from_secs(START + 60 * minute));
            prop_assert_eq!(price, rows[usize::try_from(minute).unwrap()][0]);
        }
        prop_assert!(report.fills + report.cancelled + 1 >= report.orders);
    }
}
