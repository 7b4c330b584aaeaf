//! Trend: whether a market moves in one direction, and where that direction ends.

mod adx;
mod adxr;
mod directional;
mod dm;
mod dmi;
mod ichimoku;
mod linear_regression;
mod sar;
mod supertrend;
mod vortex;

pub use adx::Adx;
pub use adxr::Adxr;
pub use dm::{DirectionalMovement, Dm};
pub use dmi::{DirectionalIndex, Dmi};
pub use ichimoku::{Ichimoku, IchimokuParameters, IchimokuValue};
pub use linear_regression::{LinearRegression, RegressionLine};
pub use sar::{Sar, SarParameters};
pub use supertrend::{Supertrend, SupertrendValue};
pub use vortex::{Vortex, VortexValue};
