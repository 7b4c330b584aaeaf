//! Lists, and where one page ends and the next begins.

use serde::{Deserialize, Serialize};
use tradewind_events::DeskView;
use utoipa::ToSchema;

use super::number::Instant;

/// A list read from history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// What to give as `before` for the next page; `null` on the last.
    pub next: Option<String>,
}

/// A list read from one view of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewList<T> {
    /// The last input the view contains; equal numbers mean the same desk.
    pub seq: u64,
    /// Time of that input, by the desk's clock.
    pub at: Instant,
    /// The items.
    pub items: Vec<T>,
    /// What to give as `before` for the next page; `null` on the last.
    pub next: Option<String>,
}

impl<T> ViewList<T> {
    /// The whole of a view's list.
    #[must_use]
    pub fn whole(view: &DeskView, items: Vec<T>) -> Self {
        Self {
            seq: view.seq,
            at: view.at.into(),
            items,
            next: None,
        }
    }
}
