//! Keys and signatures. Source: rest-api.md and web-socket-api.md, "SIGNED request example (HMAC)", July 2026.

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// An account's key and its secret. Printing one shows neither.
#[derive(Clone)]
pub struct ApiKey {
    key: SecretString,
    secret: SecretString,
}

impl ApiKey {
    /// A key as the venue issued it.
    #[must_use]
    pub fn new(key: impl Into<String>, secret: SecretString) -> Self {
        Self {
            key: SecretString::from(key.into()),
            secret,
        }
    }

    /// The key, for the request header.
    pub(super) fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// Signs a payload.
    pub(super) fn sign(&self, payload: &str) -> String {
        sign_hmac(self.secret.expose_secret(), payload)
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// HMAC-SHA256 of `payload` under `secret`, as lower-case hexadecimal digits.
#[must_use]
pub fn sign_hmac(secret: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, payload.as_bytes());
    let mut text = String::with_capacity(64);
    for byte in tag.as_ref() {
        text.push(hex(byte >> 4));
        text.push(hex(byte & 15));
    }
    text
}

fn hex(nibble: u8) -> char {
    char::from(if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_nothing_of_itself() {
        let key = ApiKey::new("public", SecretString::from("private"));
        let printed = format!("{key:?}");
        assert!(!printed.contains("public") && !printed.contains("private"));
        assert_eq!(key.sign("").len(), 64);
    }
}
