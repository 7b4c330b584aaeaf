//! A desk whose process stood still, as a suspended machine does.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, pause, within};
use crate::live_desk::{ACCOUNT, LoggedVenue, Relay, fast_live_bots, instant, run_live};

/// Longer than a connection lives unanswered, and than an account may go unread (R02).
const PAUSE: Duration = Duration::from_secs(75);
/// `intent_ttl_quote` of the bots, and what the way to the exchange takes.
const OLDEST: Duration = Duration::from_millis(2_500);

/// T03: after a pause no entry leaves that is older than its time to live, and the account is read again.
#[test]
fn a_desk_that_stood_still_sends_nothing_old_and_reads_its_account() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let venue = LoggedVenue::with_usdt(at_venue.path(), "10000", &[]);
    let relay = Relay::on(&venue.address);
    let config = fast_live_bots(folder, &relay.address);
    let desk = Desk::start_from(folder, run_live(folder, &config));
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 10).then_some(())
    });
    desk.signal("STOP");
    let stopped = SystemTime::now();
    pause(PAUSE);
    assert!(venue.accepted_since(stopped + OLDEST).is_empty());
    let continued = SystemTime::now();
    desk.signal("CONT");
    within(Duration::from_secs(10), "a reading of the account", || {
        (relay.since(ACCOUNT, continued) > 0).then_some(())
    });
    within(Duration::from_secs(60), "orders after the pause", || {
        (venue.accepted_since(continued).len() >= 5).then_some(())
    });

    let placed = placed_orders(&desk);
    for accepted in venue.accepted_since(continued) {
        let client = accepted["client"].as_str().unwrap();
        let Some((purpose, placed_at)) = placed.get(client) else {
            continue;
        };
        let age = instant(&accepted["at"]).duration_since(*placed_at);
        let age = age.unwrap_or_default();
        assert!(purpose != "entry" || age <= OLDEST, "{age:?}: {accepted}");
    }
    within(Duration::from_secs(30), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
}

/// Every order that the desk knows: its purpose, and when it was placed.
fn placed_orders(desk: &Desk) -> BTreeMap<String, (String, SystemTime)> {
    let mut orders = desk.items("orders");
    let closed = desk.get("orders?status=closed&limit=1000");
    orders.extend(closed["items"].as_array().unwrap().iter().cloned());
    let entry = |order: &Value| {
        let text = |key: &str| order[key].as_str().unwrap().to_owned();
        (
            text("client_id"),
            (text("purpose"), instant(&order["placed_at"])),
        )
    };
    orders.iter().map(entry).collect()
}
