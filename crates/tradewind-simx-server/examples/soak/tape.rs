//! The market as everybody sees it: all instruments' quotes, trades and books on one connection, watched for what may
//! never be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tradewind_model::parse_fixed;

use crate::call::PATIENCE;
use crate::checks::{Checks, Law};
use crate::{Outcome, Socket};

/// A book is compared with a snapshot this often.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// After the end, books that were never caught between two changes get this long.
const LINGER: Duration = Duration::from_secs(20);

/// Best prices in counts of 10^-8.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touch {
    pub(crate) bid: i128,
    pub(crate) ask: i128,
}

/// The newest quotes by symbol.
pub(crate) type Touches = Arc<Mutex<BTreeMap<String, Touch>>>;

/// Public trades by symbol and id: price, quantity, whether the buyer waited.
pub(crate) type Prints = BTreeMap<String, BTreeMap<i64, (String, String, bool)>>;

/// The watcher.
pub(crate) struct Tape {
    socket: Socket,
    http: reqwest::Client,
    address: String,
    checks: Arc<Checks>,
    touches: Touches,
    books: BTreeMap<String, Book>,
    prints: Prints,
}

/// A book kept by differences.
#[derive(Debug)]
struct Book {
    /// Sides by price and quantity in counts; none before the first snapshot.
    sides: Option<[BTreeMap<i128, i128>; 2]>,
    last: u64,
    /// Whether a difference was applied since the first snapshot.
    followed: bool,
    compared: u64,
    due: Instant,
    /// A snapshot whose last change has not been seen yet.
    waiting: Option<Snapshot>,
}

#[derive(Debug)]
struct Snapshot {
    last: u64,
    sides: [BTreeMap<i128, i128>; 2],
}

impl Tape {
    /// Connects and subscribes to everything there is of `symbols`.
    pub(crate) async fn open(
        address: &str,
        symbols: &[String],
        http: reqwest::Client,
        checks: Arc<Checks>,
    ) -> Outcome<Self> {
        let streams: Vec<String> = symbols
            .iter()
            .map(|symbol| symbol.to_lowercase())
            .map(|name| format!("{name}@bookTicker/{name}@trade/{name}@depth@100ms"))
            .collect();
        let url = format!("ws://{address}/stream?streams={}", streams.join("/"));
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        let book = |symbol: &String| (symbol.clone(), Book::new());
        Ok(Self {
            socket,
            http,
            address: address.to_owned(),
            checks,
            touches: Touches::default(),
            books: symbols.iter().map(book).collect(),
            prints: Prints::new(),
        })
    }

    /// Where the newest quotes are.
    pub(crate) fn touches(&self) -> Touches {
        Arc::clone(&self.touches)
    }

    /// Watches until `done` and until every book was compared; gives the public trades.
    pub(crate) async fn watch(mut self, done: CancellationToken) -> Outcome<Prints> {
        let mut until = None;
        loop {
            if done.is_cancelled() {
                let end = *until.get_or_insert_with(|| Instant::now() + LINGER);
                let all_compared = self.books.values().all(|book| book.compared > 0);
                if all_compared || Instant::now() > end {
                    break;
                }
            }
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await?;
            if let Message::Text(text) = message.ok_or("the market's connection ended")?? {
                let frame: Value = serde_json::from_str(&text)?;
                self.on_frame(&frame).await?;
            }
        }
        for (symbol, book) in &self.books {
            self.checks
                .look(Law::DepthEqualsSnapshot, book.compared > 0, || {
                    format!("{symbol}: no snapshot fell between two changes")
                });
        }
        Ok(self.prints)
    }

    async fn on_frame(&mut self, frame: &Value) -> Outcome<()> {
        let data = &frame["data"];
        match data["e"].as_str() {
            None => self.on_quote(data),
            Some("trade") => self.on_trade(data),
            Some("depthUpdate") => self.on_depth(data).await,
            Some(_) => Ok(()),
        }
    }

    fn on_quote(&mut self, data: &Value) -> Outcome<()> {
        let symbol = text(data, "s")?;
        let touch = Touch {
            bid: number(&data["b"])?,
            ask: number(&data["a"])?,
        };
        if touch.bid == 0 || touch.ask == 0 {
            return Ok(());
        }
        self.checks
            .look(Law::NeverCrossed, touch.bid < touch.ask, || {
                format!("{symbol}: {data}")
            });
        let mut touches = self.touches.lock().unwrap_or_else(PoisonError::into_inner);
        touches.insert(symbol.to_owned(), touch);
        Ok(())
    }

    fn on_trade(&mut self, data: &Value) -> Outcome<()> {
        let symbol = text(data, "s")?;
        let id = data["t"].as_i64().ok_or("a trade without an id")?;
        let print = (
            text(data, "p")?.to_owned(),
            text(data, "q")?.to_owned(),
            data["m"] == true,
        );
        let prints = self.prints.entry(symbol.to_owned()).or_default();
        let last = prints.last_key_value().map(|(id, _)| *id);
        self.checks.look(
            Law::TapeContinuous,
            last.is_none_or(|last| last + 1 == id),
            || format!("{symbol}: {id} after {last:?}"),
        );
        prints.insert(id, print);
        Ok(())
    }

    async fn on_depth(&mut self, data: &Value) -> Outcome<()> {
        let symbol = text(data, "s")?;
        let book = self
            .books
            .get_mut(symbol)
            .ok_or("a book nobody asked for")?;
        book.apply(symbol, data, &self.checks)?;
        if book.due > Instant::now() || book.waiting.is_some() {
            return Ok(());
        }
        // Right after a difference, a snapshot most likely is of the same moment.
        let url = format!(
            "http://{}/api/v3/depth?symbol={symbol}&limit=5000",
            self.address
        );
        let body = self.http.get(url).send().await?.bytes().await?;
        let snapshot = Snapshot::read(&serde_json::from_slice(&body)?)?;
        book.on_snapshot(symbol, snapshot, &self.checks);
        Ok(())
    }
}

impl Book {
    fn new() -> Self {
        Self {
            sides: None,
            last: 0,
            followed: false,
            compared: 0,
            due: Instant::now(),
            waiting: None,
        }
    }

    fn apply(&mut self, symbol: &str, data: &Value, checks: &Checks) -> Outcome<()> {
        let first = data["U"]
            .as_u64()
            .ok_or("a difference without a first id")?;
        let last = data["u"].as_u64().ok_or("a difference without a last id")?;
        let Some(sides) = &mut self.sides else {
            return Ok(());
        };
        // Differences that the first snapshot had already; the next one may begin within it.
        if last <= self.last {
            return Ok(());
        }
        let follows = first == self.last + 1 || (!self.followed && first <= self.last);
        self.followed = true;
        checks.look(Law::DepthContinuous, follows, || {
            format!("{symbol}: {first} after {}", self.last)
        });
        self.last = last;
        for (side, name) in sides.iter_mut().zip(["b", "a"]) {
            for (price, quantity) in levels(&data[name])? {
                if quantity == 0 {
                    side.remove(&price);
                } else {
                    side.insert(price, quantity);
                }
            }
        }
        let [bids, asks] = sides;
        let (bid, ask) = (bids.last_key_value(), asks.first_key_value());
        let apart = bid.zip(ask).is_none_or(|((bid, _), (ask, _))| bid < ask);
        checks.look(Law::NeverCrossed, apart, || {
            format!("{symbol}: {bid:?} and {ask:?} at {last}")
        });
        self.meet(symbol, checks);
        Ok(())
    }

    /// Compares with the snapshot that waits, if it is of this moment; a new one is due if the moment was missed.
    fn meet(&mut self, symbol: &str, checks: &Checks) {
        let last = self.last;
        if let Some(snapshot) = self.waiting.take_if(|snapshot| snapshot.last <= last) {
            if snapshot.last == self.last {
                self.compare(symbol, &snapshot, checks);
            } else {
                self.due = Instant::now();
            }
        }
    }

    fn on_snapshot(&mut self, symbol: &str, snapshot: Snapshot, checks: &Checks) {
        if self.sides.is_none() {
            self.last = snapshot.last;
            self.sides = Some(snapshot.sides);
            self.due = Instant::now();
        } else if snapshot.last == self.last {
            self.compare(symbol, &snapshot, checks);
        } else {
            self.waiting = Some(snapshot);
        }
    }

    fn compare(&mut self, symbol: &str, snapshot: &Snapshot, checks: &Checks) {
        let same = self.sides.as_ref() == Some(&snapshot.sides);
        checks.look(Law::DepthEqualsSnapshot, same, || {
            let sides = self
                .sides
                .as_ref()
                .map(|ours| differing(ours, &snapshot.sides));
            format!(
                "{symbol} at {}: by differences, in snapshot {sides:?}",
                snapshot.last
            )
        });
        self.compared += 1;
        self.due = Instant::now() + COMPARE_EVERY;
    }
}

impl Snapshot {
    fn read(body: &Value) -> Outcome<Self> {
        Ok(Self {
            last: body["lastUpdateId"]
                .as_u64()
                .ok_or("a snapshot without an id")?,
            sides: [levels(&body["bids"])?, levels(&body["asks"])?],
        })
    }
}

/// Prices at which two books differ, and the quantities of each.
fn differing(
    ours: &[BTreeMap<i128, i128>; 2],
    theirs: &[BTreeMap<i128, i128>; 2],
) -> Vec<(i128, Option<i128>, Option<i128>)> {
    let mut found = Vec::new();
    for (ours, theirs) in ours.iter().zip(theirs) {
        let prices: BTreeSet<&i128> = ours.keys().chain(theirs.keys()).collect();
        let both = |price: &i128| (*price, ours.get(price).copied(), theirs.get(price).copied());
        found.extend(
            prices
                .into_iter()
                .map(both)
                .filter(|(_, one, other)| one != other)
                .take(3),
        );
    }
    found
}

fn levels(list: &Value) -> Outcome<BTreeMap<i128, i128>> {
    let list = list.as_array().ok_or("no list of levels")?;
    list.iter()
        .map(|level| Ok((number(&level[0])?, number(&level[1])?)))
        .collect()
}

fn number(value: &Value) -> Outcome<i128> {
    Ok(parse_fixed(
        value.as_str().ok_or("a number that is no text")?,
        8,
    )?)
}

fn text<'a>(data: &'a Value, name: &str) -> Outcome<&'a str> {
    Ok(data[name].as_str().ok_or("a frame lacks a text")?)
}
