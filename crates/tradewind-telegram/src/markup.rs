//! Text for Telegram, safe by construction: nothing foreign gets in but through [`Markup::text`] and its sisters.
//!
//! The Bot API's HTML mode has three characters to escape where `MarkdownV2` has eighteen, and refuses the whole message if
//! one is forgotten. Text from elsewhere goes into `<code>`: there Telegram makes no links, mentions or tappable commands of
//! them, so a venue's error text with `/kill` stays text. (core.telegram.org/bots/api, "Formatting options".)

/// Longest foreign text shown, in characters; the rest is cut.
const FOREIGN_MAX: usize = 300;

/// A text with markup, and its length as Telegram counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Markup {
    html: String,
    units: usize,
}

impl Markup {
    /// Longest message, in UTF-16 code units after the markup is taken away.
    pub(crate) const UNITS_MAX: usize = 4_096;

    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Words of our own, or names from the configuration.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.push(text);
        self
    }

    /// The same in bold.
    pub(crate) fn bold(self, text: &str) -> Self {
        self.wrapped("b", text)
    }

    /// Text from elsewhere: of a user, a venue, a strategy's error.
    pub(crate) fn foreign(self, text: &str) -> Self {
        let mut cut: String = text.chars().take(FOREIGN_MAX).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        self.wrapped("code", &cut)
    }

    /// A new line, unless it would be the first.
    pub(crate) fn line(mut self) -> Self {
        if self.units > 0 {
            self.html.push('\n');
            self.units += 1;
        }
        self
    }

    /// Another text behind this one.
    pub(crate) fn append(&mut self, other: &Self) {
        self.html.push_str(&other.html);
        self.units += other.units;
    }

    /// Length as Telegram counts it.
    pub(crate) const fn units(&self) -> usize {
        self.units
    }

    /// For `parse_mode: HTML`.
    pub(crate) fn html(&self) -> &str {
        &self.html
    }

    /// Without markup, for when the Bot API cannot read it.
    pub(crate) fn plain(&self) -> String {
        let mut plain = String::with_capacity(self.html.len());
        let mut inside_tag = false;
        for character in self.html.chars() {
            match character {
                '<' => inside_tag = true,
                '>' => inside_tag = false,
                _ if inside_tag => {}
                _ => plain.push(character),
            }
        }
        plain
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    fn wrapped(mut self, tag: &str, text: &str) -> Self {
        self.html.extend(["<", tag, ">"]);
        self.push(text);
        self.html.extend(["</", tag, ">"]);
        self
    }

    fn push(&mut self, text: &str) {
        for character in text.chars() {
            let shown = visible(character);
            self.units += shown.len_utf16();
            match shown {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' => self.html.push_str("&amp;"),
                other => self.html.push(other),
            }
        }
    }
}

/// A character as it may be shown: no controls, and nothing that reorders or hides the text around it.
const fn visible(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' => ' ',
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(foreign: &str, html: &str) {
        let markup = Markup::new().foreign(foreign);
        assert_eq!(markup.html(), format!("<code>{html}</code>"));
    }

    #[test]
    fn foreign_text_cannot_speak_for_us() {
        check(
            "<script>alert(1)</script>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        );
        check("a & b &amp; c", "a &amp; b &amp;amp; c");
        check(
            "</code><b>KILLED</b>",
            "&lt;/code&gt;&lt;b&gt;KILLED&lt;/b&gt;",
        );
        check("two\nlines\r\n\tmore", "two lines   more");
        check("\u{1b}[31mred\u{0}", "\u{fffd}[31mred\u{fffd}");
        check("\u{202e}desrever\u{200b}", "\u{fffd}desrever\u{fffd}");
        check("_*[]()~`>#+-=|{}.!", "_*[]()~`&gt;#+-=|{}.!");
        check("naïve 日本 🙂", "naïve 日本 🙂");
    }

    #[test]
    fn length_is_counted_in_utf_16_without_markup() {
        assert_eq!(Markup::new().bold("a<🙂").units(), 4);
        let long = Markup::new().foreign(&"x".repeat(10_000));
        assert_eq!(long.units(), FOREIGN_MAX + 1);
    }

    proptest! {
        #[test]
        fn plain_text_is_what_was_written_and_no_tag_survives(text in ".{0,80}") {
            let markup = Markup::new().foreign(&text);
            let shown: String = text.chars().map(visible).collect();
            prop_assert_eq!(markup.plain(), shown);
            prop_assert_eq!(markup.html().matches('<').count(), 2);
            prop_assert_eq!(markup.units(), markup.plain().encode_utf16().count());
        }
    }
}
