//! What is written is read back: every kind of record, in order, across files and starts.

#[cfg(test)]
mod common;

use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, event, intent, journal, options, quote};
use proptest::prelude::*;
use tradewind_events::{EventKind, Input, Intent, Started, StorageHealth, Timer};
use tradewind_journal::{
    Journal, Loss, MemoryStorage, Options, Reader, Record, Storage, StoreKind,
};
use tradewind_model::{
    Amount, BotId, Candle, Depth, EventId, InstrumentId, Interval, Level, Price, Quantity, Quote,
    Side, Timestamp, Trade, TradeId,
};

fn instants() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((i64::MIN + 1..=i64::MAX).prop_map(Timestamp::from_nanos))
}

fn inputs() -> impl Strategy<Value = Input> {
    let five = any::<[i64; 5]>();
    let quotes = (any::<u32>(), five, instants()).prop_map(|(id, n, event_time)| {
        Input::Quote(Quote {
            instrument: InstrumentId(id),
            bid: Price(n[0]),
            ask: Price(n[1]),
            bid_quantity: Quantity(n[2]),
            ask_quantity: Quantity(n[3]),
            event_time,
            received_at: Timestamp::from_nanos(n[4]),
        })
    });
    let trades =
        (any::<u64>(), five, instants(), any::<bool>()).prop_map(|(id, n, event_time, buy)| {
            Input::Trade(Trade {
                instrument: InstrumentId(3),
                taker: if buy { Side::Buy } else { Side::Sell },
                id: TradeId(id),
                price: Price(n[0]),
                quantity: Quantity(n[1]),
                event_time,
                received_at: Timestamp::from_nanos(n[2]),
            })
        });
    let intervals = proptest::sample::select(Interval::all().collect::<Vec<_>>());
    let candles = (five, any::<i128>(), any::<bool>(), intervals).prop_map(
        |(n, volume, complete, interval)| {
            Input::Candle(Candle {
                instrument: InstrumentId(7),
                interval,
                complete,
                open_time: Timestamp::from_nanos(n[0]),
                open: Price(n[1]),
                high: Price(n[2]),
                low: Price(n[3]),
                close: Price(n[4]),
                volume: Amount(volume),
            })
        },
    );
    let books = (five, any::<u8>()).prop_map(|(n, levels)| {
        let level = Level {
            price: Price(n[0]),
            quantity: Quantity(n[1]),
        };
        Input::Depth(Box::new(Depth {
            instrument: InstrumentId(1),
            bids: vec![level; usize::from(levels % 21)],
            asks: vec![level],
            received_at: Timestamp::from_nanos(n[2]),
        }))
    });
    let rest = prop_oneof![
        (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(instance, epoch, killed)| {
            Input::Started(Started {
                instance,
                epoch,
                killed,
                former: Vec::new(),
            })
        }),
        any::<u64>().prop_map(|count| Input::TradesLost { count }),
        any::<u32>().prop_map(|bot| Input::Timer(Timer::BotWake(BotId(bot)))),
        Just(Input::Storage(StorageHealth::Behind)),
        Just(Input::Stopping),
        common::rare_inputs(),
    ];
    prop_oneof![quotes, trades, candles, books, rest]
}

proptest! {
    #[test]
    fn inputs_come_back_in_order_whichever_store_they_lay_in(
        inputs in proptest::collection::vec(inputs(), 0..60),
        segment_bytes in 200_u64..3_000,
        flush_every in 1_usize..20,
    ) {
        let storage = MemoryStorage::new();
        let options = Options { segment_bytes, ..options() };
        let (mut journal, _) = Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &options, at(0)).unwrap();
        for (seq, input) in (1..).zip(&inputs) {
            journal.append_input(seq, at(seq), input).unwrap();
            if seq.is_multiple_of(flush_every as u64) {
                journal.flush().unwrap();
            }
        }
        journal.flush().unwrap();
        let reader = Reader::new(Arc::new(storage), DIR.as_ref());
        let read: Vec<_> = reader.inputs().unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), inputs.len());
        for ((seq, wanted), found) in (1..).zip(&inputs).zip(&read) {
            prop_assert_eq!((found.seq, found.at), (seq, at(seq)));
            prop_assert_eq!(&found.record, &Record::Input(wanted.clone()));
        }
        prop_assert_eq!(reader.verify().unwrap().torn.len(), 0);
    }
}

#[test]
fn intents_and_events_come_back_and_of_the_prices_those_that_led_to_something() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    let price = |seq| event(seq, 0, EventKind::PriceUpdate(quote(1)));
    let stopping = event(3, 1, EventKind::DeskStopping);
    let intents: Vec<Intent> = (1..=3).map(intent).collect();
    for intent in &intents {
        journal.append_intent(1, at(1), intent).unwrap();
    }
    for event in [&price(1), &price(2), &price(3), &stopping, &price(4)] {
        journal.append_event(event).unwrap();
    }
    journal.flush().unwrap();
    let reader = Reader::new(Arc::new(storage), DIR.as_ref());
    let found = reader.intents().unwrap();
    assert_eq!(found.into_values().collect::<Vec<_>>(), intents);
    let events = journal.events().read_after(EventId::default(), 10).unwrap();
    assert_eq!(events, [price(3), stopping]);
}

#[test]
fn a_start_goes_on_where_the_last_one_ended() {
    let mut storage = MemoryStorage::new();
    for start in 0..5 {
        let (mut journal, recovery) = journal(&storage);
        assert_eq!(recovery.last_seq, start * 2);
        let next = recovery.last_seq + 1;
        journal
            .append_input(next, at(next), &Input::Quote(quote(1)))
            .unwrap();
        journal
            .append_input(next + 1, at(next + 1), &Input::Stopping)
            .unwrap();
        journal
            .append_event(&event(next + 1, 0, EventKind::DeskStopping))
            .unwrap();
        journal.flush().unwrap();
        // A start without a single input takes no name from the next one.
        storage = storage.after(Loss::Process);
        let (_idle, recovery) = common::journal(&storage);
        assert_eq!(recovery.last_seq, next + 1);
        storage = storage.after(Loss::Process);
    }
    let reader = Reader::new(Arc::new(storage.clone()), DIR.as_ref());
    assert_eq!(reader.inputs().unwrap().count(), 10);
    assert_eq!(reader.verify().unwrap().last_seq, 10);
    let (journal, _) = journal(&storage);
    let ids: Vec<_> = journal
        .events()
        .read_after(EventId::default(), 100)
        .unwrap()
        .iter()
        .map(|event| event.id.seq)
        .collect();
    assert_eq!(ids, [2, 4, 6, 8, 10]);
}

#[test]
fn events_are_read_from_anywhere_while_the_writer_goes_on() {
    let storage = MemoryStorage::new();
    let options = Options {
        segment_bytes: 20_000,
        ..options()
    };
    let (mut journal, _) =
        Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &options, at(0)).unwrap();
    let log = journal.events();
    let mut all = Vec::new();
    for seq in 1..=1_000 {
        journal
            .append_input(seq, at(seq), &Input::TradesLost { count: seq })
            .unwrap();
        for index in 0..(seq % 4) as u32 {
            let event = event(
                seq,
                index,
                EventKind::Gap {
                    instrument: None,
                    missing: Some(seq),
                    from: None,
                    to: None,
                },
            );
            journal.append_event(&event).unwrap();
            all.push(event);
        }
        if seq % 50 == 0 {
            assert!(
                log.read_after(
                    EventId {
                        seq: seq - 1,
                        index: 9
                    },
                    10
                )
                .unwrap()
                .is_empty()
            );
            journal.flush().unwrap();
        }
    }
    let check = |log: &tradewind_journal::EventReader| {
        for from in (0..all.len()).step_by(37) {
            let found = log.read_after(all[from].id, 40).unwrap();
            let wanted = &all[from + 1..all.len().min(from + 41)];
            assert!(found == wanted, "from {from}");
        }
    };
    check(&log);
    drop(journal);
    check(&common::journal(&storage.after(Loss::Process)).0.events());
}

#[test]
fn the_bytes_read_grow_with_each_record_to_the_length_of_the_files() {
    let storage = MemoryStorage::new();
    for seq in 1..=3 {
        let (mut journal, _) = journal(&storage);
        journal.append_input(seq, at(seq), &Input::Resync).unwrap();
        journal.flush().unwrap();
    }
    let reader = Reader::new(Arc::new(storage.clone()), DIR.as_ref());
    let mut records = reader.records(StoreKind::Truth).unwrap();
    let mut read = 0;
    while let Some(found) = records.next() {
        found.unwrap();
        assert!(records.bytes_read() > read);
        read = records.bytes_read();
    }
    let dir = Path::new(DIR);
    let names = storage.list(dir).unwrap().into_iter();
    let truth = names.filter(|name| name.starts_with("truth-"));
    let lengths = truth.map(|name| storage.read(&dir.join(name)).unwrap().len() as u64);
    assert_eq!(read, lengths.sum::<u64>());
}

/// A reader has the zeros behind the last record in its window when the desk writes there.
#[test]
fn what_is_written_while_a_reader_runs_is_read() {
    let storage = MemoryStorage::new();
    let options = Options {
        preallocated_bytes: 1 << 20,
        ..options()
    };
    let opened = Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &options, at(0));
    let (mut journal, _) = opened.unwrap();
    let reader = Reader::new(Arc::new(storage.clone()), Path::new(DIR));
    let mut write = |seq| {
        let timer = Input::Timer(Timer::BotWake(BotId(0)));
        journal.append_input(seq, at(seq), &timer).unwrap();
        journal.flush().unwrap();
    };
    write(1);
    let mut records = reader.records(StoreKind::Truth).unwrap();
    assert!(records.next().unwrap().is_ok(), "the header");
    assert_eq!(records.next().unwrap().unwrap().seq, 1);
    write(2);
    assert_eq!(records.next().unwrap().unwrap().seq, 2);
    assert_eq!(reader.truth_end().unwrap(), 2);
    assert!(records.next().is_none());
}
