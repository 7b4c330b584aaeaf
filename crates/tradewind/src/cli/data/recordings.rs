//! `tradewind data verify PATH`: recordings, block by block.

use std::path::PathBuf;

use serde_json::{Value, json};
use tradewind_data::{examine, repair};

use super::import::{files, lines, lost};
use crate::cli::exit::ProblemsFound;
use crate::cli::output::Output;

/// Reads every file to its end; exit code 1 if something is damaged, torn or missing.
pub(super) fn verify(paths: &[PathBuf], cut: bool, output: Output) -> anyhow::Result<()> {
    let mut found: Vec<Value> = Vec::new();
    let mut is_sound = true;
    for path in paths {
        for file in files(path)? {
            let examined = examine(&file);
            let name = file.display().to_string();
            let examined = match examined {
                Ok(examined) if examined.is_recording => examined,
                Ok(_) => {
                    is_sound = false;
                    found.push(json!({ "file": name, "problem": "it is no recording" }));
                    continue;
                }
                Err(error) => {
                    is_sound = false;
                    found.push(json!({ "file": name, "problem": error.to_string() }));
                    continue;
                }
            };
            let mut missing = 0;
            let read = [(file.clone(), examined.clone())];
            lines(&read, |_, line| {
                missing += lost(line).map_or(0, |lost| lost.frames);
                Ok(())
            })?;
            let cut_bytes = if cut { repair(&file)? } else { 0 };
            let torn = examined.torn_bytes - cut_bytes;
            is_sound &= torn == 0 && missing == 0;
            found.push(json!({
                "file": name, "blocks": examined.blocks, "lines": examined.lines, "lost": missing, "torn": torn, "cut": cut_bytes,
                "from": examined.first.map(|at| at.to_string()), "to": examined.last.map(|at| at.to_string()),
            }));
        }
    }
    if output.is_json() {
        output.value(&json!({ "items": found }))?;
    } else {
        found
            .iter()
            .try_for_each(|file| output.line(&in_words(file)))?;
    }
    if is_sound {
        return Ok(());
    }
    Err(ProblemsFound.into())
}

fn in_words(file: &Value) -> String {
    let text = |key: &str| file[key].as_str().unwrap_or("-").to_owned();
    let count = |key: &str| file[key].as_u64().unwrap_or(0);
    if file["problem"].is_string() {
        return format!("{}: {}", text("file"), text("problem"));
    }
    let mut line = format!(
        "{}: {} lines in {} blocks, from {} to {}, {} frames lost",
        text("file"),
        count("lines"),
        count("blocks"),
        text("from"),
        text("to"),
        count("lost")
    );
    if count("torn") > 0 {
        line.push_str(&format!(
            "; {} bytes at the end are no whole block; --repair cuts them off",
            count("torn")
        ));
    }
    if count("cut") > 0 {
        line.push_str(&format!("; {} bytes were cut off the end", count("cut")));
    }
    line
}
