//! The contract between the engine and a strategy.

use std::fmt;

use tradewind_indicators::IndicatorError;
use tradewind_model::{
    Amount, Candle, CarriedOut, Decision, Depth, FeedHealth, Instrument, Interval, LastEntry,
    Number, Numbers, OnExpiry, PositionState, Ppm, Quote, StandingTarget, Timestamp,
};

use crate::reads::{ReadUse, Reading, Reads, Role};

/// A trading rule over a set of instruments.
///
/// One value serves all instruments of a bot; what it keeps per instrument lives in a
/// [`PerInstrument`](crate::PerInstrument), found by [`View::slot`]. The same calls in the same order must give the
/// same answers: no clock, no randomness, no input but the arguments.
///
/// A returned error is published and the strategy continues; after a panic its state is lost.
pub trait Strategy: fmt::Debug + Send {
    /// The candle intervals it uses, each with the number of closed candles before its first decision.
    fn timeframes(&self) -> Vec<WarmUp>;

    /// What it uses of the instruments that its bot only reads. Nothing by default: they wake it never, and it may still
    /// look at them in each [`View`].
    fn reads(&self) -> ReadUse {
        ReadUse::default()
    }

    /// Called for an instrument that the bot trades with each quote and closed candle of an instrument that it only reads, if
    /// [`reads`](Self::reads) subscribes to it. `candle` is the one that closed; `None` after a quote, which is in `read`.
    ///
    /// # Errors
    /// What kept it from deciding.
    fn on_read(
        &mut self,
        view: &View<'_>,
        read: &Reading<'_>,
        candle: Option<&Candle>,
    ) -> Result<Decision, StrategyError> {
        let (_, _, _) = (view, read, candle);
        Err(StrategyError::Unsupported("instruments it reads"))
    }

    /// Called with each quote of an instrument, if the bot is evaluated on quotes.
    ///
    /// # Errors
    /// What kept it from deciding.
    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        let (_, _) = (view, quote);
        Err(StrategyError::Unsupported("quotes"))
    }

    /// Called with each closed candle of its timeframes: past ones first, whose decisions are not carried out. Candles of an
    /// instrument that the bot only reads come here, too, with a view whose role is [`Role::Read`]: they are to be kept, and a
    /// target on one is a fault of the bot.
    ///
    /// # Errors
    /// What kept it from deciding.
    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let (_, _) = (view, candle);
        Err(StrategyError::Unsupported("candles"))
    }

    /// Called at the bot's own interval, for each of its instruments.
    ///
    /// # Errors
    /// What kept it from deciding.
    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        let _ = view;
        Err(StrategyError::Unsupported("a timer"))
    }

    /// Called when a target of an outside process came or expired, if the bot is steered by one.
    ///
    /// # Errors
    /// What kept it from deciding.
    fn on_target(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        let _ = view;
        Err(StrategyError::Unsupported("targets of other processes"))
    }

    /// Another traded instrument, by slot, that it can decide on now that it was fed a candle: it is evaluated there next, as by
    /// the bot's own interval. Called until there is none. None by default.
    fn next_ready(&mut self) -> Option<usize> {
        None
    }

    /// What it looks for in an instrument, part by part, with the values of its last evaluation there. Nothing by default.
    fn explain(&self, slot: usize) -> Vec<Explained> {
        let _ = slot;
        Vec::new()
    }

    /// All its state; [`restore`](Self::restore) with it continues as if nothing had happened.
    fn save(&self) -> Vec<u8>;

    /// Takes over state saved by the same strategy in the same version.
    ///
    /// # Errors
    /// State that is not its own; the strategy is left as it was.
    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError>;
}

/// A part of what a strategy looks for, with its value, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What it leads to: `enter dip`.
    pub clause: String,
    /// The condition as it is written.
    pub text: String,
    /// Its value: `true`, `false`, `unknown`, or a number.
    pub value: String,
    /// What it compares, each as written and with its value.
    pub operands: Vec<(String, String)>,
}

/// Candles a strategy is to be fed with before it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUp {
    /// Which candles.
    pub interval: Interval,
    /// How many closed ones; 0 if it can decide on the first.
    pub candles: u32,
}

/// The input of an evaluation: one instrument at one time.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Now, by the engine's clock.
    pub at: Timestamp,
    /// The instrument of this evaluation.
    pub instrument: &'a Instrument,
    /// Place of that instrument among the bot's instruments.
    pub slot: usize,
    /// Whether the bot trades that instrument or only reads it.
    pub role: Role,
    /// Its latest quote, if there is one; check [`Quote::is_sound`] before use.
    pub quote: Option<&'a Quote>,
    /// The bot's position in it.
    pub position: PositionState,
    /// The bot's budget, in the quote asset; for a strategy in a process what an exposure of 1 is worth, which is what it is sized by.
    pub budget: Amount,
    /// The instruments that the bot only reads.
    pub reads: Reads<'a>,
    /// How far the data of that instrument can be trusted.
    pub feed: FeedStatus,
    /// Numbers of named series.
    pub numbers: &'a Numbers,
    /// The target of the outside process that steers the bot, if one does.
    pub standing: Option<Standing<'a>>,
    /// Which decisions will be carried out.
    pub carried_out: CarriedOut,
    /// What became of the last entry it decided in this instrument.
    pub last_entry: LastEntry,
    /// The top of its book, if the venue has books and the feed is live.
    pub depth: Option<&'a Depth>,
    /// The exposure that orders have worked towards so far, 0 after an entry that ended without a fill.
    pub exposure: Ppm,
    /// By the bot's instruments, whether it may enter each, a missing one as false; `None` where it may enter all.
    pub members: Option<&'a [bool]>,
}

impl<'a> View<'a> {
    /// What a bot sees that has nothing: no quote, no book, no position, no budget. What there is, is filled in from it.
    #[must_use]
    pub fn bare(at: Timestamp, instrument: &'a Instrument) -> Self {
        Self {
            at,
            instrument,
            slot: 0,
            role: Role::Traded,
            quote: None,
            position: PositionState::default(),
            budget: Amount::ZERO,
            reads: Reads::none(),
            feed: FeedStatus::default(),
            numbers: Numbers::none(),
            standing: None,
            carried_out: CarriedOut::Nothing,
            last_entry: LastEntry::Standing,
            depth: None,
            exposure: Ppm::ZERO,
            members: None,
        }
    }
}

/// The health of an instrument's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStatus {
    /// LIVE, STALE, GAP or RESYNC.
    pub health: FeedHealth,
    /// Since when.
    pub since: Timestamp,
}

/// The target of an outside process, and what is to be known of it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The newest target; none before the first of its source.
    pub target: Option<&'a StandingTarget>,
    /// Whether its source is connected and subscribed.
    pub is_source_live: bool,
    /// What becomes of the position when the target expires.
    pub on_expiry: OnExpiry,
    /// The exposure that orders have worked towards so far.
    pub exposure: Ppm,
}

impl View<'_> {
    /// Whether the bot may enter one of its instruments.
    #[must_use]
    pub fn is_member(&self, slot: usize) -> bool {
        let of = |members: &[bool]| members.get(slot).copied().unwrap_or_default();
        self.members.is_none_or(of)
    }

    /// The latest number of a named series, such as `house:fear`, with its age; none if it is older than it may be.
    #[must_use]
    pub fn number(&self, series: &str) -> Option<Number> {
        self.numbers.get(series, self.at)
    }
}

/// Why a strategy could not decide.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// An indicator refused its input or has no answer: a malformed candle, a division by zero in a flat market.
    #[error(transparent)]
    Indicator(#[from] IndicatorError),
    /// The candle's prices contradict each other or are not positive; it was left out.
    #[error("malformed {interval} candle of {open_time}")]
    MalformedCandle {
        /// Its length.
        interval: Interval,
        /// Its start.
        open_time: Timestamp,
    },
    /// The strategy is not evaluated on this.
    #[error("the strategy is not made for {0}")]
    Unsupported(&'static str),
    /// The process that it runs in failed, and its state there is lost. The text follows the words "its process".
    #[error("its process {0}")]
    Process(String),
    /// Any other error, as text.
    #[error("{0}")]
    Other(String),
}

/// State that a strategy cannot take over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("saved state does not fit this strategy: {0}")]
pub struct RestoreError(pub String);
