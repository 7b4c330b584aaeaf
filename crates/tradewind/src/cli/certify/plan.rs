//! What is to be traded with how much, and the configuration of the desk that does it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use secrecy::SecretString;
use tradewind_model::{Amount, Instrument, Ppm, Price};
use tradewind_venues::{ApiKey, OrderEntry};

use super::CertifyArgs;
use crate::config::{AccountSettings, AccountSource, DeskConfig, VenueSettings};

/// The configuration of the desk, with `@NAME@` for what differs.
const TEMPLATE: &str = include_str!("../../../config/certify.toml");
/// Its file in the data folder.
pub(super) const CONFIG_FILE: &str = "certify.toml";
/// A smallest order in relation to the venue's least value: its stop, 6.25 % below, must be worth that, too.
const OVER_MINIMUM: Ppm = Ppm(1_100_000);
/// What an order loses at most to the grid of quantities and to the fee: it is rounded down, and so is its exit.
const STEPS_LOST: i128 = 3;
/// What budgets need beside orders, for fees and prices that move.
const BESIDE: Ppm = Ppm(1_020_000);
/// Bots, which share the budget evenly.
const BOTS: i128 = 2;

/// What was requested, held against the configuration.
pub(super) struct Plan {
    /// The venue, with its addresses.
    pub(super) venue: VenueSettings,
    /// The live account.
    pub(super) account: AccountSettings,
    /// Its key.
    pub(super) key: ApiKey,
    /// The instrument, without its venue: `BTC/USDT`.
    pub(super) product: String,
    /// What may be used.
    pub(super) budget: Amount,
    /// What the user confirmed.
    pub(super) confirm: Vec<String>,
    /// How long a resting order waits.
    pub(super) patience: std::time::Duration,
    secrets: Vec<String>,
}

/// How much is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Value of the smallest order that its stop can protect.
    pub(super) order: Amount,
    /// That, as a share of a bot's budget.
    share: Ppm,
    /// Budget of each bot.
    bot: Amount,
}

impl Plan {
    /// Finds venue, account and key.
    ///
    /// # Errors
    /// What is missing, and where to write it.
    pub(super) fn new(config: &DeskConfig, args: &CertifyArgs) -> anyhow::Result<Self> {
        let venues = config.venues.iter();
        let venue = venues.clone().find(|venue| venue.name == args.venue);
        let venue = venue.with_context(|| {
            let names: Vec<&str> = venues.map(|venue| venue.name.as_str()).collect();
            let (file, named) = (&config.file, names.join(", "));
            format!("{file} has no venue {:?}; there are {named}", args.venue)
        })?;
        let account = account(config, args)?;
        let (key, secrets) = credentials(account)?;
        ensure!(args.budget > Amount::ZERO, "--budget must be above 0");
        Ok(Self {
            venue: venue.clone(),
            account: account.clone(),
            key,
            product: args.instrument.clone(),
            budget: args.budget,
            confirm: args.confirm.clone(),
            patience: args.patience,
            secrets,
        })
    }

    /// What must not be written down.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }

    /// How much to order at `price`.
    ///
    /// # Errors
    /// The budget is below what the venue's minimum needs.
    pub(super) fn sizes(&self, instrument: &Instrument, price: Price) -> anyhow::Result<Sizes> {
        let too_large = || {
            format!(
                "the rules of {} are outside of the number range",
                self.product
            )
        };
        let step = instrument.notional(price, instrument.step);
        let least_quantity = instrument.notional(price, instrument.quantity_min);
        let (step, least_quantity) = step.zip(least_quantity).with_context(too_large)?;
        let least = instrument.notional_min.max(least_quantity);
        let order = least
            .share(OVER_MINIMUM)
            .map(|least| least + Amount(step.0 * STEPS_LOST))
            .with_context(too_large)?;
        let needed = order.share(BESIDE).with_context(too_large)?;
        let needed = Amount(needed.0 * BOTS);
        if self.budget < needed {
            bail!(
                "a budget of {} is too small: {} takes orders from {least} on, and two of {order}, which their stops can \
                 protect, need {needed}",
                self.budget,
                self.product
            );
        }
        let bot = Amount(self.budget.0 / BOTS);
        let share = order.mul_div(i128::from(Ppm::ONE.0), bot.0);
        let share = share.and_then(|share| i64::try_from(share.0).ok());
        Ok(Sizes {
            order,
            share: Ppm(share.with_context(too_large)?.min(Ppm::ONE.0)),
            bot,
        })
    }

    /// Writes the desk's configuration into `folder`, which is new or was used for this before.
    ///
    /// # Errors
    /// The folder is another desk's, or cannot be written.
    pub(super) fn write(&self, folder: &Path, sizes: &Sizes) -> anyhow::Result<()> {
        let path = folder.join(CONFIG_FILE);
        ensure!(
            path.exists() || !folder.join("journal").exists(),
            "{} is the folder of another desk; name a new one with --data-dir",
            folder.display()
        );
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, self.configuration(sizes)))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn configuration(&self, sizes: &Sizes) -> String {
        let (_, quote) = self.product.split_once('/').unwrap_or_default();
        let (key_env, secret_env) = variables(&self.account).unwrap_or_default();
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let order_entry = match self.venue.order_entry {
            OrderEntry::Rest => "rest",
            OrderEntry::WebSocket => "websocket",
        };
        let ca_file = self
            .venue
            .ca_file
            .as_ref()
            .map_or_else(String::new, |path| {
                format!("ca_file = {}", text(&path.display().to_string()))
            });
        let replaced = [
            ("CA_FILE", ca_file),
            ("VENUE", text(&self.venue.name)),
            ("REST_URL", text(&self.venue.rest_url)),
            ("WS_URL", text(&self.venue.ws_url)),
            ("WS_API", text(&self.venue.ws_api_url)),
            ("ORDER_ENTRY", text(order_entry)),
            ("FEE_MAX", self.venue.fee.to_string()),
            ("ACCOUNT", text(&self.account.name)),
            ("KEY_ENV", text(key_env)),
            ("SECRET_VARIABLE", text(secret_env)),
            ("QUOTE", text(quote)),
            ("PRODUCT", text(&self.product)),
            ("BUDGET", text(&self.budget.to_string())),
            ("BOT_SHARE", sizes.share.to_string()),
            ("BOT_MONEY", text(&sizes.bot.to_string())),
        ];
        let fill = |text: String, (name, value): (&str, String)| {
            text.replace(&format!("@{name}@"), &value)
        };
        replaced.into_iter().fold(TEMPLATE.to_owned(), fill)
    }
}

/// The live account that was named, or the venue's only one.
fn account<'a>(config: &'a DeskConfig, args: &CertifyArgs) -> anyhow::Result<&'a AccountSettings> {
    let live = config.accounts.iter().filter(|account| {
        account.venue == args.venue && matches!(account.mode, AccountSource::Live { .. })
    });
    let mut wanted = live.filter(|account| {
        args.account
            .as_ref()
            .is_none_or(|name| *name == account.name)
    });
    match (wanted.next(), wanted.next()) {
        (Some(account), None) => Ok(account),
        (Some(_), Some(_)) => bail!(
            "{} has several live accounts; name one with --account",
            args.venue
        ),
        (None, _) => bail!(
            "{} has no such live account at {}: write [accounts.main] with venue = {:?} and mode = \"live\"",
            config.file,
            args.venue,
            args.venue
        ),
    }
}

fn variables(account: &AccountSettings) -> Option<(&str, &str)> {
    match &account.mode {
        AccountSource::Live {
            key_env,
            secret_env,
        } => Some((key_env, secret_env)),
        AccountSource::Paper(_) => None,
    }
}

/// The account's key from the environment, and the texts it was made of.
fn credentials(account: &AccountSettings) -> anyhow::Result<(ApiKey, Vec<String>)> {
    let (key_env, secret_env) = variables(account).context("a paper account has no key")?;
    let read = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.with_context(|| {
            format!(
                "account {} has no credentials: set {name} in the environment",
                account.name
            )
        })
    };
    let (key, secret) = (read(key_env)?, read(secret_env)?);
    let recognised = ApiKey::recognise(key.clone(), &SecretString::from(secret.clone()));
    let recognised = recognised.with_context(|| format!("reading {secret_env}"))?;
    Ok((recognised, vec![key, secret]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Listing;
    use std::collections::BTreeMap;

    /// It ends by SIGKILL on purpose: a few runs within ten minutes would start no bot any more (P06).
    #[test]
    fn the_desk_under_test_is_never_in_safe_mode() {
        let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Unknown).unwrap();
        let plan = Plan {
            venue: config.venues[0].clone(),
            account: AccountSettings {
                mode: AccountSource::Live {
                    key_env: "KEY".to_owned(),
                    secret_env: "SECRET".to_owned(),
                },
                ..config.accounts[0].clone()
            },
            key: ApiKey::new("key", SecretString::from("secret".to_owned())),
            product: "BTC/USDT".to_owned(),
            budget: "20".parse().unwrap(),
            confirm: Vec::new(),
            patience: std::time::Duration::ZERO,
            secrets: Vec::new(),
        };
        let sizes = Sizes {
            order: "6".parse().unwrap(),
            share: Ppm(600_000),
            bot: "10".parse().unwrap(),
        };
        let folder = tempfile::tempdir().unwrap();
        plan.write(folder.path(), &sizes).unwrap();
        let path = folder.path().join(CONFIG_FILE);
        let written = DeskConfig::load(Some(&path), &BTreeMap::new(), Listing::Unknown).unwrap();
        assert_eq!(written.desk.safe_after, 0);
    }
}
