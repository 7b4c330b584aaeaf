//! The virtual network: latency, loss in either direction, cuts at each byte, partitions, a client that dies.

use std::time::Duration;

use serde_json::json;
use tradewind_model::{Ppm, Timestamp};
use tradewind_simx_server::simulation::{
    Direction, LinkFault, LinkState, NetworkOptions, Occasion, Rule, VirtualNetwork,
};
use tradewind_simx_server::{Conduct, ConnectionNumber, Latency, Limits, VirtualServer};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::client::{Answer, START, get, options, posted, upgrade};
use super::{BUY, ORDER};
use crate::client::KEY;

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A network on which a byte takes 3 ms to the exchange and 5 ms back, and the client's time.
struct Net {
    network: VirtualNetwork,
    now: Timestamp,
}

impl Net {
    fn new() -> Self {
        Self::with(1, Latency::Fixed(millis(3)), Latency::Fixed(millis(5)))
    }

    fn with(seed: u64, to_server: Latency, to_client: Latency) -> Self {
        let server = VirtualServer::new(&options(Limits::Off), Conduct::default()).unwrap();
        let options = NetworkOptions {
            seed,
            to_server,
            to_client,
        };
        let mut net = Self {
            network: VirtualNetwork::new(server, options),
            now: START,
        };
        net.pass(Duration::from_secs(1));
        net
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.network.advance(self.now);
    }

    fn open(&mut self) -> ConnectionNumber {
        let number = self.network.connect(self.now);
        self.pass(millis(8));
        assert_eq!(self.network.state(number), LinkState::Open);
        number
    }

    fn send(&mut self, number: ConnectionNumber, text: &str) {
        self.network.send(self.now, number, text.as_bytes());
    }

    /// Sends an order, and what came back within a second.
    fn order(&mut self, number: ConnectionNumber) -> Vec<u8> {
        let request = posted(self.now, ORDER, BUY);
        self.send(number, &request);
        self.pass(Duration::from_secs(1));
        self.network.take(number)
    }

    fn executions(&self) -> usize {
        let server = self.network.server();
        let account = server.account(KEY).unwrap();
        server.exchange().executions(account).count()
    }

    /// One order under one fault: whether it was executed, what came back, and the connection afterwards.
    fn under(fault: LinkFault) -> (usize, Vec<u8>, LinkState) {
        let mut net = Self::new();
        let rule = net.network.add_rule(Rule::nth(Occasion::Order, 1, fault));
        let number = net.open();
        let bytes = net.order(number);
        assert_eq!(net.network.rule(rule).unwrap().hits(), 1);
        let state = net.network.state(number);
        if state == LinkState::Ended {
            assert_eq!(net.network.server().status().connections, 0);
        }
        (net.executions(), bytes, state)
    }
}

#[test]
fn bytes_take_their_time_both_ways() {
    let mut net = Net::new();
    let number = net.network.connect(net.now);
    net.pass(millis(7));
    assert_eq!(net.network.state(number), LinkState::Opening);
    net.pass(millis(1));
    assert_eq!(net.network.state(number), LinkState::Open);
    let sent = net.now;
    net.send(number, &get("/api/v3/time"));
    net.pass(millis(7));
    assert!(net.network.take(number).is_empty());
    net.pass(millis(1));
    let (answer, _) = Answer::read(&net.network.take(number)).unwrap();
    assert_eq!(answer.json()["serverTime"], (sent + millis(3)).as_millis());
}

/// N10, V01: executed or not, and no reply.
#[test]
fn a_request_or_its_reply_is_lost_and_the_connection_stays() {
    let (executed, bytes, state) = Net::under(LinkFault::Silence(Direction::ToClient));
    assert_eq!(
        (executed, bytes.len(), state),
        (1, 0, LinkState::Open),
        "the reply is lost"
    );
    let (executed, bytes, state) = Net::under(LinkFault::Silence(Direction::ToServer));
    assert_eq!(
        (executed, bytes.len(), state),
        (0, 0, LinkState::Open),
        "the request is lost"
    );
    let (executed, bytes, _) = Net::under(LinkFault::Delay(Direction::ToServer, millis(500)));
    assert!(
        executed == 1 && Answer::read(&bytes).is_some(),
        "it is only late"
    );
}

/// N02: a cut at each byte, in both directions.
#[test]
fn a_request_is_executed_only_if_all_of_it_arrives_before_the_cut() {
    let mut net = Net::new();
    net.open();
    let whole = u64::try_from(posted(net.now, ORDER, BUY).len()).unwrap();
    for bytes in [0, 1, whole / 2, whole - 1, whole] {
        let (executed, reply, state) = Net::under(LinkFault::Cut(Direction::ToServer, bytes));
        assert_eq!(
            executed,
            usize::from(bytes == whole),
            "{bytes} of {whole} bytes"
        );
        assert_eq!((reply.len(), state), (0, LinkState::Ended));
    }
    for bytes in [0, 1, 20, 200] {
        let (executed, reply, state) = Net::under(LinkFault::Cut(Direction::ToClient, bytes));
        let came = u64::try_from(reply.len()).unwrap();
        assert_eq!((executed, came, state), (1, bytes, LinkState::Ended));
    }
    let (_, drawn, state) = Net::under(LinkFault::CutBelow(Direction::ToClient, 200));
    assert!(drawn.len() < 200 && state == LinkState::Ended);
}

/// N11: what is sent into a partition arrives when it heals.
#[test]
fn a_partition_holds_bytes_and_new_connections_until_it_heals() {
    let mut net = Net::new();
    let number = net.open();
    let heals = net.now + Duration::from_secs(60);
    net.network.partition(net.now, heals);
    let request = posted(net.now, ORDER, BUY);
    net.send(number, &request);
    let late = net.network.connect(net.now);
    net.pass(Duration::from_secs(59));
    assert_eq!(
        (net.executions(), net.network.state(late)),
        (0, LinkState::Opening)
    );
    net.pass(millis(1_005));
    assert_eq!(net.executions(), 1, "within its recvWindow");
    assert!(Answer::read(&net.network.take(number)).is_some());
    assert_eq!(net.network.state(late), LinkState::Open);
}

/// P01: the process dies behind an order; the order is under way all the same.
#[test]
fn what_a_client_sent_before_it_died_arrives() {
    let mut net = Net::new();
    let number = net.open();
    let request = posted(net.now, ORDER, BUY);
    net.send(number, &request);
    net.network.crash_client(net.now);
    assert_eq!(net.network.state(number), LinkState::Ended);
    net.pass(Duration::from_secs(1));
    assert_eq!((net.executions(), net.network.take(number).len()), (1, 0));
    assert_eq!(net.network.connections().count(), 0);
}

#[test]
fn a_broken_connection_loses_what_is_under_way_and_both_sides_notice() {
    let mut net = Net::new();
    let (number, other) = (net.open(), net.open());
    net.network.take_arrived();
    let request = posted(net.now, ORDER, BUY);
    net.send(number, &request);
    net.send(other, &get("/api/v3/ping"));
    net.network.cut(net.now, number);
    assert_eq!(net.network.state(number), LinkState::Ended);
    assert!(net.network.take_arrived().into_iter().eq([number]));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.executions(), 0);
    assert!(net.network.take_arrived().into_iter().eq([other]));
    let segments = net.network.take_segments();
    let (up, down) = (Direction::ToServer, Direction::ToClient);
    let left: Vec<_> = segments
        .iter()
        .map(|left| (left.connection, left.direction))
        .collect();
    assert_eq!(left, [(number, up), (other, up), (other, down)]);
    assert_eq!(segments[0].length, request.len());
}

/// N01: nobody listens.
#[test]
fn a_refused_connection_says_so_and_one_that_flaps_ends() {
    let mut net = Net::new();
    let script = "[[fault]]\ndo = \"refuse\"\nfor = \"1s\"\n\
                  [[fault]]\ndo = \"flap\"\nleast = \"200ms\"\nmost = \"1s\"\nafter = \"2s\"\nfor = \"5s\"\n";
    let faults = script.parse().unwrap();
    assert_eq!(
        net.network
            .with_server(net.now, |server, now| server.add_faults(now, faults)),
        2
    );
    let number = net.network.connect(net.now);
    net.pass(millis(8));
    assert_eq!(net.network.state(number), LinkState::Refused);
    net.pass(Duration::from_secs(3));
    let number = net.open();
    net.pass(Duration::from_secs(1));
    assert_eq!(net.network.state(number), LinkState::Ended);
}

/// I05: an order is stamped with the journal's length at its first byte, over both wires.
#[test]
fn orders_are_read_from_the_bytes_that_leave() {
    let mut net = Net::new();
    let rest = net.open();
    net.network.set_mark(7);
    net.order(rest);
    let api = net.open();
    net.send(api, &upgrade("/ws-api/v3"));
    net.pass(millis(8));
    let order =
        json!({ "id": 1, "method": "order.place", "params": { "newClientOrderId": "in-pieces" } });
    let (began, message) = (net.now, order.to_string());
    let (first, second) = message.split_at(20);
    for (part, is_final) in [(first, false), (second, true)] {
        let mask = [1, 2, 3, 4];
        let kind = if is_final { Data::Continue } else { Data::Text };
        let header = FrameHeader {
            is_final,
            opcode: OpCode::Data(kind),
            mask: Some(mask),
            ..FrameHeader::default()
        };
        let mut bytes = Vec::new();
        header.format(part.len() as u64, &mut bytes).unwrap();
        bytes.extend(
            part.bytes()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        for byte in bytes {
            net.network.send(net.now, api, &[byte]);
            net.pass(millis(1));
            net.network.set_mark(8);
        }
    }
    let sent = net.network.sent_orders();
    let ids: Vec<&str> = sent
        .iter()
        .flat_map(|order| order.request.client_ids())
        .collect();
    assert_eq!(ids, ["buy-1", "in-pieces"]);
    assert_eq!(
        (sent[0].mark, sent[1].mark, sent[1].first_byte_at),
        (7, 7, began)
    );
    assert_eq!(sent[1].request.at, net.now - millis(1));
}

/// The same seed gives the same arrivals, another seed others.
#[test]
fn everything_follows_from_the_seed() {
    let run = |seed| {
        let jitter = Latency::Uniform {
            least: millis(1),
            most: millis(30),
        };
        let mut net = Net::with(seed, jitter, jitter);
        let share = Ppm(300_000);
        net.network.add_rule(Rule::share(
            Occasion::Order,
            share,
            LinkFault::Silence(Direction::ToClient),
        ));
        net.network.add_rule(Rule::share(
            Occasion::Message,
            share,
            LinkFault::CutBelow(Direction::ToClient, 400),
        ));
        let mut trace = Vec::new();
        for round in 0..40 {
            let number = net.network.connect(net.now);
            net.pass(millis(60));
            let order = BUY.replace("buy-1", &format!("buy-{round}"));
            let request = posted(net.now, ORDER, &order);
            net.send(number, &request);
            for _ in 0..30 {
                net.pass(millis(2));
                trace.push((net.now, net.network.take(number), net.network.state(number)));
            }
        }
        (trace, net.executions())
    };
    let (first, executed) = run(1);
    assert!(first == run(1).0);
    assert!(first != run(2).0);
    assert_eq!(executed, 40, "replies are lost, requests are not");
}
