//! Candles of a month are asked for like all others: [`Span`] knows them.

pub(super) use crate::span::{Span, SpanClock};
