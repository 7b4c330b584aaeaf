//! `[venues.NAME.references]`: second sources of prices.

use tradewind_model::Ppm;

use super::accounts::ReferenceSettings;
use super::desk::is_asset;
use super::error::{Errors, Problem};
use super::nearest::did_you_mean;
use super::tree::{Node, Value};
use super::values::{self, Read};

/// How far the mids may be apart unless it is said: 1 %.
const WITHIN: Ppm = Ppm(10_000);

const CURE: &str =
    "write \"BTC/USDT\" = \"okx:BTC/USDT\", or { source = \"okx:BTC/USDT\", within = \"0.5%\" }";

/// Reads the second source of the venue's `product`: the name of an instrument, or a table with `source` and `within`.
pub(super) fn read(venue: &str, product: &str, node: &Node) -> Read<ReferenceSettings> {
    let (source, within) = match &node.value {
        Value::Table(table) => {
            let known = |name: &String| matches!(name.as_str(), "source" | "within");
            if let Some(other) = table.keys().find(|name| !known(name)) {
                return Err(Problem::new(format!("no key {other:?}"), CURE));
            }
            let source = table.get("source").map(values::text).transpose()?;
            let within = table.get("within").map(values::ratio).transpose()?;
            (source, within.unwrap_or(WITHIN))
        }
        _ => (Some(values::text(node)?), WITHIN),
    };
    let source = source.ok_or_else(|| Problem::new("no source", CURE))?;
    let instrument = format!("{venue}:{product}");
    let base = |name: &str| {
        let (_, product) = name.split_once(':')?;
        let (base, quote) = product.split_once('/')?;
        (is_asset(base) && is_asset(quote)).then(|| base.to_owned())
    };
    let Some(own) = base(&instrument) else {
        return Err(Problem::new(format!("{product:?} is no product"), CURE));
    };
    match base(&source) {
        Some(_) if source == instrument => {
            let what = "an instrument is no second source of itself";
            Err(Problem::new(what, "name the same product of another venue"))
        }
        Some(base) if base == own => Ok(ReferenceSettings {
            instrument,
            source,
            within,
        }),
        Some(_) => {
            let what = format!("{source} is another product than {product}");
            Err(Problem::new(what, "name the same product of another venue"))
        }
        None => Err(Problem::new(format!("{source:?} is no instrument"), CURE)),
    }
}

/// Whether the venues of second sources are known.
pub(super) fn check<'a>(
    references: impl Iterator<Item = &'a ReferenceSettings>,
    markets: &[&String],
    errors: &Errors,
) {
    for reference in references {
        let venue = reference
            .source
            .split_once(':')
            .map_or("", |(venue, _)| venue);
        if !markets.iter().any(|name| **name == venue) {
            let names = markets.iter().map(|name| name.as_str());
            let problem = Problem::new(format!("no venue {venue:?}"), did_you_mean(venue, names));
            errors.push(format!("venues.{}", reference.path()), None, problem);
        }
    }
}
