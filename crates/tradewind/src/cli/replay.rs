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
use super::table::{Column, Style, Table};
use crate::replay::{
    CannotReplay, Change, Difference, Figures, Progress, Verdict, WhatIf, verify, what_if,
};

/// Between two lines about the progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// Characters of a record that are shown to a person.
const SHOWN_MAX: usize = 600;

/// Arguments of `replay`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 identical, 1 something came out differently or inputs are missing, 2 the journal cannot be replayed"
)]
pub(super) struct ReplayArgs {
    /// Folder of the desk's files, in place of --data-dir
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Compare intents, events and, at each snapshot, the whole state with what was recorded; the default
    #[arg(long)]
    verify: bool,

    /// Play the recorded market with one thing changed, and without: BOT.PARAMETER=VALUE, BOT.exit.stop=0.02, BOT.budget=500,
    /// limits.NAME=VALUE. Orders are filled by the backtest's model, since the venue never saw those of a changed desk
    #[arg(long, value_name = "CHANGE", conflicts_with = "verify")]
    with: Vec<Change>,
}

/// Replays and prints the verdict.
pub(super) fn execute(
    args: &ReplayArgs,
    location: &Location,
    output: Output,
) -> anyhow::Result<()> {
    let reader = reader(args.dir.as_ref().unwrap_or(&location.data_dir))?;
    if !args.with.is_empty() {
        return compare(&reader, &args.with, output);
    }
    let began = Instant::now();
    let mut reported = began;
    let verdict = verify(&reader, &mut |progress| {
        if reported.elapsed() >= PROGRESS_EVERY {
            reported = Instant::now();
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
    if verdict.is_identical() {
        Ok(())
    } else {
        Err(ProblemsFound.into())
    }
}

/// Plays the session without and with the changes, and prints what differs.
fn compare(reader: &Reader, changes: &[Change], output: Output) -> anyhow::Result<()> {
    let found = what_if(reader, changes)?;
    if output.is_json() {
        return Ok(output.value(&what_if_facts(&found))?);
    }
    let changes = changes.iter();
    let changes: Vec<String> = changes
        .map(|change| format!("{}.{}={}", change.of, change.what, change.value))
        .collect();
    output.line(&format!(
        "with {}, from {} to {}",
        changes.join(", "),
        found.from,
        found.until
    ))?;
    let items = found
        .bots
        .iter()
        .filter(|(_, [_, before, after])| before != after);
    let items: Vec<Value> = items
        .flat_map(|(name, figures)| rows(name, figures))
        .collect();
    let table = Table::of(&json!({ "items": items }), FIGURES);
    output.table(&table, "no bot decides anything else")?;
    what_is_not_known(&found)
        .iter()
        .try_for_each(|line| output.line(line))?;
    Ok(())
}

const PLAYS: [&str; 3] = ["recorded", "played as it was", "played with the change"];

const FIGURES: &[Column] = &[
    ("BOT", "/bot", Style::Text),
    ("RUN", "/run", Style::Text),
    ("SIGNALS", "/signals", Style::Number),
    ("ORDERS", "/orders", Style::Number),
    ("DENIED", "/denials", Style::Number),
    ("FILLS", "/fills", Style::Number),
    ("REALISED", "/realized", Style::Number),
    ("UNREALISED", "/unrealized", Style::Number),
];

fn rows(name: &str, figures: &[Figures; 3]) -> Vec<Value> {
    let rows = PLAYS.iter().zip(figures);
    rows.map(|(run, one)| {
        json!({
            "bot": name,
            "run": run,
            "signals": one.signals,
            "orders": one.orders,
            "denials": one.denials,
            "fills": one.fills,
            "realized": one.realized.to_string(),
            "unrealized": (*run != PLAYS[0]).then(|| one.unrealized.to_string()),
        })
    })
    .collect()
}

fn what_if_facts(found: &WhatIf) -> Value {
    let items = found.bots.iter();
    let items: Vec<Value> = items
        .flat_map(|(name, figures)| rows(name, figures))
        .collect();
    json!({
        "from": found.from.to_string(),
        "until": found.until.to_string(),
        "starts": found.starts,
        "missing": found.missing,
        "fill_model": found.fills.to_string(),
        "items": items,
        "not_known": what_is_not_known(found),
    })
}

/// What such a run cannot know.
fn what_is_not_known(found: &WhatIf) -> Vec<String> {
    let mut lines = vec![
        format!(
            "fills are the model's ({}): the venue never saw these orders; only the two played runs compare with each other",
            found.fills
        ),
        "both begin flat, with the balances of the first reading, and without commands of people; requests and reports take no time"
            .to_owned(),
    ];
    lines.push(
        "the row as recorded counts what the journal's events say: with orders that risk or a person placed for the bot, and profit of closed positions only"
            .to_owned(),
    );
    if found.missing > 0 {
        lines.push(format!(
            "{} inputs are missing in the record: both runs go on as if they had never been",
            found.missing
        ));
    }
    if !found.silent.is_empty() {
        lines.push(format!(
            "strategies in files are not run, so that these bots do nothing in both runs: {}; tradewind backtest runs them",
            found.silent.join(", ")
        ));
    }
    if found.starts > 1 {
        lines.push(format!(
            "the desk was started {} times; both runs go through without a stop, with the newest configuration",
            found.starts
        ));
    }
    lines
}

/// The journal in a desk's folder.
pub(super) fn reader(data_dir: &std::path::Path) -> anyhow::Result<Reader> {
    let dir = data_dir.join("journal");
    let listed = Disk.list(&dir).map_err(|error| CannotReplay {
        problem: format!("{} cannot be read: {error}", dir.display()),
        cure: "name the data folder of a desk that has run".to_owned(),
    })?;
    if listed.is_empty() {
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

const fn word(verdict: &Verdict) -> &'static str {
    if verdict.difference.is_some() {
        "different"
    } else if verdict.is_identical() {
        "identical"
    } else {
        "incomplete"
    }
}

fn lines(verdict: &Verdict, took: Duration) -> Vec<String> {
    let totals = &verdict.totals;
    let word = match word(verdict) {
        "different" => "same up to the difference",
        word => word,
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
        let more = match totals.spans_more {
            0 => String::new(),
            more => format!(", and {more} more spans"),
        };
        lines.push(format!(
            "not compared: {} inputs, since records among them are missing: {}{more}",
            totals.passed_over,
            spans.join(", ")
        ));
    }
    if let Some(missing) = totals.missing {
        lines.push(format!(
            "missing: {} inputs from number {} on, neither by age nor by the end of a run: taken out, or dropped while the disk was full",
            missing.inputs, missing.first
        ));
    }
    if !verdict.threads.is_empty() {
        lines.push(format!(
            "not run again, since their strategies have threads or processes of their own: {}; their recorded answers were taken",
            verdict.threads.join(", ")
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
        since,
        record,
        file,
        offset,
        recorded,
        came_out,
        causes,
    } = difference;
    let file = file.as_ref().map(|path| path.display().to_string());
    let of = since.map_or_else(
        || format!("of input {seq}"),
        |since| format!("between input {since} and input {seq}"),
    );
    let record = record.map_or_else(String::new, |record| format!("record {record}, "));
    let mut lines = vec![
        format!("first difference: {what} {of} at {at}"),
        format!(
            "{record}at byte {offset} of {}",
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
        format!(
            "because of {name} at {}: {}",
            link.at,
            shown(Some(&link.text))
        )
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
        "identical": verdict.is_identical(),
        "verdict": word(verdict),
        "inputs": totals.inputs,
        "outcomes": totals.outcomes,
        "checkpoints": totals.checkpoints,
        "starts": totals.starts,
        "last_seq": totals.last_seq,
        "last_at": totals.last_at.to_string(),
        "not_compared": { "inputs": totals.passed_over, "spans": spans, "spans_more": totals.spans_more },
        "missing": totals.missing.map(|missing| json!({ "inputs": missing.inputs, "first": missing.first })),
        "threads": verdict.threads,
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
        "since": difference.since,
        "record": difference.record,
        "file": difference.file.as_ref().map(|path| path.display().to_string()),
        "offset": difference.offset,
        "recorded": difference.recorded,
        "came_out": difference.came_out,
        "causes": causes,
    })
}
