//! Keys and signatures, HMAC-SHA256 and Ed25519. Source: rest-api.md and web-socket-api.md, "SIGNED request example", July
//! 2026. RSA keys are not spoken: the venue itself recommends Ed25519, which is shorter and quicker.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::{BASE64, HEXLOWER};
use ring::hmac;
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tradewind_model::{Clock, Timestamp};

use super::requests::Params;
use crate::clock_offset::ClockOffset;

/// An account's key and its secret. Printing one shows neither.
#[derive(Clone)]
pub struct ApiKey {
    key: SecretString,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Hmac(SecretString),
    Ed25519(Arc<Ed25519KeyPair>),
}

/// A secret that looks like a key file and is none that can be used. It never carries the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Encrypted, RSA's or EC's own format, or no private key at all.
    #[error(
        "the PEM text is no plain PKCS#8 key: it must begin with -----BEGIN PRIVATE KEY-----; make one with `openssl genpkey -algorithm ed25519`"
    )]
    NotPkcs8,
    /// PKCS#8, but of another algorithm.
    #[error(
        "the PKCS#8 key is not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`"
    )]
    NotEd25519,
}

impl ApiKey {
    /// A key with the secret that the venue issued with it: requests are signed by HMAC.
    #[must_use]
    pub fn new(key: impl Into<String>, secret: SecretString) -> Self {
        Self {
            key: SecretString::from(key.into()),
            secret: Secret::Hmac(secret),
        }
    }

    /// A key with whatever belongs to it: a private key in PEM text, known by its header, or the venue's secret.
    ///
    /// Line ends may be written as `\n`, since not every way of setting a variable takes several lines.
    ///
    /// # Errors
    /// [`KeyError`] for PEM text that is no Ed25519 key.
    pub fn recognise(key: impl Into<String>, secret: &SecretString) -> Result<Self, KeyError> {
        let text = secret.expose_secret().trim();
        if !text.starts_with("-----BEGIN") {
            return Ok(Self::new(key, SecretString::from(text)));
        }
        let text = SecretString::from(text.replace("\\n", "\n"));
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.expose_secret().as_bytes())
            .map_err(|_| KeyError::NotPkcs8)?;
        // OpenSSL leaves the public half out, so there is nothing to check it against.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| KeyError::NotEd25519)?;
        Ok(Self {
            key: SecretString::from(key.into()),
            secret: Secret::Ed25519(Arc::new(pair)),
        })
    }

    /// The key, for the request header.
    pub(super) fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// Signs a payload: hexadecimal digits by HMAC, base 64 by Ed25519.
    pub(super) fn sign(&self, payload: &str) -> String {
        match &self.secret {
            Secret::Hmac(secret) => sign_hmac(secret.expose_secret(), payload),
            Secret::Ed25519(pair) => BASE64.encode(pair.sign(payload.as_bytes()).as_ref()),
        }
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// Signs requests as of the venue's time: a key, and what is known of the venue's clock.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub(super) key: ApiKey,
    pub(super) window_ms: u64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) offset: Arc<Mutex<ClockOffset>>,
}

impl Signer {
    /// The key, for the request header.
    pub(super) fn key(&self) -> &str {
        self.key.key()
    }

    /// Parameters signed as of now, for a query or a form.
    pub(super) fn signed(&self, params: Params) -> Params {
        params.signed(&self.key, self.venue_time(), self.window_ms)
    }

    /// Parameters signed as of now, for a message of the WebSocket API.
    pub(super) fn message(&self, params: Params) -> Value {
        params.signed_message(&self.key, self.venue_time(), self.window_ms)
    }

    fn venue_time(&self) -> Timestamp {
        let offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        offset.venue_time(self.clock.now())
    }
}

/// HMAC-SHA256 of `payload` under `secret`, as lower-case hexadecimal digits.
#[must_use]
pub fn sign_hmac(secret: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, payload.as_bytes()).as_ref())
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
        let printed = format!("{:?}", ed25519());
        assert!(!printed.contains("public") && !printed.contains("9d61"));
    }

    /// The first test vector of RFC 8032, section 7.1, its seed wrapped as OpenSSL wraps it.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";

    fn ed25519() -> ApiKey {
        ApiKey::recognise("public", &SecretString::from(PEM)).unwrap()
    }

    #[test]
    fn a_private_key_in_pem_signs_by_ed25519() {
        let signature = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";
        assert_eq!(ed25519().sign(""), signature);
        let one_line = SecretString::from(PEM.trim().replace('\n', "\\n"));
        let key = ApiKey::recognise("public", &one_line).unwrap();
        assert_eq!(key.sign(""), signature);
    }

    #[test]
    fn what_a_secret_is_shows_in_its_header() {
        let check = |secret: &str, wanted: Result<String, KeyError>| {
            let key = ApiKey::recognise("k", &SecretString::from(secret));
            assert_eq!(key.map(|key| key.sign("a")), wanted, "{secret}");
        };
        check("NhqPtmdS", Ok(sign_hmac("NhqPtmdS", "a")));
        check(" NhqPtmdS\n", Ok(sign_hmac("NhqPtmdS", "a")));
        let pem = |kind: &str, base64: &str| {
            format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n")
        };
        check(
            &pem("ENCRYPTED PRIVATE KEY", "AAAA"),
            Err(KeyError::NotPkcs8),
        );
        check(&pem("RSA PRIVATE KEY", "AAAA"), Err(KeyError::NotPkcs8));
        check("-----BEGIN PRIVATE KEY-----", Err(KeyError::NotPkcs8));
        check(&pem("PRIVATE KEY", "AAAA"), Err(KeyError::NotEd25519));
    }
}
