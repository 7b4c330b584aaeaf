//! What house sources send besides prices: numbers of named series, and targets of bots.

use serde::{Deserialize, Serialize};
use tradewind_events::{NumberView, SourceView, TargetView};
use tradewind_model::Timestamp;
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};

/// The latest number of a named series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesNumber {
    /// The series.
    #[schema(examples("house:fear"))]
    pub series: String,
    /// The number.
    pub value: Decimal,
    /// When it was so, by its source.
    pub event_time: Instant,
    /// When it was received.
    pub received_at: Instant,
    /// How old it is, in milliseconds.
    pub age_ms: u64,
    /// Age from which on strategies do not get it, in milliseconds.
    pub max_age_ms: Option<u64>,
    /// Whether it is older than that.
    pub stale: bool,
}

/// The newest target of a bot in an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotTarget {
    /// The bot.
    pub bot: String,
    /// The instrument.
    pub instrument: String,
    /// The source that steers the bot.
    pub source: String,
    /// Whether that source is connected and subscribed.
    pub source_live: bool,
    /// Signed share of the bot's budget; `null` before the first target.
    pub exposure: Option<Decimal>,
    /// When it was decided, by the source.
    pub event_time: Option<Instant>,
    /// From then on it counts no more.
    pub expires: Option<Instant>,
    /// Whether it has expired.
    pub expired: bool,
    /// Whether messages of the source went missing since: nothing is entered on it.
    pub doubtful: bool,
    /// Whether its exit plan or a person closed the position: nothing is entered until the exposure changes.
    pub closed: bool,
}

/// What a source sent of targets since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetSource {
    /// The source.
    pub source: String,
    /// Whether it is connected and subscribed.
    pub live: bool,
    /// Targets that were taken.
    pub taken: u64,
    /// Targets that were not newer than the one there was.
    pub ignored: u64,
    /// Targets that were refused, unreadable ones among them.
    pub refused: u64,
    /// Why the last one was refused.
    pub last_refusal: Option<String>,
}

/// The targets of bots that outside processes steer, and their sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetAnswer {
    /// The last input the view contains.
    pub seq: u64,
    /// Time of that input, by the desk's clock.
    pub at: Instant,
    /// The targets, by bot and instrument.
    pub items: Vec<BotTarget>,
    /// The sources, by name.
    pub sources: Vec<TargetSource>,
}

impl SeriesNumber {
    /// A number of a view, at a time.
    #[must_use]
    pub fn new(view: &NumberView, now: Timestamp) -> Self {
        let millis =
            |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let age = now.since(view.event_time);
        Self {
            series: view.name.clone(),
            value: Decimal(view.value.to_string()),
            event_time: view.event_time.into(),
            received_at: view.received_at.into(),
            age_ms: millis(age),
            max_age_ms: view.max_age.map(millis),
            stale: view.max_age.is_some_and(|max_age| age > max_age),
        }
    }
}

impl BotTarget {
    /// A target of a view; `source_live` is whether its source is connected.
    #[must_use]
    pub fn new(view: &TargetView, source_live: bool, names: &Names) -> Self {
        let target = view.target.as_ref();
        Self {
            bot: names.bot(view.bot),
            instrument: names.instrument(view.instrument),
            source: view.source.clone(),
            source_live,
            exposure: target.map(|target| target.exposure.into()),
            event_time: target.map(|target| target.event_time.into()),
            expires: target.map(|target| target.expires.into()),
            expired: view.is_expired,
            doubtful: target.is_some_and(|target| target.is_doubtful),
            closed: target.is_some_and(|target| target.is_closed),
        }
    }
}

impl From<&SourceView> for TargetSource {
    fn from(view: &SourceView) -> Self {
        Self {
            source: view.source.clone(),
            live: view.is_live,
            taken: view.taken,
            ignored: view.ignored,
            refused: view.refused,
            last_refusal: view.last_refusal.clone(),
        }
    }
}
