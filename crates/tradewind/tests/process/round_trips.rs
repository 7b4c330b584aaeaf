//! A relay to a venue that counts the time in which a client waits for an answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// From the first byte of a request to the first byte of its answer.
type Trip = (Instant, Option<Instant>);

/// Passes everything on. Its threads end with their connections.
pub(crate) struct RoundTrips {
    /// Where to call instead of the venue.
    pub(crate) address: String,
    trips: Arc<Mutex<Vec<Trip>>>,
}

impl RoundTrips {
    /// Listens on a free port.
    pub(crate) fn to(venue: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap().to_string(),
            trips: Arc::default(),
        };
        let (trips, venue) = (Arc::clone(&relay.trips), venue.to_owned());
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let Ok(called) = TcpStream::connect(&venue) else {
                    continue;
                };
                let open = Arc::default();
                pass_on(&caller, &called, &open, &trips);
            }
        });
        relay
    }

    /// Forgets what was counted.
    pub(crate) fn forget(&self) {
        self.trips.lock().unwrap().clear();
    }

    /// The time in which at least one request was on its way, and how many there were.
    pub(crate) fn sum(&self) -> (Duration, usize) {
        let now = Instant::now();
        let trips = self.trips.lock().unwrap();
        let mut spans: Vec<(Instant, Instant)> = trips
            .iter()
            .map(|(began, ended)| (*began, ended.unwrap_or(now)))
            .collect();
        spans.sort_unstable();
        let (mut sum, mut until) = (Duration::ZERO, None);
        for (began, ended) in spans {
            let from = until.map_or(began, |until: Instant| until.max(began));
            sum += ended.saturating_duration_since(from);
            until = Some(until.map_or(ended, |until| until.max(ended)));
        }
        (sum, trips.len())
    }
}

/// The request of a connection that waits for its answer, by its place.
type Open = Arc<Mutex<Option<usize>>>;

fn pass_on(caller: &TcpStream, called: &TcpStream, open: &Open, trips: &Arc<Mutex<Vec<Trip>>>) {
    let clone = |stream: &TcpStream| stream.try_clone().unwrap();
    drop((caller.set_nodelay(true), called.set_nodelay(true)));
    let (begun, begins) = (Arc::clone(open), Arc::clone(trips));
    let (from, to) = (clone(caller), clone(called));
    thread::spawn(move || {
        copy(from, to, || {
            let mut open = begun.lock().unwrap();
            if open.is_none() {
                let mut trips = begins.lock().unwrap();
                *open = Some(trips.len());
                trips.push((Instant::now(), None));
            }
        });
    });
    let (ended, ends) = (Arc::clone(open), Arc::clone(trips));
    let (from, to) = (clone(called), clone(caller));
    thread::spawn(move || {
        copy(from, to, || {
            if let Some(place) = ended.lock().unwrap().take()
                && let Some(trip) = ends.lock().unwrap().get_mut(place)
            {
                trip.1 = Some(Instant::now());
            }
        });
    });
}

fn copy(mut from: TcpStream, mut to: TcpStream, note: impl Fn()) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        note();
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Either may be closed already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
