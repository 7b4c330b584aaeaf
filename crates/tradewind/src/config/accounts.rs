//! `[venues.NAME]` and `[accounts.NAME]`: the typed values and how they are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tradewind_model::{AccountMode, Amount, Ppm};
use tradewind_venues::{Address, BookSource, OrderEntry, RetryLimits, Scheme, VenueKind};

use super::desk::{address, is_asset, variable};
use super::error::{Errors, Problem};
use super::nearest::did_you_mean;
use super::reference;
use super::section::Section;
use super::structure::join;
use super::tree::{Node, Origin, Table, Value, parse_value};
use super::values::{self, Read};

/// A venue and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueSettings {
    /// Its name, which instruments begin with.
    pub name: String,
    /// Which adapter talks to it.
    pub kind: VenueKind,
    /// `scheme://host:port` of its REST interface.
    pub rest_url: String,
    /// `scheme://host:port` of its market streams.
    pub ws_url: String,
    /// Whole address of its WebSocket API; empty where no order goes.
    pub ws_api_url: String,
    /// Which interface new orders go to.
    pub order_entry: OrderEntry,
    /// How its books come.
    pub books: BookSource,
    /// The worst fee it takes, as a share of an order's value.
    pub fee: Ppm,
    /// PEM file of certificates that are trusted at this venue besides the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Whether a desk that runs records what it receives there.
    pub record: bool,
    /// How many requests to it may be repeated after they failed.
    pub retries: RetryLimits,
    /// Second sources of prices of its instruments.
    pub references: Vec<ReferenceSettings>,
}

/// The second source of an instrument's price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceSettings {
    /// The instrument's full name.
    pub instrument: String,
    /// The full name of the instrument that it is compared with.
    pub source: String,
    /// How far the mids may be apart, as a share of the source's.
    pub within: Ppm,
}

impl ReferenceSettings {
    /// Its place below `venues` in the configuration.
    pub(super) fn path(&self) -> String {
        let (venue, product) = self.instrument.split_once(':').unwrap_or_default();
        format!("{venue}.references.{product}")
    }
}

impl VenueSettings {
    /// The first of its addresses that is not on this machine.
    #[must_use]
    pub fn remote_address(&self) -> Option<&str> {
        let is_local = |(text, scheme): &(&String, Scheme)| {
            Address::parse(text, *scheme).is_ok_and(|address| address.is_local())
        };
        let addresses = [
            (&self.rest_url, Scheme::Http),
            (&self.ws_url, Scheme::WebSocket),
            (&self.ws_api_url, Scheme::WebSocket),
        ];
        let mut addresses = addresses.into_iter().filter(|(text, _)| !text.is_empty());
        let remote = addresses.find(|address| !is_local(address));
        remote.map(|(text, _)| text.as_str())
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Its name.
    pub name: String,
    /// Its venue.
    pub venue: String,
    /// Paper or live, with what each needs.
    pub mode: AccountSource,
    /// Whether balances from before the desk are the desk's to use.
    pub adopt: bool,
    /// Whether what is EXTERNAL goes to the only bot that trades it.
    pub adopt_external: bool,
    /// What the desk may use of it; all that is its own when left out.
    pub capital: Option<Amount>,
}

/// Where an account's orders go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSource {
    /// The embedded exchange, with these balances at its first start. No key, no route to a real venue.
    Paper(BTreeMap<String, Amount>),
    /// The venue, with the keys in these environment variables.
    Live {
        /// Holds the key.
        key_env: String,
        /// Holds the secret, or an Ed25519 key as PEM text.
        secret_env: String,
    },
}

impl AccountSettings {
    /// Paper or live.
    #[must_use]
    pub const fn mode(&self) -> AccountMode {
        match self.mode {
            AccountSource::Paper(_) => AccountMode::Paper,
            AccountSource::Live { .. } => AccountMode::Live,
        }
    }
}

/// Reads all venues, by name.
pub(super) fn venues(root: &Table, errors: &Errors) -> Vec<VenueSettings> {
    named(root, "venues", errors, |name, section| {
        let kind = section.get("kind", |node| {
            let kinds = [
                ("binance", VenueKind::Binance),
                ("okx", VenueKind::Okx),
                ("bybit", VenueKind::Bybit),
                ("kraken", VenueKind::Kraken),
                ("coinbase", VenueKind::Coinbase),
            ];
            values::choice(node, &kinds)
        });
        let rest_url = section.get("rest_url", |node| bare_address(node, Scheme::Http));
        let ws_url = section.get("ws_url", |node| bare_address(node, Scheme::WebSocket));
        let ws_api_url = match kind {
            Some(kind) => ws_api_url(section, kind),
            None => None,
        };
        let order_entry = section.get("order_entry", |node| {
            let choices = [
                ("rest", OrderEntry::Rest),
                ("websocket", OrderEntry::WebSocket),
            ];
            values::choice(node, &choices)
        });
        let books = section.get("book", |node| {
            let choices = [("top20", BookSource::Top20), ("diffs", BookSource::Diffs)];
            values::choice(node, &choices)
        });
        let fee = section.get("fee", values::ratio);
        let ca_file = section.get("ca_file", values::text);
        let record = section.get("record", values::flag);
        let retry_share = section.get("retry_share", values::ratio);
        let retries_per_minute = section.get("retries_per_minute", values::count);
        let references = section.entries("references", |product, node| {
            reference::read(&name, product, node)
        });
        let references = references?.into_iter().map(|(_, one)| one).collect();
        Some(VenueSettings {
            name,
            kind: kind?,
            rest_url: rest_url?,
            ws_url: ws_url?,
            ws_api_url: ws_api_url?,
            order_entry: order_entry?,
            books: books?,
            fee: fee?,
            ca_file: ca_file.map(PathBuf::from),
            record: record?,
            retries: RetryLimits {
                share: retry_share?,
                per_minute: retries_per_minute?,
            },
            references,
        })
    })
}

/// Where orders go over a WebSocket: an address that a venue with accounts must have, and a venue without cannot.
fn ws_api_url(section: Section<'_>, kind: VenueKind) -> Option<String> {
    match (kind.has_accounts(), section.node("ws_api_url")) {
        (true, Some(_)) => section.get("ws_api_url", |node| address(node, Scheme::WebSocket)),
        (true, None) => {
            let example = "wss://ws-api.binance.com:443/ws-api/v3";
            let cure =
                format!("write ws_api_url = {example:?} (whole address of its WebSocket API)");
            section.complain("ws_api_url", Problem::new("missing", cure));
            None
        }
        (false, Some(_)) => {
            let what = "a venue of this kind gives prices only, and no order goes there";
            section.complain("ws_api_url", Problem::new(what, "remove it"));
            None
        }
        (false, None) => Some(String::new()),
    }
}

/// Adds the addresses of venues that give prices only, where the file has none.
pub(super) fn add_addresses(root: &mut Table) {
    let Some(Value::Table(venues)) = root.get_mut("venues").map(|node| &mut node.value) else {
        return;
    };
    for venue in venues.values_mut() {
        let Value::Table(venue) = &mut venue.value else {
            continue;
        };
        let kind = match venue.get("kind").map(|node| &node.value) {
            Some(Value::Text(kind)) => kind.as_str(),
            _ => continue,
        };
        let addresses = match kind {
            "okx" => ["\"https://www.okx.com\"", "\"wss://ws.okx.com:8443\""],
            "bybit" => ["\"https://api.bybit.com\"", "\"wss://stream.bybit.com\""],
            "kraken" => ["\"https://api.kraken.com\"", "\"wss://ws.kraken.com\""],
            "coinbase" => [
                "\"https://api.coinbase.com\"",
                "\"wss://advanced-trade-ws.coinbase.com\"",
            ],
            _ => continue,
        };
        for (key, text) in ["rest_url", "ws_url"].into_iter().zip(addresses) {
            let default = || parse_value(text, &Origin::Default);
            venue.entry(key.to_owned()).or_insert_with(default);
        }
    }
}

/// An address without a path: the adapter knows the paths.
fn bare_address(node: &Node, scheme: Scheme) -> Read<String> {
    let text = address(node, scheme)?;
    let behind = text.split_once("://").map_or("", |(_, behind)| behind);
    match behind.split_once('/') {
        None => Ok(text),
        Some((_, path)) => Err(Problem::new(
            format!("the path /{path} is one too many"),
            "write scheme://host:port and nothing behind it",
        )),
    }
}

/// Sets `desk.durability` to "power", whatever the file says, if an account of the tree is live.
pub(super) fn demand_durability(root: &mut Table) {
    let Some(Value::Table(accounts)) = root.get("accounts").map(|node| &node.value) else {
        return;
    };
    let is_live = |node: &Node| match &node.value {
        Value::Table(account) => account
            .get("mode")
            .is_some_and(|mode| mode.value == Value::Text("live".to_owned())),
        _ => false,
    };
    if !accounts.values().any(is_live) {
        return;
    }
    if let Some(Value::Table(desk)) = root.get_mut("desk").map(|node| &mut node.value)
        && let Some(node) = desk.get_mut("durability")
        && node.value == Value::Text("process".to_owned())
    {
        node.value = Value::Text("power".to_owned());
        node.origin = Origin::Default;
    }
}

/// Reads all accounts, by name.
pub(super) fn accounts(
    root: &Table,
    names: &[String],
    venues: &[VenueSettings],
    errors: &Errors,
) -> Vec<AccountSettings> {
    named(root, "accounts", errors, |name, section| {
        let venue = section.get("venue", |node| {
            let name = known(node, "venue", names)?;
            has_accounts(name, venues)
        });
        let mode = section.get("mode", |node| {
            let choices = [("paper", AccountMode::Paper), ("live", AccountMode::Live)];
            values::choice(node, &choices)
        });
        let adopt = section.get("adopt", values::flag);
        let adopt_external = section.get("adopt_external", values::flag);
        let capital = section.get("capital", values::amount);
        let mode = mode.and_then(|mode| match mode {
            AccountMode::Paper => paper(section),
            AccountMode::Live => live(section),
        });
        Some(AccountSettings {
            name,
            venue: venue?,
            mode: mode?,
            adopt: adopt?,
            adopt_external: adopt_external?,
            capital,
        })
    })
}

/// Refuses a venue that takes no orders. One that has errors of its own is not blamed for more.
fn has_accounts(name: String, venues: &[VenueSettings]) -> Read<String> {
    let takes_orders = |venue: &&VenueSettings| venue.kind.has_accounts();
    match venues.iter().find(|venue| venue.name == name) {
        Some(venue) if !venue.kind.has_accounts() => {
            let other = venues.iter().find(takes_orders);
            let other = other.map_or("of kind \"binance\"", |venue| venue.name.as_str());
            let what = format!("{name} gives prices only: no account can trade there");
            let cure = format!(
                "name the venue {other}, and read {name} in a bot: reads = [\"{name}:BTC/USDT\"]"
            );
            Err(Problem::new(what, cure))
        }
        _ => Ok(name),
    }
}

fn paper(section: Section<'_>) -> Option<AccountSource> {
    for key in ["key_env", "secret_env"] {
        if section.node(key).is_some() {
            let what = "a paper account signs nothing";
            section.complain(key, Problem::new(what, "remove it, or set mode = \"live\""));
        }
    }
    if section.node("balances").is_none() {
        let what = "a paper account needs something to begin with";
        let cure = "write balances = { USDT = 100_000 }";
        section.complain("balances", Problem::new(what, cure));
    }
    let balances = section.entries("balances", |name, node| {
        if is_asset(name) {
            return values::amount(node);
        }
        let cure = "write its name in capitals, such as USDT";
        Err(Problem::new("not the name of an asset", cure))
    })?;
    Some(AccountSource::Paper(balances.into_iter().collect()))
}

fn live(section: Section<'_>) -> Option<AccountSource> {
    if section.node("balances").is_some() {
        let what = "a live account's balances come from the venue";
        let cure = "remove it, or set mode = \"paper\"";
        section.complain("balances", Problem::new(what, cure));
    }
    let name_of = |key: &str, default: &str| match section.node(key) {
        Some(_) => section.get(key, variable),
        None => Some(default.to_owned()),
    };
    let (key, secret) = (
        name_of("key_env", "BINANCE_API_KEY"),
        name_of("secret_env", "BINANCE_API_SECRET"),
    );
    Some(AccountSource::Live {
        key_env: key?,
        secret_env: secret?,
    })
}

/// A name that must be one of those configured.
pub(super) fn known(node: &Node, what: &str, names: &[String]) -> Read<String> {
    let name = values::text(node)?;
    if names.contains(&name) {
        return Ok(name);
    }
    Err(Problem::new(
        format!("no {what} {name:?}"),
        did_you_mean(&name, names.iter().map(String::as_str)),
    ))
}

/// Names of the tables in `key`, bad ones included: what refers to them is not to be blamed for what is in them.
pub(super) fn names(root: &Table, key: &str) -> Vec<String> {
    match root.get(key).map(|node| &node.value) {
        Some(Value::Table(tables)) => tables.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn named<T>(
    root: &Table,
    key: &str,
    errors: &Errors,
    read: impl Fn(String, Section<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(Value::Table(tables)) = root.get(key).map(|node| &node.value) else {
        return Vec::new();
    };
    let read_one = |(name, node): (&String, &Node)| {
        let path = join(key, name);
        if !values::is_name(name) {
            let cure = "use lower-case letters, digits, - and _, a letter first, 40 at most";
            let problem = Problem::new(format!("{name:?} cannot be a name"), cure);
            errors.push(path.clone(), Some(node.origin.clone()), problem);
        }
        read(name.clone(), Section::new(&path, Some(node), errors))
    };
    tables.iter().filter_map(read_one).collect()
}
