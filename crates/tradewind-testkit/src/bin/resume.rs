//! Continues where another process saved its engine: `resume FILE` prints the result.
//!
//! `FILE` is an [`Interrupted`] in MessagePack. The two numbers must be those of the run that was not interrupted.

#![expect(clippy::print_stdout, reason = "the numbers are its output")]

use std::error::Error;

use tradewind_testkit::Interrupted;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: resume FILE")?;
    let interrupted: Interrupted = rmp_serde::from_slice(&std::fs::read(file)?)?;
    let continued = interrupted.resume()?;
    println!("{:016x} {:016x}", continued.outputs, continued.state);
    Ok(())
}
