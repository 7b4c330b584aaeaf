//! The typed confirmation of real money: each account, with the sum of its bots' budgets.
//!
//! It is kept in the data folder, for this instance of the desk and these limits. A restart does not request it again; a
//! changed limit, a changed budget, another venue or a copied folder does.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use ring::digest;
use serde_json::{Value, json};
use tradewind_journal::{Storage, replace};
use tradewind_model::Amount;

use crate::config::{DeskConfig, VenueSettings};

const FILE: &str = "confirmed.json";

/// What is to be confirmed, and what it is bound to.
#[derive(Debug)]
pub(super) struct Confirmation {
    address: String,
    /// What has to be typed, by account.
    phrases: BTreeMap<String, String>,
    /// Changes with the instance, the venue's addresses and the limits.
    bound_to: String,
}

impl Confirmation {
    /// For the live accounts of `config` on a venue that is not on this machine; `None` for one that is.
    pub(super) fn needed(
        config: &DeskConfig,
        venue: Option<&VenueSettings>,
        instance: u32,
    ) -> Option<Self> {
        let venue = venue?;
        let address = venue.remote_address()?.to_owned();
        let budget = |account: &str| -> Amount {
            let bots = config.bots.iter().filter(|bot| bot.account == account);
            let mut accounts = config.accounts.iter();
            let known = accounts.find(|known| known.name == account);
            let capital = known.and_then(|known| known.capital);
            bots.map(|bot| bot.budget_of(capital)).sum()
        };
        let phrase = |name: &String| (name.clone(), format!("{name} {}", budget(name)));
        let addresses = [&venue.rest_url, &venue.ws_url, &venue.ws_api_url];
        let bound_to = format!("{instance} {addresses:?} {:?}", config.limits);
        let hash = digest::digest(&digest::SHA256, bound_to.as_bytes());
        Some(Self {
            address,
            phrases: config
                .accounts
                .iter()
                .map(|one| phrase(&one.name))
                .collect(),
            bound_to: data_encoding::HEXLOWER.encode(hash.as_ref()),
        })
    }

    /// Takes the confirmation from the data folder, from `given`, or by `ask`, and keeps it.
    ///
    /// # Errors
    /// An account is not confirmed, or any error of the storage.
    pub(super) fn require(
        &self,
        storage: &dyn Storage,
        data_dir: &Path,
        given: &[String],
        mut ask: impl FnMut(&str) -> io::Result<Option<String>>,
    ) -> anyhow::Result<()> {
        let wanted = json!({ "bound_to": self.bound_to, "accounts": self.phrases });
        if kept(storage, data_dir)? == Some(wanted.clone()) {
            return Ok(());
        }
        for (account, phrase) in &self.phrases {
            if given.contains(phrase) {
                continue;
            }
            let prompt = format!(
                "Account {account} is about to trade with real money at {}.\n\
                 Type its name and the sum of its bots' budgets to confirm: {phrase}\n> ",
                self.address
            );
            match ask(&prompt).context("reading the confirmation")? {
                Some(typed) if typed.trim() == phrase => {}
                Some(_) => {
                    bail!("account {account} is not confirmed: what was typed is not {phrase:?}")
                }
                None => bail!(
                    "account {account} is about to trade with real money at {}; confirm it with --confirm {phrase:?}",
                    self.address
                ),
            }
        }
        replace(storage, data_dir, FILE, wanted.to_string().as_bytes())
            .with_context(|| format!("writing {}", data_dir.join(FILE).display()))
    }
}

/// What was confirmed before. A file that cannot be read confirms nothing.
fn kept(storage: &dyn Storage, data_dir: &Path) -> anyhow::Result<Option<Value>> {
    let path = data_dir.join(FILE);
    match storage.read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Requests it on the terminal. `None` if there is none.
pub(super) fn ask_on_terminal(prompt: &str) -> io::Result<Option<String>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    let mut stderr = io::stderr();
    stderr.write_all(prompt.as_bytes())?;
    stderr.flush()?;
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use tradewind_journal::MemoryStorage;

    use super::*;
    use crate::app::live::tests::{LIVE, config};

    const PHRASE: &str = "paper 900";

    /// Three bots of 300 on a live account at the real addresses.
    fn needed(changes: &[(&str, &str)], instance: u32) -> Option<Confirmation> {
        let mut config = config(&[&[LIVE], changes].concat());
        config.bots.truncate(3);
        for bot in &mut config.bots {
            bot.budget = Amount::whole(300);
        }
        Confirmation::needed(&config, config.venues.first(), instance)
    }

    fn require(
        confirmation: &Confirmation,
        storage: &MemoryStorage,
        given: &[&str],
        typed: Option<&str>,
    ) -> Result<(), String> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let ask = |_: &str| Ok(typed.map(ToOwned::to_owned));
        let required = confirmation.require(storage, Path::new("data"), &given, ask);
        required.map_err(|error| error.to_string())
    }

    #[test]
    fn a_venue_on_this_machine_needs_none() {
        let local = [
            ("https://api.binance.com", "http://localhost:1"),
            ("wss://stream.binance.com:9443", "ws://localhost:1"),
            ("wss://ws-api.binance.com:443", "ws://localhost:1"),
        ];
        assert!(needed(&local, 1).is_none());
        assert!(
            needed(&local[1..], 1).is_some(),
            "one address elsewhere is enough"
        );
        assert!(needed(&[], 1).is_some());
    }

    #[test]
    fn account_and_budget_are_confirmed_to_the_letter() {
        let check = |given: &[&str], typed, wanted: Result<(), &str>| {
            let confirmation = needed(&[], 1).unwrap();
            let got = require(&confirmation, &MemoryStorage::default(), given, typed);
            match wanted {
                Ok(()) => assert_eq!(got, Ok(()), "{given:?}, {typed:?}"),
                Err(part) => assert!(got.unwrap_err().contains(part), "{given:?}, {typed:?}"),
            }
        };
        check(&[PHRASE], None, Ok(()));
        check(&["other 1", PHRASE], None, Ok(()));
        check(&[], Some("paper 900\n"), Ok(()));
        check(&[], None, Err("confirm it with --confirm \"paper 900\""));
        check(
            &["paper 901"],
            None,
            Err("confirm it with --confirm \"paper 900\""),
        );
        check(&["paper"], Some("yes\n"), Err("is not \"paper 900\""));
        check(&[], Some(""), Err("is not \"paper 900\""));
    }

    #[test]
    fn it_is_kept_for_this_instance_these_limits_and_this_venue() {
        let storage = MemoryStorage::default();
        let check = |changes: &[(&str, &str)], instance, confirmed: bool| {
            let confirmation = needed(changes, instance).unwrap();
            let got = require(&confirmation, &storage, &[], None);
            assert_eq!(got.is_ok(), confirmed, "{changes:?}, {instance}");
        };
        check(&[], 1, false);
        require(&needed(&[], 1).unwrap(), &storage, &[PHRASE], None).unwrap();
        check(&[], 1, true);
        check(&[], 2, false);
        check(&[("collar = \"2%\"", "collar = \"3%\"")], 1, false);
        check(
            &[("https://api.binance.com", "https://api.example.org")],
            1,
            false,
        );
        check(&[], 1, true);
        replace(&storage, Path::new("data"), FILE, b"torn").unwrap();
        check(&[], 1, false);
    }
}
