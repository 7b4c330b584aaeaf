//! A desk's folder and its exchange's with a past of any length, made by the whole desk on virtual time: snapshots, archive
//! and the files of the journal are what a desk leaves that died, and the exchange has executed what the journal tells.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tradewind_journal::{Disk, LatchFile, Reader, Storage, StoreKind};
use tradewind_model::Timestamp;
use tradewind_simx_server::Limits;

use crate::fast_bots::fast_bots;
use crate::world::{Choices, JOURNAL, World};

/// How long before now it began: longer than any past that is made takes.
const BEGAN_BEFORE: Duration = Duration::from_hours(24);
/// Between two looks at how far it has come, in its own time.
const STEP: Duration = Duration::from_secs(60);
/// Real time between two lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Where the journal's full files go.
const ARCHIVE: &str = "archive";

/// What a past is at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) records: u64,
    pub(crate) fills: u64,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) records: u64,
    pub(crate) fills: u64,
    /// Files of the truth, and their bytes.
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Orders that were open when the desk died.
    pub(crate) open: usize,
}

/// Bots whose money lasts: each order is small beside it, so that hundreds of thousands cost no bot its budget.
pub(crate) fn rich(config: &str) -> String {
    config.replace(
        "budget = 300\n",
        "budget = 8000\nsizer = { share = 0.003 }\n",
    )
}

/// Makes a past in two folders. The account's key at the exchange is `key`, its secret `secret`.
#[track_caller]
pub(crate) fn make(wanted: Wanted, desk: &Path, venue: &Path) -> Past {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let config = fs::read_to_string(fast_bots(desk)).unwrap();
    let config = rich(&config)
        .replace("\"10/s burst 20\"", "\"100/s burst 200\"")
        .replace("\"80/10s burst 45\"", "\"10000/10s burst 10000\"");
    let (settings, bots) = config.split_at(config.find("[[bots]]").unwrap());
    let choices = Choices {
        bots: String::from(bots).leak(),
        desk: format!("{settings}[[bots]]").leak(),
        begins: Timestamp::EPOCH + (since_epoch - BEGAN_BEFORE),
        limits: Limits::Off,
        history: u32::try_from(wanted.fills * 2).unwrap().max(100_000),
        ..Choices::calm(1)
    };
    let mut world = World::new(choices);
    assert!(world.start_desk());
    // A journal without the latch counts as killed.
    let disk: Arc<dyn Storage> = Arc::new(Disk);
    let latch = LatchFile::new(disk, desk, &desk.join(JOURNAL));
    assert!(!latch.open(world.now()).unwrap().killed);
    let (mut fills, mut records, mut said) = (0, 0, Instant::now());
    while fills < wanted.fills || records < wanted.records {
        world.run(STEP);
        drop(world.network.with(|network, _| network.take_segments()));
        move_archive(&world, desk);
        fills = world.view().counters.fills;
        if fills >= wanted.fills {
            let rest: Arc<dyn Storage> = Arc::new(world.storage.clone());
            records = count(rest, Path::new(JOURNAL)) + count(Arc::new(Disk), &desk.join(JOURNAL));
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            eprintln!("past: {fills} fills");
        }
    }
    // What the desk has not handed to its disk yet is lost with it, as at a death.
    let open = world.view().orders.len();
    assert!(
        world.now() < Timestamp::EPOCH + since_epoch,
        "a past that has not passed"
    );
    let saved = world
        .network
        .with(|network, _| network.server().save(venue));
    saved.unwrap();
    for name in world.storage.list(Path::new(JOURNAL)).unwrap() {
        copy(&world, &Path::new(JOURNAL).join(name), desk);
    }
    let truth = truth_files(&desk.join(JOURNAL));
    Past {
        records,
        fills,
        files: truth.len(),
        bytes: truth.iter().sum(),
        open,
    }
}

/// Moves what the desk has archived out of memory; it does not read it again.
fn move_archive(world: &World, desk: &Path) {
    let archive = Path::new(JOURNAL).join(ARCHIVE);
    for name in world.storage.list(&archive).unwrap() {
        let path = archive.join(name);
        copy(world, &path, desk);
        world.storage.remove(&path).unwrap();
    }
}

fn copy(world: &World, path: &Path, desk: &Path) {
    let to = desk.join(path);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, world.storage.read(path).unwrap()).unwrap();
}

/// Records of the truth in a folder.
fn count(storage: Arc<dyn Storage>, dir: &Path) -> u64 {
    let records = Reader::new(storage, dir).records(StoreKind::Truth).unwrap();
    records.map(Result::unwrap).count() as u64
}

/// The length of each file of the truth, archived or not.
fn truth_files(dir: &Path) -> Vec<u64> {
    let folders = [dir.to_owned(), dir.join(ARCHIVE)];
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = files.flatten().map(Result::unwrap);
    let truth = files.filter(|file| file.file_name().to_string_lossy().starts_with("truth-"));
    truth.map(|file| file.metadata().unwrap().len()).collect()
}
