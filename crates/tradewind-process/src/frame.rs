//! Frames: a length, a version, a kind, a bot, a request, and a body. Pure.

use std::fmt;

/// Bytes of the longest frame, its length field left out.
pub const FRAME_MAX: usize = 64 * 1024 * 1024;
/// The version that this build speaks.
const VERSION: u8 = 1;
/// Bytes of a frame's head behind its length.
const HEAD: usize = 8;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Load a file and declare what is in it.
    Load = 1,
    /// Make the strategy.
    Start = 2,
    /// Candles of a whole history.
    History = 3,
    /// Compute columns over the whole history.
    Compute = 4,
    /// Keep a candle; without an answer.
    Feed = 5,
    /// Decide.
    Evaluate = 6,
    /// A row of features, for a prediction.
    Predict = 7,
    /// The answer to [`Load`](Self::Load).
    Loaded = 65,
    /// The answer to [`Start`](Self::Start).
    Ready = 66,
    /// Decisions by row.
    Table = 67,
    /// The columns are computed, and the strategy decides candle by candle.
    Done = 68,
    /// A decision.
    Decision = 69,
    /// The strategy raised an exception.
    Fault = 70,
    /// What a model predicts.
    Prediction = 71,
}

impl Kind {
    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Load,
            2 => Self::Start,
            3 => Self::History,
            4 => Self::Compute,
            5 => Self::Feed,
            6 => Self::Evaluate,
            7 => Self::Predict,
            65 => Self::Loaded,
            66 => Self::Ready,
            67 => Self::Table,
            68 => Self::Done,
            69 => Self::Decision,
            70 => Self::Fault,
            71 => Self::Prediction,
            _ => return None,
        })
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// The bot's number in its process.
    pub bot: u16,
    /// Number of the request; an answer has that of its request.
    pub request: u32,
    /// The rest.
    pub body: Vec<u8>,
}

/// Bytes that are no frame, or no body of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FrameError(pub String);

impl FrameError {
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl Frame {
    /// Its bytes.
    ///
    /// # Errors
    /// A body beyond [`FRAME_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let length = self.body.len() + HEAD;
        let field = u32::try_from(length).ok().filter(|_| length <= FRAME_MAX);
        let field = field.ok_or_else(|| FrameError::new(format!("a frame of {length} bytes")))?;
        let mut out = Vec::with_capacity(length + 4);
        out.extend_from_slice(&field.to_le_bytes());
        out.extend_from_slice(&[VERSION, self.kind as u8]);
        out.extend_from_slice(&self.bot.to_le_bytes());
        out.extend_from_slice(&self.request.to_le_bytes());
        out.extend_from_slice(&self.body);
        Ok(out)
    }

    /// The first frame in `bytes` and how many bytes it takes; `None` while it is not complete.
    ///
    /// # Errors
    /// A length out of range, another version, an unknown kind.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some(length) = bytes.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if !(HEAD..=FRAME_MAX).contains(&length) {
            return Err(FrameError::new(format!("a frame of {length} bytes")));
        }
        let Some(frame) = bytes.get(4..4 + length) else {
            return Ok(None);
        };
        let (head, body) = frame.split_at(HEAD);
        let mut head = Reader::new(head);
        let version = head.u8()?;
        if version != VERSION {
            let text = format!("a frame of version {version}, and the desk speaks {VERSION}");
            return Err(FrameError(text));
        }
        let kind = head.u8()?;
        let kind = Kind::of(kind).ok_or_else(|| FrameError(format!("unknown kind {kind}")))?;
        let frame = Self {
            kind,
            bot: head.u16()?,
            request: head.u32()?,
            body: body.to_vec(),
        };
        Ok(Some((frame, 4 + length)))
    }
}

/// Reads packed numbers; the end of the bytes is an error, never a panic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            return Err(FrameError::new("it ends too early"));
        };
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(FrameError::new)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FrameError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FrameError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FrameError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, FrameError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A number that may be absent, which is written as the least there is.
    pub(crate) fn optional(&mut self) -> Result<Option<i64>, FrameError> {
        Ok(Some(self.i64()?).filter(|value| *value != i64::MIN))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, FrameError> {
        let length = self.u16()?;
        let bytes = self.take(usize::from(length))?;
        str::from_utf8(bytes).map_err(FrameError::new)
    }

    /// That nothing is left.
    pub(crate) fn end(self) -> Result<(), FrameError> {
        match self.bytes.len() {
            0 => Ok(()),
            more => Err(FrameError(format!("{more} bytes too many"))),
        }
    }
}
