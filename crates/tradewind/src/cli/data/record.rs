//! `tradewind data record`: the frames of a feed into a recording, until it is stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_data::RecordingSettings;
use tradewind_model::{
    Candle, Clock, Depth, DeskClock, FeedHealth, Instrument, InstrumentId, Interval, Quote, Trade,
};
use tradewind_venues::house::{HouseNumber, HouseSink};
use tradewind_venues::{
    Address, Connector, HealthChange, MarketSink, Scheme, Source, SourceSettings, Topic,
};

use crate::app::reading::{Feed, OpenVenue, Rules, bans, house_source};
use crate::app::recorder::{Progress, Recorder, RecorderOptions};
use crate::app::venue::connector;
use crate::cli::config::{ConfigFile, environment};
use crate::cli::exit::ProblemsFound;
use crate::cli::output::Output;
use crate::cli::simx::stop_signal;
use crate::cli::time::now;
use crate::config::{DeskConfig, Listing};

/// How often a line says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// Arguments of `data record`.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// A venue or a source of the configuration
    #[arg(value_name = "NAME", default_value = "binance")]
    name: String,

    #[command(flatten)]
    file: ConfigFile,

    /// What to record of a venue, such as BTC/USDT,ETH/USDT [default: what the configuration names there]
    #[arg(long, value_name = "PRODUCTS", value_delimiter = ',')]
    instruments: Vec<String>,

    /// Which streams of a venue
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Stream::Quotes, Stream::Trades, Stream::Books])]
    streams: Vec<Stream>,

    /// How long to record [default: until it is stopped]
    #[arg(long = "for", value_name = "DURATION", value_parser = crate::cli::duration)]
    run_for: Option<Duration>,

    /// The folder of the recording [default: recordings/NAME in the data folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Begin a new file after so many MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..))]
    file_mib: u64,

    /// Begin a new file after so long
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = crate::cli::duration)]
    file_for: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stream {
    Quotes,
    Trades,
    /// The top of the book
    Books,
    /// Candles of a minute
    Candles,
}

impl Stream {
    const fn topic(self, id: InstrumentId) -> Topic {
        match self {
            Self::Quotes => Topic::Quotes(id),
            Self::Trades => Topic::Trades(id),
            Self::Books => Topic::Depth(id),
            Self::Candles => Topic::Candles(id, Interval::Minute1),
        }
    }
}

/// Records until a signal or the end of `--for`; exit code 1 if something was lost.
pub(super) fn run(args: &RecordArgs, data_dir: &Path, output: Output) -> anyhow::Result<()> {
    let config = args.file.load(Listing::Unknown)?;
    let feed = Feed::find(&config, &args.name)?;
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("A TLS provider was installed before.");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match feed {
            Feed::Venue(id, venue) => {
                let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
                let address = Address::parse(&venue.ws_url, Scheme::WebSocket)?;
                let begun =
                    Begun::new(args, data_dir, &address, connector(venue)?, &clock, output)?;
                let bans = bans(data_dir, now)?;
                let open = OpenVenue::open(
                    &config,
                    (id, venue),
                    &args.instruments,
                    Arc::clone(&begun.connector),
                    &clock,
                    &bans,
                );
                let open = open.await?;
                let rules = open.note(venue.kind, begun.recorder.notes());
                let OpenVenue { data, instruments } = open;
                let topics: Vec<Topic> = instruments
                    .iter()
                    .flat_map(|one| args.streams.iter().map(|stream| stream.topic(one.id)))
                    .collect();
                let sink = Health::over(&instruments);
                let to: Arc<dyn MarketSink> = sink.shared();
                let sources = data.market_sources(&topics, &to, SourceSettings::default());
                begun
                    .record(args, (sources, rules), &instruments, &sink, output)
                    .await
            }
            Feed::House(name) => house(args, data_dir, &config, name, output).await,
        }
    })
}

async fn house(
    args: &RecordArgs,
    data_dir: &Path,
    config: &DeskConfig,
    name: &str,
    output: Output,
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let (settings, connector, instruments) = house_source(config, name, &environment())?;
    let begun = Begun::new(args, data_dir, &settings.address, connector, &clock, output)?;
    let sink = Health::over(&instruments);
    let source = tradewind_venues::house::source(
        &settings,
        &sink.shared(),
        SourceSettings::default(),
        Arc::clone(&begun.connector),
        clock,
    );
    begun
        .record(args, (vec![source], None), &instruments, &sink, output)
        .await
}

/// A recorder before its feed is connected.
struct Begun {
    recorder: Recorder,
    connector: Arc<dyn Connector>,
    folder: PathBuf,
}

impl Begun {
    fn new(
        args: &RecordArgs,
        data_dir: &Path,
        address: &Address,
        connector: Arc<dyn Connector>,
        clock: &Arc<dyn Clock>,
        output: Output,
    ) -> anyhow::Result<Self> {
        let folder = data_dir.join("recordings").join(&args.name);
        let folder = args.output.clone().unwrap_or(folder);
        let settings = RecordingSettings {
            rotate_bytes: args.file_mib << 20,
            rotate_after: args.file_for,
            ..RecordingSettings::new(&args.name)
        };
        let options = RecorderOptions::of(address, folder.clone(), settings);
        let recorder = Recorder::start(options, Arc::clone(clock))?;
        for former in &recorder.former {
            let path = former.path.display();
            output.complain(&match &former.cut {
                Ok(bytes) => format!(
                    "{path}: {bytes} bytes at the end were no whole block and are cut off; a recorder was killed there"
                ),
                Err(error) => format!("{error}; it is left as it is"),
            });
        }
        let connector = recorder.tapped(connector, address, clock);
        Ok(Self {
            recorder,
            connector,
            folder,
        })
    }

    async fn record(
        self,
        args: &RecordArgs,
        (sources, rules): (Vec<Box<dyn Source>>, Option<Rules>),
        instruments: &[Instrument],
        health: &Health,
        output: Output,
    ) -> anyhow::Result<()> {
        let names: Vec<&str> = instruments.iter().map(|one| one.name.as_str()).collect();
        let folder = self.folder.display().to_string();
        if output.is_json() {
            output
                .value(&json!({ "event": "recording", "folder": folder, "instruments": names }))?;
        } else {
            output.line(&format!("recording {} into {folder}", names.join(", ")))?;
        }
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        for source in sources {
            running.spawn(source.run(stop.clone()));
        }
        if let Some(rules) = rules {
            let reading = rules.run(stop.clone());
            running.spawn(async { drop(reading.await) });
        }
        let ended = self.until_ended(args.run_for, health, output).await;
        let not_live = health.not_live();
        stop.cancel();
        while running.join_next().await.is_some() {}
        let (progress, is_whole) = self.recorder.finish();
        tell(&progress, "recorded", &not_live, output)?;
        ended?;
        if is_whole && progress.written.lost == 0 {
            Ok(())
        } else {
            Err(ProblemsFound.into())
        }
    }

    /// Prints how far it is until a signal comes or the time is over.
    async fn until_ended(
        &self,
        run_for: Option<Duration>,
        health: &Health,
        output: Output,
    ) -> anyhow::Result<()> {
        let end = async {
            match run_for {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        let signal = stop_signal();
        tokio::pin!(end, signal);
        let mut every = tokio::time::interval(PROGRESS_EVERY);
        every.tick().await;
        loop {
            tokio::select! {
                () = &mut end => return Ok(()),
                signal = &mut signal => return signal,
                _ = every.tick() => {
                    tell(&self.recorder.progress(), "progress", &health.not_live(), output)?;
                }
            }
        }
    }
}

fn tell(
    progress: &Progress,
    event: &str,
    not_live: &[String],
    output: Output,
) -> anyhow::Result<()> {
    let Progress {
        frames,
        bytes,
        written,
    } = progress;
    if output.is_json() {
        let facts = json!({
            "event": event, "frames": frames, "bytes": bytes, "lines": written.lines, "written": written.bytes,
            "files": written.files, "lost": written.lost, "disk": written.refused, "not_live": not_live,
        });
        return Ok(output.value(&facts)?);
    }
    let mib = |bytes: u64| {
        let tenths = bytes * 10 / (1 << 20);
        format!("{}.{} MiB", tenths / 10, tenths % 10)
    };
    let mut line = format!(
        "{event}: {frames} frames of {}, {} on disk in {} files, {} lost",
        mib(*bytes),
        mib(written.bytes),
        written.files,
        written.lost
    );
    if let Some(why) = &written.refused {
        line.push_str(&format!("; the disk refuses: {why}"));
    }
    if !not_live.is_empty() {
        line.push_str(&format!("; not live: {}", not_live.join(", ")));
    }
    Ok(output.line(&line)?)
}

/// Keeps the health of each instrument, and drops prices: the recording has the frames.
#[derive(Debug)]
struct Health(Arc<Known>);

#[derive(Debug)]
struct Known {
    names: Vec<String>,
    health: Mutex<BTreeMap<InstrumentId, FeedHealth>>,
}

impl Health {
    fn over(instruments: &[Instrument]) -> Self {
        let names = instruments.iter().map(|one| one.name.clone()).collect();
        let unknown = instruments.iter().map(|one| (one.id, FeedHealth::Stale));
        Self(Arc::new(Known {
            names,
            health: Mutex::new(unknown.collect()),
        }))
    }

    fn shared(&self) -> Arc<dyn HouseSink> {
        Arc::<Known>::clone(&self.0)
    }

    /// Instruments without current prices.
    fn not_live(&self) -> Vec<String> {
        let health = self.0.health.lock().unwrap_or_else(PoisonError::into_inner);
        let not_live = health
            .iter()
            .filter(|(_, health)| **health != FeedHealth::Live);
        not_live
            .filter_map(|(id, _)| self.0.names.get(id.index()).cloned())
            .collect()
    }
}

impl HouseSink for Known {
    fn number(&self, _number: HouseNumber) {}
}

impl MarketSink for Known {
    fn quote(&self, _quote: Quote) {}

    fn trade(&self, _trade: Trade) {}

    fn candle(&self, _candle: Candle) {}

    fn depth(&self, _depth: Box<Depth>) {}

    fn health(&self, change: &HealthChange) {
        let mut known = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(change.instrument, change.health);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        tracing::warn!(?topic, reason, "A subscription fails; it is tried on.");
    }
}
