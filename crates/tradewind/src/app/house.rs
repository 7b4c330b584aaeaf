//! The house's own sources of prices, started beside the venues' market data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tradewind_events::Configuration;
use tradewind_model::{AssetTable, Clock, Instrument};
use tradewind_venues::house::{
    HouseSettings, HouseSink, HouseSymbols, Progress, Series, Transport, source,
};
use tradewind_venues::{Connector, SourceSettings, TcpConnector, client_config};

use crate::app::desk_time::real;
use crate::app::hot_path::{Tasks, keep};
use crate::app::recordings::Recordings;
use crate::app::source_positions::SourcePositions;
use crate::config::{AbsentInstruments, DeskConfig, SourceSettings as Configured};

/// A source that is ready to be started.
#[derive(Debug)]
pub(crate) struct HouseSource {
    settings: HouseSettings,
    connector: Arc<dyn Connector>,
}

/// Prepares every source of the configuration, to be read on where the last run ended; connects nowhere.
///
/// # Errors
/// A CA file cannot be used, or the environment lacks a token.
pub(crate) fn prepare(
    config: &DeskConfig,
    configuration: &Configuration,
    environment: &BTreeMap<String, String>,
    positions: &mut SourcePositions,
    mut recordings: Option<&mut Recordings>,
) -> anyhow::Result<Vec<HouseSource>> {
    let sources = config.sources.iter().zip(0_u64..);
    sources
        .map(|(source, number)| {
            let token = source.token_env.as_ref();
            let token = token.map(|name| secret(source, name, environment));
            let settings = HouseSettings {
                name: source.name.clone(),
                address: source.address.clone(),
                transport: source.transport.clone(),
                symbols: Arc::new(symbols(source, configuration)?),
                token: token.transpose()?,
                heartbeat: source.heartbeat,
                progress: Progress::default(),
                positions: positions.of(source),
                seed: config.simulation.seed.wrapping_add(0x686f + number),
            };
            let mut connector = connector(source)?;
            if let Some(recordings) = recordings.as_deref_mut().filter(|_| source.record) {
                connector = recordings.tap(&source.name, &source.address, connector);
            }
            Ok(HouseSource {
                settings,
                connector,
            })
        })
        .collect()
}

/// What one source is made of, its connector and its instruments, for who reads it without a desk.
///
/// # Errors
/// See [`prepare`].
pub(crate) fn alone(
    config: &DeskConfig,
    name: &str,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<(HouseSettings, Arc<dyn Connector>, Vec<Instrument>)> {
    let mut config = config.clone();
    config.sources.retain(|source| source.name == name);
    config.bots.clear();
    let configuration = config.resolve(&[], AssetTable::default(), AbsentInstruments::NoData)?;
    let mut nowhere = SourcePositions::nowhere();
    let mut prepared = prepare(&config, &configuration, environment, &mut nowhere, None)?;
    let found = prepared.pop().context("there is no such source")?;
    Ok((found.settings, found.connector, configuration.instruments))
}

fn secret(
    source: &Configured,
    name: &str,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<SecretString> {
    let value = environment.get(name).filter(|value| !value.is_empty());
    let value = value.with_context(|| {
        format!(
            "source {} asks for {name}: set it in the environment",
            source.name
        )
    });
    let value = value?;
    let is_in_header = matches!(
        source.transport,
        Transport::WebSocket { .. } | Transport::Http { .. }
    );
    let is_usable = match is_in_header {
        true => value.bytes().all(|byte| byte.is_ascii_graphic()),
        false => value.trim() == value,
    };
    anyhow::ensure!(
        is_usable,
        "{name}, which source {} asks for, holds a space, the end of a line or a character that cannot be sent",
        source.name
    );
    Ok(SecretString::from(value.as_str()))
}

/// A source's symbols and the instruments by the ids they have on the desk.
fn symbols(source: &Configured, configuration: &Configuration) -> anyhow::Result<HouseSymbols> {
    let mut listed: Vec<(String, Instrument)> = Vec::new();
    for carried in &source.instruments {
        let mut known = configuration.instruments.iter();
        let found = known.find(|instrument| instrument.name == carried.name);
        let found = found.with_context(|| format!("no instrument {}", carried.name))?;
        listed.push((carried.symbol.clone(), found.clone()));
    }
    let series = source.numbers.iter().map(|number| {
        let series = Series {
            name: number.name.as_str().into(),
            max_age: number.max_age,
        };
        (number.symbol.clone(), series)
    });
    HouseSymbols::new(listed)
        .and_then(|symbols| symbols.with_series(series))
        .with_context(|| format!("source {}", source.name))
}

/// Opens a source's connections. Its CA file is trusted at this source and at no other.
fn connector(source: &Configured) -> anyhow::Result<Arc<dyn Connector>> {
    let certificates = match &source.ca_file {
        None => None,
        Some(path) => {
            let reading = || {
                format!(
                    "reading {}, the ca_file of source {}",
                    path.display(),
                    source.name
                )
            };
            Some(std::fs::read(path).with_context(reading)?)
        }
    };
    let tls = client_config(certificates.as_deref());
    let tls = tls.with_context(|| format!("the ca_file of source {}", source.name))?;
    Ok(TcpConnector::shared(tls))
}

/// Starts the sources, away from the engine's thread: a long message of one delays no order and no other source. Each
/// continues by itself, whatever becomes of the others.
pub(crate) fn start(
    house_sources: Vec<HouseSource>,
    tasks: &mut impl Tasks,
    sink: &Arc<dyn HouseSink>,
    clock: &Arc<dyn Clock>,
    stale_after: Duration,
) {
    for house in house_sources {
        let settings = SourceSettings {
            stale_after: real(stale_after, clock.speed()),
            ..SourceSettings::default()
        };
        let (sink, clock) = (Arc::clone(sink), Arc::clone(clock));
        tasks.keep_slow("house source", move |stop| {
            let (connector, clock) = (Arc::clone(&house.connector), Arc::clone(&clock));
            keep(
                source(&house.settings, &sink, settings, connector, clock),
                stop,
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use tradewind_venues::house::{Mapping, SubscribeMode};
    use tradewind_venues::{Address, Scheme};

    use super::*;

    fn configured(transport: Transport) -> Configured {
        Configured {
            name: "house".to_owned(),
            address: Address::parse("tcp://127.0.0.1:1", Scheme::Tcp).unwrap(),
            transport,
            instruments: Vec::new(),
            numbers: Vec::new(),
            token_env: Some("TOKEN".to_owned()),
            heartbeat: Duration::from_secs(5),
            ca_file: None,
            record: false,
        }
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_and_not_shown() {
        let websocket = configured(Transport::WebSocket {
            mapping: Mapping::default(),
            subscribe: SubscribeMode::House,
        });
        let tcp = configured(Transport::Tcp);
        let read = |source: &Configured, value: &str| {
            let environment = BTreeMap::from([("TOKEN".to_owned(), value.to_owned())]);
            secret(source, "TOKEN", &environment).map_err(|error| error.to_string())
        };
        assert!(read(&websocket, "a-token").is_ok() && read(&tcp, "tök en").is_ok());
        for value in ["a-token ", "a-token\n", "a-token\r\n", ""] {
            for source in [&websocket, &tcp] {
                let error = read(source, value).unwrap_err();
                assert!(
                    error.contains("TOKEN") && !error.contains("a-token"),
                    "{error}"
                );
            }
        }
        assert!(read(&websocket, "tök").is_err() && read(&websocket, "a token").is_err());
    }
}
