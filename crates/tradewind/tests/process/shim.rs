//! Libraries that stand between the built desk and the C library.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/process/<name>.c` into `folder`; the result is for `LD_PRELOAD`.
#[track_caller]
pub(crate) fn compiled(folder: &Path, name: &str) -> PathBuf {
    let library = folder.join(name).with_extension("so");
    let source = format!("{}/tests/process/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(status.unwrap().success());
    library
}
