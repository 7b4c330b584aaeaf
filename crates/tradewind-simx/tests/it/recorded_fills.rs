//! Recorded books and trades as liquidity: lines of a capture drive fills, and a waiting order has its place in the line.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::collections::BTreeMap;

use tradewind_model::{
    AccountId, Amount, InstrumentId, Liquidity, OrderKind, Price, Quantity, Side, Timestamp,
    VenueId,
};
use tradewind_simx::recorded::CapturePlayer;
use tradewind_simx::{
    ClientId, Exchange, ExchangeConfig, MarketRecord, NewOrder, OrderEvent, Outbox, Size, universe,
};

/// A book of 2 BTC at 60,000.00, then what happens second by second.
const LINES: [&str; 8] = [
    r#"1000000000 {"lastUpdateId":9,"bids":[["60000.00","2.00000"],["59999.00","1.00000"]],"asks":[["60001.00","0.50000"],["60002.00","3.00000"]]}"#,
    r#"1000000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1000,"s":"BTCUSDT","U":10,"u":10,"b":[],"a":[["60003.00","1.00000"]]}}"#,
    // Half of the line is served, then half of the rest goes away, then the trade that reaches us.
    r#"2000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":2000,"s":"BTCUSDT","t":1,"p":"60000.00","q":"1.00000","T":2000,"m":true,"M":true}}"#,
    r#"3000000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":3000,"s":"BTCUSDT","U":11,"u":11,"b":[["60000.00","0.50000"]],"a":[]}}"#,
    r#"4000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":4000,"s":"BTCUSDT","t":2,"p":"60000.00","q":"0.60000","T":4000,"m":true,"M":true}}"#,
    // New depth at our price stands behind us; a trade through our price takes the rest.
    r#"5000000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":5000,"s":"BTCUSDT","U":12,"u":12,"b":[["60000.00","4.00000"]],"a":[]}}"#,
    r#"6000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":6000,"s":"BTCUSDT","t":3,"p":"59999.00","q":"0.30000","T":6000,"m":true,"M":true}}"#,
    r#"7000000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":7000,"s":"BTCUSDT","U":13,"u":13,"b":[["60000.00","0"]],"a":[]}}"#,
];

/// BTC/USDT with an account on it, and everything the lines say, by second.
struct Scene {
    exchange: Exchange,
    account: AccountId,
    records: Vec<(i64, MarketRecord)>,
}

fn scene() -> Scene {
    let bitcoin = universe("simx", VenueId(0)).instruments.remove(0);
    let names = BTreeMap::from([("BTCUSDT".to_owned(), bitcoin.clone())]);
    let mut player = CapturePlayer::new(names, 0);
    LINES.iter().for_each(|line| player.feed(line).unwrap());
    player.end();
    let records = std::iter::from_fn(|| player.next_record());
    let records = records.map(|(at, record)| (at.as_millis() / 1_000, record));

    let mut exchange = Exchange::new(ExchangeConfig::default(), vec![bitcoin.clone()]);
    let account = exchange.open_account();
    let (now, amount) = (Timestamp::EPOCH, Amount::whole(1_000_000));
    let paid = exchange.deposit(now, account, bitcoin.quote, amount, &mut Outbox::default());
    assert_eq!(paid, Ok(()));
    Scene {
        exchange,
        account,
        records: records.collect(),
    }
}

/// What a purchase was filled with: second, price, quantity, and whether it waited.
type Fill = (i64, i64, i64, Liquidity);

/// Plays all records, with an order to buy coming right after the first second.
fn fills(quantity: i64, kind: OrderKind) -> Vec<Fill> {
    let mut scene = scene();
    let name = ClientId::new("one").unwrap();
    let size = Size::Base(Quantity(quantity));
    let bitcoin = InstrumentId(0);
    let order = NewOrder::new(scene.account, bitcoin, name, Side::Buy, size, kind);
    let (mut fills, mut order) = (Vec::new(), Some(order));
    for (second, record) in scene.records {
        let (now, mut out) = (Timestamp::from_secs(second), Outbox::default());
        if let Some(order) = order.take_if(|_| second > 1) {
            scene.exchange.submit(now, &order, &mut out).unwrap();
        }
        scene.exchange.market(now, record.as_event(), &mut out);
        fills.extend(out.orders.iter().filter_map(|report| match report.event {
            OrderEvent::Filled(fill) => {
                Some((second, fill.price.0, fill.quantity.0, fill.liquidity))
            }
            _ => None,
        }));
    }
    fills
}

#[test]
fn a_waiting_order_is_filled_when_the_recorded_trades_have_served_its_line() {
    let price = Price(6_000_000);
    let found = fills(30_000, OrderKind::PostOnly { price });
    let wanted = [
        // 2 BTC stood before it: 1 was traded, 0.5 went away, 0.5 of the next 0.6 was still theirs.
        (4, 6_000_000, 10_000, Liquidity::Maker),
        (6, 6_000_000, 20_000, Liquidity::Maker),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_taking_order_walks_the_recorded_levels() {
    let found = fills(120_000, OrderKind::Market);
    let wanted = [
        (2, 6_000_100, 50_000, Liquidity::Taker),
        (2, 6_000_200, 70_000, Liquidity::Taker),
    ];
    assert_eq!(found, wanted);
}
