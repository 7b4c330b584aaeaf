//! Seeds of every test run.

use crate::{Outcome, Settings, run};

/// Seeds of every test run.
const SEEDS: u64 = 12;

/// I01, I02, I03, I04, I05, I10, I11, I20, I22, I23: whatever goes wrong, all is in order once it is over.
#[test]
fn whatever_a_seed_draws_the_books_are_in_order_afterwards() {
    let outcomes: Vec<Outcome> = (1..=SEEDS).map(|seed| run(seed, &Settings::default())).collect();
    let failed = outcomes.iter().filter_map(|outcome| {
        let failure = outcome.failure.as_ref()?;
        Some(format!("make sim SEED={}: {failure}", outcome.seed))
    });
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
