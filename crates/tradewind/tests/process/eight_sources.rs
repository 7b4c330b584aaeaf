//! What the desk of `drill.rs` reads: five venues and three sources of a house, each by a way that the test can break.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::fast_bots;
use crate::feed_words::BASES;
use crate::live;
use crate::passage::Passage;

/// What of a source's messages is written over so that one cannot be read, and whether the desk has to announce it: where messages
/// have numbers, one is missing then; frames and what is polled are asked for again.
pub(crate) const SPOILS: [(&str, &str, &str, bool); 8] = [
    ("binance", "\"bids\":[", "\"bids\":{", false),
    ("okx", "\"action\":\"update\"", "\"action\":\"update?", true),
    ("bybit", "\"type\":\"delta\"", "\"type\":\"delta?", true),
    (
        "kraken",
        "\"channel\":\"book\"",
        "\"channel\":\"book?",
        false,
    ),
    (
        "coinbase",
        "\"channel\":\"l2_data\"",
        "\"channel\":\"l2_data?",
        true,
    ),
    ("frames", "\u{8}BTC/", "\u{7f}BTC/", false),
    ("redis", "\"kind\": \"quote\"", "\"kind\": \"quote?", true),
    ("polled", "<quote ", "<quote<", false),
];

pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) passage: Passage,
    pub(crate) spoils: (&'static str, &'static str),
    /// Whether a message that cannot be read has to be announced.
    pub(crate) counts: bool,
}

/// The desk's configuration: fast bots, and one of them reads everything.
pub(crate) fn configuration(
    folder: &Path,
    exchange: &str,
    passages: &BTreeMap<&str, &Passage>,
) -> String {
    let path = live::configuration(folder, exchange);
    let text = fs::read_to_string(&path).unwrap();
    let address = |name: &str| &passages[name].address;
    let stream = format!("ws_url = \"ws://{exchange}\"");
    let text = fast_bots::replaced(
        &text,
        &stream,
        &format!("ws_url = \"ws://{}\"", address("binance")),
    );
    let mut sections = String::new();
    for venue in ["okx", "bybit", "kraken", "coinbase"] {
        let address = address(venue);
        sections += &format!(
            "[venues.{venue}]\nkind = \"{venue}\"\nrest_url = \"http://{address}\"\nws_url = \"ws://{address}\"\n\n"
        );
    }
    let house = [
        ("frames", "tcp", format!("tcp://{}", address("frames")), ""),
        (
            "redis",
            "redis",
            format!("redis://{}", address("redis")),
            "channels = [\"prices\"]\ntoken_env = \"HOUSE_TOKEN\"\n",
        ),
        (
            "polled",
            "http",
            format!("http://{}/feed", address("polled")),
            "",
        ),
    ];
    for (name, kind, address, more) in house {
        sections += &format!(
            "[sources.{name}]\nkind = \"{kind}\"\naddress = \"{address}\"\nheartbeat = \"1s\"\n{more}\
             instruments = [{{ name = \"BTC/USDT\", price_decimals = 2, quantity_decimals = 5 }}]\n\n"
        );
    }
    let mut reads: Vec<String> = ["frames", "redis", "polled"]
        .iter()
        .map(|name| format!("\"{name}:BTC/USDT\""))
        .collect();
    for venue in ["okx", "bybit", "kraken", "coinbase"] {
        reads.extend(BASES.map(|base| format!("\"{venue}:{base}/USDT\"")));
    }
    let text = text.replacen("[[bots]]", &format!("{sections}[[bots]]"), 1);
    let first = "instruments = [\"BTC/USDT\"]\n";
    assert!(text.contains(first));
    let text = text.replacen(
        first,
        &format!("{first}reads = [{}]\n", reads.join(", ")),
        1,
    );
    fs::write(&path, text).unwrap();
    path
}
