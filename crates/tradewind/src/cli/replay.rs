//! `tradewind replay`: runs a recorded session again, whether its desk runs or not, and changes nothing.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use tradewind_journal::{Disk, Reader, Storage as _};

use super::exit::ProblemsFound;
use super::location::Location;
use super::output::Output;
use crate::replay::{CannotReplay, Difference, Progress, Verdict, verify};

/// Between two lines about the progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// Characters of a record that are shown to a person.
const SHOWN_MAX: usize = 600;

/// Arguments of `replay`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 identical, 1 something came out differently, 2 the journal cannot be replayed"
)]
pub(super) struct ReplayArgs {
    /// Folder of the desk's files, in place of --data-dir
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Compare intents, events and, at each snapshot, the whole state with what was recorded; the default
    #[arg(long)]
    verify: bool,
}

/// Replays and prints the verdict.
pub(super) fn execute(
    args: &ReplayArgs,
    location: &Location,
    output: Output,
) -> anyhow::Result<()> {
    let reader = reader(args.dir.as_ref().unwrap_or(&location.data_dir))?;
    let began = Instant::now();
    let mut told = began;
    let verdict = verify(&reader, &mut |progress| {
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            tell(progress);
        }
    })?;
    let took = began.elapsed();
    if output.is_json() {
        output.value(&facts(&verdict, took))?;
    } else {
        lines(&verdict, took)
            .iter()
            .try_for_each(|line| output.line(line))?;
    }
    match verdict.difference {
        None => Ok(()),
        Some(_) => Err(ProblemsFound.into()),
    }
}

/// The journal in a desk's folder.
pub(super) fn reader(data_dir: &std::path::Path) -> anyhow::Result<Reader> {
    let dir = data_dir.join("journal");
    if Disk.list(&dir)?.is_empty() {
        return Err(CannotReplay {
            problem: format!("there is no journal in {}", dir.display()),
            cure: "name the data folder of a desk that has run".to_owned(),
        }
        .into());
    }
    Ok(Reader::new(Arc::new(Disk), &dir))
}

/// Progress goes to standard error; a closed one is not a failure.
fn tell(progress: Progress) {
    let Progress { inputs, seq, at } = progress;
    drop(writeln!(
        io::stderr().lock(),
        "{inputs} inputs replayed, up to {seq} of {at}"
    ));
}

fn per_second(inputs: u64, took: Duration) -> f64 {
    inputs as f64 / took.as_secs_f64().max(1e-9)
}

fn lines(verdict: &Verdict, took: Duration) -> Vec<String> {
    let totals = &verdict.totals;
    let word = match verdict.difference {
        None => "identical",
        Some(_) => "same up to the difference",
    };
    let mut lines = vec![format!(
        "{word}: {} inputs, {} intents and events, {} snapshots of the state, {} starts, up to input {} of {}",
        totals.inputs,
        totals.outcomes,
        totals.checkpoints,
        totals.starts,
        totals.last_seq,
        totals.last_at
    )];
    if totals.passed_over > 0 {
        let spans = totals.spans.iter();
        let spans: Vec<String> = spans
            .map(|span| format!("{} to {}", span.first, span.last))
            .collect();
        lines.push(format!(
            "not compared: {} inputs, since market data among them is missing: {}",
            totals.passed_over,
            spans.join(", ")
        ));
    }
    if !verdict.other_builds.is_empty() {
        lines.push(format!(
            "written by build {}, replayed by {}: only the same build is promised to decide the same",
            verdict.other_builds.join(", "),
            env!("CARGO_PKG_VERSION")
        ));
    }
    if let Some(difference) = &verdict.difference {
        lines.extend(explain(difference));
    }
    lines.push(format!(
        "took {:.2} s, {:.0} inputs/s",
        took.as_secs_f64(),
        per_second(totals.inputs, took)
    ));
    lines
}

fn explain(difference: &Difference) -> Vec<String> {
    let Difference {
        seq,
        at,
        what,
        record,
        file,
        offset,
        recorded,
        came_out,
        causes,
    } = difference;
    let file = file.as_ref().map(|path| path.display().to_string());
    let mut lines = vec![
        format!("first difference: {what} of input {seq} at {at}"),
        format!(
            "record {record}, at byte {offset} of {}",
            file.unwrap_or_else(|| "a file that is gone".to_owned())
        ),
        format!("recorded: {}", shown(recorded.as_deref())),
        format!("came out: {}", shown(came_out.as_deref())),
    ];
    lines.extend(causes.iter().map(|link| {
        let name = match link.kind {
            "input" => format!("input {}", link.id.seq),
            _ => format!("event {}", link.id),
        };
        format!("because of {name} at {}: {}", link.at, shown(Some(&link.text)))
    }));
    lines
}

fn shown(text: Option<&str>) -> String {
    let Some(text) = text else {
        return "nothing".to_owned();
    };
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn facts(verdict: &Verdict, took: Duration) -> Value {
    let totals = &verdict.totals;
    let spans = totals.spans.iter();
    let spans: Vec<Value> = spans
        .map(|span| json!({ "first": span.first, "last": span.last }))
        .collect();
    json!({
        "identical": verdict.difference.is_none(),
        "inputs": totals.inputs,
        "outcomes": totals.outcomes,
        "checkpoints": totals.checkpoints,
        "starts": totals.starts,
        "last_seq": totals.last_seq,
        "last_at": totals.last_at.to_string(),
        "not_compared": { "inputs": totals.passed_over, "spans": spans },
        "other_builds": verdict.other_builds,
        "difference": verdict.difference.as_ref().map(difference_facts),
        "seconds": took.as_secs_f64(),
        "inputs_per_second": per_second(totals.inputs, took),
    })
}

fn difference_facts(difference: &Difference) -> Value {
    let causes = difference.causes.iter();
    let causes: Vec<Value> = causes
        .map(|link| json!({ "kind": link.kind, "id": link.id.to_string(), "at": link.at.to_string(), "record": link.text }))
        .collect();
    json!({
        "seq": difference.seq,
        "at": difference.at.to_string(),
        "what": difference.what,
        "record": difference.record,
        "file": difference.file.as_ref().map(|path| path.display().to_string()),
        "offset": difference.offset,
        "recorded": difference.recorded,
        "came_out": difference.came_out,
        "causes": causes,
    })
}
