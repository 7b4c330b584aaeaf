//! What a source of each kind has besides its address: where messages have what, and what is requested.

use tradewind_venues::Scheme;
use tradewind_venues::house::{
    Field, Mapping, Numbering, Redis, RedisUse, SubscribeMode, Transport,
};

use crate::config::error::{Errors, Problem};
use crate::config::section::Section;
use crate::config::structure::join;
use crate::config::tree::{Node, Origin, Value};
use crate::config::values::{self, Read};

/// Keys that only some kinds have.
const OF_KINDS: [(&str, &[Scheme]); 6] = [
    (
        "messages",
        &[Scheme::WebSocket, Scheme::Redis, Scheme::Http],
    ),
    ("subscribe", &[Scheme::WebSocket]),
    ("channels", &[Scheme::Redis]),
    ("streams", &[Scheme::Redis]),
    ("user", &[Scheme::Redis]),
    ("sentinel", &[Scheme::Redis]),
];

/// Reads the transport of a source at `path`.
pub(super) fn read(
    kind: Scheme,
    path: &str,
    section: Section<'_>,
    errors: &Errors,
) -> Option<Transport> {
    for (key, kinds) in OF_KINDS {
        let node = section.node(key);
        let written = node.filter(|node| node.origin != Origin::Default);
        if written.is_some() && !kinds.contains(&kind) {
            let what = format!("a source of this kind has no {key}");
            section.complain(key, Problem::new(what, "remove it, or change the kind"));
        }
    }
    match kind {
        Scheme::Tcp => Some(Transport::Tcp),
        Scheme::Http => Some(Transport::Http {
            mapping: mapping(path, section, errors)?,
        }),
        Scheme::WebSocket => {
            let mapping = mapping(path, section, errors);
            let subscribe = match section.node("subscribe") {
                Some(_) => section.get("subscribe", subscribe),
                None => Some(SubscribeMode::House),
            };
            Some(Transport::WebSocket {
                mapping: mapping?,
                subscribe: subscribe?,
            })
        }
        Scheme::Redis => {
            let (mapping, reads) = (mapping(path, section, errors), reads(section));
            let user = match section.node("user") {
                Some(_) => Some(section.get("user", values::text)?),
                None => None,
            };
            if user.is_some() && section.node("token_env").is_none() {
                let cure = "name the environment variable of its password in token_env";
                section.complain("user", Problem::new("a user without a password", cure));
            }
            let sentinel = match section.node("sentinel") {
                Some(_) => Some(section.get("sentinel", values::text)?),
                None => None,
            };
            let reads = reads?;
            Some(Transport::Redis {
                mapping: mapping?,
                redis: Redis {
                    user,
                    reads,
                    sentinel,
                },
            })
        }
    }
}

fn subscribe(node: &Node) -> Read<SubscribeMode> {
    match values::text(node)?.as_str() {
        "house" => Ok(SubscribeMode::House),
        "none" => Ok(SubscribeMode::Nothing),
        text if text.contains("{symbols}") => Ok(SubscribeMode::Text(text.to_owned())),
        text => Err(Problem::new(
            format!("{text:?} does not say where the symbols belong"),
            "write \"house\", \"none\", or the feed's own request with {symbols} in it",
        )),
    }
}

fn reads(section: Section<'_>) -> Option<RedisUse> {
    let (channels, streams) = (section.node("channels"), section.node("streams"));
    let what = match (channels, streams) {
        (Some(_), Some(_)) => "a source reads channels or streams, not both",
        (None, None) => "missing",
        (Some(node), None) | (None, Some(node)) if is_empty(node) => "a source that reads nothing",
        (Some(_), None) => {
            return section
                .items("channels", values::text)
                .map(RedisUse::Channels);
        }
        (None, Some(_)) => {
            return section
                .items("streams", values::text)
                .map(RedisUse::Streams);
        }
    };
    let cure = "write channels = [\"prices\"] or streams = [\"prices\"]";
    section.complain("channels", Problem::new(what, cure));
    None
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::List(items) if items.is_empty())
}

fn mapping(path: &str, section: Section<'_>, errors: &Errors) -> Option<Mapping> {
    if section.node("messages").is_none() {
        return Some(Mapping::default());
    }
    let path = join(path, "messages");
    let section = Section::new(&path, section.node("messages"), errors);
    let paths = Field::ALL.map(|(_, name)| section.get(name, field_path));
    let word = |key: &str| section.get(key, values::text);
    let (quote, trade, buy, sell) = (word("quote"), word("trade"), word("buy"), word("sell"));
    let (number, target) = (word("number"), word("target"));
    let units = [("s", 0_u8), ("ms", 3), ("us", 6), ("ns", 9)];
    let time_places = section.get("time_unit", |node| values::choice(node, &units));
    let numberings = [("feed", Numbering::Feed), ("symbol", Numbering::Symbol)];
    let numbering = section.get("numbering", |node| values::choice(node, &numberings));
    let mut whole = Mapping::default();
    for (place, path) in whole.paths.iter_mut().zip(paths) {
        *place = path?;
    }
    let below = |path: &str, other: &str| {
        let rest = other.strip_prefix(path);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    for ((_, name), path) in Field::ALL.iter().zip(&whole.paths) {
        if let Some(other) = whole.paths.iter().find(|other| below(path, other)) {
            let what = format!("{other:?} lies below {path:?}, which is read whole");
            section.complain(
                name,
                Problem::new(what, "name a path that ends at a text or a number"),
            );
        }
    }
    Some(Mapping {
        quote: quote?,
        trade: trade?,
        number: number?,
        target: target?,
        buy: buy?,
        sell: sell?,
        time_places: time_places?,
        numbering: numbering?,
        ..whole
    })
}

/// The path of a field in a message.
fn field_path(node: &Node) -> Read<String> {
    let text = values::text(node)?;
    if text.split('.').all(|name| !name.is_empty()) {
        return Ok(text);
    }
    Err(Problem::new(
        format!("{text:?} is no path"),
        "write names with dots between them, such as \"data.best.bid\"",
    ))
}
