//! The user data stream as a [`Protocol`]: one subscription on the WebSocket API, signed.
//!
//! With each ping the venue lists the connection's subscriptions (R24): a stream that is not listed any more, or whose listing
//! is not answered until the next ping, is connected anew. The subscription is the topic [`Topic::Account`], so what keeps market data alive keeps this alive too. Source:
//! user-data-stream.md and web-socket-api.md of the venue's documentation, July 2026.

use serde::Deserialize;
use serde::de::IgnoredAny;
use tradewind_model::Timestamp;

use super::requests::Params;
use super::session::read;
use super::signing::Signer;
use super::user_events::AccountReader;
use crate::address::Address;
use crate::protocol::{Incoming, Protocol, ProtocolError, Topic};
use crate::sink::UserEvent;
use crate::wire::websocket::{Received, WebSocket};

/// A connection for one account's events.
#[derive(Debug)]
pub struct UserProtocol {
    address: Address,
    signer: Signer,
    reader: AccountReader,
    socket: WebSocket,
    listing: Listing,
}

/// The list of the connection's subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    /// There is no subscription yet.
    NotSubscribed,
    /// It was answered, or not requested yet.
    Answered,
    /// It is requested.
    Requested,
    /// It was not answered until the next ping.
    Late,
}

/// The id of the request for the list. Subscriptions count from 1.
const LISTING: u64 = 1 << 52;

/// Whether a message is the list, and names a subscription. A refusal shows nothing.
fn is_listed(text: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct Answer {
        id: u64,
        #[serde(default)]
        result: Option<Vec<IgnoredAny>>,
    }
    let mark = LISTING.to_string();
    let mut places = text.windows(mark.len());
    if !places.any(|place| place == mark.as_bytes()) {
        return None;
    }
    let answer: Answer = serde_json::from_slice(text).ok()?;
    let is_listed = answer.result.is_none_or(|listed| !listed.is_empty());
    (answer.id == LISTING).then_some(is_listed)
}

impl UserProtocol {
    /// A connection that is not open yet. `address` is the WebSocket API's.
    pub(super) fn new(address: Address, signer: Signer, reader: AccountReader) -> Self {
        Self {
            socket: WebSocket::new(&address, ""),
            address,
            signer,
            reader,
            listing: Listing::NotSubscribed,
        }
    }
}

impl Protocol for UserProtocol {
    type Event = UserEvent;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, nonce: u64, out: &mut Vec<u8>) {
        self.socket.start(nonce, out);
    }

    fn is_ready(&self) -> bool {
        self.socket.is_open()
    }

    fn subscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        let text = serde_json::json!({
            "id": request,
            "method": "userDataStream.subscribe.signature",
            "params": self.signer.message(Params::default()),
        });
        self.socket.send(&text.to_string(), out);
    }

    fn unsubscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        let text = serde_json::json!({"id": request, "method": "userDataStream.unsubscribe"});
        self.socket.send(&text.to_string(), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.socket.ping(out);
        self.listing = match self.listing {
            Listing::NotSubscribed => return,
            Listing::Answered => Listing::Requested,
            Listing::Requested | Listing::Late => Listing::Late,
        };
        let text = serde_json::json!({"id": LISTING, "method": "session.subscriptions"});
        self.socket.send(&text.to_string(), out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.socket.close(out);
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        _received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<UserEvent>),
    ) -> Result<usize, ProtocolError> {
        let (used, received) = self.socket.receive(bytes, out)?;
        if self.listing == Listing::Late && used > 0 {
            let why = "the list of subscriptions was not answered before the next ping";
            return Err(ProtocolError(why.to_owned()));
        }
        if let Received::Text(text) = received
            && let Some(is_listed) = is_listed(text)
        {
            self.listing = Listing::Answered;
            let why = "the venue does not list the subscription any more";
            return is_listed
                .then_some(used)
                .ok_or_else(|| ProtocolError(why.to_owned()));
        }
        let listing = &mut self.listing;
        let mut on = |incoming| {
            if matches!(incoming, Incoming::Acked { .. }) {
                *listing = Listing::Answered;
            }
            on(incoming);
        };
        read(received, &mut on, |text, on| self.reader.decode(text, on));
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R24
    #[test]
    fn a_list_without_a_subscription_is_told_from_everything_else() {
        for (text, wanted) in [
            (
                r#"{"id":4503599627370496,"status":200,"result":[{"subscriptionId":0}]}"#,
                Some(true),
            ),
            (
                r#"{"id":4503599627370496,"status":200,"result":[]}"#,
                Some(false),
            ),
            (
                r#"{"id":4503599627370496,"status":429,"error":{"code":-1003,"msg":""}}"#,
                Some(true),
            ),
            (
                r#"{"id":1,"status":200,"result":{"subscriptionId":0}}"#,
                None,
            ),
            (r#"{"id":1,"status":200,"result":[4503599627370496]}"#, None),
            (r#"{"event":{"e":"balanceUpdate"}}"#, None),
        ] {
            assert_eq!(is_listed(text.as_bytes()), wanted, "{text}");
        }
    }
}
