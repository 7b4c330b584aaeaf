//! Which column is what: by the names on top, or by the shape of the first row where there are none.

use crate::cells::Cells;
use crate::contract::{self, IN_BASE};
use crate::error::Fault;
use crate::number::{self, Mark};
use crate::product::Product;
use crate::row::Kind;
use crate::time;

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) kind: Kind,
    pub(crate) time: usize,
    /// A second column with the time of day.
    pub(crate) clock: Option<usize>,
    /// Candles: open, high, low, close, volume. Trades: price, quantity. Quotes: bid, ask, bid size, ask size.
    pub(crate) numbers: [Option<usize>; 5],
    pub(crate) id: Option<usize>,
    pub(crate) taker: Option<(usize, Taker)>,
    pub(crate) symbol: Option<usize>,
    pub(crate) width: usize,
    /// The names on top, as they stand there.
    pub(crate) names: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// How a column tells who took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taker {
    /// Whether the buyer was the maker.
    BuyerMaker,
    /// The taker's side.
    Side,
}

#[rustfmt::skip] // the first that is there wins: what tells its unit before what does not
const TIMES: [&str; 44] = [
    "open_time", "timeopen", "open_time_s", "open_time_ms", "open_time_us", "open_time_ns", "opentime", "kline_open_time", "unix", "unix_timestamp",
    "unix_time", "unixtime", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_us", "timestamp_ns", "transact_time", "trade_time",
    "transaction_time", "created_time", "created_at", "event_time", "datetime", "date_time", "gmt_time", "utc_time", "time_utc",
    "timestamp_utc", "time_open", "start_time", "candle_begin_time", "period_start", "time", "date", "epoch", "time_ms", "ts", "t", "start", "start_at",
    "window_start", "sip_timestamp", "participant_timestamp",
];
const OPEN: [&str; 4] = ["open", "o", "open_price", "price_open"];
const HIGH: [&str; 5] = ["high", "h", "high_price", "price_high", "max"];
const LOW: [&str; 5] = ["low", "l", "low_price", "price_low", "min"];
const CLOSE: [&str; 5] = ["close", "c", "close_price", "price_close", "close/last"];
const VOLUME: [&str; 8] = [
    "volume",
    "vol",
    "v",
    "base_volume",
    "volume_base",
    "volume_traded",
    "basevolume",
    "volume_crypto",
];
const PRICE: [&str; 4] = ["price", "p", "trade_price", "rate"];
const QUANTITY: [&str; 10] = [
    IN_BASE[0],
    IN_BASE[1],
    "quantity",
    "qty",
    "size",
    "amount",
    "q",
    "volume",
    "vol",
    "trade_quantity",
];
const BID: [&str; 5] = [
    "bid",
    "bid_price",
    "best_bid_price",
    "best_bid",
    "bids[0]_price",
];
const ASK: [&str; 5] = [
    "ask",
    "ask_price",
    "best_ask_price",
    "best_ask",
    "asks[0]_price",
];
#[rustfmt::skip]
const BID_SIZE: [&str; 9] = ["bid_size", "bid_quantity", "bid_qty", "bid_amount", "best_bid_qty", "best_bid_quantity", "bids[0]_amount", "bidvolume", "bid_volume"];
#[rustfmt::skip]
const ASK_SIZE: [&str; 9] = ["ask_size", "ask_quantity", "ask_qty", "ask_amount", "best_ask_qty", "best_ask_quantity", "asks[0]_amount", "askvolume", "ask_volume"];
const ID: [&str; 6] = ["trade_id", "id", "agg_trade_id", "aggtrade_id", "tid", "a"];
const BUYER_MAKER: [&str; 4] = ["buyer_maker", "is_buyer_maker", "isbuyermaker", "m"];
const SIDE: [&str; 3] = ["side", "taker_side", "takerside"];
/// The columns of trades of Coinbase Exchange, and no others.
const COINBASE: [&str; 5] = ["trade_id", "side", "size", "price", "time"];
const SYMBOL: [&str; 6] = [
    "symbol",
    "pair",
    "instrument",
    "instrument_name",
    "ticker",
    "market",
];

/// A name as it is compared: `<OPEN>`, `Volume_(BTC)` and `asks[0].price` without their decoration.
pub(crate) fn plain(name: &str) -> String {
    let mut plain: String = name
        .trim()
        .chars()
        .filter(|c| !matches!(c, '<' | '>' | '(' | ')' | '"' | '\'' | '\u{feff}' | '*'))
        .map(|c| {
            if matches!(c, ' ' | '-' | '.') {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    while plain.contains("__") {
        plain = plain.replace("__", "_");
    }
    plain.trim_matches('_').to_owned()
}

/// Whether a row is one of names: two of them at least are known.
pub(crate) fn is_header(cells: &Cells) -> bool {
    let known = |name: &str| {
        let name = plain(name);
        let lists: [&[&str]; 11] = [
            &TIMES, &OPEN, &HIGH, &LOW, &CLOSE, &VOLUME, &PRICE, &QUANTITY, &BID, &ASK, &SYMBOL,
        ];
        name.len() > 1 && lists.iter().any(|list| list.contains(&name.as_str()))
    };
    cells.iter().filter(|cell| known(cell)).count() >= 2
}

/// Reads the names on top.
pub(crate) fn from_names(names: &[String], product: Option<&Product>) -> Result<Layout, Fault> {
    let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let place = |wanted: &[&str]| {
        wanted
            .iter()
            .find_map(|wanted| plain.iter().position(|name| name == wanted))
    };
    let shown = names
        .iter()
        .map(|name| name.trim())
        .collect::<Vec<_>>()
        .join(", ");
    let shown: String = shown.chars().take(160).collect();
    let has = |wanted: &str| plain.iter().any(|name| name == wanted);
    if has("is_snapshot") || has("first_update_id") {
        return Err(Fault::new(
            "these are changes of an order book, which are read from captures only; use the trades or quotes of the same source",
        ));
    }
    let candle = [place(&OPEN), place(&HIGH), place(&LOW), place(&CLOSE)];
    let (bid, ask) = (place(&BID), place(&ASK));
    let (price, quantity) = (place(&PRICE), place(&QUANTITY));
    let is_candles = candle.iter().flatten().count() >= 2;
    let mut notes = Vec::new();
    let (kind, numbers) = if is_candles {
        for (name, place) in ["open", "high", "low", "close"].iter().zip(candle) {
            if place.is_none() {
                return Err(Fault::new(format!(
                    "there is no column {name:?} (there are {shown}); give the column that is the {name} this name"
                )));
            }
        }
        let (volume, remark) = volume(&plain, product);
        notes.extend(remark);
        (
            Kind::Candles,
            [candle[0], candle[1], candle[2], candle[3], volume],
        )
    } else if let (Some(bid), Some(ask)) = (bid, ask) {
        (
            Kind::Quotes,
            [
                Some(bid),
                Some(ask),
                place(&BID_SIZE),
                place(&ASK_SIZE),
                None,
            ],
        )
    } else if let (Some(price), Some(quantity)) = (price, quantity) {
        (
            Kind::Trades,
            [Some(price), Some(quantity), None, None, None],
        )
    } else {
        return Err(Fault::new(format!(
            "there is no column of times with prices beside it (there are {shown}); candles are time,open,high,low,close,volume, trades time,price,quantity, quotes time,bid,ask"
        )));
    };
    // pandas writes an index of times without a name, yfinance one under the name of the prices.
    let index = || {
        (plain
            .first()
            .is_some_and(|name| name.is_empty() || name == "price")
            && kind == Kind::Candles)
            .then_some(0)
    };
    let time = place(&TIMES).or_else(index).ok_or_else(|| {
        Fault::new(format!("there is no column of times (there are {shown}); call it time, timestamp, open_time or date"))
    })?;
    let time_name = plain.get(time).map_or("", String::as_str);
    let (date, clock) = (place(&["date"]), place(&["time"]));
    let (time, clock) = match (date, clock) {
        (Some(date), Some(clock)) if matches!(time_name, "time" | "date") => (date, Some(clock)),
        _ => (time, None),
    };
    let mut taker = place(&BUYER_MAKER)
        .map(|place| (place, Taker::BuyerMaker))
        .or_else(|| Some((place(&SIDE)?, Taker::Side)));
    if plain.len() == COINBASE.len() && COINBASE.iter().all(|name| has(name)) {
        taker = None;
        notes.push("the side in trades of Coinbase Exchange is the maker's; they are read without who took (call it taker_side if it is the taker's)".to_owned());
    }
    let layout = Layout {
        kind,
        time,
        clock,
        numbers,
        id: place(&ID),
        taker,
        symbol: place(&SYMBOL),
        width: names.len(),
        names: names.to_vec(),
        notes,
    };
    layout.check_once(&plain)?;
    Ok(layout)
}

/// The column of volumes in the base asset. Of `Volume BTC` and `Volume USDT` it is the one of the product's base.
fn volume(plain: &[String], product: Option<&Product>) -> (Option<usize>, Option<String>) {
    let found = VOLUME
        .iter()
        .find_map(|wanted| plain.iter().position(|name| name == wanted));
    let is_bare = found
        .and_then(|place| plain.get(place))
        .is_some_and(|name| matches!(name.as_str(), "volume" | "vol" | "v"));
    if let Some(source) = turnover(plain).filter(|_| is_bare) {
        let note = format!(
            "{source}; the candles are read without volumes (call it base_volume if it is in the base asset)"
        );
        return (None, Some(note));
    }
    if found.is_some() {
        return (found, None);
    }
    let of = |asset: &str| {
        let wanted = [
            format!("volume_{}", asset.to_ascii_lowercase()),
            format!("volume{}", asset.to_ascii_lowercase()),
        ];
        plain.iter().position(|name| wanted.contains(name))
    };
    if let Some(place) = product.and_then(|product| of(product.base())) {
        return (Some(place), None);
    }
    let others: Vec<usize> = (0..plain.len())
        .filter(|place| {
            plain
                .get(*place)
                .is_some_and(|name| name.starts_with("volume_") && name != "volume_ma")
        })
        .collect();
    let quoted = product.and_then(|product| of(product.quote()));
    match (others.as_slice(), quoted) {
        // The file's own name for the base may differ from the product's: XBT, or another coin's name on the file.
        ([first, second], Some(quote)) if *first == quote || *second == quote => {
            (Some(if *first == quote { *second } else { *first }), None)
        }
        ([], _) => (None, None),
        _ => (
            None,
            Some("no column tells the volume in the base asset; the candles are read without volumes (call it volume)".to_owned()),
        ),
    }
}

/// Whose volume is, or may be, in the quote asset.
fn turnover(plain: &[String]) -> Option<&'static str> {
    let has = |names: &[&str]| plain.iter().any(|name| names.contains(&name.as_str()));
    let yahoo = ["adj_close", "dividends", "stock_splits"];
    if has(&yahoo) || plain.first().is_some_and(|name| name == "price") {
        Some("the volume of a coin at Yahoo is in the quote asset")
    } else if has(&["marketcap", "market_cap"]) {
        Some(
            "volume beside a market capitalisation, as CoinMarketCap has it, is in the quote asset",
        )
    } else if has(&["weightedaverage", "weighted_average", "quotevolume"]) {
        Some("of the volumes of Poloniex it is not known which is in the base asset")
    } else if has(&["amount"]) {
        Some(
            "of volume and amount it is not known which is in the base asset: at HTX it is the amount, elsewhere the volume",
        )
    } else {
        None
    }
}

impl Layout {
    /// A name that is needed and stands twice is a riddle.
    fn check_once(&self, plain: &[String]) -> Result<(), Fault> {
        let used = self.numbers.iter().flatten().chain([&self.time]);
        for place in used {
            let name = plain.get(*place);
            if plain.iter().filter(|other| Some(*other) == name).count() > 1 {
                let name = name.map_or("", String::as_str);
                return Err(Fault::new(format!(
                    "the column {name:?} is there twice; take one of them out"
                )));
            }
        }
        Ok(())
    }

    /// What a column is called in an error.
    pub(crate) fn label(&self, place: usize, fallback: &str) -> String {
        match self
            .names
            .get(place)
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
        {
            Some(name) => name.to_owned(),
            None => format!("{} ({fallback})", place + 1),
        }
    }
}

/// Reads the shape of a first row without names.
pub(crate) fn from_row(cells: &Cells) -> Option<Result<Layout, Fault>> {
    let cell = |place: usize| cells.get(place).unwrap_or_default();
    let is_time = |place: usize| time::parse(cell(place), 0).is_ok();
    let like_time = |place: usize| {
        is_time(place)
            || cell(place)
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_digit())
    };
    let is_number = |place: usize| {
        let decimal = number::parse(cell(place), Mark::Point).is_ok()
            || number::parse(cell(place), Mark::Comma).is_ok();
        decimal
            || number::is_nothing(cell(place))
            || cell(place).starts_with(|c: char| c.is_ascii_digit())
    };
    let is_flag =
        |place: usize| matches!(cell(place).to_ascii_lowercase().as_str(), "true" | "false");
    let is_side = |place: usize| {
        matches!(
            cell(place).to_ascii_lowercase().as_str(),
            "buy" | "sell" | "b" | "s"
        )
    };
    let is_clock = |place: usize| cell(place).contains(':') && cell(place).len() <= 12;
    let numbers = |mut range: std::ops::Range<usize>| range.all(is_number);
    let width = cells.len();
    let layout = |kind, time, places: [Option<usize>; 5]| Layout {
        kind,
        time,
        clock: None,
        numbers: places,
        id: None,
        taker: None,
        symbol: None,
        width,
        names: Vec::new(),
        notes: Vec::new(),
    };
    let trades = |time, price, id, taker| Layout {
        id: Some(id),
        taker,
        ..layout(
            Kind::Trades,
            time,
            [Some(price), Some(price + 1), None, None, None],
        )
    };
    let candles = |time, first: usize, volume| {
        layout(
            Kind::Candles,
            time,
            [
                Some(first),
                Some(first + 1),
                Some(first + 2),
                Some(first + 3),
                volume,
            ],
        )
    };
    let found = match width {
        // Binance: aggregated trades, then trades, with and without the column of best matches.
        8 if is_flag(6) && is_flag(7) && is_time(5) => {
            trades(5, 1, 0, Some((6, Taker::BuyerMaker)))
        }
        7 if is_flag(6) && !is_flag(5) && is_time(5) => {
            trades(5, 1, 0, Some((6, Taker::BuyerMaker)))
        }
        6 | 7 if is_flag(5) && is_time(4) => {
            let mut found = trades(4, 1, 0, Some((5, Taker::BuyerMaker)));
            if contract::is_coin_margined(cell(1), cell(2), cell(3)) {
                found.numbers[1] = Some(3);
            }
            found
        }
        // freqtrade: time, id, type, side, price, amount, cost.
        7 if is_side(3) && is_time(0) => trades(0, 4, 1, Some((3, Taker::Side))),
        // Kraken: time, price, volume; HistData's ticks: time, bid, ask, volume.
        3 if is_time(0) && numbers(1..3) => {
            layout(Kind::Trades, 0, [Some(1), Some(2), None, None, None])
        }
        4 if is_time(0) && numbers(1..4) && time::is_compact(cell(0)) => {
            layout(Kind::Quotes, 0, [Some(1), Some(2), None, None, None])
        }
        4 if is_time(0) && numbers(1..3) && is_side(3) => Layout {
            taker: Some((3, Taker::Side)),
            ..layout(Kind::Trades, 0, [Some(1), Some(2), None, None, None])
        },
        // MetaTrader: date, time of day, then the candle.
        6 | 7 if is_clock(1) && numbers(2..width) => Layout {
            clock: Some(1),
            ..candles(0, 2, (width == 7).then_some(6))
        },
        5 if like_time(0) && numbers(1..5) => candles(0, 1, None),
        // Kraken's seventh column is a count of trades; Binance has eleven or twelve in all.
        6 | 7 | 11 | 12
            if (width != 7 || cell(6).bytes().all(|byte| byte.is_ascii_digit()))
                && like_time(0)
                && numbers(1..6) =>
        {
            candles(0, 1, Some(5))
        }
        _ if like_time(0) && width >= 3 && numbers(1..3) => {
            return Some(Err(Fault::new(format!(
                "{width} columns without names are not known; put a line of names on top, such as time,open,high,low,close,volume or time,price,quantity,side"
            ))));
        }
        _ => return None,
    };
    Some(Ok(found))
}
