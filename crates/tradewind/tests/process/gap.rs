//! The market gaps while the desk is dead: stops at the exchange close its positions, and the next start says what each of
//! them has lost beside what it had planned to lose.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::amounts::exact;
use crate::desk::{Desk, command, unused_address, within};
use crate::exchange::Exchange;
use crate::fast_bots::BEGUN;
use crate::live::{configuration, live};

/// Seven per cent down at once, on every instrument. The stops are 2 % away, those at the exchange 2.5 %.
const GAP: &str = "[[fault]]\ndo = \"price\"\nfactor = 0.93\nfor = \"10m\"";
/// Positions that are held when the desk is killed, at least.
const HELD_MIN: usize = 2;
/// What each line about the end of a position of the last run has.
const CLOSED: &str = "planned_loss=";

/// Bots that change their mind less often, so that they hold something at most moments.
fn slower(config: &str) -> String {
    let text = fs::read_to_string(config).unwrap();
    let fast = "fast = 2, slow = 5";
    assert!(text.contains(fast));
    text.replace(fast, "fast = 5, slow = 50")
}

/// The same bots, but none starts.
fn standing(folder: &Path, config: &str) -> String {
    let path = folder.join("standing.toml");
    let text = fs::read_to_string(config).unwrap();
    fs::write(
        &path,
        text.replace("budget = 300\n", "budget = 300\nstart = false\n"),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

/// How many stops rest at the exchange.
fn resting_stops(exchange: &Exchange) -> usize {
    let mut orders = exchange.orders_now();
    orders.retain(|order| order["type"] == "STOP_LOSS" && order["side"] == "SELL");
    orders.len()
}

/// The positions that stops cover, up to fees.
fn covered(desk: &Desk) -> Vec<Value> {
    let mut positions = desk.items("positions");
    positions.retain(|position| {
        let (held, stops) = (&position["quantity"], &position["venue_stop_quantity"]);
        exact(stops) * 100 >= exact(held) * 97
    });
    positions
}

/// I23: positions with stops that rest at the exchange, and a desk that was killed. Its bots were stopped before, so no exit
/// was on its way.
fn held_at_the_kill(folder: &Path, config: &str, exchange: &Exchange) -> Vec<Value> {
    let mut desk = Desk::start_from(folder, live(folder, config));
    let bots = desk.items("bots");
    let steer = |verb| {
        for bot in &bots {
            let name = bot["name"].as_str().unwrap();
            let steered = command(folder, &["bots", verb, name]);
            assert!(steered.status.success(), "{steered:?}");
        }
    };
    let tries = (0..5).map(|_| {
        steer("start");
        within(Duration::from_secs(90), "covered positions", || {
            (covered(&desk).len() >= HELD_MIN).then_some(())
        });
        steer("stop");
        within(Duration::from_secs(30), "stops alone", || {
            let (orders, held) = (desk.items("orders"), covered(&desk));
            let is_stop = |order: &Value| order["purpose"] == "protect";
            let counts = [orders.len(), resting_stops(exchange)];
            (orders.iter().all(is_stop) && counts == [held.len(); 2]).then_some(held)
        })
    });
    let held = tries.into_iter().find(|held| !held.is_empty());
    desk.crash();
    held.expect("stops that rest while no desk runs")
}

/// A field of a line of the log, `name=value`.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    rest.split(' ').next().map(|value| value.trim_matches('"'))
}

#[test]
fn a_gap_while_the_desk_is_dead_leaves_positions_flat_and_their_losses_printed() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let (address, control) = (unused_address(), unused_address());
    let arguments = ["--listen", &address, "--control", &control];
    let exchange = Exchange::with_account(at_venue.path(), &format!("USDT={BEGUN}"), &arguments);
    let config = configuration(folder, &exchange.address);
    fs::write(&config, slower(&config)).unwrap();
    let held = held_at_the_kill(folder, &config, &exchange);

    exchange.operate("POST /faults", GAP);
    within(Duration::from_secs(30), "the end of every stop", || {
        (resting_stops(&exchange) == 0).then_some(())
    });

    let config = standing(folder, &config);
    let desk = Desk::start_from(folder, live(folder, &config));
    within(
        Duration::from_secs(30),
        "no position without its place on the list",
        || {
            let listed = desk.get("risk")["unprotected"].clone();
            let is_listed = |position: &Value| {
                let listed = listed.as_array().into_iter().flatten();
                listed.clone().any(|one| {
                    one["bot"] == position["owner"] && one["instrument"] == position["instrument"]
                })
            };
            desk.items("positions").iter().all(is_listed).then_some(())
        },
    );
    let open = desk.items("positions");
    for position in held {
        let is_open = |one: &Value| {
            one["owner"] == position["owner"] && one["instrument"] == position["instrument"]
        };
        if open.iter().any(is_open) {
            continue;
        }
        loss_is_printed(&desk, &position);
    }
}

/// The log names the position's end, with a loss as large as the gap and a plan as large as the stop.
#[track_caller]
fn loss_is_printed(desk: &Desk, position: &Value) {
    let name = |key: &str| position[key].as_str().unwrap();
    let is_meant = |line: &&str| {
        line.contains(CLOSED)
            && field(line, "bot") == Some(name("owner"))
            && field(line, "instrument") == Some(name("instrument"))
    };
    let what = format!("a line about the end of {position}");
    let line = within(Duration::from_secs(10), &what, || {
        desk.said().lines().find(is_meant).map(str::to_owned)
    });
    let line = line.as_str();
    eprintln!("gap: {line}");
    let amount = |key: &str| exact(&field(line, key).unwrap().into());
    let (cost, planned, loss) = (
        exact(&position["cost"]),
        amount("planned_loss"),
        amount("loss"),
    );
    assert!(
        planned * 1_000 > cost * 15 && planned * 1_000 < cost * 25,
        "{line}"
    );
    assert!(
        loss * 1_000 > cost * 45 && loss * 1_000 < cost * 95,
        "{line}"
    );
}
