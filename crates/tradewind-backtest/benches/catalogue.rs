//! The benchmark series from a catalogue of Parquet files, beside the same quotes in memory: `cargo bench -p tradewind-backtest
//! --bench catalogue`. Prints medians of five runs, and the memory that a series of ten times the length takes.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark's output is what it is run for"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]

#[path = "shared/measure.rs"]
mod measure;

use std::path::Path;

use tradewind_backtest::{BenchmarkSeries, benchmark_setup, run};
use tradewind_data::{Adding, Catalogue, QuoteRow, Row, Series, Span, counts};
use tradewind_model::{Amount, Instrument, MarketEvent, Price, Quantity, Quote, Timestamp};

use measure::{RUNS, line, median, peak_kib};

const QUOTES: u64 = 1_000_000;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rules = benchmark_setup().configuration.instruments[0].clone();
    let folder = tempfile::tempdir().unwrap();
    let (short, long) = (folder.path().join("short"), folder.path().join("long"));
    let short = written(&short, QUOTES, &rules);
    let long = written(&long, 10 * QUOTES, &rules);
    let before = peak_kib();
    let read = median(|| assert_eq!(quotes(&short, &rules).count() as u64, QUOTES));
    let mut orders = [0; 2];
    let catalogue = median(|| {
        orders[0] = run(benchmark_setup(), &mut quotes(&short, &rules))
            .unwrap()
            .orders;
    });
    let after_short = peak_kib();
    run(benchmark_setup(), &mut quotes(&long, &rules)).unwrap();
    let after_long = peak_kib();
    let kept: Vec<(Timestamp, MarketEvent)> = quotes(&short, &rules).collect();
    let memory = median(|| {
        orders[1] = run(benchmark_setup(), &mut kept.iter().cloned())
            .unwrap()
            .orders;
    });
    assert_eq!(orders[0], orders[1]);
    println!(
        "{QUOTES} quotes, {} orders, median of {RUNS} runs",
        orders[0]
    );
    line("read from the catalogue", read, QUOTES);
    line("backtest from the catalogue", catalogue, QUOTES);
    line("backtest from memory", memory, QUOTES);
    println!(
        "peak memory {before} KiB after writing, {after_short} KiB after {QUOTES} quotes, {after_long} KiB after {}",
        10 * QUOTES
    );
}

fn series() -> Series {
    "bench:BTC/USDT@quotes".parse().unwrap()
}

/// The series in a catalogue.
fn written(folder: &Path, count: u64, rules: &Instrument) -> Catalogue {
    let amount = |count: i64, decimals: u8| {
        Amount(i128::from(count) * 10_i128.pow(u32::from(Amount::DECIMALS - decimals)))
    };
    let catalogue = Catalogue::new(folder.to_owned());
    let (series, mut import) = (series(), catalogue.import().unwrap());
    let mut adding = Adding::new(folder, &series);
    for (at, event) in BenchmarkSeries::new(count) {
        let MarketEvent::Quote(quote) = event else {
            continue;
        };
        let row = QuoteRow {
            at,
            bid: amount(quote.bid.0, rules.price_decimals),
            ask: amount(quote.ask.0, rules.price_decimals),
            bid_size: Some(amount(quote.bid_quantity.0, rules.quantity_decimals)),
            ask_size: Some(amount(quote.ask_quantity.0, rules.quantity_decimals)),
        };
        import.push(&mut adding, Row::Quote(row), 0).unwrap();
    }
    import.finish(adding).unwrap();
    import.commit().unwrap();
    catalogue
}

/// The quotes of the catalogue, read as they are needed.
fn quotes<'a>(
    catalogue: &Catalogue,
    rules: &'a Instrument,
) -> impl Iterator<Item = (Timestamp, MarketEvent)> + use<'a> {
    let rows = catalogue.rows(&series(), Span::ALL).unwrap();
    rows.map(|row| {
        let Row::Quote(row) = row.unwrap() else {
            panic!("a series of quotes");
        };
        let price = |amount| Price(counts(amount, rules.price_decimals).unwrap());
        let size = |amount: Option<Amount>| {
            Quantity(counts(amount.unwrap(), rules.quantity_decimals).unwrap())
        };
        let quote = Quote {
            instrument: rules.id,
            bid: price(row.bid),
            ask: price(row.ask),
            bid_quantity: size(row.bid_size),
            ask_quantity: size(row.ask_size),
            event_time: None,
            received_at: row.at,
        };
        (row.at, MarketEvent::Quote(quote))
    })
}
