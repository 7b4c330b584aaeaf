//! RESP2 as a machine over bytes: commands out, replies in. Source: redis.io/docs/latest/develop/reference/protocol-spec, 2026-11-29.
//!
//! A library would bring a parser generator and a buffer type for what is a page here, and would copy what it reads.

use crate::protocol::ProtocolError;

/// Longest text of a reply that is taken. A longer one is skipped, so that what follows it is read.
const BULK_BYTES_MAX: usize = 1024 * 1024;
/// Longest reply in all.
const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest line: of a status, an error, a number.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Most items of a list, and how deep lists may lie in lists.
const ITEMS_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;

/// A reply. It borrows its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    Status(&'a [u8]),
    Error(&'a [u8]),
    Number(i64),
    Text(&'a [u8]),
    /// A text that is longer than any of use; it was skipped.
    TooLong,
    Nothing,
    List(Vec<Self>),
}

impl<'a> Reply<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) | Self::Status(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Error(_) | Self::Number(_) | Self::TooLong | Self::Nothing | Self::List(_) => {
                None
            }
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

/// Appends a command.
pub(super) fn command(words: &[&str], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// The first reply of `bytes` and its length, if it is whole.
///
/// # Errors
/// The bytes are not RESP2, or more than any reply of use.
pub(super) fn reply(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, ProtocolError> {
    let mut reader = Reader { bytes, at: 0 };
    match reader.reply(0) {
        Ok(reply) => Ok(Some((reply, reader.at))),
        Err(Stop::Partial) if bytes.len() > REPLY_BYTES_MAX => {
            Err(broken("a reply that is too long"))
        }
        Err(Stop::Partial) => Ok(None),
        Err(Stop::Broken(what)) => Err(broken(what)),
    }
}

fn broken(what: &str) -> ProtocolError {
    ProtocolError(format!("Redis protocol broken: {what}"))
}

enum Stop {
    /// More bytes are needed.
    Partial,
    Broken(&'static str),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, depth: usize) -> Result<Reply<'a>, Stop> {
        let line = self.line()?;
        let (kind, rest) = line.split_first().ok_or(Stop::Broken("an empty line"))?;
        match kind {
            b'+' => Ok(Reply::Status(rest)),
            b'-' => Ok(Reply::Error(rest)),
            b':' => number(rest).map(Reply::Number),
            b'$' => match length(rest, REPLY_BYTES_MAX)? {
                None => Ok(Reply::Nothing),
                Some(length) if length > BULK_BYTES_MAX => {
                    self.bulk(length).map(|_| Reply::TooLong)
                }
                Some(length) => self.bulk(length).map(Reply::Text),
            },
            b'*' => match length(rest, ITEMS_MAX)? {
                None => Ok(Reply::Nothing),
                Some(_) if depth == DEPTH_MAX => Err(Stop::Broken("lists that are too deep")),
                // What is reserved follows what came, not what a length says.
                Some(length) => (0..length)
                    .map(|_| self.reply(depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Reply::List),
            },
            _ => Err(Stop::Broken("a reply of an unknown kind")),
        }
    }

    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let seen = rest
            .get(..rest.len().min(LINE_BYTES_MAX))
            .unwrap_or_default();
        let Some(end) = seen.windows(2).position(|pair| pair == b"\r\n") else {
            return Err(match seen.len() {
                LINE_BYTES_MAX => Stop::Broken("a line that is too long"),
                _ => Stop::Partial,
            });
        };
        self.at += end + 2;
        Ok(rest.get(..end).unwrap_or_default())
    }

    fn bulk(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let text = rest.get(..length).ok_or(Stop::Partial)?;
        match rest.get(length..length + 2) {
            None => Err(Stop::Partial),
            Some(b"\r\n") => {
                self.at += length + 2;
                Ok(text)
            }
            Some(_) => Err(Stop::Broken("a text longer than it says")),
        }
    }
}

fn number(digits: &[u8]) -> Result<i64, Stop> {
    let text = std::str::from_utf8(digits).ok();
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or(Stop::Broken("a number that is none"))
}

/// A length; -1 stands for nothing.
fn length(digits: &[u8], most: usize) -> Result<Option<usize>, Stop> {
    match number(digits)? {
        -1 => Ok(None),
        number => match usize::try_from(number) {
            Ok(length) if length <= most => Ok(Some(length)),
            _ => Err(Stop::Broken("a length out of range")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replies_are_read_whole_wherever_they_are_cut() {
        let bytes = b"*4\r\n+OK\r\n:-5\r\n$3\r\na\r\n\r\n*2\r\n$-1\r\n*-1\r\n";
        let wanted = Reply::List(vec![
            Reply::Status(b"OK"),
            Reply::Number(-5),
            Reply::Text(b"a\r\n"),
            Reply::List(vec![Reply::Nothing, Reply::Nothing]),
        ]);
        for cut in 0..bytes.len() {
            assert_eq!(reply(&bytes[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(reply(bytes), Ok(Some((wanted, bytes.len()))));
        let error = reply(b"-ERR no\r\n+OK\r\n").unwrap().unwrap();
        assert_eq!(error, (Reply::Error(b"ERR no"), 9));
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_came() {
        let refused = |bytes: &[u8]| assert!(reply(bytes).is_err(), "{bytes:?}");
        refused(b"$99999999\r\n");
        refused(b"*99999999\r\n");
        refused(b"$-2\r\n");
        refused(b":1x\r\n");
        refused(b"\r\n");
        refused(b"?\r\n");
        refused(b"$1\r\nabc");
        refused(&b"*1\r\n".repeat(20));
        refused(&b"+".repeat(LINE_BYTES_MAX));
    }

    #[test]
    fn a_text_that_is_too_long_is_skipped_and_what_surrounds_it_is_read() {
        let length = BULK_BYTES_MAX + 1;
        let long = "x".repeat(length);
        let bytes = format!("*3\r\n$3\r\n7-0\r\n${length}\r\n{long}\r\n:1\r\n");
        let wanted = [Reply::Text(b"7-0"), Reply::TooLong, Reply::Number(1)];
        let (read, used) = reply(bytes.as_bytes()).unwrap().unwrap();
        assert_eq!((read.items(), used), (&wanted[..], bytes.len()));
    }

    #[test]
    fn a_command_is_a_list_of_texts() {
        let mut out = Vec::new();
        command(&["AUTH", "pä\r\n"], &mut out);
        assert_eq!(out, "*2\r\n$4\r\nAUTH\r\n$5\r\npä\r\n\r\n".as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _answer = reply(&bytes);
        }
    }
}
