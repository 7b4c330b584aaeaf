//! The stream of events as it arrives, read by a thread that notes when each one came.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::SystemTime;

use serde_json::Value;

/// An event and the moment its line was complete.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// When, by this machine's clock.
    pub(crate) at: SystemTime,
    /// The event.
    pub(crate) event: Value,
}

impl Arrived {
    /// Sequence number and index.
    #[track_caller]
    pub(crate) fn id(&self) -> (u64, u64) {
        let (seq, index) = self.event["id"].as_str().unwrap().split_once('.').unwrap();
        (seq.parse().unwrap(), index.parse().unwrap())
    }

    /// Its type.
    pub(crate) fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap_or_default()
    }
}

/// Reads a stream to its end, which comes with the desk's.
pub(crate) fn listen(stream: TcpStream) -> Receiver<Arrived> {
    stream.set_read_timeout(None).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let at = SystemTime::now();
            let Ok(line) = line else { return };
            let Some(data) = line.strip_prefix("data: ") else {
                continue;
            };
            // The last line of a killed desk may be cut off.
            let Ok(event) = serde_json::from_str(data) else {
                return;
            };
            if sender.send(Arrived { at, event }).is_err() {
                return;
            }
        }
    });
    receiver
}
