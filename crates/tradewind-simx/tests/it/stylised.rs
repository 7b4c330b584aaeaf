//! What real markets are known by (Cont 2001, "stylized facts"), held to over ten hours of the generated market: fat tails,
//! clustered volatility, spreads and depth that react, a factor that all share, sizes of every order.
//!
//! `scripts/market-report` holds ten days to the same and draws them; see docs/market.md.

#[path = "../../examples/market_report/measure.rs"]
#[expect(dead_code, reason = "shared with the report, which uses all of it")]
mod measure;

use measure::{broken, figures, play};

/// Minutes played here.
const MINUTES: usize = 600;

#[test]
fn ten_hours_of_25_instruments_has_the_shape_of_real_ones() {
    let market = play(42, MINUTES);
    let figures = figures(&market);
    for (place, one) in figures.iter().enumerate() {
        eprintln!("{:>5}: {one:.2?}", market.base(place));
    }
    assert_eq!(broken(&market, &figures), [""; 0]);
}
