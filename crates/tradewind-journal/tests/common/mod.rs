//! Small things to write into a journal.

#![allow(
    dead_code,
    reason = "each test file uses some of them; expect would fail where all are used"
)]

use std::sync::Arc;

use proptest::prelude::*;
use tradewind_events::{
    AccountState, Action, CandleHistory, Command, Event, EventKind, ExternalTarget, Input, Intent,
    OpenOrder, Principal, StopMode,
};
use tradewind_journal::{Journal, MemoryStorage, Options, Recovery};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, ClientOrderId, Decimal, EventId, ExecutionReport, Fill,
    InstrumentId, Interval, Liquidity, Money, OrderKind, OrderTerms, Price, Quantity, Quote,
    RejectReason, ReportKind, Side, TimeInForce, Timestamp, TradeId, VenueOrderId,
};

/// Where the journals of these tests lie.
pub(crate) const DIR: &str = "/data/journal";

pub(crate) fn at(seq: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + i64::try_from(seq).unwrap())
}

pub(crate) fn options() -> Options {
    Options {
        build: "test".into(),
        configuration: "none".into(),
        ..Options::default()
    }
}

pub(crate) fn journal(storage: &MemoryStorage) -> (Journal, Recovery) {
    Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &options(), at(0)).unwrap()
}

pub(crate) fn quote(bid: i64) -> Quote {
    Quote {
        instrument: InstrumentId(2),
        bid: Price(bid),
        ask: Price(bid + 1),
        bid_quantity: Quantity(10),
        ask_quantity: Quantity(11),
        event_time: None,
        received_at: at(1),
    }
}

pub(crate) fn event(seq: u64, index: u32, kind: EventKind) -> Arc<Event> {
    Arc::new(Event {
        id: EventId { seq, index },
        at: at(seq),
        cause: None,
        kind,
    })
}

pub(crate) fn terms(number: u128) -> OrderTerms {
    OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(2),
        client_id: ClientOrderId(number),
        side: Side::Sell,
        quantity: Quantity(5),
        kind: OrderKind::Limit {
            price: Price(70),
            time_in_force: TimeInForce::ImmediateOrCancel,
        },
    }
}

pub(crate) fn intent(number: u128) -> Intent {
    // The kind of a purpose belongs to a crate this one does not know: taken from its written form.
    let text = format!(
        r#"{{"terms":{},"bot":4,"purpose":"Entry","revision":2,"decided_at":9}}"#,
        serde_json::to_string(&terms(number)).unwrap()
    );
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn fill(number: u64) -> Fill {
    Fill {
        account: AccountId(0),
        instrument: InstrumentId(2),
        trade_id: TradeId(number),
        venue_order_id: VenueOrderId(5),
        client_id: ClientOrderId(u128::MAX),
        side: Side::Buy,
        price: Price(70),
        quantity: Quantity(5),
        fee: Money {
            asset: AssetId(1),
            amount: Amount(i128::MIN),
        },
        liquidity: Liquidity::Maker,
        event_time: at(3),
    }
}

pub(crate) fn rare_inputs() -> impl Strategy<Value = Input> {
    let report = |kind| {
        Input::Report(Box::new(ExecutionReport {
            account: AccountId(0),
            instrument: InstrumentId(2),
            client_id: ClientOrderId(77),
            venue_order_id: Some(VenueOrderId(u64::MAX)),
            kind,
            cumulative: None,
            event_time: Some(at(4)),
        }))
    };
    let command = |action| {
        Input::Command(Box::new(Command {
            id: u128::MAX,
            principal: Principal::Token("operator".into()),
            issued_at: at(1),
            expires_at: None,
            action,
        }))
    };
    let targets = (
        any::<i64>(),
        any::<u8>(),
        proptest::option::of(any::<u64>()),
    );
    let targets = targets.prop_map(|(exposure, places, sequence)| {
        Input::Target(Box::new(ExternalTarget {
            source: "signals".to_owned(),
            bot: "follower".to_owned(),
            instrument: "simx:BTC/USDT".to_owned(),
            exposure: Decimal::new(exposure, places % 19),
            event_time: at(3),
            expires: at(9),
            sequence,
            received_at: at(4),
        }))
    });
    prop_oneof![
        targets,
        ".{0,20}".prop_map(|reason| Input::TargetUnreadable {
            source: "signals".into(),
            reason: reason.into(),
        }),
        Just(Input::SourceHealth {
            source: "signals".into(),
            health: tradewind_model::FeedHealth::Gap,
        }),
        any::<u64>().prop_map(move |number| report(ReportKind::Filled(fill(number)))),
        ".{0,20}"
            .prop_map(move |text| report(ReportKind::Rejected(RejectReason { code: -2010, text }))),
        Just(command(Action::StopBot {
            bot: BotId(1),
            mode: StopMode::Keep
        })),
        ".{0,20}".prop_map(move |reason| command(Action::Kill {
            reason,
            flatten: true,
            include_external: false,
        })),
        any::<i128>().prop_map(|amount| Input::Account(Box::new(AccountState {
            account: AccountId(0),
            balances: vec![(AssetId(0), Amount(amount))],
            open_orders: vec![OpenOrder {
                terms: terms(8),
                venue_order_id: VenueOrderId(3),
                filled: Quantity(1),
                adopted: None,
                list: None,
            }],
            fills: vec![(fill(1), Some(BotId(3)))],
        }))),
        Just(Input::Candles(Box::new(CandleHistory {
            instrument: InstrumentId(0),
            interval: Interval::Hour4,
            candles: Vec::new(),
        }))),
    ]
}
