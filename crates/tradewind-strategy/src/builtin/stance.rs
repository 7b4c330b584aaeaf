//! What a strategy has asked for in one instrument, and what came of it.
//!
//! A rule has an opinion at each wake; the desk wants to hear of it once. The stance compares the opinion with what is
//! held and with what was asked for, so that a bot neither repeats itself at each candle nor buys back at once what its
//! stop has just sold.
//!
//! ```text
//!            enter                 filled
//!   Out ───────────────► Asked ───────────────► In
//!    ▲ ▲                   │ leave               │ │ closed by a stop or by hand
//!    │ └───── flat ──── Leaving ◄──── leave ─────┘ ▼
//!    └──────────────────────── leave ─────────── Spent
//! ```

use serde::{Deserialize, Serialize};
use tradewind_model::{Decision, Ppm, Reason};

use super::{hold, target};
use crate::strategy::View;

/// What was asked for and what came of it. All built-in strategies are long or flat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stance {
    phase: Phase,
    /// The exposure asked for last.
    asked: Ppm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Holds nothing and wants nothing.
    #[default]
    Out,
    /// Asked to enter; nothing is held yet, and perhaps never will be.
    Asked,
    /// Holds a position.
    In,
    /// Held a position that something else closed. Waits for its own rule to say "leave" before it enters again.
    Spent,
    /// Asked to leave; the position is still there.
    Leaving,
}

/// What a rule makes of one wake.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Opinion {
    /// What the rule would hold and why; none if it is content with either.
    pub aim: Option<(Ppm, Reason)>,
    /// What it waits for while it holds nothing.
    pub outside: Reason,
    /// What it waits for while it holds a position.
    pub inside: Reason,
}

/// Whether what is decided will be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// It will.
    Live,
    /// It will not: the strategy is being fed with the past.
    History,
}

impl Moment {
    pub(super) const fn live_if(live: bool) -> Self {
        if live { Self::Live } else { Self::History }
    }
}

impl Stance {
    /// Turns an opinion into a decision.
    pub(super) fn decide(&mut self, view: &View<'_>, moment: Moment, opinion: Opinion) -> Decision {
        self.observe(view);
        if let Some((exposure, reason)) = opinion.aim {
            let next = self.aim(exposure);
            if moment == Moment::Live {
                self.take(next);
            }
            if next.is_asked() {
                return target(exposure, reason);
            }
        }
        hold(match self.phase {
            Phase::Out => opinion.outside,
            Phase::Asked => Reason::plain("asked to enter; waits for a fill"),
            Phase::In => opinion.inside,
            Phase::Spent => Reason::plain("closed by its stop or by hand; waits for its own exit"),
            Phase::Leaving => Reason::plain("asked to leave; waits for a fill"),
        })
    }

    /// Takes note of what is held.
    fn observe(&mut self, view: &View<'_>) {
        let held = is_long(view);
        self.phase = match (self.phase, held) {
            (Phase::Out, true) => {
                self.asked = Ppm::ONE;
                Phase::In
            }
            (Phase::Asked | Phase::Spent, true) => Phase::In,
            (Phase::In, false) => Phase::Spent,
            (Phase::Leaving, false) => Phase::Out,
            (unchanged, _) => unchanged,
        };
    }

    /// What follows from wanting `exposure`.
    fn aim(&self, exposure: Ppm) -> Next {
        let leaves = exposure <= Ppm::ZERO;
        match self.phase {
            Phase::Out if leaves => Next::Keep,
            Phase::Spent if leaves => Next::Forget,
            Phase::Spent => Next::Keep,
            Phase::Asked | Phase::In | Phase::Leaving if leaves => Next::Leave,
            Phase::Asked | Phase::In if self.asked == exposure => Next::Keep,
            Phase::In => Next::Change(exposure, Phase::In),
            Phase::Out | Phase::Asked | Phase::Leaving => Next::Change(exposure, Phase::Asked),
        }
    }

    fn take(&mut self, next: Next) {
        let (phase, asked) = match next {
            Next::Keep => return,
            Next::Forget => (Phase::Out, Ppm::ZERO),
            Next::Leave => (Phase::Leaving, Ppm::ZERO),
            Next::Change(exposure, phase) => (phase, exposure),
        };
        *self = Self { phase, asked };
    }
}

/// What an aim comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing to say.
    Keep,
    /// Nothing to say, but a new entry is possible again.
    Forget,
    /// Ask to leave; asked again as long as something is left, for an exit must not be lost.
    Leave,
    /// Ask for an exposure.
    Change(Ppm, Phase),
}

impl Next {
    const fn is_asked(self) -> bool {
        matches!(self, Self::Leave | Self::Change(..))
    }
}

/// Whether a long position is held that could be sold: less than the smallest order is dust.
fn is_long(view: &View<'_>) -> bool {
    let quantity = view.position.quantity;
    quantity.0 > 0 && quantity >= view.instrument.quantity_min
}

/// Minutes since the position was opened, for reasons; 0 when flat.
#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown to people, who need no nanoseconds"
)]
pub(super) fn minutes_held(view: &View<'_>) -> f64 {
    let opened = view.position.opened_at;
    opened.map_or(0.0, |opened| (view.at.since(opened).as_secs() / 60) as f64)
}
