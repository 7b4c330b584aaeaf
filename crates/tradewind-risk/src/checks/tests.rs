//! Each check at, below and above its limit.

use std::time::Duration;

use tradewind_model::{
    AccountId, Amount, AssetId, BotId, ClientOrderId, Instrument, InstrumentId, InstrumentStatus,
    OrderKind, OrderTerms, Ppm, Price, Quantity, Quote, RuleBreach, Side, TimeInForce, Timestamp,
};

use crate::{
    Candidate, Context, DenyReason, LimitKey, Limits, PositionEffect, Rate, RecentOrders,
    TokenBucket, TradingState, check,
};

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn limits() -> Limits {
    let rate = Rate {
        count: 2,
        per: Duration::from_secs(1),
        burst: 5,
    };
    Limits {
        intent_ttl_quote: Some(Duration::from_secs(2)),
        intent_ttl_candle: Some(Duration::from_secs(15)),
        order_value_max: Some(Amount::whole(1_000)),
        order_equity_max: Some(Ppm(50_000)),
        collar: Some(Ppm(20_000)),
        market_slippage_max: Some(Ppm(5_000)),
        balance_use_max: Some(Ppm(990_000)),
        position_equity_max: Some(Ppm(200_000)),
        open_entries_instrument: Some(Ppm(200_000)),
        open_entries_account: Some(Ppm(800_000)),
        bot_order_rate: Some(rate),
        account_order_rate: Some(rate),
        duplicate_window: Some(Duration::from_secs(1)),
    }
}

fn instrument() -> Instrument {
    Instrument {
        quantity_decimals: 3,
        notional_min: Amount::whole(5),
        open_orders_max: 25,
        ..Instrument::spot(InstrumentId(0), "binance:BTC/USDT", AssetId(0), AssetId(1))
    }
}

/// Bid 100.00, ask 100.02, so the mid is 100.01.
fn quote() -> Quote {
    Quote {
        instrument: InstrumentId(0),
        bid: Price(10_000),
        ask: Price(10_002),
        bid_quantity: Quantity(1_000),
        ask_quantity: Quantity(1_000),
        event_time: None,
        received_at: NOW,
    }
}

/// A world in which a buy of 1.000 at market passes; each test changes one thing.
struct World {
    limits: Limits,
    instrument: Instrument,
    quote: Option<Quote>,
    state: TradingState,
    allowed: bool,
    equity: Amount,
    free: Amount,
    position: Quantity,
    working: Quantity,
    open_entries: u32,
    rate: TokenBucket,
    recent: RecentOrders,
    candidate: Candidate,
}

fn world() -> World {
    let terms = OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id: ClientOrderId(1),
        side: Side::Buy,
        quantity: Quantity(1_000),
        kind: OrderKind::Market,
    };
    World {
        limits: limits(),
        instrument: instrument(),
        quote: Some(quote()),
        state: TradingState::Active,
        allowed: true,
        equity: Amount::whole(10_000),
        free: Amount::whole(1_000),
        position: Quantity::ZERO,
        working: Quantity::ZERO,
        open_entries: 0,
        rate: TokenBucket::default(),
        recent: RecentOrders::default(),
        candidate: Candidate {
            terms,
            bot: Some(BotId(0)),
            purpose: PositionEffect::Entry,
            decided_on_quote: true,
        },
    }
}

impl World {
    fn denied(&self) -> Option<DenyReason> {
        let context = Context {
            now: NOW,
            limits: &self.limits,
            state: self.state,
            instrument: &self.instrument,
            allowed: self.allowed,
            quote: self.quote.as_ref(),
            quote_rate: Some(Amount::ONE),
            equity: self.equity,
            fee: Ppm(1_000),
            free: self.free,
            position: self.position,
            working: self.working,
            open_entries_instrument: self.open_entries,
            open_entries_account: self.open_entries,
            account_instruments: 1,
            rate: &self.rate,
            recent: &self.recent,
        };
        check(&self.candidate, &context).err()
    }

    fn limit(&mut self, price: i64) {
        self.candidate.terms.kind = OrderKind::Limit {
            price: Price(price),
            time_in_force: TimeInForce::GoodTillCancel,
        };
    }

    /// Turns the order into the sale of a long position of 1.000.
    fn exit(&mut self) {
        self.candidate.purpose = PositionEffect::Exit;
        self.candidate.terms.side = Side::Sell;
        self.position = Quantity(1_000);
    }
}

impl World {
    /// Turns the order into a protective stop of a long position of 1.000, a tenth below the bid.
    fn protect(&mut self) {
        self.exit();
        self.candidate.purpose = PositionEffect::Protect;
        let trigger = Price(self.quote.unwrap().bid.0 * 9 / 10);
        self.candidate.terms.kind = OrderKind::Stop { trigger };
    }
}

fn verdict(change: impl FnOnce(&mut World)) -> Option<DenyReason> {
    let mut world = world();
    change(&mut world);
    world.denied()
}

#[test]
fn an_order_within_every_limit_is_sealed_with_its_terms_and_time_to_live() {
    let world = world();
    assert_eq!(world.denied(), None);
}

#[test]
fn r01_states_stop_entries_and_the_strict_ones_exits_too() {
    let cases = [
        (TradingState::Active, true, true),
        (TradingState::Reducing, false, true),
        (TradingState::Halted, false, false),
        (TradingState::Flattening, false, true),
        (TradingState::Killed, false, false),
    ];
    for (state, entry, exit) in cases {
        assert_eq!(
            verdict(|w| w.state = state).is_none(),
            entry,
            "entry in {state}"
        );
        let exits = verdict(|w| {
            w.state = state;
            w.exit();
        });
        assert_eq!(exits.is_none(), exit, "exit in {state}");
    }
}

#[test]
fn r05_an_unlisted_instrument_denies_entries_and_a_halted_one_both() {
    assert_eq!(verdict(|w| w.allowed = false), Some(DenyReason::NotAllowed));
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.allowed = false;
        }),
        None
    );
    let halted = Some(DenyReason::NotTrading(InstrumentStatus::Halted));
    assert_eq!(
        verdict(|w| w.instrument.status = InstrumentStatus::Halted),
        halted
    );
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.instrument.status = InstrumentStatus::Halted;
        }),
        halted
    );
}

#[test]
fn r06_r07_filters_hold_to_the_digit() {
    assert_eq!(
        verdict(|w| {
            w.instrument.step = Quantity(1_000);
        }),
        None
    );
    assert_eq!(
        verdict(|w| w.instrument.step = Quantity(999)),
        Some(DenyReason::Filter(RuleBreach::Step))
    );
    assert_eq!(
        verdict(|w| {
            w.instrument.tick = Price(10);
            w.limit(10_001);
        }),
        Some(DenyReason::Filter(RuleBreach::Tick))
    );
    assert_eq!(
        verdict(|w| w.instrument.quantity_min = Quantity(1_001)),
        Some(DenyReason::Filter(RuleBreach::QuantityMin))
    );
    // 1.000 at the ask of 100.02 is worth 100.02.
    assert_eq!(
        verdict(|w| w.instrument.notional_min = "100.02".parse().unwrap()),
        None
    );
    let below = verdict(|w| w.instrument.notional_min = "100.03".parse().unwrap());
    assert_eq!(below, Some(DenyReason::Filter(RuleBreach::NotionalMin)));
}

#[test]
fn r08_the_tighter_of_value_and_share_denies() {
    let worth: Amount = "100.02".parse().unwrap();
    assert_eq!(verdict(|w| w.limits.order_value_max = Some(worth)), None);
    let limit = worth - Amount(1);
    assert_eq!(
        verdict(|w| w.limits.order_value_max = Some(limit)),
        Some(DenyReason::OrderValue {
            value: worth,
            limit
        })
    );
    let by_share = verdict(|w| w.limits.order_equity_max = Some(Ppm(10_001)));
    assert_eq!(
        by_share,
        Some(DenyReason::OrderValue {
            value: worth,
            limit: "100.01".parse().unwrap()
        })
    );
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.limits.order_value_max = Some(Amount(1));
        }),
        None
    );
}

#[test]
fn r10_the_collar_measures_only_the_aggressive_side() {
    // 2 % past the mid of 100.01 is 102.0102.
    assert_eq!(verdict(|w| w.limit(10_201)), None);
    assert!(matches!(
        verdict(|w| w.limit(10_202)),
        Some(DenyReason::Collar { .. })
    ));
    assert_eq!(verdict(|w| w.limit(5_000)), None);
    let wide = |w: &mut World| {
        w.quote = Some(Quote {
            ask: Price(10_102),
            ..quote()
        })
    };
    assert!(matches!(
        verdict(wide),
        Some(DenyReason::Collar {
            limit: Ppm(5_000),
            ..
        })
    ));
    assert_eq!(verdict(|w| w.quote = None), Some(DenyReason::NoReference));
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.quote = None;
        }),
        None
    );
}

#[test]
fn r12_needs_the_value_and_the_fee_within_the_usable_share() {
    // 100.02 and a fee of 0.1 % is 100.12002; 99 % of 101.13133… is that.
    let enough: Amount = "101.131334".parse().unwrap();
    assert_eq!(verdict(|w| w.free = enough), None);
    let short = verdict(|w| w.free = "101.1313".parse().unwrap());
    assert!(matches!(short, Some(DenyReason::Balance { .. })));
    let naked = verdict(|w| {
        w.candidate.terms.side = Side::Sell;
        w.free = Amount::ZERO;
    });
    assert!(matches!(naked, Some(DenyReason::Balance { .. })));
}

#[test]
fn r13_counts_what_works_on_the_same_side() {
    let share = |w: &mut World, position: i64, working: i64| {
        w.equity = Amount::whole(10_000);
        w.limits.position_equity_max = Some(Ppm(30_006));
        w.position = Quantity(position);
        w.working = Quantity(working);
    };
    assert_eq!(verdict(|w| share(w, 1_000, 1_000)), None);
    assert!(matches!(
        verdict(|w| share(w, 1_000, 1_001)),
        Some(DenyReason::Position { .. })
    ));
    assert_eq!(verdict(|w| share(w, -1_500, 0)), None);
}

#[test]
fn r15_open_entries_stop_at_the_share_of_the_venues_cap() {
    assert_eq!(verdict(|w| w.open_entries = 4), None);
    assert_eq!(
        verdict(|w| w.open_entries = 5),
        Some(DenyReason::OpenEntries { open: 5, limit: 5 })
    );
}

#[test]
fn r16_a_bot_out_of_tokens_waits_and_a_person_does_not() {
    let empty = |w: &mut World| {
        for _ in 0..5 {
            w.rate.take(NOW, &w.limits.bot_order_rate.unwrap());
        }
    };
    assert_eq!(verdict(empty), Some(DenyReason::BotRate));
    assert_eq!(
        verdict(|w| {
            empty(w);
            w.candidate.bot = None;
        }),
        None
    );
}

#[test]
fn r18_an_equal_order_is_a_duplicate_only_within_the_window() {
    let sent = |at: Timestamp| {
        move |w: &mut World| {
            let earlier = OrderTerms {
                client_id: ClientOrderId(7),
                ..w.candidate.terms
            };
            w.recent.note(at, &earlier);
        }
    };
    let just_now = Timestamp::from_millis(999_001);
    assert_eq!(
        verdict(sent(just_now)),
        Some(DenyReason::Duplicate(ClientOrderId(7)))
    );
    assert_eq!(verdict(sent(Timestamp::from_millis(999_000))), None);
    assert_eq!(
        verdict(|w| {
            sent(just_now)(w);
            w.candidate.terms.quantity = Quantity(999);
        }),
        None
    );
}

#[test]
fn r21_an_exit_never_turns_a_position() {
    assert_eq!(verdict(World::exit), None);
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.position = Quantity(999);
        }),
        Some(DenyReason::ExitTooLarge)
    );
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.working = Quantity(1);
        }),
        Some(DenyReason::ExitTooLarge)
    );
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.position = Quantity(-1_000);
        }),
        Some(DenyReason::ExitTooLarge)
    );
}

#[test]
fn a_missing_limit_denies_entries_by_its_key_and_lets_exits_pass() {
    let none = verdict(|w| w.limits = Limits::default());
    assert!(matches!(none, Some(DenyReason::LimitMissing(_))));
    let missing = verdict(|w| w.limits.collar = None);
    assert_eq!(missing, Some(DenyReason::LimitMissing(LimitKey::Collar)));
    assert_eq!(
        missing.unwrap().to_string(),
        "limits.collar is not configured"
    );
    assert_eq!(
        verdict(|w| {
            w.exit();
            w.limits = Limits::default();
        }),
        None
    );
}

#[test]
fn a_protective_stop_passes_where_an_exit_does() {
    for state in [
        TradingState::Active,
        TradingState::Reducing,
        TradingState::Halted,
        TradingState::Killed,
    ] {
        let [exit, stop] = [World::exit, World::protect].map(|kind| {
            verdict(|w| {
                w.state = state;
                kind(w);
            })
        });
        assert_eq!(exit.is_none(), stop.is_none(), "{state}");
    }
}

/// R12, R16, R18.
#[test]
fn a_protective_stop_is_outside_balance_rate_and_duplicates() {
    let denied = verdict(|w| {
        w.protect();
        w.free = Amount::ZERO;
        w.open_entries = 10_000;
        w.recent.note(NOW, &w.candidate.terms);
        let rate = w.limits.bot_order_rate.unwrap();
        while w.rate.has_room(NOW, &rate) {
            w.rate.take(NOW, &rate);
        }
    });
    assert_eq!(denied, None);
}

/// R21.
#[test]
fn a_protective_stop_and_what_works_beside_it_are_no_larger_than_the_position() {
    let stop = |working| {
        verdict(|w| {
            w.protect();
            w.candidate.terms.quantity = Quantity(600);
            w.working = Quantity(working);
        })
    };
    assert_eq!(stop(0), None);
    assert_eq!(stop(400), None);
    assert_eq!(stop(401), Some(DenyReason::ExitTooLarge));
}

/// R06, R07.
#[test]
fn a_protective_stop_is_valued_at_its_trigger_which_is_on_a_tick() {
    let stop = |trigger, tick| {
        verdict(|w| {
            w.protect();
            w.instrument.tick = Price(tick);
            w.candidate.terms.kind = OrderKind::Stop {
                trigger: Price(trigger),
            };
        })
    };
    assert_eq!(stop(9_000, 5), None);
    let filter = |breach| Some(DenyReason::Filter(breach));
    assert_eq!(stop(9_001, 5), filter(RuleBreach::Tick));
    assert_eq!(stop(1, 1), filter(RuleBreach::NotionalMin));
}
