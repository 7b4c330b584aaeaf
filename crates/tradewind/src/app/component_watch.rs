//! Looks once a second for components of the desk that hang (P04), on a thread of its own: it works though every task hangs.
//!
//! What it finds is in the registry, an alarm, and a cause that stops no order. A component that is started again when it ends is started
//! again then, too. The engine has a watch of its own, which ends the process (`watchdog.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tradewind_events::Input;
use tradewind_model::EventId;
use tradewind_storage::Writer;

use crate::app::components::Components;
use crate::driver::InputQueues;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The API and the database are looked at with every so manieth look.
const PROBE_EVERY: u32 = 10;
/// So many probes of the API in a row without an answer are a hang.
const UNANSWERED_MAX: u32 = 3;
/// Longest wait for the API's answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// A database may be locked for half a minute, and so far behind for as long.
const BEHIND_MAX: Duration = Duration::from_secs(90);

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct ComponentWatch {
    _stop: mpsc::Sender<()>,
}

/// What is watched.
pub(crate) struct Watched {
    /// The components.
    pub(crate) components: Components,
    /// Writes the database.
    pub(crate) writer: Arc<Writer>,
    /// Where the API answers.
    pub(crate) api: SocketAddr,
    /// Where findings go.
    pub(crate) queues: Arc<InputQueues>,
}

impl ComponentWatch {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(watched: Watched) -> anyhow::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let mut findings = Findings {
            probe: Probe::of(watched.api)?,
            watched,
            unanswered: 0,
            is_behind: false,
            applied: EventId::default(),
            still_behind: Duration::ZERO,
        };
        let watch = move || {
            let mut looks = 0_u32;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
                looks = looks.wrapping_add(1);
                findings.look(looks.is_multiple_of(PROBE_EVERY));
            }
        };
        thread::Builder::new()
            .name("components".to_owned())
            .spawn(watch)?;
        Ok(Self { _stop: stop })
    }
}

struct Findings {
    watched: Watched,
    probe: Probe,
    /// Probes of the API in a row without an answer.
    unanswered: u32,
    is_behind: bool,
    /// What the database had at the last look, and for how long it has been behind without taking in anything.
    applied: EventId,
    still_behind: Duration,
}

impl Findings {
    fn look(&mut self, probes: bool) {
        for (name, problem) in self.watched.components.look() {
            self.say(name, problem);
        }
        if probes {
            let is_answered = self.probe.is_answered();
            self.note_api(is_answered);
            let lag = self.watched.writer.lag();
            self.note_database(lag.applied, lag.behind);
        }
    }

    fn note_api(&mut self, is_answered: bool) {
        if is_answered {
            if std::mem::take(&mut self.unanswered) >= UNANSWERED_MAX {
                self.say("api", None);
            }
            return;
        }
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered == UNANSWERED_MAX {
            self.say("api", Some("it does not answer".to_owned()));
        }
        // One that was started again and does not answer either is given up, too.
        if self.unanswered.is_multiple_of(UNANSWERED_MAX) {
            self.watched.components.give_up("api");
        }
    }

    /// One that is behind and takes in what is missing works: a database that is made anew may take minutes.
    fn note_database(&mut self, applied: EventId, behind: Duration) {
        let is_moving = applied != std::mem::replace(&mut self.applied, applied);
        self.still_behind = match is_moving || behind.is_zero() {
            true => Duration::ZERO,
            false => self.still_behind + LOOK_EVERY * PROBE_EVERY,
        };
        let is_behind = behind >= BEHIND_MAX && self.still_behind >= BEHIND_MAX;
        if is_behind != std::mem::replace(&mut self.is_behind, is_behind) {
            let seconds = behind.as_secs();
            let problem = format!("the database is {seconds} s behind the journal");
            self.say("database", is_behind.then_some(problem));
        }
    }

    fn say(&self, name: &str, problem: Option<String>) {
        match &problem {
            Some(problem) => tracing::error!(component = name, problem, "A component hangs."),
            None => tracing::info!(component = name, "A component works again."),
        }
        self.watched.queues.control(Input::Component {
            name: name.into(),
            problem: problem.map(String::into_boxed_str),
        });
    }
}

/// Requests of the API, on this thread alone: the desk's runtime may be what hangs.
struct Probe {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
}

impl Probe {
    fn of(address: SocketAddr) -> anyhow::Result<Self> {
        let tls = tradewind_venues::client_config(None)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            http: http.build()?,
            url: format!("http://{address}/healthz"),
        })
    }

    /// Whether the API answers. Whatever it says, it is alive.
    fn is_answered(&self) -> bool {
        // The request needs the runtime from its first call on.
        let answer = async { self.http.get(&self.url).send().await };
        self.runtime.block_on(answer).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::components::Policy;
    use crate::driver::input_queues::Taken;
    use futures_util::FutureExt as _;
    use std::io::{self, Read as _, Write as _};
    use std::net::TcpListener;

    fn said(queues: &InputQueues) -> Vec<(String, Option<String>)> {
        let mut taken = Taken::default();
        queues.take(&mut taken);
        let inputs = taken.batch.control.into_iter();
        let found = inputs.filter_map(|input| match input {
            Input::Component { name, problem } => Some((name.into(), problem.map(Into::into))),
            _ => None,
        });
        found.collect()
    }

    #[derive(Debug)]
    struct NoEvents;

    impl tradewind_storage::EventSource for NoEvents {
        fn read_after(
            &self,
            _: EventId,
            _: usize,
        ) -> io::Result<Vec<Arc<tradewind_events::Event>>> {
            Ok(Vec::new())
        }

        fn history(&self, _: &mut dyn FnMut(tradewind_storage::HistoryItem)) -> io::Result<()> {
            Ok(())
        }
    }

    /// P04: three probes without an answer are a hang, an answer ends it; a database that is long behind is one, too.
    #[test]
    fn an_api_that_does_not_answer_and_a_database_that_is_behind_hang() {
        let folder = tempfile::TempDir::new().unwrap();
        let options = tradewind_storage::WriterOptions::default();
        let path = folder.path().join("a.db");
        let queues = Arc::new(InputQueues::new(0));
        let components = Components::default();
        let api = components.add("api", Policy::Restarted);
        let address: SocketAddr = ([127, 0, 0, 1], 9).into();
        let mut findings = Findings {
            probe: Probe::of(address).unwrap(),
            watched: Watched {
                components,
                writer: Arc::new(Writer::start(&path, Box::new(NoEvents), options).unwrap()),
                api: address,
                queues: Arc::clone(&queues),
            },
            unanswered: 0,
            is_behind: false,
            applied: EventId::default(),
            still_behind: Duration::ZERO,
        };
        for is_answered in [true, false, false, true, false, false] {
            findings.note_api(is_answered);
        }
        assert_eq!(said(&queues), []);
        for is_answered in [false, false, true, true] {
            findings.note_api(is_answered);
        }
        let hangs = ("api".to_owned(), Some("it does not answer".to_owned()));
        assert_eq!(said(&queues), [hangs, ("api".to_owned(), None)]);
        let is_given_up = || api.hung().now_or_never().is_some();
        assert!(is_given_up());
        for _ in 0..2 {
            for _ in 0..UNANSWERED_MAX {
                assert!(!is_given_up());
                findings.note_api(false);
            }
            assert!(is_given_up(), "its successor may hang, too");
        }
        findings.note_api(true);
        findings.watched.components.give_up("api");
        api.restarted();
        assert!(!is_given_up(), "the notice was its predecessor's");
        api.ended("it ended by itself");
        findings.watched.components.give_up("api");
        assert!(!is_given_up(), "it waits to be started again");
        said(&queues);
        let event = |seq| EventId { seq, index: 0 };
        for seconds in (0..=300).step_by(10) {
            findings.note_database(event(seconds), Duration::from_secs(seconds));
        }
        assert_eq!(said(&queues), [], "it is far behind and works");
        for seconds in (310..=400).step_by(10) {
            findings.note_database(event(300), Duration::from_secs(seconds));
        }
        findings.note_database(event(301), Duration::ZERO);
        let behind = "the database is 390 s behind the journal".to_owned();
        let name = || "database".to_owned();
        assert_eq!(said(&queues), [(name(), Some(behind)), (name(), None)]);
    }

    #[test]
    fn whatever_answers_is_alive_and_what_is_silent_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            assert!(stream.read(&mut request).unwrap() > 0);
            let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).unwrap();
        });
        let probe = Probe::of(address).unwrap();
        assert!(probe.is_answered());
        answering.join().unwrap();
        assert!(!probe.is_answered());
    }
}
