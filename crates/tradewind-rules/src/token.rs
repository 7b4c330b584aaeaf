//! A rule's text in tokens, each with its place.

use std::time::Duration;

use crate::error::{Mistake, Span};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name or a word: `close`, `and`.
    Name(String),
    /// A parameter: `$n`.
    Parameter(String),
    /// A number without a unit.
    Number(f64),
    /// A number with a percent sign, as a share: `2%` is 0.02.
    Percent(f64),
    /// A number with a unit of time, and as it was written: `4h`.
    Time(Duration, String),
    /// A text in quotes.
    Text(String),
    /// A sign: `<=`, `(`, `..`.
    Sign(&'static str),
    /// Behind the last character.
    End,
}

impl Token {
    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("{name:?}"),
            Self::Parameter(name) => format!("\"${name}\""),
            Self::Number(number) => format!("the number {number}"),
            Self::Percent(share) => format!("the share {}%", share * 100.0),
            Self::Time(_, text) => format!("the duration {text}"),
            Self::Text(text) => format!("the text {text:?}"),
            Self::Sign(sign) => format!("{sign:?}"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longest text of a rule, in characters.
const LENGTH_MAX: usize = 4_000;

/// Longest first, so that `<=` is not `<`.
const SIGNS: [&str; 21] = [
    "..", "<=", ">=", "==", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", ",", ".",
    "@", "%", "!",
];

/// Units of time, longest name first, in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Splits a text; the last token is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Mistake> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > LENGTH_MAX {
        let span = Span::new(LENGTH_MAX, characters.len());
        let cure = "give parts of it names under let";
        let problem = format!("longer than {LENGTH_MAX} characters");
        return Err(Mistake::new(span, problem, cure));
    }
    let mut reader = Reader {
        characters: &characters,
        at: 0,
    };
    let mut tokens = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        let start = reader.at;
        let token = reader.token()?;
        let is_end = token == Token::End;
        tokens.push((token, Span::new(start, reader.at)));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Reader<'t> {
    characters: &'t [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn skip(&mut self, is_meant: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_meant) {
            self.at += 1;
        }
    }

    fn taken(&self, start: usize) -> String {
        self.characters[start..self.at].iter().collect()
    }

    fn token(&mut self) -> Result<Token, Mistake> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Name(self.name())),
            '0'..='9' => self.number(),
            '"' | '\'' => self.text(first),
            '$' => self.parameter(),
            _ => self.sign(),
        }
    }

    fn name(&mut self) -> String {
        let start = self.at;
        self.skip(|one| one.is_ascii_alphanumeric() || one == '_');
        self.taken(start)
    }

    fn parameter(&mut self) -> Result<Token, Mistake> {
        let start = self.at;
        self.at += 1;
        let name = self.name();
        if name.is_empty() {
            let span = Span::new(start, self.at);
            let cure = "write the name of a parameter behind it, such as $n";
            return Err(Mistake::new(span, "\"$\" without a name", cure));
        }
        Ok(Token::Parameter(name))
    }

    fn text(&mut self, quote: char) -> Result<Token, Mistake> {
        let start = self.at;
        self.at += 1;
        self.skip(|one| one != quote);
        if self.peek().is_none() {
            let span = Span::new(start, self.at);
            let cure = format!("write {quote} behind it");
            return Err(Mistake::new(span, "a text without its end", cure));
        }
        let text = self.characters[start + 1..self.at].iter().collect();
        self.at += 1;
        Ok(Token::Text(text))
    }

    fn sign(&mut self) -> Result<Token, Mistake> {
        let is_next = |sign: &&&str| {
            let rest = self.characters.iter().skip(self.at);
            sign.chars()
                .zip(rest)
                .filter(|(one, other)| one == *other)
                .count()
                == sign.len()
        };
        if let Some(sign) = SIGNS.iter().find(is_next) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let one = self.peek().unwrap_or_default();
        let span = Span::new(self.at, self.at + 1);
        let cure = match one {
            '&' => "write and",
            '|' => "write or",
            _ => "take it out",
        };
        Err(Mistake::new(
            span,
            format!("{one:?} means nothing here"),
            cure,
        ))
    }

    /// A number, with the percent sign or the unit of time that follows at once.
    fn number(&mut self) -> Result<Token, Mistake> {
        let start = self.at;
        let digits = |one: char| one.is_ascii_digit() || one == '_';
        self.skip(digits);
        let is_point = self.peek() == Some('.');
        let behind = self.characters.get(self.at + 1);
        if is_point && behind.is_some_and(char::is_ascii_digit) {
            self.at += 1;
            self.skip(digits);
        }
        let text = self.taken(start).replace('_', "");
        let number: f64 = text.parse().unwrap_or(f64::NAN);
        match self.peek() {
            Some('%') => {
                self.at += 1;
                // Read as a whole, so that 0.3% is the fraction that 0.003 is.
                let share = format!("{text}e-2").parse().unwrap_or(f64::NAN);
                Ok(Token::Percent(share))
            }
            Some(one) if one.is_ascii_alphabetic() => self.time(start),
            _ => Ok(Token::Number(number)),
        }
    }

    fn time(&mut self, start: usize) -> Result<Token, Mistake> {
        self.skip(|one| one.is_ascii_alphanumeric());
        let text = self.taken(start);
        match duration(&text) {
            Some(duration) => Ok(Token::Time(duration, text)),
            None => Err(Mistake::new(
                Span::new(start, self.at),
                format!("{text:?} is neither a number nor a duration"),
                "write a duration such as 250ms, 2s, 15m, 4h or 1d",
            )),
        }
    }
}

/// Reads `2s`, `1h30m`: whole numbers with units, the larger unit first.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut nanos: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if *size >= last {
            return None;
        }
        nanos = nanos.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        last = *size;
        rest = behind;
    }
    (last != u64::MAX).then(|| Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        let tokens = tokens(text).unwrap();
        tokens.into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn a_text_is_split_into_tokens() {
        let name = |text: &str| Token::Name(text.to_owned());
        let wanted = [
            name("hour"),
            name("in"),
            Token::Number(7.0),
            Token::Sign(".."),
            Token::Number(20.0),
            name("and"),
            name("x"),
            Token::Sign("<="),
            Token::Sign("-"),
            Token::Percent(0.003),
            Token::End,
        ];
        assert_eq!(kinds("hour in 7..20 and x <= -0.3%"), wanted);
        let quarter = Duration::from_secs(900);
        let wanted = [
            Token::Parameter("n".to_owned()),
            Token::Sign("@"),
            Token::Time(quarter, "15m".to_owned()),
            Token::Text("BTC/USDT".to_owned()),
            Token::End,
        ];
        assert_eq!(kinds("$n@15m 'BTC/USDT'"), wanted);
    }

    #[test]
    fn what_is_no_token_is_named_with_its_place() {
        let check = |text: &str, at: usize, wanted: &str| {
            let mistake = tokens(text).unwrap_err();
            assert_eq!((mistake.span.start, &*mistake.problem), (at, wanted));
        };
        check("a & b", 2, "'&' means nothing here");
        check("close > 5x", 8, "\"5x\" is neither a number nor a duration");
        check("of(\"BTC", 3, "a text without its end");
        check("rsi($)", 4, "\"$\" without a name");
    }
}
