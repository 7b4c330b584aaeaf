//! Clients that hold every connection of the API that there is.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, tradewind, unused_address, within};
use crate::exchange::Exchange;
use crate::live::{come_to_rest, compare, configuration, live};

const SOON: Duration = Duration::from_secs(60);
/// Files that the desk's process may open.
const FILES: &str = "256";
/// More than the API may hold then. What it does not take waits in the system's queue of 128.
const CLIENTS: usize = 150;

/// `command`, in a process that may open so many files.
fn with_files(folder: &Path, command: &Command, files: &str) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited
        .arg("-c")
        .arg(format!("ulimit -n {files} && exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder)
        .env_clear();
    let set = command.get_envs();
    limited.envs(set.filter_map(|(name, value)| Some((name, value?))));
    limited
}

/// P07: the desk keeps its descriptors: it trades, its connections to the venue come back, and its journal rotates.
#[test]
fn clients_that_take_every_connection_stop_no_order() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let address = unused_address();
    let exchange = Exchange::begun(at_venue.path(), &["--listen", &address, "--limits", "off"]);
    let config = configuration(folder, &exchange.address);
    let desk = Desk::start_from(folder, with_files(folder, &live(folder, &config), FILES));
    within(SOON, "fills", || (exchange.trades() >= 10).then_some(()));

    let clients: Vec<TcpStream> = (0..CLIENTS)
        .filter_map(|_| TcpStream::connect(&desk.address).ok())
        .collect();
    assert!(clients.len() > 64, "{} connected", clients.len());
    let before = exchange.trades();
    within(SOON, "fills beside the clients", || {
        (exchange.trades() >= before + 20).then_some(())
    });
    assert!(
        !desk.said().contains("Too many open files"),
        "{}",
        desk.said()
    );
    drop(clients);

    within(SOON, "an answer of the API", || {
        desk.ask("GET /readyz", "")
            .ok()
            .filter(|answer| answer.status == 200)
    });
    come_to_rest(folder, &desk);
    compare(&desk, &exchange);
}

/// A limit under which a desk cannot work is an error at its start, with the cure.
#[test]
fn a_desk_that_may_open_too_few_files_says_so() {
    let folder = TempDir::new().unwrap();
    let run = tradewind(folder.path(), &["run"]);
    let mut limited = with_files(folder.path(), &run, "128");
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ulimit -n 4096"), "{said}");
}
