//! Throws broken messages at every decoder for a while and tells whether one of them panicked.
//!
//! It is blind to coverage, since the stable compiler offers none to steer by: what it has instead is a corpus of the
//! venue's own examples and mutations that know how such messages are made (`mutate.rs`). The same seed and number of
//! executions throw the same inputs. `scripts/fuzz [SECONDS [SEED]]` builds and starts it; a find is written below `target/fuzz-finds`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod corpus;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::Mutator;
use targets::Target;

/// Executions between two looks at the clock.
const BURST: u64 = 64;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let mut number = |default: u64| words.next().map_or(Ok(default), |word| word.parse());
    let (Ok(seconds), Ok(seed)) = (number(60), number(1)) else {
        eprintln!("usage: fuzz [SECONDS [SEED]], both whole numbers");
        return ExitCode::from(2);
    };
    // A panic is counted and kept with its input; its words once a find are enough.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let targets = targets::all();
    let share = Duration::from_secs(seconds) / u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let mut broken = 0;
    for target in &targets {
        broken += u64::from(fuzz(target, share, seed) > 0);
    }
    let held = targets.len() as u64 - broken;
    println!("fuzz: {held} passed, {broken} failed");
    ExitCode::from(u8::from(broken > 0))
}

/// Runs one target for `share` and returns how often it panicked.
fn fuzz(target: &Target, share: Duration, seed: u64) -> u64 {
    let examples = corpus::of(target);
    let mut mutator = Mutator::new(seed);
    let mut run = (target.open)();
    let (mut executions, mut understood, mut crashes) = (0_u64, 0_u64, 0_u64);
    // Every example as it is, first; what is understood is worth breaking.
    let known: Vec<Vec<u8>> = examples
        .iter()
        .filter(|example| run(example))
        .cloned()
        .collect();
    let corpus = if known.is_empty() { &examples } else { &known };
    let began = Instant::now();
    while began.elapsed() < share {
        for _ in 0..BURST {
            let input = mutator.next(corpus);
            executions += 1;
            match catch_unwind(AssertUnwindSafe(|| run(&input))) {
                Ok(true) => understood += 1,
                Ok(false) => {}
                Err(_) => {
                    crashes += 1;
                    keep(target.name, executions, &input);
                    run = (target.open)();
                }
            }
        }
    }
    let rate = executions * 1_000
        / u64::try_from(began.elapsed().as_millis())
            .unwrap_or(1)
            .max(1);
    println!(
        "{:<24} {executions:>9} executions {rate:>8}/s, {:>3} % understood, {} of {} examples, {crashes} crashes",
        target.name,
        understood * 100 / executions.max(1),
        known.len(),
        examples.len(),
    );
    crashes
}

fn keep(target: &str, execution: u64, input: &[u8]) {
    let folder = std::path::Path::new("target/fuzz-finds");
    let path = folder.join(format!("{target}-{execution}"));
    let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, input));
    match kept {
        Ok(()) => eprintln!("FIND in {target}: {}", path.display()),
        Err(error) => eprintln!("FIND in {target}, which could not be kept: {error}: {input:?}"),
    }
}
