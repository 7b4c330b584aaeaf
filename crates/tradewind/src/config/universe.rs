//! `instruments = { quote = "USDT", top = 30, by = "volume 7d" }`: a bot over those of many instruments that rank first each day.
//!
//! Its candidates are fixed when the desk starts: the products of `among`, or all that the account's venue lists in the quote asset.

use std::time::Duration;

use tradewind_model::{Instrument, InstrumentKind, InstrumentStatus, Ranking, Universe};

use super::DeskConfig;
use super::error::{ConfigErrors, Errors, Problem};
use super::keys::UNIVERSE;
use super::section::Section;
use super::structure;
use super::tree::{Node, Table, Value};
use super::values::{self, Read};

/// The most candidates of a bot: each has its own streams and past candles.
pub const CANDIDATES_MAX: usize = 500;

/// A universe as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniverseSettings {
    /// The quote asset of its candidates.
    pub quote: String,
    /// How its members are chosen of them.
    pub rule: Universe,
}

/// What a bot's table says of its universe: the settings, and the table with `among`.
pub(super) struct Written {
    pub(super) settings: UniverseSettings,
    pub(super) whole: Node,
}

/// Reads the universe in `node`.
pub(super) fn read(path: &str, (node, table): (&Node, &Table), errors: &Errors) -> Option<Written> {
    let mut table = table.clone();
    structure::complete(path, &mut table, UNIVERSE, errors);
    let whole = Node {
        value: Value::Table(table),
        origin: node.origin.clone(),
    };
    let section = Section::new(path, Some(&whole), errors);
    let quote = section.get("quote", |node| {
        let text = values::text(node)?;
        if super::desk::is_asset(&text) {
            return Ok(text);
        }
        let what = format!("{text:?} is no asset");
        Err(Problem::new(
            what,
            "write its name in capitals, such as USDT",
        ))
    });
    let top = section.get("top", values::count_from_one);
    let by = section.get("by", ranking);
    let min_age = section.get("min_age", age);
    let settings = UniverseSettings {
        quote: quote?,
        rule: Universe {
            top: top?,
            by: by?,
            min_age: min_age?,
        },
    };
    Some(Written { settings, whole })
}

fn ranking(node: &Node) -> Read<Ranking> {
    const CURE: &str =
        "write \"volume 7d\", \"volatility 30d\" or \"change 30d\", 365 days at most";
    let text = values::text(node).map_err(|problem| Problem::new(problem.what, CURE))?;
    text.parse()
        .map_err(|_| Problem::new(format!("{text:?} is no ranking"), CURE))
}

/// Whole days: the age is that of the first daily candle.
fn age(node: &Node) -> Read<Duration> {
    const CURE: &str = "write whole days, such as \"90d\", 1000 at most";
    let age = values::duration_or_zero(node)?;
    let days = age.as_secs() / 86_400;
    if age != Duration::from_secs(days * 86_400) || days > 1_000 {
        let what = format!(
            "{} is no age of candles of a day",
            values::format_duration(age)
        );
        return Err(Problem::new(what, CURE));
    }
    Ok(age)
}

/// Notes more candidates than a bot may have, or none.
pub(super) fn check_count(count: usize, of: &str) -> Read<()> {
    const CURE: &str = "name those to choose from, such as among = [\"BTC/USDT\", \"ETH/USDT\"]";
    match count {
        0 => Err(Problem::new(
            format!("{of} has no instrument in that quote asset"),
            CURE,
        )),
        count if count > CANDIDATES_MAX => {
            let what = format!("{count} candidates, and a bot has {CANDIDATES_MAX} at most");
            Err(Problem::new(what, CURE))
        }
        _ => Ok(()),
    }
}

/// The names of a venue's spot instruments in a quote asset that trade, in alphabetical order, so that each start has the same order.
pub(super) fn candidates(listed: &[Instrument], venue: &str, quote: &str) -> Vec<String> {
    let is_candidate = |one: &&Instrument| {
        let product = one.name.strip_prefix(venue);
        let product = product.and_then(|rest| rest.strip_prefix(':'));
        let of = product.and_then(|product| product.split_once('/'));
        let is_traded = one.status == InstrumentStatus::Trading && one.kind == InstrumentKind::Spot;
        is_traded && of.is_some_and(|(_, asset)| asset == quote)
    };
    let here = listed.iter().filter(is_candidate);
    let mut names: Vec<String> = here.map(|one| one.name.clone()).collect();
    names.sort_unstable();
    names
}

impl DeskConfig {
    /// Whether a bot's candidates are still to be taken from what its venue lists.
    #[must_use]
    pub fn lacks_candidates(&self) -> bool {
        let mut bots = self.bots.iter();
        bots.any(|bot| bot.universe.is_some() && bot.instruments.is_empty())
    }

    /// The same with the candidates of universes that name none: what `listed` has of the account's venue in the quote asset.
    ///
    /// # Errors
    /// A bot has no candidate, or too many.
    pub fn with_candidates(mut self, listed: &[Instrument]) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        for (index, bot) in self.bots.iter_mut().enumerate() {
            let Some(universe) = bot.universe.as_ref().filter(|_| bot.instruments.is_empty())
            else {
                continue;
            };
            let mut accounts = self.accounts.iter();
            let account = accounts.find(|account| account.name == bot.account);
            let venue = account.map_or("", |account| account.venue.as_str());
            let names = candidates(listed, venue, &universe.quote);
            if let Err(problem) = check_count(names.len(), venue) {
                errors.push(format!("bots[{index}].instruments"), None, problem);
            }
            bot.take_candidates(names);
        }
        errors.into_result(&self.file)?;
        Ok(self)
    }
}
