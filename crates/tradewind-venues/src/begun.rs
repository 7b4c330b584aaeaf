//! Requests that were begun and have no answer yet: futures that one owner drives, on any executor.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Requests on their way. The executor that begins them bounds their number.
#[derive(Default)]
pub(crate) struct BegunRequests {
    /// Those that [`run`](Self::run) does not have yet.
    queued: Mutex<Queued>,
    /// [`run`](Self::run) is to take them.
    added: Notify,
}

#[derive(Default)]
struct Queued {
    works: Vec<Work>,
    /// Nothing drives requests any more.
    has_ended: bool,
}

impl BegunRequests {
    /// Begins a request and goes as far with it as it can without waiting. The rest is [`run`](Self::run)'s.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        if self.queued().has_ended {
            return;
        }
        let mut work = contained(work);
        // It is polled again by `run`, so nothing that becomes ready meanwhile is missed.
        let mut context = Context::from_waker(Waker::noop());
        if work.as_mut().poll(&mut context).is_pending() {
            self.add(work);
        }
    }

    /// Begins a request on the executor of [`run`](Self::run), and does nothing for it here.
    pub(crate) fn begin_later(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.add(contained(work));
    }

    /// Drives requests until `stop`, then drops all that have no answer. Requests begun later are dropped at once.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut running = FuturesUnordered::new();
        loop {
            running.extend(std::mem::take(&mut self.queued().works));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.added.notified() => {}
                Some(()) = running.next() => {}
            }
        }
        self.queued().has_ended = true;
        let undriven = std::mem::take(&mut self.queued().works);
        drop(undriven);
    }

    fn add(&self, work: Work) {
        let mut queued = self.queued();
        if !queued.has_ended {
            queued.works.push(work);
            drop(queued);
            self.added.notify_one();
        }
    }

    fn queued(&self) -> MutexGuard<'_, Queued> {
        // No code that runs under the lock can leave it half changed.
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose panic ends it alone.
fn contained(work: impl Future<Output = ()> + Send + 'static) -> Work {
    let work = AssertUnwindSafe(work).catch_unwind();
    Box::pin(async {
        if work.await.is_err() {
            tracing::error!("A request to the venue failed inside.");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::{Arc, PoisonError};
    use tokio::sync::oneshot;

    /// What requests have noted.
    type Notes = Arc<Mutex<Vec<&'static str>>>;

    fn note(notes: &Notes, what: &'static str) {
        notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    fn taken(notes: &Notes) -> Vec<&'static str> {
        std::mem::take(&mut *notes.lock().unwrap())
    }

    /// Notes its beginning, its answer, and that it was dropped.
    fn request(notes: &Notes) -> (impl Future<Output = ()> + use<>, oneshot::Sender<()>) {
        struct Dropped(Notes);
        impl Drop for Dropped {
            fn drop(&mut self) {
                note(&self.0, "dropped");
            }
        }
        let (answer, answered) = oneshot::channel();
        let dropped = Dropped(Arc::clone(notes));
        let work = async move {
            note(&dropped.0, "begun");
            if answered.await.is_ok() {
                note(&dropped.0, "answered");
            }
        };
        (work, answer)
    }

    #[test]
    fn a_request_begins_at_once_and_goes_on_when_it_is_driven() {
        let (notes, requests, stop) = Default::default();
        let (requests, stop): (BegunRequests, CancellationToken) = (requests, stop);
        let mut run = pin!(requests.run(stop.clone()));
        let mut context = Context::from_waker(Waker::noop());
        let (first, answer) = request(&notes);
        requests.begin(first);
        assert_eq!(taken(&notes), ["begun"]);
        let (later, _unanswered) = request(&notes);
        requests.begin_later(later);
        assert_eq!(taken(&notes), [""; 0]);
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert_eq!(taken(&notes), ["begun"]);
        answer.send(()).unwrap();
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert_eq!(taken(&notes), ["answered", "dropped"]);

        stop.cancel();
        assert!(run.as_mut().poll(&mut context).is_ready());
        assert_eq!(taken(&notes), ["dropped"], "the one without an answer");
        for begin in [BegunRequests::begin, BegunRequests::begin_later] {
            begin(&requests, request(&notes).0);
            assert_eq!(taken(&notes), ["dropped"], "and not begun");
        }
    }

    #[test]
    fn the_panic_of_one_request_ends_no_other() {
        let (notes, requests) = (Notes::default(), BegunRequests::default());
        let mut run = pin!(requests.run(CancellationToken::new()));
        let mut context = Context::from_waker(Waker::noop());
        requests.begin_later(async { panic!("a defect") });
        requests.begin(async { panic!("another") });
        let (work, answer) = request(&notes);
        requests.begin(work);
        answer.send(()).unwrap();
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert_eq!(taken(&notes), ["begun", "answered", "dropped"]);
    }
}
