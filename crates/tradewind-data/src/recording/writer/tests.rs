//! The writer against a disk in memory that is full when a test says so, and against files cut and damaged at every place.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::recording::{Blocks, examine, repair};

/// A disk in memory with so much room.
#[derive(Clone, Debug, Default)]
struct Memory(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    current: String,
    room: usize,
}

impl Disk for Memory {
    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.current = name.to_owned();
        let known = state.files.insert(name.to_owned(), Vec::new());
        assert!(known.is_none(), "{name} was there");
        Ok(())
    }

    fn append(&mut self, block: &[u8]) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.room < block.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.room -= block.len();
        let current = state.current.clone();
        state.files.get_mut(&current).unwrap().extend(block);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn with_room(room: usize) -> Self {
        let memory = Self::default();
        memory.0.borrow_mut().room = room;
        memory
    }

    /// Every line of every file, in the order of their names.
    fn lines(&self) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording.gz");
        let mut lines = Vec::new();
        for bytes in self.0.borrow().files.values() {
            fs::write(&path, bytes).unwrap();
            let mut blocks = Blocks::open(&path).unwrap();
            while let Some(text) = blocks.next_block().unwrap() {
                lines.extend(text.lines().map(str::to_owned));
            }
        }
        lines
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn frame(number: i64) -> Vec<u8> {
    format!(r#"{{"stream":"btcusdt@trade","data":{{"t":{number}}}}}"#).into_bytes()
}

fn settings() -> RecordingSettings {
    RecordingSettings {
        block_bytes: 1_000,
        rotate_bytes: 2_000,
        ..RecordingSettings::new("binance")
    }
}

#[test]
fn every_line_is_read_back_in_order_over_several_files() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    for number in 0..1_000 {
        writer.frame(at(number), &frame(number), at(number));
    }
    assert!(writer.finish(at(1_000)));
    let lines = memory.lines();
    assert_eq!(lines.len(), 1_000);
    for (number, line) in (0..).zip(&lines) {
        let wanted = String::from_utf8(frame(number)).unwrap();
        assert_eq!(*line, format!("{} {wanted}", at(number).as_nanos()));
    }
    assert!(writer.status().files > 3, "{:?}", writer.status());
    assert_eq!((writer.status().lines, writer.status().lost), (1_000, 0));
}

/// A file that is moved elsewhere, or whose older ones are gone, says what it is of.
#[test]
fn each_file_begins_with_what_the_recording_is_of() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    let notes = ["recording", "instruments"].map(|what| format!(r#"{{"stream":"{what}"}}"#));
    for note in &notes {
        writer.note(at(0), note.as_bytes(), at(0));
    }
    writer.head_with(notes.to_vec());
    for number in 0..1_000 {
        writer.frame(at(number), &frame(number), at(number));
    }
    assert!(writer.finish(at(1_000)));
    let files = writer.status().files;
    assert!(files > 3, "{files}");
    assert_eq!(writer.status().lines, 1_000 + 2 * files);
    let all = memory.0.borrow().files.clone();
    for (name, bytes) in all {
        let alone = Memory::default();
        alone.0.borrow_mut().files.insert(name.clone(), bytes);
        for (line, note) in alone.lines().iter().zip(&notes) {
            assert!(line.ends_with(note), "{name}: {line}");
        }
    }
}

#[test]
fn a_recording_leaves_room_to_others_and_grows_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let limited = |free_min, total_max| RecordingSettings {
        free_min,
        total_max,
        ..settings()
    };
    let mut number = 0;
    let mut written = |settings: RecordingSettings, tries| {
        let (disk, _) = FolderDisk::open(folder.path().to_owned(), &settings).unwrap();
        let mut writer = RecordingWriter::new(disk, settings);
        for _ in 0..tries {
            writer.frame(at(number), &frame(number), at(number));
            number += 1;
        }
        let is_whole = writer.finish(at(number));
        (is_whole, writer.status().clone())
    };
    let (is_whole, status) = written(limited(u64::MAX >> 1, u64::MAX), 100);
    assert!(!is_whole && status.lost == 100, "{status:?}");
    let why = status.refused.unwrap();
    assert!(why.contains("of the disk are free"), "{why}");
    assert!(written(limited(1, 3_000), 100).0);
    let (is_whole, status) = written(limited(1, 3_000), 2_000);
    assert!(!is_whole && status.lost > 1_000, "{status:?}");
    let why = status.refused.unwrap();
    assert!(why.contains("move its older files away"), "{why}");
    assert!(total_of(folder.path()).unwrap() <= 3_000);
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(written(limited(1, 3_000), 100).0);
}

#[test]
fn a_block_is_written_when_it_is_a_second_old() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    writer.frame(at(0), &frame(1), at(0));
    writer.tick(at(999));
    assert!(memory.lines().is_empty());
    writer.tick(at(1_000));
    assert_eq!(memory.lines().len(), 1);
}

#[test]
fn a_full_disk_loses_what_does_not_fit_counts_it_and_is_used_again_when_there_is_room() {
    let memory = Memory::with_room(600);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    for number in 0..1_000 {
        writer.frame(at(number), &frame(number), at(number));
        writer.tick(at(number));
    }
    assert!(writer.status().refused.is_some());
    memory.0.borrow_mut().room = usize::MAX;
    for number in 5_000..5_010 {
        writer.tick(at(number));
        writer.frame(at(number), &frame(number), at(number));
    }
    assert!(writer.finish(at(6_000)));
    assert_eq!(writer.status().refused, None);
    let lines = memory.lines();
    let (notes, frames): (Vec<&String>, Vec<&String>) = lines
        .iter()
        .partition(|line| line.contains("tradewind@lost"));
    let lost = writer.status().lost;
    assert!(lost > 0 && frames.len() as u64 + lost == 1_010, "{lost}");
    // What is there is the beginning and the end, and the note names exactly what is missing between them.
    let kept = 1_000 - i64::try_from(lost).unwrap();
    let wanted = format!(
        r#""frames":{lost},"from":{},"to":{}"#,
        at(kept).as_nanos(),
        at(999).as_nanos()
    );
    assert!(notes.len() == 1 && notes[0].contains(&wanted), "{notes:?}");
    let numbers = (0..kept).chain(5_000..5_010);
    for (number, line) in numbers.zip(frames) {
        assert!(line.contains(&format!(r#""t":{number}}}"#)), "{line}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_keeps_its_whole_blocks_and_says_what_is_torn() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    for number in 0..60 {
        writer.frame(at(number), &frame(number), at(number));
    }
    writer.finish(at(60));
    let bytes = memory.0.borrow().files.values().next().unwrap().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binance-1.gz");
    fs::write(&path, &bytes).unwrap();
    let whole = examine(&path).unwrap();
    assert!(whole.blocks >= 3 && whole.torn_bytes == 0 && whole.lines == 60);
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let found = examine(&path).unwrap();
        assert_eq!(found.whole_bytes + found.torn_bytes, length as u64);
        let (_, former) = FolderDisk::open(folder.path().to_owned(), &settings()).unwrap();
        let cut: Vec<u64> = former
            .iter()
            .map(|one| *one.cut.as_ref().unwrap())
            .collect();
        let torn = (found.torn_bytes > 0).then_some(found.torn_bytes);
        assert_eq!(cut, torn.into_iter().collect::<Vec<u64>>(), "at {length}");
        let left = examine(&path).unwrap();
        assert_eq!((left.torn_bytes, left.lines), (0, found.lines));
    }
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|start| block::head(&bytes[*start..]).is_some())
        .collect();
    for place in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let found = examine(&path).map(|found| (found.lines, found.torn_bytes));
        // gzip's own head has a time and the name of a system, which nobody reads.
        let is_idle = (4..10).any(|back| starts.contains(&(place - back.min(place))));
        assert!(
            found.is_err() || found.unwrap() != (60, 0) || is_idle,
            "at {place}"
        );
    }
}

#[test]
fn zeros_at_an_end_are_cut_off_and_damage_within_stops_nobody() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    for number in 0..60 {
        writer.frame(at(number), &frame(number), at(number));
    }
    writer.finish(at(60));
    let bytes = memory.0.borrow().files.values().next().unwrap().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binance-1.gz");
    // What a file system leaves of a write behind which the power went.
    for length in [1, 44, 5_000, 200_000] {
        let zeros = vec![0; length];
        fs::write(&path, [bytes.clone(), zeros].concat()).unwrap();
        let (_, former) = FolderDisk::open(folder.path().to_owned(), &settings()).unwrap();
        assert_eq!(*former[0].cut.as_ref().unwrap(), length as u64);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let second = (1..bytes.len())
        .find(|at| block::head(&bytes[*at..]).is_some())
        .unwrap();
    let mut within = bytes.clone();
    within[second..second + 44].fill(0);
    fs::write(&path, &within).unwrap();
    let (_, former) = FolderDisk::open(folder.path().to_owned(), &settings()).unwrap();
    assert!(former[0].cut.is_err() && fs::read(&path).unwrap() == within);
}

#[test]
fn one_recorder_at_a_time_has_a_folder_and_nobody_cuts_its_files_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binance-1.gz");
    fs::write(&path, [0x1f, 0x8b]).unwrap();
    let (disk, former) = FolderDisk::open(folder.path().to_owned(), &settings()).unwrap();
    assert_eq!(former.len(), 1);
    fs::write(&path, [0x1f, 0x8b]).unwrap();
    assert!(FolderDisk::open(folder.path().to_owned(), &settings()).is_err());
    assert!(repair(&path).is_err());
    drop(disk);
    assert_eq!(repair(&path).unwrap(), 2);
}

#[test]
fn what_is_no_recording_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1m.gz");
    for content in [&b"time,price\n"[..], b"\x1f\x8b\x08\x00", &[b'x'; 200]] {
        fs::write(&path, content).unwrap();
        assert!(!examine(&path).unwrap().is_recording, "{content:?}");
        assert!(repair(&path).is_err());
        assert!(
            FolderDisk::open(folder.path().to_owned(), &settings())
                .unwrap()
                .1
                .is_empty()
        );
    }
}

#[test]
fn a_time_is_found_by_the_heads_of_blocks() {
    let memory = Memory::with_room(usize::MAX);
    let mut writer = RecordingWriter::new(memory.clone(), settings());
    for number in 0..60 {
        writer.frame(at(number), &frame(number), at(number));
    }
    writer.finish(at(60));
    let bytes = memory.0.borrow().files.values().next().unwrap().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binance-1.gz");
    fs::write(&path, bytes).unwrap();
    for number in 0..60 {
        let mut blocks = Blocks::open(&path).unwrap();
        blocks.seek(at(number)).unwrap();
        let text = blocks.next_block().unwrap().unwrap();
        let stamp = at(number).as_nanos().to_string();
        assert!(text.lines().any(|line| line.starts_with(&stamp)));
    }
    let mut blocks = Blocks::open(&path).unwrap();
    blocks.seek(at(60)).unwrap();
    assert_eq!(blocks.next_block().unwrap(), None);
}
