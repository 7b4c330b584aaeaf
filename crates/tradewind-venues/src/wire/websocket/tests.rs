//! Frames as a server writes them, whole, split and broken.

use super::*;
use crate::address::Scheme;
use crate::wire::Buffers;
use proptest::prelude::*;

fn address() -> Address {
    Address::parse("ws://127.0.0.1:9000/base", Scheme::WebSocket).unwrap()
}

/// A connection behind its handshake.
fn open() -> WebSocket {
    let (mut socket, mut out) = (WebSocket::new(&address(), ""), Vec::new());
    socket.start(7, &mut out);
    let answer = answer(&out);
    let opened = socket.receive(answer.as_bytes(), &mut out);
    assert_eq!(opened, Ok((answer.len(), Received::Opened)));
    socket
}

fn answer(request: &[u8]) -> String {
    let request = std::str::from_utf8(request).unwrap();
    let (_, key) = request.split_once("Sec-WebSocket-Key: ").unwrap();
    let accept = derive_accept_key(key.trim().as_bytes());
    format!(
        "HTTP/1.1 101 Switching\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(u8::try_from(short).unwrap()),
        longer @ 126..65_536 => {
            frame.push(126);
            frame.extend(u16::try_from(longer).unwrap().to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// What is received of these pieces, in words, and what is answered; the error last, if there is one.
fn receive_all(pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
    let (mut socket, mut buffers) = (open(), Buffers::default());
    let (mut words, mut out) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffers.fill(piece);
        loop {
            match socket.receive(buffers.input(), &mut out) {
                Ok((0, _)) => break,
                Ok((used, received)) => {
                    match received {
                        Received::Text(text) => {
                            words.push(String::from_utf8_lossy(text).into_owned())
                        }
                        Received::Nothing => {}
                        other => words.push(format!("{other:?}")),
                    }
                    buffers.used(used);
                }
                Err(error) => {
                    words.push(error.to_string());
                    return (words, out);
                }
            }
        }
    }
    (words, out)
}

fn words(pieces: &[&[u8]]) -> Vec<String> {
    receive_all(pieces).0
}

#[test]
fn the_handshake_asks_for_the_path_and_takes_no_other_answer() {
    let (mut socket, mut out) = (WebSocket::new(&address(), "/stream"), Vec::new());
    socket.start(7, &mut out);
    let request = String::from_utf8(out.clone()).unwrap();
    assert!(request.starts_with("GET /base/stream HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n"));
    let good = answer(&out);
    for (bad, why) in [
        (good.replace("101 Switching", "403 Forbidden"), "status 403"),
        (good.replace("Accept: ", "Accept: x"), "something else"),
        (good.replace("upgrade: WebSocket\r\n", ""), "something else"),
        (good.replace("Upgrade\r\n", "close\r\n"), "something else"),
        (
            good.replace("upgrade:", "Sec-WebSocket-Extensions: x\r\nupgrade:"),
            "something else",
        ),
        ("nonsense\r\n\r\n".to_owned(), "not HTTP"),
    ] {
        let mut socket = socket.clone();
        let error = socket.receive(bad.as_bytes(), &mut out).unwrap_err();
        assert!(error.0.contains(why), "{bad}: {error}");
    }
    let (head, tail) = good.as_bytes().split_at(good.len() - 1);
    assert_eq!(socket.receive(head, &mut out), Ok((0, Received::Nothing)));
    let whole = [head, tail, b"\x81\x01a"].concat();
    assert_eq!(
        socket.receive(&whole, &mut out),
        Ok((good.len(), Received::Opened))
    );

    let (mut other, mut second) = (WebSocket::new(&address(), "/stream"), Vec::new());
    other.start(8, &mut second);
    assert_ne!(
        second,
        request.into_bytes(),
        "each connection has a key of its own"
    );
}

#[test]
fn what_is_sent_is_masked_and_reads_back() {
    let mut socket = open();
    let mut out = Vec::new();
    let long = "x".repeat(70_000);
    for text in ["", "hello", &long] {
        socket.send(text, &mut out);
    }
    socket.ping(&mut out);
    socket.close(&mut out);
    let mut cursor = Cursor::new(out.as_slice());
    let mut payloads = Vec::new();
    while let Some((header, length)) = FrameHeader::parse(&mut cursor).unwrap() {
        let mask = header.mask.expect("a client masks");
        let start = usize::try_from(cursor.position()).unwrap();
        let end = start + usize::try_from(length).unwrap();
        let unmasked = out[start..end]
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask);
        payloads.push((u8::from(header.opcode), unmasked.collect::<Vec<u8>>()));
        cursor.set_position(end as u64);
    }
    let wanted = [
        (1, Vec::new()),
        (1, b"hello".to_vec()),
        (1, long.into_bytes()),
        (9, Vec::new()),
        (8, vec![3, 232]),
    ];
    assert_eq!(payloads, wanted);
}

#[test]
fn frames_become_messages() {
    let long = "y".repeat(70_000);
    let bytes = [
        frame(0x81, b"one"),
        frame(0x01, b"t"),
        frame(0x89, b"ping"),
        frame(0x00, b"w"),
        frame(0x80, b"o"),
        frame(0x82, b"\xff"),
        frame(0x8a, b""),
        frame(0x81, long.as_bytes()),
        frame(0x01, b"\xc3"),
        frame(0x80, b"\xa9"),
    ]
    .concat();
    let wanted = ["one", "Other", "two", "Other", "Pong", long.as_str(), "é"];
    let (got, answers) = receive_all(&[&bytes]);
    assert_eq!(got, wanted);
    assert_eq!(
        (answers[0], answers[1], answers.len()),
        (0x8a, 0x84, 10),
        "one masked pong"
    );
}

#[test]
fn what_the_standard_forbids_ends_the_connection() {
    let check = |bytes: &[u8], why: &str| {
        let got = words(&[bytes]);
        assert!(
            got.last().is_some_and(|word| word.contains(why)),
            "{bytes:?}: {got:?}"
        );
    };
    check(&frame(0x81, b"\xff"), "UTF-8");
    check(&[frame(0x01, b"\xc3"), frame(0x80, b"x")].concat(), "UTF-8");
    check(&frame(0xc1, b"x"), "reserved");
    check(&[0x81, 0x81, 0, 0, 0, 0, b'x'], "mask");
    check(&frame(0x80, b"x"), "continuation");
    check(&[frame(0x01, b"x"), frame(0x81, b"y")].concat(), "within");
    check(&frame(0x09, b""), "control");
    check(&frame(0x89, &[0; 126]), "control");
    check(&[0x83, 0], "opcode");
    check(&[0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 1], "too long");
    check(
        &[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255],
        "too long",
    );
    let parts = [frame(0x01, &[b'x'; 1024 * 1024]), frame(0x80, b"y")].concat();
    check(&parts, "too long");
    check(
        &frame(0x88, b"\x03\xe9going away"),
        "closed by the venue: 1001 going away",
    );
    check(&frame(0x88, b""), "closed by the venue");
}

fn valid_or_broken() -> impl Strategy<Value = Vec<u8>> {
    let payload =
        proptest::collection::vec(prop_oneof![9 => b'a'..=b'z', 1 => any::<u8>()], 0..200);
    let first = prop_oneof![
        6 => Just(0x81_u8), 2 => Just(0x01), 2 => Just(0x00), 2 => Just(0x80), 1 => Just(0x89), 1 => Just(0x8a), 1 => any::<u8>()
    ];
    let frames = (first, payload).prop_map(|(first, payload)| frame(first, &payload));
    proptest::collection::vec(frames, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_gives_the_same_messages_and_answers(
        bytes in valid_or_broken(),
        lengths in proptest::collection::vec(0_usize..60, 0..20),
    ) {
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for length in lengths {
            let (piece, tail) = rest.split_at(length.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        prop_assert_eq!(receive_all(&[&bytes]), receive_all(&pieces));
    }
}
