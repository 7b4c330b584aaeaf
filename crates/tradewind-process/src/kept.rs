//! What is kept of a strategy over a restart: whose it is, what the desk knows of it, and the state of the process. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::Ppm;

/// The first bytes of what is kept. A state of before does not have them.
const MAGIC: &[u8; 4] = b"TWK1";

/// The desk's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) file: String,
    pub(crate) class: String,
    /// By instrument, the exposure that the column `target` requested last.
    #[serde(default)]
    pub(crate) targets: BTreeMap<String, Ppm>,
}

impl Kept {
    /// The bytes that are kept.
    pub(crate) fn with(&self, state: &[u8]) -> Vec<u8> {
        let own = serde_json::to_vec(self).unwrap_or_default();
        let length = u32::try_from(own.len()).unwrap_or_default();
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&own);
        out.extend_from_slice(state);
        out
    }

    /// The parts of what was kept. Bytes without a desk's part are the state of a process.
    pub(crate) fn split(bytes: &[u8]) -> (Option<Self>, &[u8]) {
        let parts = bytes.strip_prefix(MAGIC).and_then(|rest| {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (own, state) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            Some((serde_json::from_slice(own).ok()?, state))
        });
        match parts {
            Some((kept, state)) => (Some(kept), state),
            None => (None, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_split_again_and_a_state_of_before_is_one() {
        let kept = Kept {
            file: "a.py".to_owned(),
            class: "A".to_owned(),
            targets: BTreeMap::from([("x:BTC/USDT".to_owned(), Ppm(500_000))]),
        };
        let bytes = kept.with(b"{}");
        assert_eq!(Kept::split(&bytes), (Some(kept), &b"{}"[..]));
        assert_eq!(Kept::split(b"{\"state\":1}"), (None, &b"{\"state\":1}"[..]));
        assert_eq!(Kept::split(b"TWK1\xff"), (None, &b"TWK1\xff"[..]));
    }
}
