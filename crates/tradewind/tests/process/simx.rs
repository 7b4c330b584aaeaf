//! A simulated exchange in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::desk::tradewind;

/// The process. It is killed when the test is over, however the test ends.
pub(crate) struct Simx {
    child: Child,
    /// `host:port` of its REST and WebSocket interface.
    pub(crate) address: String,
}

impl Simx {
    /// Starts `tradewind simx` on a data folder, and reads where it listens.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = tradewind(folder, &["simx", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).unwrap();
        let address = facts["listen"].as_str().unwrap().to_owned();
        Self { child, address }
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
