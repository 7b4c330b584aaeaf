//! Logs: to standard error, and the newest lines in memory for the API.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};
use tradewind_api::wire::LogLine;
use tradewind_model::Timestamp;

/// Lines kept in memory.
const KEPT: usize = 1_000;

/// The newest lines of the log. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
}

/// Installs the log for the whole process: level `info`, or the filter in `TRADEWIND_LOG`.
///
/// # Errors
/// `TRADEWIND_LOG` cannot be read, or a log was installed before.
pub(crate) fn install() -> anyhow::Result<Logs> {
    let logs = Logs::default();
    let filter = EnvFilter::builder()
        .with_env_var("TRADEWIND_LOG")
        .with_default_directive(tracing::Level::INFO.into());
    let filter = filter.from_env().context("reading TRADEWIND_LOG")?;
    let to_person = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would be written where the line could not be, and panic.
        .log_internal_errors(false)
        .compact();
    tracing_subscriber::registry()
        .with(filter)
        .with(to_person)
        .with(logs.clone())
        .try_init()?;
    Ok(logs)
}

impl Logs {
    /// The newest lines, newest first.
    #[must_use]
    pub(crate) fn newest(&self, limit: usize) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().take(limit).cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for Logs {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let line = LogLine {
            at: (Timestamp::EPOCH + since).into(),
            level: event.metadata().level().to_string(),
            target: event.metadata().target().to_owned(),
            message: text.message + &text.fields,
        };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
        written.expect("writing to a String cannot fail");
    }
}
