//! Lines of captures: read, played, and refused with a reason.

use super::*;
use tradewind_model::VenueId;

const LINES: [&str; 4] = [
    r#"1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":12,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    r#"1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
    r#"1723161254100000000 {"lastUpdateId":11,"bids":[["61837.63000000","1.00000000"]],"asks":[["61838.00000000","2.00000000"]]}"#,
    r#"1723161254137307667 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":12,"u":13,"b":[["61837.63000000","3.00000000"]],"a":[]}}"#,
];

#[test]
fn a_capture_is_surveyed_and_played_in_the_venues_time() {
    let mut survey = CaptureSurvey::default();
    LINES.iter().for_each(|line| survey.read(line).unwrap());
    let found = survey.symbols["BTCUSDT"];
    assert_eq!(
        (
            found.price_decimals,
            found.quantity_decimals,
            found.quotes,
            found.trades,
            found.diffs
        ),
        (2, 5, 1, 1, 1)
    );

    let bitcoin = crate::universe("simx", VenueId(0)).instruments.remove(0);
    let instruments = BTreeMap::from([("BTCUSDT".to_owned(), bitcoin)]);
    let mut player = CapturePlayer::new(instruments, survey.ahead_nanos.unwrap());
    LINES.iter().for_each(|line| player.feed(line).unwrap());
    player.end();
    let records: Vec<_> = std::iter::from_fn(|| player.next_record()).collect();
    let MarketRecord::Trade(trade) = &records[0].1 else {
        panic!("{records:?}")
    };
    assert_eq!(
        (trade.price, trade.quantity, trade.taker),
        (Price(6_183_763), Quantity(2_000), Side::Sell)
    );
    assert_eq!(records[0].0, Timestamp::from_millis(1_723_161_255_342));
    assert!(matches!(records[1].1, MarketRecord::Quote(_)));
    let MarketRecord::Levels(depth) = &records[2].1 else {
        panic!("{records:?}")
    };
    assert_eq!(
        (depth.bids[0].quantity, depth.asks[0].price),
        (Quantity(300_000), Price(6_183_800))
    );
}

#[test]
fn a_bad_line_says_what_is_wrong_with_it() {
    let check = |line: &str, wanted: &str| {
        assert_eq!(
            CaptureSurvey::default().read(line).unwrap_err().to_string(),
            wanted
        );
    };
    check(
        "nonsense",
        "a capture's line is nanoseconds, a space and a frame",
    );
    check("x {}", "\"x\" is no time in nanoseconds");
    check("1 {}", "the frame has no text \"stream\"");
    check(
        r#"1 {"stream":"a@trade","data":{"s":"A"}}"#,
        "the frame has no text \"p\"",
    );
}

#[test]
fn the_best_levels_of_a_stream_are_a_book_and_a_recorders_own_lines_are_passed_over() {
    let lines = [
        r#"1723161254000000000 {"stream":"tradewind@lost","data":{"frames":3,"from":1,"to":2}}"#,
        r#"1723161254100000000 {"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":11,"bids":[["61837.63000000","1.00000000"]],"asks":[["61838.00000000","2.50000000"]]}}"#,
    ];
    let mut survey = CaptureSurvey::default();
    lines.iter().for_each(|line| survey.read(line).unwrap());
    let found = survey.symbols["BTCUSDT"];
    assert_eq!(
        (found.price_decimals, found.quantity_decimals, found.tops),
        (2, 1, 1)
    );
    let bitcoin = crate::universe("simx", VenueId(0)).instruments.remove(0);
    let mut player = CapturePlayer::new(BTreeMap::from([("BTCUSDT".to_owned(), bitcoin)]), 0);
    lines.iter().for_each(|line| player.feed(line).unwrap());
    player.end();
    let Some((_, MarketRecord::Levels(depth))) = player.next_record() else {
        panic!("no levels");
    };
    assert_eq!(
        (depth.bids[0].price, depth.asks[0].quantity),
        (Price(6_183_763), Quantity(250_000))
    );
}
