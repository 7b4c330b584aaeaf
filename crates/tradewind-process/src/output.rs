//! What a process prints goes to the desk's log, bounded: lines are cut, and a process that prints faster than it may waits.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

/// Bytes of a line that are kept.
const LINE_MAX: u64 = 500;
/// Lines that are logged in a [`WINDOW`].
const LINES_MAX: u32 = 50;
/// Bytes that are read in a [`WINDOW`]; then the pipe fills, and the process waits when it prints.
const BYTES_MAX: usize = 256 * 1024;
const WINDOW: Duration = Duration::from_secs(1);

/// Logs what `pipe` carries under a name, until it closes. `ended` closes when the process was killed.
pub(crate) fn log(name: String, pipe: PipeReader, ended: Receiver<()>) -> std::io::Result<()> {
    let thread = thread::Builder::new().name("process output".to_owned());
    thread.spawn(move || read(&name, pipe, &ended)).map(drop)
}

fn read(name: &str, pipe: PipeReader, ended: &Receiver<()>) {
    let mut lines = BufReader::new(pipe);
    let (mut began, mut count, mut bytes, mut left_out) = (Instant::now(), 0, 0, 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
        if began.elapsed() >= WINDOW {
            note(name, left_out);
            (began, count, bytes, left_out) = (Instant::now(), 0, 0, 0);
        }
        bytes += line.len();
        count += 1;
        if count <= LINES_MAX {
            let text = String::from_utf8_lossy(&line);
            tracing::info!(process = name, "{}", text.trim_end());
        } else {
            left_out += 1;
        }
        let rest = WINDOW.saturating_sub(began.elapsed());
        // The log of one process must not take a processor: what it prints beyond its share waits.
        if bytes > BYTES_MAX && ended.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    note(name, left_out);
}

fn note(name: &str, left_out: u64) {
    if left_out > 0 {
        tracing::warn!(
            process = name,
            left_out,
            "It prints too much; lines were left out."
        );
    }
}
