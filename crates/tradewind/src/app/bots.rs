//! The bots in force, and others in their place while the desk runs (`tradewind bots apply`).
//!
//! A text is read against the desk's own configuration, which does not change. What is wrong with it is returned with all
//! its places, and nothing has changed then. The engine takes all of it or refuses all of it. A start reads the bots that were
//! applied last in place of those of its file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Mutex;
use tradewind_api::{ApplyBotsError, BotsApplied, BotsToApply};
use tradewind_events::{
    Action, AppliedBots, BotConfig, CandleSource, Command, CommandResult, Configuration, Lane,
};
use tradewind_model::{Amount, Instrument, InstrumentId, Interval, Ppm};
use tradewind_storage::Writer;
use tradewind_venues::binance::Assets;

use crate::app::current::CurrentConfiguration;
use crate::app::desk_time::keep_deadlines;
use crate::app::hot_path::intervals;
use crate::app::kill_switch::KillSwitch;
use crate::config::{AbsentInstruments, BotChange, DeskConfig, Listing, Sources, keep_ids};

/// What to write where only a start helps.
const RESTART: &str =
    "write it into the configuration and start the desk again with --bots-from-file";

/// The bots in force.
#[derive(Debug)]
pub(crate) struct BotSet {
    /// What the desk runs with. It is locked while bots are applied.
    pub(crate) config: Mutex<DeskConfig>,
    /// The configuration with ids.
    pub(crate) current: Arc<CurrentConfiguration>,
    /// What was subscribed when the desk started.
    pub(crate) received: Received,
    /// What the venues list.
    pub(crate) listed: Vec<Instrument>,
    /// Assets by id.
    pub(crate) assets: Arc<Assets>,
    /// What becomes of instruments that no venue lists.
    pub(crate) absent: AbsentInstruments,
    /// What the names of instruments are held against.
    pub(crate) listing: Listing,
    /// Environment variables.
    pub(crate) environment: BTreeMap<String, String>,
    /// Speed of the desk's clock.
    pub(crate) speed: Ppm,
    /// Whether a person confirmed the budgets of the accounts for real money.
    pub(crate) is_confirmed: bool,
    /// The way to the engine.
    pub(crate) kill: KillSwitch,
    /// Names of new bots for the history, and the first number they hold for.
    pub(crate) names: (Arc<Writer>, u64),
}

/// Market data that the desk subscribed to when it started.
#[derive(Debug)]
pub(crate) struct Received {
    instruments: BTreeSet<InstrumentId>,
    /// `None` if candles are built from trades: then there are all.
    candles: Option<BTreeSet<(InstrumentId, Interval)>>,
}

impl Received {
    /// What a desk of this configuration subscribes to.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let with_data = configuration
            .instruments
            .iter()
            .filter(|one| one.has_data());
        let instruments: BTreeSet<InstrumentId> = with_data.map(|one| one.id).collect();
        let used = |id: &InstrumentId| -> Vec<(InstrumentId, Interval)> {
            let bots = configuration.bots.iter();
            let used = bots.flat_map(|bot| intervals(bot, *id));
            used.map(|interval| (*id, interval)).collect()
        };
        let candles = match configuration.candles {
            CandleSource::Venue => Some(instruments.iter().flat_map(used).collect()),
            CandleSource::Trades => None,
        };
        Self {
            instruments,
            candles,
        }
    }

    /// The candles of an instrument that a bot needs and that are not received.
    fn missing(&self, bot: &BotConfig, instrument: InstrumentId) -> Vec<Interval> {
        let Some(candles) = &self.candles else {
            return Vec::new();
        };
        let mut needed = intervals(bot, instrument);
        needed.retain(|interval| !candles.contains(&(instrument, *interval)));
        needed
    }
}

/// The configuration of a start: with the bots that were applied last, unless those of the file are wanted.
///
/// # Errors
/// The bots that were applied do not fit the configuration any more.
pub(crate) fn in_force(
    file: DeskConfig,
    last: &Configuration,
    from_file: bool,
    (listing, environment): (Listing, &BTreeMap<String, String>),
) -> anyhow::Result<DeskConfig> {
    let Some(text) = last.bots_text.as_deref().filter(|_| !from_file) else {
        return Ok(file);
    };
    let revision = last.bots_revision;
    let name = format!("the bots that were applied as revision {revision}");
    let config = file
        .with_bots(&Sources {
            file: &name,
            text,
            environment,
            listing,
        })
        .with_context(|| {
            format!(
                "--bots-from-file starts with those of {} instead",
                file.file
            )
        })?;
    tracing::info!(
        revision,
        "The bots are those that `tradewind bots apply` set."
    );
    for (bot, change) in file.bot_changes(&config) {
        tracing::warn!("Bot {bot} is not as in {}: {change}.", file.file);
    }
    Ok(config)
}

impl BotSet {
    /// Puts the bots of a request in place of those in force, or says what that would change.
    ///
    /// # Errors
    /// Everything that is wrong with them, or the engine's refusal. Nothing was changed then.
    pub(crate) async fn apply(&self, request: BotsToApply) -> Result<BotsApplied, ApplyBotsError> {
        let mut in_force = self.config.lock().await;
        let wrong = |error: crate::config::ConfigErrors| {
            let errors = error.errors.iter();
            ApplyBotsError::Wrong(errors.map(ToString::to_string).collect())
        };
        let sources = Sources {
            file: &request.file,
            text: &request.text,
            environment: &self.environment,
            listing: self.listing,
        };
        let new = in_force.with_bots(&sources).map_err(wrong)?;
        let new = new.with_candidates(&self.listed).map_err(wrong)?;
        let current = self.current.get();
        let changes = in_force.bot_changes(&new);
        let lines = changes.iter();
        let lines = lines.map(|(bot, change)| format!("{bot}: {change}"));
        let mut answer = BotsApplied {
            revision: current.bots_revision,
            changes: lines.collect(),
        };
        if changes.is_empty() {
            return Ok(answer);
        }
        let planned = self.plan((&in_force, &new), &current, &changes, wrong)?;
        answer.revision += 1;
        if request.dry_run {
            return Ok(answer);
        }
        let applied = AppliedBots {
            revision: answer.revision,
            text: new.bots_text(),
            bots: planned.listed,
            changes: answer.changes.clone(),
        };
        let next = Configuration {
            bots: planned.all,
            bots_revision: applied.revision,
            bots_text: Some(applied.text.as_str().into()),
            ..Configuration::clone(&current)
        };
        // Before the engine announces anything of a new bot.
        self.name(&next);
        let command = Command {
            id: request.id,
            principal: request.principal,
            issued_at: request.issued_at,
            expires_at: request.expires_at,
            action: Action::ApplyBots(Box::new(applied)),
        };
        match self.kill.command(command).await {
            Some(CommandResult::Accepted(_)) => {
                *in_force = new;
                Ok(answer)
            }
            refused => {
                self.name(&current);
                Err(match refused {
                    Some(CommandResult::Refused(reason)) => ApplyBotsError::Refused(reason),
                    _ => ApplyBotsError::Unavailable,
                })
            }
        }
    }

    /// Takes a configuration into use for names.
    fn name(&self, configuration: &Configuration) {
        let (writer, from_seq) = &self.names;
        let known = self.current.replace_bots(configuration);
        writer.configure(*from_seq, known);
    }

    /// The bots with ids.
    fn plan(
        &self,
        (known, new): (&DeskConfig, &DeskConfig),
        current: &Configuration,
        changes: &[(String, BotChange)],
        wrong: impl Fn(crate::config::ConfigErrors) -> ApplyBotsError,
    ) -> Result<Planned, ApplyBotsError> {
        let resolved = new.resolve(&self.listed, self.assets.snapshot(), self.absent);
        let mut resolved = resolved.map_err(wrong)?;
        keep_deadlines(&mut resolved, self.speed);
        let stable = keep_ids(resolved, current);
        let stable = stable.map_err(|error| ApplyBotsError::Wrong(vec![error]))?;
        let listed = stable.for_engine().bots;
        let mut errors = Vec::new();
        for (index, settings) in new.bots.iter().enumerate() {
            let is_changed = changes.iter().any(|(name, _)| *name == settings.id);
            let bot = listed.iter().find(|bot| bot.name == settings.id);
            let Some(bot) = bot.filter(|_| is_changed) else {
                continue;
            };
            let names = &stable.configuration.instruments;
            self.check(&format!("bots[{index}]"), bot, names, current, &mut errors);
        }
        if self.is_confirmed {
            errors.extend(budgets_differ(known, new));
        }
        match errors.is_empty() {
            true => Ok(Planned {
                listed,
                all: stable.configuration.bots,
            }),
            false => Err(ApplyBotsError::Wrong(errors)),
        }
    }

    /// Notes what a running desk cannot take over of a bot.
    fn check(
        &self,
        path: &str,
        bot: &BotConfig,
        instruments: &[Instrument],
        current: &Configuration,
        errors: &mut Vec<String>,
    ) {
        let name = |id: InstrumentId| &instruments[id.index()].name;
        for (key, used) in [("instruments", &bot.instruments), ("reads", &bot.reads)] {
            for (place, id) in used.iter().enumerate() {
                let path = format!("{path}.{key}[{place}]");
                if !self.received.instruments.contains(id) {
                    let name = name(*id);
                    errors.push(format!(
                        "{path}: the running desk does not receive {name}; {RESTART}"
                    ));
                    continue;
                }
                for interval in self.received.missing(bot, *id) {
                    let name = name(*id);
                    errors.push(format!(
                        "{path}: the running desk does not receive {interval} candles of {name}; {RESTART}"
                    ));
                }
            }
        }
        let before = current.bots.iter().find(|known| known.name == bot.name);
        if before.is_some_and(|before| before.account != bot.account) {
            errors.push(format!(
                "{path}.account: a bot keeps its account; remove {} and add one of another name",
                bot.name
            ));
        }
        let runs = |of: &BotConfig| {
            let strategy = (
                of.strategy.clone(),
                of.strategy_version,
                of.parameters.clone(),
            );
            let fed = (of.instruments.clone(), of.reads.clone(), of.wakes.clone());
            (strategy, fed, of.lane)
        };
        let is_same = before.is_some_and(|before| runs(before) == runs(bot));
        if bot.lane != Lane::Inline && !is_same {
            errors.push(format!(
                "{path}.lane: strategies outside of the engine's thread begin with the desk; {RESTART}"
            ));
        }
    }
}

/// Bots with ids.
struct Planned {
    /// Those of the text.
    listed: Vec<BotConfig>,
    /// With those that are removed, so that ids are places.
    all: Vec<BotConfig>,
}

/// Accounts whose bots have other budgets than a person confirmed for real money.
fn budgets_differ(known: &DeskConfig, new: &DeskConfig) -> Vec<String> {
    let sum = |of: &DeskConfig, account: &str| -> Amount {
        let here = of.bots.iter().filter(|bot| bot.account == account);
        let mut accounts = of.accounts.iter();
        let known = accounts.find(|known| known.name == account);
        let capital = known.and_then(|known| known.capital);
        here.map(|bot| bot.budget_of(capital)).sum()
    };
    let accounts = known.accounts.iter().filter_map(|account| {
        let name = &account.name;
        let (before, after) = (sum(known, name), sum(new, name));
        let differs = before != after;
        differs.then(|| {
            format!(
                "accounts.{name}: {before} was confirmed for the budgets of its bots, and these have {after}; {RESTART}"
            )
        })
    });
    accounts.collect()
}
