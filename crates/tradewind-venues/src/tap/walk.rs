//! Where messages end in a stream of bytes, without looking into them.

use crate::address::Scheme;

/// The longest head of a WebSocket frame that a server sends: two bytes and a length of eight.
const HEAD_MAX: usize = 10;
const FINAL: u8 = 0x80;
const CONTROL: u8 = 0x08;

/// A walk over the bytes of one connection.
#[derive(Debug)]
pub(super) enum Walk {
    /// The answer to a WebSocket's handshake; how much of its end has been seen.
    Handshake(usize),
    WebSocket(Frames),
    /// Each read counts as a message.
    Reads,
}

/// Frames of a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: Vec<u8>,
    /// Bytes of the present frame's payload that have yet to come.
    left: u64,
    within_frame: bool,
    is_final: bool,
    is_control: bool,
    /// Parts of a message have come, and its last one has not.
    within_message: bool,
}

/// What was found in some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// A message had begun before them.
    pub(super) was_within: bool,
    /// Messages with data that ended in them.
    pub(super) ends: u64,
    /// Where the message that had begun before them ended, if it did.
    pub(super) first_end: Option<usize>,
    /// Whether that one has data; a ping and the answer to a handshake have none.
    pub(super) first_has_data: bool,
}

impl Walk {
    pub(super) const fn new(scheme: Scheme) -> Self {
        match scheme {
            Scheme::WebSocket => Self::Handshake(0),
            Scheme::Tcp | Scheme::Redis | Scheme::Http => Self::Reads,
        }
    }

    pub(super) fn over(&mut self, bytes: &[u8]) -> Walked {
        match self {
            Self::Reads => Walked {
                ends: 1,
                ..Walked::default()
            },
            Self::WebSocket(frames) => frames.over(bytes),
            Self::Handshake(seen) => {
                for (at, byte) in bytes.iter().enumerate() {
                    *seen = match (*seen, *byte) {
                        (0 | 2, b'\r') | (1 | 3, b'\n') => *seen + 1,
                        (_, b'\r') => 1,
                        _ => 0,
                    };
                    if *seen == 4 {
                        let mut frames = Frames::default();
                        let mut walked = frames.over(bytes.get(at + 1..).unwrap_or_default());
                        walked.was_within = true;
                        walked.first_end = Some(at + 1);
                        *self = Self::WebSocket(frames);
                        return walked;
                    }
                }
                Walked {
                    was_within: true,
                    ..Walked::default()
                }
            }
        }
    }
}

impl Frames {
    fn over(&mut self, bytes: &[u8]) -> Walked {
        let mut walked = Walked {
            was_within: self.is_within(),
            ..Walked::default()
        };
        let mut at = 0;
        while at < bytes.len() {
            if !self.within_frame {
                self.head.push(bytes[at]);
                at += 1;
                if !self.begin() {
                    continue;
                }
            }
            let here = (bytes.len() - at) as u64;
            let step = self.left.min(here);
            self.left -= step;
            at += usize::try_from(step).unwrap_or(usize::MAX);
            if self.left == 0 {
                self.within_frame = false;
                if !self.is_control {
                    self.within_message = !self.is_final;
                    walked.ends += u64::from(self.is_final);
                }
                if walked.was_within && walked.first_end.is_none() && !self.is_within() {
                    walked.first_end = Some(at);
                    walked.first_has_data = !self.is_control;
                }
            }
        }
        walked
    }

    /// Whether the next byte continues a message.
    fn is_within(&self) -> bool {
        self.within_frame || self.within_message || !self.head.is_empty()
    }

    /// Begins a frame, if its head is whole.
    fn begin(&mut self) -> bool {
        let [first, second, rest @ ..] = self.head.as_slice() else {
            return false;
        };
        // The peer's frames have no mask; with one, the connection is over anyway.
        let wanted = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if rest.len() < wanted {
            return false;
        }
        let longer = rest
            .iter()
            .take(HEAD_MAX)
            .fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        self.left = if wanted == 0 {
            u64::from(second & 0x7f)
        } else {
            longer
        };
        self.is_final = first & FINAL != 0;
        self.is_control = first & CONTROL != 0;
        self.within_frame = true;
        self.head.clear();
        true
    }
}
