//! The examples after public reports: each is read right, or refused with its line and its cure.

use tradewind_data::{Hints, Kind};

use crate::{rows, shown, table, test_data};

/// Rows, length, symbol and first row; or the refusal.
type Wanted = Result<(usize, &'static str, &'static str, &'static str), &'static str>;

/// File; rows, length, product and first row, or the refusal after the file's name.
#[rustfmt::skip] // one row a file
const CASES: [(&str, Wanted); 33] = [
    ("f01-binance-vision-microseconds/BTCUSDT-1m-2025-01-01.csv", Ok((180, "1m", "BTCUSDT", "2025-01-01T00:00:00Z 42000 42338.8 41994.43 42216.42 21.32548"))),
    ("f03-binance-um-header-repeated/BTCUSDT-1m-2024-10.csv", Ok((120, "1m", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42338.8 41994.43 42216.42 21.32548"))),
    ("f04-binance-vision-zip/BTCUSDT-1m-2025-01-01.zip", Ok((180, "1m", "BTCUSDT", "2025-01-01T00:00:00Z 42000 42338.8 41994.43 42216.42 21.32548"))),
    ("f05-binance-vision-trades/BTCUSDT-aggTrades-2024-10-01.csv", Ok((200, "", "BTCUSDT", "2024-10-01T00:00:00.815Z 41990.1 0.00297 3344555777 Some(Buy)"))),
    ("f05-binance-vision-trades/BTCUSDT-trades-2024-10-01.csv", Ok((200, "", "BTCUSDT", "2024-10-01T00:00:00.815Z 41990.1 0.00297 3344556677 Some(Buy)"))),
    ("f05-binance-vision-trades/BTCUSDT-trades-2025-10-01.csv", Ok((200, "", "BTCUSDT", "2024-10-01T00:00:00.815Z 41990.1 0.00297 3344556677 Some(Buy)"))),
    ("f07-binance-2018-misaligned/BTCUSDT-1h-2018-02.csv", Err("line 5: the candle begins 1694 s after an interval of 1h does; 20 lines, to line 24, are off the interval: delete them")),
    ("f08-cryptodatadownload/BTCUSDT_1h.csv", Ok((100, "1h", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f08-cryptodatadownload/BTC_USDT-1h.csv", Ok((100, "1h", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f08-cryptodatadownload/Binance_BTCUSDT_1h.csv", Ok((100, "1h", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f08-cryptodatadownload/ETH_USDT-1h.csv", Ok((100, "1h", "ETHUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f10-tradingview/BINANCE_BTCUSDT, 60.csv", Ok((100, "1h", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f10-tradingview/BTC_USDT-1h.csv", Ok((100, "1h", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f10-tradingview/ETH_USDT-1h.csv", Ok((100, "1h", "ETHUSDT", "2024-10-01T00:00:00Z 42000 42038.56 41789.63 41839.78 26.65829"))),
    ("f12-histdata-semicolons/EURUSD-1m-2024-10.csv", Ok((120, "1m", "EURUSD", "2024-10-01T05:00:00Z 1.1163 1.116469 1.116193 1.116281 0"))),
    ("f13-freqtrade-exports/BTC_USDT-5m.csv", Ok((200, "5m", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42286.63 41884.84 42204.87 7.23416"))),
    ("f13-freqtrade-exports/ETH_USDT-5m.json", Ok((200, "5m", "ETHUSDT", "2024-10-01T00:00:00Z 2600 2601.73 2599.73 2601.55 23.48926"))),
    ("f13-freqtrade-exports/SOL_USDT-5m.csv", Ok((200, "5m", "SOLUSDT", "2024-10-01T00:00:00Z 150 150.26 149.28 149.56 37.00817"))),
    ("f15-duplicates/BTC_USDT-1m.csv", Err("line 62: the candle is not later than the one before it: line 61 has the same time and other values; delete the wrong one")),
    ("f15-duplicates/ETH_USDT-1m.csv", Ok((100, "1m", "ETHUSDT", "2024-10-01T00:00:00Z 42000 42132.09 41770.4 41869.81 28.65799"))),
    ("f17-thousands-separators/BTC_USD-1d.csv", Err("line 1: there is no column \"close\" (there are Date, Price, Open, High, Low, Vol., Change %); give the column that is the close this name")),
    ("f17-thousands-separators/ETH_USD-1d.csv", Err("line 2, column open: \"62,000.00\" has a thousands separator or a decimal comma; write it with digits and one point")),
    ("f19-empty-candles/BTC_USDT-1m.csv", Ok((80, "1m", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42241.86 41936.56 42130.91 20.21957"))),
    ("f19-empty-candles/BNB_USDT-1m.csv", Ok((78, "1m", "BNBUSDT", "2024-10-01T00:00:00Z 42000 42241.86 41936.56 42130.91 20.21957"))),
    ("f19-empty-candles/ETH_USDT-1m.csv", Ok((78, "1m", "ETHUSDT", "2024-10-01T00:00:00Z 42000 42241.86 41936.56 42130.91 20.21957"))),
    ("f19-empty-candles/SOL_USDT-1m.csv", Ok((78, "1m", "SOLUSDT", "2024-10-01T00:00:00Z 42000 42241.86 41936.56 42130.91 20.21957"))),
    ("f19-empty-candles/XRP_USDT-1m.csv", Err("line 22, column open: the price is 0; delete the line: a missing one is known as a hole")),
    ("f21-gzip-members/BTC_USDT-1m.csv.gz", Ok((100, "1m", "BTCUSDT", "2024-10-01T00:00:00Z 42000 42132.09 41770.4 41869.81 28.65799"))),
    ("f21-gzip-members/ETH_USDT-1m.csv.gz", Err("line 92: the packed file is cut off here; fetch it again, or unpack what there is: zcat FILE > OUT.csv")),
    ("f21-gzip-members/SOL_USDT-1m.csv", Err("line 100: the last line is cut off: there is no column 3 of 6; mend the line or delete it, or fetch the file again")),
    ("f23-nine-decimals/PEPE_USDT-1m.csv", Ok((150, "1m", "PEPEUSDT", "2024-10-01T00:00:00Z 0.000004567 0.000004579 0.000004566 0.000004577 27364180"))),
    ("f23-nine-decimals/BABYDOGE_USDT-1m.csv", Ok((150, "1m", "BABYDOGEUSDT", "2024-10-01T00:00:00Z 0.0000000012343 0.0000000012376 0.0000000012341 0.000000001237 27364180000"))),
    ("f23-nine-decimals/README", Err("line 1: ")),
];

#[test]
fn every_case_is_read_right_or_refused_with_its_cure() {
    let Some(folder) = test_data("cases/files") else {
        return;
    };
    let mut seen = 0;
    for (file, wanted) in CASES {
        let path = folder.join(file);
        let found = table(&path, &Hints::default());
        match (&found, wanted) {
            (Ok(table), Ok((count, length, symbol, first))) => {
                let rows = rows(table);
                assert_eq!((rows.len(), table.rows), (count, count as u64), "{file}");
                assert_eq!(
                    table.interval.map_or("", |length| length.name()),
                    length,
                    "{file}"
                );
                assert_eq!(
                    (table.product.symbol().as_str(), shown(&rows[0]).as_str()),
                    (symbol, first),
                    "{file}"
                );
                assert!(rows.is_sorted_by_key(tradewind_data::Row::at), "{file}");
            }
            (Err(error), Err(reason)) => {
                let wanted = format!("{}: {reason}", path.display());
                assert!(
                    error.to_string().starts_with(&wanted),
                    "{error}\nwanted: {wanted}"
                );
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
            }
            (found, wanted) => panic!("{file}: {found:?}, and not {wanted:?}"),
        }
        seen += 1;
    }
    assert_eq!(seen, CASES.len());
}

/// A new file among the examples is one nobody has looked at.
#[test]
fn no_case_is_left_out() {
    let Some(folder) = test_data("cases/files") else {
        return;
    };
    for kind in std::fs::read_dir(&folder).unwrap() {
        for file in std::fs::read_dir(kind.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            assert!(
                name.ends_with("README") || CASES.iter().any(|(known, _)| *known == name),
                "{name}"
            );
        }
    }
}

#[test]
fn what_is_missing_or_was_passed_over_is_told() {
    let Some(folder) = test_data("cases/files") else {
        return;
    };
    for (file, words) in [
        (
            "f03-binance-um-header-repeated/BTCUSDT-1m-2024-10.csv",
            "passed over: 1, the first in line 62",
        ),
        (
            "f08-cryptodatadownload/BTCUSDT_1h.csv",
            "the newest row is the first",
        ),
        (
            "f08-cryptodatadownload/ETH_USDT-1h.csv",
            "its rows say BTCUSDT and it is read as ETH/USDT",
        ),
        (
            "f12-histdata-semicolons/EURUSD-1m-2024-10.csv",
            "taken as UTC-05:00",
        ),
        (
            "f15-duplicates/ETH_USDT-1m.csv",
            "count once: 1, the first in line 52",
        ),
        (
            "f19-empty-candles/SOL_USDT-1m.csv",
            "passed over as holes: 2, the first in line 22",
        ),
        (
            "f19-empty-candles/SOL_USDT-1m.csv",
            "candles missing: 2, in 1 holes, the first at 2024-10-01T00:20:00Z",
        ),
    ] {
        let table = table(&folder.join(file), &Hints::default()).unwrap();
        assert!(
            table.notes.iter().any(|note| note.contains(words)),
            "{file}: {:?}",
            table.notes
        );
    }
}

#[test]
fn recorded_tables_of_many_sources_are_read() {
    let Some(folder) = test_data("data") else {
        return;
    };
    for (file, count, kind) in [
        ("backtesting_py/EURUSD.csv", 5_000, Kind::Candles),
        (
            "binance_1h/SOLUSDT_1h_2020_2026.csv.gz",
            48_094,
            Kind::Candles,
        ),
        ("candles_2018_5m/ETH_BTC-5m.csv.gz", 5_760, Kind::Candles),
        ("lean_1h/binance_hour_btcusdt_trade.zip", 120, Kind::Candles),
        ("binance_ticks_2021/btcusdt-quotes.csv", 451, Kind::Quotes),
        ("binance_ticks_2021/btcusdt-trades.csv", 2_001, Kind::Trades),
        (
            "tardis_samples/huobi-dm-swap_quotes_BTC-USD.csv",
            10,
            Kind::Quotes,
        ),
        (
            "tardis_samples/binance-futures_book_snapshot_5_BTCUSDT.csv",
            10,
            Kind::Quotes,
        ),
    ] {
        let table =
            table(&folder.join(file), &Hints::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((table.rows, table.kind), (count, kind), "{file}");
    }
}

/// 2152 is dollars, and no coins.
#[test]
fn recorded_contracts_are_no_coins() {
    let Some(folder) = test_data("data/tardis_samples") else {
        return;
    };
    let error = table(&folder.join("bitmex_trades_XBTUSD.csv"), &Hints::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("amounts of bitmex may be contracts and no coins"),
        "{error}"
    );
    let quotes = folder.join("huobi-dm-swap_quotes_BTC-USD.csv");
    let quotes = table(&quotes, &Hints::default()).unwrap();
    assert!(rows(&quotes).iter().all(|row| shown(row).ends_with(" - -")));
    assert!(
        quotes.notes.iter().any(|note| note.contains("no coins")),
        "{:?}",
        quotes.notes
    );
}
