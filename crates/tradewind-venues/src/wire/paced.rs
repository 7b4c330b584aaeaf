//! A [`Connector`] that opens connections no faster than a venue takes them: those that are wanted at once take turns.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connector::{Connector, Opening};
use super::time::{RealTime, Sleeping};
use crate::address::Address;
use crate::gate::SendPermit;

/// Opens connections with a pause between two.
#[derive(Debug)]
pub(crate) struct PacedConnector {
    inner: Arc<dyn Connector>,
    spacing: Duration,
    /// When the next one may be opened.
    next: Mutex<Duration>,
}

impl PacedConnector {
    /// Opens by `inner`, `spacing` apart.
    #[must_use]
    pub(crate) fn shared(inner: Arc<dyn Connector>, spacing: Duration) -> Arc<dyn Connector> {
        Arc::new(Self {
            inner,
            spacing,
            next: Mutex::default(),
        })
    }

    /// How long the next connection has to wait for its turn.
    fn turn(&self) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.now();
        let at = now.max(*next);
        *next = at + self.spacing;
        at - now
    }
}

impl Connector for PacedConnector {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        Box::pin(async move {
            let wait = self.turn();
            if !wait.is_zero() {
                self.inner.sleep(wait).await;
            }
            self.inner.open(address, permit).await
        })
    }

    fn nonce(&self) -> u64 {
        self.inner.nonce()
    }
}

impl RealTime for PacedConnector {
    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        self.inner.sleep(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Scheme;
    use crate::wire::{ConnectError, TokioTime};
    use std::io;

    /// Refuses every connection, and notes when.
    #[derive(Debug, Default)]
    struct Refusing(Mutex<Vec<u128>>, TokioTime);

    impl Connector for Refusing {
        fn open<'a>(&'a self, _: &'a Address, _: Option<Arc<SendPermit>>) -> Opening<'a> {
            self.0.lock().unwrap().push(self.1.now().as_millis());
            let refused = io::ErrorKind::ConnectionRefused.into();
            Box::pin(async { Err(ConnectError::Refused("test".to_owned(), refused)) })
        }

        fn nonce(&self) -> u64 {
            0
        }
    }

    impl RealTime for Refusing {
        fn now(&self) -> Duration {
            self.1.now()
        }

        fn sleep(&self, wait: Duration) -> Sleeping<'_> {
            self.1.sleep(wait)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_are_wanted_at_once_are_opened_one_after_the_other() {
        let inner = Arc::new(Refusing::default());
        let paced = PacedConnector::shared(Arc::clone(&inner) as _, Duration::from_millis(350));
        let address = Address::parse("ws://127.0.0.1:1", Scheme::WebSocket).unwrap();
        let open = || paced.open(&address, None);
        let _all = tokio::join!(open(), open(), open(), open());
        tokio::time::advance(Duration::from_secs(5)).await;
        let _one = open().await;
        assert_eq!(*inner.0.lock().unwrap(), [0, 350, 700, 1_050, 6_050]);
    }
}
