//! Chores of the repository, run as `cargo xtask CHORE`.
//!
//! Today there is one: `tidy`, which holds the rules that neither the compiler nor clippy can see. It has no dependencies, so that
//! it builds in a second, and it is a test as well, so that `make test` cannot pass without it. Start in [`tidy`].

mod checks;
mod finding;
mod lockfile;
mod manifest;
mod map;
mod tidy;
mod tree;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy\n  tidy   check the rules of the house: arrows, headers, sizes, words, links\n";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1);
    match chore.as_deref() {
        Some("tidy") => run_tidy(),
        Some("help" | "--help" | "-h") => say(&mut io::stdout(), USAGE, ExitCode::SUCCESS),
        _ => say(&mut io::stderr(), USAGE, ExitCode::from(2)),
    }
}

fn run_tidy() -> ExitCode {
    match tree::Tree::read(&root()) {
        Ok(tree) => {
            let report = tidy::run(&tree);
            let code = if report.is_clean() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
            say(&mut io::stdout(), &report.to_string(), code)
        }
        Err(error) => say(
            &mut io::stderr(),
            &format!("tidy: cannot read the repository: {error}\n"),
            ExitCode::FAILURE,
        ),
    }
}

/// Writes `text` and passes `code` on; a reader that hung up (`| head`) turns it into a failure rather than a panic.
fn say(out: &mut impl Write, text: &str, code: ExitCode) -> ExitCode {
    match out.write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The folder of the workspace: the parent of this crate's.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gate itself: `tidy` as a test, so that every test run includes it.
    #[test]
    fn the_repository_is_tidy() {
        let tree = tree::Tree::read(&root()).unwrap();
        let report = tidy::run(&tree);
        assert!(report.is_clean(), "\n{report}");
    }
}
