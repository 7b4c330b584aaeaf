//! Components: named tasks with an order of start and the reverse order of stop.
//!
//! Every task of the desk is owned here. A component that ends by itself stops the
//! desk, with its name as the reason. A component that can recover restarts itself and does not end. Stopping allows
//! five seconds each and ten in all, and returns the names of those that were late.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::driver::disk::abort_if_truth_is_lost;

use crate::app::hot_path::Tasks;

/// Longest a component may take to stop.
const STOP_EACH: Duration = Duration::from_secs(5);
/// Longest all of them may take together.
const STOP_ALL: Duration = Duration::from_secs(10);
/// How often the components are checked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The running components, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    name: &'static str,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// A component and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its result.
    pub(crate) result: anyhow::Result<()>,
}

impl Supervisor {
    /// Starts a component; `run` ends soon after the token it is given is cancelled.
    pub(crate) fn start<F, R>(&mut self, name: &'static str, run: R)
    where
        R: FnOnce(CancellationToken) -> F,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start_on(&Handle::current(), name, run);
    }

    /// Starts a component on another runtime than the caller's.
    pub(crate) fn start_on<F, R>(&mut self, runtime: &Handle, name: &'static str, run: R)
    where
        R: FnOnce(CancellationToken) -> F,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let running = run(stop.clone());
        let task = runtime.spawn(async { running.await.inspect_err(abort_if_truth_is_lost) });
        tracing::debug!(component = name, "Started.");
        self.components.push(Component { name, stop, task });
    }

    /// Starts tasks of the hot path on the thread of `hot`.
    pub(crate) const fn on<'a>(&'a mut self, hot: &'a Handle) -> OnThread<'a> {
        OnThread {
            supervisor: self,
            hot,
        }
    }

    #[cfg(test)]
    fn names(&self) -> Vec<&'static str> {
        self.components
            .iter()
            .map(|component| component.name)
            .collect()
    }

    /// Resolves when a component has ended by itself.
    pub(crate) async fn first_ended(&mut self) -> Ended {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let Some(index) = self
                .components
                .iter()
                .position(|component| component.task.is_finished())
            else {
                continue;
            };
            let component = self.components.remove(index);
            let result = flatten(component.task.await);
            return Ended {
                name: component.name,
                result,
            };
        }
    }

    /// Stops all components, last started first, and returns the names of those that were late.
    pub(crate) async fn stop(self) -> Vec<&'static str> {
        let deadline = Instant::now() + STOP_ALL;
        let mut late = Vec::new();
        for mut component in self.components.into_iter().rev() {
            component.stop.cancel();
            let left = deadline
                .saturating_duration_since(Instant::now())
                .min(STOP_EACH);
            match tokio::time::timeout(left, &mut component.task).await {
                Ok(ended) => {
                    if let Err(error) = flatten(ended) {
                        tracing::warn!(
                            component = component.name,
                            error = format!("{error:#}"),
                            "Did not stop cleanly."
                        );
                    }
                }
                Err(_) => {
                    component.task.abort();
                    late.push(component.name);
                }
            }
        }
        late
    }
}

/// A supervisor whose hot tasks run on one thread.
#[derive(Debug)]
pub(crate) struct OnThread<'a> {
    supervisor: &'a mut Supervisor,
    hot: &'a Handle,
}

impl Tasks for OnThread<'_> {
    fn start_hot<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.supervisor.start_on(self.hot, name, run);
    }

    fn start_slow<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.supervisor.start(name, run);
    }
}

fn flatten(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    match ended {
        Ok(result) => result,
        Err(error) => Err(anyhow::anyhow!("the task failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn noting(
        name: &'static str,
        log: &Arc<Mutex<Vec<&'static str>>>,
        supervisor: &mut Supervisor,
    ) {
        let log = Arc::clone(log);
        supervisor.start(name, move |stop| async move {
            stop.cancelled().await;
            log.lock().unwrap().push(name);
            Ok(())
        });
    }

    #[tokio::test(start_paused = true)]
    async fn components_stop_in_reverse_and_a_late_one_is_named() {
        let log = Arc::default();
        let mut supervisor = Supervisor::default();
        noting("venue", &log, &mut supervisor);
        supervisor.start("stuck", |_| std::future::pending());
        noting("bots", &log, &mut supervisor);
        assert_eq!(supervisor.names(), ["venue", "stuck", "bots"]);
        assert_eq!(supervisor.stop().await, ["stuck"]);
        assert_eq!(*log.lock().unwrap(), ["bots", "venue"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_component_that_ends_by_itself_is_noticed_with_its_reason() {
        let mut supervisor = Supervisor::default();
        supervisor.start("steady", |stop| async move {
            stop.cancelled().await;
            Ok(())
        });
        supervisor.start("brief", |_| async { Err(anyhow::anyhow!("no more disk")) });
        let ended = supervisor.first_ended().await;
        assert_eq!(
            (ended.name, ended.result.unwrap_err().to_string()),
            ("brief", "no more disk".to_owned())
        );
    }
}
