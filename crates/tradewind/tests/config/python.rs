//! A strategy in a file: what is read from it, and what can be wrong with it.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use tradewind_events::{Lane, WakeRule};
use tradewind_model::Interval;

use crate::{BASE, errors, read};

const SOURCE: &str = "from tradewind import Param, Strategy\n\n\
    class Both(Strategy):\n    timeframe, timeframes, warm_up, every = \"5m\", [\"1h\"], 20, \"15m\"\n    size = Param(3, min=1, max=9)\n\n    \
    def on_candle(self, candle, ctx): pass\n    def on_timer(self, ctx): pass\n";

/// The base configuration with one more bot, whose strategy is a file of this text.
fn with(folder: &TempDir, source: &str, more: &str) -> String {
    let file = folder.path().join("both.py");
    fs::write(&file, source).unwrap();
    format!(
        "{BASE}\n[[bots]]\nid = \"both\"\naccount = \"paper\"\ninstruments = [\"BTC/USDT\"]\nbudget = 10\nexit = {{ stop = \"2%\" }}\n\
         strategy = \"python:{}\"\n{more}\n",
        file.display()
    )
}

#[test]
fn a_file_says_what_its_bot_is_woken_by() {
    let folder = TempDir::new().unwrap();
    let text = with(
        &folder,
        SOURCE,
        "deadline = \"3s\"\nmemory_mb = 256\ngroup = \"pool\"\nparams = { size = 4 }",
    );
    let config = read(&text).unwrap();
    let bot = config.bots.last().unwrap();
    let wakes = [
        WakeRule::Candles(Interval::Minute5),
        WakeRule::Candles(Interval::Hour1),
        WakeRule::Every(Duration::from_secs(900)),
    ];
    assert_eq!((bot.wakes(), bot.lane), (&wakes[..], Lane::Process));
    let process = bot.strategy.process.as_ref().unwrap();
    assert_eq!((process.class.as_str(), process.hash.len()), ("Both", 64));
    assert_eq!(
        process.timeframes,
        [(Interval::Minute5, 20), (Interval::Hour1, 20)]
    );
    assert_eq!(
        (process.deadline, process.memory_bytes),
        (Duration::from_secs(3), 256 << 20)
    );
    assert_eq!(process.group.as_deref(), Some("pool"));
}

#[test]
fn each_mistake_names_its_key_and_its_cure() {
    let folder = TempDir::new().unwrap();
    let check = |source: &str, more: &str, wanted: &[&str]| {
        let found = errors(&with(&folder, source, more));
        let [error] = found.as_slice() else {
            panic!("{found:#?}");
        };
        wanted
            .iter()
            .for_each(|part| assert!(error.contains(part), "{error:?} lacks {part:?}"));
    };
    check(
        SOURCE,
        "params = { size = 12 }",
        &[
            "bots[3].params.size (line ",
            "write a number from 1 up to 9",
        ],
    );
    check(
        SOURCE,
        "params = { siez = 2 }",
        &["bots[3].params.siez (line ", "there are: size"],
    );
    check(
        "x = 1",
        "",
        &[
            "bots[3].strategy (line ",
            "has no strategy; write a class that derives from",
        ],
    );
    check(
        "import nowhere",
        "",
        &["No module named 'nowhere' (line 1); install it for "],
    );
    check(
        SOURCE,
        "python = \"/nowhere/python\"",
        &[
            "bots[3].python (line ",
            "/nowhere/python cannot be run",
            "venv",
        ],
    );
    check(
        SOURCE,
        "lane = \"thread\"",
        &["bots[3].lane (line ", "in a process of its own; remove it"],
    );
    check(
        SOURCE,
        "deadline = \"20s\"",
        &["bots[3].deadline (line ", "up to \"9s\""],
    );
    check(
        SOURCE,
        "memory_mb = 1",
        &["bots[3].memory_mb", "write 64 or more"],
    );
    check(
        SOURCE,
        "wake = \"quotes\"",
        &["bots[3].wake", "remove it; write on_candle"],
    );
    let built_in = BASE.replacen("[[bots]]\n", "[[bots]]\ndeadline = \"1s\"\n", 1);
    let found = errors(&built_in).join("\n");
    assert!(
        found.contains("bots[0].deadline") && found.contains("python:FILE.py"),
        "{found}"
    );
}
