//! Names of market streams: `btcusdt@kline_1m` and the like, read once at the door.

use std::time::Duration;

use tradewind_model::InstrumentId;

use crate::rest::TimeUnit;
use crate::span::Span;
use crate::zone::Zone;

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Best bid and ask at each change.
    BookTicker,
    /// Each trade.
    Trade,
    /// Each taker's trades at one price.
    AggregateTrade,
    /// The candle being built, by clocks of this zone.
    Kline(Span, Zone),
    /// Changes of the book.
    Depth(Pace),
    /// The first levels of the book.
    PartialDepth(u8, Pace),
    /// Four prices and the volume of the last 24 hours.
    MiniTicker,
    /// All figures of the last 24 hours.
    Ticker,
    /// All figures of a shorter window.
    WindowTicker(Window),
    /// The average price of the last minutes.
    AveragePrice,
}

/// A window that rolling tickers look back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Window {
    Hour,
    FourHours,
    Day,
}

impl Window {
    fn read(name: &str) -> Option<Self> {
        match name {
            "1h" => Some(Self::Hour),
            "4h" => Some(Self::FourHours),
            "1d" => Some(Self::Day),
            _ => None,
        }
    }

    /// The event's name.
    pub(crate) const fn event(self) -> &'static str {
        match self {
            Self::Hour => "1hTicker",
            Self::FourHours => "4hTicker",
            Self::Day => "1dTicker",
        }
    }

    /// How far it looks back.
    pub(crate) const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 3_600,
            Self::FourHours => 14_400,
            Self::Day => 86_400,
        })
    }
}

/// How often a stream of the book is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Each 100 ms.
    Fast,
    /// Each second.
    Slow,
}

/// Of which instrument what; a stream of all instruments has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    pub(crate) instrument: Option<InstrumentId>,
    pub(crate) topic: Topic,
    /// The unit of its stamps; milliseconds where there are none.
    pub(crate) unit: TimeUnit,
}

impl Topic {
    /// Whether its frames tell a time.
    const fn has_stamps(self) -> bool {
        !matches!(self, Self::BookTicker | Self::PartialDepth(..))
    }
}

/// Reads `name`; `find` knows the venue's symbols in upper case. `None` for what is never sent: the venue accepts such a
/// subscription in silence, and so do we.
pub(crate) fn parse(
    name: &str,
    unit: TimeUnit,
    find: impl FnOnce(&str) -> Option<InstrumentId>,
) -> Option<StreamKey> {
    if let Some(of_all) = name.strip_prefix('!') {
        return Some(StreamKey {
            instrument: None,
            // python-binance writes out the only pace there is.
            topic: parse_topic_of_all(
                of_all
                    .strip_suffix("@1000ms")
                    .unwrap_or(of_all)
                    .strip_suffix("@arr")?,
            )?,
            unit,
        });
    }
    let (symbol, topic) = name.split_once('@')?;
    let topic = parse_topic(topic)?;
    if symbol.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Some(StreamKey {
        instrument: Some(find(&symbol.to_ascii_uppercase())?),
        topic,
        unit: if topic.has_stamps() {
            unit
        } else {
            TimeUnit::default()
        },
    })
}

fn parse_topic(text: &str) -> Option<Topic> {
    if let Some(rest) = text.strip_prefix("kline_") {
        let (interval, zone) = match rest.split_once('@') {
            Some((interval, zone)) => (interval, Zone::read(zone)?),
            None => (rest, Zone::UTC),
        };
        return Some(Topic::Kline(Span::read(interval)?, zone));
    }
    if let Some(window) = text.strip_prefix("ticker_") {
        return Window::read(window).map(Topic::WindowTicker);
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
        "avgPrice" => Some(Topic::AveragePrice),
        _ => None,
    }
}

/// Streams of all instruments; `!ticker@arr` was withdrawn in March 2026.
fn parse_topic_of_all(text: &str) -> Option<Topic> {
    match text {
        "miniTicker" => Some(Topic::MiniTicker),
        _ => Window::read(text.strip_prefix("ticker_")?).map(Topic::WindowTicker),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Interval;

    #[test]
    fn names_are_read_and_strangers_are_not() {
        const BITCOIN: InstrumentId = InstrumentId(7);
        let unit = TimeUnit::default();
        let found = |name: &str| {
            parse(name, unit, |symbol| {
                (symbol == "BTCUSDT").then_some(BITCOIN)
            })
        };
        let eight = Zone::read("+08:00").unwrap();
        let candles = |interval, zone| Topic::Kline(Span::Of(interval), zone);
        for (name, topic) in [
            ("bookTicker", Topic::BookTicker),
            ("trade", Topic::Trade),
            ("kline_1m", candles(Interval::Minute1, Zone::UTC)),
            ("kline_1d@+08:00", candles(Interval::Day1, eight)),
            ("kline_1M", Topic::Kline(Span::Month, Zone::UTC)),
            ("kline_1M@+08:00", Topic::Kline(Span::Month, eight)),
            ("depth", Topic::Depth(Pace::Slow)),
            ("depth@100ms", Topic::Depth(Pace::Fast)),
            ("depth20@100ms", Topic::PartialDepth(20, Pace::Fast)),
            ("ticker_4h", Topic::WindowTicker(Window::FourHours)),
            ("avgPrice", Topic::AveragePrice),
        ] {
            let wanted = StreamKey {
                instrument: Some(BITCOIN),
                topic,
                unit,
            };
            assert_eq!(found(&format!("btcusdt@{name}")), Some(wanted), "{name}");
        }
        for (name, topic) in [
            ("!miniTicker@arr", Topic::MiniTicker),
            ("!miniTicker@arr@1000ms", Topic::MiniTicker),
            ("!ticker_1h@arr", Topic::WindowTicker(Window::Hour)),
        ] {
            let wanted = StreamKey {
                instrument: None,
                topic,
                unit,
            };
            assert_eq!(found(name), Some(wanted), "{name}");
        }
        for name in [
            "btcusdt@kline_2M",
            "btcusdt@kline_1m@+15:00",
            "btcusdt@depth7",
            "btcusdt@depth@1ms",
            "btcusdt@ticker_2h",
            "!ticker@arr",
            "!miniTicker",
            "BTCUSDT@trade",
            "xyz@trade",
            "0",
            "",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
