//! A kill while nothing that the desk sends is read: twenty streams of events stand still and the Bot API answers nothing.

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

/// H04, I04: no order arrives at the exchange once `kill` has returned.
#[test]
fn no_order_arrives_after_a_kill_though_nobody_reads() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let venue = LoggedVenue::with_usdt(at_venue.path(), "10000", &["--limits", "off"]);
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
    within(Duration::from_secs(90), "orders while nobody reads", || {
        let trades = relay.orders_since(SystemTime::now() - Duration::from_secs(3)) > 0;
        let long = began.elapsed().unwrap() > Duration::from_secs(30);
        (trades && long && relay.orders_since(began) > 50).then_some(())
    });
    for queue in ["telegram", "api"] {
        eprintln!("{queue}: {:?}", metrics(&desk, queue));
    }

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

/// The lines of the desk's metrics about queues whose name holds `queue`.
fn metrics(desk: &Desk, queue: &str) -> Vec<String> {
    let metrics = desk.ask("GET /metrics", "").unwrap();
    let lines = metrics.body.lines().map(str::to_owned);
    lines
        .filter(|line| line.contains("queue_") && line.contains(queue))
        .collect()
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
