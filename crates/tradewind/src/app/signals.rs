//! The signals that end a desk: SIGTERM and SIGINT.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals. None that comes after this was made is lost.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// A start that a signal ended.
#[derive(Debug, thiserror::Error)]
#[error("stopped before it was ready: {0}")]
pub(crate) struct StoppedEarly(&'static str);

impl Signals {
    /// Listens from now on: a signal no longer ends the process by itself.
    ///
    /// # Errors
    /// The system.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal, or one that has come already.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "interrupt",
        }
    }

    /// Does a part of a start, unless a signal comes first.
    ///
    /// # Errors
    /// Those of `work`; [`StoppedEarly`].
    pub(crate) async fn or_stop<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            signal = self.next() => Err(StoppedEarly(signal).into()),
            done = work => done,
        }
    }
}

/// A start that a signal ended has ended in order.
///
/// # Errors
/// The error, if it is another one.
pub(crate) fn in_order(error: anyhow::Error) -> anyhow::Result<()> {
    let StoppedEarly(reason) = error.downcast()?;
    tracing::info!(reason, "The desk was stopped before it was ready.");
    Ok(())
}

/// From now on a second signal ends the process at once. The files are enough to start again.
pub(crate) fn end_at_second_signal() {
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends the process that would own it"
    )]
    tokio::spawn(async {
        let Ok(mut signals) = Signals::listen() else {
            return;
        };
        signals.next().await;
        std::process::exit(1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_a_start_in_order() {
        let mut signals = Signals::listen().unwrap();
        let work = signals.or_stop(async { Ok(1) });
        assert_eq!(work.await.unwrap(), 1);
        let pid = std::process::id();
        let kill = format!("kill -TERM {pid}");
        let sent = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(sent.unwrap().success());
        let stuck = signals.or_stop(std::future::pending::<anyhow::Result<()>>());
        assert!(in_order(stuck.await.unwrap_err()).is_ok());
        assert!(in_order(anyhow::anyhow!("another")).is_err());
    }
}
