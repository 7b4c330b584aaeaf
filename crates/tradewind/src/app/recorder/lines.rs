//! Messages as lines of a capture. A frame of a combined stream stands as it came; anything else is wrapped, so that players of
//! captures pass over it.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde_json::json;
use serde_json::value::RawValue;
use tradewind_model::Instrument;
use tradewind_venues::Message;

const COMBINED: &[u8] = br#"{"stream":""#;
const DATA: &[u8] = br#"","data":"#;

/// A message as a line.
pub(super) fn line(link: u64, message: Message<'_>) -> Cow<'_, [u8]> {
    let text = match message {
        Message::Text(text) => text,
        Message::Bytes(bytes) => {
            let data = json!({ "connection": link, "base64": BASE64.encode(bytes) });
            return Cow::Owned(wrapped("bytes", &data.to_string()));
        }
    };
    if serde_json::from_slice::<&RawValue>(text).is_err() {
        let text = json!(String::from_utf8_lossy(text));
        return Cow::Owned(wrapped("text", &text.to_string()));
    }
    if is_combined(text) {
        return Cow::Borrowed(text);
    }
    // The number of the connection is behind the data, which stands as it came.
    let text = String::from_utf8_lossy(text);
    let frame = format!(r#"{{"stream":"tradewind@frame","data":{text},"connection":{link}}}"#);
    Cow::Owned(frame.into_bytes())
}

/// Whether a text is a stream's name and its data, in this order and in no other form.
fn is_combined(text: &[u8]) -> bool {
    let name = text.strip_prefix(COMBINED);
    let end = name.and_then(|name| name.iter().position(|byte| *byte == b'"'));
    let rest = name.zip(end).and_then(|(name, end)| name.get(end..));
    rest.is_some_and(|rest| rest.starts_with(DATA))
}

/// Bytes of a message as it was received.
pub(super) const fn bytes(message: &Message<'_>) -> u64 {
    match message {
        Message::Text(bytes) | Message::Bytes(bytes) => bytes.len() as u64,
    }
}

/// Instruments of a venue, without which its frames say nothing: their decimals are not in them.
pub(super) fn instruments(kind: &str, instruments: &[(String, Instrument)]) -> String {
    let one = |(symbol, instrument): &(String, Instrument)| {
        json!({
            "name": instrument.name, "symbol": symbol,
            "price_decimals": instrument.price_decimals, "quantity_decimals": instrument.quantity_decimals,
        })
    };
    let all: Vec<_> = instruments.iter().map(one).collect();
    let data = json!({ "kind": kind, "instruments": all }).to_string();
    String::from_utf8_lossy(&wrapped("instruments", &data)).into_owned()
}

/// What happened to a connection.
pub(super) fn connection(what: &str, link: u64) -> String {
    let data = json!({ "connection": link }).to_string();
    String::from_utf8_lossy(&wrapped(what, &data)).into_owned()
}

fn wrapped(what: &str, data: &str) -> Vec<u8> {
    format!(r#"{{"stream":"tradewind@{what}","data":{data}}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combined_frame_stands_as_it_came_and_others_are_wrapped() {
        let shown = |message| String::from_utf8(line(3, message).into_owned()).unwrap();
        for (text, wanted) in [
            (
                r#"{"stream":"btcusdt@trade","data":{"t":1}}"#,
                r#"{"stream":"btcusdt@trade","data":{"t":1}}"#,
            ),
            (
                r#"{"result":null,"id":1}"#,
                r#"{"stream":"tradewind@frame","data":{"result":null,"id":1},"connection":3}"#,
            ),
            (
                r#"{"stream":"a\"b","data":1}"#,
                r#"{"stream":"tradewind@frame","data":{"stream":"a\"b","data":1},"connection":3}"#,
            ),
            ("po\"ng", r#"{"stream":"tradewind@text","data":"po\"ng"}"#),
        ] {
            assert_eq!(shown(Message::Text(text.as_bytes())), wanted);
        }
        let wanted = r#"{"stream":"tradewind@bytes","data":{"base64":"AAE=","connection":3}}"#;
        assert_eq!(shown(Message::Bytes(&[0, 1])), wanted);
    }
}
