//! Files that could be read in two ways, one of them wrong: read right, read with a note, or refused.

use tradewind_data::Kind;

use crate::{Input, rows, shown};

#[track_caller]
fn refused(name: &str, content: &str, words: &str) {
    let said = Input::new(name, content).refusal();
    assert!(said.contains(words), "said:   {said}\nwanted: {words}");
}

/// The first row, and a note that has these words; none that has them if they are empty.
#[track_caller]
fn read(name: &str, content: &str, kind: Kind, first: &str, words: &str) {
    let table = Input::new(name, content);
    let (table, _folder) = (table.table(), table);
    assert_eq!(
        (table.kind, shown(&rows(&table)[0]).as_str()),
        (kind, first),
        "{content}"
    );
    assert!(
        table.notes.iter().any(|note| note.contains(words)) != words.is_empty(),
        "{:?}",
        table.notes
    );
}

#[test]
fn a_time_that_may_be_two_is_none() {
    refused(
        "BTC_USDT-1h.csv",
        "time,open,high,low,close\n2024100100,1,2,1,2\n2024100101,1,2,1,2\n",
        "line 2, column time: \"2024100100\" may be 2024-10-01 00:00, or seconds since 1970",
    );
    let day = "2024-09-22T10:13:20.123Z 100.5 0.25 0 None";
    for row in [
        "2024-09-22,1727000000123",
        "2024-09-22,2024-09-22T10:13:20.123Z",
    ] {
        let content = format!("date,time,price,quantity\n{row},100.5,0.25\n");
        read("BTCUSDT.csv", &content, Kind::Trades, day, "");
    }
    refused(
        "BTCUSDT.csv",
        "date,time,price,quantity\n2024-09-22,1013201,100.5,0.25\n",
        "is no time",
    );
}

/// The times at which days end are no times at which they begin.
#[test]
fn the_ends_of_days_are_not_their_starts() {
    let rows = "2024-10-01T23:59:59.999Z,1,3,1,2\n2024-10-02T23:59:59.999Z,1,3,1,2\n";
    refused(
        "BTC_USD-1d.csv",
        &format!("timestamp,open,high,low,close\n{rows}"),
        "the candles of 1d have times 86399 s after midnight UTC, at which none begins; if these are the times at which they end",
    );
}

#[test]
fn a_time_without_a_zone_is_told() {
    let words = "times have no zone and are taken as UTC; --utc-offset changes it";
    let candle = "2024-10-01T00:00:00Z 1 3 1 2 -";
    for (head, time, words) in [
        ("time", "2024-10-01 00:00", words),
        ("time", "2024-10-01T00:00:00Z", ""),
        ("time", "1727740800", ""),
        ("Gmt time", "01.10.2024 00:00:00.000", ""),
    ] {
        let content = format!("{head},open,high,low,close\n{time},1,3,1,2\n");
        let input = Input::new("BTC_USDT-1d.csv", &content);
        let notes = input.table().notes;
        assert_eq!(
            notes.iter().any(|note| note.contains("no zone")),
            !words.is_empty(),
            "{notes:?}"
        );
        read("BTC_USDT-1d.csv", &content, Kind::Candles, candle, words);
    }
}

#[test]
fn trades_are_no_quotes_and_quotes_no_trades() {
    refused(
        "BTCUSDT.csv",
        "2024-10-01 00:00:00,63000.5,0.25,12345\n",
        "line 1: 4 columns without names are not known; put a line of names on top",
    );
    refused(
        "EURUSD.csv",
        "1727740800,1.1163,1.1164\n1727740801,1.1162,1.1164\n",
        "line 1: three columns without names are time, price and quantity, and here the third is close to the second",
    );
    refused(
        "DAT_ASCII_BTCUSD_T_202410.csv",
        "20241001 000000500,63000.5,0.25,12345\n",
        "line 1, column 3 (ask): the ask 0.25 is more than 10 % away from the bid 63000.5",
    );
    read(
        "XBTUSD.csv",
        "1727740800,63000.5,0.25\n1727740801,63000.5,62999\n",
        Kind::Trades,
        "2024-10-01T00:00:00Z 63000.5 0.25 0 None",
        "",
    );
    read(
        "BTCUSDT.csv",
        "time,bid,ask\n1727740800,100,101\n1727740801,101,100.5\n",
        Kind::Quotes,
        "2024-10-01T00:00:00Z 100 101 - -",
        "rows whose ask is below the bid, kept: 1, the first in line 3",
    );
}

#[test]
fn a_price_that_a_spreadsheet_wrote_is_refused_and_a_volume_is_told() {
    let head = "time,open,high,low,close,volume\n";
    refused(
        "PEPE_USDT-1d.csv",
        &format!("{head}1727740800,4.57E-06,4.58E-06,4.57E-06,4.57E-06,3\n"),
        "line 2, column open: \"4.57E-06\" was rounded, as spreadsheets do; export it again",
    );
    read(
        "PEPE_USDT-1d.csv",
        &format!("{head}1727740800,0.00000457,4.58e-06,4.57e-06,4.57e-06,3E-05\n"),
        Kind::Candles,
        "2024-10-01T00:00:00Z 0.00000457 0.00000458 0.00000457 0.00000457 0.00003",
        "volumes or sizes with an exponent as spreadsheets write it",
    );
}

#[test]
fn a_last_line_that_does_not_end_is_told() {
    let content = "time,price,quantity\n1727740800,100.5,0.25\n1727740801,100.5,0.2";
    let first = "2024-10-01T00:00:00Z 100.5 0.25 0 None";
    let words =
        "the last line, 3, does not end; if the file was cut off there, its last number is wrong";
    read("BTCUSDT.csv", content, Kind::Trades, first, words);
    let whole = Input::new("BTCUSDT.csv", format!("{content}\n")).table();
    assert!(whole.notes.is_empty(), "{:?}", whole.notes);
}

#[test]
fn amounts_of_contracts_are_read_as_coins_or_refused() {
    let trade = "2024-10-01T00:00:00.5Z 63000.5 0.01904747 7 Some(Sell)";
    let row = "7,63000.5,12,0.01904747,1727740800500,true\n";
    let head = "id,price,qty,base_qty,time,is_buyer_maker\n";
    for (name, content) in [
        ("BTCUSD_PERP-trades-2024-10-01.csv", format!("{head}{row}")),
        ("BTCUSD_PERP-trades-2024-10-01.csv", row.to_owned()),
        ("BTCUSD_240927-trades-2024-10-01.csv", row.to_owned()),
        // Nothing but its numbers tells.
        ("BTCUSD.csv", row.to_owned()),
    ] {
        read(name, &content, Kind::Trades, trade, "");
    }
    read(
        "BTCUSDT-trades-2024-10-01.csv",
        "7,63000.5,0.5,31500.25,1727740800500,true\n",
        Kind::Trades,
        "2024-10-01T00:00:00.5Z 63000.5 0.5 7 Some(Sell)",
        "",
    );
    read(
        "BTCUSD2024-10-01.csv",
        "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n1727740800.5,BTCUSD,Sell,1200,60000,x,y,1,0.02,1200\n",
        Kind::Trades,
        "2024-10-01T00:00:00.5Z 60000 0.02 0 Some(Sell)",
        "",
    );
    let aggregated = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n7,63000.5,12,1,1,1727740800500,true\n";
    refused(
        "BTCUSD_PERP-aggTrades-2024-10-01.csv",
        aggregated,
        "amounts of perp may be contracts and no coins, and no column base_qty or homeNotional tells the coins",
    );
    let okx = "instrument_name,trade_id,side,price,size,created_time\nBTC-USDT-SWAP,7,buy,100.5,25,1727740800500\n";
    refused(
        "BTC_USDT-trades.csv",
        okx,
        "amounts of swap may be contracts",
    );
    let words = "may be contracts and no coins; the candles are read without them";
    let candle = "2024-10-01T00:00:00Z 1 3 1 2 -";
    for name in [
        "BTCUSD_PERP-1d-2024-10.csv",
        "BYBIT_BTCUSD, 1D.csv",
        "BTCUSD_240927-1d.csv",
    ] {
        read(
            name,
            "1727740800000,1,3,1,2,500,1727827199999,1,1,1,1,0\n",
            Kind::Candles,
            candle,
            words,
        );
    }
    for name in [
        "BTCUSDT-1d-futures.csv",
        "PERP_USD-1d.csv",
        "EURUSD_201012-1d.csv",
    ] {
        let candle = "2024-10-01T00:00:00Z 1 3 1 2 500";
        read(
            name,
            "1727740800000,1,3,1,2,500\n",
            Kind::Candles,
            candle,
            "",
        );
    }
    read(
        "BTCUSD_PERP-bookTicker-2024-10-01.csv",
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n1,100,200,101,300,1727740800500,1727740800501\n",
        Kind::Quotes,
        "2024-10-01T00:00:00.5Z 100 101 - -",
        "sizes of perp may be contracts and no coins",
    );
}

#[test]
fn a_turnover_is_no_volume() {
    for (content, volume, words) in [
        (
            "Date,Open,High,Low,Close,Adj Close,Volume\n2024-10-01,1,3,1,2,2,5\n",
            "-",
            "the volume of a coin at Yahoo is in the quote asset",
        ),
        (
            "Price,Close,High,Low,Open,Volume\nTicker,B,B,B,B,B\nDate,,,,,\n2024-10-01,2,3,1,1,5\n",
            "-",
            "the volume of a coin at Yahoo",
        ),
        (
            "timeOpen;timeClose;name;open;high;low;close;volume;marketCap;timestamp\n2024-10-01T00:00:00.000Z;2024-10-01T23:59:59.999Z;2781;1;3;1;2;5;9;2024-10-01T23:59:59.999Z\n",
            "-",
            "as CoinMarketCap has it, is in the quote asset",
        ),
        (
            "id,open,close,low,high,amount,vol,count,time\n7,1,2,1,3,5,6,7,2024-10-01\n",
            "-",
            "of volume and amount it is not known",
        ),
        (
            "date,high,low,open,close,volume,quoteVolume,weightedAverage\n1727740800,3,1,1,2,5,6,1\n",
            "-",
            "of the volumes of Poloniex it is not known",
        ),
        (
            "Date,Open,High,Low,Close,Adj Close,base_volume\n2024-10-01T00:00:00Z,1,3,1,2,2,5\n",
            "5",
            "",
        ),
    ] {
        let first = format!("2024-10-01T00:00:00Z 1 3 1 2 {volume}");
        read("BTC_USD-1d.csv", content, Kind::Candles, &first, words);
    }
}

#[test]
fn the_makers_side_is_not_the_takers() {
    for (content, taker, words) in [
        (
            "trade_id,side,size,price,time\n7,buy,0.25,100.5,2024-10-01T00:00:00Z\n",
            "None",
            "the side in trades of Coinbase Exchange is the maker's",
        ),
        (
            "trade_id,taker_side,size,price,time\n7,buy,0.25,100.5,2024-10-01T00:00:00Z\n",
            "Some(Buy)",
            "",
        ),
    ] {
        let first = format!("2024-10-01T00:00:00Z 100.5 0.25 7 {taker}");
        read("BTCUSD.csv", content, Kind::Trades, &first, words);
    }
}
