//! Serves a simulated exchange until Ctrl-C: `cargo run --example serve -- 127.0.0.1:9700 [RECORDING [SPEED]]`.
//!
//! One account, key `key` and secret `secret`. Its state is kept where `SIMX_DATA` says, if it does.

use std::error::Error;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tradewind_model::{DeskClock, Ppm};
use tradewind_simx::FillModel;
use tradewind_simx_server::{HISTORY, Limits, MarketChoice, Recording, Server, ServerOptions};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is a program for people")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let listen = words
        .next()
        .unwrap_or_else(|| "127.0.0.1:9700".to_owned())
        .parse()?;
    let recording = words
        .next()
        .map(|path| Recording::open(path.as_ref()))
        .transpose()?;
    let speed: i64 = words.next().map_or(Ok(1), |speed| speed.parse())?;
    let clock = Arc::new(
        recording
            .as_ref()
            .map_or_else(DeskClock::system, |recording| {
                DeskClock::new(recording.starts_at(), Ppm(speed * Ppm::ONE.0))
            }),
    );
    let market = recording.map_or(MarketChoice::Generated { seed: 7 }, |recording| {
        MarketChoice::Recorded(Box::new(recording))
    });
    let server = Server::bind(ServerOptions {
        listen,
        data_dir: std::env::var_os("SIMX_DATA").map(Into::into),
        accounts: vec!["key:secret:USDT=100000,BTC=1".parse()?],
        market,
        limits: Limits::Venue,
        fill: FillModel::Book,
        history: HISTORY,
        clock,
    })?;
    println!("Listening on {}", server.local_addr());
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let (served, signal) = tokio::join!(server.run(shutdown), async move {
        let signal = tokio::signal::ctrl_c().await;
        stop.cancel();
        signal
    });
    signal?;
    Ok(served?)
}
