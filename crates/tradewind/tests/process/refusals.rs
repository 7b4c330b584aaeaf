//! What a desk refuses to start on, and in which words.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use tempfile::TempDir;

use crate::desk::{command, tradewind};
use crate::recorded::test_data;

#[track_caller]
fn check(output: &Output, code: i32, wanted: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in wanted {
        assert!(said.contains(part), "{said:?} lacks {part:?}");
    }
}

#[test]
fn a_port_in_use_is_one_line_with_its_cure() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tradewind(folder.path(), &["run"])
        .env("TRADEWIND__API__LISTEN", &address)
        .output()
        .unwrap();
    check(
        &output,
        1,
        &["cannot listen on", &address, "TRADEWIND__API__LISTEN"],
    );
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints = complaints
        .lines()
        .filter(|line| line.starts_with("tradewind: "));
    assert_eq!(complaints.count(), 1);
}

#[test]
fn a_bad_configuration_is_told_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bad.toml");
    fs::write(&path, include_str!("../config/bad.toml")).unwrap();
    let output = command(folder.path(), &["run", "--config", path.to_str().unwrap()]);
    check(&output, 4, &["bots["]);
    let checked = command(
        folder.path(),
        &["config", "check", "--config", path.to_str().unwrap()],
    );
    let lines = |output: &Output| String::from_utf8_lossy(&output.stderr).lines().count();
    assert!(lines(&output) > 5, "{output:?}");
    assert_eq!(
        lines(&output),
        lines(&checked),
        "run tells what check tells"
    );
    assert!(
        !folder.path().join("journal").exists(),
        "it began all the same"
    );
}

#[test]
fn malformed_data_is_named_by_file_and_line() {
    let Some(data) = test_data() else { return };
    let folder = TempDir::new().unwrap();
    let data = data.join("malformed");
    let output = command(folder.path(), &["run", "--data", data.to_str().unwrap()]);
    check(&output, 1, &["BTCUSDT-1h-2023-11-18.csv", "line 2"]);
}
