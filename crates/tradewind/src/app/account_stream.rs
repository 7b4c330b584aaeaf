//! The task of an account's stream: it runs one source, and another one when the stream is doubted.

use std::pin::pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tradewind_model::AccountId;
use tradewind_venues::{AccountSink, Source};

use crate::app::hot_path::keep_if_any;

/// Runs an account's source until `stop`. Whenever the future that `doubted` makes resolves, the source is replaced by another one. If
/// it ends by itself, the stream is down, or it would count as live until the next one is.
///
/// # Errors
/// There is no source.
pub(super) async fn keep_account<D: Future<Output = ()>>(
    (first, again): (
        Option<Box<dyn Source>>,
        impl Fn() -> Option<Box<dyn Source>>,
    ),
    doubted: impl Fn() -> D,
    (account, sink): (AccountId, Arc<dyn AccountSink>),
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let down = DownByPanic { account, sink };
    let mut source = first;
    let ended = loop {
        let until_doubted = stop.child_token();
        let mut kept = pin!(keep_if_any(source, until_doubted.clone()));
        tokio::select! {
            biased;
            ended = &mut kept => break ended,
            () = doubted() => {}
        }
        until_doubted.cancel();
        let ended = kept.await;
        if ended.is_err() || stop.is_cancelled() {
            break ended;
        }
        source = again();
    };
    if !stop.is_cancelled() {
        down.sink.down(account, "its task ended by itself");
    }
    ended
}

/// Reports a stream as down when its task panics.
struct DownByPanic {
    account: AccountId,
    sink: Arc<dyn AccountSink>,
}

impl Drop for DownByPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.sink.down(self.account, "its task panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::task::JoinSet;
    use tradewind_model::{Amount, AssetId, ExecutionReport, Timestamp};
    use tradewind_venues::{AssetBalance, Pending, UnlistedTrade};

    #[derive(Default)]
    struct Downs(Mutex<Vec<(AccountId, String)>>);

    impl AccountSink for Downs {
        fn report(&self, _: ExecutionReport) {}
        fn balances(&self, _: AccountId, _: &[AssetBalance], _: Timestamp) {}
        fn transfer(&self, _: AccountId, _: AssetId, _: Amount, _: Timestamp) {}
        fn unlisted_trade(&self, _: UnlistedTrade) {}
        fn resync(&self, _: AccountId) {}

        fn down(&self, account: AccountId, reason: &str) {
            self.0.lock().unwrap().push((account, reason.to_owned()));
        }
    }

    struct Ends {
        by_panic: bool,
    }

    impl Source for Ends {
        fn run(self: Box<Self>, _: CancellationToken) -> Pending<'static, ()> {
            Box::pin(async move { assert!(!self.by_panic, "a mistake") })
        }
    }

    /// P04: the account must not count as live until the source is made again.
    #[tokio::test]
    async fn an_account_stream_whose_task_ends_is_down() {
        let check = async |by_panic: bool, is_stopped: bool, wanted: &[&str]| {
            let downs = Arc::new(Downs::default());
            let stop = CancellationToken::new();
            if is_stopped {
                stop.cancel();
            }
            let source: Box<dyn Source> = Box::new(Ends { by_panic });
            let sink = Arc::clone(&downs) as Arc<dyn AccountSink>;
            let mut tasks = JoinSet::new();
            let sources = (Some(source), || None);
            let place = (AccountId(3), sink);
            tasks.spawn(keep_account(sources, std::future::pending, place, stop));
            assert_eq!(tasks.join_next().await.unwrap().is_err(), by_panic);
            let downs = downs.0.lock().unwrap().clone();
            let wanted = wanted
                .iter()
                .map(|reason| (AccountId(3), (*reason).to_owned()));
            assert_eq!(downs, wanted.collect::<Vec<_>>());
        };
        check(true, false, &["its task panicked"]).await;
        check(false, false, &["its task ended by itself"]).await;
        check(false, true, &[]).await;
    }

    /// Runs until it is stopped, and says so.
    struct Lasts(Arc<AtomicU32>);

    impl Source for Lasts {
        fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
            Box::pin(async move {
                stop.cancelled().await;
                self.0.fetch_add(1, Ordering::SeqCst);
            })
        }
    }

    /// N04: a stream that is doubted is ended, and another one is made.
    #[tokio::test]
    async fn a_doubted_stream_is_replaced() {
        let (ended, made, doubts) = <(Arc<AtomicU32>, Arc<AtomicU32>, AtomicU32)>::default();
        let stop = CancellationToken::new();
        let lasts = || Some(Box::new(Lasts(Arc::clone(&ended))) as Box<dyn Source>);
        let again = || {
            made.fetch_add(1, Ordering::SeqCst);
            lasts()
        };
        // Doubted twice; the third source runs until the stop.
        let doubted = || {
            let count = doubts.fetch_add(1, Ordering::SeqCst);
            let stop = stop.clone();
            async move {
                if count == 2 {
                    stop.cancel();
                    std::future::pending::<()>().await;
                }
            }
        };
        let downs = Arc::new(Downs::default());
        let sink = Arc::clone(&downs) as Arc<dyn AccountSink>;
        let place = (AccountId(3), sink);
        let kept = keep_account((lasts(), &again), doubted, place, stop.clone()).await;
        assert!(kept.is_ok() && downs.0.lock().unwrap().is_empty());
        let counts = (made.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
        assert_eq!(counts, (2, 3));
    }
}
