//! `tradewind new strategy`: writes a strategy that works, with a test and a desk that runs it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use serde_json::json;

use super::output::Output;
use crate::config::INTRADAY;

/// Names that a file or a class in Python cannot have without hiding what it uses itself.
const TAKEN: [&str; 26] = [
    "none",
    "true",
    "false",
    "buy",
    "sell",
    "exit",
    "hold",
    "target",
    "param",
    "strategy",
    "tradewind",
    "ta",
    "json",
    "random",
    "math",
    "time",
    "datetime",
    "struct",
    "array",
    "os",
    "sys",
    "re",
    "socket",
    "threading",
    "typing",
    "numpy",
];
const PYTHON: &str = include_str!("../../templates/strategy/python.py");
const PYTHON_TEST: &str = include_str!("../../templates/strategy/test_python.py");
const PYTHON_BOT: &str = include_str!("../../templates/strategy/bot.toml");
const RULES_BOT: &str = include_str!("../../templates/strategy/rules.toml");
const RUST_MANIFEST: &str = include_str!("../../templates/strategy/manifest.toml");
const RUST: &str = include_str!("../../../../examples/strategy/src/main.rs");

/// Arguments of `new`.
#[derive(Clone, Debug, Args)]
pub(super) struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Write a folder with a strategy, its test, and a configuration of a paper desk that runs it
    Strategy(StrategyArgs),
}

#[derive(Clone, Debug, Args)]
struct StrategyArgs {
    /// Its name, which becomes that of the folder: small letters, digits and _, a letter first
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    language: Language,

    /// The folder of Tradewind's source, for --rust
    #[arg(long, value_name = "DIR", requires = "rust")]
    repository: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
struct Language {
    /// A class in Python, in a process of its own
    #[arg(long)]
    python: bool,

    /// Rules in the configuration
    #[arg(long)]
    rules: bool,

    /// A program of your own in Rust that has the desk and the strategy in it
    #[arg(long)]
    rust: bool,
}

/// Writes the folder. An existing one is never written into.
pub(super) fn write(args: &NewArgs, output: Output) -> anyhow::Result<()> {
    let What::Strategy(args) = &args.what;
    let name = args.name.as_str();
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ensure!(
        name.bytes().all(is_part)
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= 40,
        "{name:?} cannot be a name; use small letters, digits and _, a letter first, 40 at most"
    );
    ensure!(
        !args.language.python || !TAKEN.contains(&name),
        "{name:?} is a name of Python or of its library, which a file {name}.py would take the place of; choose another, such as my_{name}"
    );
    let files = files(args)?;
    let folder = Path::new(name);
    fs::create_dir(folder).with_context(|| {
        format!("cannot create the folder {name}; an existing one is not written into")
    })?;
    for (file, text) in &files {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if output.is_json() {
        let names: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
        return Ok(output.value(&json!({ "folder": name, "files": names }))?);
    }
    for (file, _) in &files {
        output.line(&format!("wrote {name}/{file}"))?;
    }
    Ok(output.line(&next(args))?)
}

/// Each file with its text.
fn files(args: &StrategyArgs) -> anyhow::Result<Vec<(String, String)>> {
    let name = &args.name;
    let class = class_name(name);
    let desk = INTRADAY
        .split_once("\n# One buys weakness")
        .map_or(INTRADAY, |(desk, _)| desk);
    let fill = |text: &str| text.replace("CLASS", &class).replace("NAME", name);
    let test = |reference: &str| fill(PYTHON_TEST).replace("REFERENCE", reference);
    if args.language.python {
        return Ok(vec![
            (format!("{name}.py"), fill(PYTHON)),
            (
                format!("test_{name}.py"),
                test(&format!("python:{name}.py")),
            ),
            (
                "tradewind.toml".to_owned(),
                format!("{desk}{}", fill(PYTHON_BOT)),
            ),
        ]);
    }
    if args.language.rules {
        return Ok(vec![(
            "tradewind.toml".to_owned(),
            format!("{desk}{}", fill(RULES_BOT)),
        )]);
    }
    let repository = args
        .repository
        .as_ref()
        .context("--rust needs the source of Tradewind to compile with; write --repository DIR")?;
    let repository = std::path::absolute(repository)?;
    ensure!(
        repository.join("crates/tradewind-strategy").is_dir(),
        "{} is not the source of Tradewind; name the folder that has crates/tradewind-strategy",
        repository.display()
    );
    let place = repository.display().to_string();
    Ok(vec![
        (
            "Cargo.toml".to_owned(),
            fill(RUST_MANIFEST).replace("REPOSITORY", &place),
        ),
        (
            "src/main.rs".to_owned(),
            RUST.replace("close_above_open", name),
        ),
    ])
}

/// What to do next.
fn next(args: &StrategyArgs) -> String {
    let name = &args.name;
    if args.language.python {
        format!(
            "test it with: python3 {name}/test_{name}.py; run it with: tradewind run --config {name}/tradewind.toml"
        )
    } else if args.language.rules {
        format!("check it with: tradewind config check --config {name}/tradewind.toml")
    } else {
        format!("test it with: cargo test --manifest-path {name}/Cargo.toml")
    }
}

/// `two_words` as `TwoWords`.
fn class_name(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}
