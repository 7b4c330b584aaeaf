//! Statistics of the last values of one series, or of two.

mod beta;
mod correlation;
mod efficiency_ratio;
mod extremes;
mod median;
mod midpoint;
mod midprice;
mod percentile;
mod percentile_rank;
mod total;
mod zscore;

pub use beta::Beta;
pub use correlation::Correlation;
pub use efficiency_ratio::EfficiencyRatio;
pub use extremes::{Highest, Lowest};
pub use median::Median;
pub use midpoint::Midpoint;
pub use midprice::Midprice;
pub use percentile::Percentile;
pub use percentile_rank::PercentileRank;
pub use total::Total;
pub use zscore::Zscore;
