//! The process that trains a model: outside of the desk, without its limits, and without its environment.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::ProcessError;
use crate::interpreter;

/// What it runs: the package's file, which uses the standard library alone.
const TRAINING: &str = include_str!("../../../python/tradewind/training.py");

/// The command that trains the model of a job's file. What it prints goes where the caller's does.
///
/// # Errors
/// The interpreter cannot be run.
pub fn training_command(interpreter: &str, job: &Path) -> Result<Command, ProcessError> {
    let mut command = Command::new(interpreter::resolve(interpreter)?);
    let home = std::env::var_os("HOME").map(|home| ("HOME", home));
    command
        .args(["-c", TRAINING])
        .arg(job)
        .env_clear()
        .envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
            // Sets and dicts iterate in the same order in each run.
            ("PYTHONHASHSEED", "0"),
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ])
        .envs(home)
        .stdin(Stdio::null());
    Ok(command)
}
