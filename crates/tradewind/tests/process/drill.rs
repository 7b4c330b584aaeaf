//! One desk reads eight sources at once, and each in turn is cut, stalled, spoilt and flaps: the others do not notice.
//!
//! One fault a source here; `scripts/drill` gives every source every fault, for minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, unused_address, within};
use crate::eight_sources::{SPOILS, Source, configuration};
use crate::exchange::Exchange;
use crate::fast_bots;
use crate::feed_book::LEVELS_MIN;
use crate::feed_server::FeedServer;
use crate::feed_words::{BASES, BYBIT, COINBASE, KRAKEN, OKX, price_text, size_text};
use crate::http;
use crate::lines::{Arrived, listen};
use crate::live;
use crate::meters::resident;
use crate::passage::Passage;
use crate::sources::{PASSWORD, Publisher, RedisServer};

/// Longest until a desk that was just started has data of everything, and until what broke is whole again.
const HEALED_WITHIN: Duration = Duration::from_secs(60);
/// Longest until a fault is announced.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a source has no trouble that is whole again.
const QUIET: Duration = Duration::from_secs(1);
/// Times that a source that flaps is hung up on.
const FLAPS: usize = 4;
const FLAP_EVERY: Duration = Duration::from_millis(300);
/// A warm desk and the same desk at the end, at most apart.
const FILES_MORE: usize = 8;
const BYTES_MORE: u64 = 24 * 1024 * 1024;
/// Most that the memory grows from the middle third of the rounds to the last one, where there are enough of them.
const GROWTH_MAX: u64 = 3 * 1024 * 1024;
const ROUNDS_MIN: usize = 6;
/// Levels of a side that are compared, and least of them that there must be.
const LEVELS: usize = 20;
const THERE_MIN: usize = 5;
/// Levels that are taken from a book's top at once, so that deeper ones are shown.
const PEELED: usize = 18;
/// Levels of Kraken's books.
const KRAKEN_LEVELS: usize = 10;
/// Records of the journal in which a book is looked for.
const RECORDS: u64 = 20_000;
/// Longest until a book that was received is in the journal's file.
const JOURNALED_WITHIN: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Cut,
    Stalled,
    Spoilt,
    Flaps,
}

const FAULTS: [Fault; 4] = [Fault::Cut, Fault::Stalled, Fault::Spoilt, Fault::Flaps];

/// What a process holds.
#[derive(Debug)]
struct Held {
    files: usize,
    threads: usize,
    bytes: u64,
}

impl Held {
    fn by(pid: u32) -> Self {
        let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
        Self {
            files: count("fd"),
            threads: count("task"),
            bytes: resident(pid),
        }
    }
}

struct Drill {
    desk: Desk,
    exchange: Exchange,
    servers: Vec<FeedServer>,
    sources: Vec<Source>,
    events: Receiver<Arrived>,
    /// Changes of health by source.
    changes: BTreeMap<String, usize>,
    /// What the servers run in, and the publishers.
    _kept: (TempDir, TempDir, RedisServer, [Publisher; 3]),
}

fn source_of(instrument: &str) -> &str {
    instrument.split_once(':').unwrap().0
}

impl Drill {
    fn start() -> Self {
        let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let exchange = Exchange::begun(
            at_venue.path(),
            &["--listen", "127.0.0.1:0", "--limits", "off"],
        );
        let servers: Vec<FeedServer> = [OKX, BYBIT, KRAKEN, COINBASE].map(FeedServer::start).into();
        let house = [(); 3].map(|()| unused_address());
        let [frames, redis, polled] = house.each_ref().map(|one| one.rsplit_once(':').unwrap().1);
        let server = RedisServer::start(at_venue.path(), redis, &[]);
        let publishers = [
            Publisher::start("tcp_feed.py", &[frames]),
            Publisher::start("redis_feed.py", &[redis, "channel", "prices"]),
            Publisher::start("http_feed.py", &[polled]),
        ];
        let addresses = [&exchange.address]
            .into_iter()
            .chain(servers.iter().map(|server| &server.address))
            .chain(&house);
        let sources: Vec<Source> = addresses
            .zip(SPOILS)
            .map(|(address, (name, from, to, counts))| Source {
                name,
                passage: Passage::to(address),
                spoils: (from, to),
                counts,
            })
            .collect();
        let passages = sources.iter().map(|source| (source.name, &source.passage));
        let file = configuration(folder.path(), &exchange.address, &passages.collect());
        let mut command = live::live(folder.path(), &file);
        command.env("HOUSE_TOKEN", PASSWORD);
        command.env("TRADEWIND__DESK__STALE_AFTER", "5s");
        let desk = Desk::start_from(folder.path(), command);
        let events = listen(desk.stream("?types=feed_health_changed").unwrap());
        Self {
            desk,
            exchange,
            servers,
            sources,
            events,
            changes: BTreeMap::new(),
            _kept: (at_venue, folder, server, publishers),
        }
    }

    /// Health by instrument.
    #[track_caller]
    fn healths(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let feeds = self.desk.items("feeds");
        feeds
            .iter()
            .map(|feed| (text(&feed["instrument"]), text(&feed["health"])))
            .collect()
    }

    /// Trades by instrument of a source that numbers each instrument's one by one. Of what was lost of them the next trade is the
    /// first sign, and then a gap is announced, however long the instrument is LIVE by then.
    #[track_caller]
    fn numbered_trades(&self, of: &str) -> BTreeMap<String, u64> {
        let feeds = self.desk.items("feeds").into_iter();
        feeds
            .filter_map(|feed| {
                let name = feed["instrument"].as_str().unwrap().to_owned();
                let is_of = of == "binance" && source_of(&name) == of;
                is_of.then(|| (name, feed["trades"].as_u64().unwrap()))
            })
            .collect()
    }

    /// The instruments that were announced as worse than LIVE since the last call, or are at this moment.
    #[track_caller]
    fn troubled(&mut self) -> BTreeSet<String> {
        let now = self.healths().into_iter();
        let mut troubled: BTreeSet<String> = now
            .filter(|(_, health)| health != "LIVE")
            .map(|(name, _)| name)
            .collect();
        while let Ok(arrived) = self.events.try_recv() {
            let name = arrived.event["data"]["instrument"]
                .as_str()
                .unwrap_or_else(|| panic!("{arrived:?}"))
                .to_owned();
            *self.changes.entry(source_of(&name).to_owned()).or_default() += 1;
            if arrived.event["data"]["health"] != "LIVE" {
                troubled.insert(name);
            }
        }
        troubled
    }

    #[track_caller]
    fn settle(&mut self) {
        let begun = Instant::now();
        loop {
            let troubled = self.troubled();
            if troubled.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < HEALED_WITHIN,
                "not within {HEALED_WITHIN:?}: all LIVE, not {troubled:?}"
            );
            pause(LOOK_EVERY);
        }
    }

    /// The instruments of the source that were announced meanwhile.
    #[track_caller]
    fn look(&mut self, of: &str) -> BTreeSet<String> {
        let (own, others): (BTreeSet<_>, BTreeSet<_>) = self
            .troubled()
            .into_iter()
            .partition(|name| source_of(name) == of);
        assert!(
            others.is_empty(),
            "it is {of} that has a fault, and {others:?} suffer"
        );
        own
    }

    #[track_caller]
    fn strike(&mut self, place: usize, fault: Fault) {
        let name = self.sources[place].name;
        let all: BTreeSet<String> = self
            .healths()
            .into_keys()
            .filter(|one| source_of(one) == name)
            .collect();
        let opened = self.sources[place].passage.opened();
        let begun = Instant::now();
        let passage = &self.sources[place].passage;
        let (from, to) = self.sources[place].spoils;
        match fault {
            Fault::Cut => passage.cut(),
            Fault::Stalled => passage.stall(),
            Fault::Spoilt => passage.spoil(from, to),
            Fault::Flaps => {}
        }
        let counts = self.sources[place].counts;
        let mut announced = BTreeSet::new();
        let (mut flaps, mut hung_up) = (0, begun);
        loop {
            if fault == Fault::Flaps && hung_up.elapsed() > FLAP_EVERY {
                flaps += usize::from(self.sources[place].passage.hang_up());
                hung_up = Instant::now();
            }
            announced.extend(self.look(name));
            let is_over = match fault {
                Fault::Cut | Fault::Stalled => announced == all,
                Fault::Spoilt => {
                    self.sources[place].passage.has_spoilt() && (!counts || !announced.is_empty())
                }
                Fault::Flaps => flaps >= FLAPS && announced == all,
            };
            if is_over {
                break;
            }
            assert!(
                begun.elapsed() < NOTICED_WITHIN,
                "not within {NOTICED_WITHIN:?}: {name} {fault:?} is announced, only {announced:?}"
            );
            pause(LOOK_EVERY);
        }
        let noticed = begun.elapsed();
        self.sources[place].passage.heal();
        let mut healed = Instant::now();
        let healing = healed;
        let before = self.numbered_trades(name);
        let mut has_traded = before.is_empty();
        // An event may be on its way while the feed is LIVE already.
        while healed.elapsed() < QUIET || !has_traded {
            if !has_traded {
                let trades = self.numbered_trades(name);
                has_traded = before.iter().all(|(one, count)| trades[one] > *count);
                // What the last of them shows is announced in a moment.
                healed = Instant::now();
            }
            let own = self.look(name);
            if !own.is_empty() {
                healed = Instant::now();
                announced.extend(own);
            }
            assert!(
                healing.elapsed() < HEALED_WITHIN,
                "not within {HEALED_WITHIN:?}: {name} is whole again"
            );
            pause(LOOK_EVERY);
        }
        eprintln!(
            "drill: {name} {fault:?}: {} of {} instruments announced after {:.1} s, whole {:.1} s after its end, {} connections",
            announced.len(),
            all.len(),
            noticed.as_secs_f64(),
            (healed - healing).as_secs_f64(),
            self.sources[place].passage.opened() - opened,
        );
    }

    /// The best bid and ask that the desk has of Binance are the exchange's.
    #[track_caller]
    fn compare(&self) {
        for base in fast_bots::BASES {
            let name = format!("binance:{base}/USDT");
            within(HEALED_WITHIN, &name, || {
                let request = format!("GET /api/v3/ticker/bookTicker?symbol={base}USDT");
                let said = http::ask(&self.exchange.address, &request, "", "")
                    .ok()?
                    .json();
                let feeds = self.desk.items("feeds");
                let quote = &feeds.iter().find(|feed| feed["instrument"] == name)?["quote"];
                let keys = [
                    ("bid", "bidPrice"),
                    ("ask", "askPrice"),
                    ("bid_quantity", "bidQty"),
                    ("ask_quantity", "askQty"),
                ];
                let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
                keys.iter()
                    .all(|(own, venue)| (number(&quote[own]) - number(&said[venue])).abs() < 1e-9)
                    .then_some(())
            });
        }
    }
}

/// Prices and quantities of one side of a book, best first, as the exchange writes them without zeros behind.
type Side = Vec<(String, String)>;

/// A book of the exchange as it answers it.
#[track_caller]
fn asked(exchange: &str, base: &str) -> [Side; 2] {
    let request = format!("GET /api/v3/depth?symbol={base}USDT&limit={LEVELS}");
    let book = http::ask(exchange, &request, "", "").unwrap().json();
    ["bids", "asks"].map(|side| {
        let levels = book[side].as_array().unwrap().iter();
        levels
            .map(|level| {
                (
                    plain(level[0].as_str().unwrap()),
                    plain(level[1].as_str().unwrap()),
                )
            })
            .collect()
    })
}

fn plain(number: &str) -> String {
    match number.contains('.') {
        true => number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => number.to_owned(),
    }
}

/// A count as text, with this many decimals.
fn decimal(count: &Value, decimals: usize) -> String {
    let digits = format!("{:0>width$}", count.as_i64().unwrap(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    plain(&format!("{whole}.{fraction}"))
}

impl Drill {
    /// Every level of each book that the desk has of Binance, both sides of it, is what the exchange answers at some moment. The API
    /// shows no levels; the journal has each book that the engine was given.
    #[track_caller]
    fn compare_levels(&self) {
        let mut left: BTreeSet<&str> = fast_bots::BASES.into_iter().collect();
        within(
            HEALED_WITHIN,
            "the exchange's books to their last level",
            || {
                let wanted: Vec<(&str, [Side; 2])> = left
                    .iter()
                    .map(|base| (*base, asked(&self.exchange.address, base)))
                    .collect();
                // Those books are journaled by then.
                pause(JOURNALED_WITHIN);
                let journaled = self.journaled();
                for (base, book) in wanted {
                    assert!(
                        book.iter().all(|side| side.len() >= THERE_MIN),
                        "{base}: {book:?}"
                    );
                    let name = format!("binance:{base}/USDT");
                    if journaled
                        .get(&name)
                        .is_some_and(|books| books.contains(&book))
                    {
                        left.remove(base);
                    }
                }
                left.is_empty().then_some(())
            },
        );
    }

    /// All levels of all books of the venues that are read, which stand still for it. The engine is given the best 20, so the best are
    /// taken away again and again, until the last level of the deepest book was among them.
    #[track_caller]
    fn compare_read(&self) {
        for server in &self.servers {
            server.conduct().is_held = true;
        }
        let (mut compared, mut peels) = (0, 0);
        loop {
            within(
                HEALED_WITHIN,
                "the venues' books to their last level",
                || {
                    pause(JOURNALED_WITHIN);
                    let journaled = self.journaled();
                    let feeds = self.desk.items("feeds");
                    let mut levels = 0;
                    for server in &self.servers {
                        let shown = if server.kind() == "kraken" {
                            KRAKEN_LEVELS
                        } else {
                            LEVELS
                        };
                        for base in BASES {
                            let name = format!("{}:{base}/USDT", server.kind());
                            let text = |(price, size)| (plain(&price_text(price)), size_text(size));
                            let book = server.book(base).best_first();
                            let book = book.map(|side| -> Side {
                                side.into_iter().take(shown).map(text).collect()
                            });
                            let newest = journaled.get(&name)?.last()?;
                            let quote =
                                &feeds.iter().find(|feed| feed["instrument"] == name)?["quote"];
                            let best = [("bid", "bid_quantity"), ("ask", "ask_quantity")].map(
                                |(price, size)| {
                                    let number = |key: &str| plain(quote[key].as_str().unwrap());
                                    (number(price), number(size))
                                },
                            );
                            if *newest != book
                                || book.each_ref().map(|side| side[0].clone()) != best
                            {
                                return None;
                            }
                            levels += book.iter().map(Vec::len).sum::<usize>();
                        }
                    }
                    compared += levels;
                    Some(())
                },
            );
            let books = self
                .servers
                .iter()
                .flat_map(|server| BASES.map(|base| server.book(base)));
            if books
                .into_iter()
                .all(|book| book.bids.len().max(book.asks.len()) <= LEVELS)
            {
                break;
            }
            peels += 1;
            for server in &self.servers {
                server.peel(PEELED, LEVELS);
            }
        }
        assert!(peels * PEELED + LEVELS >= LEVELS_MIN, "{peels}");
        eprintln!(
            "drill: {compared} levels of the venues that are read are equal, after {peels} times that the best vanished"
        );
        for server in &self.servers {
            server.conduct().is_held = false;
        }
    }

    /// The newest books of the instruments in the journal, the newest last.
    #[track_caller]
    fn journaled(&self) -> BTreeMap<String, Vec<[Side; 2]>> {
        let folder = self._kept.1.path();
        let config = self.desk.get("config");
        let instruments = config["instruments"].as_array().unwrap();
        let inspected = command(folder, &["journal", "inspect", "--json"]);
        let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
        let last = inspected["coverage"]["market"]["last_seq"]
            .as_u64()
            .unwrap();
        let from = last.saturating_sub(RECORDS).to_string();
        let export = ["journal", "export", "--store", "market", "--from", &from];
        let export = command(folder, &export);
        let mut books: BTreeMap<String, Vec<[Side; 2]>> = BTreeMap::new();
        for line in String::from_utf8(export.stdout).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let depth = &record["record"]["Depth"];
            let Some(place) = depth["instrument"].as_u64() else {
                continue;
            };
            let instrument = &instruments[usize::try_from(place).unwrap()];
            let decimals = |key: &str| usize::try_from(instrument[key].as_u64().unwrap()).unwrap();
            let (price, quantity) = (decimals("price_decimals"), decimals("quantity_decimals"));
            let book = ["bids", "asks"].map(|side| {
                let levels = depth[side].as_array().unwrap().iter();
                let level = |level: &Value| {
                    (
                        decimal(&level["price"], price),
                        decimal(&level["quantity"], quantity),
                    )
                };
                levels.map(level).collect()
            });
            let name = instrument["name"].as_str().unwrap();
            books.entry(name.to_owned()).or_default().push(book);
        }
        books
    }
}

/// By how much the resident memory grew from the middle third of the rounds to the last one, in bytes: the most of each, so that what
/// is given back and taken again is no growth.
fn growth(rounds: &[u64]) -> u64 {
    let third = rounds.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
    let (middle, last) = (&rounds[third..2 * third], &rounds[rounds.len() - third..]);
    most(last).saturating_sub(most(middle))
}

#[test]
fn memory_that_grows_a_little_every_round_is_not_flat() {
    let mib = 1 << 20;
    let leak: Vec<u64> = (0..12).map(|round| 100 * mib + round * mib).collect();
    assert_eq!(growth(&leak), 4 * mib);
    let warm: Vec<u64> = (0..12)
        .map(|round| mib * [60, 90, 100, 100][round.min(3)])
        .collect();
    assert_eq!(growth(&warm), 0);
    let sawtooth: Vec<u64> = (0..12).map(|round| mib * (100 + round % 3)).collect();
    assert_eq!(growth(&sawtooth), 0);
}

#[test]
fn a_fault_of_one_of_eight_sources_is_announced_there_and_nowhere_else() {
    let minutes = std::env::var("TRADEWIND_DRILL_MINUTES").ok();
    let minutes: Option<u64> = minutes.map(|minutes| minutes.parse().unwrap());
    let begun = Instant::now();
    let mut drill = Drill::start();
    drill.settle();
    let instruments = drill.healths().len();
    let warm = Held::by(drill.desk.pid());
    eprintln!(
        "drill: {instruments} instruments of {} sources are LIVE after {:.1} s",
        SPOILS.len(),
        begun.elapsed().as_secs_f64()
    );
    drill.changes.clear();
    let end = Instant::now() + Duration::from_secs(60 * minutes.unwrap_or_default());
    let (mut round, mut resident_after) = (0, Vec::new());
    while round == 0 || Instant::now() < end {
        for place in 0..SPOILS.len() {
            drill.strike(
                place,
                FAULTS[(place + place / FAULTS.len() + round) % FAULTS.len()],
            );
        }
        round += 1;
        resident_after.push(resident(drill.desk.pid()));
    }
    drill.compare();
    drill.compare_levels();
    drill.compare_read();
    drill.settle();
    let left = Held::by(drill.desk.pid());
    eprintln!(
        "drill: {round} rounds, {:.1} s; changes of health {:?}",
        begun.elapsed().as_secs_f64(),
        drill.changes
    );
    eprintln!("drill: warm {warm:?}, at the end {left:?}");
    assert!(left.files <= warm.files + FILES_MORE, "{warm:?} {left:?}");
    assert!(
        left.threads <= warm.threads + FILES_MORE,
        "{warm:?} {left:?}"
    );
    assert!(left.bytes <= warm.bytes + BYTES_MORE, "{warm:?} {left:?}");
    if minutes.is_some() {
        assert!(
            round >= ROUNDS_MIN,
            "{round} rounds say nothing of the memory"
        );
        let grown = growth(&resident_after);
        eprintln!(
            "drill: the memory of the last third of the rounds is {grown} bytes above that of the middle"
        );
        assert!(grown <= GROWTH_MAX, "it grows: {resident_after:?}");
    }
}
