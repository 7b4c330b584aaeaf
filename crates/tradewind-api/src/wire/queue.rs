//! Queues and stages: where things wait, and how long things take.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::number::Instant;

/// A bounded queue: an input lane, a subscriber of the bus, a writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// Its name: `lane.control`, `bus.sse-3`.
    pub name: String,
    /// Its overflow policy: `lossless`, `drop` or `latest`.
    pub class: String,
    /// What waits now.
    pub depth: u64,
    /// What fits.
    pub capacity: u64,
    /// The most that ever waited.
    pub high_water: u64,
    /// What came in.
    pub published: u64,
    /// What went out.
    pub delivered: u64,
    /// What was superseded by something newer of the same key.
    pub conflated: u64,
    /// What was lost, and announced as lost.
    pub dropped: u64,
}

/// How long one stage of the path takes, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// `receive`, `engine`, `evaluate`, `risk`, `send`, `ack` or `sse`.
    pub name: String,
    /// How often it ran.
    pub count: u64,
    /// Median, in microseconds.
    pub p50_us: u64,
    /// 99th percentile, in microseconds.
    pub p99_us: u64,
    /// Longest, in microseconds.
    pub max_us: u64,
}

/// Queues and stages now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueAnswer {
    /// When they were read, by the desk's clock.
    pub at: Instant,
    /// Queues. `published = delivered + conflated + dropped + depth` for each.
    pub items: Vec<Queue>,
    /// Always `null`.
    pub next: Option<String>,
    /// Stages.
    pub stages: Vec<Stage>,
}
