//! `[desk]`, `[engine]`, `[api]`, `[simulation]` and `[telegram]`: the typed values and how they are read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tradewind_events::{CandleSource, EventType, OnRestart};
use tradewind_model::Ppm;
use tradewind_venues::{Address, Scheme};

use crate::driver::EngineWait;

use super::error::Problem;
use super::nearest::did_you_mean;
use super::section::Section;
use super::tree::Node;
use super::values::{self, Read};

/// The desk as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskSettings {
    /// Asset in which equity and limits are stated.
    pub report_currency: String,
    /// What an intent survives before its order leaves.
    pub durability: Durability,
    /// What becomes of positions when the desk stops.
    pub on_exit: OnExit,
    /// What becomes of entries that a restart finds resting.
    pub on_restart: OnRestart,
    /// Unclean ends within ten minutes after which a start is in SAFE mode; 0 for never.
    pub safe_after: u64,
    /// Time between the starts of two bots.
    pub stagger: Duration,
    /// Silence of a connection after which its prices count as stale.
    pub stale_after: Duration,
    /// Time between two equity snapshots.
    pub equity_every: Duration,
    /// Where candles come from.
    pub candles: CandleSource,
    /// Distance of the stops at the venue, as a multiple of a bot's own; `None` places none.
    pub venue_stop_distance: Option<Ppm>,
    /// Whether strategies that are broken on purpose may be used.
    pub test_strategies: bool,
}

/// What an intent survives before its order leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process: it is written.
    Process,
    /// Loss of power: it is synced. The only one with a live account.
    Power,
}

/// What becomes of positions when the desk stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// They stay, as protected as they are.
    Keep,
    /// They are closed first, by ordinary exits.
    Flatten,
}

impl DeskSettings {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let report_currency = section.get("report_currency", asset);
        let durability = section.get("durability", |node| {
            let choices = [
                ("process", Durability::Process),
                ("power", Durability::Power),
            ];
            values::choice(node, &choices)
        });
        let on_exit = section.get("on_exit", |node| {
            let choices = [("keep", OnExit::Keep), ("flatten", OnExit::Flatten)];
            values::choice(node, &choices)
        });
        let on_restart = section.get("on_restart", |node| {
            let choices = [("keep", OnRestart::Keep), ("cancel", OnRestart::Cancel)];
            values::choice(node, &choices)
        });
        let safe_after = section.get("safe_after", values::count);
        let stagger = section.get("stagger", values::duration_or_zero);
        let stale_after = section.get("stale_after", values::duration);
        let equity_every = section.get("equity_every", values::duration);
        let candles = section.get("candles", |node| {
            let choices = [
                ("venue", CandleSource::Venue),
                ("trades", CandleSource::Trades),
            ];
            values::choice(node, &choices)
        });
        let venue_stop_distance = section.get("venue_stop_distance", values::multiple_or_off);
        let test_strategies = section.get("test_strategies", values::flag);
        Some(Self {
            report_currency: report_currency?,
            durability: durability?,
            on_exit: on_exit?,
            on_restart: on_restart?,
            safe_after: safe_after?,
            stagger: stagger?,
            stale_after: stale_after?,
            equity_every: equity_every?,
            candles: candles?,
            venue_stop_distance: venue_stop_distance?,
            test_strategies: test_strategies?,
        })
    }
}

/// An asset's name: upper-case letters and digits.
pub(super) fn asset(node: &Node) -> Read<String> {
    let text = values::text(node)?;
    if is_asset(&text) {
        return Ok(text);
    }
    Err(Problem::new(
        format!("{text:?} is no asset"),
        "write its name in capitals, such as \"USDT\"",
    ))
}

/// Whether a text can be an asset's name.
pub(super) fn is_asset(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl ApiSettings {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let listen = section.get("listen", |node| {
            let address = values::socket_address(node)?;
            if address.ip().is_loopback() {
                return Ok(address);
            }
            Err(Problem::new(
                format!("{address} can be reached from other machines, in plain text"),
                "listen on 127.0.0.1 and put a TLS proxy or a tunnel in front",
            ))
        });
        Some(Self { listen: listen? })
    }
}

/// The embedded exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationSettings {
    /// Same seed, same market.
    pub seed: u64,
    /// How fast the simulated market runs; above zero.
    pub speed: Ppm,
    /// Whether the exchange enforces its rate limits.
    pub enforce_limits: bool,
}

impl SimulationSettings {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let seed = section.get("seed", values::count);
        let speed = section.get("speed", values::multiple);
        let enforce_limits = section.get("limits", |node| {
            values::choice(node, &[("venue", true), ("off", false)])
        });
        Some(Self {
            seed: seed?,
            speed: speed?,
            enforce_limits: enforce_limits?,
        })
    }
}

/// The engine's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// What it does when nothing is ready.
    pub wait: EngineWait,
}

impl EngineSettings {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let wait = section.get("wait", |node| {
            let choices = [("park", EngineWait::Park), ("spin", EngineWait::Spin)];
            values::choice(node, &choices)
        });
        Some(Self { wait: wait? })
    }
}

/// The Telegram bot. It runs if its token is in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramSettings {
    /// Numeric ids of the authorised users.
    pub users: Vec<i64>,
    /// Address of the Bot API.
    pub api_url: String,
    /// Environment variable that holds the bot's token.
    pub token_env: String,
    /// Environment variable that holds the chat notifications go to.
    pub chat_env: String,
    /// Age at which a command that adds risk is refused.
    pub stale_after: Duration,
    /// Which events are sent, and with or without sound. Other types are not sent.
    pub notify: BTreeMap<EventType, Notify>,
}

/// How an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// With a sound.
    On,
    /// Without.
    Silent,
    /// Not at all.
    Off,
}

impl TelegramSettings {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let users = section.items("users", |node| match values::integer(node)? {
            user if user > 0 => Ok(user),
            other => Err(Problem::new(
                format!("{other} is not a user id: groups and channels cannot send commands"),
                "write the user's own number, which is above 0",
            )),
        });
        let api_url = section.get("api_url", |node| address(node, Scheme::Http));
        let token_env = section.get("token_env", variable);
        let chat_env = section.get("chat_env", variable);
        let stale_after = section.get("stale_after", values::duration);
        let notify = section.entries("notify", notify);
        Some(Self {
            users: users?,
            api_url: api_url?,
            token_env: token_env?,
            chat_env: chat_env?,
            stale_after: stale_after?,
            notify: notify?.into_iter().map(|(_, entry)| entry).collect(),
        })
    }
}

fn notify(name: &str, node: &Node) -> Read<(EventType, Notify)> {
    let event = EventType::from_name(name).ok_or_else(|| {
        let names = EventType::ALL.iter().map(|event| event.name());
        Problem::new("no such event", did_you_mean(name, names))
    })?;
    let choices = [
        ("on", Notify::On),
        ("silent", Notify::Silent),
        ("off", Notify::Off),
    ];
    Ok((event, values::choice(node, &choices)?))
}

/// An address that is encrypted or on this machine.
pub(super) fn address(node: &Node, scheme: Scheme) -> Read<String> {
    let text = values::text(node)?;
    match Address::parse(&text, scheme) {
        Ok(address) => Ok(address.to_string()),
        Err(error) => {
            let example = match scheme {
                Scheme::Http | Scheme::Tcp | Scheme::Redis => "https://api.example.org",
                Scheme::WebSocket => "wss://stream.example.org:9443",
            };
            let cure = format!("write an address such as {example:?}");
            Err(Problem::new(error.to_string(), cure))
        }
    }
}

/// The name of an environment variable, which is not the secret itself.
pub(super) fn variable(node: &Node) -> Read<String> {
    let text = values::text(node)?;
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if text.len() <= 64 && text.bytes().all(plain) {
        return Ok(text);
    }
    // The text is not repeated: it may well be the secret.
    Err(Problem::new(
        "not the name of an environment variable",
        "write the variable's name in capitals, never the secret itself",
    ))
}
