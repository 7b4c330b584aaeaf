//! Who is asking: API keys, signatures and the request's age.
//!
//! The signature covers exactly the bytes that were received, without the signature itself; nothing is re-encoded or
//! sorted. Only the WebSocket API sorts, because a JSON object has no order. Checked against the documented examples.

use tradewind_model::{AccountId, Timestamp, parse_fixed};

use super::errors::ApiError;
use super::params::Params;
use super::public_key::Verifier;
use crate::accounts::{Permissions, is_api_key};

const RECV_WINDOW_MILLIS: i64 = 5_000;
const RECV_WINDOW_MILLIS_MAX: i64 = 60_000;

/// The keys the exchange knows.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

/// An API key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) verifier: Verifier,
    pub(crate) account: AccountId,
    pub(crate) permissions: Permissions,
}

/// Who asks, once it is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) permissions: Permissions,
}

impl Caller {
    /// Itself, if its key has the permission.
    ///
    /// # Errors
    /// -2015.
    pub(crate) fn require(self, has: impl FnOnce(&Permissions) -> bool) -> Result<Self, ApiError> {
        if has(&self.permissions) {
            Ok(self)
        } else {
            Err(ApiError::KEY)
        }
    }
}

impl Key {
    const fn caller(&self) -> Caller {
        Caller {
            account: self.account,
            permissions: self.permissions,
        }
    }
}

impl KeyRing {
    /// Adds a key.
    pub(crate) fn add(&mut self, key: Key) {
        self.keys.push(key);
    }

    fn find(&self, name: Option<&str>) -> Result<&Key, ApiError> {
        let name = name
            .filter(|name| is_api_key(name))
            .ok_or(ApiError::KEY_FORMAT)?;
        self.keys
            .iter()
            .find(|key| key.name == name)
            .ok_or(ApiError::KEY)
    }

    /// Who sent a REST request, if its key, age and signature are right.
    pub(crate) fn authorize_rest(
        &self,
        now: Timestamp,
        key: Option<&str>,
        params: &Params,
        received: &Received<'_>,
    ) -> Result<Caller, ApiError> {
        let key = self.find(key)?;
        let signature = params.required("signature")?;
        check_age(now, params)?;
        let payload = received.payload();
        key.verifier.check(payload.as_bytes(), signature)?;
        Ok(key.caller())
    }

    /// Who sent a WebSocket API request. It brings its key and a signature as parameters, or neither on a connection
    /// that is logged on: then `session` says who it is, and only the request's age is checked.
    pub(crate) fn authorize_ws(
        &self,
        now: Timestamp,
        params: &Params,
        session: Option<Caller>,
    ) -> Result<Caller, ApiError> {
        if let Some(caller) = session.filter(|_| params.text("apiKey").is_none()) {
            check_age(now, params)?;
            return Ok(caller);
        }
        self.signed_key(now, params).map(Key::caller)
    }

    /// Who logs on a connection, and with which key.
    pub(crate) fn authorize_logon(
        &self,
        now: Timestamp,
        params: &Params,
    ) -> Result<(String, Caller), ApiError> {
        let key = self.find(Some(params.required("apiKey")?))?;
        if !key.verifier.can_log_on() {
            return Err(ApiError::NO_LOGON_KEY);
        }
        let key = self.signed_key(now, params)?;
        Ok((key.name.clone(), key.caller()))
    }

    fn signed_key(&self, now: Timestamp, params: &Params) -> Result<&Key, ApiError> {
        let key = self.find(Some(params.required("apiKey")?))?;
        let signature = params.required("signature")?;
        check_age(now, params)?;
        key.verifier
            .check(sorted_payload(params).as_bytes(), signature)?;
        Ok(key)
    }
}

/// The two raw parts of a REST request that its signature covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) query: &'a str,
    pub(crate) body: &'a str,
}

impl Received<'_> {
    fn payload(&self) -> String {
        let mut payload = without_signature(self.query);
        payload.push_str(&without_signature(self.body));
        payload
    }
}

fn without_signature(form: &str) -> String {
    let kept: Vec<&str> = form
        .split('&')
        .filter(|part| !part.starts_with("signature="))
        .collect();
    kept.join("&")
}

fn sorted_payload(params: &Params) -> String {
    let mut pairs: Vec<(&str, &str)> = params
        .iter()
        .filter(|(name, _)| *name != "signature")
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// `timestamp < now + 1 s` and `now - timestamp <= recvWindow`, as the venue's page has it.
fn check_age(now: Timestamp, params: &Params) -> Result<(), ApiError> {
    const SECOND: i64 = 1_000_000_000;
    let sent = params
        .time("timestamp")?
        .ok_or_else(|| ApiError::mandatory("timestamp"))?;
    let window = recv_window_nanos(params)?;
    if sent.as_nanos() >= now.as_nanos().saturating_add(SECOND) {
        return Err(ApiError::AHEAD);
    }
    // The stamp counts whole milliseconds, so the server's age of it does too.
    let age = now.as_nanos().saturating_sub(sent.as_nanos()) / 1_000_000 * 1_000_000;
    if age > window {
        Err(ApiError::OUTSIDE_WINDOW)
    } else {
        Ok(())
    }
}

/// Milliseconds with up to three decimals, 60,000 at most.
fn recv_window_nanos(params: &Params) -> Result<i64, ApiError> {
    let Some(text) = params.text("recvWindow") else {
        return Ok(RECV_WINDOW_MILLIS * 1_000_000);
    };
    let micros = parse_fixed(text, 3)
        .ok()
        .and_then(|micros| i64::try_from(micros).ok());
    let micros = micros
        .filter(|micros| *micros >= 0)
        .ok_or_else(|| ApiError::mandatory("recvWindow"))?;
    if micros > RECV_WINDOW_MILLIS_MAX * 1_000 {
        return Err(ApiError::too_large("recvWindow", RECV_WINDOW_MILLIS_MAX));
    }
    Ok(micros * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::sign_hmac;

    const NOW: Timestamp = Timestamp::from_millis(1_499_827_319_559);

    fn ring() -> KeyRing {
        let mut ring = KeyRing::default();
        ring.add(Key {
            name: "key".into(),
            verifier: Verifier::hmac("secret"),
            account: AccountId(3),
            permissions: Permissions::TRADE_ONLY,
        });
        ring
    }

    fn sign(payload: &str) -> String {
        sign_hmac("secret", payload)
    }

    fn check(query: &str, body: &str) -> Result<AccountId, ApiError> {
        let params = Params::from_form(query, body)?;
        ring()
            .authorize_rest(NOW, Some("key"), &params, &Received { query, body })
            .map(|caller| caller.account)
    }

    #[test]
    fn query_and_body_are_signed_with_nothing_between() {
        let signature = sign("a=1b=2&timestamp=1499827319559");
        let body = format!("b=2&timestamp=1499827319559&signature={signature}");
        assert_eq!(check("a=1", &body), Ok(AccountId(3)));
        let upper = format!(
            "b=2&timestamp=1499827319559&signature={}",
            signature.to_uppercase()
        );
        assert_eq!(check("a=1", &upper), Ok(AccountId(3)));
        assert_eq!(check("a=2", &body), Err(ApiError::SIGNATURE));
    }

    #[test]
    fn age_is_judged_to_the_millisecond() {
        let at = |offset: i64, window: &str| {
            let payload = format!("timestamp={}{window}", NOW.as_millis() + offset);
            check(&format!("{payload}&signature={}", sign(&payload)), "")
        };
        assert_eq!(at(999, ""), Ok(AccountId(3)));
        assert_eq!(at(1_000, ""), Err(ApiError::AHEAD));
        assert_eq!(at(-5_000, ""), Ok(AccountId(3)));
        assert_eq!(at(-5_001, ""), Err(ApiError::OUTSIDE_WINDOW));
        assert_eq!(at(-10_000, "&recvWindow=10000.000"), Ok(AccountId(3)));
        assert_eq!(at(0, "&recvWindow=60001").unwrap_err().code, -1102);
        assert_eq!(at(0, "&recvWindow=x").unwrap_err().code, -1102);
    }

    #[test]
    fn the_venues_own_examples_are_accepted() {
        let Some(path) = tradewind_testkit::test_data("known_answers/signing.json") else {
            return;
        };
        let all: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in all["cases"].as_array().unwrap() {
            let field = |name: &str| case[name].as_str().unwrap();
            let verifier = Verifier::hmac(field("secret"));
            let (payload, signature) = (field("payload"), field("signature"));
            let check =
                |payload: &str, signature: &str| verifier.check(payload.as_bytes(), signature);
            assert_eq!(check(payload, signature), Ok(()), "{}", field("name"));
            assert_eq!(check(payload, &signature.to_uppercase()), Ok(()));
            let cut = payload.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
            assert_eq!(check(cut, signature), Err(ApiError::SIGNATURE));
            let signed = format!("{payload}&signature={signature}");
            let (query, body) = signed
                .split_once("quantity")
                .filter(|_| field("name").contains("mixed"))
                .map_or_else(
                    || (signed.clone(), String::new()),
                    |(query, rest)| (query.to_owned(), format!("quantity{rest}")),
                );
            assert_eq!(
                Received {
                    query: &query,
                    body: &body
                }
                .payload(),
                payload,
                "{}",
                field("name")
            );
        }
    }

    #[test]
    fn each_missing_or_wrong_part_has_its_own_code() {
        let params = Params::from_form("timestamp=1499827319559&signature=00", "").unwrap();
        let received = Received {
            query: "timestamp=1499827319559&signature=00",
            body: "",
        };
        let code = |key| {
            ring()
                .authorize_rest(NOW, key, &params, &received)
                .unwrap_err()
                .code
        };
        assert_eq!(code(None), -2014);
        assert_eq!(code(Some("no spaces please")), -2014);
        assert_eq!(code(Some("stranger")), -2015);
        assert_eq!(code(Some("key")), -1022);
        assert_eq!(
            check("signature=00", "").unwrap_err(),
            ApiError::mandatory("timestamp")
        );
        assert_eq!(
            check("timestamp=1499827319559", "").unwrap_err(),
            ApiError::mandatory("signature")
        );
    }
}
