//! What a user can get wrong, and what the error says.

use tradewind_process::{ProcessError, Wanted, declare};

use crate::CROSS;
use crate::world::load;

fn refused(source: &str, class: Option<&str>, wanted: &str) {
    let error = load(source, class).unwrap_err().to_string();
    assert!(error.contains(wanted), "{error}");
}

#[test]
fn each_mistake_is_one_clear_error() {
    refused(
        "x = 1",
        None,
        "has no strategy; write a class that derives from tradewind.Strategy",
    );
    refused(
        CROSS,
        Some("Cros"),
        "has no strategy 'Cros'; its strategies are: Cross",
    );
    let two =
        format!("{CROSS}\nclass Other(Strategy):\n    def on_candle(self, candle, ctx): pass\n");
    refused(
        &two,
        None,
        "has 2 strategies: Cross, Other; name one: FILE.py:Cross",
    );
    refused(
        "import nowhere",
        None,
        "No module named 'nowhere' (line 1); install it for ",
    );
    refused(
        "def f(:\n",
        None,
        "SyntaxError: invalid syntax (line 1); correct the file",
    );
    refused("import os\nos._exit(7)", None, "ended: exit status: 7");
}

#[test]
fn an_interpreter_that_cannot_be_run_is_named() {
    let interpreter = |name: &str| {
        let wanted = Wanted {
            interpreter: name.to_owned(),
            ..Wanted::default()
        };
        let error = declare(&wanted).unwrap_err();
        assert!(matches!(error, ProcessError::Interpreter { .. }));
        error.to_string()
    };
    let error = interpreter("/nowhere/bin/python");
    assert!(
        error.starts_with("/nowhere/bin/python cannot be run: No such file"),
        "{error}"
    );
    let error = interpreter("/bin/echo");
    assert!(
        error.contains("/bin/echo cannot be run: it is no Python"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let wanted = Wanted {
        kind: "python".to_owned(),
        path: "/nowhere/a.py".to_owned(),
        interpreter: "python3".to_owned(),
        memory_bytes: 1 << 30,
        ..Wanted::default()
    };
    let error = declare(&wanted).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no file /nowhere/a.py; write the path"),
        "{error}"
    );
}
