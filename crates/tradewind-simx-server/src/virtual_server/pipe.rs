//! The bytes of one connection that were received and not read, and those that were written and not taken.

use std::io::{self, Read, Write};

use crate::line::{Passage, Switch};

/// Bytes that may wait to be taken. With one more the connection is cut, like one that does not read.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Both directions of a connection in memory. What faults do to a connection below its protocol they do to `switch`.
#[derive(Debug)]
pub(super) struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
    pub(super) switch: Switch,
}

impl Pipe {
    pub(super) const fn new() -> Self {
        Self {
            input: Vec::new(),
            output: Vec::new(),
            switch: Switch::open(),
        }
    }

    /// Appends received bytes.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// What was received and not read.
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }

    /// Marks the first `count` bytes of the input as read.
    pub(super) fn used(&mut self, count: usize) {
        self.input.drain(..count.min(self.input.len()));
    }

    /// Takes what was written.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.output.is_empty()
    }

    /// Whether the other side has not taken its bytes for too long.
    pub(super) const fn is_full(&self) -> bool {
        self.output.len() > WAITING_BYTES_MAX
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.input.as_slice().read(buffer)?;
        self.used(count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        match self.switch.passage(bytes.len())? {
            Passage::Mute => Ok(bytes.len()),
            Passage::Open(allowed) => {
                let bytes = bytes.get(..allowed).unwrap_or(bytes);
                self.output.extend_from_slice(bytes);
                self.switch.count(bytes.len());
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
