//! `[sources.NAME]`: house sources, the typed values and how they are read.

mod transport;

use std::path::PathBuf;
use std::time::Duration;

use tradewind_model::{AssetTable, Instrument, InstrumentId, InstrumentStatus, VenueId};
use tradewind_venues::house::{HouseSymbols, Transport};
use tradewind_venues::{Address, Scheme};

use super::accounts::named;
use super::desk::{is_asset, variable};
use super::error::{Errors, Problem};
use super::section::Section;
use super::structure::join;
use super::tree::{Node, Table, Value};
use super::values::{self, Read};

/// Most places behind the point of a price and of a quantity: their product must fit.
const PLACES_MAX: u8 = 9;

/// A house source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// Its name, which instruments begin with.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// How its messages travel.
    pub transport: Transport,
    /// What it carries.
    pub instruments: Vec<SourceInstrument>,
    /// Series of numbers that it may send.
    pub numbers: Vec<SourceNumber>,
    /// The environment variable that holds what it asks for.
    pub token_env: Option<String>,
    /// How often it is pinged, and how long an answer may take.
    pub heartbeat: Duration,
    /// PEM file of certificates that are trusted at this source besides the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Whether a desk that runs records what it receives.
    pub record: bool,
}

/// A series of numbers of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceNumber {
    /// Its full name: `house:fear`.
    pub name: String,
    /// What the source calls it.
    pub symbol: String,
    /// Age from which on a number of it is of no use.
    pub max_age: Duration,
}

/// An instrument of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInstrument {
    /// Its full name: `house:BTC/USDT`.
    pub name: String,
    /// What the source calls it.
    pub symbol: String,
    /// Places behind the point of its prices.
    pub price_decimals: u8,
    /// Places behind the point of its quantities.
    pub quantity_decimals: u8,
}

impl SourceInstrument {
    /// The instrument, as those of venues are listed. It has prices only.
    pub(super) fn listing(&self, assets: &mut AssetTable) -> Instrument {
        let product = self.name.split_once(':').map_or("", |(_, product)| product);
        let (base, quote) = product.split_once('/').unwrap_or((product, product));
        let base = assets.intern(base);
        Instrument {
            venue: VenueId(0),
            price_decimals: self.price_decimals,
            quantity_decimals: self.quantity_decimals,
            status: InstrumentStatus::PricesOnly,
            ..Instrument::spot(InstrumentId(0), &*self.name, base, assets.intern(quote))
        }
    }
}

/// Reads all sources, by name. None may have the name of a venue.
pub(super) fn read(root: &Table, venues: &[String], errors: &Errors) -> Vec<SourceSettings> {
    named(root, "sources", errors, |name, section| {
        if venues.contains(&name) {
            let path = join("sources", &name);
            let problem = Problem::new(
                format!("there is a venue {name:?}"),
                "give the source a name of its own: the names of its instruments begin with it",
            );
            let origin = root.get("sources").map(|node| node.origin.clone());
            errors.push(path, origin, problem);
        }
        let path = join("sources", &name);
        let kinds = [
            ("tcp", Scheme::Tcp),
            ("websocket", Scheme::WebSocket),
            ("redis", Scheme::Redis),
            ("http", Scheme::Http),
        ];
        let kind = section.get("kind", |node| values::choice(node, &kinds));
        let address = kind.and_then(|scheme| section.get("address", |node| address(node, scheme)));
        let transport = kind.and_then(|scheme| transport::read(scheme, &path, section, errors));
        let instruments = instruments(&path, &name, section, errors);
        let numbers = numbers(&path, &name, section, errors);
        let token_env = match section.node("token_env") {
            Some(_) => Some(section.get("token_env", variable)?),
            None => None,
        };
        let heartbeat = section.get("heartbeat", values::duration);
        let ca_file = section.get("ca_file", values::text);
        let record = section.get("record", values::flag);
        Some(SourceSettings {
            name,
            address: address?,
            transport: transport?,
            instruments: instruments?,
            numbers: numbers?,
            token_env,
            heartbeat: heartbeat?,
            ca_file: ca_file.map(PathBuf::from),
            record: record?,
        })
    })
}

fn address(node: &Node, scheme: Scheme) -> Read<Address> {
    let example = match scheme {
        Scheme::Tcp => "tcp://127.0.0.1:9100 or tls://feed.example.org:9100",
        Scheme::WebSocket => "ws://127.0.0.1:9101/feed or wss://feed.example.org/feed",
        Scheme::Http => "http://127.0.0.1:9102/feed or https://feed.example.org/feed",
        Scheme::Redis => "redis://127.0.0.1:6379 or rediss://redis.example.org:6379",
    };
    let text = values::text(node)?;
    Address::parse(&text, scheme)
        .map_err(|error| Problem::new(error.to_string(), format!("write {example}")))
}

fn instruments(
    path: &str,
    source: &str,
    section: Section<'_>,
    errors: &Errors,
) -> Option<Vec<SourceInstrument>> {
    let Some(Value::List(items)) = section.node("instruments").map(|node| &node.value) else {
        return None;
    };
    let mut all: Vec<SourceInstrument> = Vec::new();
    let mut is_whole = true;
    for (index, node) in items.iter().enumerate() {
        let path = format!("{path}.instruments[{index}]");
        let section = Section::new(&path, Some(node), errors);
        let name = section.get("name", |node| product(node, source, &all));
        let symbol = match section.node("symbol") {
            Some(_) => section.get("symbol", values::text),
            None => name
                .as_ref()
                .and_then(|name| Some(name.split_once(':')?.1.to_owned())),
        };
        let price_decimals = section.get("price_decimals", places);
        let quantity_decimals = section.get("quantity_decimals", places);
        let (Some(name), Some(symbol), Some(price_decimals), Some(quantity_decimals)) =
            (name, symbol, price_decimals, quantity_decimals)
        else {
            is_whole = false;
            continue;
        };
        all.push(SourceInstrument {
            name,
            symbol,
            price_decimals,
            quantity_decimals,
        });
    }
    if items.is_empty() {
        let cure = "name at least one, such as { name = \"BTC/USDT\" }";
        section.complain(
            "instruments",
            Problem::new("a source without instruments", cure),
        );
        return None;
    }
    let mut assets = AssetTable::default();
    let listed = all.iter().zip(0..).map(|(one, id)| {
        let listing = Instrument {
            id: InstrumentId(id),
            ..one.listing(&mut assets)
        };
        (one.symbol.clone(), listing)
    });
    if let Err(error) = HouseSymbols::new(listed.collect::<Vec<_>>()) {
        let cure = "give each instrument the symbol that the source's messages name";
        section.complain("instruments", Problem::new(error.to_string(), cure));
        return None;
    }
    is_whole.then_some(all)
}

/// The series that a source may send; none if none is listed.
fn numbers(
    path: &str,
    source: &str,
    section: Section<'_>,
    errors: &Errors,
) -> Option<Vec<SourceNumber>> {
    let Some(node) = section.node("numbers") else {
        return Some(Vec::new());
    };
    let Value::List(items) = &node.value else {
        return None;
    };
    let mut all: Vec<SourceNumber> = Vec::new();
    let mut is_whole = true;
    for (index, node) in items.iter().enumerate() {
        let path = format!("{path}.numbers[{index}]");
        let section = Section::new(&path, Some(node), errors);
        let name = section.get("name", values::text);
        let symbol = match section.node("symbol") {
            Some(_) => section.get("symbol", values::text),
            None => name.clone(),
        };
        let (Some(name), Some(symbol), Some(max_age)) =
            (name, symbol, section.get("max_age", values::duration))
        else {
            is_whole = false;
            continue;
        };
        if name.contains('@') {
            let cure = "write it without @, which is for the series of instruments";
            section.complain("name", Problem::new(format!("{name:?} has an @"), cure));
            is_whole = false;
        }
        let name = format!("{source}:{name}");
        if all
            .iter()
            .any(|one| one.name == name || one.symbol == symbol)
        {
            let cure = "give each series a name and a symbol of its own";
            section.complain("name", Problem::new("a series that is listed twice", cure));
            is_whole = false;
        }
        all.push(SourceNumber {
            name,
            symbol,
            max_age,
        });
    }
    is_whole.then_some(all)
}

fn product(node: &Node, source: &str, before: &[SourceInstrument]) -> Read<String> {
    let text = values::text(node)?;
    let assets = text.split_once('/');
    if !assets.is_some_and(|(base, quote)| is_asset(base) && is_asset(quote)) {
        let cure = "write BASE/QUOTE in capitals, such as \"BTC/USDT\"; the source's name is put before it";
        return Err(Problem::new(format!("{text:?} is no instrument"), cure));
    }
    let name = format!("{source}:{text}");
    if before.iter().any(|one| one.name == name) {
        return Err(Problem::new(
            format!("{text} is named twice"),
            "name each once",
        ));
    }
    Ok(name)
}

fn places(node: &Node) -> Read<u8> {
    let places: u8 = values::count(node)?;
    if places <= PLACES_MAX {
        return Ok(places);
    }
    let what = format!("{places} places behind the point are too many");
    Err(Problem::new(
        what,
        format!("write a number from 0 to {PLACES_MAX}"),
    ))
}
