//! The catalogue: what went in comes out, once; what did not end did not happen.

use std::fs;
use std::path::Path;

use tradewind_data::{Catalogue, CatalogueError, Hints, Imported, Row, Series, Span};
use tradewind_model::Timestamp;

use crate::{Input, rows, table, test_data};

/// Candles of a minute from 2024-10-31T23:00Z on, so that they lie in two months; those in `without` are left out.
fn candles(minutes: std::ops::Range<i64>, without: &[i64]) -> String {
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    for minute in minutes.filter(|minute| !without.contains(minute)) {
        let price = 100 + minute % 7;
        text += &format!(
            "{},{price}.125,{}.5,{price}.0001,{price}.25,0.{minute:05}1\n",
            1_730_415_600 + minute * 60,
            price + 1
        );
    }
    text
}

fn series(name: &str) -> Series {
    name.parse().expect("a series")
}

fn import(catalogue: &Catalogue, input: &Input, name: &str) -> Result<Imported, CatalogueError> {
    let mut import = catalogue.import()?;
    let done = import.add(&input.table(), &series(name))?;
    import.commit()?;
    Ok(done)
}

fn all(catalogue: &Catalogue, name: &str, span: Span) -> Vec<Row> {
    let rows = catalogue
        .rows(&series(name), span)
        .expect("it was imported");
    rows.collect::<Result<_, _>>().expect("it is sound")
}

/// Every file below a folder with its content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

const NAME: &str = "binance:BTC/USDT@1m";

#[test]
fn what_goes_in_comes_out_and_is_listed_and_sound() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().join("catalogue"));
    assert!(catalogue.list().unwrap().is_empty());
    let input = Input::new("BTC_USDT-1m.csv", candles(0..150, &[20, 21, 70]));
    let done = import(&catalogue, &input, NAME).unwrap();
    assert_eq!(
        done,
        Imported {
            added: 147,
            known: 0
        }
    );
    assert_eq!(all(&catalogue, NAME, Span::ALL), rows(&input.table()));
    let listed = catalogue.list().unwrap();
    let [summary] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!((summary.rows, summary.missing, summary.files), (147, 3, 2));
    assert_eq!(
        (
            summary.first.to_string().as_str(),
            summary.series.to_string().as_str()
        ),
        ("2024-10-31T23:00:00Z", NAME)
    );
    let verified = catalogue.verify().unwrap();
    assert_eq!(
        (
            verified.files,
            verified.rows,
            verified.problems.len(),
            verified.left_over.len()
        ),
        (2, 147, 0, 0)
    );
    let (_, holes) = &verified.holes[0];
    assert_eq!(
        (
            holes.candles,
            holes.places,
            holes.first.unwrap().to_string().as_str()
        ),
        (3, 2, "2024-10-31T23:20:00Z")
    );
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let span = Span {
        from: at("2024-10-31T23:59:00Z"),
        to: at("2024-11-01T00:02:00Z"),
    };
    let part = all(&catalogue, NAME, span);
    assert_eq!(
        part.iter()
            .map(|row| row.at().to_string())
            .collect::<Vec<_>>(),
        [
            "2024-10-31T23:59:00Z",
            "2024-11-01T00:00:00Z",
            "2024-11-01T00:01:00Z"
        ]
    );
    let table = catalogue.table(&series(NAME), span).unwrap();
    assert_eq!((table.rows, rows(&table)), (3, part));
    let error = catalogue
        .table(&series("binance:ETH/USDT@1m"), Span::ALL)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "binance:ETH/USDT@1m is not in the catalogue; `tradewind data list` shows what is"
    );
}

#[test]
fn importing_twice_changes_nothing_and_overlaps_that_agree_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    let whole = Input::new("BTC_USDT-1m.csv", candles(0..150, &[]));
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(0..90, &[])),
        NAME,
    )
    .unwrap();
    let done = import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(50..150, &[])),
        NAME,
    )
    .unwrap();
    assert_eq!(
        done,
        Imported {
            added: 60,
            known: 40
        }
    );
    assert_eq!(all(&catalogue, NAME, Span::ALL), rows(&whole.table()));
    // The file that was replaced is there until the next import.
    assert_eq!(catalogue.verify().unwrap().left_over.len(), 1);
    import(&catalogue, &whole, NAME).unwrap();
    let before = content(folder.path());
    assert_eq!(
        import(&catalogue, &whole, NAME).unwrap(),
        Imported {
            added: 0,
            known: 150
        }
    );
    assert_eq!(content(folder.path()), before);
    assert_eq!(catalogue.verify().unwrap().left_over.len(), 0);
}

#[test]
fn what_differs_is_refused_with_its_line_and_leaves_the_catalogue_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(0..90, &[])),
        NAME,
    )
    .unwrap();
    let before = content(folder.path());
    let other = candles(0..90, &[]).replacen("102.125", "102.126", 1);
    let input = Input::new("BTC_USDT-1m.csv", &other);
    let error = import(&catalogue, &input, NAME).unwrap_err().to_string();
    let wanted = format!(
        "{}: line 4: the catalogue has other values at 2024-10-31T23:02:00Z; keep one of the two",
        input.path.display()
    );
    assert!(error.starts_with(&wanted), "{error}");
    assert_eq!(content(folder.path()), before);
    let no_volumes = "time,open,high,low,close\n1730415600,1,1,1,1\n1730415660,1,1,1,1\n";
    assert!(import(&catalogue, &Input::new("BTC_USDT-1m.csv", no_volumes), NAME).is_err());
    assert_eq!(content(folder.path()), before);
}

/// An import that is killed is one that is never committed, with whatever it had written by then.
#[test]
fn an_import_that_does_not_end_did_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(0..90, &[])),
        NAME,
    )
    .unwrap();
    let (list, held) = (catalogue.list().unwrap(), all(&catalogue, NAME, Span::ALL));
    let more = Input::new("BTC_USDT-1m.csv", candles(60..400, &[]));
    let mut killed = catalogue.import().unwrap();
    killed.add(&more.table(), &series(NAME)).unwrap();
    assert!(matches!(
        catalogue.import(),
        Err(CatalogueError::Busy { .. })
    ));
    drop(killed);
    fs::write(
        folder.path().join("binance/BTC_USDT/1m-2024-12.part"),
        b"PAR1half",
    )
    .unwrap();
    fs::write(folder.path().join("manifest.part"), b"tradewind").unwrap();
    assert_eq!(
        (catalogue.list().unwrap(), all(&catalogue, NAME, Span::ALL)),
        (list, held)
    );
    let verified = catalogue.verify().unwrap();
    assert!(
        verified.problems.is_empty() && !verified.left_over.is_empty(),
        "{verified:?}"
    );
    assert_eq!(
        import(&catalogue, &more, NAME).unwrap(),
        Imported {
            added: 310,
            known: 30
        }
    );
    // What the killed one left is gone; what this one replaced goes with the next.
    let left_over = catalogue.verify().unwrap().left_over;
    assert!(
        left_over
            .iter()
            .all(|path| path.extension().unwrap() == "parquet"),
        "{left_over:?}"
    );
    import(&catalogue, &more, NAME).unwrap();
    assert!(catalogue.verify().unwrap().left_over.is_empty());
}

/// A reader of the old files reads them to their end when an import ends.
#[test]
fn a_reader_that_began_before_an_import_ended_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    let first = Input::new("BTC_USDT-1m.csv", candles(0..90, &[]));
    import(&catalogue, &first, NAME).unwrap();
    let table = catalogue.table(&series(NAME), Span::ALL).unwrap();
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(50..150, &[])),
        NAME,
    )
    .unwrap();
    assert_eq!(rows(&table), rows(&first.table()));
}

#[test]
fn without_its_manifest_nothing_is_deleted_and_files_of_others_never() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("catalogue");
    let catalogue = Catalogue::new(root.clone());
    let input = Input::new("BTC_USDT-1m.csv", candles(0..90, &[]));
    import(&catalogue, &input, NAME).unwrap();
    let outside = folder.path().join("BTC_USDT");
    fs::create_dir(&outside).unwrap();
    let others = [
        root.join("features.parquet"),
        root.join("binance/BTC_USDT/features.parquet"),
        root.join("binance/BTC_USDT/download.part"),
        outside.join("1m-2024-10-0a1b2c3d.parquet"),
    ];
    for path in &others {
        fs::write(path, b"PAR1").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, root.join("binance/ETH_USDT")).unwrap();
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(50..150, &[])),
        NAME,
    )
    .unwrap();
    import(&catalogue, &input, NAME).unwrap();
    assert!(others.iter().all(|path| path.exists()));
    fs::rename(root.join("manifest.tsv"), folder.path().join("copy")).unwrap();
    let before = content(&root);
    let error = import(&catalogue, &input, NAME).unwrap_err().to_string();
    assert!(
        error.contains("manifest.tsv: the manifest is missing and there is data ("),
        "{error}"
    );
    assert!(matches!(
        catalogue.list(),
        Err(CatalogueError::Damaged { .. })
    ));
    assert_eq!(content(&root), before);
}

/// Days from midnight UTC on and days from midnight in Singapore on are two series.
#[test]
fn days_that_begin_at_another_hour_are_refused_and_found() {
    let day = |hour: u8| {
        format!(
            "date,open,high,low,close\n2024-10-0{0}T{hour:02}:00:00Z,1,3,1,2\n2024-10-0{1}T{hour:02}:00:00Z,1,3,1,2\n",
            1 + hour / 8,
            2 + hour / 8
        )
    };
    let name = "binance:BTC/USDT@1d";
    let (utc, shifted) = (
        Input::new("BTC_USDT-1d.csv", day(0)),
        Input::new("BTC_USDT-1d.csv", day(16)),
    );
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    import(&catalogue, &utc, name).unwrap();
    let error = import(&catalogue, &shifted, name).unwrap_err().to_string();
    assert!(
        error.ends_with("its candles begin 57600 s after midnight UTC and those of the catalogue 0 s; import it under another --venue, or say its --utc-offset"),
        "{error}"
    );
    import(&catalogue, &shifted, "singapore:BTC/USDT@1d").unwrap();
    assert!(catalogue.verify().unwrap().problems.is_empty());
    // A catalogue that has both in one series, as one might from before.
    let manifest = folder.path().join("manifest.tsv");
    let text = fs::read_to_string(&manifest).unwrap();
    let mixed = text.replacen("singapore:", "binance:", 1);
    let (body, _) = mixed.trim_end().rsplit_once('\n').unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    fs::write(&manifest, format!("{body}\n{:08x}\n", crc.sum())).unwrap();
    let problems = catalogue.verify().unwrap().problems;
    assert!(
        problems.len() == 1
            && problems[0].contains("row 1 at 2024-10-03T16:00:00Z begins at another hour"),
        "{problems:?}"
    );
}

#[test]
fn damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    import(
        &catalogue,
        &Input::new("BTC_USDT-1m.csv", candles(0..50, &[])),
        NAME,
    )
    .unwrap();
    let (path, sound) = content(folder.path())
        .into_iter()
        .find(|(path, _)| path.ends_with(".parquet"))
        .unwrap();
    for place in (0..sound.len()).step_by(37) {
        let mut damaged = sound.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(
            catalogue.verify().unwrap().problems.len(),
            1,
            "byte {place}"
        );
        // Reading it is an error, or gives rows: it never panics.
        let rows = catalogue.rows(&series(NAME), Span::ALL).unwrap();
        assert!(rows.count() <= 51);
    }
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert!(catalogue.verify().unwrap().problems[0].contains("import its source again"));
    fs::remove_file(&path).unwrap();
    assert_eq!(catalogue.verify().unwrap().problems.len(), 1);
    let manifest = folder.path().join("manifest.tsv");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\t50\t", "\t51\t", 1)).unwrap();
    assert!(matches!(
        catalogue.list(),
        Err(CatalogueError::Damaged { .. })
    ));
}

#[test]
fn trades_of_one_moment_are_told_apart_by_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(folder.path().to_owned());
    let head = "time,price,quantity,id,side\n";
    let first = Input::new(
        "BTCUSDT.csv",
        format!("{head}1727740800,1,1,1,buy\n1727740800,1,1,2,buy\n"),
    );
    let second = Input::new(
        "BTCUSDT.csv",
        format!("{head}1727740800,1,1,2,buy\n1727740800,1.5,1,3,sell\n1727913600,2,1,4,buy\n"),
    );
    let name = "binance:BTC/USDT@trades";
    import(&catalogue, &first, name).unwrap();
    assert_eq!(
        import(&catalogue, &second, name).unwrap(),
        Imported { added: 2, known: 1 }
    );
    let ids: Vec<u64> = all(&catalogue, name, Span::ALL)
        .iter()
        .map(|row| if let Row::Trade(row) = row { row.id } else { 0 })
        .collect();
    assert_eq!(
        (ids, catalogue.list().unwrap()[0].files),
        (vec![1, 2, 3, 4], 2)
    );
    let other = Input::new("BTCUSDT.csv", format!("{head}1727740800,9,1,2,buy\n"));
    let error = import(&catalogue, &other, name).unwrap_err().to_string();
    assert!(
        error.contains("line ") && error.contains("other values for the trade 2"),
        "{error}"
    );
}

#[test]
fn every_case_that_is_read_goes_into_the_catalogue_and_comes_out_exact() {
    let Some(folder) = test_data("cases/files") else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    for file in [
        "f01-binance-vision-microseconds/BTCUSDT-1m-2025-01-01.csv",
        "f05-binance-vision-trades/BTCUSDT-trades-2024-10-01.csv",
        "f08-cryptodatadownload/BTCUSDT_1h.csv",
        "f23-nine-decimals/PEPE_USDT-1m.csv",
        "f23-nine-decimals/BABYDOGE_USDT-1m.csv",
    ] {
        let catalogue = Catalogue::new(home.path().join(file.replace('/', "-")));
        let table = table(&folder.join(file), &Hints::default()).unwrap();
        let series = Series {
            venue: "file".to_owned(),
            subject: table.product.clone().into(),
            kind: table.kind,
            interval: table.interval,
        };
        let mut import = catalogue.import().unwrap();
        import.add(&table, &series).unwrap();
        import.commit().unwrap();
        assert_eq!(
            all(&catalogue, &series.to_string(), Span::ALL),
            rows(&table),
            "{file}"
        );
        let mut bytes = Vec::new();
        assert_eq!(
            catalogue
                .write_parquet(&series, Span::ALL, &mut bytes)
                .unwrap(),
            table.rows
        );
        assert_eq!(
            (&bytes[..4], &bytes[bytes.len() - 4..]),
            (&b"PAR1"[..], &b"PAR1"[..])
        );
    }
}
