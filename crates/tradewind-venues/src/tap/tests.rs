//! Reads cut at every place, and a tap that has no room for some of them.

use std::sync::Mutex;

use super::*;

/// Takes what fits.
#[derive(Debug, Default)]
struct Bounded {
    taken: Mutex<Vec<Tapped>>,
    refuses: Mutex<bool>,
}

impl Tap for Bounded {
    fn take(&self, tapped: Tapped) -> bool {
        if *self.refuses.lock().unwrap() {
            return false;
        }
        self.taken.lock().unwrap().push(tapped);
        true
    }
}

/// A handshake's answer, then messages: whole ones, one in parts with a ping among them, a long one.
fn stream(messages: usize) -> Vec<u8> {
    let mut all = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec();
    for number in 0..messages {
        match number % 5 {
            0 => {
                all.extend([0x01, 3, b'm', b'-', b'0']);
                all.extend([0x89, 2, b'h', b'i']);
                let text = format!("{number:04}");
                all.extend([0x80, 4]);
                all.extend(text.bytes());
            }
            1 => {
                let text = format!("m-{number:05}{}", "x".repeat(70_000));
                all.extend([0x81, 127]);
                all.extend((text.len() as u64).to_be_bytes());
                all.extend(text.bytes());
            }
            2 => {
                let text = format!("m-{number:05}{}", "y".repeat(200));
                all.extend([0x81, 126]);
                all.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
                all.extend(text.bytes());
            }
            _ => {
                all.extend([0x81, 7]);
                all.extend(format!("m-{number:05}").bytes());
            }
        }
    }
    all
}

/// The numbers of the messages that are put together from what a tap took, and how many it says are missing.
fn put_together(taken: &[Tapped]) -> (Vec<usize>, u64) {
    let (mut messages, mut missed) = (Messages::new(Scheme::WebSocket), 0);
    let mut found = Vec::new();
    for tapped in taken {
        let (bytes, missing) = match tapped {
            Tapped::Bytes { bytes, missing, .. } => (bytes.as_slice(), missing),
            Tapped::Closed { missing, .. } => (&[][..], missing),
            Tapped::Opened { .. } => continue,
        };
        missed += missing.map_or(0, |missing| missing.messages);
        messages.read(bytes, *missing, |message| {
            let Message::Text(text) = message else {
                panic!("{message:?}");
            };
            let text = std::str::from_utf8(text).unwrap();
            found.push(text.get(2..7).unwrap().parse().unwrap());
        });
    }
    (found, missed)
}

#[test]
fn every_message_is_put_together_wherever_reads_are_cut() {
    let all = stream(40);
    for size in [1, 2, 3, 7, 64, 1_000, 65_536, all.len()] {
        let (tap, mut link) = (Bounded::default(), Link::new(1, Scheme::WebSocket));
        for part in all.chunks(size) {
            link.read(Timestamp::EPOCH, part, &tap);
        }
        let (found, missed) = put_together(&tap.taken.lock().unwrap());
        assert!(found.iter().copied().eq(0..40), "{size}: {found:?}");
        assert_eq!(missed, 0);
    }
}

#[test]
fn a_tap_without_room_counts_exactly_what_is_missing() {
    let all = stream(60);
    for size in [3, 50, 999, 4_096, 65_536] {
        for (begin, end) in [(2, 3), (5, 40), (1, 90), (0, 4), (7, 1_000_000)] {
            let (tap, mut link) = (Bounded::default(), Link::new(1, Scheme::WebSocket));
            for (number, part) in all.chunks(size).enumerate() {
                *tap.refuses.lock().unwrap() = (begin..end).contains(&number);
                let at = Timestamp::from_secs(i64::try_from(number).unwrap());
                link.read(at, part, &tap);
            }
            let closed = Tapped::Closed {
                link: 1,
                at: Timestamp::EPOCH,
                missing: link.missing,
            };
            *tap.refuses.lock().unwrap() = false;
            tap.take(closed);
            let (found, missed) = put_together(&tap.taken.lock().unwrap());
            let total = found.len() as u64 + missed;
            assert_eq!(
                total, 60,
                "reads of {size}, {begin} to {end}: {found:?}, {missed}"
            );
            assert!(found.is_sorted());
        }
    }
}

#[test]
fn other_transports_are_handed_on_as_they_were_read() {
    let (tap, mut link) = (Bounded::default(), Link::new(1, Scheme::Tcp));
    link.read(Timestamp::EPOCH, b"abc", &tap);
    *tap.refuses.lock().unwrap() = true;
    link.read(Timestamp::EPOCH, b"def", &tap);
    *tap.refuses.lock().unwrap() = false;
    link.read(Timestamp::EPOCH, b"ghi", &tap);
    let (mut messages, mut found) = (Messages::new(Scheme::Tcp), Vec::new());
    for tapped in &*tap.taken.lock().unwrap() {
        let Tapped::Bytes { bytes, missing, .. } = tapped else {
            continue;
        };
        messages.read(bytes, *missing, |message| {
            let Message::Bytes(bytes) = message else {
                panic!("{message:?}");
            };
            found.push((bytes.to_vec(), missing.map(|missing| missing.messages)));
        });
    }
    assert_eq!(found, [(b"abc".to_vec(), None), (b"ghi".to_vec(), Some(1))]);
}
