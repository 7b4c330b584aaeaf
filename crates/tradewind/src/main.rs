//! The `tradewind` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind::cli::main(|_| anyhow::bail!("this build cannot run a desk yet"))
}
