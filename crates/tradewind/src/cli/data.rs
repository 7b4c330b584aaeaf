//! `tradewind data`: market data of feeds into recordings, of venues and files into the catalogue, and out of it.

mod fetch;
mod frames;
mod house_frames;
mod import;
mod record;
mod recordings;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tradewind_data::{
    Adding, BookRow, Catalogue, Content, Hints, Import, Imported, Kind, Product, Row, Series, Span,
    Table as DataTable, TargetRow, UtcOffset,
};
use tradewind_model::{Amount, Decimal, Interval, Side, Timestamp};

use super::config::ConfigFile;
use super::exit::ProblemsFound;
use super::output::Output;
use super::table::{Column, Style, Table};
use crate::config::{Listing, SourceSettings};

const SERIES: &[Column] = &[
    ("SERIES", "/series", Style::Text),
    ("ROWS", "/rows", Style::Number),
    ("FROM", "/from", Style::Time),
    ("TO", "/to", Style::Time),
    ("MISSING", "/missing", Style::Number),
    ("FILES", "/files", Style::Number),
    ("BYTES", "/bytes", Style::Number),
];

#[derive(Debug, Args)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Record the frames of a venue or a source as they are received, without a desk
    Record(record::RecordArgs),
    /// Fetch candles or trades of the past from a venue into the catalogue
    Fetch(fetch::FetchArgs),
    /// Add files and recordings to the catalogue: candles, trades, quotes, books, numbers and targets of any source, all of them or none
    Import(ImportArgs),
    /// List the series of the catalogue
    List,
    /// Check every file of the catalogue, or of recordings: checksums, order, soundness, holes
    Verify(VerifyArgs),
    /// Write a series as CSV or Parquet
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The files: CSV or JSON, .gz and .zip too; captures, and folders of recordings
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What they are of, such as BTC/USDT, if their names do not tell
    #[arg(long, value_name = "PRODUCT", value_parser = product)]
    product: Option<Product>,

    /// The candles' interval, if neither names nor rows tell
    #[arg(long, value_name = "INTERVAL")]
    interval: Option<Interval>,

    /// Where they are from
    #[arg(long, value_name = "VENUE", default_value = "file", value_parser = venue)]
    venue: String,

    /// How far times without a zone are ahead of UTC, such as +02:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    utc_offset: Option<UtcOffset>,

    /// What tables of numbers or targets are of: house:fear@numbers, signals:BOT:BTC/USDT@targets
    #[arg(long, value_name = "SERIES", conflicts_with_all = ["product", "interval"])]
    series: Option<Series>,

    #[command(flatten)]
    configuration: ConfigFile,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Recordings to check in place of the catalogue: files, or folders of them
    #[arg(value_name = "PATH")]
    recordings: Vec<PathBuf>,

    /// Cut off what a recorder that was killed left torn at the end of a file
    #[arg(long, requires = "recordings")]
    repair: bool,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// The series, such as binance:BTC/USDT@1m
    series: Series,

    /// The format
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,

    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The first moment: a date or a time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,

    /// The first moment that is left out
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

/// The catalogue's folder.
pub(super) fn catalogue(data_dir: &Path) -> PathBuf {
    data_dir.join("catalogue")
}

/// Reads a date or a time with a zone.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse())
        .map_err(|_| {
            "write a date or a time, such as 2024-10-01 or 2024-10-01T12:00:00Z".to_owned()
        })
}

/// From a moment on, and before another.
pub(super) fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Span {
    Span {
        from: from.unwrap_or(Span::ALL.from),
        to: to.unwrap_or(Span::ALL.to),
    }
}

fn product(text: &str) -> Result<Product, String> {
    tradewind_data::product(text).ok_or_else(|| "write a product such as BTC/USDT".to_owned())
}

fn venue(text: &str) -> Result<String, String> {
    Series::venue(text).ok_or_else(|| "write a venue in letters, digits, - and _".to_owned())
}

/// Executes a command.
pub(super) fn execute(args: DataArgs, data_dir: &Path, output: Output) -> anyhow::Result<()> {
    let catalogue = Catalogue::new(catalogue(data_dir));
    match args.command {
        DataCommand::Record(args) => record::run(&args, data_dir, output),
        DataCommand::Fetch(args) => fetch::run(&args, &catalogue, data_dir, output),
        DataCommand::Import(args) => import(args, &catalogue, output),
        DataCommand::List => list(&catalogue, output),
        DataCommand::Verify(args) if args.recordings.is_empty() => verify(&catalogue, output),
        DataCommand::Verify(args) => recordings::verify(&args.recordings, args.repair, output),
        DataCommand::Export(args) => export(&args, &catalogue, output),
    }
}

fn import(args: ImportArgs, catalogue: &Catalogue, output: Output) -> anyhow::Result<()> {
    let hints = Hints {
        product: args.product,
        interval: args.interval,
        utc_offset: args.utc_offset,
        span: Span::ALL,
    };
    let mut import = catalogue.import()?;
    let mut done: Vec<(PathBuf, Series, Imported, Vec<String>)> = Vec::new();
    for path in args.files {
        if let Some(series) = &args.series {
            let imported = of_house(&path, series, args.utc_offset, &mut import)?;
            done.push((path, series.clone(), imported, Vec::new()));
            continue;
        }
        let Some(table) = open(&path, &hints)? else {
            let files = import::files(&path)?;
            let found = match frames::recorded(&files)? {
                Some(kind) => frames::import(&files, kind, &args.venue, &mut import)?,
                None => match source_of(&path, &files, &args.configuration)? {
                    Some(source) => house_frames::import(&files, &source, &mut import)?,
                    None => import::captures(&files, &args.venue, &mut import)?,
                },
            };
            let found = found.into_iter();
            done.extend(
                found.map(|(series, imported, notes)| (path.clone(), series, imported, notes)),
            );
            continue;
        };
        let series = Series {
            venue: args.venue.clone(),
            subject: table.product.clone().into(),
            kind: table.kind,
            interval: table.interval,
        };
        let imported = import.add(&table, &series)?;
        done.push((path, series, imported, table.notes));
    }
    import.commit()?;
    if output.is_json() {
        let files: Vec<Value> = done
            .iter()
            .map(|(path, series, imported, notes)| {
                json!({
                    "file": path.display().to_string(), "series": series.to_string(), "added": imported.added,
                    "known": imported.known, "notes": notes,
                })
            })
            .collect();
        return Ok(output.value(&json!({ "items": files }))?);
    }
    for (path, series, imported, notes) in &done {
        let Imported { added, known } = imported;
        let path = path.display();
        output.line(&format!(
            "{path}: {series}: {added} rows added, {known} were there"
        ))?;
        notes
            .iter()
            .try_for_each(|note| output.line(&format!("    {note}")))?;
    }
    Ok(())
}

/// Adds a table of numbers or targets.
fn of_house(
    path: &Path,
    series: &Series,
    offset: Option<UtcOffset>,
    import: &mut Import<'_>,
) -> anyhow::Result<Imported> {
    let mut adding = Adding::new(path, series);
    // Names are in the first line.
    match series.kind {
        Kind::Numbers => {
            for (row, line) in tradewind_data::numbers(path, offset)?.into_iter().zip(2..) {
                import.push(&mut adding, Row::Number(row), line)?;
            }
        }
        Kind::Targets => {
            let instrument = series.subject.to_string();
            let instrument = instrument.split_once(':').map_or("", |(_, name)| name);
            for (row, line) in tradewind_data::targets(path, offset)?.into_iter().zip(2..) {
                let named = row.instrument.as_deref().unwrap_or(instrument);
                anyhow::ensure!(
                    named == instrument || instrument.rsplit(':').next() == Some(named),
                    "{}: line {line}: it is a target in {named}, and the series is of {instrument}; split the file",
                    path.display()
                );
                let row = TargetRow {
                    instrument: None,
                    ..row
                };
                import.push(&mut adding, Row::Target(Box::new(row)), line)?;
            }
        }
        _ => anyhow::bail!(
            "--series is for tables of numbers and targets; write --venue, --product and --interval for {series}"
        ),
    }
    Ok(import.finish(adding)?)
}

/// The source of a house that a recording is of, if it is of one.
fn source_of(
    path: &Path,
    files: &[PathBuf],
    configuration: &ConfigFile,
) -> anyhow::Result<Option<SourceSettings>> {
    let Some((name, address)) = house_frames::heading(files)? else {
        return Ok(None);
    };
    let is_of_venue =
        address.starts_with("ws") && tradewind_venues::VenueKind::named(&name).is_some();
    if is_of_venue {
        return Ok(None);
    }
    let config = configuration.load(Listing::Unknown)?;
    let mut sources = config.sources.iter();
    let found = sources.find(|source| source.name == name).cloned();
    // A venue may have any name; where it is not known, its frames say what they are.
    anyhow::ensure!(
        found.is_some() || address.starts_with("ws"),
        "{}: it is a recording of the source {name}, and {} has no [sources.{name}], which says what its messages mean; name the configuration with --config",
        path.display(),
        config.file
    );
    Ok(found)
}

/// A table; `None` for a capture of frames or a recording.
fn open(path: &Path, hints: &Hints) -> anyhow::Result<Option<Box<DataTable>>> {
    if path.is_dir() {
        return Ok(None);
    }
    let examined = tradewind_data::examine(path)?;
    if examined.is_recording && examined.blocks + examined.torn_bytes > 0 {
        return Ok(None);
    }
    match tradewind_data::open(path, hints)? {
        Content::Table(table) => Ok(Some(table)),
        Content::Capture => Ok(None),
        Content::Empty => anyhow::bail!("{}: the file is empty; fetch it again", path.display()),
    }
}

fn list(catalogue: &Catalogue, output: Output) -> anyhow::Result<()> {
    let rows: Vec<Value> = catalogue
        .list()?
        .into_iter()
        .map(|summary| {
            json!({
                "series": summary.series.to_string(), "rows": summary.rows, "from": summary.first.to_string(),
                "to": summary.last.to_string(), "missing": summary.missing, "files": summary.files, "bytes": summary.bytes,
            })
        })
        .collect();
    let answer = json!({ "items": rows });
    if output.is_json() {
        return Ok(output.value(&answer)?);
    }
    let table = Table::of(&answer, SERIES);
    Ok(output.table(
        &table,
        "the catalogue is empty; `tradewind data import FILE` fills it",
    )?)
}

fn verify(catalogue: &Catalogue, output: Output) -> anyhow::Result<()> {
    let found = catalogue.verify()?;
    let paths = found
        .left_over
        .iter()
        .map(|path| path.display().to_string());
    let left_over: Vec<String> = paths.collect();
    if output.is_json() {
        let holes: Vec<Value> = found
            .holes
            .iter()
            .map(|(series, holes)| {
                let first = holes.first.map(|first| first.to_string());
                json!({ "series": series.to_string(), "candles": holes.candles, "places": holes.places, "first": first })
            })
            .collect();
        output.value(&json!({
            "files": found.files, "rows": found.rows, "problems": found.problems, "holes": holes, "left_over": left_over,
        }))?;
    } else {
        output.line(&format!(
            "{} files with {} rows are sound",
            found.files, found.rows
        ))?;
        for (series, holes) in &found.holes {
            let first = holes.first.unwrap_or_default();
            let (candles, places) = (holes.candles, holes.places);
            output.line(&format!(
                "{series}: {candles} candles missing in {places} holes, the first at {first}"
            ))?;
        }
        for path in &left_over {
            output.line(&format!(
                "{path}: left by an import that did not end; the next one removes it"
            ))?;
        }
        found
            .problems
            .iter()
            .try_for_each(|problem| output.line(problem))?;
    }
    if found.problems.is_empty() {
        return Ok(());
    }
    Err(ProblemsFound.into())
}

fn export(args: &ExportArgs, catalogue: &Catalogue, output: Output) -> anyhow::Result<()> {
    let span = span(args.from, args.to);
    // A series that is not there leaves no file behind.
    let rows = catalogue.rows(&args.series, span)?;
    let has_sizes = catalogue.has_sizes(&args.series, span)?;
    let aside = args
        .output
        .as_ref()
        .map(|path| path.with_added_extension("part"));
    let out: Box<dyn Write> = match &aside {
        Some(path) => Box::new(
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let count = match args.format {
        Format::Parquet => catalogue.write_parquet(&args.series, span, &mut out)?,
        Format::Csv => {
            writeln!(out, "{}", names(args.series.kind, has_sizes))?;
            let mut count = 0_u64;
            for row in rows {
                writeln!(out, "{}", line(&row?))?;
                count += 1;
            }
            count
        }
    };
    out.flush()?;
    drop(out);
    let (Some(path), Some(aside)) = (&args.output, aside) else {
        return Ok(());
    };
    fs::rename(&aside, path).with_context(|| format!("cannot write {}", path.display()))?;
    if output.is_json() {
        return Ok(output.value(&json!({ "file": path.display().to_string(), "rows": count }))?);
    }
    Ok(output.line(&format!("{}: {count} rows", path.display()))?)
}

/// The columns of an export. Those that a series does not have are left out: the reader takes no empty cells.
fn names(kind: Kind, has_sizes: bool) -> String {
    let names = match (kind, has_sizes) {
        (Kind::Candles, true) => "time,open,high,low,close,volume",
        (Kind::Candles, false) => "time,open,high,low,close",
        (Kind::Trades, _) => "time,price,quantity,id,side",
        (Kind::Quotes, true) => "time,bid,ask,bid_size,ask_size",
        (Kind::Quotes, false) => "time,bid,ask",
        (Kind::Numbers, _) => "time,received_at,value,max_age",
        (Kind::Targets, _) => "time,received_at,exposure,expires",
        (Kind::Books, _) => {
            let levels = ["bid", "ask"].into_iter().flat_map(|side| {
                let level = move |level| format!(",{side}_{level},{side}_size_{level}");
                (1..=BookRow::LEVELS).map(level)
            });
            return format!("time{}", levels.collect::<String>());
        }
    };
    names.to_owned()
}

/// A row as the reader reads it back.
fn line(row: &Row) -> String {
    let some =
        |amount: Option<Amount>| amount.map_or_else(String::new, |amount| format!(",{amount}"));
    match row {
        Row::Candle(row) => {
            let volume = some(row.volume);
            format!(
                "{},{},{},{},{}{volume}",
                row.open_time, row.open, row.high, row.low, row.close
            )
        }
        Row::Trade(row) => {
            let side = match row.taker {
                Some(Side::Buy) => "buy",
                Some(Side::Sell) => "sell",
                None => "unknown",
            };
            format!(
                "{},{},{},{},{side}",
                row.at, row.price, row.quantity, row.id
            )
        }
        Row::Quote(row) => {
            format!(
                "{},{},{}{}{}",
                row.at,
                row.bid,
                row.ask,
                some(row.bid_size),
                some(row.ask_size)
            )
        }
        Row::Number(row) => {
            let age = row
                .max_age
                .and_then(|age| i64::try_from(age.as_nanos()).ok());
            let age = age.map_or_else(String::new, |nanos| Decimal::new(nanos, 9).to_string());
            format!("{},{},{},{age}", row.event_time, row.received_at, row.value)
        }
        Row::Target(row) => format!(
            "{},{},{},{}",
            row.event_time, row.received_at, row.exposure, row.expires
        ),
        Row::Book(row) => {
            // A level that is not there has empty cells.
            let side = |levels: &[(Amount, Amount)]| {
                let cells = |level| match levels.get(level) {
                    Some((price, size)) => format!(",{price},{size}"),
                    None => ",,".to_owned(),
                };
                (0..BookRow::LEVELS).map(cells).collect::<String>()
            };
            format!("{}{}{}", row.at, side(&row.bids), side(&row.asks))
        }
    }
}
