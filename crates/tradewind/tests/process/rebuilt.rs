//! What a desk finds after its files were damaged while it was down.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, reset, within};
use crate::fast_bots::fast_bots;

/// Everything that the database tells.
fn told(desk: &Desk, fills: usize) -> Vec<(String, Vec<Value>)> {
    within(
        Duration::from_secs(60),
        "every fill in the database",
        || (desk.all("fills").len() >= fills).then_some(()),
    );
    let orders = desk.get("orders?status=closed&limit=1000")["items"].clone();
    let mut told = vec![
        ("fills".to_owned(), desk.all("fills")),
        (
            "closed orders".to_owned(),
            orders.as_array().unwrap().clone(),
        ),
    ];
    // Rows of one stamp come in the order in which they were added.
    for (_, rows) in &mut told {
        rows.sort_by_cached_key(Value::to_string);
    }
    told
}

/// S08: deleted or overwritten, the database is the same again, row for row.
#[test]
fn a_database_that_is_lost_or_damaged_while_the_desk_is_down_is_rebuilt() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(60), "some fills", || {
        (desk.all("fills").len() > 20).then_some(())
    });
    let killed = command(folder, &["kill", "--reason", "to stand still"]);
    assert!(killed.status.success(), "{killed:?}");
    within(Duration::from_secs(30), "the end of open orders", || {
        crate::desk::are_at_rest(&desk.items("orders")).then_some(())
    });
    desk.crash();

    let database = folder.join("tradewind.db");
    let lose: [fn(&Path); 2] = [
        |database| fs::remove_file(database).unwrap(),
        |database| {
            let mut bytes = fs::read(database).unwrap();
            let length = bytes.len();
            bytes[100..length.min(200_000)].fill(0x5a);
            fs::write(database, bytes).unwrap();
        },
    ];
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    let fills = desk.all("fills").len();
    let wanted = told(&desk, fills);
    desk.crash();
    for lose in lose {
        lose(&database);
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(
                folder.join(format!("tradewind.db{suffix}")),
            ));
        }
        let mut desk = Desk::start_with(folder, &["--config", &config]);
        let rebuilt = within(Duration::from_secs(60), "every closed order", || {
            let rebuilt = told(&desk, fills);
            (rebuilt[1].1.len() >= wanted[1].1.len()).then_some(rebuilt)
        });
        assert!(rebuilt == wanted, "{rebuilt:#?}");
        desk.crash();
    }
}

fn truth(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder.join("journal")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let truth = files.filter(|path| path.to_string_lossy().contains("/truth-"));
    truth.max().unwrap()
}

/// S03: a start refuses a journal that is damaged, names the place and the cure, and the cure helps.
#[test]
fn a_damaged_journal_is_refused_and_its_cure_helps() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(60), "some fills", || {
        (desk.all("fills").len() > 10).then_some(())
    });
    desk.crash();
    let damaged = truth(folder);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[2_000] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let refused = command(folder, &["run", "--config", &config]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("corrupt at byte"), "{said}");
    assert!(last.contains(damaged.to_str().unwrap()), "{said}");
    assert!(last.contains("move this file"), "{said}");

    assert!(last.contains("tradewind journal repair"), "{said}");

    // The command does what a person can do by hand, and keeps what was before the damage.
    let other = TempDir::new().unwrap();
    let other = other.path();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(folder.join("."))
        .arg(other)
        .status();
    assert!(copied.unwrap().success());
    let repaired = command(other, &["journal", "repair"]);
    assert!(repaired.status.success(), "{repaired:?}");
    assert!(command(other, &["journal", "verify"]).status.success());
    let kept = fs::read_dir(other).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?.to_owned();
        name.starts_with("damaged-").then_some(path)
    });
    let kept = kept.unwrap().join(damaged.file_name().unwrap());
    assert_eq!(fs::read(kept).unwrap(), fs::read(&damaged).unwrap());
    let again = command(other, &["journal", "repair"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("nothing is damaged"), "{said}");
    let mut desk = Desk::start_with(other, &["--config", &config]);
    assert_eq!(desk.get("status")["state"], "KILLED");
    within(Duration::from_secs(60), "equal balances", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    reset(other, &[]);
    desk.signal("TERM");
    assert!(desk.ended(Duration::from_secs(60)).success());

    let aside = folder.join("aside");
    fs::create_dir(&aside).unwrap();
    for file in [damaged, folder.join("tradewind.db")] {
        fs::rename(&file, aside.join(file.file_name().unwrap())).unwrap();
    }
    let desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(60), "equal balances", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
}
