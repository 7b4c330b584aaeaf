//! Which program an interpreter's name stands for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use crate::error::ProcessError;

/// The oldest version that the package runs on.
const LEAST: (u32, u32) = (3, 9);

static FOUND: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// The program that `interpreter` runs in the end: wrappers of version managers need an environment that a strategy is not given. It
/// runs none of the user's code, and each interpreter is looked up once.
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
    let output = Command::new(interpreter)
        .args(["-c", script])
        .output()
        .map_err(|error| refused(error.to_string()))?;
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
