//! The engine with a clock that tests move. All outputs are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_driver::Timers;
use tradewind_engine::{Engine, Recorded, StrategySource, recover};
use tradewind_events::{
    AccountState, Action, Command, CommandResult, Configuration, Event, EventKind, EventType,
    Input, Intent, OpenOrder, Output, Outputs, Principal, Started, Timer,
};
use tradewind_model::{
    Amount, AssetId, Candle, ClientOrderId, ExecutionReport, Fill, InstrumentId, Liquidity, Money,
    OrderTerms, OwnerId, Price, Quantity, ReportKind, Timestamp, TradeId, VenueOrderId,
};

use crate::fixtures::{ACCOUNT, SPOT, START, USDT, quote};

/// A driver for tests: inputs in, everything that comes out is kept, timers ring when the clock passes them.
#[derive(Debug)]
pub struct Desk {
    /// The engine.
    pub engine: Engine,
    /// Now.
    pub now: Timestamp,
    /// Everything that came out since it was last taken.
    pub log: Vec<Output>,
    timers: Timers,
    trades: u64,
    commands: u128,
    starts: u32,
    journal: Vec<(u64, Timestamp, Written)>,
}

/// A record of the desk's journal.
#[derive(Clone, Debug)]
enum Written {
    Input(Input),
    Intent(Intent),
    Event(Event),
}

impl Written {
    const fn record(&self) -> Recorded<'_> {
        match self {
            Self::Input(input) => Recorded::Input(input),
            Self::Intent(intent) => Recorded::Intent(intent),
            Self::Event(event) => Recorded::Event(event),
        }
    }
}

impl Desk {
    /// A desk that was configured and started; its account was not read yet.
    #[must_use]
    pub fn unreconciled(configuration: Configuration, strategies: StrategySource) -> Self {
        let mut desk = Self {
            engine: Engine::new(strategies),
            now: START,
            log: Vec::new(),
            timers: Timers::default(),
            trades: 0,
            commands: 0,
            starts: 0,
            journal: Vec::new(),
        };
        desk.start(configuration);
        desk
    }

    /// The next start of this desk after a crash: its engine is recovered from all it has written. Its account was not read
    /// again yet.
    ///
    /// # Panics
    /// Never: without a snapshot nothing can be refused.
    #[must_use]
    pub fn restarted(&self, configuration: Configuration, strategies: StrategySource) -> Self {
        let records = self.journal.iter();
        let tail = records.map(|(seq, at, written)| (*seq, *at, written.record()));
        let engine = recover(strategies, None, tail).expect("there is no snapshot to refuse");
        let mut desk = Self {
            engine,
            now: self.now,
            log: Vec::new(),
            timers: Timers::default(),
            trades: self.trades,
            commands: self.commands,
            starts: self.starts,
            journal: self.journal.clone(),
        };
        desk.start(configuration);
        desk
    }

    fn start(&mut self, configuration: Configuration) {
        self.starts += 1;
        self.input(&Input::Configured(Box::new(configuration)));
        self.input(&Input::Started(Started {
            instance: 7,
            epoch: self.starts,
            killed: false,
            former: Vec::new(),
        }));
    }

    /// A desk whose account holds 100,000 `USDT`; its bots are given their turns and the first of them runs.
    #[must_use]
    pub fn started(configuration: Configuration, strategies: StrategySource) -> Self {
        let mut desk = Self::unreconciled(configuration, strategies);
        desk.account(&[(USDT, Amount::whole(100_000))]);
        desk.advance(Duration::ZERO);
        desk
    }

    /// Hands the engine an input and returns its outputs.
    pub fn input(&mut self, input: &Input) -> Outputs {
        let mut outputs = Outputs::new();
        self.engine.handle(self.now, input, &mut outputs);
        self.write(input, &outputs);
        for output in &outputs {
            match output {
                Output::SetTimer(at, timer) => self.timers.set(*at, *timer),
                Output::CancelTimer(timer) => self.timers.cancel(*timer),
                _ => {}
            }
        }
        self.log.extend(outputs.iter().cloned());
        outputs
    }

    fn write(&mut self, input: &Input, outputs: &[Output]) {
        let (seq, at) = (self.engine.seq(), self.now);
        let followed = outputs.iter().filter_map(|output| match output {
            Output::Event(event) => Some(Written::Event(event.clone())),
            Output::Submit(intent, _) => Some(Written::Intent(intent.clone())),
            _ => None,
        });
        let written = std::iter::once(Written::Input(input.clone())).chain(followed);
        self.journal
            .extend(written.map(|written| (seq, at, written)));
    }

    /// Moves the clock; timers that become due ring in order of time.
    pub fn advance(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(due) = self.timers.next_due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            if let Some(timer) = self.timers.pop_due(due) {
                self.input(&Input::Timer(timer));
            }
        }
        self.now = until;
    }

    /// When a timer is due, if it is set.
    #[must_use]
    pub fn timer(&self, timer: Timer) -> Option<Timestamp> {
        self.timers.due(timer)
    }

    /// The account as the venue shows it, without orders or fills.
    pub fn account(&mut self, balances: &[(AssetId, Amount)]) -> Outputs {
        self.input(&Input::Account(Box::new(AccountState {
            account: ACCOUNT,
            balances: balances.to_vec(),
            open_orders: Vec::new(),
            fills: Vec::new(),
        })))
    }

    /// The account as the venue shows it if the books are right: with what every owner has, and the open orders.
    pub fn read_account(&mut self) -> Outputs {
        let view = self.engine.view();
        let mut totals = BTreeMap::new();
        for held in view.balances {
            *totals.entry(held.asset).or_insert(Amount::ZERO) += held.amount;
        }
        let orders = view.orders.into_iter().map(|order| OpenOrder {
            terms: order.terms,
            venue_order_id: order.venue_order_id.unwrap_or(VenueOrderId(9)),
            filled: order.filled,
            adopted: None,
            list: None,
        });
        self.input(&Input::Account(Box::new(AccountState {
            account: ACCOUNT,
            balances: totals.into_iter().collect(),
            open_orders: orders.collect(),
            fills: Vec::new(),
        })))
    }

    /// A quote of the spot instrument, in cents.
    pub fn quote(&mut self, bid: i64, ask: i64) -> Outputs {
        self.quote_of(SPOT, bid, ask)
    }

    /// A quote.
    pub fn quote_of(&mut self, instrument: InstrumentId, bid: i64, ask: i64) -> Outputs {
        self.input(&Input::Quote(quote(instrument, bid, ask, self.now)))
    }

    /// A candle that closed just now, if the clock is before its close; the clock moves there.
    pub fn candle(&mut self, candle: &Candle) -> Outputs {
        self.advance(candle.close_time().since(self.now));
        self.input(&Input::Candle(*candle))
    }

    /// A command by the local operator.
    pub fn command(&mut self, action: Action) -> CommandResult {
        self.commands += 1;
        let command = Command {
            id: self.commands,
            principal: Principal::Local,
            issued_at: self.now,
            expires_at: None,
            action,
        };
        let outputs = self.input(&Input::Command(Box::new(command)));
        let reply = outputs.iter().find_map(|output| match output {
            Output::Reply(_, result) => Some(result.clone()),
            _ => None,
        });
        reply.expect("every command is answered")
    }

    /// The venue's report on an order.
    pub fn report(
        &mut self,
        terms: &OrderTerms,
        kind: ReportKind,
        cumulative: Option<i64>,
    ) -> Outputs {
        let report = report(terms, kind, cumulative.map(Quantity), self.now);
        self.input(&Input::Report(Box::new(report)))
    }

    /// A fill the venue could make of an order, with the next trade id and no fee.
    pub fn fill_of(&mut self, terms: &OrderTerms, quantity: i64, price: i64) -> Fill {
        self.trades += 1;
        Fill {
            account: terms.account,
            instrument: terms.instrument,
            trade_id: TradeId(self.trades),
            venue_order_id: VenueOrderId(9),
            client_id: terms.client_id,
            side: terms.side,
            price: Price(price),
            quantity: Quantity(quantity),
            fee: Money {
                asset: USDT,
                amount: Amount::ZERO,
            },
            liquidity: Liquidity::Taker,
            event_time: self.now,
        }
    }

    /// The venue takes the order and fills it whole at `price`.
    pub fn fill(&mut self, terms: &OrderTerms, price: i64) -> Outputs {
        self.report(terms, ReportKind::Accepted, Some(0));
        let fill = self.fill_of(terms, terms.quantity.0, price);
        self.report(terms, ReportKind::Filled(fill), Some(terms.quantity.0))
    }

    /// Every order sent so far, oldest first.
    #[must_use]
    pub fn orders(&self) -> Vec<OrderTerms> {
        let submits = self.log.iter().filter_map(|output| match output {
            Output::Submit(intent, checked) => {
                assert_eq!(&intent.terms, checked.terms(), "what is sent was checked");
                Some(intent.terms)
            }
            _ => None,
        });
        submits.collect()
    }

    /// The order sent last.
    #[must_use]
    pub fn last_order(&self) -> OrderTerms {
        *self.orders().last().expect("an order was sent")
    }

    /// Orders whose cancel the desk has sent, oldest cancel first.
    #[must_use]
    pub fn cancels(&self) -> Vec<ClientOrderId> {
        let cancels = self.log.iter().filter_map(|output| match output {
            Output::Cancel { client_id, .. } => Some(*client_id),
            _ => None,
        });
        cancels.collect()
    }

    /// Orders the desk has queried at the venue.
    #[must_use]
    pub fn queries(&self) -> Vec<ClientOrderId> {
        let queries = self.log.iter().filter_map(|output| match output {
            Output::Query { client_id, .. } => Some(*client_id),
            _ => None,
        });
        queries.collect()
    }

    /// Every announcement so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let events = self.log.iter().filter_map(|output| match output {
            Output::Event(event) => Some(event.clone()),
            _ => None,
        });
        events.collect()
    }

    /// How many announcements of a type there were.
    #[must_use]
    pub fn count(&self, wanted: EventType) -> usize {
        let of_type = |event: &&Event| event.kind.event_type() == wanted;
        self.events().iter().filter(of_type).count()
    }

    /// The last announcement of a type.
    #[must_use]
    pub fn last(&self, wanted: EventType) -> EventKind {
        let events = self.events();
        let found = events
            .into_iter()
            .rev()
            .find(|event| event.kind.event_type() == wanted);
        found.expect("there was such an event").kind
    }

    /// What caused the announcements of a type: `None` where nothing is named.
    #[must_use]
    pub fn causes(&self, of: EventType) -> Vec<Option<EventType>> {
        let events = self.events();
        let type_of = |id| events.iter().find(|event| event.id == id);
        let caused = events.iter().filter(|event| event.kind.event_type() == of);
        caused
            .map(|event| Some(type_of(event.cause?)?.kind.event_type()))
            .collect()
    }

    /// What bots hold in an instrument, summed.
    #[must_use]
    pub fn held_by_bots(&self, instrument: InstrumentId) -> i64 {
        let view = self.engine.view();
        let of_bots = view.positions.iter().filter(|position| {
            position.instrument == instrument && matches!(position.owner, OwnerId::Bot(_))
        });
        of_bots.map(|position| position.quantity.0).sum()
    }

    /// The desk's positions as (bot or not, signed quantity) in an instrument, summed.
    #[must_use]
    pub fn held(&self, instrument: InstrumentId) -> i64 {
        let view = self.engine.view();
        let positions = view
            .positions
            .iter()
            .filter(|position| position.instrument == instrument);
        positions.map(|position| position.quantity.0).sum()
    }
}

/// A report on an order.
pub(crate) const fn report(
    terms: &OrderTerms,
    kind: ReportKind,
    cumulative: Option<Quantity>,
    at: Timestamp,
) -> ExecutionReport {
    ExecutionReport {
        account: terms.account,
        instrument: terms.instrument,
        client_id: terms.client_id,
        venue_order_id: Some(VenueOrderId(9)),
        kind,
        cumulative,
        event_time: Some(at),
    }
}
