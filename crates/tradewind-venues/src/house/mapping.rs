//! Where a house's messages have what: paths of the configuration, and what is found at them made an event.
//!
//! It is the same for JSON, for the fields of a Redis stream and for XML: each fills [`Fields`], and [`Mapping::read`]
//! reads it.

use std::borrow::Cow;

use tradewind_model::{Instrument, MarketEvent, Quote, Side, Timestamp, Trade, TradeId};

use super::data::{HouseData, HouseNumber};
use super::numbers::Scaled;
use super::symbols::HouseSymbols;
use super::targets;
use crate::protocol::{Ignored, Incoming, Sequence, Topic};

/// What a message may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Whether it is a quote or a trade.
    Kind,
    /// Of which instrument.
    Symbol,
    /// Best bid.
    Bid,
    /// Best ask.
    Ask,
    /// Quantity at the bid.
    BidSize,
    /// Quantity at the ask.
    AskSize,
    /// Price of a trade.
    Price,
    /// Quantity of a trade.
    Quantity,
    /// When it happened.
    Time,
    /// Who took.
    Side,
    /// Its number.
    Sequence,
    /// The series of a number.
    Name,
    /// A number of a series.
    Value,
    /// The bot of a target.
    Bot,
    /// The instrument of a target.
    Instrument,
    /// How much of its budget the bot is to hold.
    Exposure,
    /// When a target counts no more.
    Expires,
}

impl Field {
    /// All fields, with the names that the configuration has for them and that are their paths where none is configured.
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::Kind, "kind"),
        (Self::Symbol, "symbol"),
        (Self::Bid, "bid"),
        (Self::Ask, "ask"),
        (Self::BidSize, "bid_size"),
        (Self::AskSize, "ask_size"),
        (Self::Price, "price"),
        (Self::Quantity, "quantity"),
        (Self::Time, "time"),
        (Self::Side, "side"),
        (Self::Sequence, "sequence"),
        (Self::Name, "name"),
        (Self::Value, "value"),
        (Self::Bot, "bot"),
        (Self::Instrument, "instrument"),
        (Self::Exposure, "exposure"),
        (Self::Expires, "expires"),
    ];
}

/// Which messages are numbered together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// All messages of the feed.
    #[default]
    Feed,
    /// The quotes of a symbol, and its trades.
    Symbol,
}

/// Where messages have what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The path of each field, in the order of [`Field::ALL`]: names with dots between them, numbers in lists.
    pub paths: [String; Field::ALL.len()],
    /// What the kind of a quote is.
    pub quote: String,
    /// What the kind of a trade is.
    pub trade: String,
    /// What the kind of a number of a series is.
    pub number: String,
    /// What the kind of a target is.
    pub target: String,
    /// What the side of a trade is whose taker bought.
    pub buy: String,
    /// What it is where the taker sold.
    pub sell: String,
    /// Places behind the point of a second that times count: 0 for seconds, 9 for nanoseconds.
    pub time_places: u8,
    /// Which messages are numbered together.
    pub numbering: Numbering,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            paths: Field::ALL.map(|(_, name)| name.to_owned()),
            quote: "quote".to_owned(),
            trade: "trade".to_owned(),
            number: "number".to_owned(),
            target: "target".to_owned(),
            buy: "buy".to_owned(),
            sell: "sell".to_owned(),
            time_places: 3,
            numbering: Numbering::Feed,
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Quote,
    Trade,
    Number,
    Target,
}

/// What a message has at each path: the text of a string, or a number as it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    texts: [Option<&'a str>; Field::ALL.len()],
    /// Texts that the message has in another form, such as with escapes: few, and none as a rule.
    decoded: Vec<(usize, String)>,
}

impl<'a> Fields<'a> {
    /// The last text of a field counts.
    pub(super) fn set(&mut self, index: usize, text: Cow<'a, str>) {
        let Some(place) = self.texts.get_mut(index) else {
            return;
        };
        *place = match text {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(text) => {
                self.decoded.retain(|(of, _)| *of != index);
                self.decoded.push((index, text));
                None
            }
        };
    }

    #[cfg(test)]
    pub(super) fn shown(&self) -> String {
        let shown = Field::ALL
            .iter()
            .filter_map(|(field, name)| Some(format!("{name}={}", self.get(*field)?)));
        shown.collect::<Vec<_>>().join(" ")
    }

    pub(super) fn get(&self, field: Field) -> Option<&str> {
        let index = field as usize;
        self.texts[index].or_else(|| {
            let mut decoded = self.decoded.iter();
            decoded.find_map(|(of, text)| (*of == index).then_some(text.as_str()))
        })
    }

    fn number(&self, field: Field) -> Result<Scaled, Ignored> {
        let number = self.get(field).and_then(Scaled::parse);
        number.ok_or(Ignored::Malformed)
    }

    /// The number of the message, if it has one and it is one.
    pub(super) fn sequence(&self) -> Option<Option<u64>> {
        let text = self.get(Field::Sequence)?;
        Some(Scaled::parse(text).and_then(Scaled::number))
    }
}

impl Mapping {
    /// What a kind may be.
    pub(super) fn kinds(&self) -> [&str; 4] {
        [&self.quote, &self.trade, &self.number, &self.target]
    }

    /// Reads a message, whose number was read already. `id` becomes the id of a trade without a number.
    pub(super) fn read(
        &self,
        (fields, sequence): (&Fields<'_>, Option<Option<u64>>),
        symbols: &HouseSymbols,
        received_at: Timestamp,
        id: u64,
    ) -> Result<Incoming<HouseData>, Ignored> {
        let kind = match fields.get(Field::Kind) {
            Some(kind) if kind == self.quote => Kind::Quote,
            Some(kind) if kind == self.trade => Kind::Trade,
            Some(kind) if kind == self.number => Kind::Number,
            Some(kind) if kind == self.target => Kind::Target,
            Some(_) => return Err(Ignored::NotWanted),
            None if fields.get(Field::Bid).is_some() => Kind::Quote,
            None if fields.get(Field::Price).is_some() => Kind::Trade,
            None if fields.get(Field::Value).is_some() => Kind::Number,
            None if fields.get(Field::Exposure).is_some() => Kind::Target,
            None => return Err(Ignored::NotWanted),
        };
        if kind == Kind::Target {
            let target = targets::read(fields, self.time_places, received_at);
            let event = HouseData::Target(target);
            return Ok(Incoming::Unlisted { event });
        }
        let number = match sequence {
            None => None,
            Some(number) => Some(number.ok_or(Ignored::Malformed)?),
        };
        let event_time = match fields.get(Field::Time) {
            None => None,
            Some(_) => {
                let time = fields.number(Field::Time)?.instant(self.time_places);
                Some(time.ok_or(Ignored::Malformed)?)
            }
        };
        let times = (event_time, received_at);
        if kind == Kind::Number {
            let event = HouseData::Number(series_number(fields, symbols, times)?);
            return Ok(Incoming::Unlisted { event });
        }
        let symbol = fields.get(Field::Symbol).ok_or(Ignored::NoSymbol)?;
        let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol)?;
        let id = TradeId(number.unwrap_or(id));
        let (topic, event) = if kind == Kind::Quote {
            let quote = quote(fields, instrument, times)?;
            (Topic::Quotes(instrument.id), MarketEvent::Quote(quote))
        } else {
            let trade = self.trade(fields, instrument, id, times)?;
            (Topic::Trades(instrument.id), MarketEvent::Trade(trade))
        };
        let of_symbol = number.filter(|_| self.numbering == Numbering::Symbol);
        Ok(Incoming::Event {
            topic,
            sequence: of_symbol.map(Sequence::Contiguous),
            event: HouseData::Market(event),
        })
    }

    fn trade(
        &self,
        fields: &Fields<'_>,
        instrument: &Instrument,
        id: TradeId,
        (event_time, received_at): (Option<Timestamp>, Timestamp),
    ) -> Result<Trade, Ignored> {
        let taker = match fields.get(Field::Side) {
            Some(side) if side == self.buy => Side::Buy,
            Some(side) if side == self.sell => Side::Sell,
            _ => return Err(Ignored::Malformed),
        };
        let price = fields.number(Field::Price)?.price(instrument);
        let quantity = fields.number(Field::Quantity)?.quantity(instrument);
        Ok(Trade {
            instrument: instrument.id,
            taker,
            id,
            price: price.ok_or(Ignored::Malformed)?,
            quantity: quantity.ok_or(Ignored::Malformed)?,
            event_time,
            received_at,
        })
    }
}

/// A number of a series that the source may send.
fn series_number(
    fields: &Fields<'_>,
    symbols: &HouseSymbols,
    (event_time, received_at): (Option<Timestamp>, Timestamp),
) -> Result<HouseNumber, Ignored> {
    let name = fields.get(Field::Name).ok_or(Ignored::NoSymbol)?;
    let series = symbols.series(name).ok_or(Ignored::WrongSymbol)?;
    let value = fields.number(Field::Value)?.decimal();
    let (value, event_time) = value.zip(event_time).ok_or(Ignored::Malformed)?;
    Ok(series.number(value, event_time, received_at))
}

fn quote(
    fields: &Fields<'_>,
    instrument: &Instrument,
    (event_time, received_at): (Option<Timestamp>, Timestamp),
) -> Result<Quote, Ignored> {
    let price = |field| {
        let price = fields.number(field)?.price(instrument);
        price.ok_or(Ignored::Malformed)
    };
    let quantity = |field| {
        let quantity = fields.number(field)?.quantity(instrument);
        quantity.ok_or(Ignored::Malformed)
    };
    Ok(Quote {
        instrument: instrument.id,
        bid: price(Field::Bid)?,
        ask: price(Field::Ask)?,
        bid_quantity: quantity(Field::BidSize)?,
        ask_quantity: quantity(Field::AskSize)?,
        event_time,
        received_at,
    })
}
