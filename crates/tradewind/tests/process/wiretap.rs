//! A relay between a desk and a venue that keeps the bytes of both directions, for a test to read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::relay::relay;

/// The relay.
#[derive(Clone, Debug)]
pub(crate) struct Wiretap {
    /// Where to call instead of the venue.
    pub(crate) address: String,
    to_venue: Arc<Recorded>,
    to_desk: Arc<Recorded>,
}

/// The bytes of one direction, by connection.
#[derive(Debug, Default)]
struct Recorded(Mutex<Vec<Arc<Mutex<Vec<u8>>>>>);

impl Recorded {
    fn connection(&self) -> Arc<Mutex<Vec<u8>>> {
        let bytes = Arc::default();
        self.0.lock().unwrap().push(Arc::clone(&bytes));
        bytes
    }

    /// What each connection carried so far.
    fn all(&self) -> Vec<Vec<u8>> {
        let connections = self.0.lock().unwrap();
        let bytes = connections.iter().map(|one| one.lock().unwrap().clone());
        bytes.collect()
    }

    /// All of it as text, connection by connection.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.all().join(&b'\n')).into_owned()
    }
}

impl Wiretap {
    /// Listens on a free port and passes on to `venue`.
    pub(crate) fn on(venue: &str) -> Self {
        let (to_venue, to_desk) = (Arc::<Recorded>::default(), Arc::<Recorded>::default());
        let (requests, answers) = (Arc::clone(&to_venue), Arc::clone(&to_desk));
        let address = relay(venue, move || {
            let (requests, answers) = (requests.connection(), answers.connection());
            let keep = |record: Arc<Mutex<Vec<u8>>>| {
                move |piece: &[u8]| record.lock().unwrap().extend(piece)
            };
            (keep(requests), keep(answers))
        });
        Self {
            address,
            to_venue,
            to_desk,
        }
    }

    /// The paths of all requests the desk made, without their parameters, and whether any was signed or carried a key.
    pub(crate) fn requests(&self) -> (Vec<String>, bool) {
        let text = self.to_venue.text();
        let signed = ["signature=", "x-mbx-apikey", "ws-api"];
        let lower = text.to_lowercase();
        let secret = signed.iter().any(|word| lower.contains(word));
        // What is no request line is a header, or a masked frame.
        let path = |line: &str| {
            let request = line.strip_suffix(" HTTP/1.1\r")?;
            let verb = request.split(' ').next()?;
            let ours = ["GET", "POST", "PUT", "DELETE"].contains(&verb);
            ours.then(|| request.split('?').next().map(str::to_owned))?
        };
        let mut paths: Vec<String> = text.split('\n').filter_map(path).collect();
        paths.sort();
        paths.dedup();
        (paths, secret)
    }

    /// How often each path was requested, signed, from `from` to `until` by the milliseconds in the requests' own stamps.
    pub(crate) fn signed_between(&self, from: u64, until: u64) -> BTreeMap<String, Vec<String>> {
        let text = self.to_venue.text();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.split('\n') {
            let Some(target) = line.strip_suffix(" HTTP/1.1\r") else {
                continue;
            };
            // The body of the request before it ends without a line break.
            let verbs = ["GET /", "POST /", "PUT /", "DELETE /"];
            let Some(begin) = verbs.iter().filter_map(|verb| target.rfind(verb)).max() else {
                continue;
            };
            let Some((path, query)) = target.get(begin..).and_then(|it| it.split_once('?')) else {
                continue;
            };
            let stamp = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("timestamp="));
            let stamp = stamp.and_then(|stamp| stamp.parse().ok());
            if stamp.is_some_and(|stamp| (from..until).contains(&stamp)) {
                found
                    .entry(path.to_owned())
                    .or_default()
                    .push(query.to_owned());
            }
        }
        found
    }

    /// Whether the venue told of this best bid and ask, with their quantities, as it spells them: as a quote, or as the first levels of a
    /// book, which the desk reads where an instrument is quiet.
    pub(crate) fn told_quote(&self, symbol: &str, [b, bq, a, aq]: [&str; 4]) -> bool {
        let quote = format!(r#""s":"{symbol}","b":"{b}","B":"{bq}","a":"{a}","A":"{aq}""#);
        let bid = format!(r#""bids":[["{b}","{bq}"]"#);
        let ask = format!(r#""asks":[["{a}","{aq}"]"#);
        let holds = |bytes: &[u8], wanted: &str| {
            let wanted = wanted.as_bytes();
            bytes.windows(wanted.len()).rev().any(|text| text == wanted)
        };
        let told =
            |bytes: &Vec<u8>| holds(bytes, &quote) || (holds(bytes, &bid) && holds(bytes, &ask));
        self.to_desk.all().iter().any(told)
    }
}
