//! The whole server without its sockets, files and threads: [`Core::handle`] takes what came in, [`Core::advance`] lets
//! time pass, and both leave in [`Out`] what is to be stored, answered and sent.
//!
//! It is driven by the exchange's task, which stores before it answers. Given the same inputs at the same times it leaves
//! the same bytes.

use std::net::IpAddr;
use std::time::Duration;

use tradewind_model::{
    AccountId, AssetTable, InstrumentId, Level, Price, Quantity, Quote, Timestamp,
};
use tradewind_simx::{
    Action, Answer, ClientId, Exchange, Execution, MarketEvent, OrderEvent, OrderReport, Outbox,
    Refusal,
};

use crate::faults::{Lens, Mischief, Stroke, Target};
use crate::market::Market;
use crate::order_log::{LogEvent, OrderLog};
use crate::persist::Record;
use crate::rest::{
    self, Amendments, KeyRing, Meters, PreventedMatches, RestAnswer, RestRequest, TimeUnit,
};
use crate::source::Source;
use crate::streams::connection::Effect;
use crate::streams::frames::Subject;
use crate::streams::{ConnectionId, Frames, Hub, Sources, Wish};
use crate::symbols::Symbols;
use crate::ws_api::session::Sessions;
use crate::ws_api::user_data::{Deposit, Teller, UserStreams};
use crate::ws_api::{self, Asker};

/// What can come in.
#[derive(Debug)]
pub(crate) enum In {
    /// A REST request; its answer carries the token.
    Rest { token: u64, request: RestRequest },
    /// A market-data connection begins, or wants its frames in another form.
    Form {
        connection: ConnectionId,
        wish: Wish,
    },
    /// A connection wants a stream.
    Subscribe {
        connection: ConnectionId,
        name: String,
    },
    /// A connection has enough of a stream.
    Unsubscribe {
        connection: ConnectionId,
        name: String,
    },
    /// A market-data connection, whose stamps have this unit, asked for something: all that it leads to, in order.
    Wishes {
        connection: ConnectionId,
        unit: TimeUnit,
        effects: Vec<Effect>,
    },
    /// A connection to the WebSocket API begins.
    OpenWsApi {
        connection: ConnectionId,
        address: IpAddr,
    },
    /// A text on a connection to the WebSocket API.
    WsApi { asker: Asker, text: String },
    /// A connection is told something.
    Answer {
        connection: ConnectionId,
        text: String,
    },
    /// A connection is to be closed behind its answers.
    Dismiss { connection: ConnectionId, code: u16 },
    /// A connection is gone.
    Close { connection: ConnectionId },
    /// The operator acts: no client can.
    Operator { action: Action },
    /// The market is held, or goes on.
    Pause { paused: bool },
    /// A held market moves on by this much of its own time.
    Step { span: Duration },
}

/// Entries that an emptied buffer keeps room for.
const KEPT_ROOM: usize = 1_024;

/// What is to be done about it, in this order: store `records`, then send `answers` and `frames`.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// What happened, for the log.
    pub(crate) records: Vec<Record>,
    /// Whether the records must be on disk before anything is sent.
    pub(crate) must_sync: bool,
    /// Answers to REST requests, by token.
    pub(crate) answers: Vec<(u64, RestAnswer)>,
    /// Frames to connections.
    pub(crate) frames: Frames,
    /// What goes wrong on the way.
    pub(crate) mischief: Mischief,
}

impl Out {
    /// The same buffers with nothing in them, and room for a usual turn: what a flood or a long pause needed is given back.
    pub(crate) fn emptied(mut self) -> Self {
        self.records.clear();
        self.records.shrink_to(KEPT_ROOM);
        self.answers.clear();
        self.answers.shrink_to(KEPT_ROOM);
        self.frames.clear();
        self.frames.shrink_to(KEPT_ROOM);
        self.must_sync = false;
        self.mischief = Mischief::default();
        self
    }
}

/// The exchange, its market, and everybody who watches.
pub(crate) struct Core {
    pub(crate) exchange: Exchange,
    pub(crate) market: Market,
    pub(crate) symbols: Symbols,
    pub(crate) keys: KeyRing,
    pub(crate) meters: Meters,
    pub(crate) users: UserStreams,
    pub(crate) sessions: Sessions,
    pub(crate) prevented: PreventedMatches,
    pub(crate) amendments: Amendments,
    pub(crate) started_at: Timestamp,
    /// The keys the accounts were opened with, by account id.
    pub(crate) account_keys: Vec<String>,
    /// How the market looks to the exchange.
    pub(crate) lens: Lens,
    /// How wrong the clock is that clients are judged by.
    pub(crate) skew_nanos: i64,
    /// Where it is written down what happens to orders.
    pub(crate) order_log: Option<OrderLog>,
    /// `None` only while it is being advanced.
    source: Option<Source>,
    counts_own_prints: bool,
    /// The time a held market stands at.
    held_at: Option<Timestamp>,
    hub: Hub,
    outbox: Outbox,
    out: Out,
    /// Whether records are wanted at all.
    keeps_records: bool,
    updated: Vec<Timestamp>,
    client_ids: u64,
    counters: Counters,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// How much happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Changes of the market: quotes, trades, levels.
    pub market_events: u64,
    /// Public trades.
    pub prints: u64,
    /// Orders taken.
    pub orders: u64,
    /// Executions of accounts' orders; a trade between two accounts counts twice.
    pub executions: u64,
    /// Frames handed to connections.
    pub frames: u64,
    /// Requests answered, over REST and the WebSocket API.
    pub requests: u64,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) exchange: Exchange,
    pub(crate) market: Market,
    pub(crate) source: Source,
    pub(crate) assets: AssetTable,
    pub(crate) keys: KeyRing,
    pub(crate) meters: Meters,
    pub(crate) started_at: Timestamp,
    pub(crate) keeps_records: bool,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            symbols: Symbols::new(parts.exchange.instruments(), parts.assets),
            updated: vec![parts.started_at; parts.exchange.accounts()],
            exchange: parts.exchange,
            market: parts.market,
            keys: parts.keys,
            meters: parts.meters,
            users: UserStreams::default(),
            sessions: Sessions::default(),
            prevented: PreventedMatches::default(),
            amendments: Amendments::default(),
            started_at: parts.started_at,
            counts_own_prints: parts.source.counts_own_prints(),
            source: Some(parts.source),
            held_at: None,
            account_keys: Vec::new(),
            lens: Lens::default(),
            skew_nanos: 0,
            order_log: None,
            hub: Hub::default(),
            outbox: Outbox::default(),
            out: Out::default(),
            keeps_records: parts.keeps_records,
            client_ids: 0,
            counters: Counters::default(),
        }
    }

    /// Lets the market move up to `now` and sends what became due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if let Some(mut source) = self.source.take_if(|_| self.held_at.is_none()) {
            source.advance(now, &mut |at, event| self.on_market(at, event));
            self.market.pass(now);
            source.minutes(&mut |instrument, minute| self.market.refill(instrument, minute));
            self.source = Some(source);
        }
        self.market.pass(now);
        let mut sources = Sources {
            now,
            exchange: &self.exchange,
            market: &mut self.market,
            symbols: &self.symbols,
        };
        self.hub.tick(&mut sources, &mut self.out.frames);
    }

    /// Handles one input; the market has been advanced to `now` before.
    pub(crate) fn handle(&mut self, now: Timestamp, input: In) {
        match input {
            In::Rest { token, request } => {
                let answer = rest::answer(self, now, &request);
                self.counters.requests += 1;
                self.out.answers.push((token, answer));
            }
            In::WsApi { asker, text } => {
                let answer = ws_api::answer(self, now, asker, &text);
                self.counters.requests += 1;
                self.out.frames.push((asker.connection, answer.into()));
            }
            // A connection that is one too many for the weight is told so by its first request.
            In::OpenWsApi {
                connection,
                address,
            } => {
                self.sessions.open(connection, now);
                drop(self.meters.charge(now, address, ws_api::CONNECT_WEIGHT));
            }
            In::Form { connection, wish } => self.hub.set_form(connection, wish),
            In::Subscribe { connection, name } => {
                let sources = Sources {
                    now,
                    exchange: &self.exchange,
                    market: &mut self.market,
                    symbols: &self.symbols,
                };
                self.hub.subscribe(connection, &name, &sources);
            }
            In::Unsubscribe { connection, name } => {
                self.hub.unsubscribe(connection, &name, &self.symbols)
            }
            In::Dismiss { connection, code } => {
                let behind = self.out.frames.len();
                let stroke = (behind, Target::One(connection), Stroke::Close(code));
                self.out.mischief.strokes.push(stroke);
            }
            In::Close { connection } => {
                self.hub.close(connection);
                self.users.close(connection);
                self.sessions.close(connection);
            }
            In::Operator { action } => drop(self.act(now, &action)),
            In::Wishes {
                connection,
                unit,
                effects,
            } => {
                for effect in effects {
                    self.handle(now, effect.into_input(connection, unit));
                }
            }
            In::Answer { connection, text } => self.out.frames.push((connection, text.into())),
            In::Pause { paused } => {
                self.held_at = paused.then(|| self.held_at.unwrap_or(now));
            }
            In::Step { span } => self.step(span),
        }
    }

    /// Does an action, records it and tells who must know; gives the executions of the order that was placed, too.
    pub(crate) fn act(
        &mut self,
        now: Timestamp,
        action: &Action,
    ) -> Result<(Answer, Vec<Execution>), Refusal> {
        self.outbox.clear();
        let answer = self.exchange.handle(now, action, &mut self.outbox)?;
        if self.keeps_records {
            self.out.records.push(Record::action(now, action.clone()));
        }
        self.out.must_sync = true;
        let fills = match answer {
            Answer::Order(order) => self
                .outbox
                .orders
                .iter()
                .filter_map(|report| match report.event {
                    OrderEvent::Filled(fill) if report.order.id == order.id => Some(fill),
                    _ => None,
                })
                .collect(),
            Answer::Account(_) | Answer::List(_) | Answer::Cancelled(_) | Answer::Done => {
                Vec::new()
            }
        };
        if let Action::Deposit {
            account,
            asset,
            amount,
        } = action
        {
            let deposit = Deposit {
                account: *account,
                asset: self.symbols.asset(*asset),
                amount: *amount,
            };
            let teller = Teller {
                now,
                exchange: &self.exchange,
                symbols: &self.symbols,
            };
            self.users
                .on_deposit(&teller, &deposit, &mut self.out.frames);
        }
        self.publish(now, instrument_of(action), self.counts_own_prints);
        Ok((answer, fills))
    }

    /// Somebody reads an instrument's whole book: the streams of its changes must go on from there.
    pub(crate) fn book_read(&mut self, instrument: InstrumentId) {
        self.hub.book_read(instrument, &self.exchange);
    }

    /// What happened to orders in the last action.
    pub(crate) fn reports(&self) -> &[OrderReport] {
        &self.outbox.orders
    }

    /// Moves a held market, and no other.
    fn step(&mut self, span: Duration) {
        let Some(until) = self.held_at.map(|held_at| held_at + span) else {
            return;
        };
        self.held_at = Some(until);
        if let Some(mut source) = self.source.take() {
            source.advance(until, &mut |at, event| self.on_market(at, event));
            self.source = Some(source);
        }
    }

    pub(crate) fn on_market(&mut self, at: Timestamp, event: MarketEvent<'_>) {
        if self.lens.is_clear() {
            return self.take_market(at, event);
        }
        let bent = self.lens.bend(at, event, self.exchange.instruments());
        if let Some(event) = &bent {
            self.take_market(at, event.as_event());
        }
    }

    fn take_market(&mut self, at: Timestamp, event: MarketEvent<'_>) {
        self.counters.market_events += 1;
        if self.keeps_records {
            self.out.records.push(Record::market(at, event));
        }
        self.outbox.clear();
        self.exchange.market(at, event, &mut self.outbox);
        let counted = self.counts_own_prints || matches!(event, MarketEvent::Trade(_));
        self.publish(at, Some(event.instrument()), counted);
    }

    /// Tells everybody what the outbox holds; `counted` says whether its prints belong in the candles.
    fn publish(&mut self, at: Timestamp, instrument: Option<InstrumentId>, counted: bool) {
        self.publish_market(at, instrument, counted);
        if self.outbox.orders.is_empty() && self.outbox.balances.is_empty() {
            return;
        }
        self.out.must_sync = true;
        let teller = Teller {
            now: at,
            exchange: &self.exchange,
            symbols: &self.symbols,
        };
        self.prevented.note(&self.outbox.orders, &self.exchange);
        self.amendments.note(&self.outbox.orders);
        if let Some(log) = &self.order_log {
            let reports = self.outbox.orders.iter();
            let lines = reports.filter_map(|report| LogEvent::report(self, report));
            lines.for_each(|line| log.write(&line));
        }
        let mut lists = self.outbox.lists.iter().peekable();
        for (index, report) in self.outbox.orders.iter().enumerate() {
            while let Some(list) = lists.next_if(|list| list.after_orders <= index) {
                self.users.on_list(&teller, list, &mut self.out.frames);
            }
            let account = report.order.account;
            match report.event {
                OrderEvent::Accepted => self.counters.orders += 1,
                OrderEvent::Filled(fill) => {
                    self.counters.executions += 1;
                    // An order that traded, if only once, no longer counts as unfilled.
                    if report.order.filled == fill.quantity {
                        self.meters.forgive_order(at, account);
                    }
                }
                OrderEvent::Activated
                | OrderEvent::Amended { .. }
                | OrderEvent::Cancelled { .. }
                | OrderEvent::Expired(_) => {}
            }
            let prevented = self.prevented.of(&report.order);
            self.users
                .on_report(&teller, report, prevented, &mut self.out.frames);
        }
        for list in lists {
            self.users.on_list(&teller, list, &mut self.out.frames);
        }
        self.users
            .on_balances(&teller, &self.outbox.balances, &mut self.out.frames);
        for change in &self.outbox.balances {
            if change.account.index() >= self.updated.len() {
                self.updated.resize(change.account.index() + 1, at);
            }
            self.updated[change.account.index()] = at;
        }
    }

    fn publish_market(&mut self, at: Timestamp, instrument: Option<InstrumentId>, counted: bool) {
        let Some(instrument) =
            instrument.and_then(|id| self.exchange.instruments().get(id.index()))
        else {
            return;
        };
        let subject = Subject {
            symbol: self.symbols.name(instrument.id),
            instrument,
            now: at,
            unit: TimeUnit::default(),
        };
        for print in &self.outbox.prints {
            self.counters.prints += 1;
            self.market.record(at, print, counted);
            self.hub.on_print(subject, print, &mut self.out.frames);
        }
        self.hub
            .on_book(subject, &self.exchange, &mut self.out.frames);
    }

    /// Takes what is to be done, and gives back `used` to be filled next.
    pub(crate) fn take_out(&mut self, used: Out) -> Out {
        let out = std::mem::replace(&mut self.out, used.emptied());
        self.counters.frames += u64::try_from(out.frames.len()).unwrap_or(u64::MAX);
        out
    }

    /// Where the market's events come from.
    pub(crate) const fn source(&self) -> &Source {
        self.source
            .as_ref()
            .expect("nobody asks while the source is being advanced")
    }

    /// Whether the market will never move again.
    pub(crate) fn market_ended(&self) -> bool {
        self.source().has_ended()
    }

    /// Writes a line into the order log, if there is one.
    pub(crate) fn log(&self, line: impl FnOnce() -> LogEvent) {
        if let Some(log) = &self.order_log {
            log.write(&line());
        }
    }

    /// The time as clients are told it.
    pub(crate) const fn shown(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_nanos(now.as_nanos().saturating_add(self.skew_nanos))
    }

    /// Whether the market is held.
    pub(crate) const fn is_paused(&self) -> bool {
        self.held_at.is_some()
    }

    /// How much happened.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many streams are being sent.
    pub(crate) fn streams(&self) -> usize {
        self.hub.len()
    }

    /// Ends one of a connection's user data streams, or all of them, and tells it so; how many.
    pub(crate) fn end_user_streams(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        only: Option<u64>,
    ) -> usize {
        self.users.end(now, connection, only, &mut self.out.frames)
    }

    /// A name for an order or a cancel whose client gave none.
    pub(crate) fn next_client_id(&mut self, now: Timestamp) -> ClientId {
        self.client_ids += 1;
        let text = format!(
            "simx{:016x}{:08x}",
            now.as_nanos(),
            self.client_ids & 0xFFFF_FFFF
        );
        ClientId::new(&text).expect("28 letters and digits are a client id")
    }

    /// When an account's balances last changed.
    pub(crate) fn account_updated(&self, account: AccountId) -> Timestamp {
        self.updated
            .get(account.index())
            .copied()
            .unwrap_or(self.started_at)
    }

    /// The last price: of the newest trade, or of the history before there was one.
    pub(crate) fn last_price(&mut self, instrument: InstrumentId, now: Timestamp) -> Option<Price> {
        if let Some(print) = self.exchange.last_trade(instrument) {
            return Some(print.price);
        }
        let minute = tradewind_model::Interval::Minute1;
        self.market
            .kline_at(instrument, minute, now)
            .map(|kline| kline.close)
    }
}

/// Best bid and ask, zero on a side that is empty, as the venue tells it.
pub(crate) fn touch_or_zero(exchange: &Exchange, instrument: InstrumentId) -> Quote {
    let nothing = Level {
        price: Price(0),
        quantity: Quantity::ZERO,
    };
    let [bid, ask] = exchange
        .best(instrument)
        .map(|level| level.unwrap_or(nothing));
    Quote {
        instrument,
        bid: bid.price,
        ask: ask.price,
        bid_quantity: bid.quantity,
        ask_quantity: ask.quantity,
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn instrument_of(action: &Action) -> Option<InstrumentId> {
    match action {
        Action::Submit(order) => Some(order.instrument),
        Action::Cancel(cancel) => Some(cancel.instrument),
        Action::SubmitList(list) => Some(list.instrument),
        Action::CancelList(cancel) => Some(cancel.instrument),
        Action::Amend(amend) => Some(amend.instrument),
        Action::CancelAll { instrument, .. }
        | Action::SetStatus { instrument, .. }
        | Action::ExpireAll { instrument } => Some(*instrument),
        Action::SetRules(rules) => Some(rules.id),
        Action::OpenAccount | Action::Deposit { .. } | Action::PayFeesIn { .. } => None,
    }
}

#[cfg(test)]
mod tests;
