//! Recordings of Kraken, whose frames say least: candles without an end, numbers without their decimals.

use std::fs;

use tempfile::TempDir;
use tradewind_data::{Catalogue, FolderDisk, RecordingSettings, RecordingWriter, Span};

use super::*;

const BEGIN: i64 = 1_700_000_040;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(BEGIN + second)
}

fn note(price_decimals: u8) -> String {
    format!(
        r#"{{"stream":"tradewind@instruments","data":{{"kind":"kraken","instruments":[{{"name":"kraken:BTC/USD","symbol":"BTC/USD","price_decimals":{price_decimals},"quantity_decimals":8}}]}}}}"#
    )
}

fn bar(minute: i64, close: &str) -> String {
    let begin = at(60 * minute);
    format!(
        r#"{{"stream":"tradewind@frame","data":{{"channel":"ohlc","type":"update","data":[{{"symbol":"BTC/USD","interval":1,"interval_begin":"{begin}","open":{close},"high":{close},"low":{close},"close":{close},"volume":3.5,"vwap":{close},"trades":12}}]}},"connection":1}}"#
    )
}

struct Rig {
    folder: TempDir,
    writer: RecordingWriter<FolderDisk>,
    second: i64,
}

impl Rig {
    fn new(rotate_bytes: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = RecordingSettings {
            rotate_bytes,
            block_bytes: 500,
            ..RecordingSettings::new("kraken")
        };
        let (disk, _) = FolderDisk::open(folder.path().join("frames"), &settings).unwrap();
        Self {
            folder,
            writer: RecordingWriter::new(disk, settings),
            second: 0,
        }
    }

    /// A note of the instruments, with which the next files begin, too.
    fn note(&mut self, price_decimals: u8) {
        let note = note(price_decimals);
        self.writer
            .note(at(self.second), note.as_bytes(), at(self.second));
        self.writer.head_with(vec![note]);
    }

    fn bar(&mut self, minute: i64, close: &str) {
        self.second += 1;
        let (now, bar) = (at(self.second), bar(minute, close));
        self.writer.frame(now, bar.as_bytes(), now);
    }

    /// The files, once all is written.
    fn files(&mut self) -> Vec<PathBuf> {
        assert!(self.writer.finish(at(self.second)));
        super::super::import::files(&self.folder.path().join("frames")).unwrap()
    }

    /// Candles that are imported, as minutes and closes, and what is noted.
    fn imported(&self, files: &[PathBuf]) -> (Vec<(i64, String)>, Vec<String>) {
        let root = self.folder.path().join("catalogue");
        drop(fs::remove_dir_all(&root));
        let catalogue = Catalogue::new(root);
        let kind = recorded(files)
            .unwrap()
            .expect("it says whose frames it has");
        let mut adding = catalogue.import().unwrap();
        let done = import(files, kind, "kraken", &mut adding).unwrap();
        adding.commit().unwrap();
        let [(series, _, notes)] = &done[..] else {
            panic!("{done:?}")
        };
        let rows = catalogue.rows(series, Span::ALL).unwrap();
        let row = |row| match row {
            Row::Candle(row) => {
                let minute = row.open_time.since(at(0)).as_secs() / 60;
                (i64::try_from(minute).unwrap(), row.close.to_string())
            }
            other => panic!("{other:?}"),
        };
        let rows = rows.map(|one| row(one.unwrap())).collect();
        (rows, notes.clone())
    }
}

fn minutes(rows: &[(i64, String)]) -> Vec<i64> {
    rows.iter().map(|(minute, _)| *minute).collect()
}

#[test]
fn each_file_of_a_recording_is_imported_by_itself_and_without_the_oldest() {
    let mut rig = Rig::new(1_000);
    rig.note(1);
    for minute in 0..100 {
        rig.bar(minute, &format!("{}.5", 1_000 + minute));
    }
    let files = rig.files();
    assert!(files.len() > 3, "{files:?}");
    let (rows, _) = rig.imported(&files);
    assert_eq!(minutes(&rows), (0..99).collect::<Vec<_>>());
    let wanted = |(minute, close): &(i64, String)| *close == format!("{}.5", 1_000 + minute);
    assert!(rows.iter().all(wanted), "{rows:?}");
    let (later, _) = rig.imported(&files[1..]);
    assert!(later.len() > 50 && rows.ends_with(&later), "{later:?}");
    let mut alone = 0;
    for file in &files {
        alone += rig.imported(std::slice::from_ref(file)).0.len();
    }
    // The last candle of a file ends in the next one.
    assert_eq!(alone, 100 - files.len());
}

#[test]
fn a_candle_whose_last_change_may_be_lost_has_no_row() {
    let mut rig = Rig::new(1 << 20);
    rig.note(1);
    rig.bar(0, "1000.5");
    rig.bar(1, "1001.5");
    rig.writer.tick(at(2));
    rig.writer.lose(Loss {
        frames: 3,
        from: at(70),
        to: at(119),
    });
    rig.writer.tick(at(3));
    rig.second = 120;
    rig.bar(2, "1002.5");
    rig.bar(3, "1003.5");
    let files = rig.files();
    let (rows, notes) = rig.imported(&files);
    assert_eq!(minutes(&rows), [0, 2]);
    let wanted = format!("3 frames were lost between {} and {}", at(70), at(119));
    assert!(notes[0].starts_with(&wanted), "{notes:?}");
}

/// Kraken writes a price with its decimals of the day: those of one run are not those of the next.
#[test]
fn prices_are_read_with_the_decimals_that_were_noted_last() {
    let mut rig = Rig::new(1 << 20);
    rig.note(1);
    rig.bar(0, "1000.5");
    rig.bar(1, "1001.5");
    rig.note(3);
    rig.bar(2, "1002.125");
    rig.bar(3, "1003.5");
    rig.note(1);
    rig.bar(4, "1004.5");
    rig.bar(5, "1005.5");
    let files = rig.files();
    let (rows, _) = rig.imported(&files);
    let wanted = [(0, "1000.5"), (2, "1002.125"), (4, "1004.5")];
    assert_eq!(
        rows,
        wanted.map(|(minute, close)| (minute, close.to_owned()))
    );
}
