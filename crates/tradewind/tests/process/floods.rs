//! A flood of market data on the real desk (L04).

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, pause, within};
use crate::fast_bots::fast_bots;
use crate::meters;

/// The exchange sends as many frames as it can up to this many a second, for `LASTS`.
const FLOOD: &str = "[[fault]]\ndo = \"flood\"\nframe = \"bookTicker\"\nsymbol = \"BTCUSDT\"\nrate = 100000\nafter = \"25s\"\nfor = \"8s\"\n";
const LASTS: Duration = Duration::from_secs(8);
/// More than the desk's queues hold: a flood that is stored would show.
const GROWTH_MAX: u64 = 48 << 20;
/// An answer of the engine that waits behind the flood would take as long as it.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// L04: quotes that come faster than anybody can look at replace each other, while commands are answered and orders are made. Nothing
/// of them is kept. The exchange runs in the same process, and both share the cores: the number is what they make together.
#[test]
fn a_flood_of_quotes_takes_no_memory_and_delays_no_command() {
    let folder = TempDir::new().unwrap();
    let faults = folder.path().join("flood.toml");
    fs::write(&faults, FLOOD).unwrap();
    let config = fast_bots(folder.path());
    let faults = faults.to_str().unwrap();
    let desk = Desk::start_with(folder.path(), &["--config", &config, "--faults", faults]);
    let quotes = || {
        let metrics = desk.ask("GET /metrics", "").unwrap().body;
        let counted = metrics
            .lines()
            .filter(|line| line.starts_with("tradewind_feed_messages_total"));
        let quotes = counted.filter(|line| line.contains("quotes"));
        let counts = quotes.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        counts.sum::<f64>()
    };
    let fills = || desk.get("status")["counters"]["fills"].as_u64().unwrap();
    within(Duration::from_secs(60), "the flood", || {
        let before = quotes();
        pause(Duration::from_millis(200));
        (quotes() - before > 1_000.0).then_some(())
    });
    let (began, before, bought) = (Instant::now(), quotes(), fills());
    let resident = meters::resident(desk.pid());
    let (mut slowest, mut grown, mut rate) = (Duration::ZERO, 0, 0.0_f64);
    while began.elapsed() < LASTS - Duration::from_secs(2) {
        let asked = Instant::now();
        let body = "{\"limit\": 1}";
        let answer = desk.ask("POST /api/v1/bots/none/start", body).unwrap();
        assert_ne!(answer.status, 200, "there is no such bot");
        let state: Value = desk.get("status");
        assert_eq!(state["ready"], true, "{state}");
        slowest = slowest.max(asked.elapsed());
        grown = grown.max(meters::resident(desk.pid()).saturating_sub(resident));
        rate = rate.max((quotes() - before) / began.elapsed().as_secs_f64());
        pause(Duration::from_millis(100));
    }
    let made = fills() - bought;
    eprintln!(
        "{rate:.0} quotes a second, {made} fills meanwhile, the slowest answer {slowest:?}, {grown} bytes more"
    );
    assert!(rate > 5_000.0, "{rate} a second is no flood");
    assert!(slowest < ANSWER_MAX, "{slowest:?}");
    assert!(grown < GROWTH_MAX, "{grown}");
    assert!(made > 0, "it trades");
}
