//! What each kind of order does against a book that is known.

use crate::bench::{BASE, Bench, ONLY, QUOTE, all_or_nothing, immediate, limit, post_only};
use tradewind_model::{AccountId, Amount, OrderKind, OrderStatus, Quantity, Side, TradeId};
use tradewind_simx::{
    EndReason, Exchange, ExchangeConfig, FeeSchedule, FillModel, History, NewOrder, Order,
    OrderEvent, OrderRef, Refusal, SelfTrade, Size,
};

use OrderKind::Market;
use OrderStatus::{Accepted, Cancelled, Expired, Filled, PartiallyFilled};
use Side::{Buy, Sell};

fn free_book() -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        fees: FeeSchedule::FREE,
        ..ExchangeConfig::default()
    });
    bench.levels(
        &[(9_900, 500), (9_800, 1_000)],
        &[(10_000, 500), (10_100, 1_000)],
    );
    bench
}

fn touch_book() -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        history: ExchangeConfig::default().history,
        ..ExchangeConfig::backtest()
    });
    bench.quote((9_900, 1), (10_000, 1));
    bench
}

#[test]
fn each_kind_takes_waits_or_expires_as_it_says() {
    type Row = (
        &'static str,
        OrderKind,
        i64,
        OrderStatus,
        &'static [(u32, i64, i64)],
        i64,
    );
    let rows: [Row; 11] = [
        (
            "a market order takes level after level",
            Market,
            700,
            Filled,
            &[(0, 10_000, 500), (0, 10_100, 200)],
            0,
        ),
        (
            "what exceeds the book expires",
            Market,
            1_700,
            Expired,
            &[(0, 10_000, 500), (0, 10_100, 1_000)],
            0,
        ),
        (
            "a limit takes up to its price and waits",
            limit(10_000),
            700,
            PartiallyFilled,
            &[(0, 10_000, 500)],
            200,
        ),
        (
            "a better limit trades at the book's price",
            limit(20_000),
            100,
            Filled,
            &[(0, 10_000, 100)],
            0,
        ),
        (
            "a limit away from the market waits",
            limit(9_000),
            700,
            Accepted,
            &[],
            700,
        ),
        (
            "immediate-or-cancel does not wait",
            immediate(10_000),
            700,
            Expired,
            &[(0, 10_000, 500)],
            0,
        ),
        (
            "immediate-or-cancel may fill whole",
            immediate(10_000),
            300,
            Filled,
            &[(0, 10_000, 300)],
            0,
        ),
        (
            "fill-or-kill fills whole",
            all_or_nothing(10_100),
            700,
            Filled,
            &[(0, 10_000, 500), (0, 10_100, 200)],
            0,
        ),
        (
            "fill-or-kill or not at all",
            all_or_nothing(10_000),
            700,
            Expired,
            &[],
            0,
        ),
        ("post-only waits", post_only(9_999), 700, Accepted, &[], 700),
        (
            "an immediate order away from the market expires",
            immediate(9_000),
            1,
            Expired,
            &[],
            0,
        ),
    ];
    for (what, kind, quantity, status, fills, waiting) in rows {
        let mut bench = free_book();
        let order = bench.submit(0, Buy, quantity, kind).unwrap();
        assert_eq!(order.status, status, "{what}");
        assert_eq!(bench.fills(), fills, "{what}");
        let open: i64 = bench
            .exchange
            .open_orders(AccountId(0))
            .map(|order| order.remaining().0)
            .sum();
        assert_eq!(open, waiting, "{what}");
        assert_eq!(bench.find(0, &order), order, "{what}");
    }
}

#[test]
fn at_the_touch_the_quote_model_fills_any_size() {
    let mut bench = touch_book();
    assert_eq!(bench.submit(0, Buy, 5_000, Market).unwrap().status, Filled);
    assert_eq!(
        bench.submit(0, Sell, 5_000, limit(9_900)).unwrap().status,
        Filled
    );
    assert_eq!(bench.fills(), [(0, 10_000, 5_000), (0, 9_900, 5_000)]);
    let waiting = bench.submit(0, Buy, 700, limit(9_950)).unwrap();
    bench.quote((9_901, 1), (9_951, 1));
    assert_eq!(bench.fills(), []);
    bench.quote((9_901, 1), (9_950, 1));
    assert_eq!(bench.fills(), [(0, 9_950, 700)]);
    assert_eq!(bench.find(0, &waiting).status, Filled);
}

#[test]
fn without_a_market_nothing_fills() {
    for model in [FillModel::QuoteTouch, FillModel::Book] {
        let mut bench = Bench::new(ExchangeConfig {
            fill_model: model,
            ..ExchangeConfig::default()
        });
        let order = bench.submit(0, Buy, 100, Market).unwrap();
        assert_eq!(
            (order.status, order.end),
            (Expired, Some(EndReason::NoLiquidity))
        );
    }
}

#[test]
fn accounts_trade_with_each_other_by_price_then_time() {
    for model in [FillModel::QuoteTouch, FillModel::Book] {
        let mut bench = Bench::new(ExchangeConfig {
            fill_model: model,
            fees: FeeSchedule::FREE,
            ..Default::default()
        });
        for (quantity, price) in [(100, 10_010), (200, 10_000), (300, 10_000)] {
            bench.submit(0, Sell, quantity, limit(price)).unwrap();
        }
        bench.out.clear();
        bench.submit(1, Buy, 450, Market).unwrap();
        let expected = [
            (1, 10_000, 200),
            (0, 10_000, 200),
            (1, 10_000, 250),
            (0, 10_000, 250),
        ];
        assert_eq!(bench.fills(), expected, "{model:?}");
        assert_eq!(bench.book().1, [(10_000, 50), (10_010, 100)]);
    }
}

#[test]
fn liquidity_taken_is_gone_until_it_is_shown_again() {
    let mut bench = free_book();
    bench.submit(0, Buy, 500, Market).unwrap();
    assert_eq!(bench.book().1, [(10_100, 1_000)]);
    bench.fills();
    bench.submit(0, Buy, 100, Market).unwrap();
    assert_eq!(bench.fills(), [(0, 10_100, 100)]);
    bench.quote((9_900, 500), (10_000, 50));
    assert_eq!(bench.book().1, [(10_000, 50), (10_100, 900)]);
}

#[test]
fn money_moves_exactly_and_fees_come_from_what_is_received() {
    let mut bench = Bench::new(ExchangeConfig::default());
    bench.levels(&[(9_900, 500)], &[(10_000, 500)]);
    bench.submit(0, Buy, 300, Market).unwrap();
    assert_eq!(
        (bench.free(0, BASE).as_str(), bench.free(0, QUOTE).as_str()),
        ("1000.2997", "99970")
    );
    bench.submit(0, Sell, 300, Market).unwrap();
    assert_eq!(
        (bench.free(0, BASE).as_str(), bench.free(0, QUOTE).as_str()),
        ("999.9997", "99999.6703")
    );
    assert_eq!(bench.exchange.fees(BASE).to_string(), "0.0003");
    assert_eq!(bench.exchange.fees(QUOTE).to_string(), "0.0297");
    assert_eq!(bench.exchange.imbalance(BASE), Amount::ZERO);
}

#[test]
fn a_waiting_order_locks_what_it_may_pay_and_frees_it_at_the_end() {
    let mut bench = free_book();
    let buy = bench.submit(0, Buy, 700, limit(10_000)).unwrap();
    assert_eq!(
        (
            bench.free(0, QUOTE).as_str(),
            bench.locked(0, QUOTE).as_str()
        ),
        ("99930", "20")
    );
    let sell = bench.submit(0, Sell, 1_000, limit(11_000)).unwrap();
    assert_eq!(
        (bench.free(0, BASE).as_str(), bench.locked(0, BASE).as_str()),
        ("999.5", "1")
    );
    bench.out.clear();
    let ended = bench.cancel(0, OrderRef::Client(buy.client_id)).unwrap();
    assert_eq!((ended.status, ended.filled), (Cancelled, Quantity(500)));
    assert_eq!(
        (
            bench.free(0, QUOTE).as_str(),
            bench.locked(0, QUOTE).as_str()
        ),
        ("99950", "0")
    );
    assert_eq!(bench.out.orders.len(), 1);
    assert_eq!(bench.out.balances.len(), 1);
    assert_eq!(
        bench
            .exchange
            .cancel_all(bench.now, AccountId(0), ONLY, None, &mut bench.out),
        Ok(1)
    );
    assert_eq!(bench.find(0, &sell).status, Cancelled);
    assert_eq!(
        bench.cancel(0, OrderRef::Venue(buy.id)),
        Err(Refusal::UnknownOrder)
    );
}

#[test]
fn a_market_order_by_quote_amount_spends_at_most_that() {
    let mut bench = free_book();
    let name = bench.name();
    let size = Size::Quote("60.55".parse().unwrap());
    let order = NewOrder::new(AccountId(0), ONLY, name, Buy, size, Market);
    let order = bench.send(&order).unwrap();
    assert_eq!(
        (order.status, order.filled, order.quantity),
        (Filled, Quantity(604), Quantity(604))
    );
    assert_eq!(order.quote_filled.to_string(), "60.504");
    assert_eq!(bench.fills(), [(0, 10_000, 500), (0, 10_100, 104)]);
}

#[test]
fn an_amount_the_book_cannot_spend_expires() {
    let mut bench = free_book();
    let name = bench.name();
    let size = Size::Quote(Amount::whole(1_000));
    let order = bench
        .send(&NewOrder::new(AccountId(0), ONLY, name, Buy, size, Market))
        .unwrap();
    assert_eq!((order.status, order.filled), (Expired, Quantity(1_500)));
}

#[test]
fn an_amount_the_account_does_not_have_is_refused_however_thin_the_book() {
    let mut bench = free_book();
    let name = bench.name();
    let size = Size::Quote(Amount::whole(100_001));
    let order = NewOrder::new(AccountId(0), ONLY, name, Buy, size, Market);
    assert_eq!(bench.send(&order), Err(Refusal::InsufficientBalance));
}

#[test]
fn without_history_memory_does_not_grow() {
    let mut bench = touch_book();
    bench.exchange = Exchange::new(
        ExchangeConfig::backtest(),
        bench.exchange.instruments().to_vec(),
    );
    let account = bench.exchange.open_account();
    bench
        .exchange
        .deposit(
            bench.now,
            account,
            QUOTE,
            Amount::whole(100_000),
            &mut bench.out,
        )
        .unwrap();
    bench.quote((9_900, 1), (10_000, 1));
    let mut sizes = Vec::new();
    for _ in 0..3 {
        for _ in 0..500 {
            bench.submit(0, Buy, 10, Market).unwrap();
            bench.submit(0, Sell, 10, Market).unwrap();
            let waiting = bench.submit(0, Buy, 10, limit(9_000)).unwrap();
            bench.cancel(0, OrderRef::Venue(waiting.id)).unwrap();
            bench.out.clear();
        }
        sizes.push(serde_json::to_vec(&bench.exchange).unwrap().len() / 100);
    }
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{sizes:?}");
}

#[test]
fn history_keeps_the_newest_and_forgets_the_rest_with_their_names() {
    let mut bench = Bench::new(ExchangeConfig {
        history: History::Kept(2),
        ..ExchangeConfig::default()
    });
    bench.quote((9_900, 1_000), (10_000, 1_000));
    let orders: Vec<_> = (0..4)
        .map(|_| bench.submit(0, Buy, 100, Market).unwrap())
        .collect();
    let known = |by: &dyn Fn(&Order) -> OrderRef| {
        let find = |order| bench.exchange.order(AccountId(0), ONLY, by(order));
        orders
            .iter()
            .map(|order| find(order).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        known(&|order| OrderRef::Venue(order.id)),
        [false, false, true, true]
    );
    assert_eq!(
        known(&|order| OrderRef::Client(order.client_id)),
        [false, false, true, true]
    );
    let kept: Vec<_> = bench
        .exchange
        .executions(AccountId(0))
        .map(|fill| fill.order_id)
        .collect();
    assert_eq!(kept, [orders[2].id, orders[3].id]);
    assert_eq!(bench.exchange.finished_orders(AccountId(0)).count(), 2);
}

#[test]
fn a_public_trade_serves_the_line_before_it_serves_us() {
    let mut bench = free_book();
    let order = bench.submit(0, Buy, 300, limit(9_900)).unwrap();
    bench.out.clear();
    bench.trade(Sell, 9_900, 400);
    assert_eq!(
        (bench.prints(), bench.fills()),
        (vec![(9_900, 400)], vec![])
    );
    bench.trade(Sell, 9_900, 250);
    assert_eq!(bench.prints(), [(9_900, 150), (9_900, 100)]);
    assert_eq!(bench.fills(), [(0, 9_900, 150)]);
    bench.trade(Sell, 9_899, 1_000);
    assert_eq!(bench.prints(), [(9_900, 150), (9_899, 850)]);
    assert_eq!(bench.find(0, &order).status, Filled);
}

#[test]
fn prints_are_numbered_from_one_or_behind_an_id_that_is_further() {
    let mut bench = free_book();
    let next = |bench: &mut Bench| {
        bench.trade(Sell, 9_900, 1);
        let print = bench.exchange.last_trade(ONLY).unwrap();
        assert_eq!(bench.exchange.last_trade_id(ONLY), print.id);
        print.id
    };
    assert_eq!(bench.exchange.last_trade_id(ONLY), TradeId(0));
    assert_eq!(next(&mut bench), TradeId(1));
    bench.exchange.number_trades_after(TradeId(1_000));
    assert_eq!(next(&mut bench), TradeId(1_001));
    bench.exchange.number_trades_after(TradeId(1_000));
    assert_eq!(next(&mut bench), TradeId(1_002));
}

#[test]
fn the_line_shortens_when_the_market_shows_less() {
    let mut bench = free_book();
    bench.submit(0, Buy, 300, limit(9_900)).unwrap();
    bench.quote((9_900, 100), (10_000, 500));
    bench.quote((9_900, 900), (10_000, 500));
    bench.out.clear();
    bench.trade(Sell, 9_900, 150);
    assert_eq!(bench.fills(), [(0, 9_900, 50)]);
    bench.quote((9_800, 900), (10_000, 500));
    bench.trade(Sell, 9_900, 100);
    assert_eq!(bench.fills(), [(0, 9_900, 100)]);
}

#[test]
fn an_order_behind_what_is_shown_waits_for_its_line_to_be_seen() {
    let mut bench = free_book();
    bench.submit(0, Buy, 300, limit(9_700)).unwrap();
    bench.out.clear();
    bench.trade(Sell, 9_700, 10_000);
    assert_eq!(bench.fills(), [], "an unseen line has no end");
    bench.levels(&[(9_700, 1_000)], &[(10_000, 500)]);
    bench.trade(Sell, 9_700, 1_100);
    assert_eq!(bench.fills(), [(0, 9_700, 100)]);
}

#[test]
fn the_market_moving_into_an_order_trades_at_the_orders_price() {
    let mut bench = free_book();
    bench.submit(0, Buy, 700, limit(9_950)).unwrap();
    bench.out.clear();
    bench.levels(&[(9_900, 100)], &[(9_930, 300), (9_940, 100), (9_960, 50)]);
    assert_eq!(bench.fills(), [(0, 9_950, 300), (0, 9_950, 100)]);
    assert_eq!(
        bench.book(),
        (vec![(9_950, 300), (9_900, 100)], vec![(9_960, 50)])
    );
}

#[test]
fn an_order_inside_the_spread_is_shown_and_hit_first() {
    let mut bench = free_book();
    bench.submit(0, Buy, 300, limit(9_950)).unwrap();
    let touch = bench.exchange.touch(ONLY).unwrap();
    assert_eq!(
        (touch.bid.0, touch.bid_quantity.0, touch.ask.0),
        (9_950, 300, 10_000)
    );
    bench.out.clear();
    bench.trade(Sell, 9_900, 200);
    assert_eq!(bench.fills(), [(0, 9_950, 200)]);
}

#[test]
fn an_incoming_order_passes_the_line_as_it_stands() {
    let mut bench = free_book();
    bench.submit(0, Sell, 100, limit(10_000)).unwrap();
    bench.levels(&[(9_900, 500)], &[(10_000, 800)]);
    bench.out.clear();
    bench.submit(1, Buy, 650, Market).unwrap();
    assert_eq!(
        bench.fills(),
        [
            (1, 10_000, 500),
            (1, 10_000, 100),
            (0, 10_000, 100),
            (1, 10_000, 50)
        ]
    );
    assert_eq!(bench.book().1, [(10_000, 250)]);
}

#[test]
fn self_trades_follow_their_rule() {
    type Row = (SelfTrade, OrderStatus, OrderStatus, i64);
    let rows: [Row; 4] = [
        (SelfTrade::Allowed, Filled, Filled, 2),
        (SelfTrade::ExpireTaker, Expired, Accepted, 0),
        (SelfTrade::ExpireMaker, Filled, Expired, 1),
        (SelfTrade::ExpireBoth, Expired, Expired, 0),
    ];
    for (rule, taker, maker, fills) in rows {
        let mut bench = free_book();
        let own = bench.submit(0, Sell, 100, limit(9_950)).unwrap();
        bench.out.clear();
        let order = bench.order(0, Buy, 100, Market).with_self_trade(rule);
        assert_eq!(bench.send(&order).unwrap().status, taker, "{rule:?}");
        assert_eq!(bench.find(0, &own).status, maker, "{rule:?}");
        assert_eq!(
            i64::try_from(bench.fills().len()).unwrap(),
            fills,
            "{rule:?}"
        );
    }
}

#[test]
fn a_market_order_reports_acceptance_then_fills_then_each_balance_once() {
    let mut bench = free_book();
    bench.submit(0, Buy, 700, Market).unwrap();
    let events: Vec<_> = bench
        .out
        .orders
        .iter()
        .map(|report| (report.id, report.order.status))
        .collect();
    assert_eq!(events, [(1, Accepted), (2, PartiallyFilled), (3, Filled)]);
    assert!(matches!(bench.out.orders[0].event, OrderEvent::Accepted));
    let assets: Vec<_> = bench
        .out
        .balances
        .iter()
        .map(|change| change.asset)
        .collect();
    assert_eq!(assets, [QUOTE, BASE]);
}

#[test]
fn an_order_by_quote_amount_ends_at_its_own_accounts_order_too() {
    let mut bench = free_book();
    bench.submit(0, Sell, 1_000, limit(10_050)).unwrap();
    let name = bench.name();
    let size = Size::Quote(Amount::whole(60));
    let order = NewOrder::new(AccountId(0), ONLY, name, Buy, size, Market);
    let order = order.with_self_trade(SelfTrade::ExpireTaker);
    let order = bench.send(&order).unwrap();
    assert_eq!(
        (order.status, order.end),
        (Expired, Some(EndReason::SelfTrade))
    );
    assert_eq!(bench.fills(), [(0, 10_000, 500)]);
}
