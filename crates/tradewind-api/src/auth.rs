//! Authentication: one bearer token, a one-time login code, and a lockout for guessing.
//!
//! A secret is compared by its HMAC-SHA-256 under a key of its own, all bytes of it, so the time of an answer reveals
//! nothing. Everything is denied unless `guard` finds it on its short list of open addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::time::Instant;

/// The name of the only token there is.
pub(crate) const OPERATOR: &str = "operator";

/// So many failures within [`WINDOW`] lock a peer out.
const FAILURES_MAX: u32 = 10;
/// How long failures are remembered, and how long a lockout lasts.
const WINDOW: Duration = Duration::from_secs(60);
/// Maximum number of peers with failures; beyond that the oldest is dropped.
const PEERS_MAX: usize = 1_024;

/// The secrets a server is started with. Prints nothing.
pub struct Secrets {
    /// The operator's token.
    pub token: String,
    /// The code of the login link, good once.
    pub login_code: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Checks tokens and codes.
pub(crate) struct Keys {
    token: String,
    token_hash: SecretHash,
    login: Mutex<Option<SecretHash>>,
    failures: Mutex<BTreeMap<IpAddr, Failures>>,
}

/// A keyed hash of a secret.
#[derive(Debug)]
pub(crate) struct SecretHash {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// Recent failures of a peer.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    since: Instant,
}

/// The result of checking a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verification<T> {
    /// It is right.
    Granted(T),
    /// It is wrong.
    Denied,
    /// The peer failed too often; the secret was not checked.
    LockedOut,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Fails if the operating system has no randomness.
    pub(crate) fn new(secrets: Secrets) -> Result<Self, Unspecified> {
        let login = secrets.login_code.as_deref().map(SecretHash::new);
        Ok(Self {
            token_hash: SecretHash::new(&secrets.token)?,
            token: secrets.token,
            login: Mutex::new(login.transpose()?),
            failures: Mutex::default(),
        })
    }

    /// The name of the principal with `token`.
    pub(crate) fn check_token(&self, peer: IpAddr, token: &str) -> Verification<&'static str> {
        self.verify(peer, || self.token_hash.is(token).then_some(OPERATOR))
    }

    /// Exchanges the login code for the token, once.
    pub(crate) fn redeem(&self, peer: IpAddr, code: &str) -> Verification<String> {
        self.verify(peer, || {
            let mut login = lock(&self.login);
            let right = login.as_ref().is_some_and(|known| known.is(code));
            right.then(|| {
                *login = None;
                self.token.clone()
            })
        })
    }

    fn verify<T>(&self, peer: IpAddr, look: impl FnOnce() -> Option<T>) -> Verification<T> {
        let now = Instant::now();
        let mut failures = lock(&self.failures);
        let past = failures.get(&peer).filter(|past| now - past.since < WINDOW);
        let count = past.map_or(0, |past| past.count);
        if count >= FAILURES_MAX {
            return Verification::LockedOut;
        }
        if let Some(granted) = look() {
            return Verification::Granted(granted);
        }
        // The window of a lockout begins with the failure that completed it.
        let since = match past {
            Some(past) if count + 1 < FAILURES_MAX => past.since,
            Some(_) | None => now,
        };
        let count = count + 1;
        if failures.len() >= PEERS_MAX {
            forget_oldest(&mut failures);
        }
        let _ = failures.insert(peer, Failures { count, since });
        tracing::warn!(%peer, count, "a wrong token or login code");
        Verification::Denied
    }
}

fn forget_oldest(failures: &mut BTreeMap<IpAddr, Failures>) {
    let oldest = failures.iter().min_by_key(|(_, past)| past.since);
    if let Some(peer) = oldest.map(|(peer, _)| *peer) {
        let _ = failures.remove(&peer);
    }
}

impl SecretHash {
    /// Fails if the operating system has no randomness.
    pub(crate) fn new(secret: &str) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        let tag = hmac::sign(&key, secret.as_bytes());
        Ok(Self { key, tag })
    }

    /// Whether `secret` is the one that was sealed, in a time that does not depend on where it differs.
    pub(crate) fn is(&self, secret: &str) -> bool {
        hmac::verify(&self.key, secret.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

/// A mutex whose holder panicked still holds what it held: counts and hashes are whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

    fn keys() -> Keys {
        Keys::new(Secrets {
            token: "right".into(),
            login_code: Some("code".into()),
        })
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn ten_failures_within_a_minute_lock_the_peer_out_for_a_minute() {
        let keys = keys();
        for _ in 0..10 {
            assert_eq!(keys.check_token(PEER, "wrong"), Verification::Denied);
        }
        assert_eq!(keys.check_token(PEER, "right"), Verification::LockedOut);
        assert_eq!(keys.redeem(PEER, "code"), Verification::LockedOut);
        assert_eq!(
            keys.check_token(OTHER, "right"),
            Verification::Granted(OPERATOR)
        );
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(keys.check_token(PEER, "right"), Verification::LockedOut);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(
            keys.check_token(PEER, "right"),
            Verification::Granted(OPERATOR)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nine_failures_and_a_minute_are_forgiven() {
        let keys = keys();
        for _ in 0..9 {
            assert_eq!(keys.check_token(PEER, ""), Verification::Denied);
        }
        tokio::time::advance(WINDOW).await;
        assert_eq!(keys.check_token(PEER, "wrong"), Verification::Denied);
        assert_eq!(
            keys.check_token(PEER, "right"),
            Verification::Granted(OPERATOR)
        );
    }

    #[tokio::test]
    async fn a_login_code_is_good_once() {
        let keys = keys();
        assert_eq!(keys.redeem(PEER, "edoc"), Verification::Denied);
        assert_eq!(
            keys.redeem(PEER, "code"),
            Verification::Granted("right".into())
        );
        assert_eq!(keys.redeem(PEER, "code"), Verification::Denied);
        assert_eq!(format!("{keys:?}"), "Keys(…)");
    }
}
