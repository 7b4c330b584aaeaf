//! The soak: 20 clients, each with an account of its own, place random orders at the real binary, and nothing they can
//! see may ever contradict anything else they can see.
//!
//! `scripts/soak` builds and starts it; by hand: `cargo run -p tradewind-simx-server --example soak -- BINARY SECONDS [SEED]`.
//! It is a client: it links nothing of the exchange. Start with `trader.rs`; the laws are listed in `checks.rs`.

mod call;
mod checks;
mod exchange;
mod moves;
mod progress;
mod tape;
mod trader;
mod view;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;
use tradewind_model::Amount;

use crate::call::{Key, Request, Verb};
use crate::checks::{Checks, Law};
use crate::exchange::{Exchange, Opening};
use crate::moves::Rules;
use crate::progress::Progress;
use crate::tape::{Prints, Tape};
use crate::trader::{Finished, Setup, Trader, Wire};

/// What can go wrong with the soak itself; what is wrong with the exchange is a finding.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const CLIENTS: usize = 20;
/// Orders a second that each client must reach.
const RATE: u64 = 50;
const TOLD_EVERY: Duration = Duration::from_secs(10);

#[expect(clippy::print_stdout, reason = "this is a program for people")]
fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let soaked = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(soak()));
    match soaked {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("The soak broke off: {error}\nsoak: 0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is a program for people")]
async fn soak() -> Outcome<usize> {
    let mut words = std::env::args().skip(1);
    let binary = words
        .next()
        .ok_or("say which binary: soak BINARY SECONDS [SEED]")?;
    let seconds: u64 = words.next().map_or(Ok(600), |text| text.parse())?;
    let seed: u64 = words.next().map_or(Ok(1), |text| text.parse())?;
    let openings: Vec<Opening> = (0..CLIENTS).map(opening).collect();
    let exchange = Exchange::start(&binary, seed, &openings)?;
    let http = call::http_client()?;
    let rules = rules(&http, &exchange.address).await?;
    let symbols: Vec<String> = rules.iter().map(|rules| rules.symbol.clone()).collect();
    let (checks, progress) = (Arc::new(Checks::default()), Arc::new(Progress::default()));
    let tape = Tape::open(
        &exchange.address,
        &symbols,
        http.clone(),
        Arc::clone(&checks),
    )
    .await?;
    let touches = tape.touches();
    let done = CancellationToken::new();
    let mut watching = JoinSet::new();
    watching.spawn(tape.watch(done.clone()));

    let mut traders = JoinSet::new();
    let span = Duration::from_secs(seconds);
    for (number, opening) in openings.iter().enumerate() {
        let key = Key::new(&opening.key, &opening.secret);
        if number % 4 == 0 {
            let burn = Request::new(Verb::FeesInCoin, [("spotBNBBurn", "true")]);
            // An exchange that has no such choice takes its fees from what comes in.
            drop(key.ask(&http, &exchange.address, &burn).await?);
        }
        let trader = Trader::open(Setup {
            key,
            wire: if number % 2 == 0 {
                Wire::Rest
            } else {
                Wire::Socket
            },
            address: exchange.address.clone(),
            http: http.clone(),
            rules: Arc::clone(&rules),
            touches: Arc::clone(&touches),
            checks: Arc::clone(&checks),
            progress: Arc::clone(&progress),
            seed: seed.wrapping_mul(1_000_003).wrapping_add(number as u64),
        });
        traders.spawn(trader.await?.run(span));
    }
    println!(
        "{CLIENTS} clients, {} instruments, {seconds} s, seed {seed}, on {}",
        symbols.len(),
        exchange.address
    );
    let memory = tell(&exchange, &progress, &checks, span).await;
    let [orders, ..] = progress.counts();
    let wanted = seconds * RATE * CLIENTS as u64;
    checks.look(Law::Rate, orders >= wanted, || {
        format!("{orders} orders of {wanted}")
    });

    let mut finished = Vec::new();
    while let Some(ended) = traders.join_next().await {
        finished.push(ended??);
    }
    done.cancel();
    let prints = watching.join_next().await.ok_or("nobody watched")???;
    let own = check_two_sides(&finished, &prints, &checks);
    println!("\n{}", progress.table());
    println!("{}", sums(&finished)?);
    println!("{own}");
    println!(
        "orders/s reached: {:.1} in all",
        orders as f64 / span.as_secs_f64()
    );
    println!(
        "memory of the exchange, MiB: {}\n",
        memory_text(&memory, exchange.memory())
    );
    let (table, passed, failed) = checks.table();
    println!("{table}soak: {passed} passed, {failed} failed");
    Ok(failed)
}

/// Most are rich; every fifth is poor and meets refusals, some have the coin that pays fees.
fn opening(number: usize) -> Opening {
    const BASES: [&str; 24] = [
        "BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "TRX", "AVAX", "LINK", "DOT", "LTC", "BCH",
        "UNI", "NEAR", "APT", "ARB", "OP", "ATOM", "FIL", "ETC", "XLM", "SUI", "SHIB", "PEPE",
    ];
    let balances = if number % 5 == 4 {
        "USDT=900,ETH=0.2,XRP=300".to_owned()
    } else {
        let held = BASES.map(|base| format!("{base}=10000000000"));
        format!("USDT=10000000,BNB={},{}", number * 10, held.join(","))
    };
    Opening {
        key: format!("soak-{number}"),
        secret: format!("secret-{number}"),
        balances,
    }
}

async fn rules(http: &reqwest::Client, address: &str) -> Outcome<Arc<[Rules]>> {
    let url = format!("http://{address}/api/v3/exchangeInfo");
    let body = http.get(url).send().await?.bytes().await?;
    let listed: serde_json::Value = serde_json::from_slice(&body)?;
    let listed = listed["symbols"]
        .as_array()
        .ok_or("no instruments are listed")?;
    let rules: Option<Vec<Rules>> = listed.iter().map(Rules::read).collect();
    Ok(rules.ok_or("an instrument lacks its filters")?.into())
}

/// Says every ten seconds how it goes; gives the exchange's memory at each time.
#[expect(clippy::print_stdout, reason = "this is a program for people")]
async fn tell(
    exchange: &Exchange,
    progress: &Progress,
    checks: &Checks,
    span: Duration,
) -> Vec<u64> {
    let start = Instant::now();
    let mut memory = Vec::from_iter(exchange.memory());
    let mut before = 0;
    while start.elapsed() < span {
        let wait = TOLD_EVERY.min(span.saturating_sub(start.elapsed()));
        let from = Instant::now();
        tokio::time::sleep(wait).await;
        let [orders, answers, fills] = progress.counts();
        let rate = (orders - before) as f64 / from.elapsed().as_secs_f64();
        before = orders;
        memory.extend(exchange.memory());
        println!(
            "[{:>4} s] {orders} orders ({rate:.0}/s), {answers} answers, {fills} fills, {} broken, {} MiB",
            start.elapsed().as_secs(),
            checks.broken(),
            memory.last().copied().unwrap_or_default(),
        );
    }
    memory
}

fn memory_text(during: &[u64], end: Option<u64>) -> String {
    let or_dash = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let (start, middle) = (
        during.first().copied(),
        during.get(during.len() / 2).copied(),
    );
    format!(
        "{} at start, {} in the middle, {} at the end",
        or_dash(start),
        or_dash(middle),
        or_dash(end)
    )
}

/// Every fill was printed, and where two clients met, they met at opposite sides of one trade.
fn check_two_sides(finished: &[Finished], prints: &Prints, checks: &Checks) -> String {
    let mut trades: BTreeMap<(&str, i64), Vec<&view::Fill>> = BTreeMap::new();
    for client in finished {
        for fill in client.view.fills.values().flat_map(BTreeMap::values) {
            trades
                .entry((&fill.symbol, fill.id))
                .or_default()
                .push(fill);
        }
    }
    let mut between = 0;
    for ((symbol, id), sides) in &trades {
        let print = prints.get(*symbol).and_then(|prints| prints.get(id));
        let printed = sides.iter().all(|fill| {
            let buyer_waited = fill.is_buyer == fill.is_maker;
            print.is_some_and(|(price, quantity, m)| {
                *price == fill.price && *quantity == fill.qty && *m == buyer_waited
            })
        });
        let opposite = match sides.as_slice() {
            [_] => true,
            [one, other] => {
                between += 1;
                one.is_buyer != other.is_buyer && one.is_maker != other.is_maker
            }
            _ => false,
        };
        checks.look(Law::TwoSides, printed && opposite, || {
            format!("{symbol} {id}: printed {print:?}, sides {sides:?}")
        });
    }
    format!(
        "{} trades of clients, {between} of them between two; {} public trades",
        trades.len(),
        prints.values().map(BTreeMap::len).sum::<usize>()
    )
}

/// What all clients together had, paid and got; the last column is zero, or something came from nowhere.
fn sums(finished: &[Finished]) -> Outcome<String> {
    let mut rows: BTreeMap<String, [Amount; 4]> = BTreeMap::new();
    let mut sides: BTreeMap<(&str, i64), u32> = BTreeMap::new();
    let all = || {
        finished
            .iter()
            .flat_map(|client| client.view.fills.values().flat_map(BTreeMap::values))
    };
    for fill in all() {
        *sides.entry((&fill.symbol, fill.id)).or_default() += 1;
    }
    for client in finished {
        for (asset, amount) in client.view.start() {
            rows.entry(asset.clone()).or_default()[0] += *amount;
        }
        for (asset, free, locked) in view::balances_of(&client.account) {
            rows.entry(asset).or_default()[3] +=
                free.parse::<Amount>()? + locked.parse::<Amount>()?;
        }
    }
    for fill in all() {
        rows.entry(fill.commission_asset.clone()).or_default()[2] += fill.commission.parse()?;
        // Trades between two clients cancel out: only the market's are counted.
        if sides.get(&(fill.symbol.as_str(), fill.id)) == Some(&1) {
            let base = fill
                .symbol
                .strip_suffix("USDT")
                .ok_or("an instrument without USDT")?;
            let (quantity, quote): (Amount, Amount) = (fill.qty.parse()?, fill.quote_qty.parse()?);
            let (base_change, quote_change) = if fill.is_buyer {
                (quantity, -quote)
            } else {
                (-quantity, quote)
            };
            rows.entry(base.to_owned()).or_default()[1] += base_change;
            rows.entry("USDT".to_owned()).or_default()[1] += quote_change;
        }
    }
    let mut text = String::from(
        "asset                     start      from the market             fees                  end  lost\n",
    );
    for (asset, [start, market, fees, end]) in rows {
        let lost = start + market - fees - end;
        text += &format!("{asset:<6} {start:>24} {market:>20} {fees:>16} {end:>20}  {lost}\n");
    }
    Ok(text)
}
