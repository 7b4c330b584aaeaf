//! How long orders still leave after a kill: from the latch being set to the last possible byte of an order.
//!
//! Connections over loopback sockets, each behind the order gate, write orders without a pause on one thread, as the desk's
//! engine does. Another thread kills, 100,000 times. [`OrderGate::kill`] returns once no byte can leave any more, so the time
//! that it takes is the figure; each run also checks that no write ended after it. Beside it the same connections with a
//! bare atomic in place of the gate: its last byte has left once the writer has seen the atomic.
//!
//! `cargo bench -p tradewind --bench kill_latency`. Exits with 1 if p99.9 is above a millisecond.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream as StdStream};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tradewind_model::ManualClock;
use tradewind_risk::KillLatch;
use tradewind_venues::{GatedIo, OrderGate, SendPermit};

/// Kills.
const RUNS: u32 = 100_000;
/// Connections that orders leave on: as many as a desk opens to one venue.
const CONNECTIONS: usize = 8;
/// About what a signed order over REST takes.
const ORDER: [u8; 400] = [b'o'; 400];
/// How long the writers trade before each kill: at least this, and up to 64 us more, so that kills meet every moment of a write.
const TRADING: Duration = Duration::from_micros(20);
/// The aim at p99.9.
const AIM: Duration = Duration::from_millis(1);

fn main() -> ExitCode {
    let gate = behind_the_gate();
    report("order gate: latch set -> no byte can leave", &gate);
    report(
        "bare atomic: set -> seen by the writer",
        &behind_an_atomic(),
    );
    if share(&gate, 999) > AIM {
        println!("p99.9 of the gate is above {AIM:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Kills and clears a latch with writers behind its gate. The times that kills took, sorted.
fn behind_the_gate() -> Vec<Duration> {
    let latch = Arc::new(KillLatch::default());
    let gate = OrderGate::new(Arc::clone(&latch), Arc::<ManualClock>::default());
    let wire = Wire::default();
    let writer = {
        let (gate, wire) = (Arc::clone(&gate), wire.clone());
        write(wire.clone(), move |socket| {
            let counted = Counted(socket, Arc::clone(&wire.writes));
            GatedIo::new(counted, SendPermit::new(Arc::clone(&gate)))
        })
    };
    let taken = kills(&wire, || {
        let set = Instant::now();
        gate.kill();
        let taken = set.elapsed();
        let writes = wire.writes();
        thread::yield_now();
        assert_eq!(
            wire.writes(),
            writes,
            "a byte of an order left after a kill"
        );
        latch.clear();
        taken
    });
    gate.kill();
    wire.end(writer);
    taken
}

/// The same with an atomic that each write looks at. The times until the writer had seen it, sorted.
fn behind_an_atomic() -> Vec<Duration> {
    let killed = Arc::<AtomicBool>::default();
    let seen = Arc::<AtomicBool>::default();
    let wire = Wire::default();
    let writer = {
        let (killed, seen, wire) = (Arc::clone(&killed), Arc::clone(&seen), wire.clone());
        write(wire.clone(), move |socket| Checked {
            socket: Counted(socket, Arc::clone(&wire.writes)),
            killed: Arc::clone(&killed),
            seen: Arc::clone(&seen),
        })
    };
    let taken = kills(&wire, || {
        seen.store(false, Ordering::SeqCst);
        let set = Instant::now();
        killed.store(true, Ordering::SeqCst);
        while !seen.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        let taken = set.elapsed();
        killed.store(false, Ordering::SeqCst);
        taken
    });
    wire.end(writer);
    taken
}

/// What the writers share with the one who kills.
#[derive(Clone, Default)]
struct Wire {
    writes: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Wire {
    fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn end(&self, writer: JoinHandle<()>) {
        self.is_over.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        println!("{} writes in {RUNS} runs", self.writes());
    }
}

/// Lets the writers trade and kills them, again and again. Sorted.
fn kills(wire: &Wire, mut kill: impl FnMut() -> Duration) -> Vec<Duration> {
    let run = |number: u32| {
        let (began, before) = (Instant::now(), wire.writes());
        let trading = TRADING + Duration::from_micros(u64::from(number % 65));
        while began.elapsed() < trading || wire.writes() == before {
            std::hint::spin_loop();
        }
        kill()
    };
    let mut taken: Vec<Duration> = (0..RUNS).map(run).collect();
    taken.sort_unstable();
    taken
}

/// Starts a thread that writes orders on every connection until the end; what is refused is tried again.
fn write<S: AsyncWrite + Unpin>(
    wire: Wire,
    wrap: impl Fn(TcpStream) -> S + Send + 'static,
) -> JoinHandle<()> {
    let sockets: Vec<StdStream> = (0..CONNECTIONS).map(|_| drained()).collect();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let writers = sockets.into_iter().map(|socket| {
                let mut socket = wrap(TcpStream::from_std(socket).unwrap());
                let is_over = &wire.is_over;
                async move {
                    while !is_over.load(Ordering::SeqCst) {
                        let refused = socket.write_all(&ORDER).await;
                        if let Err(error) = refused {
                            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                        }
                        tokio::task::yield_now().await;
                    }
                }
            });
            join_all(writers).await;
        });
    })
}

/// A connection whose other end reads all that comes.
fn drained() -> StdStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    ours.set_nodelay(true).unwrap();
    ours.set_nonblocking(true).unwrap();
    let (mut theirs, _) = listener.accept().unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while matches!(theirs.read(&mut buffer), Ok(1..)) {}
    });
    ours
}

/// Counts the writes that a socket has taken.
struct Counted(TcpStream, Arc<AtomicU64>);

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(context, bytes);
        if written.is_ready() {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

/// A socket whose every write looks at an atomic first.
struct Checked {
    socket: Counted,
    killed: Arc<AtomicBool>,
    seen: Arc<AtomicBool>,
}

impl AsyncWrite for Checked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.killed.load(Ordering::SeqCst) {
            self.seen.store(true, Ordering::SeqCst);
            return Poll::Ready(Err(io::ErrorKind::PermissionDenied.into()));
        }
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// The time that this many of a thousand runs took at most.
fn share(sorted: &[Duration], of_thousand: usize) -> Duration {
    sorted[(sorted.len() * of_thousand / 1_000).min(sorted.len() - 1)]
}

fn report(name: &str, sorted: &[Duration]) {
    let [p50, p99, p999] = [500, 990, 999].map(|of_thousand| share(sorted, of_thousand));
    let max = sorted[sorted.len() - 1];
    println!("{name:<44} p50 {p50:?}, p99 {p99:?}, p99.9 {p999:?}, max {max:?}");
}
