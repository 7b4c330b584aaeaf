//! A desk under test: one process, one folder, and the questions a test asks it.

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{self, Answer};

/// How often something is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a desk that starts is looked at: its time to be ready is measured.
const READY_EVERY: Duration = Duration::from_millis(20);
/// Longest a desk may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A desk that is to end at once is gone within this time: for an end in order a single component may take five seconds.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(3);

/// Clears a kill, once the account was read since and nothing is of unknown fate.
#[track_caller]
pub(crate) fn reset(folder: &Path, arguments: &[&str]) {
    within(Duration::from_secs(30), "a reset", || {
        let arguments = [&["reset", "--reason", "drill over"], arguments].concat();
        let reset = command(folder, &arguments);
        if reset.status.success() {
            return Some(());
        }
        let told = String::from_utf8_lossy(&reset.stderr);
        let waits = told.contains("it is being read now") || told.contains("unknown fate");
        assert!(waits, "{told}");
        None
    });
}

/// Whether nothing is open but stops at the venue, which a kill leaves there, and none of them is of unknown fate.
pub(crate) fn are_at_rest(orders: &[Value]) -> bool {
    let rests = |order: &Value| order["purpose"] == "protect" && order["status"] != "unknown";
    orders.iter().all(rests)
}

/// A running desk. It is killed when the test is over, however the test ends.
#[derive(Debug)]
pub(crate) struct Desk {
    child: Child,
    folder: PathBuf,
    /// `host:port` of its API.
    pub(crate) address: String,
    headers: String,
    /// When its process was started.
    pub(crate) started: Instant,
}

/// What opens the control port of a desk's exchange.
pub(crate) const CONTROL_TOKEN: &str = "a-control-token-of-the-tests";

/// An address on this machine that nobody uses and nobody is given: below the ports that the system hands out, so that
/// no connection of a neighbouring test can take it before, or between two starts.
pub(crate) fn unused_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(12_000 + number % 20_000).unwrap();
        if let Ok(free) = TcpListener::bind(("127.0.0.1", port)) {
            return free.local_addr().unwrap().to_string();
        }
    }
}

/// The built binary in `folder`, with an environment of its own.
pub(crate) fn tradewind(folder: &Path, arguments: &[&str]) -> Command {
    let binary = std::env::var_os("TRADEWIND_BINARY");
    let built = || env!("CARGO_BIN_EXE_tradewind").into();
    let mut command = Command::new(binary.unwrap_or_else(built));
    command
        .args(arguments)
        .args(["--data-dir".as_ref(), folder.as_os_str()])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("SIMX_CONTROL_TOKEN", CONTROL_TOKEN)
        .env("TRADEWIND__API__LISTEN", "127.0.0.1:0");
    command
}

/// Runs a command of the command line on a desk's folder to its end.
#[track_caller]
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Output {
    tradewind(folder, arguments).output().unwrap()
}

/// Looks until `seen` has an answer.
///
/// # Panics
/// There is none in time; `what` says what was waited for.
#[track_caller]
pub(crate) fn within<T>(time: Duration, what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(begin.elapsed() < time, "not within {time:?}: {what}");
        pause(LOOK_EVERY);
    }
}

/// Sends a process a signal, such as `INT`.
#[track_caller]
pub(crate) fn signal(pid: u32, name: &str) {
    let pid = pid.to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

/// Lets a real process go on for a while.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock of another process cannot be moved"
)]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time); // tidy: sleep: the desk is another process, in real time
}

impl Desk {
    /// Starts a desk on the default configuration and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// Starts a desk with more arguments after `run` and waits until it is ready.
    #[track_caller]
    pub(crate) fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        let run: Vec<&str> = ["run"].iter().chain(arguments).copied().collect();
        Self::start_from(folder, tradewind(folder, &run))
    }

    /// Starts a desk by a command of [`tradewind`] and waits until it is ready.
    #[track_caller]
    pub(crate) fn start_from(folder: &Path, command: Command) -> Self {
        let mut desk = Self::spawn(folder, command);
        desk.until_ready();
        desk
    }

    /// Starts a desk by a command of [`tradewind`] and does not wait.
    #[track_caller]
    pub(crate) fn spawn(folder: &Path, mut command: Command) -> Self {
        let output = |name| {
            File::options()
                .append(true)
                .create(true)
                .open(folder.join(name))
        };
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(output("stdout").unwrap())
            .stderr(output("stderr").unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
            address: String::new(),
            headers: String::new(),
            started,
        }
    }

    /// Waits until the desk is ready. Returns how long that took since its process was started.
    #[track_caller]
    pub(crate) fn until_ready(&mut self) -> Duration {
        while !self.is_ready() {
            assert!(
                self.started.elapsed() < READY_WITHIN,
                "not within {READY_WITHIN:?}: a desk that is ready"
            );
            pause(READY_EVERY);
        }
        self.started.elapsed()
    }

    /// Whether the desk has read its accounts and may trade.
    #[track_caller]
    pub(crate) fn is_ready(&mut self) -> bool {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the desk ended with {status}: {}", self.said());
        }
        self.answers()
    }

    /// The same of a desk that may be dead.
    fn answers(&mut self) -> bool {
        if self.find().is_none() {
            return false;
        }
        let answer = http::ask(&self.address, "GET /readyz", "", "");
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Waits until the desk is ready, and says so, or is dead.
    #[track_caller]
    pub(crate) fn until_ready_or_dead(&mut self) -> bool {
        within(READY_WITHIN, "a desk that is ready or dead", || {
            let is_dead = self.is_dead();
            (is_dead || self.answers()).then_some(!is_dead)
        })
    }

    /// Whether the process is gone.
    pub(crate) fn is_dead(&mut self) -> bool {
        self.end().is_some()
    }

    /// How the process ended, if it has.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Learns where the desk listens, once it has written it down.
    fn find(&mut self) -> Option<()> {
        let file = fs::read_to_string(self.folder.join("desk.json")).ok()?;
        let file: Value = serde_json::from_str(&file).ok()?;
        if file["pid"] != self.child.id() {
            return None;
        }
        self.address = file["url"].as_str()?.strip_prefix("http://")?.to_owned();
        let token = fs::read_to_string(self.folder.join("token")).ok()?;
        self.headers = format!("Authorization: Bearer {}\r\n", token.trim());
        Some(())
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it wrote so far, in all its runs.
    pub(crate) fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("stdout") + &read("stderr")
    }

    /// `GET /api/v1/…`.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask(&format!("GET /api/v1/{path}"), "").unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// The items of a list that comes all at once.
    #[track_caller]
    pub(crate) fn items(&self, path: &str) -> Vec<Value> {
        self.get(path)["items"].as_array().unwrap().clone()
    }

    /// Every item of a list that comes in pages.
    #[track_caller]
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit=1000{next}"));
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            let Some(before) = page["next"].as_str() else {
                return items;
            };
            next = format!("&before={before}");
        }
    }

    /// Whether the database was level with the journal when it looked last.
    #[track_caller]
    pub(crate) fn is_stored(&self) -> bool {
        let metrics = self.ask("GET /metrics", "").unwrap();
        let name = "tradewind_journal_lag_seconds ";
        let lag = metrics
            .body
            .lines()
            .find_map(|line| line.strip_prefix(name));
        matches!(lag.unwrap(), "0" | "0.0")
    }

    /// A request of any kind.
    pub(crate) fn ask(&self, request: &str, body: &str) -> io::Result<Answer> {
        let headers = format!("{}Content-Type: application/json\r\n", self.headers);
        http::ask(&self.address, request, &headers, body)
    }

    /// Opens the stream of events and leaves it to the caller.
    pub(crate) fn stream(&self, types: &str) -> io::Result<TcpStream> {
        let request = format!("GET /api/v1/events{types}");
        http::open(&self.address, &request, &self.headers, "")
    }

    /// The stream of events of all lives behind the one with this id.
    pub(crate) fn stream_after(&self, id: &str) -> io::Result<TcpStream> {
        let headers = format!("{}Last-Event-ID: {id}\r\n", self.headers);
        http::open(&self.address, "GET /api/v1/events", &headers, "")
    }

    /// SIGKILL, and the process is gone.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, such as `INT`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits until the process has ended by itself.
    #[track_caller]
    pub(crate) fn ended(&mut self, time: Duration) -> ExitStatus {
        within(time, "the end of the process", || {
            self.child.try_wait().unwrap()
        })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "{}: {}",
                self.folder.display(),
                last_lines(&self.said(), 40)
            );
        }
        // It may have ended already, and there is nothing to be done about a failure.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
