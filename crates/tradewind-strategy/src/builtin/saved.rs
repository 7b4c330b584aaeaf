//! The envelope of a strategy's saved state.
//!
//! State is worth something only to the strategy that saved it, in the same version and with the same settings: an
//! average over 20 candles is not one over 50. The envelope has all three and is refused if one differs. The format
//! is `MessagePack` with named fields, which keeps every bit of an `f64`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalogue::StrategyInfo;
use crate::strategy::RestoreError;

#[derive(Serialize)]
struct Envelope<'a, S, T> {
    strategy: &'a str,
    version: u32,
    settings: &'a S,
    state: &'a T,
}

/// What is read first: it can be read whatever the version's state looks like.
#[derive(Deserialize)]
struct Label {
    strategy: String,
    version: u32,
}

#[derive(Deserialize)]
struct Content<S, T> {
    settings: S,
    state: T,
}

/// Packs `state`.
pub(super) fn save<S: Serialize, T: Serialize>(
    info: &StrategyInfo,
    settings: &S,
    state: &T,
) -> Vec<u8> {
    let envelope = Envelope {
        strategy: info.name,
        version: info.version,
        settings,
        state,
    };
    rmp_serde::to_vec_named(&envelope)
        .expect("writing to memory cannot fail, and no state holds what the format lacks")
}

/// Unpacks what [`save`] packed for the same strategy with the same `settings`.
pub(super) fn restore<S: DeserializeOwned + PartialEq, T: DeserializeOwned>(
    info: &StrategyInfo,
    settings: &S,
    bytes: &[u8],
) -> Result<T, RestoreError> {
    let unreadable = |error: rmp_serde::decode::Error| RestoreError(error.to_string());
    let label: Label = rmp_serde::from_slice(bytes).map_err(unreadable)?;
    if label.strategy != info.name || label.version != info.version {
        return Err(RestoreError(format!(
            "it is of {} version {}, this is {} version {}",
            label.strategy, label.version, info.name, info.version
        )));
    }
    let content: Content<S, T> = rmp_serde::from_slice(bytes).map_err(unreadable)?;
    if content.settings == *settings {
        Ok(content.state)
    } else {
        Err(RestoreError(
            "it was saved with other parameters".to_owned(),
        ))
    }
}
