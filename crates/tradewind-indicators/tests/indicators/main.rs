//! What the indicators promise: tables worked by hand, TA-Lib's outputs on real candles, laws for any
//! input, and the same bits after a restore and in every build.

mod any;
mod bits;
mod catalogue;
#[expect(
    clippy::disallowed_methods,
    reason = "the document is a file, and the environment says whether to write it"
)]
mod document;
#[expect(
    clippy::disallowed_methods,
    reason = "fixtures and candles are files; the crate itself reads none"
)]
mod fixture;
mod flat_and_huge;
mod laws;
mod naive;
mod reference;
mod refusals;
mod restore;
mod series;
mod tables;
#[expect(
    clippy::disallowed_methods,
    reason = "the environment says where the candles are"
)]
mod talib;
