//! The server of JSON over WebSocket.

use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;

use super::Server;
use crate::publisher::Publisher;

#[derive(Default)]
pub(crate) struct WebSocket {
    input: Vec<u8>,
    is_open: bool,
    /// Where this connection's numbers begin.
    base: usize,
    /// Messages that were sent, after a subscription.
    sent: Option<usize>,
}

fn frame(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | kind);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => out.push(length),
        _ => {
            out.push(126);
            out.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

impl WebSocket {
    /// The first frame of the input: its kind and payload.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let [kind, length, ..] = *self.input.get(..2)? else {
            return None;
        };
        let (length, start) = match length & 127 {
            126 => (
                usize::from(u16::from_be_bytes(
                    self.input.get(2..4)?.try_into().unwrap(),
                )),
                4,
            ),
            length => (usize::from(length), 2),
        };
        let mask: [u8; 4] = self.input.get(start..start + 4)?.try_into().unwrap();
        let payload = self.input.get(start + 4..start + 4 + length)?;
        let payload = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask);
        let payload = payload.collect();
        self.input.drain(..start + 4 + length);
        Some((kind & 15, payload))
    }
}

impl Server for WebSocket {
    fn received(
        &mut self,
        _now: Duration,
        bytes: &[u8],
        publisher: &mut Publisher,
        out: &mut Vec<u8>,
    ) {
        self.input.extend_from_slice(bytes);
        if !self.is_open {
            let head = String::from_utf8(self.input.clone()).unwrap();
            assert!(head.starts_with("GET /feed HTTP/1.1\r\n") && head.ends_with("\r\n\r\n"));
            assert!(head.contains("Authorization: Bearer a-token\r\n"));
            let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap();
            let accept = derive_accept_key(key.lines().next().unwrap().as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            out.extend_from_slice(answer.as_bytes());
            self.input.clear();
            self.is_open = true;
            self.base = publisher.base;
            if publisher.sends_unrequested {
                self.sent = Some(publisher.messages.len());
            }
        }
        while let Some((kind, payload)) = self.next() {
            match kind {
                1 => {
                    let request: Value = serde_json::from_slice(&payload).unwrap();
                    let known = |symbol: &Value| symbol == "A" || symbol == "B";
                    assert!(request["symbols"].as_array().unwrap().iter().all(known));
                    publisher.requests += 1;
                    let number = &request["request"];
                    // It sends everything to everybody, whatever it answers.
                    self.sent.get_or_insert(publisher.messages.len());
                    let answer = match publisher.refuses {
                        true => json!({"op": "refused", "request": number, "reason": "no"}),
                        false => json!({"op": "acked", "request": number}),
                    };
                    frame(1, answer.to_string().as_bytes(), out);
                }
                9 => frame(10, &payload, out),
                _ => {}
            }
        }
    }

    fn publish(&mut self, _now: Duration, publisher: &Publisher, out: &mut Vec<u8>) {
        let Some(sent) = self.sent else {
            return;
        };
        for (place, message) in publisher.messages.iter().enumerate().skip(sent) {
            self.sent = Some(place + 1);
            if !message.is_dropped {
                frame(
                    1,
                    &message.payload(publisher.number_at(place, self.base)),
                    out,
                );
            }
        }
    }

    fn closing(&mut self, out: &mut Vec<u8>) {
        self.payload(br#"{"op":"closing"}"#, out);
    }

    fn payload(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        frame(1, payload, out);
    }
}
