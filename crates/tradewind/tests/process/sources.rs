//! House sources: the example publishers of `contrib/sources` feed the built desk.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, pause, tradewind, unused_address, within};
use crate::feeds::imported;

/// What the Redis server of the tests asks for.
pub(crate) const PASSWORD: &str = "a-password-of-the-tests";
const PATIENCE: Duration = Duration::from_secs(60);

/// An example publisher. It is killed when the test is over.
pub(crate) struct Publisher(Child);

impl Publisher {
    #[track_caller]
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        Self(publisher(script, arguments).spawn().unwrap())
    }
}

fn publisher(script: &str, arguments: &[&str]) -> Command {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contrib/sources");
    let mut command = Command::new("python3");
    command.arg(folder.join(script)).args(arguments);
    command.env("REDISCLI_AUTH", PASSWORD).stdin(Stdio::null());
    command
}

/// A Redis server that asks for a password. It is killed when the test is over.
pub(crate) struct RedisServer(Child);

impl RedisServer {
    #[track_caller]
    pub(crate) fn start(folder: &Path, port: &str, more: &[&str]) -> Self {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", port, "--bind", "127.0.0.1", "--save", ""])
            .args(["--requirepass", PASSWORD, "--appendonly", "no"])
            .args(more)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let server = command.spawn().expect("redis-server: scripts/debian redis");
        within(PATIENCE, "a Redis server", || {
            TcpStream::connect(format!("127.0.0.1:{port}")).ok()
        });
        Self(server)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended already, and there is nothing to be done about a failure.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // It may have ended already, and there is nothing to be done about a failure.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The test desk with `source` in its configuration.
fn configuration(folder: &Path, source: &str) -> String {
    let base = include_str!("../config/base.toml");
    let path = folder.join("sources.toml");
    let (settings, bots) = base.split_once("[[bots]]").unwrap();
    fs::write(&path, format!("{settings}{source}\n[[bots]]{bots}")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A desk with one source at `address`.
fn start(folder: &Path, source: &str) -> Desk {
    let configuration = configuration(folder, source);
    let mut command = tradewind(folder, &["run", "--config", &configuration]);
    command.env("HOUSE_TOKEN", PASSWORD);
    Desk::start_from(folder, command)
}

fn feed(desk: &Desk) -> Value {
    let mut feeds = desk.items("feeds").into_iter();
    let found = feeds.find(|feed| feed["instrument"] == "house:BTC/USDT");
    found.expect("a feed of the source")
}

#[track_caller]
fn until_health(desk: &Desk, health: &str) -> Value {
    within(PATIENCE, health, || {
        let feed = feed(desk);
        (feed["health"] == health).then_some(feed)
    })
}

/// The feed has quotes and trades, is stale while its publisher is away, and comes back.
#[track_caller]
fn lives_dies_and_comes_back(desk: &Desk, start: impl Fn() -> Publisher) {
    let publisher = start();
    let live = until_health(desk, "LIVE");
    let bid: f64 = live["quote"]["bid"].as_str().unwrap().parse().unwrap();
    assert!((50_000.0..70_000.0).contains(&bid), "{live}");
    within(PATIENCE, "trades", || {
        let feed = feed(desk);
        (feed["trades"].as_u64() > Some(0) && feed["quotes"].as_u64() > Some(3)).then_some(())
    });
    drop(publisher);
    until_health(desk, "STALE");
    let _publisher = start();
    until_health(desk, "LIVE");
    let rules = desk.get("config");
    let rules = rules["instruments"].as_array().unwrap();
    assert!(rules.iter().any(|one| one["name"] == "house:BTC/USDT"));
}

/// A desk that is killed leaves a publisher with a connection that is reset.
#[test]
fn publishers_say_in_one_line_that_a_desk_hung_up_and_serve_the_next() {
    let login = [&18_u32.to_be_bytes()[..], b"L\x02", &[0; 16]].concat();
    let asked = |head: &str| format!("GET /feed?wait=100 HTTP/1.1\r\n{head}\r\n").into_bytes();
    let steering = ["follower", "binance:BTC/USDT", "600"];
    for (script, arguments, hello) in [
        ("tcp_feed.py", &[][..], login),
        (
            "websocket_feed.py",
            &[],
            asked("Sec-WebSocket-Key: abc\r\n"),
        ),
        (
            "target_feed.py",
            &steering,
            asked("Sec-WebSocket-Key: abc\r\n"),
        ),
        ("http_feed.py", &[], asked("")),
    ] {
        let (folder, address) = (TempDir::new().unwrap(), unused_address());
        let said = folder.path().join("said");
        let port = address.rsplit_once(':').unwrap().1;
        let mut command = publisher(script, &[&[port], arguments].concat());
        command.stderr(fs::File::create(&said).unwrap());
        let _publisher = Publisher(command.spawn().unwrap());
        let lines = || fs::read_to_string(&said).unwrap();
        for hung_up in 1..=2 {
            let mut desk = within(PATIENCE, script, || TcpStream::connect(&address).ok());
            desk.write_all(&hello).unwrap();
            desk.read_exact(&mut [0; 1]).unwrap();
            // What was sent and not read makes the end a reset.
            desk.peek(&mut [0; 1]).unwrap();
            drop(desk);
            within(PATIENCE, "a line of the publisher", || {
                (lines().lines().count() >= hung_up).then_some(())
            });
        }
        assert_eq!(lines().lines().count(), 2, "{}", lines());
        assert!(
            lines().lines().all(|line| line.contains("hung up")),
            "{}",
            lines()
        );
    }
}

#[test]
fn frames_over_tcp_are_prices_on_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let source = format!(
        "[sources.house]\nkind = \"tcp\"\nrecord = true\naddress = \"tcp://{address}\"\nheartbeat = \"1s\"\n\
         instruments = [{{ name = \"BTC/USDT\", price_decimals = 2, quantity_decimals = 5 }}]\n"
    );
    let desk = start(folder.path(), &source);
    lives_dies_and_comes_back(&desk, || Publisher::start("tcp_feed.py", &[port]));
    is_imported(folder.path(), desk);
}

/// The desk ends. What it received and recorded is imported with the section of the source.
#[track_caller]
fn is_imported(folder: &Path, mut desk: Desk) {
    let before = feed(&desk);
    desk.signal("TERM");
    assert!(desk.ended(PATIENCE).success());
    let path = |name| folder.join(name).to_str().unwrap().to_owned();
    let options = ["--config", &path("sources.toml")];
    let (added, notes) = imported(folder, &path("recordings/house"), options);
    assert!(
        added["house:BTC/USDT@quotes"] >= before["quotes"].as_u64().unwrap(),
        "{before}: {added:?}"
    );
    assert!(added["house:BTC/USDT@trades"] > 0, "{added:?}");
    assert!(!notes.contains("could not be followed"), "{notes}");
}

/// Puts TLS before a port: the arguments are a port of its own, that port, a certificate and its key.
const TLS_PROXY: &str = r#"
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
def serve(raw):
    desk = context.wrap_socket(raw, server_side=True)
    feed = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    threading.Thread(target=copy, args=(feed, desk), daemon=True).start()
    copy(desk, feed)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"#;

#[test]
fn a_source_over_tls_is_read_with_its_certificate_and_not_without() {
    let folders = [(); 2].map(|()| TempDir::new().unwrap());
    let addresses = [(); 2].map(|()| unused_address());
    let [plain, secure] = addresses
        .each_ref()
        .map(|one| one.rsplit_once(':').unwrap().1);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tradewind-venues/tests/venue/data");
    let [certificate, key] = ["localhost.pem", "localhost.key.pem"].map(|name| data.join(name));
    let _publisher = Publisher::start("tcp_feed.py", &[plain]);
    let mut proxy = Command::new("python3");
    proxy.args(["-c", TLS_PROXY, secure, plain]);
    proxy.args([&certificate, &key]).stderr(Stdio::null());
    let _proxy = Publisher(proxy.stdin(Stdio::null()).spawn().unwrap());
    let source = |more: &str| {
        format!(
            "[sources.house]\nkind = \"tcp\"\naddress = \"tls://localhost:{secure}\"\nheartbeat = \"1s\"\n{more}\
             instruments = [{{ name = \"BTC/USDT\", price_decimals = 2, quantity_decimals = 5 }}]\n"
        )
    };
    let trusted = format!("ca_file = {:?}\n", certificate.to_str().unwrap());
    let desk = start(folders[0].path(), &source(&trusted));
    until_health(&desk, "LIVE");
    let strict = start(folders[1].path(), &source(""));
    within(PATIENCE, "a refusal", || {
        strict
            .said()
            .contains("no TLS with localhost")
            .then_some(())
    });
    assert_eq!(feed(&strict)["health"], "STALE");
}

/// The commands of `docs/sources.md`: three of the first steps, and three that steer a bot.
pub(crate) fn documented() -> Vec<String> {
    let text = include_str!("../../../../docs/sources.md");
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    blocks.collect()
}

/// A shell that runs a document's commands in `folder`, with the built binary and the publishers of this repository.
pub(crate) fn shell_at(folder: &Path, commands: &str) -> Command {
    let (root, binary) = (env!("CARGO_MANIFEST_DIR"), env!("CARGO_BIN_EXE_tradewind"));
    let path = format!(
        "{}:/usr/bin:/bin",
        Path::new(binary).parent().unwrap().display()
    );
    let commands = commands.replace("contrib/", &format!("{root}/../../contrib/"));
    let mut command = Command::new("bash");
    command
        .args(["-ec", &commands])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("PATH", &path)
        .env("TRADEWIND__API__LISTEN", "127.0.0.1:0");
    command
}

#[test]
fn the_first_steps_of_the_document_lead_to_a_feed() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let shell = |commands: &str| shell_at(folder.path(), &commands.replace("9100", port));
    let [publish, write, run, ..] = &documented()[..] else {
        panic!("three steps: a publisher, a configuration, a desk")
    };
    let _publisher = Publisher(shell(&format!("exec {publish}")).spawn().unwrap());
    assert!(shell(write).status().unwrap().success());
    let data = folder.path().join("desk");
    fs::create_dir(&data).unwrap();
    let desk = Desk::start_from(&data, shell(&format!("exec {run}")));
    until_health(&desk, "LIVE");
}

#[test]
fn json_over_websocket_is_prices_on_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let source = format!(
        "[sources.house]\nkind = \"websocket\"\nrecord = true\naddress = \"ws://{address}/feed\"\nheartbeat = \"1s\"\n\
         instruments = [{{ name = \"BTC/USDT\", price_decimals = 2 }}]\n"
    );
    let desk = start(folder.path(), &source);
    lives_dies_and_comes_back(&desk, || Publisher::start("websocket_feed.py", &[port]));
    is_imported(folder.path(), desk);
}

#[test]
fn xml_over_polled_http_is_prices_on_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let source = format!(
        "[sources.house]\nkind = \"http\"\nrecord = true\naddress = \"http://{address}/feed\"\nheartbeat = \"1s\"\ntoken_env = \"HOUSE_TOKEN\"\n\
         instruments = [{{ name = \"BTC/USDT\", price_decimals = 2 }}]\n"
    );
    let desk = start(folder.path(), &source);
    lives_dies_and_comes_back(&desk, || Publisher::start("http_feed.py", &[port]));
    assert!(!desk.said().contains(PASSWORD));
    is_imported(folder.path(), desk);
}

/// What Redis answers to a command.
fn redis_cli(port: &str, words: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    let command = command.env("REDISCLI_AUTH", PASSWORD).args(["-p", port]);
    let output = command.args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A source in Redis that `reads` something.
fn redis_source(address: &str, reads: &str) -> String {
    format!(
        "[sources.house]\nkind = \"redis\"\nrecord = true\naddress = \"redis://{address}\"\nheartbeat = \"1s\"\ntoken_env = \"HOUSE_TOKEN\"\n\
         {reads}\ninstruments = [{{ name = \"BTC/USDT\", price_decimals = 2 }}]\n"
    )
}

#[test]
fn channels_of_redis_are_prices_on_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let server = RedisServer::start(folder.path(), port, &[]);
    let desk = start(
        folder.path(),
        &redis_source(&address, "channels = [\"prices\"]"),
    );
    let publish = || Publisher::start("redis_feed.py", &[port, "channel", "prices"]);
    let publisher = publish();
    until_health(&desk, "LIVE");
    drop(publisher);
    drop(server);
    until_health(&desk, "STALE");
    let _server = RedisServer::start(folder.path(), port, &[]);
    let _publisher = publish();
    until_health(&desk, "LIVE");
    assert!(!desk.said().contains(PASSWORD));
    within(PATIENCE, "a trade", || {
        (feed(&desk)["trades"].as_u64() > Some(0)).then_some(())
    });
    is_imported(folder.path(), desk);
}

#[test]
fn streams_of_redis_are_read_on_from_the_last_entry() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let _server = RedisServer::start(folder.path(), port, &[]);
    let desk = start(
        folder.path(),
        &redis_source(&address, "streams = [\"prices\"]"),
    );
    let _publisher = Publisher::start("redis_feed.py", &[port, "stream", "prices"]);
    until_health(&desk, "LIVE");
    // The server ends every other connection: the desk comes back, and the publisher ends with its own.
    redis_cli(port, &["CLIENT", "KILL", "TYPE", "normal"]);
    within(PATIENCE, "a lost connection", || {
        desk.said().contains("Connection lost").then_some(())
    });
    let before = feed(&desk)["trades"].as_u64().unwrap();
    for _ in 0..250 {
        add_trade(port);
    }
    within(PATIENCE, "every trade", || {
        (feed(&desk)["trades"].as_u64().unwrap() >= before + 250).then_some(())
    });
    assert!(!desk.said().contains("messages are missing"));
    is_imported(folder.path(), desk);
}

#[test]
fn a_stream_is_read_on_over_a_restart_of_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let _server = RedisServer::start(folder.path(), port, &[]);
    let source = redis_source(&address, "streams = [\"prices\"]");
    let mut desk = start(folder.path(), &source);
    let publisher = Publisher::start("redis_feed.py", &[port, "stream", "prices"]);
    until_health(&desk, "LIVE");
    drop(publisher);
    let entries: u64 = redis_cli(port, &["XLEN", "prices"]).trim().parse().unwrap();
    let last = redis_cli(port, &["XREVRANGE", "prices", "+", "-", "COUNT", "1"]);
    let last = last.lines().next().unwrap().to_owned();
    // Killed, it has no last moment to note anything.
    within(PATIENCE, "the position on disk", || {
        let kept = fs::read_to_string(folder.path().join("sources.json"));
        kept.is_ok_and(|kept| kept.contains(&last)).then_some(())
    });
    desk.crash();
    for _ in 0..50 {
        add_trade(port);
    }
    let desk = start(folder.path(), &source);
    within(PATIENCE, "every trade", || {
        (feed(&desk)["trades"].as_u64().unwrap() >= 50).then_some(())
    });
    assert_eq!(feed(&desk)["trades"], 50, "of {entries} and 50 more");
    assert!(!desk.said().contains("messages are missing"));
}

/// A Sentinel that watches a master called `prices`. It is killed when the test is over.
fn sentinel(folder: &Path, port: &str, master: &str) -> RedisServer {
    let rules = format!(
        "sentinel monitor prices 127.0.0.1 {master} 1\nsentinel auth-pass prices {PASSWORD}\n\
         sentinel down-after-milliseconds prices 1000\nsentinel failover-timeout prices 5000\n"
    );
    let path = folder.join("sentinel.conf");
    fs::write(&path, format!("port {port}\nbind 127.0.0.1\n{rules}")).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(&path).arg("--sentinel").current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let server = RedisServer(command.spawn().unwrap());
    within(PATIENCE, "a Sentinel", || {
        TcpStream::connect(format!("127.0.0.1:{port}")).ok()
    });
    server
}

/// A trade in the stream `prices`, with the number behind the last one.
fn add_trade(port: &str) {
    let sequence = redis_cli(port, &["INCR", "prices:sequence"]);
    let fields = format!(
        "kind trade symbol BTC/USDT price 60000.5 quantity 0.01 side buy time 1700000000000 sequence {}",
        sequence.trim()
    );
    let words = ["XADD", "prices", "*"].into_iter();
    let words: Vec<&str> = words.chain(fields.split(' ')).collect();
    let answer = redis_cli(port, &words);
    assert!(!answer.contains("ERR"), "{answer}");
}

#[test]
fn a_failover_leads_to_the_new_master_and_the_stream_is_read_on() {
    let (folder, replicas) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let watching = TempDir::new().unwrap();
    let addresses = [(); 3].map(|()| unused_address());
    let [first, second, third] = addresses
        .each_ref()
        .map(|one| one.rsplit_once(':').unwrap().1);
    let login = ["--masterauth", PASSWORD];
    let master = RedisServer::start(folder.path(), first, &login);
    let of_master = format!("127.0.0.1 {first}");
    let more = [&["--replicaof", &of_master][..], &login].concat();
    let _replica = RedisServer::start(replicas.path(), second, &more);
    within(PATIENCE, "a replica in step", || {
        let said = redis_cli(second, &["INFO", "replication"]);
        said.contains("master_link_status:up").then_some(())
    });
    let _sentinel = sentinel(watching.path(), third, first);
    within(PATIENCE, "a Sentinel that knows the replica", || {
        let said = redis_cli(third, &["SENTINEL", "REPLICAS", "prices"]);
        said.contains(second).then_some(())
    });
    let reads = "streams = [\"prices\"]\nsentinel = \"prices\"";
    let desk = start(folder.path(), &redis_source(&addresses[2], reads));
    let publisher = Publisher::start("redis_feed.py", &[first, "stream", "prices"]);
    until_health(&desk, "LIVE");
    drop(publisher);
    assert_eq!(redis_cli(first, &["WAIT", "1", "5000"]).trim(), "1");
    let before = within(PATIENCE, "all trades of the first master", || {
        let count = || feed(&desk)["trades"].as_u64().unwrap();
        let before = count();
        pause(Duration::from_millis(500));
        (count() == before).then_some(before)
    });
    drop(master);
    within(PATIENCE, "a failover", || {
        let said = redis_cli(second, &["ROLE"]);
        said.starts_with("master").then_some(())
    });
    for _ in 0..50 {
        add_trade(second);
    }
    within(Duration::from_secs(60), "every trade", || {
        (feed(&desk)["trades"].as_u64().unwrap() >= before + 50).then_some(())
    });
    let said = desk.said();
    assert!(!said.contains("messages are missing") && !said.contains(PASSWORD));
}

#[test]
fn a_user_with_few_rights_reads_and_one_without_is_refused() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let server = RedisServer::start(folder.path(), port, &[]);
    let rules = [
        "ACL SETUSER reads on >a-password-of-the-tests resetchannels &prices -@all +hello +ping +subscribe",
        "ACL SETUSER blind on >a-password-of-the-tests resetchannels -@all +hello +ping",
    ];
    for rule in rules {
        assert_eq!(
            redis_cli(port, &rule.split(' ').collect::<Vec<_>>()),
            "OK\n"
        );
    }
    let source = |user: &str| {
        let reads = format!("channels = [\"prices\"]\nuser = \"{user}\"");
        redis_source(&address, &reads)
    };
    let blind = TempDir::new().unwrap();
    let refused = start(blind.path(), &source("blind"));
    within(PATIENCE, "a refusal", || {
        refused.said().contains("NOPERM").then_some(())
    });
    let desk = start(folder.path(), &source("reads"));
    let _publisher = Publisher::start("redis_feed.py", &[port, "channel", "prices"]);
    until_health(&desk, "LIVE");
    assert!(!(desk.said() + &refused.said()).contains(PASSWORD));
    drop(server);
}

#[test]
fn a_cluster_is_refused_with_a_clear_word() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    // A port of its own: the next one may be a neighbouring test's.
    let bus = unused_address();
    let bus = bus.rsplit_once(':').unwrap().1;
    let more = ["--cluster-enabled", "yes", "--cluster-port", bus];
    let _server = RedisServer::start(folder.path(), port, &more);
    let desk = start(
        folder.path(),
        &redis_source(&address, "channels = [\"prices\"]"),
    );
    within(PATIENCE, "a clear word", || {
        let said = desk.said();
        said.contains("a Redis cluster is not supported")
            .then_some(())
    });
}
