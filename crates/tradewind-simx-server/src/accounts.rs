//! Accounts and their API keys as an operator writes them: `KEY:SECRET:USDT=10000,BTC=1`.
//!
//! The key may say in brackets what it can do, the secret may be the file of a public key:
//!
//! | written | means |
//! |---|---|
//! | `desk:s3cret:USDT=10000` | a key that reads and trades, signed with HMAC-SHA256 |
//! | `desk:@desk.pem:USDT=10000` | the same, signed with the private half of that Ed25519 or RSA key |
//! | `eye[read,of=desk]:other` | a key that only reads, on the account that `desk` opened |
//! | `boss[withdraw,open]:other:BTC=1` | a key that could withdraw too and is bound to no address |
//!
//! Files are read when the server is bound, not here.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tradewind_model::{Amount, NumberError};

/// A key, and the account that it opens or shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSpec {
    /// API key: letters, digits, `-` and `_`, 128 at most.
    pub key: String,
    /// What its signatures are checked with.
    pub credential: Credential,
    /// What it may do.
    pub permissions: Permissions,
    /// The key that opened the account this one is for; `None` for a key with an account of its own.
    pub shares: Option<String>,
    /// What its own account has when it is opened: asset names and amounts.
    pub balances: Vec<(String, Amount)>,
}

/// What signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The secret of HMAC-SHA256 signatures.
    Secret(String),
    /// A PEM file with the public key (`SubjectPublicKeyInfo`) of Ed25519 or RSA signatures.
    PublicKey(PathBuf),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(..)"),
            Self::PublicKey(path) => f.debug_tuple("PublicKey").field(path).finish(),
        }
    }
}

/// What a key may do beyond reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Place, change and cancel orders.
    pub trading: bool,
    /// Withdraw. Nothing can be withdrawn here; desks refuse such a key, and this is how to see them do it.
    pub withdrawals: bool,
    /// Act from any address. A key that may not is bound to the one its client has.
    pub any_address: bool,
}

impl Permissions {
    /// Read and trade, from one address: what a desk should have.
    pub const TRADE_ONLY: Self = Self {
        trading: true,
        withdrawals: false,
        any_address: false,
    };
}

impl Default for Permissions {
    fn default() -> Self {
        Self::TRADE_ONLY
    }
}

/// Why a text describes no account. It never repeats the text, since that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountSpecError {
    /// Not `KEY:SECRET` or `KEY:SECRET:ASSET=AMOUNT,…`.
    #[error("an account reads KEY:SECRET:USDT=10000,BTC=1 or KEY:@public.pem:USDT=10000")]
    Shape,
    /// Characters no API key has.
    #[error("an API key has 1 to 128 letters, digits, - and _")]
    Key,
    /// A word in the key's brackets that means nothing.
    #[error(
        "a key may be [read], [withdraw], [open] or [of=KEY], with commas between, not {word:?}"
    )]
    Permission {
        /// The word.
        word: String,
    },
    /// Balances for a key that has no account of its own.
    #[error("a key on the account of {owner} opens none, so it has no balances")]
    SharedBalances {
        /// Whose account it is.
        owner: String,
    },
    /// An amount that is no number.
    #[error("the balance of {asset} is no amount")]
    Amount {
        /// Of what.
        asset: String,
        /// Why not.
        #[source]
        source: NumberError,
    },
}

impl AccountSpec {
    /// A trade-only key with an account of its own, signed with HMAC-SHA256.
    #[must_use]
    pub const fn new(key: String, secret: String, balances: Vec<(String, Amount)>) -> Self {
        Self {
            key,
            credential: Credential::Secret(secret),
            permissions: Permissions::TRADE_ONLY,
            shares: None,
            balances,
        }
    }
}

impl FromStr for AccountSpec {
    type Err = AccountSpecError;

    /// Reads `KEY:SECRET:USDT=10000,BTC=1`; the module's page has all forms.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (Some(key), Some(secret)) = (part(), part()) else {
            return Err(AccountSpecError::Shape);
        };
        let balances = part().map_or(Ok(Vec::new()), |list| {
            list.split(',').map(balance).collect()
        })?;
        let (key, permissions, shares) = key_and_permissions(key)?;
        if let Some(owner) = shares.as_ref().filter(|_| !balances.is_empty()) {
            return Err(AccountSpecError::SharedBalances {
                owner: owner.clone(),
            });
        }
        Ok(Self {
            key,
            credential: match secret.strip_prefix('@') {
                Some(path) => Credential::PublicKey(path.into()),
                None => Credential::Secret(secret.to_owned()),
            },
            permissions,
            shares,
            balances,
        })
    }
}

/// Whether `key` could be an API key.
pub(crate) fn is_api_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.len() <= 128 && key.bytes().all(plain)
}

type KeyParts = (String, Permissions, Option<String>);

fn key_and_permissions(text: &str) -> Result<KeyParts, AccountSpecError> {
    let (key, words) = match text.split_once('[') {
        Some((key, words)) => (key, words.strip_suffix(']').ok_or(AccountSpecError::Shape)?),
        None => (text, ""),
    };
    if !is_api_key(key) {
        return Err(AccountSpecError::Key);
    }
    let (mut permissions, mut shares) = (Permissions::TRADE_ONLY, None);
    for word in words.split(',').filter(|word| !word.is_empty()) {
        match (word, word.strip_prefix("of=")) {
            ("read", _) => permissions.trading = false,
            ("withdraw", _) => permissions.withdrawals = true,
            ("open", _) => permissions.any_address = true,
            (_, Some(owner)) => shares = Some(owner.to_owned()),
            (other, None) => {
                return Err(AccountSpecError::Permission {
                    word: other.to_owned(),
                });
            }
        }
    }
    Ok((key.to_owned(), permissions, shares))
}

fn balance(text: &str) -> Result<(String, Amount), AccountSpecError> {
    let (asset, amount) = text.split_once('=').ok_or(AccountSpecError::Shape)?;
    let amount = amount.parse().map_err(|source| AccountSpecError::Amount {
        asset: asset.to_owned(),
        source,
    })?;
    Ok((asset.to_owned(), amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AccountSpec, AccountSpecError> {
        text.parse()
    }

    #[test]
    fn accounts_are_read_from_one_text() {
        let account = read("key:secret:USDT=10000,BTC=0.5").unwrap();
        assert_eq!(account.key, "key");
        assert_eq!(account.permissions, Permissions::TRADE_ONLY);
        assert_eq!(account.balances[1], ("BTC".into(), "0.5".parse().unwrap()));
        assert_eq!(read("key:secret").unwrap().balances, []);
        assert_eq!(read("key"), Err(AccountSpecError::Shape));
        assert_eq!(read("no key:secret"), Err(AccountSpecError::Key));
        assert!(read("key:secret:USDT=1e5").is_err());
        assert!(!format!("{account:?}").contains("secret"));
    }

    #[test]
    fn a_key_says_in_brackets_what_it_may() {
        let reader = read("eye[read,of=desk]:secret").unwrap();
        assert!(!reader.permissions.trading);
        assert_eq!(
            (reader.key.as_str(), reader.shares.as_deref()),
            ("eye", Some("desk"))
        );
        let boss = read("boss[withdraw,open]:@keys/boss.pem:BTC=1").unwrap();
        assert!(boss.permissions.withdrawals && boss.permissions.any_address);
        assert_eq!(
            boss.credential,
            Credential::PublicKey("keys/boss.pem".into())
        );
        for (text, wanted) in [
            (
                "a[fly]:s",
                AccountSpecError::Permission { word: "fly".into() },
            ),
            ("a[read:s", AccountSpecError::Shape),
            (
                "a[of=b]:s:USDT=1",
                AccountSpecError::SharedBalances { owner: "b".into() },
            ),
        ] {
            assert_eq!(read(text), Err(wanted), "{text}");
        }
    }
}
