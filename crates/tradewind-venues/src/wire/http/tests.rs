//! Responses as servers write them, whole and in pieces.

use super::*;
use crate::wire::Buffers;
use proptest::prelude::*;

const BODY_MAX: usize = 1_000;

const GET: Request<'_> = Request {
    method: Method::Get,
    target: "/",
    host: "venue",
    fields: &[],
    body: b"",
};

fn asking() -> HttpConnection {
    let mut connection = HttpConnection::new(BODY_MAX);
    connection.send(&GET, &mut Vec::new()).unwrap();
    connection
}

/// Status, body, and whether the connection can be used again.
type Outcome<T> = Result<(u16, T, bool), HttpError>;

/// What becomes of one request when the answer comes in these pieces and the connection then ends.
fn outcome(pieces: &[&[u8]]) -> Outcome<String> {
    let mut connection = asking();
    let mut buffers = Buffers::default();
    for piece in pieces {
        buffers.fill(piece);
        let received = connection.receive(buffers.input())?;
        buffers.used(received.used);
        if let Some(response) = received.response {
            return Ok(parts(&response, connection.is_reusable()));
        }
    }
    let response = connection.ended()?;
    Ok(parts(&response, connection.is_reusable()))
}

fn parts(response: &Response, reusable: bool) -> (u16, String, bool) {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    (response.status, body, reusable)
}

#[test]
fn a_request_is_written_as_the_standard_asks_and_none_smuggles_a_second() {
    let request = Request {
        method: Method::Post,
        target: "/api/v3/order?x=1",
        host: "venue:9000",
        fields: &[("x-key", "the key")],
        body: b"a=1&b=2",
    };
    let mut out = Vec::new();
    HttpConnection::new(0).send(&request, &mut out).unwrap();
    let wanted = "POST /api/v3/order?x=1 HTTP/1.1\r\nhost: venue:9000\r\nx-key: the key\r\ncontent-length: 7\r\n\r\na=1&b=2";
    assert_eq!(String::from_utf8(out).unwrap(), wanted);

    let split = [("x-key", "a\r\nb: c")];
    for bad in [
        Request {
            target: "/a b",
            ..request
        },
        Request {
            target: "http://elsewhere/",
            ..request
        },
        Request {
            host: "venue\r\nx: y",
            ..request
        },
        Request {
            fields: &split,
            ..request
        },
    ] {
        let mut out = Vec::new();
        let sent = HttpConnection::new(0).send(&bad, &mut out);
        assert_eq!(
            (sent, out.len()),
            (Err(HttpError::Unsendable), 0),
            "{bad:?}"
        );
    }
}

#[rustfmt::skip] // one answer a row
fn answers() -> Vec<(&'static str, Outcome<&'static str>)> {
    vec![
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Ok((200, "hello", true))),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Ok((200, "", true))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", Ok((200, "hello", false))),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na", Ok((200, "a", false))),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", Ok((200, "a", false))),
        ("HTTP/1.1 204 No\r\n\r\n", Ok((204, "", true))),
        ("HTTP/1.1 304 No\r\nContent-Length: 10\r\n\r\n", Ok((304, "", true))),
        ("HTTP/1.1 200\r\n\r\nto the end", Ok((200, "to the end", false))),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 400 B\r\nContent-Length: 2\r\n\r\n{}", Ok((400, "{}", true))),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\n\r\n", Ok((200, "hello, world", true))),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n", Ok((200, "a", true))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Ok((200, "abc", true))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", Err(HttpError::Malformed)),
        ("HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", Err(HttpError::Malformed)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Err(HttpError::Closed)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", Err(HttpError::TooLong)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", Err(HttpError::TooLong)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Err(HttpError::Malformed)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", Err(HttpError::TooLong)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Err(HttpError::Malformed)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", Err(HttpError::Malformed)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", Err(HttpError::Closed)),
        // What limits requests is known by its head.
        ("HTTP/1.1 418 I'm a teapot\r\nRetry-After: 5\r\nContent-Length: 3\r\n\r\nab", Ok((418, "ab", false))),
        ("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 3\r\n\r\n", Ok((429, "", false))),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Err(HttpError::Encoded)),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", Err(HttpError::Encoded)),
        ("HTTP/1.1 200 OK\r\nBroken\r\n\r\n", Err(HttpError::Malformed)),
        ("SSH-2.0\r\n", Err(HttpError::Malformed)),
        ("", Err(HttpError::Closed)),
    ]
}

#[test]
fn each_answer_means_what_the_standard_says_wherever_it_is_split() {
    for (text, wanted) in answers() {
        let wanted = wanted.map(|(status, body, reusable)| (status, body.to_owned(), reusable));
        assert_eq!(outcome(&[text.as_bytes()]), wanted, "{text:?}");
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(outcome(&[head, tail]), wanted, "{text:?} at {at}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(outcome(&bytes), wanted, "{text:?} byte by byte");
    }
}

#[test]
fn heads_and_lines_and_interim_answers_have_an_end() {
    let endless = |text: &str, repeated: &str| {
        let mut bytes = text.to_owned();
        bytes.extend(std::iter::repeat_n(repeated, 200_000 / repeated.len()));
        let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(7_777).collect();
        assert!(outcome(&pieces).is_err(), "{text}");
        outcome(&pieces).unwrap_err()
    };
    assert_eq!(endless("HTTP/1.1 200 OK\r\nx: ", "y"), HttpError::TooLong);
    assert_eq!(
        endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        HttpError::TooLong
    );
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(endless(&format!("{chunked}1;"), "x"), HttpError::TooLong);
    assert_eq!(endless(&format!("{chunked}0\r\n"), "x"), HttpError::TooLong);
    assert_eq!(endless("", "HTTP/1.1 100 C\r\n\r\n"), HttpError::Malformed);
    assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", "x"), HttpError::TooLong);
}

#[test]
fn a_connection_serves_again_but_not_after_unrequested_bytes() {
    let mut connection = asking();
    let answer = b"HTTP/1.1 200 OK\r\nX-Used: 7\r\nContent-Length: 1\r\n\r\naHTTP";
    let received = connection.receive(answer).unwrap();
    assert_eq!(received.used, answer.len() - 4);
    let response = received.response.unwrap();
    assert_eq!(
        (response.field("x-used"), response.field("y")),
        (Some("7"), None)
    );
    assert!(connection.is_reusable());
    assert_eq!(connection.receive(b""), Ok(Received::default()));
    assert_eq!(connection.send(&GET, &mut Vec::new()), Ok(()));
    let busy = connection.send(&GET, &mut Vec::new());
    assert_eq!(busy, Err(HttpError::Busy));
    let again = b"HTTP/1.1 204 No\r\n\r\n";
    assert_eq!(connection.receive(again).unwrap().used, again.len());
    let request = Request {
        method: Method::Get,
        target: "/",
        host: "venue",
        fields: &[],
        body: b"",
    };
    assert_eq!(connection.send(&request, &mut Vec::new()), Ok(()));
    assert_eq!(
        connection.send(&request, &mut Vec::new()),
        Err(HttpError::Busy)
    );
    let again = b"HTTP/1.1 204 No\r\n\r\n";
    assert_eq!(connection.receive(again).unwrap().used, again.len());
    assert_eq!(connection.receive(b"HTTP"), Err(HttpError::Unasked));
    assert!(!connection.is_reusable());
}

/// Pieces of the given lengths, the last one whatever is left.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #[test]
    fn any_split_of_any_broken_answer_gives_the_same_outcome(
        row in 0..answers().len(),
        breaks in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        lengths in proptest::collection::vec(0_usize..40, 0..20),
    ) {
        let mut bytes = answers()[row].0.as_bytes().to_vec();
        for (at, byte) in breaks {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        prop_assert_eq!(outcome(&[&bytes]), outcome(&cut(&bytes, &lengths)));
    }
}
