//! One process: started with limits, requested with a deadline, killed with its process group.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::error::ProcessError;
use crate::frame::{Frame, Kind};
use crate::{interpreter, output, package};

/// The priority of a strategy's process beside the desk's.
const NICE: i32 = 10;
/// How long a process that closed its connection may take to end.
const END_WAIT: Duration = Duration::from_millis(500);

/// What a process is started with.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// What it may map, in bytes.
    pub(crate) memory: u64,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stream: UnixStream,
    received: Vec<u8>,
    requests: u32,
    /// Closes when the process is dropped, which ends the thread that reads its output.
    _ends: Sender<()>,
}

impl Process {
    /// Starts the interpreter with an environment of its own and hands it the package. `name` is that of the log.
    pub(crate) fn start(
        name: &str,
        interpreter: &str,
        limits: &Limits,
    ) -> Result<Self, ProcessError> {
        let refused = |error: std::io::Error| ProcessError::Interpreter {
            interpreter: interpreter.to_owned(),
            reason: error.to_string(),
        };
        let program = interpreter::resolve(interpreter)?;
        let (stream, theirs) = UnixStream::pair().map_err(refused)?;
        let (reader, writer) = std::io::pipe().map_err(refused)?;
        let mut command = Command::new(program);
        command
            .args(["-c", package::BOOTSTRAP])
            .env_clear()
            .envs(environment())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(writer.try_clone().map_err(refused)?)
            .stderr(writer)
            .process_group(0);
        let child = command.spawn().map_err(refused)?;
        // The command holds the other ends, and a pipe ends with its last writer.
        drop(command);
        let (ends, ended) = crossbeam_channel::bounded(0);
        let mut process = Self {
            child,
            stream,
            received: Vec::new(),
            requests: 0,
            _ends: ends,
        };
        process.limit(limits).map_err(refused)?;
        output::log(name.to_owned(), reader, ended).map_err(refused)?;
        let parcel = package::parcel().map_err(refused)?;
        let until = Instant::now() + crate::LOAD_DEADLINE;
        process.write(&parcel, until, crate::LOAD_DEADLINE)?;
        Ok(process)
    }

    /// The process waits for the package while its limits are set, so that none of the user's code runs without them.
    fn limit(&self, limits: &Limits) -> std::io::Result<()> {
        let pid = Some(self.pid());
        let memory = Rlimit {
            current: Some(limits.memory),
            maximum: Some(limits.memory),
        };
        rustix::process::prlimit(pid, Resource::As, memory)?;
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        rustix::process::prlimit(pid, Resource::Core, none)?;
        rustix::process::setpriority_process(pid, NICE)?;
        Ok(())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a frame that has no answer.
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        bot: u16,
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<u32, ProcessError> {
        self.requests = self.requests.wrapping_add(1);
        let request = self.requests;
        let frame = Frame {
            kind,
            bot,
            request,
            body,
        };
        let bytes = frame.encode().map_err(garbled)?;
        self.write(&bytes, Instant::now() + deadline, deadline)?;
        Ok(request)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn request(
        &mut self,
        kind: Kind,
        bot: u16,
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<Frame, ProcessError> {
        let until = Instant::now() + deadline;
        let request = self.send(kind, bot, body, deadline)?;
        let answer = self.read(until, deadline)?;
        if answer.kind == Kind::Fault {
            // The fault may be of a candle before, which had no answer of its own.
            return Err(ProcessError::Raised(
                String::from_utf8_lossy(&answer.body).into_owned(),
            ));
        }
        if (answer.bot, answer.request) != (bot, request) {
            let text = format!("request {} of bot {}", answer.request, answer.bot);
            return Err(ProcessError::Garbled(text));
        }
        Ok(answer)
    }

    fn write(
        &mut self,
        bytes: &[u8],
        until: Instant,
        deadline: Duration,
    ) -> Result<(), ProcessError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(until, deadline)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(self.ended()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) => self.continue_after(&error)?,
            }
        }
        Ok(())
    }

    fn read(&mut self, until: Instant, deadline: Duration) -> Result<Frame, ProcessError> {
        let mut chunk = [0; 64 * 1024];
        loop {
            if let Some((frame, used)) = Frame::decode(&self.received).map_err(garbled)? {
                self.received.drain(..used);
                return Ok(frame);
            }
            self.wait(until, deadline)?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(self.ended()),
                Ok(read) => self
                    .received
                    .extend_from_slice(chunk.get(..read).unwrap_or_default()),
                Err(error) => self.continue_after(&error)?,
            }
        }
    }

    /// Sets what is left of the deadline as the limit of the next call.
    fn wait(&self, until: Instant, deadline: Duration) -> Result<(), ProcessError> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ProcessError::Overrun(deadline));
        }
        let set = self
            .stream
            .set_read_timeout(Some(left))
            .and_then(|()| self.stream.set_write_timeout(Some(left)));
        set.map_err(|error| ProcessError::Ended(error.to_string()))
    }

    fn continue_after(&mut self, error: &std::io::Error) -> Result<(), ProcessError> {
        match error.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(()),
            _ => Err(self.ended()),
        }
    }

    /// How it ended, once it has closed its connection.
    fn ended(&mut self) -> ProcessError {
        let until = Instant::now() + END_WAIT;
        let (_keep, never) = crossbeam_channel::bounded::<()>(0);
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(Some(status)) => return ProcessError::Ended(status.to_string()),
                Ok(None) => drop(never.recv_timeout(Duration::from_millis(5))),
                Err(error) => return ProcessError::Ended(error.to_string()),
            }
        }
        ProcessError::Ended("it closed its connection".to_owned())
    }
}

impl Drop for Process {
    /// Kills it with its process group, and takes its status. What began a session of its own stays.
    fn drop(&mut self) {
        // It fails only where the process has ended and left none behind.
        rustix::process::kill_process_group(self.pid(), Signal::KILL).ok();
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All that a strategy's process finds in its environment: nothing of the desk's, where secrets are.
fn environment() -> [(&'static str, &'static str); 8] {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        // Sets and dicts iterate in the same order in each run.
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        // Libraries that start a thread a core map memory for each.
        ("OMP_NUM_THREADS", "1"),
        ("OPENBLAS_NUM_THREADS", "1"),
        ("MKL_NUM_THREADS", "1"),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
fn garbled(error: crate::frame::FrameError) -> ProcessError {
    ProcessError::Garbled(error.to_string())
}
