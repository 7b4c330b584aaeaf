//! `docs/indicators.md` has a row for every indicator, and its figures are those of this run. With
//! `TRADEWIND_UPDATE=1` the tables are written anew; the costs are the benchmark's, which writes them itself.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use tradewind_indicators::{CATALOGUE, Entry, InputKind, Parameter, Reference, Unit};

use crate::reference::differences;

const BEGIN: &str = "<!-- tables: written by a test -->\n";

#[test]
fn the_document_has_every_indicator_with_its_difference() {
    let Some(differences) = differences() else {
        return;
    };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/indicators.md");
    let document = fs::read_to_string(&path).expect("the document is in docs/");
    let (prose, tables) = document.split_once(BEGIN).expect("the tables begin");
    let written = render(&differences, &costs(tables));
    if env::var("TRADEWIND_UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, format!("{prose}{BEGIN}{written}")).expect("the document is written");
        return;
    }
    assert!(
        tables == written,
        "docs/indicators.md is not what this run gives: TRADEWIND_UPDATE=1 writes it"
    );
}

/// The last cell of each row, by the indicator's name.
fn costs(tables: &str) -> BTreeMap<&str, &str> {
    let row = |line| -> Option<(&str, &str)> {
        let line: &str = line;
        let (name, _) = line.strip_prefix("| `")?.split_once(['(', '`'])?;
        let (_, cost) = line.strip_suffix(" |")?.rsplit_once("| ")?;
        Some((name, cost))
    };
    tables.lines().filter_map(row).collect()
}

fn render(differences: &BTreeMap<&str, f64>, costs: &BTreeMap<&str, &str>) -> String {
    let mut text = String::new();
    let mut family = "";
    for entry in CATALOGUE {
        if entry.family != family {
            family = entry.family;
            let (first, rest) = family.split_at(1);
            let first = first.to_uppercase();
            write!(text, "\n## {first}{rest}\n\n").expect("a string takes it");
            text.push_str(
                "| indicator | what it is | lines | of | first | reference | difference | cost |\n",
            );
            text.push_str("|---|---|---|---|---|---|---|---|\n");
        }
        let cost = costs.get(entry.name).copied().unwrap_or("-");
        let difference = differences.get(entry.name).copied().unwrap_or(1.0);
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} | {difference:.0e} | {cost} |",
            call(entry),
            entry.title,
            lines(entry),
            input(entry.input),
            entry
                .build(&entry.defaults())
                .expect("defaults are in range")
                .warm_up(),
            reference(entry.reference),
        )
        .expect("a string takes it");
    }
    text
}

/// The indicator as a rule writes it, with the customary parameters: `macd(fast=12, slow=26, signal=9)`.
fn call(entry: &Entry) -> String {
    let parameter = |parameter: &Parameter| format!("{}={}", parameter.name, parameter.default);
    let parameters: Vec<_> = entry.parameters.iter().map(parameter).collect();
    format!("{}({})", entry.name, parameters.join(", "))
}

fn lines(entry: &Entry) -> String {
    let unit = match entry.unit {
        Unit::Price => "price",
        Unit::PriceSquared => "price squared",
        Unit::Number => "number",
        Unit::Volume => "volume",
        Unit::Money => "price times volume",
    };
    match entry.outputs {
        ["value"] => unit.to_owned(),
        names => format!("`{}`: {unit}", names.join("`, `")),
    }
}

fn input(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Value => "values",
        InputKind::Bar => "bars",
        InputKind::Ohlcv => "candles",
        InputKind::Pair => "pairs",
    }
}

fn reference(reference: Reference) -> String {
    match reference {
        Reference::TaLib(functions) => format!("TA-Lib {functions}"),
        Reference::Cited(source) => source.to_owned(),
    }
}
