//! The `tradewind` command.

use std::process::ExitCode;

use tradewind_model::mutation::{Mutation, is_on};

/// No desk has deliberate bugs: with the feature `mutations` this is no constant, and the program does not compile.
const _: () = assert!(!is_on(Mutation::FillTwice));

fn main() -> ExitCode {
    tradewind::cli::main(tradewind::app::run)
}
