//! A simulated exchange in a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::desk::{signal, tradewind, within};

/// What the exchange prints, in its folder: where it listens, then its log of orders.
const LOG: &str = "simx.jsonl";

/// Longest it may take to listen.
const START_WITHIN: Duration = Duration::from_secs(30);

/// The process. It is killed when the test is over, however the test ends.
pub(crate) struct Simx {
    child: Child,
    /// `host:port` of its REST and WebSocket interface.
    pub(crate) address: String,
    log: PathBuf,
}

impl Simx {
    /// Starts `tradewind simx` on a data folder, and reads where it listens.
    #[track_caller]
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join(LOG);
        let child = tradewind(folder, &["simx", "--json"])
            .args(arguments)
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut simx = Self {
            child,
            address: String::new(),
            log,
        };
        let facts = within(START_WITHIN, "an exchange that listens", || {
            simx.log().into_iter().next()
        });
        facts["listen"]
            .as_str()
            .unwrap()
            .clone_into(&mut simx.address);
        simx
    }

    /// What it printed: a line of facts, then a line for each thing that happened to an order. A line that is being
    /// written is left out.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Sends it a signal, such as `STOP`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Simx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
