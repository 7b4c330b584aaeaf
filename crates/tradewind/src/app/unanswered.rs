//! A start whose venue does not answer (N01).
//!
//! The instruments of an earlier run are used if they are all that the configuration needs of the venue: the desk starts, and the account
//! is halted until the venue was read. Otherwise the start waits for the venue, for ever, and says so at each try. What a
//! venue refuses for good is an error at once.

use std::time::Duration;

use tradewind_events::Configuration;
use tradewind_model::{Instrument, VenueId};
use tradewind_venues::{Backoff, KeyRefusal, VenueError};

use crate::app::components::wall;
use crate::config::DeskConfig;

/// Longest wait for a venue whose instruments an earlier run knew.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ceilings of the waits between two tries.
const WAIT_FIRST: Duration = Duration::from_secs(2);
const WAIT_LONGEST: Duration = Duration::from_secs(60);

/// What a start has of a venue.
#[derive(Debug)]
pub(super) enum Start {
    /// What the venue answered.
    Read(Vec<Instrument>),
    /// What an earlier run knew, and why.
    Recalled(Vec<Instrument>, String),
}

/// Reads a venue at the start of the desk, or takes what an earlier run knew of it, or waits for it.
///
/// # Errors
/// Those of `read` that do not pass by themselves.
pub(super) async fn at_start<F>(
    venue: &str,
    read: impl Fn() -> F,
    recalled: impl FnOnce() -> Option<Vec<Instrument>>,
) -> anyhow::Result<Start>
where
    F: Future<Output = anyhow::Result<Vec<Instrument>>>,
{
    let Some(known) = recalled() else {
        return until_answered(venue, read).await.map(Start::Read);
    };
    let error = match tokio::time::timeout(PATIENCE, read()).await {
        Ok(Ok(here)) => return Ok(Start::Read(here)),
        Ok(Err(error)) if !passes(&error) => return Err(error),
        Ok(Err(error)) => error,
        Err(_) => VenueError::Timeout(PATIENCE).into(),
    };
    let why = unanswered(venue, &error);
    tracing::warn!(
        why,
        "The desk starts with the instruments of its last run; nothing is traded there until the venue answers."
    );
    Ok(Start::Recalled(known, why))
}

/// Tries until a venue answers, with a line in the log at each try.
///
/// # Errors
/// Those of `read` that do not pass by themselves.
pub(super) async fn until_answered<T, F>(venue: &str, read: impl Fn() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let mut backoff = waits();
    loop {
        let error = match read().await {
            Err(error) if passes(&error) => error,
            done => return done,
        };
        let (why, wait) = (unanswered(venue, &error), backoff.next_wait());
        let (tries, wait_s) = (backoff.failures(), wait.as_secs());
        tracing::warn!(
            why,
            tries,
            wait_s,
            "The start waits for the venue: what it lists is not known yet."
        );
        tokio::time::sleep(wait).await;
    }
}

/// Names a venue that does not answer, and the reason.
pub(super) fn unanswered(venue: &str, error: &anyhow::Error) -> String {
    format!("{venue} does not answer: {error:#}")
}

/// Waits between tries that double up to a minute.
pub(super) fn waits() -> Backoff {
    let seed = wall().as_nanos().unsigned_abs();
    Backoff::new(WAIT_FIRST, WAIT_LONGEST, seed)
}

/// Whether what failed may succeed later without anybody changing anything.
pub(super) fn passes(error: &anyhow::Error) -> bool {
    let venue = error.chain().find_map(|cause| cause.downcast_ref());
    venue.is_some_and(VenueError::is_transient)
}

/// Whether a venue's answer shows that the account's key does not fit: then nothing but a person can help.
pub(super) fn is_key_refused(error: &anyhow::Error) -> bool {
    let unfit = error.chain().find_map(|cause| cause.downcast_ref());
    let is_unfit = unfit.is_some_and(|refusal| matches!(refusal, KeyRefusal::Unfit(_)));
    let refused = error.chain().find_map(|cause| cause.downcast_ref());
    // "Bad API key", "key, address or permissions" and "signature not valid".
    let refused = refused.and_then(VenueError::code);
    is_unfit || matches!(refused, Some(-2014 | -2015 | -1022))
}

/// The instruments that the configuration uses of a venue, as an earlier run knew them; `None` if it did not know one.
pub(super) fn recalled(
    config: &DeskConfig,
    venue: &str,
    known: &Configuration,
) -> Option<Vec<Instrument>> {
    let place = config.venues.iter().position(|one| one.name == venue)?;
    let id = VenueId(u32::try_from(place).ok()?);
    let names = config.instrument_names().into_iter();
    let here = names.filter(|name| name.split_once(':').is_some_and(|(of, _)| of == venue));
    let recall = |name: String| {
        let mut known = known.instruments.iter();
        let known = known.find(|one| one.name == name && one.has_data())?;
        Some(Instrument {
            venue: id,
            ..known.clone()
        })
    };
    here.map(recall).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Listing;
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use tradewind_model::{AssetId, InstrumentId};
    use tradewind_venues::binance::UnfitKey;

    fn silent() -> anyhow::Error {
        let error = VenueError::Connection("refused".to_owned());
        anyhow::Error::new(error).context("requesting binance")
    }

    fn known() -> Vec<Instrument> {
        vec![Instrument::spot(
            InstrumentId(0),
            "binance:BTC/USDT".to_owned(),
            AssetId(0),
            AssetId(1),
        )]
    }

    /// N01: what an earlier run knew is used at once.
    #[tokio::test(start_paused = true)]
    async fn a_start_uses_what_is_known_of_a_venue_that_does_not_answer() {
        let refused = at_start("binance", || async { Err(silent()) }, || Some(known()));
        let Start::Recalled(here, why) = refused.await.unwrap() else {
            panic!("nothing was read")
        };
        assert_eq!(here, known());
        assert!(
            why.starts_with("binance does not answer:") && why.ends_with("refused"),
            "{why}"
        );
        let hangs = at_start("binance", std::future::pending, || Some(known()));
        let hangs = tokio::time::timeout(PATIENCE * 2, hangs).await.unwrap();
        assert!(matches!(hangs.unwrap(), Start::Recalled(..)));
    }

    /// N01: without it the start waits for as long as it takes.
    #[tokio::test(start_paused = true)]
    async fn a_first_start_waits_for_its_venue_with_ever_longer_pauses() {
        let (tries, began) = (Cell::new(0), tokio::time::Instant::now());
        let read = || async {
            tries.set(tries.get() + 1);
            if began.elapsed() < Duration::from_secs(3_600) {
                return Err(silent());
            }
            Ok(known())
        };
        let start = at_start("binance", read, || None).await.unwrap();
        assert!(matches!(start, Start::Read(_)));
        // 30 s on average once the waits have grown.
        let tries = tries.get();
        assert!((60..400).contains(&tries), "{tries}");
    }

    #[tokio::test]
    async fn what_does_not_pass_is_an_error_at_once() {
        let refusal = || VenueError::Refused {
            status: 401,
            code: -2015,
            text: "Invalid API-key".to_owned(),
        };
        let refused = || async { Err(refusal().into()) };
        let first = at_start("binance", refused, || None).await;
        assert!(is_key_refused(&first.unwrap_err()));
        let later = at_start("binance", refused, || Some(known())).await;
        assert!(is_key_refused(&later.unwrap_err()));
        let unfit = KeyRefusal::Unfit(UnfitKey::MayWithdraw);
        assert!(is_key_refused(
            &anyhow::Error::new(unfit).context("requesting")
        ));
        assert!(!is_key_refused(&silent()));
        let unread: KeyRefusal = VenueError::Timeout(PATIENCE).into();
        assert!(passes(&anyhow::Error::new(unread)));
    }

    #[test]
    fn an_instrument_that_no_run_knew_has_the_start_wait() {
        let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Unknown).unwrap();
        let mut configuration = Configuration {
            instruments: Vec::new(),
            ..tradewind_testkit::configuration()
        };
        let names = config.instrument_names();
        for name in &names {
            assert_eq!(recalled(&config, "binance", &configuration), None, "{name}");
            configuration.instruments.push(Instrument {
                venue: VenueId(7),
                name: name.clone(),
                ..known()[0].clone()
            });
        }
        let recalled = recalled(&config, "binance", &configuration).unwrap();
        assert_eq!(recalled.len(), names.len());
        assert!(recalled.iter().all(|one| one.venue == VenueId(0)));
    }
}
