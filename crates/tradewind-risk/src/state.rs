//! Trading states: what may pass, by scope, and why.
//!
//! Each open [`Cause`] holds one scope in one state; the strictest open cause that covers an order rules it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, BotId, InstrumentId, Timestamp, VenueId};

/// What may pass, from loosest to strictest.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum TradingState {
    /// Everything.
    #[default]
    Active,
    /// Exits, protective stops, cancels, queries.
    Reducing,
    /// Cancels and queries.
    Halted,
    /// Exits that close positions for a kill, cancels, queries.
    Flattening,
    /// Cancels and queries, until a person resets it.
    Killed,
}

impl TradingState {
    /// Its name on every wire of ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Reducing => "REDUCING",
            Self::Halted => "HALTED",
            Self::Flattening => "FLATTENING",
            Self::Killed => "KILLED",
        }
    }

    /// Whether an order that adds risk may pass.
    #[must_use]
    pub const fn lets_enter(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether an order that only reduces a position may pass.
    #[must_use]
    pub const fn lets_exit(self) -> bool {
        matches!(self, Self::Active | Self::Reducing | Self::Flattening)
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a state covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Everything.
    Desk,
    /// One account.
    Account(AccountId),
    /// One instrument.
    Instrument(InstrumentId),
    /// One bot.
    Bot(BotId),
    /// One venue: all its accounts.
    Venue(VenueId),
}

impl From<AccountId> for Scope {
    fn from(account: AccountId) -> Self {
        Self::Account(account)
    }
}

impl From<InstrumentId> for Scope {
    fn from(instrument: InstrumentId) -> Self {
        Self::Instrument(instrument)
    }
}

impl From<BotId> for Scope {
    fn from(bot: BotId) -> Self {
        Self::Bot(bot)
    }
}

impl From<VenueId> for Scope {
    fn from(venue: VenueId) -> Self {
        Self::Venue(venue)
    }
}

/// What an order belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderScope {
    /// Its account's venue.
    pub venue: VenueId,
    /// Its account.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its bot; `None` for a person's.
    pub bot: Option<BotId>,
}

impl Scope {
    /// Whether it covers an order.
    #[must_use]
    pub fn covers(self, order: OrderScope) -> bool {
        match self {
            Self::Desk => true,
            Self::Account(id) => id == order.account,
            Self::Instrument(id) => id == order.instrument,
            Self::Bot(id) => Some(id) == order.bot,
            Self::Venue(id) => id == order.venue,
        }
    }
}

/// Who ends a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clearing {
    /// It ends by itself once what caused it is over.
    Itself,
    /// A person with the right to.
    Person,
}

/// Why a scope is not active, as a closed list. On every wire and in the journal it is its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum CauseKind {
    /// The account was not read from its venue since the start (R02).
    NotReconciled,
    /// The event log's writer is too far behind to take intents.
    EventLogBehind,
    /// The disk is full: what is left is the journal's reserve (S05).
    DiskReserve,
    /// The disk is full, the reserve too: no intent can be made durable (S05).
    DiskFull,
    /// The journal's file system is read-only.
    DiskReadOnly,
    /// The disk takes writes again, for less than a minute so far.
    DiskSettling,
    /// Market data is not stored; trading continues.
    MarketDataNotStored,
    /// The desk shuts down.
    Stopping,
    /// A fill's value is outside the number range, so the ledger is incomplete.
    FillNotBooked,
    /// The kill switch is set.
    Killed,
    /// The kill switch is set, and positions are closed before it closes the gate.
    Flattening,
    /// A configuration contradicts the one that runs, and was not taken over.
    ConfigurationRefused,
    /// The account's stream is being opened and was not live yet.
    StreamNotProved,
    /// The account's stream is down: reports come late, if at all.
    StreamDown,
    /// The account's stream may have missed something.
    StreamUnsure,
    /// The account was not read from its venue within the time of R02.
    ReconcileLate,
    /// Too many of the account's orders have an unknown fate (R03).
    UnknownOrders,
    /// Prices carried the gross exposure over its limit (R14).
    Exposure,
    /// The bot sends many orders and cancels per fill (R17): an alarm.
    MessagesHigh,
    /// The bot sends too many orders and cancels per fill (R17).
    MessagesPerFill,
    /// The bot entered on one side too often (R19).
    RepeatedEntries,
    /// The account lost as much in a UTC day as it may (R22).
    DailyLoss,
    /// The account lost so much in a UTC day that a person should look (R22).
    DailyLossAlarm,
    /// The bot lost as much in a UTC day as it may (R22).
    BotDailyLoss,
    /// The account fell as far from its peak as it may (R23).
    Drawdown,
    /// The account traded more in a UTC day than it should (R25): an alarm.
    Turnover,
    /// The circuit breaker of the scope is open, or waits for a probe.
    BreakerOpen,
    /// The circuit breaker of the account's venue is open, or waits for a probe.
    VenueBreakerOpen,
    /// The venue reported numbers that cannot be; they were not booked.
    AbsurdNumbers,
    /// An asset became less and neither a fill nor somebody else's holding explains it: what bots had is gone.
    BalanceUnexplained,
    /// The process ended uncleanly too often in a short time (P06): no bot is started.
    SafeMode,
    /// Another desk places or cancels orders on the account (P05).
    ForeignDesk,
    /// The account has an asset under an id that the desk's table gives to another one, or to none.
    AssetContradicted,
    /// A rule that closes a position of the bot is unknown: an alarm.
    RuleUnknown,
    /// The account's stream is up again, and the account was not compared with its venue since (N11).
    NotCompared,
    /// No order of the account can leave for its venue. The text names the venue and the reason; [`Self::orders_blocked`] makes it.
    OrdersBlocked(String),
    /// Orders of the account can leave again, for less than a minute so far.
    OrdersSettling,
    /// A component of the desk does nothing; trading continues. The text names it; [`Self::component_hangs`] makes it.
    ComponentHangs(String),
    /// The text of a cause that this version does not have.
    Other(String),
}

/// With what the text of [`CauseKind::OrdersBlocked`] begins.
const BLOCKED: &str = "no order can leave: ";
/// With what the text of [`CauseKind::ComponentHangs`] begins.
const HANGS: &str = "a component hangs: ";

impl CauseKind {
    /// No order of an account can leave; `why` names the venue and the reason.
    #[must_use]
    pub fn orders_blocked(why: &str) -> Self {
        Self::OrdersBlocked(format!("{BLOCKED}{why}"))
    }

    /// A component of the desk does nothing.
    #[must_use]
    pub fn component_hangs(name: &str) -> Self {
        Self::ComponentHangs(format!("{HANGS}{name}"))
    }

    /// Its text.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::NotReconciled => "the account is not reconciled",
            Self::EventLogBehind => "the event log is behind",
            Self::DiskReserve => "the disk is full and the journal's reserve is in use",
            Self::DiskFull => "the disk is full and the journal's reserve is spent",
            Self::DiskReadOnly => "the journal's file system is read-only",
            Self::DiskSettling => "the disk takes writes again, for less than a minute",
            Self::MarketDataNotStored => "market data is not stored",
            Self::Stopping => "the desk is stopping",
            Self::FillNotBooked => "a fill could not be booked",
            Self::Killed => "killed",
            Self::Flattening => "positions are closed for a kill",
            Self::ConfigurationRefused => "the configuration contradicts the one that runs",
            Self::StreamNotProved => "the account stream is not proved live yet",
            Self::StreamDown => "the account stream is down",
            Self::StreamUnsure => "the account stream may have missed something",
            Self::ReconcileLate => "the account is not reconciled in time",
            Self::UnknownOrders => "too many orders have an unknown fate",
            Self::Exposure => "the exposure is above its limit",
            Self::MessagesHigh => "many orders and cancels per fill",
            Self::MessagesPerFill => "too many orders and cancels per fill",
            Self::RepeatedEntries => "too many entries on one side",
            Self::DailyLoss => "the loss of the day reached its limit",
            Self::DailyLossAlarm => "the loss of the day needs a person",
            Self::BotDailyLoss => "the bot's loss of the day reached its limit",
            Self::Drawdown => "the drawdown reached its limit",
            Self::Turnover => "the turnover of the day is above its limit",
            Self::BreakerOpen => "circuit breaker",
            Self::VenueBreakerOpen => "circuit breaker of the venue",
            Self::AbsurdNumbers => "the venue reported impossible numbers",
            Self::BalanceUnexplained => "what a bot held was sold or moved by somebody else",
            Self::SafeMode => "SAFE: the process ended uncleanly too often",
            Self::ForeignDesk => "another desk trades on the account",
            Self::AssetContradicted => "an asset of the account contradicts the desk's table",
            Self::RuleUnknown => "a position waits on a rule whose value is unknown",
            Self::NotCompared => "the account is compared with its venue",
            Self::OrdersSettling => "orders can leave again, for less than a minute",
            Self::OrdersBlocked(words) | Self::ComponentHangs(words) | Self::Other(words) => words,
        }
    }
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl From<CauseKind> for String {
    fn from(kind: CauseKind) -> Self {
        kind.words().to_owned()
    }
}

impl From<String> for CauseKind {
    fn from(words: String) -> Self {
        let listed = [
            Self::NotReconciled,
            Self::EventLogBehind,
            Self::DiskReserve,
            Self::DiskFull,
            Self::DiskReadOnly,
            Self::DiskSettling,
            Self::MarketDataNotStored,
            Self::Stopping,
            Self::FillNotBooked,
            Self::Killed,
            Self::Flattening,
            Self::ConfigurationRefused,
            Self::StreamNotProved,
            Self::StreamDown,
            Self::StreamUnsure,
            Self::ReconcileLate,
            Self::UnknownOrders,
            Self::Exposure,
            Self::MessagesHigh,
            Self::MessagesPerFill,
            Self::RepeatedEntries,
            Self::DailyLoss,
            Self::DailyLossAlarm,
            Self::BotDailyLoss,
            Self::Drawdown,
            Self::Turnover,
            Self::BreakerOpen,
            Self::VenueBreakerOpen,
            Self::AbsurdNumbers,
            Self::BalanceUnexplained,
            Self::SafeMode,
            Self::ForeignDesk,
            Self::AssetContradicted,
            Self::RuleUnknown,
            Self::NotCompared,
            Self::OrdersSettling,
        ];
        if words.starts_with(BLOCKED) {
            return Self::OrdersBlocked(words);
        }
        if words.starts_with(HANGS) {
            return Self::ComponentHangs(words);
        }
        let known = listed.into_iter().find(|kind| kind.words() == words);
        known.unwrap_or(Self::Other(words))
    }
}

/// An open cause: one scope held in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What it covers.
    pub scope: Scope,
    /// What it allows.
    pub state: TradingState,
    /// Why; one cause per scope and reason.
    pub reason: CauseKind,
    /// Since when.
    pub since: Timestamp,
    /// Who may end it.
    pub clearing: Clearing,
}

/// All open causes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingStates {
    causes: Vec<Cause>,
}

impl TradingStates {
    /// Opens a cause; a cause of the same scope and reason is replaced. Returns whether anything changed.
    pub fn open(&mut self, cause: Cause) -> bool {
        let same = |known: &&mut Cause| known.scope == cause.scope && known.reason == cause.reason;
        match self.causes.iter_mut().find(same) {
            Some(known) if known.state == cause.state => false,
            Some(known) => {
                *known = cause;
                true
            }
            None => {
                self.causes.push(cause);
                true
            }
        }
    }

    /// Ends the cause of this scope and reason. Returns whether there was one.
    pub fn close(&mut self, scope: Scope, reason: &CauseKind) -> bool {
        let before = self.causes.len();
        self.causes
            .retain(|cause| cause.scope != scope || cause.reason != *reason);
        self.causes.len() != before
    }

    /// The open causes, in the order in which they came.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// The state of the desk as a whole.
    #[must_use]
    pub fn desk(&self) -> TradingState {
        self.at(Scope::Desk)
    }

    /// The strictest state of exactly this scope.
    #[must_use]
    pub fn at(&self, scope: Scope) -> TradingState {
        self.strictest(|of| of == scope)
    }

    /// The state that rules an order of these. While positions are closed for a kill of the desk, a part that was killed
    /// before is closed, too.
    #[must_use]
    pub fn for_order(&self, order: OrderScope) -> TradingState {
        let mut causes = self.causes.iter();
        let flattening = causes.find(|cause| cause.reason == CauseKind::Flattening);
        let yields = |cause: &Cause| {
            let is_part = cause.scope != Scope::Desk && cause.reason == CauseKind::Killed;
            is_part && flattening.is_some_and(|flattening| cause.since <= flattening.since)
        };
        self.strictest_of(|cause| cause.scope.covers(order) && !yields(cause))
    }

    fn strictest(&self, covers: impl Fn(Scope) -> bool) -> TradingState {
        self.strictest_of(|cause| covers(cause.scope))
    }

    fn strictest_of(&self, counts: impl Fn(&Cause) -> bool) -> TradingState {
        self.causes
            .iter()
            .filter(|cause| counts(cause))
            .map(|cause| cause.state)
            .max()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(scope: Scope, state: TradingState, reason: CauseKind) -> Cause {
        Cause {
            scope,
            state,
            reason,
            since: Timestamp::EPOCH,
            clearing: Clearing::Itself,
        }
    }

    #[test]
    fn the_strictest_cause_that_covers_an_order_rules_it() {
        let mut states = TradingStates::default();
        let order = |instrument, bot| OrderScope {
            venue: VenueId(1),
            account: AccountId(0),
            instrument: InstrumentId(instrument),
            bot,
        };
        let (bot, other) = (BotId(7), Some(BotId(7)));
        assert_eq!(states.for_order(order(3, other)), TradingState::Active);
        assert!(states.open(cause(
            Scope::Bot(bot),
            TradingState::Reducing,
            CauseKind::Other("daily loss".to_owned())
        )));
        assert!(states.open(cause(
            Scope::Instrument(InstrumentId(4)),
            TradingState::Halted,
            CauseKind::NotReconciled
        )));
        assert_eq!(states.for_order(order(3, other)), TradingState::Reducing);
        assert_eq!(states.for_order(order(3, None)), TradingState::Active);
        assert_eq!(states.for_order(order(4, other)), TradingState::Halted);
        assert!(states.open(cause(Scope::Desk, TradingState::Killed, CauseKind::Killed)));
        assert!(!states.open(cause(Scope::Desk, TradingState::Killed, CauseKind::Killed)));
        assert_eq!(states.for_order(order(3, None)), TradingState::Killed);
        assert!(states.close(Scope::Desk, &CauseKind::Killed));
        assert_eq!(states.desk(), TradingState::Active);
        for (scope, covers) in [
            (Scope::Venue(VenueId(1)), true),
            (Scope::Venue(VenueId(2)), false),
            (Scope::Account(AccountId(0)), true),
            (Scope::Account(AccountId(1)), false),
        ] {
            assert!(states.open(cause(scope, TradingState::Killed, CauseKind::Killed)));
            let killed = states.for_order(order(3, None)) == TradingState::Killed;
            assert_eq!(killed, covers, "{scope:?}");
            assert!(states.close(scope, &CauseKind::Killed));
        }
    }

    #[test]
    fn a_cause_is_read_back_from_its_words() {
        for kind in [
            CauseKind::NotReconciled,
            CauseKind::EventLogBehind,
            CauseKind::DiskReserve,
            CauseKind::DiskFull,
            CauseKind::DiskReadOnly,
            CauseKind::MarketDataNotStored,
            CauseKind::Stopping,
            CauseKind::FillNotBooked,
            CauseKind::Killed,
            CauseKind::Flattening,
            CauseKind::ConfigurationRefused,
            CauseKind::Drawdown,
            CauseKind::BreakerOpen,
            CauseKind::AbsurdNumbers,
            CauseKind::SafeMode,
            CauseKind::ForeignDesk,
            CauseKind::Other("a cause of tomorrow".to_owned()),
        ] {
            assert_eq!(CauseKind::from(String::from(kind.clone())), kind);
        }
    }
}
