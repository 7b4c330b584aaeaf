//! A bot that an outside process steers: the example publisher of `contrib/sources` and the built desk.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, tradewind, unused_address, within};
use crate::sources::{documented, shell_at};

/// The 46th bot of a desk gets its turn after 45 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// A publisher of targets. It is killed when the test is over.
struct Steering {
    child: Child,
    words: ChildStdin,
}

impl Steering {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let words = child.stdin.take().unwrap();
        Self { child, words }
    }

    /// Types an exposure.
    fn say(&mut self, exposure: &str) {
        writeln!(self.words, "{exposure}").unwrap();
    }
}

impl Drop for Steering {
    fn drop(&mut self) {
        // It may have ended already, and there is nothing to be done about a failure.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn target(desk: &Desk) -> Value {
    desk.items("targets").remove(0)
}

/// What the bot holds.
fn held(desk: &Desk) -> f64 {
    let positions = desk.items("positions?bot=follower");
    positions.first().map_or(0.0, |position| {
        position["quantity"].as_str().unwrap().parse().unwrap()
    })
}

#[track_caller]
fn until_live(desk: &Desk) {
    within(
        PATIENCE,
        "a bot at work and a source that is connected",
        || {
            let state = desk.get("bots/follower")["bot"]["state"].clone();
            (state == "running" && target(desk)["source_live"] == true).then_some(())
        },
    );
}

#[track_caller]
fn until_held(desk: &Desk, wanted: impl Fn(f64) -> bool) -> f64 {
    within(PATIENCE, "the position that was wanted", || {
        Some(held(desk)).filter(|held| wanted(*held))
    })
}

/// The types of the events that led to the bot's last fill.
fn causes_of_the_last_fill(desk: &Desk) -> Vec<String> {
    within(PATIENCE, "the fill in history", || {
        let fills = desk.items("fills?bot=follower");
        let event = fills.first()?["event"].as_str()?.to_owned();
        let why = desk.get(&format!("why?event={event}"));
        let chain = why["chain"].as_array()?.clone();
        let types = chain.iter().map(|event| event["type"].as_str());
        types.map(|name| name.map(str::to_owned)).collect()
    })
}

/// A desk whose bot `follower` is steered through `address`.
fn configuration(folder: &Path, address: &str) -> String {
    let base = include_str!("../config/base.toml");
    let path = folder.join("steered.toml");
    let steered = format!(
        "\n[[bots]]\nid = \"follower\"\nstrategy = \"external\"\nsource = \"signals\"\naccount = \"paper\"\n\
         instruments = [\"BTC/USDT\"]\nbudget = 500\nexit = {{ stop = \"10%\" }}\n\
         [sources.signals]\nkind = \"websocket\"\naddress = \"ws://{address}/targets\"\nheartbeat = \"1s\"\n\
         instruments = [{{ name = \"BTC/USDT\" }}]\n"
    );
    fs::write(&path, format!("{base}{steered}")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn publisher(address: &str, seconds: &str) -> Steering {
    let port = address.rsplit_once(':').unwrap().1;
    let script = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = script.join("../../contrib/sources/target_feed.py");
    let mut command = Command::new("python3");
    command
        .arg(script)
        .args([port, "follower", "binance:BTC/USDT", seconds]);
    Steering::start(command)
}

#[test]
fn an_outside_process_steers_a_bot_into_a_position_and_out_of_it() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let configuration = configuration(folder.path(), &address);
    let run = || tradewind(folder.path(), &["run", "--config", &configuration]);
    let mut steering = publisher(&address, "600");
    let mut desk = Desk::start_from(folder.path(), run());
    until_live(&desk);
    steering.say("0.5");
    let half = until_held(&desk, |held| held > 0.0);
    let causes = causes_of_the_last_fill(&desk);
    let wanted = [
        "order_filled",
        "order_placed",
        "signal_generated",
        "target_received",
    ];
    assert_eq!(causes, wanted);
    steering.say("1.5");
    let sources = within(PATIENCE, "a refusal", || {
        let sources = desk.get("targets")["sources"].clone();
        (sources[0]["refused"] == 1).then_some(sources)
    });
    assert_eq!(sources[0]["last_refusal"], "the exposure 1.5 is beyond 1");
    // The target and the position outlive a crash.
    desk.crash();
    let desk = Desk::start_from(folder.path(), run());
    assert_eq!(target(&desk)["exposure"], "0.5");
    until_live(&desk);
    assert!((held(&desk) - half).abs() < 1e-9, "{half}");
    steering.say("0");
    until_held(&desk, |held| held == 0.0);
    assert_eq!(target(&desk)["exposure"], "0");
}

#[test]
fn a_position_is_closed_when_its_publisher_falls_silent() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let configuration = configuration(folder.path(), &address);
    let run = tradewind(folder.path(), &["run", "--config", &configuration]);
    let mut steering = publisher(&address, "6");
    let desk = Desk::start_from(folder.path(), run);
    until_live(&desk);
    steering.say("0.5");
    until_held(&desk, |held| held > 0.0);
    drop(steering);
    until_held(&desk, |held| held == 0.0);
    assert_eq!(target(&desk)["expired"], true);
}

#[test]
fn the_steps_of_the_document_steer_a_bot() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let shell = |commands: &str| shell_at(folder.path(), &commands.replace("9103", port));
    let [.., publish, write, run] = &documented()[..] else {
        panic!("three steps: a publisher, a configuration, a desk")
    };
    let mut steering = Steering::start(shell(&format!("exec {publish}")));
    assert!(shell(write).status().unwrap().success());
    let data = folder.path().join("desk");
    fs::create_dir(&data).unwrap();
    let desk = Desk::start_from(&data, shell(&format!("exec {run}")));
    until_live(&desk);
    steering.say("0.5");
    until_held(&desk, |held| held > 0.0);
}
