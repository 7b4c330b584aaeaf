//! Changes of a message's text. What has no such field, or is no JSON, stays as it is.

use std::time::Duration;

use serde_json::Value;
use tradewind_model::Timestamp;

use super::event::payload;
use super::fault::{Change, Corruption, Mutation};
use crate::rest::{ApiError, TimeUnit};

/// Bytes of a message that is far too long.
const HUGE: usize = 10 << 20;

/// `text`, spoiled.
pub(super) fn corrupt(text: &str, how: Corruption) -> String {
    let letters = text.chars().count();
    match how {
        Corruption::Truncated => text.chars().take(letters / 2).collect(),
        Corruption::Garbled => {
            let middle = letters / 2;
            let spoiled = |(place, letter)| if place == middle { '\u{fffd}' } else { letter };
            text.chars()
                .enumerate()
                .map(spoiled)
                .collect::<String>()
                .replacen(':', ";", 1)
        }
        Corruption::Nested => format!("{}{text}{}", "[".repeat(1_000), "]".repeat(1_000)),
        Corruption::Huge => format!("{{\"padding\":\"{}\"}}", "x".repeat(HUGE)),
        Corruption::Symbol => mutate(
            text,
            &Mutation {
                field: "s".to_owned(),
                change: Change::To("NOSUCHUSDT".into()),
            },
        ),
    }
}

/// `text` with one field of its payload changed.
pub(super) fn mutate(text: &str, mutation: &Mutation) -> String {
    /// Stands where text that is no JSON goes.
    const MARK: &str = "\u{1}raw\u{1}";
    let changed = changed(text, |payload| {
        let other = match &mutation.change {
            Change::Swapped(other) => Some(find(payload, other)?.clone()),
            _ => None,
        };
        let field = find(payload, &mutation.field)?;
        match &mutation.change {
            Change::To(value) => *field = value.clone(),
            Change::Raw(_) => *field = MARK.into(),
            Change::Number => *field = field.as_str()?.parse::<f64>().ok()?.into(),
            Change::Swapped(name) => {
                let before = std::mem::replace(field, other?);
                *find(payload, name)? = before;
            }
            Change::Removed => remove(payload, &mutation.field)?,
        }
        Some(())
    });
    match (&mutation.change, changed) {
        (Change::Raw(raw), Some(changed)) => changed.replace(&Value::from(MARK).to_string(), raw),
        (_, Some(changed)) => changed,
        // A new field is written into the payload.
        (Change::To(value), None) => inserted(text, &mutation.field, value),
        (_, None) => text.to_owned(),
    }
}

/// The first `keep` entries of a list.
pub(super) fn truncate(text: &str, keep: usize) -> String {
    let changed = changed(text, |payload| {
        payload.as_array_mut()?.truncate(keep);
        Some(())
    });
    changed.unwrap_or_else(|| text.to_owned())
}

/// What an answer about orders looks like where those younger than `lag` are not known yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    /// The list without them.
    Shorter(String),
    /// There is no such order.
    Refused(ApiError),
    /// Nothing was young.
    Same,
}

/// Hides orders and trades younger than `lag`.
pub(super) fn hide_young(text: &str, now: Timestamp, lag: Duration) -> Hidden {
    let young = |entry: &Value| {
        let time = entry["time"].as_i64();
        time.is_some_and(|time| time > TimeUnit::of(time).stamp(now - lag))
    };
    let Ok(mut root) = serde_json::from_str::<Value>(text) else {
        return Hidden::Same;
    };
    match payload_mut(&mut root) {
        Value::Array(entries) => {
            let before = entries.len();
            entries.retain(|entry| !young(entry));
            if entries.len() == before {
                Hidden::Same
            } else {
                Hidden::Shorter(root.to_string())
            }
        }
        order if young(order) => Hidden::Refused(ApiError::NO_SUCH_ORDER),
        _ => Hidden::Same,
    }
}

/// `depth` cut down to `limit` levels a side.
pub(super) fn levels(depth: &str, limit: usize) -> String {
    let changed = changed(depth, |payload| {
        for side in ["bids", "asks"] {
            payload.get_mut(side)?.as_array_mut()?.truncate(limit);
        }
        Some(())
    });
    changed.unwrap_or_else(|| depth.to_owned())
}

/// `text` with its payload changed by `change`, unless that finds nothing to change.
pub(super) fn changed(text: &str, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<String> {
    let mut root: Value = serde_json::from_str(text).ok()?;
    change(payload_mut(&mut root))?;
    Some(root.to_string())
}

fn inserted(text: &str, field: &str, value: &Value) -> String {
    let changed = changed(text, |payload| {
        payload
            .as_object_mut()?
            .insert(field.to_owned(), value.clone());
        Some(())
    });
    changed.unwrap_or_else(|| text.to_owned())
}

fn payload_mut(root: &mut Value) -> &mut Value {
    let inside = ["data", "event", "result"].into_iter().find(|key| {
        root.get(*key)
            .is_some_and(|value| value.is_object() || value.is_array())
    });
    debug_assert!(inside.is_some() || std::ptr::eq(payload(root), root));
    match inside {
        Some(key) => &mut root[key],
        None => root,
    }
}

fn find<'v>(payload: &'v mut Value, field: &str) -> Option<&'v mut Value> {
    payload.pointer_mut(&format!("/{}", field.replace('.', "/")))
}

fn remove(payload: &mut Value, field: &str) -> Option<()> {
    let (parent, name) = match field.rsplit_once('.') {
        Some((parent, name)) => (find(payload, parent)?, name),
        None => (payload, field),
    };
    parent.as_object_mut()?.remove(name).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mutated(text: &str, field: &str, change: Change) -> String {
        mutate(
            text,
            &Mutation {
                field: field.to_owned(),
                change,
            },
        )
    }

    #[test]
    fn a_field_is_changed_inside_its_envelope() {
        let frame = r#"{"stream":"x","data":{"b":"1.5","a":"2","k":{"c":"3"}}}"#;
        let check = |field, change, wanted: &str| {
            let text = mutated(frame, field, change);
            assert!(
                text.contains(wanted) && text.contains("\"stream\""),
                "{text}"
            );
        };
        check("b", Change::To("NaN".into()), r#""b":"NaN""#);
        check("b", Change::Raw("1e400".into()), r#""b":1e400"#);
        check("b", Change::Number, r#""b":1.5"#);
        check("b", Change::Swapped("a".into()), r#""a":"1.5","b":"2""#);
        check("k.c", Change::To(7.into()), r#""k":{"c":7}"#);
        check("k.c", Change::Removed, r#""k":{}"#);
        check("new", Change::To(true.into()), r#""new":true"#);
        assert_eq!(mutated("no json", "a", Change::Number), "no json");
        assert_eq!(mutated(frame, "zz", Change::Removed), frame);
    }

    #[test]
    fn young_orders_are_hidden() {
        let now = Timestamp::from_millis(10_000);
        let lag = Duration::from_secs(5);
        let one = r#"{"orderId":1,"time":6000}"#;
        assert_eq!(
            hide_young(one, now, lag),
            Hidden::Refused(ApiError::NO_SUCH_ORDER)
        );
        assert_eq!(hide_young(r#"{"time":4000}"#, now, lag), Hidden::Same);
        let list = r#"[{"time":4000},{"time":6000}]"#;
        assert_eq!(
            hide_young(list, now, lag),
            Hidden::Shorter(r#"[{"time":4000}]"#.into())
        );
        assert_eq!(truncate(list, 1), r#"[{"time":4000}]"#);
        let now = Timestamp::from_millis(1_700_000_010_000);
        for (old, young) in [
            (1_700_000_004_000_i64, 1_700_000_006_000_i64),
            (1_700_000_004_000_000, 1_700_000_006_000_000),
        ] {
            let list = format!(r#"[{{"time":{old}}},{{"time":{young}}}]"#);
            let shorter = format!(r#"[{{"time":{old}}}]"#);
            assert_eq!(hide_young(&list, now, lag), Hidden::Shorter(shorter));
        }
    }

    #[test]
    fn depth_is_cut_down_to_its_limit() {
        let depth = r#"{"asks":[1,2],"bids":[3,4],"lastUpdateId":5}"#;
        assert_eq!(
            levels(depth, 1),
            r#"{"asks":[1],"bids":[3],"lastUpdateId":5}"#
        );
    }

    proptest! {
        #[test]
        fn nothing_panics_whatever_the_text(text in "\\PC{0,40}", field in "[a-z.]{0,6}") {
            for how in [Corruption::Truncated, Corruption::Garbled, Corruption::Nested, Corruption::Symbol] {
                drop(corrupt(&text, how));
            }
            drop(mutated(&text, &field, Change::Removed));
            drop(mutated(&text, &field, Change::Swapped(field.clone())));
            drop(truncate(&text, 1));
        }
    }
}
