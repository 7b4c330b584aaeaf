//! Names of market streams: `btcusdt@kline_1m` and the like, read once at the door.

use tradewind_model::{InstrumentId, Interval};

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Best bid and ask at each change.
    BookTicker,
    /// Each trade.
    Trade,
    /// Each taker's trades at one price.
    AggregateTrade,
    /// The candle being built.
    Kline(Interval),
    /// Changes of the book.
    Depth(Pace),
    /// The first levels of the book.
    PartialDepth(u8, Pace),
    /// Four prices and the volume of the last 24 hours.
    MiniTicker,
    /// All figures of the last 24 hours.
    Ticker,
}

/// How often a stream of the book is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Each 100 ms.
    Fast,
    /// Each second.
    Slow,
}

/// Of which instrument what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    pub(crate) instrument: InstrumentId,
    pub(crate) topic: Topic,
}

/// Reads `name`; `find` knows the venue's symbols in upper case. `None` for what is never sent: the venue accepts such a
/// subscription in silence, and so do we.
pub(crate) fn parse(
    name: &str,
    find: impl FnOnce(&str) -> Option<InstrumentId>,
) -> Option<StreamKey> {
    let (symbol, topic) = name.split_once('@')?;
    let topic = parse_topic(topic)?;
    if symbol.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Some(StreamKey {
        instrument: find(&symbol.to_ascii_uppercase())?,
        topic,
    })
}

fn parse_topic(text: &str) -> Option<Topic> {
    if let Some(interval) = text.strip_prefix("kline_") {
        return interval.parse().ok().map(Topic::Kline);
    }
    if let Some(rest) = text.strip_prefix("depth") {
        let (levels, pace) = match rest.split_once('@') {
            Some((levels, "100ms")) => (levels, Pace::Fast),
            Some((levels, "1000ms")) => (levels, Pace::Slow),
            Some(_) => return None,
            None => (rest, Pace::Slow),
        };
        return match levels {
            "" => Some(Topic::Depth(pace)),
            "5" => Some(Topic::PartialDepth(5, pace)),
            "10" => Some(Topic::PartialDepth(10, pace)),
            "20" => Some(Topic::PartialDepth(20, pace)),
            _ => None,
        };
    }
    match text {
        "bookTicker" => Some(Topic::BookTicker),
        "trade" => Some(Topic::Trade),
        "aggTrade" => Some(Topic::AggregateTrade),
        "miniTicker" => Some(Topic::MiniTicker),
        "ticker" => Some(Topic::Ticker),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_strangers_are_not() {
        let check = |name: &str, wanted: Option<Topic>| {
            let found = parse(name, |symbol| {
                (symbol == "BTCUSDT").then_some(InstrumentId(7))
            });
            assert_eq!(
                found,
                wanted.map(|topic| StreamKey {
                    instrument: InstrumentId(7),
                    topic
                }),
                "{name}"
            );
        };
        check("btcusdt@bookTicker", Some(Topic::BookTicker));
        check("btcusdt@trade", Some(Topic::Trade));
        check("btcusdt@kline_1m", Some(Topic::Kline(Interval::Minute1)));
        check("btcusdt@kline_1M", None);
        check("btcusdt@depth", Some(Topic::Depth(Pace::Slow)));
        check("btcusdt@depth@100ms", Some(Topic::Depth(Pace::Fast)));
        check(
            "btcusdt@depth20@100ms",
            Some(Topic::PartialDepth(20, Pace::Fast)),
        );
        check("btcusdt@depth7", None);
        check("btcusdt@depth@1ms", None);
        check("BTCUSDT@trade", None);
        check("xyz@trade", None);
        check("0", None);
        check("", None);
    }
}
