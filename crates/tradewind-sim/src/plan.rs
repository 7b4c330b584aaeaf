//! What goes wrong in a seed, drawn before it begins.
//!
//! A seed allows a random part of the kinds of faults and gives each a weight of its own, so that some seeds meet two kinds often and
//! others meet all of them rarely. Every draw of a fault is made here, so that one that is left out changes no other.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tradewind_journal::CrashPoint;
use tradewind_model::Ppm;
use tradewind_simx::Chance;
use tradewind_simx_server::simulation::{Direction, LinkFault, Occasion, Rule};

use crate::hostile::Answers;
use crate::wider;

/// Lane of the draws; the network's connections have the low ones.
const LANE: u64 = u64::MAX - 1;
/// The newest plan. A seed that found a bug is kept with the plan of its time: a later one draws more.
pub const PLAN: u32 = 2;
/// How long faults are added.
pub(crate) const CHAOS: Duration = Duration::from_secs(300);
/// Fewest faults of a seed, and how many more there may be.
const FAULTS: (u64, u64) = (8, 40);
/// Share of the kinds that a seed allows.
const ALLOWED: Ppm = Ppm(400_000);

/// The state that a fault is about. It waits a while for it, and counts as reached only in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Any.
    Any,
    /// An order is open at the exchange.
    Open,
    /// A stop rests at the exchange.
    Stop,
    /// A fill is booked.
    Filled,
}

/// What a person does with the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Person {
    Kill,
    Flatten,
    Reset,
    Pause,
    Stop,
    Liquidate,
    Start,
    Close,
    KillBot,
    ResetBot,
    ClearRisk,
    Adopt,
    Order,
    Cancel,
}

impl Person {
    const ALL: [Self; 14] = [
        Self::Kill,
        Self::Flatten,
        Self::Reset,
        Self::Pause,
        Self::Stop,
        Self::Liquidate,
        Self::Start,
        Self::Close,
        Self::KillBot,
        Self::ResetBot,
        Self::ClearRisk,
        Self::Adopt,
        Self::Order,
        Self::Cancel,
    ];
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Script(String),
    Rule(Rule),
    CutAll,
    /// Every connection falls silent, and nobody notices.
    HalfOpen,
    Partition(Duration),
    /// The process is suspended.
    Pause(Duration),
    Kill,
    Crash(CrashPoint, u32),
    /// The process dies, and its next start does at this point.
    CrashAgain(CrashPoint, u32),
    /// The disk has room for so many bytes more, for a while.
    Full(u64, Duration),
    /// The n-th operation on the disk fails.
    BadOperation(u64),
    /// A bit of the truth is another at the next start; where, in millionths of the file.
    Flip(u64),
    Person(Person, u64),
    /// The power goes, and with it what was not synced, but for so many bytes of each file. A desk that does not sync dies alone.
    PowerCut(usize),
    /// The next sync fails.
    FailSync,
    /// Each sync takes 2 s, for a while.
    SlowSyncs(Duration),
    /// What is read of a damaged disk; where, in millionths of a file.
    Harm(Harm, u64),
    /// The host's clock is set by so many seconds; whether the desk dies then.
    WallStep(i64, bool),
    /// Another desk with our tag trades on the account.
    Foreign(String),
    /// The strategy that runs outside is hostile, for a while.
    Hostile(Answers, Duration),
    /// So many bytes a second are read of each connection.
    SlowReader(u64),
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// One bit is another.
    Bit,
    /// A sector is zero.
    Zeros,
    /// A sector of another place lies here; whose, in millionths of the file.
    Misdirected(u64),
}

/// A fault of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Its number in the seed.
    pub(crate) number: usize,
    /// Its row of `docs/faults.md`.
    pub(crate) row: &'static str,
    pub(crate) needs: State,
    /// When, from the beginning of the chaos on.
    pub(crate) at: Duration,
    pub(crate) act: Act,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, act, at, .. } = self;
        match act {
            Act::Script(script) => write!(
                f,
                "{row} at {at:?}: {}",
                script.replace('\n', " ").trim_start_matches("[[fault]] ")
            ),
            other => write!(f, "{row} at {at:?}: {other:?}"),
        }
    }
}

/// How a kind of fault is made.
enum Make {
    /// A fault of the exchange that lasts a while.
    Lasting(&'static str),
    /// Something that happens once on the account or in the market.
    Once(&'static str),
    Network(fn(&mut Chance) -> Act),
}

/// Every kind: its row, the state that it is about, and how one is made.
const KINDS: &[(&str, State, Make)] = &[
    ("N01", State::Any, Make::Lasting("do = \"refuse\"")),
    ("N01", State::Open, Make::Network(|_| Act::CutAll)),
    ("N02", State::Open, Make::Network(cut_within)),
    (
        "N02",
        State::Any,
        Make::Lasting("do = \"cut\"\nframe = \"executionReport\"\nbytes = \"each\"\nevery = 3"),
    ),
    ("N03", State::Open, Make::Network(|_| Act::HalfOpen)),
    (
        "N03",
        State::Any,
        Make::Lasting("do = \"half-open\"\non = \"time\"\nwire = \"market\""),
    ),
    (
        "N04",
        State::Open,
        Make::Lasting("do = \"half-open\"\npings = true\non = \"time\"\nwire = \"ws-api\""),
    ),
    (
        "N05",
        State::Open,
        Make::Once("do = \"shutdown\"\non = \"time\"\ntimes = 1"),
    ),
    (
        "N06",
        State::Any,
        Make::Lasting("do = \"flap\"\nleast = \"200ms\"\nmost = \"1s\""),
    ),
    (
        "N07",
        State::Any,
        Make::Lasting("do = \"refuse-subscribe\"\nkeep = 2\nack = \"lost\""),
    ),
    (
        "N09",
        State::Open,
        Make::Lasting(
            "do = \"delay\"\nframe = \"executionReport\"\nby = \"uniform(0s,30s)\"\nchance = 0.5",
        ),
    ),
    (
        "N09",
        State::Open,
        Make::Lasting("do = \"reorder\"\nevery = 7"),
    ),
    ("N09", State::Open, Make::Network(late)),
    (
        "N10",
        State::Any,
        Make::Lasting("do = \"lose-reply\"\ncall = \"order.place\"\nexecuted = true\nchance = 0.4"),
    ),
    (
        "N10",
        State::Any,
        Make::Lasting(
            "do = \"lose-reply\"\ncall = \"order.place\"\nexecuted = false\nchance = 0.4",
        ),
    ),
    (
        "N10",
        State::Any,
        Make::Lasting(
            "do = \"lose-reply\"\ncall = \"order.cancel\"\nexecuted = true\nchance = 0.5",
        ),
    ),
    (
        "N10",
        State::Any,
        Make::Lasting("do = \"lose-reply\"\nwire = \"rest\"\nchance = 0.3"),
    ),
    ("N10", State::Open, Make::Network(silence_order)),
    (
        "N11",
        State::Open,
        Make::Network(|draws| Act::Partition(seconds(draws, 2, 60))),
    ),
    (
        "V01",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 503\ncode = -1000\nexecuted = true\nchance = 0.4",
        ),
    ),
    (
        "V01",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 504\ncode = -1000\nexecuted = false\nchance = 0.4",
        ),
    ),
    (
        "V01",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.cancel\"\nstatus = 502\nbody = \"<html>\"\nexecuted = true\nchance = 0.5",
        ),
    ),
    (
        "V02",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 500\ncode = -1007\nexecuted = \"10s\"\nchance = 0.4",
        ),
    ),
    (
        "V02",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 500\ncode = -1006\nexecuted = true\nchance = 0.4",
        ),
    ),
    (
        "V04",
        State::Open,
        Make::Lasting("do = \"hide-orders\"\nlag = \"20s\""),
    ),
    (
        "V05",
        State::Filled,
        Make::Lasting("do = \"truncate\"\nkeep = 1\ncall = \"myTrades\""),
    ),
    (
        "V06",
        State::Any,
        Make::Lasting(
            "do = \"delay\"\non = \"answer\"\ncall = \"order.place\"\nby = \"uniform(0s,500ms)\"",
        ),
    ),
    (
        "V07",
        State::Filled,
        Make::Lasting(
            "do = \"duplicate\"\nframe = \"executionReport\"\nby = \"exponential(2s)\"\nchance = 0.5",
        ),
    ),
    (
        "V08",
        State::Any,
        Make::Lasting("do = \"drop\"\nframe = \"executionReport/TRADE\"\nchance = 0.3"),
    ),
    (
        "V09",
        State::Any,
        Make::Lasting(
            "do = \"fill\"\non = \"request\"\ncall = \"order.cancel\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"",
        ),
    ),
    (
        "V12",
        State::Any,
        Make::Lasting("do = \"answer\"\nstatus = 429\ncode = -1003"),
    ),
    (
        "V12",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\nstatus = 418\ncode = -1003\nretry-after = \"20s\"\ntimes = 1",
        ),
    ),
    (
        "V13",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 400\ncode = -2010\nexecuted = false\nchance = 0.3",
        ),
    ),
    (
        "V14",
        State::Any,
        Make::Lasting(
            "do = \"answer\"\ncall = \"order.place\"\nstatus = 400\ncode = -1008\nexecuted = true\nchance = 0.3",
        ),
    ),
    (
        "V15",
        State::Open,
        Make::Lasting("do = \"halt\"\nsymbol = \"DOGEUSDT\"\nstatus = \"HALT\""),
    ),
    (
        "V15",
        State::Open,
        Make::Lasting("do = \"halt\"\nsymbol = \"ADAUSDT\"\nstatus = \"BREAK\"\nexpire = true"),
    ),
    (
        "V16",
        State::Any,
        Make::Lasting("do = \"filters\"\nsymbol = \"XRPUSDT\"\nstepSize = \"1\""),
    ),
    (
        "V17",
        State::Filled,
        Make::Once(
            "do = \"trade\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\nside = \"BUY\"\ntype = \"MARKET\"\nquantity = \"50\"\ntimes = 1",
        ),
    ),
    (
        "V17",
        State::Filled,
        Make::Once(
            "do = \"trade\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\nside = \"SELL\"\ntype = \"MARKET\"\nquantity = \"50\"\ntimes = 1",
        ),
    ),
    (
        "V17",
        State::Any,
        Make::Once(
            "do = \"deposit\"\naccount = \"key\"\nasset = \"USDT\"\namount = \"500\"\ntimes = 1",
        ),
    ),
    (
        "V17",
        State::Any,
        Make::Once(
            "do = \"withdraw\"\naccount = \"key\"\nasset = \"USDT\"\namount = \"500\"\ntimes = 1",
        ),
    ),
    (
        "V17",
        State::Open,
        Make::Once("do = \"cancel\"\naccount = \"key\"\nsymbol = \"XRPUSDT\"\ntimes = 1"),
    ),
    (
        "V17",
        State::Stop,
        Make::Once("do = \"cancel\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\ntimes = 1"),
    ),
    (
        "D05",
        State::Any,
        Make::Lasting("do = \"corrupt\"\nframe = \"bookTicker\"\nhow = \"garbled\"\nchance = 0.2"),
    ),
    (
        "D06",
        State::Stop,
        Make::Once("do = \"price\"\npath = [[\"0s\", 1], [\"5s\", 0.95], [\"10s\", 1]]"),
    ),
    (
        "D06",
        State::Stop,
        Make::Once("do = \"price\"\npath = [[\"0s\", 1], [\"20s\", 0.6], [\"50s\", 1]]"),
    ),
    ("D07", State::Any, Make::Lasting("do = \"freeze\"")),
    (
        "D08",
        State::Any,
        Make::Lasting("do = \"drop\"\nframe = \"kline\"\nchance = 0.5"),
    ),
    (
        "D09",
        State::Any,
        Make::Lasting(
            "do = \"corrupt\"\nframe = \"executionReport\"\nhow = \"truncated\"\nchance = 0.3",
        ),
    ),
    (
        "T01",
        State::Any,
        Make::Lasting("do = \"clock\"\nskew = \"5s\""),
    ),
    (
        "T01",
        State::Any,
        Make::Lasting("do = \"clock\"\nskew = \"-1h\""),
    ),
    (
        "T03",
        State::Open,
        Make::Network(|draws| Act::Pause(seconds(draws, 1, 60))),
    ),
    ("S01", State::Any, Make::Network(crash)),
    ("S01", State::Open, Make::Network(crash_again)),
    (
        "S03",
        State::Filled,
        Make::Network(|draws| Act::Flip(draws.below(500_000))),
    ),
    ("S05", State::Open, Make::Network(full)),
    (
        "S06",
        State::Open,
        Make::Network(|draws| Act::BadOperation(1 + draws.below(300))),
    ),
    ("P01", State::Open, Make::Network(|_| Act::Kill)),
    (
        "H04",
        State::Open,
        Make::Network(|draws| Act::Person(Person::Kill, draws.below(1 << 32))),
    ),
    ("H08", State::Filled, Make::Network(person)),
];

/// Rows that a run of a thousand seeds must reach.
#[must_use]
pub fn rows() -> BTreeSet<&'static str> {
    let first = KINDS.iter().map(|(row, ..)| *row);
    let wider = wider::KINDS.iter().map(|(row, ..)| *row);
    first.chain(wider).collect()
}

fn seconds(draws: &mut Chance, least: u64, below: u64) -> Duration {
    Duration::from_secs(least + draws.below(below - least))
}

fn one_of<T: Copy>(draws: &mut Chance, all: &[T]) -> T {
    let chosen = draws.below(all.len() as u64);
    all[usize::try_from(chosen).unwrap()]
}

fn on(draws: &mut Chance, fault: LinkFault) -> Act {
    let on = one_of(draws, &[Occasion::Connect, Occasion::Order]);
    Act::Rule(Rule::share(on, Ppm(200_000), fault))
}

fn cut_within(draws: &mut Chance) -> Act {
    let direction = one_of(draws, &[Direction::ToServer, Direction::ToClient]);
    on(draws, LinkFault::CutBelow(direction, 600))
}

fn silence_order(draws: &mut Chance) -> Act {
    let direction = one_of(draws, &[Direction::ToServer, Direction::ToClient]);
    on(draws, LinkFault::Silence(direction))
}

fn late(draws: &mut Chance) -> Act {
    let direction = one_of(draws, &[Direction::ToServer, Direction::ToClient]);
    let by = seconds(draws, 1, 5);
    on(draws, LinkFault::Delay(direction, by))
}

/// Writes are frequent, a new file or a new snapshot is not.
fn crash(draws: &mut Chance) -> Act {
    let point = one_of(draws, &CrashPoint::ALL);
    let below = match point {
        CrashPoint::BeforeFlush | CrashPoint::AfterFlush => 400,
        _ => 3,
    };
    Act::Crash(point, 1 + u32::try_from(draws.below(below)).unwrap())
}

fn crash_again(draws: &mut Chance) -> Act {
    let point = one_of(draws, &CrashPoint::ALL);
    Act::CrashAgain(point, 1 + u32::try_from(draws.below(4)).unwrap())
}

fn full(draws: &mut Chance) -> Act {
    let room = draws.below(20_000);
    Act::Full(room, seconds(draws, 2, 60))
}

fn person(draws: &mut Chance) -> Act {
    let what = one_of(draws, &Person::ALL);
    Act::Person(what, draws.below(1 << 32))
}

/// The faults of a seed under a plan, in the order of their times.
pub(crate) fn plan(seed: u64, plan: u32) -> Vec<Fault> {
    let draws = &mut Chance::new(seed, LANE);
    let weights: Vec<u64> = KINDS
        .iter()
        .map(|_| u64::from(draws.hits(ALLOWED)) * (1 + draws.below(8)))
        .collect();
    let all: u64 = weights.iter().sum();
    let count = if all == 0 {
        0
    } else {
        FAULTS.0 + draws.below(FAULTS.1)
    };
    let mut faults: Vec<Fault> = (0..count).map(|_| fault(draws, &weights, all)).collect();
    if plan > 1 {
        faults.extend(wider::faults(seed));
    }
    faults.sort_by_key(|fault| fault.at);
    for (number, fault) in faults.iter_mut().enumerate() {
        fault.number = number;
    }
    faults
}

fn fault(draws: &mut Chance, weights: &[u64], all: u64) -> Fault {
    let mut left = draws.below(all);
    let chosen = weights.iter().position(|weight| {
        let is_here = left < *weight;
        left = left.saturating_sub(*weight);
        is_here
    });
    let (row, needs, make) = &KINDS[chosen.unwrap_or_default()];
    let at = seconds(draws, 0, CHAOS.as_secs());
    let span = seconds(draws, 5, 60).as_secs();
    let act = match make {
        Make::Lasting(script) => Act::Script(format!("[[fault]]\n{script}\nfor = \"{span}s\"\n")),
        Make::Once(script) => Act::Script(format!("[[fault]]\n{script}\n")),
        Make::Network(make) => make(draws),
    };
    Fault {
        number: 0,
        row,
        needs: *needs,
        at,
        act,
    }
}
