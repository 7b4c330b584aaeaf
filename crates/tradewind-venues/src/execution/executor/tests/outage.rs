//! L09: what an outage leaves to be repeated does not keep the venue down.

use super::*;

/// Reads of candles that bots of many instruments begin at once.
const READS: u32 = 300;

/// Runs the world until `end`, answering each request by `response`. Returns how many were begun.
fn run(world: &mut World, end: Timestamp, response: impl Fn() -> VenueResponse) -> usize {
    let mut begun = 0;
    loop {
        while !world.begun.is_empty() {
            for (id, _) in std::mem::take(&mut world.begun) {
                begun += 1;
                world.respond(id, response());
            }
        }
        let Some(at) = world.executor.wake_at().filter(|at| *at <= end) else {
            world.now = end;
            return begun;
        };
        world.now = world.now.max(at);
        world.input(ExecutorInput::Tick);
    }
}

/// Five minutes of failures are ten repetitions at once and ten a minute, and the account's reading every five to ten seconds. Then every
/// read of candles is answered, a tenth of them at once and the others at the same pace.
#[test]
fn l09_reads_that_fail_in_an_outage_are_repeated_within_their_budget_and_none_is_lost() {
    for reads_account in [false, true] {
        let mut world = World::new(None);
        for count in 1..=READS {
            world.input(ExecutorInput::ReadCandles {
                instrument: INSTRUMENT,
                interval: Interval::Minute1,
                count,
            });
        }
        if reads_account {
            world.input(ExecutorInput::ReadAccount);
        }
        let end = world.now + Duration::from_secs(300);
        let begun = run(&mut world, end, lost);
        let first = usize::try_from(READS).unwrap() + usize::from(reads_account);
        // The first ten, fifty in five minutes, and those of the account.
        let account = if reads_account { 60 } else { 0 };
        let repeated = begun - first;
        assert!((40..=60 + account).contains(&repeated), "{repeated}");
        assert!(world.candles.is_empty(), "none is given up");

        let end = world.now + Duration::from_secs(1_800);
        let minute = world.now + Duration::from_secs(60);
        let healed = || VenueResponse::Candles(Vec::new());
        let soon = run(&mut world, minute, healed);
        assert!(soon <= 21 + account, "{soon} in the minute after");
        run(&mut world, end, healed);
        assert_eq!(world.candles.len(), usize::try_from(READS).unwrap());
    }
}
