//! The desk under test: `tradewind run --live` in a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::plan::{CONFIG_FILE, Plan};
use crate::cli::client::Client;
use crate::cli::location::Location;

/// Longest wait for a desk that is ready, and for one that ends.
const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDED_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for an answer of the desk.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What the desk writes.
const LOG_FILE: &str = "certify.log";
/// Overrides of a configuration, which is not the one they were meant for.
const OVERRIDES: &str = "TRADEWIND__";

/// A running desk. Dropped before it was stopped, it is killed: its stops stay at the venue.
pub(super) struct DeskProcess {
    child: Child,
    client: Client,
    /// How long it took to be ready.
    pub(super) ready_after: Duration,
}

impl DeskProcess {
    /// Starts it and waits until its account is read.
    ///
    /// # Errors
    /// It ended, with its last complaint, or is not ready in time.
    pub(super) fn start(plan: &Plan, folder: &Path) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut child = spawn(plan, folder)?;
        let location = Location::local(folder.to_owned());
        let ready = wait(READY_WITHIN, "the desk is not ready", || {
            if let Some(status) = child.try_wait()? {
                bail!("the desk ended with {status}: {}", complaint(folder));
            }
            if location.announced().map(|desk| desk.pid) != Some(child.id()) {
                return Ok(None);
            }
            let client = Client::connect(&location, ANSWER_WITHIN)?;
            let status = client.get("status", &[])?;
            Ok((status["ready"] == true).then_some(client))
        });
        match ready {
            Ok(client) => Ok(Self {
                child,
                client,
                ready_after: began.elapsed(),
            }),
            Err(error) => {
                drop(child.kill());
                drop(child.wait());
                Err(error)
            }
        }
    }

    /// Its API.
    pub(super) const fn api(&self) -> &Client {
        &self.client
    }

    /// The items of a list of its API.
    pub(super) fn items(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        match self.client.get(path, query)?["items"].take() {
            Value::Array(items) => Ok(items),
            other => bail!("{path} is no list: {other}"),
        }
    }

    /// What it answers to `GET /api/v1/{path}`.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.client.get(path, &[])
    }

    /// Ends it without a word, by SIGKILL.
    pub(super) fn crash(mut self) -> anyhow::Result<()> {
        self.child.kill().context("sending SIGKILL")?;
        self.child.wait().context("waiting for its end")?;
        Ok(())
    }

    /// Stops it in order, by SIGTERM.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {pid}")])
            .status();
        ensure!(
            sent.context("sending SIGTERM")?.success(),
            "SIGTERM was not sent"
        );
        let child = &mut self.child;
        let status = wait(ENDED_WITHIN, "the desk does not end", || {
            Ok(child.try_wait()?)
        })?;
        ensure!(status.success(), "the desk ended with {status}");
        Ok(())
    }
}

impl Drop for DeskProcess {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(plan: &Plan, folder: &Path) -> anyhow::Result<Child> {
    let log: PathBuf = folder.join(LOG_FILE);
    let open = || File::options().append(true).create(true).open(&log);
    let opening = || format!("cannot write {}", log.display());
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command
        .args([
            "run",
            "--venue",
            plan.venue.name.as_str(),
            "--live",
            "--config",
        ])
        .arg(folder.join(CONFIG_FILE))
        .arg("--data-dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(open().with_context(opening)?)
        .stderr(open().with_context(opening)?);
    for phrase in &plan.confirm {
        command.args(["--confirm", phrase]);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(OVERRIDES) {
            command.env_remove(name);
        }
    }
    command.spawn().context("starting a desk")
}

/// The last error that a desk printed.
fn complaint(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join(LOG_FILE)).unwrap_or_default();
    let last = log
        .lines()
        .rev()
        .find(|line| line.starts_with("tradewind: "));
    last.unwrap_or("it said nothing").to_owned()
}

/// Looks until there is an answer.
///
/// # Errors
/// `seen` failed, or there is no answer in time.
#[expect(
    clippy::disallowed_methods,
    reason = "the command waits for another process, and ends with its own"
)]
pub(super) fn wait<T>(
    within: Duration,
    otherwise: &str,
    mut seen: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = seen()? {
            return Ok(found);
        }
        if began.elapsed() > within {
            bail!("{otherwise} within {within:?}");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
