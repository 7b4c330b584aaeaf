//! What a strategy has asked for in one instrument, and what came of it.
//!
//! A rule has an output at each wake; the desk wants to hear of it once. The stance compares the output with what is
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
pub(super) struct PositionPhase {
    phase: Phase,
    /// The exposure asked for last.
    #[serde(rename = "asked")]
    requested: Ppm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Holds nothing and wants nothing.
    #[default]
    Out,
    /// Asked to enter; nothing is held yet, and perhaps never will be.
    #[serde(rename = "Asked")]
    Entering,
    /// Holds a position.
    In,
    /// Held a position that something else closed. Waits for its own rule to say "leave" before it enters again.
    #[serde(rename = "Spent")]
    ClosedExternally,
    /// Asked to leave; the position is still there.
    Leaving,
}

/// What a rule makes of one wake.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RuleOutput {
    /// What the rule would hold and why; none if it is content with either.
    pub exposure: Option<(Ppm, Reason)>,
    /// What it waits for while it holds nothing.
    pub outside: Reason,
    /// What it waits for while it holds a position.
    pub inside: Reason,
}

/// Whether what is decided will be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedMode {
    /// It will.
    Live,
    /// It will not: the strategy is being fed with the past.
    WarmUp,
}

impl FeedMode {
    pub(super) const fn live_if(live: bool) -> Self {
        if live { Self::Live } else { Self::WarmUp }
    }
}

impl PositionPhase {
    /// Turns an output into a decision.
    pub(super) fn decide(
        &mut self,
        view: &View<'_>,
        mode: FeedMode,
        output: RuleOutput,
    ) -> Decision {
        self.observe(view);
        if let Some((exposure, reason)) = output.exposure {
            let transition = self.transition(exposure);
            if mode == FeedMode::Live {
                self.apply(transition);
            }
            if transition.is_requested() {
                return target(exposure, reason);
            }
        }
        hold(match self.phase {
            Phase::Out => output.outside,
            Phase::Entering => Reason::plain("asked to enter; waits for a fill"),
            Phase::In => output.inside,
            Phase::ClosedExternally => {
                Reason::plain("closed by its stop or by hand; waits for its own exit")
            }
            Phase::Leaving => Reason::plain("asked to leave; waits for a fill"),
        })
    }

    /// Takes note of what is held.
    fn observe(&mut self, view: &View<'_>) {
        let held = is_long(view);
        self.phase = match (self.phase, held) {
            (Phase::Out, true) => {
                self.requested = Ppm::ONE;
                Phase::In
            }
            (Phase::Entering | Phase::ClosedExternally, true) => Phase::In,
            (Phase::In, false) => Phase::ClosedExternally,
            (Phase::Leaving, false) => Phase::Out,
            (unchanged, _) => unchanged,
        };
    }

    /// What follows from wanting `exposure`.
    fn transition(&self, exposure: Ppm) -> Transition {
        let leaves = exposure <= Ppm::ZERO;
        match self.phase {
            Phase::Out if leaves => Transition::Keep,
            Phase::ClosedExternally if leaves => Transition::Rearm,
            Phase::ClosedExternally => Transition::Keep,
            Phase::Entering | Phase::In | Phase::Leaving if leaves => Transition::Leave,
            Phase::Entering | Phase::In if self.requested == exposure => Transition::Keep,
            Phase::In => Transition::Change(exposure, Phase::In),
            Phase::Out | Phase::Entering | Phase::Leaving => {
                Transition::Change(exposure, Phase::Entering)
            }
        }
    }

    fn apply(&mut self, transition: Transition) {
        let (phase, requested) = match transition {
            Transition::Keep => return,
            Transition::Rearm => (Phase::Out, Ppm::ZERO),
            Transition::Leave => (Phase::Leaving, Ppm::ZERO),
            Transition::Change(exposure, phase) => (phase, exposure),
        };
        *self = Self { phase, requested };
    }
}

/// How a wanted exposure changes the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transition {
    /// Nothing to say.
    Keep,
    /// Nothing to say, but a new entry is possible again.
    Rearm,
    /// Ask to leave; asked again as long as something is left, for an exit must not be lost.
    Leave,
    /// Ask for an exposure.
    Change(Ppm, Phase),
}

impl Transition {
    const fn is_requested(self) -> bool {
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
