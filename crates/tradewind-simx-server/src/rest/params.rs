//! Request parameters: names and texts, wherever they came from.
//!
//! REST sends them percent-encoded in the query, the body or both (the query wins); the WebSocket API as a JSON object.
//! Past this point nobody asks which. Reading a value is what checks it: a handler that gets a number has a number.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tradewind_model::{Side, Timestamp};

use super::errors::ApiError;
use super::orders::TimeUnit;
use crate::zone::Zone;

/// The parameters of one request, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// From a raw query and a raw form body.
    pub(crate) fn from_form(query: &str, body: &str) -> Result<Self, ApiError> {
        let mut all = Self(pairs(query)?);
        let in_query = all.0.len();
        for (name, value) in pairs(body)? {
            if all.0.iter().take(in_query).all(|(known, _)| *known != name) {
                all.0.push((name, value));
            }
        }
        Ok(all)
    }

    /// From the `params` of a WebSocket API request.
    pub(crate) fn from_json(params: &serde_json::Map<String, Value>) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let given = params.iter().filter(|(_, value)| !value.is_null());
        Self(
            given
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        )
    }

    /// Names and values, in the order in which they came.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The text of `name`; empty counts as not sent, for the calls that may be sent such.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The text of `name`, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::mandatory(name))
    }

    /// A whole number of 64 bits, spelled with digits alone.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.text(name) {
            Some(text) if text.starts_with('-') => Err(ApiError::illegal(name, WHOLE)),
            _ => self.signed(name),
        }
    }

    /// The same where the venue states no range: it may be negative.
    pub(crate) fn signed(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_whole || !(1..=20).contains(&digits.len()) {
            return Err(ApiError::illegal(name, WHOLE));
        }
        text.parse().map(Some).map_err(|_| ApiError::overflow(name))
    }

    /// A moment in milliseconds, or microseconds when it is too large for those.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let moment = |stamp: i64| {
            let nanos = stamp.saturating_mul(TimeUnit::of(stamp).nanos());
            Timestamp::from_nanos(nanos)
        };
        Ok(self.integer(name)?.map(moment))
    }

    /// How many entries are wanted: `default` when not said, never more than `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        match self.signed("limit")? {
            None => Ok(default),
            Some(limit) if limit < 1 => Err(ApiError::illegal("limit", "^[1-9][0-9]{0,19}$")),
            Some(limit) => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
        }
    }

    /// The clocks that candles and days go by.
    pub(crate) fn zone(&self) -> Result<Zone, ApiError> {
        let read = |text| Zone::read(text).ok_or_else(|| ApiError::invalid("timeZone"));
        self.text("timeZone").map_or(Ok(Zone::UTC), read)
    }

    /// `true` or `false`, in either letter case.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid(name)),
        }
    }

    /// BUY or SELL.
    pub(crate) fn side(&self, name: &str) -> Result<Side, ApiError> {
        match self.required(name)? {
            "BUY" => Ok(Side::Buy),
            "SELL" => Ok(Side::Sell),
            _ => Err(ApiError::SIDE),
        }
    }

    /// The names in `symbols`, a JSON array of texts.
    pub(crate) fn symbols(&self) -> Result<Option<Vec<String>>, ApiError> {
        const RANGE: &str = r#"^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$"#;
        let Some(text) = self.text("symbols") else {
            return Ok(None);
        };
        let names: Vec<String> =
            serde_json::from_str(text).map_err(|_| ApiError::illegal("symbols", RANGE))?;
        if names.is_empty() {
            return Err(ApiError::illegal("symbols", RANGE));
        }
        let seen: BTreeSet<&String> = names.iter().collect();
        if seen.len() < names.len() {
            return Err(ApiError::DUPLICATE_SYMBOLS);
        }
        Ok(Some(names))
    }

    /// Refuses one that was sent without a value.
    pub(crate) fn refuse_empty(&self) -> Result<(), ApiError> {
        match self.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(ApiError::empty(name)),
            None => Ok(()),
        }
    }

    /// Adds one that was not sent.
    pub(crate) fn push(&mut self, name: String, value: &str) {
        self.0.push((name, value.to_owned()));
    }

    /// Names and texts, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// What the venue says a whole number looks like.
const WHOLE: &str = "^[0-9]{1,20}$";

/// No call has as many parameters; more would cost a look at each for each.
const PARAMETERS_MAX: usize = 100;

fn pairs(form: &str) -> Result<Vec<(String, String)>, ApiError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in form.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == PARAMETERS_MAX {
            return Err(ApiError::TOO_MANY_PARAMETERS);
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name);
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(ApiError::DUPLICATE_PARAMETER);
        }
        pairs.push((name, decode(value)));
    }
    Ok(pairs)
}

/// Undoes percent-encoding; a broken escape stays as it is and bytes that are no UTF-8 become U+FFFD.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_query_wins_over_the_body() {
        let params = Params::from_form("symbol=BTCUSDT&side=BUY", "side=SELL&quantity=1").unwrap();
        assert_eq!(params.text("side"), Some("BUY"));
        assert_eq!(params.text("quantity"), Some("1"));
        assert_eq!(
            Params::from_form("a=1&a=2", ""),
            Err(ApiError::DUPLICATE_PARAMETER)
        );
        let many: Vec<String> = (0..101).map(|number| format!("{number}=")).collect();
        let refused = Params::from_form("", &many.join("&"));
        assert_eq!(refused, Err(ApiError::TOO_MANY_PARAMETERS));
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        let params =
            Params::from_form("symbols=%5B%22BTCUSDT%22%5D&broken=%zz%4&space=a+b", "").unwrap();
        assert_eq!(params.symbols().unwrap(), Some(vec!["BTCUSDT".to_owned()]));
        assert_eq!(params.text("broken"), Some("%zz%4"));
        assert_eq!(params.text("space"), Some("a b"));
    }

    #[test]
    fn numbers_are_read_strictly() {
        let illegal = || Err(ApiError::illegal("a", "^[0-9]{1,20}$"));
        for (text, whole, signed) in [
            ("12", Ok(Some(12)), Ok(Some(12))),
            ("", Ok(None), Ok(None)),
            ("-1", illegal(), Ok(Some(-1))),
            ("-0", illegal(), Ok(Some(0))),
            ("-", illegal(), illegal()),
            ("--1", illegal(), illegal()),
            ("1e3", illegal(), illegal()),
            (
                "99999999999999999999",
                Err(ApiError::overflow("a")),
                Err(ApiError::overflow("a")),
            ),
            ("000000000000000000001", illegal(), illegal()),
        ] {
            let params = Params::from_form(&format!("a={text}"), "").unwrap();
            assert_eq!(params.integer("a"), whole, "{text}");
            assert_eq!(params.signed("a"), signed, "{text}");
            assert_eq!(params.time("a").is_ok(), whole.is_ok(), "{text}");
        }
        for text in ["0", "-1"] {
            let params = Params::from_form(&format!("limit={text}"), "").unwrap();
            let refused = ApiError::illegal("limit", "^[1-9][0-9]{0,19}$");
            assert_eq!(params.limit(500, 1000), Err(refused), "{text}");
        }
    }

    #[test]
    fn an_empty_value_is_found() {
        let refused = |form: &str| Params::from_form(form, "").unwrap().refuse_empty();
        assert_eq!(refused("a=1&b=%20"), Ok(()));
        for form in ["a=1&b=", "b&a=1"] {
            assert_eq!(refused(form), Err(ApiError::empty("b")), "{form}");
        }
    }

    proptest! {
        #[test]
        fn no_form_panics(query in "\\PC{0,80}", body in "[%&=a-z0-9]{0,80}") {
            drop(Params::from_form(&query, &body));
        }
    }
}
