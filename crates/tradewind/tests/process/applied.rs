//! Bots that are replaced while the desk runs (H07), and what a restart makes of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, tradewind, within};

/// The bots of a desk are there within this time.
const SOON: Duration = Duration::from_secs(20);

/// The tables of the default configuration's bots, each without its header.
fn default_bots(folder: &Path) -> Vec<String> {
    let shown = command(folder, &["config", "show"]);
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    let tables = shown.split("[[bots]]\n").skip(1);
    tables.map(str::to_owned).collect()
}

fn file(folder: &Path, name: &str, bots: &[String]) -> String {
    let path = folder.join(name);
    let tables = bots.iter().map(|bot| format!("[[bots]]\n{bot}"));
    fs::write(&path, tables.collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn id(bot: &str) -> String {
    let line = bot.lines().find_map(|line| line.strip_prefix("id = "));
    line.unwrap().trim_matches('"').to_owned()
}

/// A bot's table with another value of a key.
fn with(bot: &str, key: &str, value: &str) -> String {
    let lines = bot.lines().map(|line| match line.split_once(" = ") {
        Some((known, _)) if known == key => format!("{key} = {value}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn apply(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let arguments = [&["bots", "apply"], arguments].concat();
    let output = command(folder, &arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Name, state and reason of each bot.
fn states(desk: &Desk) -> Vec<(String, String, String)> {
    let text = |bot: &Value, key: &str| bot[key].as_str().unwrap_or_default().to_owned();
    let bots = desk.items("bots");
    let bots = bots.iter();
    bots.map(|bot| {
        (
            text(bot, "name"),
            text(bot, "state"),
            text(bot, "state_reason"),
        )
    })
    .collect()
}

/// A desk that gives its bots their turns one after the other, fast.
#[track_caller]
fn start(folder: &Path, arguments: &[&str]) -> Desk {
    let mut run = tradewind(folder, &[&["run"], arguments].concat());
    run.env("TRADEWIND__DESK__STAGGER", "10ms");
    Desk::start_from(folder, run)
}

#[track_caller]
fn until_running(desk: &Desk, name: &str) {
    within(SOON, name, || {
        let states = states(desk);
        let bot = states.iter().find(|(known, ..)| known == name);
        bot.filter(|(_, state, _)| state == "running").map(drop)
    });
}

fn budget(desk: &Desk, name: &str) -> String {
    let bot = desk.get(&format!("bots/{name}"));
    bot["bot"]["budget"].as_str().unwrap().to_owned()
}

/// H07: a desk that runs takes other bots as a whole or not at all, and they outlive it.
#[test]
fn bots_are_replaced_while_the_desk_runs_and_outlive_it() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let defaults = default_bots(folder);
    let (first, last) = (id(&defaults[0]), id(defaults.last().unwrap()));
    let mut wanted = defaults.clone();
    wanted[0] = with(&wanted[0], "budget", "321");
    wanted.pop();
    wanted.push(with(&defaults[1], "id", "\"added\""));
    let wanted = file(folder, "wanted.toml", &wanted);

    let mut desk = start(folder, &[]);
    until_running(&desk, &last);
    let (before, before_budget) = (desk.items("bots").len(), budget(&desk, &first));
    let changes = [
        format!("{first}: budget {before_budget} -> 321\n"),
        "added: added\n".to_owned(),
        format!("{last}: removed\n"),
    ];
    let (is_done, said) = apply(folder, &[&wanted, "--dry-run"]);
    assert!(is_done, "{said}");
    assert_eq!(
        said,
        changes.concat() + "Nothing was changed; it would be revision 1\n"
    );
    assert_eq!(budget(&desk, &first), before_budget);
    assert_eq!(desk.items("bots").len(), before);

    // All that is wrong is reported with its place, and nothing is changed.
    let mut bad = defaults.clone();
    bad[0] = with(&bad[0], "budget", "\"much\"");
    bad[1] = with(&bad[1], "instruments", "[\"NOPE/USDT\"]");
    bad[2] = with(&bad[2], "strategy", "\"ma_crosss\"");
    let bad = file(folder, "bad.toml", &bad);
    let (is_done, said) = apply(folder, &[&bad]);
    assert!(!is_done, "{said}");
    for path in ["bots[0].budget", "bots[1].instruments", "bots[2].strategy"] {
        assert!(said.contains(path), "{said} lacks {path}");
    }
    // Everything but the bots stays as it is until the next start.
    let whole = String::from_utf8(command(folder, &["config", "show"]).stdout).unwrap();
    let other_limit = whole.replacen("turnover_max = ", "turnover_max = 77 # ", 1);
    assert_ne!(other_limit, whole);
    let path = folder.join("whole.toml");
    fs::write(&path, other_limit).unwrap();
    let (is_done, said) = apply(folder, &[path.to_str().unwrap()]);
    assert!(!is_done && said.contains("limits.turnover_max"), "{said}");
    assert_eq!(budget(&desk, &first), before_budget);

    let untouched = id(&defaults[1]);
    let since = desk.get(&format!("bots/{untouched}"))["bot"]["since"].clone();
    assert!(since.is_string());
    let (is_done, said) = apply(folder, &[&wanted]);
    assert!(is_done, "{said}");
    let summary = "Revision 1 is in force, 3 of its bots changed\n";
    assert_eq!(said, changes.concat() + summary);
    until_running(&desk, "added");
    check(&desk, &first, &last);
    assert_eq!(
        desk.get(&format!("bots/{untouched}"))["bot"]["since"],
        since
    );
    let audit = desk.get("audit").to_string();
    assert!(audit.contains("apply bots, revision 1"), "{audit}");

    // A death loses nothing of it, and the file of the configuration does not bring the old bots back.
    desk.crash();
    let mut desk = start(folder, &[]);
    until_running(&desk, "added");
    check(&desk, &first, &last);
    let said = desk.said();
    assert!(said.contains("Bot added is not as in"), "{said}");
    let (is_done, said) = apply(folder, &[&wanted]);
    assert!(
        is_done && said.starts_with("No bot differs; revision 1"),
        "{said}"
    );
    desk.crash();
    let desk = start(folder, &["--bots-from-file"]);
    until_running(&desk, &last);
    assert_eq!(budget(&desk, &first), before_budget);
    let added = states(&desk);
    let added = added.iter().find(|(name, ..)| name == "added").unwrap();
    assert_eq!(added.1, "stopped");
}

#[track_caller]
fn check(desk: &Desk, first: &str, last: &str) {
    assert_eq!(budget(desk, first), "321");
    let states = states(desk);
    let removed = states.iter().find(|(name, ..)| name == last).unwrap();
    assert_eq!(removed.1, "stopped", "{removed:?}");
}
