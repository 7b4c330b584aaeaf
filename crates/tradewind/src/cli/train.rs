//! `tradewind train`: makes versions of the configured models, each in a process of the user's Python, some at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use ring::digest;
use serde_json::{Value, json};
use tradewind_backtest::{FileOptions, candles_of_files};
use tradewind_process::training_command;

use super::config::ConfigFile;
use super::data::{catalogue, span};
use super::output::Output;
use super::train_rows::{Rows, rows};
use crate::config::ModelSettings;
use crate::models::{DESCRIPTION, versions};

/// How the folder of a version begins that is not whole.
const PARTIAL: &str = ".partial-";

/// Arguments of `train`.
#[derive(Clone, Debug, Args)]
pub(super) struct TrainArgs {
    /// Models of the configuration; all of them if left out
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    #[command(flatten)]
    configuration: ConfigFile,

    /// How many models are trained at once
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

/// What a thread says.
enum Message {
    /// A line for the person who waits.
    Line(String),
    Done(String, Box<anyhow::Result<Value>>),
}

/// Trains them. A model that fails leaves no version, and the others are trained all the same.
pub(super) fn run(args: &TrainArgs, data_dir: &Path, output: Output) -> anyhow::Result<()> {
    let config = args.configuration.load_models()?;
    ensure!(
        !config.is_empty(),
        "the configuration has no model; write [models.NAME] with features, script and timeframe"
    );
    let known = || {
        config
            .iter()
            .map(|model| model.name.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut chosen = Vec::new();
    for name in &args.names {
        let model = config.iter().find(|model| model.name == *name);
        let model = model.with_context(|| format!("no model {name:?}; there are {}", known()))?;
        chosen.push(model);
    }
    if chosen.is_empty() {
        chosen.extend(&config);
    }
    let (sender, receiver) = mpsc::channel();
    let next = AtomicUsize::new(0);
    let workers = usize::from(args.jobs).min(chosen.len());
    let lines = Mutex::new(sender);
    let mut failed = Vec::new();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..workers {
            let sender = lines.lock().map(|sender| sender.clone());
            let Ok(sender) = sender else { continue };
            let (next, chosen) = (&next, &chosen);
            scope.spawn(move || {
                while let Some(model) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let say = |line: String| drop(sender.send(Message::Line(line)));
                    let done = train(model, data_dir, &say);
                    drop(sender.send(Message::Done(model.name.clone(), Box::new(done))));
                }
            });
        }
        drop(lines);
        for message in receiver {
            match message {
                Message::Line(line) if !output.is_json() => output.line(&line)?,
                Message::Line(_) => {}
                Message::Done(name, result) => match *result {
                    Ok(facts) if output.is_json() => output.value(&facts)?,
                    Ok(facts) => output.line(&summary(&name, &facts))?,
                    Err(error) => failed.push(format!("{name}: {error:#}")),
                },
            }
        }
        Ok(())
    })?;
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

fn summary(name: &str, facts: &Value) -> String {
    let text = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
    format!(
        "{name}: version {} of {} rows from {} until {}, metrics {}; use it with strategy = \"model:{name}\"",
        facts["version"],
        facts["rows"],
        text("from"),
        text("until"),
        facts["metrics"]
    )
}

/// Trains one model. What is not whole is removed.
fn train(model: &ModelSettings, data_dir: &Path, say: &impl Fn(String)) -> anyhow::Result<Value> {
    let partial = begin(&model.folder)?;
    let trained = train_into(model, &partial, data_dir, say);
    if trained.is_err() {
        drop(fs::remove_dir_all(&partial));
    }
    trained
}

/// A folder for a version, and none of those that an earlier run left unfinished.
fn begin(folder: &Path) -> anyhow::Result<PathBuf> {
    let making = || format!("making {}", folder.display());
    fs::create_dir_all(folder).with_context(making)?;
    for entry in fs::read_dir(folder).with_context(making)?.flatten() {
        let name = entry.file_name();
        let of = name.to_str().and_then(|name| name.strip_prefix(PARTIAL));
        // One of another process that still runs is left alone.
        if of.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    let partial = folder.join(format!("{PARTIAL}{}", std::process::id()));
    fs::create_dir_all(&partial).with_context(making)?;
    Ok(partial)
}

fn train_into(
    model: &ModelSettings,
    partial: &Path,
    data_dir: &Path,
    say: &impl Fn(String),
) -> anyhow::Result<Value> {
    let name = &model.name;
    say(format!("{name}: reading candles"));
    let made = features(model, data_dir)?;
    let file = partial.join("rows.csv");
    fs::write(&file, made.csv(model)).with_context(|| format!("writing {}", file.display()))?;
    say(format!(
        "{name}: {} rows of {} features, {} left out while a value was unknown or its label lay beyond the data",
        made.rows.len(),
        model.features.len(),
        made.left_out
    ));
    ensure!(
        !made.rows.is_empty(),
        "no row has every feature and a label; take more data: the longest feature needs {} candles",
        made.warm_up
    );
    let script = partial.join("train.py");
    fs::copy(&model.script, &script)
        .with_context(|| format!("reading the script {}", model.script.display()))?;
    let result = call(model, partial, &file, say)?;
    let hash = |file: &str| -> anyhow::Result<String> {
        let bytes = fs::read(partial.join(file)).with_context(|| format!("reading {file}"))?;
        let hash = digest::digest(&digest::SHA256, &bytes);
        Ok(data_encoding::HEXLOWER.encode(hash.as_ref()))
    };
    let newest = versions(&model.folder).last().copied().unwrap_or_default();
    let version = newest + 1;
    let data: Vec<String> = data_of(model)
        .iter()
        .map(|one| one.display().to_string())
        .collect();
    let facts = json!({
        "name": name,
        "version": version,
        "features": model.features,
        "label": model.label.as_ref().map(|label| label.text.clone()),
        "timeframe": model.timeframe.name(),
        "instruments": made.instruments,
        "data": data,
        "from": made.from.to_string(),
        "until": made.until.to_string(),
        "rows": result["labels"],
        "rows_sha256": hash("rows.csv")?,
        "script_sha256": hash("train.py")?,
        "model_sha256": hash("model.pkl")?,
        "params": model.params,
        "metrics": result["metrics"],
        "interpreter": model.python,
        "python": result["python"],
        "seconds": result["seconds"],
    });
    drop(fs::remove_file(partial.join("job.json")));
    drop(fs::remove_file(partial.join("result.json")));
    fs::write(partial.join(DESCRIPTION), format!("{facts:#}\n"))
        .context("writing the description")?;
    let whole = model.folder.join(version.to_string());
    fs::rename(partial, &whole).with_context(|| format!("naming {}", whole.display()))?;
    Ok(facts)
}

/// The data of a model: what it names, else the series of its instruments in the catalogue.
fn data_of(model: &ModelSettings) -> Vec<PathBuf> {
    if !model.data.is_empty() {
        return model.data.clone();
    }
    let series = model.instruments.iter().map(|instrument| {
        let full = match instrument.contains(':') {
            true => instrument.clone(),
            false => format!("binance:{instrument}"),
        };
        PathBuf::from(format!("catalogue:{full}@{}", model.timeframe))
    });
    series.collect()
}

/// Reads the candles and computes the rows.
fn features(model: &ModelSettings, data_dir: &Path) -> anyhow::Result<Rows> {
    let options = FileOptions {
        span: span(model.from, model.to),
        interval: None,
        catalogue: Some(catalogue(data_dir)),
        ..FileOptions::new("model", data_of(model))
    };
    let plan = super::train_rows::Plan::new(model)?;
    let (instruments, candles) = candles_of_files(&options, &plan.intervals())?;
    rows(model, plan, &instruments, &candles)
}

/// Has the script train, in a process of its own.
fn call(
    model: &ModelSettings,
    partial: &Path,
    rows: &Path,
    say: &impl Fn(String),
) -> anyhow::Result<Value> {
    let job = json!({
        "script": std::path::absolute(&model.script)?,
        "rows": std::path::absolute(rows)?,
        "features": model.features.keys().collect::<Vec<_>>(),
        "has_label": model.label.is_some(),
        "params": model.params,
        "out": std::path::absolute(partial)?,
    });
    let file = partial.join("job.json");
    fs::write(&file, job.to_string())?;
    say(format!("{}: training with {}", model.name, model.python));
    let mut command = training_command(&model.python, &std::path::absolute(&file)?)?;
    let status: ExitStatus = command
        .status()
        .with_context(|| format!("running {}", model.python))?;
    let text = fs::read_to_string(partial.join("result.json"));
    let result: Option<Value> = text.ok().and_then(|text| serde_json::from_str(&text).ok());
    let Some(result) = result else {
        bail!("the script's process ended without a result: {status}");
    };
    if let (Some(problem), Some(cure)) = (result["problem"].as_str(), result["cure"].as_str()) {
        bail!("{problem}; {cure}");
    }
    ensure!(status.success(), "the script's process ended: {status}");
    Ok(result)
}
