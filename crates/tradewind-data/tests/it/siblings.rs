//! More of each kind: what other venues and programs write.

use tradewind_data::{Hints, Kind};

use crate::{Input, rows, shown, table};

#[track_caller]
fn check(name: &str, content: &str, kind: Kind, wanted: &[&str]) {
    let input = Input::new(name, content);
    let table = input.table();
    let found: Vec<String> = rows(&table).iter().map(shown).collect();
    assert_eq!(
        (table.kind, found.as_slice()),
        (
            kind,
            wanted
                .iter()
                .map(|row| (*row).to_owned())
                .collect::<Vec<_>>()
                .as_slice()
        )
    );
}

const TWO: [&str; 2] = [
    "2024-10-01T00:00:00Z 100.5 102 99.5 101.25 3.5",
    "2024-10-01T00:01:00Z 101.25 103 101 102 4",
];

#[test]
fn candles_of_other_sources() {
    for (name, content) in [
        // Kraken's OHLCVT.
        (
            "XBTUSDT_1.csv",
            "1727740800,100.5,102,99.5,101.25,3.5,12\n1727740860,101.25,103,101,102,4,9\n",
        ),
        // Binance of two years in one file: milliseconds, then microseconds.
        (
            "BTCUSDT-1m.csv",
            "1727740800000,100.5,102,99.5,101.25,3.5,1727740859999,1,1,1,1,0\n1727740860000000,101.25,103,101,102,4,1727740919999999,1,1,1,1,0\n",
        ),
        // Names after a beginning without them.
        (
            "BTCUSDT-1m.csv",
            "1727740800000,100.5,102,99.5,101.25,3.5\nopen_time,open,high,low,close,volume\n1727740860000,101.25,103,101,102,4\n",
        ),
        // CryptoDataDownload, old: no Unix time, 12-hour clock, both volumes.
        (
            "Gemini_BTCUSD_1min.csv",
            "https://www.CryptoDataDownload.com\nUnix Timestamp,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\n1727740860,x,BTCUSD,101.25,103,101,102,4,9\n1727740800,x,BTCUSD,100.5,102,99.5,101.25,3.5,8\n",
        ),
        (
            "Gemini_BTCUSD_1min.csv",
            "# All times are UTC\nUnix,Date,Symbol,Open,High,Low,Close,Volume USD,Volume BTC\n1727740800,x,BTCUSD,100.5,102,99.5,101.25,8,3.5\n1727740860,x,BTCUSD,101.25,103,101,102,9,4\n",
        ),
        // Kaggle's Bitstamp.
        (
            "BTCUSD_1m.csv",
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n1727740800,100.5,102,99.5,101.25,3.5,7,1\n1727740860,101.25,103,101,102,4,7,1\n",
        ),
        // TradingView with indicators, some of them empty.
        (
            "BINANCE_BTCUSDT, 1.csv",
            "time,open,high,low,close,VWAP,Upper Band,Upper Band,Volume,Volume MA\n2024-10-01T00:00:00Z,100.5,102,99.5,101.25,,NaN,,3.5,\n2024-10-01T00:01:00Z,101.25,103,101,102,7,8,9,4,6\n",
        ),
        (
            "BINANCE_BTCUSDT, 1.csv",
            "time,open,high,low,close,Volume\n1727740800,100.5,102,99.5,101.25,3.5\n1727740860,101.25,103,101,102,4\n",
        ),
        // Spreadsheets: semicolons, decimal commas, a byte order mark, CRLF, their own first line.
        (
            "BTC_USDT-1m.csv",
            "\u{feff}sep=;\r\ntime;open;high;low;close;volume\r\n2024-10-01 00:00;100,5;102;99,5;101,25;3,5\r\n2024-10-01 00:01;101,25;103;101;102;4\r\n",
        ),
        (
            "BTC_USDT-1m.csv",
            "time,open,high,low,close,volume\n1727740800,\"100,5\",\"102,0\",\"99,5\",\"101,25\",\"3,5\"\n1727740860,\"101,25\",\"103,0\",\"101,0\",\"102,0\",\"4,0\"\n",
        ),
        (
            "BTC_USDT-1m.tsv",
            "time\topen\thigh\tlow\tclose\tvolume\n1727740800\t100.5\t102\t99.5\t101.25\t3.5\n1727740860\t101.25\t103\t101\t102\t4\n",
        ),
        // MetaTrader, with names and without.
        (
            "BTCUSD_M1_2024.csv",
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2024.10.01\t00:00:00\t100.5\t102\t99.5\t101.25\t77\t3.5\t1\n2024.10.01\t00:01:00\t101.25\t103\t101\t102\t77\t4\t1\n",
        ),
        (
            "BTCUSD_M1.csv",
            "2024.10.01,00:00,100.5,102,99.5,101.25,3.5\n2024.10.01,00:01,101.25,103,101,102,4\n",
        ),
        // MetaTrader 4 puts the minutes right behind the symbol.
        (
            "BTCUSD1.csv",
            "2024.10.01,00:00,100.5,102,99.5,101.25,3.5\n2024.10.01,00:01,101.25,103,101,102,4\n",
        ),
        // Dukascopy in the time of its user.
        (
            "BTCUSD_Candlestick_1_M_ASK.csv",
            "time,Open,High,Low,Close,Volume\n01.10.2024 02:00:00.000 GMT+0200,100.5,102,99.5,101.25,3.5\n01.10.2024 02:01:00.000 GMT+0200,101.25,103,101,102,4\n",
        ),
        // Polygon's flat files.
        (
            "X_BTCUSD_minute.csv",
            "ticker,volume,open,close,high,low,window_start,transactions\nX:BTCUSD,3.5,100.5,101.25,102,99.5,1727740800000000000,15\nX:BTCUSD,4,101.25,102,103,101,1727740860000000000,25\n",
        ),
        // Alpaca.
        (
            "alpaca.csv",
            "symbol,timestamp,open,high,low,close,volume,trade_count,vwap\nBTC/USD,2024-10-01 00:00:00+00:00,100.5,102,99.5,101.25,3.5,15,1\nBTC/USD,2024-10-01 00:01:00+00:00,101.25,103,101,102,4,25,1\n",
        ),
        // Stooq.
        (
            "btcusd_1m.txt",
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nBTCUSD,1,20241001,000000,100.5,102,99.5,101.25,3.5,0\nBTCUSD,1,20241001,000100,101.25,103,101,102,4,0\n",
        ),
        // A spreadsheet's columns and lines of nothing.
        (
            "BTC_USDT-1m.csv",
            "time,open,high,low,close,volume,,\n2024-10-01 00:00:00,100.5,102,99.5,101.25,3.5,,\n,,,,,,,\n2024-10-01 00:01:00,101.25,103,101,102,4,,\n,,,,,,,\n",
        ),
        // Dukascopy.
        (
            "BTCUSD_Candlestick_1_M_BID.csv",
            "Gmt time,Open,High,Low,Close,Volume\n01.10.2024 00:00:00.000,100.5,102,99.5,101.25,3.5\n01.10.2024 00:01:00.000,101.25,103,101,102,4\n",
        ),
        // pandas: an index without a name, floats.
        (
            "BTC_USDT-1m.csv",
            ",Open,High,Low,Close,Volume\n2024-10-01 00:00:00,100.5,102.0,99.5,101.25,3.5\n2024-10-01 00:01:00,101.25,103.0,101.0,102.00000000000001,4.0\n",
        ),
        // Records and rows in JSON, Binance's numbers in quotes.
        (
            "BTC_USDT-1m.json",
            "[{\"timestamp\": 1727740800000, \"open\": 100.5, \"high\": 102, \"low\": 99.5, \"close\": 101.25, \"volume\": 3.5},\n {\"timestamp\": 1727740860000, \"open\": 101.25, \"high\": 103, \"low\": 101, \"close\": 102, \"volume\": 4}]\n",
        ),
        (
            "BTCUSDT-1m.json",
            "[[1727740800000,\"100.50\",\"102\",\"99.5\",\"101.25\",\"3.50\",1727740859999,\"1\",2,\"1\",\"1\",\"0\"],[1727740860000,\"101.25\",\"103\",\"101\",\"102\",\"4\",1727740919999,\"1\",2,\"1\",\"1\",\"0\"]]",
        ),
        // Pages of an API that overlap by more than a row.
        (
            "BTC_USDT-1m.csv",
            "1727740800,100.5,102,99.5,101.25,3.5\n1727740860,101.25,103,101,102,4\n1727740800,100.5,102,99.5,101.25,3.50\n1727740860,101.25,103,101,102,4\n",
        ),
        // No end of the last line.
        (
            "BTC_USDT-1m.csv",
            "1727740800,100.5,102,99.5,101.25,3.5\n1727740860,101.25,103,101,102,4",
        ),
        // Names of other programs, more columns than are needed.
        (
            "BTC_USDT-1m.csv",
            "ticker|ts|o|h|l|c|v|n\nBTC|1727740800000|100.5|102|99.5|101.25|3.5|1\nBTC|1727740860000|101.25|103|101|102|4|1\n",
        ),
    ] {
        check(name, content, Kind::Candles, &TWO);
    }
}

#[test]
fn days_of_yahoo_and_holes_between_them() {
    let input = Input::new(
        "BTC-USD.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n2024-10-01,1,3,1,2,2,5\n2024-10-02,null,null,null,null,null,null\n2024-10-03,2,4,2,3,3,6\n2024-10-04,2,4,2,3,3,6\n",
    );
    let table = input.table();
    assert_eq!(
        (
            table.interval.unwrap().name(),
            table.rows,
            table.holes.candles
        ),
        ("1d", 3, 1)
    );
    // yfinance of today: three lines of names.
    let input = Input::new(
        "BTC-USD.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDate,,,,,\n2024-10-01,2,3,1,1,5\n2024-10-02,3,4,2,2,6\n",
    );
    let found: Vec<String> = rows(&input.table()).iter().map(shown).collect();
    assert_eq!(
        found,
        [
            "2024-10-01T00:00:00Z 1 3 1 2 -",
            "2024-10-02T00:00:00Z 2 4 2 3 -"
        ]
    );
    // Futures at 17:00 in Chicago, the whole year at one offset.
    let shifted = Input::new(
        "ES_USD-1d.csv",
        "date,open,high,low,close\n2024-10-01T22:00:00Z,1,3,1,2\n2024-10-02T22:00:00Z,1,3,1,2\n",
    );
    let table = shifted.table();
    assert_eq!(
        (table.offset.as_secs(), table.holes.candles),
        (22 * 3_600, 0)
    );
}

#[test]
fn trades_of_other_sources() {
    const ONE: &str = "2024-10-01T00:00:00.5Z 100.5 0.25 0";
    for (name, content, wanted) in [
        (
            "XBTUSD.csv",
            "1727740800.5,100.5,0.25\n",
            format!("{ONE} None"),
        ),
        (
            "BTCUSDT-trades.csv",
            "id,price,qty,quote_qty,time,is_buyer_maker\n7,100.5,0.25,1,1727740800500,true\n",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Sell)".to_owned(),
        ),
        (
            "BTCUSDT-trades.csv",
            "7,100.5,0.25,1,1727740800500,true\n",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Sell)".to_owned(),
        ),
        (
            "BTCUSDT-aggTrades.csv",
            "7,100.5,0.25,1,1,1727740800500,false\n",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Buy)".to_owned(),
        ),
        (
            "BTCUSDT-aggTrades.csv",
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n7,100.5,0.25,1,1,1727740800500,False\n",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Buy)".to_owned(),
        ),
        (
            "bitstamp_trades_btcusd.csv",
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\nbitstamp,BTCUSD,1727740800500000,1727740800600000,a-b,unknown,100.5,0.25\n",
            format!("{ONE} None"),
        ),
        (
            "BTCUSDT2024-10-01.csv",
            "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n1727740800.5,BTCUSDT,Sell,0.25,100.5,x,y,1,0.25,25.125\n",
            format!("{ONE} Some(Sell)"),
        ),
        (
            "BTC-USDT-trades-2024.csv",
            "instrument_name,trade_id,side,price,size,created_time\nBTC-USDT,7,buy,100.5,0.25,1727740800500\n",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Buy)".to_owned(),
        ),
        (
            "BTC_USDT-trades.json",
            "[[1727740800500,\"7\",null,\"buy\",100.5,0.25,25.1]]",
            "2024-10-01T00:00:00.5Z 100.5 0.25 7 Some(Buy)".to_owned(),
        ),
    ] {
        check(name, content, Kind::Trades, &[&wanted]);
    }
    // Late by less than five seconds: put in their place; the same trade twice: once.
    check(
        "BTCUSDT.csv",
        "time,price,quantity,id\n1727740800,1,1,1\n1727740802,1,2,2\n1727740801,1,3,3\n1727740801,1,3,3\n",
        Kind::Trades,
        &[
            "2024-10-01T00:00:00Z 1 1 1 None",
            "2024-10-01T00:00:01Z 1 3 3 None",
            "2024-10-01T00:00:02Z 1 2 2 None",
        ],
    );
    check(
        "BTCUSDT.csv",
        "time,price,quantity\n1727740802,1,2\n1727740801,1,3\n1727740801,1,4\n1727740700,1,1\n",
        Kind::Trades,
        &[
            "2024-09-30T23:58:20Z 1 1 0 None",
            "2024-10-01T00:00:01Z 1 4 0 None",
            "2024-10-01T00:00:01Z 1 3 0 None",
            "2024-10-01T00:00:02Z 1 2 0 None",
        ],
    );
}

#[test]
fn quotes_of_other_sources() {
    for (name, content, wanted) in [
        (
            "binance_quotes_BTCUSDT.csv.csv",
            "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\nbinance,BTCUSDT,1727740800500000,1,3,101,100,2\n",
            "2024-10-01T00:00:00.5Z 100 101 2 3",
        ),
        (
            "BTCUSDT-bookTicker.csv",
            "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n1,100,2,101,3,1727740800500,1727740800501\n",
            "2024-10-01T00:00:00.5Z 100 101 2 3",
        ),
        (
            "EURUSD_ticks.csv",
            "Gmt time,Ask,Bid,AskVolume,BidVolume\n01.10.2024 00:00:00.500,101,100,3,2\n",
            "2024-10-01T00:00:00.5Z 100 101 2 3",
        ),
        (
            "DAT_ASCII_EURUSD_T_202410.csv",
            "20241001 000000500,1.1,1.2,0\n",
            "2024-10-01T05:00:00.5Z 1.1 1.2 - -",
        ),
    ] {
        check(name, content, Kind::Quotes, &[wanted]);
    }
}

#[test]
fn utf_16_is_read_as_other_text() {
    let text = "time\topen\thigh\tlow\tclose\tvolume\n1727740800\t100.5\t102\t99.5\t101.25\t3.5\n1727740860\t101.25\t103\t101\t102\t4\n";
    let little: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let big: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let [bare_little, bare_big] = [&little[2..], &big[2..]].map(<[u8]>::to_vec);
    for bytes in [little, big, bare_little, bare_big] {
        let input = Input::new("BTC_USDT-1m.csv", bytes);
        assert_eq!(
            rows(&input.table()).iter().map(shown).collect::<Vec<_>>(),
            TWO
        );
    }
}

#[test]
fn what_is_given_wins_over_the_name() {
    let input = Input::new(
        "EURUSD.csv",
        "20241001 000000;1;2;1;2;0\n20241001 000100;1;2;1;2;0\n",
    );
    let hints = Hints {
        product: tradewind_data::product("BTC/USD"),
        interval: Some("1m".parse().unwrap()),
        utc_offset: Some("+02:00".parse().unwrap()),
        ..Hints::default()
    };
    let table = table(&input.path, &hints).unwrap();
    assert_eq!(
        (
            table.product.symbol().as_str(),
            table.first.to_string().as_str()
        ),
        ("BTCUSD", "2024-09-30T22:00:00Z")
    );
}
