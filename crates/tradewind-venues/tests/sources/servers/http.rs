//! The server of XML over long-polled HTTP. A cursor is the number of the last message, and a word that counts nothing.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Server;
use crate::publisher::Publisher;

#[derive(Default)]
pub(crate) struct Http {
    input: Vec<u8>,
    has_answered: bool,
    /// A request that waits: its cursor and until when.
    polling: Option<(String, Duration)>,
    /// Answers that were compressed differ from those that were not.
    answers: usize,
}

/// The number in a cursor.
fn number(cursor: &str) -> usize {
    cursor.split('.').next().unwrap().parse().unwrap()
}

impl Http {
    fn answer(&mut self, status: &str, body: &[u8], out: &mut Vec<u8>) {
        self.polling = None;
        self.has_answered = true;
        self.answers += 1;
        let (mut coding, mut sent) = ("identity", body.to_vec());
        if self.answers.is_multiple_of(2) {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(body).unwrap();
            (coding, sent) = ("gzip", gzip.finish().unwrap());
        }
        let length = sent.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&sent);
    }

    fn document(
        &mut self,
        (from, next): (&str, &str),
        more: bool,
        messages: &[u8],
        out: &mut Vec<u8>,
    ) {
        let head = format!("<feed from=\"{from}\" next=\"{next}\" more=\"{more}\">");
        let body = [head.as_bytes(), messages, b"</feed>"].concat();
        self.answer("200 OK", &body, out);
    }

    fn request(&mut self, now: Duration, line: &str, publisher: &mut Publisher, out: &mut Vec<u8>) {
        let query = line.strip_prefix("GET /feed?wait=").unwrap();
        let query = query.strip_suffix(" HTTP/1.1").unwrap();
        let (wait, cursor) = match query.split_once("&cursor=") {
            None => (query, None),
            Some((wait, cursor)) => (wait, Some(cursor.replace("%2E", "."))),
        };
        if !self.has_answered {
            publisher.requests += 1;
        }
        let newest = publisher.messages.len();
        match cursor {
            _ if publisher.refuses => {
                self.has_answered = true;
                out.extend_from_slice(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
            }
            None => {
                let body = format!("<feed next=\"{newest}\"/>");
                self.answer("200 OK", body.as_bytes(), out);
            }
            Some(cursor) if number(&cursor) < publisher.forgotten => {
                out.extend_from_slice(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n");
            }
            Some(cursor) => {
                publisher.polls += 1;
                publisher.waits.push(wait.parse().unwrap());
                let wait = Duration::from_millis(wait.parse().unwrap());
                let until = if publisher.hurries { now } else { now + wait };
                self.polling = Some((cursor, until));
            }
        }
    }
}

impl Server for Http {
    fn received(
        &mut self,
        now: Duration,
        bytes: &[u8],
        publisher: &mut Publisher,
        out: &mut Vec<u8>,
    ) {
        self.input.extend_from_slice(bytes);
        let text = String::from_utf8(self.input.clone()).unwrap();
        if let Some(head) = text.strip_suffix("\r\n\r\n") {
            assert!(self.polling.is_none(), "one request at a time");
            assert!(head.contains("\r\nauthorization: Bearer a-token"), "{head}");
            self.input.clear();
            self.request(now, head.lines().next().unwrap(), publisher, out);
        }
    }

    fn publish(&mut self, now: Duration, publisher: &Publisher, out: &mut Vec<u8>) {
        let Some((cursor, until)) = self.polling.clone() else {
            return;
        };
        let (after, newest) = (number(&cursor), publisher.messages.len());
        let last = newest.min(after + 100);
        if last > after {
            let messages = (after + 1..=last).map(|number| {
                let message = &publisher.messages[number - 1];
                message.bad.clone().unwrap_or_else(|| message.xml(number))
            });
            let messages = messages.collect::<Vec<_>>().concat();
            let next = last.to_string();
            self.document((&cursor, &next), last < newest, &messages, out);
        } else if now >= until {
            match self.answers % 3 {
                0 => out.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n"),
                1 => out.extend_from_slice(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
                _ => out.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            }
            self.polling = None;
            self.answers += 1;
        }
    }

    /// An element behind which the cursor counts nothing.
    fn payload(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if let Some((cursor, _)) = self.polling.clone() {
            let next = format!("{cursor}.1");
            self.document((&cursor, &next), false, payload, out);
        }
    }

    /// As the answer to the request that waits.
    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.polling = None;
        out.extend_from_slice(bytes);
    }

    fn wake_at(&self) -> Option<Duration> {
        self.polling.as_ref().map(|(_, until)| *until)
    }
}
