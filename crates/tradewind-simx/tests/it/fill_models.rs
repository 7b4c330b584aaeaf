//! The three fill models side by side on the same market.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

use crate::bench::{Bench, limit};
use proptest::prelude::*;
use tradewind_model::Side;
use tradewind_simx::{ExchangeConfig, FillModel};

use Side::{Buy, Sell};

const MODELS: [FillModel; 3] = [
    FillModel::TradeThrough,
    FillModel::Book,
    FillModel::QuoteTouch,
];

#[derive(Clone, Debug)]
enum Move {
    Quote {
        bid: i64,
        spread: i64,
        quantity: i64,
    },
    Trade {
        taker: Side,
        price: i64,
        quantity: i64,
    },
}

fn bench(fill_model: FillModel) -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        fill_model,
        ..ExchangeConfig::default()
    });
    bench.quote((100, 50), (102, 50));
    bench
}

/// How much of a waiting buy at 100 each model has filled after each move.
fn filled(model: FillModel, moves: &[Move]) -> Vec<i64> {
    let mut bench = bench(model);
    let order = bench.submit(0, Buy, 40, limit(100)).unwrap();
    let mut after = |step: &Move| {
        match *step {
            Move::Quote {
                bid,
                spread,
                quantity,
            } => bench.quote((bid, quantity), (bid + spread, quantity)),
            Move::Trade {
                taker,
                price,
                quantity,
            } => bench.trade(taker, price, quantity),
        }
        bench.find(0, &order).filled.0
    };
    moves.iter().map(&mut after).collect()
}

#[test]
fn each_model_fills_when_it_says() {
    let at_the_price = |quantity| Move::Trade {
        taker: Sell,
        price: 100,
        quantity,
    };
    let beyond = Move::Trade {
        taker: Sell,
        price: 99,
        quantity: 7,
    };
    let touch = Move::Quote {
        bid: 98,
        spread: 2,
        quantity: 5,
    };
    let check = |moves: &[Move], wanted: [i64; 3]| {
        let got = MODELS.map(|model| *filled(model, moves).last().unwrap());
        assert_eq!(got, wanted, "{moves:?}");
    };
    check(&[at_the_price(50)], [0, 0, 0]);
    check(&[at_the_price(60)], [0, 10, 10]);
    check(&[beyond], [7, 7, 7]);
    check(&[touch], [5, 5, 40]);
}

proptest! {
    #[test]
    fn the_careful_models_never_fill_more(
        moves in prop::collection::vec(prop_oneof![
            (97_i64..103, 1_i64..4, 1_i64..80).prop_map(|(bid, spread, quantity)| Move::Quote { bid, spread, quantity }),
            (prop_oneof![Just(Buy), Just(Sell)], 98_i64..104, 1_i64..80)
                .prop_map(|(taker, price, quantity)| Move::Trade { taker, price, quantity }),
        ], 1..30)
    ) {
        let [through, queue, touch] = MODELS.map(|model| filled(model, &moves));
        for step in 0..moves.len() {
            prop_assert!(through[step] <= queue[step], "{step}: {through:?} {queue:?}");
            prop_assert!(queue[step] <= touch[step], "{step}: {queue:?} {touch:?}");
        }
    }
}
