//! Puts an exchange together: from nothing, or from what an earlier run kept.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_model::{AccountId, AssetTable, Ppm, Timestamp, TradeId, VenueId};
use tradewind_simx::{
    Action, Answer, Exchange, ExchangeConfig, FeeAsset, Generated, History, KlineStore,
    MarketEvent, Outbox, universe,
};

use crate::accounts::{AccountSpec, Credential};
use crate::core::{Core, Parts};
use crate::market::Market;
use crate::mirror::MirrorSource;
use crate::options::{MarketChoice, ServerError, ServerOptions};
use crate::persist::{self, Record, SavedMarket, Snapshot, Store, StoreError};
use crate::recorded::Recording;
use crate::rest::{Key, KeyRing, Meters, Verifier};
use crate::source::Source;

/// The name instruments are listed under.
const VENUE_NAME: &str = "simx";
const VENUE: VenueId = VenueId(0);
/// A market that was left alone longer than this does not trade through the time it missed.
const CATCH_UP: Duration = Duration::from_secs(60);
/// The ids of all trades before the start end here, so that the candles of the past have ids as well: more than any market
/// made in 30 days, and still a number of 31 bits.
const PAST_TRADES: TradeId = TradeId(1_000_000_000);
/// What the venue leaves out of a fee that is paid in its own coin.
const BNB_DISCOUNT: Ppm = Ppm(250_000);

/// An exchange ready to run.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) core: Core,
    pub(crate) store: Option<Store>,
    /// API keys by account id, for the next snapshot.
    pub(crate) keys: Vec<String>,
    /// No input may be older than this.
    pub(crate) last: Timestamp,
}

/// An exchange and its market, as they were left or as they begin.
struct World {
    exchange: Exchange,
    klines: KlineStore,
    source: Source,
    assets: AssetTable,
    keys: Vec<String>,
    at: Timestamp,
}

/// The moment an earlier run in `data_dir` stopped at; a clock that plays recorded data goes on from there.
///
/// # Errors
/// [`ServerError::Storage`] when the folder is damaged.
pub fn saved_position(data_dir: &Path) -> Result<Option<Timestamp>, ServerError> {
    let folder = folder(data_dir);
    let saved = persist::read(&folder).map_err(|source| storage(&folder, source))?;
    Ok(saved.map(|saved| {
        saved
            .records
            .last()
            .map_or(saved.snapshot.at, Record::at)
            .max(saved.snapshot.at)
    }))
}

/// Builds the core and opens the store.
pub(crate) fn start(options: &ServerOptions) -> Result<Started, ServerError> {
    let now = options.clock.now();
    let folder = options.data_dir.as_deref().map(folder);
    let saved = match &folder {
        Some(folder) => persist::read(folder).map_err(|source| storage(folder, source))?,
        None => None,
    };
    let (mut world, last) = match saved {
        Some(saved) => {
            let found = restored(saved, &options.market);
            let mut world = found
                .map_err(|source| storage(folder.as_deref().unwrap_or(Path::new("")), source))?;
            let last = world.at.max(now);
            resume(&mut world, last);
            (world, last)
        }
        None => (fresh(options, now), now),
    };
    open_accounts(&mut world, &options.accounts, last)?;
    let store = match &folder {
        Some(folder) => {
            let mut snapshot = snapshot_of(
                &world.source,
                &world.keys,
                &world.exchange,
                &world.klines,
                last,
            );
            Some(Store::begin(folder, &mut snapshot).map_err(|source| storage(folder, source))?)
        }
        None => None,
    };
    let keys = world.keys.clone();
    let mut core = core(world, options, last, store.is_some())?;
    core.account_keys.clone_from(&keys);
    Ok(Started {
        core,
        store,
        keys,
        last,
    })
}

fn fresh(options: &ServerOptions, now: Timestamp) -> World {
    let (source, klines, instruments, assets) = match &options.market {
        MarketChoice::Generated { seed } => {
            let listed = universe(VENUE_NAME, VENUE);
            let market = Generated::new(*seed, now, &listed.instruments);
            let klines = market.kline_store(&listed.instruments);
            (
                Source::Generated(Box::new(market)),
                klines,
                listed.instruments,
                listed.assets,
            )
        }
        MarketChoice::Recorded(recording) => {
            let instruments = recording.instruments().to_vec();
            (
                played(recording),
                recording.kline_store(),
                instruments,
                recording.assets().clone(),
            )
        }
        MarketChoice::Mirror(mirror) => {
            let source = MirrorSource::new(mirror);
            let klines = source.kline_store(mirror, &mirror.instruments);
            (
                Source::Mirror(Box::new(source)),
                klines,
                mirror.instruments.clone(),
                mirror.assets.clone(),
            )
        }
    };
    let config = ExchangeConfig {
        fee_asset: assets.find("BNB").map(|asset| FeeAsset {
            asset,
            discount: BNB_DISCOUNT,
        }),
        fill_model: options.fill,
        history: History::Kept(options.history),
        ..ExchangeConfig::default()
    };
    let mut exchange = Exchange::new(config, instruments);
    exchange.number_trades_after(PAST_TRADES);
    World {
        exchange,
        klines,
        source,
        assets,
        keys: Vec::new(),
        at: now,
    }
}

fn played(recording: &Recording) -> Source {
    Source::Recorded {
        name: recording.name(),
        records: Box::new(recording.play()),
    }
}

/// Repeats the log over the snapshot.
fn restored(saved: persist::Saved, choice: &MarketChoice) -> Result<World, StoreError> {
    let Snapshot {
        at,
        keys,
        exchange,
        market,
        klines,
        ..
    } = saved.snapshot;
    let (mut exchange, mut klines) = (exchange.into_owned(), klines.into_owned());
    let found = market.name();
    // A mirror's assets are known once it has resumed.
    let (source, assets) = match (market, choice) {
        (SavedMarket::Generated(market), MarketChoice::Generated { .. }) => (
            Source::Generated(Box::new(market.into_owned())),
            universe(VENUE_NAME, VENUE).assets,
        ),
        (SavedMarket::Recorded(name), MarketChoice::Recorded(recording))
            if *name == recording.name() =>
        {
            (played(recording), recording.assets().clone())
        }
        (SavedMarket::Mirror(saved), MarketChoice::Mirror(mirror))
            if saved.venue == mirror.venue =>
        {
            let source = MirrorSource::kept(mirror, saved);
            (Source::Mirror(Box::new(source)), AssetTable::default())
        }
        _ => return Err(StoreError::OtherMarket { found }),
    };
    let mut outbox = Outbox::default();
    let mut last = at;
    for record in &saved.records {
        outbox.clear();
        match record {
            // It was accepted when it was written, so it is accepted now.
            Record::Action { at, action } => drop(exchange.handle(*at, action, &mut outbox)),
            Record::Market { at, record } => exchange.market(*at, record.as_event(), &mut outbox),
        }
        if source.counts_own_prints() || record.is_market_trade() {
            outbox
                .prints
                .iter()
                .for_each(|print| klines.record(record.at(), print));
        }
        last = last.max(record.at());
    }
    let mut world = World {
        exchange,
        klines,
        source,
        assets,
        keys: keys.into_owned(),
        at: last,
    };
    if let (Source::Mirror(source), MarketChoice::Mirror(mirror)) = (&mut world.source, choice) {
        source.resume(&mut world.exchange, mirror, last)?;
        world.klines = source.kline_store(mirror, world.exchange.instruments());
        world.assets = source.assets().clone();
    }
    Ok(world)
}

/// Brings the market to `now`. What it did before the stop was logged and is only caught up with; the time in between
/// passes without trades, so no waiting order fills while nobody was there.
fn resume(world: &mut World, now: Timestamp) {
    world
        .source
        .advance(world.at, &mut |_, _: MarketEvent<'_>| {});
    if let Source::Generated(market) = &mut world.source
        && now.since(world.at) > CATCH_UP
    {
        market.skip_to(now);
    }
}

/// Opens an account for every key that has none yet.
fn open_accounts(
    world: &mut World,
    specs: &[AccountSpec],
    now: Timestamp,
) -> Result<(), ServerError> {
    for spec in specs {
        let owner = spec.shares.as_ref().unwrap_or(&spec.key);
        if world.keys.contains(owner) {
            continue;
        }
        if *owner != spec.key {
            return Err(ServerError::UnknownOwner {
                key: spec.key.clone(),
                owner: owner.clone(),
            });
        }
        let mut outbox = Outbox::default();
        let account = world.exchange.open_account();
        world.keys.push(spec.key.clone());
        for (name, amount) in &spec.balances {
            let asset = world
                .assets
                .find(name)
                .ok_or_else(|| ServerError::UnknownAsset {
                    asset: name.clone(),
                    known: world
                        .assets
                        .iter()
                        .map(|asset| asset.name)
                        .collect::<Vec<_>>()
                        .join(", "),
                })?;
            let deposit = Action::Deposit {
                account,
                asset,
                amount: *amount,
            };
            let done = world.exchange.handle(now, &deposit, &mut outbox);
            debug_assert!(
                matches!(done, Ok(Answer::Done)),
                "a deposit into a new account cannot be refused"
            );
        }
    }
    Ok(())
}

fn core(
    world: World,
    options: &ServerOptions,
    now: Timestamp,
    keeps_records: bool,
) -> Result<Core, ServerError> {
    let keys = key_ring(&world.keys, &options.accounts)?;
    Ok(Core::new(Parts {
        market: Market::new(world.klines, &world.exchange),
        source: world.source,
        assets: world.assets,
        exchange: world.exchange,
        keys,
        meters: Meters::new(options.limits),
        started_at: now,
        keeps_records,
    }))
}

/// The keys of `specs`; `owners` are the keys that opened the accounts, by account id.
fn key_ring(owners: &[String], specs: &[AccountSpec]) -> Result<KeyRing, ServerError> {
    let mut ring = KeyRing::default();
    for spec in specs {
        let owner = spec.shares.as_ref().unwrap_or(&spec.key);
        let place = owners.iter().position(|key| key == owner);
        if let Some(account) = place.and_then(|place| u32::try_from(place).ok()) {
            ring.add(Key {
                name: spec.key.clone(),
                verifier: verifier(spec)?,
                account: AccountId(account),
                permissions: spec.permissions,
            });
        }
    }
    Ok(ring)
}

fn verifier(spec: &AccountSpec) -> Result<Verifier, ServerError> {
    let path = match &spec.credential {
        Credential::Secret(secret) => return Ok(Verifier::hmac(secret)),
        Credential::PublicKey(path) => path,
    };
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| ServerError::PublicKey {
        key: spec.key.clone(),
        path: path.clone(),
        source,
    };
    let pem = std::fs::read_to_string(path).map_err(|source| unusable(Box::new(source)))?;
    Verifier::from_pem(&pem).map_err(|source| unusable(Box::new(source)))
}

/// Keeps a running exchange in `data_dir`, as a server with that folder would: one that starts there goes on from it.
pub(crate) fn save(core: &Core, now: Timestamp, data_dir: &Path) -> Result<(), ServerError> {
    let folder = folder(data_dir);
    let mut snapshot = snapshot(core, &core.account_keys, now);
    let begun = Store::begin(&folder, &mut snapshot);
    begun.map_err(|source| storage(&folder, source)).map(drop)
}

/// A snapshot of a running exchange.
pub(crate) fn snapshot<'a>(core: &'a Core, keys: &'a [String], now: Timestamp) -> Snapshot<'a> {
    snapshot_of(
        core.source(),
        keys,
        &core.exchange,
        core.market.kline_store(),
        now,
    )
}

fn snapshot_of<'a>(
    source: &'a Source,
    keys: &'a [String],
    exchange: &'a Exchange,
    klines: &'a KlineStore,
    now: Timestamp,
) -> Snapshot<'a> {
    Snapshot {
        generation: 0,
        at: now,
        keys: Cow::Borrowed(keys),
        exchange: Cow::Borrowed(exchange),
        market: match source {
            Source::Generated(market) => SavedMarket::Generated(Cow::Borrowed(market)),
            Source::Recorded { name, .. } => SavedMarket::Recorded(Cow::Borrowed(name)),
            Source::Mirror(mirror) => SavedMarket::Mirror(mirror.saved()),
        },
        klines: Cow::Borrowed(klines),
    }
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("simx")
}

fn storage(folder: &Path, source: StoreError) -> ServerError {
    ServerError::Storage {
        folder: folder.to_owned(),
        source: Box::new(source),
    }
}
