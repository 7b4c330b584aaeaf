//! What a desk must fulfil before it sends orders to a venue (H09).
//!
//! A paper account has no route to a venue. A live account trades with `--live` only, with its own key, at the venue's
//! configured addresses. A data folder belongs to the venue or to the embedded exchange that it was first used with: the
//! books of one are wrong for the other.

use std::io;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tradewind_journal::{Storage, replace};
use tradewind_model::AccountMode;

use crate::cli::MarketSource;
use crate::config::{DeskConfig, VenueSettings};

/// Names the venue whose live accounts a data folder belongs to.
const FOLDER_FILE: &str = "live.json";
/// The embedded exchange's state in a data folder.
const EMBEDDED_DIR: &str = "simx";

/// Refuses accounts that do not fit the way in which the desk is started.
///
/// # Errors
/// The account, and what to do.
pub(super) fn permit(config: &DeskConfig, market: &MarketSource) -> anyhow::Result<()> {
    let mode = match market {
        MarketSource::Live(_) => AccountMode::Live,
        _ => AccountMode::Paper,
    };
    if let Some(account) = config.accounts.iter().find(|one| one.mode() != mode) {
        let (name, venue) = (&account.name, &account.venue);
        match mode {
            AccountMode::Paper => bail!(
                "account {name} is live: its orders would be real, and only `run --venue {venue} --live` may send \
                 them; set its mode to \"paper\""
            ),
            AccountMode::Live => bail!(
                "account {name} is a paper account, which has no route to a venue; set its mode to \"live\", or run \
                 without --live"
            ),
        }
    }
    let Some(venue) = venue_of(config, market) else {
        return Ok(());
    };
    if let Some(account) = config.accounts.iter().find(|one| one.venue != venue.name) {
        bail!(
            "account {} belongs to {}, but --live sends orders to {} only; run with --venue {}",
            account.name,
            account.venue,
            venue.name,
            account.venue
        );
    }
    tracing::warn!(
        venue = venue.name,
        "Orders go to the venue. Each intent is synced before its order is sent (durability \"power\")."
    );
    Ok(())
}

/// The venue that `--live` names.
pub(super) fn venue_of<'a>(
    config: &'a DeskConfig,
    market: &MarketSource,
) -> Option<&'a VenueSettings> {
    let MarketSource::Live(name) = market else {
        return None;
    };
    config.venues.iter().find(|venue| venue.name == *name)
}

/// Takes a data folder for live accounts on `venue`, or for paper accounts, and refuses one that belongs to another.
///
/// # Errors
/// Whose the folder is, or any error of the storage.
pub(super) fn bind_folder(
    storage: &dyn Storage,
    data_dir: &Path,
    venue: Option<&VenueSettings>,
) -> anyhow::Result<()> {
    let path = data_dir.join(FOLDER_FILE);
    let owner = match storage.read(&path) {
        Ok(bytes) => Some(
            serde_json::from_slice::<Value>(&bytes)
                .with_context(|| format!("{} is damaged; restore it", path.display()))?,
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let wanted = venue.map(|venue| json!({ "venue": venue.name, "rest_url": venue.rest_url }));
    let cure = "use another --data-dir";
    match (owner, wanted) {
        (None, None) => Ok(()),
        (Some(owner), wanted) => {
            ensure!(
                Some(&owner) == wanted.as_ref(),
                "{} belongs to live accounts on {} at {}; {cure}",
                data_dir.display(),
                owner["venue"],
                owner["rest_url"]
            );
            Ok(())
        }
        (None, Some(wanted)) => {
            ensure!(
                !data_dir.join(EMBEDDED_DIR).exists(),
                "{} belongs to paper accounts; {cure}",
                data_dir.display()
            );
            replace(
                storage,
                data_dir,
                FOLDER_FILE,
                wanted.to_string().as_bytes(),
            )
            .with_context(|| format!("writing {}", path.display()))
        }
    }
}

#[cfg(test)]
pub(in crate::app) mod tests {
    use std::collections::BTreeMap;

    use tradewind_journal::MemoryStorage;
    use tradewind_model::Ppm;

    use super::*;
    use crate::config::{DEFAULT, Listing, Sources};

    /// The default desk with a changed text.
    pub(in crate::app) fn config(changes: &[(&str, &str)]) -> DeskConfig {
        let mut text = DEFAULT.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from:?} is not in the default");
            text = text.replace(from, to);
        }
        DeskConfig::read(&Sources {
            file: "test.toml",
            text: &text,
            environment: &BTreeMap::new(),
            listing: Listing::Unknown,
        })
        .unwrap()
    }

    const PAPER: &str = "mode = \"paper\"\nbalances = { USDT = 100_000 }";
    pub(in crate::app) const LIVE: (&str, &str) = (PAPER, "mode = \"live\"");
    const REST: (&str, &str) = ("https://api.binance.com", "https://localhost:1");

    /// H09: a paper account has no live route, a live account never trades without `--live`.
    #[test]
    fn mode_addresses_and_start_must_fit() {
        let check = |changes: &[(&str, &str)], market: MarketSource, wanted: Option<&str>| {
            let got = permit(&config(changes), &market).map_err(|error| error.to_string());
            match wanted {
                None => assert_eq!(got, Ok(()), "{changes:?}, {market:?}"),
                Some(part) => assert!(got.unwrap_err().contains(part), "{changes:?}, {market:?}"),
            }
        };
        let paper = || MarketSource::Venue("binance".to_owned());
        let live = || MarketSource::Live("binance".to_owned());
        let generated = || MarketSource::Generated { speed: Ppm::ONE };
        check(&[], generated(), None);
        check(&[], paper(), None);
        check(&[], live(), Some("account paper is a paper account"));
        check(&[LIVE], generated(), Some("account paper is live"));
        check(&[LIVE], paper(), Some("only `run --venue binance --live`"));
        check(&[LIVE], live(), None);
    }

    #[test]
    fn every_account_is_at_the_venue_that_is_named() {
        let other = "[venues.other]\nkind = \"binance\"\nrest_url = \"http://127.0.0.1:2\"\n\
            ws_url = \"ws://127.0.0.1:2\"\nws_api_url = \"ws://127.0.0.1:2/ws-api/v3\"\n\n[accounts.paper]";
        let config = config(&[LIVE, ("[accounts.paper]", other)]);
        let error = permit(&config, &MarketSource::Live("other".to_owned())).unwrap_err();
        let wanted = "account paper belongs to binance, but --live sends orders to other only";
        assert!(error.to_string().contains(wanted), "{error}");
    }

    /// H09: books of simulated orders are not continued with real ones, nor those of one venue at another.
    #[test]
    fn a_folder_belongs_to_the_venue_it_was_first_used_with() {
        let here = config(&[LIVE, REST]).venues.remove(0);
        let elsewhere = config(&[LIVE]).venues.remove(0);
        let storage = MemoryStorage::default();
        let dir = Path::new("data");
        let bind = |venue: Option<&VenueSettings>| {
            bind_folder(&storage, dir, venue).map_err(|error| error.to_string())
        };
        assert_eq!(bind(None), Ok(()));
        assert_eq!(bind(Some(&here)), Ok(()));
        assert_eq!(bind(Some(&here)), Ok(()), "as often as it likes");
        let refused = bind(None).unwrap_err();
        assert!(refused.contains("\"https://localhost:1\""), "{refused}");
        assert!(bind(Some(&elsewhere)).is_err());

        replace(&storage, dir, FOLDER_FILE, b"{").unwrap();
        let refused = bind(Some(&here)).unwrap_err();
        assert!(refused.contains("live.json is damaged"), "{refused}");
    }

    #[test]
    fn a_folder_of_paper_accounts_is_not_taken_for_live_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(EMBEDDED_DIR)).unwrap();
        let venue = config(&[LIVE, REST]).venues.remove(0);
        let storage = MemoryStorage::default();
        assert!(bind_folder(&storage, folder.path(), None).is_ok());
        let refused = bind_folder(&storage, folder.path(), Some(&venue)).unwrap_err();
        assert!(refused.to_string().contains("belongs to paper accounts"));
    }
}
