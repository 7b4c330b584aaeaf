//! A journal that a release wrote, and the ledger that every later build must read out of it (S12).
//!
//! `released/` holds the truth of a short run and, beside it, the ledger that the build of then had at its end. To add the journal of
//! another release, run `TRADEWIND_RECORD_RELEASE=NAME cargo nextest run -p tradewind-sim released` with its build. What is there stays.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind::app::hot_path::recover;
use tradewind_engine::{Engine, StrategySource};
use tradewind_journal::{MemoryStorage, OpenMode, Storage};

use crate::world::{Choices, JOURNAL, World};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/released")
}

/// What the journal's run left, in words: every balance of every owner, every position, every open order.
fn ledger(storage: MemoryStorage) -> String {
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let last_run = recover(&storage, Path::new(JOURNAL), StrategySource::built_in).unwrap();
    let seq = last_run.seq();
    let now = last_run.now();
    let engine: Engine = last_run.finish(seq, now);
    let (view, configuration) = (engine.view(), engine.configuration());
    let mut text = format!("input {seq}\n");
    for held in &view.balances {
        let asset = configuration.assets.name(held.asset);
        writeln!(
            text,
            "{:?} {:?} {asset} {}",
            held.account, held.owner, held.amount
        )
        .unwrap();
    }
    for position in &view.positions {
        let instrument = configuration.instrument(position.instrument);
        let quantity = instrument.quantity_text(position.quantity);
        writeln!(
            text,
            "position {:?} {} {quantity}",
            position.owner, instrument.name
        )
        .unwrap();
    }
    for order in &view.orders {
        let terms = order.terms;
        writeln!(
            text,
            "order {} {:?} {:?}",
            terms.client_id, terms.side, order.status
        )
        .unwrap();
    }
    text
}

/// Puts files into a journal's folder in memory.
fn storage_of(files: impl Iterator<Item = (String, Vec<u8>)>) -> MemoryStorage {
    let (storage, dir) = (MemoryStorage::new(), Path::new(JOURNAL));
    storage.create_dir(dir).unwrap();
    for (name, bytes) in files {
        let file = storage.open(&dir.join(name), OpenMode::Create).unwrap();
        file.write_at(&bytes, 0).unwrap();
    }
    storage
}

/// Writes the truth of a run that has filled orders, open orders and positions, and its ledger.
fn record(name: &str) {
    let mut world = World::new(Choices::busy(5));
    world.start_desk();
    while world.view().counters.fills < 12 {
        world.run(Duration::from_secs(1));
    }
    world.kill_desk();
    let files = world.files().into_iter();
    let truth: Vec<_> = files
        .filter(|(name, _)| name.starts_with("truth"))
        .collect();
    let folder = folder().join(name);
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in &truth {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let ledger = ledger(storage_of(truth.into_iter()));
    fs::write(folder.join("ledger.txt"), ledger).unwrap();
}

#[test]
fn the_journal_of_every_release_is_read_to_the_ledger_that_it_had() {
    if let Ok(name) = std::env::var("TRADEWIND_RECORD_RELEASE") {
        record(&name);
    }
    let mut releases = 0;
    for release in fs::read_dir(folder()).unwrap() {
        let release = release.unwrap().path();
        let files = fs::read_dir(&release)
            .unwrap()
            .map(|file| file.unwrap().path());
        let truth = files.filter(|file| file.extension().is_none_or(|kind| kind != "txt"));
        let read = |file: PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&file).unwrap())
        };
        let wanted = fs::read_to_string(release.join("ledger.txt")).unwrap();
        assert_eq!(ledger(storage_of(truth.map(read))), wanted, "{release:?}");
        releases += 1;
    }
    assert!(releases > 0, "there is a release to compare with");
}
