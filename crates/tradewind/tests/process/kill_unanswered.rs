//! Kills while the venue answers nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, tradewind, unused_address, within};
use crate::exchange::Exchange;
use crate::fast_bots::replaced;
use crate::live::{configuration, live};

const SOON: Duration = Duration::from_secs(60);
/// Longer than any request to the venue may take.
const SILENCE: Duration = Duration::from_secs(12);

/// Orders arrive, and their answers are late for a while.
const LATE_ANSWERS: &str = r#"
[[fault]]
do = "delay"
on = "answer"
call = "order.place"
by = "3s"
for = "10s"
"#;

fn exchange(folder: &Path) -> Exchange {
    let arguments = [
        ["--listen", &unused_address()],
        ["--control", &unused_address()],
    ];
    Exchange::begun(folder, &arguments.concat())
}

/// Whether an order of the exchange is no stop.
fn is_entry_or_exit(order: &&Value) -> bool {
    !order["type"].as_str().unwrap().starts_with("STOP")
}

/// Fast bots, of which those with limits buy far below the market. Their orders rest until their averages cross again.
fn resting(folder: &Path, exchange: &Exchange) -> String {
    let path = configuration(folder, &exchange.address);
    let text = fs::read_to_string(&path).unwrap();
    let limit = "{ type = \"limit\", timeout = \"1s\", then = \"cross\" }";
    let far = "{ type = \"limit\", offset = \"0.4%\", timeout = \"10m\", then = \"cancel\" }";
    fs::write(&path, replaced(&text, limit, far)).unwrap();
    path
}

/// H05: the desk is killed at once and says how many orders are open; it cancels them once the venue answers again.
#[test]
fn a_kill_while_the_venue_is_silent_cancels_what_rests_once_it_answers() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let exchange = exchange(at_venue.path());
    let desk = Desk::start_from(folder, live(folder, &resting(folder, &exchange)));
    let open = || {
        let orders = exchange.orders_now();
        orders.iter().filter(is_entry_or_exit).count()
    };
    within(SOON, "entries that rest", || (open() > 0).then_some(()));

    exchange.signal("STOP");
    let killed = command(folder, &["kill", "--reason", "the venue is silent"]);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");
    let said = String::from_utf8(killed.stdout).unwrap();
    assert!(said.contains("; durable; "), "{said}");
    assert!(said.contains("open"), "{said}");
    pause(SILENCE);
    assert_eq!(desk.get("status")["state"], "KILLED");
    exchange.signal("CONT");
    within(SOON, "the end of every entry", || {
        (open() == 0).then_some(())
    });
    assert_eq!(desk.get("status")["state"], "KILLED");
    within(SOON, "the same in the desk's books", || {
        let orders = desk.items("orders");
        let rest = |order: &Value| order["purpose"] == "protect";
        orders.iter().all(rest).then_some(())
    });
}

/// A kill of one instrument while an order of it is on its way: the order is cancelled or filled once the venue answers, nothing
/// follows it there, and the other instruments trade on.
#[test]
fn a_kill_of_a_part_ends_what_is_on_its_way_in_it_and_nothing_else() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let exchange = exchange(at_venue.path());
    let config = configuration(folder, &exchange.address);
    let desk = Desk::start_from(folder, live(folder, &config));
    within(SOON, "positions", || {
        (desk.items("positions").len() >= 3).then_some(())
    });
    exchange.operate("POST /faults", LATE_ANSWERS);
    let instrument = within(SOON, "an order on its way", || {
        let orders = desk.items("orders").into_iter();
        let mut unanswered = orders.filter(|order| order["venue_order_id"].is_null());
        Some(unanswered.next()?["instrument"].as_str()?.to_owned())
    });
    let part = ["kill", "--instrument", &instrument, "--reason", "drill"];
    let killed = command(folder, &part);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");

    let symbol = instrument.split_once(':').unwrap().1.replace('/', "");
    within(SOON, "the end of its orders", || {
        let orders = exchange.orders_now();
        let mut open = orders.iter().filter(is_entry_or_exit);
        (!open.any(|order| order["symbol"] == *symbol)).then_some(())
    });
    let is_sent = |line: &&Value| line["event"] == "order_accepted" && is_entry_or_exit(line);
    let sent = |here: bool| {
        let log = exchange.order_log();
        let orders = log.iter().filter(is_sent);
        orders
            .filter(|line| (line["symbol"] == *symbol) == here)
            .count()
    };
    let (before, elsewhere) = (sent(true), sent(false));
    within(SOON, "orders elsewhere", || {
        (sent(false) >= elsewhere + 10).then_some(())
    });
    assert_eq!(sent(true), before, "{symbol} traded");
    assert_eq!(desk.get("status")["state"], "ACTIVE");
}

/// A desk that dies while it flattens is killed at its next start, sends nothing, and lists what it still has.
#[test]
fn a_desk_that_dies_while_it_flattens_is_killed_and_lists_the_remainder() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let exchange = exchange(at_venue.path());
    let config = configuration(folder, &exchange.address);
    let mut desk = Desk::start_from(folder, live(folder, &config));
    within(SOON, "positions", || {
        (desk.items("positions").len() >= 3).then_some(())
    });
    exchange.signal("STOP");
    let mut flatten = tradewind(folder, &["kill", "--flatten", "--reason", "drill"])
        .spawn()
        .unwrap();
    within(SOON, "the desk flattens", || {
        (desk.get("status")["state"] == "FLATTENING").then_some(())
    });
    let named = |position: &Value| position["instrument"].as_str().unwrap().to_owned();
    let held: Vec<String> = desk.items("positions").iter().map(named).collect();
    desk.crash();
    exchange.signal("CONT");
    drop(flatten.wait());

    let desk = Desk::start_from(folder, live(folder, &config));
    assert_eq!(desk.get("status")["state"], "KILLED");
    within(SOON, "a comparison with the account", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    // Exits that were on their way have been executed by now.
    let trades = exchange.trades();
    let said = desk.said();
    let (_, list) = said.split_once("Killed, ").expect("a list of what is open");
    // An entry that was on its way may have opened one since.
    let positions = desk.items("positions");
    for instrument in positions.iter().map(named).filter(|one| held.contains(one)) {
        assert!(list.contains(&instrument), "{instrument} is not in {list}");
    }
    pause(Duration::from_secs(3));
    assert_eq!(exchange.trades(), trades, "a killed desk traded");
}
