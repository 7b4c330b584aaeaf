//! Syncs of a desk's journal on virtual time: they take a while, may take long, and what was not synced goes with the power.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tradewind::driver::{IntentSafety, SyncReport, SyncRunner};
use tradewind_journal::Syncer;
use tradewind_model::Timestamp;
use tradewind_venues::RealTime;

use crate::executor::{Executor, VirtualTime};

/// How long a sync of a healthy disk takes.
const SYNC: Duration = Duration::from_micros(800);
/// How long one of a gray disk takes.
const SLOW_SYNC: Duration = Duration::from_secs(2);

/// Until when syncs are slow, and how many were. Clones are the same disk's.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrayDisk(Arc<Mutex<(Timestamp, u64)>>);

impl GrayDisk {
    /// Syncs that begin before `until` are slow.
    pub(crate) fn slow_until(&self, until: Timestamp) {
        self.0.lock().unwrap().0 = until;
    }

    /// Syncs that were slow.
    pub(crate) fn hits(&self) -> u64 {
        self.0.lock().unwrap().1
    }

    fn takes(&self, now: Timestamp) -> Duration {
        let (until, hits) = &mut *self.0.lock().unwrap();
        if now >= *until {
            return SYNC;
        }
        *hits += 1;
        SLOW_SYNC
    }
}

#[derive(Default)]
struct State {
    is_requested: bool,
    has_ended: bool,
    waker: Option<Waker>,
    /// What syncs, once the engine has begun.
    work: Option<(Syncer, SyncReport)>,
}

/// Requests of a desk to the task that syncs.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<State>>);

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

impl SyncRunner for Requests {
    fn request(&self) {
        self.change(|state| state.is_requested = true);
    }
}

impl Requests {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let state = &mut *self.0.lock().unwrap();
        change(state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Waits for a request; false once there will be none.
    async fn next(&self) -> bool {
        poll_fn(|context| {
            let state = &mut *self.0.lock().unwrap();
            if std::mem::take(&mut state.is_requested) {
                return Poll::Ready(true);
            }
            if state.has_ended {
                return Poll::Ready(false);
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Syncs what was flushed; false once that has failed.
    fn serve(&self) -> bool {
        let work = self.0.lock().unwrap().work.take();
        let Some((syncer, mut report)) = work else {
            return true;
        };
        let works = syncer.serve(&mut report);
        self.0.lock().unwrap().work = Some((syncer, report));
        works
    }
}

/// Intents that are durable once a task of the simulation has synced them.
pub(crate) fn virtual_syncs(
    executor: &mut Executor,
    time: &VirtualTime,
    disk: &GrayDisk,
) -> IntentSafety {
    let requests = Requests::default();
    let (served, time, disk) = (requests.clone(), time.clone(), disk.clone());
    executor.start("sync", |stop| async move {
        let ends = served.clone();
        let stopped = async move {
            stop.cancelled().await;
            ends.change(|state| state.has_ended = true);
            std::future::pending::<()>().await;
        };
        let works = async {
            while served.next().await {
                let takes = disk.takes(tradewind_model::Clock::now(&time));
                time.sleep(takes).await;
                if !served.serve() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = works => {}
            () = stopped => {}
        }
        Ok(())
    });
    IntentSafety::Synced(Box::new(move |syncer, report| {
        requests.change(|state| state.work = Some((syncer, report)));
        Ok(Box::new(requests))
    }))
}
