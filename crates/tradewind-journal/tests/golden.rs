//! The format as it was released: a journal that is checked in is read, and the same journal is written byte for byte.
//!
//! With `UPDATE_GOLDEN=1` the files are written anew. A release that must do so cannot read its predecessor's journals.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{DIR, at, event, intent, journal, quote};
use tradewind_events::{EventKind, Input, Started};
use tradewind_journal::{Disk, MemoryStorage, Reader, Storage};
use tradewind_model::{
    Amount, Candle, InstrumentId, Interval, Price, Quantity, Side, Trade, TradeId,
};

fn inputs() -> Vec<Input> {
    vec![
        Input::Started(Started {
            instance: 0xdead_beef,
            epoch: 3,
            killed: false,
            former: Vec::new(),
        }),
        Input::Quote(quote(6_183_763)),
        Input::Trade(Trade {
            instrument: InstrumentId(1),
            taker: Side::Sell,
            id: TradeId(u64::MAX),
            price: Price(-1),
            quantity: Quantity(5),
            event_time: Some(at(2)),
            received_at: at(3),
        }),
        Input::Candle(Candle {
            instrument: InstrumentId(1),
            interval: Interval::Hour4,
            complete: true,
            open_time: at(0),
            open: Price(1),
            high: Price(4),
            low: Price(1),
            close: Price(3),
            volume: Amount(i128::MAX),
        }),
        Input::TradesLost { count: 7 },
        Input::Stopping,
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden-1")
}

#[test]
fn the_released_format_is_written_and_read() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    for (seq, input) in (1..).zip(inputs()) {
        journal.append_input(seq, at(seq), &input).unwrap();
    }
    journal.append_intent(6, at(6), &intent(77)).unwrap();
    journal
        .append_event(&event(6, 0, EventKind::DeskStopping))
        .unwrap();
    journal.flush().unwrap();
    let names = storage.list(Path::new(DIR)).unwrap();
    for name in &names {
        let bytes = storage.read(&Path::new(DIR).join(name)).unwrap();
        let released = folder().join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&released, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&released).unwrap(), bytes, "{name}");
    }
    let reader = Reader::new(Arc::new(Disk), &folder());
    let read: Vec<_> = reader
        .inputs()
        .unwrap()
        .map(|input| input.unwrap().record)
        .collect();
    let wanted: Vec<_> = inputs()
        .into_iter()
        .map(tradewind_journal::Record::Input)
        .collect();
    assert_eq!(read, wanted);
    assert_eq!(reader.intents().unwrap().len(), 1);
    assert_eq!(Disk.list(&folder()).unwrap(), names);
}
