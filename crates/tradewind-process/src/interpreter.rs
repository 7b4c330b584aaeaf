//! Which program an interpreter's name stands for.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::error::ProcessError;

/// The oldest version that the package runs on.
const LEAST: (u32, u32) = (3, 9);

static FOUND: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// How long an interpreter may take to say which it is.
const DEADLINE: Duration = Duration::from_secs(20);
/// What wrappers of version managers find their interpreter by. Nothing else of the desk's environment is handed on.
const WRAPPERS_NEED: [&str; 6] = [
    "PATH",
    "HOME",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
];

/// The program that `interpreter` runs in the end: wrappers of version managers need an environment that a strategy is not given.
/// Nothing of the user's packages is imported (`-I -S`), and each interpreter is looked up once.
pub(crate) fn resolve(interpreter: &str) -> Result<PathBuf, ProcessError> {
    let mut found = FOUND
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(path) = found.get(interpreter) {
        return Ok(path.clone());
    }
    let refused = |reason: String| ProcessError::Interpreter {
        interpreter: interpreter.to_owned(),
        reason,
    };
    let script = "import sys; print('%d %d' % sys.version_info[:2]); print(sys.executable)";
    let mut command = Command::new(interpreter);
    command.args(["-I", "-S", "-c", script]).env_clear();
    for name in WRAPPERS_NEED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let output = output_within(command, DEADLINE).map_err(|error| refused(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| {
        let (major, minor) = line.split_once(' ')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    let (Some(version), Some(path)) = (version, lines.next()) else {
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error.lines().last().unwrap_or("it printed no version");
        return Err(refused(format!("it is no Python: {last}")));
    };
    if version < LEAST {
        let (major, minor) = version;
        return Err(refused(format!(
            "it is Python {major}.{minor}, and the package needs 3.9"
        )));
    }
    let path = PathBuf::from(path);
    found.insert(interpreter.to_owned(), path.clone());
    Ok(path)
}

/// What a command prints. One that does not end in time is killed with its process group.
fn output_within(mut command: Command, deadline: Duration) -> std::io::Result<Output> {
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn()?;
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let waits = std::thread::Builder::new().name("interpreter".to_owned());
    waits.spawn(move || drop(sender.send(child.wait_with_output())))?;
    receiver.recv_timeout(deadline).unwrap_or_else(|_| {
        // It fails only where the process has ended by now.
        rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).ok();
        let text = format!("it did not say its version within {deadline:?}");
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_given_up() {
        let mut command = Command::new("tail");
        command.args(["-f", "/dev/null"]);
        let error = output_within(command, Duration::from_millis(50)).expect_err("it never ends");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    }
}
