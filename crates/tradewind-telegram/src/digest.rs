//! Waiting notifications: up to a number of lines, equal ones counted, and beyond that a count per type. Memory is bounded
//! for any outage.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::EventType;
use tradewind_model::Timestamp;

use crate::markup::Markup;

/// Lines kept in full. A line is at most about 1 KiB.
const LINES_MAX: usize = 200;
/// How far back an equal line is looked for.
const LOOK_BACK: usize = 16;

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) event_type: EventType,
    /// When it happened, by the desk's clock; of equal ones the last.
    pub(crate) at: Timestamp,
    pub(crate) text: Markup,
    pub(crate) is_loud: bool,
}

/// Waiting notifications.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    lines: VecDeque<(Line, u32)>,
    /// Notifications beyond the limit, by type.
    more: BTreeMap<EventType, u64>,
    is_more_loud: bool,
}

impl Digest {
    /// Adds a line; returns whether it is kept in full.
    pub(crate) fn push(&mut self, line: Line) -> bool {
        let equal = self
            .lines
            .iter_mut()
            .rev()
            .take(LOOK_BACK)
            .find(|(known, _)| known.event_type == line.event_type && known.text == line.text);
        if let Some((known, count)) = equal {
            known.at = line.at;
            *count = count.saturating_add(1);
            return true;
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push_back((line, 1));
            return true;
        }
        self.is_more_loud |= line.is_loud;
        self.count(line.event_type, 1);
        false
    }

    /// Adds events by number only.
    pub(crate) fn count(&mut self, event_type: EventType, events: u64) {
        *self.more.entry(event_type).or_default() += events;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.more.is_empty()
    }

    /// Moves as many lines as fit behind `text`; whether one of them is loud.
    pub(crate) fn move_lines_to(&mut self, text: &mut Markup) -> bool {
        let mut is_loud = false;
        while let Some((line, count)) = self.lines.front() {
            if !append(text, &written(line, *count)) {
                return is_loud;
            }
            is_loud |= line.is_loud;
            self.lines.pop_front();
        }
        while let Some((event_type, events)) = self.more.first_key_value() {
            let more = Markup::new().text(&format!("and {events} more {}", event_type.name()));
            if !append(text, &more) {
                return is_loud;
            }
            is_loud |= self.is_more_loud;
            self.more.pop_first();
        }
        self.is_more_loud = false;
        is_loud
    }
}

fn written(line: &Line, count: u32) -> Markup {
    let at = line.at.to_string();
    let time = at.get(11..19).unwrap_or(&at);
    let mut text = Markup::new().text(time).text(" ");
    text.append(&line.text);
    if count > 1 {
        text.text(&format!(" (×{count})"))
    } else {
        text
    }
}

/// Appends a line if the whole still fits into one message.
pub(crate) fn append(text: &mut Markup, line: &Markup) -> bool {
    let separated = text.clone().line();
    if text.units() > 0 && separated.units() + line.units() > Markup::UNITS_MAX {
        return false;
    }
    *text = separated;
    text.append(line);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            event_type: EventType::OrderFilled,
            at: Timestamp::from_secs(3_661),
            text: Markup::new().text(text),
            is_loud: false,
        }
    }

    fn moved(digest: &mut Digest) -> String {
        let mut text = Markup::new();
        digest.move_lines_to(&mut text);
        text.plain()
    }

    #[test]
    fn equal_lines_are_counted_and_the_rest_is_sent_as_a_number() {
        let mut digest = Digest::default();
        assert!(digest.push(line("again")));
        assert!(digest.push(line("again")));
        for number in 1..=LINES_MAX + 2 {
            digest.push(line(&number.to_string()));
        }
        let mut all = String::new();
        while !digest.is_empty() {
            let text = moved(&mut digest);
            assert!(text.encode_utf16().count() <= Markup::UNITS_MAX);
            all.push_str(&text);
        }
        assert!(all.starts_with("01:01:01 again (×2)\n01:01:01 1\n"));
        assert!(
            all.ends_with("01:01:01 199\nand 3 more order_filled"),
            "{all}"
        );
    }

    #[test]
    fn what_does_not_fit_waits_for_the_next_message() {
        let mut digest = Digest::default();
        for number in 0..20 {
            digest.push(line(&format!("{number} {}", "x".repeat(900))));
        }
        let mut messages = 0;
        while !digest.is_empty() {
            assert!(moved(&mut digest).encode_utf16().count() <= Markup::UNITS_MAX);
            messages += 1;
        }
        assert_eq!(messages, 5);
    }
}
