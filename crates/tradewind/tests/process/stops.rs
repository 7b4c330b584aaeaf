//! A stop at the embedded exchange outlives the desk: it rests after a SIGKILL, the next start owns it, and an exit takes its
//! place.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::{Desk, within};
use crate::exchange;

/// Lives until one ends while a stop rests: the bot changes its mind all the time.
const LIVES: usize = 10;

/// Writes a configuration of one bot that trades on every quote, or does not start.
fn config(folder: &Path, starts: bool) -> String {
    let base = include_str!("../config/base.toml");
    let (settings, _) = base.split_once("[[bots]]").unwrap();
    let bot = format!(
        "[[bots]]\nid = \"fast\"\nstrategy = \"ma_cross\"\naccount = \"paper\"\ninstruments = [\"BTC/USDT\"]\n\
         budget = 300\nstart = {starts}\nexit = {{ stop = \"5%\" }}\nparams = {{ fast = 2, slow = 5 }}\n"
    );
    let path = folder.join(format!("stops-{starts}.toml"));
    fs::write(
        &path,
        format!("[desk]\nsafe_after = 0\nstagger = \"1ms\"\n\n{settings}{bot}"),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

/// The desk's position, once a stop at the venue covers it.
fn covered(desk: &Desk) -> Option<Value> {
    let position = desk.items("positions").pop()?;
    (position["venue_stop_quantity"] != "0").then_some(position)
}

/// Runs the desk until its position is covered, and kills it. Returns the exchange's stop, if it rests still.
fn life(folder: &Path) -> Option<Value> {
    let mut desk = Desk::start_with(folder, &["--config", &config(folder, true)]);
    within(Duration::from_secs(60), "a covered position", || {
        covered(&desk)
    });
    desk.crash();
    let mut open = exchange::open_orders(folder, "BTCUSDT");
    open.retain(|order| order["type"] == "STOP_LOSS");
    open.pop()
}

/// I11, I23.
#[test]
fn a_stop_outlives_a_sigkill_and_an_exit_of_the_next_life_takes_its_place() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let stop = (0..LIVES).find_map(|_| life(folder));
    let stop = stop.expect("a stop rests while no desk runs");
    assert_eq!(
        (&stop["status"], &stop["side"]),
        (&json!("NEW"), &json!("SELL"))
    );

    let mut desk = Desk::start_with(folder, &["--config", &config(folder, false)]);
    let position = within(Duration::from_secs(10), "the stop's owner", || {
        covered(&desk)
    });
    let orders = desk.items("orders");
    assert_eq!(orders.len(), 1, "{orders:#?}");
    assert_eq!(orders[0]["client_id"], stop["clientOrderId"]);
    assert_eq!(
        (&orders[0]["purpose"], &orders[0]["bot"]),
        (&json!("protect"), &json!("fast"))
    );
    assert_eq!(desk.get("risk")["unprotected"], json!([]));

    let close =
        json!({"account": "paper", "bot": position["owner"], "instrument": position["instrument"]});
    let closed = desk
        .ask("POST /api/v1/positions/close", &close.to_string())
        .unwrap();
    assert!((200..300).contains(&closed.status), "{closed:?}");
    within(Duration::from_secs(10), "the end of the position", || {
        desk.items("positions").is_empty().then_some(())
    });
    let orders = desk.items("orders");
    assert!(
        orders
            .iter()
            .all(|order| order["client_id"] != stop["clientOrderId"]),
        "{orders:#?}"
    );
    desk.crash();
    assert_eq!(exchange::open_orders(folder, "BTCUSDT"), [] as [Value; 0]);
}
