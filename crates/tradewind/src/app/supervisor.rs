//! Components: named tasks with an order of start and the reverse order of stop.
//!
//! Every task of the desk is owned here. What a component's end means depends on its policy: one that is *kept* is started
//! again after a growing wait; any other stops the desk, with its name as the reason, and a panic of one that sends orders
//! ends the process at once. Stopping allows five seconds each and ten in all, and returns the names of those that were late.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::app::components::{Components, Entry, Policy};
use crate::app::hot_path::Tasks;
use crate::driver::disk::abort_if_truth_is_lost;

/// Longest a component may take to stop.
const STOP_EACH: Duration = Duration::from_secs(5);
/// Longest all of them may take together.
const STOP_ALL: Duration = Duration::from_secs(10);
/// How often the components are checked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Wait before a component that ended is started again; doubled each time up to the longest.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_LONGEST: Duration = Duration::from_secs(60);
/// One that ran so long begins with the first wait again.
const STEADY: Duration = Duration::from_secs(60);

/// The components without which no order may leave, or none can be followed: their panic ends the process. What they had half done
/// went with them. The next process takes the orders without an outcome from the journal and queries them.
const CORE: [&str; 3] = ["engine", "orders", "venue"];

/// The running components, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    components: Vec<Component>,
    registry: Components,
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
        let entry = self.registry.add(name, Policy::EndsDesk);
        let beat = entry.beat();
        let task = runtime.spawn(async move {
            let end = EndOf(entry);
            let result = beat.of(running).await.inspect_err(abort_if_truth_is_lost);
            end.0.ended(&outcome(&result));
            result
        });
        tracing::debug!(component = name, "Started.");
        self.components.push(Component { name, stop, task });
    }

    /// Starts a component that is started again, by `make`, whenever it ends by itself or panics.
    pub(crate) fn keep<F, M>(&mut self, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.keep_on(&Handle::current(), name, make);
    }

    /// As [`keep`](Self::keep), on another runtime than the caller's.
    pub(crate) fn keep_on<F, M>(&mut self, runtime: &Handle, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let entry = self.registry.add(name, Policy::Restarted);
        let task = runtime.spawn(keep_up(entry, stop.clone(), make));
        self.components.push(Component { name, stop, task });
    }

    /// What runs, for those who show it.
    pub(crate) fn registry(&self) -> Components {
        self.registry.clone()
    }

    /// Starts tasks of the hot path on the thread of `hot`.
    pub(crate) const fn on<'a>(&'a mut self, hot: &'a Handle) -> OnThread<'a> {
        OnThread {
            supervisor: self,
            hot,
        }
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
            let ended = component.task.await;
            let has_panicked = ended.as_ref().is_err_and(tokio::task::JoinError::is_panic);
            if has_panicked && CORE.contains(&component.name) {
                tracing::error!(
                    component = component.name,
                    "The core panicked; the process ends here and must be started again."
                );
                std::process::abort();
            }
            let result = flatten(ended);
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

    fn keep_hot<F, M>(&mut self, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.supervisor.keep_on(self.hot, name, make);
    }

    fn keep_slow<F, M>(&mut self, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.supervisor.keep(name, make);
    }
}

/// Marks a component as ended though its task panics.
struct EndOf(Entry);

impl Drop for EndOf {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ended("it panicked");
        }
    }
}

/// Runs a component until `stop`: whenever it ends before, it is made again after a wait.
async fn keep_up<F>(
    entry: Entry,
    stop: CancellationToken,
    mut make: impl FnMut(CancellationToken) -> F + Send,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut wait = WAIT_FIRST;
    loop {
        let began = tokio::time::Instant::now();
        // A set of one: its task ends with it, and its panic stays there.
        let mut running = JoinSet::new();
        running.spawn(entry.beat().of(make(stop.clone())));
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            () = entry.hung() => {
                // One that blocks its thread ends once it returns.
                running.shutdown().await;
                Some(Ok(Err(anyhow::anyhow!("it hung"))))
            }
        };
        let result = ended.map_or(Ok(()), flatten);
        entry.ended(&outcome(&result));
        if stop.is_cancelled() {
            return result;
        }
        if began.elapsed() >= STEADY {
            wait = WAIT_FIRST;
        }
        tracing::error!(
            component = entry.name(),
            reason = outcome(&result),
            wait_s = wait.as_secs(),
            "A component ended and is started again."
        );
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(WAIT_LONGEST);
        entry.restarted();
    }
}

fn outcome(result: &anyhow::Result<()>) -> String {
    match result {
        Ok(()) => "it ended by itself".to_owned(),
        Err(error) => format!("{error:#}"),
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
        let names = supervisor.components.iter();
        let names: Vec<&str> = names.map(|component| component.name).collect();
        assert_eq!(names, ["venue", "stuck", "bots"]);
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

    /// P04: a component that ends, fails or panics is back, after waits that grow, and the desk continues.
    #[tokio::test(start_paused = true)]
    async fn a_kept_component_is_started_again_however_it_ends() {
        let mut supervisor = Supervisor::default();
        let begun = tokio::time::Instant::now();
        let starts: Arc<Mutex<Vec<u64>>> = Arc::default();
        let log = Arc::clone(&starts);
        supervisor.keep("kept", move |stop| {
            let number = {
                let mut starts = log.lock().unwrap();
                starts.push(begun.elapsed().as_secs());
                starts.len()
            };
            async move {
                match number {
                    1 => Ok(()),
                    2 => Err(anyhow::anyhow!("no connection")),
                    3 => panic!("a mistake"),
                    4 => {
                        tokio::time::sleep(STEADY).await; // tidy: sleep: the clock is paused and moves by itself
                        Ok(())
                    }
                    _ => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        let registry = supervisor.registry();
        let quiet = tokio::time::timeout(Duration::from_secs(200), supervisor.first_ended());
        assert!(quiet.await.is_err(), "the desk continues");
        assert_eq!(*starts.lock().unwrap(), [0, 1, 3, 7, 7 + 60 + 1]);
        let shown = registry.shown();
        assert_eq!((shown[0].restarts, shown[0].healthy), (4, true));
        assert_eq!(supervisor.stop().await, Vec::<&str>::new());
        assert!(!registry.shown()[0].healthy);
    }

    /// P04: a component that is never woken again hangs, is shown so and started again; one that has no limit may be silent.
    #[tokio::test(start_paused = true)]
    async fn a_kept_component_that_hangs_is_shown_and_started_again() {
        let mut supervisor = Supervisor::default();
        let starts: Arc<Mutex<u32>> = Arc::default();
        let count = Arc::clone(&starts);
        supervisor.keep("kill file", move |stop| {
            *count.lock().unwrap() += 1;
            let is_first = *count.lock().unwrap() == 1;
            async move {
                if is_first {
                    std::future::pending::<()>().await;
                }
                while !stop.is_cancelled() {
                    tokio::time::sleep(Duration::from_secs(1)).await; // tidy: sleep: the clock is paused and moves by itself
                }
                Ok(())
            }
        });
        supervisor.keep("api", |stop| async move {
            stop.cancelled().await;
            Ok(())
        });
        let registry = supervisor.registry();
        let mut changes = Vec::new();
        for second in 0..60 {
            tokio::time::sleep(Duration::from_secs(1)).await; // tidy: sleep: the clock is paused and moves by itself
            let found = registry.look().into_iter();
            changes.extend(found.map(|change| (second, change)));
        }
        let message = &registry.shown()[0].message;
        assert_eq!(message, "runs; it ended before: it hung");
        let why = Some("it has done nothing for 15 s".to_owned());
        assert_eq!(changes[0], (15, ("kill file", why)));
        assert_eq!((changes.len(), &changes[1].1), (2, &("kill file", None)));
        assert_eq!(*starts.lock().unwrap(), 2);
        assert!(registry.shown().iter().all(|shown| shown.healthy));
        assert_eq!(supervisor.stop().await, Vec::<&str>::new());
    }

    /// P04: a component that does not return from its work keeps a thread from everything else.
    #[test]
    fn a_component_that_blocks_its_thread_hangs_until_it_returns() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (began, begun) = std::sync::mpsc::channel();
        let mut supervisor = Supervisor::default();
        supervisor.start_on(runtime.handle(), "orders", |stop| async move {
            began.send(()).unwrap();
            released.recv().unwrap();
            stop.cancelled().await;
            Ok(())
        });
        begun.recv().unwrap();
        let registry = supervisor.registry();
        let looks: Vec<_> = (0..20).flat_map(|_| registry.look()).collect();
        let why = Some("it has blocked its thread for 10 s".to_owned());
        assert_eq!(looks, [("orders", why)]);
        let shown = &registry.shown()[0];
        assert_eq!(
            (shown.healthy, shown.message.as_str()),
            (false, "hangs: it has blocked its thread for 10 s")
        );
        release.send(()).unwrap();
        runtime.block_on(supervisor.stop());
        assert_eq!(registry.look(), [("orders", None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_registry_shows_what_waits_to_be_started_again_and_why() {
        let mut supervisor = Supervisor::default();
        supervisor.keep("api", |_| async {
            Err(anyhow::anyhow!("the port is gone"))
        });
        supervisor.start("engine", |stop| async move {
            stop.cancelled().await;
            Ok(())
        });
        tokio::time::sleep(Duration::from_millis(500)).await; // tidy: sleep: the clock is paused and moves by itself
        let shown = supervisor.registry().shown();
        assert_eq!((shown[0].name.as_str(), shown[0].healthy), ("api", false));
        assert!(shown[0].message.contains("the port is gone"), "{shown:?}");
        assert_eq!(shown[0].policy, "started again");
        assert_eq!(
            (shown[1].healthy, shown[1].policy.as_str()),
            (true, "ends the desk")
        );
        supervisor.stop().await;
    }
}
