//! Quotes over the example's transport reach a desk's engine, also after the feed was away.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::sync::Arc;
use std::time::Duration;

use example_protocol::LineProtocol;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{Input, Outputs, Started};
use tradewind_model::{Candle, Depth, ManualClock, Price, Quote, Timestamp, Trade};
use tradewind_testkit::{SPOT, configuration, spot};
use tradewind_venues::{
    Address, DataSource, HealthChange, MarketSink, SourceSettings, TcpConnector, ToMarketSink,
    Topic, client_config,
};

/// What a source says, as inputs of an engine.
#[derive(Debug)]
struct Inputs(mpsc::UnboundedSender<Input>);

impl MarketSink for Inputs {
    fn quote(&self, quote: Quote) {
        self.0.send(Input::Quote(quote)).unwrap();
    }

    fn trade(&self, _: Trade) {}

    fn candle(&self, _: Candle) {}

    fn depth(&self, _: Box<Depth>) {}

    fn health(&self, _: &HealthChange) {}

    fn failed(&self, topic: Topic, reason: &str) {
        panic!("{topic:?}: {reason}");
    }
}

/// Grants what is subscribed to and sends a quote each, and closes after so many requests or when the desk has.
async fn serve(socket: TcpStream, requests: usize, bid: u32) {
    let mut lines = BufReader::new(socket).lines();
    for _ in 0..requests {
        let Ok(Some(line)) = lines.next_line().await else {
            return;
        };
        let answer = match line.split(' ').collect::<Vec<_>>()[..] {
            ["SUB", request, symbol] => {
                format!("OK {request}\nQ {symbol} {bid}.50 1.5 {bid}.75 2\nnonsense\n")
            }
            ["PING"] => "PONG\n".to_owned(),
            _ => panic!("{line}"),
        };
        lines.get_mut().write_all(answer.as_bytes()).await.unwrap();
    }
    lines.get_mut().shutdown().await.unwrap();
}

#[tokio::test]
async fn quotes_of_a_transport_of_ones_own_reach_the_engine() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::tcp(listener.local_addr().unwrap()).unwrap();
    let symbols: Arc<[_]> = vec![("BTC/USDT".to_owned(), spot())].into();
    let (sender, mut inputs) = mpsc::unbounded_channel();
    let mut source = DataSource::new(
        "lines",
        move || LineProtocol::new(address.clone(), Arc::clone(&symbols)),
        ToMarketSink(Arc::new(Inputs(sender))),
        SourceSettings::default(),
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::<ManualClock>::default(),
        1,
    );
    source.want([Topic::Quotes(SPOT)]);
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let until = stop.clone();
    tasks.spawn(async move { source.run(until).await });
    tasks.spawn(async move {
        // The first connection is dropped behind its quote.
        let (first, _) = listener.accept().await.unwrap();
        serve(first, 1, 60_000).await;
        let (second, _) = listener.accept().await.unwrap();
        serve(second, usize::MAX, 61_000).await;
    });

    let mut engine = Engine::new(StrategySource::built_in());
    let mut outputs = Outputs::default();
    let mut handle = |input: &Input| engine.handle(Timestamp::EPOCH, input, &mut outputs);
    handle(&Input::Configured(Box::new(configuration())));
    handle(&Input::Started(Started {
        instance: 1,
        epoch: 1,
        killed: false,
        former: Vec::new(),
    }));
    let mut bids = Vec::new();
    while bids.len() < 2 {
        let next = tokio::time::timeout(Duration::from_secs(20), inputs.recv()).await;
        let input = next.unwrap().unwrap();
        handle(&input);
        if let Input::Quote(quote) = input {
            bids.push(quote.bid);
        }
    }
    assert_eq!(bids, [Price(6_000_050), Price(6_100_050)]);
    stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}
