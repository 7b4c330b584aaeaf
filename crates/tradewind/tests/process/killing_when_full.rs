//! A kill while nothing that the desk sends is read any more: neither its streams of events nor its messages.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::desk::{Desk, command, pause, within};
use crate::live_desk::{LoggedVenue, Relay, fast_live_bots, run_live};

/// Readers of the stream of events that do not read.
const STALLED: usize = 20;
/// For bytes that had left before: the relay and the exchange are processes that have to be scheduled.
const ON_THE_WAY: Duration = Duration::from_millis(250);

/// H04, I04: with every queue full, no order arrives at the exchange once `kill` has returned.
#[test]
fn no_order_arrives_after_a_kill_though_every_queue_is_full() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let venue = LoggedVenue::with_usdt(at_venue.path(), "10000", &[]);
    let relay = Relay::on(&venue.address);
    let config = fast_live_bots(folder, &relay.address);
    let telegram = format!(
        "\n[telegram]\nusers = [1]\napi_url = \"http://{}\"\n\
         notify = {{ order_filled = \"on\", order_placed = \"on\", price_update = \"on\" }}\n",
        never_answers()
    );
    let text = fs::read_to_string(&config).unwrap();
    let (settings, bots) = text.split_once("[[bots]]").unwrap();
    fs::write(&config, format!("{settings}{telegram}\n[[bots]]{bots}")).unwrap();
    let mut run = run_live(folder, &config);
    run.env("TG_BOT_TOKEN", "1:wedged").env("TG_CHAT_ID", "1");
    let desk = Desk::start_from(folder, run);
    let stalled: Vec<TcpStream> = (0..STALLED).map(|_| stalled(&desk)).collect();

    let began = SystemTime::now();
    within(Duration::from_secs(120), "full queues", || {
        let lost = metric(&desk, "queue_dropped", "telegram");
        let orders = relay.orders_since(began);
        (lost > 0.0 && orders > 50).then_some(())
    });
    let second = SystemTime::now() - Duration::from_secs(2);
    assert!(relay.orders_since(second) > 0, "the desk does not trade");

    let killed = command(folder, &["kill", "--reason", "all is full"]);
    let returned = SystemTime::now();
    assert!(killed.status.success(), "{killed:?}");
    pause(Duration::from_secs(10));
    let late = venue.accepted_since(returned + ON_THE_WAY);
    assert!(late.is_empty(), "{late:#?}");
    assert_eq!(relay.orders_since(returned + ON_THE_WAY), 0);
    assert_eq!(desk.get("status")["state"], "KILLED");
    drop(stalled);
}

/// What the desk's metrics say of the queues whose name holds `queue`.
fn metric(desk: &Desk, name: &str, queue: &str) -> f64 {
    let metrics = desk.ask("GET /metrics", "").unwrap();
    let lines = metrics.body.lines();
    let wanted = lines.filter(|line| line.contains(name) && line.contains(queue));
    wanted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A Bot API that accepts connections and answers nothing.
fn never_answers() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().flatten() {
            open.push(stream);
        }
    });
    address
}

/// A reader that was let in and does not read on.
#[track_caller]
fn stalled(desk: &Desk) -> TcpStream {
    let mut stream = desk.stream("").unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.0 200");
    stream
}
