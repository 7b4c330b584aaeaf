//! The exchange under load: the real binary as a process, its address and its memory.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// A running `tradewind simx`; it is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Exchange {
    child: Child,
    pub(crate) address: String,
}

/// An account to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) key: String,
    pub(crate) secret: String,
    /// `USDT=1000,BTC=1`.
    pub(crate) balances: String,
}

impl Exchange {
    /// Starts it without limits on a free port and waits until it tells its address.
    pub(crate) fn start(binary: &str, seed: u64, accounts: &[Opening]) -> Outcome<Self> {
        let mut command = Command::new(binary);
        command.args([
            "simx",
            "--listen",
            "127.0.0.1:0",
            "--limits",
            "off",
            "--json",
        ]);
        command.args(["--seed", &seed.to_string()]);
        for account in accounts {
            let Opening {
                key,
                secret,
                balances,
            } = account;
            command.args(["--account", &format!("{key}:{secret}:{balances}")]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the exchange has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().ok_or("the exchange ended at once")??;
        let told: serde_json::Value = serde_json::from_str(&first)?;
        let address = told["listen"]
            .as_str()
            .ok_or("the exchange told no address")?
            .to_owned();
        // What it tells later is of no use here, but a full pipe would hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    /// Resident memory in MiB, where the system tells it.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes / 1_024)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
