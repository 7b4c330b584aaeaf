//! What a bot saw and had decided at a moment of the past.

use std::collections::BTreeMap;
use std::sync::Arc;

use tradewind_events::{Configuration, DeskView, Event, EventKind, Input};
use tradewind_journal::{JournalError, Reader, Record, StoreKind};
use tradewind_model::{BotId, EventId, Timestamp};

use crate::replay::causes::event;
use crate::replay::player::{Player, Step};
use crate::replay::verify::{CannotReplay, strategies, with_cure};

/// The longest chain of causes that is followed.
const LINKS_MAX: usize = 64;

/// A desk and a bot of it at a moment.
#[derive(Clone, Debug)]
pub struct PastBot {
    /// The configuration then.
    pub configuration: Arc<Configuration>,
    /// The bot.
    pub bot: BotId,
    /// The desk then, replayed; `None` where market data is missing.
    pub view: Option<DeskView>,
    /// The first input for which this build decides otherwise than was recorded, or finds another state: the view is what this build makes of
    /// the inputs.
    pub unlike: Option<u64>,
    /// The bot's last deed and, each after the one it caused, the events that led to it.
    pub chain: Vec<Event>,
    /// Whether the chain reaches its beginning.
    pub complete: bool,
}

/// The bot of that name as it was at `at`.
///
/// # Errors
/// [`CannotReplay`]: the journal cannot be read, begins later, or does not know the bot.
pub fn look(reader: &Reader, name: &str, at: Timestamp) -> anyhow::Result<PastBot> {
    let (configuration, mut last) = past(reader, at).map_err(|error| with_cure(error.into()))?;
    let Some(configuration) = configuration else {
        return Err(CannotReplay {
            problem: format!("the journal begins after {at}"),
            cure: "name a later time".to_owned(),
        }
        .into());
    };
    let Some(bot) = configuration.bots.iter().find(|bot| bot.name == name) else {
        return Err(CannotReplay {
            problem: format!("the desk had no bot {name:?} then"),
            cure: "write a bot's name as in the configuration".to_owned(),
        }
        .into());
    };
    let id = bot.id;
    let (chain, complete) = match last.remove(&id) {
        Some(event) => chain(reader, event).map_err(|error| with_cure(error.into()))?,
        None => (Vec::new(), true),
    };
    let replayed = replayed(reader, at).map_err(with_cure)?;
    let (configuration, view) = match replayed.desk {
        Some((known, view)) => (known, Some(view)),
        None => (*configuration, None),
    };
    Ok(PastBot {
        configuration: Arc::new(configuration),
        bot: id,
        view,
        unlike: replayed.unlike,
        chain,
        complete,
    })
}

/// The configuration at `at`, and the last deed of each bot by then.
type Past = (Option<Box<Configuration>>, BTreeMap<BotId, Event>);

fn past(reader: &Reader, at: Timestamp) -> Result<Past, JournalError> {
    let mut configuration = None;
    let mut last = BTreeMap::new();
    for found in reader.records(StoreKind::Truth)? {
        let found = found?;
        match found.record {
            Record::Input(_) | Record::Event(_) if found.at > at => break,
            Record::Input(Input::Configured(known)) => configuration = Some(known),
            Record::Event(event) => {
                if let Some(bot) = deed_of(&event.kind) {
                    last.insert(bot, event);
                }
            }
            _ => {}
        }
    }
    Ok((configuration, last))
}

/// The bot whose deed an event is.
const fn deed_of(kind: &EventKind) -> Option<BotId> {
    match kind {
        EventKind::SignalGenerated { bot, .. } => Some(*bot),
        EventKind::RiskDecisionRejected { bot, .. }
        | EventKind::OrderPlaced { bot, .. }
        | EventKind::OrderAccepted { bot, .. }
        | EventKind::OrderFilled { bot, .. }
        | EventKind::OrderCancelled { bot, .. }
        | EventKind::OrderRejected { bot, .. }
        | EventKind::OrderExpired { bot, .. }
        | EventKind::OrderUnknown { bot, .. } => *bot,
        _ => None,
    }
}

fn chain(reader: &Reader, last: Event) -> Result<(Vec<Event>, bool), JournalError> {
    let mut chain = Vec::new();
    let mut next = Some(last);
    while let Some(link) = next.take() {
        let (id, cause): (EventId, _) = (link.id, link.cause);
        chain.push(link);
        let Some(cause) = cause.filter(|cause| *cause < id) else {
            return Ok((chain, cause.is_none()));
        };
        if chain.len() < LINKS_MAX {
            next = event(reader, cause)?;
        }
    }
    Ok((chain, false))
}

/// The desk after the last input by `at`.
struct Replayed {
    /// `None` where market data is missing.
    desk: Option<(Configuration, DeskView)>,
    unlike: Option<u64>,
}

fn replayed(reader: &Reader, at: Timestamp) -> anyhow::Result<Replayed> {
    let strategies = strategies();
    let mut player = Player::open_at(reader, &strategies, Some(at))?;
    let mut unlike = None;
    loop {
        match player.step(Some(at))? {
            Step::Same => {}
            Step::Other(other) => {
                unlike.get_or_insert(other.seq);
            }
            Step::End => break,
        }
    }
    let engine = player.engine();
    let desk = engine.map(|engine| (engine.configuration().clone(), engine.view()));
    Ok(Replayed { desk, unlike })
}
