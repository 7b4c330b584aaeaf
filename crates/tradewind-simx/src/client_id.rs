//! A client's own name for an order: short text that the exchange repeats and never interprets.
//!
//! Foreign clients choose their own, so this is text and not the desk's [`ClientOrderId`]; the conversion is here and
//! costs no allocation, because a backtest makes it twice an order.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tradewind_model::ClientOrderId;

/// Text of 1 to 36 characters out of `A-Z a-z 0-9 . : / _ -`, held in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId {
    bytes: [u8; Self::LENGTH_MAX],
    length: u8,
}

/// A text that is no client order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 36 characters out of A-Z a-z 0-9 . : / _ -")]
pub struct ClientIdError;

impl ClientId {
    /// Most characters there can be.
    pub const LENGTH_MAX: usize = 36;

    /// Reads an id.
    ///
    /// # Errors
    /// [`ClientIdError`] for a text that is empty, too long or has other characters.
    pub fn new(text: &str) -> Result<Self, ClientIdError> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b".:/_-".contains(byte);
        if text.is_empty() || !text.as_bytes().iter().all(allowed) {
            return Err(ClientIdError);
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes
            .get_mut(..text.len())
            .ok_or(ClientIdError)?
            .copy_from_slice(text.as_bytes());
        Ok(Self {
            bytes,
            length: u8::try_from(text.len()).map_err(|_| ClientIdError)?,
        })
    }

    /// The text.
    ///
    /// # Panics
    /// Never: only ASCII gets in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("only ASCII gets in")
    }

    /// The text's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The desk's id that this text spells, if it spells one.
    #[must_use]
    pub fn to_desk(&self) -> Option<ClientOrderId> {
        if self.length != 32 {
            return None;
        }
        // In two halves: 64 bits are shifted by one instruction, 128 by several.
        let half = |bytes: &[u8]| {
            let mut bad = 0;
            let value = bytes.iter().fold(0_u64, |value, byte| {
                let nibble = match byte {
                    b'0'..=b'9' => byte - b'0',
                    b'a'..=b'f' => byte - b'a' + 10,
                    _ => u8::MAX,
                };
                bad |= nibble;
                value << 4 | u64::from(nibble & 0xf)
            });
            (bad <= 0xf).then_some(u128::from(value))
        };
        let (high, low) = (half(&self.bytes[..16])?, half(&self.bytes[16..32])?);
        Some(ClientOrderId(high << 64 | low))
    }
}

impl From<ClientOrderId> for ClientId {
    fn from(id: ClientOrderId) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [0; Self::LENGTH_MAX];
        for (pair, byte) in bytes.chunks_exact_mut(2).zip(id.0.to_be_bytes()) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self { bytes, length: 32 }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::ClientOrderIds;

    #[test]
    fn text_is_kept_and_bad_text_refused() {
        let longest = "x".repeat(36);
        for good in ["a", "web_1", "A.b:c/d_e-f", longest.as_str()] {
            assert_eq!(ClientId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "has space", "ü", "semi;colon", &"x".repeat(37)] {
            assert_eq!(ClientId::new(bad), Err(ClientIdError), "{bad:?}");
        }
    }

    #[test]
    fn the_desks_ids_go_through_unchanged() {
        let id = ClientOrderIds::new(0xdead_beef, 7).next_id();
        let text = ClientId::from(id);
        assert_eq!(text.as_str(), id.to_string());
        assert_eq!(text.to_desk(), Some(id));
        assert_eq!(ClientId::new("web_1").unwrap().to_desk(), None);
        assert_eq!(ClientId::new(&"G".repeat(32)).unwrap().to_desk(), None);
    }
}
