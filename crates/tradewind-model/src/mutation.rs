//! Deliberate bugs, one at a time, that the simulator must find.
//!
//! Each is one line where an engineer could have made the mistake. Without the feature `mutations`, which no crate of the workspace
//! asks for, [`is_on`] is a constant `false`, and the compiler leaves nothing of it. `docs/mutations.md` has what found each.

#[cfg(feature = "mutations")]
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Declares the bugs: what was done wrong, its name, and the invariants and rows of `docs/fault-coverage.md` that it breaks.
macro_rules! mutations {
    ($($(#[doc = $words:literal])+ $name:ident: $breaks:literal,)+) => {
        /// A deliberate bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutation {
            $($(#[doc = $words])+ $name,)+
        }

        #[cfg(feature = "mutations")]
        impl Mutation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What was done wrong.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => concat!($($words),+).trim(),)+ }
            }

            /// The invariants and rows that it breaks.
            #[must_use]
            pub const fn breaks(self) -> &'static str {
                match self { $(Self::$name => $breaks,)+ }
            }
        }
    };
}

mutations! {
    // Executor and venue.
    /// An order without an answer is sent again.
    ResendUnanswered: "I01 V01 V03 N10",
    /// An order that the venue refused is sent again, unchanged.
    ResendRefused: "I01 V13",
    /// The first "no such order" is believed.
    AbsentAtOnce: "I13 I16 V04",
    /// "No such order" is believed after 15 s without a look at the lists and at what is locked.
    AbsentWithoutLists: "I13 I16 V02",
    /// An order that was answered by 5xx counts as refused.
    ServerErrorRefuses: "I13 I16 V01",
    /// An undocumented code counts as a refusal.
    UnknownCodeRefuses: "I13 I16 V14",
    /// Where a replacement was placed although its cancel failed, the old order counts as cancelled.
    ReplacementCancels: "I13 V10",
    /// The word of a status that is not known counts as cancelled.
    UnknownWordCancels: "I13 V18",
    /// Requests leave before `Retry-After`.
    RetryAfterIgnored: "I14 V12",
    /// Requests leave whatever weight is used up.
    WeightIgnored: "I14 L11",
    /// A query without a definite answer is not repeated.
    QueryGivenUp: "I20 V02",
    /// The quantity is written one step larger than what was approved.
    QuantityRoundedUp: "I06 V16",
    /// A short page of a list is taken for the last one.
    ShortPageIsLast: "I02 V05",
    /// The parts of a reading of the account need not belong together.
    ReadingNotRepeated: "I03 V05",
    /// A change of a book that does not follow the last one is taken in.
    GapIgnored: "I12 D01",
    /// The latch is read before the wait for a connection, and not again before the bytes leave.
    LatchReadEarly: "I04 H04",

    // Orders and the ledger.
    /// An execution that comes twice is applied twice.
    FillTwice: "I02 V07",
    /// A fill of an order that has ended is dropped.
    LateFillDropped: "I02 I13 V06",
    /// A partial fill ends its order.
    PartialFillEnds: "I13 V06",
    /// A refused cancel ends its order.
    RefusedCancelEnds: "I13 V09",
    /// That the venue ended an order is taken for a sign that it is there.
    ExpiryIgnored: "I03 V15",
    /// An execution that only a reading lists is not booked.
    MissedFillNotBooked: "I02 V08",
    /// All executions up to the newest one that was reported count as booked.
    CursorTooFar: "I02 V08",
    /// A trade by hand is not booked.
    HandTradeIgnored: "I02 V17",
    /// A change of a balance by somebody else is not booked.
    TransferIgnored: "I03 I22 V17",
    /// What an UNKNOWN order may spend is released at once.
    UnknownReleased: "I16 V01",
    /// An UNKNOWN order does not keep its bot from entering again.
    UnknownEnters: "I16 V21",
    /// What can be sold is not less by the fee that was paid in it.
    SizedBeforeFee: "I23 V11",
    /// A fee is not booked.
    FeeNotBooked: "I22 V11",
    /// What is too small to sell is not written off.
    DustKept: "I20 V11",
    /// A move between owners takes from nobody.
    OneSidedTransfer: "I07 I22",

    // Stops, states and market data.
    /// A stop that takes in another position forgets those it covered.
    SharesForgotten: "I23 V19",
    /// Only an entry that is filled whole is protected.
    PartialFillUnprotected: "I23 V20",
    /// A stop that ended is not placed anew.
    LostStopUnnoticed: "I23 V15",
    /// An exit goes while the fate of a stop in its way is open.
    ExitNotWaiting: "I16 V21",
    /// An instrument that the venue does not trade is entered.
    HaltIgnored: "I12 V15",
    /// A quote of a feed that is not live is traded on.
    StaleQuoteUsed: "I12 N03",
    /// Two entries probe a breaker at once.
    ProbeOfTwo: "I14 V13 L09",
    /// Orders leave before the account was compared with the books.
    StartGateOpen: "I11 I12 N11",
    /// The kill of the desk leaves its entries at the venue.
    KillKeepsEntries: "I04 H05",
    /// The latch in memory is not set by a kill.
    KillWithoutLatch: "I04 H04",

    // Journal, recovery, queues and bus.
    /// An order is sent, then its intent is written.
    SentBeforeWritten: "I05 S01",
    /// Intents count as durable before the sync that makes them so.
    SyncNotAwaited: "I05 S07",
    /// Timers that fire are not in the journal.
    TimerNotJournaled: "I10",
    /// A recovery reads the snapshot without the records behind it.
    TailIgnored: "I11 I02 S01",
    /// A recovery leaves what followed from the last input undone.
    LastGroupOpen: "I10 I11",
    /// A snapshot leaves out orders that are open.
    SnapshotWithoutOrders: "I10 I11",
    /// A start takes the epoch of the last one.
    EpochReused: "I01 P05",
    /// A start does not make orders without an outcome UNKNOWN.
    PendingKept: "I11 I16 P08",
    /// A lossless subscriber loses what its queue has no room for.
    LosslessDrops: "I09 L03",
    /// An idle connection is neither used again nor closed.
    ConnectionKept: "I15",
}

/// The bug that is switched on: its place in [`Mutation::ALL`] plus 1, and how often its line was reached.
#[cfg(feature = "mutations")]
static ON: AtomicUsize = AtomicUsize::new(0);
#[cfg(feature = "mutations")]
static REACHED: AtomicU64 = AtomicU64::new(0);

/// Whether a bug is switched on: never, in a build without the feature `mutations`.
#[cfg(not(feature = "mutations"))]
#[inline]
#[must_use]
pub const fn is_on(_: Mutation) -> bool {
    false
}

/// Whether a bug is switched on.
#[cfg(feature = "mutations")]
#[must_use]
pub fn is_on(mutation: Mutation) -> bool {
    let is_on = ON.load(Ordering::Relaxed) == mutation as usize + 1;
    if is_on {
        REACHED.fetch_add(1, Ordering::Relaxed);
    }
    is_on
}

/// Switches a bug on in the whole process, and any other off.
#[cfg(feature = "mutations")]
pub fn switch_to(mutation: Option<Mutation>) {
    ON.store(
        mutation.map_or(0, |mutation| mutation as usize + 1),
        Ordering::SeqCst,
    );
    REACHED.store(0, Ordering::SeqCst);
}

/// How often the line of the bug that is switched on was reached since.
#[cfg(feature = "mutations")]
#[must_use]
pub fn reached() -> u64 {
    REACHED.load(Ordering::SeqCst)
}
