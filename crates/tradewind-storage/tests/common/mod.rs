//! A small desk and its events.

#![allow(
    dead_code,
    reason = "each test file uses some of them; expect would fail where all are used"
)]

use std::io;
use std::sync::{Arc, Mutex};

use tradewind_events::{
    Action, BotState, CommandResult, Configuration, Event, EventKind, Principal,
};
use tradewind_model::{
    AccountId, Amount, BotId, Candle, ClientOrderId, EventId, Fill, InstrumentId, Interval,
    Liquidity, Money, OrderKind, OrderStatus, OrderTerms, Ppm, Price, Quantity, Reason,
    RejectReason, Side, TimeInForce, Timestamp, TradeId, VenueOrderId,
};
use tradewind_storage::{EventSource, HistoryItem};

pub(crate) fn configuration() -> Configuration {
    tradewind_testkit::idle_desk(&["cross", "reversion"])
}

/// A log in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Arc<Mutex<Vec<Arc<Event>>>>,
    pub(crate) history: Arc<Mutex<Vec<HistoryItem>>>,
}

impl EventSource for Log {
    fn read_after(&self, after: EventId, limit: usize) -> io::Result<Vec<Arc<Event>>> {
        let events = self.events.lock().unwrap();
        let start = events.partition_point(|event| event.id <= after);
        Ok(events[start..].iter().take(limit).cloned().collect())
    }

    fn history(&self, take: &mut dyn FnMut(HistoryItem)) -> io::Result<()> {
        self.history.lock().unwrap().iter().cloned().for_each(take);
        Ok(())
    }
}

pub(crate) fn at(seq: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + i64::try_from(seq).unwrap())
}

pub(crate) fn event(seq: u64, index: u32, cause: Option<EventId>, kind: EventKind) -> Arc<Event> {
    Arc::new(Event {
        id: EventId { seq, index },
        at: at(seq),
        cause,
        kind,
    })
}

pub(crate) fn client_id(number: u64) -> ClientOrderId {
    ClientOrderId(u128::from(ClientOrderId::TAG) << 112 | u128::from(number))
}

pub(crate) fn terms(number: u64) -> OrderTerms {
    OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id: client_id(number),
        side: if number.is_multiple_of(2) {
            Side::Buy
        } else {
            Side::Sell
        },
        quantity: Quantity(150_000),
        kind: OrderKind::Limit {
            price: Price(6_183_763),
            time_in_force: TimeInForce::GoodTillCancel,
        },
    }
}

pub(crate) fn fill(number: u64, part: u64) -> Fill {
    Fill {
        account: AccountId(0),
        instrument: InstrumentId(0),
        trade_id: TradeId(number * 10 + part),
        venue_order_id: VenueOrderId(u64::MAX - number),
        client_id: client_id(number),
        side: terms(number).side,
        price: Price(6_183_763),
        quantity: Quantity(75_000),
        fee: Money {
            asset: configuration().report_asset,
            amount: "0.046378223".parse().unwrap(),
        },
        liquidity: Liquidity::Taker,
        event_time: at(number),
    }
}

fn placed(number: u64, bot: BotId) -> EventKind {
    // The type of a purpose belongs to a crate this one does not know: taken from its written form.
    let text = format!(
        r#"{{"OrderPlaced":{{"terms":{},"bot":{},"purpose":"Entry"}}}}"#,
        serde_json::to_string(&terms(number)).unwrap(),
        bot.0
    );
    serde_json::from_str(&text).unwrap()
}

/// A life of a desk: each order is caused by a signal, that by a candle; some fill, some are refused.
pub(crate) fn life(orders: u64) -> Vec<Arc<Event>> {
    let mut events = Vec::new();
    for number in 1..=orders {
        let seq = number * 10;
        let bot = BotId(u32::try_from(number % 2).unwrap());
        let id = |index| Some(EventId { seq, index });
        let candle = EventKind::CandleClosed(Candle {
            instrument: InstrumentId(0),
            interval: Interval::Minute1,
            complete: true,
            open_time: at(seq),
            open: Price(1),
            high: Price(2),
            low: Price(1),
            close: Price(2),
            volume: Amount(i128::MAX),
        });
        let signal = EventKind::SignalGenerated {
            bot,
            instrument: InstrumentId(0),
            exposure: Ppm::ONE,
            reason: Reason::plain("because"),
            quote: None,
            details: None,
        };
        events.push(event(seq, 0, None, candle));
        events.push(event(seq, 1, id(0), signal));
        events.push(event(seq, 2, id(1), placed(number, bot)));
        outcome(&mut events, number, bot);
        operations(&mut events, number, bot);
    }
    events
}

fn outcome(events: &mut Vec<Arc<Event>>, number: u64, bot: BotId) {
    let seq = number * 10 + 1;
    let cause = Some(EventId {
        seq: seq - 1,
        index: 2,
    });
    let (terms, bot) = (terms(number), Some(bot));
    let filled = |part, status, cumulative| EventKind::OrderFilled {
        fill: fill(number, part),
        bot,
        status,
        cumulative: Quantity(cumulative),
    };
    match number % 5 {
        0 => {
            let reason = RejectReason {
                code: -2010,
                text: "insufficient balance".into(),
            };
            events.push(event(
                seq,
                0,
                cause,
                EventKind::OrderRejected { terms, bot, reason },
            ));
        }
        1 => events.push(event(
            seq,
            0,
            cause,
            EventKind::OrderAccepted { terms, bot },
        )),
        2 => {
            events.push(event(
                seq,
                0,
                cause,
                EventKind::OrderAccepted { terms, bot },
            ));
            events.push(event(
                seq,
                1,
                cause,
                filled(1, OrderStatus::PartiallyFilled, 75_000),
            ));
            let cumulative = Quantity(75_000);
            let cancelled = EventKind::OrderCancelled {
                terms,
                bot,
                cumulative,
            };
            events.push(event(seq, 2, cause, cancelled));
        }
        _ => {
            events.push(event(
                seq,
                0,
                cause,
                filled(1, OrderStatus::PartiallyFilled, 75_000),
            ));
            events.push(event(
                seq,
                1,
                cause,
                filled(2, OrderStatus::Filled, 150_000),
            ));
        }
    }
}

fn operations(events: &mut Vec<Arc<Event>>, number: u64, bot: BotId) {
    let seq = number * 10 + 2;
    let kinds = [
        EventKind::EquitySnapshot {
            account: AccountId(0),
            equity: Amount(i128::from(number) * Amount::ONE.0 + 1),
            realized: Amount(-1),
            unrealized: Amount::ZERO,
            unpriced: 0,
        },
        EventKind::CircuitBreakerFired {
            name: "refusals".into(),
            failures: 5,
        },
        EventKind::BotError {
            bot,
            error: "division by zero".into(),
            faults: 1,
        },
        EventKind::BotStateChanged {
            bot,
            from: BotState::Running,
            to: BotState::Faulted,
            reason: "it failed".into(),
        },
        EventKind::Command {
            id: u128::from(number),
            principal: Principal::Telegram(7),
            action: Action::CancelOrder(client_id(number)),
            result: CommandResult::Refused("no such order".into()),
        },
        EventKind::KillSwitch {
            reason: "a drill".into(),
            principal: Principal::Local,
        },
    ];
    for (index, kind) in (0..).zip(kinds) {
        events.push(event(seq, index, None, kind));
    }
}
