//! The desk's disk is full, read-only, slow or broken. The exchange runs elsewhere: it is not what fails.
//!
//! A full disk is a small tmpfs, which needs root. Linux refuses to remount a file system read-only while files are open
//! for writing, so that this and errors of single calls come from `disk_shim.c`, beneath the C library.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, unused_address, within};
use crate::exchange::{Exchange, executions, symbol, told_by_desk};
use crate::fast_bots::fast_bots;
use crate::live::{come_to_rest, compare, configuration, live};
use crate::shim;

const MIB: u64 = 1 << 20;
/// What the desk keeps for exits.
const RESERVE: u64 = 64 * MIB;
/// Longest for a cause to open, an exit to fill, a disk to be used again.
const SOON: Duration = Duration::from_secs(60);
/// Longest for a reserve to be filled again, with the minute after it in which nothing is entered.
const HEALED: Duration = Duration::from_secs(180);

const EIO: i32 = 5;
const EROFS: i32 = 30;
const SIGABRT: i32 = 6;

/// A tmpfs, for as long as the test runs.
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    /// `None`, and a line that says so, where nothing can be mounted.
    #[track_caller]
    pub(crate) fn mount(at: &Path, bytes: u64) -> Option<Self> {
        if !may_mount() {
            eprintln!("SKIPPED: a small file system can be mounted by root only");
            return None;
        }
        let size = format!("size={bytes}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .output()
            .unwrap();
        assert!(mount.status.success(), "{mount:?}");
        Some(Self(at.to_owned()))
    }

    /// Uses up what is left of it.
    pub(crate) fn fill(&self) {
        let mut options = File::options();
        let ballast = options.append(true).create(true);
        let mut ballast = ballast.open(self.0.join("ballast")).unwrap();
        for size in [MIB, 4_096] {
            let zeros = vec![0; usize::try_from(size).unwrap()];
            while ballast.write_all(&zeros).is_ok() {}
        }
    }

    pub(crate) fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // The desk may still be there; the system unmounts when it is not.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Whether this process has CAP_SYS_ADMIN (capabilities(7)).
fn may_mount() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits >> 21 & 1 == 1)
}

/// A desk of fast bots on an exchange in a process and a folder of its own.
struct Rig {
    at_venue: TempDir,
    exchange: Exchange,
    folder: PathBuf,
    config: String,
}

impl Rig {
    fn new(folder: &Path) -> Self {
        let at_venue = TempDir::new().unwrap();
        let address = unused_address();
        let exchange = Exchange::begun(at_venue.path(), &["--listen", &address]);
        let config = configuration(at_venue.path(), &exchange.address);
        shim::compiled(at_venue.path(), "disk_shim");
        Self {
            at_venue,
            exchange,
            folder: folder.to_owned(),
            config,
        }
    }

    /// `tradewind run --live`, whose calls of the C library can fail.
    fn run(&self) -> Command {
        let mut command = live(&self.folder, &self.config);
        command
            .env("LD_PRELOAD", self.at_venue.path().join("disk_shim.so"))
            .env("DISK_FAULTS", self.at_venue.path().join("faults"));
        command
    }

    /// A desk that trades.
    #[track_caller]
    fn trading(&self) -> Desk {
        let desk = Desk::start_from(&self.folder, self.run());
        self.trades_again(&desk);
        desk
    }

    #[track_caller]
    fn trades_again(&self, desk: &Desk) {
        let before = fills(desk);
        within(HEALED, "new fills", || {
            (fills(desk) >= before + 5).then_some(())
        });
    }

    /// From now on calls fail: on paths that begin like this below the desk's folder.
    fn fault(&self, error: i32, what: &str, part: &str) {
        let line = format!("{error} {what} {}/{part}", self.folder.display());
        let (faults, draft) = ("faults", "faults.new");
        let at = |name| self.at_venue.path().join(name);
        fs::write(at(draft), line).unwrap();
        fs::rename(at(draft), at(faults)).unwrap();
    }

    fn heal(&self) {
        fs::remove_file(self.at_venue.path().join("faults")).unwrap();
    }

    /// The next start has all fills, and balances and orders are the exchange's.
    #[track_caller]
    fn loses_nothing(&self) {
        let desk = Desk::start_from(&self.folder, self.run());
        come_to_rest(&self.folder, &desk);
        within(SOON, "a comparison with the account", || {
            (desk.get("balances")["equal"] == true).then_some(())
        });
        let told = desk.get("status")["seq"].clone();
        within(SOON, "every fill in the database", || {
            (desk.all("fills").len() == self.exchange.trades()).then_some(())
        });
        eprintln!("{} fills at input {told}", self.exchange.trades());
        compare(&desk, &self.exchange);
    }

    /// Cancels an order that rests at the exchange, though no new one may leave.
    #[track_caller]
    fn a_cancel_leaves(&self, desk: &Desk) {
        let orders = desk.items("orders");
        let resting = orders.iter().find(|order| order["status"] == "accepted");
        let resting = resting.unwrap_or_else(|| panic!("no order rests: {orders:?}"));
        let id = resting["client_id"].as_str().unwrap();
        let cancelled = command(&self.folder, &["orders", "cancel", id]);
        assert!(cancelled.status.success(), "{cancelled:?}");
        within(SOON, "a cancel at the exchange", || {
            let open = self.exchange.signed("openOrders", "recvWindow=5000");
            let open = open.as_array().unwrap();
            let is_gone = open.iter().all(|order| order["clientOrderId"] != id);
            is_gone.then_some(())
        });
    }
}

fn fills(desk: &Desk) -> u64 {
    let status = desk.get("status");
    status["counters"]["fills"].as_u64().unwrap()
}

/// Waits until the desk is in this state, for this reason.
#[track_caller]
fn reaches(desk: &Desk, state: &str, reason: &str, time: Duration) {
    within(time, &format!("{state} with {reason:?}"), || {
        let status = desk.get("status");
        let has_reason = causes(&status).iter().any(|cause| cause.contains(reason));
        (status["state"] == state && has_reason).then_some(())
    });
}

fn causes(status: &Value) -> Vec<String> {
    let causes = status["causes"].as_array().unwrap().iter();
    causes
        .map(|cause| cause["reason"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[track_caller]
fn heals(desk: &Desk, time: Duration) {
    within(time, "an active desk", || {
        (desk.get("status")["state"] == "ACTIVE").then_some(())
    });
}

/// The file of truth that is being written.
fn newest_truth(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder.join("journal")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_truth = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("truth-")
    };
    files.filter(is_truth).max().unwrap()
}

/// Takes away what the desk has not used of its reserve, which it writes to.
fn spend_reserve(folder: &Path) {
    let path = newest_truth(folder);
    let bytes = fs::read(&path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) as u64;
    assert!(used < RESERVE / 2, "{used} bytes of the reserve are used");
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(used + MIB / 4).unwrap();
}

/// S05: entries stop, exits go on from the reserve; without it cancels leave; all of it ends by itself.
#[test]
fn a_full_disk_leaves_exits_and_then_cancels_and_heals_by_itself() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let Some(disk) = Tmpfs::mount(folder, 192 * MIB) else {
        return;
    };
    let rig = Rig::new(folder);
    let mut desk = rig.trading();
    within(SOON, "a position", || {
        (!desk.items("positions").is_empty()).then_some(())
    });
    disk.fill();
    reaches(&desk, "REDUCING", "reserve is in use", SOON);
    let before = fills(&desk);
    let open = desk.items("positions");
    for position in &open {
        let (instrument, bot) = (&position["instrument"], &position["owner"]);
        let (Some(instrument), Some(bot)) = (instrument.as_str(), bot.as_str()) else {
            continue;
        };
        let close = ["positions", "close", instrument, "--bot", bot];
        drop(command(folder, &close));
    }
    within(SOON, "the exit of every position", || {
        desk.items("positions").is_empty().then_some(())
    });
    assert!(open.is_empty() || fills(&desk) > before, "an exit fills");
    assert_eq!(desk.get("status")["state"], "REDUCING");

    spend_reserve(folder);
    disk.fill();
    reaches(&desk, "HALTED", "reserve is spent", SOON);
    disk.make_room();
    heals(&desk, HEALED);
    rig.trades_again(&desk);
    desk.crash();
    rig.loses_nothing();
}

/// S05: the embedded exchange is on the full disk, too. It cannot keep what it would answer, so the desk ends with the reason; once there
/// is room, the next start has all that either of them knew.
#[test]
fn an_embedded_exchange_on_a_full_disk_ends_the_desk_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let Some(disk) = Tmpfs::mount(folder, 256 * MIB) else {
        return;
    };
    let config = fast_bots(folder);
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(SOON, "fills", || (fills(&desk) >= 10).then_some(()));
    disk.fill();
    let status = desk.ended(SOON);
    assert!(!status.success(), "{status}");

    disk.make_room();
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    let before = fills(&desk);
    within(HEALED, "new fills", || {
        (fills(&desk) >= before + 5).then_some(())
    });
    come_to_rest(folder, &desk);
    within(SOON, "a comparison with the account", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    let mut told = Vec::new();
    let known = desk.get("status")["counters"]["fills"].clone();
    within(SOON, "every fill in the database", || {
        told = desk.all("fills");
        (told.len() as u64 >= known.as_u64().unwrap()).then_some(())
    });
    desk.signal("TERM");
    assert!(desk.ended(SOON).success());
    let symbols: BTreeSet<String> = told.iter().map(symbol).collect();
    let told: BTreeSet<_> = told.iter().map(told_by_desk).collect();
    assert_eq!(told, executions(folder, &symbols));
}

/// S05: nothing new leaves, cancels do, and it ends by itself.
#[test]
fn a_read_only_disk_halts_and_heals_by_itself() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    let mut desk = rig.trading();
    within(SOON, "an order that rests", || {
        let orders = desk.items("orders");
        let resting = orders.iter().find(|order| order["status"] == "accepted")?;
        (resting["purpose"] == "protect").then_some(())
    });
    rig.fault(EROFS, "wo", "");
    reaches(&desk, "HALTED", "read-only", SOON);
    rig.a_cancel_leaves(&desk);
    rig.heal();
    heals(&desk, HEALED);
    rig.trades_again(&desk);
    desk.crash();
    rig.loses_nothing();
}

/// S04: nobody knows what is on such a disk, so the process ends at once. The next start reads disk and venue.
#[test]
fn a_journal_that_fails_ends_the_process_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    for what in ["s", "w"] {
        let mut desk = rig.trading();
        rig.fault(EIO, what, "journal/truth-");
        let ended = desk.ended(SOON);
        assert_eq!(ended.signal(), Some(SIGABRT), "{ended}: {}", desk.said());
        rig.heal();
    }
    rig.loses_nothing();
}

/// Kind 4: that store alone is off, is shown, and is tried again.
#[test]
fn a_market_store_that_fails_is_off_alone() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    let mut desk = rig.trading();
    rig.fault(EIO, "wo", "journal/market-");
    reaches(&desk, "ACTIVE", "market data is not stored", SOON);
    rig.trades_again(&desk);
    rig.heal();
    within(HEALED, "market data that is stored", || {
        causes(&desk.get("status")).is_empty().then_some(())
    });
    desk.crash();
    rig.loses_nothing();
}

/// S09: orders wait for a sync that hangs; the desk halts, answers, and goes on once it has ended.
#[test]
fn a_hung_sync_halts_and_heals_by_itself() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    let mut desk = rig.trading();
    rig.fault(EIO, "h", "journal/truth-");
    reaches(&desk, "HALTED", "the event log is behind", SOON);
    let before = rig.exchange.trades();
    crate::desk::pause(Duration::from_secs(5));
    // Stops at the venue may still fill.
    assert!(
        rig.exchange.trades() <= before + 12,
        "{before} to {}",
        rig.exchange.trades()
    );
    rig.heal();
    heals(&desk, HEALED);
    rig.trades_again(&desk);
    desk.crash();
    rig.loses_nothing();
}

/// P04: a write that hangs holds the engine up. A desk that watches nothing ends, so that it is started again.
#[test]
fn an_engine_that_hangs_ends_the_process() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    let mut desk = rig.trading();
    rig.fault(EIO, "H", "journal/truth-");
    let ended = desk.ended(SOON);
    assert_eq!(ended.signal(), Some(SIGABRT), "{ended}: {}", desk.said());
    assert!(desk.said().contains("The engine hangs"), "{}", desk.said());
    rig.heal();
    rig.loses_nothing();
}

/// S05: a desk starts on a disk that has no room, though it may not enter, and loses nothing.
#[test]
fn a_desk_starts_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let Some(disk) = Tmpfs::mount(folder, 192 * MIB) else {
        return;
    };
    let rig = Rig::new(folder);
    let mut desk = rig.trading();
    desk.crash();
    disk.fill();
    let said_off = |desk: &Desk| desk.said().matches("Market data is not written").count();
    let mut said_before = said_off(&desk);
    // Once with its reserve, and once more without what the last run used of it.
    for _ in 0..2 {
        let mut desk = Desk::start_from(folder, rig.run());
        // The start tidied up a little, and a desk that runs grows.
        // The space of the truth's last file may last: then market data alone is refused.
        within(HEALED, "a word on the full disk", || {
            disk.fill();
            let status = desk.get("status");
            let is_full = |cause: &String| cause.contains("disk is full");
            let is_seen = causes(&status).iter().any(is_full);
            let is_off = said_off(&desk) > said_before;
            (is_off || is_seen && status["state"] != "ACTIVE").then_some(())
        });
        desk.crash();
        said_before = said_off(&desk);
        disk.fill();
    }
    disk.make_room();
    rig.loses_nothing();
}

/// Where nothing can be written a start ends with one line that names the thing and the cure.
#[test]
fn a_start_on_a_read_only_disk_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let rig = Rig::new(folder.path());
    rig.trading().crash();
    rig.fault(EROFS, "wo", "");
    let mut run = rig.run();
    let refused = run.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("Read-only") && last.contains("mount"),
        "{said}"
    );
    rig.heal();
    rig.loses_nothing();
}
