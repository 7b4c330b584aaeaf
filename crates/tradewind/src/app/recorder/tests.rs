//! The recorder under a flood that its queue does not hold.

use tempfile::TempDir;
use tradewind_data::{Blocks, examine};
use tradewind_model::ManualClock;

use super::*;

fn options(folder: &TempDir) -> RecorderOptions {
    RecorderOptions {
        scheme: Scheme::WebSocket,
        folder: folder.path().to_owned(),
        settings: RecordingSettings::new("binance"),
        heading: r#"{"stream":"tradewind@recording","data":{}}"#.to_owned(),
    }
}

fn message(number: u32) -> Vec<u8> {
    let text = format!(r#"{{"stream":"btcusdt@trade","data":{{"t":"{number:08}"}}}}"#);
    let mut bytes = vec![0x81, u8::try_from(text.len()).unwrap()];
    bytes.extend(text.bytes());
    bytes
}

/// A writer that is slower than the feed loses some, and says of each whether it has it: nothing is lost in silence.
#[test]
fn under_a_flood_each_frame_is_in_the_recording_or_counted_as_lost() {
    let folder = TempDir::new().unwrap();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::default();
    let recorder = Recorder::with_room(options(&folder), clock, 20_000).unwrap();
    let tap = recorder.tap();
    tap.take(Tapped::Opened {
        link: 1,
        at: Timestamp::EPOCH,
    });
    let mut refused = 0;
    let mut missing: Option<Missing> = None;
    for number in 0..200_000 {
        let at = Timestamp::from_millis(i64::from(number));
        let mut bytes = message(number);
        if number == 0 {
            bytes = [b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(), bytes].concat();
        }
        let taken = tap.take(Tapped::Bytes {
            link: 1,
            at,
            bytes,
            missing,
        });
        if taken {
            missing = None;
        } else {
            refused += 1;
            let from = missing.map_or(at, |missing| missing.from);
            let messages = missing.map_or(0, |missing| missing.messages) + 1;
            missing = Some(Missing {
                messages,
                from,
                to: at,
            });
        }
    }
    tap.take(Tapped::Closed {
        link: 1,
        at: Timestamp::from_secs(200),
        missing,
    });
    let (progress, is_whole) = recorder.finish();
    assert!(is_whole && refused > 0, "{progress:?}");
    assert_eq!((progress.written.lost, progress.frames), (refused, 200_000));
    let (mut frames, mut noted) = (0, 0);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(examine(&path).unwrap().torn_bytes, 0);
        let mut blocks = Blocks::open(&path).unwrap();
        while let Some(text) = blocks.next_block().unwrap() {
            for line in text.lines() {
                let (_, json) = line.split_once(' ').unwrap();
                let json: serde_json::Value = serde_json::from_str(json).unwrap();
                match json["stream"].as_str().unwrap() {
                    "btcusdt@trade" => frames += 1,
                    "tradewind@lost" => noted += json["data"]["frames"].as_u64().unwrap(),
                    _ => {}
                }
            }
        }
    }
    assert_eq!((frames, noted), (200_000 - refused, refused));
}
