//! One fault of a script: when, where and what; and how it is spelled.

use std::time::Duration;

use serde_json::Value;
use tradewind_model::{Decimal, Ppm};
use tradewind_simx::Latency;

use super::command::Command;
use super::event::{On, WireKind};
use super::reader::Reader;

/// A fault as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) on: On,
    pub(crate) when: When,
    pub(crate) place: Place,
    pub(crate) deed: Deed,
}

/// When it strikes.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    /// Not before this long after it was added.
    pub(crate) after: Duration,
    /// For this long; else for ever.
    pub(crate) lasts: Option<Duration>,
    /// Only on this event of its kind, counted from 1.
    pub(crate) nth: Option<u64>,
    /// Only on each so many events.
    pub(crate) every: Option<u64>,
    /// Again after this long; for faults that need no event.
    pub(crate) again: Option<Duration>,
    /// With this probability.
    pub(crate) chance: Option<Ppm>,
    /// So often at most.
    pub(crate) times: Option<u64>,
}

/// Where it strikes; what is not said fits everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) account: Option<String>,
    pub(crate) symbol: Option<String>,
    /// `POST /api/v3/order`, `/api/v3/order` or `order.place`.
    pub(crate) call: Option<String>,
    /// An order's `type` parameter.
    pub(crate) order_type: Option<String>,
    /// `kline`, `kline/closed`, `executionReport/TRADE`.
    pub(crate) frame: Option<String>,
    pub(crate) wire: Option<WireKind>,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Drop,
    Delay(Latency),
    Duplicate { copies: u64, by: Option<Latency> },
    Reorder,
    Corrupt(Corruption),
    Mutate(Mutation),
    Cut(CutAt),
    HalfOpen { pings: bool },
    Flood { per_second: u64 },
    Answer(Box<Replacement>),
    LoseReply { executed: Executed, hang_up: bool },
    HideOrders { lag: Duration },
    Truncate { keep: usize },
    StaleDepth { symbol: String },
    RefuseSubscribe { keep: usize, ack: Ack },
    Close { code: u16 },
    Shutdown,
    Refuse,
    Flap { least: Duration, most: Duration },
    Partition,
    Price(Vec<(Duration, Ppm)>),
    Freeze,
    Clock { skew_nanos: i64, drift: Ppm },
    Command(Command),
}

/// How a message is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// Half of it is missing.
    Truncated,
    /// A character in the middle is another.
    Garbled,
    /// It is nested a thousand deep.
    Nested,
    /// It is 10 MiB long.
    Huge,
    /// It tells of a symbol there is not.
    Symbol,
}

/// A change of one field.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    /// Keys and places from the payload down, with dots between.
    pub(crate) field: String,
    pub(crate) change: Change,
}

/// What a field becomes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// This value.
    To(Value),
    /// This text, JSON or not.
    Raw(String),
    /// Gone.
    Removed,
    /// What another field was, and the other way round.
    Swapped(String),
    /// A number instead of a text.
    Number,
}

/// After how many bytes a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutAt {
    Bytes(u64),
    /// After none the first time, after one the second, and so on.
    Each,
}

/// Whether the exchange did what a request asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executed {
    Yes,
    No,
    /// This much later.
    Late(Duration),
}

/// An answer in place of the true one.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) status: u16,
    pub(crate) code: i32,
    pub(crate) message: Option<String>,
    /// The whole body, in place of code and message.
    pub(crate) body: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) executed: Executed,
}

/// How a subscription that is not kept is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    Ok,
    Error,
    Lost,
}

impl Fault {
    /// Reads one table; `None` when something was wrong, which the reader knows.
    pub(super) fn read(reader: &mut Reader<'_>, number: usize) -> Option<Self> {
        let name = reader
            .text("name")
            .unwrap_or_else(|| format!("fault-{number}"));
        let when = When::read(reader);
        let place = Place::read(reader);
        let verb = reader.text("do");
        let verb = reader.required("do", verb);
        let on = reader.choice("on", &On::WORDS);
        let (allowed, deed) = read_deed(&verb?, reader, &when)?;
        let on = on.unwrap_or(allowed[0]);
        if !allowed.contains(&on) {
            let names: Vec<&str> = allowed.iter().map(|on| on.word()).collect();
            reader.wrong(&format!("on must be {} here", names.join(" or ")));
            return None;
        }
        if on == On::Time && (when.nth.is_some() || when.every.is_some()) {
            reader.wrong("nth and a counted every need events; say on what, or give every a span");
            return None;
        }
        Some(Self {
            name,
            on,
            when,
            place,
            deed: deed?,
        })
    }
}

impl When {
    fn read(reader: &mut Reader<'_>) -> Self {
        let every = reader.value("every");
        let (every, again) = match every {
            Some(Value::String(_)) => (None, reader.span("every")),
            Some(_) => (reader.count("every"), None),
            None => (None, None),
        };
        let chance = reader.value("chance").map(ToString::to_string);
        let chance = chance.map(|text| {
            text.trim_matches('"')
                .parse::<Decimal>()
                .ok()
                .and_then(|share| share.scaled(6))
        });
        if chance.is_some_and(|share| share.is_none_or(|share| !(0..=1_000_000).contains(&share))) {
            reader.wrong("chance must be between 0 and 1");
        }
        let nth = reader.count("nth");
        if nth == Some(0) || every == Some(0) || again == Some(Duration::ZERO) {
            reader.wrong("nth and every count from 1");
        }
        Self {
            after: reader.span("after").unwrap_or_default(),
            lasts: reader.span("for"),
            nth,
            every,
            again,
            chance: chance.flatten().map(Ppm),
            times: reader.count("times"),
        }
    }
}

impl Place {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            account: reader.text("account"),
            symbol: reader.text("symbol"),
            call: reader.text("call"),
            order_type: reader.text("type"),
            frame: reader.text("frame"),
            wire: reader.choice("wire", &WireKind::WORDS),
        }
    }
}

const MESSAGES: &[On] = &[On::Frame, On::Answer];
const ANY: &[On] = &[
    On::Time,
    On::Request,
    On::Answer,
    On::Frame,
    On::Subscribe,
    On::Connect,
];
const VERBS: [&str; 30] = [
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "corrupt",
    "mutate",
    "cut",
    "half-open",
    "flood",
    "answer",
    "lose-reply",
    "hide-orders",
    "truncate",
    "stale-depth",
    "refuse-subscribe",
    "close",
    "shutdown",
    "refuse",
    "flap",
    "partition",
    "price",
    "freeze",
    "clock",
    "halt",
    "filters",
    "trade",
    "cancel",
    "fill",
    "deposit",
    "withdraw",
];

/// On what a verb may act, the usual first, and what it does; the deed is missing when its own keys were wrong.
fn read_deed(
    verb: &str,
    reader: &mut Reader<'_>,
    when: &When,
) -> Option<(&'static [On], Option<Deed>)> {
    Some(match verb {
        "drop" => (&[On::Frame, On::Answer, On::Request], Some(Deed::Drop)),
        "delay" => {
            let by = reader.parsed("by");
            (
                &[On::Frame, On::Answer, On::Request],
                reader.required("by", by).map(Deed::Delay),
            )
        }
        "duplicate" => {
            let (copies, by) = (
                reader.count("copies").unwrap_or(1).min(1_000),
                reader.parsed("by"),
            );
            (&[On::Frame], Some(Deed::Duplicate { copies, by }))
        }
        "reorder" => (&[On::Frame], Some(Deed::Reorder)),
        "corrupt" => (MESSAGES, read_corruption(reader)),
        "mutate" => (MESSAGES, read_mutation(reader)),
        "cut" => (MESSAGES, read_cut(reader)),
        "half-open" => {
            let pings = reader.flag("pings").unwrap_or(false);
            (
                &[On::Frame, On::Time, On::Connect],
                Some(Deed::HalfOpen { pings }),
            )
        }
        "flood" => {
            let rate = reader.count("rate").unwrap_or(100_000).min(1_000_000);
            (&[On::Frame], Some(Deed::Flood { per_second: rate }))
        }
        "answer" => (&[On::Request], read_answer(reader)),
        "lose-reply" => {
            let executed = read_executed(reader).unwrap_or(Executed::Yes);
            let hang_up = reader.flag("hang-up").unwrap_or(false);
            (&[On::Request], Some(Deed::LoseReply { executed, hang_up }))
        }
        "hide-orders" => {
            let lag = reader.span("lag");
            (
                &[On::Answer],
                reader
                    .required("lag", lag)
                    .map(|lag| Deed::HideOrders { lag }),
            )
        }
        "truncate" => {
            let keep = reader.count("keep").unwrap_or(0);
            (
                &[On::Answer],
                Some(Deed::Truncate {
                    keep: usize::try_from(keep).unwrap_or(usize::MAX),
                }),
            )
        }
        "stale-depth" => {
            let symbol = reader.required_text("symbol");
            (
                &[On::Answer],
                symbol.map(|symbol| Deed::StaleDepth { symbol }),
            )
        }
        "refuse-subscribe" => (&[On::Subscribe], read_refused_subscribe(reader)),
        "close" => {
            let code = reader.count("code").unwrap_or(1001);
            let deed = u16::try_from(code)
                .ok()
                .filter(|code| (1000..5000).contains(code));
            if deed.is_none() {
                reader.wrong("code must be between 1000 and 4999");
            }
            (ANY, deed.map(|code| Deed::Close { code }))
        }
        "shutdown" => (ANY, Some(Deed::Shutdown)),
        "refuse" => (&[On::Time], Some(Deed::Refuse)),
        "flap" => {
            let least = reader.span("least").unwrap_or(Duration::from_millis(200));
            let most = reader
                .span("most")
                .unwrap_or(Duration::from_secs(1))
                .max(least);
            (&[On::Time], Some(Deed::Flap { least, most }))
        }
        "partition" => {
            reader.required("for", when.lasts);
            (&[On::Time], when.lasts.map(|_| Deed::Partition))
        }
        "price" => (&[On::Time], read_price(reader).map(Deed::Price)),
        "freeze" => (&[On::Time], Some(Deed::Freeze)),
        "clock" => (&[On::Time], read_clock(reader)),
        "halt" | "filters" | "trade" | "cancel" | "fill" | "deposit" | "withdraw" => {
            (ANY, Command::read(verb, reader).map(Deed::Command))
        }
        _ => {
            reader.wrong(&format!(
                "no fault {verb:?}, {}",
                crate::nearest::did_you_mean(verb, &VERBS)
            ));
            return None;
        }
    })
}

fn read_corruption(reader: &mut Reader<'_>) -> Option<Deed> {
    const WORDS: [(&str, Corruption); 5] = [
        ("truncated", Corruption::Truncated),
        ("garbled", Corruption::Garbled),
        ("nested", Corruption::Nested),
        ("huge", Corruption::Huge),
        ("symbol", Corruption::Symbol),
    ];
    if reader.value("how").is_none() {
        return Some(Deed::Corrupt(Corruption::Garbled));
    }
    reader.choice("how", &WORDS).map(Deed::Corrupt)
}

fn read_mutation(reader: &mut Reader<'_>) -> Option<Deed> {
    let field = reader.required_text("field");
    let changes = [
        reader.value("to").cloned().map(Change::To),
        reader.text("raw").map(Change::Raw),
        reader
            .flag("remove")
            .filter(|removed| *removed)
            .map(|_| Change::Removed),
        reader.text("swap").map(Change::Swapped),
        reader
            .flag("number")
            .filter(|number| *number)
            .map(|_| Change::Number),
    ];
    let mut changes = changes.into_iter().flatten();
    match (field, changes.next(), changes.next()) {
        (Some(field), Some(change), None) => Some(Deed::Mutate(Mutation { field, change })),
        (None, ..) => None,
        _ => {
            reader.wrong("mutate needs one of to, raw, remove, swap and number");
            None
        }
    }
}

fn read_cut(reader: &mut Reader<'_>) -> Option<Deed> {
    let bytes = match reader.value("bytes") {
        None => Some(CutAt::Bytes(1)),
        Some(Value::String(text)) if text == "each" => Some(CutAt::Each),
        Some(_) => reader.count("bytes").map(CutAt::Bytes),
    };
    bytes.map(Deed::Cut)
}

fn read_executed(reader: &mut Reader<'_>) -> Option<Executed> {
    match reader.value("executed")? {
        Value::Bool(true) => Some(Executed::Yes),
        Value::Bool(false) => Some(Executed::No),
        _ => reader.span("executed").map(Executed::Late),
    }
}

fn read_answer(reader: &mut Reader<'_>) -> Option<Deed> {
    let status = reader.count("status").unwrap_or(503);
    let code = reader.value("code").map_or(Some(-1000), Value::as_i64);
    let code = code.and_then(|code| i32::try_from(code).ok());
    let replacement = Replacement {
        status: u16::try_from(status).unwrap_or(0),
        code: code.unwrap_or(0),
        message: reader.text("message"),
        body: reader.text("body"),
        retry_after: reader.span("retry-after"),
        executed: read_executed(reader).unwrap_or(Executed::No),
    };
    if !(200..600).contains(&replacement.status) {
        reader.wrong("status must be between 200 and 599");
    }
    if code.is_none() {
        reader.wrong("code must be a whole number such as -1007");
    }
    Some(Deed::Answer(Box::new(replacement)))
}

fn read_refused_subscribe(reader: &mut Reader<'_>) -> Option<Deed> {
    const WORDS: [(&str, Ack); 3] = [("ok", Ack::Ok), ("error", Ack::Error), ("lost", Ack::Lost)];
    let keep = reader.count("keep").unwrap_or(0);
    let ack = reader.choice("ack", &WORDS).unwrap_or(Ack::Ok);
    Some(Deed::RefuseSubscribe {
        keep: usize::try_from(keep).unwrap_or(usize::MAX),
        ack,
    })
}

fn read_price(reader: &mut Reader<'_>) -> Option<Vec<(Duration, Ppm)>> {
    let factor = |value: &Value| {
        let text = value.to_string();
        let factor: Decimal = text.trim_matches('"').parse().ok()?;
        factor
            .scaled(6)
            .filter(|ppm| (1..=1_000_000_000).contains(ppm))
            .map(Ppm)
    };
    let point = |value: &Value| {
        let pair = value.as_array()?;
        let at = pair
            .first()?
            .as_str()
            .and_then(tradewind_simx::parse_span)?;
        Some((at, factor(pair.get(1)?)?))
    };
    let path = match (reader.value("factor"), reader.value("path")) {
        (Some(value), None) => factor(value).map(|factor| vec![(Duration::ZERO, factor)]),
        (None, Some(Value::Array(points))) => points.iter().map(point).collect(),
        _ => None,
    };
    let path =
        path.filter(|path: &Vec<_>| !path.is_empty() && path.is_sorted_by_key(|(at, _)| *at));
    if path.is_none() {
        reader.wrong("price needs factor = 10, or path = [[\"0s\", 1], [\"30s\", 0.13]] in order of time; factors are from 0.000001 to 1000");
    }
    path
}

fn read_clock(reader: &mut Reader<'_>) -> Option<Deed> {
    let skew = reader.text("skew").unwrap_or_else(|| "0s".to_owned());
    let (sign, span) = match skew.strip_prefix('-') {
        Some(span) => (-1, span),
        None => (1, skew.strip_prefix('+').unwrap_or(&skew)),
    };
    let nanos =
        tradewind_simx::parse_span(span).and_then(|span| i64::try_from(span.as_nanos()).ok());
    let drift = reader.value("drift-ppm").map_or(Some(0), Value::as_i64);
    match (nanos, drift) {
        (Some(nanos), Some(drift)) => Some(Deed::Clock {
            skew_nanos: sign * nanos,
            drift: Ppm(drift),
        }),
        _ => {
            reader.wrong("clock needs skew = \"-5s\" and, if it drifts, drift-ppm = 200");
            None
        }
    }
}
