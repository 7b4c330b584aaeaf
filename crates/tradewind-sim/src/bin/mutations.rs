//! Shows that the simulator finds deliberate bugs: `make mutations`.
//!
//! Each bug gets a process of its own for each base: it runs seeds from there until one fails that passes without the bug. A bug that
//! makes a run never end counts as not found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tradewind_model::mutation::{Mutation, reached, switch_to};
use tradewind_sim::{Failure, Settings, run};

/// Between the first seeds of two bases.
const APART: u64 = 10_000;
/// Between two looks at a process.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Deliberate bugs, one at a time, under the faults that seeds draw.
#[derive(Debug, Parser)]
struct Arguments {
    /// This bug alone, or several: `FillTwice,EpochReused`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How many bases.
    #[arg(long, default_value_t = 5)]
    bases: u64,
    /// Seeds of a base.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Seconds for one bug and base.
    #[arg(long, default_value_t = 600)]
    within: u64,
    /// Seconds after which one seed counts as never ending.
    #[arg(long, default_value_t = 120)]
    ends_within: u64,
    /// Seeds of each base that are run without a bug first, and must pass.
    #[arg(long, default_value_t = 20)]
    clean: u64,
    /// Where results are kept: what is in it is not run again.
    #[arg(long)]
    results: PathBuf,
    /// Where to write the table.
    #[arg(long)]
    table: Option<PathBuf>,
    /// Run one bug from this seed on, in this process.
    #[arg(long, hide = true)]
    from: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let chosen = Mutation::ALL.iter().copied();
    let chosen: Vec<Mutation> = chosen
        .filter(|bug| {
            arguments.only.is_empty() || arguments.only.iter().any(|name| name == bug.name())
        })
        .collect();
    match (arguments.from, chosen.as_slice()) {
        (Some(from), [bug]) => {
            hunt(*bug, from, arguments.seeds);
            ExitCode::SUCCESS
        }
        _ => match all(&arguments, &chosen) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                say(&format!("{error}"));
                ExitCode::FAILURE
            }
        },
    }
}

fn say(text: &str) {
    // Nobody is left to tell when the output is closed.
    drop(writeln!(io::stdout().lock(), "{text}"));
}

/// Runs seeds with a bug until one fails that passes without it.
fn hunt(bug: Mutation, from: u64, seeds: u64) {
    let mut times = 0;
    for tries in 1..=seeds {
        let seed = from + tries - 1;
        say(&format!("try\t{seed}"));
        let failure = failure_of(seed, Some(bug));
        times += reached();
        let Some(failure) = failure else {
            continue;
        };
        if failure_of(seed, None).is_some() {
            say(&format!("unsound\t{seed}"));
            continue;
        }
        let story: String = failure.story.chars().take(300).collect();
        say(&format!(
            "found\t{seed}\t{tries}\t{times}\t{}\t{story}",
            failure.what
        ));
        return;
    }
    say(&format!("none\t{seeds}\t{times}"));
}

fn failure_of(seed: u64, bug: Option<Mutation>) -> Option<Failure> {
    switch_to(bug);
    run(seed, &Settings::default()).failure
}

/// What became of one bug from one base on.
#[derive(Clone, Debug)]
struct Found {
    /// The seed and the invariant; none if no seed found it.
    by: Option<(u64, String)>,
    tries: u64,
}

fn all(arguments: &Arguments, chosen: &[Mutation]) -> io::Result<bool> {
    let failing = unsound(arguments.bases, arguments.clean);
    if !failing.is_empty() {
        say(&format!(
            "without a bug these seeds fail, and prove nothing: {failing:?}"
        ));
    }
    let mut known = read(&arguments.results)?;
    let jobs = (0..arguments.bases).flat_map(|base| chosen.iter().map(move |bug| (*bug, base)));
    let jobs: Vec<(Mutation, u64)> = jobs
        .filter(|(bug, base)| !known.contains_key(&(bug.name().to_owned(), *base)))
        .collect();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&arguments.results)?;
    let (next, file) = (AtomicUsize::new(0), Mutex::new(file));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((bug, base)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let line = match one(arguments, *bug, *base) {
                        Ok(line) => format!("{}\t{base}\t{line}", bug.name()),
                        Err(error) => {
                            say(&format!("{}: {error}", bug.name()));
                            continue;
                        }
                    };
                    say(&line);
                    if let Ok(mut file) = file.lock() {
                        drop(writeln!(file, "{line}"));
                    }
                }
            });
        }
    });
    known = read(&arguments.results)?;
    if let Some(path) = &arguments.table {
        write_table(path, &known)?;
    }
    let is_found = |bug: &Mutation| {
        let name = bug.name().to_owned();
        (0..arguments.bases.max(1)).all(|base| {
            let found = known.get(&(name.clone(), base));
            found.is_some_and(|found| found.by.is_some())
        })
    };
    let missed: Vec<&str> = chosen
        .iter()
        .filter(|bug| !is_found(bug))
        .map(|bug| bug.name())
        .collect();
    say(&format!(
        "{} of {} found from every base; not: {missed:?}",
        chosen.len() - missed.len(),
        chosen.len()
    ));
    Ok(missed.is_empty() && failing.is_empty())
}

/// One bug from one base on, in a process of its own; its last line.
fn one(arguments: &Arguments, bug: Mutation, base: u64) -> io::Result<String> {
    let from = base * APART + 1;
    let out = arguments
        .results
        .with_extension(format!("{}-{base}", bug.name()));
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--only", bug.name(), "--from", &from.to_string()])
        .args(["--seeds", &arguments.seeds.to_string()])
        .args([
            std::ffi::OsStr::new("--results"),
            arguments.results.as_os_str(),
        ])
        .stdout(fs::File::create(&out)?)
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    let (mut last, mut since) = (String::new(), Instant::now());
    let mut verdict = None;
    while child.try_wait()?.is_none() {
        thread::sleep(LOOK_EVERY);
        let text = fs::read_to_string(&out)?;
        let line = text.lines().last().unwrap_or_default();
        if line != last {
            (last, since) = (line.to_owned(), Instant::now());
        }
        let tries = text.lines().filter(|line| line.starts_with("try")).count();
        // A process that another build slows down is no proof: what never ends counts as not found.
        let is_over = began.elapsed() > Duration::from_secs(arguments.within);
        if is_over || since.elapsed() > Duration::from_secs(arguments.ends_within) {
            verdict = Some(format!("none\t{tries}\t?"));
        }
        if verdict.is_some() {
            child.kill()?;
        }
    }
    let text = fs::read_to_string(&out)?;
    fs::remove_file(&out)?;
    let line = text.lines().last().unwrap_or_default().to_owned();
    let tries = text.lines().filter(|line| line.starts_with("try")).count();
    let is_verdict = line.starts_with("found") || line.starts_with("none");
    Ok(match verdict {
        Some(verdict) => verdict,
        None if is_verdict => line,
        // It ended within a seed, for whatever reason.
        None => format!("none\t{tries}\t?"),
    })
}

/// Seeds of a base, run without a bug: those that fail.
fn unsound(bases: u64, seeds: u64) -> Vec<u64> {
    let all = (0..bases).flat_map(|base| (1..=seeds).map(move |seed| base * APART + seed));
    all.filter(|seed| failure_of(*seed, None).is_some())
        .collect()
}

type Results = BTreeMap<(String, u64), Found>;

fn read(path: &PathBuf) -> io::Result<Results> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let result = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let (key, found) = match fields.as_slice() {
            [bug, base, "found", seed, tries, _, what, ..] => {
                let by = Some((seed.parse().ok()?, (*what).to_owned()));
                let tries = tries.parse().ok()?;
                ((bug, base), Found { by, tries })
            }
            [bug, base, "none", tries, _] => {
                let tries = tries.parse().ok()?;
                ((bug, base), Found { by: None, tries })
            }
            _ => return None,
        };
        Some((((*key.0).to_owned(), key.1.parse().ok()?), found))
    };
    Ok(text.lines().filter_map(result).collect())
}

/// The table between the two marks of the page.
fn write_table(path: &PathBuf, results: &Results) -> io::Result<()> {
    let page = fs::read_to_string(path)?;
    let (begin, end) = ("<!-- table -->\n", "<!-- end of the table -->");
    let Some((before, (_, after))) = page
        .split_once(begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(end)?)))
    else {
        return Err(io::Error::other("the page has no marks of a table"));
    };
    let mut table = "| bug | what was done wrong | breaks | found by | as meant | seed | median | most |\n|---|---|---|---|---|---|---|---|\n".to_owned();
    for bug in Mutation::ALL {
        let of_bug = results.iter().filter(|((name, _), _)| name == bug.name());
        let all: Vec<&Found> = of_bug.map(|(_, found)| found).collect();
        let by: BTreeSet<&str> = all
            .iter()
            .filter_map(|found| found.by.as_ref().map(|(_, what)| what.as_str()))
            .collect();
        let is_meant = by
            .iter()
            .any(|what| bug.breaks().split(' ').any(|meant| meant == *what));
        let is_meant = match (by.is_empty(), is_meant) {
            (true, _) => "",
            (false, true) => "yes",
            (false, false) => "no",
        };
        let by = by.into_iter().collect::<Vec<_>>().join(", ");
        let seed = all
            .iter()
            .find_map(|found| found.by.as_ref().map(|(seed, _)| seed.to_string()));
        let mut tries: Vec<u64> = all
            .iter()
            .map(|found| match found.by {
                Some(_) => found.tries,
                None => u64::MAX,
            })
            .collect();
        tries.sort_unstable();
        let shown = |tries: Option<&u64>| match tries {
            Some(&u64::MAX) => {
                let most = all
                    .iter()
                    .map(|found| found.tries)
                    .max()
                    .unwrap_or_default();
                format!("not in {most}")
            }
            Some(tries) => tries.to_string(),
            None => "-".to_owned(),
        };
        let (median, most) = (shown(tries.get(tries.len() / 2)), shown(tries.last()));
        let seed = seed.unwrap_or_default();
        let (name, words, breaks) = (bug.name(), bug.words(), bug.breaks());
        writeln!(
            table,
            "| `{name}` | {words} | {breaks} | {by} | {is_meant} | {seed} | {median} | {most} |"
        )
        .map_err(io::Error::other)?;
    }
    fs::write(path, format!("{before}{begin}{table}{end}{after}"))
}
