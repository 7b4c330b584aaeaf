//! From names to ids, once the venues' instruments are known: what the engine is given as its first input.

use tradewind_events::{BotConfig, Configuration, PriceReference};
use tradewind_model::{
    Account, AccountId, AssetTable, BotId, Instrument, InstrumentId, InstrumentStatus, Ppm, Price,
    VenueId,
};

use super::DeskConfig;
use super::accounts::ReferenceSettings;
use super::bots::{BotSettings, unknown_instrument};
use super::error::{ConfigErrors, Errors, Problem};
use super::tree::{Node, Origin, Value};

/// What becomes of an instrument that its venue does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentInstruments {
    /// It is an error in the configuration: generated and live markets.
    Refuse,
    /// It is kept with the status "no data", and its bots stop there: recorded data.
    NoData,
}

impl DeskConfig {
    /// Full names of all instruments that bots trade or read or that sources carry, in the order of the ids they will have.
    #[must_use]
    pub fn instrument_names(&self) -> Vec<String> {
        let mut names = self.used_names();
        for reference in self.used_references(&names.clone()) {
            if !names.contains(&reference.source) {
                names.push(reference.source.clone());
            }
        }
        names
    }

    /// Those without second sources, which have no second sources themselves.
    fn used_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let bots = self.bots.iter();
        let used = bots.flat_map(|bot| bot.instruments.iter().chain(&bot.reads));
        let carried = self.sources.iter().flat_map(|source| &source.instruments);
        for name in used.chain(carried.map(|one| &one.name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Second sources of instruments among `names`.
    fn used_references<'a>(
        &'a self,
        names: &'a [String],
    ) -> impl Iterator<Item = &'a ReferenceSettings> {
        let all = self.venues.iter().flat_map(|venue| &venue.references);
        all.filter(|reference| names.contains(&reference.instrument))
    }

    /// Full names of all series of numbers.
    fn series(&self) -> Vec<String> {
        let series = self.sources.iter().flat_map(|source| &source.numbers);
        series.map(|number| number.name.clone()).collect()
    }

    fn references(&self, names: &[String]) -> Vec<PriceReference> {
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let id = |name: &str| InstrumentId(index_of(&ids, name));
        let used_names = self.used_names();
        let used = self.used_references(&used_names);
        let resolved = used.map(|reference| PriceReference {
            instrument: id(&reference.instrument),
            source: id(&reference.source),
            within: reference.within,
        });
        resolved.collect()
    }

    /// The engine's configuration: every name replaced by its id.
    ///
    /// `listed` are the instruments of all venues, found by name; those that are used get new ids, dense and in the order
    /// of [`instrument_names`](Self::instrument_names), and the ids of venues follow [`DeskConfig::venues`]. `assets`
    /// is the table their asset ids refer to.
    ///
    /// # Errors
    /// Every use of an instrument that is not listed, unless `absent` allows it.
    pub fn resolve(
        &self,
        listed: &[Instrument],
        mut assets: AssetTable,
        absent: AbsentInstruments,
    ) -> Result<Configuration, ConfigErrors> {
        let carried = self.sources.iter().flat_map(|source| &source.instruments);
        let carried = carried.map(|one| one.listing(&mut assets));
        let listed: Vec<Instrument> = listed.iter().cloned().chain(carried).collect();
        self.refuse_without_candidates()?;
        if absent == AbsentInstruments::Refuse {
            self.refuse_unlisted(&listed)?;
        }
        let names = self.instrument_names();
        let instruments: Vec<Instrument> = (0..)
            .map(InstrumentId)
            .zip(&names)
            .map(|(id, name)| self.instrument(id, name, &listed, &mut assets))
            .collect();
        let report_asset = assets.intern(&self.desk.report_currency);
        Ok(Configuration {
            report_asset,
            assets,
            venues: self.market_names().map(str::to_owned).collect(),
            accounts: self.accounts(),
            instruments,
            bots: (0..)
                .map(BotId)
                .zip(&self.bots)
                .map(|(id, bot)| self.bot(id, bot, &names))
                .collect(),
            limits: self.limits.clone(),
            fee: self
                .venues
                .iter()
                .filter(|venue| venue.kind.has_accounts())
                .map(|venue| venue.fee)
                .max()
                .unwrap_or(Ppm::ZERO),
            stagger: self.desk.stagger,
            stale_after: self.desk.stale_after,
            equity_every: self.desk.equity_every,
            candles: self.desk.candles,
            announce_quotes: false,
            venue_stop_distance: self.desk.venue_stop_distance,
            on_restart: self.desk.on_restart,
            deadline_min: std::time::Duration::ZERO,
            // The gaps of recorded data are those of its recorder, and rows may repeat a quote.
            own_gaps: absent == AbsentInstruments::Refuse,
            references: self.references(&names),
            series: Some(self.series()),
            build: None,
            bots_revision: 0,
            bots_text: None,
        })
    }

    fn refuse_without_candidates(&self) -> Result<(), ConfigErrors> {
        let errors = Errors::default();
        for (index, bot) in self.bots.iter().enumerate() {
            if bot.instruments.is_empty() {
                let what = "nobody knows what these prices list";
                let cure =
                    "name those to choose from, such as among = [\"BTC/USDT\", \"ETH/USDT\"]";
                let path = format!("bots[{index}].instruments.among");
                errors.push(path, None, Problem::new(what, cure));
            }
        }
        errors.into_result(&self.file)
    }

    fn refuse_unlisted(&self, listed: &[Instrument]) -> Result<(), ConfigErrors> {
        let known: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
        let errors = Errors::default();
        for (index, bot) in self.bots.iter().enumerate() {
            for (key, names) in [("instruments", &bot.instruments), ("reads", &bot.reads)] {
                let absent = names
                    .iter()
                    .enumerate()
                    .filter(|(_, name)| !known.contains(&name.as_str()));
                for (place, name) in absent {
                    let origin = self.origin(index, key, place);
                    let path = format!("bots[{index}].{key}[{place}]");
                    errors.push(path, origin, unknown_instrument(name, &known));
                }
            }
        }
        for reference in self.used_references(&self.used_names()) {
            if !known.contains(&reference.source.as_str()) {
                let path = format!("venues.{}", reference.path());
                errors.push(path, None, unknown_instrument(&reference.source, &known));
            }
        }
        errors.into_result(&self.file)
    }

    fn origin(&self, bot: usize, key: &str, place: usize) -> Option<Origin> {
        let item = |node: &'_ Node, index: usize| match &node.value {
            Value::List(items) => items.get(index).cloned(),
            _ => None,
        };
        let bot = item(self.tree.get("bots")?, bot)?;
        let Value::Table(table) = &bot.value else {
            return None;
        };
        Some(item(table.get(key)?, place)?.origin)
    }

    fn accounts(&self) -> Vec<Account> {
        (0..)
            .map(AccountId)
            .zip(&self.accounts)
            .map(|(id, account)| Account {
                id,
                name: account.name.clone(),
                venue: self.venue_id(&account.venue),
                mode: account.mode(),
                capital: account.capital,
                adopts: account.adopt,
                adopts_external: account.adopt_external,
            })
            .collect()
    }

    fn instrument(
        &self,
        id: InstrumentId,
        name: &str,
        listed: &[Instrument],
        assets: &mut AssetTable,
    ) -> Instrument {
        let venue = name.split_once(':').map_or("", |(venue, _)| venue);
        let venue = self.venue_id(venue);
        match listed.iter().find(|one| one.name == name) {
            Some(found) => Instrument {
                id,
                venue,
                ..found.clone()
            },
            None => without_data(id, venue, name, assets),
        }
    }

    /// What names of instruments begin with: venues, then sources.
    fn market_names(&self) -> impl Iterator<Item = &str> {
        let venues = self.venues.iter().map(|venue| venue.name.as_str());
        venues.chain(self.sources.iter().map(|source| source.name.as_str()))
    }

    fn venue_id(&self, name: &str) -> VenueId {
        let names: Vec<&str> = self.market_names().collect();
        VenueId(index_of(&names, name))
    }

    fn bot(&self, id: BotId, bot: &BotSettings, instruments: &[String]) -> BotConfig {
        let names: Vec<&str> = instruments.iter().map(String::as_str).collect();
        let ids = |wanted: &[String]| {
            wanted
                .iter()
                .map(|name| InstrumentId(index_of(&names, name)))
                .collect()
        };
        let accounts: Vec<&str> = self.accounts.iter().map(|one| one.name.as_str()).collect();
        BotConfig {
            id,
            name: bot.id.clone(),
            strategy: bot.strategy.name.clone(),
            strategy_version: bot.strategy.version,
            parameters: bot.strategy.parameters.clone(),
            account: AccountId(index_of(&accounts, &bot.account)),
            instruments: ids(&bot.instruments),
            reads: ids(&bot.reads),
            wakes: bot.strategy.wakes.clone(),
            budget: bot.budget,
            budget_share: bot.budget_share,
            universe: bot.universe.as_ref().map(|universe| universe.rule),
            positions_max: bot.positions_max,
            sizer: bot.sizer,
            exit: bot.exit.clone(),
            policy: bot.policy,
            lane: bot.lane,
            starts: bot.starts,
            revision: 0,
            external: bot.external.clone(),
            protections: bot.protections.clone(),
            process: bot.strategy.process.clone().map(Box::new),
        }
    }
}

/// Place of a name that is known to be there, because reading the file checked it.
fn index_of(names: &[&str], wanted: &str) -> u32 {
    let index = names.iter().position(|name| *name == wanted);
    let index = index.expect("names were checked when the file was read");
    u32::try_from(index).expect("a configuration has fewer than 2^32 entries")
}

/// An instrument of which nothing is known but its name. Its status keeps every order away from it.
fn without_data(
    id: InstrumentId,
    venue: VenueId,
    name: &str,
    assets: &mut AssetTable,
) -> Instrument {
    let product = name.split_once(':').map_or(name, |(_, product)| product);
    let (base, quote) = product.split_once('/').unwrap_or((product, product));
    let quote = assets.intern(quote);
    Instrument {
        venue,
        price_decimals: 8,
        quantity_decimals: 8,
        price_min: Price(0),
        status: InstrumentStatus::NoData,
        ..Instrument::spot(id, name, assets.intern(base), quote)
    }
}
