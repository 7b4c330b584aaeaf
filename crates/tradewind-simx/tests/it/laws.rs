//! Laws that hold whatever anybody does, tried with random actions and random markets.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

use std::collections::BTreeMap;

use crate::bench::{
    BASE, Bench, ONLY, QUOTE, all_or_nothing, executions, immediate, limit, post_only,
};
use proptest::prelude::*;
use tradewind_model::{
    AccountId, Amount, AssetId, InstrumentStatus, Liquidity, OrderKind, Ppm, Price, Quantity, Side,
    VenueOrderId,
};
use tradewind_simx::{
    AmendOrder, Bips, Caps, Exchange, ExchangeConfig, FeeAsset, FeeChoice, FillModel, History,
    ListId, ListKind, ListShape, NewList, NewOrder, Order, OrderEvent, OrderRef, Purpose, Refusal,
    SelfTrade, Size, Trigger,
};

const ACCOUNTS: u32 = 2;

#[derive(Clone, Debug)]
enum Move {
    Submit {
        account: u32,
        side: Side,
        quantity: i64,
        kind: OrderKind,
        self_trade: SelfTrade,
    },
    /// So much at market, or all there is.
    Spend {
        account: u32,
        side: Side,
        cents: Option<i64>,
    },
    Stop {
        account: u32,
        side: Side,
        quantity: i64,
        kind: OrderKind,
        trigger: Trigger,
    },
    List {
        account: u32,
        side: Side,
        quantity: i64,
        kind: ListKind,
        prices: [i64; 3],
    },
    Amend {
        account: u32,
        which: usize,
        quantity: i64,
    },
    Cancel {
        account: u32,
        which: usize,
    },
    CancelAll {
        account: u32,
    },
    Quote {
        bid: i64,
        spread: i64,
        quantity: i64,
    },
    Levels {
        bid: i64,
        spread: i64,
        quantities: Vec<i64>,
    },
    Trade {
        taker: Side,
        price: i64,
        quantity: i64,
    },
    /// Money comes or leaves until so much is free.
    Deposit {
        account: u32,
        asset: AssetId,
        cents: i64,
    },
    PayFeesIn {
        account: u32,
        choice: FeeChoice,
    },
    /// The venue closes the market, and may end what waits in it.
    Close {
        expires: bool,
    },
    Open,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn kind() -> impl Strategy<Value = OrderKind> {
    let price = || 95_i64..=105;
    prop_oneof![
        2 => Just(OrderKind::Market),
        5 => price().prop_map(limit),
        1 => price().prop_map(immediate),
        1 => price().prop_map(all_or_nothing),
        2 => price().prop_map(post_only),
    ]
}

fn rule() -> impl Strategy<Value = SelfTrade> {
    prop_oneof![
        4 => Just(SelfTrade::Allowed),
        1 => Just(SelfTrade::ExpireTaker),
        1 => Just(SelfTrade::ExpireMaker),
        1 => Just(SelfTrade::ExpireBoth),
    ]
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let purpose = prop_oneof![Just(Purpose::StopLoss), Just(Purpose::TakeProfit)];
    (purpose, 92_i64..=108, prop::option::of(100_u16..400)).prop_map(|(purpose, price, bips)| {
        let price = Price(price);
        match bips {
            Some(bips) => Trigger::trailing(purpose, Bips(bips), Some(price)),
            None => Trigger::at(purpose, price),
        }
    })
}

fn list_kind() -> impl Strategy<Value = ListKind> {
    prop_oneof![
        Just(ListKind::OneCancelsOther),
        Just(ListKind::OneTriggersOther),
        Just(ListKind::OneTriggersPair),
    ]
}

fn asset() -> impl Strategy<Value = AssetId> {
    prop_oneof![Just(BASE), Just(QUOTE)]
}

fn choice() -> impl Strategy<Value = FeeChoice> {
    prop_oneof![Just(FeeChoice::Received), Just(FeeChoice::FeeAsset)]
}

fn any_move() -> impl Strategy<Value = Move> {
    let account = || 0..ACCOUNTS;
    prop_oneof![
        8 => (account(), side(), 1_i64..500, kind(), rule()).prop_map(|(account, side, quantity, kind, self_trade)| {
            Move::Submit { account, side, quantity, kind, self_trade }
        }),
        4 => (account(), side(), prop::option::of(1_i64..1_000)).prop_map(|(account, side, cents)| Move::Spend { account, side, cents }),
        3 => (account(), side(), 1_i64..500, kind(), trigger()).prop_map(|(account, side, quantity, kind, trigger)| {
            Move::Stop { account, side, quantity, kind, trigger }
        }),
        3 => (account(), side(), 1_i64..500, list_kind(), [95_i64..=105, 100_i64..=108, 92_i64..=100])
            .prop_map(|(account, side, quantity, kind, prices)| Move::List { account, side, quantity, kind, prices }),
        1 => (account(), any::<usize>(), 1_i64..500).prop_map(|(account, which, quantity)| Move::Amend { account, which, quantity }),
        3 => (account(), any::<usize>()).prop_map(|(account, which)| Move::Cancel { account, which }),
        1 => account().prop_map(|account| Move::CancelAll { account }),
        4 => (90_i64..110, -1_i64..4, 0_i64..300).prop_map(|(bid, spread, quantity)| Move::Quote { bid, spread, quantity }),
        3 => (90_i64..110, 0_i64..4, prop::collection::vec(1_i64..300, 0..8)).prop_map(|(bid, spread, quantities)| {
            Move::Levels { bid, spread, quantities }
        }),
        4 => (side(), 94_i64..106, 1_i64..400).prop_map(|(taker, price, quantity)| Move::Trade { taker, price, quantity }),
        4 => (account(), asset(), 0_i64..100).prop_map(|(account, asset, cents)| Move::Deposit { account, asset, cents }),
        2 => (account(), choice()).prop_map(|(account, choice)| Move::PayFeesIn { account, choice }),
        1 => any::<bool>().prop_map(|expires| Move::Close { expires }),
        3 => Just(Move::Open),
    ]
}

fn may_be_refused<T>(_: Result<T, Refusal>) {}

/// Makes a move; refusals are fine.
fn make(bench: &mut Bench, step: &Move) {
    bench.out.clear();
    match step {
        Move::Submit {
            account,
            side,
            quantity,
            kind,
            self_trade,
        } => {
            let order = bench
                .order(*account, *side, *quantity, *kind)
                .with_self_trade(*self_trade);
            may_be_refused(bench.send(&order));
        }
        Move::Spend {
            account,
            side,
            cents,
        } => {
            let free = bench.exchange.balance(AccountId(*account), QUOTE).free;
            let amount = cents.map_or(free, |cents| {
                Amount(i128::from(cents) * Amount::ONE.0 / 100)
            });
            let name = bench.name();
            let size = Size::Quote(amount);
            may_be_refused(bench.send(&NewOrder::new(
                AccountId(*account),
                ONLY,
                name,
                *side,
                size,
                OrderKind::Market,
            )));
        }
        Move::Stop {
            account,
            side,
            quantity,
            kind,
            trigger,
        } => {
            let order = bench.order(*account, *side, *quantity, *kind);
            may_be_refused(bench.send(&order.with_trigger(*trigger)));
        }
        Move::List {
            account,
            side,
            quantity,
            kind,
            prices,
        } => send_list(bench, *account, *side, *quantity, *kind, *prices),
        Move::Amend {
            account,
            which,
            quantity,
        } => {
            let open: Vec<Order> = bench
                .exchange
                .open_orders(AccountId(*account))
                .copied()
                .collect();
            if let Some(order) = open.get(which % open.len().max(1)) {
                let amend = AmendOrder {
                    account: order.account,
                    instrument: ONLY,
                    order: OrderRef::Venue(order.id),
                    quantity: Quantity(*quantity),
                    client_id: bench.name(),
                };
                may_be_refused(bench.exchange.amend(bench.now, &amend, &mut bench.out));
            }
        }
        Move::Cancel { account, which } => {
            let open: Vec<_> = bench
                .exchange
                .open_orders(AccountId(*account))
                .map(|order| order.id)
                .collect();
            if let Some(id) = open.get(which % open.len().max(1)) {
                bench.cancel(*account, OrderRef::Venue(*id)).unwrap();
            }
        }
        Move::CancelAll { account } => {
            let (account, out) = (AccountId(*account), &mut bench.out);
            may_be_refused(
                bench
                    .exchange
                    .cancel_all(bench.now, account, ONLY, None, out),
            );
        }
        Move::Quote {
            bid,
            spread,
            quantity,
        } => bench.quote((*bid, *quantity), (bid + spread, *quantity)),
        Move::Levels {
            bid,
            spread,
            quantities,
        } => {
            let half = quantities.len() / 2;
            let bids: Vec<_> = (0..)
                .zip(&quantities[..half])
                .map(|(i, quantity)| (bid - i, *quantity))
                .collect();
            let asks: Vec<_> = (1..)
                .zip(&quantities[half..])
                .map(|(i, quantity)| (bid + spread + i, *quantity))
                .collect();
            bench.levels(&bids, &asks);
        }
        Move::Trade {
            taker,
            price,
            quantity,
        } => bench.trade(*taker, *price, *quantity),
        Move::Deposit {
            account,
            asset,
            cents,
        } => {
            let account = AccountId(*account);
            let wanted = Amount(i128::from(*cents) * Amount::ONE.0 / 100);
            let amount = wanted - bench.exchange.balance(account, *asset).free;
            let done = bench
                .exchange
                .deposit(bench.now, account, *asset, amount, &mut bench.out);
            done.unwrap();
        }
        Move::PayFeesIn { account, choice } => {
            let account = AccountId(*account);
            bench.exchange.pay_fees_in(account, *choice).unwrap();
        }
        Move::Close { expires } => {
            let halted = InstrumentStatus::Halted;
            bench.exchange.set_status(ONLY, halted).unwrap();
            if *expires {
                bench.exchange.expire_all(bench.now, ONLY, &mut bench.out);
                assert!(open_orders(&bench.exchange).is_empty());
            }
        }
        Move::Open => {
            let trading = InstrumentStatus::Trading;
            bench.exchange.set_status(ONLY, trading).unwrap();
        }
    }
}

/// A list of a limit order at the first price and a pair of a target and a stop around the market at the two others.
fn send_list(
    bench: &mut Bench,
    account: u32,
    side: Side,
    quantity: i64,
    kind: ListKind,
    [entry, above, below]: [i64; 3],
) {
    let stop = |bench: &mut Bench, side, price| {
        let trigger = Trigger::at(Purpose::StopLoss, Price(price));
        bench
            .order(account, side, quantity, OrderKind::Market)
            .with_trigger(trigger)
    };
    let exit = match kind {
        ListKind::OneCancelsOther => side,
        ListKind::OneTriggersOther | ListKind::OneTriggersPair => side.opposite(),
    };
    let (above, below) = match exit {
        Side::Sell => (
            bench.order(account, exit, quantity, post_only(above)),
            stop(bench, exit, below),
        ),
        Side::Buy => (
            stop(bench, exit, above),
            bench.order(account, exit, quantity, post_only(below)),
        ),
    };
    let working = bench.order(account, side, quantity, limit(entry));
    let shape = match kind {
        ListKind::OneCancelsOther => ListShape::OneCancelsOther { above, below },
        ListKind::OneTriggersOther => ListShape::OneTriggersOther {
            working,
            pending: below,
        },
        ListKind::OneTriggersPair => ListShape::OneTriggersPair {
            working,
            above,
            below,
        },
    };
    let new = NewList {
        account: AccountId(account),
        instrument: ONLY,
        client_id: bench.name(),
        shape,
    };
    may_be_refused(bench.exchange.submit_list(bench.now, &new, &mut bench.out));
}

fn open_orders(exchange: &Exchange) -> BTreeMap<VenueOrderId, Order> {
    (0..ACCOUNTS)
        .flat_map(|account| exchange.open_orders(AccountId(account)))
        .map(|order| (order.id, *order))
        .collect()
}

fn money_is_conserved_and_locks_add_up(exchange: &Exchange) {
    for asset in [BASE, QUOTE] {
        assert_eq!(exchange.imbalance(asset), Amount::ZERO);
    }
    let rules = &exchange.instruments()[0];
    for account in (0..ACCOUNTS).map(AccountId) {
        let mut locked = [Amount::ZERO; 2];
        let mut pairs: BTreeMap<(ListId, usize), Amount> = BTreeMap::new();
        for order in exchange
            .open_orders(account)
            .filter(|order| !order.is_pending())
        {
            let place = usize::from(order.side == Side::Buy);
            let needs = match order.side {
                Side::Buy => {
                    let stop = order.trigger.and_then(|trigger| trigger.price);
                    let price = order.kind.limit().or(stop).unwrap();
                    rules.notional(price, order.remaining()).unwrap()
                }
                Side::Sell => rules.quantity_amount(order.remaining()),
            };
            match order.list {
                Some(list) => {
                    let pair = pairs.entry((list, place)).or_default();
                    *pair = needs.max(*pair);
                }
                None => locked[place] += needs,
            }
        }
        for ((_, place), needs) in pairs {
            locked[place] += needs;
        }
        for (asset, locked) in [BASE, QUOTE].into_iter().zip(locked) {
            let balance = exchange.balance(account, asset);
            assert_eq!(balance.locked, locked);
            assert!(balance.free.0 >= 0);
        }
    }
}

fn the_book_is_not_crossed_and_shows_what_waits(
    bench: &Bench,
    open: &BTreeMap<VenueOrderId, Order>,
) {
    let (bids, asks) = bench.book();
    assert!(
        bids.is_sorted_by(|one, two| one.0 > two.0) && asks.is_sorted_by(|one, two| one.0 < two.0)
    );
    if let (Some(bid), Some(ask)) = (bids.first(), asks.first()) {
        assert!(bid.0 < ask.0, "crossed: {bid:?} {ask:?}");
    }
    for order in open.values() {
        assert!(order.filled < order.quantity && order.is_open());
        if order.working_since.is_none() {
            assert!(order.trigger.is_some() || order.is_pending());
            continue;
        }
        let shown = if order.side == Side::Buy {
            &bids
        } else {
            &asks
        };
        let price = order.kind.limit().unwrap().0;
        assert!(
            shown
                .iter()
                .any(|level| level.0 == price && level.1 >= order.remaining().0)
        );
    }
}

/// Nobody who came earlier, or offered more, still waits after somebody else was served.
fn price_and_time_come_first(
    bench: &Bench,
    before: &BTreeMap<VenueOrderId, Order>,
    after: &BTreeMap<VenueOrderId, Order>,
) {
    let served: Vec<_> = executions(&bench.out)
        .filter(|fill| fill.liquidity == Liquidity::Maker)
        .collect();
    for fill in &served {
        // Who was ended and who waited for something else are no witnesses; nor is who came to the book later than its number.
        let waited = |order: &Order| order.working_since.is_some() && order.trigger.is_none();
        let working = |id: &VenueOrderId| before.get(id).is_some_and(waited);
        if !working(&fill.order_id) && before.contains_key(&fill.order_id) {
            continue;
        }
        for (id, order) in after
            .iter()
            .filter(|(id, order)| working(id) && order.list.is_none())
        {
            let price = order.kind.limit().unwrap();
            let better = if order.side == Side::Buy {
                price > fill.price
            } else {
                price < fill.price
            };
            let sooner = price == fill.price && *id < fill.order_id;
            assert!(
                order.side != fill.side || !(better || sooner),
                "{fill:?} was served before {order:?}"
            );
        }
    }
}

/// Reports tell the story of each order without a gap.
fn reports_add_up(bench: &Bench, seen: &mut BTreeMap<VenueOrderId, (Quantity, Amount)>) {
    for report in &bench.out.orders {
        let order = report.order;
        let (filled, quote) = seen.entry(order.id).or_default();
        if let OrderEvent::Filled(fill) = report.event {
            *filled += fill.quantity;
            *quote += fill.quote;
            assert!(fill.quantity.0 > 0 && fill.fee.amount.0 >= 0);
            if let Some(limit) = order.kind.limit() {
                let worse = if order.side == Side::Buy {
                    fill.price > limit
                } else {
                    fill.price < limit
                };
                assert!(!worse, "filled beyond its limit: {fill:?}");
            }
        }
        assert_eq!((order.filled, order.quote_filled), (*filled, *quote));
        assert!(order.filled <= order.quantity);
    }
    let printed: i64 = bench.out.prints.iter().map(|print| print.quantity.0).sum();
    let taken: i64 = executions(&bench.out)
        .filter(|fill| fill.liquidity == Liquidity::Taker)
        .map(|fill| fill.quantity.0)
        .sum();
    assert!(printed >= taken);
    for change in &bench.out.balances {
        let balance = bench.exchange.balance(change.account, change.asset);
        assert_eq!((change.free, change.locked), (balance.free, balance.locked));
    }
}

fn play(config: ExchangeConfig, moves: &[Move]) -> Bench {
    let mut bench = Bench::new(config);
    let mut seen = BTreeMap::new();
    for step in moves {
        let before = open_orders(&bench.exchange);
        make(&mut bench, step);
        let after = open_orders(&bench.exchange);
        money_is_conserved_and_locks_add_up(&bench.exchange);
        the_book_is_not_crossed_and_shows_what_waits(&bench, &after);
        price_and_time_come_first(&bench, &before, &after);
        reports_add_up(&bench, &mut seen);
    }
    bench
}

fn config() -> impl Strategy<Value = ExchangeConfig> {
    let model = prop_oneof![
        Just(FillModel::QuoteTouch),
        Just(FillModel::Book),
        Just(FillModel::TradeThrough)
    ];
    let history = prop_oneof![Just(History::Kept(10)), Just(History::Dropped)];
    let fee_asset = prop::option::of(asset().prop_map(|asset| FeeAsset {
        asset,
        discount: Ppm(250_000),
    }));
    (model, history, fee_asset).prop_map(|(fill_model, history, fee_asset)| ExchangeConfig {
        fill_model,
        history,
        fee_asset,
        caps: Caps {
            order_lists_max: 3,
            algo_orders_max: 8,
            ..Caps::NONE
        },
        ..Default::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_laws_hold(config in config(), moves in prop::collection::vec(any_move(), 1..120)) {
        play(config, &moves);
    }

    #[test]
    fn the_same_moves_give_the_same_bytes(config in config(), moves in prop::collection::vec(any_move(), 1..60)) {
        let (one, two) = (play(config, &moves), play(config, &moves));
        prop_assert_eq!(serde_json::to_vec(&one.exchange).unwrap(), serde_json::to_vec(&two.exchange).unwrap());
    }

    #[test]
    fn a_snapshot_goes_on_like_the_original(
        config in config(),
        first in prop::collection::vec(any_move(), 1..60),
        then in prop::collection::vec(any_move(), 1..60),
    ) {
        let mut original = play(config, &first);
        let text = serde_json::to_string(&original.exchange).unwrap();
        let mut copy = Bench::new(config);
        copy.exchange = serde_json::from_str(&text).unwrap();
        copy.names = original.names;
        for step in &then {
            make(&mut original, step);
            make(&mut copy, step);
            prop_assert_eq!(&original.out, &copy.out);
        }
        prop_assert_eq!(serde_json::to_vec(&original.exchange).unwrap(), serde_json::to_vec(&copy.exchange).unwrap());
    }
}
