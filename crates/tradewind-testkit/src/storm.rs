//! Inputs of every kind from a seed: a market that walks, a venue that answers in any order and sometimes twice, people
//! who give commands, lanes that are late, and now and then complete nonsense.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_events::{
    AccountState, Action, CandleHistory, Command, Configuration, Evaluation, EvaluationError,
    EvaluationOutcome, EvaluationRequest, Funding, Input, Lane, Output, Principal, Started,
    StopMode, StorageHealth, Timer, WakeRule,
};
use tradewind_model::{
    Amount, BotId, Candle, Decimal, Decision, Depth, ExecutionReport, ExitPlan, FeedHealth, Fill,
    Interval, Level, LimitPolicy, Liquidity, Money, NotSentReason, OnTimeout, OrderKind,
    OrderPolicy, OrderTerms, Parameter, Ppm, Price, Quantity, Reason, RejectReason,
    ReportKind, Side, Stop, Target, TimeInForce, Timestamp, Trade, TradeId,
};

use crate::desk::report;
use crate::fixtures::{
    ACCOUNT, BTC, PERPETUAL, SPOT, START, USDT, bot, configuration, quote, spot,
};

/// Most open orders the venue remembers to report on.
const ORDERS_KEPT: usize = 32;

/// A source of inputs. It must be shown every output: it answers orders, requests and timers.
#[derive(Debug)]
pub struct Storm {
    dice: u64,
    at: Timestamp,
    made: u64,
    total: u64,
    bid: i64,
    minute: Timestamp,
    candle: Candle,
    orders: Vec<(OrderTerms, i64)>,
    timers: BTreeSet<(Timestamp, Timer)>,
    set: BTreeMap<Timer, Timestamp>,
    requests: Vec<EvaluationRequest>,
    histories: Vec<Input>,
    last_report: Option<ExecutionReport>,
    trades: u64,
    commands: u128,
}

impl Storm {
    /// The storm of `seed`, `total` inputs long: in the last hundredth the desk is told to stop.
    #[must_use]
    pub fn new(seed: u64, total: u64) -> Self {
        Self {
            dice: seed,
            at: START,
            made: 0,
            total,
            bid: 10_000,
            minute: START,
            candle: crate::fixtures::candle(0, 10_000),
            orders: Vec::new(),
            timers: BTreeSet::new(),
            set: BTreeMap::new(),
            requests: Vec::new(),
            histories: Vec::new(),
            last_report: None,
            trades: 0,
            commands: 0,
        }
    }

    /// The desk of the storm: built-in strategies of every kind, one of which panics and one of which has its own lane.
    #[must_use]
    pub fn configuration() -> Configuration {
        let whole = |value| Parameter::Number(Decimal::whole(value));
        let named = |id: u32, strategy: &str| tradewind_events::BotConfig {
            strategy: strategy.to_owned(),
            ..bot(id)
        };
        let candles = vec![WakeRule::Candles(Interval::Minute1)];
        let mut cross = named(0, "ma_cross");
        cross.wakes = vec![WakeRule::Quotes];
        cross.exit = ExitPlan {
            stop: Stop::Distance(Ppm(5_000)),
            trailing: Some(Ppm(4_000)),
            take_profit: Some(Ppm(9_000)),
            time: Some(Duration::from_secs(600)),
            profit_by_age: vec![(Duration::from_secs(60), Ppm(2_000))],
        };
        let mut patient = named(1, "ma_cross");
        patient.wakes = vec![WakeRule::Quotes];
        patient.parameters =
            BTreeMap::from([("fast".to_owned(), whole(3)), ("slow".to_owned(), whole(8))]);
        patient.policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm(100),
            post_only: true,
            timeout: Some(Duration::from_secs(5)),
            chases: 2,
            then: OnTimeout::Cross,
        });
        let mut reversion = named(2, "rsi_reversion");
        reversion.wakes.clone_from(&candles);
        let mut timer = named(3, "momentum_timer");
        timer.wakes = vec![WakeRule::Every(Duration::from_secs(900))];
        let mut panics = named(4, "fault_panic");
        panics.wakes.clone_from(&candles);
        let mut slow = named(5, "ma_cross");
        slow.wakes = vec![WakeRule::Quotes];
        slow.lane = Lane::Thread;
        let mut divides = named(6, "fault_divide");
        divides.wakes = candles;
        let bots = vec![cross, patient, reversion, timer, panics, slow, divides];
        Configuration {
            bots,
            // Every quote is told, so that a changed one shows even where nobody acts on it.
            announce_quotes: true,
            ..configuration()
        }
    }

    /// The next input and its time, which never decreases.
    pub fn next_input(&mut self) -> (Timestamp, Input) {
        self.made += 1;
        let input = match self.made {
            1 => Input::Configured(Box::new(Self::configuration())),
            2 => Input::Started(Started {
                instance: 1,
                epoch: 1,
                killed: false,
            }),
            3 => self.account(),
            made if made == self.total - self.total / 100 => Input::Stopping,
            _ => self.any(),
        };
        (self.at, input)
    }

    /// Takes note of what the engine wants.
    pub fn observe(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Submit(intent, _) => {
                    self.orders.push((intent.terms, 0));
                    if self.orders.len() > ORDERS_KEPT {
                        self.orders.remove(0);
                    }
                }
                Output::SetTimer(at, timer) => {
                    self.silence(*timer);
                    self.set.insert(*timer, *at);
                    self.timers.insert((*at, *timer));
                }
                Output::CancelTimer(timer) => self.silence(*timer),
                Output::Evaluate(request) => self.requests.push((**request).clone()),
                Output::RequestCandles {
                    instrument,
                    interval,
                    ..
                } => {
                    let history = CandleHistory {
                        instrument: *instrument,
                        interval: *interval,
                        candles: Vec::new(),
                    };
                    self.histories.push(Input::Candles(Box::new(history)));
                }
                _ => {}
            }
        }
    }

    /// Moves one tick of a quote; false if the input is none.
    pub fn nudge(input: &mut Input) -> bool {
        if let Input::Quote(quote) = input {
            quote.ask.0 += 1;
            return true;
        }
        false
    }

    fn silence(&mut self, timer: Timer) {
        if let Some(at) = self.set.remove(&timer) {
            self.timers.remove(&(at, timer));
        }
    }

    fn any(&mut self) -> Input {
        self.at = self.at + Duration::from_millis(self.below(120));
        if let Some((_, timer)) = self
            .timers
            .first()
            .copied()
            .filter(|(at, _)| *at <= self.at)
        {
            self.silence(timer);
            return Input::Timer(timer);
        }
        if self.at.since(self.minute) >= Duration::from_secs(60) {
            return self.close_minute();
        }
        if let Some(history) = self.histories.pop() {
            return history;
        }
        match self.below(1_000) {
            0..600 => self.quote(),
            600..720 => self.trade(),
            720..860 => self.report(),
            860..900 => self.evaluation(),
            900..930 => self.depth(),
            930..950 => self.command(),
            950..960 => self.funding(),
            960..975 => self.now_and_then(),
            _ => self.nonsense(),
        }
    }

    fn quote(&mut self) -> Input {
        self.bid = (self.bid + self.signed(6)).clamp(5_000, 20_000);
        let spread = 1 + self.signed(2).abs();
        let mid = self.bid;
        self.candle.high = self.candle.high.max(Price(mid));
        self.candle.low = self.candle.low.min(Price(mid));
        self.candle.close = Price(mid);
        Input::Quote(quote(SPOT, mid, mid + spread, self.at))
    }

    fn trade(&mut self) -> Input {
        self.trades += 1;
        Input::Trade(Trade {
            instrument: SPOT,
            taker: self.side(),
            id: TradeId(self.trades),
            price: Price(self.bid),
            quantity: Quantity(1 + self.signed(1_000).abs()),
            event_time: Some(self.at),
            received_at: self.at,
        })
    }

    fn close_minute(&mut self) -> Input {
        let closed = Candle {
            open_time: self.minute,
            ..self.candle
        };
        self.minute = self.minute + Duration::from_secs(60);
        let close = closed.close;
        self.candle = Candle {
            open: close,
            high: close,
            low: close,
            ..closed
        };
        Input::Candle(closed)
    }

    fn depth(&mut self) -> Input {
        let level = |price| Level {
            price: Price(price),
            quantity: Quantity(1_000),
        };
        Input::Depth(Box::new(Depth {
            instrument: SPOT,
            bids: vec![level(self.bid), level(self.bid - 1)],
            asks: vec![level(self.bid + 1), level(self.bid + 2)],
            received_at: self.at,
        }))
    }

    /// The venue says something about one of the last orders, or says the same again.
    fn report(&mut self) -> Input {
        let again = self.below(8) == 0;
        if let Some(said) = self.last_report.clone().filter(|_| again) {
            return Input::Report(Box::new(said));
        }
        if self.orders.is_empty() {
            return self.quote();
        }
        let place = self.place(self.orders.len());
        let (terms, filled) = self.orders[place];
        let kind = self.report_kind(&terms, filled);
        if let ReportKind::Filled(fill) = &kind {
            self.orders[place].1 += fill.quantity.0;
        }
        let cumulative = Some(Quantity(self.orders[place].1));
        let said = report(&terms, kind, cumulative, self.at);
        self.last_report = Some(said.clone());
        Input::Report(Box::new(said))
    }

    fn report_kind(&mut self, terms: &OrderTerms, filled: i64) -> ReportKind {
        let rest = terms.quantity.0 - filled;
        let refusal = RejectReason {
            code: -2011,
            text: "Unknown order sent.".to_owned(),
        };
        match self.below(20) {
            0..5 => ReportKind::Accepted,
            5..9 if rest > 1 => ReportKind::Filled(self.fill(terms, rest / 2)),
            5..14 if rest > 0 => ReportKind::Filled(self.fill(terms, rest)),
            14 => ReportKind::Unknown,
            15 => ReportKind::Expired,
            16 => ReportKind::Rejected(refusal),
            17 => ReportKind::CancelRejected(refusal),
            18 => ReportKind::NotSent(NotSentReason::Expired),
            _ => ReportKind::Cancelled,
        }
    }

    fn fill(&mut self, terms: &OrderTerms, quantity: i64) -> Fill {
        self.trades += 1;
        let fee = Money {
            asset: if terms.side == Side::Buy { BTC } else { USDT },
            amount: Amount(1_000_000_000_000),
        };
        Fill {
            account: terms.account,
            instrument: terms.instrument,
            trade_id: TradeId(self.trades),
            venue_order_id: tradewind_model::VenueOrderId(9),
            client_id: terms.client_id,
            side: terms.side,
            price: terms.kind.limit().unwrap_or(Price(self.bid)),
            quantity: Quantity(quantity),
            fee,
            liquidity: Liquidity::Taker,
            event_time: self.at,
        }
    }

    /// A lane answers: the right request, an older one, a failure.
    fn evaluation(&mut self) -> Input {
        if self.requests.is_empty() {
            return self.quote();
        }
        let place = self.place(self.requests.len());
        let request = self.requests.swap_remove(place);
        self.requests.truncate(8);
        let decide = |exposure| {
            EvaluationOutcome::Decided(Some(Decision::Target(Target {
                exposure: Ppm(exposure),
                limit: None,
                exit: None,
                reason: Reason::plain("from another lane"),
            })))
        };
        let outcome = match self.below(40) {
            0 => EvaluationOutcome::Failed(EvaluationError::Panic("lane".to_owned())),
            1 => EvaluationOutcome::Failed(EvaluationError::Error("division by zero".to_owned())),
            2..14 => decide(0),
            14..20 => decide(1_000_000),
            _ => EvaluationOutcome::Decided(Some(Decision::Hold {
                reason: Reason::plain("nothing to do"),
            })),
        };
        Input::Evaluation(Box::new(Evaluation {
            bot: request.bot,
            request: request.request,
            outcome,
        }))
    }

    fn command(&mut self) -> Input {
        if self.below(5) > 0 {
            self.commands += 1;
        }
        let bot = BotId(u32::try_from(self.below(8)).unwrap_or(0));
        let quantity = Quantity(self.signed(200_000));
        let action = match self.below(16) {
            0..4 => Action::StartBot(bot),
            4 => Action::StopBot {
                bot,
                mode: StopMode::Close,
            },
            5 => Action::StopBot {
                bot,
                mode: StopMode::Keep,
            },
            6 => Action::PauseBot(bot),
            7..9 => Action::PlaceOrder {
                account: ACCOUNT,
                instrument: SPOT,
                side: self.side(),
                quantity,
                kind: OrderKind::Market,
            },
            9 => Action::PlaceOrder {
                account: ACCOUNT,
                instrument: SPOT,
                side: Side::Buy,
                quantity,
                kind: OrderKind::Limit {
                    price: Price(self.bid - 1),
                    time_in_force: TimeInForce::GoodTillCancel,
                },
            },
            10 if !self.orders.is_empty() => {
                let place = self.place(self.orders.len());
                Action::CancelOrder(self.orders[place].0.client_id)
            }
            11 => Action::ClosePosition {
                account: ACCOUNT,
                bot: Some(bot),
                instrument: SPOT,
            },
            12 => Action::ClosePosition {
                account: ACCOUNT,
                bot: None,
                instrument: SPOT,
            },
            13 if self.below(10) == 0 => Action::Kill {
                reason: "the storm".to_owned(),
                flatten: self.below(2) == 0,
            },
            _ => Action::Reset {
                reason: "the storm is over".to_owned(),
            },
        };
        let late = self.below(10) == 0;
        Input::Command(Box::new(Command {
            id: self.commands,
            principal: Principal::Telegram(1),
            issued_at: self.at,
            expires_at: late.then(|| self.at - Duration::from_secs(1)),
            action,
        }))
    }

    fn funding(&mut self) -> Input {
        Input::Funding(Funding {
            account: ACCOUNT,
            instrument: PERPETUAL,
            amount: Amount(i128::from(self.signed(1_000_000))),
        })
    }

    /// What happens rarely in the life of a desk.
    fn now_and_then(&mut self) -> Input {
        match self.below(9) {
            0 => Input::Health {
                instrument: SPOT,
                health: [
                    FeedHealth::Gap,
                    FeedHealth::Stale,
                    FeedHealth::Resync,
                    FeedHealth::Live,
                ][self.place(4)],
            },
            1 => Input::InstrumentChanged(Box::new(tradewind_model::Instrument {
                notional_min: Amount::whole(1 + self.signed(9).abs()),
                ..spot()
            })),
            2 => Input::Storage(StorageHealth::Behind),
            3 | 4 => Input::Storage(StorageHealth::Writing),
            5 => Input::TradesLost { count: 3 },
            6 => Input::QueueOverflow {
                subscriber: "sse".into(),
                dropped: 17,
            },
            7 => Input::Resync,
            _ => Input::Health {
                instrument: SPOT,
                health: FeedHealth::Live,
            },
        }
    }

    /// What no venue and no driver would send.
    fn nonsense(&mut self) -> Input {
        let far = tradewind_model::InstrumentId(77);
        match self.below(8) {
            0 => Input::Quote(quote(far, 1, 2, self.at)),
            1 => Input::Quote(quote(SPOT, self.bid, self.bid - 5, self.at)),
            2 => Input::Quote(quote(SPOT, i64::MAX - 1, i64::MAX, self.at)),
            3 => Input::Candle(Candle {
                low: Price(-1),
                ..self.candle
            }),
            4 => Input::Timer(Timer::BotWake(BotId(99))),
            5 => self.impossible_report(),
            6 => Input::InstrumentChanged(Box::new(tradewind_model::Instrument {
                step: Quantity(0),
                tick: Price(0),
                ..spot()
            })),
            _ => Input::Evaluation(Box::new(Evaluation {
                bot: BotId(99),
                request: u64::MAX,
                outcome: EvaluationOutcome::Decided(None),
            })),
        }
    }

    fn impossible_report(&mut self) -> Input {
        let Some((terms, _)) = self.orders.last().copied() else {
            return self.quote();
        };
        let fill = match self.below(4) {
            0 => self.fill(&terms, -5),
            1 => self.fill(&terms, 0),
            2 => Fill {
                instrument: PERPETUAL,
                ..self.fill(&terms, 5)
            },
            _ => Fill {
                side: terms.side.opposite(),
                ..self.fill(&terms, 5)
            },
        };
        Input::Report(Box::new(report(
            &terms,
            ReportKind::Filled(fill),
            None,
            self.at,
        )))
    }

    fn account(&mut self) -> Input {
        Input::Account(Box::new(AccountState {
            account: ACCOUNT,
            balances: vec![(USDT, Amount::whole(100_000)), (BTC, Amount::whole(1))],
            open_orders: Vec::new(),
            fills: Vec::new(),
        }))
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn place(&mut self, length: usize) -> usize {
        let below = self.below(u64::try_from(length).unwrap_or(1));
        usize::try_from(below).unwrap_or(0)
    }

    /// From `-limit` to `limit`.
    fn signed(&mut self, limit: i64) -> i64 {
        let span = u64::try_from(2 * limit + 1).unwrap_or(1);
        i64::try_from(self.below(span)).unwrap_or(0) - limit
    }

    /// From 0 to `limit`, without it: SplitMix64, reduced by its remainder, which is fair enough for a storm.
    fn below(&mut self, limit: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_engine::{Engine, StrategySource};

    /// Every kind of input, by the name its `Debug` begins with.
    const KINDS: [&str; 20] = [
        "Configured",
        "Started",
        "Quote",
        "Trade",
        "Candle",
        "Depth",
        "Candles",
        "Health",
        "InstrumentChanged",
        "Report",
        "Account",
        "Funding",
        "Timer",
        "Evaluation",
        "Command",
        "Storage",
        "TradesLost",
        "QueueOverflow",
        "Resync",
        "Stopping",
    ];

    #[test]
    fn a_storm_holds_every_kind_of_input_and_makes_the_desk_trade() {
        let mut storm = Storm::new(1, 30_000);
        let mut engine = Engine::new(StrategySource::built_in());
        let (mut seen, mut outputs) = (BTreeSet::new(), Vec::new());
        for _ in 0..30_000 {
            let (at, input) = storm.next_input();
            let text = format!("{input:?}");
            let name = text.split(|letter: char| !letter.is_alphanumeric()).next();
            seen.insert(name.unwrap_or_default().to_owned());
            engine.handle(at, &input, &mut outputs);
            storm.observe(&outputs);
            outputs.clear();
        }
        for kind in KINDS {
            assert!(seen.contains(kind), "no {kind} in {seen:?}");
        }
        let counters = engine.view().counters;
        assert!(counters.fills > 50, "{counters:?}");
        assert!(
            counters.denials > 5 && counters.bot_errors > 5,
            "{counters:?}"
        );
        assert!(counters.duplicate_reports > 5, "{counters:?}");
    }
}
