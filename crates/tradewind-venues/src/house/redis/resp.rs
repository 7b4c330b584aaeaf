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

/// Why bytes are no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReplyError {
    /// There is more of it than is taken.
    TooLong,
    /// They are not RESP2.
    Broken(&'static str),
}

impl From<ReplyError> for ProtocolError {
    fn from(error: ReplyError) -> Self {
        let what = match error {
            ReplyError::TooLong => "a reply that is too long",
            ReplyError::Broken(what) => what,
        };
        Self(format!("Redis protocol broken: {what}"))
    }
}

/// Where the first reply of bytes that still come ends. What was looked at is not looked at again, however often bytes come.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    at: usize,
    /// Items that are missing in each list that is open.
    open: Vec<usize>,
}

impl Scanner {
    /// Nothing was looked at of the bytes that come next.
    pub(super) fn is_fresh(&self) -> bool {
        self.at == 0
    }

    /// The length of the first reply of `bytes`, which begin as those of the last call did, once it is whole.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, ReplyError> {
        let is_too_long = bytes.len() > REPLY_BYTES_MAX;
        match self.scan(bytes) {
            Ok(()) => {
                let end = std::mem::take(self).at;
                Ok(Some(end))
            }
            Err(Stop::Partial) if is_too_long => Err(ReplyError::TooLong),
            Err(Stop::Partial) => Ok(None),
            Err(Stop::TooLong) => Err(ReplyError::TooLong),
            Err(Stop::Broken(what)) => Err(ReplyError::Broken(what)),
        }
    }

    fn scan(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        loop {
            let mut reader = Reader { bytes, at: self.at };
            let items = reader.item(self.open.len())?;
            self.at = reader.at;
            if items > 0 {
                self.open.push(items);
                continue;
            }
            loop {
                match self.open.last_mut() {
                    None => return Ok(()),
                    Some(1) => drop(self.open.pop()),
                    Some(missing) => {
                        *missing -= 1;
                        break;
                    }
                }
            }
        }
    }
}

/// The payload of the message of a channel that `bytes` begin with, and how long that message is in all. It is read at one
/// look if it came whole; anything else is for [`Scanner`] and [`reply`].
pub(super) fn published(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let rest = bytes.strip_prefix(b"*3\r\n$7\r\nmessage\r\n")?;
    let (_channel, rest) = short_text(rest)?;
    let (payload, rest) = short_text(rest)?;
    Some((payload, bytes.len() - rest.len()))
}

/// A whole text that is not too long, and what follows it.
fn short_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"$")?;
    let end = rest.iter().take(8).position(|byte| *byte == b'\r')?;
    let (digits, rest) = rest.split_at(end);
    let length = digits.iter().try_fold(0, |length, byte| {
        let digit = byte.is_ascii_digit().then(|| usize::from(byte - b'0'))?;
        Some(length * 10 + digit)
    })?;
    let (text, rest) = rest.strip_prefix(b"\r\n")?.split_at_checked(length)?;
    let is_taken = end > 0 && length <= BULK_BYTES_MAX;
    Some((text, rest.strip_prefix(b"\r\n").filter(|_| is_taken)?))
}

/// The reply that `bytes` are.
///
/// # Errors
/// They are not one reply.
pub(super) fn reply(bytes: &[u8]) -> Result<Reply<'_>, ReplyError> {
    let mut reader = Reader { bytes, at: 0 };
    match reader.reply(0) {
        Ok(reply) => Ok(reply),
        Err(Stop::TooLong) => Err(ReplyError::TooLong),
        Err(Stop::Partial) => Err(ReplyError::Broken("a reply that is cut")),
        Err(Stop::Broken(what)) => Err(ReplyError::Broken(what)),
    }
}

/// The first entry that is not whole in the beginning of an answer to XREAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CutEntry {
    pub(super) stream: String,
    pub(super) id: String,
    /// It is more than any reply may be, by itself.
    pub(super) is_too_long: bool,
}

/// Hands the whole entries of the beginning of an answer to XREAD to `on`, each with its stream, and finds the one that is cut.
pub(super) fn cut_entry(bytes: &[u8], mut on: impl FnMut(&str, &Reply<'_>)) -> Option<CutEntry> {
    let mut reader = Reader { bytes, at: 0 };
    for _stream in 0..reader.items().ok()? {
        reader.items().ok()?;
        let stream = reader.reply(0).ok()?;
        let stream = stream.text()?;
        for _entry in 0..reader.items().ok()? {
            let start = reader.at;
            match reader.reply(0) {
                Ok(entry) => on(stream, &entry),
                Err(why) => {
                    let is_too_long = match why {
                        Stop::Partial => bytes.len() - start > REPLY_BYTES_MAX,
                        Stop::TooLong => true,
                        Stop::Broken(_) => return None,
                    };
                    reader.at = start;
                    reader.items().ok()?;
                    return Some(CutEntry {
                        stream: stream.to_owned(),
                        id: reader.reply(0).ok()?.text()?.to_owned(),
                        is_too_long,
                    });
                }
            }
        }
    }
    None
}

/// The id of the entry in the beginning of an answer to XREVRANGE.
pub(super) fn cut_last(bytes: &[u8]) -> Option<String> {
    let mut reader = Reader { bytes, at: 0 };
    reader.items().ok()?;
    reader.items().ok()?;
    Some(reader.reply(0).ok()?.text()?.to_owned())
}

enum Stop {
    /// More bytes are needed.
    Partial,
    /// A text is longer than any reply.
    TooLong,
    Broken(&'static str),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Passes the head of a list, or another reply whole. Returns the items that follow.
    fn item(&mut self, depth: usize) -> Result<usize, Stop> {
        let start = self.at;
        let line = self.line()?;
        match line.split_first() {
            Some((b'*', _)) if depth == DEPTH_MAX => Err(Stop::Broken("lists that are too deep")),
            Some((b'*', rest)) => Ok(length(rest, ITEMS_MAX)?.unwrap_or(0)),
            Some((b'$', rest)) => {
                if let Some(length) = text_length(rest)? {
                    self.bulk(length)?;
                }
                Ok(0)
            }
            _ => {
                self.at = start;
                self.reply(depth).map(|_| 0)
            }
        }
    }

    /// Passes the head of a list.
    fn items(&mut self) -> Result<usize, Stop> {
        match self.line()?.split_first() {
            Some((b'*', rest)) => Ok(length(rest, ITEMS_MAX)?.unwrap_or(0)),
            _ => Err(Stop::Broken("no list")),
        }
    }

    fn reply(&mut self, depth: usize) -> Result<Reply<'a>, Stop> {
        let line = self.line()?;
        let (kind, rest) = line.split_first().ok_or(Stop::Broken("an empty line"))?;
        match kind {
            b'+' => Ok(Reply::Status(rest)),
            b'-' => Ok(Reply::Error(rest)),
            b':' => number(rest).map(Reply::Number),
            b'$' => match text_length(rest)? {
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

/// The length of a text.
fn text_length(digits: &[u8]) -> Result<Option<usize>, Stop> {
    match length(digits, usize::MAX)? {
        Some(length) if length > REPLY_BYTES_MAX => Err(Stop::TooLong),
        length => Ok(length),
    }
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

    /// The first reply of bytes that come all at once, and its length.
    fn first(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, ReplyError> {
        match Scanner::default().end(bytes)? {
            None => Ok(None),
            Some(end) => Ok(Some((reply(&bytes[..end])?, end))),
        }
    }

    #[test]
    fn a_reply_is_looked_at_once_however_it_comes() {
        let items = b"$3\r\nabc\r\n*2\r\n:1\r\n*0\r\n".repeat(2_000);
        let bytes = [b"*4000\r\n", &items[..], b"+OK\r\n"].concat();
        let (mut scanner, mut before) = (Scanner::default(), 0);
        let whole = bytes.len() - 5;
        for end in 1..whole {
            assert_eq!(scanner.end(&bytes[..end]), Ok(None), "{end}");
            // It is never more than one item behind, and never goes back.
            assert!(scanner.at >= before && scanner.at + 10 > end, "{end}");
            before = scanner.at;
        }
        assert_eq!(scanner.end(&bytes), Ok(Some(whole)));
        assert_eq!(scanner.end(&bytes[whole..]), Ok(Some(5)));
    }

    #[test]
    fn the_entry_that_is_too_long_is_named() {
        let bytes = b"*2\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*0\r\n*2\r\n$1\r\nb\r\n*1\r\n*2\r\n$3\r\n7-0\r\n*2\r\n$1\r\nx\r\n$99999999\r\nxx";
        assert_eq!(Scanner::default().end(bytes), Err(ReplyError::TooLong));
        let mut whole = Vec::new();
        let cut = cut_entry(bytes, |stream, entry| {
            let id = entry.items()[0].text().unwrap();
            whole.push(format!("{stream} {id}"));
        });
        let wanted = CutEntry {
            stream: "b".to_owned(),
            id: "7-0".to_owned(),
            is_too_long: true,
        };
        assert_eq!(cut, Some(wanted.clone()));
        assert_eq!(whole, ["a 1-0"]);
        // One that is only not whole yet may be short.
        let short = bytes.strip_suffix(b"$99999999\r\nxx").unwrap();
        let wanted = CutEntry {
            is_too_long: false,
            ..wanted
        };
        assert_eq!(cut_entry(short, |_, _| {}), Some(wanted));
        assert_eq!(cut_entry(b"+OK\r\n", |_, _| {}), None);
        let last = cut_last(b"*1\r\n*2\r\n$3\r\n7-0\r\n*2\r\n$1\r\nx\r\n$9999");
        assert_eq!(last.as_deref(), Some("7-0"));
    }

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
            assert_eq!(first(&bytes[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(first(bytes), Ok(Some((wanted, bytes.len()))));
        let error = first(b"-ERR no\r\n+OK\r\n").unwrap().unwrap();
        assert_eq!(error, (Reply::Error(b"ERR no"), 9));
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_came() {
        let refused = |bytes: &[u8]| assert!(first(bytes).is_err(), "{bytes:?}");
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
        let (read, used) = first(bytes.as_bytes()).unwrap().unwrap();
        assert_eq!((read.items(), used), (&wanted[..], bytes.len()));
    }

    #[test]
    fn a_command_is_a_list_of_texts() {
        let mut out = Vec::new();
        command(&["AUTH", "pä\r\n"], &mut out);
        assert_eq!(out, "*2\r\n$4\r\nAUTH\r\n$5\r\npä\r\n\r\n".as_bytes());
    }

    #[test]
    fn a_whole_message_is_what_the_reply_has() {
        let bytes = b"*3\r\n$7\r\nmessage\r\n$6\r\nprices\r\n$5\r\n{\r\n1}\r\n*1";
        let whole = bytes.len() - 2;
        assert_eq!(published(bytes), Some((&b"{\r\n1}"[..], whole)));
        let (read, used) = first(bytes).unwrap().unwrap();
        assert_eq!((&read.items()[2], used), (&Reply::Text(b"{\r\n1}"), whole));
        for cut in 0..whole {
            assert_eq!(published(&bytes[..cut]), None, "{cut}");
        }
        for other in [
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$\r\n\r\n",
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n",
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nab\r\n",
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n$1\r\nb\r\n",
            "+PONG\r\n",
        ] {
            assert_eq!(published(other.as_bytes()), None, "{other}");
        }
        let length = BULK_BYTES_MAX + 1;
        let long = format!(
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n${length}\r\n{}\r\n",
            "x".repeat(length)
        );
        assert_eq!(published(long.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _answer = first(&bytes);
            let _entry = cut_entry(&bytes, |_, _| {});
        }
    }
}
