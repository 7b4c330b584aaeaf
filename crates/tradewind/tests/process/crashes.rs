//! A desk that is killed again and again while orders fly. After each start it knows what the exchange knows, and it never
//! uses a number twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::amounts::{exact, moved};
use crate::desk::{Desk, are_at_rest, command, pause, within};
use crate::exchange;
use crate::fast_bots::{BASES, BEGUN, fast_bots};
use crate::lines::{Arrived, listen};

const CRASHES: u32 = 8;
/// The life at whose end the desk is killed by its operator too, and the one which must still be.
const KILLED_IN: u32 = 4;

/// What must hold over all lives.
#[derive(Debug, Default)]
struct Memory {
    last_seq: u64,
    client_ids: BTreeSet<String>,
    fills: usize,
}

#[test]
fn sigkills_of_an_embedded_exchange_lose_nothing_and_repeat_nothing() {
    let folder = TempDir::new().unwrap();
    let config = fast_bots(folder.path());
    let mut memory = Memory::default();
    for life in 1..=CRASHES {
        let mut desk = Desk::start_with(folder.path(), &["--config", &config]);
        let events = listen(desk.stream("").unwrap());
        assert!(
            desk.get("status")["seq"].as_u64() > Some(memory.last_seq),
            "life {life}"
        );
        agrees_with_the_exchange(&desk, &mut memory);
        latch_is_kept(&desk, folder.path(), life);
        pause(moment(life));
        if life == KILLED_IN {
            let killed = command(folder.path(), &["kill", "--reason", "in the midst of it"]);
            assert!(killed.status.success(), "{killed:?}");
        }
        desk.crash();
        remember(&events, &mut memory);
    }
    eprintln!(
        "{} orders and {} fills in {CRASHES} lives",
        memory.client_ids.len(),
        memory.fills
    );
    // An order of unknown fate keeps its bot from entering there for longer than most of these lives last.
    assert!(
        memory.client_ids.len() > 20 && memory.fills > 12,
        "too few orders to show anything: {memory:?}"
    );

    let last = a_still_life(folder.path(), &config);
    let mut desk = Desk::start_with(folder.path(), &["--config", &config]);
    agrees_with_the_exchange(&desk, &mut memory);
    assert_eq!(holdings(&desk), last, "a restart changed what is held");
    let fills = desk.all("fills");
    desk.crash();
    // The last word is the exchange's own.
    let symbols = BASES.iter().map(|base| format!("{base}USDT")).collect();
    let told: BTreeSet<_> = fills.iter().map(exchange::told_by_desk).collect();
    assert_eq!(told.len(), fills.len(), "a fill is told twice");
    assert_eq!(told, exchange::executions(folder.path(), &symbols));
}

/// Kind 12, I11: what people decided outlives a SIGKILL, and so does what is held.
#[test]
fn a_stopped_and_a_paused_bot_stay_so_after_a_sigkill() {
    let folder = TempDir::new().unwrap();
    let config = fast_bots(folder.path());
    let mut desk = Desk::start_with(folder.path(), &["--config", &config]);
    within(Duration::from_secs(30), "some trades", || {
        (desk.get("status")["counters"]["fills"].as_u64() > Some(20)).then_some(())
    });
    for (verb, bot) in [("stop", "btc-market"), ("pause", "eth-market")] {
        let done = command(folder.path(), &["bots", verb, bot]);
        assert!(done.status.success(), "{done:?}");
    }
    desk.crash();
    let desk = Desk::start_with(folder.path(), &["--config", &config]);
    agrees_with_the_exchange(&desk, &mut Memory::default());
    let states = within(Duration::from_secs(30), "all bots at work", || {
        let mut states: Vec<(String, String)> = desk
            .items("bots")
            .iter()
            .map(|bot| (text(&bot["name"]), text(&bot["state"])))
            .collect();
        states.retain(|(_, state)| state != "running");
        (states.len() == 2).then_some(states)
    });
    let wanted = [("btc-market", "stopped"), ("eth-market", "paused")];
    let wanted = wanted.map(|(name, state)| (name.to_owned(), state.to_owned()));
    assert_eq!(states, wanted);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One more life, in which the desk trades, is killed by its operator so that nothing moves any more, and by the system.
/// What it held then, by its own reckoning.
fn a_still_life(folder: &Path, config: &str) -> Vec<String> {
    let mut desk = Desk::start_with(folder, &["--config", config]);
    within(Duration::from_secs(30), "some trades", || {
        (desk.get("status")["counters"]["fills"].as_u64() > Some(20)).then_some(())
    });
    let killed = command(folder, &["kill", "--reason", "to stand still"]);
    assert!(killed.status.success(), "{killed:?}");
    // A kill leaves the stops at the venue. An order of an earlier life that never left is believed absent after 15 s.
    within(Duration::from_secs(40), "the end of open orders", || {
        are_at_rest(&desk.items("orders")).then_some(())
    });
    let held = holdings(&desk);
    desk.crash();
    held
}

/// Positions with their cost and result, and what each bot has gained, in words.
fn holdings(desk: &Desk) -> Vec<String> {
    let mut held = Vec::new();
    for position in desk.items("positions") {
        let fact = |key: &str| position[key].to_string();
        held.push(
            [
                "owner",
                "instrument",
                "quantity",
                "cost",
                "entry_price",
                "realized",
            ]
            .map(fact)
            .join(" "),
        );
    }
    held.sort_unstable();
    for bot in desk.items("bots") {
        held.push(format!("{} {}", bot["name"], bot["realized"]));
    }
    held
}

/// How long a life goes on after its start: from nothing at all to some seconds, never twice the same.
fn moment(life: u32) -> Duration {
    Duration::from_millis(u64::from(life * 7_919 % 4_700))
}

/// The desk's balances are what the account began with and the fills that it knows, to the last digit, and the exchange's
/// wherever they were compared.
#[track_caller]
fn agrees_with_the_exchange(desk: &Desk, memory: &mut Memory) {
    // Fills reach history a moment after the balances.
    let fills = within(
        Duration::from_secs(15),
        "a comparison with the exchange",
        || {
            let table = desk.get("balances");
            assert_ne!(table["equal"], false, "{table:#}");
            let seq = table["seq"].as_u64()?;
            let mut fills = desk.all("fills");
            fills.retain(|fill| known_at(fill, seq));
            let wrong = differences(&table, &fills);
            if !wrong.is_empty() {
                eprintln!("at {seq}, {} fills: {}", fills.len(), wrong.join(", "));
            }
            wrong.is_empty().then_some(fills)
        },
    );
    let told: BTreeSet<_> = fills.iter().map(exchange::told_by_desk).collect();
    assert_eq!(told.len(), fills.len(), "a fill is told twice");
    assert!(
        fills.len() >= memory.fills,
        "{} of {} fills are left",
        fills.len(),
        memory.fills
    );
    memory.fills = fills.len();
}

/// Whether the desk had heard of a fill after the input `seq`. One it found at the exchange at a start has no event.
pub(crate) fn known_at(fill: &Value, seq: u64) -> bool {
    let told = fill["event"].as_str().and_then(|id| id.split_once('.'));
    told.is_none_or(|(told, _)| told.parse::<u64>().unwrap() <= seq)
}

/// Each asset of which the exchange holds something else than the fills make.
#[track_caller]
fn differences(table: &Value, fills: &[Value]) -> Vec<String> {
    let mut moved = moved(fills);
    *moved.entry("USDT".to_owned()).or_default() += exact(&BEGUN.into());
    let items = table["items"].as_array().unwrap();
    let wrong = |item: &&Value| {
        // Beside orders on their way there is no reading of the exchange.
        assert!(
            item["difference"].is_null() || item["difference"] == "0",
            "{item}"
        );
        let held = exact(&item["desk"]);
        held != moved
            .get(item["asset"].as_str().unwrap())
            .copied()
            .unwrap_or(0)
    };
    items.iter().filter(wrong).map(Value::to_string).collect()
}

/// A kill outlives the process, and only a reset ends it.
#[track_caller]
fn latch_is_kept(desk: &Desk, folder: &Path, life: u32) {
    let status = desk.get("status");
    if life != KILLED_IN + 1 {
        assert_eq!(status["state"], "ACTIVE", "life {life}: {status}");
        return;
    }
    assert_eq!(status["state"], "KILLED", "{status}");
    crate::desk::reset(folder, &[]);
    assert_eq!(desk.get("status")["state"], "ACTIVE");
}

/// Everything a life told: numbers only ever go up, and no client id came twice.
#[track_caller]
fn remember(events: &Receiver<Arrived>, memory: &mut Memory) {
    // The desk is dead, so the stream ends.
    for arrived in events.iter() {
        let (seq, _) = arrived.id();
        if arrived.kind() == "order_placed" {
            let id = arrived.event["data"]["order"]["client_id"]
                .as_str()
                .unwrap();
            assert!(
                memory.client_ids.insert(id.to_owned()),
                "client id {id} was used before"
            );
        }
        memory.last_seq = memory.last_seq.max(seq);
    }
}
