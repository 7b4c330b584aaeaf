//! Notices an engine that hangs: a thread of its own asks the engine again and again, and ends the process if no answer comes.
//!
//! A process that hangs sends no order, and watches none of its stops. Ended, `scripts/run` or a service manager starts it again, and
//! the stops at the venue protect its positions meanwhile. A service manager is notified of each answer, and of each hang
//! that does not end the process.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::notify::ServiceManager;
use crate::driver::InputQueues;

/// Between an answer and the next question.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// One wait for an answer.
const STEP: Duration = Duration::from_millis(500);
/// So many waits without an answer are a hang: five seconds.
const STEPS_MAX: u32 = 10;
/// A wait that took longer was the whole process's: it was stopped, or the machine has no time for it.
const STEP_LATE: Duration = Duration::from_secs(1);

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    _stop: mpsc::Sender<()>,
}

impl Watchdog {
    /// Watches the engine behind `queues`. `hung` is called when it hangs; if it returns, the process is to stay, and the watch
    /// continues.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        queues: Arc<InputQueues>,
        manager: Arc<ServiceManager>,
        mut hung: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let watch = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(ASK_EVERY) {
                if !note(&ask(&queues, &stopped), &manager, &mut hung) {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(watch)?;
        Ok(Self { _stop: stop })
    }
}

enum Answer {
    Came,
    None,
    Stopped,
}

/// Whether the watch continues after this answer. A process that outlives `hung` is to stay: the service manager hears so, too.
fn note(answer: &Answer, manager: &ServiceManager, hung: &mut impl FnMut()) -> bool {
    match answer {
        Answer::Came => {}
        Answer::None => hung(),
        Answer::Stopped => return false,
    }
    manager.send("WATCHDOG=1");
    true
}

/// Asks the engine until it answers, for as long as that may take.
fn ask(queues: &InputQueues, stopped: &mpsc::Receiver<()>) -> Answer {
    let mut answered = question(queues);
    let mut silence = Silence::default();
    loop {
        let began = Instant::now();
        let is_lost = match answered.recv_timeout(STEP) {
            Ok(()) => return Answer::Came,
            Err(RecvTimeoutError::Timeout) => false,
            // Too many questions of others wait.
            Err(RecvTimeoutError::Disconnected) => true,
        };
        let rest = if is_lost { STEP } else { Duration::ZERO };
        if let Err(RecvTimeoutError::Disconnected) = stopped.recv_timeout(rest) {
            return Answer::Stopped;
        }
        if silence.is_hang(began.elapsed()) {
            return Answer::None;
        }
        if is_lost {
            answered = question(queues);
        }
    }
}

/// Puts a question to the engine, which answers it between two turns.
fn question(queues: &InputQueues) -> mpsc::Receiver<()> {
    let (answer, answered) = mpsc::channel();
    queues.query(Box::new(move |_| {
        // The watchdog may have ended meanwhile.
        answer.send(()).ok();
    }));
    answered
}

/// Waits without an answer in a row.
#[derive(Debug, Default)]
struct Silence(u32);

impl Silence {
    /// Whether one more wait that took so long makes a hang.
    fn is_hang(&mut self, took: Duration) -> bool {
        self.0 = if took >= STEP_LATE { 0 } else { self.0 + 1 };
        self.0 >= STEPS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P04, T03: ten waits are a hang; a process that was paused for hours has not hung.
    #[test]
    fn a_pause_of_the_whole_process_is_no_hang() {
        let mut silence = Silence::default();
        let mut hangs = |waits: u32, took| (0..waits).any(|_| silence.is_hang(took));
        assert!(!hangs(9, STEP));
        assert!(!hangs(1, Duration::from_secs(8 * 3_600)));
        assert!(!hangs(9, STEP));
        assert!(hangs(1, STEP));
    }

    /// P04: while a kill is in memory only, a hang must not end the process, and the service manager must not either.
    #[test]
    fn a_hang_that_does_not_end_the_process_is_watched_on() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let manager = ServiceManager::at(path.to_str());
        let mut hangs = 0;
        let mut goes_on = |answer| note(&answer, &manager, &mut || hangs += 1);
        assert!(goes_on(Answer::None) && goes_on(Answer::None));
        assert!(!goes_on(Answer::Stopped));
        assert_eq!(hangs, 2);
        let mut bytes = [0; 16];
        let notified = std::iter::from_fn(|| socket.recv(&mut bytes).ok());
        assert_eq!(notified.count(), 2);
    }

    #[test]
    fn a_watchdog_that_is_dropped_asks_no_more() {
        let (stop, stopped) = mpsc::channel::<()>();
        drop(stop);
        let queues = InputQueues::new(0);
        assert!(matches!(ask(&queues, &stopped), Answer::Stopped));
    }
}
