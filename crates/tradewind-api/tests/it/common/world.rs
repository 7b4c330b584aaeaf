//! The configuration, the view and the events the tests look at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{
    AccountView, BalanceView, BotConfig, BotState, BotView, CandleSource, CloseView, Configuration,
    Counters, DeskView, EquityPoint, Event, EventKind, ExitView, FeedView, Lane, NextWake,
    NumberView, OrderView, PositionView, SourceView, TargetView, UnprotectedView, WakeRule,
};
use tradewind_model::{
    Account, AccountId, AccountMode, Amount, AssetId, AssetTable, BotId, Candle, ClientOrderId,
    Decimal, EventId, ExitPlan, FeedHealth, Fill, Instrument, InstrumentId, Interval, Liquidity,
    Money, OrderKind, OrderPolicy, OrderStatus, OrderTerms, OwnerId, Parameter, Ppm, Price,
    Protections, Quantity, Quote, Reason, Side, SideMode, Sizer, StandingTarget, Stop, TimeInForce,
    Timestamp, TradeId, VenueId, VenueOrderId,
};
use tradewind_risk::{Cause, Clearing, Limits, PositionEffect, Rate, Rule, Scope, TradingState};

pub(crate) const BTC: InstrumentId = InstrumentId(0);
pub(crate) const ETH: InstrumentId = InstrumentId(1);
pub(crate) const USDT: AssetId = AssetId(1);
pub(crate) const ORDER: ClientOrderId = ClientOrderId(0x5457_dead_beef_0000_0001_0000_0000_0007);

pub(crate) fn at(seq: u64) -> Timestamp {
    Timestamp::from_secs(1_772_445_600 + i64::try_from(seq).unwrap())
}

pub(crate) fn id(seq: u64, index: u32) -> EventId {
    EventId { seq, index }
}

pub(crate) fn event(id: EventId, cause: Option<EventId>, kind: EventKind) -> Arc<Event> {
    let at = at(id.seq);
    Arc::new(Event {
        id,
        at,
        cause,
        kind,
    })
}

fn instrument(assets: &mut AssetTable, id: InstrumentId, base: &str) -> Instrument {
    let base_id = assets.intern(base);
    let quote = assets.intern("USDT");
    Instrument {
        revision: 1,
        notional_min: Amount::whole(5),
        open_orders_max: 200,
        ..Instrument::spot(id, format!("binance:{base}/USDT"), base_id, quote)
    }
}

fn bot(id: u32, name: &str, instrument: InstrumentId) -> BotConfig {
    BotConfig {
        id: BotId(id),
        name: name.into(),
        strategy: "rsi_reversion".into(),
        strategy_version: 1,
        budget_share: None,
        universe: None,
        parameters: BTreeMap::from([("period".into(), Parameter::Number(Decimal::whole(14)))]),
        account: AccountId(0),
        instruments: vec![instrument],
        reads: Vec::new(),
        wakes: vec![
            WakeRule::Candles(Interval::Minute5),
            WakeRule::Every(Duration::from_secs(900)),
        ],
        budget: Amount::whole(10_000),
        positions_max: 1,
        sizer: Sizer::Share(Ppm(500_000)),
        exit: ExitPlan {
            stop: Stop::Distance(Ppm(20_000)),
            ..ExitPlan::default()
        },
        policy: OrderPolicy::Market,
        lane: Lane::Inline,
        starts: true,
        revision: 1,
        external: None,
        protections: Protections::default(),
        process: None,
    }
}

pub(crate) fn configuration() -> Configuration {
    let mut assets = AssetTable::default();
    let instruments = vec![
        instrument(&mut assets, BTC, "BTC"),
        instrument(&mut assets, ETH, "ETH"),
    ];
    Configuration {
        assets,
        report_asset: USDT,
        venues: vec!["binance".into()],
        accounts: vec![Account {
            id: AccountId(0),
            name: "paper".into(),
            venue: VenueId(0),
            mode: AccountMode::Paper,
            capital: None,
            adopts: false,
            adopts_external: false,
        }],
        instruments,
        bots: vec![bot(0, "rsi-btc", BTC), bot(1, "rsi-eth", ETH)],
        limits: Limits {
            order_value_max: Some(Amount::whole(5_000)),
            bot_order_rate: Some(Rate {
                count: 10,
                per: Duration::from_secs(60),
                burst: 5,
            }),
            duplicate_window: Some(Duration::from_secs(2)),
            ..Limits::default()
        },
        on_restart: tradewind_events::OnRestart::Keep,
        deadline_min: std::time::Duration::ZERO,
        own_gaps: false,
        references: Vec::new(),
        series: None,
        build: None,
        bots_revision: 0,
        bots_text: None,
        fee: Ppm(1_000),
        stagger: Duration::from_secs(2),
        stale_after: Duration::from_secs(5),
        equity_every: Duration::from_secs(10),
        candles: CandleSource::Venue,
        announce_quotes: true,
        venue_stop_distance: None,
    }
}

pub(crate) fn terms() -> OrderTerms {
    OrderTerms {
        account: AccountId(0),
        instrument: BTC,
        client_id: ORDER,
        side: Side::Buy,
        quantity: Quantity(8_000),
        kind: OrderKind::Limit {
            price: Price(6_183_763),
            time_in_force: TimeInForce::GoodTillCancel,
        },
    }
}

pub(crate) fn quote(instrument: InstrumentId, bid: i64) -> Quote {
    Quote {
        instrument,
        bid: Price(bid),
        ask: Price(bid + 1),
        bid_quantity: Quantity(120_000),
        ask_quantity: Quantity(3_000),
        event_time: None,
        received_at: at(0),
    }
}

pub(crate) fn candle() -> Candle {
    Candle {
        instrument: BTC,
        interval: Interval::Minute1,
        complete: true,
        open_time: at(0),
        open: Price(6_183_000),
        high: Price(6_185_210),
        low: Price(6_181_140),
        close: Price(6_183_762),
        volume: Amount::whole(12),
    }
}

pub(crate) fn fill(trade: u64) -> Fill {
    Fill {
        account: AccountId(0),
        instrument: BTC,
        trade_id: TradeId(trade),
        venue_order_id: VenueOrderId(1_007),
        client_id: ORDER,
        side: Side::Buy,
        price: Price(6_183_763),
        quantity: Quantity(3_000),
        fee: Money {
            asset: AssetId(0),
            amount: "0.00003".parse().unwrap(),
        },
        liquidity: Liquidity::Taker,
        event_time: at(100 + trade),
    }
}

fn bot_view(bot: u32, state: BotState) -> BotView {
    BotView {
        bot: BotId(bot),
        state,
        state_reason: "warmed up with 300 candles".into(),
        since: at(3),
        reason: Reason::Numbers("RSI {}, needs < {}", [44.0, 30.0, 0.0]),
        reason_instrument: Some(InstrumentId(bot)),
        last_wake: Some(at(40)),
        next_wake: Some(NextWake {
            at: at(300),
            interval: Some(Interval::Minute5),
        }),
        wakes: 7,
        signals: 1,
        orders: 1,
        fills: 1,
        denials: 0,
        last_denial: None,
        pauses: Vec::new(),
        errors: 0,
        lateness_max_nanos: 1_840_000,
        equity: Amount::whole(10_000),
        realized: Amount::ZERO,
        unrealized: "0.31".parse().unwrap(),
        clauses: Vec::new(),
        budget: Amount::whole(10_000),
        universe: None,
    }
}

fn feed(instrument: InstrumentId, quote: Option<Quote>) -> FeedView {
    FeedView {
        instrument,
        health: if quote.is_some() {
            FeedHealth::Live
        } else {
            FeedHealth::Stale
        },
        quote,
        quotes: 1_204,
        trades: 310,
        candles: 2,
    }
}

fn balance(asset: u32, owner: OwnerId, amount: &str) -> BalanceView {
    BalanceView {
        account: AccountId(0),
        asset: AssetId(asset),
        owner,
        amount: amount.parse().unwrap(),
    }
}

pub(crate) fn view() -> DeskView {
    let owner = OwnerId::Bot(BotId(0));
    DeskView {
        seq: 48_213,
        at: at(300),
        state: TradingState::Active,
        causes: vec![Cause {
            scope: Scope::Instrument(ETH),
            state: TradingState::Reducing,
            reason: "stale market data".to_owned().into(),
            since: at(290),
            clearing: Clearing::Itself,
        }],
        streams: Vec::new(),
        accounts: vec![AccountView {
            account: AccountId(0),
            reconciled: true,
            equity: EquityPoint {
                at: at(300),
                equity: "450012.3821".parse().unwrap(),
                realized: "3.1".parse().unwrap(),
                unrealized: "9.2821".parse().unwrap(),
                unpriced: 0,
            },
            started_with: Amount::whole(450_000),
        }],
        bots: vec![
            bot_view(0, BotState::Running),
            bot_view(1, BotState::Warming),
        ],
        orders: vec![OrderView {
            terms: terms(),
            venue_order_id: Some(VenueOrderId(1_007)),
            bot: Some(BotId(0)),
            purpose: PositionEffect::Entry,
            status: OrderStatus::PartiallyFilled,
            filled: Quantity(3_000),
            placed_at: at(100),
            placed_by: id(100, 2),
        }],
        positions: vec![PositionView {
            side_mode: SideMode::Net,
            margin: Amount::ZERO,
            account: AccountId(0),
            owner,
            instrument: BTC,
            quantity: Quantity(3_000),
            cost: "1855.1289".parse().unwrap(),
            entry_price: Some(Price(6_183_763)),
            opened_at: at(101),
            unrealized: Some("0.31".parse().unwrap()),
            realized: Amount::ZERO,
            exit: ExitView {
                stop: Some(Price(6_060_087)),
                ..ExitView::default()
            },
            protected: Quantity(2_000),
        }],
        unprotected: vec![UnprotectedView {
            account: AccountId(0),
            bot: BotId(0),
            instrument: BTC,
            quantity: Quantity(1_000),
            since: at(297),
            reason: "the venue takes 5 stop orders in the instrument".to_owned(),
        }],
        blocked_exits: Vec::new(),
        numbers: vec![NumberView {
            name: "house:fear".to_owned(),
            value: "12.5".parse().unwrap(),
            event_time: at(240),
            received_at: at(241),
            max_age: Some(Duration::from_secs(60)),
        }],
        targets: vec![TargetView {
            bot: BotId(0),
            instrument: BTC,
            source: "signals".to_owned(),
            target: Some(StandingTarget {
                exposure: Ppm(500_000),
                event_time: at(290),
                sequence: Some(7),
                expires: at(350),
                is_doubtful: false,
                is_closed: false,
            }),
            is_expired: false,
        }],
        sources: vec![SourceView {
            source: "signals".to_owned(),
            is_live: true,
            taken: 7,
            ignored: 1,
            refused: 2,
            last_refusal: Some("the exposure 1.5 is beyond 1".to_owned()),
        }],
        balances: vec![
            balance(0, owner, "0.02997"),
            balance(0, OwnerId::External, "1"),
            balance(1, OwnerId::Unallocated, "448144.8711"),
        ],
        feeds: vec![feed(BTC, Some(quote(BTC, 6_183_762))), feed(ETH, None)],
        counters: Counters {
            wakes: 14,
            holds: 13,
            signals: 1,
            orders: 1,
            fills: 1,
            partial_fills: 1,
            ..Counters::default()
        },
        last_close: CloseView {
            at: at(300),
            woke: 2,
            held: 1,
            signals: 1,
            denied: vec![(Rule::R13, 1)],
            filled: 0,
            partly_filled: 1,
        },
    }
}

/// A candle that led to a signal, an order and two fills; a denial; a command; equity.
pub(crate) fn past() -> Vec<Arc<Event>> {
    use tradewind_events::{Action, CommandResult, Principal};
    let bot = Some(BotId(0));
    let filled = |trade, status, cumulative| EventKind::OrderFilled {
        fill: fill(trade),
        bot,
        status,
        cumulative: Quantity(cumulative),
    };
    let closed = EventKind::CandleClosed(candle());
    let signal = EventKind::SignalGenerated {
        bot: BotId(0),
        instrument: BTC,
        exposure: Ppm::ONE,
        reason: Reason::Text("RSI 28.4, needs < 30".into()),
        quote: None,
        details: None,
    };
    let placed = EventKind::OrderPlaced {
        terms: terms(),
        bot,
        purpose: PositionEffect::Entry,
    };
    let denied = EventKind::RiskDecisionRejected {
        bot: Some(BotId(1)),
        account: AccountId(0),
        instrument: ETH,
        side: Side::Buy,
        quantity: Quantity(100_000),
        reason: tradewind_risk::DenyReason::Position {
            value: Amount::whole(5_210),
            limit: Amount::whole(5_000),
        },
    };
    let command = EventKind::Command {
        id: 0x9f86,
        principal: Principal::Token("operator".into()),
        action: Action::PauseBot(BotId(0)),
        result: CommandResult::Accepted(None),
    };
    let equity = EventKind::EquitySnapshot {
        account: AccountId(0),
        equity: Amount::whole(450_000),
        realized: Amount::ZERO,
        unrealized: Amount::ZERO,
        unpriced: 0,
    };
    let cancelled = EventKind::OrderCancelled {
        terms: terms(),
        bot,
        cumulative: Quantity(6_000),
    };
    vec![
        event(id(100, 0), None, closed),
        event(id(100, 1), Some(id(100, 0)), signal),
        event(id(100, 2), Some(id(100, 1)), placed),
        event(
            id(101, 0),
            Some(id(100, 2)),
            filled(1, OrderStatus::PartiallyFilled, 3_000),
        ),
        event(
            id(102, 0),
            Some(id(100, 2)),
            filled(2, OrderStatus::PartiallyFilled, 6_000),
        ),
        event(id(103, 0), Some(id(100, 2)), cancelled),
        event(id(104, 0), None, denied),
        event(id(105, 0), None, command),
        event(id(110, 0), None, equity),
    ]
}
