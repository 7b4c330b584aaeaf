//! What a server says before the login is not repeated in full.

use super::*;
use crate::address::Scheme;
use crate::house::mapping::Mapping;
use crate::house::symbols::HouseSymbols;

/// A connection with a password that has sent its login.
fn logging_in() -> RedisProtocol {
    reading(Positions::default())
}

fn reading(positions: Positions) -> RedisProtocol {
    let symbols = Arc::new(HouseSymbols::new([]).unwrap());
    let redis = Redis {
        user: None,
        sentinel: None,
        reads: RedisUse::Streams(vec!["prices".to_owned()]),
    };
    let mut protocol = RedisProtocol::new(
        Address::parse("redis://127.0.0.1", Scheme::Redis).unwrap(),
        (Arc::new(redis), Some(SecretString::from("a-secret"))),
        Duration::from_secs(1),
        Arc::new(Reader::new(Mapping::default(), symbols)),
        (Progress::default(), positions),
        None,
    );
    protocol.start(0, &mut Vec::new());
    protocol
}

#[test]
fn a_password_is_not_repeated_in_the_words_of_a_server_that_does_not_know_the_login() {
    for (words, wanted) in [
        (
            "ERR unknown command 'HELLO', with args beginning with: '2' 'AUTH' 'default' 'a-secret'",
            "ERR",
        ),
        ("WRONGPASS invalid username-password pair", "WRONGPASS"),
        ("a-secret", "an error"),
    ] {
        let bytes = format!("-{words}\r\n");
        let now = Timestamp::from_nanos(0);
        let refused = logging_in().receive(bytes.as_bytes(), now, &mut Vec::new(), &mut |_| {});
        let said = refused.unwrap_err().0;
        assert_eq!(said, format!("Redis refused the login: {wanted}"));
    }
}

/// Gaps that `replies` to the search for the positions announce, and the commands that are sent at the last.
fn found(positions: &Positions, replies: &[&str]) -> (usize, String) {
    let mut protocol = reading(positions.clone());
    let (mut gaps, mut out) = (0, Vec::new());
    let hello = "*2\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n";
    for (number, reply) in std::iter::once(&hello).chain(replies).enumerate() {
        out.clear();
        let mut on = |said| gaps += usize::from(matches!(said, Incoming::Gap { .. }));
        let used = protocol.receive(reply.as_bytes(), Timestamp::EPOCH, &mut out, &mut on);
        assert_eq!(used.unwrap(), reply.len());
        if number == 0 {
            protocol.subscribe(1, &[], &mut out);
        }
    }
    (gaps, String::from_utf8(out).unwrap())
}

fn at(id: &str) -> Positions {
    let positions = Positions::default();
    positions.set("prices", id);
    positions
}

const NONE: &str = "*0\r\n";

fn entry(id: &str) -> String {
    let length = id.len();
    format!("*1\r\n*2\r\n${length}\r\n{id}\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n")
}

/// Deleted and written again, a clock set back, a restored backup.
#[test]
fn a_stream_that_was_written_anew_with_lower_ids_is_read_from_its_last_entry_on() {
    let check = |newest: &str, begins: &str| {
        let positions = at("100-7");
        let (gaps, sent) = found(&positions, &[NONE, newest]);
        assert_eq!(gaps, 1, "{newest}");
        assert!(sent.contains("XREAD"), "{sent}");
        assert_eq!(positions.get("prices").as_deref(), Some(begins));
    };
    check(&entry("99-3"), "99-3");
    check(&entry("100-6"), "100-6");
    check(&entry("100-7"), "100-7");
    check(&entry("1000-0"), "100-7");
    check(NONE, "0-0");
    // What is there yet needs no second look.
    let positions = at("100-7");
    let (gaps, sent) = found(&positions, &[&entry("100-7")]);
    assert!(gaps == 0 && sent.contains("XREAD"), "{sent}");
}

#[test]
fn positions_that_are_too_old_are_a_gap_before_what_comes_is_read() {
    let kept = at("100-7").kept();
    // Nor does an end before it is announced keep it back.
    let positions = Positions::from(Positions::from(kept.skip()).kept());
    let (gaps, sent) = found(&positions, &[&entry("999-0")]);
    assert!(gaps == 1 && sent.contains("XREAD"), "{sent}");
    assert_eq!(positions.get("prices").as_deref(), Some("999-0"));
    let (gaps, _) = found(&positions, &[&entry("999-0")]);
    assert_eq!(gaps, 0, "it is announced once");
    let (gaps, _) = found(&Positions::default(), &[&entry("999-0")]);
    assert_eq!(gaps, 0, "a stream that was never read");
}
