//! Cursors and answers of long-polled HTTP.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::checks::{has, live, waits};
use crate::servers::Dialect;
use crate::world::{HEARTBEAT, World};

fn answer(body: &[u8], fields: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

fn quote(bid: u32) -> String {
    format!(r#"<quote symbol="A" bid="{bid}" ask="100" bid_size="1" ask_size="1"/>"#)
}

/// A live source whose next poll, behind cursor 2, gets `body`.
fn answered(body: &str) -> World {
    let mut world = live(Dialect::Http);
    world.send_bytes(&answer(body.as_bytes(), ""));
    world
}

#[test]
fn an_answer_behind_a_later_cursor_is_a_gap_and_is_taken() {
    let mut world = answered(&format!(r#"<feed from="5" next="6">{}</feed>"#, quote(7)));
    assert_eq!(
        world.lines(),
        [
            "0 Gap: messages are missing",
            "1 Gap: messages are missing",
            "0 Live: data",
            "quote 0 700"
        ]
    );
    assert!(world.stop());
}

#[test]
fn an_answer_that_was_there_before_is_passed_over_until_it_is_sure_that_cursors_begin_anew() {
    let repeated = format!(r#"<feed from="0" next="2">{}</feed>"#, quote(7));
    let mut world = answered(&repeated);
    for _ in 0..2 {
        assert!(!has(&world.lines(), "quote"));
        world.pass(HEARTBEAT);
        world.send_bytes(&answer(repeated.as_bytes(), ""));
    }
    world.pass(HEARTBEAT);
    let anew = format!(r#"<feed from="0" next="1">{}</feed>"#, quote(8));
    world.send_bytes(&answer(anew.as_bytes(), ""));
    let lines = world.lines();
    assert!(
        has(&lines, "0 Gap") && has(&lines, "quote 0 800"),
        "{lines:?}"
    );
    assert_eq!(waits(&world).len(), 0);
}

#[test]
fn messages_that_more_follow_are_of_the_past() {
    let more = |next, bid| format!(r#"<feed next="{next}" more="true">{}</feed>"#, quote(bid));
    let mut world = answered(&more(3, 7));
    let lines = world.lines();
    assert!(
        has(&lines, "0 Resync") && has(&lines, "quote 0 700"),
        "{lines:?}"
    );
    assert!(!has(&lines, "Live"), "{lines:?}");
    let last = format!(r#"<feed next="4">{}</feed>"#, quote(8));
    world.send_bytes(&answer(last.as_bytes(), ""));
    assert!(has(&world.lines(), "0 Live"));
    // The same on a first connection, which has no cursor.
    let mut world = World::new(Dialect::Http);
    world.publisher.is_silent = true;
    world.settle();
    world.send_bytes(&answer(more(3, 7).as_bytes(), ""));
    let lines = world.lines();
    assert!(
        has(&lines, "quote 0 700") && !has(&lines, "Live"),
        "{lines:?}"
    );
}

#[test]
fn an_answer_that_can_never_be_read_is_passed_over_after_three_times() {
    let mut world = live(Dialect::Http);
    for _ in 0..3 {
        assert!(!has(&world.lines(), "Gap"));
        world.send_bytes(&answer(b"<feed next=\"9\">\xff</feed>", ""));
        world.settle();
        if world.open() == 0 {
            let lines = world.lines();
            let is_third = has(&lines, "Gap");
            world.pass(Duration::from_secs(8));
            if is_third {
                break;
            }
        }
    }
    // It reads what comes, without the cursor.
    world.publisher.quote("A", 300);
    world.pass(Duration::from_secs(1));
    assert!(has(&world.lines(), "quote 0 300"));
    assert_eq!(waits(&world).len(), 3);
}

#[test]
fn a_request_that_is_to_be_confirmed_does_not_wait() {
    let mut world = World::new(Dialect::Http);
    world.pass(Duration::from_millis(10));
    world.cut();
    world.publisher.waits.clear();
    world.pass(Duration::from_secs(3));
    // A quiet feed with a cursor: the first answer comes at once, and the next one after its time.
    assert_eq!(world.publisher.waits[0], 0, "{:?}", world.publisher.waits);
    assert!(world.publisher.waits[1..].iter().all(|wait| *wait == 2_500));
}

#[test]
fn a_cursor_that_is_not_kept_any_more_is_a_gap_and_reading_begins_with_what_comes() {
    let mut world = live(Dialect::Http);
    world.cut();
    world.publisher.trade("A", 1);
    world.publisher.trade("A", 2);
    world.publisher.forgotten = 3;
    world.pass(Duration::from_secs(3) + HEARTBEAT);
    let lines = world.lines();
    assert!(has(&lines, "0 Gap") && !has(&lines, "trade"), "{lines:?}");
    world.publisher.trade("A", 3);
    world.pass(Duration::from_secs(1));
    assert!(has(&world.lines(), "trade 0 3"));
}

#[test]
fn answers_that_lead_nowhere_end_the_connection_with_a_clear_word() {
    let bomb = {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut gzip, &vec![b' '; 8 << 20]).unwrap();
        gzip.finish().unwrap()
    };
    let moving = format!(r#"<feed next="2">{}</feed>"#, quote(7));
    let long = format!(r#"<feed next="{}"/>"#, "9".repeat(257));
    let entity =
        r#"<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><feed next="3">&a;</feed>"#;
    for (sent, wanted) in [
        (
            answer(moving.as_bytes(), ""),
            "the cursor is the same as before",
        ),
        (answer(b"<feed/>", ""), "next cursor is \"\""),
        (
            answer(b"<feed next=\"a b\"/>", ""),
            "next cursor is \"a b\"",
        ),
        (answer(long.as_bytes(), ""), "next cursor is"),
        (answer(entity.as_bytes(), ""), "no XML document"),
        (answer(b"<feed next=\"3\">", ""), "no XML document"),
        (
            answer(b"<feed next=\"3\">\xff</feed>", ""),
            "no XML document",
        ),
        (answer(b"{}", ""), "no XML document"),
        (
            answer(b"<feed next=\"2.1\"/>", "connection: close\r\n"),
            "it must keep them",
        ),
        (
            answer(&bomb, "content-encoding: gzip\r\n"),
            "too long when it is unpacked",
        ),
        (answer(b"<feed/>", "content-encoding: gzip\r\n"), "no gzip"),
        (
            answer(b"<feed/>", "content-encoding: br\r\n"),
            "an encoding that was not requested",
        ),
        (
            b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "HTTP status 503",
        ),
        (
            b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "HTTP status 302",
        ),
    ] {
        let mut world = live(Dialect::Http);
        world.send_bytes(&sent);
        let lines = world.lines();
        assert!(
            has(&lines, wanted) && !has(&lines, "quote"),
            "{wanted}: {lines:?}"
        );
        // It comes back behind the last good cursor.
        world.pass(Duration::from_secs(3));
        world.publisher.quote("A", 300);
        world.pass(Duration::from_secs(1));
        assert!(has(&world.lines(), "quote 0 300"), "{wanted}");
    }
}

#[test]
fn a_server_that_does_not_wait_is_polled_with_the_heartbeat() {
    let mut world = live(Dialect::Http);
    world.publisher.hurries = true;
    world.pass(Duration::from_secs(10));
    let before = world.publisher.polls;
    world.pass(10 * HEARTBEAT);
    let polls = world.publisher.polls - before;
    assert!((10..=21).contains(&polls), "{polls}");
    assert_eq!(waits(&world).len(), 0);
    world.publisher.quote("A", 300);
    world.pass(HEARTBEAT);
    assert!(has(&world.lines(), "quote 0 300"));
}
