//! Starts the Telegram bot over the desk, if its token is in the environment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tradewind_bus::{Subscription, SubscriptionOptions};
use tradewind_events::{Command, CommandResult, Configuration, DeskView};
use tradewind_model::Timestamp;
use tradewind_telegram::{Answer, DeskError, Options, ProgressFile, Telegram, TelegramError};
use tradewind_venues::client_config;

use crate::app::desk::LiveDesk;
use crate::app::supervisor::Supervisor;
use crate::config::{DeskConfig, Notify};

/// Longest wait for the Bot API to connect; its long polls have their own limits.
const CONNECT: Duration = Duration::from_secs(10);

/// Starts the Telegram bot if it is configured and its token is set; logs why not otherwise.
///
/// # Errors
/// The chat id is not a number.
pub(crate) fn start(
    supervisor: &mut Supervisor,
    desk: &Arc<LiveDesk>,
    config: &DeskConfig,
    environment: &BTreeMap<String, String>,
    data_dir: &Path,
) -> anyhow::Result<()> {
    let Some(settings) = &config.telegram else {
        return Ok(());
    };
    let Some(token) = environment
        .get(&settings.token_env)
        .filter(|token| !token.is_empty())
    else {
        tracing::info!(
            "Telegram is off: {} is not in the environment.",
            settings.token_env
        );
        return Ok(());
    };
    let chat = environment.get(&settings.chat_env).map(|chat| chat.parse());
    let options = Options {
        users: settings.users.iter().copied().collect(),
        chat: chat
            .transpose()
            .with_context(|| format!("{} is not a chat id", settings.chat_env))?,
        api_url: settings.api_url.clone(),
        token: SecretString::from(token.clone()),
        stale_after: settings.stale_after,
        notify: settings
            .notify
            .iter()
            .map(|(of, how)| (*of, loudness(*how)))
            .collect(),
        seed: config.simulation.seed,
    };
    let tls = client_config(None)?;
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured((*tls).clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()?;
    let store = Arc::new(ProgressFile::new(data_dir.join("telegram.json")));
    let desk = Arc::clone(desk) as Arc<dyn tradewind_telegram::Desk>;
    supervisor.keep("telegram", move |stop| {
        let telegram = Telegram::new(
            options.clone(),
            http.clone(),
            Arc::clone(&desk),
            Arc::clone(&store) as _,
        );
        async move {
            let ended = telegram.run(stop.clone()).await;
            end_or_rest(ended, &stop).await
        }
    });
    Ok(())
}

/// Waits for the stop if starting again does not help: the token is refused as it was.
///
/// # Errors
/// Any other end, after which it is started again.
async fn end_or_rest(
    ended: Result<(), TelegramError>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Err(TelegramError::Unauthorized) = ended else {
        return Ok(ended?);
    };
    tracing::error!(
        "Telegram is off: the Bot API refused the token. Set a valid one and start the desk again."
    );
    stop.cancelled().await;
    Ok(())
}

const fn loudness(notify: Notify) -> tradewind_telegram::Notify {
    match notify {
        Notify::On => tradewind_telegram::Notify::On,
        Notify::Silent => tradewind_telegram::Notify::Silent,
        Notify::Off => tradewind_telegram::Notify::Off,
    }
}

impl tradewind_telegram::Desk for LiveDesk {
    fn configuration(&self) -> Arc<Configuration> {
        self.configuration.get()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::EPOCH + since.unwrap_or_default()
    }

    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>> {
        Box::pin(async { self.fresh_view().await.map_err(desk_error) })
    }

    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>> {
        Box::pin(async { self.execute(command).await.map_err(desk_error) })
    }

    fn subscribe(&self, options: SubscriptionOptions) -> Subscription {
        self.bus.subscribe(options)
    }
}

fn desk_error(error: tradewind_api::DeskError) -> DeskError {
    match error {
        tradewind_api::DeskError::Timeout => DeskError::Timeout,
        other => DeskError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_not_tried_again_and_any_other_end_is() {
        let stop = CancellationToken::new();
        let broken = Err(TelegramError::Progress(std::io::Error::other("torn")));
        assert!(end_or_rest(broken, &stop).await.is_err());
        let resting = end_or_rest(Err(TelegramError::Unauthorized), &stop);
        let mut resting = std::pin::pin!(resting);
        let waited = tokio::time::timeout(Duration::from_secs(3_600), &mut resting);
        assert!(waited.await.is_err());
        stop.cancel();
        assert!(resting.await.is_ok());
    }
}
