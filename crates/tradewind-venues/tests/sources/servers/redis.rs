//! As much of Redis as a source uses: HELLO, PING, SUBSCRIBE, XREVRANGE, XRANGE and XREAD.

use std::time::Duration;

use super::Server;
use crate::publisher::Publisher;

#[derive(Default)]
pub(crate) struct Redis {
    input: Vec<u8>,
    /// Messages that were sent to the channel, once it is subscribed.
    sent: Option<usize>,
    /// A reading that waits: behind which entry, and until when.
    reading: Option<(usize, Duration)>,
    /// Entries that it wants at most.
    count: usize,
}

fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let head = format!("${}\r\n", text.len());
    [head.as_bytes(), text, b"\r\n"].concat()
}

fn list(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = items.into_iter().collect();
    [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat()
}

fn entry(publisher: &Publisher, number: usize) -> Vec<u8> {
    let id = text(format!("{number}-0"));
    if let Some(bad) = &publisher.messages[number - 1].bad {
        return list([id, list([text("json"), text(bad)])]);
    }
    let fields = publisher.messages[number - 1].fields(number);
    let fields = fields.flat_map(|(name, value)| [text(name), text(&value)]);
    list([id, list(fields)])
}

/// The number in an entry's id.
fn number(id: &str) -> usize {
    id.split('-').next().unwrap().parse().unwrap()
}

impl Redis {
    /// The first command of the input.
    fn next(&mut self) -> Option<Vec<String>> {
        let all = String::from_utf8(self.input.clone()).unwrap();
        let (count, mut rest) = all.strip_prefix('*')?.split_once("\r\n")?;
        let mut words = Vec::new();
        for _ in 0..count.parse::<usize>().unwrap() {
            let (length, behind) = rest.strip_prefix('$')?.split_once("\r\n")?;
            let length: usize = length.parse().unwrap();
            words.push(behind.get(..length)?.to_owned());
            rest = behind.get(length + 2..)?;
        }
        let used = all.len() - rest.len();
        self.input.drain(..used);
        Some(words)
    }

    fn answer(&mut self, now: Duration, words: &[&str], publisher: &mut Publisher) -> Vec<u8> {
        let newest = publisher.messages.len();
        let refused = |publisher: &mut Publisher| {
            publisher.requests += 1;
            publisher.refuses.then(|| b"-NOPERM no\r\n".to_vec())
        };
        match words {
            ["XREAD", ..] if publisher.refuses_reading => b"-NOPERM no\r\n".to_vec(),
            ["HELLO", "2", "AUTH", "default", "a-token"] => {
                list(["server", "redis", "mode", "standalone", "role", "master"].map(text))
            }
            ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "prices"] => {
                list(["127.0.0.1", "6380"].map(text))
            }
            ["SENTINEL", ..] => b"*-1\r\n".to_vec(),
            ["PING"] if self.sent.is_some() => list(["pong", ""].map(text)),
            ["PING"] => b"+PONG\r\n".to_vec(),
            ["SUBSCRIBE", channel] => refused(publisher).unwrap_or_else(|| {
                self.sent.get_or_insert(newest);
                list([text("subscribe"), text(channel), b":1\r\n".to_vec()])
            }),
            ["XREVRANGE", "prices", "+", "-", "COUNT", "1"] => {
                let last = (newest > 0).then(|| entry(publisher, newest));
                refused(publisher).unwrap_or_else(|| list(last))
            }
            ["XRANGE", "prices", from, to] => {
                assert_eq!(from, to);
                let known = (1..=newest).contains(&number(from));
                let found = known.then(|| entry(publisher, number(from)));
                refused(publisher).unwrap_or_else(|| list(found))
            }
            [
                "XREAD",
                "COUNT",
                count,
                "BLOCK",
                block,
                "STREAMS",
                "prices",
                after,
            ] => {
                let until = now + Duration::from_millis(block.parse().unwrap());
                self.count = count.parse().unwrap();
                self.reading = Some((number(after), until));
                Vec::new()
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Server for Redis {
    fn received(
        &mut self,
        now: Duration,
        bytes: &[u8],
        publisher: &mut Publisher,
        out: &mut Vec<u8>,
    ) {
        self.input.extend_from_slice(bytes);
        while let Some(words) = self.next() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            out.extend_from_slice(&self.answer(now, &words, publisher));
        }
    }

    fn publish(&mut self, now: Duration, publisher: &Publisher, out: &mut Vec<u8>) {
        if let Some(sent) = self.sent {
            for (place, message) in publisher.messages.iter().enumerate().skip(sent) {
                self.sent = Some(place + 1);
                if !message.is_dropped {
                    self.payload(&message.payload(place + 1), out);
                }
            }
        }
        let Some((after, until)) = self.reading else {
            return;
        };
        let entries: Vec<Vec<u8>> = (after + 1..=publisher.messages.len())
            .take(self.count)
            .map(|number| entry(publisher, number))
            .collect();
        let mut answer = Vec::new();
        if !entries.is_empty() {
            answer = list([list([text("prices"), list(entries)])]);
        } else if now >= until {
            answer.extend_from_slice(b"*-1\r\n");
        }
        if !answer.is_empty() {
            self.reading = None;
            out.extend_from_slice(&answer);
        }
    }

    /// A message of the channel, or an entry of the stream whose id does not move on.
    fn payload(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let length = payload.len();
        if self.sent.is_some() {
            out.extend_from_slice(b"*3\r\n$7\r\nmessage\r\n$6\r\nprices\r\n");
            out.extend_from_slice(format!("${length}\r\n").as_bytes());
            out.extend_from_slice(&[payload, b"\r\n"].concat());
        } else if let Some((after, _)) = self.reading.take() {
            let id = text(format!("{after}-0"));
            let entry = list([id, list([text("json"), text(payload)])]);
            out.extend_from_slice(&list([list([text("prices"), list([entry])])]));
        }
    }

    fn wake_at(&self) -> Option<Duration> {
        self.reading.map(|(_, until)| until)
    }
}
