//! Client ids are used once, though a backup is restored in place; two desks on one account notice each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, reset, unused_address, within};
use crate::exchange::Exchange;
use crate::fast_bots::BASES;
use crate::live::{come_to_rest, compare, configuration, live};

const SOON: Duration = Duration::from_secs(60);

fn exchange(at_venue: &Path) -> Exchange {
    let address = unused_address();
    Exchange::begun(at_venue, &["--listen", &address, "--limits", "off"])
}

fn start(folder: &Path, exchange: &Exchange) -> Desk {
    let config = configuration(folder, &exchange.address);
    Desk::start_from(folder, live(folder, &config))
}

fn orders(desk: &Desk) -> u64 {
    let status = desk.get("status");
    status["counters"]["orders"].as_u64().unwrap()
}

/// Lets a desk place some orders, and stops it in order.
#[track_caller]
fn trades_and_stops(folder: &Path, exchange: &Exchange) {
    let mut desk = start(folder, exchange);
    within(SOON, "some orders", || (orders(&desk) > 10).then_some(()));
    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(15)).success());
}

/// The client ids of all orders that the account ever had, in the order in which they came, by instrument.
fn client_ids(exchange: &Exchange) -> Vec<String> {
    let of_symbol = |base: &&str| -> Vec<Value> {
        let query = format!("symbol={base}USDT&limit=1000");
        let orders = exchange.signed("allOrders", &query);
        orders.as_array().unwrap().clone()
    };
    let orders = BASES.iter().flat_map(of_symbol);
    let id = |order: Value| order["clientOrderId"].as_str().unwrap().to_owned();
    orders.map(id).collect()
}

/// What the id of an order says of its desk: instance, and start of it.
fn made_by(id: &str) -> (&str, &str) {
    (id.get(4..12).unwrap(), id.get(12..20).unwrap())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// Removes all files and keeps the folders, which a copy of the folder would not have.
fn empty(folder: &Path) {
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            empty(&file.path());
        } else {
            fs::remove_file(file.path()).unwrap();
        }
    }
}

/// S11, I01: the journal of the backup knows nothing of two later starts.
#[test]
fn a_backup_restored_in_place_uses_no_id_twice() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let backup = TempDir::new().unwrap();
    let folder = folder.path();
    let exchange = exchange(at_venue.path());
    trades_and_stops(folder, &exchange);
    copy(folder, backup.path());
    trades_and_stops(folder, &exchange);
    trades_and_stops(folder, &exchange);
    let before: BTreeSet<String> = client_ids(&exchange).into_iter().collect();

    empty(folder);
    copy(backup.path(), folder);
    let desk = start(folder, &exchange);
    within(SOON, "new orders", || (orders(&desk) > 3).then_some(()));
    come_to_rest(folder, &desk);
    let all = client_ids(&exchange);
    let known: BTreeSet<&String> = all.iter().collect();
    assert_eq!(known.len(), all.len(), "an id was used twice");
    let newest = |ids: &mut dyn Iterator<Item = &String>| {
        ids.map(|id| made_by(id))
            .max()
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    let earlier = newest(&mut before.iter());
    let later = all.iter().filter(|id| !before.contains(*id));
    for id in later {
        let (instance, epoch) = made_by(id);
        let earlier = earlier.as_ref().unwrap();
        assert_eq!(instance, earlier.0, "it is the same folder");
        assert!(epoch > earlier.1.as_str(), "{id} follows {earlier:?}");
    }
    assert!(desk.said().contains("restored from a backup"));
    within(SOON, "a comparison with the account", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    compare(&desk, &exchange);
}

/// Whether the account is halted since another desk trades on it.
fn has_noticed(desk: &Desk) -> bool {
    let status = desk.get("status");
    let mut causes = status["causes"].as_array().unwrap().iter();
    causes.any(|cause| {
        cause["reason"] == "another desk trades on the account" && cause["state"] == "HALTED"
    })
}

/// P05: the second desk halts at the first one's next order, and the first at the second's.
#[test]
fn two_desks_on_one_account_notice_each_other() {
    let at_venue = TempDir::new().unwrap();
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, second) = (first.path(), second.path());
    let exchange = exchange(at_venue.path());
    let one = start(first, &exchange);
    within(SOON, "some orders", || (orders(&one) > 5).then_some(()));
    let other = start(second, &exchange);
    within(SOON, "a halt of the second desk", || {
        has_noticed(&other).then_some(())
    });

    // The first stands still, and the second is let go.
    let paused = !has_noticed(&one);
    if paused {
        let paused = command(first, &["kill", "--reason", "it is the other's turn"]);
        assert!(paused.status.success(), "{paused:?}");
    }
    within(SOON, "a halt of the first desk", || {
        if has_noticed(&one) {
            return Some(());
        }
        // Refused while there is nothing to clear.
        drop(command(
            second,
            &["risk", "clear", "account:paper", "--reason", "looked"],
        ));
        None
    });
    let mut other = other;
    other.crash();
    if paused {
        reset(first, &[]);
    }
    let before = orders(&one);
    let cleared = command(
        first,
        &["risk", "clear", "account:paper", "--reason", "alone again"],
    );
    assert!(cleared.status.success(), "{cleared:?}");
    assert!(!has_noticed(&one));
    within(SOON, "new orders of the first desk", || {
        eprintln!("{}", one.get("status")["causes"]);
        (orders(&one) > before).then_some(())
    });
}
