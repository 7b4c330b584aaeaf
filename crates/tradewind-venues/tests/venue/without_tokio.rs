//! The adapter with a network, a clock and an executor of a few lines: there is no runtime, and the test sets the time.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;
use tradewind_model::{AccountId, AssetTable, Clock, ManualClock, VenueId};
use tradewind_venues::binance::{ApiKey, Assets, BinanceConfig, BookSource, OrderEntry};
use tradewind_venues::execution::{RequestId, VenueRequest, VenueResponse};
use tradewind_venues::{
    Address, Connector, Opening, OrderGate, RateBudget, RealTime, SendPermit, Sleeping, Venue,
    VenueContext, VenueKind, VenueSettings, build, client_config, layer,
};

use crate::network::{head, shake};
use crate::orders::kinds;
use crate::rig::{Rig, SECRET, exit_order, rig_over};

/// Time, and the other ends of the connections that the test has not taken yet.
#[derive(Debug, Default)]
struct World {
    now: Mutex<Duration>,
    deadlines: Mutex<Vec<Duration>>,
    accepted: Mutex<Vec<DuplexStream>>,
}

impl World {
    /// Moves on to the next deadline.
    fn advance(&self) {
        let mut now = self.now.lock().unwrap();
        let mut deadlines = self.deadlines.lock().unwrap();
        deadlines.retain(|deadline| *deadline > *now);
        *now = *deadlines.iter().min().expect("something to wait for");
    }

    async fn accept(&self) -> DuplexStream {
        std::future::poll_fn(|_| match self.accepted.lock().unwrap().pop() {
            Some(stream) => Poll::Ready(stream),
            None => Poll::Pending,
        })
        .await
    }
}

impl Connector for World {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        let (ours, theirs) = duplex(10_000);
        self.accepted.lock().unwrap().push(theirs);
        let tls = client_config(None).unwrap();
        Box::pin(async move { layer(ours, address, &tls, permit).await })
    }

    fn nonce(&self) -> u64 {
        7
    }
}

impl RealTime for World {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        let deadline = self.now() + wait;
        self.deadlines.lock().unwrap().push(deadline);
        Box::pin(std::future::poll_fn(move |_| {
            if self.now() < deadline {
                return Poll::Pending;
            }
            Poll::Ready(())
        }))
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs the desk's side to its end; time moves when neither side can.
fn run<T>(world: &World, desk: impl Future<Output = T>, venue: impl Future<Output = ()>) -> T {
    let (mut desk, mut venue, mut serves) = (pin!(desk), pin!(venue), true);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        woken.0.store(false, Ordering::SeqCst);
        if let Poll::Ready(done) = desk.as_mut().poll(&mut context) {
            return done;
        }
        let before = world.accepted.lock().unwrap().len();
        serves = serves && venue.as_mut().poll(&mut context).is_pending();
        let accepted = world.accepted.lock().unwrap().len() < before;
        if !woken.0.load(Ordering::SeqCst) && !accepted {
            world.advance();
        }
    }
}

fn desk(order_entry: OrderEntry) -> (Rig, Arc<World>) {
    let world = Arc::new(World::default());
    let config = BinanceConfig {
        rest_url: "http://localhost:1".to_owned(),
        ws_url: "ws://localhost:2".to_owned(),
        ws_api_url: "ws://localhost:3".to_owned(),
        request_timeout: Duration::from_secs(20),
        order_timeout: Duration::from_secs(20),
        order_entry,
        ..BinanceConfig::default()
    };
    (rig_over(Arc::clone(&world) as _, config), world)
}

/// The venue fails once, then answers; when it was read.
fn read() -> Duration {
    let (rig, world) = desk(OrderEntry::Rest);
    let venue = async {
        let mut venue = world.accept().await;
        for answer in [
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"balances\":[]}",
        ] {
            head(&mut venue).await;
            venue.write_all(answer.as_bytes()).await.unwrap();
        }
        std::future::pending().await
    };
    let balances = run(&world, rig.venue.account(), venue);
    assert_eq!(balances.unwrap(), []);
    world.now()
}

#[test]
fn a_read_is_repeated_after_the_same_wait_each_time() {
    let read_at = read();
    assert!(read_at > Duration::ZERO && read_at <= Duration::from_millis(250));
    assert_eq!(read(), read_at);
}

#[test]
fn an_order_without_an_answer_is_unknown_after_exactly_its_time() {
    let (rig, world) = desk(OrderEntry::Rest);
    let order = exit_order(1);
    let venue = async {
        let mut venue = world.accept().await;
        head(&mut venue).await;
        std::future::pending().await
    };
    let reports = run(&world, rig.venue.submit(&order), venue);
    assert_eq!(kinds(&reports), ["unknown"]);
    assert_eq!(world.now(), Duration::from_secs(20));
}

#[test]
fn an_order_over_a_websocket_is_answered_at_once_and_the_next_one_times_out() {
    let (rig, world) = desk(OrderEntry::WebSocket);
    let (first, second, stop) = (exit_order(1), exit_order(2), CancellationToken::new());
    let orders = async {
        let answered = rig.venue.submit(&first).await;
        assert_eq!(world.now(), Duration::ZERO);
        let unanswered = rig.venue.submit(&second).await;
        stop.cancel();
        (kinds(&answered), kinds(&unanswered))
    };
    let desk = async { tokio::join!(biased; rig.venue.keep_order_entry(stop.clone()), orders).1 };
    let venue = async {
        let mut venue = world.accept().await;
        shake(&mut venue).await;
        // The first bytes of a message of more than 125 and less than 65,536 bytes.
        let mut header = [0; 8];
        venue.read_exact(&mut header).await.unwrap();
        let text = br#"{"id":1,"status":400,"error":{"code":-1013,"msg":"low"}}"#;
        let frame = [&[0x81, u8::try_from(text.len()).unwrap()], text.as_slice()].concat();
        venue.write_all(&frame).await.unwrap();
        std::future::pending().await
    };
    let outcome = run(&world, desk, venue);
    let wanted = (
        vec!["rejected -1013".to_owned()],
        vec!["unknown".to_owned()],
    );
    assert_eq!(outcome, wanted);
    assert_eq!(world.now(), Duration::from_secs(20));
}

/// What the venue has answered, by request.
type Answers = Arc<Mutex<Vec<(RequestId, VenueResponse)>>>;

/// An account in the desk's own words, and its answers.
fn account(world: &Arc<World>, order_entry: OrderEntry) -> (Arc<dyn Venue>, Answers) {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::default();
    let settings = VenueSettings {
        kind: VenueKind::Binance,
        venue: VenueId(0),
        name: "binance".to_owned(),
        account: AccountId(0),
        rest_url: "http://localhost:1".to_owned(),
        ws_url: "ws://localhost:2".to_owned(),
        ws_api_url: "ws://localhost:3".to_owned(),
        key: Some(ApiKey::new("the key", SECRET.into())),
        order_entry,
        books: BookSource::Top20,
        seed: 1,
    };
    let context = VenueContext {
        connector: Arc::clone(world) as _,
        gate: OrderGate::new(Arc::default(), Arc::clone(&clock)),
        clock,
        budget: Arc::new(Mutex::new(RateBudget::new(6_000))),
        assets: Arc::new(Assets::new(AssetTable::default())),
    };
    let answers = Answers::default();
    let taken = Arc::clone(&answers);
    let sink = move |id, response| taken.lock().unwrap().push((id, response));
    (build(settings, context, Arc::new(sink)).unwrap(), answers)
}

/// Lists BTC/USDT for an account.
async fn list(world: &World) {
    let info = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"0","tickSize":"0.01"},
        {"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"}]}]}"#;
    let mut venue = world.accept().await;
    head(&mut venue).await;
    answer(&mut venue, "200 OK", info).await;
    std::future::pending().await
}

async fn answer(venue: &mut DuplexStream, status: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
    venue.write_all(text.as_bytes()).await.unwrap();
}

/// The whole way of an order through the seam of venues, on the thread that begins it.
#[test]
fn an_order_is_written_before_its_begin_returns() {
    let world = Arc::new(World::default());
    let (account, answers) = account(&world, OrderEntry::Rest);
    run(&world, account.instruments(&["BTC/USDT"]), list(&world)).unwrap();

    account.begin(RequestId(7), VenueRequest::Submit(exit_order(1)));
    let mut venue = world.accept().now_or_never().expect("a connection");
    let request = head(&mut venue).now_or_never().expect("a request");
    assert!(request.starts_with("POST /api/v3/order HTTP/1.1\r\n"));
    let low = answer(&mut venue, "400 Bad", r#"{"code":-1013,"msg":"low"}"#);
    low.now_or_never().unwrap();
    assert!(answers.lock().unwrap().is_empty(), "nobody has read it");

    let mut maintain = account.maintain(CancellationToken::new());
    let mut context = Context::from_waker(Waker::noop());
    assert!(maintain.as_mut().poll(&mut context).is_pending());
    let [(RequestId(7), VenueResponse::Submitted(reports))] = &answers.lock().unwrap()[..] else {
        panic!("one answer")
    };
    assert_eq!(kinds(reports), ["rejected -1013"]);
}

#[test]
fn an_order_over_a_websocket_is_written_before_its_begin_returns() {
    let world = Arc::new(World::default());
    let (account, _answers) = account(&world, OrderEntry::WebSocket);
    run(&world, account.instruments(&["BTC/USDT"]), list(&world)).unwrap();

    let mut maintain = account.maintain(CancellationToken::new());
    let (opened, mut socket) = (Mutex::new(None), None);
    let venue = async {
        let mut venue = world.accept().await;
        shake(&mut venue).await;
        *opened.lock().unwrap() = Some(venue);
        std::future::pending().await
    };
    let until_opened = std::future::poll_fn(|context| {
        assert!(maintain.as_mut().poll(context).is_pending());
        context.waker().wake_by_ref();
        socket = opened.lock().unwrap().take();
        if socket.is_some() {
            return Poll::Ready(());
        }
        Poll::Pending
    });
    run(&world, until_opened, venue);
    let mut context = Context::from_waker(Waker::noop());
    assert!(maintain.as_mut().poll(&mut context).is_pending());

    account.begin(RequestId(7), VenueRequest::Submit(exit_order(1)));
    // The header of a masked text of more than 125 and less than 65,536 bytes.
    let first = socket.as_mut().unwrap().read_u16().now_or_never();
    assert_eq!(first.expect("a frame").unwrap(), 0x81fe);
}

#[test]
fn an_order_that_is_not_answered_when_its_venue_ends_has_failed() {
    let world = Arc::new(World::default());
    let (account, answers) = account(&world, OrderEntry::Rest);
    run(&world, account.instruments(&["BTC/USDT"]), list(&world)).unwrap();
    account.begin(RequestId(7), VenueRequest::Submit(exit_order(1)));
    account.begin(RequestId(8), VenueRequest::Balances);
    let stop = CancellationToken::new();
    stop.cancel();
    account.maintain(stop.clone()).now_or_never().unwrap();
    account.serve_reads(stop).now_or_never().unwrap();
    account.begin(RequestId(9), VenueRequest::Submit(exit_order(2)));
    let answers = answers.lock().unwrap();
    let failed = answers
        .iter()
        .map(|(id, response)| (id.0, matches!(response, VenueResponse::Failed(_))));
    assert_eq!(
        failed.collect::<Vec<_>>(),
        [(7, true), (8, true), (9, true)]
    );
    let connections = world.accepted.lock().unwrap().len();
    assert_eq!(connections, 1, "the second order was not sent");
}
