//! The differences that a reading shows, one table for each kind.

use super::*;
use tradewind_model::{
    AccountId, Liquidity, Money, OrderKind, OrderTerms, Price, Quantity, Timestamp, VenueOrderId,
};

const ACCOUNT: AccountId = AccountId(0);
const SPOT: InstrumentId = InstrumentId(0);
const USDT: AssetId = AssetId(0);
const BTC: AssetId = AssetId(1);

fn order_id(sequence: u128) -> ClientOrderId {
    ClientOrderId(u128::from(ClientOrderId::TAG) << 112 | sequence)
}

/// One unit bought at 100 without a fee.
fn fill(trade: u64) -> Fill {
    Fill {
        account: ACCOUNT,
        instrument: SPOT,
        trade_id: TradeId(trade),
        venue_order_id: VenueOrderId(1),
        client_id: order_id(1),
        side: Side::Buy,
        price: Price(10_000),
        quantity: Quantity(100_000),
        fee: Money {
            asset: USDT,
            amount: Amount::ZERO,
        },
        liquidity: Liquidity::Taker,
        event_time: Timestamp::EPOCH,
    }
}

fn open(client_id: ClientOrderId) -> OpenOrder {
    OpenOrder {
        terms: OrderTerms {
            account: ACCOUNT,
            instrument: SPOT,
            client_id,
            side: Side::Buy,
            quantity: Quantity(100_000),
            kind: OrderKind::Market,
        },
        venue_order_id: VenueOrderId(1),
        filled: Quantity::ZERO,
        adopted: None,
        list: None,
    }
}

/// What the desk has: balances, fills booked, and open orders.
struct Case {
    usdt: i64,
    btc: i64,
    booked: Vec<Fill>,
    cursor: Option<u64>,
    open: Vec<(ClientOrderId, bool)>,
}

fn desk(usdt: i64, btc: i64) -> Case {
    Case {
        usdt,
        btc,
        booked: Vec::new(),
        cursor: None,
        open: Vec::new(),
    }
}

/// The venue's reading of the same balances.
fn venue(usdt: i64, btc: i64, fills: Vec<Fill>, orders: Vec<OpenOrder>) -> AccountState {
    AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(usdt)), (BTC, Amount::whole(btc))],
        open_orders: orders,
        fills: fills.into_iter().map(|fill| (fill, None)).collect(),
    }
}

fn check(desk: &Case, venue: &AccountState, wanted: &[Difference]) {
    let instruments = [Instrument::spot(SPOT, "simx:BTC/USDT", BTC, USDT)];
    let cursors = desk.cursor.map(|last| (SPOT, TradeId(last)));
    let cursors: BTreeMap<_, _> = cursors.into_iter().collect();
    let is_booked = |fill: &Fill| {
        let key = |of: &Fill| (of.instrument, of.trade_id, of.client_id);
        desk.booked.iter().any(|known| key(known) == key(fill))
    };
    let local = Local {
        instruments: &instruments,
        totals: BTreeMap::from([
            (USDT, Amount::whole(desk.usdt)),
            (BTC, Amount::whole(desk.btc)),
        ]),
        open: desk.open.iter().copied().collect(),
        recent: desk.booked.clone(),
        cursors: &cursors,
        is_booked: &is_booked,
    };
    assert_eq!(reconcile(&local, venue), wanted);
}

#[test]
fn what_agrees_has_no_difference() {
    check(&desk(1_000, 0), &venue(1_000, 0, vec![], vec![]), &[]);
    let mut traded = desk(900, 1);
    traded.booked = vec![fill(7)];
    check(&traded, &venue(900, 1, vec![fill(7)], vec![]), &[]);
    let absent = AccountState {
        balances: vec![(USDT, Amount::whole(1_000))],
        ..venue(0, 0, vec![], vec![])
    };
    check(&desk(1_000, 0), &absent, &[]);
}

#[test]
fn a_fill_that_is_not_booked_explains_its_balances() {
    let missed = Difference::Fill(fill(7), None);
    check(
        &desk(1_000, 0),
        &venue(900, 1, vec![fill(7)], vec![]),
        &[missed],
    );
}

/// Kind 2: the key of a fill has no stamp in it.
#[test]
fn a_booked_fill_is_known_whatever_its_stamp() {
    let mut traded = desk(900, 1);
    traded.booked = vec![fill(7)];
    let stamped = Fill {
        event_time: Timestamp::from_secs(9),
        ..fill(7)
    };
    check(&traded, &venue(900, 1, vec![stamped], vec![]), &[]);
}

/// Kind 2: a fill that is reported between reading and comparison.
#[test]
fn a_fill_newer_than_the_reading_is_no_difference() {
    let mut traded = desk(900, 1);
    traded.booked = vec![fill(7)];
    check(&traded, &venue(1_000, 0, vec![], vec![]), &[]);
    traded.cursor = Some(6);
    check(&traded, &venue(1_000, 0, vec![], vec![]), &[]);
    traded.cursor = Some(7);
    let reading = venue(1_000, 0, vec![], vec![]);
    let back = [
        Difference::Balance(USDT, Amount::whole(100)),
        Difference::Balance(BTC, Amount::whole(-1)),
    ];
    check(&traded, &reading, &back);
}

#[test]
fn what_no_fill_explains_is_named_by_asset_and_sign() {
    let deposit = [Difference::Balance(USDT, Amount::whole(50))];
    check(&desk(1_000, 2), &venue(1_050, 2, vec![], vec![]), &deposit);
    let gone = [Difference::Balance(BTC, Amount::whole(-2))];
    check(&desk(1_000, 2), &venue(1_000, 0, vec![], vec![]), &gone);
}

#[test]
fn orders_are_compared_by_id() {
    let (known, doubt, gone) = (order_id(1), order_id(2), order_id(3));
    let mut trading = desk(1_000, 0);
    trading.open = vec![(known, true), (doubt, false), (gone, true)];
    let stray = order_id(4);
    let by_hand = ClientOrderId(77);
    let listed = [known, doubt, stray, by_hand].map(open).to_vec();
    check(
        &trading,
        &venue(1_000, 0, vec![], listed),
        &[
            Difference::Accepted(open(doubt)),
            Difference::Stray(open(stray)),
            Difference::NotListed(gone),
        ],
    );
}

/// Kind 2, V04: a fill is booked and in the balances, and the venue's list of trades lags.
#[test]
fn a_list_of_trades_that_lags_makes_no_difference_of_a_booked_fill() {
    let mut traded = desk(900, 1);
    traded.booked = vec![fill(7)];
    traded.cursor = Some(6);
    check(&traded, &venue(900, 1, vec![], vec![]), &[]);
}
