//! What is packed, and what is no text at all.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tradewind_data::{Content, Hints, open};

use crate::{Input, rows};

const TEXT: &str = "1727740800,100,102,99,101,3\n1727740860,100,102,99,101,3\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// A zip archive of stored members.
fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in members {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let (size, length) = (
            u32::try_from(text.len()).unwrap(),
            u16::try_from(name.len()).unwrap(),
        );
        let mut entry = Vec::new();
        entry.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        entry.extend(crc.sum().to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.extend(length.to_le_bytes());
        entry.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&entry);
        directory.extend([0; 10]);
        directory.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&entry);
        bytes.extend(name.as_bytes());
        bytes.extend(text.as_bytes());
    }
    let (start, count) = (
        u32::try_from(bytes.len()).unwrap(),
        u16::try_from(members.len()).unwrap(),
    );
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn packing_shows_in_the_bytes_and_not_in_the_name() {
    let (first, second) = TEXT.split_at(28);
    let members = [gzip(first), gzip(second)].concat();
    for (name, bytes) in [
        ("BTC_USDT-1m.csv.gz", members.clone()),
        ("BTC_USDT-1m.csv", members),
        ("BTC_USDT-1m.zip", zip(&[("a.csv", TEXT)])),
        (
            "BTC_USDT-1m.csv",
            zip(&[("a.csv.CHECKSUM", "x"), ("a.csv", TEXT)]),
        ),
    ] {
        assert_eq!(rows(&Input::new(name, bytes).table()).len(), 2, "{name}");
    }
}

#[test]
fn what_is_packed_wrongly_is_refused() {
    let whole = zip(&[("a.csv", TEXT)]);
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    let packed = gzip(TEXT);
    let cut = packed[..packed.len() - 12].to_vec();
    let mut damaged = packed.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    for (name, bytes, wanted) in [
        ("BTC_USDT-1m.csv.gz", cut, "the packed file is cut off here"),
        ("BTC_USDT-1m.csv.gz", damaged, "the packed file is damaged"),
        (
            "BTC_USDT-1m.csv.gz",
            TEXT.as_bytes().to_vec(),
            "its name says that it is packed, and it is not",
        ),
        (
            "BTC_USDT-1m.csv.gz",
            gzip(&String::from_utf8_lossy(b"PK\x03\x04")),
            "it is packed twice",
        ),
        ("BTC_USDT-1m.zip", flipped, "the packed file is damaged"),
        (
            "BTC_USDT-1m.zip",
            whole[..whole.len() - 30].to_vec(),
            "the zip file is cut off or damaged",
        ),
        (
            "BTC_USDT-1m.zip",
            zip(&[("a.csv", TEXT), ("b.csv", TEXT)]),
            "the zip file holds 2 tables and not one; unpack it and name the files: unzip FILE",
        ),
        (
            "BTC_USDT-1m.zip",
            zip(&[("[Content_Types].xml", "x")]),
            "it is an Excel workbook; save it as CSV",
        ),
        (
            "BTC_USDT-1m.feather",
            b"ARROW1\0\0aaaaaaaaaaaa".to_vec(),
            "it is a Feather file; write it as CSV",
        ),
        (
            "BTC_USDT-1m.parquet",
            b"PAR1aaaaaaaaaaaaaaa".to_vec(),
            "it is a Parquet file; write it as CSV",
        ),
        (
            "BTC_USDT-1m.csv.zst",
            b"\x28\xb5\x2f\xfdaaaaaaaaaaaaaaa".to_vec(),
            "it is packed with zstd; unpack it first",
        ),
        (
            "BTC_USDT-1m.csv",
            b"time,open\xe9,high,low,close\n".to_vec(),
            "line 1: it is no UTF-8 text; save it as UTF-8",
        ),
        (
            "BTC_USDT-1m.csv",
            TEXT.replace('\n', "\r").into_bytes(),
            "line 1: its lines end in carriage returns alone",
        ),
    ] {
        let said = Input::new(name, bytes).refusal();
        assert!(said.contains(wanted), "said: {said}\nwanted: {wanted}");
    }
}

#[test]
fn nothing_and_captures_are_known() {
    let of = |content: &str| {
        open(
            &Input::new("BTC_USDT-1m.csv", content).path,
            &Hints::default(),
        )
        .unwrap()
    };
    assert!(matches!(of(""), Content::Empty));
    assert!(matches!(of("\n \r\n"), Content::Empty));
    assert!(matches!(
        of("1723161254024619568 {\"stream\":\"x\"}\n"),
        Content::Capture
    ));
}
