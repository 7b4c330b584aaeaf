//! Volume: what was traded at a price and in which direction.

mod ad;
mod adosc;
mod cmf;
mod efi;
mod nvi;
mod obv;
mod pvi;
mod pvt;
mod rolling_vwap;
mod rvol;
mod vwap;

pub use ad::Ad;
pub use adosc::{Adosc, AdoscParameters};
pub use cmf::Cmf;
pub use efi::Efi;
pub use nvi::Nvi;
pub use obv::Obv;
pub use pvi::Pvi;
pub use pvt::Pvt;
pub use rolling_vwap::RollingVwap;
pub use rvol::Rvol;
pub use vwap::Vwap;
