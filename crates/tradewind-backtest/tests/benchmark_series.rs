//! The benchmark series through the whole desk: what everybody who runs it must find.

use tradewind_backtest::{BenchmarkSeries, Report, benchmark_setup, run};
use tradewind_model::Amount;

fn report(quotes: u64) -> Report {
    run(benchmark_setup(), &mut BenchmarkSeries::new(quotes)).expect("the series has no bad line")
}

#[test]
fn the_crossover_sends_the_known_number_of_orders_and_ends_with_the_known_cash() {
    for (quotes, orders) in [(20_000, 895), (100_000, 4_542), (1_000_000, 45_700)] {
        let report = report(quotes);
        assert_eq!(report.orders, orders, "{quotes} quotes");
        assert_eq!(report.fills, orders, "{quotes} quotes");
        assert!(report.denials.is_empty(), "{:?}", report.denials);
        assert!(report.assets.iter().all(|line| line.difference.is_zero()));
        if quotes == 1_000_000 {
            let cash = report.balance("USD") - Amount::whole(1_000_000);
            assert_eq!(cash, "-208.85".parse().unwrap());
            assert_eq!(report.realized, cash, "flat at the end");
        }
    }
}

#[test]
fn the_same_history_gives_the_same_report() {
    assert_eq!(report(30_000), report(30_000));
    assert_eq!(report(30_000).to_json(), report(30_000).to_json());
}
