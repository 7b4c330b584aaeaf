//! House sources: prices, numbers and targets that a house publishes itself, over a transport and in a spelling of its choosing.
//!
//! Each transport is a [`Protocol`](crate::Protocol) over bytes. [`source`] puts one under the same machine as a venue's
//! streams, so that connecting, subscribing, pacing and health are the same. The schemas stand in `docs/sources.md`.

mod data;
mod http;
mod json;
mod mapping;
mod numbers;
mod payloads;
mod progress;
mod recorded;
mod redis;
mod settings;
mod symbols;
mod targets;
pub mod tcp;
mod websocket;
mod xml;

pub use data::{HouseData, HouseNumber, HouseSink, HouseTarget, TargetError};
pub use mapping::{Field, Mapping, Numbering};
pub use progress::Progress;
pub use recorded::{RecordedConnection, RecordedHouse};
pub use redis::{KeptPositions, Positions, Redis, RedisUse};
pub use settings::{HouseSettings, Secret, Transport, source};
pub use symbols::{HouseSymbols, Series, SymbolError};
pub use websocket::SubscribeMode;
