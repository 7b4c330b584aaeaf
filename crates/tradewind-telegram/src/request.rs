//! What a user wrote, read: names are still names, numbers still text. Nothing is looked up here.

use tradewind_model::Side;

/// A command as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Help,
    Status,
    Start(Target),
    Stop(Target),
    Order(OrderRequest),
    Confirm(String),
    /// The whole text, and what may be a part of the desk at its beginning.
    Kill {
        reason: String,
        part: Option<Part>,
    },
}

/// A part of the desk as it was written. Whether there is one is looked up later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: PartKind,
    pub(crate) name: String,
    /// What follows.
    pub(crate) reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Bot,
    Instrument,
    Account,
    Venue,
}

/// Which bots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    All,
    Bot(String),
}

/// An order as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderRequest {
    pub(crate) side: Side,
    pub(crate) instrument: String,
    /// Digits, as written.
    pub(crate) number: String,
    /// The asset behind the number, in capitals; the base asset if absent.
    pub(crate) unit: Option<String>,
    /// The account, if it was given.
    pub(crate) account: Option<String>,
}

/// The problem with a text, and how to fix it.
pub(crate) type ParseProblem = &'static str;

const ORDER_USAGE: ParseProblem =
    "Write /buy INSTRUMENT AMOUNT, such as /buy BTC/USDT 0.01 or /buy BTC/USDT 250 USDT";

/// Reads a message.
pub(crate) fn read(text: &str) -> Result<Request, ParseProblem> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    // In a menu Telegram appends the bot's own name: /status@my_desk_bot.
    let command = first
        .split('@')
        .next()
        .unwrap_or(first)
        .to_ascii_lowercase();
    let rest: Vec<&str> = words.collect();
    match (command.as_str(), rest.as_slice()) {
        // What Telegram itself sends when a chat is opened for the first time: it starts nothing.
        ("/help", _) | ("/start", []) => Ok(Request::Help),
        ("/status", _) => Ok(Request::Status),
        ("/start", [target]) => Ok(Request::Start(read_target(target))),
        ("/stop", [target]) => Ok(Request::Stop(read_target(target))),
        ("/start", _) => Err("Write /start BOT or /start all"),
        ("/stop", _) => Err("Write /stop BOT or /stop all; /kill stops every order at once"),
        ("/buy", rest) => read_order(Side::Buy, rest),
        ("/sell", rest) => read_order(Side::Sell, rest),
        ("/confirm", [code]) => Ok(Request::Confirm((*code).to_owned())),
        ("/confirm", _) => {
            Err("Write /confirm CODE, with the code of the order that was read back")
        }
        // Without confirmation, and the reason is optional, because a kill is urgent.
        ("/kill", reason) => Ok(Request::Kill {
            reason: reason.join(" "),
            part: read_part(reason),
        }),
        _ => Err("That is no command. /help lists them"),
    }
}

fn read_part(words: &[&str]) -> Option<Part> {
    let [kind, name, reason @ ..] = words else {
        return None;
    };
    let kind = match kind.to_ascii_lowercase().as_str() {
        "bot" => PartKind::Bot,
        "instrument" => PartKind::Instrument,
        "account" => PartKind::Account,
        "venue" => PartKind::Venue,
        _ => return None,
    };
    Some(Part {
        kind,
        name: (*name).to_owned(),
        reason: reason.join(" "),
    })
}

fn read_target(word: &str) -> Target {
    if word.eq_ignore_ascii_case("all") {
        Target::All
    } else {
        Target::Bot(word.to_owned())
    }
}

fn read_order(side: Side, words: &[&str]) -> Result<Request, ParseProblem> {
    let (instrument, amount, rest) = match words {
        [instrument, amount, rest @ ..] if rest.len() <= 2 => (instrument, amount, rest),
        _ => return Err(ORDER_USAGE),
    };
    let digits = amount
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(amount.len());
    let (number, suffix) = amount.split_at(digits);
    if number.is_empty() || !suffix.chars().all(|each| each.is_ascii_alphanumeric()) {
        return Err(ORDER_USAGE);
    }
    let (unit, account) = match (suffix, rest) {
        ("", []) => (None, None),
        ("", [unit]) => (Some(*unit), None),
        ("", [unit, account]) => (Some(*unit), Some(*account)),
        (unit, []) => (Some(unit), None),
        (unit, [account]) => (Some(unit), Some(*account)),
        _ => return Err(ORDER_USAGE),
    };
    Ok(Request::Order(OrderRequest {
        side,
        instrument: (*instrument).to_owned(),
        number: number.to_owned(),
        unit: unit.map(str::to_ascii_uppercase),
        account: account.map(str::to_owned),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &Request) {
        assert_eq!(read(text).as_ref(), Ok(expected), "{text}");
    }

    fn order(side: Side, number: &str, unit: Option<&str>, account: Option<&str>) -> Request {
        Request::Order(OrderRequest {
            side,
            instrument: "BTC/USDT".to_owned(),
            number: number.to_owned(),
            unit: unit.map(str::to_owned),
            account: account.map(str::to_owned),
        })
    }

    #[test]
    fn commands_are_read_as_they_are_typed() {
        check("/start", &Request::Help);
        check("/start all", &Request::Start(Target::All));
        check(
            "/Start@my_desk_bot btc-rsi",
            &Request::Start(Target::Bot("btc-rsi".into())),
        );
        check("  /stop   ALL ", &Request::Stop(Target::All));
        check("/status now", &Request::Status);
        check(
            "/kill",
            &Request::Kill {
                reason: String::new(),
                part: None,
            },
        );
        check(
            "/kill fat  finger",
            &Request::Kill {
                reason: "fat finger".into(),
                part: None,
            },
        );
        check(
            "/kill Bot btc-rsi fat finger",
            &Request::Kill {
                reason: "Bot btc-rsi fat finger".into(),
                part: Some(Part {
                    kind: PartKind::Bot,
                    name: "btc-rsi".into(),
                    reason: "fat finger".into(),
                }),
            },
        );
        check("/confirm 0042", &Request::Confirm("0042".into()));
        check("/buy BTC/USDT 0.01", &order(Side::Buy, "0.01", None, None));
        check(
            "/buy BTC/USDT 250 usdt",
            &order(Side::Buy, "250", Some("USDT"), None),
        );
        check(
            "/sell BTC/USDT 250usdt",
            &order(Side::Sell, "250", Some("USDT"), None),
        );
        check(
            "/buy BTC/USDT 0.5btc live",
            &order(Side::Buy, "0.5", Some("BTC"), Some("live")),
        );
        check(
            "/buy BTC/USDT 1 BTC live",
            &order(Side::Buy, "1", Some("BTC"), Some("live")),
        );
    }

    #[test]
    fn what_cannot_be_read_says_how_to_write_it() {
        for text in [
            "",
            "hello",
            "/nonsense",
            "/start a b",
            "/stop",
            "/buy",
            "/buy BTC/USDT",
            "/buy BTC/USDT -1",
            "/buy BTC/USDT 1,000",
            "/buy BTC/USDT 1 BTC paper twice",
            "/buy BTC/USDT USDT",
            "/confirm",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,100}") {
            let _read = read(&text);
            let _read = read(&format!("/buy {text}"));
        }
    }
}
