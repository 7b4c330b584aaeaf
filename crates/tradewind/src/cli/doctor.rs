//! `tradewind doctor`: looks for what may be wrong on this machine, and says how to mend it.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::Timestamp;

use super::client::Client;
use super::config::ConfigFile;
use super::exit::ProblemsFound;
use super::location::Location;
use super::output::Output;
use super::time::now;
use crate::config::{DeskConfig, Listing};

/// A host's clock before this was never set: 2026-01-01.
const EARLIEST: Timestamp = Timestamp::from_secs(1_767_225_600);

/// What was found about one thing.
#[derive(Debug)]
struct Finding {
    name: &'static str,
    sound: bool,
    message: String,
}

/// Looks at everything; code 1 if anything is wrong.
pub(super) fn examine(
    file: &ConfigFile,
    location: &Location,
    timeout: Duration,
    output: Output,
) -> anyhow::Result<()> {
    let config = file.load(Listing::Unknown);
    let mut findings = vec![
        version(),
        clock(),
        data_dir(&location.data_dir),
        token(location),
        latch(location),
    ];
    findings.push(match &config {
        Ok(config) => sound("configuration", format!("{} is in order", config.file)),
        Err(error) => unsound("configuration", error.to_string()),
    });
    findings.push(desk(location, config.as_ref().ok(), timeout));
    report(&findings, output)?;
    if findings.iter().all(|finding| finding.sound) {
        Ok(())
    } else {
        Err(ProblemsFound.into())
    }
}

fn report(findings: &[Finding], output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        let each: Vec<Value> = findings
            .iter()
            .map(|one| json!({ "name": one.name, "ok": one.sound, "message": one.message }))
            .collect();
        return Ok(output.value(&json!({ "items": each, "next": null }))?);
    }
    for finding in findings {
        let mark = if finding.sound { "ok   " } else { "WRONG" };
        for (index, line) in finding.message.lines().enumerate() {
            let (mark, name) = if index == 0 {
                (mark, finding.name)
            } else {
                ("     ", "")
            };
            output.line(&format!("{mark}  {name:<13}  {line}"))?;
        }
    }
    Ok(())
}

fn sound(name: &'static str, message: impl Into<String>) -> Finding {
    Finding {
        name,
        sound: true,
        message: message.into(),
    }
}

fn unsound(name: &'static str, message: impl Into<String>) -> Finding {
    Finding {
        name,
        sound: false,
        message: message.into(),
    }
}

fn version() -> Finding {
    let (os, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    sound(
        "version",
        format!("tradewind {} on {os} {machine}", env!("CARGO_PKG_VERSION")),
    )
}

fn clock() -> Finding {
    let now = now();
    if now < EARLIEST {
        return unsound(
            "clock",
            format!("the host says it is {now}; set its clock, or venues refuse every order"),
        );
    }
    sound("clock", format!("the host says it is {now}"))
}

fn data_dir(dir: &Path) -> Finding {
    let shown = dir.display();
    if !dir.exists() {
        return sound(
            "data folder",
            format!("{shown} is not there yet; the first start makes it"),
        );
    }
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => sound("data folder", format!("{shown} can be written")),
        Err(error) => unsound(
            "data folder",
            format!("{shown} cannot be written ({error}); check its owner and the disk"),
        ),
    }
}

fn token(location: &Location) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    let path = location.token_path();
    let shown = path.display();
    match std::fs::metadata(&path) {
        Err(_) => sound(
            "token",
            format!("{shown} is not there yet; the first start makes it"),
        ),
        Ok(found) if found.permissions().mode() & 0o077 == 0 => {
            sound("token", format!("{shown} is readable by its owner alone"))
        }
        Ok(_) => unsound(
            "token",
            format!(
                "others can read {shown}; remove it and restart the desk, which makes a new one"
            ),
        ),
    }
}

fn latch(location: &Location) -> Finding {
    let state = location.latch().read(now());
    if state.killed {
        let message = format!(
            "killed by {}: {}; lift it with: tradewind reset --reason …",
            state.by, state.reason
        );
        return unsound("kill latch", message);
    }
    sound("kill latch", "clear")
}

/// Either a desk runs and answers, or its port is free.
fn desk(location: &Location, config: Option<&DeskConfig>, timeout: Duration) -> Finding {
    if location.announced().is_some() || !location.is_local() {
        let asked = Client::connect(location, timeout)
            .and_then(|client| Ok((client.address().to_string(), client.get("status", &[])?)));
        return match asked {
            Ok((address, status)) => sound(
                "desk",
                format!(
                    "runs at {address}, version {}",
                    status["version"].as_str().unwrap_or("?")
                ),
            ),
            Err(error) => unsound("desk", format!("{error:#}")),
        };
    }
    let Some(config) = config else {
        return sound("desk", "is not running");
    };
    let listen = config.api.listen;
    match TcpListener::bind(listen) {
        Ok(_) => sound("desk", format!("is not running, and {listen} is free")),
        Err(error) => unsound(
            "desk",
            format!(
                "is not running, but {listen} cannot be used ({error}); stop what uses it, or set api.listen"
            ),
        ),
    }
}
