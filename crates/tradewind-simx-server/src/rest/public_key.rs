//! What a signature is checked with: an HMAC-SHA256 secret, or the public half of an Ed25519 or RSA key.
//!
//! HMAC signatures are hexadecimal, the others base64. Public keys come as PEM; of DER only as much is read as the two
//! forms of `SubjectPublicKeyInfo` need.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::{hmac, signature};

use super::errors::ApiError;

/// Checks signatures of one key.
pub(crate) enum Verifier {
    Hmac(hmac::Key),
    Ed25519(Vec<u8>),
    /// PKCS#1 v1.5 with SHA-256.
    Rsa(Vec<u8>),
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Hmac(..)",
            Self::Ed25519(_) => "Ed25519(..)",
            Self::Rsa(_) => "Rsa(..)",
        })
    }
}

/// Why a text holds no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PublicKeyError {
    #[error(
        "it does not begin with -----BEGIN PUBLIC KEY-----; openssl pkey -pubout makes such a file"
    )]
    NoPem,
    #[error("its base64 is damaged")]
    Base64,
    #[error("it is neither an Ed25519 nor an RSA key")]
    Unknown,
}

impl Verifier {
    /// The secret of HMAC-SHA256 signatures.
    pub(crate) fn hmac(secret: &str) -> Self {
        Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The public key in a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
        const END: &str = "-----END PUBLIC KEY-----";
        let (_, rest) = pem.split_once(BEGIN).ok_or(PublicKeyError::NoPem)?;
        let (body, _) = rest.split_once(END).ok_or(PublicKeyError::NoPem)?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64
            .decode(body.as_bytes())
            .map_err(|_| PublicKeyError::Base64)?;
        Self::from_der(&der).ok_or(PublicKeyError::Unknown)
    }

    /// `SEQUENCE { SEQUENCE { algorithm, .. }, BIT STRING key }`.
    fn from_der(der: &[u8]) -> Option<Self> {
        const SEQUENCE: u8 = 0x30;
        const OBJECT_ID: u8 = 0x06;
        const BIT_STRING: u8 = 0x03;
        const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        let (info, _) = element(der, SEQUENCE)?;
        let (algorithm, rest) = element(info, SEQUENCE)?;
        let (object, _) = element(algorithm, OBJECT_ID)?;
        let (bits, _) = element(rest, BIT_STRING)?;
        // The first byte counts the bits that are unused at the end: none.
        let key = bits.strip_prefix(&[0])?.to_vec();
        match object {
            ED25519 if key.len() == 32 => Some(Self::Ed25519(key)),
            RSA => Some(Self::Rsa(key)),
            _ => None,
        }
    }

    /// Checks `signature` over `payload`.
    ///
    /// # Errors
    /// -1022.
    pub(crate) fn check(&self, payload: &[u8], signature: &str) -> Result<(), ApiError> {
        let decoded = match self {
            Self::Hmac(_) => HEXLOWER_PERMISSIVE.decode(signature.as_bytes()),
            Self::Ed25519(_) | Self::Rsa(_) => BASE64.decode(signature.as_bytes()),
        };
        let bytes = decoded.map_err(|_| ApiError::SIGNATURE)?;
        let checked = match self {
            Self::Hmac(secret) => hmac::verify(secret, payload, &bytes),
            Self::Ed25519(key) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(payload, &bytes)
            }
            Self::Rsa(key) => {
                let algorithm = &signature::RSA_PKCS1_2048_8192_SHA256;
                signature::UnparsedPublicKey::new(algorithm, key).verify(payload, &bytes)
            }
        };
        checked.map_err(|_| ApiError::SIGNATURE)
    }

    /// Whether a session can be opened with it.
    pub(crate) const fn can_log_on(&self) -> bool {
        matches!(self, Self::Ed25519(_))
    }
}

/// What a client with this secret signs `payload` with.
pub(crate) fn sign_hmac(secret: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, payload.as_bytes()).as_ref())
}

/// The contents of the DER element at the start of `bytes`, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let digits = rest.get(..count).filter(|_| (1..=2).contains(&count))?;
        let length = digits
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        (length, rest.get(count..)?)
    };
    (found == tag && length <= rest.len()).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The public key of RFC 8032, test 1, as `openssl pkey -pubout` writes it.
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
        -----END PUBLIC KEY-----\n";
    /// Its signature of the empty text.
    const OF_NOTHING: &str =
        "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";

    /// A key made for this test, of 2,048 bits.
    const RSA: &str = "-----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqrzLuD0Ajj7ciPxjrLhj
        j3SN31ndQg/S9Xn8ak3xtViIU1XPoB8om5ZGv4jXByn3nvtP418dx2y7Ym9x9759
        sQ60NzavSF1CAN9XejxUSYntDb6rdQzCPZMcRJuBW8aLviBcFgDWVWY+cVbObkZs
        Eb63KwIYZzsauuqE9jMAIBHVajv9wh8rGlBEq2uOywvysjxVk8eF6vKnoaaGWB6W
        ouQT6WDwwLBzGrnV+oW/96yP6KlgY9gMDQhMNrYlXtdKSEhBCra46scYZdbtraDx
        R0AvgyqOBhbdItBRRDEZxmdY6fitGbJZDgmmsemcKWvjHwiJYPeC/LeKTkjl3WyZ
        kwIDAQAB
        -----END PUBLIC KEY-----";
    /// Its signature of `timestamp=1`.
    const OF_TIMESTAMP: &str = "Bl6ORHrT+ZGlsdQv0aneMgCSj0dmF4ygxlGpP9wlvkF6vnq0HM9D6Fgrd3N4ZlZnd5CGeX3BZ86s\
        XuIOJF2mlFRhCo5fENt9rolHFYeQLfnJ2BDy9JzB/cRWP9el2/ELW7DmH/XlexhHU5LZm3tLH+MuhiVU71poGmZNbzR0qO/JIYSIMVeptN7r\
        scQYuROplL5+DNWOOfsdvkR3suYbZZ6IoNSKrXC0K/qb5jHEJGxBGZBwu3V8v/GI+hesBW+IXjOjKBOXsp2TSpxVnJZnavgGcqHnOpJ9cfw1\
        7lQUhJQkgNJMMCNN5oIPcxN4TtD27DSF5hxpWMog79XNOJcnRw==";

    #[test]
    fn keys_are_read_from_pem_and_check_signatures() {
        let key = Verifier::from_pem(ED25519).unwrap();
        assert!(key.can_log_on());
        assert_eq!(key.check(b"", OF_NOTHING), Ok(()));
        assert_eq!(key.check(b"x", OF_NOTHING), Err(ApiError::SIGNATURE));
        assert_eq!(key.check(b"", "not base64"), Err(ApiError::SIGNATURE));
        let rsa = Verifier::from_pem(RSA).unwrap();
        assert!(!rsa.can_log_on());
        assert_eq!(rsa.check(b"timestamp=1", OF_TIMESTAMP), Ok(()));
        assert_eq!(
            rsa.check(b"timestamp=2", OF_TIMESTAMP),
            Err(ApiError::SIGNATURE)
        );
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let wrapped = |body: &str| {
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
            Verifier::from_pem(&pem).unwrap_err()
        };
        assert_eq!(
            Verifier::from_pem("hello").unwrap_err(),
            PublicKeyError::NoPem
        );
        assert_eq!(wrapped("a!=="), PublicKeyError::Base64);
        assert_eq!(wrapped("AAAA"), PublicKeyError::Unknown);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(der in proptest::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,40}") {
            drop(Verifier::from_der(&der));
            let key = Verifier::hmac("secret");
            prop_assert_eq!(key.check(text.as_bytes(), &text), Err(ApiError::SIGNATURE));
        }
    }
}
