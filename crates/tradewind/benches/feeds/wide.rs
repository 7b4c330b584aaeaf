//! A thousand instruments on one connection at a steady rate: how long a frame takes to the engine, and what that costs.
//!
//! The venue's thread writes ten frames each millisecond, each of the next instrument, and stamps each before it is written. A quote's
//! number is its quantity at the bid. Each instrument has a bot, whose evaluation ends the time. Beside it, in the same run, a thread
//! reads the same frames and looks for the number alone.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;
use tradewind_events::{BotConfig, Configuration, WakeRule};
use tradewind_model::{Amount, BotId, Decision, Instrument, InstrumentId, Quote, Reason};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};
use tradewind_testkit::{bot, configuration, spot};
use tradewind_venues::Topic;

use crate::desk::{self, Desk};
use crate::feed::{client_text, shake_hands, text_frame};

pub(crate) const NAME: &str = "wide";

const INSTRUMENTS: u32 = 1_000;
const QUOTES: u64 = 100_000;
/// Frames of one millisecond.
const BURST: u64 = 10;

pub(crate) fn run() {
    let before = resident_kib();
    let floor = Stamps::new();
    let (address, serving) = serve(&floor, false);
    read(address, &floor);
    serving.join().unwrap();
    let stamps = Stamps::new();
    let (address, serving) = serve(&stamps, true);
    let (cpu, after) = measure(address, &stamps);
    serving.join().unwrap();
    let seconds = Duration::from_millis(QUOTES / BURST).as_secs_f64();
    println!(
        "{INSTRUMENTS} instruments, {INSTRUMENTS} bots, {} quotes/s of one connection, frame to engine:",
        BURST * 1_000
    );
    let floor = floor.print("blocking floor", None);
    stamps.print("desk", Some(floor));
    println!(
        "engine's thread {:.1} % of a core, {} KiB resident, {before} KiB before",
        cpu.as_secs_f64() / seconds * 100.0,
        after
    );
}

/// When each quote was written, and how long it then took; 0 for one that a newer one took the place of.
struct Stamps {
    began: Instant,
    written: Vec<AtomicU64>,
    taken: Vec<AtomicU64>,
}

impl Stamps {
    fn new() -> Arc<Self> {
        let zeros = || (0..=QUOTES).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            began: Instant::now(),
            written: zeros(),
            taken: zeros(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap()
    }

    fn write(&self, number: u64) {
        self.written[place(number)].store(self.now(), Ordering::Release);
    }

    fn take(&self, number: u64) {
        let taken = self.now() - self.written[place(number)].load(Ordering::Acquire);
        self.taken[place(number)].store(taken, Ordering::Release);
    }

    /// Prints the percentiles; returns the median.
    fn print(&self, name: &str, floor: Option<Duration>) -> Duration {
        let taken = self.taken.iter().map(|taken| taken.load(Ordering::Acquire));
        let mut taken: Vec<u64> = taken.filter(|taken| *taken > 0).collect();
        taken.sort_unstable();
        let at = |share: usize| Duration::from_nanos(taken[taken.len() * share / 1_000]);
        let p50 = at(500);
        let floor = floor.unwrap_or(p50);
        println!(
            "{name:<16} p50 {p50:>9.1?} ({:.2} x)  p99 {:>9.1?}  p99.9 {:>9.1?}  {} of {QUOTES} quotes",
            p50.as_secs_f64() / floor.as_secs_f64(),
            at(990),
            at(999),
            taken.len(),
        );
        p50
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// Writes the frames at their rate; to a desk once it has subscribed to all.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark keeps a rate in real time"
)]
fn serve(stamps: &Arc<Stamps>, asks: bool) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stamps = Arc::clone(stamps);
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_nodelay(true).unwrap();
        if asks {
            shake_hands(&mut socket);
            grant_all(&mut socket);
        }
        let frames: Vec<Vec<u8>> = (1..=QUOTES).map(frame).collect();
        let began = Instant::now();
        for (number, frame) in (1..).zip(&frames) {
            if number % BURST == 1 {
                let due = Duration::from_millis(number / BURST);
                thread::sleep(due.saturating_sub(began.elapsed()));
            }
            stamps.write(number);
            socket.write_all(frame).unwrap();
        }
        // The other side closes first, so that nothing under way is lost.
        let mut rest = [0; 4_096];
        while socket.read(&mut rest).is_ok_and(|length| length > 0) {}
    });
    (address, serving)
}

/// Grants subscriptions until every instrument has one.
fn grant_all(socket: &mut TcpStream) {
    let mut granted = 0;
    while granted < INSTRUMENTS as usize {
        let request = client_text(socket);
        granted += request["params"].as_array().map_or(0, Vec::len);
        let mut answer = Vec::new();
        let id = &request["id"];
        text_frame(
            &json!({ "result": null, "id": id }).to_string(),
            &mut answer,
        );
        socket.write_all(&answer).unwrap();
    }
}

fn frame(number: u64) -> Vec<u8> {
    let (of, cents) = (number % u64::from(INSTRUMENTS), number % 100);
    let (whole, part) = (number / 100_000, number % 100_000);
    let text = format!(
        r#"{{"stream":"t{of}usdt@bookTicker","data":{{"u":{number},"s":"T{of}USDT","b":"61837.{cents:02}000000","B":"{whole}.{part:05}000","a":"61838.{cents:02}000000","A":"1.54698000"}}}}"#
    );
    let mut frame = Vec::new();
    text_frame(&text, &mut frame);
    frame
}

/// Reads the frames with one blocking thread, and of each its number.
fn read(address: SocketAddr, stamps: &Stamps) {
    let mut socket = TcpStream::connect(address).unwrap();
    let mut buffer = vec![0; 1 << 16];
    let (mut kept, mut number) = (0, 0);
    while number < QUOTES {
        kept += socket.read(&mut buffer[kept..]).unwrap();
        let mut at = 0;
        while let Some(length) = whole(&buffer[at..kept]) {
            let text = &buffer[at..at + length];
            let update = text
                .windows(5)
                .position(|five| five == br#"{"u":"#)
                .unwrap();
            let digits = text[update + 5..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            number = digits.fold(0, |all, digit| all * 10 + u64::from(digit - b'0'));
            stamps.take(black_box(number));
            at += length;
        }
        buffer.copy_within(at..kept, 0);
        kept -= at;
    }
}

fn whole(bytes: &[u8]) -> Option<usize> {
    let length = match bytes.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
        short => 2 + usize::from(*short),
    };
    (bytes.len() >= length).then_some(length)
}

/// Runs the desk until all quotes were read. Returns the time its thread was at work while they came, and the memory then.
fn measure(address: SocketAddr, stamps: &Arc<Stamps>) -> (Duration, u64) {
    let taking = Arc::clone(stamps);
    let desk = Desk::start(bots(), move |_| {
        Box::new(Takes(Arc::clone(&taking))) as Box<dyn Strategy>
    });
    let sink = desk.sink(QUOTES);
    let listed = (0..INSTRUMENTS).map(|number| (format!("T{number}USDT"), instrument(number)));
    let topics: Vec<_> = (0..INSTRUMENTS)
        .map(|number| Topic::Quotes(InstrumentId(number)))
        .collect();
    let sources = desk::binance(address, listed, &topics, &sink, &desk.clock);
    let before = engine_cpu();
    desk.read(sources, &sink, || {
        (engine_cpu().saturating_sub(before), resident_kib())
    })
}

fn instrument(number: u32) -> Instrument {
    Instrument {
        id: InstrumentId(number),
        name: format!("binance:T{number}/USDT"),
        ..spot()
    }
}

fn bots() -> Configuration {
    let mut configuration = configuration();
    configuration.stagger = Duration::ZERO;
    configuration.instruments = (0..INSTRUMENTS).map(instrument).collect();
    let bots = (0..INSTRUMENTS).map(|number| BotConfig {
        id: BotId(number),
        instruments: vec![InstrumentId(number)],
        wakes: vec![WakeRule::Quotes],
        // All of them out of the account's 100,000.
        budget: Amount::whole(50),
        ..bot(number)
    });
    configuration.bots = bots.collect();
    configuration
}

/// The time that the engine's thread was at work.
fn engine_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of_engine = tasks.filter_map(|task| {
        let path = task.unwrap().path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let stat = std::fs::read_to_string(path.join("schedstat")).ok()?;
        let nanos = stat.split_whitespace().next()?.parse().ok()?;
        (name.trim() == "engine").then_some(Duration::from_nanos(nanos))
    });
    of_engine.max().unwrap_or_default()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// A strategy that takes the time of each quote.
struct Takes(Arc<Stamps>);

impl std::fmt::Debug for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Takes")
    }
}

impl Strategy for Takes {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_quote(&mut self, _view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        self.0.take(u64::try_from(quote.bid_quantity.0).unwrap());
        Ok(Decision::Hold {
            reason: Reason::plain("taken"),
        })
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _state: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}
