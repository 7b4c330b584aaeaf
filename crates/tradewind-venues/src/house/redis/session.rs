//! A house's messages in Redis as a [`Protocol`].
//!
//! A channel is read from the moment of its subscription; what was missed shows by numbers. A stream is read from the
//! last entry that was seen, over connections, so nothing is lost that Redis still has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tradewind_model::Timestamp;

use super::resp::{Reply, ReplyError, Scanner, command, cut_entry, cut_last, published, reply};
use super::settings::{Master, Positions, Redis, RedisUse, is_before};
use super::support::{check, cluster, master};
use crate::address::Address;
use crate::error::cut;
use crate::house::data::HouseData;
use crate::house::payloads::{Payloads, Reader};
use crate::house::progress::Progress;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};

/// A command whose reply is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Hello,
    /// Where the master is, of a Sentinel.
    Master,
    Ping,
    /// The last entry of a stream that was never read.
    Last(usize),
    /// The entry of a stream that was read last: whether it is still there.
    Still(usize),
    /// The last entry of a stream whose entry that was read last is gone.
    Newest(usize),
    Read,
}

/// A connection to Redis.
#[derive(Debug)]
pub(in crate::house) struct RedisProtocol {
    address: Address,
    redis: Arc<Redis>,
    password: Option<SecretString>,
    /// How long a reading of streams waits for entries.
    block: Duration,
    payloads: Payloads,
    positions: Positions,
    /// What a Sentinel names is kept here, if the address is that of one.
    asks_sentinel: Option<Master>,
    scanner: Scanner,
    is_redirected: bool,
    is_ready: bool,
    sent: VecDeque<Sent>,
    /// A subscription request and its channels that are not confirmed yet.
    subscribing: VecDeque<(u64, usize)>,
    /// Requests that the next sign of life confirms.
    unconfirmed: Vec<u64>,
    /// Requests that wait for the positions in streams.
    unfound: Vec<u64>,
    /// Streams are being read.
    is_reading: bool,
    /// Entries of the past are being read.
    is_filling: bool,
}

impl RedisProtocol {
    pub(in crate::house) fn new(
        address: Address,
        (redis, password): (Arc<Redis>, Option<SecretString>),
        block: Duration,
        reader: Arc<Reader>,
        (progress, positions): (Progress, Positions),
        asks_sentinel: Option<Master>,
    ) -> Self {
        Self {
            address,
            redis,
            password,
            block,
            payloads: Payloads::new(reader, progress),
            positions,
            asks_sentinel,
            scanner: Scanner::default(),
            is_redirected: false,
            is_ready: false,
            sent: VecDeque::new(),
            subscribing: VecDeque::new(),
            unconfirmed: Vec::new(),
            unfound: Vec::new(),
            is_reading: false,
            is_filling: false,
        }
    }

    fn streams(&self) -> &[String] {
        match &self.redis.reads {
            RedisUse::Streams(streams) => streams,
            RedisUse::Channels(_) => &[],
        }
    }

    fn send(&mut self, sent: Sent, words: &[&str], out: &mut Vec<u8>) {
        self.sent.push_back(sent);
        command(words, out);
    }

    /// Finds where each stream is to be read from.
    fn find_positions(&mut self, out: &mut Vec<u8>) {
        let redis = Arc::clone(&self.redis);
        let RedisUse::Streams(streams) = &redis.reads else {
            return;
        };
        for (index, stream) in streams.iter().enumerate() {
            match self.positions.get(stream) {
                None => {
                    let words = ["XREVRANGE", stream, "+", "-", "COUNT", "1"];
                    self.send(Sent::Last(index), &words, out);
                }
                // It was there, and it would be too long again.
                Some(id) if self.positions.is_passed(stream, &id) => {
                    self.send(Sent::Still(index), &["XRANGE", stream, "0-0", "0-0"], out);
                }
                Some(id) => self.send(Sent::Still(index), &["XRANGE", stream, &id, &id], out),
            }
        }
    }

    /// Takes in the first reply of what was recorded, whatever it was an answer to: messages of channels, and entries of streams
    /// that were not read yet. Returns how many bytes are done with, 0 while the reply is not whole.
    pub(in crate::house) fn recorded(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<usize, ProtocolError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let Some(used) = self.scanner.end(bytes)? else {
            return Ok(0);
        };
        let reply = reply(bytes.get(..used).unwrap_or_default())?;
        if self.pushed(&reply, received_at, on) {
            return Ok(used);
        }
        for read in reply.items() {
            let [name, entries] = read.items() else {
                continue;
            };
            let Some(name) = name
                .text()
                .filter(|name| self.streams().iter().any(|one| one == name))
            else {
                continue;
            };
            for entry in entries.items() {
                let id = entry
                    .items()
                    .first()
                    .and_then(Reply::text)
                    .unwrap_or_default();
                let position = self.positions.get(name);
                if position.is_none_or(|position| is_before(&position, id)) {
                    self.stream_entry(name, entry, received_at, on);
                }
            }
        }
        Ok(used)
    }

    /// Reads what comes behind the last entries.
    fn read(&mut self, out: &mut Vec<u8>) {
        let (count, block) = (
            self.positions.count().to_string(),
            self.block.as_millis().to_string(),
        );
        let redis = Arc::clone(&self.redis);
        let RedisUse::Streams(streams) = &redis.reads else {
            return;
        };
        let ids: Vec<String> = streams
            .iter()
            .map(|stream| {
                self.positions
                    .get(stream)
                    .unwrap_or_else(|| "0-0".to_owned())
            })
            .collect();
        let mut words = vec!["XREAD", "COUNT", &count, "BLOCK", &block, "STREAMS"];
        words.extend(streams.iter().map(String::as_str));
        words.extend(ids.iter().map(String::as_str));
        self.send(Sent::Read, &words, out);
    }

    fn replied(
        &mut self,
        reply: &Reply<'_>,
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        if let Reply::Error(words) = reply {
            return self.refused(&cut(&String::from_utf8_lossy(words)), on);
        }
        if self.pushed(reply, received_at, on) {
            return Ok(());
        }
        match self.sent.pop_front() {
            Some(Sent::Hello) => {
                check(reply, self.redis.sentinel.is_some())?;
                self.is_ready = true;
            }
            Some(Sent::Master) => {
                let address = master(reply, self.address.is_encrypted())?;
                tracing::debug!(%address, "A Sentinel named the master.");
                if let Some(found) = &self.asks_sentinel {
                    found.set(address);
                }
                self.is_redirected = true;
            }
            Some(Sent::Ping) => self.alive(on),
            Some(Sent::Last(index)) => {
                on(Incoming::Pong);
                let stream = self.stream(index);
                if self.positions.take_skipped(&stream) {
                    on(Incoming::Gap { missing: 0 });
                }
                let last = first_id(reply).unwrap_or("0-0");
                self.positions.set(&stream, last);
                self.read_if_found(out, on);
            }
            Some(Sent::Still(index)) => {
                on(Incoming::Pong);
                self.is_filling = true;
                let stream = self.stream(index);
                let is_known = |id: String| id == "0-0" || self.positions.is_passed(&stream, &id);
                let is_gone = !self.positions.get(&stream).is_some_and(is_known);
                if reply.items().is_empty() && is_gone {
                    // Redis has dropped it, and perhaps others behind it.
                    on(Incoming::Gap { missing: 0 });
                    let words = ["XREVRANGE", &stream, "+", "-", "COUNT", "1"];
                    self.send(Sent::Newest(index), &words, out);
                }
                self.read_if_found(out, on);
            }
            Some(Sent::Newest(index)) => {
                on(Incoming::Pong);
                let stream = self.stream(index);
                let newest = first_id(reply).unwrap_or("0-0");
                // Written anew with lower ids: nothing would ever come behind the position.
                let is_anew = |position: String| is_before(newest, &position);
                if self.positions.get(&stream).is_some_and(is_anew) {
                    self.positions.set(&stream, newest);
                }
                self.read_if_found(out, on);
            }
            Some(Sent::Read) => {
                let count = self.entries(reply, received_at, on);
                let is_full = count >= self.positions.count();
                if !is_full {
                    self.positions.restore_count();
                }
                if !is_full && std::mem::take(&mut self.is_filling) {
                    on(Incoming::Synced);
                }
                self.alive(on);
                self.read(out);
            }
            None => on(Incoming::Ignored(Ignored::NotWanted)),
        }
        Ok(())
    }

    /// More was read of streams than is taken. The whole entries of it are taken in, and the next connection reads fewer at a
    /// time. An entry that is too long by itself is passed over.
    fn too_long(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> ProtocolError {
        let cut = cut_entry(bytes, |stream, entry| {
            self.stream_entry(stream, entry, received_at, on);
        });
        self.positions.lower_count();
        let what = match cut {
            Some(cut) if cut.is_too_long => {
                on(Incoming::Gap { missing: 1 });
                self.positions.pass_over(&cut.stream, &cut.id);
                "an entry that is too long is passed over"
            }
            _ => "more entries than are taken at a time: fewer are read",
        };
        ProtocolError(what.to_owned())
    }

    fn stream(&self, index: usize) -> String {
        self.streams().get(index).cloned().unwrap_or_default()
    }

    /// Begins to read once the position in each stream is known.
    fn read_if_found(&mut self, out: &mut Vec<u8>, on: &mut impl FnMut(Incoming<HouseData>)) {
        let is_known = |stream: &String| self.positions.get(stream).is_some();
        let is_asking =
            |sent: &Sent| matches!(sent, Sent::Last(_) | Sent::Still(_) | Sent::Newest(_));
        if self.sent.iter().any(is_asking)
            || !self.is_reading
            || !self.streams().iter().all(is_known)
        {
            return;
        }
        if self.is_filling {
            on(Incoming::Filling);
        }
        for request in self.unfound.drain(..) {
            on(Incoming::Acked { request });
        }
        self.read(out);
    }

    /// Messages and confirmations of pub/sub, which answer no command in particular.
    fn pushed(
        &mut self,
        reply: &Reply<'_>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> bool {
        let RedisUse::Channels(_) = self.redis.reads else {
            return false;
        };
        match reply.items() {
            [Reply::Text(b"message"), _, Reply::Text(payload)] => {
                self.payloads.json(payload, received_at, on);
            }
            [Reply::Text(b"message"), ..] => on(Incoming::Ignored(Ignored::Malformed)),
            [Reply::Text(b"subscribe"), ..] => {
                if let Some((request, left)) = self.subscribing.front_mut() {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        let request = *request;
                        self.subscribing.pop_front();
                        on(Incoming::Acked { request });
                    }
                }
            }
            [Reply::Text(b"pong"), ..] => {
                self.sent.pop_front();
                self.alive(on);
            }
            _ => return false,
        }
        true
    }

    fn alive(&mut self, on: &mut impl FnMut(Incoming<HouseData>)) {
        on(Incoming::Pong);
        for request in self.unconfirmed.drain(..) {
            on(Incoming::Acked { request });
        }
    }

    /// Takes in what was read of streams; returns how many entries of one stream at most.
    fn entries(
        &mut self,
        reply: &Reply<'_>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> usize {
        let mut most = 0;
        for stream in reply.items() {
            let [name, entries] = stream.items() else {
                on(Incoming::Ignored(Ignored::Malformed));
                continue;
            };
            most = most.max(entries.items().len());
            for entry in entries.items() {
                self.stream_entry(name.text().unwrap_or_default(), entry, received_at, on);
            }
        }
        most
    }

    /// Takes in an entry of a stream, which is the last one that was read from then on.
    fn stream_entry(
        &mut self,
        stream: &str,
        entry: &Reply<'_>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        let [id, fields] = entry.items() else {
            return on(Incoming::Ignored(Ignored::Malformed));
        };
        self.entry(fields.items(), received_at, on);
        if let Some(id) = id.text() {
            self.positions.set(stream, id);
        }
    }

    /// An entry is JSON in a field of that name, or its fields are those of the mapping.
    fn entry(
        &mut self,
        fields: &[Reply<'_>],
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        let pairs = || fields.chunks_exact(2);
        if let Some([_, Reply::Text(json)]) = pairs().find(|pair| pair[0] == Reply::Text(b"json")) {
            return self.payloads.json(json, received_at, on);
        }
        let texts = pairs().map(|pair| Some((pair[0].text()?, pair[1].text()?)));
        if texts.clone().any(|pair| pair.is_none()) {
            return on(Incoming::Ignored(Ignored::Malformed));
        }
        self.payloads.fields(&texts.flatten(), received_at, on);
    }

    /// An error is the answer to a subscription, or the end.
    fn refused(
        &mut self,
        words: &str,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        let first = words.split(' ').next().unwrap_or_default();
        if ["MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT"].contains(&first) {
            return Err(cluster());
        }
        if !self.is_ready {
            // Servers that do not know HELLO repeat its arguments, the password among them: only the error's name is shown.
            let name = first.bytes().all(|byte| byte.is_ascii_uppercase());
            let name = if name { first } else { "an error" };
            return Err(ProtocolError(format!("Redis refused the login: {name}")));
        }
        if let Some((request, _)) = self.subscribing.pop_front() {
            let reason = words.to_owned();
            on(Incoming::Refused { request, reason });
            return Ok(());
        }
        // A reading has no request that could be repeated: the next connection reads on.
        if let Some(Sent::Last(_) | Sent::Still(_) | Sent::Newest(_)) = self.sent.pop_front() {
            self.is_reading = false;
            // It answers as a pong would.
            on(Incoming::Pong);
            for request in self.unfound.drain(..) {
                let reason = words.to_owned();
                on(Incoming::Refused { request, reason });
            }
            return Ok(());
        }
        Err(ProtocolError(format!("Redis refused: {words}")))
    }
}

/// The id of the first entry of a list of them.
fn first_id<'a>(reply: &'a Reply<'_>) -> Option<&'a str> {
    reply.items().first()?.items().first()?.text()
}

impl Protocol for RedisProtocol {
    type Event = HouseData;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, _nonce: u64, out: &mut Vec<u8>) {
        let (redis, password) = (Arc::clone(&self.redis), self.password.clone());
        if let (Some(name), Some(_)) = (&redis.sentinel, &self.asks_sentinel) {
            let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name];
            return self.send(Sent::Master, &words, out);
        }
        let user = redis.user.as_deref().unwrap_or("default");
        match &password {
            None => self.send(Sent::Hello, &["HELLO", "2"], out),
            Some(password) => {
                let words = ["HELLO", "2", "AUTH", user, password.expose_secret()];
                self.send(Sent::Hello, &words, out);
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn is_redirected(&self) -> bool {
        self.is_redirected
    }

    fn subscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        let redis = Arc::clone(&self.redis);
        match &redis.reads {
            RedisUse::Channels(channels) => {
                let mut words = vec!["SUBSCRIBE"];
                words.extend(channels.iter().map(String::as_str));
                command(&words, out);
                self.subscribing.push_back((request, channels.len()));
            }
            RedisUse::Streams(_) => {
                // A request for a position may be refused: only its own answer confirms.
                self.unfound.push(request);
                if !std::mem::replace(&mut self.is_reading, true) {
                    self.find_positions(out);
                } else if self.sent.contains(&Sent::Read) {
                    self.unconfirmed.append(&mut self.unfound);
                }
            }
        }
    }

    /// Channels and streams carry several instruments: what is not wanted is ignored.
    fn unsubscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        self.unconfirmed.push(request);
        self.ping(out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        // A reading of streams is answered in time, and nothing is answered before it.
        if !self.is_reading {
            self.send(Sent::Ping, &["PING"], out);
        }
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<usize, ProtocolError> {
        if let RedisUse::Channels(_) = self.redis.reads
            && self.scanner.is_fresh()
            && let Some((payload, used)) = published(bytes)
        {
            self.payloads.json(payload, received_at, on);
            return Ok(used);
        }
        let used = match self.scanner.end(bytes) {
            Ok(Some(used)) => used,
            Ok(None) => return Ok(0),
            Err(ReplyError::TooLong) => {
                return Err(match self.sent.front().copied() {
                    Some(Sent::Read) => self.too_long(bytes, received_at, on),
                    // Nothing of this stream was read yet: reading begins behind the entry.
                    Some(Sent::Last(index)) => {
                        if let Some(id) = cut_last(bytes) {
                            self.positions.pass_over(&self.stream(index), &id);
                        }
                        ReplyError::TooLong.into()
                    }
                    // The entry that was read last is gone, and the newest is too long: one of them is where reading begins.
                    Some(Sent::Newest(index)) => {
                        let stream = self.stream(index);
                        let newest = cut_last(bytes).unwrap_or_default();
                        let position = self.positions.get(&stream).unwrap_or_default();
                        let is_anew = !newest.is_empty() && is_before(&newest, &position);
                        let from = if is_anew { newest } else { position };
                        self.positions.pass_over(&stream, &from);
                        ReplyError::TooLong.into()
                    }
                    _ => ReplyError::TooLong.into(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let reply = reply(bytes.get(..used).unwrap_or_default())?;
        self.replied(&reply, received_at, out, on)?;
        Ok(used)
    }
}

#[cfg(test)]
mod tests;
