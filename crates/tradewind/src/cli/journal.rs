//! `tradewind journal`: looks into the files of a desk, whether it runs or not. Only `repair` changes them, and of no running desk.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tradewind_events::Input;
use tradewind_journal::{
    Coverage, Disk, Identity, JournalError, Reader, Record, Segment, Stamped, Storage as _,
    StoreKind,
};

use super::exit::ProblemsFound;
use super::journal_repair::repair;
use super::location::Location;
use super::output::Output;
use super::table::{Column, Style, Table, short_hash, text_at, to_the_second};

const SEGMENTS: &[Column] = &[
    ("STORE", "/store", Style::Text),
    ("FILE", "/file", Style::Text),
    ("BYTES", "/bytes", Style::Number),
    ("RECORDS", "/records", Style::Number),
    ("FIRST", "/first_seq", Style::Number),
    ("LAST", "/last_seq", Style::Number),
    ("SNAPSHOT", "/snapshot", Style::Number),
    ("BEGUN", "/begun_at", Style::Time),
    ("FAULT", "/fault", Style::Text),
];

#[derive(Debug, Args)]
pub(super) struct JournalArgs {
    #[command(subcommand)]
    command: JournalCommand,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// List the files, what they cover, their snapshots, and the desk's identity
    Inspect(InspectArgs),
    /// Check every checksum and the chain; name the first fault and what to do about it
    Verify,
    /// Print records as JSON lines
    Export(ExportArgs),
    /// Cut what is damaged off and keep it in a folder of its own; the next start is killed until a person has compared the account
    Repair,
}

#[derive(Debug, Args)]
struct InspectArgs {
    /// List each start with its program and settings, too: this reads the whole truth
    #[arg(long)]
    starts: bool,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// Which records
    #[arg(long, value_enum, default_value_t = Stores::All)]
    store: Stores,
    /// First sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// Last sequence number
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stores {
    /// Inputs, intents and events
    Truth,
    /// Quotes, trades, candles and books
    Market,
    /// Both, the truth first
    All,
}

/// Executes one of the commands.
pub(super) fn execute(
    args: &JournalArgs,
    location: &Location,
    output: Output,
) -> anyhow::Result<()> {
    let dir = location.data_dir.join("journal");
    if Disk.list(&dir)?.is_empty() {
        anyhow::bail!(
            "there is no journal in {}; --data-dir names another folder",
            dir.display()
        );
    }
    let reader = Reader::new(Arc::new(Disk), &dir);
    match &args.command {
        JournalCommand::Inspect(args) => inspect(&reader, &dir, args, output),
        JournalCommand::Verify => verify(&reader, output),
        JournalCommand::Export(args) => export(&reader, args, output),
        JournalCommand::Repair => repair(location, &dir, output),
    }
}

fn inspect(reader: &Reader, dir: &Path, args: &InspectArgs, output: Output) -> anyhow::Result<()> {
    let segments = reader.segments()?;
    let identity = Identity::peek(&Disk, dir).context("reading the identity")?;
    let items: Vec<Value> = segments.iter().map(|segment| facts(segment, dir)).collect();
    let of = |store| {
        segments
            .iter()
            .filter(move |segment| segment.store == store)
    };
    let bounds = |store| {
        let first = of(store).map(|segment| segment.first_seq).min();
        json!({ "first_seq": first, "last_seq": of(store).map(|segment| segment.last_seq).max() })
    };
    let mut answer = json!({
        "items": items,
        "coverage": { "truth": bounds(StoreKind::Truth), "market": bounds(StoreKind::Market) },
        "snapshot": segments.iter().filter_map(|segment| segment.snapshot).max(),
        "identity": identity.as_ref().map(|identity| json!({
            "instance": identity.instance,
            "epoch": identity.epoch,
            "former": identity.former.iter().map(|former| former.instance).collect::<Vec<_>>(),
        })),
    });
    if args.starts {
        let (starts, fault) = starts(reader)?;
        answer["starts"] = starts.into();
        answer["starts_end_at"] = json!(fault);
    }
    if output.is_json() {
        output.value(&answer)?;
    } else {
        output.table(&Table::of(&answer, SEGMENTS), "no files")?;
        output.line(&summary(&answer))?;
        for start in answer["starts"].as_array().into_iter().flatten() {
            output.line(&start_line(start))?;
        }
        if let Some(fault) = answer["starts_end_at"].as_str() {
            output.line(&format!("later starts cannot be read: {fault}"))?;
        }
    }
    match segments.iter().all(|segment| segment.fault.is_none()) {
        true => Ok(()),
        false => Err(ProblemsFound.into()),
    }
}

/// The starts that the truth holds, with what was started. Of a damaged journal, those before the damage, and what that is.
fn starts(reader: &Reader) -> anyhow::Result<(Vec<Value>, Option<String>)> {
    let mut starts = Vec::new();
    for found in reader.records(StoreKind::Truth)? {
        let found = match found {
            Ok(found) => found,
            Err(error) => return Ok((starts, Some(error.to_string()))),
        };
        let Record::Input(Input::Configured(configuration)) = found.record else {
            continue;
        };
        let build = configuration.build.unwrap_or_default();
        starts.push(json!({
            "seq": found.seq,
            "at": to_the_second(&found.at.to_string()),
            "version": build.version,
            "binary": build.binary,
            "configuration": build.configuration,
            "changed": build.changed,
        }));
    }
    Ok((starts, None))
}

fn start_line(start: &Value) -> String {
    let text = |name: &str| text_at(start, name);
    let hash = |name: &str| short_hash(&text(name));
    if start["configuration"] == "" {
        return format!(
            "start {} at {}: before hashes were kept",
            text("/seq"),
            text("/at")
        );
    }
    format!(
        "start {} at {}: program {} {}, configuration {}; changed: {}",
        text("/seq"),
        text("/at"),
        text("/version"),
        hash("/binary"),
        hash("/configuration"),
        text("/changed")
    )
}

fn summary(answer: &Value) -> String {
    let text = |pointer| {
        let text = text_at(answer, pointer);
        if text.is_empty() {
            "none".to_owned()
        } else {
            text
        }
    };
    format!(
        "truth {} to {}, market data {} to {}; newest snapshot {}; instance {}, epoch {}, former instances {}",
        text("/coverage/truth/first_seq"),
        text("/coverage/truth/last_seq"),
        text("/coverage/market/first_seq"),
        text("/coverage/market/last_seq"),
        text("/snapshot"),
        text("/identity/instance"),
        text("/identity/epoch"),
        text("/identity/former"),
    )
}

fn facts(segment: &Segment, dir: &Path) -> Value {
    let file = segment.path.strip_prefix(dir).unwrap_or(&segment.path);
    let torn = segment
        .torn_at
        .map(|offset| format!("unfinished record at byte {offset}"));
    json!({
        "store": store_name(segment.store),
        "file": file.display().to_string(),
        "bytes": segment.bytes,
        "records": segment.records,
        "first_seq": segment.first_seq,
        "last_seq": segment.last_seq,
        "snapshot": segment.snapshot,
        "begun_at": segment.begun_at.map(|at| at.to_string()),
        "build": segment.build,
        "fault": segment.fault.clone().or(torn),
    })
}

const fn store_name(store: StoreKind) -> &'static str {
    match store {
        StoreKind::Truth => "truth",
        StoreKind::Market => "market",
    }
}

fn verify(reader: &Reader, output: Output) -> anyhow::Result<()> {
    match reader.verify() {
        Ok(coverage) => print_coverage(&coverage, output),
        Err(error) => {
            print_fault(&error, output)?;
            Err(ProblemsFound.into())
        }
    }
}

fn print_coverage(coverage: &Coverage, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        let torn = coverage.torn.iter();
        let torn: Vec<_> = torn
            .map(|tail| json!({ "file": tail.path.display().to_string(), "offset": tail.offset, "bytes": tail.bytes }))
            .collect();
        return Ok(output.value(&json!({
            "sound": true,
            "truth": coverage.truth,
            "market": coverage.market,
            "complete_from": coverage.complete_from,
            "last_seq": coverage.last_seq,
            "torn": torn,
        }))?);
    }
    output.line(&format!(
        "sound: {} records of truth and {} of market data; both from input {} to {}",
        coverage.truth, coverage.market, coverage.complete_from, coverage.last_seq
    ))?;
    for tail in &coverage.torn {
        let path = tail.path.display();
        output.line(&format!(
            "{path} ends inside a record at byte {}: it is being written, or the next start cuts {} bytes off",
            tail.offset, tail.bytes
        ))?;
    }
    Ok(())
}

fn print_fault(error: &JournalError, output: Output) -> anyhow::Result<()> {
    let cure = error.cure();
    if output.is_json() {
        let (file, offset) = error.place().unzip();
        let file = file.map(|path| path.display().to_string());
        return Ok(output.value(&json!({
            "sound": false,
            "fault": error.to_string(),
            "file": file,
            "offset": offset,
            "cure": cure,
        }))?);
    }
    output.line(&error.to_string())?;
    Ok(output.line(cure)?)
}

fn export(reader: &Reader, args: &ExportArgs, output: Output) -> anyhow::Result<()> {
    let wanted = match args.store {
        Stores::Truth => &[StoreKind::Truth][..],
        Stores::Market => &[StoreKind::Market],
        Stores::All => &[StoreKind::Truth, StoreKind::Market],
    };
    for store in wanted {
        for found in reader.records(*store)? {
            let found = found?;
            if (args.from..=args.to).contains(&found.seq) {
                output.text(&format!("{}\n", line(*store, &found)?))?;
            }
        }
    }
    Ok(())
}

/// A record as a line of the export. Put together as text: some numbers are wider than a [`Value`] holds.
fn line(store: StoreKind, found: &Stamped) -> serde_json::Result<String> {
    let (kind, record) = match &found.record {
        Record::Segment(header) => ("segment", serde_json::to_string(header)?),
        Record::Input(input) => ("input", serde_json::to_string(input)?),
        Record::Intent(intent) => ("intent", serde_json::to_string(intent)?),
        Record::Event(event) => ("event", serde_json::to_string(event)?),
        Record::Snapshot(part) => (
            "snapshot",
            json!({ "length": part.whole_length(), "offset": part.offset(), "bytes": part.bytes().len() })
                .to_string(),
        ),
    };
    let (store, seq, at) = (store_name(store), found.seq, found.at);
    Ok(format!(
        r#"{{"v":1,"store":"{store}","seq":{seq},"at":"{at}","kind":"{kind}","record":{record}}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P09: why a program has no hash is what its line is for.
    #[test]
    fn a_start_of_a_program_that_cannot_be_read_says_why() {
        let reason = "unreadable: No such file or directory";
        let start = json!({
            "seq": 1, "at": "2026-03-02T10:05:00Z", "version": "1.0.0", "binary": reason, "configuration": "0123456789abcdef",
        });
        let line = start_line(&start);
        assert!(line.contains(reason), "{line}");
        assert!(line.contains("configuration 0123456789ab;"), "{line}");
    }
}
