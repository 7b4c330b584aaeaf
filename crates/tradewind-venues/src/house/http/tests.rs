//! What becomes of a cursor of an earlier run.

use std::sync::Arc;

use super::*;
use crate::address::Scheme;
use crate::house::mapping::Mapping;
use crate::house::payloads::Reader;
use crate::house::progress::Progress;
use crate::house::redis::KeptPositions;
use crate::house::symbols::HouseSymbols;

fn polling(positions: &Positions) -> HttpProtocol {
    let symbols = Arc::new(HouseSymbols::new([]).unwrap());
    let reader = Arc::new(Reader::new(Mapping::default(), symbols));
    HttpProtocol::new(
        Address::parse("http://127.0.0.1:1/feed", Scheme::Http).unwrap(),
        None,
        Duration::from_secs(1),
        Payloads::new(reader, Progress::default()),
        positions.clone(),
    )
}

fn kept(cursor: &str) -> KeptPositions {
    let before = Positions::default();
    before.set(CURSOR, cursor);
    before.kept()
}

/// The request that is sent, and how many gaps the answer to it announces.
fn polled(protocol: &mut HttpProtocol, answer: &str) -> (String, usize) {
    let (mut out, mut gaps) = (Vec::new(), 0);
    protocol.subscribe(1, &[], &mut out);
    let mut on = |said| gaps += usize::from(matches!(said, Incoming::Gap { .. }));
    let answer = answer.as_bytes();
    let used = protocol.receive(answer, Timestamp::EPOCH, &mut Vec::new(), &mut on);
    assert_eq!(used.unwrap(), answer.len());
    let request = String::from_utf8(out).unwrap();
    let target = request.split(' ').nth(1).unwrap_or_default();
    (target.to_owned(), gaps)
}

fn refusal(status: u16) -> String {
    format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n")
}

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n<feed next=\"12\"/>";

#[test]
fn a_cursor_of_the_last_run_is_read_on_from_or_is_a_gap() {
    let positions = Positions::from(kept("7"));
    let mut protocol = polling(&positions);
    let (target, gaps) = polled(&mut protocol, &refusal(403));
    assert_eq!((target.as_str(), gaps), ("/feed?wait=0&cursor=7", 0));
    let mut protocol = polling(&positions);
    let (target, gaps) = polled(&mut protocol, EMPTY);
    assert_eq!((target.as_str(), gaps), ("/feed?wait=0&cursor=7", 0));
    assert_eq!(positions.get(CURSOR).as_deref(), Some("12"));
    // One of this run is no reason to give up what lies behind it.
    let (_, gaps) = polled(&mut polling(&positions), &refusal(404));
    assert_eq!((positions.get(CURSOR).as_deref(), gaps), (Some("12"), 0));

    for status in [400, 404, 410, 422] {
        let positions = Positions::from(kept("7"));
        let mut protocol = polling(&positions);
        assert_eq!(polled(&mut protocol, &refusal(status)).1, 1, "{status}");
        let (target, gaps) = polled(&mut protocol, EMPTY);
        assert_eq!((target.as_str(), gaps), ("/feed?wait=0", 0));
    }
}

#[test]
fn a_cursor_that_is_too_old_is_a_gap_with_the_first_answer() {
    let positions = Positions::from(kept("7").skip());
    let mut protocol = polling(&positions);
    let (target, gaps) = polled(&mut protocol, EMPTY);
    assert_eq!((target.as_str(), gaps), ("/feed?wait=0", 1));
    let (_, gaps) = polled(&mut polling(&Positions::default()), EMPTY);
    assert_eq!(gaps, 0, "a feed that was never read");
}
