//! Ten times the usual for a minute, and a limit of memory: nothing of orders, fills and refusals is lost, and the desk trades on.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, tradewind, within};
use crate::exchange;
use crate::fast_bots::{fast_bots, fast_bots_beside_others};
use crate::lines::listen;
use crate::meters::resident;

const SOON: Duration = Duration::from_secs(60);
/// How long the usual is measured.
const USUAL_FOR: Duration = Duration::from_secs(15);
/// How long the peak lasts.
const PEAK_FOR: Duration = Duration::from_secs(60);
/// The machine is shared with the exchange and with other tests: of ten times the usual so much must arrive.
const TIMES_MIN: u64 = 4;
/// Memory that the desk's process may have besides code and files, in KiB.
const MEMORY_KIB: u64 = 640 * 1024;
/// Memory with which no desk can start.
const TOO_LITTLE_KIB: u64 = 24 * 1024;
/// Connections to the stream of events that are never read.
const STALLED: usize = 40;

fn seq(desk: &Desk) -> u64 {
    desk.get("status")["seq"].as_u64().unwrap()
}

/// Inputs of a desk within a time, and how many there were a second.
fn inputs(desk: &Desk, time: Duration) -> u64 {
    let (before, begun) = (seq(desk), Instant::now());
    pause(time);
    (seq(desk) - before) * 1_000 / u64::try_from(begun.elapsed().as_millis()).unwrap()
}

/// L02: 57 bots at ten times the usual speed for a minute. What must not be lost is there once, in the order in which it was announced.
#[test]
fn ten_times_the_usual_for_a_minute_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots_beside_others(folder);
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    let traded = |desk: &Desk, fills: u64| {
        within(SOON, "fills", || {
            (desk.get("status")["counters"]["fills"].as_u64() > Some(fills)).then_some(())
        });
    };
    traded(&desk, 10);
    let usual = inputs(&desk, USUAL_FOR);
    desk.crash();

    let mut desk = Desk::start_with(folder, &["--config", &config, "--speed", "10"]);
    let stream = "?types=order_placed,order_filled,order_cancelled,order_rejected,risk_decision_rejected,kill_switch";
    let events = listen(desk.stream(stream).unwrap());
    traded(&desk, 10);
    let first = events.recv_timeout(SOON).unwrap().id();
    let peak = inputs(&desk, PEAK_FOR);
    eprintln!("{usual} inputs a second are the usual, {peak} were the peak");
    assert!(
        peak >= TIMES_MIN * usual,
        "no peak: {peak} inputs a second, {usual} before"
    );

    let killed = command(folder, &["kill", "--reason", "the peak is over"]);
    assert!(killed.status.success(), "{killed:?}");
    within(SOON, "orders that have come to rest", || {
        let orders = desk.items("orders");
        let rests = |order: &Value| order["purpose"] == "protect" && order["status"] != "unknown";
        (desk.is_stored() && orders.iter().all(rests)).then_some(())
    });
    for queue in desk.get("queues")["items"].as_array().unwrap() {
        let is_lossless = queue["class"] == "lossless";
        assert!(!is_lossless || queue["dropped"] == 0, "{queue}");
    }
    let fills = desk.all("fills");
    desk.crash();
    let mut streamed: Vec<(String, (u64, u64))> = vec![];
    while let Ok(arrived) = events.recv_timeout(SOON) {
        streamed.push((arrived.kind().to_owned(), arrived.id()));
    }
    assert!(
        streamed.is_sorted_by_key(|(_, id)| *id),
        "out of order, or twice"
    );
    assert!(streamed.iter().any(|(kind, _)| kind == "kill_switch"));
    let id = |fill: &Value| -> Option<(u64, u64)> {
        let (seq, index) = fill["event"].as_str()?.split_once('.')?;
        Some((seq.parse().ok()?, index.parse().ok()?))
    };
    let stored: BTreeSet<_> = fills
        .iter()
        .filter_map(id)
        .filter(|id| *id > first)
        .collect();
    let of_fills = streamed.iter().filter(|(kind, _)| kind == "order_filled");
    let of_fills: BTreeSet<_> = of_fills.map(|(_, id)| *id).collect();
    assert!(stored.len() > 100, "{} fills show nothing", stored.len());
    let missing: Vec<_> = stored.difference(&of_fills).collect();
    assert!(missing.is_empty(), "the stream lacks {missing:?}");
    // The last word is the exchange's own.
    let symbol = |fill: &Value| {
        let name = fill["instrument"].as_str().unwrap();
        name.split_once(':').unwrap().1.replace('/', "")
    };
    let symbols = fills.iter().map(symbol).collect();
    let told: BTreeSet<_> = fills.iter().map(exchange::told_by_desk).collect();
    assert_eq!(told.len(), fills.len(), "a fill is there twice");
    assert_eq!(told, exchange::executions(folder, &symbols));
}

/// `command`, in a process that may have so much memory of its own.
fn with_memory(folder: &Path, command: &Command, kib: u64) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited
        .arg("-c")
        .arg(format!("ulimit -d {kib} && exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder)
        .env_clear();
    let set = command.get_envs();
    limited.envs(set.filter_map(|(name, value)| Some((name, value?))));
    limited
}

/// P07: within a limit of memory the desk trades at ten times the usual speed, beside clients that never read. A process that gets no
/// memory ends at once, and the next one, with enough of it, is in order.
#[test]
fn a_desk_stays_within_a_limit_of_memory_and_one_without_memory_ends() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let run = tradewind(folder, &["run", "--config", &config, "--speed", "10"]);
    let mut desk = Desk::start_from(folder, with_memory(folder, &run, MEMORY_KIB));
    let stalled: Vec<_> = (0..STALLED).filter_map(|_| desk.stream("").ok()).collect();
    assert!(
        stalled.len() > STALLED / 2,
        "{} are connected",
        stalled.len()
    );
    let fills = |desk: &Desk| desk.get("status")["counters"]["fills"].as_u64().unwrap();
    within(SOON, "fills", || (fills(&desk) > 20).then_some(()));
    let (before, begun) = (fills(&desk), Instant::now());
    while begun.elapsed() < PEAK_FOR / 2 {
        assert!(desk.is_ready());
        assert!(resident(desk.pid()) < MEMORY_KIB * 1024);
        pause(Duration::from_secs(1));
    }
    assert!(fills(&desk) > before + 20, "it does not trade on");
    drop(stalled);
    desk.crash();

    let starved = with_memory(folder, &run, TOO_LITTLE_KIB).output().unwrap();
    let said = String::from_utf8_lossy(&starved.stderr);
    assert!(!starved.status.success(), "{said}");
    let desk = Desk::start_from(folder, run);
    within(SOON, "fills after it", || (fills(&desk) > 5).then_some(()));
}
