//! A relay to a venue that counts the time in which a client waits for an answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::relay::relay;

/// From the first byte of a request to the first byte of its answer.
type Trip = (Instant, Option<Instant>);

/// Passes everything on.
pub(crate) struct RoundTrips {
    /// Where to call instead of the venue.
    pub(crate) address: String,
    trips: Arc<Mutex<Vec<Trip>>>,
}

impl RoundTrips {
    /// Listens on a free port.
    pub(crate) fn to(venue: &str) -> Self {
        let trips = Arc::<Mutex<Vec<Trip>>>::default();
        let noted = Arc::clone(&trips);
        let address = relay(venue, move || {
            // The request that waits for its answer, by its place.
            let open = Arc::<Mutex<Option<usize>>>::default();
            let (begun, begins) = (Arc::clone(&open), Arc::clone(&noted));
            let requests = move |_: &[u8]| {
                let mut open = begun.lock().unwrap();
                if open.is_none() {
                    let mut trips = begins.lock().unwrap();
                    *open = Some(trips.len());
                    trips.push((Instant::now(), None));
                }
            };
            let ends = Arc::clone(&noted);
            let answers = move |_: &[u8]| {
                if let Some(place) = open.lock().unwrap().take()
                    && let Some(trip) = ends.lock().unwrap().get_mut(place)
                {
                    trip.1 = Some(Instant::now());
                }
            };
            (requests, answers)
        });
        Self { address, trips }
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
