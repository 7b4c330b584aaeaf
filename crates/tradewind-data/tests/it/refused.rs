//! What is refused, and in which words.

use crate::Input;

const HEAD: &str = "time,open,high,low,close,volume\n1727740800,100,102,99,101,3\n";

#[test]
fn each_refusal_names_place_and_cure() {
    let row = |row: &str| format!("{HEAD}{row}\n");
    for (name, content, wanted) in [
        ("BTC_USDT-1m.csv", "time,open,high,low,close,volume\n".to_owned(), "there is no row in it"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,99,101"), "line 3: there is no column 6 of 6; mend the line or delete it"),
        ("BTC_USDT-1m.csv", row("1727740860,100,5,102,99,101,3"), "line 3: there are 7 cells and 6 columns; where decimals are written with a comma, separate the cells with semicolons"),
        ("BTC_USDT-1m.csv", row("1727740860,100,98,99,101,3"), "line 3: high and low do not enclose open and close"),
        ("BTC_USDT-1m.csv", row("1727740860,-1,102,-1,101,3"), "line 3, column open: the price is negative"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,99,101,-3"), "line 3, column volume: the volume is negative"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,NaN,101,3"), "line 3, column low: there is NaN where a number should be; delete the line"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,99,101,"), "line 3, column volume: there is nothing where a number should be"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,99,101,1.2346E+12"), "line 3, column volume: \"1.2346E+12\" was rounded, as spreadsheets do; export it again"),
        ("deribit_trades_BTC-PERPETUAL.csv", "trade_id,timestamp,price,instrument_name,direction,amount\n1,1727740800123,63309,BTC-PERPETUAL,buy,10\n".to_owned(), "amounts of deribit may be contracts and no coins"),
        ("quotes_BTC-PERPETUAL.csv", "symbol,time,bid,ask\nBTC-PERPETUAL,1727740800123,63309,63310\n".to_owned(), "neither its name nor a column tells what it is of"),
        ("BTC_USDT-1d.csv", row("45566,100,102,99,101,3"), "line 3, column time: \"45566\" may be a day as spreadsheets count them; give the column the format YYYY-MM-DD"),
        ("BTC_USDT-1m.parquet", "PAR1xxxxxxxxxxxxxxxxPAR1".to_owned(), "it is a Parquet file; write it as CSV: python3 -c 'import sys, pandas; pandas.read_parquet"),
        ("BTC_USDT-1m.json", "{\"results\":[{\"t\":1727740800000}]}".to_owned(), "line 1: this is no table; read are CSV, a JSON array of rows ([[time,open,high,low,close,volume],...]; jq -s . FILE > OUT.json makes one of single objects, and jq .results FILE > OUT.json"),
        ("BTC_USDT-1m.jsonl", "[1727740800000,1,3,1,2,5]\n[1727740860000,1,3,1,2,5]\n".to_owned(), "line 1: read is a JSON array of rows, [[time,open,high,low,close,volume],...] or [{\"time\":...,\"open\":...},...]; write it so, as jq -s . FILE > OUT.json does of single lines"),
        ("BTC_USDT-1m.csv", row("60,100,102,99,101,3"), "line 3, column time: \"60\" is no time between 2000 and 2100, and is around 1970"),
        ("BTC_USDT-1m.csv", row("1727740860,1,1,1,1,1\n1516406400000000,100,102,99,101,3"), "line 4: the candle is not later than the one before it; sort the lines by time"),
        ("BTC_USDT-1m.csv", row("close,time,open,high,low,volume"), "line 3: here are names again, and they are not those the file began with; split the file here"),
        ("BTC_USDT-1m.csv", row("1727740860,100,102,99,101,0.1234567890123456789"), "line 3, column volume: \"0.1234567890123456789\" is finer than 18 decimals"),
        ("BTC_USDT-1h.csv", row("1727740860,100,102,99,101,3"), "line 3: the candle begins 60 s after the one before it, and its name says 1h; if they are 1m, name it so"),
        ("BTC_USDT-1d.csv", "time,open,high,low,close,volume\n05/09/2024,1,2,1,2,3\n".to_owned(), "line 2, column time: \"05/09/2024\" may be month/day or day/month; write dates as YYYY-MM-DD"),
        ("BTC_USDT-1d.csv", "Date,Close/Last,Volume,Open,High,Low\n2024-10-01,$1.5,7,$1,$2,$1\n".to_owned(), "line 2, column Open: \"$1\" has a sign or a unit in it; write the plain number"),
        ("BTC_USDT-1m.csv", "time,open,high,low,close,close,volume\n1727740800,1,2,1,2,2,3\n".to_owned(), "line 1: the column \"close\" is there twice"),
        ("BTC_USDT-1m.csv", "open,high,low,close\n1,2,1,2\n".to_owned(), "line 1: there is no column of times (there are open, high, low, close); call it time"),
        ("BTC_USDT-1m.csv", "a,b,c\n1,2,3\n".to_owned(), "line 1: there is no column of times with prices beside it (there are a, b, c)"),
        ("BTC_USDT-1m.csv", "hello\n".to_owned(), "line 1: neither names nor a row of numbers is known here; put a line of names on top"),
        ("BTC_USDT-1m.csv", "1727740800,1,2,1,2,3,1.5,8\n".to_owned(), "line 1: 8 columns without names are not known; put a line of names on top"),
        ("prices.csv", HEAD.to_owned(), "neither its name nor a column tells what it is of; call it BTC_USDT-1m.csv"),
        ("BTCUSDT.csv", HEAD.to_owned(), "neither its name nor its rows tell how long its candles are; call it BTC_USDT-1m.csv"),
        ("BTCUSDT-1M.csv", HEAD.to_owned(), "candles of months are not read"),
        ("BTC_USDT.csv", "time,symbol,price,amount\n1727740800,BTCUSDT,1,1\n1727740801,ETHUSDT,1,1\n".to_owned(), "line 3, column symbol: \"ETHUSDT\" comes after \"BTCUSDT\"; one file holds one instrument"),
        ("BTC_USDT.csv", "time,price,amount\n1727740800,1,1\n1727740900,1,1\n1727740800,1,1\n".to_owned(), "line 4: the row is more than five seconds earlier than line 3"),
        ("BTC_USDT.csv", "time,price,amount,id\n1727740800,1,1,7\n1727740800,2,1,7\n".to_owned(), "line 3: line 2 has the same trade id and other values"),
        ("BTC_USDT.csv", "time,price,amount\n1727740800,1,0\n".to_owned(), "line 2, column amount: the quantity is not above zero"),
        ("BTC_USDT.csv", "time,price,amount,side\n1727740800,1,1,up\n".to_owned(), "line 2, column side: \"up\" does not tell who took"),
        ("BTC_USDT.csv", "time,price,amount\n1727740800,0.000000000001,0.00000001\n".to_owned(), "prices with 12 decimals and quantities with 8 are together finer than 18 decimals"),
        ("BTC_USDT-1m.csv", "time,open,high,low,close\n1727740800,1000000.000000000001,1000001,1000000,1000001\n".to_owned(), "a price as large as 1000001 with 12 decimals in the same file cannot be held exactly"),
        ("binance-futures_liquidations_BTCUSDT.csv", "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\nb,BTCUSDT,1727740800500000,1,1,buy,1,1\n".to_owned(), "these are liquidations"),
        ("BTC_USDT.csv", "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\nb,B,1727740800500000,1,true,bid,1,1\n".to_owned(), "line 1: these are changes of an order book"),
        ("BTC_USDT-1m.json", "{\"time\":1}\n".to_owned(), "line 1: this is no table; read are CSV, a JSON array of rows"),
        ("BTC_USDT-1m.json", "[[1727740800000,1,2,1,2,3],[17277408".to_owned(), "line 2: the JSON is cut off here; fetch it again"),
        ("BTC_USDT-1m.json", "[]".to_owned(), "there is no row in it"),
        ("BTC_USDT-1m.json", "[[1727740800000,1,2,1,2,3],[1727740860000,1,2,1,2,null]]".to_owned(), "line 2, column 6 (volume): there is null where a number should be"),
        ("BTC_USDT-1m.csv", "time;open;high;low;close;volume\n2024-10-01 00:00;1,234;1,235;1,233;1,234;7\n".to_owned(), "line 2, column open: \"1,234\" has a thousands separator or a decimal comma"),
        ("BTC_USDT-1m.csv", "time;open;high;low;close;volume\n2024-10-01 00:00;1.234,5;1.235,5;1.233,5;1.234,5;7\n".to_owned(), "line 2, column open: \"1.234,5\" has a thousands separator or a decimal comma"),
    ] {
        let said = Input::new(name, &content).refusal();
        let wanted = format!("{name}: {wanted}");
        assert!(said.starts_with(&wanted), "said:   {said}\nwanted: {wanted}");
    }
}
