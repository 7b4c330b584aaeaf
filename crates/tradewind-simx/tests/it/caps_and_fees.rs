//! What the venue limits beyond an instrument's rules, and fees paid in its own coin.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

use crate::bench::{BASE, Bench, ONLY, QUOTE, executions, instrument, levels, limit, named};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, OrderKind, Ppm, Price, Quantity, Side,
    Timestamp,
};
use tradewind_simx::{
    Bips, Caps, ClientId, Exchange, ExchangeConfig, FeeAsset, FeeChoice, Filter, NewOrder, Outbox,
    Purpose, Refusal, Size, Trigger,
};

use OrderKind::Market;
use Side::{Buy, Sell};

fn around_100(caps: Caps) -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        caps,
        ..ExchangeConfig::default()
    });
    bench.levels(&[(9_990, 9_000)], &[(10_010, 9_000)]);
    bench.trade(Buy, 10_000, 1);
    bench.out.clear();
    bench
}

fn check(bench: &mut Bench, order: NewOrder, wanted: Option<Filter>) {
    let got = bench.send(&order).err();
    assert_eq!(got, wanted.map(Refusal::Filter), "{order:?}");
}

#[test]
fn limits_stay_within_the_band_of_their_side() {
    let caps = Caps {
        buys: tradewind_simx::PriceBand {
            up: Ppm(1_200_000),
            down: Ppm(200_000),
        },
        sells: tradewind_simx::PriceBand {
            up: Ppm(5_000_000),
            down: Ppm(800_000),
        },
        ..Caps::NONE
    };
    let mut bench = around_100(caps);
    let band = Some(Filter::PercentPrice);
    for (name, side, price, wanted) in [
        ("a", Buy, 2_000, None),
        ("b", Buy, 1_999, band),
        ("c", Sell, 50_000, None),
        ("d", Sell, 50_001, band),
        ("e", Sell, 7_999, band),
        ("f", Buy, 12_001, band),
        ("g", Buy, 12_000, None),
    ] {
        check(&mut bench, named(0, name, side, 10, limit(price)), wanted);
    }
}

#[test]
fn the_average_is_that_of_the_last_minutes() {
    let mut bench = around_100(Caps {
        average_minutes: 5,
        ..Caps::NONE
    });
    bench.trade(Buy, 20_000, 3);
    let average = bench.exchange.average_price(bench.now, ONLY);
    assert_eq!(average, Some(Price(17_500)));
    let later = bench.now + std::time::Duration::from_secs(600);
    let average = bench.exchange.average_price(later, ONLY);
    assert_eq!(
        average,
        Some(Price(20_000)),
        "without trades it is the last price"
    );
}

#[test]
fn the_sixth_order_with_a_trigger_is_one_too_many() {
    let mut bench = around_100(Caps::VENUE);
    let stop = |index: i64| {
        named(0, &format!("stop-{index}"), Sell, 10, Market)
            .with_trigger(Trigger::at(Purpose::StopLoss, Price(9_900 - index)))
    };
    for index in 0..5 {
        check(&mut bench, stop(index), None);
    }
    check(&mut bench, stop(5), Some(Filter::AlgoOrderCount));
    check(&mut bench, named(0, "plain", Sell, 10, limit(10_100)), None);
    bench.trade(Sell, 9_900, 1);
    check(&mut bench, stop(6), None);
}

#[test]
fn a_trigger_trails_neither_too_closely_nor_too_far() {
    let mut bench = around_100(Caps::VENUE);
    for (bips, wanted) in [
        (9, Some(Filter::TrailingDelta)),
        (10, None),
        (2_000, None),
        (2_001, Some(Filter::TrailingDelta)),
    ] {
        let trigger = Trigger::trailing(Purpose::StopLoss, Bips(bips), None);
        let order = named(0, &format!("t{bips}"), Sell, 10, Market).with_trigger(trigger);
        check(&mut bench, order, wanted);
    }
}

#[test]
fn an_order_may_be_worth_too_much() {
    let mut bench = around_100(Caps {
        notional_max: Amount::whole(50),
        ..Caps::NONE
    });
    check(&mut bench, named(0, "a", Buy, 500, limit(10_000)), None);
    check(
        &mut bench,
        named(0, "b", Buy, 501, limit(10_000)),
        Some(Filter::Notional),
    );
}

/// A coin that is traded against the quote asset, beside the instrument that is traded.
fn with_coin() -> (Exchange, Outbox) {
    const COIN: AssetId = AssetId(2);
    let coin = Instrument {
        id: InstrumentId(1),
        name: "simx:CCC/BBB".into(),
        base: COIN,
        ..instrument()
    };
    let config = ExchangeConfig {
        fee_asset: Some(FeeAsset {
            asset: COIN,
            discount: Ppm(250_000),
        }),
        ..ExchangeConfig::default()
    };
    let mut exchange = Exchange::new(config, vec![instrument(), coin]);
    let account = exchange.open_account();
    let (now, mut out) = (Timestamp::from_secs(1), Outbox::default());
    exchange
        .deposit(now, account, QUOTE, Amount::whole(10_000), &mut out)
        .unwrap();
    exchange
        .deposit(now, account, COIN, "0.0004".parse().unwrap(), &mut out)
        .unwrap();
    let mut sell_at = |instrument: u32, price: i64| {
        let levels = tradewind_model::Depth {
            instrument: InstrumentId(instrument),
            bids: levels(&[(price - 10, 9_000)]),
            asks: levels(&[(price, 9_000)]),
            received_at: now,
        };
        exchange.levels(now, &levels, &mut Outbox::default());
    };
    sell_at(0, 10_000);
    sell_at(1, 20_010);
    (exchange, Outbox::default())
}

#[test]
fn fees_come_out_of_the_coin_at_a_discount_until_it_runs_out() {
    let (mut exchange, mut out) = with_coin();
    let (now, account) = (Timestamp::from_secs(1), AccountId(0));
    exchange.pay_fees_in(account, FeeChoice::FeeAsset).unwrap();
    let mut fee = |name: &str| {
        out.clear();
        let size = Size::Base(Quantity(1_000));
        let order = NewOrder::new(
            account,
            ONLY,
            ClientId::new(name).unwrap(),
            Buy,
            size,
            Market,
        );
        exchange.submit(now, &order, &mut out).unwrap();
        let fee = executions(&out).next().unwrap().fee;
        assert_eq!(exchange.imbalance(fee.asset), Amount::ZERO);
        (fee.asset, fee.amount.to_string())
    };
    // 100 at 0.1 %, less a quarter, is 0.075; the coin's middle is 200.05.
    assert_eq!(fee("first"), (AssetId(2), "0.00037491".into()));
    assert_eq!(
        fee("second"),
        (BASE, "0.001".into()),
        "what is left does not cover it"
    );
}
