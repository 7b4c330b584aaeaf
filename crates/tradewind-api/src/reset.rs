//! Nonces for clearing the kill switch: each is valid once, for a minute.
//!
//! Only the newest is kept, so a reset uses the latest nonce.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::time::Instant;

use crate::auth::SecretHash;

/// How long a nonce is good.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

/// Makes nonces and takes them back.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Option<Pending>>);

#[derive(Debug)]
struct Pending {
    nonce: SecretHash,
    made: Instant,
}

impl Nonces {
    /// A new nonce; the one before is void.
    pub(crate) fn issue(&self) -> Result<String, ring::error::Unspecified> {
        let nonce = format!("{:032x}", random_u128()?);
        let pending = Pending {
            nonce: SecretHash::new(&nonce)?,
            made: Instant::now(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
        Ok(nonce)
    }

    /// Whether `nonce` is the newest and still good; whatever the answer, it is void from now on.
    pub(crate) fn take(&self, nonce: &str) -> bool {
        let pending = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        pending.is_some_and(|pending| pending.made.elapsed() < LIFETIME && pending.nonce.is(nonce))
    }
}

/// 128 bits from the operating system.
pub(crate) fn random_u128() -> Result<u128, ring::error::Unspecified> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_nonce_is_good_once_for_a_minute_and_only_the_newest() {
        let nonces = Nonces::default();
        assert!(!nonces.take(""));
        let nonce = nonces.issue().unwrap();
        assert!(nonces.take(&nonce));
        assert!(!nonces.take(&nonce));
        let old = nonces.issue().unwrap();
        let new = nonces.issue().unwrap();
        assert!(!nonces.take(&old));
        assert!(!nonces.take(&new), "a wrong guess voids the nonce");
        let late = nonces.issue().unwrap();
        tokio::time::advance(LIFETIME).await;
        assert!(!nonces.take(&late));
    }
}
