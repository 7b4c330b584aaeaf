//! The command line as scripts see it: exit codes, what is printed where, and no desk needed.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

#[path = "cli/data.rs"]
mod data;
#[path = "cli/fake_desk.rs"]
mod fake_desk;
#[path = "cli/house_data.rs"]
mod house_data;
#[path = "cli/journal.rs"]
mod journal;
#[path = "cli/new.rs"]
mod new;
#[path = "cli/train.rs"]
mod train;
#[path = "cli/with_desk.rs"]
mod with_desk;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs the built binary in `dir`, with an environment of its own.
fn tradewind_with(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn tradewind(dir: &Path, arguments: &[&str]) -> Output {
    tradewind_with(dir, arguments, &[])
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Expects an exit code; says everything if it is another.
#[track_caller]
fn expect(output: &Output, code: i32) {
    let told = format!("{}{}", stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(code), "{told}");
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let dir = TempDir::new().unwrap();
    let output = tradewind(dir.path(), &["--help"]);
    expect(&output, 0);
    insta::assert_snapshot!("help", stdout(&output));
}

#[test]
fn what_cannot_be_understood_is_code_2() {
    let dir = TempDir::new().unwrap();
    for arguments in [
        &["no-such-command"][..],
        &["status", "--no-such-flag"],
        &["run", "--venue", "binance", "--speed", "10"],
        &["run", "--live"],
        &["run", "--confirm", "paper 1"],
        &["run", "--venue", "binance", "--live", "--faults", "x"],
        &[
            "run",
            "--venue",
            "binance",
            "--live",
            "--latency",
            "request=2ms",
        ],
        &[
            "run",
            "--venue",
            "binance",
            "--live",
            "--control",
            "127.0.0.1:0",
        ],
        &["run", "--data", "x", "--venue", "binance"],
        &["run", "--for", "a while"],
        &["kill"],
        &["kill", "--reason", "  "],
        &["simx", "--account", "nothing"],
        &["simx", "--limits", "none"],
        &["simx", "--speed", "0"],
        &["simx", "--data", "x", "--seed", "7"],
    ] {
        expect(&tradewind(dir.path(), arguments), 2);
    }
}

#[test]
fn a_secret_on_the_command_line_is_not_repeated() {
    let dir = TempDir::new().unwrap();
    let output = tradewind_with(
        dir.path(),
        &["--help"],
        &[("TRADEWIND_TOKEN", "hunter2hunter2")],
    );
    assert!(!stdout(&output).contains("hunter2"));
}

#[test]
fn without_a_desk_every_client_command_is_code_3_and_says_how_to_start_one() {
    let dir = TempDir::new().unwrap();
    for arguments in [
        &["status"][..],
        &["bots"],
        &["bots", "start", "btc-rsi"],
        &["orders"],
        &["positions"],
        &["events", "--follow"],
        &["why", "btc-rsi"],
    ] {
        let output = tradewind(dir.path(), arguments);
        expect(&output, 3);
        assert!(
            stderr(&output).contains("tradewind run --data-dir"),
            "{arguments:?}"
        );
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn a_dead_desk_and_a_foreign_address_are_told_apart() {
    let dir = TempDir::new().unwrap();
    // Port 9 discards; nothing listens on it here.
    written(
        &dir,
        "desk.json",
        r#"{"pid":4194305,"url":"http://127.0.0.1:9"}"#,
    );
    written(&dir, "token", "secret-token\n");
    let here = dir.path().to_str().unwrap();
    let output = tradewind(dir.path(), &["status", "--data-dir", here]);
    expect(&output, 3);
    assert!(
        stderr(&output).contains("process 4194305"),
        "{}",
        stderr(&output)
    );

    let output = tradewind(dir.path(), &["status", "--url", "http://192.0.2.1:8787"]);
    expect(&output, 1);
    assert!(
        stderr(&output).contains("plain text"),
        "{}",
        stderr(&output)
    );
    let output = tradewind(dir.path(), &["status", "--url", "https://desk.example.org"]);
    expect(&output, 1);
    assert!(
        stderr(&output).contains("TRADEWIND_TOKEN"),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("secret-token"));
}

#[test]
fn the_default_configuration_is_in_order_and_can_be_shown_and_written() {
    let dir = TempDir::new().unwrap();
    let output = tradewind(dir.path(), &["config", "check"]);
    expect(&output, 0);
    assert_eq!(
        stdout(&output),
        "the default configuration is valid: bots 45, instruments 25, accounts 1\n"
    );

    expect(&tradewind(dir.path(), &["init"]), 0);
    expect(&tradewind(dir.path(), &["init"]), 1);
    let output = tradewind(dir.path(), &["config", "check", "--json"]);
    expect(&output, 0);
    assert_eq!(json(&output)["file"], "tradewind.toml");
    assert_eq!(json(&output)["bots"], 45);

    let output = tradewind_with(
        dir.path(),
        &["config", "show"],
        &[("TRADEWIND__DESK__DURABILITY", "power")],
    );
    expect(&output, 0);
    let wanted = "durability = \"power\"  # TRADEWIND__DESK__DURABILITY\n";
    assert!(stdout(&output).contains(wanted), "{}", stdout(&output));

    let output = tradewind(dir.path(), &["config", "schema"]);
    expect(&output, 0);
    assert_eq!(json(&output)["title"], "tradewind.toml");
}

#[test]
fn everything_wrong_with_a_configuration_is_told_at_once_with_code_4() {
    let dir = TempDir::new().unwrap();
    let file = written(&dir, "bad.toml", include_str!("config/bad.toml"));
    let file = file.to_str().unwrap();
    for command in [&["config", "check", "--config"][..], &["run", "--config"]] {
        let arguments = [command, &[file]].concat();
        let output = tradewind(dir.path(), &arguments);
        expect(&output, 4);
        let told = stderr(&output).replace(file, "bad.toml");
        insta::assert_snapshot!("bad_configuration", told);
    }
    let output = tradewind(dir.path(), &["config", "check", "--json", "--config", file]);
    expect(&output, 4);
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["errors"][0]["path"], "desk.stager");
}

#[test]
fn malformed_toml_and_a_missing_file_are_code_4_too() {
    let dir = TempDir::new().unwrap();
    written(&dir, "tradewind.toml", "[desk]\nstagger = = \"2s\"\n");
    let output = tradewind(dir.path(), &["run"]);
    expect(&output, 4);
    assert!(
        stderr(&output).contains("line 2, column 11: not TOML"),
        "{}",
        stderr(&output)
    );
    let output = tradewind(dir.path(), &["config", "show", "--config", "nowhere.toml"]);
    expect(&output, 4);
    assert!(
        stderr(&output).contains("nowhere.toml"),
        "{}",
        stderr(&output)
    );
}

/// H09: nothing is requested of a venue before its accounts are confirmed.
#[test]
fn a_venue_elsewhere_trades_with_real_money_after_a_confirmation_only() {
    let dir = TempDir::new().unwrap();
    let paper = "mode = \"paper\"\nbalances = { USDT = 100_000 }";
    let text = tradewind::config::DEFAULT.replace(paper, "mode = \"live\"");
    let file = written(&dir, "live.toml", &text);
    let data = dir.path().join("desk");
    let run = |confirmed: &[&str]| {
        let arguments = ["run", "--venue", "binance", "--live", "--config"];
        let folders = [file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
        tradewind(dir.path(), &[&arguments[..], &folders, confirmed].concat())
    };
    for confirmed in [&[][..], &["--confirm", "paper"], &["--confirm", "paper 1"]] {
        let output = run(confirmed);
        expect(&output, 1);
        let told = stderr(&output);
        assert!(
            told.contains("real money at https://api.binance.com"),
            "{told}"
        );
        assert!(
            told.contains("confirm it with --confirm \"paper "),
            "{told}"
        );
    }
    assert!(!data.join("live.json").exists() && !data.join("confirmed.json").exists());
}

#[test]
fn kill_without_a_desk_writes_the_latch_and_reset_lifts_it() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("desk");
    let data = data.to_str().unwrap();
    let output = tradewind(
        dir.path(),
        &["kill", "--data-dir", data, "--reason", "a drill"],
    );
    expect(&output, 0);
    let latch = std::fs::read_to_string(Path::new(data).join("kill.json")).unwrap();
    assert!(
        latch.contains("a drill") && latch.contains("\"killed\":true"),
        "{latch}"
    );

    let output = tradewind(dir.path(), &["doctor", "--data-dir", data]);
    expect(&output, 1);
    assert!(
        stdout(&output).contains("killed by the command line: a drill"),
        "{}",
        stdout(&output)
    );

    let output = tradewind(
        dir.path(),
        &[
            "reset",
            "--data-dir",
            data,
            "--reason",
            "drill over",
            "--json",
        ],
    );
    expect(&output, 0);
    assert_eq!(json(&output)["was_killed"], true);
    let latch = std::fs::read_to_string(Path::new(data).join("kill.json")).unwrap();
    assert!(latch.contains("\"killed\":false"), "{latch}");
}

#[test]
fn doctor_names_what_is_wrong() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().to_str().unwrap();
    let free = [("TRADEWIND__API__LISTEN", "127.0.0.1:0")];
    let doctor = |more: &[&str]| {
        let arguments = [&["doctor", "--data-dir", data][..], more].concat();
        tradewind_with(dir.path(), &arguments, &free)
    };
    let output = doctor(&["--json"]);
    expect(&output, 0);
    let names: Vec<_> = json(&output)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names.len(), 7, "{names:?}");

    let token = written(&dir, "token", "secret-token");
    let mut permissions = std::fs::metadata(&token).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(&token, permissions).unwrap();
    let output = doctor(&[]);
    expect(&output, 1);
    assert!(
        stdout(&output).contains("can be read by others (mode 644)"),
        "{}",
        stdout(&output)
    );
    assert!(!stdout(&output).contains("secret-token"));
}

#[test]
fn a_malformed_data_file_or_a_used_port_is_code_1_with_the_cure() {
    let dir = TempDir::new().unwrap();
    let file = written(&dir, "candles.csv", "this,is,no,candle\n1,2,3,4\n");
    let output = tradewind(dir.path(), &["simx", "--data", file.to_str().unwrap()]);
    expect(&output, 1);
    assert!(
        stderr(&output).contains("candles.csv"),
        "{}",
        stderr(&output)
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tradewind(dir.path(), &["simx", "--listen", &address]);
    expect(&output, 1);
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
}

#[test]
fn the_token_is_printed_alone() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().to_str().unwrap();
    expect(&tradewind(dir.path(), &["token", "--data-dir", data]), 1);
    written(&dir, "token", "abc123\n");
    let output = tradewind(dir.path(), &["token", "--data-dir", data]);
    expect(&output, 0);
    assert_eq!(stdout(&output), "abc123\n");
}
