//! Laws of booking: cash moves by fills, fees and funding only; realised sums are exact; dust closes a position.

use proptest::prelude::*;
use tradewind_model::{BotId, ClientOrderId, Liquidity, Price, TradeId, VenueOrderId};

use super::*;

const ACCOUNT: AccountId = AccountId(0);
const OWNER: OwnerId = OwnerId::Bot(BotId(0));
const BASE: AssetId = AssetId(0);
const QUOTE: AssetId = AssetId(1);
const KEY: PositionKey = (ACCOUNT, OWNER, InstrumentId(0));

fn instrument(kind: InstrumentKind) -> Instrument {
    Instrument {
        kind,
        quantity_decimals: 3,
        notional_min: Amount::whole(5),
        ..Instrument::spot(InstrumentId(0), "made-up:BASE/QUOTE", BASE, QUOTE)
    }
}

fn fill(side: Side, price: i64, quantity: i64, fee: (AssetId, &str)) -> Fill {
    Fill {
        account: ACCOUNT,
        instrument: InstrumentId(0),
        trade_id: TradeId(1),
        venue_order_id: VenueOrderId(1),
        client_id: ClientOrderId(1),
        side,
        price: Price(price),
        quantity: Quantity(quantity),
        fee: Money {
            asset: fee.0,
            amount: fee.1.parse().unwrap(),
        },
        liquidity: Liquidity::Taker,
        event_time: Timestamp::EPOCH,
    }
}

fn booked(portfolio: &mut Portfolio, instrument: &Instrument, fill: Fill) -> Booking {
    portfolio.book(instrument, OWNER, &fill).unwrap()
}

fn balance(portfolio: &Portfolio, asset: AssetId) -> String {
    portfolio.ledger.balance(ACCOUNT, asset, OWNER).to_string()
}

#[test]
fn a_spot_round_trip_moves_both_assets_and_realises_price_and_fee() {
    let spot = instrument(InstrumentKind::Spot);
    let mut portfolio = Portfolio::default();
    portfolio.deposit(
        ACCOUNT,
        Money {
            asset: QUOTE,
            amount: Amount::whole(1_000),
        },
        OWNER,
    );
    let opened = booked(
        &mut portfolio,
        &spot,
        fill(Side::Buy, 10_000, 2_000, (QUOTE, "0.2")),
    );
    assert_eq!(opened.change, PositionChange::Opened);
    assert_eq!(
        (balance(&portfolio, BASE), balance(&portfolio, QUOTE)),
        ("2".into(), "799.8".into())
    );
    let closed = booked(
        &mut portfolio,
        &spot,
        fill(Side::Sell, 11_000, 2_000, (QUOTE, "0.22")),
    );
    assert_eq!(closed.change, PositionChange::Closed);
    assert_eq!(closed.position.realized.to_string(), "19.58");
    assert_eq!(
        (balance(&portfolio, BASE), balance(&portfolio, QUOTE)),
        ("0".into(), "1019.58".into())
    );
    assert_eq!(
        portfolio.realized(ACCOUNT, OWNER, QUOTE).to_string(),
        "19.58"
    );
    assert_eq!(portfolio.positions().count(), 0);
}

#[test]
fn a_fee_in_the_base_asset_leaves_dust_that_closes_the_position() {
    let spot = instrument(InstrumentKind::Spot);
    let mut portfolio = Portfolio::default();
    booked(
        &mut portfolio,
        &spot,
        fill(Side::Buy, 10_000, 2_000, (BASE, "0.002")),
    );
    assert_eq!(portfolio.closable(&spot, &KEY), Quantity(1_998));
    let closed = booked(
        &mut portfolio,
        &spot,
        fill(Side::Sell, 10_000, 1_998, (QUOTE, "0")),
    );
    assert_eq!(closed.change, PositionChange::Reduced);
    assert!(portfolio.is_remainder(&spot, &KEY, Some(Price(10_000))));
    // The fee of 0.002 at 100 is what was lost.
    let given_up = portfolio.give_up(&spot, KEY).unwrap();
    assert_eq!(given_up.realized.to_string(), "-0.2");
    assert_eq!(portfolio.positions().count(), 0);
    assert_eq!(balance(&portfolio, BASE), "0");
}

#[test]
fn a_fraction_finer_than_the_step_goes_to_the_dust_book() {
    let spot = instrument(InstrumentKind::Spot);
    let mut portfolio = Portfolio::default();
    booked(
        &mut portfolio,
        &spot,
        fill(Side::Buy, 10_000, 2_000, (BASE, "0.0015")),
    );
    assert_eq!(portfolio.closable(&spot, &KEY), Quantity(1_998));
    booked(
        &mut portfolio,
        &spot,
        fill(Side::Sell, 10_000, 1_998, (QUOTE, "0")),
    );
    assert!(portfolio.give_up(&spot, KEY).is_some());
    assert_eq!(
        portfolio
            .ledger
            .balance(ACCOUNT, BASE, OwnerId::Dust)
            .to_string(),
        "0.0005"
    );
    assert_eq!(portfolio.ledger.total(ACCOUNT, BASE).to_string(), "0.0005");
}

#[test]
fn dust_is_a_bots_remainder_and_no_more_of_its_asset() {
    let spot = instrument(InstrumentKind::Spot);
    let mut portfolio = Portfolio::default();
    let had = Money {
        asset: BASE,
        amount: Amount::ONE,
    };
    portfolio.deposit(ACCOUNT, had, OWNER);
    let no_fee = (QUOTE, "0");
    booked(
        &mut portfolio,
        &spot,
        fill(Side::Buy, 10_000, 1_000, no_fee),
    );
    // Worth 100 at its cost: one price that says 4 makes no dust of it.
    assert!(!portfolio.is_remainder(&spot, &KEY, Some(Price(400))));
    booked(&mut portfolio, &spot, fill(Side::Sell, 10_000, 990, no_fee));
    assert!(portfolio.is_remainder(&spot, &KEY, Some(Price(10_000))));
    let by_hand = (ACCOUNT, OwnerId::Unallocated, InstrumentId(0));
    assert!(!portfolio.is_remainder(&spot, &by_hand, None));
    portfolio.give_up(&spot, KEY);
    assert_eq!(balance(&portfolio, BASE), "1");
    let dust = portfolio.ledger.balance(ACCOUNT, BASE, OwnerId::Dust);
    assert_eq!(dust.to_string(), "0.01");
}

#[test]
fn a_linear_contract_sold_short_earns_the_fall_and_the_funding() {
    let linear = instrument(InstrumentKind::Linear);
    let mut portfolio = Portfolio::default();
    portfolio.deposit(
        ACCOUNT,
        Money {
            asset: QUOTE,
            amount: Amount::whole(1_000),
        },
        OWNER,
    );
    booked(
        &mut portfolio,
        &linear,
        fill(Side::Sell, 10_000, 3_000, (QUOTE, "0.3")),
    );
    assert_eq!(
        (balance(&portfolio, BASE), balance(&portfolio, QUOTE)),
        ("0".into(), "999.7".into())
    );
    let short = portfolio.position(&KEY);
    assert_eq!(short.quantity, Quantity(-3_000));
    assert_eq!(short.entry_price(&linear), Some(Price(10_000)));
    assert_eq!(
        short.unrealized(&linear, Price(9_000)).unwrap().to_string(),
        "30"
    );
    portfolio.fund(ACCOUNT, OWNER, &linear, "0.03".parse().unwrap());
    let reduced = booked(
        &mut portfolio,
        &linear,
        fill(Side::Buy, 9_000, 1_000, (QUOTE, "0.09")),
    );
    assert_eq!(reduced.change, PositionChange::Reduced);
    let closed = booked(
        &mut portfolio,
        &linear,
        fill(Side::Buy, 9_500, 2_000, (QUOTE, "0.19")),
    );
    assert_eq!(closed.change, PositionChange::Closed);
    // 10 + 10 earned, 0.03 funding, 0.58 in fees.
    assert_eq!(closed.position.realized.to_string(), "19.45");
    assert_eq!(balance(&portfolio, QUOTE), "1019.45");
    assert_eq!(
        portfolio.realized(ACCOUNT, OWNER, QUOTE).to_string(),
        "19.45"
    );
}

#[test]
fn a_fill_beyond_flat_turns_the_position() {
    let linear = instrument(InstrumentKind::Linear);
    let mut portfolio = Portfolio::default();
    booked(
        &mut portfolio,
        &linear,
        fill(Side::Buy, 10_000, 1_000, (QUOTE, "0")),
    );
    let turned = booked(
        &mut portfolio,
        &linear,
        fill(Side::Sell, 11_000, 3_000, (QUOTE, "0")),
    );
    assert_eq!(turned.change, PositionChange::Turned);
    assert_eq!(turned.position.quantity, Quantity(-2_000));
    assert_eq!(turned.position.entry_price(&linear), Some(Price(11_000)));
    assert_eq!(balance(&portfolio, QUOTE), "10");
}

proptest! {
    /// Position = Σ fills, and what was realised plus what is open equals the cash that moved.
    #[test]
    fn realised_and_open_value_add_up_to_the_cash(
        fills in prop::collection::vec((any::<bool>(), 5_000_i64..15_000, 1_i64..5_000), 1..40)
    ) {
        let linear = instrument(InstrumentKind::Linear);
        let mut portfolio = Portfolio::default();
        let (mut quantity, mut cash) = (0, Amount::ZERO);
        for (buy, price, size) in fills {
            let side = if buy { Side::Buy } else { Side::Sell };
            booked(&mut portfolio, &linear, fill(side, price, size, (QUOTE, "0")));
            quantity += side.signed(Quantity(size)).0;
            let value = linear.notional(Price(price), side.signed(Quantity(size))).unwrap();
            cash -= value;
        }
        let position = portfolio.position(&KEY);
        prop_assert_eq!(position.quantity, Quantity(quantity));
        let realized = portfolio.realized(ACCOUNT, OWNER, QUOTE);
        prop_assert_eq!(realized - position.cost, cash);
        prop_assert_eq!(portfolio.ledger.balance(ACCOUNT, QUOTE, OWNER), realized);
    }
}

#[test]
fn nothing_is_valued_by_the_prices_of_a_house_source() {
    let quote = tradewind_model::Quote {
        instrument: InstrumentId(0),
        bid: Price(100),
        ask: Price(102),
        bid_quantity: tradewind_model::Quantity(1),
        ask_quantity: tradewind_model::Quantity(1),
        event_time: None,
        received_at: tradewind_model::Timestamp::EPOCH,
    };
    let rate = |status| {
        let instruments = [Instrument {
            status,
            ..instrument(InstrumentKind::Spot)
        }];
        let prices = crate::Prices {
            instruments: &instruments,
            quotes: &[Some(quote)],
        };
        crate::rate(prices, BASE, QUOTE)
    };
    assert!(rate(tradewind_model::InstrumentStatus::Halted).is_some());
    assert_eq!(rate(tradewind_model::InstrumentStatus::PricesOnly), None);
}
