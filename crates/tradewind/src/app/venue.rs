//! The embedded exchange and the venues' adapters: everything the desk reaches over TCP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::SecretString;
use tokio::sync::mpsc;
use tradewind_events::{CommandId, Configuration};
use tradewind_model::{
    AccountId, AccountMode, Amount, AssetTable, Clock, Instrument, Ppm, VenueId,
};
use tradewind_risk::KillLatch;
use tradewind_simx::FillModel;
use tradewind_simx_server::{AccountSpec, HISTORY, Limits, MarketChoice, Server, ServerOptions};
use tradewind_venues::execution::{RESPONSES_MAX, RequestId, ResponseSink, VenueResponse};
use tradewind_venues::{
    Address, ApiKey, Assets, Connector, OrderGate, RateBudget, RetryLimits, Scheme, TcpConnector,
    Venue, VenueContext, VenueError, VenueSettings, build, client_config,
};

use crate::app::bans::Bans;
use crate::app::feeds::{self, Feed};
use crate::app::hot_path::Responses;
use crate::app::recordings::Recordings;
use crate::app::unanswered::{Start, at_start, recalled};
use crate::config::{AccountSettings, AccountSource, DeskConfig};

/// Request weight an address may use in a minute, until the venue says otherwise.
pub(super) const WEIGHT_PER_MINUTE: u64 = 6_000;

/// Longest wait of a start for its rate budget, and how often it waits: the venue counts by the minute.
const BUDGET_PATIENCE: Duration = Duration::from_secs(60);
const BUDGET_TRIES: u32 = 2;

/// How the paper accounts reach the embedded exchange.
#[derive(Debug)]
pub(crate) struct Embedded {
    /// Where it listens.
    address: SocketAddr,
    secrets: BTreeMap<String, String>,
}

impl Embedded {
    /// Binds the exchange to a free port of the loopback, with an account for each paper account of the configuration.
    ///
    /// The keys are drawn at each start and never leave the process. The accounts are kept by name and outlive it.
    ///
    /// # Errors
    /// The exchange's state cannot be used.
    pub(crate) fn bind(
        config: &DeskConfig,
        data_dir: &Path,
        market: MarketChoice,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<(Self, Server)> {
        let mut accounts = Vec::new();
        let mut secrets = BTreeMap::new();
        for account in &config.accounts {
            let AccountSource::Paper(balances) = &account.mode else {
                continue;
            };
            let secret = random_hex()?;
            let balances: Vec<(String, Amount)> = balances
                .iter()
                .map(|(asset, amount)| (asset.clone(), *amount))
                .collect();
            accounts.push(AccountSpec::new(
                paper_key(account),
                secret.clone(),
                balances,
            ));
            secrets.insert(account.name.clone(), secret);
        }
        let server = Server::bind(ServerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: Some(data_dir.to_owned()),
            accounts,
            market,
            limits: if config.simulation.enforce_limits {
                Limits::Venue
            } else {
                Limits::Off
            },
            fill: FillModel::Book,
            history: HISTORY,
            clock: Arc::clone(clock),
        })
        .context("starting the embedded exchange")?;
        Ok((
            Self {
                address: server.local_addr(),
                secrets,
            },
            server,
        ))
    }
}

fn paper_key(account: &AccountSettings) -> String {
    format!("paper-{}", account.name)
}

/// 256 random bits as hexadecimal digits.
///
/// # Errors
/// The system has no source of randomness.
pub(crate) fn random_hex() -> anyhow::Result<String> {
    Ok(data_encoding::HEXLOWER.encode(&random::<32>()?))
}

/// An id for a command that the desk gives itself.
///
/// # Errors
/// The system has no source of randomness.
pub(crate) fn random_command_id() -> anyhow::Result<CommandId> {
    Ok(CommandId::from_le_bytes(random()?))
}

fn random<const BYTES: usize>() -> anyhow::Result<[u8; BYTES]> {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0_u8; BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the system has no source of randomness"))?;
    Ok(bytes)
}

/// The venues' adapters, one per account in the order of their ids, behind one gate.
#[derive(Debug)]
pub(crate) struct Venues {
    /// By account.
    pub(crate) accounts: Vec<Arc<dyn Venue>>,
    /// Venues that are read without an account.
    pub(crate) feeds: Vec<Feed>,
    /// What every order passes.
    pub(crate) gate: Arc<OrderGate>,
    /// What they list.
    pub(crate) listed: Vec<Instrument>,
    /// Accounts whose venue did not answer the start, and why: the rules of an earlier run are in use until it does.
    pub(super) unread: BTreeMap<AccountId, String>,
    /// Assets by the ids the adapters use.
    pub(crate) assets: Arc<Assets>,
}

impl Venues {
    /// Builds an adapter for each account and reads each venue's time and instruments. The answers to each account's
    /// requests come through what is returned beside them. Of a venue that does not answer, the instruments of `known` are in use until
    /// it does; it is waited for if they are not enough. The assets of `known` keep their ids. With `reads`, venues without an account
    /// are played from these recordings.
    ///
    /// # Errors
    /// An address is refused, a key is missing or not fit for real money (X07), or a venue bans this address for long or refuses the
    /// requests.
    pub(crate) async fn connect(
        config: &DeskConfig,
        embedded: Option<&Embedded>,
        latch: &Arc<KillLatch>,
        clock: &Arc<dyn Clock>,
        environment: &BTreeMap<String, String>,
        (known, bans): (&Configuration, &Bans),
        (reads, recordings): (Option<&BTreeMap<String, PathBuf>>, &mut Recordings),
    ) -> anyhow::Result<(Self, Vec<Responses>)> {
        let connectors = config.venues.iter().map(|venue| {
            let connector = connector(venue)?;
            if !venue.record {
                return Ok(connector);
            }
            let address = Address::parse(&venue.ws_url, Scheme::WebSocket)?;
            Ok(recordings.tap(&venue.name, &address, connector))
        });
        let connectors: Vec<_> = connectors.collect::<anyhow::Result<_>>()?;
        let mut context = VenueContext {
            assets: Arc::new(Assets::new(known.assets.clone())),
            ..context(latch, clock, TcpConnector::shared(client_config(None)?))
        };
        let (mut accounts, mut all_responses) = (Vec::new(), Vec::new());
        let mut budgets: BTreeMap<String, Arc<Mutex<RateBudget>>> = BTreeMap::new();
        for (id, account) in (0..).map(AccountId).zip(&config.accounts) {
            let settings = VenueSettings {
                account: id,
                ..adapter(config, account, embedded, environment)?
            };
            context.connector = Arc::clone(&connectors[settings.venue.index()]);
            let (address, now) = (settings.rest_url.clone(), context.connector.now());
            let budget = budgets.entry(address.clone());
            let speed = if embedded.is_some() {
                clock.speed()
            } else {
                Ppm::ONE
            };
            let retries = config.venues[settings.venue.index()].retries;
            let new = || kept_budget(bans, &address, now, (speed, retries));
            context.budget = Arc::clone(budget.or_insert_with(new));
            let (sink, responses) = response_channel();
            let venue = build(settings, context.clone(), sink);
            accounts.push(venue.with_context(|| format!("account {}", account.name))?);
            all_responses.push(responses);
        }
        let feeds = feeds::prepare(config, &connectors, &context, (bans, reads))?;
        let addresses = budgets.keys().chain(feeds.iter().map(Feed::address));
        bans.wait(addresses).await?;
        let (mut listed, unread) = read_venues(config, &accounts, known).await?;
        for feed in &feeds {
            listed.extend(feed.listings(config, known).await?);
        }
        let (gate, assets) = (context.gate, context.assets);
        let venues = Self {
            accounts,
            feeds,
            gate,
            listed,
            unread,
            assets,
        };
        Ok((venues, all_responses))
    }

    /// Takes the instruments of the configuration into use at their venues, by the ids they have there.
    ///
    /// # Errors
    /// An instrument that its venue does not list.
    pub(crate) fn take_into_use(&self, configuration: &Configuration) -> anyhow::Result<()> {
        for (account, adapter) in configuration.accounts.iter().zip(&self.accounts) {
            let here = configuration.instruments.iter().filter(|instrument| {
                let is_listed = |listed: &Instrument| listed.name == instrument.name;
                instrument.venue == account.venue && self.listed.iter().any(is_listed)
            });
            let here: Vec<Instrument> = here.cloned().collect();
            adapter.use_instruments(&here)?;
        }
        self.feeds
            .iter()
            .try_for_each(|feed| feed.take_into_use(configuration))
    }
}

/// Reads the time of each account's venue, checks each live key, and lists what the venues have. Beside it: the accounts whose venue
/// does not answer and has no instrument that an earlier run did not know.
async fn read_venues(
    config: &DeskConfig,
    accounts: &[Arc<dyn Venue>],
    known: &Configuration,
) -> anyhow::Result<(Vec<Instrument>, BTreeMap<AccountId, String>)> {
    let mut listed: Vec<Instrument> = Vec::new();
    let mut unread = BTreeMap::new();
    let accounts = config.accounts.iter().zip(accounts);
    for (id, (account, venue)) in (0..).map(AccountId).zip(accounts) {
        // Read for each account: its adapter learns the symbols and the venue's limit of requests from it.
        let read = || read_venue(account, &**venue);
        let recalled = || {
            let known = recalled(config, &account.venue, known)?;
            venue.recall(&known).then_some(known)
        };
        let here = match at_start(&account.venue, read, recalled).await? {
            Start::Read(here) => here,
            Start::Recalled(here, why) => {
                unread.insert(id, why);
                here
            }
        };
        let first = here.first().map(|instrument| instrument.venue);
        if !listed.iter().any(|known| Some(known.venue) == first) {
            listed.extend(here);
        }
    }
    Ok((listed, unread))
}

/// Lists what an account's venue has, reads its time, and checks the key of a live account.
///
/// # Errors
/// The venue does not answer, or refuses; the key is not fit.
pub(super) async fn read_venue(
    account: &AccountSettings,
    venue: &dyn Venue,
) -> anyhow::Result<Vec<Instrument>> {
    let requesting = || format!("requesting {} for account {}", account.venue, account.name);
    let here = within_budget(|| venue.listings()).await;
    let here = here.with_context(requesting)?;
    let time = within_budget(|| venue.server_time()).await;
    time.with_context(requesting)?;
    if account.mode() == AccountMode::Live {
        venue.check_key().await.with_context(requesting)?;
    }
    Ok(here)
}

/// Makes a request of the start. If earlier starts have used up the venue's request weight, it waits for the next minute.
pub(super) async fn within_budget<T, F>(request: impl Fn() -> F) -> Result<T, VenueError>
where
    F: Future<Output = Result<T, VenueError>>,
{
    for _ in 0..BUDGET_TRIES {
        match request().await {
            Err(VenueError::Limited(wait)) if wait <= BUDGET_PATIENCE => {
                let seconds = wait.as_secs();
                tracing::warn!(
                    seconds,
                    "The start waits until the venue takes requests again."
                );
                tokio::time::sleep(wait).await;
            }
            done => return done,
        }
    }
    request().await
}

/// What adapters share: a gate on `latch`, the desk's clock, and a budget of their own.
pub(super) fn context(
    latch: &Arc<KillLatch>,
    clock: &Arc<dyn Clock>,
    connector: Arc<dyn Connector>,
) -> VenueContext {
    VenueContext {
        connector,
        gate: OrderGate::new(Arc::clone(latch), Arc::clone(clock)),
        clock: Arc::clone(clock),
        budget: Arc::new(Mutex::new(RateBudget::new(WEIGHT_PER_MINUTE))),
        assets: Arc::new(Assets::new(AssetTable::default())),
    }
}

/// Opens a venue's connections. Its CA file is trusted at this venue and at no other.
///
/// # Errors
/// The CA file cannot be used.
pub(crate) fn connector(
    venue: &crate::config::VenueSettings,
) -> anyhow::Result<Arc<dyn Connector>> {
    let Some(path) = &venue.ca_file else {
        return Ok(TcpConnector::shared(client_config(None)?));
    };
    let reading = || format!("reading {}, the ca_file of {}", path.display(), venue.name);
    let certificates = std::fs::read(path).with_context(reading)?;
    let tls = client_config(Some(&certificates)).with_context(reading)?;
    Ok(TcpConnector::shared(tls))
}

/// A budget that is closed for as long as an earlier ban of its address lasts.
pub(super) fn kept_budget(
    bans: &Bans,
    address: &str,
    now: Duration,
    (speed, retries): (Ppm, RetryLimits),
) -> Arc<Mutex<RateBudget>> {
    let budget = RateBudget::new(WEIGHT_PER_MINUTE).at_speed(speed);
    let mut budget = budget.with_retries(retries);
    bans.keep(address, &mut budget, now);
    Arc::new(Mutex::new(budget))
}

/// A channel with room for every answer that an executor can wait for.
fn response_channel() -> (Arc<dyn ResponseSink>, Responses) {
    let (sender, responses) = mpsc::channel(RESPONSES_MAX);
    let sink = move |id: RequestId, response: VenueResponse| {
        // There is room for every answer; it fails only once the executor has stopped.
        drop(sender.try_send((id, response)));
    };
    (Arc::new(sink), responses)
}

/// The adapter's settings for an account: a paper account's address is the embedded exchange's and nothing else.
fn adapter(
    config: &DeskConfig,
    account: &AccountSettings,
    embedded: Option<&Embedded>,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<VenueSettings> {
    let place = config
        .venues
        .iter()
        .position(|venue| venue.name == account.venue);
    let place = place.with_context(|| format!("account {} names no known venue", account.name))?;
    let settings = &config.venues[place];
    let common = public_settings(config, settings, VenueId(u32::try_from(place)?));
    match (&account.mode, embedded) {
        (AccountSource::Paper(_), Some(embedded)) => {
            let secret = embedded
                .secrets
                .get(&account.name)
                .cloned()
                .unwrap_or_default();
            Ok(VenueSettings {
                rest_url: format!("http://{}", embedded.address),
                ws_url: format!("ws://{}", embedded.address),
                ws_api_url: format!("ws://{}/ws-api/v3", embedded.address),
                key: Some(ApiKey::new(paper_key(account), SecretString::from(secret))),
                ..common
            })
        }
        (AccountSource::Paper(_), None) => bail!(
            "account {} is a paper account and needs the embedded exchange",
            account.name
        ),
        (
            AccountSource::Live {
                key_env,
                secret_env,
            },
            _,
        ) => {
            let secret = |name: &String| {
                let value = environment.get(name).filter(|value| !value.is_empty());
                value.cloned().with_context(|| {
                    format!(
                        "account {} is live: set {name} in the environment",
                        account.name
                    )
                })
            };
            let key = ApiKey::recognise(secret(key_env)?, &SecretString::from(secret(secret_env)?));
            Ok(VenueSettings {
                key: Some(key.with_context(|| format!("reading {secret_env}"))?),
                ..common
            })
        }
    }
}

/// The adapter's settings at the venue's own address, without a key.
pub(super) fn public_settings(
    config: &DeskConfig,
    venue: &crate::config::VenueSettings,
    id: VenueId,
) -> VenueSettings {
    VenueSettings {
        kind: venue.kind,
        venue: id,
        name: venue.name.clone(),
        account: AccountId(0),
        rest_url: venue.rest_url.clone(),
        ws_url: venue.ws_url.clone(),
        ws_api_url: venue.ws_api_url.clone(),
        key: None,
        order_entry: venue.order_entry,
        books: venue.books,
        seed: config.simulation.seed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Listing;

    fn embedded() -> Embedded {
        Embedded {
            address: ([127, 0, 0, 1], 4_321).into(),
            secrets: BTreeMap::new(),
        }
    }

    fn live() -> AccountSource {
        AccountSource::Live {
            key_env: "KEY".to_owned(),
            secret_env: "SECRET".to_owned(),
        }
    }

    #[test]
    fn h09_a_paper_account_has_no_route_to_a_venue_and_a_live_one_needs_its_own_key() {
        let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Unknown).unwrap();
        let paper = config.accounts[0].clone();
        let keys = [("KEY", "k"), ("SECRET", "s")];
        let keys = BTreeMap::from(keys.map(|(name, value)| (name.to_owned(), value.to_owned())));

        let simulated = adapter(&config, &paper, Some(&embedded()), &keys).unwrap();
        for url in [simulated.rest_url, simulated.ws_url, simulated.ws_api_url] {
            assert!(url.contains("//127.0.0.1:4321"), "{url}");
        }
        assert!(adapter(&config, &paper, None, &keys).is_err());

        let real = AccountSettings {
            mode: live(),
            ..paper
        };
        let routed = adapter(&config, &real, Some(&embedded()), &keys).unwrap();
        assert_eq!(routed.rest_url, config.venues[0].rest_url);
        let none = adapter(&config, &real, Some(&embedded()), &BTreeMap::new());
        assert!(none.unwrap_err().to_string().contains("set KEY"));
        let torn = BTreeMap::from([
            ("KEY".to_owned(), "k".to_owned()),
            (
                "SECRET".to_owned(),
                "-----BEGIN PRIVATE KEY-----".to_owned(),
            ),
        ]);
        let error = adapter(&config, &real, None, &torn).unwrap_err();
        assert_eq!(error.to_string(), "reading SECRET");
    }
}
