//! From names to ids and back, by the configuration in force.

use tradewind_events::{Action, BotConfig, Configuration};
use tradewind_model::{Account, AssetId, BotId, Instrument, InstrumentId, VenueId};

use crate::request::{Part, PartKind};

const UNKNOWN: &str = "unknown";

pub(crate) fn bot(configuration: &Configuration, id: BotId) -> &str {
    let bot = configuration.bots.get(id.index());
    bot.map_or(UNKNOWN, |bot| &bot.name)
}

/// Who an order is for: a bot's name, or that it was a person.
pub(crate) fn owner(configuration: &Configuration, id: Option<BotId>) -> &str {
    id.map_or("by hand", |id| bot(configuration, id))
}

pub(crate) fn instrument(configuration: &Configuration, id: InstrumentId) -> Option<&Instrument> {
    configuration.instruments.get(id.index())
}

pub(crate) fn instrument_name(configuration: &Configuration, id: InstrumentId) -> &str {
    instrument(configuration, id).map_or(UNKNOWN, |known| &known.name)
}

pub(crate) fn asset(configuration: &Configuration, id: AssetId) -> &str {
    if id.index() < configuration.assets.len() {
        configuration.assets.name(id)
    } else {
        UNKNOWN
    }
}

pub(crate) fn find_bot<'a>(configuration: &'a Configuration, name: &str) -> Option<&'a BotConfig> {
    let mut bots = configuration.bots.iter();
    bots.find(|bot| bot.name.eq_ignore_ascii_case(name))
}

/// The kill of a part of the desk, and which part that is in words; `None` where there is no such part.
pub(crate) fn kill_of(
    configuration: &Configuration,
    part: &Part,
    reason: String,
) -> Option<(Action, String)> {
    let is_named = |name: &str| name.eq_ignore_ascii_case(&part.name);
    let (scope, words) = match part.kind {
        PartKind::Bot => {
            let bot = find_bot(configuration, &part.name)?;
            (bot.id.into(), format!("bot {}", bot.name))
        }
        PartKind::Instrument => {
            let known = find_instrument(configuration, &part.name).ok()?;
            (known.id.into(), format!("instrument {}", known.name))
        }
        PartKind::Account => {
            let mut accounts = configuration.accounts.iter();
            let account = accounts.find(|account| is_named(&account.name))?;
            (account.id.into(), format!("account {}", account.name))
        }
        PartKind::Venue => {
            let mut venues = configuration.venues.iter();
            let index = venues.position(|venue| is_named(venue))?;
            let id = VenueId(u32::try_from(index).ok()?);
            (id.into(), format!("venue {}", configuration.venues[index]))
        }
    };
    Some((Action::KillScope { scope, reason }, words))
}

/// The instrument of this name, with the venue before it or, where only one venue has it, without.
pub(crate) fn find_instrument<'a>(
    configuration: &'a Configuration,
    name: &str,
) -> Result<&'a Instrument, String> {
    let product = |full: &'a str| full.split_once(':').map_or(full, |(_, product)| product);
    let mut matching = configuration.instruments.iter().filter(|known| {
        known.name.eq_ignore_ascii_case(name) || product(&known.name).eq_ignore_ascii_case(name)
    });
    match (matching.next(), matching.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("there is no instrument {name}")),
        (Some(one), Some(other)) => Err(format!("write {} or {}", one.name, other.name)),
    }
}

/// The account of this name, or, with no name, the only one on the instrument's venue.
pub(crate) fn find_account<'a>(
    configuration: &'a Configuration,
    instrument: &Instrument,
    name: Option<&str>,
) -> Result<&'a Account, String> {
    let mut on_venue = configuration.accounts.iter().filter(|account| {
        account.venue == instrument.venue
            && name.is_none_or(|name| account.name.eq_ignore_ascii_case(name))
    });
    match (on_venue.next(), on_venue.next(), name) {
        (Some(one), None, _) => Ok(one),
        (None, _, Some(name)) => Err(format!("there is no account {name} for this instrument")),
        (None, _, None) => Err("there is no account for this instrument".to_owned()),
        (Some(one), Some(other), _) => Err(format!(
            "name the account behind the amount: {} or {}",
            one.name, other.name
        )),
    }
}
