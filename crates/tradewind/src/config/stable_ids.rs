//! Ids that stay over restarts: what the desk knows by name keeps its id, and what is new takes the next one.
//!
//! The journal names bots by id, so a bot that is written further up in the file must not become another one.

use std::collections::BTreeSet;

use tradewind_events::{BotConfig, Configuration, PriceReference};
use tradewind_model::{Account, BotId, Instrument, InstrumentId, InstrumentStatus, VenueId};
use tradewind_venues::in_decimals_of;

/// A configuration whose ids are those of the last run.
#[derive(Debug)]
pub struct StableConfiguration {
    /// With bots that the file does not list any more, so that ids are places.
    pub configuration: Configuration,
    /// These bots.
    pub removed: BTreeSet<BotId>,
}

impl StableConfiguration {
    /// What the engine is given: it stops a bot that is not listed.
    #[must_use]
    pub fn for_engine(&self) -> Configuration {
        let mut configuration = self.configuration.clone();
        configuration
            .bots
            .retain(|bot| !self.removed.contains(&bot.id));
        configuration
    }
}

/// Gives everything in `new` that is in `known` by name the id it has there. `new` was resolved with an asset table that
/// begins with that of `known`.
///
/// # Errors
/// A venue or an account of `known` is not in the same place any more, in one line with the fix.
pub fn keep_ids(new: Configuration, known: &Configuration) -> Result<StableConfiguration, String> {
    let removed = BTreeSet::new();
    if known.accounts.is_empty() && known.instruments.is_empty() && known.bots.is_empty() {
        return Ok(StableConfiguration {
            configuration: new,
            removed,
        });
    }
    let new = with_known_venues(&new, known)?;
    let names = |of: &Configuration| -> Vec<String> {
        let accounts = of.accounts.iter();
        accounts.map(|account| account.name.clone()).collect()
    };
    keep_places("account", &names(known), &names(&new))?;
    let instruments = instruments(&new, known);
    let (bots, removed) = bots(&new, known, &instruments);
    let place = |id: InstrumentId| place(&new, &instruments, id);
    let references = new.references.iter().map(|reference| PriceReference {
        instrument: place(reference.instrument),
        source: place(reference.source),
        ..*reference
    });
    let configuration = Configuration {
        references: references.collect(),
        instruments,
        bots,
        ..new
    };
    Ok(StableConfiguration {
        configuration,
        removed,
    })
}

/// The new configuration with the venues of `known` in their places and its own new ones behind them. A house source, or a
/// venue without accounts, may be gone; its place stays.
fn with_known_venues(new: &Configuration, known: &Configuration) -> Result<Configuration, String> {
    let has_account = |name: &&String| {
        let mut accounts = known.accounts.iter();
        accounts.any(|account| known.venues.get(account.venue.index()) == Some(*name))
    };
    let needed: Vec<String> = known.venues.iter().filter(has_account).cloned().collect();
    let there = new.venues.iter().filter(|name| needed.contains(name));
    keep_places("venue", &needed, &there.cloned().collect::<Vec<_>>())?;
    let is_new = |name: &&String| !known.venues.contains(name);
    let added = new.venues.iter().filter(is_new).cloned();
    let venues: Vec<String> = known.venues.iter().cloned().chain(added).collect();
    let place = |venue: VenueId| {
        let name = new.venues.get(venue.index());
        let place = venues.iter().position(|known| Some(known) == name);
        place
            .and_then(|place| u32::try_from(place).ok())
            .map_or(venue, VenueId)
    };
    let accounts = new.accounts.iter().map(|account| Account {
        venue: place(account.venue),
        ..account.clone()
    });
    let instruments = new.instruments.iter().map(|one| Instrument {
        venue: place(one.venue),
        ..one.clone()
    });
    Ok(Configuration {
        accounts: accounts.collect(),
        instruments: instruments.collect(),
        venues: venues.clone(),
        ..new.clone()
    })
}

fn keep_places(kind: &str, known: &[String], new: &[String]) -> Result<(), String> {
    if new.starts_with(known) {
        return Ok(());
    }
    let moved = known
        .iter()
        .zip(new.iter().map(Some).chain(std::iter::repeat(None)));
    let first = moved.into_iter().find(|(known, new)| Some(*known) != *new);
    let name = first.map_or("", |(known, _)| known.as_str());
    Err(format!(
        "the {kind} {name} has a history in this data directory: keep the {kind}s in their order and add new ones behind \
         them, or use another --data-dir"
    ))
}

/// Known instruments in their places, then new ones. One that is not used any more keeps its rules and has no data.
fn instruments(new: &Configuration, known: &Configuration) -> Vec<Instrument> {
    let listed = |name: &str| new.instruments.iter().find(|one| one.name == name);
    let kept = known.instruments.iter().map(|one| match listed(&one.name) {
        Some(listed) => with_known_decimals(listed, one),
        None => Instrument {
            // Nothing is valued by what was a source's, whatever its last quote was.
            status: match one.status {
                InstrumentStatus::PricesOnly => InstrumentStatus::PricesOnly,
                _ => InstrumentStatus::NoData,
            },
            ..one.clone()
        },
    });
    let is_known = |name: &str| known.instruments.iter().any(|one| one.name == name);
    let added = new.instruments.iter().filter(|one| !is_known(&one.name));
    let all = kept.chain(added.cloned());
    let numbered = (0..).map(InstrumentId).zip(all);
    numbered.map(|(id, one)| Instrument { id, ..one }).collect()
}

/// What the journal has of an instrument are counts in the decimals of its first start, so it keeps those. Rules that do not fit into
/// them are not taken over.
fn with_known_decimals(listed: &Instrument, known: &Instrument) -> Instrument {
    in_decimals_of(listed, known).unwrap_or_else(|| {
        tracing::error!(
            instrument = %known.name,
            "The venue's rules are finer than the numbers in this folder's journal: the old rules stay. To trade by the new ones, sell what is held of it and start in a new folder."
        );
        Instrument {
            status: listed.status,
            ..known.clone()
        }
    })
}

/// The kept id of an instrument of the new configuration.
fn place(new: &Configuration, instruments: &[Instrument], id: InstrumentId) -> InstrumentId {
    let name = &new.instrument(id).name;
    let found = instruments.iter().find(|one| one.name == *name);
    found.map_or(id, |one| one.id)
}

fn bots(
    new: &Configuration,
    known: &Configuration,
    instruments: &[Instrument],
) -> (Vec<BotConfig>, BTreeSet<BotId>) {
    let place = |id: &InstrumentId| place(new, instruments, *id);
    let moved = |bot: &BotConfig| BotConfig {
        instruments: bot.instruments.iter().map(place).collect(),
        reads: bot.reads.iter().map(place).collect(),
        ..bot.clone()
    };
    let listed = |name: &str| new.bots.iter().find(|bot| bot.name == name);
    let mut removed = BTreeSet::new();
    let mut bots = Vec::new();
    for bot in &known.bots {
        bots.push(match listed(&bot.name) {
            Some(listed) => moved(listed),
            None => {
                removed.insert(bot.id);
                BotConfig {
                    starts: false,
                    ..bot.clone()
                }
            }
        });
    }
    let is_known = |name: &str| known.bots.iter().any(|bot| bot.name == name);
    bots.extend(
        new.bots
            .iter()
            .filter(|bot| !is_known(&bot.name))
            .map(moved),
    );
    let numbered = (0..).map(BotId).zip(bots);
    let bots = numbered.map(|(id, bot)| BotConfig { id, ..bot }).collect();
    (bots, removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Quantity;
    use tradewind_testkit::{bot, configuration, perpetual, spot};

    /// Bots by name, each on the instruments of these names, in the order of the file.
    fn file(instruments: &[&str], bots: &[&str]) -> Configuration {
        let numbered = (0..).map(InstrumentId).zip(instruments);
        let numbered = numbered.map(|(id, name)| Instrument {
            id,
            name: (*name).to_owned(),
            ..spot()
        });
        let named = (0..).zip(bots).map(|(id, name)| BotConfig {
            name: (*name).to_owned(),
            ..bot(id)
        });
        Configuration {
            instruments: numbered.collect(),
            bots: named.collect(),
            ..configuration()
        }
    }

    fn names(configuration: &Configuration) -> (Vec<&str>, Vec<(u32, &str)>) {
        let instruments = configuration.instruments.iter();
        let bots = configuration.bots.iter();
        (
            instruments.map(|one| one.name.as_str()).collect(),
            bots.map(|bot| (bot.id.0, bot.name.as_str())).collect(),
        )
    }

    #[test]
    fn a_first_start_takes_the_file_as_it_is() {
        let first = file(&["a", "b"], &["x", "y"]);
        let empty = Configuration {
            instruments: Vec::new(),
            bots: Vec::new(),
            accounts: Vec::new(),
            ..configuration()
        };
        let stable = keep_ids(first.clone(), &empty).unwrap();
        assert_eq!(stable.for_engine(), first);
    }

    #[test]
    fn what_is_known_keeps_its_id_wherever_it_stands_in_the_file() {
        let known = file(&["a", "b"], &["x", "y"]);
        let new = file(&["c", "b", "a"], &["z", "y", "x"]);
        let stable = keep_ids(new, &known).unwrap();
        let wanted = (vec!["a", "b", "c"], vec![(0, "x"), (1, "y"), (2, "z")]);
        assert_eq!(names(&stable.configuration), wanted);
        // Every bot of the file traded its first instrument, c.
        let traded = stable
            .configuration
            .bots
            .iter()
            .map(|bot| bot.instruments[0].0);
        assert_eq!(traded.collect::<Vec<_>>(), [2, 2, 2]);
    }

    #[test]
    fn a_bot_and_an_instrument_that_are_gone_keep_their_places() {
        let known = file(&["a", "b"], &["x", "y"]);
        let stable = keep_ids(file(&["b"], &["y"]), &known).unwrap();
        let wanted = (vec!["a", "b"], vec![(0, "x"), (1, "y")]);
        assert_eq!(names(&stable.configuration), wanted);
        assert!(!stable.configuration.instruments[0].has_data());
        let engine = stable.for_engine();
        assert_eq!(names(&engine).1, [(1, "y")]);
    }

    /// V16: a step of 1 in a journal that counts tenths is ten of them, and rules that are finer are not taken over.
    #[test]
    fn an_instrument_keeps_the_decimals_of_the_journal() {
        let listed = |decimals: u8, step: i64| Instrument {
            quantity_decimals: decimals,
            step: Quantity(step),
            quantity_min: Quantity(100),
            quantity_max: Quantity(10_000),
            market_quantity_max: Quantity(10_000),
            ..file(&["BTC/USDT"], &[]).instruments[0].clone()
        };
        let known = Configuration {
            instruments: vec![listed(1, 1)],
            ..file(&["BTC/USDT"], &[])
        };
        for (decimals, step, kept) in [(0, 1, 10), (1, 5, 5), (2, 50, 5), (2, 1, 1)] {
            let new = Configuration {
                instruments: vec![listed(decimals, step)],
                ..known.clone()
            };
            let instruments = keep_ids(new, &known).unwrap().configuration.instruments;
            let found = (instruments[0].quantity_decimals, instruments[0].step);
            assert_eq!(found, (1, Quantity(kept)), "{step} in {decimals} decimals");
        }
    }

    #[test]
    fn nothing_is_valued_by_an_instrument_of_a_source_that_is_gone() {
        let mut known = file(&["a", "b"], &["x", "y"]);
        known.instruments[0].status = InstrumentStatus::PricesOnly;
        let stable = keep_ids(file(&["b"], &["y"]), &known).unwrap();
        let status = stable.configuration.instruments[0].status;
        assert_eq!(status, InstrumentStatus::PricesOnly);
    }

    #[test]
    fn a_source_may_go_and_another_come_and_what_venues_there_were_keep_their_places() {
        let with = |venues: &[&str], at: u32| {
            let mut file = file(&["a"], &["x"]);
            file.venues = venues.iter().map(|name| (*name).to_owned()).collect();
            for account in &mut file.accounts {
                account.venue = VenueId(at);
            }
            file.instruments[0].venue = VenueId(at);
            file
        };
        let known = with(&["simx", "house"], 0);
        let stable = keep_ids(with(&["earlier", "simx"], 1), &known).unwrap();
        let configuration = stable.configuration;
        assert_eq!(configuration.venues, ["simx", "house", "earlier"]);
        assert_eq!(configuration.accounts[0].venue, VenueId(0));
        assert_eq!(configuration.instruments[0].venue, VenueId(0));
        let error = keep_ids(with(&["house"], 0), &known).unwrap_err();
        assert!(error.contains("the venue simx has a history"), "{error}");
    }

    #[test]
    fn accounts_keep_their_order() {
        let known = configuration();
        let mut new = configuration();
        new.instruments = vec![spot(), perpetual()];
        new.accounts[0].name = "other".to_owned();
        let error = keep_ids(new, &known).unwrap_err();
        assert!(error.contains("the account paper has a history"), "{error}");
    }
}
