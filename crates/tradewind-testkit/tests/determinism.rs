//! The same inputs give the same bytes: in two processes, in every build, today and tomorrow.

use std::process::{Command, Stdio};

/// The fingerprint of a million inputs of seed 42. It changes with the engine's behaviour, and then on purpose: run
/// `scripts/determinism` and write down what it prints.
const GOLDEN: &str = "423b8772d2689f9f";

fn fingerprint(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_determinism"))
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .expect("the program was built for this test");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("it prints digits")
        .trim()
        .to_owned()
}

#[test]
fn a_million_inputs_of_every_kind_give_one_fingerprint_in_two_processes() {
    let first = fingerprint(&[]);
    assert_eq!(first, fingerprint(&[]));
    assert_eq!(
        first, GOLDEN,
        "the engine says something else than when this was written: if that is meant, write {first} here"
    );
}

#[test]
fn one_tick_changed_anywhere_changes_the_fingerprint() {
    let inputs = "100000";
    let first = fingerprint(&[inputs]);
    for place in ["5", "50000", "99000"] {
        assert_ne!(first, fingerprint(&[inputs, "42", place]), "at {place}");
    }
}
