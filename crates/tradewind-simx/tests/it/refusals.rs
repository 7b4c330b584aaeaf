//! Every reason to say no, with the number and the words that clients look for; and that a no changes nothing.

use crate::bench::{Bench, ONLY, QUOTE, instrument, limit, post_only};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, InstrumentStatus, OrderKind, Price,
    Quantity, Side,
};
use tradewind_simx::{ExchangeConfig, Filter, NewOrder, Outbox, Refusal, Size};

use OrderKind::Market;
use Side::{Buy, Sell};

fn rules() -> Instrument {
    Instrument {
        tick: Price(5),
        step: Quantity(10),
        quantity_min: Quantity(20),
        notional_min: Amount::whole(5),
        open_orders_max: 2,
        ..instrument()
    }
}

fn strict() -> Bench {
    let mut bench = Bench::with_rules(ExchangeConfig::default(), rules());
    bench.levels(&[(9_900, 500)], &[(10_000, 500)]);
    bench.out = Outbox::default();
    bench
}

fn with(mut order: NewOrder, change: impl FnOnce(&mut NewOrder)) -> NewOrder {
    change(&mut order);
    order
}

#[test]
fn orders_that_break_a_rule_are_refused_by_its_name() {
    type Row = (Side, i64, OrderKind, Refusal);
    let rows: [Row; 13] = [
        (Buy, 100, limit(9_903), Refusal::Filter(Filter::Price)),
        (Buy, 100, limit(0), Refusal::Filter(Filter::Price)),
        (Buy, 100, limit(100_005), Refusal::Filter(Filter::Price)),
        (Buy, 105, limit(9_900), Refusal::Filter(Filter::LotSize)),
        (Buy, 10, limit(9_900), Refusal::Filter(Filter::LotSize)),
        (
            Buy,
            1_000_010,
            limit(9_900),
            Refusal::Filter(Filter::LotSize),
        ),
        (Buy, 1_000_010, Market, Refusal::Filter(Filter::LotSize)),
        (Buy, 500_010, Market, Refusal::Filter(Filter::MarketLotSize)),
        (Buy, 50, limit(9_900), Refusal::Filter(Filter::Notional)),
        (Sell, 20, Market, Refusal::Filter(Filter::Notional)),
        (Buy, 1_000_000, limit(11_000), Refusal::InsufficientBalance),
        (Buy, 100, post_only(10_000), Refusal::WouldTake),
        (Sell, 100, post_only(9_900), Refusal::WouldTake),
    ];
    for (side, quantity, kind, wanted) in rows {
        let mut bench = strict();
        let before = bench.exchange.clone();
        assert_eq!(
            bench.submit(0, side, quantity, kind),
            Err(wanted),
            "{side:?} {quantity} {kind:?}"
        );
        assert!(bench.out.is_empty());
        assert_eq!(bench.exchange, before, "a refusal changes nothing");
    }
}

#[test]
fn balances_bind_to_the_last_digit() {
    let mut bench = strict();
    bench.levels(&[(10_000, 1)], &[(10_010, 1_000_000)]);
    assert_eq!(
        bench
            .submit(0, Sell, 1_000_000, limit(10_010))
            .map(|order| order.quantity),
        Ok(Quantity(1_000_000))
    );
    assert_eq!(
        bench.submit(0, Sell, 100, limit(10_010)),
        Err(Refusal::InsufficientBalance)
    );
    bench.levels(&[(9_000, 1)], &[(10_000, 1_000_000)]);
    let one_less = -Amount(1).0;
    bench
        .exchange
        .deposit(
            bench.now,
            AccountId(1),
            QUOTE,
            Amount(one_less),
            &mut bench.out,
        )
        .unwrap();
    assert_eq!(
        bench
            .submit(1, Buy, 500_000, Market)
            .map(|order| order.filled),
        Ok(Quantity(500_000))
    );
    assert_eq!(
        bench.submit(1, Buy, 500_000, Market),
        Err(Refusal::InsufficientBalance)
    );
}

#[test]
fn names_may_be_used_again_once_the_order_is_finished() {
    let mut bench = strict();
    let order = bench.order(0, Buy, 100, limit(9_000));
    let first = bench.send(&order).unwrap();
    assert_eq!(bench.send(&order), Err(Refusal::DuplicateClientId));
    assert!(
        bench
            .send(&with(order, |order| order.account = AccountId(1)))
            .is_ok(),
        "names are each account's own"
    );
    bench
        .cancel(0, tradewind_simx::OrderRef::Venue(first.id))
        .unwrap();
    assert!(bench.send(&order).is_ok());
}

#[test]
fn an_account_has_at_most_so_many_orders_open() {
    let mut bench = strict();
    bench.submit(0, Buy, 100, limit(9_000)).unwrap();
    bench.submit(0, Sell, 100, limit(11_000)).unwrap();
    assert_eq!(
        bench.submit(0, Buy, 100, limit(9_000)),
        Err(Refusal::Filter(Filter::OrderCount))
    );
    assert!(
        bench.submit(0, Buy, 100, Market).is_ok(),
        "a market order never waits"
    );
    assert!(bench.submit(1, Buy, 100, limit(9_000)).is_ok());
}

#[test]
fn a_closed_market_takes_no_orders_but_cancels() {
    for status in [InstrumentStatus::Halted, InstrumentStatus::CancelOnly] {
        let mut bench = strict();
        let order = bench.submit(0, Buy, 100, limit(9_000)).unwrap();
        bench.exchange.set_status(ONLY, status).unwrap();
        assert_eq!(
            bench.submit(0, Buy, 100, limit(9_000)),
            Err(Refusal::MarketClosed)
        );
        assert!(
            bench
                .cancel(0, tradewind_simx::OrderRef::Venue(order.id))
                .is_ok()
        );
    }
}

#[test]
fn what_is_not_there_is_named() {
    let mut bench = strict();
    let order = bench.order(0, Buy, 100, limit(9_000));
    let strange = with(order, |order| order.account = AccountId(9));
    assert_eq!(bench.send(&strange), Err(Refusal::UnknownAccount));
    let strange = with(order, |order| order.instrument = InstrumentId(9));
    assert_eq!(bench.send(&strange), Err(Refusal::UnknownInstrument));
    let quote = with(order, |order| order.size = Size::Quote(Amount::whole(10)));
    assert_eq!(bench.send(&quote), Err(Refusal::QuoteSizeNotAllowed));
    let small = with(order, |order| {
        (order.size, order.kind) = (Size::Quote(Amount::whole(4)), Market)
    });
    assert_eq!(bench.send(&small), Err(Refusal::Filter(Filter::Notional)));
    let mut deposit = |account, asset, units| {
        bench.exchange.deposit(
            bench.now,
            AccountId(account),
            AssetId(asset),
            Amount::whole(units),
            &mut bench.out,
        )
    };
    assert_eq!(deposit(9, 0, 1), Err(Refusal::UnknownAccount));
    assert_eq!(deposit(0, 9, 1), Err(Refusal::UnknownAsset));
    assert_eq!(deposit(0, 0, -1_001), Err(Refusal::InsufficientBalance));
    assert_eq!(deposit(0, 0, -1_000), Ok(()));
    let foreign = bench.submit(1, Buy, 100, limit(9_000)).unwrap();
    let by_id = tradewind_simx::OrderRef::Venue(foreign.id);
    assert_eq!(
        bench.cancel(0, by_id),
        Err(Refusal::UnknownOrder),
        "somebody else's"
    );
    assert_eq!(bench.exchange.order(AccountId(0), ONLY, by_id), None);
}

#[test]
fn new_rules_bind_new_orders_and_cannot_change_what_a_count_means() {
    let mut bench = strict();
    bench
        .exchange
        .set_rules(&Instrument {
            tick: Price(100),
            revision: 1,
            ..rules()
        })
        .unwrap();
    assert_eq!(
        bench.submit(0, Buy, 100, limit(9_950)),
        Err(Refusal::Filter(Filter::Price))
    );
    let other = Instrument {
        price_decimals: 3,
        ..rules()
    };
    assert_eq!(
        bench.exchange.set_rules(&other),
        Err(Refusal::UnknownInstrument)
    );
}

#[test]
fn numbers_and_words_are_the_venues() {
    let rows = [
        (
            Refusal::InsufficientBalance,
            -2010,
            "Account has insufficient balance for requested action.",
        ),
        (Refusal::DuplicateClientId, -2010, "Duplicate order sent."),
        (
            Refusal::WouldTake,
            -2010,
            "Order would immediately match and take.",
        ),
        (Refusal::MarketClosed, -2010, "Market is closed."),
        (Refusal::UnknownOrder, -2011, "Unknown order sent."),
        (Refusal::UnknownInstrument, -1121, "Invalid symbol."),
        (
            Refusal::Filter(Filter::Notional),
            -1013,
            "Filter failure: NOTIONAL",
        ),
        (
            Refusal::Filter(Filter::MarketLotSize),
            -1013,
            "Filter failure: MARKET_LOT_SIZE",
        ),
    ];
    for (refusal, code, text) in rows {
        assert_eq!((refusal.code(), refusal.to_string().as_str()), (code, text));
    }
}
