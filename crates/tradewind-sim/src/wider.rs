//! Kinds of faults that the first plan of a seed does not have. They are drawn from a lane of their own, so that a seed that found a
//! bug under the first plan still draws the same faults there.

use std::time::Duration;

use tradewind_model::Ppm;
use tradewind_simx::Chance;

use crate::hostile::Answers;
use crate::plan::{Act, CHAOS, Fault, Harm, State};

/// Lane of these draws.
const LANE: u64 = u64::MAX - 5;
/// Most faults of these kinds.
const FAULTS: u64 = 20;
/// Share of the kinds that a seed allows.
const ALLOWED: Ppm = Ppm(500_000);
/// A tag of ours with the instance of another desk: the epoch and the number follow.
const FOREIGN: &str = "545700000002";

/// How a kind is made.
type Make = fn(&mut Chance) -> Act;

/// Every kind: its row, the state that it is about, and how one is made.
pub(crate) const KINDS: &[(&str, State, Make)] = &[
    // What was not synced is lost, but for some bytes.
    ("S01", State::Open, |draws| {
        Act::PowerCut(one_of(draws, &[0, 33, 700, 5_000]))
    }),
    ("S04", State::Open, |_| Act::FailSync),
    ("S09", State::Open, |draws| {
        Act::SlowSyncs(span(draws, 5, 60))
    }),
    ("S03", State::Filled, |draws| {
        Act::Harm(Harm::Zeros, draws.below(500_000))
    }),
    ("S03", State::Filled, |draws| {
        Act::Harm(
            Harm::Misdirected(draws.below(1_000_000)),
            draws.below(500_000),
        )
    }),
    ("T02", State::Open, |draws| {
        let seconds = one_of(draws, &[-3_600, 3_600, -1, 1, -70, 70]);
        Act::WallStep(seconds, draws.below(2) == 0)
    }),
    ("P05", State::Open, foreign),
    ("P03", State::Any, |draws| {
        let answers = one_of(draws, &Answers::ALL);
        Act::Hostile(answers, span(draws, 10, 90))
    }),
    ("N09", State::Open, |draws| {
        Act::SlowReader(one_of(draws, &[200, 2_000, 20_000]))
    }),
    ("V10", State::Stop, |draws| {
        lasting(
            draws,
            "do = \"halt\"\non = \"request\"\ncall = \"POST /api/v3/order/cancelReplace\"\nstatus = \"CANCEL_ONLY\"\ntimes = 1",
        )
    }),
    ("V10", State::Stop, |draws| {
        lasting(
            draws,
            "do = \"answer\"\ncall = \"POST /api/v3/order/cancelReplace\"\nstatus = 500\ncode = -1007\nexecuted = true\nchance = 0.5",
        )
    }),
    ("V18", State::Any, |draws| {
        lasting(
            draws,
            "do = \"mutate\"\nframe = \"executionReport\"\nfield = \"X\"\nto = \"PENDING_REVIEW\"\nchance = 0.3",
        )
    }),
    ("V18", State::Any, |draws| {
        lasting(
            draws,
            "do = \"mutate\"\non = \"answer\"\ncall = \"order.status\"\nfield = \"status\"\nto = \"FROZEN\"\nchance = 0.5",
        )
    }),
    ("V19", State::Any, |draws| {
        lasting(
            draws,
            "do = \"answer\"\ncall = \"order.place\"\ntype = \"STOP_LOSS\"\nstatus = 400\ncode = -1013\nmessage = \"Filter failure: MAX_NUM_ALGO_ORDERS\"\nexecuted = false\nchance = 0.5",
        )
    }),
    ("V20", State::Any, |draws| {
        lasting(
            draws,
            "do = \"fill\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\nquantity = \"50\"\non = \"frame\"\nframe = \"executionReport/NEW\"\nevery = 2",
        )
    }),
    ("V21", State::Filled, |draws| {
        let executed = draws.below(2) == 0;
        lasting(
            draws,
            &format!(
                "do = \"lose-reply\"\ncall = \"order.place\"\ntype = \"STOP_LOSS\"\nexecuted = {executed}\nchance = 0.5"
            ),
        )
    }),
];

/// A fault of the exchange that lasts a while.
fn lasting(draws: &mut Chance, script: &str) -> Act {
    let span = span(draws, 5, 60).as_secs();
    Act::Script(format!("[[fault]]\n{script}\nfor = \"{span}s\"\n"))
}

fn one_of<T: Copy>(draws: &mut Chance, all: &[T]) -> T {
    let chosen = draws.below(all.len() as u64);
    all[usize::try_from(chosen).unwrap()]
}

fn span(draws: &mut Chance, least: u64, below: u64) -> Duration {
    Duration::from_secs(least + draws.below(below - least))
}

/// Another desk with our tag trades on the account.
fn foreign(draws: &mut Chance) -> Act {
    let (epoch, number) = (draws.below(1 << 31), draws.below(1 << 40));
    Act::Foreign(format!(
        "[[fault]]\ndo = \"trade\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\nside = \"BUY\"\ntype = \"MARKET\"\nquantity = \"100\"\nnewClientOrderId = \"{FOREIGN}{epoch:08x}{number:012x}\"\ntimes = 1\n"
    ))
}

/// The faults of a seed beside those of the first plan; their numbers are not set.
pub(crate) fn faults(seed: u64) -> Vec<Fault> {
    let draws = &mut Chance::new(seed, LANE);
    let allowed: Vec<_> = KINDS.iter().filter(|_| draws.hits(ALLOWED)).collect();
    let count = match allowed.len() {
        0 => 0,
        _ => draws.below(FAULTS),
    };
    let one = |_| {
        let chosen = draws.below(allowed.len() as u64);
        let (row, needs, make) = allowed[usize::try_from(chosen).unwrap()];
        let at = span(draws, 0, CHAOS.as_secs());
        let act = make(draws);
        Fault {
            number: 0,
            row,
            needs: *needs,
            at,
            act,
        }
    };
    (0..count).map(one).collect()
}
