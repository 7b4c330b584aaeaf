//! Laws of the codec: what is encoded is decoded, and no bytes make it panic or allocate without measure.

use proptest::prelude::*;
use tradewind_model::{Decision, Ppm, Price, Stop};
use tradewind_process::{Answer, FRAME_MAX, Frame, Kind, Table};
use tradewind_testkit::spot;

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Load,
        Kind::Start,
        Kind::History,
        Kind::Compute,
        Kind::Feed,
        Kind::Evaluate,
        Kind::Loaded,
        Kind::Ready,
        Kind::Table,
        Kind::Done,
        Kind::Decision,
        Kind::Fault,
    ])
}

proptest! {
    #[test]
    fn a_frame_is_decoded_as_it_was_encoded(
        kind in kind(), bot: u16, request: u32, body in prop::collection::vec(any::<u8>(), 0..200), more in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let frame = Frame { kind, bot, request, body };
        let bytes = frame.encode().unwrap();
        for end in 0..bytes.len() {
            prop_assert_eq!(Frame::decode(&bytes[..end]), Ok(None));
        }
        let longer = [bytes.as_slice(), &more].concat();
        prop_assert_eq!(Frame::decode(&longer), Ok(Some((frame, bytes.len()))));
    }

    #[test]
    fn no_bytes_make_the_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Frame::decode(&bytes));
        drop(Answer::decode(&bytes, &spot()));
        drop(Table::decode(&bytes, &spot()));
    }

    #[test]
    fn broken_answers_are_refused_or_in_range(at in 0_usize..200, byte: u8) {
        let mut body = target(500_000, Some(12_345), &[1, 1]);
        if let Some(place) = body.get_mut(at) {
            *place = byte;
        }
        if let Ok(answer) = Answer::decode(&body, &spot()) && let Decision::Target(target) = answer.decision {
            prop_assert!(target.exposure.0.abs() <= 1_000_000);
            prop_assert!(target.limit.is_none_or(|limit| limit.0 > 0));
        }
    }

    #[test]
    fn a_table_gives_back_its_rows(rows in prop::collection::vec((-1_000_000_i64..=1_000_000, any::<bool>(), 0_i64..1_000_000), 0..50)) {
        let count = u32::try_from(rows.len()).unwrap();
        let mut body = count.to_le_bytes().to_vec();
        body.extend([1 | 2 | 16, 5, 0]);
        body.extend([0, 0]);
        rows.iter().for_each(|row| body.extend(row.0.to_le_bytes()));
        rows.iter().for_each(|row| body.push(u8::from(row.1)));
        rows.iter().for_each(|row| body.extend(row.2.to_le_bytes()));
        body.extend([0, 0]);
        body.extend(u32::MAX.to_le_bytes());
        let table = Table::decode(&body, &spot()).unwrap();
        prop_assert_eq!(table.len(), rows.len());
        prop_assert!(table.calls_on_position() && !table.calls_on_entry() && table.calls_on_exit());
        for (index, (enter, exit, stop)) in rows.iter().enumerate() {
            let row = table.row(index).unwrap();
            prop_assert_eq!((row.enter, row.exit), (Ppm(*enter), *exit));
            prop_assert_eq!(row.stop.is_some(), *stop > 0);
        }
        prop_assert_eq!(table.row(rows.len()), None);
    }
}

fn target(exposure: i64, limit: Option<i64>, plan: &[u8]) -> Vec<u8> {
    let mut body = vec![2];
    body.extend(exposure.to_le_bytes());
    body.extend(limit.unwrap_or(i64::MIN).to_le_bytes());
    body.extend(plan);
    if plan.first() == Some(&1) {
        for number in [50_000, i64::MIN, i64::MIN, i64::MIN] {
            body.extend(number.to_le_bytes());
        }
        body.extend([0, 0]);
    }
    body.extend([2, 0, b'o', b'k']);
    body.extend(u32::MAX.to_le_bytes());
    body
}

#[test]
fn a_decision_is_read_with_its_plan() {
    let answer = Answer::decode(&target(500_000, Some(12_345), &[1, 1]), &spot()).unwrap();
    let Decision::Target(target) = answer.decision else {
        panic!("{:?}", answer.decision);
    };
    assert_eq!(
        (target.exposure, target.limit),
        (Ppm(500_000), Some(Price(12_345)))
    );
    assert_eq!(target.exit.unwrap().stop, Stop::Distance(Ppm(50_000)));
    assert_eq!(
        (target.reason.to_string(), answer.state),
        ("ok".to_owned(), None)
    );
}

#[test]
fn a_moved_stop_is_read() {
    let moved = |price: i64| {
        let mut body = vec![3];
        body.extend(price.to_le_bytes());
        body.extend([2, 0, b'o', b'k']);
        body.extend(u32::MAX.to_le_bytes());
        Answer::decode(&body, &spot()).map(|answer| answer.decision)
    };
    let wanted = Decision::MoveStop {
        stop: Price(12_345),
        reason: tradewind_model::Reason::Text("ok".into()),
    };
    assert_eq!(moved(12_345).unwrap(), wanted);
    assert!(
        moved(0)
            .unwrap_err()
            .to_string()
            .contains("a stop moved to 0")
    );
}

#[test]
fn what_is_out_of_range_is_refused() {
    let refused = |body: &[u8], wanted: &str| {
        let error = Answer::decode(body, &spot()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    };
    refused(
        &target(1_000_001, None, &[0]),
        "an exposure of 1000001 millionths",
    );
    refused(&target(1, Some(0), &[0]), "a limit that is not above 0");
    refused(&[9], "a decision of kind 9");
    refused(&[0, 0, 0], "it ends too early");
    let mut longer = target(0, None, &[0]);
    longer.push(0);
    refused(&longer, "1 bytes too many");
    // A count of rows that the frame cannot hold allocates nothing.
    let table = Table::decode(&[255, 255, 255, 255, 1, 0, 0, 0, 0], &spot());
    assert!(table.unwrap_err().to_string().contains("too early"));
    let long = u32::try_from(FRAME_MAX).unwrap() + 1;
    assert!(Frame::decode(&long.to_le_bytes()).is_err());
    assert!(
        Frame::decode(&[8, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]).is_err(),
        "another version"
    );
}
