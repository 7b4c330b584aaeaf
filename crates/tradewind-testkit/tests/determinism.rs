//! The same inputs give the same bytes: in two processes, in every build, today and tomorrow.

use std::process::{Command, Stdio};

use tradewind_testkit::Interrupted;

/// The fingerprint of a million inputs of seed 42. It changes with the engine's behaviour, and then on purpose: run
/// `scripts/determinism` and write down what it prints.
const GOLDEN: &str = "d311fd0f66174943";

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
        "the outputs of the engine have changed: if that is intended, write {first} here"
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

#[test]
fn an_engine_saved_at_any_input_continues_in_another_process_to_the_same_bytes() {
    const INPUTS: u64 = 40_000;
    // Places drawn once: before the account is read, in the middle, after the desk began to stop.
    for (seed, save_at) in [
        (3, 2),
        (11, 7_919),
        (42, 20_681),
        (1_234, 33_333),
        (5, 39_800),
    ] {
        let (interrupted, wanted) = Interrupted::run(seed, INPUTS, save_at);
        let name = format!("tradewind-resume-{}-{save_at}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let bytes = rmp_serde::to_vec_named(&interrupted).expect("it can be written down");
        std::fs::write(&file, bytes).expect("there is room in the temporary folder");
        let output = Command::new(env!("CARGO_BIN_EXE_resume"))
            .arg(&file)
            .stderr(Stdio::null())
            .output()
            .expect("the program was built for this test");
        std::fs::remove_file(&file).expect("the file is there");
        let printed = String::from_utf8(output.stdout).expect("it prints digits");
        let wanted = format!("{:016x} {:016x}\n", wanted.outputs, wanted.state);
        assert_eq!(printed, wanted, "seed {seed}, saved after input {save_at}");
    }
}
