//! The tokio shell: it performs the machine's outputs and passes it the results. It makes no decisions.
//!
//! The loop does not wait for the network. Polls, messages and commands are tasks in a set that it owns, so that events are
//! read from the bus and a kill is executed however long the Bot API stalls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tradewind_bus::{Class, Received, Subscription, SubscriptionOptions, TypeSet};
use tradewind_events::CommandResult;

use crate::client::BotApi;
use crate::counts::Counts;
use crate::desk::{Desk, DeskError};
use crate::machine::{Batch, In, Machine, Out, StepContext};
use crate::options::{Options, Urgency};
use crate::progress::{Progress, ProgressStore};

/// Time limit for a view of the desk.
const VIEW: Duration = Duration::from_secs(2);
/// Time limit for a command.
const COMMAND: Duration = Duration::from_secs(5);

/// Why the Telegram bot ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelegramError {
    /// The token is not valid. Starting again does not help.
    #[error("the Bot API refused the token")]
    Unauthorized,
    /// The progress cannot be read. A restart without it may execute a command twice.
    #[error("cannot read the saved progress")]
    Progress(#[source] io::Error),
    /// One of its tasks panicked. It may be restarted.
    #[error("a task panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// The Telegram bot, ready to run.
#[derive(Debug)]
pub struct Telegram {
    options: Options,
    api: BotApi,
    desk: Arc<dyn Desk>,
    store: Arc<dyn ProgressStore>,
    counts: watch::Sender<Counts>,
}

impl Telegram {
    /// A Telegram bot for `desk`. `http` must not follow redirects: they would send the token to another address.
    #[must_use]
    pub fn new(
        options: Options,
        http: reqwest::Client,
        desk: Arc<dyn Desk>,
        store: Arc<dyn ProgressStore>,
    ) -> Self {
        let api = BotApi::new(http, &options.api_url, options.token.clone());
        let (counts, _) = watch::channel(Counts::default());
        Self {
            options,
            api,
            desk,
            store,
            counts,
        }
    }

    /// The counters as of the last input.
    #[must_use]
    pub fn counts(&self) -> watch::Receiver<Counts> {
        self.counts.subscribe()
    }

    /// Executes commands and sends notifications until `shutdown`. Unsent notifications are lost; an unanswered stop or kill
    /// is repeated at the next start.
    ///
    /// # Errors
    /// [`TelegramError`] says whether a restart can help.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), TelegramError> {
        let mut critical = self.subscribe("telegram-critical", Class::Lossless, Urgency::Critical);
        let mut ordinary = self.subscribe("telegram", Class::Drop, Urgency::Ordinary);
        let store = Arc::clone(&self.store);
        let progress = blocking(move || store.load())
            .await
            .map_err(TelegramError::Progress)?;
        let mut machine = Machine::new(self.options.clone(), progress, self.api.bot_number());
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        let mut out = Vec::new();
        let mut input = In::Tick;
        loop {
            machine.handle(&self.context(started), input, &mut out);
            self.counts.send_if_modified(|counts| {
                let is_changed = *counts != machine.counts();
                *counts = machine.counts();
                is_changed
            });
            for out in out.drain(..) {
                if matches!(out, Out::Stop) {
                    return Err(TelegramError::Unauthorized);
                }
                self.perform(out, &mut tasks).await;
            }
            input = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                Some(done) = tasks.join_next() => done.map_err(TelegramError::Panicked)?,
                received = next(&mut critical) => received,
                received = next(&mut ordinary) => received,
                () = until(machine.deadline().map(|deadline| started + deadline)) => In::Tick,
            };
        }
    }

    fn context(&self, started: Instant) -> StepContext {
        StepContext {
            elapsed: started.elapsed(),
            wall: self.desk.wall(),
            desk: self.desk.now(),
            configuration: self.desk.configuration(),
        }
    }

    async fn perform(&self, out: Out, tasks: &mut JoinSet<In>) {
        let (api, desk) = (self.api.clone(), Arc::clone(&self.desk));
        match out {
            Out::Stop => {}
            Out::Keep(progress) => {
                // The next poll confirms the same to Telegram, so this matters only if that poll is lost.
                if let Err(error) = self.keep(progress).await {
                    tracing::warn!(%error, "Cannot save the progress.");
                }
            }
            Out::Poll(offset) => {
                tasks.spawn(async move { In::Polled(api.updates(offset).await) });
            }
            Out::Send(message) => {
                tasks.spawn(async move { In::Sent(api.send(&message).await) });
            }
            Out::ReadView(request) => {
                tasks.spawn(async move {
                    let view = timeout(VIEW, desk.view()).await;
                    In::View(request, view.unwrap_or(Err(DeskError::Timeout)))
                });
            }
            Out::Execute(batch) => self.execute(batch, tasks).await,
        }
    }

    async fn execute(&self, batch: Batch, tasks: &mut JoinSet<In>) {
        if let Some(progress) = batch.keep
            && let Err(error) = self.keep(progress).await
        {
            tracing::error!(%error, "Cannot save the update of a command; the command is not executed.");
            tasks.spawn(async move {
                let refused = batch
                    .commands
                    .iter()
                    .map(|_| Err(DeskError::ProgressNotSaved))
                    .collect();
                In::Results(batch, refused)
            });
            return;
        }
        let desk = Arc::clone(&self.desk);
        tasks.spawn(async move {
            let commands = batch.commands.iter().map(|(_, command)| async {
                let answer = timeout(COMMAND, desk.command(command.clone())).await;
                answer.unwrap_or(Err(DeskError::Timeout))
            });
            let results: Vec<Result<CommandResult, DeskError>> = join_all(commands).await;
            In::Results(batch, results)
        });
    }

    async fn keep(&self, progress: Progress) -> io::Result<()> {
        let store = Arc::clone(&self.store);
        blocking(move || store.keep(progress)).await
    }

    fn subscribe(&self, name: &str, class: Class, urgency: Urgency) -> Option<Subscription> {
        let types = self.options.types_of(urgency);
        let is_told = self.options.chat.is_some() && types != TypeSet::NONE;
        is_told.then(|| {
            self.desk
                .subscribe(SubscriptionOptions::new(name, class, types))
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The next event of a subscription; never, once it has ended.
async fn next(subscription: &mut Option<Subscription>) -> In {
    if let Some(open) = subscription {
        match open.recv().await {
            Some(Received::Event(event)) => return In::Event(event),
            Some(Received::Gap { dropped }) => return In::Lost(dropped),
            None => *subscription = None,
        }
    }
    std::future::pending().await
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
