//! A desk's folder and its exchange's with a past of any length, made by the whole desk on virtual time: snapshots, archive
//! and the files of the journal are what a desk leaves that died, and the exchange has executed what the journal tells.

use std::fs;
use std::path::{Path, PathBuf};
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
    config.replace("budget = 300\n", "budget = 8000\nsizer = { share = 0.003 }\n")
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
    let mut fills = 0;
    let mut records = 0;
    let mut said = Instant::now();
    while fills < wanted.fills || records < wanted.records {
        world.run(STEP);
        drop(world.network.with(|network, _| network.take_segments()));
        fills = world.view().counters.fills;
        if fills >= wanted.fills {
            records = count_records(&world);
        }
        if said.elapsed() > Duration::from_secs(10) {
            said = Instant::now();
            eprintln!("past: {fills} fills at {:?}", world.now());
        }
    }
    // What it has not handed to the disk yet is lost with it, as at a death.
    let open = world.view().orders.len();
    let now = world.now().as_nanos();
    let latest = Timestamp::EPOCH + since_epoch;
    assert!(now < latest.as_nanos(), "a past that has not passed");
    let saved = world.network.with(|network, _| network.server().save(venue));
    saved.unwrap();
    // A journal without the latch counts as killed.
    let disk: Arc<dyn Storage> = Arc::new(Disk);
    let latch = LatchFile::new(disk, desk, &desk.join(JOURNAL));
    assert!(!latch.open(world.now()).unwrap().killed);
    let mut written = Vec::new();
    for folder in ["", "archive"] {
        let folder = PathBuf::from(JOURNAL).join(folder);
        fs::create_dir_all(desk.join(&folder)).unwrap();
        for name in world.storage.list(&folder).unwrap() {
            let bytes = world.storage.read(&folder.join(&name)).unwrap();
            if name.starts_with("truth-") {
                written.push(bytes.len() as u64);
            }
            fs::write(desk.join(&folder).join(name), bytes).unwrap();
        }
    }
    Past {
        records,
        fills,
        files: written.len(),
        bytes: written.iter().sum(),
        open,
    }
}

fn count_records(world: &World) -> u64 {
    let storage: Arc<dyn Storage> = Arc::new(world.storage.clone());
    let reader = Reader::new(storage, Path::new(JOURNAL));
    let records = reader.records(StoreKind::Truth).unwrap();
    records.map(Result::unwrap).count() as u64
}
