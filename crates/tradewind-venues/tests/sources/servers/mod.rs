//! A server for each transport, as a machine over bytes.

mod http;
mod redis;
pub(crate) mod tcp;
mod websocket;

use std::time::Duration;

use tradewind_venues::Scheme;
use tradewind_venues::house::{Mapping, Redis, RedisUse, SubscribeMode, Transport};

use crate::publisher::Publisher;

/// One connection to a server.
pub(crate) trait Server {
    /// Bytes came.
    fn received(
        &mut self,
        now: Duration,
        bytes: &[u8],
        publisher: &mut Publisher,
        out: &mut Vec<u8>,
    );
    /// Sends what is published and was not sent yet.
    fn publish(&mut self, now: Duration, publisher: &Publisher, out: &mut Vec<u8>);
    /// Sends one message of these bytes.
    fn payload(&mut self, payload: &[u8], out: &mut Vec<u8>);
    /// Sends bytes as they are.
    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }
    /// Announces that this connection ends, where the transport can.
    fn closing(&mut self, _out: &mut Vec<u8>) {}
    /// When it does something by itself.
    fn wake_at(&self) -> Option<Duration> {
        None
    }
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Tcp,
    WebSocket,
    RedisChannels,
    RedisStreams,
    Http,
}

impl Dialect {
    pub(crate) const ALL: [Self; 5] = [
        Self::Tcp,
        Self::WebSocket,
        Self::RedisChannels,
        Self::RedisStreams,
        Self::Http,
    ];

    pub(crate) const fn address(self) -> (&'static str, Scheme) {
        match self {
            Self::Tcp => ("tcp://127.0.0.1:1", Scheme::Tcp),
            Self::WebSocket => ("ws://127.0.0.1:1/feed", Scheme::WebSocket),
            Self::RedisChannels | Self::RedisStreams => ("redis://127.0.0.1", Scheme::Redis),
            Self::Http => ("http://127.0.0.1:1/feed", Scheme::Http),
        }
    }

    pub(crate) fn transport(self) -> Transport {
        let mapping = Mapping::default();
        let names = vec!["prices".to_owned()];
        let redis = |reads| Transport::Redis {
            mapping: Mapping::default(),
            redis: Redis {
                user: None,
                reads,
                sentinel: None,
            },
        };
        match self {
            Self::Tcp => Transport::Tcp,
            Self::WebSocket => Transport::WebSocket {
                mapping,
                subscribe: SubscribeMode::House,
            },
            Self::RedisChannels => redis(RedisUse::Channels(names)),
            Self::RedisStreams => redis(RedisUse::Streams(names)),
            Self::Http => Transport::Http { mapping },
        }
    }

    pub(crate) fn server(self) -> Box<dyn Server> {
        match self {
            Self::Tcp => Box::<tcp::Tcp>::default(),
            Self::WebSocket => Box::<websocket::WebSocket>::default(),
            Self::RedisChannels | Self::RedisStreams => Box::<redis::Redis>::default(),
            Self::Http => Box::<http::Http>::default(),
        }
    }

    /// What the table calls it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::WebSocket => "WebSocket",
            Self::RedisChannels => "Redis pub/sub",
            Self::RedisStreams => "Redis streams",
            Self::Http => "HTTP",
        }
    }

    /// Whether what was missed can be requested.
    pub(crate) fn refills(self) -> bool {
        matches!(self, Self::Tcp | Self::RedisStreams | Self::Http)
    }

    /// Messages that are none: each must be ignored, and the next good one taken.
    pub(crate) fn malformed(self) -> Vec<Vec<u8>> {
        match self {
            Self::Tcp => vec![vec![], vec![b'?'], vec![b'Q'; 9], vec![0xff; 100]],
            Self::Http => {
                let quote = |bid: &str, symbol: &str| {
                    format!(
                        r#"<quote symbol="{symbol}" bid="{bid}" ask="2" bid_size="1" ask_size="1"/>"#
                    )
                };
                let bids = [
                    "0", "-1", "1e400", "NaN", "", "1.001", "1 2", "0x1", "&#xfffd;",
                ];
                let mut all: Vec<String> = bids.map(|bid| quote(bid, "A")).into();
                all.push(quote("1", "WRONG"));
                all.push(r#"<candle symbol="A"/>"#.to_owned());
                all.push(r#"<quote bid="1"/>"#.to_owned());
                all.push(format!(
                    "<quote>{}{}</quote>",
                    "<a>".repeat(29),
                    "</a>".repeat(29)
                ));
                all.into_iter().map(String::into_bytes).collect()
            }
            _ => {
                let quote = |bid: &str, symbol: &str| {
                    let text = format!(
                        r#"{{"kind":"quote","symbol":"{symbol}","bid":{bid},"ask":"2","bid_size":"1","ask_size":"1"}}"#
                    );
                    text.into_bytes()
                };
                let deep = [vec![b'['; 100], vec![b']'; 100]].concat();
                let mut all = vec![b"{".to_vec(), b"".to_vec(), b"null".to_vec(), deep];
                for bid in [
                    "0", "-1", "1e400", "\"NaN\"", "null", "{}", "1.001", "\"1 \"", "0x1",
                ] {
                    all.push(quote(bid, "A"));
                }
                all.push(quote("1", "WRONG"));
                all.push(br#"{"kind":"candle","symbol":"A"}"#.to_vec());
                all.push(br#"{"kind":"quote","bid":"1"}"#.to_vec());
                if self != Self::WebSocket {
                    all.push(vec![0xff, 0xfe]);
                    all.push(
                        quote("\"\u{fffd}\"", "A")
                            .into_iter()
                            .map(|byte| byte | 0x80)
                            .collect(),
                    );
                }
                all
            }
        }
    }

    /// The same behind the number of a message: of TCP, what follows the number of a data frame.
    pub(crate) fn malformed_with_a_number(self) -> Vec<Vec<u8>> {
        match self {
            Self::Tcp => vec![vec![], vec![0xff], vec![1, 0xff, 0, 0], vec![0; 200]],
            _ => self.malformed(),
        }
    }

    /// The beginning of something too long to be taken: the connection ends.
    pub(crate) fn oversized(self) -> Vec<u8> {
        match self {
            Self::Tcp => vec![0x7f, 0xff, 0xff, 0xff],
            Self::WebSocket => vec![0x81, 127, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
            Self::RedisChannels | Self::RedisStreams => b"$99999999\r\n".to_vec(),
            Self::Http => b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec(),
        }
    }
}
