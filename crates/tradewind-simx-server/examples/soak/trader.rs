//! One client: places orders by a schedule, folds its reports, and compares with the account all the time.
//!
//! Events and answers of one connection come in the exchange's order. So when the answer to `account.status` arrives, the
//! fold of everything before it must be that answer, to the last digit, however busy the market is.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::call::{Answer, Key, PATIENCE, Request, Verb};
use crate::checks::{Checks, Law};
use crate::moves::{self, Dice, Kind, Rules};
use crate::progress::Progress;
use crate::tape::Touches;
use crate::view::{Fill, View};
use crate::{Outcome, Socket};

/// An order every 19 ms: 52 a second, of which 50 are asked for.
pub(crate) const PERIOD: Duration = Duration::from_millis(19);
/// Between two comparisons with the account.
const AUDIT_EVERY: Duration = Duration::from_secs(3);
/// Instruments whose trades are compared each time.
const SYMBOLS_AT_ONCE: usize = 5;
/// Requests under way; the schedule waits, and catches up.
const PENDING_MAX: usize = 32;
/// Open orders above which something is cancelled before each order.
const OPEN_MAX: usize = 40;
const PAGE: usize = 1_000;

/// Which wire a client's orders take; its reports come over the WebSocket API in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Rest,
    Socket,
}

/// What a client needs.
pub(crate) struct Setup {
    pub(crate) key: Key,
    pub(crate) wire: Wire,
    pub(crate) address: String,
    pub(crate) http: reqwest::Client,
    pub(crate) rules: Arc<[Rules]>,
    pub(crate) touches: Touches,
    pub(crate) checks: Arc<Checks>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) seed: u64,
}

/// Why a request was sent.
#[derive(Clone, Debug)]
enum Purpose {
    Move(Kind),
    Tidy,
    Account,
    OpenOrders,
    Trades { symbol: String, from: i64 },
}

/// The client.
pub(crate) struct Trader {
    setup: Setup,
    socket: Socket,
    dice: Dice,
    view: View,
    pending: BTreeMap<u64, (Purpose, Instant)>,
    next_id: u64,
    rest: mpsc::Sender<(u64, Request)>,
    answers: mpsc::Receiver<(u64, Outcome<Answer>)>,
    worker: JoinSet<()>,
    /// The newest trade that was compared, by symbol.
    compared: BTreeMap<String, i64>,
    next_symbol: usize,
    accepted: u64,
    /// The last balances the account told.
    account: Value,
}

/// What is left of a client at the end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) view: View,
    pub(crate) account: Value,
}

impl Trader {
    /// Connects, subscribes to its reports and notes what it has.
    pub(crate) async fn open(setup: Setup) -> Outcome<Self> {
        let url = format!("ws://{}/ws-api/v3?returnRateLimits=false", setup.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        let (rest, requests) = mpsc::channel(PENDING_MAX * 2);
        let (replies, answers) = mpsc::channel(PENDING_MAX * 2);
        let mut worker = JoinSet::new();
        let (key, http, address) = (setup.key.clone(), setup.http.clone(), setup.address.clone());
        worker.spawn(serve_rest(key, http, address, requests, replies));
        let mut trader = Self {
            dice: Dice(setup.seed),
            setup,
            socket,
            view: View::default(),
            pending: BTreeMap::new(),
            next_id: 0,
            rest,
            answers,
            worker,
            compared: BTreeMap::new(),
            next_symbol: 0,
            accepted: 0,
            account: Value::Null,
        };
        trader.begin().await?;
        Ok(trader)
    }

    async fn begin(&mut self) -> Outcome<()> {
        for verb in [Verb::Subscribe, Verb::Account] {
            let text = self.setup.key.text(0, &Request::new(verb, []));
            self.socket.send(Message::text(text)).await?;
            let frame = loop {
                if let Some(frame) = frame(self.socket.next().await)? {
                    break frame;
                }
            };
            if frame["status"] != 200 {
                return Err(format!("{verb:?} was refused: {frame}").into());
            }
            if verb == Verb::Account {
                self.view.begin(&frame["result"])?;
            }
        }
        Ok(())
    }

    /// Trades for `span`, ends what is open, and compares once more.
    pub(crate) async fn run(mut self, span: Duration) -> Outcome<Finished> {
        let start = Instant::now();
        let mut due = start;
        let mut audit = start + AUDIT_EVERY;
        while start.elapsed() < span {
            if due <= Instant::now() && self.pending.len() < PENDING_MAX {
                due += PERIOD;
                self.order().await?;
            }
            if audit <= Instant::now() && self.pending.len() < PENDING_MAX {
                audit += AUDIT_EVERY;
                self.audit(SYMBOLS_AT_ONCE).await?;
            }
            let wake = if self.pending.len() < PENDING_MAX {
                due.min(audit)
            } else {
                start + span
            };
            self.listen(wake.min(start + span)).await?;
        }
        self.settle().await?;
        self.finish().await
    }

    /// Ends all orders, waits until the reports say so, and compares everything.
    async fn finish(mut self) -> Outcome<Finished> {
        let symbols: std::collections::BTreeSet<String> = self
            .view
            .open
            .values()
            .map(|order| order.symbol.clone())
            .collect();
        for symbol in symbols {
            let request = Request::new(Verb::CancelAll, [("symbol", symbol.as_str())]);
            self.send(Purpose::Tidy, request, self.setup.wire).await?;
            self.settle().await?;
        }
        let end = Instant::now() + PATIENCE;
        while !self.view.open.is_empty() && Instant::now() < end {
            self.listen(Instant::now() + Duration::from_millis(100))
                .await?;
        }
        // What is left does not move any more, so that REST clients can ask over their own wire.
        let all = self.setup.rules.len();
        self.audit_over(self.setup.wire, all).await?;
        self.settle().await?;
        let (accepted, reported) = (self.accepted, self.view.orders);
        self.setup
            .checks
            .look(Law::Acknowledged, accepted <= reported, || {
                format!(
                    "{}: {accepted} accepted, {reported} reported",
                    self.setup.key.name
                )
            });
        self.worker.shutdown().await;
        Ok(Finished {
            view: self.view,
            account: self.account,
        })
    }

    async fn order(&mut self) -> Outcome<()> {
        let at = usize::try_from(self.dice.below(self.setup.rules.len() as u64)).unwrap_or(0);
        let rules = Arc::clone(&self.setup.rules);
        let Some(rules) = rules.get(at) else {
            return Ok(());
        };
        let touch = {
            let touches = self
                .setup
                .touches
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            touches.get(&rules.symbol).copied()
        };
        let Some(touch) = touch else { return Ok(()) };
        if self.view.open.len() > OPEN_MAX || self.dice.below(4) == 0 {
            let cancel = moves::cancel(&mut self.dice, &self.view);
            self.act(cancel).await?;
        }
        if self.dice.below(10) == 0 {
            let amend = moves::amend(&mut self.dice, rules, &self.view);
            self.act(amend).await?;
        }
        let order = moves::order(&mut self.dice, rules, &touch, &self.view);
        self.setup.progress.order();
        self.act(Some(order)).await
    }

    async fn act(&mut self, chosen: Option<(Kind, Request)>) -> Outcome<()> {
        match chosen {
            Some((kind, request)) => {
                self.send(Purpose::Move(kind), request, self.setup.wire)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn send(&mut self, purpose: Purpose, request: Request, wire: Wire) -> Outcome<()> {
        self.next_id += 1;
        self.pending.insert(self.next_id, (purpose, Instant::now()));
        match wire {
            Wire::Rest => self.rest.send((self.next_id, request)).await?,
            Wire::Socket => {
                let text = self.setup.key.text(self.next_id, &request);
                tokio::time::timeout(PATIENCE, self.socket.send(Message::text(text))).await??;
            }
        }
        Ok(())
    }

    async fn audit(&mut self, symbols: usize) -> Outcome<()> {
        self.audit_over(Wire::Socket, symbols).await
    }

    async fn audit_over(&mut self, wire: Wire, symbols: usize) -> Outcome<()> {
        self.send(Purpose::Account, Request::new(Verb::Account, []), wire)
            .await?;
        self.send(
            Purpose::OpenOrders,
            Request::new(Verb::OpenOrders, []),
            wire,
        )
        .await?;
        for _ in 0..symbols {
            self.next_symbol = (self.next_symbol + 1) % self.setup.rules.len();
            if let Some(rules) = self.setup.rules.get(self.next_symbol) {
                let symbol = rules.symbol.clone();
                self.ask_trades(symbol, wire).await?;
            }
            // Pages of the last comparison may be more than fit at once.
            if self.pending.len() >= PENDING_MAX {
                self.settle().await?;
            }
        }
        Ok(())
    }

    async fn ask_trades(&mut self, symbol: String, wire: Wire) -> Outcome<()> {
        let from = self.compared.get(&symbol).copied().unwrap_or(0);
        let (text, limit) = (from.to_string(), PAGE.to_string());
        let params = [
            ("symbol", symbol.as_str()),
            ("fromId", &text),
            ("limit", &limit),
        ];
        let request = Request::new(Verb::Trades, params);
        self.send(Purpose::Trades { symbol, from }, request, wire)
            .await
    }

    /// Waits until nothing is under way.
    async fn settle(&mut self) -> Outcome<()> {
        let end = Instant::now() + PATIENCE;
        while !self.pending.is_empty() && Instant::now() < end {
            self.listen(end).await?;
        }
        self.setup
            .checks
            .look(Law::Answered, self.pending.is_empty(), || {
                format!("{}: {:?}", self.setup.key.name, self.pending)
            });
        self.pending.clear();
        Ok(())
    }

    /// Takes one event or answer, or lets the time come.
    async fn listen(&mut self, until: Instant) -> Outcome<()> {
        tokio::select! {
            biased;
            message = self.socket.next() => self.on_message(message).await,
            Some((id, answer)) = self.answers.recv() => self.on_answer(id, answer?).await,
            () = tokio::time::sleep_until(until.into()) => Ok(()),
        }
    }

    async fn on_message(&mut self, message: Received) -> Outcome<()> {
        let Some(mut frame) = frame(message)? else {
            return Ok(());
        };
        if frame["event"].is_object() {
            self.setup.progress.event(&frame["event"]);
            return self.view.fold(&frame["event"]);
        }
        let id = frame["id"].as_u64().ok_or("an answer without an id")?;
        let status = frame["status"].as_u64().unwrap_or_default();
        let body = if status == 200 {
            frame["result"].take()
        } else {
            frame["error"].take()
        };
        self.on_answer(id, Answer { status, body }).await
    }

    async fn on_answer(&mut self, id: u64, answer: Answer) -> Outcome<()> {
        let (purpose, sent) = self
            .pending
            .remove(&id)
            .ok_or("an answer nobody asked for")?;
        let checks = Arc::clone(&self.setup.checks);
        checks.look(Law::Answered, sent.elapsed() < PATIENCE, || {
            format!("{purpose:?} took too long")
        });
        match purpose {
            Purpose::Move(kind) => self.on_moved(kind, &answer),
            Purpose::Tidy => {}
            _ if !answer.is_ok() => {
                checks.look(Law::Answered, false, || format!("{purpose:?}: {answer:?}"))
            }
            Purpose::Account => {
                let name = &self.setup.key.name;
                let differs = self.view.differs_in_balances(&answer.body);
                checks.look(Law::Balances, differs.is_none(), || {
                    format!("{name}: {differs:?}")
                });
                let lost = self.view.is_not_conserved(&answer.body);
                checks.look(Law::Conservation, lost.is_none(), || {
                    format!("{name}: {lost:?}")
                });
                self.account = answer.body;
            }
            Purpose::OpenOrders => {
                let differs = self.view.differs_in_orders(&answer.body);
                checks.look(Law::OpenOrders, differs.is_none(), || {
                    format!("{}: {differs:?}", self.setup.key.name)
                });
            }
            Purpose::Trades { symbol, from } => self.on_trades(symbol, from, &answer.body).await?,
        }
        Ok(())
    }

    fn on_moved(&mut self, kind: Kind, answer: &Answer) {
        self.setup.progress.answered(kind, answer);
        if answer.is_ok() {
            self.accepted += match kind {
                Kind::Cancel | Kind::Amend => 0,
                Kind::OneCancelsOther => 2,
                _ => 1,
            };
        }
        // Balance, filters, unknown orders, a half done replacement, an amendment of what is gone or no longer smaller.
        let expected = matches!(
            answer.code(),
            -1013 | -2010 | -2011 | -2013 | -2021 | -2022 | -2038 | -2039
        );
        let offered = !crate::progress::is_not_offered(answer);
        self.setup.checks.look(
            Law::Refusals,
            answer.is_ok() || expected || !offered,
            || format!("{kind:?}: {} {}", answer.code(), answer.message()),
        );
    }

    /// Compares one page; a full one is followed by the next.
    async fn on_trades(&mut self, symbol: String, from: i64, body: &Value) -> Outcome<()> {
        let mut told: Vec<Fill> = serde_json::from_value(body.clone())?;
        let none = BTreeMap::new();
        let fills = self.view.fills.get(&symbol).unwrap_or(&none);
        let mut known: Vec<&Fill> = fills.range((from, 0)..).map(|(_, fill)| fill).collect();
        let is_full = told.len() >= PAGE;
        if is_full {
            // The last trade may have a second side on the next page, so it is compared there.
            let last = told.last().map_or(0, |fill| fill.id);
            told.retain(|fill| fill.id < last);
            known.retain(|fill| fill.id < last);
            self.compared.insert(symbol.clone(), last);
        } else if let Some(last) = told.last() {
            self.compared.insert(symbol.clone(), last.id);
        }
        told.sort_by_key(|fill| (fill.id, fill.order_id));
        let same = told.iter().eq(known.iter().copied()) && self.view.duplicates == 0;
        self.setup.checks.look(Law::Trades, same, || {
            let odd = told.iter().zip(&known).find(|(one, other)| one != *other);
            let (name, duplicates) = (&self.setup.key.name, self.view.duplicates);
            format!(
                "{name} {symbol} from {from}: {} told, {} known, {duplicates} twice; {odd:?}",
                told.len(),
                known.len()
            )
        });
        if is_full {
            self.ask_trades(symbol, self.setup.wire).await?;
        }
        Ok(())
    }
}

type Received = Option<Result<Message, tokio_tungstenite::tungstenite::Error>>;

/// The JSON of a text; pings and their like are none.
fn frame(message: Received) -> Outcome<Option<Value>> {
    match message.ok_or("the exchange closed the connection")?? {
        Message::Text(text) => Ok(Some(serde_json::from_str(&text)?)),
        Message::Close(frame) => {
            Err(format!("the exchange closed the connection: {frame:?}").into())
        }
        _ => Ok(None),
    }
}

/// Sends one request after the other, as a client with one connection does.
async fn serve_rest(
    key: Key,
    http: reqwest::Client,
    address: String,
    mut requests: mpsc::Receiver<(u64, Request)>,
    replies: mpsc::Sender<(u64, Outcome<Answer>)>,
) {
    while let Some((id, request)) = requests.recv().await {
        let answer = key.ask(&http, &address, &request).await;
        if replies.send((id, answer)).await.is_err() {
            return;
        }
    }
}
