//! The way from a desk to a source, which a test cuts, stalls or spoils.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::desk::pause;

/// How often a way that is stalled is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Conduct {
    is_cut: bool,
    is_stalled: bool,
    /// What is written over in the source's answers, once: it, and what takes its place.
    spoils: Option<(&'static [u8], &'static [u8])>,
    connections: Vec<TcpStream>,
    opened: usize,
}

/// A port that passes everything on to a source and back.
pub(crate) struct Passage {
    /// To call instead of the source's.
    pub(crate) address: String,
    conduct: Arc<Mutex<Conduct>>,
}

impl Passage {
    /// The way to `source`. Its threads end with the connections, or with the process.
    pub(crate) fn to(source: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let conduct = Arc::new(Mutex::new(Conduct::default()));
        let (source, shared) = (source.to_owned(), Arc::clone(&conduct));
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                if shared.lock().unwrap().is_cut {
                    continue;
                }
                if let Ok(called) = TcpStream::connect(&source) {
                    connect(caller, called, &shared);
                }
            }
        });
        Self { address, conduct }
    }

    /// Ends every connection, and every new one at once until [`Self::heal`].
    pub(crate) fn cut(&self) {
        self.conduct.lock().unwrap().is_cut = true;
        let _had_any = self.hang_up();
    }

    /// Ends every connection; whether there were any.
    pub(crate) fn hang_up(&self) -> bool {
        let connections = std::mem::take(&mut self.conduct.lock().unwrap().connections);
        for connection in &connections {
            // It may be closed already.
            drop(connection.shutdown(Shutdown::Both));
        }
        !connections.is_empty()
    }

    /// Lets nothing through that the source says until [`Self::heal`].
    pub(crate) fn stall(&self) {
        self.conduct.lock().unwrap().is_stalled = true;
    }

    /// Writes over the next `from` that the source says.
    pub(crate) fn spoil(&self, from: &'static str, to: &'static str) {
        assert_eq!(from.len(), to.len(), "lengths are part of the messages");
        self.conduct.lock().unwrap().spoils = Some((from.as_bytes(), to.as_bytes()));
    }

    /// Whether what was to be spoilt is.
    pub(crate) fn has_spoilt(&self) -> bool {
        self.conduct.lock().unwrap().spoils.is_none()
    }

    pub(crate) fn heal(&self) {
        let mut conduct = self.conduct.lock().unwrap();
        (conduct.is_cut, conduct.is_stalled) = (false, false);
    }

    /// Connections that were passed on so far.
    pub(crate) fn opened(&self) -> usize {
        self.conduct.lock().unwrap().opened
    }
}

fn connect(caller: TcpStream, called: TcpStream, shared: &Arc<Mutex<Conduct>>) {
    drop((caller.set_nodelay(true), called.set_nodelay(true)));
    let back = (called.try_clone().unwrap(), caller.try_clone().unwrap());
    let mut conduct = shared.lock().unwrap();
    conduct.opened += 1;
    conduct
        .connections
        .retain(|known| known.peer_addr().is_ok());
    conduct.connections.push(caller.try_clone().unwrap());
    drop(conduct);
    thread::spawn(move || pass_on(caller, called, |_| {}));
    let shared = Arc::clone(shared);
    thread::spawn(move || pass_on(back.0, back.1, |bytes| hold_or_spoil(bytes, &shared)));
}

fn hold_or_spoil(bytes: &mut [u8], shared: &Mutex<Conduct>) {
    loop {
        let mut conduct = shared.lock().unwrap();
        if conduct.is_stalled && !conduct.is_cut {
            drop(conduct);
            pause(LOOK_EVERY);
            continue;
        }
        let Some((from, to)) = conduct.spoils else {
            return;
        };
        let found = bytes.windows(from.len()).position(|window| window == from);
        if let Some(begin) = found {
            bytes[begin..begin + to.len()].copy_from_slice(to);
            conduct.spoils = None;
        }
        return;
    }
}

/// Copies until either side hangs up, and hangs up on the other.
fn pass_on(mut from: TcpStream, mut to: TcpStream, mut look_at: impl FnMut(&mut [u8])) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        look_at(&mut buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Either may be closed already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
